//===- NCDDecisions.cpp - what was decided, and why -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Syntax of the attributes in NCDDecisions.td.
//===----------------------------------------------------------------------===//

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "napkin/Dialect/NCD/IR/NCDAttrs.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace napkin::ncd;

/// Parses one of \p names as the enumerator \p value. \p what is for errors.
template <typename Enum, size_t count>
static ParseResult parseWord(AsmParser &parser,
                             const llvm::StringLiteral (&names)[count],
                             StringRef what, Enum &value) {
  StringRef word;
  SMLoc loc = parser.getCurrentLocation();
  if (parser.parseKeyword(&word))
    return failure();
  const auto *found = llvm::find(names, word);
  if (found == std::end(names))
    return parser.emitError(loc)
           << "unknown " << what << " '" << word << "'; known are "
           << llvm::join(ArrayRef(names), ", ");
  value = Enum(found - std::begin(names));
  return success();
}

//===----------------------------------------------------------------------===//
// Reasons
//===----------------------------------------------------------------------===//

Attribute ReasonAttr::parse(AsmParser &parser, Type) {
  Cause cause;
  SmallVector<int64_t> numbers;
  SmallVector<StringAttr> names;
  auto parseNumber = [&] {
    return parser.parseInteger(numbers.emplace_back());
  };
  if (parser.parseLess() || parseWord(parser, causeNames, "cause", cause) ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::OptionalSquare,
                                     parseNumber))
    return {};
  std::string name;
  while (succeeded(parser.parseOptionalString(&name))) {
    names.push_back(parser.getBuilder().getStringAttr(name));
    if (failed(parser.parseOptionalComma()))
      break;
  }
  if (parser.parseGreater())
    return {};
  return ReasonAttr::get(parser.getContext(), cause, numbers, names);
}

void ReasonAttr::print(AsmPrinter &printer) const {
  printer << '<' << causeNames[size_t(getCause())];
  if (!getNumbers().empty()) {
    printer << " [";
    llvm::interleaveComma(getNumbers(), printer);
    printer << ']';
  }
  if (!getNames().empty())
    printer << ' ';
  llvm::interleaveComma(getNames(), printer);
  printer << '>';
}

//===----------------------------------------------------------------------===//
// Decisions
//===----------------------------------------------------------------------===//

Attribute DecisionAttr::parse(AsmParser &parser, Type) {
  Subject subject;
  std::string name;
  int64_t size = 0;
  SmallVector<ReasonAttr> reasons;
  auto parseReason = [&] {
    reasons.push_back(
        dyn_cast_or_null<ReasonAttr>(ReasonAttr::parse(parser, Type())));
    return success(reasons.back() != nullptr);
  };
  if (parser.parseLess() || parseWord(parser, subjectNames, "subject", subject))
    return {};
  (void)parser.parseOptionalString(&name);
  if (succeeded(parser.parseOptionalEqual()) && parser.parseInteger(size))
    return {};
  if (parser.parseComma() ||
      parser.parseCommaSeparatedList(AsmParser::Delimiter::Square,
                                     parseReason) ||
      parser.parseGreater())
    return {};
  return DecisionAttr::get(parser.getContext(), subject,
                           parser.getBuilder().getStringAttr(name), size,
                           reasons);
}

void DecisionAttr::print(AsmPrinter &printer) const {
  printer << '<' << subjectNames[size_t(getSubject())];
  if (!getName().empty())
    printer << ' ' << getName();
  if (getSize())
    printer << " = " << getSize();
  printer << ", [";
  llvm::interleaveComma(getReasons(), printer,
                        [&](ReasonAttr reason) { reason.print(printer); });
  printer << "]>";
}

//===----------------------------------------------------------------------===//
// Accounts
//===----------------------------------------------------------------------===//

SmallVector<DecisionAttr> AccountAttr::allDecisions() const {
  SmallVector<DecisionAttr> result;
  if (getDecisions())
    for (Attribute one : getDecisions())
      if (auto decision = dyn_cast<DecisionAttr>(one))
        result.push_back(decision);
  return result;
}
