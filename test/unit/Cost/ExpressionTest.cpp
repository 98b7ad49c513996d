//===- ExpressionTest.cpp - symbolic arithmetic -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Printing, exact evaluation and overflow of cost expressions.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Expression.h"
#include "gtest/gtest.h"

using namespace napkin::cost;

static Expression sym(llvm::StringRef name) { return Expression::symbol(name); }

static std::string errorOf(llvm::Expected<int64_t> value) {
  return value ? "" : llvm::toString(value.takeError());
}

TEST(Expression, CollectsEqualProductsInAnyOrder) {
  Expression sum = sym("q") * sym("d") + sym("d") * sym("q");
  EXPECT_EQ(sum.str(), "2·q·d");
  EXPECT_EQ(sum, Expression::constant(2) * sym("d") * sym("q"));
  EXPECT_TRUE((sum + Expression::constant(-2) * sym("q") * sym("d")).isZero());
}

TEST(Expression, PrintsRepeatedTermsFirst) {
  Expression sum = sym("q") + sym("x") * Expression::ceilDivision("q", "g_q");
  EXPECT_EQ(sum.str(), "x·⌈q/g_q⌉ + q");
  EXPECT_EQ(sum.smooth().str(), "x·q/g_q + q");
}

TEST(Expression, EvaluatesCeilingsExactly) {
  Bindings values;
  values["q"] = 511;
  values["g_q"] = 128;
  values["x"] = 777;
  Expression sum = sym("x") * Expression::ceilDivision("q", "g_q");
  EXPECT_EQ(llvm::cantFail(sum.evaluate(values)), 4 * 777);
  EXPECT_NE(errorOf(sum.smooth().evaluate(values)), "");
  values["q"] = 512;
  EXPECT_EQ(llvm::cantFail(sum.smooth().evaluate(values)), 4 * 777);
}

TEST(Expression, SaysWhatIsMissing) {
  Bindings values;
  EXPECT_EQ(errorOf(sym("x").evaluate(values)), "the symbol 'x' has no value");
  values["x"] = 0;
  EXPECT_EQ(errorOf(sym("x").evaluate(values)),
            "the symbol 'x' must be positive, but is 0");
}

TEST(Expression, DetectsOverflow) {
  Bindings values;
  values["x"] = int64_t(1) << 32;
  EXPECT_EQ(errorOf((sym("x") * sym("x")).evaluate(values)),
            "'x²' does not fit in 64 bits");
  Expression big = Expression::constant(INT64_MAX);
  EXPECT_TRUE((big * big).overflowed());
  EXPECT_EQ((big * big).str(), "overflow");
  EXPECT_NE(errorOf((big + big).evaluate(values)), "");
}

TEST(Expression, RootsStayExact) {
  Monomial four(4), two(2);
  EXPECT_EQ(four.power(*Rational::get(1, 2)).str(), "2");
  EXPECT_EQ(two.power(*Rational::get(1, 2)).str(), "√2");
  Monomial root = two.power(*Rational::get(1, 2));
  Expression product = Expression(root * sym("M").terms()[0]);
  Bindings values;
  values["M"] = 3;
  EXPECT_NEAR(llvm::cantFail(product.evaluateReal(values)), 4.2426, 1e-4);
  EXPECT_NE(errorOf(product.evaluate(values)), "");
  EXPECT_TRUE(Monomial(-1).power(*Rational::get(1, 2)).overflowed());
}

TEST(Expression, LeadingOrderDropsWhatAnAxisExceeds) {
  Expression memory = Expression::constant(2) * sym("g_q") * sym("d") +
                      Expression::constant(3) * sym("g_q");
  EXPECT_EQ(memory.leading().str(), "2·g_q·d");
}

TEST(Expression, SubstituteOpensCeilings) {
  Expression trips = Expression::ceilDivision("q", "g_q") * sym("x");
  EXPECT_EQ(trips.substitute("g_q", Monomial(64)).str(), "q·x/64");
}
