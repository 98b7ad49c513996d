//===- CoreTests.cpp - Expressions, bounds and known traps ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Uniquing and guards; intervals; and inputs on which simpler rules than ours
// (evaluate as written with partial results, gauge only against overflow,
// distribute every difference) give 0, infinity or noise.
//
//===----------------------------------------------------------------------===//

#include "Cases.h"
#include "napkin/Algebra/NormalForm.h"
#include "gtest/gtest.h"

using namespace napkin::algebra;
using namespace napkin::algebra::test;

namespace {

StreamPlan planOf(Cascade &cascade) {
  PlanRefusal refusal;
  std::optional<StreamPlan> plan = deriveStreamPlan(
      cascade.context, cascade.outputs, cascade.x, {}, refusal);
  EXPECT_TRUE(plan.has_value()) << refusal.message;
  return plan ? *plan : StreamPlan();
}

TEST(AlgebraExpr, EqualTermsAreOneNode) {
  Cascade c;
  ExprContext &m = c.context;
  EXPECT_EQ(m.add(c.X, c.Y), m.add(c.X, c.Y));
  EXPECT_NE(m.add(c.X, c.Y), m.add(c.Y, c.X));
  EXPECT_EQ(m.mul(c.X, c.c(1)), c.X);
  EXPECT_EQ(m.add(c.c(0), c.X), c.X);
  EXPECT_EQ(m.add(c.c(2), c.c(3)), c.c(5));
  EXPECT_EQ(c.c(0.0), c.c(-0.0));
  EXPECT_EQ(print(m, m.exp(m.sub(c.X, c.Y))), "exp((X-Y))");
}

TEST(AlgebraExpr, GuardsAreRecognisedInAnySpelling) {
  Cascade c;
  ExprContext &m = c.context;
  Expr none = c.c(-kInfinity), zero = c.c(0), r = c.max(c.x, c.X);
  Expr guard = m.guard(r);
  EXPECT_EQ(m.select(m.compare(Comparison::GT, r, none), r, zero), guard);
  EXPECT_EQ(m.select(m.compare(Comparison::NE, r, none), r, zero), guard);
  EXPECT_EQ(m.select(m.compare(Comparison::EQ, r, none), zero, r), guard);
  EXPECT_EQ(m.select(m.compare(Comparison::LT, none, r), r, zero), guard);
  EXPECT_NE(m.select(m.compare(Comparison::GT, r, zero), r, zero), guard);
}

TEST(AlgebraExpr, RoundingTwiceIsRoundingOnce) {
  Cascade c;
  ExprContext &m = c.context;
  Expr stored =
      m.input("S", axisBit(c.x), -kInfinity, kInfinity, Rounding::BF16);
  EXPECT_EQ(m.round(stored, Rounding::BF16), stored);
  EXPECT_NE(m.round(stored, Rounding::F16), stored);
  Expr largest = c.max(c.x, stored);
  EXPECT_EQ(m.round(largest, Rounding::BF16), largest);
}

TEST(AlgebraExpr, PrintingIsBounded) {
  Cascade c;
  Expr e = c.X;
  for (int i = 0; i < 200; ++i)
    e = c.context.mul(e, e);
  EXPECT_LT(print(c.context, e).size(), 10000u);
}

TEST(AlgebraInterval, BoundsFollowTheLaws) {
  Cascade c;
  ExprContext &m = c.context;
  Normalizer n(m, c.x, 10);
  EXPECT_EQ(n.range(c.X).high, 1024);
  EXPECT_EQ(n.range(m.mul(c.X, c.X)).low, 0);
  EXPECT_EQ(n.range(m.scale(30, c.tanh(c.X))).magnitude(), 30);
  Interval e = n.range(m.div(c.c(1), m.add(c.c(1), m.exp(c.X))));
  EXPECT_GE(e.low, 0);
  EXPECT_LE(e.high, 1);
  // A masking -inf is an exact zero of the exponential, not a bound.
  Expr masked = m.select(m.compare(Comparison::LT, m.index(c.x), c.c(4)),
                         c.tanh(c.X), c.c(-kInfinity));
  EXPECT_EQ(n.range(masked).low, -1);
}

TEST(AlgebraTraps, SumThatUnderflowsIsGaugedToo) {
  // All exponents in [-1681, -1600]: ungauged, both sums are 0.
  Cascade c;
  Expr e = c.context.exp(c.X);
  c.outputs = {c.sum(c.x, c.context.mul(c.context.div(e, c.sum(c.x, e)), c.G))};
  StreamPlan plan = planOf(c);
  llvm::StringMap<Signal> signals;
  signals["X"] = [](int64_t i) { return -std::pow(40 + i / 96.0, 2); };
  EXPECT_NEAR(streamSignals(c, plan, signals, 16), 1, 1e-5);
}

TEST(AlgebraTraps, PartialResultsDoNotDominate) {
  // The mean of the first chunk is far below one of its elements, so that
  // exp(x - partial mean) overflows; the whole is finite.
  Cascade c;
  ExprContext &m = c.context;
  Expr e = m.exp(m.sub(c.X, c.mean(c.X)));
  c.outputs = {m.make(Kind::Log, {c.sum(c.x, e)})};
  StreamPlan plan = planOf(c);
  llvm::StringMap<Signal> signals;
  signals["X"] = [](int64_t i) { return i < 15 ? 0.0 : i == 15 ? 140 : 80; };
  double mean = (140 + 80 * 80.0) / 96;
  EXPECT_NEAR(streamSignals(c, plan, signals, 16), 140 - mean, 1e-3);
}

TEST(AlgebraTraps, ChunkOfZerosUnderAnAbsoluteMaximum) {
  Cascade c;
  ExprContext &m = c.context;
  Expr a = c.max(c.x, m.make(Kind::Abs, {c.X}));
  Expr z = m.div(c.X, a);
  c.outputs = {m.mul(a, m.make(Kind::Sqrt, {c.sum(c.x, m.mul(z, z))}))};
  PlanRefusal refusal;
  PlanOptions options;
  options.inputBoundLog2 = 120;
  auto plan = deriveStreamPlan(m, c.outputs, c.x, options, refusal);
  ASSERT_TRUE(plan);
  llvm::StringMap<Signal> signals;
  signals["X"] = [](int64_t i) { return i < 48 ? 0 : 1e25; };
  EXPECT_NEAR(streamSignals(c, *plan, signals, 16) / 1e25, std::sqrt(48.0),
              1e-4);
}

TEST(AlgebraTraps, VarianceAroundALargeMean) {
  Cascade c;
  c.outputs = {c.variance(c.X)};
  StreamPlan plan = planOf(c);
  llvm::StringMap<Signal> signals;
  signals["X"] = [](int64_t i) { return 1e4 + (i % 2 ? 1 : -1); };
  for (int64_t chunk : {1, 7, 96})
    EXPECT_NEAR(streamSignals(c, plan, signals, chunk), 1, 1e-5);
}

TEST(AlgebraTraps, ReferenceOfAGaugeIsAMember) {
  // Any reference is exact: a schedule may let it lag, or start from a guess.
  Cascade c;
  c.outputs = {c.sum(c.x, c.context.mul(c.softmax(c.X), c.G))};
  StreamPlan plan = planOf(c);
  ASSERT_EQ(plan.members.size(), 3u);
  EXPECT_EQ(plan.members[0].description, "a0 = max_x X");
  llvm::StringMap<Signal> signals;
  signals["X"] = [](int64_t i) { return std::sin(double(i)); };
  signals["G"] = [](int64_t i) { return double(i); };
  double expected = streamSignals(c, plan, signals, 16);
  for (double reference : {-4.0, 0.0, 8.0})
    EXPECT_NEAR(streamSignals(c, plan, signals, 16, {reference, 0, 0}),
                expected, 1e-4 * expected);
}

TEST(AlgebraTraps, NoGaugeOnAFactorOfARoundedProduct) {
  // relu(s)^p / sum relu^p, rounded, times v: whatever is assumed of scores and
  // values, v stays the array that it is.
  for (int power : {2, 3, 4, 8}) {
    Cascade c;
    ExprContext &m = c.context;
    Expr g = m.max(c.scores(), c.c(0)), weight = g;
    for (int i = 1; i < power; ++i)
      weight = m.mul(weight, g);
    Expr p = m.div(weight, m.add(c.sum(c.x, weight), c.c(1e-6)));
    c.outputs = {c.sum(c.x, m.mul(m.round(p, Rounding::BF16), c.V))};
    StreamPlan plan = planOf(c);
    EXPECT_EQ(plan.members.size(), 2u) << power;
    for (const PlanMember &member : plan.members)
      EXPECT_EQ(member.gauge, "") << member.description;
    bool proven = true;
    for (const std::string &note : plan.notes)
      proven &= note.find("not proven") == std::string::npos;
    EXPECT_EQ(proven, power < 3) << power; // and what is not, is said
  }
}

TEST(AlgebraTraps, AMaskCoversWhatItIsWrittenAround) {
  // select(seen, p, 0) * g keeps a NaN of g that select(seen, p * g, 0) hides.
  for (bool around : {false, true}) {
    Cascade c;
    ExprContext &m = c.context;
    Expr seen = m.compare(Comparison::LT, m.index(c.x), c.c(48));
    Expr e = m.exp(m.sub(c.X, c.max(c.x, c.X))), zero = c.c(0);
    Expr term = around ? m.select(seen, m.mul(e, c.G), zero)
                       : m.mul(m.select(seen, e, zero), c.G);
    c.outputs = {c.sum(c.x, term)};
    StreamPlan plan = planOf(c);
    llvm::StringMap<Signal> signals;
    signals["G"] = [](int64_t i) { return i == 60 ? std::nan("") : 1; };
    double value = streamSignals(c, plan, signals, 16);
    EXPECT_EQ(std::isnan(value), !around);
    EXPECT_EQ(std::isnan(plainSignals(c, signals)), !around);
    if (around)
      EXPECT_EQ(value, 48);
  }
}

TEST(AlgebraTraps, PureSumsAreNotTakenApart) {
  Cascade c;
  c.outputs = {c.sum(c.x, c.context.sub(c.X, c.Y))};
  StreamPlan plan = planOf(c);
  ASSERT_EQ(plan.members.size(), 1u);
  EXPECT_EQ(plan.members[0].description, "a0 = sum_x (X-Y)");
}

TEST(AlgebraTraps, ManyAddendsAreRefusedNotExpanded) {
  // (x + r)^8 with distinct r: 2^8 products.
  Cascade c;
  ExprContext &m = c.context;
  Expr product = c.c(1);
  for (int i = 1; i <= 8; ++i) {
    Expr power = c.X;
    for (int j = 1; j < i; ++j)
      power = m.mul(power, c.tanh(c.Y));
    product = m.mul(product, m.add(m.call("f" + std::to_string(i), c.X),
                                   c.sum(c.x, power)));
  }
  c.outputs = {c.sum(c.x, product)};
  PlanRefusal refusal;
  EXPECT_FALSE(deriveStreamPlan(m, c.outputs, c.x, {}, refusal));
  EXPECT_NE(refusal.message.find("more than 64 products"), std::string::npos)
      << refusal.message;
}

} // namespace
