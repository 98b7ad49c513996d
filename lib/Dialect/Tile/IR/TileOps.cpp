//===- TileOps.cpp - Operations of a tile program -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/IR/OpImplementation.h"
#include "napkin/Dialect/Tile/IR/Tile.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

//===----------------------------------------------------------------------===//
// Positions: `at ["x" = %i, ...]`
//===----------------------------------------------------------------------===//

static ParseResult
parsePositions(OpAsmParser &parser,
               SmallVectorImpl<OpAsmParser::UnresolvedOperand> &positions,
               ArrayAttr &at) {
  SmallVector<Attribute> axes;
  if (succeeded(parser.parseOptionalKeyword("at")) &&
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        std::string axis;
        if (parser.parseString(&axis) || parser.parseEqual() ||
            parser.parseOperand(positions.emplace_back()))
          return failure();
        axes.push_back(parser.getBuilder().getStringAttr(axis));
        return success();
      }))
    return failure();
  at = parser.getBuilder().getArrayAttr(axes);
  return success();
}

static void printPositions(OpAsmPrinter &printer, Operation *,
                           OperandRange positions, ArrayAttr at) {
  if (positions.empty())
    return;
  printer << "at [";
  llvm::interleaveComma(llvm::zip(at, positions), printer, [&](auto pair) {
    printer << std::get<0>(pair) << " = " << std::get<1>(pair);
  });
  printer << ']';
}

#define GET_OP_CLASSES
#include "napkin/Dialect/Tile/IR/TileOps.cpp.inc"

/// Checks that a tile of `axes` and `sizes` is a part of `array`, as transfers
/// want it: the array's axes in the array's order, some left out.
static LogicalResult verifyPart(Operation *op, ncd::ArrayType array,
                                ArrayRef<StringAttr> axes, Type element,
                                OperandRange positions, ArrayAttr at) {
  unsigned next = 0;
  for (StringAttr axis : axes) {
    std::optional<unsigned> index = array.axisIndex(axis);
    if (!index)
      return op->emitOpError() << "tile axis '" << axis.getValue()
                               << "' is not an axis of the array " << array;
    if (*index < next)
      return op->emitOpError() << "tile axis '" << axis.getValue()
                               << "' is not in the array's order";
    next = *index + 1;
  }
  // Truth values are stored as bytes.
  bool isByte = array.getElementType().isInteger(1) && element.isInteger(8);
  if (element != array.getElementType() && !isByte)
    return op->emitOpError() << "expects elements of " << array.getElementType()
                             << ", got " << element;
  if (positions.size() != at.size())
    return op->emitOpError() << "expects a position for each axis in `at`";
  for (auto axis : at.getAsRange<StringAttr>())
    if (!array.hasAxis(axis))
      return op->emitOpError() << "axis '" << axis.getValue()
                               << "' in `at` is not an axis of the array";
  return success();
}

LogicalResult LoadOp::verify() {
  return verifyPart(*this, getArray().getType(), getTile().getType().getAxes(),
                    getTile().getType().getElementType(), getPositions(),
                    getAt());
}

LogicalResult StoreOp::verify() {
  return verifyPart(*this, getArray().getType(), getTile().getType().getAxes(),
                    getTile().getType().getElementType(), getPositions(),
                    getAt());
}

LogicalResult CopyOp::verify() {
  return verifyPart(
      *this, getArray().getType(), getBuffer().getType().getAxes(),
      getBuffer().getType().getElementType(), getPositions(), getAt());
}

LogicalResult ReadOp::verify() {
  BufferType buffer = getBuffer().getType();
  TileType tile = getTile().getType();
  if (buffer.getAxes() != tile.getAxes() ||
      buffer.getSizes() != tile.getSizes() ||
      buffer.getElementType() != tile.getElementType())
    return emitOpError() << "expects the buffer's axes, sizes and elements";
  return success();
}

//===----------------------------------------------------------------------===//
// KernelOp
//===----------------------------------------------------------------------===//

ParseResult KernelOp::parse(OpAsmParser &parser, OperationState &result) {
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  ncd::PartitionAttr group;
  ArrayAttr order;
  int32_t warps, stages = 1, outputs;
  Builder &builder = parser.getBuilder();
  if (parser.parseSymbolName(name, "sym_name", result.attributes) ||
      parser.parseArgumentList(arguments, OpAsmParser::Delimiter::Paren,
                               /*allowType=*/true) ||
      parser.parseKeyword("group") || parser.parseAttribute(group) ||
      parser.parseKeyword("order") || parser.parseAttribute(order) ||
      parser.parseKeyword("warps") || parser.parseInteger(warps))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("stages")) &&
      parser.parseInteger(stages))
    return failure();
  if (parser.parseKeyword("outputs") || parser.parseInteger(outputs) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  result.addAttribute("group", group);
  result.addAttribute("order", order);
  result.addAttribute("warps", builder.getI32IntegerAttr(warps));
  result.addAttribute("stages", builder.getI32IntegerAttr(stages));
  result.addAttribute("outputs", builder.getI32IntegerAttr(outputs));
  return parser.parseRegion(*result.addRegion(), arguments);
}

void KernelOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  printer.printSymbolName(getSymName());
  printer << '(';
  llvm::interleaveComma(
      getBody().getArguments(), printer,
      [&](BlockArgument arg) { printer.printRegionArgument(arg); });
  printer << ") group " << getGroup() << " order " << getOrder() << " warps "
          << getWarps() << " stages " << getStages() << " outputs "
          << getOutputs();
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {"sym_name", "group", "order", "warps", "stages", "outputs"});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

LogicalResult KernelOp::verify() {
  for (BlockArgument argument : getBody().getArguments())
    if (!isa<ncd::ArrayType>(argument.getType()))
      return emitOpError() << "expects arrays as arguments, got "
                           << argument.getType();
  for (BlockArgument argument : getBody().getArguments())
    if (!cast<ncd::ArrayType>(argument.getType()).hasStaticSizes())
      return emitOpError() << "expects arrays of static sizes, got "
                           << argument.getType();
  if (int32_t(getOutputs()) < 1 || getOutputs() > getBody().getNumArguments())
    return emitOpError() << "expects between 1 and "
                         << getBody().getNumArguments() << " outputs, got "
                         << getOutputs();
  if (int32_t(getWarps()) < 1 || getWarps() > 32 ||
      !llvm::isPowerOf2_32(getWarps()))
    return emitOpError() << "expects a power of two of at most 32 warps, got "
                         << getWarps();
  if (getOrder().size() != getGroup().getAxes().size())
    return emitOpError() << "expects `order` to name every axis of `group`";
  for (auto axis : getOrder().getAsRange<StringAttr>()) {
    if (!getGroup().hasAxis(axis))
      return emitOpError() << "axis '" << axis.getValue()
                           << "' of `order` is not in `group`";
    if (!getAxisSize(axis))
      return emitOpError() << "group axis '" << axis.getValue()
                           << "' is carried by no argument";
  }
  return success();
}

std::optional<int64_t> KernelOp::getAxisSize(StringRef axis) {
  for (BlockArgument argument : getBody().getArguments()) {
    auto array = cast<ncd::ArrayType>(argument.getType());
    if (array.hasAxis(axis))
      return array.sizeOf(axis);
  }
  return std::nullopt;
}

int64_t KernelOp::getGridSize(StringRef axis) {
  return llvm::divideCeil(*getAxisSize(axis), *getGroup().sizeOf(axis));
}

int64_t KernelOp::getNumBlocks() {
  int64_t blocks = 1;
  for (StringAttr axis : getGroup().getAxes())
    blocks *= getGridSize(axis);
  return blocks;
}

//===----------------------------------------------------------------------===//
// MmaOp
//===----------------------------------------------------------------------===//

StringAttr MmaOp::getRowAxis() {
  for (StringAttr axis : getResult().getType().getAxes())
    if (getA().getType().axisIndex(axis))
      return axis;
  return {};
}

StringAttr MmaOp::getColumnAxis() {
  for (StringAttr axis : getResult().getType().getAxes())
    if (getB().getType().axisIndex(axis))
      return axis;
  return {};
}

StringAttr MmaOp::getSummedAxis() {
  for (StringAttr axis : getA().getType().getAxes())
    if (getB().getType().axisIndex(axis))
      return axis;
  return {};
}

LogicalResult MmaOp::verify() {
  TileType a = getA().getType(), b = getB().getType(),
           c = getResult().getType();
  if (getAccumulator().getType().getAxes() != c.getAxes() ||
      getAccumulator().getType().getSizes() != c.getSizes())
    return emitOpError()
           << "expects an accumulator of the result's axes and sizes";
  StringAttr row = getRowAxis(), column = getColumnAxis(),
             summed = getSummedAxis();
  if (a.getRank() != 2 || b.getRank() != 2 || c.getRank() != 2 || !row ||
      !column || !summed || row == column || row == summed || column == summed)
    return emitOpError() << "expects a (rows, summed), b (columns, summed) and "
                            "an accumulator (rows, columns), in any order";
  auto size = [](TileType type, StringAttr axis) {
    return type.getSizes()[*type.axisIndex(axis)];
  };
  if (!a.axisIndex(row) || !b.axisIndex(column) ||
      size(a, row) != size(c, row) || size(b, column) != size(c, column) ||
      size(a, summed) != size(b, summed))
    return emitOpError() << "expects equal sizes of '" << row.getValue()
                         << "', '" << column.getValue() << "' and '"
                         << summed.getValue() << "' in all operands";
  Type element = a.getElementType();
  if (element != b.getElementType() || !(element.isBF16() || element.isF16()))
    return emitOpError() << "expects factors of bf16 or of f16, got " << element
                         << " and " << b.getElementType();
  if (!c.getElementType().isF32())
    return emitOpError() << "expects an accumulator of f32";
  return success();
}

//===----------------------------------------------------------------------===//
// MapOp, ReduceOp, ConvertOp
//===----------------------------------------------------------------------===//

ParseResult MapOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> inputs, positions;
  ArrayAttr at;
  FunctionType type;
  if (parser.parseOperandList(inputs) ||
      parsePositions(parser, positions, at) ||
      parser.parseRegion(*result.addRegion()) ||
      parser.parseOptionalAttrDict(result.attributes) || parser.parseColon())
    return failure();
  SMLoc location = parser.getCurrentLocation();
  if (parser.parseType(type))
    return failure();
  result.addAttribute("at", at);
  result.addAttribute("operandSegmentSizes",
                      parser.getBuilder().getDenseI32ArrayAttr(
                          {int32_t(inputs.size()), int32_t(positions.size())}));
  result.addTypes(type.getResults());
  return failure(parser.resolveOperands(inputs, type.getInputs(), location,
                                        result.operands) ||
                 parser.resolveOperands(positions,
                                        parser.getBuilder().getIndexType(),
                                        result.operands));
}

void MapOp::print(OpAsmPrinter &printer) {
  if (!getInputs().empty())
    printer << ' ' << getInputs();
  if (!getPositions().empty())
    printer << ' ';
  printPositions(printer, *this, getPositions(), getAt());
  printer << ' ';
  printer.printRegion(getBody());
  printer.printOptionalAttrDict((*this)->getAttrs(),
                                {"at", "operandSegmentSizes"});
  printer << " : ";
  printer.printFunctionalType(getInputs().getTypes(),
                              (*this)->getResultTypes());
}

LogicalResult MapOp::verify() {
  TileType result = getResult().getType();
  Block &block = getBody().front();
  if (block.getNumArguments() != getInputs().size())
    return emitOpError() << "expects one region argument for each tile";
  for (auto [input, argument] : llvm::zip(getInputs(), block.getArguments())) {
    auto type = cast<TileType>(input.getType());
    if (argument.getType() != type.getElementType())
      return emitOpError() << "expects region arguments of the tiles' elements";
    for (auto [axis, size] : llvm::zip(type.getAxes(), type.getSizes())) {
      std::optional<unsigned> index = result.axisIndex(axis);
      if (!index || result.getSizes()[*index] != size)
        return emitOpError() << "axis '" << axis.getValue()
                             << "' of an operand is not in the result with the "
                                "same size";
    }
  }
  if (getPositions().size() != getAt().size())
    return emitOpError() << "expects a position for each axis in `at`";
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (!yield || yield.getValue().getType() != result.getElementType())
    return emitOpError() << "expects the region to yield "
                         << result.getElementType();
  return success();
}

LogicalResult ReduceOp::verify() {
  TileType input = getInput().getType(), result = getResult().getType();
  if (!input.axisIndex(getAxis()))
    return emitOpError() << "axis '" << getAxis() << "' is not in the tile";
  if (result.axisIndex(getAxis()) || result.getRank() + 1 != input.getRank())
    return emitOpError() << "expects the tile without axis '" << getAxis()
                         << "' as the result";
  Block &block = getBody().front();
  Type element = input.getElementType();
  auto yield = dyn_cast<YieldOp>(block.getTerminator());
  if (block.getNumArguments() != 2 ||
      block.getArgument(0).getType() != element ||
      block.getArgument(1).getType() != element || !yield ||
      yield.getValue().getType() != element ||
      result.getElementType() != element)
    return emitOpError() << "expects a region from two elements of " << element
                         << " to one";
  return success();
}

LogicalResult ConvertOp::verify() {
  TileType input = getInput().getType(), result = getResult().getType();
  if (input.getAxes() != result.getAxes() ||
      input.getSizes() != result.getSizes() ||
      input.getElementType() != result.getElementType())
    return emitOpError() << "expects types that differ in the layout only";
  return success();
}

LogicalResult napkin::tile::verifyLayouts(KernelOp kernel) {
  WalkResult result = kernel.walk([](Operation *op) {
    for (Type type : op->getResultTypes())
      if (auto tile = dyn_cast<TileType>(type); tile && !tile.getLayout()) {
        op->emitOpError() << "gives a tile without a layout; run "
                             "tile-assign-layouts first";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
