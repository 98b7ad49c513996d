//===- Descent.cpp - Extrema through monotone maps --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// max_x f(u) = f(max_x u) for f increasing in u whatever r is: reductions by
// order descend through the term until only x is left, and need no correction.
//
//===----------------------------------------------------------------------===//

#include "Deriver.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace napkin::algebra {

static std::optional<Monoid> flipped(Monoid monoid) {
  switch (monoid) {
  case Monoid::Max:
    return Monoid::Min;
  case Monoid::Min:
    return Monoid::Max;
  default:
    return std::nullopt;
  }
}

/// Comparisons of u with r under any/all become comparisons of an extremum.
static std::optional<Monoid> orderOf(Monoid monoid) {
  switch (monoid) {
  case Monoid::Or:
  case Monoid::Max:
    return Monoid::Max;
  case Monoid::And:
  case Monoid::Min:
    return Monoid::Min;
  default:
    return std::nullopt;
  }
}

/// \returns the reduced expression over states, null when it was recorded in
///          `sums` instead, nothing on refusal.
std::optional<Expr> Deriver::descend(Expr e, Monoid monoid, Expr reduction,
                                     bool outermost) {
  bool positions = monoid == Monoid::ArgMax;
  unsigned k = reduction->number;
  switch (normalizer.classOf(e)) {
  case TermClass::Fixed:
  case TermClass::Reduced:
    return e;
  case TermClass::Streamed:
    return leaf(e, monoid, k);
  case TermClass::Mixed:
    break;
  }
  // The reduced operand under an increasing (+1) or decreasing (-1) map.
  auto through = [&](Expr operand, int sign) -> std::optional<Expr> {
    std::optional<Monoid> inner = sign > 0 ? monoid : flipped(monoid);
    if (!inner)
      return normalizer.refuse(e,
                               stringify(monoid) + " under a decreasing map");
    return descend(operand, *inner, reduction, false);
  };
  auto rebuilt = [&](std::optional<Expr> operand) -> std::optional<Expr> {
    if (!operand || positions)
      return operand;
    return context.rebuild(e, *operand);
  };
  switch (e->kind) {
  case Kind::Exp:
  case Kind::Exp2:
  case Kind::Log:
  case Kind::Sqrt:
    return rebuilt(through(e->operand(0), 1));
  case Kind::Round:
    if (positions || monoid == Monoid::TopK)
      normalizer.flags.push_back(
          "rounding is monotone but not strictly: ties of " +
          stringify(monoid).str() + " may resolve differently");
    return rebuilt(through(e->operand(0), 1));
  case Kind::Call:
    if (e->laws.monotone && e->operands.size() == 1 &&
        (e->laws.strict || !positions))
      return rebuilt(through(e->operand(0), e->laws.monotone));
    break;
  case Kind::Neg:
  case Kind::Rsqrt:
    return rebuilt(through(e->operand(0), -1));
  case Kind::Compare: {
    auto hasX = [&](Expr operand) { return carries(operand, axis); };
    bool left = hasX(e->operand(0)), right = hasX(e->operand(1));
    std::optional<Monoid> order = orderOf(monoid);
    bool greater =
        e->comparison == Comparison::GT || e->comparison == Comparison::GE;
    bool ordered =
        e->comparison != Comparison::EQ && e->comparison != Comparison::NE;
    if (!order || !ordered || left == right)
      break;
    Monoid inner = greater == left ? *order : *flipped(*order);
    std::optional<Expr> u =
        descend(e->operand(left ? 0 : 1), inner, reduction, false);
    if (!u)
      return std::nullopt;
    return left ? context.compare(e->comparison, *u, e->operand(1))
                : context.compare(e->comparison, e->operand(0), *u);
  }
  case Kind::Max:
  case Kind::Min: {
    Monoid own = e->kind == Kind::Max ? Monoid::Max : Monoid::Min;
    if (own != monoid)
      break;
    std::optional<Expr> a = descend(e->operand(0), monoid, reduction, false);
    std::optional<Expr> b =
        a ? descend(e->operand(1), monoid, reduction, false) : std::nullopt;
    if (!b)
      return std::nullopt;
    return context.make(e->kind, {*a, *b});
  }
  case Kind::Select: {
    TermClass c = normalizer.classOf(e->operand(0));
    if (positions || c == TermClass::Streamed || c == TermClass::Mixed)
      break;
    std::optional<Expr> a = descend(e->operand(1), monoid, reduction, false);
    std::optional<Expr> b =
        a ? descend(e->operand(2), monoid, reduction, false) : std::nullopt;
    if (!b)
      return std::nullopt;
    return context.select(e->operand(0), *a, *b);
  }
  default:
    break;
  }
  bool product = e->kind == Kind::Mul || e->kind == Kind::Div;
  std::optional<Factors> form;
  if (product) {
    // A product of x and r, or by constants only of a sum that splits.
    if (normalizer.single(
            e, (stringify(monoid) + " needs g(x)*h(r) or a(x)+b(r)").str()))
      return descendProduct(e, monoid, reduction, outermost);
    MissingLaw missing = normalizer.missing();
    form = normalizer.linear(e);
    if (!form)
      return normalizer.refuse(missing.expr, missing.law);
  } else if (e->kind == Kind::Abs) {
    return descendProduct(e, monoid, reduction, outermost);
  } else if (e->kind == Kind::Add || e->kind == Kind::Sub ||
             e->kind == Kind::Select || e->kind == Kind::Max ||
             e->kind == Kind::Min || e->kind == Kind::Reduce) {
    form = normalizer.linear(e);
    if (!form)
      return std::nullopt;
  } else {
    return normalizer.refuse(e, "no monotone law for '" + normalizer.print(e) +
                                    "' under " + stringify(monoid));
  }
  Factors streamed, rest;
  for (auto [a, c] : *form)
    (normalizer.classOf(a) == TermClass::Reduced ? rest : streamed)
        .push_back({a, c});
  if (!any_of(streamed, [&](const auto &entry) {
        return normalizer.isStreamed(entry.first);
      }))
    return normalizer.linearToExpr(*form); // the x-parts cancel
  std::optional<Expr> x = leaf(normalizer.linearToExpr(streamed), monoid, k);
  if (!x || positions)
    return x;
  return context.add(*x, normalizer.linearToExpr(rest));
}

std::optional<Expr> Deriver::descendProduct(Expr e, Monoid monoid,
                                            Expr reduction, bool outermost) {
  bool positions = monoid == Monoid::ArgMax;
  unsigned k = reduction->number;
  std::optional<Monomial> m =
      normalizer.single(e, (stringify(monoid) + " needs g(x)*h(r)").str());
  if (!m)
    return std::nullopt;
  auto [x, rest] = normalizer.split(*m);
  Expr h = normalizer.toExpr(rest);
  Interval sign = normalizer.range(h);
  if (x.bound || rest.bound)
    return normalizer.refuse(e, stringify(monoid) + " of an inner sum");
  if (x.rounding)
    return normalizer.refuse(e, stringify(monoid) +
                                    " of a product with a rounded factor");
  if (!x.exponent.empty()) {
    if (outermost && monoid == Monoid::Max && sign.low >= 0) {
      sums[reduction] = {{productAccumulator(x, Monoid::Max), rest}};
      return Expr(nullptr);
    }
    bool bare = x.powers.empty() && x.masks.empty();
    if (bare && sign.low >= 0) {
      // exp(u + b)*h increases with u: reduce u.
      std::optional<Expr> u =
          leaf(normalizer.linearToExpr(x.exponent), monoid, k);
      if (!u || positions)
        return u;
      Monomial factor = rest;
      factor.exponent.clear();
      return context.mul(
          context.exp(context.add(*u, normalizer.linearToExpr(rest.exponent))),
          normalizer.toExpr(factor));
    }
    if (!positions)
      return normalizer.refuse(
          e, stringify(monoid) +
                 " of exp(u)*w needs a gauge and a known sign "
                 "of the r-factor " +
                 normalizer.print(h));
  }
  Expr g = normalizer.toExpr(x);
  if (sign.low >= 0) {
    std::optional<Expr> a = leaf(g, monoid, k);
    if (!a || positions)
      return a;
    return context.mul(*a, h);
  }
  std::optional<Monoid> other = flipped(monoid);
  if (!other)
    return normalizer.refuse(h, "sign of the r-factor unknown under " +
                                    stringify(monoid));
  std::optional<Expr> a = leaf(g, monoid, k);
  std::optional<Expr> b = a ? leaf(g, *other, k) : std::nullopt;
  if (!b)
    return std::nullopt;
  return context.select(context.compare(Comparison::GE, h, context.constant(0)),
                        context.mul(*a, h), context.mul(*b, h));
}

} // namespace napkin::algebra
