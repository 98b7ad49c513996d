//===- ExtremeTests.cpp - Huge, infinite and undefined scores ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What docs/algebra.md promises of a softmax and its kin: any finite scores
// give what the text gives, whatever their size and order; a NaN or +inf makes
// its row NaN; -inf alone gives nothing.
//
//===----------------------------------------------------------------------===//

#include "Cases.h"
#include "gtest/gtest.h"
#include <cfloat>

using namespace napkin::algebra;
using namespace napkin::algebra::test;

namespace {

const double infinite = kInfinity, undefined = std::nan("");

Expr logsumexp(Cascade &c, Expr t) {
  ExprContext &m = c.context;
  Expr top = m.guard(c.max(c.x, t));
  return m.add(top, m.make(Kind::Log, {c.sum(c.x, m.exp(m.sub(t, top)))}));
}

/// Softmax as the dialect defines it, with an extra logit outside of the stream
/// where `sink` is given.
Expr weights(Cascade &c, Expr t, Expr sink = nullptr) {
  ExprContext &m = c.context;
  Expr top = c.max(c.x, t);
  top = sink ? m.max(top, sink) : m.guard(top);
  Expr e = m.exp(m.sub(t, top)), l = c.sum(c.x, e);
  if (sink)
    l = m.add(l, m.exp(m.sub(sink, top)));
  else
    l = m.select(m.compare(Comparison::EQ, l, c.c(0)), c.c(1), l);
  return m.div(e, l);
}

Expr attention(Cascade &c, Expr p) { return c.sum(c.x, c.context.mul(p, c.G)); }

Expr sinkOf(Cascade &c) { return c.input("S", {c.q}); }

Expr seen(Cascade &c) {
  return c.context.compare(Comparison::GE, c.context.index(c.x), c.c(48));
}

/// The cascades that every row of scores runs through.
struct Form {
  const char *name;
  Expr (*build)(Cascade &);
  /// Relative error that is allowed: more where the weights are rounded.
  double tolerance = 2e-6;
};

const Form forms[] = {
    {"attention", [](Cascade &c) { return attention(c, weights(c, c.X)); }},
    {"scaled",
     [](Cascade &c) {
       return attention(c, weights(c, c.context.scale(0.125, c.X)));
     }},
    {"base two",
     [](Cascade &c) {
       ExprContext &m = c.context;
       Expr top = m.guard(c.max(c.x, c.X));
       Expr e = m.exp2(m.sub(c.X, top));
       return m.div(attention(c, e), c.sum(c.x, e));
     }},
    {"biased",
     [](Cascade &c) {
       return attention(
           c, weights(c, c.context.add(c.context.scale(0.5, c.Y), c.X)));
     }},
    {"rounded",
     [](Cascade &c) {
       return attention(c, c.context.round(weights(c, c.X), Rounding::F16));
     },
     2e-3},
    {"logsumexp", [](Cascade &c) { return logsumexp(c, c.X); }},
    {"sink",
     [](Cascade &c) { return attention(c, weights(c, c.X, sinkOf(c))); }},
    {"scaled sink",
     [](Cascade &c) {
       return attention(c, weights(c, c.context.scale(0.125, c.X), sinkOf(c)));
     }},
    {"masked after the exponential",
     [](Cascade &c) {
       ExprContext &m = c.context;
       Expr e = m.exp(m.sub(c.X, m.guard(c.max(c.x, c.X))));
       Expr p = m.select(seen(c), e, c.c(0));
       return m.div(attention(c, p), c.sum(c.x, p));
     }},
};

/// Rows of 96 scores.
struct Row {
  std::string name;
  Signal scores;
};

std::vector<Row> rows() {
  std::vector<Row> result;
  auto score = [](int64_t i) { return std::sin(double(i)) * 3; };
  for (double hidden :
       {-1e4, -1e9, -1e10, -1e12, -1e20, -1e30, -double(FLT_MAX), 1e9, 1e12,
        1e30, double(FLT_MAX), 3.1e7, 0.0}) {
    std::string by = " " + std::to_string(hidden);
    result.push_back({"all" + by, [=](int64_t) { return hidden; }});
    result.push_back(
        {"left" + by, [=](int64_t i) { return i < 50 ? hidden : score(i); }});
    result.push_back(
        {"right" + by, [=](int64_t i) { return i >= 50 ? hidden : score(i); }});
    result.push_back({"window" + by, [=](int64_t i) {
                        return i < 30 || i > 60 ? hidden : score(i);
                      }});
    result.push_back({"sum" + by, [=](int64_t i) {
                        return double(float(hidden + score(i)));
                      }});
    result.push_back({"left and -inf" + by, [=](int64_t i) {
                        return i < 20 ? -infinite : i < 50 ? hidden : score(i);
                      }});
    result.push_back(
        {"neighbours" + by, [=](int64_t i) {
           return i % 3 ? hidden
                        : double(std::nextafterf(float(hidden), -3.0e38f));
         }});
  }
  result.push_back({"both ends", [](int64_t i) {
                      return (i % 2 ? 1 : -1) * double(FLT_MAX);
                    }});
  result.push_back({"growing", [](int64_t i) { return std::pow(2.5, i); }});
  result.push_back({"falling", [](int64_t i) { return -std::pow(2.4, i); }});
  return result;
}

TEST(AlgebraExtremes, FiniteScoresOfAnySizeGiveWhatTheTextGives) {
  for (const Form &form : forms) {
    Cascade c;
    c.outputs = {form.build(c)};
    PlanRefusal refusal;
    auto plan = deriveStreamPlan(c.context, c.outputs, c.x, {}, refusal);
    ASSERT_TRUE(plan) << form.name << ": " << refusal.message;
    bool hasSink = llvm::StringRef(form.name).contains("sink");
    for (const Row &row : rows())
      for (float sink : {0.0f, -300.0f, -1e30f}) {
        if (sink != 0 && !hasSink)
          continue;
        llvm::StringMap<Signal> signals;
        signals["X"] = [&](int64_t i) { return float(row.scores(i)); };
        signals["Y"] = [](int64_t) { return 0; };
        signals["G"] = [](int64_t i) { return 1 + 0.01 * double(i); };
        signals["S"] = [=](int64_t) { return sink; };
        double expected = plainSignals(c, signals);
        double bound = form.tolerance * std::max(1.0, std::fabs(expected));
        for (int64_t chunk : {16, 96})
          for (double value : {streamSignals(c, *plan, signals, chunk),
                               mergeSignals(c, *plan, signals, chunk)}) {
            if (std::isnan(expected)) // 0 / 0 of a row masked as a whole
              continue;
            if (std::isinf(expected) || std::fabs(expected) > FLT_MAX)
              EXPECT_EQ(value, float(expected));
            else
              EXPECT_NEAR(value, expected, bound)
                  << form.name << ", " << row.name << ", sink " << sink
                  << ", chunks of " << chunk;
          }
      }
  }
}

TEST(AlgebraExtremes, UndefinedAndInfiniteScoresMakeTheirRowUndefined) {
  for (const Form &form : forms) {
    Cascade c;
    c.outputs = {form.build(c)};
    PlanRefusal refusal;
    auto plan = deriveStreamPlan(c.context, c.outputs, c.x, {}, refusal);
    ASSERT_TRUE(plan) << form.name << ": " << refusal.message;
    for (double special : {undefined, infinite})
      for (int64_t at : {50, 63, 64, 95})
        for (double others : {0.5, -infinite, -1e30}) {
          llvm::StringMap<Signal> signals;
          signals["X"] = [=](int64_t i) { return i == at ? special : others; };
          for (int64_t chunk : {16, 96}) {
            EXPECT_TRUE(std::isnan(streamSignals(c, *plan, signals, chunk)))
                << form.name << ", " << special << " at " << at << ", others "
                << others << ", chunks of " << chunk;
            EXPECT_TRUE(std::isnan(mergeSignals(c, *plan, signals, chunk)))
                << form.name << ", merged";
          }
        }
  }
}

TEST(AlgebraExtremes, NothingSeenGivesNothing) {
  auto valueOf = [](Expr (*build)(Cascade &), double sink) {
    Cascade c;
    c.outputs = {build(c)};
    PlanRefusal refusal;
    auto plan = deriveStreamPlan(c.context, c.outputs, c.x, {}, refusal);
    EXPECT_TRUE(plan) << refusal.message;
    llvm::StringMap<Signal> signals;
    signals["X"] = [](int64_t) { return -infinite; };
    signals["S"] = [=](int64_t) { return sink; };
    return streamSignals(c, *plan, signals, 16);
  };
  EXPECT_EQ(valueOf(forms[0].build, 0), 0);
  EXPECT_EQ(valueOf([](Cascade &c) { return logsumexp(c, c.X); }, 0),
            -infinite);
  // With a sink its logit is all there is.
  for (double sink : {0.0, -178.0, -1e4, -1e30, 1e30}) {
    EXPECT_EQ(valueOf(forms[6].build, sink), 0) << sink;
    EXPECT_EQ(valueOf(
                  [](Cascade &c) {
                    ExprContext &m = c.context;
                    Expr s = sinkOf(c), top = m.max(c.max(c.x, c.X), s);
                    Expr l = m.add(c.sum(c.x, m.exp(m.sub(c.X, top))),
                                   m.exp(m.sub(s, top)));
                    return m.add(m.make(Kind::Log, {l}), top);
                  },
                  sink),
              float(sink));
  }
}

TEST(AlgebraExtremes, NoAssumptionReplacesTheMaximum) {
  // |input| <= 2^32 would keep 1e-9 * X within 5, but X may be any float.
  Cascade c;
  c.outputs = {attention(c, weights(c, c.context.scale(1e-9, c.X)))};
  PlanRefusal refusal;
  auto plan = deriveStreamPlan(c.context, c.outputs, c.x, {}, refusal);
  ASSERT_TRUE(plan) << refusal.message;
  EXPECT_EQ(plan->members.size(), 3u);
  llvm::StringMap<Signal> signals;
  signals["X"] = [](int64_t i) { return i % 2 ? 1e30 : 0; };
  signals["G"] = [](int64_t i) { return double(i % 2); };
  EXPECT_EQ(streamSignals(c, *plan, signals, 16), 1);
}

TEST(AlgebraExtremes, AProductWithZeroIsNotNothing) {
  // 0 * infinity is NaN, in an exponent, in a factor, of x alone or of r.
  Expr (*const builds[])(Cascade &) = {
      [](Cascade &c) {
        return attention(c, weights(c, c.context.scale(0, c.X)));
      },
      [](Cascade &c) {
        ExprContext &m = c.context;
        Expr e = m.exp(m.scale(0, m.sub(c.X, c.max(c.x, c.X))));
        return m.div(attention(c, e), c.sum(c.x, e));
      },
      [](Cascade &c) {
        ExprContext &m = c.context;
        return c.sum(c.x, m.mul(m.scale(0, c.X), c.mean(c.G)));
      },
      [](Cascade &c) {
        ExprContext &m = c.context;
        return c.sum(c.x, m.scale(0, m.mul(c.X, c.mean(c.G))));
      },
      [](Cascade &c) {
        ExprContext &m = c.context;
        return attention(c, weights(c, m.sub(c.X, c.X)));
      },
  };
  for (auto [i, build] : llvm::enumerate(builds)) {
    Cascade c;
    c.outputs = {build(c)};
    PlanRefusal refusal;
    auto plan = deriveStreamPlan(c.context, c.outputs, c.x, {}, refusal);
    ASSERT_TRUE(plan) << i << ": " << refusal.message;
    for (double special : {2.0, undefined, infinite, -infinite}) {
      llvm::StringMap<Signal> signals;
      signals["X"] = [=](int64_t j) { return j == 40 ? special : 3.0; };
      double expected = plainSignals(c, signals);
      EXPECT_EQ(std::isnan(expected), special != 2);
      double value = streamSignals(c, *plan, signals, 16);
      if (std::isnan(expected))
        EXPECT_TRUE(std::isnan(value)) << i << ", " << special;
      else
        EXPECT_NEAR(value, expected, 1e-6) << i;
    }
  }
  // Positions are finite.
  Cascade c;
  Expr none = c.context.scale(0, c.context.index(c.x));
  c.outputs = {attention(c, weights(c, c.context.add(c.X, none)))};
  PlanRefusal refusal;
  auto plan = deriveStreamPlan(c.context, c.outputs, c.x, {}, refusal);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->members[0].description, "a0 = max_x X");
}

} // namespace
