//===- MoreCases.cpp - Cascades: contracts, order, refusals -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Second half of the table: norms before contracts, entropies, reductions by
// order, and what has no streaming form.
//
//===----------------------------------------------------------------------===//

#include "Cases.h"

namespace napkin::algebra::test {
namespace {

using C = Cascade;

Expr rsqrt(C &c, Expr a) { return c.context.make(Kind::Rsqrt, {a}); }
Expr root(C &c, Expr a) { return c.context.make(Kind::Sqrt, {a}); }
Expr log(C &c, Expr a) { return c.context.make(Kind::Log, {a}); }
Expr absolute(C &c, Expr a) { return c.context.make(Kind::Abs, {a}); }
Expr square(C &c, Expr a) { return c.context.mul(a, a); }

/// sum w (X - sum w X)^2.
Expr varianceUnder(C &c, Expr w) {
  Expr mean = c.sum(c.x, c.context.mul(w, c.X));
  return c.sum(c.x, c.context.mul(w, square(c, c.context.sub(c.X, mean))));
}

void hypotenuse(C &c) {
  Expr a = c.max(c.x, absolute(c, c.X));
  Expr z = c.context.div(c.X, a);
  c.outputs = {c.context.mul(a, root(c, c.sum(c.x, square(c, z))))};
}

const Case table[] = {
    {"rms norm -> contract",
     [](C &c) {
       ExprContext &m = c.context;
       Expr r = rsqrt(c, m.add(c.mean(square(c, c.X)), c.c(1e-6)));
       c.outputs = {c.sum(c.x, m.mul(m.mul(m.mul(c.X, r), c.G), c.W))};
     }},
    {"layer norm -> contract",
     [](C &c) {
       ExprContext &m = c.context;
       Expr r = rsqrt(c, m.add(c.variance(c.X), c.c(1e-5)));
       Expr y = m.mul(m.mul(m.sub(c.X, c.mean(c.X)), r), c.G);
       c.outputs = {c.sum(c.x, m.mul(y, c.W))};
     }},
    {"l2 normalise -> contract (cosine)",
     [](C &c) {
       ExprContext &m = c.context;
       auto unit = [&](Expr a) {
         return m.div(a, root(c, c.sum(c.x, square(c, a))));
       };
       c.outputs = {c.sum(c.x, m.mul(unit(c.X), unit(c.Y)))};
     }},
    {"scaled norm (hypot), inputs up to 2^32", hypotenuse},
    {"scaled norm (hypot), inputs up to 2^120", hypotenuse, 120, 0, true},
    {"logsumexp",
     [](C &c) {
       ExprContext &m = c.context;
       Expr top = c.max(c.x, c.X);
       c.outputs = {m.add(top, log(c, c.sum(c.x, m.exp(m.sub(c.X, top)))))};
     }},
    {"cross-entropy of a contract",
     [](C &c) {
       ExprContext &m = c.context;
       Expr label = c.input("L", {c.q}, 0, 96), s = c.scores();
       Expr top = c.max(c.x, s);
       Expr lse = m.add(top, log(c, c.sum(c.x, m.exp(m.sub(s, top)))));
       Expr hit = m.compare(Comparison::EQ, m.index(c.x), label);
       c.outputs = {m.sub(lse, c.sum(c.x, m.select(hit, s, c.c(0))))};
     }},
    {"entropy sum p log p",
     [](C &c) {
       Expr p = c.softmax(c.X);
       c.outputs = {c.context.neg(c.sum(c.x, c.context.mul(p, log(c, p))))};
     }},
    // Three sums that partly cancel where the text subtracts element by
    // element.
    {"KL(softmax X, softmax Y)",
     [](C &c) {
       ExprContext &m = c.context;
       Expr p = c.softmax(c.X), q = c.softmax(c.Y);
       c.outputs = {c.sum(c.x, m.mul(p, m.sub(log(c, p), log(c, q))))};
     },
     32, 1, false, 3e-6},
    {"chained contracts over the middle",
     [](C &c) {
       ExprContext &m = c.context;
       Expr a = c.input("A", {c.q, c.k}), b = c.input("B", {c.k, c.x});
       c.outputs = {c.sum(c.x, m.mul(c.sum(c.k, m.mul(a, b)), c.V))};
     }},
    {"absmax scale -> contract, no rounding",
     [](C &c) {
       ExprContext &m = c.context;
       Expr a = m.div(c.max(c.x, absolute(c, c.X)), c.c(127));
       c.outputs = {m.mul(c.sum(c.x, m.mul(m.div(c.X, a), c.W)), a)};
     }},
    {"quantise (grid) -> contract",
     [](C &c) {
       ExprContext &m = c.context;
       Expr a = m.div(c.max(c.x, absolute(c, c.X)), c.c(127));
       Expr z = m.round(m.div(c.X, a), Rounding::Grid);
       c.outputs = {m.mul(c.sum(c.x, m.mul(z, c.W)), a)};
     }},
    {"max of grid-quantised",
     [](C &c) {
       ExprContext &m = c.context;
       Expr a = m.div(c.max(c.x, absolute(c, c.X)), c.c(127));
       c.outputs = {c.max(c.x, m.round(m.div(c.X, a), Rounding::Grid))};
     }},
    {"top-k of softmax",
     [](C &c) {
       c.outputs = {c.context.reduce(Monoid::TopK, c.x, c.softmax(c.X), 3)};
     }},
    {"argmax of softmax",
     [](C &c) {
       c.outputs = {c.context.reduce(Monoid::ArgMax, c.x, c.softmax(c.X))};
     }},
    {"log-softmax -> contract",
     [](C &c) {
       ExprContext &m = c.context;
       Expr d = m.sub(c.X, c.max(c.x, c.X));
       Expr y = m.sub(d, log(c, c.sum(c.x, m.exp(d))));
       c.outputs = {c.sum(c.x, m.mul(y, c.W))};
     }},
    {"log of softmax -> contract",
     [](C &c) {
       c.outputs = {c.sum(c.x, c.context.mul(log(c, c.softmax(c.X)), c.W))};
     }},
    {"gated: two reductions share",
     [](C &c) {
       ExprContext &m = c.context;
       Expr p = c.softmax(c.X), g = c.sigmoid(c.Y);
       c.outputs = {c.sum(c.x, m.mul(p, c.W)),
                    c.sum(c.x, m.mul(m.mul(p, g), c.W)),
                    c.sum(c.x, m.mul(p, g))};
     }},
    {"two softmaxes, difference",
     [](C &c) {
       ExprContext &m = c.context;
       Expr p = m.sub(c.softmax(c.X), m.scale(0.3, c.softmax(c.Y)));
       c.outputs = {c.sum(c.x, m.mul(p, c.W))};
     }},
    {"linear attention",
     [](C &c) {
       ExprContext &m = c.context;
       c.outputs = {c.sum(c.x, m.mul(c.sum(c.d, m.mul(c.Q, c.Kk)), c.V))};
     }},
    {"linear attention, normalised",
     [](C &c) {
       ExprContext &m = c.context;
       Expr s =
           c.sum(c.d, m.mul(m.exp(m.scale(0.1, c.Q)), m.exp(c.tanh(c.Kk))));
       c.outputs = {c.sum(c.x, m.mul(m.div(s, c.sum(c.x, s)), c.V))};
     }},
    // Splitting (k - mean)*q inside an exponent costs |k q| eps there.
    {"mean-centred keys, softmax",
     [](C &c) {
       ExprContext &m = c.context;
       Expr centred = m.sub(c.Kk, c.mean(c.Kk));
       Expr t = c.sum(c.d, m.mul(centred, c.Q));
       c.outputs = {c.sum(c.x, m.mul(c.softmax(t), c.V))};
     },
     32, 0, false, 3e-4},
    {"inner sum, r carries d",
     [](C &c) {
       ExprContext &m = c.context;
       Expr n = root(c, c.sum(c.x, square(c, c.Kk)));
       Expr s = c.sum(c.d, m.mul(m.div(c.Kk, n), c.Q));
       c.outputs = {c.sum(c.x, m.mul(s, c.V))};
     }},
    {"softmax of normalised scores (s/rms)",
     [](C &c) {
       ExprContext &m = c.context;
       Expr r = rsqrt(c, m.add(c.mean(square(c, c.X)), c.c(1e-6)));
       c.outputs = {c.sum(c.x, m.mul(c.softmax(m.mul(c.X, r)), c.W))};
     }},
    {"max of x*r, sign of r unknown",
     [](C &c) {
       c.outputs = {c.max(c.x, c.context.mul(c.X, c.sum(c.x, c.Y)))};
     }},
    {"max_x max(x, mean)",
     [](C &c) { c.outputs = {c.max(c.x, c.context.max(c.X, c.mean(c.X)))}; }},
    {"any(x > 2*mean+1)",
     [](C &c) {
       ExprContext &m = c.context;
       Expr t = m.add(m.scale(2, c.mean(c.X)), c.c(1));
       c.outputs = {
           m.reduce(Monoid::Or, c.x, m.compare(Comparison::GT, c.X, t))};
     }},
    {"prod (x/mean)",
     [](C &c) {
       Expr z = c.input("Z", {c.b, c.x}, 0.9, 1.1);
       c.outputs = {
           c.context.reduce(Monoid::Prod, c.x, c.context.div(z, c.mean(z)))};
     }},
    {"sum exp(x - mean)",
     [](C &c) {
       ExprContext &m = c.context;
       Expr e = m.exp(m.sub(c.X, c.mean(c.X)));
       c.outputs = {m.add(log(c, c.sum(c.x, e)), c.mean(c.X))};
     }},
    // X and Y are independent, so the sum cancels; the reference is the mean of
    // the first chunk, which may be one element.
    {"covariance",
     [](C &c) {
       ExprContext &m = c.context;
       c.outputs = {
           c.mean(m.mul(m.sub(c.X, c.mean(c.X)), m.sub(c.Y, c.mean(c.Y))))};
     },
     32, 0, false, 4e-6},
    {"variance under a softmax",
     [](C &c) { c.outputs = {varianceUnder(c, c.softmax(c.X))}; }},
    {"variance under the softmax of another array",
     [](C &c) { c.outputs = {varianceUnder(c, c.softmax(c.Y))}; }},
    {"sum of squared softmax",
     [](C &c) { c.outputs = {c.sum(c.x, square(c, c.softmax(c.X)))}; }},
    {"refused: sum sin(x*r1)",
     [](C &c) {
       Expr u = c.context.mul(c.X, c.sum(c.x, c.Y));
       c.outputs = {
           c.sum(c.x, c.context.call("sin", u, {0, false, -1, 1, false}))};
     }},
    {"refused: median",
     [](C &c) { c.outputs = {c.context.reduce(Monoid::Other, c.x, c.X)}; }},
    {"refused: sum max(x, r1)",
     [](C &c) { c.outputs = {c.sum(c.x, c.context.max(c.X, c.mean(c.X)))}; }},
    {"refused: sum (x > r1)",
     [](C &c) {
       ExprContext &m = c.context;
       c.outputs = {
           c.sum(c.x, m.select(m.compare(Comparison::GT, c.X, c.mean(c.X)),
                               c.c(1), c.c(0)))};
     }},
    {"refused: sum |x - mean|",
     [](C &c) {
       c.outputs = {c.sum(c.x, absolute(c, c.context.sub(c.X, c.mean(c.X))))};
     }},
    {"refused: softmax of softmax",
     [](C &c) {
       c.outputs = {c.sum(c.x, c.context.mul(c.softmax(c.softmax(c.X)), c.W))};
     }},
    {"refused: sum sigmoid(x - max)",
     [](C &c) {
       c.outputs = {c.sum(c.x, c.sigmoid(c.context.sub(c.X, c.max(c.x, c.X))))};
     }},
    {"refused: sum 1/(x + r)",
     [](C &c) {
       ExprContext &m = c.context;
       c.outputs = {
           c.sum(c.x, m.div(c.c(1), m.add(c.X, c.sum(c.x, square(c, c.X)))))};
     }},
    {"refused: rsqrt(x^2 + r)",
     [](C &c) {
       ExprContext &m = c.context;
       c.outputs = {c.sum(
           c.x, rsqrt(c, m.add(square(c, c.X), c.sum(c.x, square(c, c.Y)))))};
     }},
};

} // namespace

llvm::ArrayRef<Case> moreCases() { return table; }

} // namespace napkin::algebra::test
