//===- Scalars.h - evaluation of scalar regions -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The regions of map and reduce, compiled to a list of loops over blocks of
// elements: one call of an operation computes up to `blockSize` elements.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_REFERENCE_SCALARS_H
#define NAPKIN_LIB_REFERENCE_SCALARS_H

#include "mlir/IR/Block.h"
#include "mlir/IR/Operation.h"
#include "napkin/Reference/Evaluate.h"
#include "llvm/ADT/DenseMap.h"
#include <functional>
#include <string>
#include <vector>

namespace napkin::reference {

/// A compiled region. Floats are doubles; integers and `index` are int64_t,
/// sign extended, but 0 or 1 for i1.
class ScalarProgram {
public:
  /// Elements that one run computes at most.
  static constexpr int blockSize = 256;

  /// A position that the region asks for.
  struct Index {
    std::string axis;
    mlir::Value value;
  };

  /// Compiles \p block, the only block of a region of map or reduce. Emits an
  /// error on an operation that is not known. Under Storage::Exact a conversion
  /// to a narrower type is exact as well.
  static mlir::FailureOr<ScalarProgram>
  compile(mlir::Block &block, const EvaluationOptions &options);

  /// The positions to fill in before a run.
  llvm::ArrayRef<Index> getIndices() const { return indices; }

  /// Where the elements of the float value \p value are.
  double *floatsOf(mlir::Value value) {
    return floats.data() + slots.lookup(value);
  }

  /// Where the elements of the integer value \p value are.
  int64_t *integersOf(mlir::Value value) {
    return integers.data() + slots.lookup(value);
  }

  /// The value that the region yields.
  mlir::Value getYielded() const { return yielded; }

  /// Computes \p count elements, at most blockSize. Emits an error on an
  /// operation without a result, such as a division by zero.
  mlir::LogicalResult run(int count);

  /// Computes a number of elements; false when one of them has no result.
  using Run = std::function<bool(ScalarProgram &, int)>;

private:
  friend class ScalarCompiler;

  struct Instruction {
    mlir::Operation *op;
    Run run;
  };

  std::vector<Instruction> instructions;
  std::vector<Index> indices;
  llvm::DenseMap<mlir::Value, size_t> slots;
  std::vector<double> floats;
  std::vector<int64_t> integers;
  mlir::Value yielded;
};

} // namespace napkin::reference

#endif // NAPKIN_LIB_REFERENCE_SCALARS_H
