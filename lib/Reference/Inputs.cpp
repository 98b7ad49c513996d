//===- Inputs.cpp - random inputs of a diagram ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Masks are found by following an argument forwards.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Inputs.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "napkin/Reference/Evaluate.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

Tensor napkin::reference::randomTensor(ncd::ArrayType type,
                                       Distribution distribution,
                                       uint64_t seed) {
  return randomTensor(axesOf(type), elementOf(type.getElementType()),
                      distribution, seed);
}

/// Whether the map of \p use adds that operand, perhaps converted or scaled, to
/// something.
static bool isAdded(ncd::MapOp map, OpOperand &use) {
  llvm::SetVector<Value> same;
  same.insert(map.getBody().getArgument(use.getOperandNumber()));
  for (unsigned next = 0; next < same.size(); ++next)
    for (Operation *user : same[next].getUsers()) {
      auto isConstant = [](Value value) {
        return value.getDefiningOp<arith::ConstantOp>() != nullptr;
      };
      if (isa<arith::AddFOp>(user)) {
        if (llvm::none_of(user->getOperands(), isConstant))
          return true;
      } else if (isa<arith::ExtFOp, arith::TruncFOp>(user) ||
                 (isa<arith::MulFOp>(user) &&
                  llvm::any_of(user->getOperands(), isConstant))) {
        same.insert(user->getResult(0));
      }
    }
  return false;
}

static std::vector<std::string> axisNames(ArrayAttr axes) {
  std::vector<std::string> names;
  for (StringAttr axis : axes.getAsRange<StringAttr>())
    names.push_back(axis.str());
  return names;
}

/// The axes along which \p scores is folded, itself or after maps.
static std::vector<std::string> foldedAxes(Value scores) {
  std::vector<std::string> byExponential;
  llvm::SetVector<Value> reached;
  reached.insert(scores);
  for (unsigned next = 0; next < reached.size(); ++next)
    for (Operation *user : reached[next].getUsers()) {
      if (auto softmax = dyn_cast<ncd::SoftmaxOp>(user))
        return axisNames(softmax.getOver());
      if (auto logarithm = dyn_cast<ncd::LogSumExpOp>(user))
        return axisNames(logarithm.getOver());
      if (auto fold = dyn_cast<ncd::ReduceOp>(user))
        if (fold.getMonoid() == ncd::Monoid::Max)
          return axisNames(fold.getOver());
      if (auto map = dyn_cast<ncd::MapOp>(user))
        reached.insert(map.getResult());
    }
  for (Value value : reached)
    if (auto map = value.getDefiningOp<ncd::MapOp>())
      map.walk([&](Operation *op) {
        ncd::ArrayType type = map.getArrayType();
        if (isa<math::ExpOp, math::Exp2Op>(op) && type.getRank() != 0)
          byExponential = {type.getAxes().back().str()};
      });
  return byExponential;
}

std::vector<std::string>
napkin::reference::foldedAxesOfMask(BlockArgument argument) {
  auto type = dyn_cast<ncd::ArrayType>(argument.getType());
  if (!type || !isa<FloatType>(type.getElementType()))
    return {};
  for (OpOperand &use : argument.getUses()) {
    auto map = dyn_cast<ncd::MapOp>(use.getOwner());
    if (!map || !isAdded(map, use))
      continue;
    std::vector<std::string> folded;
    for (std::string &axis : foldedAxes(map.getResult()))
      if (type.axisIndex(axis))
        folded.push_back(std::move(axis));
    if (!folded.empty())
      return folded;
  }
  return {};
}

Tensor napkin::reference::randomInput(BlockArgument argument,
                                      Distribution distribution,
                                      uint64_t seed) {
  auto type = cast<ncd::ArrayType>(argument.getType());
  Tensor tensor;
  std::vector<std::string> folded;
  if (distribution == Distribution::Masked)
    folded = foldedAxesOfMask(argument);
  tensor = folded.empty()
               ? randomTensor(type, distribution, seed)
               : randomMask(axesOf(type), elementOf(type.getElementType()),
                            folded, seed);
  if (!type.hasStrides())
    return tensor;
  std::vector<char> bytes = tensor.toBytes();
  repeatElements(bytes, elementBytes(tensor.element), tensor.axes,
                 type.getStrides());
  return llvm::cantFail(Tensor::fromBytes(tensor.axes, tensor.element, bytes));
}
