//===- KernelLowering.cpp - One scheduled kernel into a tile program ------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelLowering.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "napkin/Dialect/NCD/IR/PartitionError.h"
#include "napkin/Dialect/NCD/IR/Views.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace napkin;

//===----------------------------------------------------------------------===//
// Tiles
//===----------------------------------------------------------------------===//

LogicalResult KernelLowering::planTiles() {
  // What the instructions of the products take of an axis at least.
  llvm::StringMap<std::pair<int64_t, StringRef>> least;
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
  for (BlockArgument argument : kernel.getBody().getArguments())
    note(kernel, argument);
  kernel.getBody().walk([&](Operation *op) {
    for (Value value : op->getResults())
      note(op, value);
    // A row, column or summed axis of a product is padded to its instruction.
    auto contract = dyn_cast<ncd::ContractOp>(op);
    if (!contract || !contract.getProductAttr())
      return;
    ncd::ProductAttr how = contract.getProductAttr();
    const target::MatrixInstruction &row =
        *target::lookupInstruction(how.getInstruction());
    auto take = [&](StringAttr axis, int64_t size, int64_t positions,
                    int64_t warps) {
      int64_t part = kernel.partOf(axis, size);
      if (part <= 1)
        return;
      positions = target::tileGranule(part, positions, warps);
      auto &entry = least[axis];
      if (positions > entry.first)
        entry = {positions, row.name};
    };
    for (Value value : contract.getInputs()) {
      auto array = cast<ncd::ArrayType>(value.getType());
      for (auto [axis, size] : llvm::zip(array.getAxes(), array.getSizes())) {
        if (contract.isOver(axis)) {
          take(axis, size, row.depth(), 1);
          continue;
        }
        take(axis, size, row.leastFree(), 1);
        if (axis == how.getRows())
          take(axis, size, row.rows(), how.getRowWarps());
        if (axis == how.getColumns())
          take(axis, size, row.leastColumns(), how.getColumnWarps());
      }
    }
  });
  if (failed(result))
    return failure();
  llvm::StringSet<> single;
  kernel.getBody().walk([&](ncd::StreamOp stream) {
    if (stream.getSingle())
      single.insert(stream.getAxis());
  });
  for (auto &entry : axisSizes) {
    StringRef axis = entry.first();
    int64_t size = entry.second, part = kernel.partOf(axis, size);
    if (single.contains(axis))
      part = 1;
    auto [positions, instruction] = least.lookup(axis);
    // A padded tile would be another partition than the schedule counted.
    if (part < size && part > 1 && part < positions)
      return ncd::emitPartitionError(kernel)
             << "axis '" << axis << "' is cut into tiles of " << part
             << ", and " << instruction << " takes " << positions
             << " positions; choose 1 or at least " << positions;
    int64_t granule = std::max<int64_t>(positions, 1);
    if (part < size && !target::isTileExtent(part, granule))
      return ncd::emitPartitionError(kernel)
             << "axis '" << axis << "' is cut into tiles of " << part
             << "; choose a power of two or a multiple of "
             << std::max<int64_t>(granule, 16);
    tileSizes[axis] = part < size ? part : target::tileExtent(part, granule);
  }
  // Each block writes one position of the parts.
  if (ncd::SplitAttr split = kernel.getSplitAttr()) {
    axisSizes[split.getParts()] = kernel.getNumParts();
    tileSizes[split.getParts()] = 1;
  }
  return success();
}

FailureOr<tile::TileType> KernelLowering::tileType(Operation *op,
                                                   ncd::ArrayType array) {
  if (failed(checkChunks(op, array)))
    return failure();
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
    return ncd::emitPartitionError(op)
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
      return ncd::emitPartitionError(op)
             << "a block's tile of " << array << " spans " << reach
             << " bytes along axis '" << name.getValue()
             << "', and addresses inside a tile reach 2147483647; cut the axis "
                "in `group` or `stream`";
    stride *= array.getSizes()[axis];
  }
  return success();
}

bool KernelLowering::isPartial(StringRef axis) {
  if (const Chunk *chunk = chunkOf(axis))
    return chunk->partial;
  return axisSizes[axis] % tileSizes[axis] != 0;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

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

FailureOr<Value> KernelLowering::startOf(ncd::ContractOp op,
                                         tile::TileType sums) {
  if (!op.getStart())
    return createZeros(op.getLoc(), sums);
  FailureOr<Value> start = tileOf(op, op.getStart());
  if (failed(start) || start->getType() == sums)
    return start;
  // Repeated along the axes that it lacks.
  return createMap(
      op.getLoc(), sums, *start,
      [](OpBuilder &, ValueRange elements) { return elements[0]; });
}

FailureOr<Value> KernelLowering::factorOf(ncd::ContractOp op, unsigned number) {
  ncd::ProductAttr how = op.getProductAttr();
  Value factor = op.getInputs()[number];
  bool isRow = number == op.getRowFactor();
  ncd::Source source = isRow ? how.getA() : how.getB();
  if (!arrays.lookup(factor))
    return tileOf(op, factor);
  auto type = cast<ncd::ArrayType>(factor.getType());
  bool moves = llvm::any_of(
      chunks, [&](const Chunk &chunk) { return type.hasAxis(chunk.axis); });
  if (source == ncd::Source::Registers && moves)
    return ncd::emitPartitionError(op)
           << "the factor with the " << (isRow ? "rows" : "columns") << ", "
           << type
           << ", comes anew with each chunk and cannot stay in registers; say "
              "shared in 'from'";
  bool inLoop =
      llvm::any_of(chunks, [](const Chunk &chunk) { return chunk.loop; });
  if (source == ncd::Source::Registers || moves || !inLoop ||
      holders.contains(factor))
    return tileOf(op, factor);
  // What is computed under a condition reads what has been copied for all.
  OpBuilder::InsertionGuard guard(builder);
  while (auto when =
             dyn_cast<tile::WhenOp>(builder.getInsertionBlock()->getParentOp()))
    builder.setInsertionPoint(when);
  return load(op, factor);
}

LogicalResult KernelLowering::lowerContract(ncd::ContractOp op) {
  ncd::ProductAttr how = op.getProductAttr();
  if (!how)
    return lowerByElements(op);
  const target::MatrixInstruction &row =
      *target::lookupInstruction(how.getInstruction());
  SmallVector<Value> factors;
  for (unsigned number : {0u, 1u}) {
    FailureOr<Value> tile = factorOf(op, number);
    if (failed(tile))
      return failure();
    factors.push_back(*tile);
  }
  auto typeOf = [](Value value) {
    return cast<tile::TileType>(value.getType());
  };
  FailureOr<tile::TileType> resultType = tileType(op, op.getArrayType());
  if (failed(resultType))
    return failure();
  auto sums = tile::TileType::get(builder.getContext(), resultType->getAxes(),
                                  resultType->getSizes(),
                                  op.getAccumulatorType(), tile::LayoutAttr());
  // A block's tiles have the axes of `as` and no others.
  unsigned rowFactor = op.getRowFactor();
  auto isFactor = [&](Value value, StringAttr free) {
    return llvm::all_of(typeOf(value).getAxes(),
                        [&](StringAttr axis) {
                          return axis == free || axis == how.getSummed();
                        }) &&
           typeOf(value).getRank() == 2;
  };
  if (!isFactor(factors[rowFactor], how.getRows()) ||
      !isFactor(factors[1 - rowFactor], how.getColumns()))
    return ncd::emitPartitionError(op)
           << "a block's tiles are no matrices for " << row.name
           << ": it takes one row, one column and one summed axis; cut the "
              "others to tiles of 1 in `group`, or leave out `as`";
  Type element =
      ncd::parseElementType(builder.getContext(), target::elementName(row.a));
  for (auto [number, factor] : llvm::enumerate(factors)) {
    Value source = factor;
    // Past the end both factors must be 0: loads are, computed tiles are
    // masked.
    if (isPartial(how.getSummed()) && !loaded.contains(factor))
      factor = maskPast(op.getLoc(), factor, how.getSummed(),
                        builder.getZeroAttr(typeOf(factor).getElementType()));
    factor = convertElements(op.getLoc(), factor, element);
    // What is computed comes to other warps through shared memory.
    bool computed = factor != source || !loaded.contains(source);
    ncd::Source from = number == rowFactor ? how.getA() : how.getB();
    if (computed && from == ncd::Source::Shared)
      factor = tile::ConvertOp::create(builder, op.getLoc(), factor.getType(),
                                       factor);
  }
  FailureOr<Value> start = startOf(op, sums);
  if (failed(start))
    return failure();
  Value product = tile::MmaOp::create(
      builder, op.getLoc(), sums, factors[rowFactor], factors[1 - rowFactor],
      *start, row.name,
      builder.getDenseI64ArrayAttr({how.getRowWarps(), how.getColumnWarps()}));
  tiles[op.getResult()] =
      convertElements(op.getLoc(), product, op.getArrayType().getElementType());
  return success();
}

LogicalResult KernelLowering::lowerByElements(ncd::ContractOp op) {
  Location loc = op.getLoc();
  SmallVector<Value> factors;
  for (Value input : op.getInputs()) {
    FailureOr<Value> tile = tileOf(op, input);
    if (failed(tile))
      return failure();
    factors.push_back(*tile);
  }
  FailureOr<tile::TileType> resultType = tileType(op, op.getArrayType());
  if (failed(resultType))
    return failure();
  Type sum = op.getAccumulatorType();
  SmallVector<StringAttr> axes(resultType->getAxes());
  SmallVector<int64_t> sizes(resultType->getSizes());
  for (StringAttr axis : op.getOverAxes())
    if (tileSizes[axis] > 1) {
      axes.push_back(axis);
      sizes.push_back(tileSizes[axis]);
    }
  auto products = tile::TileType::get(builder.getContext(), axes, sizes, sum,
                                      tile::LayoutAttr());
  for (Value &factor : factors)
    factor = convertElements(loc, factor, sum);
  Value value = createMap(
      loc, products, factors, [&](OpBuilder &b, ValueRange elements) -> Value {
        Value product = elements.front();
        for (Value element : elements.drop_front())
          product = combine(b, loc, ncd::Monoid::Prod, product, element);
        return product;
      });
  for (StringAttr axis : op.getOverAxes()) {
    if (tileSizes[axis] <= 1)
      continue;
    if (isPartial(axis))
      value = maskPast(loc, value, axis, builder.getZeroAttr(sum));
    value = fold(loc, value, axis, [&](OpBuilder &b, Value x, Value y) {
      return combine(b, loc, ncd::Monoid::Sum, x, y);
    });
  }
  if (op.getStart()) {
    auto sums = cast<tile::TileType>(value.getType());
    FailureOr<Value> start = startOf(op, sums);
    if (failed(start))
      return failure();
    value = createMap(
        loc, sums, {*start, value}, [&](OpBuilder &b, ValueRange terms) {
          return combine(b, loc, ncd::Monoid::Sum, terms[0], terms[1]);
        });
  }
  tiles[op.getResult()] =
      convertElements(loc, value, resultType->getElementType());
  return success();
}

Value KernelLowering::fold(
    Location loc, Value value, StringAttr axis,
    llvm::function_ref<Value(OpBuilder &, Value, Value)> combineTwo) {
  auto type = cast<tile::TileType>(value.getType());
  unsigned index = *type.axisIndex(axis);
  Type element = type.getElementType();
  SmallVector<StringAttr> axes(type.getAxes());
  SmallVector<int64_t> sizes(type.getSizes());
  axes.erase(axes.begin() + index);
  sizes.erase(sizes.begin() + index);
  auto result = tile::TileType::get(builder.getContext(), axes, sizes, element,
                                    tile::LayoutAttr());
  auto reduce = tile::ReduceOp::create(builder, loc, result, value, axis);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(&reduce.getBody(), {}, {element, element},
                                     {loc, loc});
  Value combined =
      combineTwo(builder, block->getArgument(0), block->getArgument(1));
  tile::YieldOp::create(builder, loc, combined);
  return reduce.getResult();
}

/// Clones a scalar operation of a map. What \p ranges decide about positions is
/// a constant, and a choice by it is what it chooses.
static void cloneScalar(OpBuilder &b, Operation &op, IRMapping &mapping,
                        ncd::IntegerRanges &ranges) {
  if (auto index = dyn_cast<ncd::IndexOp>(op)) {
    mapping.map(index.getResult(),
                tile::IndexOp::create(b, op.getLoc(), b.getIndexType(),
                                      index.getAxisAttr())
                    .getResult());
    return;
  }
  auto decided = [&](Value value) -> std::optional<bool> {
    ncd::IntegerRange range = ranges.rangeOf(value);
    return range.low == range.high ? std::optional<bool>(range.low)
                                   : std::nullopt;
  };
  if (auto select = dyn_cast<arith::SelectOp>(op))
    if (std::optional<bool> chosen = decided(select.getCondition())) {
      mapping.map(select.getResult(),
                  mapping.lookupOrDefault(*chosen ? select.getTrueValue()
                                                  : select.getFalseValue()));
      return;
    }
  Type type = op.getNumResults() == 1 ? op.getResult(0).getType() : Type();
  if (type && type.isInteger(1) && !isa<arith::ConstantOp>(op))
    if (std::optional<bool> known = decided(op.getResult(0))) {
      mapping.map(op.getResult(0),
                  arith::ConstantOp::create(
                      b, op.getLoc(), b.getIntegerAttr(type, int64_t(*known)))
                      .getResult());
      return;
    }
  b.clone(op, mapping);
}

LogicalResult KernelLowering::lowerMap(ncd::MapOp op) {
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
  ncd::IntegerRanges ranges = rangesHere();
  auto cloneBody = [&](OpBuilder &b, ValueRange args) -> Value {
    IRMapping mapping;
    Block &body = op.getBody().front();
    mapping.map(body.getArguments(), args);
    for (Operation &inner : body.without_terminator())
      cloneScalar(b, inner, mapping, ranges);
    return mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
  };
  Value result = createMap(op.getLoc(), *type, inputs, cloneBody);
  tiles[op.getResult()] = result;
  // A mask that everything here passes leaves nothing to do.
  auto map = result.getDefiningOp<tile::MapOp>();
  if (inputs.size() == 1 && inputs[0].getType() == result.getType() &&
      map.getBody().front().getTerminator()->getOperand(0) ==
          map.getBody().getArgument(0)) {
    tiles[op.getResult()] = inputs[0];
    map.erase();
  }
  return success();
}

LogicalResult KernelLowering::lowerReduce(ncd::ReduceOp op) {
  FailureOr<Value> input = tileOf(op, op.getInput());
  if (failed(input))
    return failure();
  Location loc = op.getLoc();
  Type folded = op.getAccumulatorType();
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
      if (axisSizes[axis] != 1 && !chunkOf(axis))
        return ncd::emitPartitionError(op)
               << "axis '" << axis.getValue()
               << "' is folded but cut across blocks; leave it out of `group`";
      continue;
    }
    value =
        fold(loc, value, axis, [&](OpBuilder &b, Value x, Value y) -> Value {
          if (std::optional<ncd::Monoid> monoid = op.getMonoid())
            return combine(b, loc, *monoid, x, y);
          IRMapping mapping;
          Block &body = op.getCombiner().front();
          mapping.map(body.getArguments(), ValueRange{x, y});
          for (Operation &inner : body.without_terminator())
            b.clone(inner, mapping);
          return mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
        });
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

LogicalResult KernelLowering::lowerWhen(ncd::WhenOp op) {
  FailureOr<Value> condition = tileOf(op, op.getCondition());
  if (failed(condition))
    return failure();
  SmallVector<Value> otherwise;
  for (Value value : op.getOtherwise()) {
    FailureOr<Value> tile = tileOf(op, value);
    if (failed(tile))
      return failure();
    otherwise.push_back(*tile);
  }
  auto when = tile::WhenOp::create(builder, op.getLoc(), *condition, otherwise);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointToStart(&when.getBody().front());
  // What is computed in the region is not there behind it.
  auto before = tiles;
  if (failed(lowerBlock(op.getBody().front())))
    return failure();
  SmallVector<Value> next;
  for (Value value : op.getBody().front().getTerminator()->getOperands()) {
    FailureOr<Value> tile = tileOf(op, value);
    if (failed(tile))
      return failure();
    next.push_back(*tile);
  }
  tile::NextOp::create(builder, op.getLoc(), next);
  tiles = std::move(before);
  for (auto [result, tile] : llvm::zip(op.getResults(), when.getResults()))
    tiles[result] = tile;
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
      .Case([&](ncd::ContractOp contract) { return lowerContract(contract); })
      .Case([&](ncd::MapOp map) { return lowerMap(map); })
      .Case([&](ncd::ReduceOp reduce) { return lowerReduce(reduce); })
      .Case([&](ncd::StreamOp stream) { return lowerStream(stream); })
      .Case([&](ncd::WhenOp when) { return lowerWhen(when); })
      .Default([&](Operation *other) -> LogicalResult {
        return other->emitError()
               << "'" << other->getName()
               << "' is not lowered to tiles; run ncd-decompose first";
      });
}

LogicalResult KernelLowering::storeTile(Operation *op, Value tile,
                                        ncd::ArrayType array, Value output) {
  if (failed(checkReach(op, array)))
    return failure();
  Location loc = op->getLoc();
  auto type = cast<tile::TileType>(tile.getType());
  // Truth values are stored as bytes.
  if (type.getElementType().isInteger(1)) {
    auto bytes = tile::TileType::get(builder.getContext(), type.getAxes(),
                                     type.getSizes(), builder.getI8Type(),
                                     tile::LayoutAttr());
    tile = createMap(
        loc, bytes, tile, [&](OpBuilder &b, ValueRange args) -> Value {
          return arith::ExtUIOp::create(b, loc, b.getI8Type(), args[0]);
        });
  }
  tile::StoreOp::create(builder, loc, tile, createView(loc, output, array));
  return success();
}

/// What the kernel sees of its operands in another way than they are.
void KernelLowering::seeArrays() {
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    ncd::ViewAttr view = kernel.getView(argument.getArgNumber());
    auto type = cast<ncd::ArrayType>(argument.getType());
    if (!view || (view.getFrom() == 0 &&
                  arrays[argument].getType() == type.withStrides(view.getBy())))
      continue;
    arrays[argument] = tile::ArrayOp::create(
        builder, argument.getLoc(), type.withStrides(view.getBy()),
        arrays[argument], builder.getI64IntegerAttr(view.getFrom()));
  }
  auto placement = [&](unsigned number) {
    ncd::ViewAttr view = kernel.getView(number);
    return ncd::Placement{view.getFrom(), llvm::to_vector(view.getBy())};
  };
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    unsigned number = argument.getArgNumber();
    ncd::ViewAttr view = kernel.getView(number);
    if (!view || !view.getWithin())
      continue;
    BlockArgument whole = kernel.getBody().getArgument(*view.getWithin());
    // The verifier has seen that it lies there.
    ncd::AxisPart part = *ncd::partWithin(
        cast<ncd::ArrayType>(argument.getType()), placement(number),
        cast<ncd::ArrayType>(whole.getType()), placement(*view.getWithin()));
    holders[argument] = {whole, part.first};
  }
}

LogicalResult KernelLowering::lower(StringRef name) {
  ncd::SplitAttr split = kernel.getSplitAttr();
  if (split && !kernel.writesParts())
    return kernel.emitError("the states of the parts of axis '")
           << split.getAxis().getValue()
           << "' are not merged; run ncd-split-streams first";
  if (failed(planTiles()))
    return failure();
  Location loc = kernel.getLoc();
  SmallVector<Attribute> gridAxes;
  SmallVector<int64_t> gridTiles, gridExtents, gridGroups;
  ncd::PartitionAttr grouped = kernel.getGroupedAttr();
  // Blocks of one part follow each other: those that read the same chunks meet
  // in L2.
  if (split) {
    gridAxes.push_back(split.getParts());
    gridTiles.push_back(1);
    gridExtents.push_back(kernel.getNumParts());
    gridGroups.push_back(1);
  }
  for (StringAttr axis : kernel.getGridOrder()) {
    gridAxes.push_back(axis);
    gridGroups.push_back(grouped ? grouped.sizeOf(axis).value_or(1) : 1);
    gridTiles.push_back(tileSizes[axis]);
    gridExtents.push_back(axisSizes[axis]);
  }
  unsigned outputs = kernel.getNumResults();
  tileKernel = tile::KernelOp::create(
      builder, loc, builder.getStringAttr(name), builder.getArrayAttr(gridAxes),
      builder.getDenseI64ArrayAttr(gridTiles),
      builder.getDenseI64ArrayAttr(gridExtents),
      builder.getDenseI64ArrayAttr(gridGroups), kernel.getPersistentAttr(),
      builder.getI32IntegerAttr(kernel.getWarps().value_or(4)),
      builder.getI32IntegerAttr(outputs), kernel.getPaddedAttr(),
      kernel.getPartsAttr(),
      // No schedule chooses a persistent grid: somebody wrote it.
      kernel.getAccountAttr() && kernel.getAccountAttr().getChosen() &&
              !kernel.getPersistent()
          ? builder.getUnitAttr()
          : UnitAttr());
  OpBuilder::InsertionGuard guard(builder);
  Block *body = builder.createBlock(&tileKernel.getBody());
  llvm::MapVector<Value, Value> taken;
  for (Value input : kernel.getDistinctInputs())
    taken[input] = body->addArgument(input.getType(), input.getLoc());
  for (auto [argument, input] :
       llvm::zip_equal(kernel.getBody().getArguments(), kernel.getInputs()))
    arrays[argument] = taken[input];
  Operation *yield = kernel.getBody().front().getTerminator();
  SmallVector<Value> written;
  for (auto [value, type] :
       llvm::zip_equal(yield->getOperands(), kernel.getResultTypes())) {
    written.push_back(body->addArgument(type, loc));
    if (auto stream = value.getDefiningOp<ncd::StreamOp>();
        stream &&
        cast<ncd::ArrayType>(value.getType()).hasAxis(stream.getAxisAttr()))
      appended[value].push_back(written.back());
  }
  for (Attribute axis : gridAxes)
    places[cast<StringAttr>(axis)] =
        body->addArgument(builder.getIndexType(), loc);
  seeArrays();
  if (failed(lowerBlock(kernel.getBody().front())))
    return failure();
  for (auto [value, output] : llvm::zip(yield->getOperands(), written)) {
    auto array = cast<ncd::ArrayType>(output.getType());
    // Every block of the grid writes; an output without some group axis would
    // be written by several blocks at once.
    for (StringAttr axis : kernel.getGridOrder())
      if (!array.hasAxis(axis) && tileSizes[axis] < axisSizes[axis])
        return ncd::emitPartitionError(kernel)
               << "axis '" << axis.getValue()
               << "' is cut across blocks, but a result does not carry it";
    if (appended.contains(value))
      continue; // stored chunk by chunk
    FailureOr<Value> tile = tileOf(kernel, value);
    if (failed(tile) || failed(storeTile(kernel, *tile, array, output)))
      return failure();
  }
  tile::ReturnOp::create(builder, loc);
  return success();
}
