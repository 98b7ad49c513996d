//===- Transfers.cpp - The bytes that a tile program moves ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Dialect/Tile/IR/Transfers.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "napkin/Dialect/Tile/IR/Positions.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <set>

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

namespace {

/// Where blocks stand along each axis of the grid; nothing: all along it.
using Places = SmallVector<std::optional<int64_t>, 4>;

/// Walks one kernel with the integers that steer it, for all blocks at once
/// along the axes of the grid on which nothing but the first positions of views
/// depends, and for one place along the others.
class Walker {
public:
  Walker(KernelOp kernel, const Places &places)
      : kernel(kernel), places(places) {
    for (auto [argument, place] : llvm::zip(kernel.getPlaces(), places))
      if (place)
        integers[argument] = *place;
  }

  /// The bytes; none if they depend on the block in another way.
  std::optional<TransferBytes> count() {
    walk(kernel.getBody().front());
    return isKnown ? std::optional<TransferBytes>(total) : std::nullopt;
  }

private:
  std::optional<int64_t> integer(Value value) {
    auto known = integers.find(value);
    if (known == integers.end())
      return std::nullopt;
    return known->second;
  }

  /// A value without which the bytes are not known.
  int64_t steering(Value value) {
    std::optional<int64_t> known = integer(value);
    isKnown &= known.has_value();
    return known.value_or(0);
  }

  /// Positions of one dimension that count, from `first` on.
  int64_t countingFrom(const ViewDimension &dimension, int64_t size,
                       int64_t first) {
    int64_t end = size;
    if (dimension.limit)
      end = std::min(end, steering(dimension.limit));
    return std::clamp<int64_t>(end - first, 0, dimension.extent);
  }

  /// Elements of all blocks together that one transfer moves, times their size.
  int64_t bytesThrough(ViewOp view) {
    ncd::ArrayType array = view.getArrayType();
    int64_t bytes = array.getElementBytes();
    // Dimensions that begin where the block stands are summed over the grid.
    SmallVector<SmallVector<unsigned>> byPlace(kernel.getGridRank());
    for (unsigned axis = 0; axis < array.getRank(); ++axis) {
      ViewDimension dimension = view.getDimension(axis);
      if (std::optional<unsigned> place = summedPlace(dimension.offset)) {
        byPlace[*place].push_back(axis);
        continue;
      }
      int64_t first = dimension.offset ? steering(dimension.offset) : 0;
      bytes *= countingFrom(dimension, placesAlong(view, axis), first);
    }
    for (auto [place, axes] : llvm::enumerate(byPlace)) {
      if (places[place])
        continue;
      int64_t sum = 0;
      for (int64_t tile = 0; tile < kernel.getGridSize(place); ++tile) {
        int64_t product = 1;
        for (unsigned axis : axes)
          product *=
              countingFrom(view.getDimension(axis), placesAlong(view, axis),
                           tile * kernel.getGridTiles()[place]);
        sum += product;
      }
      bytes *= sum;
    }
    return bytes;
  }

  /// Bytes of the index arrays that all blocks together read for one transfer
  /// with this layout: each thread looks up each of its positions that counts,
  /// or, of threads with the same elements, `once` the first.
  int64_t lookupBytes(ViewOp view, const layout::LinearLayout &layout,
                      bool once);

  void walk(Block &block) {
    for (Operation &op : block)
      TypeSwitch<Operation *>(&op)
          .Case([&](LoadOp load) {
            total.read += bytesThrough(load.getViewOp());
            if (!load.getViewOp().getIndices().empty())
              total.read +=
                  lookupBytes(load.getViewOp(),
                              load.getTile().getType().getLayout().getLayout(),
                              /*once=*/false);
          })
          .Case([&](CopyOp copy) {
            ViewOp view = copy.getViewOp();
            total.read += bytesThrough(view);
            if (!view.getIndices().empty())
              total.read += lookupBytes(
                  view,
                  target::copyLayout(copy.getSlot().getType().getShape(),
                                     vectorOf(view, copy),
                                     llvm::Log2_32(kernel.getWarps())),
                  /*once=*/true);
          })
          .Case([&](StoreOp store) {
            total.written += bytesThrough(store.getViewOp());
          })
          .Case([&](scf::ForOp loop) { walkLoop(loop); })
          .Case([&](scf::IfOp branch) {
            if (steering(branch.getCondition()))
              walk(*branch.thenBlock());
          })
          .Default([&](Operation *other) { evaluate(other); });
  }

  void copyInteger(Value to, std::optional<int64_t> value) {
    if (value)
      integers[to] = *value;
    else
      integers.erase(to);
  }

  void walkLoop(scf::ForOp loop) {
    int64_t lower = steering(loop.getLowerBound());
    int64_t upper = steering(loop.getUpperBound());
    int64_t step = steering(loop.getStep());
    for (auto [argument, value] :
         llvm::zip(loop.getRegionIterArgs(), loop.getInitArgs()))
      copyInteger(argument, integer(value));
    for (int64_t index = lower; step > 0 && index < upper && isKnown;
         index += step) {
      integers[loop.getInductionVar()] = index;
      walk(*loop.getBody());
      SmallVector<std::optional<int64_t>> next;
      for (Value value : loop.getBody()->getTerminator()->getOperands())
        next.push_back(integer(value));
      for (auto [argument, value] : llvm::zip(loop.getRegionIterArgs(), next))
        copyInteger(argument, value);
    }
    for (auto [result, argument] :
         llvm::zip(loop.getResults(), loop.getRegionIterArgs()))
      copyInteger(result, integer(argument));
  }

  /// The few operations with which positions are computed.
  void evaluate(Operation *op) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      if (auto value = dyn_cast<IntegerAttr>(constant.getValue()))
        integers[constant] = value.getInt();
      return;
    }
    if (!isa<arith::ArithDialect>(op->getDialect()) || op->getNumResults() != 1)
      return;
    SmallVector<int64_t, 3> operands;
    for (Value operand : op->getOperands()) {
      std::optional<int64_t> known = integer(operand);
      if (!known)
        return copyInteger(op->getResult(0), std::nullopt);
      operands.push_back(*known);
    }
    copyInteger(op->getResult(0), compute(op, operands));
  }

  static std::optional<int64_t> compute(Operation *op, ArrayRef<int64_t> x) {
    using Result = std::optional<int64_t>;
    return TypeSwitch<Operation *, Result>(op)
        .Case([&](arith::AddIOp) { return x[0] + x[1]; })
        .Case([&](arith::SubIOp) { return x[0] - x[1]; })
        .Case([&](arith::MulIOp) { return x[0] * x[1]; })
        .Case([&](arith::MinSIOp) { return std::min(x[0], x[1]); })
        .Case([&](arith::MaxSIOp) { return std::max(x[0], x[1]); })
        .Case([&](arith::DivUIOp) -> Result {
          return x[1] > 0 && x[0] >= 0 ? Result(x[0] / x[1]) : std::nullopt;
        })
        .Case([&](arith::RemUIOp) -> Result {
          return x[1] > 0 && x[0] >= 0 ? Result(x[0] % x[1]) : std::nullopt;
        })
        .Case([&](arith::SelectOp) { return x[0] ? x[1] : x[2]; })
        .Case([&](arith::CmpIOp compare) -> Result {
          APInt left(64, x[0], true), right(64, x[1], true);
          return arith::applyCmpPredicate(compare.getPredicate(), left, right);
        })
        .Default([](Operation *) { return std::nullopt; });
  }

  /// The number of the place along which \p offset is summed over the grid.
  std::optional<unsigned> summedPlace(Value offset) {
    auto place = dyn_cast_or_null<BlockArgument>(offset);
    unsigned arrays = kernel.getArrays().size();
    if (!place || place.getOwner() != &kernel.getBody().front() ||
        places[place.getArgNumber() - arrays])
      return std::nullopt;
    return place.getArgNumber() - arrays;
  }

  KernelOp kernel;
  const Places &places;
  bool isKnown = true;
  TransferBytes total;
  DenseMap<Value, int64_t> integers;
};

} // namespace

int64_t Walker::lookupBytes(ViewOp view, const layout::LinearLayout &layout,
                            bool once) {
  using layout::Place;
  layout::TileShape shape = view.getType().getShape();
  uint32_t copies[] = {once ? layout.replicatedBits(Place::Lane) : 0,
                       once ? layout.replicatedBits(Place::Warp) : 0};
  int64_t bytes = 0;
  for (int64_t axis : view.getIndexAxes()) {
    ViewDimension dimension = view.getDimension(axis);
    std::optional<unsigned> tile;
    for (auto [index, name] : llvm::enumerate(view.getType().getAxes()))
      if (name == view.getArrayType().getAxes()[axis])
        tile = index;
    auto along = [&](Place place, uint32_t index) -> int64_t {
      return tile ? shape.coordinate(layout.apply(place, index), *tile) : 0;
    };
    // How many positions of all threads lie so far behind the first.
    std::map<int64_t, int64_t> positions;
    std::set<int64_t> ofThread;
    for (uint32_t reg : layout.registersOf(shape))
      ofThread.insert(along(Place::Register, reg));
    for (uint32_t warp = 0; warp < (1u << layout.bits(Place::Warp)); ++warp)
      for (uint32_t lane = 0; lane < (1u << layout.bits(Place::Lane)); ++lane)
        if (!(lane & copies[0]) && !(warp & copies[1]))
          for (int64_t position : ofThread)
            ++positions[position + along(Place::Lane, lane) +
                        along(Place::Warp, warp)];
    auto countFrom = [&](int64_t first) {
      int64_t end = placesAlong(view, axis), count = 0;
      if (dimension.limit)
        end = std::min(end, steering(dimension.limit));
      for (auto [position, threads] : positions)
        if (first + position < end)
          count += threads;
      return count;
    };
    std::optional<unsigned> summed = summedPlace(dimension.offset);
    int64_t lookups = 0;
    if (summed)
      for (int64_t block = 0; block < kernel.getGridSize(*summed); ++block)
        lookups += countFrom(block * kernel.getGridTiles()[*summed]);
    else
      lookups = countFrom(dimension.offset ? steering(dimension.offset) : 0);
    for (unsigned place = 0; place < kernel.getGridRank(); ++place)
      if (place != summed && !places[place])
        lookups *= kernel.getGridSize(place);
    bytes += 4 * lookups;
  }
  return bytes;
}

/// The bytes with the places along `axes` known, summed over them; none if they
/// depend on other places too.
static std::optional<TransferBytes> countOver(KernelOp kernel,
                                              ArrayRef<unsigned> axes) {
  int64_t count = 1;
  for (unsigned axis : axes)
    count *= kernel.getGridSize(axis);
  TransferBytes sum;
  Places places(kernel.getGridRank());
  for (int64_t number = 0; number < count; ++number) {
    int64_t rest = number;
    for (unsigned axis : llvm::reverse(axes)) {
      places[axis] =
          rest % kernel.getGridSize(axis) * kernel.getGridTiles()[axis];
      rest /= kernel.getGridSize(axis);
    }
    auto one = Walker(kernel, places).count();
    if (!one)
      return std::nullopt;
    sum.read += one->read;
    sum.written += one->written;
  }
  return sum;
}

std::optional<TransferBytes> napkin::tile::countTransfers(KernelOp kernel) {
  if (auto bytes = countOver(kernel, {}))
    return bytes;
  // Most masks ask for the place along one axis.
  for (unsigned axis = 0; axis < kernel.getGridRank(); ++axis)
    if (auto bytes = countOver(kernel, {axis}))
      return bytes;
  return countOver(kernel,
                   llvm::to_vector(llvm::seq<unsigned>(kernel.getGridRank())));
}
