//===- ContractShape.h - contracts as instructions see them -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Which matrix a contract multiplies, and by which row of the target's table.
// Everyone who asks asks here, so that what is priced is what is emitted.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_CONTRACTSHAPE_H
#define NAPKIN_LIB_SCHEDULE_CONTRACTSHAPE_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Target/Target.h"

namespace napkin::schedule {

/// How many axes longer than 1 play each role in a product of two factors.
struct ContractShape {
  /// Carried by the first or the second factor alone.
  unsigned rows = 0, columns = 0;
  /// Summed; carried by both factors and by the result.
  unsigned summed = 0, batch = 0;

  /// Whether a matrix product is in it; more axes may be cut to 1.
  bool hasMatrix() const { return rows && columns && summed; }
  /// Whether it is one matrix product.
  bool isMatrix() const {
    return rows == 1 && columns == 1 && summed == 1 && !batch;
  }
};

/// The shape of \p contract where \p extentOf gives the positions that matter
/// of an axis of a size; nothing matches where there are not two factors.
ContractShape
shapeOf(ncd::ContractOp contract,
        llvm::function_ref<int64_t(mlir::StringAttr, int64_t)> extentOf);

/// The row of \p target that multiplies matrices of \p contract's factors;
/// null only for a target without scalar rows.
const target::MatrixInstruction *
instructionOf(ncd::ContractOp contract, const target::TargetDescription &target,
              bool roundToTF32);

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_CONTRACTSHAPE_H
