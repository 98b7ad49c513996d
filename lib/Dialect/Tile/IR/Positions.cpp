//===- Positions.cpp - What is known of positions -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Dialect/Tile/IR/Positions.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"
#include <numeric>

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

using Facts = PositionFacts;

static bool isBounded(int64_t value) {
  return value > Facts::unboundedBelow && value < Facts::unboundedAbove;
}

/// Puts a sum or product of bounds back into the range that says something.
static int64_t clampBound(__int128 value) {
  if (value <= Facts::unboundedBelow)
    return Facts::unboundedBelow;
  if (value >= Facts::unboundedAbove)
    return Facts::unboundedAbove;
  return int64_t(value);
}

static Facts constantFacts(int64_t value) {
  return {value, value, std::abs(value)};
}

/// The positions of a loop from `lower` to `upper` by `step`.
static Facts loopFacts(Facts lower, Facts upper, Facts step) {
  Facts facts;
  facts.multiple = std::gcd(lower.multiple, step.multiple);
  facts.least = lower.least;
  facts.most = clampBound(__int128(upper.most) - 1);
  // Positions are multiples, wherever the loop begins.
  if (facts.multiple > 1 && isBounded(facts.most) && facts.most >= 0)
    facts.most -= facts.most % facts.multiple;
  std::optional<int64_t> from = lower.constant(), by = step.constant();
  if (from && by && *by > 0 && isBounded(facts.most) && facts.most >= *from)
    facts.most -= (facts.most - *from) % *by;
  return facts;
}

static Facts sum(Facts a, Facts b) {
  return {clampBound(__int128(a.least) + b.least),
          clampBound(__int128(a.most) + b.most),
          std::gcd(a.multiple, b.multiple)};
}

static Facts product(Facts a, Facts b) {
  Facts facts;
  facts.multiple = clampBound(std::min(__int128(a.multiple) * b.multiple,
                                       __int128(Facts::unboundedAbove) - 1));
  if (a.least >= 0 && b.least >= 0) {
    facts.least = clampBound(__int128(a.least) * b.least);
    facts.most = clampBound(__int128(a.most) * b.most);
  }
  return facts;
}

static Facts factsOfArgument(BlockArgument argument) {
  Operation *parent = argument.getOwner()->getParentOp();
  unsigned number = argument.getArgNumber();
  if (auto kernel = dyn_cast<KernelOp>(parent)) {
    int64_t place = int64_t(number) - int64_t(kernel.getArrays().size());
    if (place < 0)
      return {};
    int64_t tileSize = kernel.getGridTiles()[place];
    int64_t last = (kernel.getGridSize(place) - 1) * tileSize;
    return {0, last, last ? tileSize : 0};
  }
  if (auto loop = dyn_cast<LoopOp>(parent); loop && number == 0)
    return loopFacts(factsOf(loop.getLower(), loop),
                     factsOf(loop.getUpper(), loop),
                     factsOf(loop.getStep(), loop));
  if (auto loop = dyn_cast<scf::ForOp>(parent); loop && number == 0)
    return loopFacts(factsOf(loop.getLowerBound(), loop),
                     factsOf(loop.getUpperBound(), loop),
                     factsOf(loop.getStep(), loop));
  return {};
}

/// The facts that hold wherever `position` is seen.
static Facts factsEverywhere(Value position) {
  if (auto argument = dyn_cast<BlockArgument>(position))
    return factsOfArgument(argument);
  Operation *op = position.getDefiningOp();
  auto operand = [&](unsigned index) {
    return factsOf(op->getOperand(index), op);
  };
  return llvm::TypeSwitch<Operation *, Facts>(op)
      .Case([&](arith::ConstantOp constant) -> Facts {
        auto value = dyn_cast<IntegerAttr>(constant.getValue());
        return value ? constantFacts(value.getInt()) : Facts();
      })
      .Case([](EntryOp) -> Facts { return {0, Facts::unboundedAbove, 1}; })
      .Case([&](arith::AddIOp) { return sum(operand(0), operand(1)); })
      .Case([&](arith::SubIOp) {
        Facts a = operand(0), b = operand(1);
        return sum(a, {-b.most, -b.least, b.multiple});
      })
      .Case([&](arith::MulIOp) { return product(operand(0), operand(1)); })
      .Case([&](arith::DivUIOp) -> Facts {
        Facts a = operand(0), b = operand(1);
        if (a.least < 0 || b.least <= 0)
          return Facts();
        return {isBounded(b.most) ? a.least / b.most : 0,
                isBounded(a.most) ? a.most / b.least : a.most, 1};
      })
      .Case([&](arith::RemUIOp) -> Facts {
        Facts a = operand(0), b = operand(1);
        if (a.least < 0 || b.least <= 0)
          return Facts();
        return {0, std::min(a.most, clampBound(__int128(b.most) - 1)), 1};
      })
      .Case([&](arith::MinSIOp) -> Facts {
        Facts a = operand(0), b = operand(1);
        return {std::min(a.least, b.least), std::min(a.most, b.most),
                std::gcd(a.multiple, b.multiple)};
      })
      .Case([&](arith::MaxSIOp) -> Facts {
        Facts a = operand(0), b = operand(1);
        return {std::max(a.least, b.least), std::max(a.most, b.most),
                std::gcd(a.multiple, b.multiple)};
      })
      .Default([](Operation *) { return Facts(); });
}

PositionFacts napkin::tile::factsOf(Value position, Operation *user) {
  Facts facts = factsEverywhere(position);
  // Conditions under which `user` runs.
  for (Operation *op = user; op->getParentOp(); op = op->getParentOp()) {
    auto branch = dyn_cast<scf::IfOp>(op->getParentOp());
    if (!branch || op->getBlock() != branch.thenBlock())
      continue;
    auto compare = branch.getCondition().getDefiningOp<arith::CmpIOp>();
    if (!compare || compare.getPredicate() != arith::CmpIPredicate::slt ||
        compare.getLhs() != position)
      continue;
    int64_t most = factsEverywhere(compare.getRhs()).most;
    if (!isBounded(most))
      continue;
    --most;
    if (facts.multiple > 1 && most >= 0)
      most -= most % facts.multiple;
    facts.most = std::min(facts.most, most);
  }
  return facts;
}

unsigned napkin::tile::bytesOf(Type element) {
  return ncd::elementBytes(element);
}

/// The largest power of two that divides `value`; `widestAccess` for 0.
static int64_t alignmentOf(int64_t value) {
  return value ? std::min(value & -value, widestAccess) : widestAccess;
}

int64_t napkin::tile::vectorOf(ViewOp view, Operation *user) {
  ncd::ArrayType array = view.getArrayType();
  if (array.getRank() == 0)
    return 1;
  unsigned last = array.getRank() - 1;
  ViewDimension dimension = view.getDimension(last);
  SmallVector<int64_t> strides = array.getPlacement();
  if (dimension.extent == 1 || dimension.index || strides[last] != 1)
    return 1;
  int64_t elementBytes = array.getElementBytes();
  // Every row begins at a multiple of this, and no end of what counts cuts it.
  int64_t bytes = alignmentOf(array.getSizes().back() * elementBytes);
  if (auto seen = view.getArray().getDefiningOp<ArrayOp>())
    bytes =
        std::min(bytes, alignmentOf(int64_t(seen.getFrom()) * elementBytes));
  for (unsigned axis = 0; axis < last; ++axis)
    if (array.getSizes()[axis] > 1)
      bytes = std::min(bytes, alignmentOf(strides[axis] * elementBytes));
  bytes = std::min(bytes, alignmentOf(dimension.extent * elementBytes));
  if (dimension.offset)
    bytes =
        std::min(bytes, alignmentOf(factsOf(dimension.offset, user).multiple *
                                    elementBytes));
  if (dimension.limit)
    bytes =
        std::min(bytes, alignmentOf(factsOf(dimension.limit, user).multiple *
                                    elementBytes));
  return std::max<int64_t>(1, bytes / elementBytes);
}

int64_t napkin::tile::placesAlong(ViewOp view, unsigned axis) {
  if (Value index = view.getDimension(axis).index)
    return cast<ncd::ArrayType>(index.getType()).getSizes().front();
  return view.getArrayType().getSizes()[axis];
}

bool napkin::tile::mayReachPast(ViewOp view, unsigned axis, Operation *user) {
  ViewDimension dimension = view.getDimension(axis);
  int64_t last = dimension.extent - 1, first = 0;
  if (dimension.offset) {
    Facts facts = factsOf(dimension.offset, user);
    last = clampBound(__int128(facts.most) + last);
    first = facts.least;
  }
  int64_t end = placesAlong(view, axis);
  if (dimension.limit)
    end = std::min(end, factsOf(dimension.limit, user).least);
  (void)first;
  return last >= end;
}
