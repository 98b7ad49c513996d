//===- NCDRanges.cpp - positions lie within their axes ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What integer range analysis may know of `ncd.index`: a position is at least 0
// and less than the size of its axis. A mask that no position passes, or that
// all do, is then folded on the diagram, before anything is counted.
//===----------------------------------------------------------------------===//

#include "NCDRanges.h"
#include "mlir/Interfaces/InferIntRangeInterface.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"

using namespace mlir;
using namespace napkin::ncd;

namespace {
/// The range of one position.
struct PositionRange
    : InferIntRangeInterface::ExternalModel<PositionRange, IndexOp> {
  static ConstantIntRanges rangeOf(Operation *op) {
    auto index = cast<IndexOp>(op);
    const unsigned width = IndexType::kInternalStorageBitWidth;
    auto map = dyn_cast_or_null<MapOp>(op->getParentOp());
    if (!map || !map.getArrayType().hasAxis(index.getAxis()))
      return ConstantIntRanges::maxRange(width);
    int64_t size = map.getArrayType().sizeOf(index.getAxis());
    int64_t most = ShapedType::isDynamic(size) ? INT64_MAX : size - 1;
    return ConstantIntRanges::constant(APInt(width, 0))
        .rangeUnion(ConstantIntRanges::constant(APInt(width, most)));
  }

  void inferResultRanges(Operation *op, ArrayRef<ConstantIntRanges>,
                         SetIntRangeFn setRange) const {
    setRange(op->getResult(0), rangeOf(op));
  }

  void inferResultRangesFromOptional(Operation *op, ArrayRef<IntegerValueRange>,
                                     SetIntLatticeFn setRange) const {
    setRange(op->getResult(0), rangeOf(op));
  }
};
} // namespace

void napkin::ncd::attachRanges(MLIRContext *context) {
  IndexOp::attachInterface<PositionRange>(*context);
}
