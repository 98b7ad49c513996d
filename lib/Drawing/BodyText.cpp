//===- BodyText.cpp - the body of a map as a formula ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints by precedence; what has no operator of its own is a call of the
// operation's name.
//===----------------------------------------------------------------------===//

#include "BodyText.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/ADT/TypeSwitch.h"
#include <fmt/format.h>

using namespace mlir;
using namespace napkin;

namespace {
/// How strongly a formula binds: what stands beside an operator of a higher
/// rank needs parentheses.
enum Rank { Choice = 0, Comparison = 1, Sum = 2, Product = 3, Whole = 4 };

struct Formula {
  std::string text;
  Rank rank = Whole;

  std::string within(Rank least) const {
    return rank < least ? "(" + text + ")" : text;
  }
};

class BodyPrinter {
public:
  Formula print(Value value);

private:
  Formula printOperator(Operation *op, StringRef sign, Rank rank);
  Formula printCall(Operation *op);
  Formula printComparison(Operation *op, StringRef predicate);
};
} // namespace

/// Numbers as a person writes them.
static std::string numberText(Attribute value) {
  if (auto number = dyn_cast<FloatAttr>(value)) {
    double real = number.getValueAsDouble();
    if (std::isinf(real))
      return real < 0 ? "-∞" : "∞";
    return fmt::format("{:.6g}", real);
  }
  if (auto integer = dyn_cast<IntegerAttr>(value))
    return fmt::format("{}", integer.getValue().getSExtValue());
  return "?";
}

Formula BodyPrinter::printOperator(Operation *op, StringRef sign, Rank rank) {
  // What is taken away or divided by needs parentheses at equal rank.
  auto above = static_cast<Rank>(rank + 1);
  return {fmt::format("{} {} {}", print(op->getOperand(0)).within(rank),
                      sign.str(), print(op->getOperand(1)).within(above)),
          rank};
}

Formula BodyPrinter::printCall(Operation *op) {
  std::string text = op->getName().stripDialect().str() + "(";
  for (auto [index, operand] : llvm::enumerate(op->getOperands()))
    text += (index ? ", " : "") + print(operand).text;
  return {text + ")", Whole};
}

Formula BodyPrinter::printComparison(Operation *op, StringRef predicate) {
  // The letters before are whether order or signs count: ult, slt, olt.
  StringRef sign = llvm::StringSwitch<StringRef>(predicate.take_back(2))
                       .Case("lt", "<")
                       .Case("le", "≤")
                       .Case("gt", ">")
                       .Case("ge", "≥")
                       .Case("eq", "=")
                       .Case("ne", "≠")
                       .Default(predicate);
  return printOperator(op, sign, Comparison);
}

Formula BodyPrinter::print(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    unsigned number = argument.getArgNumber();
    return {number < 26 ? std::string(1, static_cast<char>('a' + number))
                        : fmt::format("a{}", number)};
  }
  Attribute constant;
  if (matchPattern(value, m_Constant(&constant)))
    return {numberText(constant)};
  Operation *op = value.getDefiningOp();
  return llvm::TypeSwitch<Operation *, Formula>(op)
      .Case<ncd::IndexOp>(
          [](auto index) { return Formula{"#" + index.getAxis().str()}; })
      .Case<arith::AddFOp, arith::AddIOp>(
          [&](auto) { return printOperator(op, "+", Sum); })
      .Case<arith::SubFOp, arith::SubIOp>(
          [&](auto) { return printOperator(op, "-", Sum); })
      .Case<arith::MulFOp, arith::MulIOp>(
          [&](auto) { return printOperator(op, "·", Product); })
      .Case<arith::DivFOp, arith::DivSIOp, arith::DivUIOp>(
          [&](auto) { return printOperator(op, "/", Product); })
      .Case<arith::NegFOp>([&](auto) {
        return Formula{"-" + print(op->getOperand(0)).within(Product), Sum};
      })
      .Case<arith::CmpFOp, arith::CmpIOp>([&](auto comparison) {
        return printComparison(op, stringifyEnum(comparison.getPredicate()));
      })
      .Case<arith::SelectOp>([&](auto select) {
        return Formula{
            fmt::format("{} ? {} : {}",
                        print(select.getCondition()).within(Comparison),
                        print(select.getTrueValue()).within(Comparison),
                        print(select.getFalseValue()).within(Choice)),
            Choice};
      })
      .Case<arith::MaximumFOp, arith::MaxNumFOp, arith::MaxSIOp>([&](auto) {
        return Formula{fmt::format("max({}, {})", print(op->getOperand(0)).text,
                                   print(op->getOperand(1)).text)};
      })
      .Case<arith::MinimumFOp, arith::MinNumFOp, arith::MinSIOp>([&](auto) {
        return Formula{fmt::format("min({}, {})", print(op->getOperand(0)).text,
                                   print(op->getOperand(1)).text)};
      })
      .Case<arith::TruncFOp, arith::ExtFOp, arith::SIToFPOp, arith::UIToFPOp,
            arith::IndexCastOp, arith::ExtSIOp, arith::ExtUIOp>(
          [&](auto) { return print(op->getOperand(0)); })
      .Default([&](Operation *) { return printCall(op); });
}

std::string napkin::drawing::bodyText(ncd::MapOp map, size_t limit) {
  std::string text = BodyPrinter().print(map.getYielded()).text;
  if (text.size() <= limit)
    return text;
  size_t cut = limit - 1;
  // Not inside a character of several bytes.
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80)
    --cut;
  return text.substr(0, cut) + "…";
}
