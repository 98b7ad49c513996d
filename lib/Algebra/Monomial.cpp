//===- Monomial.cpp - Products, and terms rebuilt from them -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic of monomials and the way back from them to expressions.
//
//===----------------------------------------------------------------------===//

#include "napkin/Algebra/NormalForm.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include <tuple>

using namespace llvm;

namespace napkin::algebra {

void addFactor(Factors &factors, Expr atom, double amount) {
  auto position = lower_bound(factors, atom, [](const auto &entry, Expr e) {
    return entry.first->id < e->id;
  });
  if (position == factors.end() || position->first != atom) {
    if (amount != 0)
      factors.insert(position, {atom, amount});
    return;
  }
  position->second += amount;
  // Coefficients come from source constants; what is left of c - c in doubles
  // is either 0 or not a cancellation.
  if (std::fabs(position->second) <= 1e-14 * std::fabs(amount))
    factors.erase(position);
}

AxisSet Monomial::axes() const {
  AxisSet result = 0;
  for (const Factors *factors : {&powers, &exponent, &rounded})
    for (auto [atom, number] : *factors)
      result |= atom->axes;
  for (Expr mask : masks)
    result |= mask->axes;
  return result;
}

bool Monomial::isSameProduct(const Monomial &other) const {
  return powers == other.powers && exponent == other.exponent &&
         bound == other.bound && masks == other.masks &&
         outside == other.outside && rounded == other.rounded &&
         rounding == other.rounding;
}

Factors Monomial::masked() const {
  Factors result = powers;
  for (auto [atom, p] : outside)
    addFactor(result, atom, -p);
  return result;
}

static void insertMask(SmallVectorImpl<Expr> &masks, Expr mask) {
  auto position =
      lower_bound(masks, mask, [](Expr a, Expr b) { return a->id < b->id; });
  if (position == masks.end() || *position != mask)
    masks.insert(position, mask);
}

std::optional<Monomial> Normalizer::multiply(const Monomial &a,
                                             const Monomial &b, Expr at) {
  if (a.rounding && b.rounding)
    return refuse(at, "product of two rounded mixed values");
  if ((a.rounding && !b.exponent.empty()) ||
      (b.rounding && !a.exponent.empty()))
    return refuse(at, "exponential multiplied on after a rounding");
  for (auto [p, q] : {std::pair(&a, &b), std::pair(&b, &a)})
    if (AxisSet captured = p->bound & (q->axes() | q->bound))
      return refuse(at, Twine("axis ") +
                            context.axisName(llvm::countr_zero(captured)) +
                            " is summed inside and used outside (capture)");
  Monomial result = a;
  result.coefficient *= b.coefficient;
  result.bound |= b.bound;
  // What one factor masks does not reach the other's.
  result.outside.clear();
  bool either = !a.masks.empty() || !b.masks.empty();
  for (const Monomial *m : {&a, &b})
    if (either)
      for (auto [atom, p] : m->masks.empty() ? m->powers : m->outside)
        addFactor(result.outside, atom, p);
  for (Expr mask : b.masks)
    insertMask(result.masks, mask);
  if (b.rounding) {
    result.rounding = b.rounding;
    result.rounded = b.rounded;
  }
  for (auto [atom, p] : b.powers)
    addFactor(result.powers, atom, p);
  for (auto [atom, c] : b.exponent)
    addFactor(result.exponent, atom, c);
  return result;
}

Monomials Normalizer::collect(Monomials sum) {
  Monomials result;
  for (Monomial &monomial : sum) {
    auto *same = find_if(result, [&](const Monomial &other) {
      return other.isSameProduct(monomial);
    });
    if (same == result.end())
      result.push_back(std::move(monomial));
    else
      same->coefficient += monomial.coefficient;
  }
  erase_if(result, [](const Monomial &m) { return m.coefficient == 0; });
  return result;
}

TermClass Normalizer::classOf(const Monomial &monomial) {
  bool streamed = false, reduced = false;
  auto see = [&](Expr e) {
    TermClass c = classOf(e);
    streamed |= c == TermClass::Streamed || c == TermClass::Mixed;
    reduced |= c == TermClass::Reduced || c == TermClass::Mixed;
  };
  for (const Factors *factors :
       {&monomial.powers, &monomial.exponent, &monomial.rounded})
    for (auto [atom, number] : *factors)
      see(atom);
  for (Expr mask : monomial.masks)
    see(mask);
  return streamed ? (reduced ? TermClass::Mixed : TermClass::Streamed)
                  : (reduced ? TermClass::Reduced : TermClass::Fixed);
}

Expr Normalizer::linearToExpr(const Factors &terms) {
  Expr result = nullptr;
  for (auto [atom, c] : terms) {
    if (result && c == -1) {
      result = context.sub(result, atom);
      continue;
    }
    Expr term = c == -1 ? context.neg(atom) : context.scale(c, atom);
    result = result ? context.add(result, term) : term;
  }
  return result ? result : context.constant(0);
}

Expr Normalizer::linearToFused(const Factors &terms) {
  if (terms.size() == 1)
    return linearToExpr(terms);
  Factors sorted = terms;
  llvm::sort(sorted, [](const auto &a, const auto &b) {
    auto rank = [](const std::pair<Expr, double> &term) {
      return std::tuple(llvm::popcount(term.first->axes),
                        std::fabs(term.second) != 1, term.first->id);
    };
    return rank(a) < rank(b);
  });
  Expr result = nullptr;
  for (auto [atom, c] : sorted) {
    if (!result)
      result = linearToExpr({{atom, c}});
    else if (c == 1)
      result = context.add(result, atom);
    else if (c == -1)
      result = context.sub(result, atom);
    else
      result = context.fma(atom, context.constant(c), result);
  }
  return result ? result : context.constant(0);
}

Expr Normalizer::powersToExpr(const Factors &powers) {
  Expr numerator = nullptr, denominator = nullptr;
  for (auto [atom, power] : powers) {
    double p = std::fabs(power), whole = std::floor(p);
    Expr factor = nullptr;
    auto times = [&](Expr e) { factor = factor ? context.mul(factor, e) : e; };
    if (p - whole == 0.5)
      times(context.make(Kind::Sqrt, {atom}));
    else if (p != whole) {
      times(context.power(atom, p));
      whole = 0;
    }
    if (whole > 8)
      times(context.power(atom, whole));
    else
      for (unsigned i = 0; i < whole; ++i)
        times(atom);
    Expr &side = power > 0 ? numerator : denominator;
    side = side ? context.mul(side, factor) : factor;
  }
  if (!numerator)
    numerator = context.constant(1);
  return denominator ? context.div(numerator, denominator) : numerator;
}

Expr Normalizer::toExpr(const Monomial &monomial) {
  Expr result = powersToExpr(monomial.masked());
  if (!monomial.exponent.empty() || monomial.rounding) {
    Expr inner = powersToExpr(monomial.rounded);
    if (!monomial.exponent.empty())
      inner = context.mul(context.exp(linearToExpr(monomial.exponent)), inner);
    if (monomial.rounding)
      inner = context.round(inner, *monomial.rounding);
    // exp(u) / b reads and computes better than exp(u) * (1 / b).
    if (result->kind == Kind::Div && result->operand(0)->isConstant(1))
      result = context.div(inner, result->operand(1));
    else
      result = context.mul(inner, result);
  }
  if (monomial.coefficient == -1)
    result = context.neg(result);
  else
    result = context.scale(monomial.coefficient, result);
  for (Expr mask : monomial.masks)
    result = context.select(mask, result, context.constant(0));
  if (!monomial.outside.empty())
    result = context.mul(result, powersToExpr(monomial.outside));
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (monomial.bound >> i & 1)
      result = context.reduce(Monoid::Sum, i, result);
  return result;
}

Expr Normalizer::toExpr(const Monomials &sum) {
  Expr result = nullptr;
  for (const Monomial &monomial : sum) {
    Expr term = toExpr(monomial);
    result = result ? context.add(result, term) : term;
  }
  return result ? result : context.constant(0);
}

std::pair<Monomial, Monomial> Normalizer::split(const Monomial &monomial) {
  Monomial x, rest;
  rest.coefficient = monomial.coefficient;
  for (auto [atom, p] : monomial.powers) {
    // A fixed factor that carries an inner-summed axis is summed with x.
    bool within = isStreamed(atom) || (classOf(atom) == TermClass::Fixed &&
                                       (atom->axes & monomial.bound));
    (within ? x : rest).powers.push_back({atom, p});
  }
  // Fixed addends of an exponent with x stay there, as written, so that the
  // maximum of the exponent is the one that the source takes.
  bool exponentHasX = any_of(monomial.exponent, [&](const auto &entry) {
    return isStreamed(entry.first);
  });
  for (auto [atom, c] : monomial.exponent) {
    bool within = exponentHasX && classOf(atom) != TermClass::Reduced;
    (within ? x : rest).exponent.push_back({atom, c});
  }
  for (Expr mask : monomial.masks)
    (isStreamed(mask) ? x : rest).masks.push_back(mask);
  if (!x.masks.empty())
    for (auto [atom, p] : monomial.outside)
      if (any_of(x.powers, [&, a = atom](auto &f) { return f.first == a; }))
        x.outside.push_back({atom, p});
  rest.bound = monomial.bound & rest.axes();
  // Where each position has a point of its own, each moves by itself.
  for (auto [atom, p] : x.powers)
    if (atom->kind == Kind::Shifted)
      rest.bound |= monomial.bound & atom->operand(1)->axes;
  x.bound = monomial.bound & ~rest.bound;
  x.rounded = monomial.rounded;
  x.rounding = monomial.rounding;
  return {x, rest};
}

bool anyNode(Expr e, function_ref<bool(Expr)> predicate) {
  SmallVector<Expr, 16> stack = {e};
  DenseMap<Expr, bool> seen;
  while (!stack.empty()) {
    Expr top = stack.pop_back_val();
    if (!seen.try_emplace(top, true).second)
      continue;
    if (predicate(top))
      return true;
    append_range(stack, top->operands);
  }
  return false;
}

} // namespace napkin::algebra
