//===- RegionTerms.h - Terms of a region of ncd operations ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads ncd operations as expressions: a contract is a product under a sum, the
// body of a map is inlined, a reduce is its monoid. Remembers which value an
// expression was, so that atoms can be computed as they were written and a
// refusal knows where it comes from.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_ALGEBRA_REGIONTERMS_H
#define NAPKIN_LIB_ALGEBRA_REGIONTERMS_H

#include "napkin/Algebra/StreamPlan.h"
#include "napkin/Algebra/StreamingForm.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace napkin::algebra {

/// A region, its terms relative to one axis, and the plan for its outputs.
class RegionTerms {
public:
  /// \p inner are axes that loops inside of the stream walk.
  RegionTerms(llvm::ArrayRef<mlir::Operation *> ops,
              llvm::ArrayRef<mlir::Value> outputs, llvm::StringRef axis,
              llvm::ArrayRef<mlir::StringAttr> inner = {})
      : ops(ops.begin(), ops.end()), outputs(outputs.begin(), outputs.end()),
        axisName(axis), innerNames(inner.begin(), inner.end()) {}

  /// Reads the operations and derives the plan. On failure `why` says why.
  bool derive(const StreamingOptions &options, StreamingRefusal &why);

  /// The term of a value of the region or of an input to it.
  Expr termOf(mlir::Value value) const { return terms.lookup(value); }
  /// The value that a term was written as, with the term's axes; or null.
  mlir::Value writtenAs(Expr term) const { return written.lookup(term); }
  /// Whether repeating the operation of `value`, and those that it reads, reads
  /// no more than the term does. A map may have operands that it ignores.
  bool isRepeatable(mlir::Value value) const {
    return !isInside(value) || repeatable.contains(value);
  }
  /// An operation that computes the function of this call, on some operands.
  mlir::Operation *callee(Expr call) const {
    return callees.lookup(call->name);
  }
  /// The region of the monoid Other with this number.
  mlir::Region &combiner(unsigned number) const {
    return *combiners[number - 1];
  }

  /// Neither the axis, nor a reduction over it, nor a state.
  bool isInvariant(Expr e) const;
  /// Computed ahead of the loop. What has the axis of a loop inside is not: it
  /// would be there as a whole, where that loop has a chunk at a time.
  bool isHoisted(Expr e) const {
    return isInvariant(e) && !(e->axes & innerAxes);
  }
  bool carriesAxis(Expr e) const { return carries(e, axis); }
  /// Contract or reduce over the streamed axis.
  bool reducesAxis(mlir::Operation *op) const;
  bool isInside(mlir::Value value) const {
    return value.getDefiningOp() && inside.contains(value.getDefiningOp());
  }

  /// The array type of a term: axes in the region's order of storage.
  ncd::ArrayType arrayType(AxisSet axes, mlir::Type element) const;
  /// f64 if an input is, else f32.
  mlir::Type workingType() const { return working; }

  ExprContext context;
  unsigned axis = 0;
  /// Those of the loops inside.
  AxisSet innerAxes = 0;
  StreamPlan plan;
  llvm::SmallVector<mlir::Operation *, 8> ops;
  llvm::SmallVector<mlir::Value, 2> outputs;
  /// Reductions over the axis that an output needs.
  llvm::SetVector<mlir::Value> results;
  /// Operations on results only, in order.
  llvm::SetVector<mlir::Operation *> epilogue;
  /// Input terms and their values.
  llvm::MapVector<Expr, mlir::Value> inputs;

private:
  bool readOperation(mlir::Operation *op, StreamingRefusal &why);
  Expr readMap(ncd::MapOp map);
  Expr readContract(ncd::ContractOp contract);
  Expr readReduce(ncd::ReduceOp reduce);
  Expr reduceOver(Monoid monoid, Expr body,
                  llvm::ArrayRef<mlir::StringAttr> over, unsigned number = 0,
                  double identity = 0);
  Expr inputTerm(mlir::Value value);
  bool readsOnly(mlir::Value operand, Expr term) const;
  bool numberAxes(StreamingRefusal &why);
  bool findResults(StreamingRefusal &why);
  void takeOutputsAsResults(const PlanOptions &options);
  void locate(const PlanRefusal &refusal, StreamingRefusal &why);
  mlir::MLIRContext *mlirContext() const {
    return outputs.front().getContext();
  }

  std::string axisName;
  llvm::SmallVector<mlir::StringAttr, 1> innerNames;
  llvm::DenseMap<mlir::Value, Expr> terms;
  llvm::DenseMap<Expr, mlir::Value> written;
  /// By name, which holds all that tells two functions apart.
  llvm::StringMap<mlir::Operation *> callees;
  /// The operation that each node first came from.
  llvm::DenseMap<Expr, mlir::Operation *> origins;
  llvm::SmallVector<mlir::Region *, 1> combiners;
  llvm::DenseSet<mlir::Operation *> inside;
  llvm::DenseSet<mlir::Value> repeatable;
  llvm::DenseSet<llvm::StringRef> inputNames;
  mlir::Type working;
  mutable llvm::DenseMap<Expr, bool> invariants;
};

/// Name of a value for people: of the argument it is, or "v" and a number.
std::string valueName(mlir::Value value);

} // namespace napkin::algebra

#endif // NAPKIN_LIB_ALGEBRA_REGIONTERMS_H
