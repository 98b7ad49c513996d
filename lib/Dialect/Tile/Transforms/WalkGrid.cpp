//===- WalkGrid.cpp - The pass tile-walk-grid -----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the loop of a persistent grid. Places of tiles are values, so another
// producer of the same values is all that the body needs: here the number of a
// tile taken apart, where a dense grid has the number of the block.
//
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/Tile/Transforms/Passes.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

namespace napkin::tile {
#define GEN_PASS_DEF_TILEWALKGRIDPASS
#include "napkin/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace napkin::tile

namespace {

/// A number of tiles, and the greatest that it can be.
struct Count {
  Value value;
  int64_t most;
};

/// Takes the number of a tile apart into the places along the axes of a grid.
class Places {
public:
  Places(KernelOp kernel, OpBuilder &builder)
      : kernel(kernel), builder(builder), loc(kernel.getLoc()),
        places(kernel.getGridRank()) {}

  /// The first position of tile number \p tile along each axis, in elements.
  SmallVector<Value> of(Value tile);

private:
  Value constant(int64_t value) {
    return arith::ConstantIndexOp::create(builder, loc, value);
  }
  Count divided(Count number, int64_t by) {
    if (by == 1)
      return number;
    return {arith::DivUIOp::create(builder, loc, number.value, constant(by)),
            number.most / by};
  }
  Count rest(Count number, int64_t by) {
    if (number.most < by)
      return number;
    return {arith::RemUIOp::create(builder, loc, number.value, constant(by)),
            by - 1};
  }
  /// Places \p axis at tile \p number, which is one of it even where the bound
  /// that is known is greater.
  void place(unsigned axis, Count number) {
    int64_t size = kernel.getGridSize(axis);
    Value index = number.value;
    if (number.most >= size)
      index = arith::MinSIOp::create(builder, loc, index, constant(size - 1));
    places[axis] = arith::MulIOp::create(builder, loc, index,
                                         constant(kernel.getGridTiles()[axis]));
  }
  /// Places the axes from \p first to \p last, of which \p number counts the
  /// tiles, the last axis fastest.
  void placeAxes(Count number, unsigned first, unsigned last) {
    for (unsigned axis = last; axis-- > first;) {
      int64_t size = kernel.getGridSize(axis);
      place(axis, axis > first ? rest(number, size) : number);
      if (axis > first)
        number = divided(number, size);
    }
  }

  KernelOp kernel;
  OpBuilder &builder;
  Location loc;
  SmallVector<Value> places;
};

} // namespace

SmallVector<Value> Places::of(Value tile) {
  unsigned rank = kernel.getGridRank();
  Count number{tile, kernel.getNumBlocks() - 1};
  std::optional<unsigned> grouped = kernel.getGroupedAxis();
  if (!grouped) {
    placeAxes(number, 0, rank);
    return places;
  }
  int64_t size = kernel.getGridSize(*grouped), behind = 1;
  for (unsigned axis = *grouped + 1; axis < rank; ++axis)
    behind *= kernel.getGridSize(axis);
  int64_t tiles = std::min(kernel.getGridGroups()[*grouped], size);
  placeAxes(divided(number, size * behind), 0, *grouped);
  number = rest(number, size * behind);
  // A group is `tiles` by all positions of the axes behind; the last one may
  // have fewer.
  Count group = divided(number, tiles * behind);
  Value first =
      arith::MulIOp::create(builder, loc, group.value, constant(tiles));
  Count inGroup = rest(number, tiles * behind);
  Value count = constant(tiles);
  if (size % tiles)
    count = arith::MinSIOp::create(
        builder, loc, count,
        arith::SubIOp::create(builder, loc, constant(size), first));
  Value inside = arith::RemUIOp::create(builder, loc, inGroup.value, count);
  place(*grouped, {arith::AddIOp::create(builder, loc, first, inside),
                   group.most * tiles + tiles - 1});
  placeAxes({arith::DivUIOp::create(builder, loc, inGroup.value, count),
             size % tiles ? inGroup.most : inGroup.most / tiles},
            *grouped + 1, rank);
  return places;
}

/// Makes the blocks of \p kernel walk its tiles.
static void walkGrid(KernelOp kernel) {
  int64_t blocks = *kernel.getPersistent(), tiles = kernel.getNumBlocks();
  kernel.removePersistentAttr();
  if (blocks >= tiles)
    return;
  Block &body = kernel.getBody().front();
  Location loc = kernel.getLoc();
  OpBuilder builder = OpBuilder::atBlockBegin(&body);
  unsigned arrays = kernel.getArrays().size(), rank = kernel.getGridRank();
  Value block = body.insertArgument(arrays, builder.getIndexType(), loc);
  auto constant = [&](int64_t value) -> Value {
    return arith::ConstantIndexOp::create(builder, loc, value);
  };
  Value end = constant(tiles), step = constant(blocks);
  auto loop = LoopOp::create(builder, loc, block, end, step,
                             /*firstTrip=*/Value(), /*initial=*/ValueRange(),
                             /*slots=*/int32_t(1));
  // The body moves into the loop, its terminator stays.
  Block &inside = loop.getBody().front();
  inside.getOperations().splice(inside.begin(), body.getOperations(),
                                std::next(loop->getIterator()),
                                std::prev(body.end()));
  builder.setInsertionPointToEnd(&inside);
  NextOp::create(builder, loc, ValueRange());
  builder.setInsertionPointToStart(&inside);
  SmallVector<Value> places = Places(kernel, builder).of(loop.getPosition());
  for (auto [argument, place] :
       llvm::zip_equal(body.getArguments().take_back(rank), places))
    argument.replaceAllUsesWith(place);
  body.eraseArguments(arrays + 1, rank);
  kernel.setGridAxesAttr(builder.getStrArrayAttr({"block"}));
  kernel.setGridTiles({1});
  kernel.setGridExtents({blocks});
  kernel.setGridGroups({1});
}

namespace {
struct TileWalkGrid
    : public napkin::tile::impl::TileWalkGridPassBase<TileWalkGrid> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    if (!kernel.getPersistent())
      return;
    for (Operation &op : kernel.getBody().front())
      if (isa<RingOp, RolesOp>(op)) {
        op.emitError() << "stands in a kernel with a persistent grid, which "
                          "would begin its trips anew on each tile; run "
                          "tile-walk-grid before there are rings and roles";
        return signalPassFailure();
      }
    walkGrid(kernel);
  }
};
} // namespace
