//===- Transfers.cpp - The bytes that a tile program moves ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Dialect/Tile/IR/Transfers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

namespace {

/// Walks one kernel with the integers that steer it.
class Walker {
public:
  explicit Walker(KernelOp kernel) : kernel(kernel) {}

  TransferBytes count() {
    walk(kernel.getBody().front());
    return total;
  }

private:
  /// Elements of all blocks together that one transfer moves, times their size.
  int64_t bytesOf(ncd::ArrayType array, ArrayRef<StringAttr> axes,
                  ArrayRef<int64_t> sizes, OperandRange positions,
                  ArrayAttr at) {
    int64_t bytes = array.getElementBytes();
    for (auto [axis, size] : llvm::zip(array.getAxes(), array.getSizes())) {
      int64_t tileSize = 1;
      for (auto [name, value] : llvm::zip(axes, sizes))
        if (name == axis)
          tileSize = value;
      if (kernel.getGroup().hasAxis(axis)) {
        bytes *= size; // the blocks along the axis cover it once
        continue;
      }
      int64_t start = 0;
      for (auto [name, position] :
           llvm::zip(at.getAsRange<StringAttr>(), positions))
        if (name == axis)
          start = integers.lookup(position);
      bytes *= std::max<int64_t>(0, std::min(tileSize, size - start));
    }
    for (StringAttr axis : kernel.getGroup().getAxes())
      if (!array.hasAxis(axis))
        bytes *= kernel.getGridSize(axis);
    return bytes;
  }

  void walk(Block &block) {
    for (Operation &op : block)
      TypeSwitch<Operation *>(&op)
          .Case([&](LoadOp load) {
            TileType type = load.getTile().getType();
            total.read +=
                bytesOf(load.getArray().getType(), type.getAxes(),
                        type.getSizes(), load.getPositions(), load.getAt());
          })
          .Case([&](CopyOp copy) {
            BufferType type = copy.getBuffer().getType();
            total.read +=
                bytesOf(copy.getArray().getType(), type.getAxes(),
                        type.getSizes(), copy.getPositions(), copy.getAt());
          })
          .Case([&](StoreOp store) {
            TileType type = store.getTile().getType();
            total.written +=
                bytesOf(store.getArray().getType(), type.getAxes(),
                        type.getSizes(), store.getPositions(), store.getAt());
          })
          .Case([&](scf::ForOp loop) { walkLoop(loop); })
          .Case([&](scf::IfOp branch) {
            if (integers.lookup(branch.getCondition()))
              walk(*branch.thenBlock());
          })
          .Default([&](Operation *other) { evaluate(other); });
  }

  void walkLoop(scf::ForOp loop) {
    int64_t lower = integers.lookup(loop.getLowerBound());
    int64_t upper = integers.lookup(loop.getUpperBound());
    int64_t step = integers.lookup(loop.getStep());
    for (auto [argument, value] :
         llvm::zip(loop.getRegionIterArgs(), loop.getInitArgs()))
      integers[argument] = integers.lookup(value);
    for (int64_t index = lower; step > 0 && index < upper; index += step) {
      integers[loop.getInductionVar()] = index;
      walk(*loop.getBody());
      SmallVector<int64_t> next;
      for (Value value : loop.getBody()->getTerminator()->getOperands())
        next.push_back(integers.lookup(value));
      for (auto [argument, value] : llvm::zip(loop.getRegionIterArgs(), next))
        integers[argument] = value;
    }
    for (auto [result, argument] :
         llvm::zip(loop.getResults(), loop.getRegionIterArgs()))
      integers[result] = integers.lookup(argument);
  }

  /// The few operations with which the pipeline computes positions.
  void evaluate(Operation *op) {
    auto operand = [&](unsigned index) {
      return integers.lookup(op->getOperand(index));
    };
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      if (auto value = dyn_cast<IntegerAttr>(constant.getValue()))
        integers[constant] = value.getInt();
    } else if (isa<arith::AddIOp>(op)) {
      integers[op->getResult(0)] = operand(0) + operand(1);
    } else if (isa<arith::MulIOp>(op)) {
      integers[op->getResult(0)] = operand(0) * operand(1);
    } else if (isa<arith::SelectOp>(op)) {
      integers[op->getResult(0)] = operand(0) ? operand(1) : operand(2);
    } else if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
      APInt left(64, operand(0), true), right(64, operand(1), true);
      integers[compare] =
          arith::applyCmpPredicate(compare.getPredicate(), left, right);
    }
  }

  KernelOp kernel;
  TransferBytes total;
  DenseMap<Value, int64_t> integers;
};

} // namespace

TransferBytes napkin::tile::countTransfers(KernelOp kernel) {
  return Walker(kernel).count();
}
