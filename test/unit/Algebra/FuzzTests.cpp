//===- FuzzTests.cpp - Random cascades, streamed and plain ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cascades of two or three reductions over random terms. Whatever is not
// refused must agree with the text in double precision, for any chunk split and
// merge tree.
//
//===----------------------------------------------------------------------===//

#include "Harness.h"
#include "gtest/gtest.h"
#include <cstdio>
#include <cstdlib>
#include <functional>

using namespace napkin::algebra;
using namespace napkin::algebra::test;

namespace {

struct Random {
  std::mt19937_64 generator;
  double uniform(double low, double high) {
    double u = (generator() >> 11) * 0x1p-53;
    return low + (high - low) * u;
  }
  int below(int n) { return int(uniform(0, n)); }
  double constant(double low, double high) {
    return std::round(uniform(low, high) * 100) / 100;
  }
};

class Terms {
public:
  Terms(Cascade &cascade, Random &random) : c(cascade), random(random) {}

  void fill() {
    for (int i = 0, n = 2 + random.below(2); i < n; ++i) {
      Expr body = term(3);
      if (!carries(body, c.x))
        body = c.context.mul(body, c.X);
      static constexpr Monoid monoids[] = {
          Monoid::Sum, Monoid::Sum, Monoid::Sum, Monoid::Max, Monoid::Min};
      Monoid monoid = monoids[random.below(5)];
      Expr r = c.context.reduce(monoid, c.x, body);
      results.push_back(monoid == Monoid::Sum ? c.context.div(r, c.count) : r);
    }
    c.outputs = {results.back()};
  }

private:
  Expr leaf(bool streamed) {
    if (!streamed)
      return results.empty() ? c.c(0.7) : results[random.below(results.size())];
    switch (random.below(6)) {
    case 1:
      return c.Y;
    case 2:
      return c.G;
    case 3:
      return c.c(random.constant(0.3, 2));
    case 4:
      return c.context.scale(0.01, c.context.index(c.x));
    default:
      return c.X;
    }
  }

  Expr term(int depth) {
    ExprContext &m = c.context;
    int kind = random.below(15);
    if (depth == 0 || kind < 3)
      return leaf(random.uniform(0, 1) < 0.6);
    Expr a = term(depth - 1);
    if (kind < 5)
      return m.add(a, term(depth - 1));
    if (kind < 6)
      return m.sub(a, term(depth - 1));
    if (kind < 9)
      return m.mul(a, term(depth - 1));
    switch (kind) {
    case 9: {
      Expr b = leaf(random.uniform(0, 1) < 0.5);
      return m.div(a, m.add(c.c(1), m.mul(b, b)));
    }
    case 10: {
      Expr x = m.scale(random.constant(0.5, 3), c.tanh(leaf(true)));
      return m.exp(m.sub(x, m.scale(0.1, leaf(false))));
    }
    case 11: {
      Expr x = leaf(true);
      return m.exp(m.sub(x, leaf(false)));
    }
    case 12: {
      Expr last = c.c(1 + random.below(89));
      return m.select(m.compare(Comparison::LT, m.index(c.x), last), a,
                      term(depth - 1));
    }
    case 13:
      return m.neg(a);
    default:
      return m.make(Kind::Sqrt, {m.make(Kind::Abs, {a})});
    }
  }

  Cascade &c;
  Random &random;
  std::vector<Expr> results;
};

TEST(AlgebraFuzz, RandomCascadesAgree) {
  const char *count = std::getenv("NAPKIN_FUZZ_COUNT");
  const char *first = std::getenv("NAPKIN_FUZZ_SEED");
  int accepted = 0, refused = 0, skipped = 0;
  int begin = first ? std::atoi(first) : 0, n = count ? std::atoi(count) : 3000;
  for (int seed = begin; seed < begin + n; ++seed) {
    Random random{std::mt19937_64(seed)};
    Cascade cascade;
    Terms(cascade, random).fill();
    if (first && n == 1)
      std::fprintf(stderr, "%s\n",
                   print(cascade.context, cascade.outputs[0]).c_str());
    PlanRefusal refusal;
    std::optional<StreamPlan> plan = deriveStreamPlan(
        cascade.context, cascade.outputs, cascade.x, {}, refusal);
    if (!plan) {
      EXPECT_NE(refusal.message.find("axis x, r"), std::string::npos);
      EXPECT_TRUE(refusal.reduction && refusal.expr);
      ++refused;
      continue;
    }
    double scale = 0;
    bool finite = true;
    double error =
        runExact(cascade, *plan, Data(seed % 4), seed, scale, finite);
    // Results beyond 1e12 or about 0 are cancellations, not sums.
    if (!(scale > 1e-12) || scale > 1e30) {
      ++skipped;
      continue;
    }
    ++accepted;
    EXPECT_TRUE(finite) << "seed " << seed << ": "
                        << print(cascade.context, cascade.outputs[0]);
    EXPECT_LE(error, 1e-6) << "seed " << seed << ": "
                           << print(cascade.context, cascade.outputs[0]);
  }
  std::printf("random cascades: %d accepted, %d refused, %d skipped\n",
              accepted, refused, skipped);
  EXPECT_GT(accepted, n / 2);
}

} // namespace
