//===- LowerStream.cpp - Streams into loops over chunks -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelLowering.h"
#include "mlir/IR/Matchers.h"
#include "napkin/Dialect/NCD/IR/PartitionError.h"
#include "llvm/Support/MathExtras.h"

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
  // What holds a chunk is a chunk of the same step.
  for (auto [argument, input] : llvm::zip(op.getStepChunks(), op.getInputs())) {
    auto holder = holders.find(input);
    if (holder == holders.end())
      continue;
    Holder held = holder->second;
    for (auto [chunk, whole] : llvm::zip(op.getStepChunks(), op.getInputs()))
      if (whole == held.whole)
        holders[argument] = {chunk, held.from};
  }
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
        !cast<ncd::ArrayType>(arrays.lookup(value).getType()).hasAxis(axis))
      before[value] = tile;
  tiles = std::move(before);
  chunks.pop_back();
  return next;
}

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

SmallVector<KernelLowering::WalkRange, 3>
KernelLowering::rangesOf(ncd::StreamOp op) {
  SmallVector<WalkRange, 3> ranges(1);
  ranges.back().begin = op.getFromAttr();
  if (ArrayAttr to = op.getToAttr())
    for (auto bound : to.getAsRange<ncd::BoundAttr>()) {
      ranges.back().end = bound;
      ranges.push_back({bound, {}});
    }
  if (ranges.size() > 1)
    ranges.pop_back();
  // A number past the end is the end.
  if (ncd::BoundAttr end = ranges.back().end;
      end && !end.getAxis() && end.valueAt(0) >= axisSizes[op.getAxis()])
    ranges.back().end = {};
  ranges.back().isLast = true;
  return ranges;
}

ncd::IntegerRange KernelLowering::valuesOf(ncd::BoundAttr bound) {
  if (!bound.getAxis())
    return {bound.valueAt(0), bound.valueAt(0)};
  int64_t size = axisSizes[bound.getAxis()], tile = tileSizes[bound.getAxis()];
  if (bound.getLast())
    return {bound.valueAt(std::min(tile, size) - 1), bound.valueAt(size - 1)};
  return {bound.valueAt(0), bound.valueAt((size - 1) / tile * tile)};
}

Value KernelLowering::emitBound(Location loc, ncd::BoundAttr bound,
                                int64_t most) {
  auto index = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  ncd::IntegerRange values = valuesOf(bound);
  Value first = bound.getAxis() ? places.lookup(bound.getAxis()) : Value();
  if (!first || values.low == values.high)
    return index(std::clamp<int64_t>(values.low, 0, most));
  int64_t size = axisSizes[bound.getAxis()], tile = tileSizes[bound.getAxis()];
  int64_t multiple = bound.getMultiple();
  auto add = [&](Value value, int64_t more) -> Value {
    return more ? arith::AddIOp::create(builder, loc, value, index(more))
                : value;
  };
  int64_t more = bound.getOffset() + (bound.getLast() ? tile - 1 : 0);
  // Where tiles begin at multiples, the rounding is that of a constant.
  int64_t divisor = bound.getDivisor();
  bool aligned = divisor == 1 && tile % multiple == 0;
  auto down = [&](int64_t value) {
    return llvm::divideFloorSigned(value, multiple) * multiple;
  };
  Value value;
  if (divisor == 1) {
    value = add(first, aligned ? down(more) : more);
  } else {
    value = add(first, bound.getLast() ? tile - 1 : 0);
    if (bound.getLast() && size % tile)
      value = arith::MinSIOp::create(builder, loc, value, index(size - 1));
    value = arith::DivUIOp::create(builder, loc, value, index(divisor));
    value = add(value, bound.getOffset());
  }
  if (divisor == 1 && bound.getLast() && size % tile) {
    int64_t end = size - 1 + bound.getOffset();
    value = arith::MinSIOp::create(builder, loc, value,
                                   index(aligned ? down(end) : end));
  }
  int64_t least = std::max<int64_t>(0, bound.getLeast().value_or(0));
  most = std::clamp<int64_t>(bound.getMost().value_or(most), 0, most);
  least = std::min(least, most);
  if (!aligned && multiple != 1) {
    value = arith::MaxSIOp::create(builder, loc, value, index(0));
    value = arith::DivUIOp::create(builder, loc, value, index(multiple));
    value = arith::MulIOp::create(builder, loc, value, index(multiple));
  }
  ncd::IntegerRange free = valuesOf(ncd::BoundAttr::get(
      bound.getContext(), bound.getAxis(), bound.getLast(), bound.getOffset(),
      multiple, std::nullopt, std::nullopt, divisor));
  if (free.low < least)
    value = arith::MaxSIOp::create(builder, loc, value, index(least));
  if (free.high > most)
    value = arith::MinSIOp::create(builder, loc, value, index(most));
  return value;
}

void KernelLowering::noteRange(const WalkRange &range, Chunk &chunk) {
  int64_t size = axisSizes[chunk.axis], step = tileSizes[chunk.axis];
  constexpr int64_t far = int64_t(1) << 40;
  auto distanceTo = [&](ncd::BoundAttr bound) -> ncd::AxisDistance & {
    StringAttr axis = bound.getAxis();
    int64_t divisor = bound.getDivisor();
    for (ncd::AxisDistance &known : chunk.distances)
      if (known.b == axis.getValue() && known.divisor == divisor)
        return known;
    chunk.distances.push_back({chunk.axis, axis, {-far, far}, divisor});
    return chunk.distances.back();
  };
  // How far apart the first and the last place of a tile may be.
  auto reachOf = [&](ncd::BoundAttr bound) {
    int64_t tile = tileSizes[bound.getAxis()], divisor = bound.getDivisor();
    return tile % divisor ? (tile + divisor - 2) / divisor : tile / divisor - 1;
  };
  // A bound past the end of the last whole chunk is moved back there, and what
  // begins at it then begins before it.
  auto reached = [&](ncd::BoundAttr bound) {
    return size % step == 0 || valuesOf(bound).high <= size / step * step;
  };
  if (ncd::BoundAttr end = range.end) {
    int64_t past =
        (end.getAxis() ? end.getMultiple() : end.valueAt(0)) % step == 0
            ? 0
            : step - 1;
    chunk.positions.high =
        std::min(chunk.positions.high, valuesOf(end).high - 1 + past);
    // What is not below the beginning of the walk changes nothing.
    bool isPlain =
        !end.getLeast() || (range.begin && !range.begin.getAxis() &&
                            *end.getLeast() <= range.begin.valueAt(0));
    if (StringAttr axis = end.getAxis(); axis && isPlain) {
      int64_t ahead = end.getLast() ? reachOf(end) : 0;
      ncd::IntegerRange &apart = distanceTo(end).range;
      apart.high = std::min(apart.high, end.getOffset() + ahead - 1 + past);
    }
  }
  if (ncd::BoundAttr begin = range.begin; begin && reached(begin)) {
    chunk.positions.low = std::max(chunk.positions.low, valuesOf(begin).low);
    if (StringAttr axis = begin.getAxis(); axis && !begin.getMost()) {
      int64_t behind = begin.getLast() ? 0 : reachOf(begin);
      ncd::IntegerRange &apart = distanceTo(begin).range;
      apart.low = std::max(apart.low, begin.getOffset() - behind -
                                          (begin.getMultiple() - 1));
    }
  }
}

ncd::IntegerRanges KernelLowering::rangesHere() {
  SmallVector<ncd::AxisDistance> distances;
  for (const Chunk &chunk : chunks)
    llvm::append_range(distances, chunk.distances);
  return ncd::IntegerRanges(
      [this](Operation *op) -> std::optional<ncd::AxisPositions> {
        std::optional<ncd::AxisPositions> found = ncd::positionsInMap(op);
        if (!found)
          return std::nullopt;
        if (const Chunk *chunk = chunkOf(found->axis)) {
          found->range.low = std::max(found->range.low, chunk->positions.low);
          found->range.high =
              std::min(found->range.high, chunk->positions.high);
        }
        return found;
      },
      distances);
}

LogicalResult KernelLowering::lowerLoop(ncd::StreamOp op, Value lower,
                                        Value upper, Chunk chunk,
                                        SmallVectorImpl<Value> &states) {
  Location loc = op.getLoc();
  Value step =
      arith::ConstantIndexOp::create(builder, loc, tileSizes[chunk.axis]);
  auto loop =
      tile::LoopOp::create(builder, loc, lower, upper, step, Value(), states,
                           int32_t(kernel.getStages().value_or(2)));
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&loop.getBody().front());
  chunk.position = loop.getPosition();
  chunk.loop = loop;
  FailureOr<SmallVector<Value>> next =
      lowerStep(op, loop.getCarried(), std::move(chunk));
  if (failed(next))
    return failure();
  builder.setInsertionPointToEnd(&loop.getBody().front());
  tile::NextOp::create(builder, loc, *next);
  states.assign(loop.getResults().begin(), loop.getResults().end());
  return success();
}

LogicalResult KernelLowering::lowerRange(ncd::StreamOp op,
                                         const WalkRange &range, Value &begin,
                                         SmallVectorImpl<Value> &states) {
  Location loc = op.getLoc();
  Chunk chunk;
  chunk.axis = op.getAxisAttr();
  int64_t size = axisSizes[chunk.axis];
  int64_t whole = size / tileSizes[chunk.axis] * tileSizes[chunk.axis];
  noteRange(range, chunk);
  // The end of a walk takes the last chunk, which may be partial, along; ends
  // of ranges before it lie between whole chunks.
  if (range.end) {
    chunk.partial = range.isLast && whole < size;
    Value end = emitBound(loc, range.end, range.isLast ? size : whole);
    if (failed(lowerLoop(op, begin, end, chunk, states)))
      return failure();
    bool fromStart = matchPattern(begin, m_Zero());
    begin = fromStart
                ? end
                : arith::MaxSIOp::create(builder, loc, begin, end).getResult();
    return success();
  }
  if (whole > 0) {
    Value end = arith::ConstantIndexOp::create(builder, loc, whole);
    if (failed(lowerLoop(op, begin, end, chunk, states)))
      return failure();
  }
  if (whole == size)
    return success();
  Chunk last;
  last.axis = chunk.axis;
  last.partial = true;
  // A walk may begin behind it.
  if (ncd::BoundAttr from = op.getFromAttr();
      from && valuesOf(from).high > whole) {
    Value first = emitBound(loc, from, size);
    if (valuesOf(from).low < whole)
      first = arith::MaxSIOp::create(
          builder, loc, first,
          arith::ConstantIndexOp::create(builder, loc, whole));
    Value end = arith::ConstantIndexOp::create(builder, loc, size);
    return lowerLoop(op, first, end, last, states);
  }
  last.position = arith::ConstantIndexOp::create(builder, loc, whole);
  FailureOr<SmallVector<Value>> next = lowerStep(op, states, last);
  if (failed(next))
    return failure();
  states = *next;
  return success();
}

LogicalResult KernelLowering::lowerPart(ncd::StreamOp op, ncd::SplitAttr split,
                                        SmallVectorImpl<Value> &states) {
  Location loc = op.getLoc();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Chunk chunk;
  chunk.axis = op.getAxisAttr();
  int64_t size = axisSizes[chunk.axis], by = split.getBy();
  int64_t whole = size / tileSizes[chunk.axis] * tileSizes[chunk.axis];
  Value lower = arith::MulIOp::create(
      builder, loc, places.lookup(split.getParts()), constant(by));
  Value end = arith::AddIOp::create(builder, loc, lower, constant(by));
  Value upper = end;
  if (size % by)
    upper = arith::MinSIOp::create(builder, loc, end, constant(whole));
  if (whole > 0 && failed(lowerLoop(op, lower, upper, chunk, states)))
    return failure();
  if (whole == size)
    return success();
  // Only the last part comes to what is left of a chunk.
  end = arith::MinSIOp::create(builder, loc, end, constant(size));
  chunk.partial = true;
  return lowerLoop(op, constant(whole), end, chunk, states);
}

LogicalResult KernelLowering::lowerSingle(ncd::StreamOp op,
                                          SmallVectorImpl<Value> &states) {
  Location loc = op.getLoc();
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Chunk chunk;
  chunk.axis = op.getAxisAttr();
  int64_t size = axisSizes[chunk.axis];
  int64_t steps = kernel.chunkSize(chunk.axis).value_or(1);
  int64_t whole = size / steps * steps;
  auto walk = [&](Value first, int64_t count) -> LogicalResult {
    for (int64_t index = 0; index < count; ++index) {
      chunk.position =
          index ? arith::AddIOp::create(builder, loc, first, constant(index))
                      .getResult()
                : first;
      FailureOr<SmallVector<Value>> next = lowerStep(op, states, chunk);
      if (failed(next))
        return failure();
      states = *next;
    }
    return success();
  };
  if (whole > 0) {
    auto loop = tile::LoopOp::create(builder, loc, constant(0), constant(whole),
                                     constant(steps), Value(), states,
                                     int32_t(kernel.getStages().value_or(2)));
    OpBuilder::InsertionGuard guard(builder);
    builder.setInsertionPointToStart(&loop.getBody().front());
    states.assign(loop.getCarried().begin(), loop.getCarried().end());
    chunk.loop = loop;
    if (failed(walk(loop.getPosition(), steps)))
      return failure();
    builder.setInsertionPointToEnd(&loop.getBody().front());
    tile::NextOp::create(builder, loc, states);
    states.assign(loop.getResults().begin(), loop.getResults().end());
  }
  chunk.loop = nullptr;
  for (int64_t position = whole; position < size; ++position)
    if (failed(walk(constant(position), 1)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Streams
//===----------------------------------------------------------------------===//

LogicalResult KernelLowering::lowerStream(ncd::StreamOp op) {
  Location loc = op.getLoc();
  StringAttr axis = op.getAxisAttr();
  int64_t size = axisSizes[axis];
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
  ncd::SplitAttr split = kernel.getSplitAttr();
  bool isSplit = split && split.getAxis() == axis;
  if (isSplit && failed(lowerPart(op, split, states)))
    return failure();
  if (op.getSingle() && failed(lowerSingle(op, states)))
    return failure();
  SmallVector<WalkRange, 3> ranges;
  if (!isSplit && !op.getSingle())
    ranges = rangesOf(op);
  Value begin = op.getFromAttr()
                    ? emitBound(loc, op.getFromAttr(), size)
                    : Value(arith::ConstantIndexOp::create(builder, loc, 0));
  for (const WalkRange &range : ranges)
    if (failed(lowerRange(op, range, begin, states)))
      return failure();
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
