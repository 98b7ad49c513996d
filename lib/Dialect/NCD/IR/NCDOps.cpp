//===- NCDOps.cpp - diagram, contract, map, index, reduce -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builders, syntax and checks of the operations in NCDOps.td.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "AxisSyntax.h"
#include "OpChecks.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace napkin::ncd;

#define GET_OP_CLASSES
#include "napkin/Dialect/NCD/IR/NCDOps.cpp.inc"

//===----------------------------------------------------------------------===//
// DiagramOp
//===----------------------------------------------------------------------===//

/// The argument and result attribute that names an array for users.
static constexpr llvm::StringLiteral nameAttribute = "ncd.name";

/// Whether \p name prints as an SSA name exactly as it is.
static bool isPlainName(StringRef name) {
  return isAxisName(name) && !name.starts_with("arg");
}

void DiagramOp::build(OpBuilder &builder, OperationState &state, StringRef name,
                      FunctionType type) {
  state.addAttribute(SymbolTable::getSymbolAttrName(),
                     builder.getStringAttr(name));
  state.addAttribute(getFunctionTypeAttrName(state.name), TypeAttr::get(type));
  Block &body = state.addRegion()->emplaceBlock();
  for (Type input : type.getInputs())
    body.addArgument(input, state.location);
}

ParseResult DiagramOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  (void)impl::parseOptionalVisibilityKeyword(parser, result.attributes);
  StringAttr name;
  SmallVector<OpAsmParser::Argument> arguments;
  SmallVector<Type> resultTypes;
  SmallVector<DictionaryAttr> resultAttributes;
  bool isVariadic = false;
  if (parser.parseSymbolName(name, SymbolTable::getSymbolAttrName(),
                             result.attributes) ||
      function_interface_impl::parseFunctionSignatureWithArguments(
          parser, /*allowVariadic=*/false, arguments, isVariadic, resultTypes,
          resultAttributes) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes))
    return failure();
  // SSA names do not live in the IR; the names of the arguments should.
  for (OpAsmParser::Argument &argument : arguments) {
    if (argument.ssaName.name.empty())
      return parser.emitError(parser.getNameLoc(),
                              "every argument of a diagram needs a name, as in "
                              "'%q: !ncd.array<x=512, f32>'");
    StringRef ssaName = argument.ssaName.name.drop_front();
    if (!isPlainName(ssaName) ||
        (argument.attrs && argument.attrs.contains(nameAttribute)))
      continue;
    NamedAttrList attributes(argument.attrs);
    attributes.set(nameAttribute, builder.getStringAttr(ssaName));
    argument.attrs = attributes.getDictionary(builder.getContext());
  }
  SmallVector<Type> argumentTypes = llvm::map_to_vector(
      arguments, [](const auto &argument) { return argument.type; });
  result.addAttribute(
      getFunctionTypeAttrName(result.name),
      TypeAttr::get(builder.getFunctionType(argumentTypes, resultTypes)));
  call_interface_impl::addArgAndResultAttrs(
      builder, result, arguments, resultAttributes,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
  SMLoc bodyLoc = parser.getCurrentLocation();
  Region *body = result.addRegion();
  OptionalParseResult parsed = parser.parseOptionalRegion(
      *body, arguments, /*enableNameShadowing=*/false);
  if (!parsed.has_value())
    return parser.emitError(bodyLoc,
                            "expected '{': a diagram is defined where it is "
                            "declared");
  return *parsed;
}

void DiagramOp::print(OpAsmPrinter &printer) {
  printer << ' ';
  if (std::optional<StringRef> visibility = getSymVisibility())
    printer << *visibility << ' ';
  printer.printSymbolName(getSymName());
  printer << '(';
  llvm::interleaveComma(getArguments(), printer, [&](BlockArgument argument) {
    NamedAttrList attributes(function_interface_impl::getArgAttrDict(
        *this, argument.getArgNumber()));
    auto name = dyn_cast_or_null<StringAttr>(attributes.get(nameAttribute));
    if (name && isPlainName(name.getValue()))
      attributes.erase(nameAttribute);
    printer.printRegionArgument(argument, attributes.getAttrs());
  });
  printer << ')';
  ArrayRef<Type> results = getResultTypes();
  if (!results.empty()) {
    printer << " -> ";
    ArrayAttr resultAttributes = getResAttrsAttr();
    if (results.size() == 1 && !resultAttributes) {
      printer << results.front();
    } else {
      printer << '(';
      llvm::interleaveComma(
          llvm::seq<unsigned>(0, results.size()), printer, [&](unsigned index) {
            printer << results[index];
            if (resultAttributes)
              printer.printOptionalAttrDict(
                  cast<DictionaryAttr>(resultAttributes[index]).getValue());
          });
      printer << ')';
    }
  }
  printer.printOptionalAttrDictWithKeyword(
      (*this)->getAttrs(), {getSymNameAttrName(), getFunctionTypeAttrName(),
                            getSymVisibilityAttrName(), getArgAttrsAttrName(),
                            getResAttrsAttrName()});
  printer << ' ';
  printer.printRegion(getBody(), /*printEntryBlockArgs=*/false);
}

void DiagramOp::getAsmBlockArgumentNames(Region &region,
                                         OpAsmSetValueNameFn setName) {
  if (region.empty() || !getArgAttrsAttr() ||
      getArgAttrsAttr().size() != region.getNumArguments())
    return;
  for (BlockArgument argument : region.getArguments()) {
    auto attributes =
        dyn_cast<DictionaryAttr>(getArgAttrsAttr()[argument.getArgNumber()]);
    auto name =
        attributes ? attributes.getAs<StringAttr>(nameAttribute) : StringAttr();
    if (name && isPlainName(name.getValue()))
      setName(argument, name.getValue());
  }
}

std::string DiagramOp::getArgumentName(unsigned index) {
  if (auto name = getArgAttrOfType<StringAttr>(index, nameAttribute))
    return name.str();
  return "arg" + std::to_string(index);
}

std::string DiagramOp::getResultName(unsigned index) {
  if (auto name = getResultAttrOfType<StringAttr>(index, nameAttribute))
    return name.str();
  return "result" + std::to_string(index);
}

LogicalResult DiagramOp::verify() {
  if (isExternal())
    return emitOpError("has no body; say what the diagram computes");
  for (auto [index, type] : llvm::enumerate(getArgumentTypes()))
    if (!isa<ArrayType>(type))
      return emitOpError("argument ")
             << index << " has type " << type
             << "; a diagram takes arrays, as in !ncd.array<x=512, f32>";
  for (auto [index, type] : llvm::enumerate(getResultTypes()))
    if (!isa<ArrayType>(type))
      return emitOpError("result ")
             << index << " has type " << type
             << "; a diagram gives arrays, as in !ncd.array<x=512, f32>";
  llvm::StringSet<> names;
  auto checkName = [&](Attribute given, const std::string &name, StringRef what,
                       unsigned index) -> LogicalResult {
    if (given && !isa<StringAttr>(given))
      return emitOpError() << what << " " << index << " has an ncd.name "
                           << given << "; it must be a string";
    if (!names.insert(name).second)
      return emitOpError() << what << " " << index << " is the second array "
                           << "named '" << name << "'; give it another name";
    return success();
  };
  for (unsigned index : llvm::seq<unsigned>(0, getNumArguments()))
    if (failed(checkName(getArgAttr(index, nameAttribute),
                         getArgumentName(index), "argument", index)))
      return failure();
  for (unsigned index : llvm::seq<unsigned>(0, getNumResults()))
    if (failed(checkName(getResultAttr(index, nameAttribute),
                         getResultName(index), "result", index)))
      return failure();
  return success();
}

LogicalResult DiagramOp::verifyRegions() {
  if (!isa<ReturnOp>(getBody().front().back()))
    return emitOpError("must end with 'ncd.return'");
  // Two arrays that carry the same name carry the same axis.
  llvm::DenseMap<StringAttr, std::pair<int64_t, Value>> seen;
  auto check = [&](Value value) -> LogicalResult {
    auto array = dyn_cast<ArrayType>(value.getType());
    if (!array)
      return success();
    for (auto [axis, size] :
         llvm::zip_equal(array.getAxes(), array.getSizes())) {
      auto [entry, isNew] = seen.try_emplace(axis, size, value);
      auto [otherSize, other] = entry->second;
      if (isNew || otherSize == size)
        continue;
      InFlightDiagnostic error =
          mlir::emitError(value.getLoc())
          << "axis '" << axis.getValue()
          << "' has one size in a diagram: " << axisText(axis, size)
          << " here but " << axisText(axis, otherSize)
          << " before; make the sizes equal or rename "
             "one of the axes";
      error.attachNote(other.getLoc())
          << "the array with " << axisText(axis, otherSize);
      return error;
    }
    return success();
  };
  for (BlockArgument argument : getArguments())
    if (failed(check(argument)))
      return failure();
  WalkResult walk = getBody().walk<WalkOrder::PreOrder>([&](Operation *op) {
    for (Value result : op->getResults())
      if (failed(check(result)))
        return WalkResult::interrupt();
    for (Region &region : op->getRegions())
      for (Block &block : region)
        for (BlockArgument argument : block.getArguments())
          if (failed(check(argument)))
            return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

LogicalResult ReturnOp::verify() {
  auto diagram = cast<DiagramOp>((*this)->getParentOp());
  ArrayRef<Type> expected = diagram.getResultTypes();
  if (getNumOperands() != expected.size())
    return emitOpError("gives ")
           << getNumOperands() << " results, but diagram '"
           << diagram.getSymName() << "' declares " << expected.size();
  for (auto [index, types] :
       llvm::enumerate(llvm::zip_equal(getOperandTypes(), expected))) {
    auto [type, want] = types;
    if (type != want)
      return emitOpError("result ")
             << index << " has type " << type << ", but diagram '"
             << diagram.getSymName() << "' declares " << want;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// ContractOp
//===----------------------------------------------------------------------===//

void ContractOp::build(OpBuilder &builder, OperationState &state,
                       ArrayType resultType, ValueRange inputs,
                       ArrayRef<StringAttr> over) {
  SmallVector<Attribute> axes(over.begin(), over.end());
  build(builder, state, resultType, inputs, builder.getArrayAttr(axes));
}

SmallVector<StringAttr> ContractOp::getOverAxes() {
  return axisNames(getOver());
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
  if (parser.parseOperandList(operands) ||
      parser.parseOptionalAttrDictWithKeyword(result.attributes) ||
      parser.parseRegion(*result.addRegion(), /*arguments=*/{},
                         /*enableNameShadowing=*/true))
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
  OptionalParseResult region =
      parser.parseOptionalRegion(*result.addRegion(), /*arguments=*/{},
                                 /*enableNameShadowing=*/true);
  if (region.has_value() && failed(*region))
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
