//===- OpChecks.cpp - checks shared by ncd operations ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The wording of the errors is tested in test/Dialect/NCD/IR.
//===----------------------------------------------------------------------===//

#include "OpChecks.h"
#include "AxisSyntax.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace napkin::ncd;

std::string napkin::ncd::axisText(StringRef axis, int64_t size) {
  return (axis + "=" +
          (ShapedType::isDynamic(size) ? std::string("?")
                                       : std::to_string(size)))
      .str();
}

SmallVector<StringAttr> napkin::ncd::axisNames(ArrayAttr axes) {
  return llvm::map_to_vector(
      axes, [](Attribute axis) { return cast<StringAttr>(axis); });
}

ParseResult napkin::ncd::parseAxisList(OpAsmParser &parser, ArrayAttr &axes) {
  SmallVector<Attribute> names;
  auto parseName = [&]() -> ParseResult {
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    names.push_back(parser.getBuilder().getStringAttr(name));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, parseName))
    return failure();
  axes = parser.getBuilder().getArrayAttr(names);
  return success();
}

void napkin::ncd::printAxisList(OpAsmPrinter &printer, Operation *,
                                ArrayAttr axes) {
  printer << '[';
  llvm::interleaveComma(axes.getAsRange<StringAttr>(), printer,
                        [&](StringAttr axis) { printer << axis.getValue(); });
  printer << ']';
}

/// Calls \p visit with each array among the operands and results of \p op and
/// the words for it; stops at the first failure.
static LogicalResult forEachArray(
    Operation *op,
    function_ref<LogicalResult(ArrayType, const std::string &)> visit) {
  auto kernel = dyn_cast<KernelOp>(op);
  for (OpOperand &operand : op->getOpOperands())
    if (auto array = dyn_cast<ArrayType>(operand.get().getType());
        array && !(kernel && kernel.getView(operand.getOperandNumber())))
      if (failed(visit(array, "operand " +
                                  std::to_string(operand.getOperandNumber()))))
        return failure();
  for (OpResult result : op->getOpResults())
    if (auto array = dyn_cast<ArrayType>(result.getType()))
      if (failed(visit(array, op->getNumResults() == 1
                                  ? "the result"
                                  : "result " + std::to_string(
                                                    result.getResultNumber()))))
        return failure();
  return success();
}

LogicalResult napkin::ncd::verifySharedSizes(Operation *op) {
  llvm::MapVector<StringAttr, std::pair<int64_t, std::string>> seen;
  return forEachArray(op, [&](ArrayType array, const std::string &what) {
    for (auto [axis, size] :
         llvm::zip_equal(array.getAxes(), array.getSizes())) {
      auto [entry, isNew] = seen.try_emplace(axis, size, what);
      if (isNew || entry->second.first == size)
        continue;
      return LogicalResult(
          op->emitOpError("axis '")
          << axis.getValue() << "' differs in size: "
          << axisText(axis, entry->second.first) << " in "
          << entry->second.second << " but " << axisText(axis, size) << " in "
          << what << "; make the sizes equal or rename one of the axes");
    }
    return success();
  });
}

LogicalResult napkin::ncd::verifyOverNames(Operation *op, ArrayAttr over,
                                           bool nonEmpty) {
  SmallVector<StringAttr> names = axisNames(over);
  for (auto [index, axis] : llvm::enumerate(names))
    if (llvm::is_contained(ArrayRef(names).take_front(index), axis))
      return op->emitOpError("'over' names axis '")
             << axis.getValue() << "' twice; name it once";
  if (nonEmpty && names.empty())
    return op->emitOpError("'over' names no axis; name at least one, as in "
                           "'over [x]'");
  return success();
}

/// "a, b" for the axes of \p array.
static std::string axesText(ArrayType array) {
  if (array.getRank() == 0)
    return "no axis";
  return llvm::join(llvm::map_range(array.getAxes(),
                                    [](StringAttr axis) { return axis.str(); }),
                    ", ");
}

LogicalResult napkin::ncd::verifyCarries(Operation *op, ArrayType input,
                                         ArrayAttr over) {
  for (StringAttr axis : axisNames(over))
    if (!input.hasAxis(axis))
      return op->emitOpError("the operand does not carry axis '")
             << axis.getValue() << "' of 'over'; it carries "
             << axesText(input);
  return success();
}

LogicalResult napkin::ncd::verifyResultAxes(Operation *op, ArrayType expected,
                                            ArrayType result,
                                            ArrayRef<StringAttr> over) {
  for (StringAttr axis : result.getAxes()) {
    if (llvm::is_contained(over, axis))
      return op->emitOpError("the result carries axis '")
             << axis.getValue()
             << "', which 'over' removes; drop it from the result type or "
                "from 'over'";
    if (!expected.hasAxis(axis))
      return op->emitOpError("the result carries axis '")
             << axis.getValue()
             << "', which no operand carries; drop it from the result type";
  }
  for (auto [axis, size] :
       llvm::zip_equal(expected.getAxes(), expected.getSizes()))
    if (!result.hasAxis(axis))
      return op->emitOpError("the result lacks axis '")
             << axis.getValue() << "', which an operand carries; add "
             << axisText(axis, size) << " to the result type"
             << (over.empty() ? "" : " or the axis to 'over'");
  return success();
}

ParseResult napkin::ncd::requireEnding(OpAsmParser &parser, Region &body,
                                       StringRef ending) {
  if (!body.empty() && !body.back().empty() &&
      body.back().back().mightHaveTrait<OpTrait::IsTerminator>())
    return success();
  return parser.emitError(parser.getCurrentLocation(),
                          "needs at the end of its body ")
         << ending;
}

LogicalResult napkin::ncd::verifyNoCapture(Operation *op, StringRef advice) {
  for (Region &region : op->getRegions()) {
    WalkResult walk = region.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands()) {
        // An operand is null only in IR that is being torn down.
        if (!operand || region.isAncestor(operand.getParentRegion()))
          continue;
        InFlightDiagnostic error =
            inner->emitOpError("uses a value from outside the region of '");
        error << op->getName() << "'; " << advice;
        error.attachNote(operand.getLoc()) << "the value is defined here";
        return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      return failure();
  }
  return success();
}

LogicalResult napkin::ncd::verifyBlockArguments(Operation *op, Block &block,
                                                StringRef what,
                                                TypeRange expected) {
  if (block.getNumArguments() != expected.size())
    return op->emitOpError()
           << what << " takes " << block.getNumArguments() << " arguments, but "
           << expected.size() << " are given to it";
  for (auto [argument, type] : llvm::zip_equal(block.getArguments(), expected))
    if (argument.getType() != type)
      return op->emitOpError()
             << "argument " << argument.getArgNumber() << " of " << what
             << " has type " << argument.getType() << ", but " << type
             << " is given to it";
  return success();
}

LogicalResult napkin::ncd::verifyYield(Operation *op, Block &block,
                                       StringRef what, TypeRange expected) {
  auto yield = block.empty() ? YieldOp() : dyn_cast<YieldOp>(block.back());
  if (!yield)
    return op->emitOpError() << what << " must end with 'ncd.yield'";
  if (yield.getNumOperands() != expected.size())
    return yield.emitOpError()
           << "gives " << yield.getNumOperands() << " values, but " << what
           << " of '" << op->getName() << "' must give " << expected.size();
  for (auto [index, types] :
       llvm::enumerate(llvm::zip_equal(yield.getOperandTypes(), expected))) {
    auto [type, want] = types;
    if (type != want)
      return yield.emitOpError()
             << "value " << index << " has type " << type << ", but " << what
             << " of '" << op->getName() << "' must give " << want;
  }
  return success();
}

LogicalResult napkin::ncd::verifyScalarBody(Operation *op, Block &block) {
  auto isScalar = [](Type type) { return type.isIntOrIndexOrFloat(); };
  for (Operation &inner : block) {
    if (inner.getNumRegions() != 0 || !isMemoryEffectFree(&inner))
      return inner.emitOpError("cannot be in the region of '")
             << op->getName()
             << "'; use operations of arith and math without regions or side "
                "effects";
    for (Type type : inner.getResultTypes())
      if (!isScalar(type))
        return inner.emitOpError("gives a value of type ")
               << type << " in the region of '" << op->getName()
               << "'; values there are scalars";
  }
  return success();
}
