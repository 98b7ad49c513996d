//===- NCDOps.cpp - contract, map, index, reduce --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builders, syntax and checks of the operations in NCDOps.td; those of the
// diagram itself are in NCDDiagram.cpp.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "AxisSyntax.h"
#include "OpChecks.h"
#include "napkin/Target/Target.h"

using namespace mlir;
using namespace napkin::ncd;

#define GET_OP_CLASSES
#include "napkin/Dialect/NCD/IR/NCDOps.cpp.inc"

//===----------------------------------------------------------------------===//
// ContractOp
//===----------------------------------------------------------------------===//

void ContractOp::build(OpBuilder &builder, OperationState &state,
                       ArrayType resultType, ValueRange inputs,
                       ArrayRef<StringAttr> over) {
  SmallVector<Attribute> axes(over.begin(), over.end());
  build(builder, state, resultType, inputs, /*start=*/Value(),
        builder.getArrayAttr(axes), ProductAttr());
}

SmallVector<StringAttr> ContractOp::getOverAxes() {
  return axisNames(getOver());
}

unsigned ContractOp::getRowFactor() {
  return cast<ArrayType>(getInputs()[1].getType())
      .hasAxis(getProductAttr().getRows());
}

/// Checks that rows and columns of `as` are an axis of one factor each, and
/// that the summed one is an axis that both have.
static LogicalResult verifyProduct(ContractOp op) {
  ProductAttr product = op.getProductAttr();
  if (!product)
    return success();
  if (op.getInputs().size() != 2)
    return op.emitOpError("an instruction multiplies two factors, not ")
           << op.getInputs().size() << "; leave out 'as'";
  auto left = cast<ArrayType>(op.getInputs()[0].getType());
  auto right = cast<ArrayType>(op.getInputs()[1].getType());
  StringAttr rows = product.getRows(), columns = product.getColumns();
  for (StringAttr axis : {rows, columns})
    if (left.hasAxis(axis) == right.hasAxis(axis))
      return op.emitOpError("'as' takes axis '")
             << axis.getValue()
             << "' as rows or columns, which one factor and not the other has "
                "to carry";
  if (left.hasAxis(rows) == left.hasAxis(columns))
    return op.emitOpError("'as' takes rows '")
           << rows.getValue() << "' and columns '" << columns.getValue()
           << "' from one factor; each factor gives one of them";
  if (!op.isOver(product.getSummed()))
    return op.emitOpError("'as' sums axis '")
           << product.getSummed().getValue() << "', which is not in 'over'";
  auto kernel = op->getParentOfType<KernelOp>();
  std::optional<uint32_t> warps = kernel ? kernel.getWarps() : std::nullopt;
  int64_t sharing = product.getRowWarps() * product.getColumnWarps();
  if (warps && sharing != int64_t(*warps))
    return op.emitOpError("'as' shares the product among ")
           << product.getRowWarps() << " x " << product.getColumnWarps()
           << " = " << sharing << " warps, and the kernel has " << *warps;
  return success();
}

/// Checks that the sums can start from `plus`.
static LogicalResult verifyStart(ContractOp op) {
  if (!op.getStart())
    return success();
  auto start = cast<ArrayType>(op.getStart().getType());
  if (start.getElementType() != op.getAccumulatorType())
    return op.emitOpError("sums of ")
           << op.getAccumulatorType() << " cannot start from 'plus' of "
           << start.getElementType();
  for (StringAttr axis : start.getAxes())
    if (!op.getArrayType().hasAxis(axis))
      return op.emitOpError("'plus' carries axis '")
             << axis.getValue() << "', which the result lacks";
  return success();
}

bool ContractOp::isOver(StringRef axis) {
  return llvm::any_of(getOver().getAsRange<StringAttr>(),
                      [&](StringAttr name) { return name.getValue() == axis; });
}

Type ContractOp::getAccumulatorType() {
  return accumulatorType(
      cast<ArrayType>(getInputs().front().getType()).getElementType());
}

LogicalResult ContractOp::verify() {
  if (getInputs().empty())
    return emitOpError("has no operand; give it the arrays to multiply");
  if (failed(verifyOverNames(*this, getOver(), /*nonEmpty=*/false)) ||
      failed(verifySharedSizes(*this)))
    return failure();

  SmallVector<StringAttr> unionAxes;
  SmallVector<int64_t> unionSizes;
  Type element = cast<ArrayType>(getInputs()[0].getType()).getElementType();
  for (auto [index, input] : llvm::enumerate(getInputs())) {
    auto array = cast<ArrayType>(input.getType());
    if (array.getElementType() != element)
      return emitOpError("operands differ in element type: ")
             << element << " in operand 0 but " << array.getElementType()
             << " in operand " << index
             << "; declare the producer's result so, or convert one of them "
                "with ncd.map";
    for (auto [axis, size] : llvm::zip_equal(array.getAxes(), array.getSizes()))
      if (!llvm::is_contained(unionAxes, axis)) {
        unionAxes.push_back(axis);
        unionSizes.push_back(size);
      }
  }
  if (element.isInteger(1))
    return emitOpError("cannot multiply elements of type i1; convert them to "
                       "i8 or a float type with ncd.map");

  SmallVector<StringAttr> over = getOverAxes();
  for (StringAttr axis : over) {
    auto carries = [&](Value input) {
      return cast<ArrayType>(input.getType()).hasAxis(axis);
    };
    unsigned carriers = llvm::count_if(getInputs(), carries);
    if (carriers == 0)
      return emitOpError("no operand carries axis '")
             << axis.getValue() << "' of 'over'; drop it from 'over'";
    if (carriers == 1)
      return emitOpError("only operand ")
             << std::distance(getInputs().begin(),
                              llvm::find_if(getInputs(), carries))
             << " carries axis '" << axis.getValue()
             << "' of 'over'; sum it with ncd.reduce instead, or give the axis "
                "to another operand";
  }

  ArrayType result = getArrayType();
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  for (auto [axis, size] : llvm::zip_equal(unionAxes, unionSizes))
    if (!llvm::is_contained(over, axis)) {
      axes.push_back(axis);
      sizes.push_back(size);
    }
  // The union may be too large to be an array; it is only compared by name.
  for (StringAttr axis : result.getAxes()) {
    if (llvm::is_contained(over, axis))
      return emitOpError("the result carries axis '")
             << axis.getValue()
             << "', which 'over' sums; drop it from the result type or from "
                "'over'";
    if (!llvm::is_contained(axes, axis))
      return emitOpError("the result carries axis '")
             << axis.getValue()
             << "', which no operand carries; drop it from the result type";
  }
  for (auto [axis, size] : llvm::zip_equal(axes, sizes))
    if (!result.hasAxis(axis))
      return emitOpError("the result lacks axis '")
             << axis.getValue() << "', which an operand carries; add "
             << axisText(axis, size)
             << " to the result type or the axis to 'over'";

  if (failed(verifyProduct(*this)) || failed(verifyStart(*this)))
    return failure();
  Type accumulator = accumulatorType(element);
  if (isa<FloatType>(element) ? !isa<FloatType>(result.getElementType())
                              : result.getElementType() != accumulator)
    return emitOpError("the result has element type ")
           << result.getElementType() << ", but products of " << element
           << " accumulate in " << accumulator << "; make it " << accumulator
           << (isa<FloatType>(element) ? " or a float type to round to" : "");
  return success();
}

//===----------------------------------------------------------------------===//
// MapOp and IndexOp
//===----------------------------------------------------------------------===//

void MapOp::build(OpBuilder &builder, OperationState &state,
                  ArrayType resultType, ValueRange inputs,
                  function_ref<Value(OpBuilder &, Location, ValueRange)> body) {
  state.addTypes(resultType);
  state.addOperands(inputs);
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(state.addRegion());
  for (Value input : inputs)
    block->addArgument(cast<ArrayType>(input.getType()).getElementType(),
                       state.location);
  Value value = body(builder, state.location, block->getArguments());
  YieldOp::create(builder, state.location, value);
}

Value MapOp::getYielded() {
  return getBody().front().getTerminator()->getOperand(0);
}

/// Parses `: type, type -> type` and resolves \p operands.
static ParseResult
parseSignature(OpAsmParser &parser, OperationState &result,
               ArrayRef<OpAsmParser::UnresolvedOperand> operands) {
  SmallVector<Type> types;
  Type resultType;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseColon())
    return failure();
  if (!operands.empty() && parser.parseTypeList(types))
    return failure();
  if (parser.parseArrow() || parser.parseType(resultType) ||
      parser.resolveOperands(operands, types, loc, result.operands))
    return failure();
  result.addTypes(resultType);
  return success();
}

ParseResult MapOp::parse(OpAsmParser &parser, OperationState &result) {
  SmallVector<OpAsmParser::UnresolvedOperand> operands;
  Region *body = result.addRegion();
  if (parser.parseOperandList(operands) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*body, /*arguments=*/{},
                         /*enableNameShadowing=*/true) ||
      requireEnding(parser, *body,
                    "'ncd.yield %value : type', which gives the element"))
    return failure();
  return parseSignature(parser, result, operands);
}

void MapOp::print(OpAsmPrinter &printer) {
  if (!getInputs().empty())
    printer << ' ' << getInputs();
  printer.printOptionalAttrDictWithKeyword((*this)->getAttrs());
  printer << ' ';
  printer.printRegion(getBody());
  printer << " :";
  if (!getInputs().empty())
    printer << ' ' << getInputs().getTypes();
  printer << " -> " << getResult().getType();
}

LogicalResult MapOp::verify() {
  ArrayType result = getArrayType();
  for (auto [index, input] : llvm::enumerate(getInputs())) {
    auto array = cast<ArrayType>(input.getType());
    for (auto [axis, size] : llvm::zip_equal(array.getAxes(), array.getSizes()))
      if (!result.hasAxis(axis))
        return emitOpError("the result lacks axis '")
               << axis.getValue() << "' of operand " << index << "; add "
               << axisText(axis, size)
               << " to the result type, or reduce the axis first";
  }
  if (failed(verifySharedSizes(*this)))
    return failure();
  return verifyNoCapture(*this, "pass an array as an operand of the map, and "
                                "define constants inside");
}

LogicalResult MapOp::verifyRegions() {
  Block &block = getBody().front();
  SmallVector<Type> elements =
      llvm::map_to_vector(getInputs().getTypes(), [](Type type) -> Type {
        return cast<ArrayType>(type).getElementType();
      });
  if (failed(verifyBlockArguments(*this, block, "the region", elements)) ||
      failed(verifyScalarBody(*this, block)))
    return failure();
  return verifyYield(*this, block, "the region",
                     getArrayType().getElementType());
}

LogicalResult IndexOp::verify() {
  auto map = dyn_cast_or_null<MapOp>((*this)->getParentOp());
  if (!map)
    return emitOpError("is used outside of ncd.map");
  if (!map.getArrayType().hasAxis(getAxis()))
    return emitOpError("the map's result does not carry axis '")
           << getAxis() << "'; its type is " << map.getArrayType();
  return success();
}

//===----------------------------------------------------------------------===//
// ReduceOp
//===----------------------------------------------------------------------===//

void ReduceOp::build(OpBuilder &builder, OperationState &state,
                     ArrayType resultType, Monoid monoid, Value input,
                     ArrayRef<StringAttr> over) {
  SmallVector<Attribute> axes(over.begin(), over.end());
  state.addTypes(resultType);
  state.addOperands(input);
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.monoid = MonoidAttr::get(builder.getContext(), monoid);
  properties.over = builder.getArrayAttr(axes);
  state.addRegion();
}

void ReduceOp::build(
    OpBuilder &builder, OperationState &state, ArrayType resultType,
    Value input, ArrayRef<StringAttr> over, TypedAttr identity,
    function_ref<Value(OpBuilder &, Location, Value, Value)> combiner) {
  SmallVector<Attribute> axes(over.begin(), over.end());
  state.addTypes(resultType);
  state.addOperands(input);
  Properties &properties = state.getOrAddProperties<Properties>();
  properties.over = builder.getArrayAttr(axes);
  properties.identity = identity;
  OpBuilder::InsertionGuard guard(builder);
  Block *block = builder.createBlock(state.addRegion());
  Value left = block->addArgument(identity.getType(), state.location);
  Value right = block->addArgument(identity.getType(), state.location);
  Value value = combiner(builder, state.location, left, right);
  YieldOp::create(builder, state.location, value);
}

SmallVector<StringAttr> ReduceOp::getOverAxes() { return axisNames(getOver()); }

bool ReduceOp::isOver(StringRef axis) {
  return llvm::any_of(getOver().getAsRange<StringAttr>(),
                      [&](StringAttr name) { return name.getValue() == axis; });
}

Type ReduceOp::getAccumulatorType() {
  Type element = getInputType().getElementType();
  std::optional<Monoid> monoid = getMonoid();
  bool grows = !monoid || *monoid == Monoid::Sum || *monoid == Monoid::Prod;
  if (isa<IntegerType>(element) && !grows)
    return element;
  return accumulatorType(element);
}

TypedAttr ReduceOp::getIdentityValue() {
  if (std::optional<Monoid> monoid = getMonoid())
    return identityOf(*monoid, getAccumulatorType());
  return getIdentityAttr();
}

ParseResult ReduceOp::parse(OpAsmParser &parser, OperationState &result) {
  Properties &properties = result.getOrAddProperties<Properties>();
  SMLoc monoidLoc = parser.getCurrentLocation();
  StringRef keyword;
  if (succeeded(parser.parseOptionalKeyword(&keyword))) {
    std::optional<Monoid> monoid = symbolizeMonoid(keyword);
    if (!monoid)
      return parser.emitError(monoidLoc, "'")
             << keyword
             << "' is not the name of a monoid; known are sum, prod, max, min, "
                "and, or; give any other as a region";
    properties.monoid = MonoidAttr::get(parser.getContext(), *monoid);
  }
  SmallVector<OpAsmParser::UnresolvedOperand> operands(1);
  if (parser.parseOperand(operands.front()) || parser.parseKeyword("over") ||
      parseAxisList(parser, properties.over))
    return failure();
  if (succeeded(parser.parseOptionalKeyword("identity")))
    if (parser.parseLParen() || parser.parseAttribute(properties.identity) ||
        parser.parseRParen())
      return failure();
  if (parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  Region *combiner = result.addRegion();
  OptionalParseResult region =
      parser.parseOptionalRegion(*combiner, /*arguments=*/{},
                                 /*enableNameShadowing=*/true);
  if (region.has_value() &&
      (failed(*region) ||
       requireEnding(parser, *combiner,
                     "'ncd.yield %value : type', which gives the two values "
                     "combined")))
    return failure();
  return parseSignature(parser, result, operands);
}

void ReduceOp::print(OpAsmPrinter &printer) {
  if (std::optional<Monoid> monoid = getMonoid())
    printer << ' ' << stringifyMonoid(*monoid);
  printer << ' ' << getInput() << " over ";
  printAxisList(printer, *this, getOver());
  if (TypedAttr identity = getIdentityAttr())
    printer << " identity(" << identity << ')';
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(),
      {getMonoidAttrName(), getOverAttrName(), getIdentityAttrName()});
  if (!getCombiner().empty()) {
    printer << ' ';
    printer.printRegion(getCombiner());
  }
  printer << " : " << getInput().getType() << " -> " << getResult().getType();
}

LogicalResult ReduceOp::verify() {
  ArrayType input = getInputType();
  ArrayType result = getArrayType();
  if (failed(verifyOverNames(*this, getOver(), /*nonEmpty=*/true)) ||
      failed(verifyCarries(*this, input, getOver())) ||
      failed(verifySharedSizes(*this)) ||
      failed(verifyResultAxes(*this, input.withoutAxes(getOverAxes()), result,
                              getOverAxes())))
    return failure();

  Type element = input.getElementType();
  Type accumulator = getAccumulatorType();
  if (std::optional<Monoid> monoid = getMonoid()) {
    if (!getCombiner().empty() || getIdentityAttr())
      return emitOpError("names monoid '")
             << stringifyMonoid(*monoid)
             << "' and gives a region or an identity as well; keep one";
    bool bitwise = *monoid == Monoid::And || *monoid == Monoid::Or;
    if (bitwise && !isa<IntegerType>(element))
      return emitOpError("monoid '")
             << stringifyMonoid(*monoid) << "' needs integers, but the operand "
             << "holds " << element << "; compare first with ncd.map";
    if (!bitwise && element.isInteger(1))
      return emitOpError("monoid '")
             << stringifyMonoid(*monoid)
             << "' cannot combine i1; use 'and' or 'or', or convert to i32 "
                "with ncd.map";
  } else {
    if (getCombiner().empty())
      return emitOpError("has neither the name of a monoid nor a region");
    if (!getIdentityAttr())
      return emitOpError("combines by a region but gives no identity; add "
                         "'identity(0.0 : ")
             << accumulator << ")' or what the region asks for";
    if (getIdentityAttr().getType() != accumulator ||
        !isa<FloatAttr, IntegerAttr>(getIdentityAttr()))
      return emitOpError("the identity has type ")
             << getIdentityAttr().getType() << ", but elements of type "
             << element << " are combined in " << accumulator;
  }
  if (isa<FloatType>(accumulator) ? !isa<FloatType>(result.getElementType())
                                  : result.getElementType() != accumulator)
    return emitOpError("the result has element type ")
           << result.getElementType() << ", but elements of type " << element
           << " are combined in " << accumulator << "; make it " << accumulator
           << (isa<FloatType>(element) ? " or a float type to round to" : "");
  return verifyNoCapture(*this, "a reduction combines two elements and nothing "
                                "else; apply other arrays with ncd.map");
}

LogicalResult ReduceOp::verifyRegions() {
  if (getMonoid())
    return success();
  if (!getCombiner().hasOneBlock())
    return emitOpError("the region must have one block");
  Block &block = getCombiner().front();
  Type accumulator = getAccumulatorType();
  if (failed(verifyBlockArguments(*this, block, "the region",
                                  {accumulator, accumulator})) ||
      failed(verifyScalarBody(*this, block)))
    return failure();
  return verifyYield(*this, block, "the region", accumulator);
}
