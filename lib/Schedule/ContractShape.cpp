//===- ContractShape.cpp - contracts as instructions see them -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Roles of axes, and the choice among the rows of a table.
//
//===----------------------------------------------------------------------===//

#include "ContractShape.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

ContractShape
schedule::shapeOf(ncd::ContractOp contract,
                  llvm::function_ref<int64_t(StringAttr, int64_t)> extentOf) {
  ContractShape shape;
  if (contract.getInputs().size() != 2)
    return shape;
  auto left = cast<ncd::ArrayType>(contract.getInputs()[0].getType());
  auto right = cast<ncd::ArrayType>(contract.getInputs()[1].getType());
  for (auto [axis, size] : llvm::zip_equal(left.getAxes(), left.getSizes())) {
    if (extentOf(axis, size) == 1)
      continue;
    if (!right.hasAxis(axis))
      ++shape.rows;
    else
      ++(contract.isOver(axis) ? shape.summed : shape.batch);
  }
  for (auto [axis, size] : llvm::zip_equal(right.getAxes(), right.getSizes()))
    shape.columns += extentOf(axis, size) != 1 && !left.hasAxis(axis);
  return shape;
}

const target::MatrixInstruction *
schedule::instructionOf(ncd::ContractOp contract,
                        const target::TargetDescription &target,
                        bool roundToTF32) {
  auto elementOf = [](Type type) {
    return target::parseElement(ncd::elementTypeName(type));
  };
  auto type = cast<ncd::ArrayType>(contract.getInputs().front().getType());
  std::optional<target::Element> factor = elementOf(type.getElementType());
  std::optional<target::Element> sum = elementOf(contract.getAccumulatorType());
  return factor && sum ? target.choose(*factor, *sum, roundToTF32) : nullptr;
}
