//===- TileOps.cpp - Operations of a tile program -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "mlir/IR/OpImplementation.h"
#include "napkin/Dialect/Tile/IR/Tile.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

#define GET_OP_CLASSES
#include "napkin/Dialect/Tile/IR/TileOps.cpp.inc"

//===----------------------------------------------------------------------===//
// PartOp
//===----------------------------------------------------------------------===//

std::optional<unsigned> napkin::tile::partAxis(TileType whole, TileType part,
                                               int64_t from) {
  if (whole.getRank() != part.getRank() ||
      whole.getElementType() != part.getElementType())
    return std::nullopt;
  std::optional<unsigned> found;
  for (unsigned axis = 0; axis < whole.getRank(); ++axis) {
    if (whole.getAxes()[axis] == part.getAxes()[axis] &&
        whole.getSizes()[axis] == part.getSizes()[axis])
      continue;
    if (found)
      return std::nullopt;
    found = axis;
  }
  if (!found || from < 0 ||
      from > whole.getSizes()[*found] - part.getSizes()[*found])
    return std::nullopt;
  return found;
}

LogicalResult PartOp::verify() {
  TileType whole = getInput().getType(), part = getResult().getType();
  if (partAxis(whole, part, int64_t(getFrom())))
    return success();
  return emitOpError() << "expects positions from " << getFrom()
                       << " along one axis of " << whole << ", got " << part;
}

//===----------------------------------------------------------------------===//
// MmaOp
//===----------------------------------------------------------------------===//

/// The axis of `of` that `with` has too, the first of them.
static StringAttr commonAxis(TileType of, TileType with) {
  for (StringAttr axis : of.getAxes())
    if (with.axisIndex(axis))
      return axis;
  return {};
}

StringAttr MmaOp::getRowAxis() {
  return commonAxis(getResult().getType(), getA().getType());
}

StringAttr MmaOp::getColumnAxis() {
  return commonAxis(getResult().getType(), getB().getType());
}

StringAttr MmaOp::getSummedAxis() {
  return commonAxis(getA().getType(), getB().getType());
}

const target::MatrixInstruction &MmaOp::getMatrixInstruction() {
  return *target::lookupInstruction(getInstruction());
}

/// Checks that `warps`, where given, share a product among the warps of the
/// block.
static LogicalResult verifyWarps(Operation *op,
                                 std::optional<ArrayRef<int64_t>> warps) {
  if (!warps)
    return success();
  if (warps->size() != 2 || !llvm::all_of(*warps, [](int64_t count) {
        return count > 0 && llvm::isPowerOf2_64(uint64_t(count));
      }))
    return op->emitOpError() << "expects two powers of two in 'warps', how "
                                "many share the rows and how many the columns";
  auto kernel = op->getParentOfType<KernelOp>();
  int64_t sharing = (*warps)[0] * (*warps)[1];
  if (kernel && !op->getParentOfType<RoleOp>() && sharing != kernel.getWarps())
    return op->emitOpError()
           << "shares its work among " << (*warps)[0] << " x " << (*warps)[1]
           << " = " << sharing << " warps, and the kernel has "
           << kernel.getWarps();
  return success();
}

/// Checks the axes, sizes, elements and warps of a product of `a` and `b` into
/// `c`.
static LogicalResult verifyProduct(Operation *op, TileType a, TileType b,
                                   TileType c, StringRef instruction,
                                   std::optional<ArrayRef<int64_t>> warps) {
  StringAttr row = commonAxis(c, a), column = commonAxis(c, b),
             summed = commonAxis(a, b);
  if (a.getRank() != 2 || b.getRank() != 2 || c.getRank() != 2 || !row ||
      !column || !summed || row == column || row == summed || column == summed)
    return op->emitOpError()
           << "expects a (rows, summed), b (columns, summed) and "
              "an accumulator (rows, columns), in any order";
  auto size = [](TileType type, StringAttr axis) {
    return type.getSizes()[*type.axisIndex(axis)];
  };
  if (size(a, row) != size(c, row) || size(b, column) != size(c, column) ||
      size(a, summed) != size(b, summed))
    return op->emitOpError() << "expects equal sizes of '" << row.getValue()
                             << "', '" << column.getValue() << "' and '"
                             << summed.getValue() << "' in all operands";
  const target::MatrixInstruction *mma = target::lookupInstruction(instruction);
  if (!mma)
    return op->emitOpError()
           << "no target has an instruction '" << instruction << "'";
  auto fits = [](TileType type, target::Element element) {
    return ncd::elementTypeName(type.getElementType()) ==
           target::elementName(element);
  };
  if (!fits(a, mma->a) || !fits(b, mma->b) || !fits(c, mma->accumulator))
    return op->emitOpError()
           << "'" << mma->name << "' multiplies " << target::elementName(mma->a)
           << " and " << target::elementName(mma->b) << " into "
           << target::elementName(mma->accumulator) << ", got "
           << a.getElementType() << " and " << b.getElementType() << " into "
           << c.getElementType();
  return verifyWarps(op, warps);
}

LogicalResult MmaOp::verify() {
  return verifyProduct(*this, getA().getType(), getB().getType(),
                       getResult().getType(), getInstruction(), getWarps());
}

LogicalResult MmaStartOp::verify() {
  return verifyProduct(*this, getA().getType(), getB().getType(),
                       getAccumulator().getType(), getInstruction(),
                       getWarps());
}

//===----------------------------------------------------------------------===//
// MapOp, ReduceOp, ConvertOp
//===----------------------------------------------------------------------===//

/// Parses `at [x = %i, ...]`, if it is there.
static ParseResult
parsePositions(OpAsmParser &parser,
               SmallVectorImpl<OpAsmParser::UnresolvedOperand> &positions,
               ArrayAttr &at) {
  SmallVector<Attribute> axes;
  if (succeeded(parser.parseOptionalKeyword("at")) &&
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        StringRef axis;
        if (parser.parseKeyword(&axis) || parser.parseEqual() ||
            parser.parseOperand(positions.emplace_back()))
          return failure();
        axes.push_back(parser.getBuilder().getStringAttr(axis));
        return success();
      }))
    return failure();
  at = parser.getBuilder().getArrayAttr(axes);
  return success();
}

static void printPositions(OpAsmPrinter &printer, OperandRange positions,
                           ArrayAttr at) {
  if (positions.empty())
    return;
  printer << " at [";
  llvm::interleaveComma(llvm::zip(at.getAsRange<StringAttr>(), positions),
                        printer, [&](auto pair) {
                          printer << std::get<0>(pair).getValue() << " = "
                                  << std::get<1>(pair);
                        });
  printer << ']';
}

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
  printPositions(printer, getPositions(), getAt());
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
  std::optional<unsigned> kept = result.axisIndex(getAxis());
  if (result.getRank() + 1 != input.getRank() + unsigned(kept.has_value()))
    return emitOpError() << "expects the tile without axis '" << getAxis()
                         << "' as the result";
  if (kept) {
    int64_t parts = result.getSizes()[*kept],
            size = input.getSizes()[*input.axisIndex(getAxis())];
    if (*kept + 1 != result.getRank() || !llvm::isPowerOf2_64(parts) ||
        parts >= size || size % parts)
      return emitOpError() << "expects parts of axis '" << getAxis()
                           << "' as the last axis, a power of two that divides "
                           << size << ", got " << parts;
  }
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

layout::LinearLayout
ReduceOp::foldedLayout(const layout::LinearLayout &layout) {
  TileType input = getInput().getType(), result = getResult().getType();
  return layout.fold(input.getShape(), result.getShape(),
                     input.axisMapTo(result), *input.axisIndex(getAxis()));
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
