//===- KernelOps.cpp - Kernels, views and loops ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The frame of a tile program: where a block stands, what its transfers touch
// and what it repeats.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/OpImplementation.h"
#include "napkin/Dialect/NCD/IR/Views.h"
#include "napkin/Dialect/Tile/IR/Positions.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<Attribute> axes;
  SmallVector<int64_t> tiles, extents, groups;
  int32_t warps, outputs;
  Builder &builder = parser.getBuilder();
  auto parseAxis = [&]() -> ParseResult {
    StringRef axis;
    OpAsmParser::Argument &place = arguments.emplace_back();
    if (parser.parseKeyword(&axis) || parser.parseEqual() ||
        parser.parseArgument(place) || parser.parseColon() ||
        parser.parseInteger(tiles.emplace_back()) ||
        parser.parseKeyword("of") ||
        parser.parseInteger(extents.emplace_back()))
      return failure();
    groups.push_back(1);
    if (succeeded(parser.parseOptionalKeyword("in")) &&
        (parser.parseKeyword("groups") || parser.parseKeyword("of") ||
         parser.parseInteger(groups.back())))
      return failure();
    place.type = builder.getIndexType();
    axes.push_back(builder.getStringAttr(axis));
    return success();
  };
  if (parser.parseSymbolName(name, "sym_name", result.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren,
                               /*allowType=*/true) ||
      parser.parseKeyword("grid") ||
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Square, parseAxis))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("persistent"))) {
    int32_t blocks;
    if (parser.parseInteger(blocks))
      return failure();
    result.addAttribute("persistent", builder.getI32IntegerAttr(blocks));
  }
  if (parser.parseKeyword("warps") || parser.parseInteger(warps) ||
      parser.parseKeyword("outputs") || parser.parseInteger(outputs) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  result.addAttribute("grid_axes", builder.getArrayAttr(axes));
  result.addAttribute("grid_tiles", builder.getDenseI64ArrayAttr(tiles));
  result.addAttribute("grid_extents", builder.getDenseI64ArrayAttr(extents));
  result.addAttribute("grid_groups", builder.getDenseI64ArrayAttr(groups));
  result.addAttribute("warps", builder.getI32IntegerAttr(warps));
  result.addAttribute("outputs", builder.getI32IntegerAttr(outputs));
  return parser.parseRegion(*result.addRegion(), arguments);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << '(';
  llvm::interleaveComma(getArrays(), printer, [&](BlockArgument arg) {
    printer.printRegionArgument(arg);
  });
  printer << ") grid [";
  for (auto [axis, place] : llvm::enumerate(getPlaces())) {
    printer << (axis ? ", " : "")
            << cast<StringAttr>(getGridAxes()[axis]).getValue() << " = "
            << place << " : " << getGridTiles()[axis] << " of "
            << getGridExtents()[axis];
    if (getGridGroups()[axis] != 1)
      printer << " in groups of " << getGridGroups()[axis];
  }
  printer << "]";
  if (getPersistent())
    printer << " persistent " << int32_t(*getPersistent());
  printer << " warps " << getWarps() << " outputs " << getOutputs();
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {"sym_name", "grid_axes", "grid_tiles", "grid_extents", "grid_groups",
       "persistent", "warps", "outputs"});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

void KernelOp::getAsmBlockArgumentNames(Region &region,
                                        OpAsmSetValueNameFn setName) {
  if (region.empty() || region.getNumArguments() < getGridRank())
    return;
  for (auto [axis, place] :
       llvm::zip(getGridAxes().getAsRange<StringAttr>(), getPlaces()))
    setName(place, axis.getValue());
}

Block::BlockArgListType KernelOp::getArrays() {
  return getBody().getArguments().drop_back(getGridRank());
}

Block::BlockArgListType KernelOp::getPlaces() {
  return getBody().getArguments().take_back(getGridRank());
}

int64_t KernelOp::getGridSize(unsigned axis) {
  return llvm::divideCeil(getGridExtents()[axis], getGridTiles()[axis]);
}

std::optional<unsigned> KernelOp::getGroupedAxis() {
  for (auto [axis, tiles] : llvm::enumerate(getGridGroups()))
    if (tiles > 1)
      return axis;
  return std::nullopt;
}

int64_t KernelOp::getNumBlocks() {
  int64_t blocks = 1;
  for (unsigned axis = 0; axis < getGridRank(); ++axis)
    blocks *= getGridSize(axis);
  return blocks;
}

static LogicalResult verifyGrid(KernelOp kernel) {
  unsigned rank = kernel.getGridRank();
  if (kernel.getGridTiles().size() != rank ||
      kernel.getGridExtents().size() != rank ||
      kernel.getGridGroups().size() != rank)
    return kernel.emitOpError()
           << "expects a tile, an extent and a group for each axis of the grid";
  if (kernel.getBody().getNumArguments() < rank)
    return kernel.emitOpError()
           << "expects an argument for each of " << rank << " axes of the grid";
  llvm::SmallDenseSet<StringAttr> seen;
  for (auto [index, axis] :
       llvm::enumerate(kernel.getGridAxes().getAsRange<StringAttr>())) {
    int64_t tile = kernel.getGridTiles()[index],
            extent = kernel.getGridExtents()[index];
    if (!seen.insert(axis).second)
      return kernel.emitOpError()
             << "axis '" << axis.getValue() << "' of the grid is named twice";
    if (tile < 1 || extent < 1)
      return kernel.emitOpError()
             << "axis '" << axis.getValue() << "' of the grid has tiles of "
             << tile << " of " << extent << " positions; expects positive ones";
    if (kernel.getGridGroups()[index] < 1)
      return kernel.emitOpError() << "axis '" << axis.getValue()
                                  << "' of the grid is walked in groups "
                                  << "of " << kernel.getGridGroups()[index]
                                  << "; expects at least 1";
  }
  if (std::optional<unsigned> grouped = kernel.getGroupedAxis())
    if (*grouped + 1 == rank ||
        llvm::any_of(kernel.getGridGroups().drop_front(*grouped + 1),
                     [](int64_t tiles) { return tiles > 1; }))
      return kernel.emitOpError()
             << "expects groups of one axis of the grid that is not the last";
  if (std::optional<uint32_t> blocks = kernel.getPersistent()) {
    if (int32_t(*blocks) < 1)
      return kernel.emitOpError() << "is walked by " << int32_t(*blocks)
                                  << " persistent blocks; expects at least 1";
    if (!rank)
      return kernel.emitOpError()
             << "has a persistent grid without axes, so nothing to walk";
  }
  for (BlockArgument place : kernel.getPlaces())
    if (!place.getType().isIndex())
      return kernel.emitOpError()
             << "expects an index for each axis of the grid, got "
             << place.getType();
  return success();
}

LogicalResult KernelOp::verify() {
  if (failed(verifyGrid(*this)))
    return failure();
  for (BlockArgument argument : getArrays()) {
    auto array = dyn_cast<ncd::ArrayType>(argument.getType());
    if (!array)
      return emitOpError() << "expects arrays as arguments, got "
                           << argument.getType();
    if (!array.hasStaticSizes())
      return emitOpError() << "expects arrays of static sizes, got " << array;
  }
  if (int32_t(getOutputs()) < 1 || getOutputs() > getArrays().size())
    return emitOpError() << "expects between 1 and " << getArrays().size()
                         << " outputs, got " << getOutputs();
  if (int32_t(getWarps()) < 1 || getWarps() > 32 ||
      (!llvm::isPowerOf2_32(getWarps()) &&
       getBody().front().getOps<RolesOp>().empty()))
    return emitOpError() << "expects a power of two of at most 32 warps, got "
                         << getWarps();
  if (std::optional<uint32_t> parts = getParts();
      parts && (!llvm::isPowerOf2_32(*parts) || *parts > 32))
    return emitOpError() << "expects a power of two of at most 32 parts, got "
                         << int32_t(*parts);
  return success();
}

//===----------------------------------------------------------------------===//
// ViewOp
//===----------------------------------------------------------------------===//

void ViewOp::build(OpBuilder &builder, OperationState &state, Value array,
                   ArrayRef<ViewDimension> dimensions) {
  SmallVector<Value> offsets, limits, indices;
  SmallVector<int64_t> extents, offsetAxes, limitAxes, indexAxes;
  for (auto [axis, dimension] : llvm::enumerate(dimensions)) {
    extents.push_back(dimension.extent);
    auto add = [axis = int64_t(axis)](Value value, SmallVector<Value> &values,
                                      SmallVector<int64_t> &axes) {
      if (!value)
        return;
      values.push_back(value);
      axes.push_back(axis);
    };
    add(dimension.offset, offsets, offsetAxes);
    add(dimension.limit, limits, limitAxes);
    add(dimension.index, indices, indexAxes);
  }
  build(builder, state, array, offsets, limits, indices, extents, offsetAxes,
        limitAxes, indexAxes);
}

Type ViewOp::storedElement(ncd::ArrayType array) {
  Type element = array.getElementType();
  return element.isInteger(1) ? IntegerType::get(array.getContext(), 8)
                              : element;
}

/// The type of a view of `array` with these extents.
static ViewType viewType(ncd::ArrayType array, ArrayRef<int64_t> extents) {
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  for (auto [axis, extent] : llvm::zip(array.getAxes(), extents))
    if (extent != 1) {
      axes.push_back(axis);
      sizes.push_back(extent);
    }
  return ViewType::get(array.getContext(), axes, sizes,
                       ViewOp::storedElement(array));
}

LogicalResult ViewOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  auto array = dyn_cast<ncd::ArrayType>(adaptor.getArray().getType());
  if (!array || adaptor.getExtents().size() != array.getRank())
    return failure();
  for (int64_t extent : adaptor.getExtents())
    if (!isTileSize(extent))
      return failure();
  types.push_back(viewType(array, adaptor.getExtents()));
  return success();
}

ViewDimension ViewOp::getDimension(unsigned axis) {
  auto find = [axis](OperandRange values, ArrayRef<int64_t> axes) -> Value {
    for (auto [value, of] : llvm::zip(values, axes))
      if (of == axis)
        return value;
    return {};
  };
  return {find(getOffsets(), getOffsetAxes()), getExtents()[axis],
          find(getLimits(), getLimitAxes()),
          find(getIndices(), getIndexAxes())};
}

namespace {
/// A view as it is written.
struct WrittenView {
  SmallVector<StringRef> names;
  SmallVector<int64_t> extents, offsetAxes, limitAxes, indexAxes;
  SmallVector<OpAsmParser::UnresolvedOperand> offsets, limits, indices;
  SmallVector<StringRef> indexNames;
};
} // namespace

/// Parses `[x = %i : 64 below %hi, d : 128]` and `(x by %pages)`.
static ParseResult parseDimensions(OpAsmParser &parser, WrittenView &view) {
  auto dimension = [&]() -> ParseResult {
    int64_t axis = view.names.size();
    if (parser.parseKeyword(&view.names.emplace_back()))
      return failure();
    if (succeeded(parser.parseOptionalEqual())) {
      view.offsetAxes.push_back(axis);
      if (parser.parseOperand(view.offsets.emplace_back()))
        return failure();
    }
    if (parser.parseColon() || parser.parseInteger(view.extents.emplace_back()))
      return failure();
    if (failed(parser.parseOptionalKeyword("below")))
      return success();
    view.limitAxes.push_back(axis);
    return parser.parseOperand(view.limits.emplace_back());
  };
  auto index = [&]() -> ParseResult {
    return failure(parser.parseKeyword(&view.indexNames.emplace_back()) ||
                   parser.parseKeyword("by") ||
                   parser.parseOperand(view.indices.emplace_back()));
  };
  return failure(
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, dimension) ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::OptionalParen,
                                     index));
}

ParseResult ViewOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand array;
  WrittenView view;
  ncd::ArrayType type;
  SmallVector<Type> indexTypes;
  llvm::SMLoc location = parser.getCurrentLocation();
  if (parser.parseOperand(array) || parseDimensions(parser, view) ||
      parser.parseOptionalAttrDict(result.attributes) || parser.parseColon() ||
      parser.parseType(type))
    return failure();
  for (StringRef name : view.indexNames) {
    if (parser.parseComma() || parser.parseType(indexTypes.emplace_back()))
      return failure();
    std::optional<unsigned> axis = type.axisIndex(name);
    if (!axis)
      return parser.emitError(location)
             << "axis '" << name << "' is not an axis of the array";
    view.indexAxes.push_back(*axis);
  }
  for (auto [axis, name] : llvm::enumerate(type.getAxes()))
    if (axis >= view.names.size() || view.names[axis] != name.getValue())
      return parser.emitError(location)
             << "expects axis '" << name.getValue() << "' of " << type
             << " as number " << axis + 1
             << "; a view names every axis of its array in order";
  if (view.names.size() > type.getRank())
    return parser.emitError(location) << "axis '" << view.names[type.getRank()]
                                      << "' is not an axis of the array";
  for (auto [name, extent] : llvm::zip(view.names, view.extents))
    if (!isTileSize(extent))
      return parser.emitError(location)
             << "axis '" << name << "' has an extent of " << extent
             << "; expects a power of two or a multiple of 16";
  Builder &builder = parser.getBuilder();
  auto axes = [&](StringRef name, ArrayRef<int64_t> values) {
    result.addAttribute(name, builder.getDenseI64ArrayAttr(values));
  };
  axes("extents", view.extents);
  axes("offset_axes", view.offsetAxes);
  axes("limit_axes", view.limitAxes);
  axes("index_axes", view.indexAxes);
  result.addAttribute(
      "operandSegmentSizes",
      builder.getDenseI32ArrayAttr({1, int32_t(view.offsets.size()),
                                    int32_t(view.limits.size()),
                                    int32_t(view.indices.size())}));
  result.addTypes(viewType(type, view.extents));
  Type index = builder.getIndexType();
  return failure(parser.resolveOperand(array, type, result.operands) ||
                 parser.resolveOperands(view.offsets, index, result.operands) ||
                 parser.resolveOperands(view.limits, index, result.operands) ||
                 parser.resolveOperands(view.indices, indexTypes, location,
                                        result.operands));
}

void ViewOp::print(OpAsmPrinter &printer) {
  ncd::ArrayType array = getArrayType();
  printer << ' ' << getArray() << " [";
  for (auto [axis, name] : llvm::enumerate(array.getAxes())) {
    ViewDimension dimension = getDimension(axis);
    printer << (axis ? ", " : "") << name.getValue();
    if (dimension.offset)
      printer << " = " << dimension.offset;
    printer << " : " << dimension.extent;
    if (dimension.limit)
      printer << " below " << dimension.limit;
  }
  printer << ']';
  if (!getIndices().empty()) {
    printer << " (";
    llvm::interleaveComma(
        llvm::zip(getIndexAxes(), getIndices()), printer, [&](auto pair) {
          printer << array.getAxes()[std::get<0>(pair)].getValue() << " by "
                  << std::get<1>(pair);
        });
    printer << ')';
  }
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {"extents", "offset_axes", "limit_axes",
                                 "index_axes", "operandSegmentSizes"});
  printer << " : " << array;
  for (Type type : getIndices().getTypes())
    printer << ", " << type;
}

LogicalResult ViewOp::verify() {
  ncd::ArrayType array = getArrayType();
  auto verifyAxesOf = [&](StringRef what, size_t count,
                          ArrayRef<int64_t> axes) -> LogicalResult {
    bool ordered = axes.size() == count;
    for (auto [place, axis] : llvm::enumerate(axes))
      ordered &= axis >= 0 && axis < int64_t(array.getRank()) &&
                 (!place || axes[place - 1] < axis);
    if (ordered)
      return success();
    return emitOpError() << "expects one axis of the array for each " << what
                         << ", in order";
  };
  if (failed(verifyAxesOf("offset", getOffsets().size(), getOffsetAxes())) ||
      failed(verifyAxesOf("limit", getLimits().size(), getLimitAxes())) ||
      failed(verifyAxesOf("index array", getIndices().size(), getIndexAxes())))
    return failure();
  for (auto [axis, value] : llvm::zip(getIndexAxes(), getIndices())) {
    auto index = cast<ncd::ArrayType>(value.getType());
    StringAttr name = array.getAxes()[axis];
    if (index.getRank() != 1 || index.getAxes().front() != name ||
        !index.getElementType().isInteger(32))
      return emitOpError() << "positions along '" << name.getValue()
                           << "' are looked up in an array of i32 with that "
                              "one axis, got "
                           << index;
  }
  return success();
}

LogicalResult EntryOp::verify() {
  ncd::ArrayType array = getArray().getType();
  if (array.getRank() != 1 || !array.getElementType().isInteger(32))
    return emitOpError() << "expects an array of i32 with one axis, got "
                         << array;
  return success();
}

//===----------------------------------------------------------------------===//
// ArrayOp
//===----------------------------------------------------------------------===//

LogicalResult ArrayOp::verify() {
  ncd::ArrayType array = getArray().getType(), seen = getSeen().getType();
  auto argument = dyn_cast<BlockArgument>(getArray());
  auto kernel = (*this)->getParentOfType<KernelOp>();
  if (!argument || !kernel ||
      argument.getOwner() != &kernel.getBody().front() ||
      argument.getArgNumber() + kernel.getOutputs() >=
          kernel.getArrays().size())
    return emitOpError() << "expects an argument of the kernel that is only "
                            "read";
  if (!seen.hasStaticSizes())
    return emitOpError() << "expects static sizes, got " << seen;
  if (array.getElementType() != seen.getElementType())
    return emitOpError() << "expects the elements of " << array << ", got "
                         << seen;
  std::optional<StringRef> axis = ncd::axisOutside(
      seen, {int64_t(getFrom()), seen.getPlacement()}, array.getSpan());
  if (!axis)
    return success();
  InFlightDiagnostic error = emitOpError()
                             << seen << " from element " << getFrom()
                             << " reaches out of " << array;
  return axis->empty() ? error : error << " along axis '" << *axis << "'";
}

//===----------------------------------------------------------------------===//
// Loads and stores
//===----------------------------------------------------------------------===//

/// Checks that what moves through `view` has its shape.
template <typename Type>
static LogicalResult verifyMoves(Operation *op, Value view, Type moved) {
  auto type = cast<ViewType>(view.getType());
  if (!view.getDefiningOp<ViewOp>())
    return op->emitOpError() << "expects a view that tile.view makes";
  if (type.getAxes() != moved.getAxes() ||
      type.getSizes() != moved.getSizes() ||
      type.getElementType() != moved.getElementType())
    return op->emitOpError() << "expects the axes, sizes and elements of "
                             << type << ", got " << moved;
  return success();
}

ViewOp LoadOp::getViewOp() { return getView().getDefiningOp<ViewOp>(); }
ViewOp StoreOp::getViewOp() { return getView().getDefiningOp<ViewOp>(); }
ViewOp CopyOp::getViewOp() { return getView().getDefiningOp<ViewOp>(); }

LogicalResult LoadOp::verify() {
  return verifyMoves(*this, getView(), getTile().getType());
}

LogicalResult StoreOp::verify() {
  if (failed(verifyMoves(*this, getView(), getTile().getType())))
    return failure();
  auto argument = dyn_cast<BlockArgument>(getViewOp().getArray());
  auto kernel = (*this)->getParentOfType<KernelOp>();
  unsigned inputs = kernel.getArrays().size() - kernel.getOutputs();
  if (argument && argument.getArgNumber() < inputs)
    return emitOpError() << "writes argument " << argument.getArgNumber()
                         << " of the kernel, which is only read; the last "
                         << kernel.getOutputs() << " are written";
  if (getViewOp().getArray().getDefiningOp<ArrayOp>())
    return emitOpError() << "writes what tile.array sees, which is only read";
  if (!getViewOp().getIndices().empty())
    return emitOpError() << "cannot write through an index array";
  return success();
}

LogicalResult CopyOp::verify() {
  if (failed(verifyMoves(*this, getView(), getSlot().getType())))
    return failure();
  if (!isa_and_nonnull<AcquireOp, PickOp>(getSlot().getDefiningOp()))
    return emitOpError() << "expects a slot that tile.acquire gives";
  return success();
}

//===----------------------------------------------------------------------===//
// LoopOp
//===----------------------------------------------------------------------===//

void LoopOp::build(OpBuilder &builder, OperationState &state, Value lower,
                   Value upper, Value step, Value firstTrip, ValueRange initial,
                   std::optional<int32_t> slots) {
  OpBuilder::InsertionGuard guard(builder);
  state.addOperands({lower, upper, step});
  if (firstTrip)
    state.addOperands(firstTrip);
  state.addOperands(initial);
  state.addAttribute("operandSegmentSizes",
                     builder.getDenseI32ArrayAttr({1, 1, 1, firstTrip ? 1 : 0,
                                                   int32_t(initial.size())}));
  if (slots)
    state.addAttribute("slots", builder.getI32IntegerAttr(*slots));
  state.addTypes(initial.getTypes());
  SmallVector<Type> arguments{builder.getIndexType()};
  if (firstTrip) {
    state.addTypes(builder.getIndexType());
    arguments.push_back(builder.getIndexType());
  }
  llvm::append_range(arguments, initial.getTypes());
  Region *body = state.addRegion();
  builder.createBlock(body, {}, arguments,
                      SmallVector<Location>(arguments.size(), state.location));
}

NextOp LoopOp::getNext() {
  return cast<NextOp>(getBody().front().getTerminator());
}

ParseResult LoopOp::parse(OpAsmParser &parser, OperationState &result) {
  OpAsmParser::UnresolvedOperand lower, upper, step, firstTrip;
  SmallVector<OpAsmParser::UnresolvedOperand> initial;
  SmallVector<OpAsmParser::Argument> arguments(1), carried;
  Builder &builder = parser.getBuilder();
  Type index = builder.getIndexType();
  arguments[0].type = index;
  if (parser.parseArgument(arguments[0]) || parser.parseEqual() ||
      parser.parseOperand(lower) || parser.parseKeyword("to") ||
      parser.parseOperand(upper) || parser.parseKeyword("step") ||
      parser.parseOperand(step))
    return failure();
  bool counts = succeeded(parser.parseOptionalKeyword("trip"));
  if (counts) {
    arguments.emplace_back().type = index;
    if (parser.parseArgument(arguments[1]) || parser.parseEqual() ||
        parser.parseOperand(firstTrip))
      return failure();
  }
  SmallVector<Type> types;
  llvm::SMLoc location = parser.getCurrentLocation();
  if (succeeded(parser.parseOptionalKeyword("iter_args")) &&
      (parser.parseAssignmentList(carried, initial) ||
       parser.parseArrowTypeList(types)))
    return failure();
  if (types.size() != carried.size())
    return parser.emitError(location)
           << "expects a type for each of " << carried.size()
           << " carried values, got " << types.size();
  int32_t slots;
  if (succeeded(parser.parseOptionalKeyword("slots"))) {
    if (parser.parseInteger(slots))
      return failure();
    result.addAttribute("slots", builder.getI32IntegerAttr(slots));
  }
  for (auto [argument, type] : llvm::zip(carried, types))
    argument.type = type;
  llvm::append_range(arguments, carried);
  result.addTypes(types);
  if (counts)
    result.addTypes(index);
  result.addAttribute(
      "operandSegmentSizes",
      builder.getDenseI32ArrayAttr({1, 1, 1, counts, int32_t(initial.size())}));
  if (parser.resolveOperands({lower, upper, step}, index, result.operands) ||
      (counts && parser.resolveOperand(firstTrip, index, result.operands)) ||
      parser.resolveOperands(initial, types, location, result.operands) ||
      parser.parseRegion(*result.addRegion(), arguments) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  // A body that carries nothing may leave its terminator out.
  Region &body = *result.regions.front();
  if (body.empty())
    return parser.emitError(location) << "expects a body";
  if (body.front().empty() ||
      !body.front().back().hasTrait<OpTrait::IsTerminator>()) {
    OpBuilder inner(parser.getContext()); // the region has no operation yet
    inner.setInsertionPointToEnd(&body.front());
    NextOp::create(inner, result.location, ValueRange{});
  }
  return success();
}

void LoopOp::print(OpAsmPrinter &printer) {
  printer << ' ' << getPosition() << " = " << getLower() << " to " << getUpper()
          << " step " << getStep();
  if (getFirstTrip())
    printer << " trip " << getTrip() << " = " << getFirstTrip();
  if (!getInitial().empty()) {
    printer << " iter_args(";
    llvm::interleaveComma(
        llvm::zip(getCarried(), getInitial()), printer, [&](auto pair) {
          printer << std::get<0>(pair) << " = " << std::get<1>(pair);
        });
    printer << ')';
    printer.printArrowTypeList(getInitial().getTypes());
  }
  if (std::optional<uint32_t> slots = getSlots())
    printer << " slots " << *slots;
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false,
                      /*printBlockTerminators=*/!getInitial().empty());
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {"slots", "operandSegmentSizes"});
}

LogicalResult LoopOp::verify() {
  SmallVector<Type> arguments{IndexType::get(getContext())};
  SmallVector<Type> results(getInitial().getTypes());
  if (getFirstTrip()) {
    arguments.push_back(arguments.front());
    results.push_back(arguments.front());
  }
  llvm::append_range(arguments, getInitial().getTypes());
  if (TypeRange(getBody().getArgumentTypes()) != TypeRange(arguments))
    return emitOpError() << "expects a body of the position, the trip if it "
                            "is counted, and the carried values";
  if (TypeRange(getResultTypes()) != TypeRange(results))
    return emitOpError() << "expects results of the carried values, then the "
                            "next trip if it is counted";
  auto next = dyn_cast<NextOp>(getBody().front().getTerminator());
  if (!next || next.getValues().getTypes() != getInitial().getTypes())
    return emitOpError() << "expects tile.next of as many values as are "
                            "carried, of the same types";
  PositionFacts step = factsOf(getStep(), *this);
  if (step.most <= 0)
    return emitOpError() << "expects a positive step, got " << step.most;
  if (getSlots() && (int32_t(*getSlots()) < 1 || *getSlots() > 16))
    return emitOpError() << "expects 1 to 16 slots, got "
                         << int32_t(*getSlots());
  return success();
}

//===----------------------------------------------------------------------===//
// WhenOp
//===----------------------------------------------------------------------===//

void WhenOp::build(OpBuilder &builder, OperationState &state, Value condition,
                   ValueRange otherwise) {
  state.addOperands(condition);
  state.addOperands(otherwise);
  state.addTypes(otherwise.getTypes());
  state.addRegion()->emplaceBlock();
}

LogicalResult WhenOp::inferReturnTypes(MLIRContext *, std::optional<Location>,
                                       Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  llvm::append_range(types, adaptor.getOtherwise().getTypes());
  return success();
}

OperandRange WhenOp::getYielded() {
  return cast<NextOp>(getBody().front().getTerminator()).getValues();
}

LogicalResult WhenOp::verify() {
  if (!getCondition().getType().getElementType().isInteger(1))
    return emitOpError() << "expects a condition of i1, got "
                         << getCondition().getType().getElementType();
  auto next = dyn_cast<NextOp>(getBody().front().getTerminator());
  if (!next || next.getValues().getTypes() != getOtherwise().getTypes())
    return emitOpError() << "expects tile.next of as many tiles as are in "
                            "'otherwise', of the same types";
  return success();
}
