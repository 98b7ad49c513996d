//===- LowerStream.cpp - Streams into loops over chunks -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelLowering.h"
#include "napkin/Dialect/NCD/IR/PartitionError.h"

using namespace mlir;
using namespace napkin;

FailureOr<SmallVector<Value>>
KernelLowering::lowerStep(ncd::StreamOp op, ValueRange states, Chunk chunk) {
  // A step may be lowered twice, for whole chunks and for the last partial one.
  auto before = tiles;
  StringAttr axis = chunk.axis;
  chunks.push_back(chunk);
  for (auto [argument, state] : llvm::zip(op.getStepStates(), states))
    tiles[argument] = state;
  for (auto [argument, input] : llvm::zip(op.getStepChunks(), op.getInputs()))
    arrays[argument] = arrays.lookup(input);
  Block &block = op.getStep().front();
  SmallVector<Value> next;
  if (failed(lowerBlock(block)))
    return failure();
  for (Value value : block.getTerminator()->getOperands()) {
    FailureOr<Value> tile = tileOf(op, value);
    if (failed(tile))
      return failure();
    next.push_back(*tile);
  }
  // Behind the states: parts of the results that carry the axis.
  ValueRange results =
      op.getResults().take_back(next.size() - op.getNumStates());
  for (auto [value, part] :
       llvm::zip(results, ArrayRef(next).take_back(results.size())))
    for (Value output : appended.lookup(value))
      if (failed(storeTile(op, part, cast<ncd::ArrayType>(value.getType()),
                           output)))
        return failure();
  next.truncate(next.size() - results.size());
  // Keep what was read ahead of the loop; forget what belongs to the chunk.
  for (auto &[value, tile] : tiles)
    if (!before.count(value) && arrays.count(value) &&
        !cast<ncd::ArrayType>(value.getType()).hasAxis(axis))
      before[value] = tile;
  tiles = std::move(before);
  chunks.pop_back();
  return next;
}

LogicalResult KernelLowering::lowerStream(ncd::StreamOp op) {
  Location loc = op.getLoc();
  StringAttr axis = op.getAxisAttr();
  int64_t size = axisSizes[axis], chunk = tileSizes[axis];
  for (Value input : op.getInputs())
    if (!arrays.count(input))
      return ncd::emitPartitionError(op)
             << "a streamed array must be read from global memory";
  if (failed(lowerBlock(op.getInit().front())))
    return failure();
  SmallVector<Value> states;
  for (Value value : op.getInit().front().getTerminator()->getOperands()) {
    FailureOr<Value> tile = tileOf(op, value);
    if (failed(tile))
      return failure();
    states.push_back(*tile);
  }
  int64_t whole = size / chunk * chunk;
  if (whole > 0) {
    Value lower = arith::ConstantIndexOp::create(builder, loc, 0);
    Value upper = arith::ConstantIndexOp::create(builder, loc, whole);
    Value step = arith::ConstantIndexOp::create(builder, loc, chunk);
    auto loop =
        tile::LoopOp::create(builder, loc, lower, upper, step, Value(), states,
                             int32_t(kernel.getStages().value_or(2)));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&loop.getBody().front());
    auto next = lowerStep(op, loop.getCarried(),
                          {axis, loop.getPosition(), /*partial=*/false, loop});
    if (failed(next))
      return failure();
    builder.setInsertionPointToEnd(&loop.getBody().front());
    tile::NextOp::create(builder, loc, *next);
    states.assign(loop.getResults().begin(), loop.getResults().end());
  }
  if (whole < size) {
    Value position = arith::ConstantIndexOp::create(builder, loc, whole);
    auto next = lowerStep(op, states, {axis, position, /*partial=*/true});
    if (failed(next))
      return failure();
    states = *next;
  }
  for (Value result : op.getResults())
    if (cast<ncd::ArrayType>(result.getType()).hasAxis(axis) &&
        llvm::any_of(result.getUsers(), [&](Operation *user) {
          return user != kernel.getBody().front().getTerminator();
        }))
      return ncd::emitPartitionError(op)
             << "a result that carries the streamed axis '" << axis.getValue()
             << "' is written chunk by chunk, and something in the kernel "
                "reads "
                "it; end the kernel there";
  Block &finish = op.getFinish().front();
  for (auto [argument, state] : llvm::zip(finish.getArguments(), states))
    tiles[argument] = state;
  if (failed(lowerBlock(finish)))
    return failure();
  for (auto [result, value] :
       llvm::zip(op.getResults(), finish.getTerminator()->getOperands())) {
    FailureOr<Value> tile = tileOf(op, value);
    if (failed(tile))
      return failure();
    tiles[result] = *tile;
  }
  return success();
}
