//===- ExpandContracts.cpp - contracts without an instruction ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes contracts as map and reduce where tensor cores cannot help.
//
//===----------------------------------------------------------------------===//

#include "ExpandContracts.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace napkin;

/// True when \p contract has rows, columns and a summed axis longer than 1.
static bool hasInstructionShape(ncd::ContractOp contract) {
  if (contract.getInputs().size() != 2)
    return contract.getInputs().size() > 2 && !contract.getOverAxes().empty();
  auto left = cast<ncd::ArrayType>(contract.getInputs()[0].getType());
  auto right = cast<ncd::ArrayType>(contract.getInputs()[1].getType());
  bool rows = false, columns = false, depth = false;
  for (auto [axis, size] : llvm::zip_equal(left.getAxes(), left.getSizes())) {
    if (size == 1)
      continue;
    rows |= !right.hasAxis(axis);
    depth |= contract.isOver(axis);
  }
  for (auto [axis, size] : llvm::zip_equal(right.getAxes(), right.getSizes()))
    columns |= size != 1 && !left.hasAxis(axis);
  return rows && columns && depth;
}

/// \p value as \p type, which is at least as wide.
static Value widen(OpBuilder &builder, Location location, Value value,
                   Type type) {
  if (value.getType() == type)
    return value;
  if (isa<FloatType>(type))
    return arith::ExtFOp::create(builder, location, type, value);
  return arith::ExtSIOp::create(builder, location, type, value);
}

/// \p value as \p type, which is at most as wide.
static Value narrow(OpBuilder &builder, Location location, Value value,
                    Type type) {
  if (value.getType() == type)
    return value;
  return arith::TruncFOp::create(builder, location, type, value);
}

static void expand(ncd::ContractOp contract) {
  OpBuilder builder(contract);
  Location location = contract.getLoc();
  ncd::ArrayType resultType = contract.getArrayType();
  Type accumulator = contract.getAccumulatorType();
  SmallVector<StringAttr> over = contract.getOverAxes();
  SmallVector<StringAttr> axes(resultType.getAxes());
  SmallVector<int64_t> sizes(resultType.getSizes());
  for (StringAttr axis : over)
    for (Value input : contract.getInputs()) {
      auto type = cast<ncd::ArrayType>(input.getType());
      if (!type.hasAxis(axis) || llvm::is_contained(axes, axis))
        continue;
      axes.push_back(axis);
      sizes.push_back(type.sizeOf(axis));
    }
  // Without a sum the rounding to the result is the map's own.
  Type element = over.empty() ? resultType.getElementType() : accumulator;
  auto products =
      ncd::ArrayType::get(builder.getContext(), axes, sizes, element);
  Value value = ncd::MapOp::create(
      builder, location, products, contract.getInputs(),
      [&](OpBuilder &body, Location at, ValueRange elements) {
        Value product = widen(body, at, elements.front(), accumulator);
        for (Value factor : elements.drop_front()) {
          Value wide = widen(body, at, factor, accumulator);
          product = isa<FloatType>(accumulator)
                        ? Value(arith::MulFOp::create(body, at, product, wide))
                        : Value(arith::MulIOp::create(body, at, product, wide));
        }
        return narrow(body, at, product, element);
      });
  if (!over.empty())
    value = ncd::ReduceOp::create(builder, location, resultType,
                                  ncd::Monoid::Sum, value, over);
  if (Attribute pin = contract->getAttr("ncd.pin"))
    for (Operation *op = value.getDefiningOp(); op;
         op = op->getNumOperands() && isa<ncd::ReduceOp>(op)
                  ? op->getOperand(0).getDefiningOp()
                  : nullptr)
      op->setAttr("ncd.pin", pin);
  contract.getResult().replaceAllUsesWith(value);
  contract.erase();
}

void napkin::schedule::expandContracts(ncd::DiagramOp diagram) {
  SmallVector<ncd::ContractOp> contracts;
  for (ncd::ContractOp contract :
       diagram.getBody().front().getOps<ncd::ContractOp>())
    if (!hasInstructionShape(contract))
      contracts.push_back(contract);
  llvm::for_each(contracts, expand);
}
