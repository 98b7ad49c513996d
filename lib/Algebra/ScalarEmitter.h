//===- ScalarEmitter.h - Terms in the body of a map -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes terms as arith and math operations: floats in one working type,
// positions as indices, conditions as i1.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_ALGEBRA_SCALAREMITTER_H
#define NAPKIN_LIB_ALGEBRA_SCALAREMITTER_H

#include "RegionTerms.h"
#include "mlir/IR/Builders.h"

namespace napkin::algebra {

/// True for terms that are 0 or 1 by construction.
bool isCondition(Expr e);
/// The float type that a relative rounding stores in; null for the grid.
mlir::Type storageType(Rounding rounding, mlir::MLIRContext *context);
/// Widens, narrows or changes between numbers, positions and conditions.
mlir::Value convertScalar(mlir::OpBuilder &builder, mlir::Location location,
                          mlir::Value value, mlir::Type type);

/// The body of a reduction by region, on two values.
mlir::Value inlineCombiner(mlir::OpBuilder &builder, mlir::Region &region,
                           mlir::Value a, mlir::Value b);

class ScalarEmitter {
public:
  ScalarEmitter(mlir::OpBuilder &builder, mlir::Location location,
                const RegionTerms &terms)
      : builder(builder), location(location), terms(terms) {}

  void bind(Expr e, mlir::Value value) { values[e] = value; }
  mlir::Value emitAs(Expr e, mlir::Type type) {
    return convertScalar(builder, location, emit(e), type);
  }

private:
  mlir::Value emit(Expr e);
  mlir::Value emitUncached(Expr e);
  mlir::Value emitCall(Expr e);
  mlir::Value emitCompare(Expr e);
  mlir::Value number(Expr e) { return emitAs(e, terms.workingType()); }
  mlir::Value position(Expr e);
  mlir::Value condition(Expr e);
  mlir::Value constant(double value);
  /// A position, or a constant that can be one.
  bool isIntegral(Expr e);
  bool areIntegral(llvm::ArrayRef<Expr> operands);
  template <typename OpTy>
  mlir::Value create(mlir::ValueRange operands) {
    return OpTy::create(builder, location, operands)->getResult(0);
  }
  /// FloatOp of numbers, or IntOp of positions.
  template <typename FloatOp, typename IntOp>
  mlir::Value arithmetic(Expr e);

  mlir::OpBuilder &builder;
  mlir::Location location;
  const RegionTerms &terms;
  llvm::DenseMap<Expr, mlir::Value> values;
};

} // namespace napkin::algebra

#endif // NAPKIN_LIB_ALGEBRA_SCALAREMITTER_H
