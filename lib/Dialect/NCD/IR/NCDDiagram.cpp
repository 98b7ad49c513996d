//===- NCDDiagram.cpp - diagram and return --------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Builders, syntax and checks of the diagram. The names that its arguments have
// in the text are kept, because users name arrays by them.
//===----------------------------------------------------------------------===//

#include "OpChecks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace napkin::ncd;

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
  if (failed(*parsed))
    return failure();
  return requireEnding(parser, *body,
                       "'ncd.return %result : type', which says what the "
                       "diagram computes");
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
  for (auto [index, type] : llvm::enumerate(getArgumentTypes())) {
    auto array = dyn_cast<ArrayType>(type);
    if (!array)
      return emitOpError("argument ")
             << index << " has type " << type
             << "; a diagram takes arrays, as in !ncd.array<x=512, f32>";
    if (!array.hasStrides())
      continue;
    for (auto [axis, stride] :
         llvm::zip_equal(array.getAxes(), array.getStrides()))
      if (stride < 0)
        return emitOpError("argument '")
               << getArgumentName(index) << "': positions of axis '"
               << axis.getValue() << "' are " << stride
               << " elements apart; an argument begins with its first element: "
                  "take the axis backwards with ncd.slice";
  }
  for (auto [index, type] : llvm::enumerate(getResultTypes())) {
    auto array = dyn_cast<ArrayType>(type);
    if (!array)
      return emitOpError("result ")
             << index << " has type " << type
             << "; a diagram gives arrays, as in !ncd.array<x=512, f32>";
    if (array.hasStrides())
      return emitOpError("result '")
             << getResultName(index) << "' has strides, in " << type
             << "; results are dense: write its axes in the order in which "
                "they "
                "lie";
  }
  auto checkDense = [&](Type type, StringRef what,
                        unsigned index) -> LogicalResult {
    auto array = cast<ArrayType>(type);
    for (auto [axis, parent] : llvm::zip(array.getAxes(), array.getParents()))
      if (parent)
        return emitOpError()
               << what << " " << index << " has a ragged axis '"
               << axis.getValue()
               << "', and arrays cross the border of a diagram dense; give it "
                  "the axis that holds the positions of all of '"
               << parent.getValue() << "'";
    return success();
  };
  for (auto [index, type] : llvm::enumerate(getArgumentTypes()))
    if (failed(checkDense(type, "argument", index)))
      return failure();
  for (auto [index, type] : llvm::enumerate(getResultTypes()))
    if (failed(checkDense(type, "result", index)))
      return failure();
  // Said before the operation complains of its operands in words of its own.
  for (Operation &op : getBody().front())
    if (llvm::any_of(op.getOperandTypes(), llvm::IsaPred<ArrayType>) &&
        isa_and_nonnull<arith::ArithDialect, math::MathDialect>(
            op.getDialect()))
      return mlir::emitError(op.getLoc())
             << "'" << op.getName()
             << "' works on single elements; put it into the body of an "
                "ncd.map";
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
    for (Value result : op->getResults()) {
      if (auto array = dyn_cast<ArrayType>(result.getType());
          array && array.hasStrides()) {
        op->emitOpError("gives ")
            << array << "; what is computed has axes and no strides";
        return WalkResult::interrupt();
      }
      if (failed(check(result)))
        return WalkResult::interrupt();
    }
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
