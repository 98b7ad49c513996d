//===- Labels.cpp - names, sizes and levels of arrays -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What stands on the lines of a picture.
//===----------------------------------------------------------------------===//

#include "Frame.h"
#include <fmt/format.h>

using namespace mlir;
using namespace napkin;
using namespace napkin::drawing;

Labels::Labels(ncd::DiagramOp diagram) : state(diagram) {}

/// What a kernel's or a loop's argument is outside of it.
static Value outside(Value value) {
  auto argument = dyn_cast<BlockArgument>(value);
  if (!argument)
    return value;
  Operation *parent = argument.getOwner()->getParentOp();
  unsigned number = argument.getArgNumber();
  if (auto kernel = dyn_cast<ncd::KernelOp>(parent))
    return outside(kernel.getInputs()[number]);
  auto stream = dyn_cast<ncd::StreamOp>(parent);
  if (!stream || argument.getOwner() != &stream.getStep().front() ||
      number < stream.getNumStates())
    return value;
  return outside(stream.getInputs()[number - stream.getNumStates()]);
}

std::string Labels::nameOf(Value value) {
  value = outside(value);
  std::string name;
  llvm::raw_string_ostream stream(name);
  value.printAsOperand(stream, state);
  return name;
}

std::string Labels::headOf(Value value) {
  auto type = cast<ncd::ArrayType>(value.getType());
  return nameOf(value) + ": " +
         ncd::elementTypeName(type.getElementType()).str();
}

/// The kernel in whose region \p value is, or null.
static ncd::KernelOp kernelOf(Value value) {
  Operation *parent = value.getParentBlock()->getParentOp();
  if (auto kernel = dyn_cast<ncd::KernelOp>(parent))
    return kernel;
  return parent->getParentOfType<ncd::KernelOp>();
}

/// Positions of an axis that exist at a time.
static int64_t partOf(Value value, StringAttr axis, int64_t size) {
  ncd::KernelOp kernel = kernelOf(value);
  if (!kernel || ShapedType::isDynamic(size))
    return size;
  return kernel.partOf(axis, size);
}

std::string Labels::strandOf(Value value, unsigned index) {
  auto type = cast<ncd::ArrayType>(value.getType());
  if (index >= type.getRank())
    return "";
  StringAttr axis = type.getAxes()[index];
  int64_t size = type.getSizes()[index];
  if (ShapedType::isDynamic(size))
    return axis.str() + " ?";
  int64_t part = partOf(value, axis, size);
  if (levelOf(value) == Level::Global || part == size)
    return fmt::format("{} {}", axis.str(), size);
  return fmt::format("{} {}/{}", axis.str(), part, size);
}

/// Whether a product takes \p value from shared memory.
static bool isTakenFromShared(Value value) {
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    auto contract = dyn_cast<ncd::ContractOp>(user);
    if (!contract || !contract.getProduct())
      return false;
    ncd::ProductAttr product = *contract.getProduct();
    bool givesRows =
        cast<ncd::ArrayType>(value.getType()).hasAxis(product.getRows());
    return (givesRows ? product.getA() : product.getB()) == ncd::Source::Shared;
  });
}

Level Labels::levelOf(Value value) {
  if (!kernelOf(value))
    return Level::Global;
  if (!isa<BlockArgument>(value))
    return Level::Registers;
  if (isTakenFromShared(value))
    return Level::Shared;
  bool streamed = llvm::all_of(value.getUsers(), [](Operation *user) {
    return isa<ncd::StreamOp>(user);
  });
  bool ofKernel = isa<ncd::KernelOp>(value.getParentBlock()->getParentOp());
  return ofKernel && streamed ? Level::Global : Level::Registers;
}

int64_t Labels::bytesOf(Value value) {
  auto type = cast<ncd::ArrayType>(value.getType());
  int64_t bytes = type.getElementBytes();
  bool whole = levelOf(value) == Level::Global;
  for (auto [axis, size] : llvm::zip_equal(type.getAxes(), type.getSizes()))
    if (!ShapedType::isDynamic(size))
      bytes *= whole ? size : partOf(value, axis, size);
  return bytes;
}
