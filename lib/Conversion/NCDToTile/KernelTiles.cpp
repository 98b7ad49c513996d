//===- KernelTiles.cpp - Tiles of a block: views, loads and maps ----------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the operations of a kernel are built of: where the tile of an array
// lies, how it comes into registers, and maps over tiles.
//
//===----------------------------------------------------------------------===//

#include "KernelLowering.h"
#include "napkin/Dialect/NCD/IR/PartitionError.h"

using namespace mlir;
using namespace napkin;

const KernelLowering::Chunk *KernelLowering::chunkOf(StringRef axis) const {
  for (const Chunk &chunk : llvm::reverse(chunks))
    if (chunk.axis.getValue() == axis)
      return &chunk;
  return nullptr;
}

LogicalResult KernelLowering::checkChunks(Operation *op, ncd::ArrayType array) {
  for (auto [axis, size] : llvm::zip_equal(array.getAxes(), array.getSizes()))
    if (std::optional<int64_t> chunk = kernel.chunkSize(axis);
        chunk && *chunk < size && !chunkOf(axis))
      return ncd::emitPartitionError(op)
             << "axis '" << axis.getValue() << "' is walked in chunks of "
             << *chunk << ", and " << array
             << " is needed outside of the loop over it; take the axis out of "
                "'stream'";
  return success();
}

Value KernelLowering::positionOf(StringRef axis) {
  if (const Chunk *chunk = chunkOf(axis))
    return chunk->position;
  return places.lookup(axis);
}

Value KernelLowering::createView(Location loc, Value array,
                                 ncd::ArrayType type) {
  SmallVector<tile::ViewDimension> dimensions;
  for (StringAttr axis : type.getAxes())
    dimensions.push_back({positionOf(axis), tileSizes[axis]});
  return tile::ViewOp::create(builder, loc, array, dimensions);
}

Value KernelLowering::createMap(
    Location loc, tile::TileType type, ValueRange inputs,
    llvm::function_ref<Value(OpBuilder &, ValueRange)> body) {
  auto map = tile::MapOp::create(builder, loc, type, inputs, ValueRange(),
                                 builder.getArrayAttr({}));
  SmallVector<Type> elements;
  for (Value input : inputs)
    elements.push_back(cast<tile::TileType>(input.getType()).getElementType());
  OpBuilder::InsertionGuard guard(builder);
  Block *block =
      builder.createBlock(&map.getBody(), {}, elements,
                          SmallVector<Location>(elements.size(), loc));
  Value result = body(builder, block->getArguments());
  tile::YieldOp::create(builder, loc, result);
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(*block)))
    if (isOpTriviallyDead(&op))
      op.erase();
  // Only the axes whose index is asked for need to know where the tile begins.
  SmallVector<Attribute> at;
  for (auto index : block->getOps<tile::IndexOp>())
    if (Value position = positionOf(index.getAxis());
        position && !llvm::is_contained(at, index.getAxisAttr())) {
      map.getPositionsMutable().append(position);
      at.push_back(index.getAxisAttr());
    }
  map.setAtAttr(builder.getArrayAttr(at));
  return map.getResult();
}

Value KernelLowering::createZeros(Location loc, tile::TileType type) {
  return createMap(loc, type, {}, [&](OpBuilder &b, ValueRange) -> Value {
    return arith::ConstantOp::create(b, loc,
                                     b.getZeroAttr(type.getElementType()));
  });
}

Value KernelLowering::convertElements(Location loc, Value value, Type element) {
  auto type = cast<tile::TileType>(value.getType());
  Type from = type.getElementType();
  if (from == element)
    return value;
  auto result =
      tile::TileType::get(builder.getContext(), type.getAxes(), type.getSizes(),
                          element, tile::LayoutAttr());
  return createMap(loc, result, value,
                   [&](OpBuilder &b, ValueRange args) -> Value {
                     bool widens = from.getIntOrFloatBitWidth() <
                                   element.getIntOrFloatBitWidth();
                     if (!isa<FloatType>(from) && widens)
                       return arith::ExtSIOp::create(b, loc, element, args[0]);
                     if (!isa<FloatType>(from))
                       return arith::TruncIOp::create(b, loc, element, args[0]);
                     if (widens)
                       return arith::ExtFOp::create(b, loc, element, args[0]);
                     return arith::TruncFOp::create(b, loc, element, args[0]);
                   });
}

Value KernelLowering::maskPast(Location loc, Value value, StringRef axis,
                               TypedAttr fill) {
  auto type = cast<tile::TileType>(value.getType());
  return createMap(
      loc, type, value, [&](OpBuilder &b, ValueRange args) -> Value {
        Value index = tile::IndexOp::create(b, loc, b.getIndexType(),
                                            b.getStringAttr(axis));
        Value size = arith::ConstantIndexOp::create(b, loc, axisSizes[axis]);
        Value inside = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt,
                                             index, size);
        Value past = arith::ConstantOp::create(b, loc, fill);
        return arith::SelectOp::create(b, loc, inside, args[0], past);
      });
}

FailureOr<Value> KernelLowering::tileOf(Operation *user, Value value) {
  if (Value known = tiles.lookup(value))
    return known;
  // What one step of a single stream sees lacks the axis that the array has.
  auto type = cast<ncd::ArrayType>(arrays.lookup(value).getType());
  OpBuilder::InsertionGuard guard(builder);
  // What does not move with a loop is read once, ahead of it.
  for (const Chunk &chunk : llvm::reverse(chunks)) {
    if (type.hasAxis(chunk.axis))
      break;
    if (chunk.loop)
      builder.setInsertionPoint(chunk.loop);
  }
  auto holder = holders.find(value);
  FailureOr<Value> tile = holder == holders.end()
                              ? load(user, value)
                              : partOf(user, value, holder->second);
  if (succeeded(tile))
    tiles[value] = *tile;
  return tile;
}

FailureOr<Value> KernelLowering::partOf(Operation *user, Value value,
                                        Holder holder) {
  FailureOr<Value> whole = tileOf(user, holder.whole);
  if (failed(whole))
    return failure();
  FailureOr<tile::TileType> type =
      tileType(user, cast<ncd::ArrayType>(arrays.lookup(value).getType()));
  if (failed(type))
    return failure();
  Value part = tile::PartOp::create(builder, user->getLoc(), *type, *whole,
                                    builder.getI64IntegerAttr(holder.from));
  loaded.insert(part);
  return part;
}

FailureOr<Value> KernelLowering::load(Operation *user, Value value) {
  Value array = arrays.lookup(value);
  auto type = cast<ncd::ArrayType>(array.getType());
  FailureOr<tile::TileType> tile = tileType(user, type);
  if (failed(tile) || failed(checkReach(user, type)))
    return failure();
  // Truth values are stored as bytes.
  bool isTruth = tile->getElementType().isInteger(1);
  tile::TileType stored = *tile;
  if (isTruth)
    stored = tile::TileType::get(builder.getContext(), tile->getAxes(),
                                 tile->getSizes(), builder.getI8Type(),
                                 tile::LayoutAttr());
  auto load = tile::LoadOp::create(builder, user->getLoc(), stored,
                                   createView(user->getLoc(), array, type));
  loaded.insert(load.getTile());
  Value result = load.getTile();
  if (isTruth) {
    result = createMap(user->getLoc(), *tile, result,
                       [&](OpBuilder &b, ValueRange args) -> Value {
                         return arith::TruncIOp::create(b, user->getLoc(),
                                                        b.getI1Type(), args[0]);
                       });
    loaded.insert(result);
  }
  return result;
}
