//===- TermEmitter.h - Terms written as ncd operations ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The way back from expressions to contract, map and reduce. What was an atom
// of the source is computed as it was written; everything else becomes maps cut
// so that nothing is computed more often than its axes ask for: a term without
// the streamed axis is a map of its own, once per row, and a term that needs
// neither state nor chunk is computed before the loop.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_ALGEBRA_TERMEMITTER_H
#define NAPKIN_LIB_ALGEBRA_TERMEMITTER_H

#include "RegionTerms.h"
#include "mlir/IR/Builders.h"

namespace napkin::algebra {

/// Where operations are written, and what is there already.
struct EmissionScope {
  EmissionScope(mlir::OpBuilder builder, EmissionScope *outer = nullptr)
      : builder(builder), outer(outer) {}

  mlir::OpBuilder builder;
  /// The enclosing scope, for what this one does not change.
  EmissionScope *outer;
  llvm::DenseMap<Expr, mlir::Value> values;
  /// Values of the source and their copies here.
  llvm::DenseMap<mlir::Value, mlir::Value> copies;
  /// How many places of this scope a term is used in.
  llvm::DenseMap<Expr, unsigned> uses;
};

class TermEmitter {
public:
  TermEmitter(RegionTerms &terms, mlir::Location location)
      : terms(terms), location(location) {}

  /// Counts the uses of everything below `root`; call for all roots of a scope
  /// before the first emit().
  void countUses(Expr root, EmissionScope &scope);
  /// A value with the axes of `e`.
  mlir::Value emit(Expr e, EmissionScope &scope);
  /// A value of exactly this type.
  mlir::Value emitAs(Expr e, ncd::ArrayType type, EmissionScope &scope);
  /// The copy of a value of the source, computed as it was written.
  mlir::Value copyOf(mlir::Value value, EmissionScope &scope);
  /// A map without operands.
  mlir::Value fill(double value, ncd::ArrayType type, EmissionScope &scope);

private:
  struct Body; // of a map

  mlir::Value lookup(Expr e, EmissionScope &scope);
  mlir::Value emitMap(Expr e, EmissionScope &scope, ncd::ArrayType type = {});
  mlir::Value emitReduce(Expr e, EmissionScope &scope);
  mlir::Value reduceByRegion(Expr e, EmissionScope &scope);
  mlir::Value emitSumOfProduct(llvm::ArrayRef<Expr> factors, AxisSet over,
                               EmissionScope &scope);
  mlir::Value reduceValue(mlir::Value value, Monoid monoid, AxisSet over,
                          EmissionScope &scope);
  mlir::Value withAxes(mlir::Value value, AxisSet axes, EmissionScope &scope);
  mlir::Value converted(mlir::Value value, ncd::ArrayType type,
                        EmissionScope &scope);
  void flattenProduct(Expr e, EmissionScope &scope,
                      llvm::SmallVectorImpl<Expr> &factors);
  bool isCut(Expr e, Expr root, EmissionScope &scope);
  bool readsArrays(Expr e);
  bool computedElsewhere(Expr e, EmissionScope &scope);
  void collectLeaves(Expr e, Expr root, EmissionScope &scope,
                     llvm::SetVector<Expr> &leaves);
  mlir::Type elementType(Expr e);
  AxisSet axesOf(ncd::ArrayType type);
  llvm::SmallVector<mlir::StringAttr> axisNames(AxisSet axes);

  RegionTerms &terms;
  mlir::Location location;
};

} // namespace napkin::algebra

#endif // NAPKIN_LIB_ALGEBRA_TERMEMITTER_H
