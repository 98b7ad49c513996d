//===- NormalForm.cpp - The laws that separate x from r ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Normalisation by recursion over the term: each kind of node contributes one
// law (additive, power, exponential, logarithm, mask, ...). A node for which no
// law applies ends the derivation with its name.
//
//===----------------------------------------------------------------------===//

#include "napkin/Algebra/NormalForm.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace napkin::algebra {

/// Distribution stops here: a form with more products is slower than a second
/// pass would be.
static constexpr size_t kMaxMonomials = 64;

Normalizer::Normalizer(ExprContext &context, unsigned axis,
                       double inputBoundLog2)
    : context(context), axis(axis), inputBoundLog2(inputBoundLog2) {}

std::nullopt_t Normalizer::refuse(Expr at, const Twine &law) {
  refusal = {at, law.str()};
  return std::nullopt;
}

TermClass Normalizer::classOf(Expr e) {
  auto found = classes.find(e);
  if (found != classes.end())
    return found->second;
  bool reduced = e->kind == Kind::State || e->kind == Kind::Reference ||
                 (e->kind == Kind::Reduce && e->axis == axis);
  // A difference is of the class of what it is taken of.
  ArrayRef<Expr> operands = e->operands;
  for (Expr operand :
       e->kind == Kind::Shifted ? operands.take_front() : operands) {
    TermClass c = classOf(operand);
    reduced |= c == TermClass::Reduced || c == TermClass::Mixed;
  }
  bool streamed = carries(e, axis);
  TermClass result = streamed
                         ? (reduced ? TermClass::Mixed : TermClass::Streamed)
                         : (reduced ? TermClass::Reduced : TermClass::Fixed);
  classes[e] = result;
  return result;
}

static Monomial atom(Expr e, double coefficient = 1) {
  Monomial result;
  result.coefficient = coefficient;
  result.powers.push_back({e, 1});
  return result;
}

std::optional<Monomials> Normalizer::normalize(Expr e, bool shift) {
  std::pair key(e, shift ? innerAxes : 0);
  if (auto found = forms[shift].find(key); found != forms[shift].end())
    return found->second;
  std::optional<Monomials> sum = normalizeImpl(e, shift);
  if (!sum)
    return std::nullopt;
  Monomials result = collect(std::move(*sum));
  if (result.size() > kMaxMonomials)
    return refuse(e, "more than " + Twine(kMaxMonomials) +
                         " products after distribution");
  forms[shift][key] = result;
  return result;
}

std::optional<Monomials> Normalizer::normalizeImpl(Expr e, bool shift) {
  TermClass c = classOf(e);
  bool mixed = c == TermClass::Mixed;
  auto one = [](std::optional<Monomial> m) -> std::optional<Monomials> {
    if (!m)
      return std::nullopt;
    return Monomials{std::move(*m)};
  };
  switch (e->kind) {
  case Kind::Constant: {
    if (e->value == 0)
      return Monomials{};
    if (std::isinf(e->value))
      return Monomials{atom(e)};
    Monomial result;
    result.coefficient = e->value;
    return Monomials{result};
  }
  case Kind::Exp:
  case Kind::Exp2: {
    if (c == TermClass::Fixed)
      return Monomials{atom(e)};
    std::optional<Factors> terms = linear(e->operand(0));
    if (!terms)
      return std::nullopt;
    Monomial result;
    for (auto [u, factor] : *terms)
      addFactor(result.exponent, u,
                e->kind == Kind::Exp ? factor : factor * std::log(2.0));
    return Monomials{result};
  }
  case Kind::Neg: {
    std::optional<Monomials> sum = normalize(e->operand(0), shift);
    if (!sum)
      return std::nullopt;
    for (Monomial &m : *sum)
      m.coefficient = -m.coefficient;
    return sum;
  }
  case Kind::Mul:
  case Kind::Div:
    return normalizeProduct(e, shift);
  default:
    break;
  }
  if (!mixed)
    return Monomials{atom(e)};
  switch (e->kind) {
  case Kind::Add:
  case Kind::Sub:
    return normalizeSum(e, shift);
  case Kind::Sqrt:
  case Kind::Rsqrt: {
    bool root = e->kind == Kind::Sqrt;
    std::optional<Monomial> u = single(
        e->operand(0), Twine(root ? "sqrt" : "rsqrt")
                           .concat("(u) needs u to be one product g(x)*h(r)")
                           .str());
    return u ? one(power(*u, root ? 0.5 : -0.5, e)) : std::nullopt;
  }
  case Kind::Power: {
    std::optional<Monomial> u =
        single(e->operand(0), "u^c needs u to be one product g(x)*h(r)");
    return u ? one(power(*u, e->value, e)) : std::nullopt;
  }
  case Kind::Abs: {
    std::optional<Monomial> u =
        single(e->operand(0), "|u| needs u to be one product g(x)*h(r)");
    if (!u)
      return std::nullopt;
    if (u->bound || u->rounding)
      return refuse(e, "absolute value of an inner sum or a rounded value");
    Monomial result = *u;
    result.coefficient = std::fabs(u->coefficient);
    result.powers.clear();
    for (auto [a, p] : u->powers)
      addFactor(result.powers, context.make(Kind::Abs, {a}), p);
    result.outside.clear();
    for (auto [a, p] : u->outside)
      addFactor(result.outside, context.make(Kind::Abs, {a}), p);
    return Monomials{result};
  }
  case Kind::Log:
    return normalizeLog(e, shift);
  case Kind::Select:
    return normalizeSelect(e, shift);
  case Kind::Round:
    return normalizeRound(e);
  case Kind::Reduce:
    if (e->monoid == Monoid::Sum)
      return normalizeInnerSum(e, shift);
    return refuse(e, "inner reduce '" + stringify(e->monoid) +
                         "' over another axis of a value that joins " +
                         context.axisName(axis) + " and r");
  case Kind::Max:
  case Kind::Min: {
    // max(g1*h, g2*h) = max(g1, g2)*h for h >= 0.
    std::optional<Monomial> a = single(e->operand(0), "");
    std::optional<Monomial> b = a ? single(e->operand(1), "") : std::nullopt;
    if (!b)
      return refuseOther(e);
    auto [xa, ra] = split(*a);
    auto [xb, rb] = split(*b);
    if (ra.isSameProduct(rb) && ra.coefficient == rb.coefficient &&
        range(toExpr(ra)).low >= 0)
      return one(multiply(atom(context.make(e->kind, {toExpr(xa), toExpr(xb)})),
                          ra, e));
    return refuseOther(e);
  }
  default:
    return refuseOther(e);
  }
}

std::optional<Monomials> Normalizer::normalizeProduct(Expr e, bool shift) {
  bool mixed = isMixed(e);
  std::optional<Monomials> a = normalize(e->operand(0), shift);
  if (!a)
    return std::nullopt;
  std::optional<Monomials> b;
  if (e->kind == Kind::Mul) {
    b = normalize(e->operand(1), shift);
    if (!b)
      return std::nullopt;
    if (!mixed && (a->size() != 1 || b->size() != 1))
      return Monomials{atom(e)};
  } else {
    if (!mixed && (a->size() != 1 || e->operand(1)->isConstant(0)))
      return Monomials{atom(e)};
    std::optional<Monomial> divisor =
        single(e->operand(1), "1/b needs b to be one product g(x)*h(r)");
    std::optional<Monomial> inverse =
        divisor ? power(*divisor, -1, e) : std::nullopt;
    if (!inverse) {
      if (!mixed)
        return Monomials{atom(e)};
      return std::nullopt;
    }
    b = Monomials{std::move(*inverse)};
  }
  // 0 times infinity is NaN: a factor 0 stays where the others may not be
  // finite.
  Monomials zero = {atom(context.constant(0))};
  if (a->empty() && !isProvedFinite(e->operand(1)))
    a = zero;
  if (b->empty() && !isProvedFinite(e->operand(0)))
    b = zero;
  Monomials result;
  for (const Monomial &p : *a)
    for (const Monomial &q : *b) {
      std::optional<Monomial> m = multiply(p, q, e);
      if (!m)
        return std::nullopt;
      result.push_back(std::move(*m));
    }
  return result;
}

std::optional<Monomials> Normalizer::refuseOther(Expr e) {
  switch (e->kind) {
  case Kind::Compare:
    return refuse(e, "a comparison that joins x and r is a step in r: a sum "
                     "of it needs the data again (any/all of it is max/min)");
  case Kind::Max:
  case Kind::Min:
    return refuse(e, print(e).substr(0, 3) +
                         " of x and r is piecewise: it "
                         "distributes over + only for a common summand");
  case Kind::Call:
    return refuse(e, "'" + e->name +
                         "' of a value that joins x and r does "
                         "not split into a finite sum of products");
  case Kind::Guard:
    return refuse(e, "a guard of a value that joins x and r");
  default:
    return refuse(e, "no law for this operation on a value that joins x and r");
  }
}

bool Normalizer::collectAddends(Expr e, double sign, bool shift,
                                Monomials &out) {
  bool mixed = isMixed(e);
  if (mixed && (e->kind == Kind::Add || e->kind == Kind::Sub))
    return collectAddends(e->operand(0), sign, shift, out) &&
           collectAddends(e->operand(1), e->kind == Kind::Add ? sign : -sign,
                          shift, out);
  if (mixed && e->kind == Kind::Neg)
    return collectAddends(e->operand(0), -sign, shift, out);
  // A pure x-only sum is one atom: sum(X - Y) must not become sum X - sum Y.
  std::optional<Monomials> sum =
      normalize(e, mixed && shift && e->kind != Kind::Log);
  if (!sum)
    return false;
  for (Monomial &m : *sum) {
    m.coefficient *= sign;
    out.push_back(std::move(m));
  }
  return true;
}

std::optional<Monomials> Normalizer::normalizeSum(Expr e, bool shift) {
  Monomials sum;
  if (!collectAddends(e, 1, shift, sum))
    return std::nullopt;
  return shiftSum(collect(std::move(sum)), shift);
}

/// a(x) + b(r) kept whole: (a - ref) + (b + ref).
Monomials Normalizer::shiftSum(Monomials sum, bool shift) {
  if (!shift)
    return sum;
  Monomials streamed, reduced, rest;
  for (Monomial &m : sum) {
    TermClass c = classOf(m);
    bool plain = !m.bound && !m.rounding;
    bool shifted = any_of(m.powers, [](const auto &entry) {
      return anyNode(entry.first,
                     [](Expr n) { return n->kind == Kind::Shifted; });
    });
    if (c == TermClass::Streamed && plain && m.exponent.empty() && !shifted)
      streamed.push_back(std::move(m));
    else if (c == TermClass::Reduced && !m.bound)
      reduced.push_back(std::move(m));
    else
      rest.push_back(std::move(m));
  }
  if (streamed.empty() || reduced.empty()) {
    append_range(streamed, reduced);
    append_range(streamed, rest);
    return streamed;
  }
  // One point for all that is summed, where the r-part is one as well.
  AxisSet shared = axisBit(axis) | innerAxes;
  for (const Monomial &r : reduced)
    shared &= ~r.axes();
  Monomials result;
  Expr total = nullptr;
  for (const Monomial &m : streamed) {
    Monomial unit = m;
    unit.coefficient = 1;
    Expr x = toExpr(unit), point = context.reference(x, shared);
    result.push_back(atom(context.shifted(x, point), m.coefficient));
    // The reference is added first to the r-part derived from the same x-part:
    // their difference is small, so nothing is lost.
    Expr group = context.scale(m.coefficient, point);
    auto *mine = find_if(reduced, [&](const Monomial &r) {
      return anyNode(toExpr(r), [&](Expr n) { return n == x; });
    });
    if (mine != reduced.end()) {
      group = context.add(group, toExpr(*mine));
      reduced.erase(mine);
    }
    total = total ? context.add(total, group) : group;
  }
  for (const Monomial &r : reduced)
    total = context.add(total, toExpr(r));
  result.push_back(atom(total));
  append_range(result, rest);
  return result;
}

std::optional<Monomials> Normalizer::normalizeLog(Expr e, bool shift) {
  std::optional<Monomial> u =
      single(e->operand(0), "log(u) needs u to be one product g(x)*h(r)");
  if (!u)
    return std::nullopt;
  if (u->bound || u->rounding || !u->masks.empty())
    return refuse(e, "log of an inner sum, a mask or a rounded value");
  if (u->coefficient < 0)
    return refuse(e, "log of a product with a negative coefficient");
  Monomials sum;
  for (auto [a, c] : u->exponent)
    sum.push_back(atom(a, c));
  for (auto [a, p] : u->powers) {
    Expr base = range(a).low < 0 ? context.make(Kind::Abs, {a}) : a;
    sum.push_back(atom(context.make(Kind::Log, {base}), p));
  }
  if (u->coefficient != 1) {
    Monomial constant;
    constant.coefficient = std::log(u->coefficient);
    sum.push_back(constant);
  }
  return shiftSum(std::move(sum), shift);
}

std::optional<Monomials> Normalizer::normalizeSelect(Expr e, bool shift) {
  Expr condition = e->operand(0), a = e->operand(1), b = e->operand(2);
  if (isMixed(condition))
    return refuse(
        condition,
        "a condition that joins x and r (no homomorphism of the sum)");
  if (a->isMinusInfinity() || b->isMinusInfinity()) {
    std::optional<Factors> terms = linear(e);
    if (!terms)
      return std::nullopt;
    Monomials result;
    for (auto [term, c] : *terms)
      result.push_back(atom(term, c));
    return result;
  }
  Monomials result;
  for (auto [branch, mask] :
       {std::pair(a, condition),
        std::pair(b, context.make(Kind::Not, {condition}))}) {
    std::optional<Monomials> sum = normalize(branch, shift);
    if (!sum)
      return std::nullopt;
    for (Monomial &m : *sum) {
      Monomial masked;
      masked.masks.push_back(mask);
      std::optional<Monomial> product = multiply(m, masked, e);
      if (!product)
        return std::nullopt;
      product->outside.clear();
      result.push_back(std::move(*product));
    }
  }
  return result;
}

std::optional<Monomials> Normalizer::normalizeRound(Expr e) {
  if (!isRelative(e->rounding))
    return refuse(
        e, "rounding to a fixed grid does not commute with a factor in r: the "
           "grid of earlier chunks would have been another one (make the scale "
           "an input, or accept a second pass)");
  std::optional<Monomial> u =
      single(e->operand(0), "rounding of a sum of products");
  if (!u)
    return std::nullopt;
  if (u->rounding)
    return refuse(e, "two roundings");
  if (u->bound)
    return refuse(e, "rounding of an inner sum that joins x and r");
  Monomial result = *u;
  result.powers.clear();
  result.outside.clear();
  for (auto [a, p] : u->powers)
    (isStreamed(a) ? result.rounded : result.powers).push_back({a, p});
  // An x-part that is stored so already stays as it is.
  if (result.exponent.empty() &&
      (result.rounded.empty() ||
       (result.rounded.size() == 1 && result.rounded[0].second == 1 &&
        isRounded(result.rounded[0].first, e->rounding)))) {
    for (auto [a, p] : result.rounded)
      addFactor(result.powers, a, p);
    result.rounded.clear();
    return Monomials{result};
  }
  // f16 is homogeneous between 2^-14 and 2^15 only: the exponential is kept
  // there by a gauge, its cofactors must be there by themselves.
  if (e->rounding == Rounding::F16) {
    double bits = 0;
    for (auto [a, p] : result.rounded)
      bits += std::fabs(p) * magnitudeLog2(a);
    if (bits > kHalfRangeLog2)
      return refuse(e, "rounding to f16 commutes with a factor in r only "
                       "within 2^-14 and 2^15, and its x-part may reach 2^" +
                           Twine(int(std::ceil(bits))) +
                           " (round to bf16, or bound the input)");
  }
  std::string flag =
      "rounding '" + stringify(e->rounding).str() + "' of " +
      print(e->operand(0)) +
      " acts on the gauged element: same relative error, not bit-equal";
  if (!is_contained(flags, flag))
    flags.push_back(flag);
  result.rounding = e->rounding;
  return Monomials{result};
}

std::optional<Monomials> Normalizer::normalizeInnerSum(Expr e, bool shift) {
  AxisSet bit = axisBit(e->axis), around = innerAxes;
  innerAxes |= bit;
  std::optional<Monomials> sum = normalize(e->operand(0), shift);
  innerAxes = around;
  if (!sum)
    return std::nullopt;
  for (Monomial &m : *sum) {
    if (m.bound & bit)
      return refuse(e, "axis bound twice");
    if (m.axes() & bit)
      m.bound |= bit;
    else
      addFactor(m.powers, context.size(e->axis), 1);
  }
  return sum;
}

std::optional<Monomial> Normalizer::power(const Monomial &m, double exponent,
                                          Expr at) {
  if (m.bound || m.rounding || !m.masks.empty())
    return refuse(at, "power of an inner sum, a mask or a rounded value");
  Monomial result;
  bool whole = exponent == std::floor(exponent);
  if (!whole && m.coefficient < 0)
    result.coefficient = std::pow(-m.coefficient, exponent);
  else
    result.coefficient = std::pow(m.coefficient, exponent);
  for (auto [a, p] : m.powers) {
    double q = p * exponent;
    // sqrt(g*h) = sqrt|g| * sqrt|h| wherever the source is not NaN.
    bool sign = !whole && range(a).low < 0;
    addFactor(result.powers, sign ? context.make(Kind::Abs, {a}) : a, q);
  }
  for (auto [a, c] : m.exponent)
    addFactor(result.exponent, a, c * exponent);
  return result;
}

std::optional<Monomial> Normalizer::single(Expr e, StringRef law) {
  std::optional<Monomials> sum = normalize(e, false);
  if (!sum)
    return std::nullopt;
  if (sum->size() == 1)
    return sum->front();
  if (std::optional<Monomial> product = rankOne(*sum, e))
    return product;
  std::string text;
  for (const Monomial &m : *sum)
    text += (text.empty() ? "" : " + ") + print(toExpr(m));
  return refuse(e, law + "; it is a sum of " + Twine(sum->size()) +
                       " products of x and r: " + text);
}

/// g*h1 + g*h2 = g*(h1 + h2), and the same with the sides swapped.
std::optional<Monomial> Normalizer::rankOne(const Monomials &sum, Expr at) {
  if (sum.empty())
    return std::nullopt;
  for (bool commonX : {true, false}) {
    Monomials common, others;
    for (const Monomial &m : sum) {
      auto [x, rest] = split(m);
      common.push_back(commonX ? x : rest);
      others.push_back(commonX ? rest : x);
      others.back().coefficient = m.coefficient;
      common.back().coefficient = 1;
    }
    if (!all_of(
            common,
            [&](const Monomial &m) { return m.isSameProduct(common[0]); }) ||
        any_of(others, [](const Monomial &m) { return m.bound; }))
      continue;
    Monomial factor = common[0];
    if (!commonX) {
      // A common exponential must stay visible to the gauge.
      if (any_of(others, [&](const Monomial &m) {
            return m.exponent != others[0].exponent;
          }))
        continue;
      for (auto [a, c] : others[0].exponent)
        addFactor(factor.exponent, a, c);
      for (Monomial &m : others)
        m.exponent.clear();
    }
    return multiply(factor, atom(toExpr(others)), at);
  }
  return std::nullopt;
}

} // namespace napkin::algebra
