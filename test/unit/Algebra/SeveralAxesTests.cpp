//===- SeveralAxesTests.cpp - One axis streamed, others bound ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reductions over two to four axes of which one is streamed: whatever the order
// in which they are nested, the plan is typed, shares the maximum that the text
// takes, and keeps the point of reference of a variance.
//
//===----------------------------------------------------------------------===//

#include "Cases.h"
#include "gtest/gtest.h"

using namespace napkin::algebra;
using namespace napkin::algebra::test;

namespace {

/// Arrays over the streamed axis x and the axes d, e and k.
struct Wide : Cascade {
  Expr T, M, U;
  Wide() {
    T = input("X", {x, d, k, e}); // named as the harness knows data by
    M = input("M", {d, k});
    U = input("U", {x, k, q});
  }
  Expr over(Monoid monoid, llvm::ArrayRef<unsigned> axes, Expr body) {
    for (unsigned axis : axes)
      body = context.reduce(monoid, axis, body);
    return body;
  }
  double positions(llvm::ArrayRef<unsigned> axes) {
    double n = 1;
    for (unsigned axis : axes)
      n *= double(extents[axis]);
    return n;
  }
};

using Axes = std::vector<unsigned>;

/// Every choice of axes with x among them, and the largest in two orders. The
/// streamed axis is the outermost, as the reader of regions writes it.
std::vector<Axes> choices(const Wide &c) {
  std::vector<Axes> result = {{c.e, c.k, c.d, c.x}};
  Axes others = {c.d, c.k, c.e};
  for (unsigned set = 0; set < 8; ++set) {
    Axes axes;
    for (unsigned i = 0; i < 3; ++i)
      if (set >> i & 1)
        axes.push_back(others[i]);
    axes.push_back(c.x);
    result.push_back(axes);
  }
  return result;
}

StreamPlan check(Wide &c, const std::string &what, double tolerance) {
  PlanRefusal refusal;
  std::optional<StreamPlan> plan =
      deriveStreamPlan(c.context, c.outputs, c.x, {}, refusal);
  EXPECT_TRUE(plan) << what << ": " << refusal.message;
  if (!plan)
    return StreamPlan();
  for (const PlanMember &member : plan->members) {
    EXPECT_EQ(member.step->axes, member.state->axes) << member.description;
    EXPECT_EQ(member.merge->axes, member.state->axes) << member.description;
  }
  RunOptions options;
  options.trials = 1;
  for (Data data : {Data::Large, Data::Outlier, Data::Offset}) {
    RunResult result = run(c, *plan, data, options);
    EXPECT_EQ(result.onlyStreamBad, 0) << what << ", data " << int(data);
    EXPECT_LE(result.stream, std::max(4 * result.plain, tolerance))
        << what << ", data " << int(data) << ", plain " << result.plain;
    EXPECT_LE(runEmpty(c, *plan, data), 2e-6) << what;
  }
  return *plan;
}

TEST(AlgebraSeveralAxes, SoftmaxAndLogsumexp) {
  Wide names;
  for (const Axes &axes : choices(names)) {
    Wide c;
    ExprContext &m = c.context;
    std::string what;
    for (unsigned axis : axes)
      what += m.axisName(axis).str();
    Expr t = m.scale(0.25, c.T);
    Expr top = m.guard(c.over(Monoid::Max, axes, t));
    Expr e = m.exp(m.sub(t, top));
    Expr l = c.over(Monoid::Sum, axes, e);
    c.outputs = {m.add(top, m.make(Kind::Log, {l}))};
    StreamPlan plan = check(c, "logsumexp over " + what, 1e-6);
    EXPECT_EQ(plan.members.size(), 2u) << what;

    Wide s;
    ExprContext &n = s.context;
    t = n.add(s.T, s.M);
    top = n.guard(s.over(Monoid::Max, axes, t));
    e = n.exp(n.sub(t, top));
    l = s.over(Monoid::Sum, axes, e);
    l = n.select(n.compare(Comparison::EQ, l, s.c(0)), s.c(1), l);
    s.outputs = {s.over(Monoid::Sum, axes, n.mul(n.div(e, l), s.U))};
    plan = check(s, "softmax over " + what, 1e-6);
    EXPECT_EQ(plan.members.size(), 3u) << what;
  }
}

TEST(AlgebraSeveralAxes, WeightsReducedOverFewerAxes) {
  // Softmax over x, d and k, values weighted over x alone or x and k.
  for (unsigned kept : {0u, 1u, 2u}) {
    Wide c;
    ExprContext &m = c.context;
    Axes axes = {c.d, c.k, c.x};
    Expr top = c.over(Monoid::Max, axes, c.T);
    Expr e = m.exp(m.sub(c.T, top));
    Expr p = m.div(e, c.over(Monoid::Sum, axes, e));
    Axes rest(axes.begin() + kept, axes.end());
    c.outputs = {c.over(Monoid::Sum, rest, m.mul(p, c.U))};
    check(c, "kept " + std::to_string(kept), 1e-6);
  }
}

TEST(AlgebraSeveralAxes, VarianceKeepsItsPointOfReference) {
  Wide names;
  for (const Axes &axes : choices(names)) {
    Wide c;
    ExprContext &m = c.context;
    std::string what;
    for (unsigned axis : axes)
      what += m.axisName(axis).str();
    double n = c.positions(axes);
    Expr mean = m.scale(1 / n, c.over(Monoid::Sum, axes, c.T));
    Expr difference = m.sub(c.T, mean);
    Expr squares = m.mul(difference, difference);
    c.outputs = {m.scale(1 / n, c.over(Monoid::Sum, axes, squares))};
    StreamPlan plan = check(c, "variance over " + what, 1e-6);
    bool shifted = false;
    for (const PlanMember &member : plan.members)
      shifted |= !member.shift.empty();
    EXPECT_TRUE(shifted) << what;
    llvm::StringMap<Signal> signals;
    signals["X"] = [](int64_t i) { return 1e4 + (i % 2 ? 1 : -1); };
    for (int64_t chunk : {1, 7, 96})
      EXPECT_NEAR(streamSignals(c, plan, signals, chunk), 1, 1e-5) << what;
  }
}

TEST(AlgebraSeveralAxes, MeansOfGroupsKeepAReferenceEach) {
  // sum over x and d of (t - mean over x of t)^2: a mean for each d.
  Wide c;
  ExprContext &m = c.context;
  Expr mean = m.div(c.sum(c.x, c.T), c.count);
  Expr difference = m.sub(c.T, mean);
  c.outputs = {c.over(Monoid::Sum, {c.d, c.x}, m.mul(difference, difference))};
  check(c, "means of groups", 1e-6);
}

TEST(AlgebraSeveralAxes, LayerNormThenContract) {
  Wide c;
  ExprContext &m = c.context;
  Axes axes = {c.k, c.d, c.x};
  double n = c.positions(axes);
  Expr mean = m.scale(1 / n, c.over(Monoid::Sum, axes, c.T));
  Expr difference = m.sub(c.T, mean);
  Expr variance =
      m.scale(1 / n, c.over(Monoid::Sum, axes, m.mul(difference, difference)));
  Expr y = m.mul(difference, m.make(Kind::Rsqrt, {m.add(variance, c.c(1e-5))}));
  c.outputs = {c.over(Monoid::Sum, axes, m.mul(y, c.U))};
  check(c, "layer norm", 1e-5);
}

TEST(AlgebraSeveralAxes, ExtremaOfDifferences) {
  // max over d and x of t - r: r waits outside of the inner maximum.
  Wide c;
  ExprContext &m = c.context;
  Expr r = m.div(c.over(Monoid::Sum, {c.d, c.x}, c.T), c.c(100));
  c.outputs = {c.over(Monoid::Max, {c.d, c.x}, m.sub(c.T, r)),
               c.over(Monoid::Min, {c.k, c.d, c.x}, m.sub(c.T, c.c(2)))};
  check(c, "extrema", 1e-6);
  // Where r carries d there is no such law.
  Wide d;
  ExprContext &n = d.context;
  Expr mean = n.div(d.sum(d.x, d.T), d.c(100));
  d.outputs = {d.over(Monoid::Max, {d.d, d.x}, n.sub(d.T, mean))};
  PlanRefusal refusal;
  EXPECT_FALSE(deriveStreamPlan(n, d.outputs, d.x, {}, refusal));
  EXPECT_NE(refusal.message.find("along an axis that r carries"),
            std::string::npos)
      << refusal.message;
}

} // namespace
