//===- NCDAttrs.cpp - attributes of the ncd dialect -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Syntax and checks of the attributes, and the identities of the named monoids.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/NCDAttrs.h"
#include "AxisSyntax.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "napkin/Dialect/NCD/IR/NCDDialect.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin::ncd;

#include "napkin/Dialect/NCD/IR/NCDEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "napkin/Dialect/NCD/IR/NCDAttrs.cpp.inc"

void NCDDialect::registerAttributes() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "napkin/Dialect/NCD/IR/NCDAttrs.cpp.inc"
      >();
}

Attribute PartitionAttr::parse(AsmParser &parser, Type) {
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  SMLoc start = parser.getCurrentLocation();
  auto parseAxis = [&]() -> ParseResult {
    StringRef name;
    if (parser.parseKeyword(&name) || parser.parseEqual() ||
        parseAxisSize(parser, sizes.emplace_back(), /*dynamic=*/false))
      return failure();
    axes.push_back(parser.getBuilder().getStringAttr(name));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater,
                                     parseAxis))
    return {};
  return parser.getChecked<PartitionAttr>(start, parser.getContext(), axes,
                                          sizes);
}

void PartitionAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printAxes(printer, getAxes(), getSizes());
  printer << '>';
}

LogicalResult
PartitionAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                      ArrayRef<StringAttr> axes, ArrayRef<int64_t> sizes) {
  return verifyAxes(emitError, "partition", axes, sizes, /*dynamic=*/false);
}

std::optional<int64_t> PartitionAttr::sizeOf(StringRef axis) const {
  for (auto [name, size] : llvm::zip_equal(getAxes(), getSizes()))
    if (name.getValue() == axis)
      return size;
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// Products, bounds and splits
//===----------------------------------------------------------------------===//

/// Parses the name of an axis.
static ParseResult parseName(AsmParser &parser, StringAttr &name) {
  StringRef text;
  if (parser.parseKeyword(&text))
    return failure();
  name = parser.getBuilder().getStringAttr(text);
  return success();
}

/// Parses `, keyword =`.
static ParseResult parseField(AsmParser &parser, StringRef keyword) {
  return failure(parser.parseComma() || parser.parseKeyword(keyword) ||
                 parser.parseEqual());
}

static ParseResult parseSource(AsmParser &parser, Source &source) {
  StringRef text;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&text))
    return failure();
  std::optional<Source> known = symbolizeSource(text);
  if (!known)
    return parser.emitError(loc)
           << "unknown source '" << text << "'; known are registers and shared";
  source = *known;
  return success();
}

Attribute ProductAttr::parse(AsmParser &parser, Type) {
  SMLoc start = parser.getCurrentLocation();
  StringAttr instruction, rows, columns, summed;
  int64_t rowWarps, columnWarps;
  Source a, b;
  if (parser.parseLess() || parser.parseAttribute(instruction) ||
      parseField(parser, "rows") || parseName(parser, rows) ||
      parseField(parser, "columns") || parseName(parser, columns) ||
      parseField(parser, "summed") || parseName(parser, summed) ||
      parseField(parser, "warps") || parser.parseLSquare() ||
      parser.parseInteger(rowWarps) || parser.parseComma() ||
      parser.parseInteger(columnWarps) || parser.parseRSquare() ||
      parseField(parser, "from") || parser.parseLSquare() ||
      parseSource(parser, a) || parser.parseComma() || parseSource(parser, b) ||
      parser.parseRSquare() || parser.parseGreater())
    return {};
  return parser.getChecked<ProductAttr>(start, parser.getContext(), instruction,
                                        rows, columns, summed, rowWarps,
                                        columnWarps, a, b);
}

void ProductAttr::print(AsmPrinter &printer) const {
  printer << '<' << getInstruction() << ", rows = " << getRows().getValue()
          << ", columns = " << getColumns().getValue()
          << ", summed = " << getSummed().getValue() << ", warps = ["
          << getRowWarps() << ", " << getColumnWarps() << "], from = ["
          << stringifySource(getA()) << ", " << stringifySource(getB()) << "]>";
}

LogicalResult ProductAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                  StringAttr instruction, StringAttr rows,
                                  StringAttr columns, StringAttr summed,
                                  int64_t rowWarps, int64_t columnWarps, Source,
                                  Source) {
  if (!target::lookupInstruction(instruction))
    return emitError() << "no target has an instruction '"
                       << instruction.getValue() << "'";
  if (rows == columns || rows == summed || columns == summed)
    return emitError() << "rows, columns and summed are three axes; they are '"
                       << rows.getValue() << "', '" << columns.getValue()
                       << "' and '" << summed.getValue() << "'";
  if (rowWarps <= 0 || columnWarps <= 0)
    return emitError() << "'warps' are [" << rowWarps << ", " << columnWarps
                       << "]; each is at least 1";
  return success();
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

namespace {
/// The fields of a bound while it is read.
struct BoundFields {
  StringAttr axis;
  bool last = false;
  int64_t offset = 0, multiple = 1, divisor = 1;
  std::optional<int64_t> least, most;
};
} // namespace

/// Parses a number, or `first(q)` or `last(q)` with what is added to it.
static ParseResult parsePlace(AsmParser &parser, StringRef word,
                              BoundFields &fields) {
  fields.last = word == "last";
  if (parser.parseLParen() || parseName(parser, fields.axis))
    return failure();
  if (succeeded(parser.parseOptionalSlash()) &&
      parser.parseInteger(fields.divisor))
    return failure();
  if (parser.parseRParen())
    return failure();
  if (succeeded(parser.parseOptionalPlus()))
    return parser.parseInteger(fields.offset);
  // `- 3`: the sign belongs to the number.
  OptionalParseResult negative = parser.parseOptionalInteger(fields.offset);
  return failure(negative.has_value() && failed(*negative));
}

static ParseResult parseFields(AsmParser &parser, BoundFields &fields) {
  OptionalParseResult number = parser.parseOptionalInteger(fields.offset);
  if (number.has_value())
    return *number;
  StringRef word;
  SMLoc loc = parser.getCurrentLocation();
  if (failed(parser.parseOptionalKeyword(
          &word, {"first", "last", "floor", "max", "min"})))
    return parser.emitError(
        loc, "expected a number, 'first', 'last', 'floor', 'max' or 'min'");
  if (word == "first" || word == "last")
    return parsePlace(parser, word, fields);
  int64_t limit;
  if (parser.parseLParen() || parseFields(parser, fields) ||
      parser.parseComma() || parser.parseInteger(limit) || parser.parseRParen())
    return failure();
  bool inside = fields.most || (word != "min" && fields.least) ||
                (word == "floor" && fields.multiple != 1);
  if (inside)
    return parser.emitError(loc) << "'" << word
                                 << "' stands too far outside: a bound is "
                                    "min(max(floor(...)))";
  if (word == "floor")
    fields.multiple = limit;
  else
    (word == "max" ? fields.least : fields.most) = limit;
  return success();
}

BoundAttr napkin::ncd::parseBound(AsmParser &parser) {
  SMLoc start = parser.getCurrentLocation();
  BoundFields fields;
  if (parseFields(parser, fields))
    return {};
  return parser.getChecked<BoundAttr>(
      start, parser.getContext(), fields.axis, fields.last, fields.offset,
      fields.multiple, fields.least, fields.most, fields.divisor);
}

void napkin::ncd::printBound(AsmPrinter &printer, BoundAttr bound) {
  bool floors = bound.getMultiple() != 1;
  printer << (bound.getMost() ? "min(" : "") << (bound.getLeast() ? "max(" : "")
          << (floors ? "floor(" : "");
  int64_t offset = bound.getOffset();
  if (!bound.getAxis()) {
    printer << offset;
  } else {
    printer << (bound.getLast() ? "last(" : "first(")
            << bound.getAxis().getValue();
    if (bound.getDivisor() != 1)
      printer << " / " << bound.getDivisor();
    printer << ')';
  }
  if (bound.getAxis() && offset > 0)
    printer << " + " << offset;
  else if (bound.getAxis() && offset < 0)
    printer << " - " << -offset;
  if (floors)
    printer << ", " << bound.getMultiple() << ')';
  if (bound.getLeast())
    printer << ", " << *bound.getLeast() << ')';
  if (bound.getMost())
    printer << ", " << *bound.getMost() << ')';
}

Attribute BoundAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  BoundAttr bound = parseBound(parser);
  if (!bound || parser.parseGreater())
    return {};
  return bound;
}

void BoundAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printBound(printer, *this);
  printer << '>';
}

LogicalResult BoundAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                StringAttr, bool, int64_t, int64_t multiple,
                                std::optional<int64_t> least,
                                std::optional<int64_t> most, int64_t divisor) {
  if (divisor <= 0)
    return emitError() << "the position that a bound asks for is divided by at "
                          "least 1, not "
                       << divisor;
  if (multiple <= 0)
    return emitError() << "a bound is rounded down to a multiple of at least "
                          "1, not "
                       << multiple;
  if (least && most && *least > *most)
    return emitError() << "a bound is at least " << *least << " by 'max' and "
                       << "at most " << *most << " by 'min'; the first is the "
                       << "smaller one";
  return success();
}

int64_t BoundAttr::valueAt(int64_t position) const {
  int64_t value =
      (getAxis() ? llvm::divideFloorSigned(position, getDivisor()) : 0) +
      getOffset();
  value = llvm::divideFloorSigned(value, getMultiple()) * getMultiple();
  value = std::max(value, getLeast().value_or(value));
  return std::min(value, getMost().value_or(value));
}

Attribute SplitAttr::parse(AsmParser &parser, Type) {
  SMLoc start = parser.getCurrentLocation();
  StringAttr axis, parts;
  int64_t by;
  if (parser.parseLess() || parseName(parser, axis) ||
      parser.parseKeyword("by") || parser.parseInteger(by) ||
      parseField(parser, "parts") || parseName(parser, parts) ||
      parser.parseGreater())
    return {};
  return parser.getChecked<SplitAttr>(start, parser.getContext(), axis, by,
                                      parts);
}

void SplitAttr::print(AsmPrinter &printer) const {
  printer << '<' << getAxis().getValue() << " by " << getBy()
          << ", parts = " << getParts().getValue() << '>';
}

LogicalResult SplitAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                                StringAttr axis, int64_t by, StringAttr parts) {
  if (by <= 0)
    return emitError() << "a part of axis '" << axis.getValue() << "' has "
                       << by << " positions; give it at least 1";
  if (axis == parts)
    return emitError() << "the axis of the parts is called '"
                       << parts.getValue()
                       << "' like the axis that is split; name it otherwise";
  return success();
}

//===----------------------------------------------------------------------===//
// ViewAttr
//===----------------------------------------------------------------------===//

Attribute ViewAttr::parse(AsmParser &parser, Type) {
  if (parser.parseLess())
    return {};
  ViewAttr view = parseView(parser);
  if (!view || parser.parseGreater())
    return {};
  return view;
}

void ViewAttr::print(AsmPrinter &printer) const {
  printer << '<';
  printView(printer, *this);
  printer << '>';
}

ViewAttr napkin::ncd::parseView(AsmParser &parser) {
  int64_t from, within;
  SmallVector<int64_t> by;
  if (parser.parseKeyword("from") || parser.parseInteger(from) ||
      parser.parseKeyword("by") ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square, [&] {
        return parser.parseInteger(by.emplace_back());
      }))
    return {};
  std::optional<int64_t> operand;
  if (succeeded(parser.parseOptionalKeyword("within"))) {
    if (parser.parseInteger(within))
      return {};
    operand = within;
  }
  return ViewAttr::get(parser.getContext(), from, by, operand);
}

void napkin::ncd::printView(AsmPrinter &printer, ViewAttr view) {
  printer << "from " << view.getFrom() << " by [";
  llvm::interleaveComma(view.getBy(), printer);
  printer << ']';
  if (view.getWithin())
    printer << " within " << *view.getWithin();
}

//===----------------------------------------------------------------------===//
// Monoids
//===----------------------------------------------------------------------===//

TypedAttr napkin::ncd::identityOf(Monoid monoid, Type type) {
  Builder builder(type.getContext());
  if (auto floatType = dyn_cast<FloatType>(type)) {
    const llvm::fltSemantics &semantics = floatType.getFloatSemantics();
    switch (monoid) {
    case Monoid::Prod:
      return builder.getFloatAttr(type, 1.0);
    case Monoid::Max:
      return builder.getFloatAttr(
          type, llvm::APFloat::getInf(semantics, /*Negative=*/true));
    case Monoid::Min:
      return builder.getFloatAttr(type, llvm::APFloat::getInf(semantics));
    default:
      return builder.getFloatAttr(type, 0.0);
    }
  }
  unsigned width = type.getIntOrFloatBitWidth();
  switch (monoid) {
  case Monoid::Prod:
    return builder.getIntegerAttr(type, llvm::APInt(width, 1));
  case Monoid::Max:
    return builder.getIntegerAttr(type, llvm::APInt::getSignedMinValue(width));
  case Monoid::Min:
    return builder.getIntegerAttr(type, llvm::APInt::getSignedMaxValue(width));
  case Monoid::And:
    return builder.getIntegerAttr(type, llvm::APInt::getAllOnes(width));
  default:
    return builder.getIntegerAttr(type, llvm::APInt::getZero(width));
  }
}
