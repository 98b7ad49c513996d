//===- LinearForm.cpp - Exponents as sums of atoms --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The additive form of what stands in an exponent or under a maximum: a sum of
// atoms none of which joins x and r. Canonical in its scale, so that a running
// maximum is found again by comparing forms.
//
//===----------------------------------------------------------------------===//

#include "napkin/Algebra/NormalForm.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace napkin::algebra {

static Factors scaled(const Factors &terms, double c) {
  Factors result;
  for (auto [a, v] : terms)
    if (v * c != 0)
      result.push_back({a, v * c});
  return result;
}

std::optional<Factors> Normalizer::linearMultiple(Expr e, double c) {
  std::optional<Factors> terms = linear(e);
  if (!terms || c != 0)
    return terms ? std::optional(scaled(*terms, c)) : std::nullopt;
  // 0 times infinity is NaN and has to stay so.
  Factors zeros;
  for (auto [a, v] : *terms)
    if (!isProvedFinite(a))
      addFactor(zeros, context.scale(0, a), 1);
  return zeros;
}

std::optional<Factors> Normalizer::linear(Expr e) {
  if (auto found = linearForms.find(e); found != linearForms.end())
    return found->second;
  std::optional<Factors> result = linearImpl(e);
  if (result)
    linearForms[e] = *result;
  return result;
}

std::optional<Factors> Normalizer::linearImpl(Expr e) {
  bool mixed = isMixed(e);
  switch (e->kind) {
  case Kind::Add:
  case Kind::Sub: {
    std::optional<Factors> a = linear(e->operand(0));
    std::optional<Factors> b = a ? linear(e->operand(1)) : std::nullopt;
    if (!b)
      return std::nullopt;
    Factors sum = *a;
    for (auto [u, c] : *b)
      addFactor(sum, u, e->kind == Kind::Add ? c : -c);
    // a - a is NaN where a is not finite.
    auto vanished = [&](const auto &term) {
      return !isProvedFinite(term.first) && none_of(sum, [&](const auto &left) {
        return left.first == term.first;
      });
    };
    if (!mixed && any_of(*b, vanished))
      return Factors{{e, 1}};
    return sum;
  }
  case Kind::Neg: {
    std::optional<Factors> a = linear(e->operand(0));
    return a ? std::optional(scaled(*a, -1)) : std::nullopt;
  }
  case Kind::Mul:
    for (unsigned i : {0, 1})
      if (Expr c = e->operand(i); c->isConstant() && std::isfinite(c->value))
        return linearMultiple(e->operand(1 - i), c->value);
    break;
  case Kind::Div:
    if (Expr c = e->operand(1); c->isConstant() && c->value != 0)
      return linearMultiple(e->operand(0), 1 / c->value);
    break;
  case Kind::Guard:
    if (mixed)
      break;
    // finite(c*a) = c*finite(a) for c > 0.
    if (std::optional<Factors> a = linear(e->operand(0));
        a && a->size() == 1 && (*a)[0].second > 0)
      return Factors{{context.guard((*a)[0].first), (*a)[0].second}};
    return Factors{{e, 1}};
  case Kind::Select: {
    if (mixed)
      return linearMixedSelect(e);
    // select(c, k*a, -inf) = k*select(c, a, -inf) for k > 0.
    bool second = e->operand(1)->isMinusInfinity();
    if (second == e->operand(2)->isMinusInfinity())
      break;
    std::optional<Factors> a = linear(e->operand(second ? 2 : 1));
    if (!a || a->size() != 1 || (*a)[0].second <= 0)
      break;
    Expr inner = (*a)[0].first, hidden = context.constant(-kInfinity);
    return Factors{{context.select(e->operand(0), second ? hidden : inner,
                                   second ? inner : hidden),
                    (*a)[0].second}};
  }
  case Kind::Max:
  case Kind::Min:
    if (mixed)
      return linearMinMax(e);
    break;
  case Kind::Reduce:
    if (e->axis != axis && carries(e, axis) &&
        (e->monoid == Monoid::Max || e->monoid == Monoid::Min))
      return linearInnerExtremum(e);
    break;
  default:
    break;
  }
  if (!mixed) {
    if (e->isConstant(0))
      return Factors{};
    return Factors{{e, 1}};
  }
  std::optional<Monomials> sum = normalize(e, false);
  if (!sum)
    return std::nullopt;
  Factors result;
  for (const Monomial &m : *sum) {
    if (classOf(m) == TermClass::Mixed)
      return refuse(e, "the summand " + print(toExpr(m)) +
                           " joins x and r multiplicatively, so exp/max of it "
                           "does not split additively");
    if (m.powers.size() == 1 && m.powers[0].second == 1 && m.exponent.empty() &&
        !m.bound && m.masks.empty() && !m.rounding)
      addFactor(result, m.powers[0].first, m.coefficient);
    else
      addFactor(result, toExpr(m), 1);
  }
  return result;
}

/// select(c(x), a(x) + b(r), -inf) = select(c, a, -inf) + b: -inf absorbs b.
std::optional<Factors> Normalizer::linearMixedSelect(Expr e) {
  Expr condition = e->operand(0), minusInfinity = context.constant(-kInfinity);
  bool second = e->operand(1)->isMinusInfinity();
  if (second == e->operand(2)->isMinusInfinity() || isMixed(condition) ||
      classOf(condition) == TermClass::Reduced)
    return refuse(e, "a select that joins x and r splits additively only with "
                     "-inf for one branch and a condition free of r");
  std::optional<Factors> terms = linear(e->operand(second ? 2 : 1));
  if (!terms)
    return std::nullopt;
  Factors kept, streamed;
  for (auto [a, c] : *terms)
    (classOf(a) == TermClass::Reduced ? kept : streamed).push_back({a, c});
  double scale = 1;
  if (streamed.size() == 1 && streamed[0].second > 0)
    std::swap(scale, streamed[0].second);
  Expr x = linearToExpr(streamed);
  addFactor(kept,
            context.select(condition, second ? minusInfinity : x,
                           second ? x : minusInfinity),
            scale);
  return kept;
}

/// A maximum over other axes, in one spelling whatever the order of the axes:
/// it is the reference of a sum that runs over them too.
std::optional<Factors> Normalizer::linearInnerExtremum(Expr e) {
  AxisSet over = 0;
  Expr body = e;
  for (; body->kind == Kind::Reduce && body->monoid == e->monoid &&
         body->axis != axis;
       body = body->operand(0))
    over |= axisBit(body->axis);
  std::optional<Factors> terms = linear(body);
  if (!terms)
    return std::nullopt;
  Factors kept, inner;
  for (auto [a, c] : *terms) {
    bool waits = classOf(a) == TermClass::Reduced;
    if (waits && (a->axes & over))
      return refuse(e, "inner " + stringify(e->monoid) +
                           " of x and r along an axis that r carries");
    (waits ? kept : inner).push_back({a, c});
  }
  double scale = inner.size() == 1 ? std::fabs(inner[0].second) : 1;
  for (auto &[a, c] : inner)
    c /= scale;
  Expr extremum = linearToExpr(inner);
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (over >> i & 1)
      extremum = context.reduce(e->monoid, i, extremum);
  addFactor(kept, extremum, scale);
  return kept;
}

/// max(a + c(r), b + c(r)) = max(a, b) + c.
std::optional<Factors> Normalizer::linearMinMax(Expr e) {
  std::optional<Factors> a = linear(e->operand(0));
  std::optional<Factors> b = a ? linear(e->operand(1)) : std::nullopt;
  if (!b)
    return std::nullopt;
  Factors common[2], rest[2];
  for (unsigned i : {0, 1})
    for (auto [u, c] : i ? *b : *a)
      (classOf(u) == TermClass::Reduced ? common : rest)[i].push_back({u, c});
  if (common[0] != common[1])
    return refuse(e, "max(a+c, b+c) = max(a,b)+c needs the same r-part c in "
                     "both operands");
  addFactor(
      common[0],
      context.make(e->kind, {linearToExpr(rest[0]), linearToExpr(rest[1])}), 1);
  return common[0];
}

} // namespace napkin::algebra
