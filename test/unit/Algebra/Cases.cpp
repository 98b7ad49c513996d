//===- Cases.cpp - Cascades: norms, softmax, attention ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// First half of the table: sums, moments, softmax and what is built on it.
//
//===----------------------------------------------------------------------===//

#include "Cases.h"

namespace napkin::algebra::test {
namespace {

using C = Cascade;

Expr rsqrt(C &c, Expr a) { return c.context.make(Kind::Rsqrt, {a}); }

void attention(C &c, Expr t) {
  c.outputs = {c.sum(c.x, c.context.mul(c.softmax(t), c.V))};
}

/// Softmax as the dialect defines it: rows of -inf alone give 0.
void guarded(C &c, Expr t) {
  ExprContext &m = c.context;
  Expr e = m.exp(m.sub(t, m.guard(c.max(c.x, t))));
  Expr l = c.sum(c.x, e);
  Expr divisor = m.select(m.compare(Comparison::EQ, l, c.c(0)), c.c(1), l);
  c.outputs = {c.sum(c.x, m.mul(m.div(e, divisor), c.V))};
}

Expr fullyMasked(C &c) {
  ExprContext &m = c.context;
  return m.select(m.compare(Comparison::GT, m.index(c.q), c.c(1)),
                  c.masked(c.scores()), c.c(-kInfinity));
}

Expr softcap(C &c, double cap) {
  return c.context.scale(cap, c.tanh(c.context.div(c.scores(), c.c(cap))));
}

const Case table[] = {
    {"sum", [](C &c) { c.outputs = {c.sum(c.x, c.X)}; }},
    {"max", [](C &c) { c.outputs = {c.max(c.x, c.X)}; }},
    {"mean", [](C &c) { c.outputs = {c.mean(c.X)}; }},
    {"variance (two-pass text)", [](C &c) { c.outputs = {c.variance(c.X)}; }},
    {"third central moment",
     [](C &c) {
       ExprContext &m = c.context;
       Expr d = m.sub(c.X, c.mean(c.X));
       c.outputs = {c.mean(m.mul(m.mul(d, d), d))};
     }},
    {"softmax denominator",
     [](C &c) {
       Expr m = c.max(c.x, c.X);
       c.outputs = {m, c.sum(c.x, c.context.exp(c.context.sub(c.X, m)))};
     }},
    {"softmax as output", [](C &c) { c.outputs = {c.softmax(c.X)}; }},
    {"exp map as output", [](C &c) { c.outputs = {c.context.exp(c.X)}; }},
    {"attention", [](C &c) { attention(c, c.scores()); }},
    {"attention, guarded", [](C &c) { guarded(c, c.scores()); }},
    {"naive softmax*V (no max written)",
     [](C &c) {
       Expr e = c.context.exp(c.scores());
       c.outputs = {
           c.sum(c.x, c.context.mul(c.context.div(e, c.sum(c.x, e)), c.V))};
     }},
    {"attention, base 2",
     [](C &c) {
       ExprContext &m = c.context;
       Expr s = c.sum(c.d, m.mul(c.Q, c.Kk));
       Expr e = m.exp2(m.sub(m.scale(0.5, s), m.scale(0.5, c.max(c.x, s))));
       c.outputs = {c.sum(c.x, m.mul(m.div(e, c.sum(c.x, e)), c.V))};
     }},
    {"attention, temperature array",
     [](C &c) {
       ExprContext &m = c.context;
       Expr t = c.input("T", {c.q}, 0.5, 2), s = c.scores();
       Expr e = m.exp(m.div(m.sub(s, c.max(c.x, s)), t));
       c.outputs = {c.sum(c.x, m.mul(m.div(e, c.sum(c.x, e)), c.V))};
     }},
    {"attention, causal", [](C &c) { attention(c, c.masked(c.scores())); }},
    {"attention, causal, guarded",
     [](C &c) { guarded(c, c.masked(c.scores())); }},
    {"attention, mask inside exp branch",
     [](C &c) {
       ExprContext &m = c.context;
       Expr s = c.scores(), t = c.masked(s);
       Expr mask = t->operand(0);
       Expr p = m.select(mask, m.exp(m.sub(s, c.max(c.x, t))), c.c(0));
       c.outputs = {c.sum(c.x, m.mul(m.div(p, c.sum(c.x, p)), c.V))};
     }},
    {"attention, fully masked rows, as is",
     [](C &c) { attention(c, fullyMasked(c)); }},
    {"attention, fully masked rows, guarded",
     [](C &c) { guarded(c, fullyMasked(c)); }},
    {"attention, window (first chunks masked)",
     [](C &c) {
       ExprContext &m = c.context;
       Expr first = m.add(m.scale(15, m.index(c.q)), c.c(20));
       guarded(c, m.select(m.compare(Comparison::GE, m.index(c.x), first),
                           c.scores(), c.c(-kInfinity)));
     }},
    {"attention, linear bias and normed operands (r over d)",
     [](C &c) {
       ExprContext &m = c.context;
       auto normed = [&](Expr a) {
         return m.mul(a, rsqrt(c, m.add(c.sum(c.d, m.mul(a, a)), c.c(1e-6))));
       };
       Expr s = c.sum(c.d, m.mul(normed(c.Q), normed(c.Kk)));
       Expr distance = m.sub(m.scale(19, m.index(c.q)), m.index(c.x));
       attention(c, m.sub(m.scale(10, s), m.scale(0.05, distance)));
     }},
    {"exp-weighted max: max_x softmax*w",
     [](C &c) {
       c.outputs = {
           c.max(c.x, c.context.mul(c.softmax(c.X),
                                    c.context.make(Kind::Abs, {c.Y})))};
     }},
    // The result is a difference of sums that nearly cancel (one-hot rows for
    // large scores): errors are those of the sums, and their reference is
    // frozen.
    {"attention backward: sum p (dp - delta) k",
     [](C &c) {
       ExprContext &m = c.context;
       Expr gradient = c.input("dO", {c.q, c.e});
       Expr p = c.softmax(c.scores());
       Expr dp = c.sum(c.e, m.mul(gradient, c.V));
       Expr delta = c.sum(c.x, m.mul(p, dp));
       c.outputs = {c.sum(c.x, m.mul(m.mul(p, m.sub(dp, delta)), c.Kk))};
     },
     32, 1, false, 6e-4},
    {"softmax of scores on rms-normed values",
     [](C &c) {
       ExprContext &m = c.context;
       Expr r = rsqrt(c, m.add(c.mean(m.mul(c.V, c.V)), c.c(1e-6)));
       c.outputs = {c.sum(c.x, m.mul(c.softmax(c.scores()), m.mul(c.V, r)))};
     }},
    {"instance norm then softmax",
     [](C &c) {
       ExprContext &m = c.context;
       Expr z = m.mul(m.sub(c.X, c.mean(c.X)),
                      rsqrt(c, m.add(c.variance(c.X), c.c(1e-5))));
       c.outputs = {c.sum(c.x, m.mul(c.softmax(z), c.W))};
     }},
    {"standardised correlation",
     [](C &c) {
       ExprContext &m = c.context;
       Expr dx = m.sub(c.X, c.mean(c.X)), dy = m.sub(c.Y, c.mean(c.Y));
       auto moment = [&](Expr a, Expr b) { return c.sum(c.x, m.mul(a, b)); };
       c.outputs = {
           m.div(moment(dx, dy),
                 m.make(Kind::Sqrt, {m.mul(moment(dx, dx), moment(dy, dy))}))};
     }},
    {"weighted variance through an r-only quotient",
     [](C &c) {
       ExprContext &m = c.context;
       Expr w = m.exp(c.tanh(c.Y)), total = c.sum(c.x, w);
       Expr d = m.sub(c.X, m.div(c.sum(c.x, m.mul(w, c.X)), total));
       c.outputs = {m.div(c.sum(c.x, m.mul(m.mul(w, d), d)), total)};
     }},
    {"attention, softcap 30", [](C &c) { attention(c, softcap(c, 30)); }},
    {"attention, softcap 30, guarded",
     [](C &c) { guarded(c, softcap(c, 30)); }},
    {"attention, softcap 200", [](C &c) { attention(c, softcap(c, 200)); }},
    {"sigmoid attention",
     [](C &c) {
       c.outputs = {c.sum(c.x, c.context.mul(c.sigmoid(c.scores()), c.V))};
     }},
    {"attention with a sink in the denominator",
     [](C &c) {
       ExprContext &m = c.context;
       Expr sink = c.input("S", {c.q}), t = c.scores();
       Expr top = m.max(c.max(c.x, t), sink);
       Expr e = m.exp(m.sub(t, top));
       Expr l = m.add(c.sum(c.x, e), m.exp(m.sub(sink, top)));
       c.outputs = {c.sum(c.x, m.mul(m.div(e, l), c.V))};
     }},
    // Rounding of the gauged instead of the final element: half an ulp of bf16.
    {"attention, p rounded to bf16",
     [](C &c) {
       ExprContext &m = c.context;
       Expr t = c.scores(), e = m.exp(m.sub(t, c.max(c.x, t)));
       Expr p = m.round(e, Rounding::BF16);
       c.outputs = {m.div(c.sum(c.x, m.mul(p, c.V)), c.sum(c.x, e))};
     },
     32, 0, false, 1e-2},
    {"gaussian kernel smoother",
     [](C &c) {
       ExprContext &m = c.context;
       Expr d = m.sub(c.Q, c.Kk);
       attention(c, m.neg(c.sum(c.d, m.mul(d, d))));
     }},
};

} // namespace

llvm::ArrayRef<Case> cases() { return table; }

} // namespace napkin::algebra::test
