//===- Apply.cpp - makes one thing different --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Rewrites the diagrams, or names another machine.
//===----------------------------------------------------------------------===//

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/AttrTypeSubElements.h"
#include "mlir/IR/IRMapping.h"
#include "napkin/Cost/Hardware.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Explore/Variation.h"
#include "llvm/ADT/StringExtras.h"
#include <set>

using namespace mlir;
using namespace napkin;
using namespace napkin::explore;

//===----------------------------------------------------------------------===//
// Numbers
//===----------------------------------------------------------------------===//

/// The names of all axes of arrays in \p module.
static std::set<std::string> axesOf(ModuleOp module) {
  std::set<std::string> names;
  auto add = [&](Type type) {
    if (auto array = dyn_cast<ncd::ArrayType>(type))
      for (StringAttr axis : array.getAxes())
        names.insert(axis.str());
  };
  module.walk([&](Operation *op) {
    llvm::for_each(op->getResultTypes(), add);
    if (auto diagram = dyn_cast<ncd::DiagramOp>(op))
      llvm::for_each(diagram.getArgumentTypes(), add);
  });
  return names;
}

/// \p type with \p size positions along its axis number \p index. Axes that
/// reach over it in memory move apart by as much as it grows, so padding stays.
static ncd::ArrayType resized(ncd::ArrayType type, unsigned index,
                              int64_t size) {
  SmallVector<int64_t> sizes(type.getSizes()), strides(type.getStrides());
  int64_t grown = 0, reach = 0;
  if (type.hasStrides()) {
    grown = (size - sizes[index]) * strides[index];
    reach = sizes[index] * strides[index];
  }
  for (int64_t &stride : strides)
    if (reach > 0 && stride >= reach)
      stride += stride / reach * grown;
  sizes[index] = size;
  auto dense = ncd::ArrayType::get(type.getContext(), type.getAxes(), sizes,
                                   type.getElementType());
  return type.hasStrides() ? dense.withStrides(strides) : dense;
}

void napkin::explore::resizeAxis(ModuleOp module, StringRef name,
                                 int64_t size) {
  AttrTypeReplacer replacer;
  replacer.addReplacement([&](ncd::ArrayType type) -> std::optional<Type> {
    std::optional<unsigned> index = type.axisIndex(name);
    return index ? resized(type, *index, size) : type;
  });
  replacer.recursivelyReplaceElementsIn(module, /*replaceAttrs=*/true,
                                        /*replaceLocs=*/false,
                                        /*replaceTypes=*/true);
}

/// "a, b and c".
static std::string listOf(const std::set<std::string> &names) {
  return names.empty() ? "none" : llvm::join(names, ", ");
}

std::string
napkin::explore::machineOf(const pipelines::CompileOptions &options) {
  if (!options.hardware.empty())
    return options.hardware;
  const cost::Hardware *machine = cost::defaultHardware(
      options.target.empty() ? StringRef(pipelines::defaultTarget)
                             : StringRef(options.target));
  return machine ? machine->name : "";
}

static llvm::Error applyNumber(const Variation &variation, NamedModule &named,
                               pipelines::CompileOptions &options) {
  std::set<std::string> axes = axesOf(*named.module);
  if (axes.count(variation.name)) {
    llvm::Expected<Sweep> size = parseSweep(variation.str());
    if (!size || size->values.size() != 1) {
      llvm::consumeError(size.takeError());
      return llvm::createStringError("the size of axis '" + variation.name +
                                     "' is a positive whole number, not '" +
                                     variation.value + "'");
    }
    resizeAxis(*named.module, variation.name, std::stoll(size->values.front()));
    return llvm::Error::success();
  }
  std::string base = machineOf(options);
  if (base.empty())
    return llvm::createStringError("no machine is known for target '" +
                                   options.target + "'");
  std::string change = variation.str();
  // A further change of a machine that differs already.
  options.hardware = StringRef(base).ends_with("]")
                         ? base.substr(0, base.size() - 1) + "," + change + "]"
                         : base + "[" + change + "]";
  llvm::Expected<cost::Hardware> machine = cost::loadHardware(options.hardware);
  if (machine)
    return llvm::Error::success();
  return llvm::createStringError("'" + variation.name + "' is no axis (there " +
                                 (axes.size() == 1 ? "is " : "are ") +
                                 listOf(axes) + ") and " +
                                 llvm::toString(machine.takeError()));
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

static llvm::Expected<Value> findArray(const NamedModule &named,
                                       StringRef name) {
  auto found = named.values.find(name);
  if (found != named.values.end() &&
      isa<ncd::ArrayType>(found->second.getType()))
    return found->second;
  std::set<std::string> names;
  for (const auto &entry : named.values)
    if (isa<ncd::ArrayType>(entry.second.getType()))
      names.insert(entry.first().str());
  return llvm::createStringError("there is no array '" + name +
                                 "'; there are " + listOf(names));
}

/// \p value as a \p to; null where there is no conversion.
static Value convert(OpBuilder &builder, Location loc, Value value, Type to) {
  Type from = value.getType();
  if (from == to)
    return value;
  bool isFloat = isa<FloatType>(from), toFloat = isa<FloatType>(to);
  if (!isFloat && toFloat)
    return arith::SIToFPOp::create(builder, loc, to, value);
  if (isFloat && !toFloat)
    return arith::FPToSIOp::create(builder, loc, to, value);
  unsigned width = from.getIntOrFloatBitWidth();
  unsigned toWidth = to.getIntOrFloatBitWidth();
  if (!isFloat && width < toWidth)
    return arith::ExtSIOp::create(builder, loc, to, value);
  if (!isFloat)
    return arith::TruncIOp::create(builder, loc, to, value);
  if (width < toWidth)
    return arith::ExtFOp::create(builder, loc, to, value);
  if (width > toWidth)
    return arith::TruncFOp::create(builder, loc, to, value);
  // Two formats of one width share nothing but what lies above both.
  value = arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
  return arith::TruncFOp::create(builder, loc, to, value);
}

/// A map that converts each element of \p array.
static ncd::MapOp convertArray(OpBuilder &builder, Value array, Type element) {
  auto type = cast<ncd::ArrayType>(array.getType()).withElementType(element);
  Location loc = array.getLoc();
  auto map = ncd::MapOp::create(builder, loc, type, array);
  OpBuilder::InsertionGuard guard(builder);
  Type from = cast<ncd::ArrayType>(array.getType()).getElementType();
  Block *body = builder.createBlock(&map.getBody(), {}, {from}, {loc});
  Value converted = convert(builder, loc, body->getArgument(0), element);
  ncd::YieldOp::create(builder, loc, converted);
  return map;
}

/// Makes the declared types of a diagram those of its body.
static void updateType(ncd::DiagramOp diagram) {
  Block &body = diagram.getBody().front();
  diagram.setFunctionType(
      FunctionType::get(diagram.getContext(), body.getArgumentTypes(),
                        body.getTerminator()->getOperandTypes()));
}

static llvm::Error applyElement(const Variation &variation,
                                NamedModule &named) {
  llvm::Expected<Value> found = findArray(named, variation.name);
  if (!found)
    return found.takeError();
  Value array = *found;
  auto type = cast<ncd::ArrayType>(array.getType());
  // An array of that type is parsed: the dialect knows what may be stored.
  std::string text = "!ncd.array<" + variation.value + ">";
  ScopedDiagnosticHandler silent(named.module->getContext(),
                                 [](Diagnostic &) { return success(); });
  auto parsed = dyn_cast_or_null<ncd::ArrayType>(
      parseType(text, named.module->getContext()));
  if (!parsed || parsed.getRank() != 0)
    return llvm::createStringError("'" + variation.value +
                                   "' is no type of elements");
  Type element = parsed.getElementType(), before = type.getElementType();
  if (element == before)
    return llvm::Error::success();
  if (!element.isIntOrFloat() || !before.isIntOrFloat())
    return llvm::createStringError("an array of " +
                                   ncd::elementTypeName(before) +
                                   " is not stored in another type");
  OpBuilder builder(named.module->getContext());
  builder.setInsertionPointAfterValue(array);
  auto diagram = cast<ncd::DiagramOp>(
      isa<BlockArgument>(array) ? array.getParentBlock()->getParentOp()
                                : array.getDefiningOp()->getParentOp());
  if (auto argument = dyn_cast<BlockArgument>(array)) {
    ncd::ArrayType stored = type.withElementType(element);
    argument.setType(type.hasStrides() ? stored.withStrides(type.getStrides())
                                       : stored);
    ncd::MapOp back = convertArray(builder, array, before);
    array.replaceAllUsesExcept(back.getResult(), back);
  } else {
    ncd::MapOp stored = convertArray(builder, array, element);
    ncd::MapOp back = convertArray(builder, stored.getResult(), before);
    array.replaceUsesWithIf(back.getResult(), [&](OpOperand &use) {
      return use.getOwner() != stored && !isa<ncd::ReturnOp>(use.getOwner());
    });
    array.replaceUsesWithIf(stored.getResult(), [&](OpOperand &use) {
      return isa<ncd::ReturnOp>(use.getOwner());
    });
  }
  updateType(diagram);
  return llvm::Error::success();
}

static llvm::Error applyLevel(const Variation &variation, NamedModule &named) {
  if (variation.value != "global")
    return llvm::createStringError(
        "level(" + variation.name + ") can be global, not '" + variation.value +
        "'; within a kernel the schedule decides, and a scheduled diagram "
        "(--emit=schedule) can be edited");
  llvm::Expected<Value> found = findArray(named, variation.name);
  if (!found)
    return found.takeError();
  Value array = *found;
  Operation *maker = array.getDefiningOp();
  // An argument is in global memory.
  if (!maker)
    return llvm::Error::success();
  auto diagram = cast<ncd::DiagramOp>(maker->getParentOp());
  OpBuilder builder(diagram);
  // The part before: all that the array needs, and nothing else returned.
  IRMapping mapping;
  auto before = cast<ncd::DiagramOp>(builder.clone(*diagram, mapping));
  Operation *end = before.getBody().front().getTerminator();
  end->setOperands(mapping.lookup(array));
  before.removeResAttrsAttr();
  updateType(before);
  before.setSymName((diagram.getSymName() + "_" + variation.name).str());
  // The part behind: the array is one argument more. What only computes it goes
  // with the first canonicalization.
  Block &body = diagram.getBody().front();
  body.addArgument(array.getType(), array.getLoc());
  array.replaceAllUsesWith(body.getArguments().back());
  SmallVector<Attribute> attributes;
  if (ArrayAttr given = diagram.getArgAttrsAttr()) {
    llvm::append_range(attributes, given);
    attributes.push_back(builder.getDictionaryAttr(builder.getNamedAttr(
        "ncd.name", builder.getStringAttr(variation.name))));
    diagram.setArgAttrsAttr(builder.getArrayAttr(attributes));
  }
  updateType(diagram);
  // Names lead into the part behind from now on; those that it lost are gone.
  named.values[variation.name] = body.getArguments().back();
  return llvm::Error::success();
}

llvm::Error napkin::explore::apply(const Variation &variation,
                                   NamedModule &named,
                                   pipelines::CompileOptions &options) {
  switch (variation.kind) {
  case Variation::Kind::Number:
    return applyNumber(variation, named, options);
  case Variation::Kind::Element:
    return applyElement(variation, named);
  case Variation::Kind::Level:
    return applyLevel(variation, named);
  }
  llvm_unreachable("unknown kind");
}
