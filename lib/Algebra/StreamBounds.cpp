//===- StreamBounds.cpp - what a stream need not walk -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The limits of what rows see, and the pass ncd-bound-streams.
//
//===----------------------------------------------------------------------===//

#include "napkin/Algebra/StreamBounds.h"
#include "NeutralStep.h"
#include "mlir/Dialect/Utils/StaticValueUtils.h"
#include "napkin/Algebra/Passes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Support/MathExtras.h"

namespace napkin::algebra {
#define GEN_PASS_DEF_NCDBOUNDSTREAMSPASS
#include "napkin/Algebra/Passes.h.inc"
} // namespace napkin::algebra

using namespace mlir;
using namespace napkin;
using namespace napkin::algebra;

//===----------------------------------------------------------------------===//
// Limits
//===----------------------------------------------------------------------===//

/// The size of \p axis as an array in the step of \p stream has it.
static std::optional<int64_t> sizeIn(ncd::StreamOp stream, StringRef axis) {
  std::optional<int64_t> size;
  auto note = [&](Type type) {
    auto array = dyn_cast<ncd::ArrayType>(type);
    if (array && array.hasAxis(axis) &&
        !ShapedType::isDynamic(array.sizeOf(axis)))
      size = array.sizeOf(axis);
  };
  for (Value input : stream.getInputs())
    note(input.getType());
  stream.getStep().walk([&](ncd::MapOp map) { note(map.getArrayType()); });
  return size;
}

/// The least number in [\p low, \p high] at which \p holds; it is true from
/// some number on, and at \p high.
static int64_t firstWhere(int64_t low, int64_t high,
                          llvm::function_ref<bool(int64_t)> holds) {
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (holds(middle))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

namespace {
/// Positions that conditions may be relative to: those of an axis, divided.
struct AskedPlace {
  StringAttr axis;
  int64_t divisor = 1;
  /// How many there are.
  int64_t size = 1;
};

/// Looks for the limits of one stream.
class LimitFinder {
public:
  LimitFinder(ncd::StreamOp stream, int64_t size)
      : step(stream), axis(stream.getAxis()), size(size) {}

  /// The hidden positions behind (\p up) or before; \p others are what
  /// conditions may be relative to.
  std::optional<VisibleLimit> find(bool up, ArrayRef<AskedPlace> others);

private:
  /// Positions that are at least (\p up) or at most \p number.
  ncd::IntegerRange beyond(bool up, int64_t number) const {
    return up ? ncd::IntegerRange{number, far}
              : ncd::IntegerRange{-far, number};
  }
  /// True when positions beyond \p number, and beyond that of \p other by
  /// \p apart, are hidden; either may be left out.
  bool hidden(bool up, std::optional<int64_t> number, const AskedPlace &other,
              int64_t apart) const {
    PositionAssumption assumption;
    assumption.streamed = visible;
    if (number && up)
      assumption.streamed.low = *number;
    else if (number)
      assumption.streamed.high = *number;
    if (other.axis)
      assumption.distances.push_back(
          {axis, other.axis, beyond(up, apart), other.divisor});
    return step.holds(assumption);
  }
  /// The number nearest to the visible positions that satisfies \p holds.
  static int64_t nearest(bool up, int64_t low, int64_t high,
                         llvm::function_ref<bool(int64_t)> holds) {
    if (up)
      return firstWhere(low, high, holds);
    return -firstWhere(-high, -low, [&](int64_t n) { return holds(-n); });
  }

  static constexpr int64_t far = int64_t(1) << 40;
  NeutralStep step;
  StringRef axis;
  int64_t size;
  /// Positions that no number alone hides.
  ncd::IntegerRange visible = {0, INT64_MAX};
};
} // namespace

std::optional<VisibleLimit> LimitFinder::find(bool up,
                                              ArrayRef<AskedPlace> others) {
  // Limits say where what is seen ends (up) or begins.
  int64_t shift = up ? 0 : 1, outermost = up ? size - 1 : 0;
  std::optional<int64_t> number;
  if (hidden(up, outermost, {}, 0))
    number = nearest(up, 0, size - 1,
                     [&](int64_t n) { return hidden(up, n, {}, 0); });
  // What a number hides tells nothing of other axes.
  visible = {0, size - 1};
  if (number)
    (up ? visible.high : visible.low) = *number + (up ? -1 : 1);
  if (visible.low > visible.high)
    return VisibleLimit{{}, 1, *number + shift, {}, {}};
  outermost = up ? visible.high : visible.low;
  for (const AskedPlace &other : others) {
    int64_t low = visible.low + 1 - other.size, high = visible.high;
    int64_t most = up ? high : low;
    VisibleLimit found;
    found.axis = other.axis;
    found.divisor = other.divisor;
    auto apart = [&](std::optional<int64_t> from) {
      return nearest(up, low, high,
                     [&](int64_t n) { return hidden(up, from, other, n); });
    };
    if (hidden(up, std::nullopt, other, most)) {
      found.offset = apart(std::nullopt) + shift;
    } else if (hidden(up, outermost, other, most)) {
      // Hidden where both are: seen up to the one or the other.
      int64_t both = nearest(up, visible.low, visible.high, [&](int64_t n) {
        return hidden(up, n, other, most);
      });
      found.offset = apart(both) + shift;
      (up ? found.least : found.most) = both + shift;
    } else {
      continue;
    }
    // A number that no row comes up to says nothing.
    int64_t reach = found.offset + (up ? other.size - 1 : 0);
    if (number && (up ? reach > *number + shift : reach < *number + shift))
      (up ? found.most : found.least) = *number + shift;
    return found;
  }
  if (number)
    return VisibleLimit{{}, 1, *number + shift, {}, {}};
  return std::nullopt;
}

/// The number by which \p user divides \p position, if it does.
static std::optional<int64_t> divisorIn(Operation *user, Value position) {
  if (!isa<arith::DivUIOp, arith::DivSIOp>(user) ||
      user->getOperand(0) != position)
    return std::nullopt;
  std::optional<int64_t> by =
      getConstantIntValue(OpFoldResult(user->getOperand(1)));
  return by && *by > 0 ? by : std::nullopt;
}

VisibleRange
napkin::algebra::visibleRange(ncd::StreamOp stream,
                              llvm::function_ref<bool(StringAttr)> mayAsk) {
  VisibleRange range;
  StringRef axis = stream.getAxis();
  // Axes that conditions ask for, and numbers by which their positions are
  // divided.
  llvm::SetVector<StringAttr> asked;
  llvm::SetVector<std::pair<StringAttr, int64_t>> places;
  stream.getStep().walk([&](ncd::IndexOp index) {
    asked.insert(index.getAxisAttr());
    for (Operation *user : index->getUsers()) {
      std::optional<int64_t> divisor = divisorIn(user, index);
      places.insert({index.getAxisAttr(), divisor.value_or(1)});
    }
  });
  std::optional<int64_t> size = sizeIn(stream, axis);
  // What is yielded chunk by chunk has to be written everywhere.
  if (llvm::any_of(stream.getResultTypes(), [&](Type type) {
        return cast<ncd::ArrayType>(type).hasAxis(axis);
      }))
    return range;
  if (!asked.remove(stream.getAxisAttr()) || !size || stream.getSingle())
    return range;
  SmallVector<AskedPlace> others;
  for (auto [other, divisor] : places)
    if (std::optional<int64_t> otherSize = sizeIn(stream, other);
        otherSize && other != stream.getAxisAttr() && mayAsk(other))
      others.push_back(
          {other, divisor, int64_t(llvm::divideCeil(*otherSize, divisor))});
  LimitFinder finder(stream, *size);
  range.to = finder.find(/*up=*/true, others);
  range.from = finder.find(/*up=*/false, others);
  return range;
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

namespace {
/// Writes the bounds of one stream.
class BoundWriter {
public:
  BoundWriter(ncd::StreamOp stream, ncd::KernelOp kernel, int64_t chunk)
      : stream(stream), kernel(kernel), chunk(chunk),
        size(*sizeIn(stream, stream.getAxis())) {}

  /// True when any was written.
  bool write(const VisibleRange &range);

private:
  /// \p limit for the first or last row of a tile, rounded down to a chunk
  /// after \p more was added.
  ncd::BoundAttr bound(const VisibleLimit &limit, bool last, int64_t multiple,
                       int64_t more = 0);
  /// Positions of a tile of \p axis.
  int64_t tileOf(StringAttr axis) { return *kernel.groupSize(axis); }
  /// The least and the greatest value that \p bound has for any tile.
  ncd::IntegerRange valuesOf(ncd::BoundAttr bound);
  bool decides(const VisibleLimit &limit, bool up);
  bool isBefore(ncd::BoundAttr first, ncd::BoundAttr second);
  bool isOpen(ncd::BoundAttr from, ncd::BoundAttr opens, ncd::BoundAttr closes);

  ncd::StreamOp stream;
  ncd::KernelOp kernel;
  int64_t chunk, size;
};
} // namespace

ncd::BoundAttr BoundWriter::bound(const VisibleLimit &limit, bool last,
                                  int64_t multiple, int64_t more) {
  MLIRContext *context = stream.getContext();
  auto down = [&](int64_t value) {
    return llvm::divideFloorSigned(value, multiple) * multiple;
  };
  auto adjusted = [&](std::optional<int64_t> number) {
    return number ? std::optional<int64_t>(down(*number + more)) : std::nullopt;
  };
  std::optional<int64_t> least = adjusted(limit.least),
                         most = adjusted(limit.most);
  StringAttr axis = limit.axis;
  int64_t offset = limit.offset + more;
  // A tile that is all of its axis has known ends.
  if (axis && !kernel.groupSize(axis)) {
    if (last)
      offset += (*sizeIn(stream, axis) - 1) / limit.divisor;
    axis = {};
  }
  if (axis)
    return ncd::BoundAttr::get(context, axis, last, offset, multiple, least,
                               most, limit.divisor);
  int64_t value = std::max(down(offset), least.value_or(INT64_MIN));
  value = std::clamp<int64_t>(std::min(value, most.value_or(INT64_MAX)), 0,
                              multiple == 1 ? size : down(size + chunk - 1));
  return ncd::BoundAttr::get(context, axis, false, value, 1);
}

ncd::IntegerRange BoundWriter::valuesOf(ncd::BoundAttr bound) {
  if (!bound.getAxis())
    return {bound.valueAt(0), bound.valueAt(0)};
  int64_t rows = *sizeIn(stream, bound.getAxis()),
          tile = tileOf(bound.getAxis());
  if (bound.getLast())
    return {bound.valueAt(std::min(tile, rows) - 1), bound.valueAt(rows - 1)};
  return {bound.valueAt(0), bound.valueAt((rows - 1) / tile * tile)};
}

/// Whether more conditions are decided inside of \p limit than anywhere: if
/// not, a range of its own would gain nothing.
bool BoundWriter::decides(const VisibleLimit &limit, bool up) {
  NeutralStep step(stream);
  PositionAssumption inside;
  constexpr int64_t far = int64_t(1) << 40;
  int64_t last = limit.offset - 1;
  if (limit.axis)
    inside.distances.push_back(
        {stream.getAxis(), limit.axis,
         up ? ncd::IntegerRange{-far, last} : ncd::IntegerRange{last + 1, far},
         limit.divisor});
  else
    inside.streamed =
        up ? ncd::IntegerRange{0, last} : ncd::IntegerRange{last + 1, far};
  return step.decided(inside) > step.decided({});
}

/// Whether \p first is at most \p second in every whole tile, and less in some.
bool BoundWriter::isBefore(ncd::BoundAttr first, ncd::BoundAttr second) {
  StringAttr axis = first.getAxis();
  ncd::IntegerRange a = valuesOf(first), b = valuesOf(second);
  if (!axis || axis != second.getAxis() ||
      first.getDivisor() != second.getDivisor())
    return a.high <= b.low && a.low < b.high;
  int64_t tile = tileOf(axis), rows = *sizeIn(stream, axis);
  bool less = false;
  for (int64_t at = 0; at < std::min(rows, tile * chunk * first.getDivisor());
       at += tile) {
    auto valueOf = [&](ncd::BoundAttr bound) {
      return bound.valueAt(bound.getLast() ? at + tile - 1 : at);
    };
    if (valueOf(first) > valueOf(second))
      return false;
    less |= valueOf(first) < valueOf(second);
  }
  return less;
}

/// Whether a range where every row sees all is worth its code: a narrow window
/// has none. Ranges follow each other in every tile, or they would overlap.
bool BoundWriter::isOpen(ncd::BoundAttr from, ncd::BoundAttr opens,
                         ncd::BoundAttr closes) {
  if (opens && closes)
    return isBefore(opens, closes);
  if (closes && from)
    return isBefore(from, closes);
  return (opens && valuesOf(opens).low < size) ||
         (closes && valuesOf(closes).high > 0);
}

bool BoundWriter::write(const VisibleRange &range) {
  ncd::BoundAttr from, to;
  SmallVector<Attribute> ends;
  if (range.from)
    from = bound(*range.from, /*last=*/false, chunk);
  if (range.to)
    to = bound(*range.to, /*last=*/true, 1);
  // What saves nothing in any block is left out.
  if (from && valuesOf(from).high <= 0)
    from = {};
  if (to && valuesOf(to).low >= size)
    to = {};
  if (!from && !to)
    return false;
  // Where every row sees a position: from `opens` on, and before `closes`.
  ncd::BoundAttr opens, closes;
  if (from && !range.from->most && decides(*range.from, /*up=*/false))
    opens = bound(*range.from, /*last=*/true, chunk, chunk - 1);
  if (to && !range.to->least && decides(*range.to, /*up=*/true))
    closes = bound(*range.to, /*last=*/false, chunk);
  auto end =
      to ? to : ncd::BoundAttr::get(stream.getContext(), {}, false, size, 1);
  // Two ranges less where a number and an axis do not come in order.
  if (opens && closes && !isBefore(opens, closes) && !opens.getAxis())
    opens = {};
  // Where the walk begins at a number, no range ends before that.
  if (closes && from && !from.getAxis() && closes.getAxis() &&
      !closes.getLeast())
    closes = ncd::BoundAttr::get(closes.getContext(), closes.getAxis(),
                                 closes.getLast(), closes.getOffset(),
                                 closes.getMultiple(), from.valueAt(0),
                                 closes.getMost(), closes.getDivisor());
  if (isOpen(from, opens, closes)) {
    if (opens)
      ends.push_back(opens);
    if (closes)
      ends.push_back(closes);
  }
  if (ends.empty() || ends.back() != end)
    ends.push_back(end);
  if (from)
    stream.setFromAttr(from);
  if (to || ends.size() > 1)
    stream.setToAttr(ArrayAttr::get(stream.getContext(), ends));
  return true;
}

namespace {
struct NCDBoundStreams
    : algebra::impl::NCDBoundStreamsPassBase<NCDBoundStreams> {
  using NCDBoundStreamsPassBase::NCDBoundStreamsPassBase;

  void runOnOperation() override {
    getOperation()->walk([&](ncd::KernelOp kernel) {
      // A part of a split begins and ends where the split says.
      if (!kernel.getSplitAttr())
        kernel.walk([&](ncd::StreamOp stream) { bound(kernel, stream); });
    });
  }

  void bound(ncd::KernelOp kernel, ncd::StreamOp stream) {
    std::optional<int64_t> chunk = kernel.chunkSize(stream.getAxis());
    if (!chunk || stream.getFromAttr() || stream.getToAttr())
      return;
    VisibleRange range = visibleRange(stream, [&](StringAttr axis) {
      // Blocks know where their tile of it begins, or have all of it.
      return !kernel.chunkSize(axis);
    });
    if (!range.empty())
      numBounded += BoundWriter(stream, kernel, *chunk).write(range);
  }
};
} // namespace
