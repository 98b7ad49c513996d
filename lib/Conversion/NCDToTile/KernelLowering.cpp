//===- KernelLowering.cpp - One scheduled kernel into a tile program ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelLowering.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;

/// The least tile along an axis of a contraction: rows and summed positions of
/// a matrix instruction come in 16s.
static constexpr int64_t leastContractTile = 16;

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

LogicalResult KernelLowering::planTiles() {
  streamAxis = kernel.getStreamAxis();
  llvm::StringSet<> contracted;
  LogicalResult result = success();
  auto note = [&](Operation *op, Value value) {
    auto array = dyn_cast<ncd::ArrayType>(value.getType());
    if (!array)
      return;
    for (auto [axis, size] : llvm::zip(array.getAxes(), array.getSizes())) {
      if (ShapedType::isDynamic(size) && succeeded(result))
        result = op->emitError()
                 << "axis '" << axis.getValue()
                 << "' has no static size; give it one, kernels of "
                    "dynamic sizes are not lowered yet";
      axisSizes[axis] = size;
    }
  };
  // What a block takes of an axis.
  auto partOf = [&](StringAttr axis, int64_t size) {
    if (std::optional<int64_t> group = kernel.groupSize(axis))
      return *group;
    if (streamAxis && axis == streamAxis)
      return kernel.getStreamSize().value_or(size);
    return size;
  };
  for (BlockArgument argument : kernel.getBody().getArguments())
    note(kernel, argument);
  kernel.getBody().walk([&](Operation *op) {
    for (Value value : op->getResults())
      note(op, value);
    // A row, column or summed axis of a product is padded; one that both
    // factors carry and the result keeps is none of these, and of the axes that
    // could be a factor's rows or columns the longest is.
    if (auto contract = dyn_cast<ncd::ContractOp>(op)) {
      auto typeOf = [](Value value) {
        return cast<ncd::ArrayType>(value.getType());
      };
      auto pad = [&](ArrayRef<StringAttr> candidates, ncd::ArrayType array) {
        auto longest =
            llvm::max_element(candidates, [&](StringAttr a, StringAttr b) {
              return partOf(a, array.sizeOf(a)) < partOf(b, array.sizeOf(b));
            });
        for (StringAttr axis : candidates)
          if (axis == *longest || partOf(axis, array.sizeOf(axis)) > 1)
            contracted.insert(axis);
      };
      for (Value value : contract.getInputs()) {
        ncd::ArrayType array = typeOf(value);
        SmallVector<StringAttr> free, summed;
        for (StringAttr axis : array.getAxes())
          if (contract.isOver(axis))
            summed.push_back(axis);
          else if (!llvm::all_of(contract.getInputs(), [&](Value other) {
                     return typeOf(other).hasAxis(axis);
                   }))
            free.push_back(axis);
        for (ArrayRef<StringAttr> candidates :
             {ArrayRef(free), ArrayRef(summed)})
          if (!candidates.empty())
            pad(candidates, array);
      }
    }
  });
  if (failed(result))
    return failure();
  for (auto &entry : axisSizes) {
    StringRef axis = entry.first();
    int64_t size = entry.second, part = size;
    if (std::optional<int64_t> group = kernel.groupSize(axis))
      part = *group;
    else if (streamAxis && axis == streamAxis.getValue())
      part = kernel.getStreamSize().value_or(size);
    int64_t tileSize = llvm::PowerOf2Ceil(part);
    if (tileSize != part && part < size)
      return kernel.emitError() << "axis '" << axis << "' is cut into tiles of "
                                << part << "; choose a power of two";
    bool cut = part == 1 && (size > 1 || kernel.groupSize(axis));
    // A padded tile would be another partition than the schedule counted.
    if (!cut && contracted.contains(axis) && part < size &&
        part < leastContractTile)
      return kernel.emitError()
             << "axis '" << axis << "' is cut into tiles of " << part
             << ", and matrix instructions take " << leastContractTile
             << " positions; choose 1 or at least " << leastContractTile;
    if (!cut && contracted.contains(axis))
      tileSize = std::max(tileSize, leastContractTile);
    tileSizes[axis] = tileSize;
  }
  rowAxis = chooseRowAxis();
  return success();
}

StringAttr KernelLowering::chooseRowAxis() {
  // Warps share the rows of the products; of the axes cut across blocks, rows
  // are the one that most contractions keep, the first written of equals.
  llvm::MapVector<StringAttr, unsigned> kept;
  kernel.getBody().walk([&](ncd::ContractOp op) {
    for (Value operand : op.getInputs())
      for (StringAttr axis : cast<ncd::ArrayType>(operand.getType()).getAxes())
        if (!op.isOver(axis) && kernel.groupSize(axis) && tileSizes[axis] > 1)
          ++kept[axis];
  });
  StringAttr best;
  for (auto &[axis, count] : kept)
    if (!best || count > kept[best])
      best = axis;
  return best;
}

FailureOr<tile::TileType> KernelLowering::tileType(Operation *op,
                                                   ncd::ArrayType array) {
  Type element = array.getElementType();
  if (!element.isF32() && !element.isBF16() && !element.isF16() &&
      !element.isInteger(32) && !element.isInteger(8) && !element.isInteger(1))
    return op->emitError() << "elements of " << element
                           << " are not lowered on this target; use f32, bf16, "
                              "f16, i32, i8 or i1";
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  int64_t elements = 1;
  for (StringAttr axis : array.getAxes())
    if (tileSizes[axis] > 1) {
      axes.push_back(axis);
      sizes.push_back(tileSizes[axis]);
      elements *= sizes.back();
    }
  if (elements > (1 << 20))
    return op->emitError()
           << "a block's tile of " << array << " has " << elements
           << " elements; cut one of its axes in `group` or `stream`";
  return tile::TileType::get(builder.getContext(), axes, sizes,
                             array.getElementType(), tile::LayoutAttr());
}

LogicalResult KernelLowering::checkReach(Operation *op, ncd::ArrayType array) {
  int64_t stride = array.getElementBytes(), reach = 0;
  for (int axis = int(array.getRank()) - 1; axis >= 0; --axis) {
    StringAttr name = array.getAxes()[axis];
    reach += (tileSizes[name] - 1) * stride;
    if (reach > INT32_MAX)
      return op->emitError()
             << "a block's tile of " << array << " spans " << reach
             << " bytes along axis '" << name.getValue()
             << "', and addresses inside a tile reach 2147483647; cut the axis "
                "in `group` or `stream`";
    stride *= array.getSizes()[axis];
  }
  return success();
}

bool KernelLowering::isPartial(StringRef axis) {
  if (chunkPosition && streamAxis && axis == streamAxis.getValue())
    return chunkPartial;
  return axisSizes[axis] % tileSizes[axis] != 0;
}

//===----------------------------------------------------------------------===//
// Building blocks
//===----------------------------------------------------------------------===//

Value KernelLowering::positionOf(StringRef axis) {
  if (chunkPosition && streamAxis && axis == streamAxis.getValue())
    return chunkPosition;
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

Value KernelLowering::createFill(Location loc, tile::TileType type,
                                 double value) {
  return createMap(loc, type, {}, [&](OpBuilder &b, ValueRange) -> Value {
    return arith::ConstantOp::create(
        b, loc, b.getFloatAttr(type.getElementType(), value));
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
  return createMap(
      loc, result, value, [&](OpBuilder &b, ValueRange args) -> Value {
        if (from.getIntOrFloatBitWidth() < element.getIntOrFloatBitWidth())
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
  Value array = arrays.lookup(value);
  auto type = cast<ncd::ArrayType>(value.getType());
  FailureOr<tile::TileType> tile = tileType(user, type);
  if (failed(tile) || failed(checkReach(user, type)))
    return failure();
  OpBuilder::InsertionGuard guard(builder);
  bool chunked = chunkPosition && type.hasAxis(streamAxis);
  // What does not move with the loop is read once, ahead of it.
  if (!chunked && beforeLoop)
    builder.setInsertionPoint(beforeLoop);
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
  return tiles[value] = result;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

/// Whether a map is the sum of its two operands, both with all of its axes.
static bool isPlainSum(ncd::MapOp map) {
  Block &body = map.getBody().front();
  if (map.getInputs().size() != 2 || !llvm::hasNItems(body, 2))
    return false;
  auto add = dyn_cast<arith::AddFOp>(body.front());
  auto type = cast<ncd::ArrayType>(map.getResult().getType());
  return add && body.getTerminator()->getOperand(0) == add.getResult() &&
         add.getLhs() != add.getRhs() && isa<BlockArgument>(add.getLhs()) &&
         isa<BlockArgument>(add.getRhs()) &&
         llvm::all_of(map.getInputs(),
                      [&](Value input) { return input.getType() == type; });
}

/// The sum that alone uses a product, which may then start from the other term.
static ncd::MapOp accumulatingSum(ncd::ContractOp op) {
  if (!op.getResult().hasOneUse())
    return {};
  auto map = dyn_cast<ncd::MapOp>(*op.getResult().user_begin());
  if (!map || map->getBlock() != op->getBlock() || !isPlainSum(map) ||
      !map.getResult().getType().getElementType().isF32())
    return {};
  // Of two products that are added, the first starts from nothing.
  Value other = map.getInputs()[map.getInputs()[0] == op.getResult() ? 1 : 0];
  auto product = other.getDefiningOp<ncd::ContractOp>();
  if (product && product->getBlock() == op->getBlock() &&
      op->isBeforeInBlock(product))
    return {};
  return map;
}

LogicalResult KernelLowering::lowerContract(ncd::ContractOp op,
                                            Value accumulator) {
  if (op.getInputs().size() != 2)
    return op.emitError()
           << "a contraction of " << op.getInputs().size()
           << " arrays is not lowered; write it as contractions of two";
  SmallVector<Value> factors;
  for (Value input : op.getInputs()) {
    FailureOr<Value> tile = tileOf(op, input);
    if (failed(tile))
      return failure();
    factors.push_back(*tile);
  }
  auto typeOf = [](Value value) {
    return cast<tile::TileType>(value.getType());
  };
  ncd::ArrayType resultArray = op.getArrayType();
  FailureOr<tile::TileType> resultType = tileType(op, resultArray);
  if (failed(resultType))
    return failure();
  auto sums = tile::TileType::get(builder.getContext(), resultType->getAxes(),
                                  resultType->getSizes(), builder.getF32Type(),
                                  tile::LayoutAttr());
  // Each factor has one axis of its own, and they share the one that is summed.
  SmallVector<StringAttr> free(2);
  StringAttr summed;
  for (unsigned i : {0u, 1u})
    for (StringAttr axis : typeOf(factors[i]).getAxes()) {
      bool shared = typeOf(factors[1 - i]).axisIndex(axis).has_value();
      StringAttr &slot = op.isOver(axis) ? summed : free[i];
      if ((slot && slot != axis) || (shared != op.isOver(axis)))
        return op.emitError()
               << "axis '" << axis.getValue()
               << "': a block multiplies matrices of one row, one "
                  "column and one summed axis; cut the others to "
                  "tiles of 1 in `group`";
      slot = axis;
    }
  if (!free[0] || !free[1] || !summed)
    return op.emitError()
           << "no matrix instruction serves a contraction "
              "without rows, columns or a summed axis in a block's tile";
  Type element = typeOf(factors[0]).getElementType();
  if (!element.isBF16() && !element.isF16())
    return op.emitError()
           << "no matrix instruction for factors of " << element
           << " on this target; round the operands to bf16 or f16";
  // Past the end both factors must be 0: loads are, computed tiles are masked.
  if (isPartial(summed))
    for (Value &factor : factors)
      if (!loaded.contains(factor))
        factor = maskPast(op.getLoc(), factor, summed,
                          builder.getFloatAttr(element, 0.0));
  if (free[1] == rowAxis)
    std::swap(factors[0], factors[1]);
  if (!accumulator)
    accumulator = createFill(op.getLoc(), sums, 0.0);
  Value product = tile::MmaOp::create(builder, op.getLoc(), sums, factors[0],
                                      factors[1], accumulator);
  tiles[op.getResult()] =
      convertElements(op.getLoc(), product, resultArray.getElementType());
  return success();
}

LogicalResult KernelLowering::lowerMap(ncd::MapOp op) {
  // A sum with a product that nothing else uses is that product's accumulator.
  for (unsigned i : {0u, 1u}) {
    if (op.getInputs().size() != 2)
      break;
    auto product = op.getInputs()[i].getDefiningOp<ncd::ContractOp>();
    if (!product || accumulatingSum(product) != op)
      continue;
    FailureOr<Value> start = tileOf(op, op.getInputs()[1 - i]);
    if (failed(start) || failed(lowerContract(product, *start)))
      return failure();
    tiles[op.getResult()] = tiles[product.getResult()];
    return success();
  }
  auto array = cast<ncd::ArrayType>(op.getResult().getType());
  FailureOr<tile::TileType> type = tileType(op, array);
  if (failed(type))
    return failure();
  SmallVector<Value> inputs;
  for (Value input : op.getInputs()) {
    FailureOr<Value> tile = tileOf(op, input);
    if (failed(tile))
      return failure();
    inputs.push_back(*tile);
  }
  tiles[op.getResult()] = createMap(
      op.getLoc(), *type, inputs, [&](OpBuilder &b, ValueRange args) -> Value {
        IRMapping mapping;
        Block &body = op.getBody().front();
        mapping.map(body.getArguments(), args);
        for (Operation &inner : body.without_terminator()) {
          if (auto index = dyn_cast<ncd::IndexOp>(inner)) {
            Value position = tile::IndexOp::create(
                b, inner.getLoc(), b.getIndexType(), index.getAxisAttr());
            mapping.map(index.getResult(), position);
            continue;
          }
          b.clone(inner, mapping);
        }
        return mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
      });
  return success();
}

/// The scalar operation of a monoid known by name.
static Value combine(OpBuilder &b, Location loc, ncd::Monoid monoid, Value x,
                     Value y) {
  bool isFloat = isa<FloatType>(x.getType());
  switch (monoid) {
  case ncd::Monoid::Sum:
    return isFloat ? Value(arith::AddFOp::create(b, loc, x, y))
                   : Value(arith::AddIOp::create(b, loc, x, y));
  case ncd::Monoid::Prod:
    return isFloat ? Value(arith::MulFOp::create(b, loc, x, y))
                   : Value(arith::MulIOp::create(b, loc, x, y));
  case ncd::Monoid::Max:
    return isFloat ? Value(arith::MaximumFOp::create(b, loc, x, y))
                   : Value(arith::MaxSIOp::create(b, loc, x, y));
  case ncd::Monoid::Min:
    return isFloat ? Value(arith::MinimumFOp::create(b, loc, x, y))
                   : Value(arith::MinSIOp::create(b, loc, x, y));
  case ncd::Monoid::And:
    return arith::AndIOp::create(b, loc, x, y);
  case ncd::Monoid::Or:
    return arith::OrIOp::create(b, loc, x, y);
  }
  return {};
}

LogicalResult KernelLowering::lowerReduce(ncd::ReduceOp op) {
  FailureOr<Value> input = tileOf(op, op.getInput());
  if (failed(input))
    return failure();
  Location loc = op.getLoc();
  auto inputType = cast<tile::TileType>(input->getType());
  Type stored = inputType.getElementType(), folded = op.getAccumulatorType();
  if (folded != stored && !isa<FloatType>(stored))
    return op.emitError() << "folding " << stored << " in " << folded
                          << " is not lowered; widen it with a map";
  TypedAttr identity = op.getIdentityValue();
  if (identity.getType() != folded)
    identity = builder.getFloatAttr(
        folded, cast<FloatAttr>(identity).getValueAsDouble());
  Value value = convertElements(loc, *input, folded);
  for (StringAttr axis : op.getOverAxes())
    if (tileSizes[axis] > 1 && isPartial(axis))
      value = maskPast(loc, value, axis, identity);
  for (StringAttr axis : op.getOverAxes()) {
    auto type = cast<tile::TileType>(value.getType());
    std::optional<unsigned> index = type.axisIndex(axis);
    if (!index) {
      bool chunkOfOne = chunkPosition && streamAxis && axis == streamAxis;
      if (axisSizes[axis] != 1 && !chunkOfOne)
        return op.emitError()
               << "axis '" << axis.getValue()
               << "' is folded but cut across blocks; leave it out of `group`";
      continue;
    }
    SmallVector<StringAttr> axes(type.getAxes());
    SmallVector<int64_t> sizes(type.getSizes());
    axes.erase(axes.begin() + *index);
    sizes.erase(sizes.begin() + *index);
    auto result = tile::TileType::get(builder.getContext(), axes, sizes, folded,
                                      tile::LayoutAttr());
    auto reduce = tile::ReduceOp::create(builder, loc, result, value, axis);
    OpBuilder::InsertionGuard guard(builder);
    Block *block = builder.createBlock(&reduce.getBody(), {}, {folded, folded},
                                       {loc, loc});
    Value x = block->getArgument(0), y = block->getArgument(1), combined;
    if (std::optional<ncd::Monoid> monoid = op.getMonoid()) {
      combined = combine(builder, loc, *monoid, x, y);
    } else {
      IRMapping mapping;
      Block &body = op.getCombiner().front();
      mapping.map(body.getArguments(), ValueRange{x, y});
      for (Operation &inner : body.without_terminator())
        builder.clone(inner, mapping);
      combined = mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
    }
    tile::YieldOp::create(builder, loc, combined);
    value = reduce.getResult();
  }
  FailureOr<tile::TileType> type = tileType(op, op.getArrayType());
  if (failed(type))
    return failure();
  value = convertElements(loc, value, type->getElementType());
  if (value.getType() != *type) // the result names its axes in another order
    value = createMap(loc, *type, value,
                      [](OpBuilder &, ValueRange args) { return args[0]; });
  tiles[op.getResult()] = value;
  return success();
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

LogicalResult KernelLowering::lowerBlock(Block &block) {
  for (Operation &op : block.without_terminator())
    if (failed(lowerOp(op)))
      return failure();
  return success();
}

LogicalResult KernelLowering::lowerOp(Operation &op) {
  return TypeSwitch<Operation *, LogicalResult>(&op)
      .Case([&](ncd::ContractOp contract) -> LogicalResult {
        if (accumulatingSum(contract))
          return success(); // lowered with the sum
        return lowerContract(contract, Value());
      })
      .Case([&](ncd::MapOp map) { return lowerMap(map); })
      .Case([&](ncd::ReduceOp reduce) { return lowerReduce(reduce); })
      .Case([&](ncd::StreamOp stream) { return lowerStream(stream); })
      .Default([&](Operation *other) -> LogicalResult {
        return other->emitError()
               << "'" << other->getName()
               << "' is not lowered to tiles; run ncd-decompose first";
      });
}

LogicalResult KernelLowering::lower(StringRef name) {
  if (failed(planTiles()))
    return failure();
  Location loc = kernel.getLoc();
  SmallVector<Attribute> gridAxes;
  SmallVector<int64_t> gridTiles, gridExtents;
  for (StringAttr axis : kernel.getGridOrder()) {
    gridAxes.push_back(axis);
    gridTiles.push_back(tileSizes[axis]);
    gridExtents.push_back(axisSizes[axis]);
  }
  unsigned outputs = kernel.getNumResults();
  tileKernel = tile::KernelOp::create(
      builder, loc, builder.getStringAttr(name), builder.getArrayAttr(gridAxes),
      builder.getDenseI64ArrayAttr(gridTiles),
      builder.getDenseI64ArrayAttr(gridExtents),
      builder.getI32IntegerAttr(kernel.getWarps().value_or(4)),
      builder.getI32IntegerAttr(outputs));
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&tileKernel.getBody());
  for (BlockArgument argument : kernel.getBody().getArguments())
    arrays[argument] = body->addArgument(argument.getType(), argument.getLoc());
  Operation *yield = kernel.getBody().front().getTerminator();
  SmallVector<Value> written;
  for (Value value : yield->getOperands())
    written.push_back(body->addArgument(value.getType(), loc));
  for (Attribute axis : gridAxes)
    places[cast<StringAttr>(axis)] =
        body->addArgument(builder.getIndexType(), loc);
  if (failed(lowerBlock(kernel.getBody().front())))
    return failure();
  for (auto [value, output] : llvm::zip(yield->getOperands(), written)) {
    auto array = cast<ncd::ArrayType>(value.getType());
    // Every block of the grid writes; an output without some group axis would
    // be written by several blocks at once.
    for (StringAttr axis : kernel.getGridOrder())
      if (!array.hasAxis(axis) && tileSizes[axis] < axisSizes[axis])
        return kernel.emitError()
               << "axis '" << axis.getValue()
               << "' is cut across blocks, but a result does not carry it";
    FailureOr<Value> tile = tileOf(kernel, value);
    if (failed(tile) || failed(checkReach(kernel, array)))
      return failure();
    auto type = cast<tile::TileType>(tile->getType());
    if (type.getElementType().isInteger(1)) {
      auto bytes = tile::TileType::get(builder.getContext(), type.getAxes(),
                                       type.getSizes(), builder.getI8Type(),
                                       tile::LayoutAttr());
      tile = createMap(
          loc, bytes, *tile, [&](OpBuilder &b, ValueRange args) -> Value {
            return arith::ExtUIOp::create(b, loc, b.getI8Type(), args[0]);
          });
    }
    tile::StoreOp::create(builder, loc, *tile, createView(loc, output, array));
  }
  tile::ReturnOp::create(builder, loc);
  return success();
}
