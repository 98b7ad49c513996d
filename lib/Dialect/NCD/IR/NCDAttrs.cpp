//===- NCDAttrs.cpp - attributes of the ncd dialect -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Syntax and checks of partitions, and the identities of the named monoids.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/NCDAttrs.h"
#include "AxisSyntax.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "napkin/Dialect/NCD/IR/NCDDialect.h"
#include "llvm/ADT/TypeSwitch.h"

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
