//===- FinishPlan.cpp - Results from accumulators ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Puts back what waited for the end: gauges and r-parts. Exponents are kept
// apart from mantissas as long as possible, so that exp(M - m) is found to be 1
// and a ratio of two overflowing sums stays finite. Also: which members of the
// state are needed at all, and their names.
//
//===----------------------------------------------------------------------===//

#include "Deriver.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace napkin::algebra {

Expr Deriver::streamedCount() { return context.size(axis); }

/// Adds scale * e to an exponent, opened to atoms.
void Deriver::addExponent(Factors &exponent, Expr e, double scale) {
  std::optional<Factors> terms = normalizer.linear(inStates(e));
  for (auto [a, c] : *terms) // not mixed, so never refused
    addFactor(exponent, a, c * scale);
}

/// A gauge and the source's own exp(-max) cancel. What is left of a gauge is
/// read unguarded: the sum of nothing is then 0 times exp(-inf), whatever else
/// the exponent holds.
void Deriver::cancelGauges(Factors &exponent, const Accumulator &accumulator) {
  for (const Gauge &gauge : accumulator.gauges) {
    if (!gauge.exponential)
      continue;
    Expr maximum = state(gauge.reference), guarded = context.guard(maximum);
    auto take = [&](Expr atom) {
      auto *found = find_if(exponent, [&](auto &e) { return e.first == atom; });
      double amount = found == exponent.end() ? 0 : found->second;
      addFactor(exponent, atom, -amount);
      return amount;
    };
    double amount = take(maximum) + take(guarded);
    bool bare = amount > 0 && accumulator.monoid == Monoid::Sum;
    if (std::fabs(amount) > 1e-12 * gauge.scale)
      addFactor(exponent, bare ? maximum : guarded, amount);
  }
}

std::optional<double> shortFactor(double factor) {
  double close = std::round(factor * 0x1p12) * 0x1p-12;
  if (close != 0 && std::fabs(factor - close) <= 1e-12 * std::fabs(close))
    return close;
  return std::nullopt;
}

/// exp(scale * exponent). Differences first and the factor last, in units of
/// one that is not a maximum of ours: a source that takes max(c*u, s) is then
/// met by the very c*max that it compares, however large that is.
Expr Deriver::exponential(const Factors &exponent, double scale) {
  auto ours = [](Expr e) {
    return e->kind == Kind::State ||
           (e->kind == Kind::Guard && e->operand(0)->kind == Kind::State);
  };
  const auto *other =
      find_if(exponent, [&](const auto &term) { return !ours(term.first); });
  double unit =
      std::fabs((other == exponent.end() ? exponent.begin() : other)->second);
  Expr sum = nullptr;
  for (bool positive : {true, false})
    for (auto [a, c] : exponent) {
      if (c > 0 != positive)
        continue;
      double ratio = std::fabs(c) / unit;
      if (std::fabs(ratio - float(ratio)) <= 1e-12 * ratio)
        ratio = float(ratio); // a factor as the source has it
      Expr term = context.scale(ratio, a);
      if (sum)
        sum = positive ? context.add(sum, term) : context.sub(sum, term);
      else
        sum = positive ? term : context.neg(term);
    }
  // Nothing bounds this exponent, and its result is one for a row: exact.
  if (std::optional<double> base2 = shortFactor(unit * scale * kLog2E))
    return context.exp2(context.scale(*base2, sum));
  return context.exp(context.scale(unit * scale, sum));
}

Expr Deriver::unscale(const Scaled &scaled) {
  if (scaled.exponent.empty())
    return scaled.mantissa;
  // Half before and half after: the geometric mean of two finite numbers is
  // finite. A factor of the row stands between them: it may be as large as what
  // the exponential takes away is small.
  Expr half = exponential(scaled.exponent, 0.5);
  Expr value = scaled.mantissa;
  bool hasFactor = value->kind == Kind::Mul &&
                   value->operand(0)->axes != value->operand(1)->axes;
  if (!hasFactor)
    return context.mul(context.mul(value, half), half);
  value = context.mul(context.mul(value->operand(0), half), value->operand(1));
  return context.mul(value, half);
}

/// Every element of `user` is a multiple of an element of the accumulator, none
/// of which is negative: where that sum is 0, so is the user's.
bool Deriver::vanishesWith(const Product &user, unsigned accumulator) {
  if (!user.accumulator || !accumulators[accumulator].monomial)
    return false;
  if (accumulators[accumulator].monoid != Monoid::Sum)
    return false;
  const Monomial &part = *accumulators[accumulator].monomial;
  const Monomial &whole = *accumulators[*user.accumulator].monomial;
  auto powerIn = [](const Monomial &m, Expr a) {
    double power = 0;
    for (const Factors *factors : {&m.powers, &m.rounded})
      for (auto [b, p] : *factors)
        if (a == b)
          power += p;
    return power;
  };
  for (const Factors *factors : {&part.powers, &part.rounded})
    for (auto [a, p] : *factors) {
      bool even = std::fmod(p, 2) == 0;
      if ((!even && normalizer.range(a).low < 0) || p < 0 ||
          powerIn(whole, a) < p)
        return false;
    }
  for (const Factors *factors : {&whole.powers, &whole.rounded})
    for (auto [a, p] : *factors)
      if (p < 0)
        return false; // 0 times infinity
  return part.exponent == whole.exponent &&
         all_of(part.masks,
                [&](Expr m) { return is_contained(whole.masks, m); }) &&
         (part.bound & ~whole.bound) == 0;
}

/// An r-part whose mantissa and exponent are known apart: a reduction, or one
/// guarded against 0 ("r > 0 ? r : 1").
std::optional<Deriver::Scaled> Deriver::scaledAtom(Expr atom,
                                                   const Product &user) {
  if (auto found = scaledResults.find(atom); found != scaledResults.end())
    return found->second;
  if (atom->kind != Kind::Select || atom->operand(0)->kind != Kind::Compare ||
      !atom->operand(0)->operand(1)->isConstant(0))
    return std::nullopt;
  Expr r = atom->operand(0)->operand(0);
  auto found = scaledResults.find(r);
  bool first = atom->operand(1) == r;
  Expr other = atom->operand(first ? 2 : 1);
  if (found == scaledResults.end() || (!first && atom->operand(2) != r) ||
      !other->isConstant())
    return std::nullopt;
  Scaled result = found->second;
  if (result.accumulator && vanishesWith(user, *result.accumulator))
    other = context.constant(other->value < 0 ? -1 : 1);
  else if (!result.exponent.empty())
    other = context.mul(other, exponential(result.exponent, -1));
  Expr condition = context.compare(atom->operand(0)->comparison,
                                   result.mantissa, context.constant(0));
  result.mantissa = first ? context.select(condition, result.mantissa, other)
                          : context.select(condition, other, result.mantissa);
  return result;
}

Deriver::Scaled Deriver::ungauge(const Product &product) {
  Scaled result;
  const Monomial &h = product.rest;
  const Accumulator *a =
      product.accumulator ? &accumulators[*product.accumulator] : nullptr;
  result.mantissa = a ? state(a->number) : streamedCount();
  // Ratios of equal powers first: (M/r)^2, not M^2 / r^2.
  struct Group {
    double power;
    Expr numerator = nullptr, denominator = nullptr;
  };
  SmallVector<Group, 2> groups;
  auto factor = [&](Expr e, double p) {
    auto *group = find_if(
        groups, [&](const Group &g) { return g.power == std::fabs(p); });
    if (group == groups.end()) {
      groups.push_back({std::fabs(p)});
      group = &groups.back();
    }
    Expr &side = p > 0 ? group->numerator : group->denominator;
    side = side ? context.mul(side, e) : e;
  };
  if (a)
    for (const Gauge &gauge : a->gauges) {
      Expr maximum = state(gauge.reference);
      if (gauge.exponential)
        addFactor(result.exponent, maximum, gauge.scale);
      else
        factor(positive(maximum), gauge.power);
    }
  for (auto [e, c] : h.exponent)
    addExponent(result.exponent, e, c);
  for (auto [e, p] : h.powers) {
    if (std::optional<Scaled> scaled = scaledAtom(e, product)) {
      for (auto [u, c] : scaled->exponent) {
        bool maximum = u->kind == Kind::State && c * p < 0;
        addFactor(result.exponent, maximum ? context.guard(u) : u, c * p);
      }
      factor(scaled->mantissa, p);
    } else {
      factor(inStates(e), p);
    }
  }
  if (a)
    cancelGauges(result.exponent, *a);
  if (h.powers.empty() && h.coefficient > 0 && product.accumulator &&
      a->gauges.size() <= 1)
    result.accumulator = product.accumulator;
  // Row factors in one, so that each element sees one multiplication.
  Expr constant = context.constant(h.coefficient);
  for (const Group &group : groups) {
    Expr ratio = group.numerator ? group.numerator : context.constant(1);
    if (group.denominator)
      ratio = context.div(ratio, group.denominator);
    ratio = normalizer.powersToExpr({{ratio, group.power}});
    bool row = (ratio->axes & result.mantissa->axes) == ratio->axes &&
               ratio->axes != result.mantissa->axes;
    if (group.power == 1 && !group.numerator && !row)
      result.mantissa = context.div(result.mantissa, group.denominator);
    else
      result.mantissa = context.mul(result.mantissa, ratio);
  }
  if (h.coefficient == -1)
    result.mantissa = context.neg(result.mantissa);
  else
    result.mantissa = context.mul(result.mantissa, constant);
  return result;
}

Expr Deriver::finishProduct(const Product &product) {
  Expr value = unscale(ungauge(product));
  const Monomial &h = product.rest;
  Expr zero = context.constant(0);
  for (Expr mask : h.masks)
    value = context.select(inStates(mask), value, zero);
  // Nothing selected: 0, whatever h is.
  if (product.accumulator && (!h.powers.empty() || !h.exponent.empty()))
    if (const Accumulator &a = accumulators[*product.accumulator];
        a.monomial && !a.monomial->masks.empty())
      value = context.select(
          context.compare(Comparison::EQ, state(a.number), zero), zero, value);
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (h.bound >> i & 1)
      value = context.reduce(Monoid::Sum, i, value);
  return value;
}

void Deriver::finishReduction(Expr r) {
  auto found = sums.find(r);
  if (found == sums.end()) {
    finish[r] = inStates(finish.lookup(r));
    return;
  }
  ArrayRef<Product> products = found->second;
  if (products.size() == 1 && products[0].accumulator &&
      !products[0].rest.bound && products[0].rest.masks.empty() &&
      accumulators[*products[0].accumulator].monomial->masks.empty()) {
    Scaled scaled = ungauge(products[0]);
    finish[r] = unscale(scaled);
    scaledResults[r] = scaled;
    return;
  }
  Expr total = nullptr;
  for (const Product &product : products) {
    Expr term = finishProduct(product);
    total = total ? context.add(total, term) : term;
  }
  finish[r] = total ? total : context.constant(0);
}

/// \p output over states. The logarithm of a reduction is that of its mantissa
/// plus its exponent, which may meet its opposite outside: log sum exp(s - m) +
/// m is log(sum exp(s - r)) + r for every reference r.
Expr Deriver::finishOutput(Expr output) {
  if (output->kind == Kind::Round)
    return context.round(finishOutput(output->operand(0)), output->rounding);
  auto known = [&](Expr atom) {
    if (atom->kind != Kind::Log)
      return scaledResults.end();
    return scaledResults.find(atom->operand(0));
  };
  std::optional<Factors> terms = normalizer.linear(output);
  if (!terms || none_of(*terms, [&](const auto &term) {
        return known(term.first) != scaledResults.end();
      }))
    return inStates(output);
  Factors total;
  // A maximum of nothing is -inf, and so is its sum with the log of nothing.
  auto add = [&](Expr atom, double c) {
    bool guarded =
        atom->kind == Kind::Guard && atom->operand(0)->kind == Kind::State;
    addFactor(total, guarded ? atom->operand(0) : atom, c);
  };
  for (auto [atom, c] : *terms) {
    auto scaled = known(atom);
    if (scaled == scaledResults.end()) {
      Factors opened;
      addExponent(opened, atom, c);
      for (auto [part, d] : opened)
        add(part, d);
      continue;
    }
    add(context.make(Kind::Log, {scaled->second.mantissa}), c);
    for (auto [part, d] : scaled->second.exponent)
      add(part, c * d);
  }
  return normalizer.linearToExpr(total);
}

static void collectStates(Expr e, SmallVectorImpl<unsigned> &numbers) {
  anyNode(e, [&](Expr n) {
    if (n->kind == Kind::State)
      numbers.push_back(n->number);
    return false;
  });
}

void Deriver::collectLive(ArrayRef<Expr> outputs, StreamPlan &plan) {
  SmallVector<unsigned, 8> work;
  DenseMap<Expr, Expr> replacements = plan.finish;
  for (Expr output : outputs) {
    Expr finished = plan.outputs.lookup(output);
    collectStates(
        finished ? finished : context.substitute(output, replacements), work);
  }
  SmallVector<bool, 8> live(members.size(), false);
  while (!work.empty()) {
    unsigned number = work.pop_back_val();
    if (live[number])
      continue;
    live[number] = true;
    collectStates(members[number].step, work);
    collectStates(members[number].merge, work);
  }
  unsigned printed = 0;
  for (auto [i, member] : enumerate(members)) {
    if (!live[i])
      continue;
    std::string name = "a" + std::to_string(printed++);
    Expr second = context.state(i, member.state->axes, 1);
    names[member.state] = name;
    names[second] = name + "'";
    plan.members.push_back(member);
  }
  nameMembers(plan);
  plan.names = names;
}

void Deriver::nameMembers(StreamPlan &plan) {
  std::string over = "_" + context.axisName(axis).str() + " ";
  for (PlanMember &member : plan.members) {
    unsigned number = member.state->number;
    std::string name = names.lookup(member.state) + " = ";
    if (number >= accumulators.size()) {
      member.description = name + "count" + over;
      member.description.pop_back();
      for (auto [a, i] : referenceMembers)
        if (i == number)
          member.description = name +
                               (weightedPoints.count(a) ? "mean" : "first") +
                               over + normalizer.print(a->operand(0));
      continue;
    }
    const Accumulator &a = accumulators[number];
    Expr e = a.element ? a.element : normalizer.toExpr(*a.monomial);
    member.description = name + stringify(a.monoid).str() +
                         (a.k ? std::to_string(a.k) : "") + over +
                         normalizer.print(e);
    member.mayOverflow = a.mayOverflow;
    for (const Gauge &gauge : a.gauges) {
      std::string reference = names.lookup(state(gauge.reference));
      if (!member.gauge.empty())
        member.gauge += " ";
      if (gauge.exponential)
        member.gauge +=
            "exp(-" + (gauge.scale == 1 ? "" : printNumber(gauge.scale) + "*") +
            reference + ")";
      else
        member.gauge += reference + "^-" + printNumber(gauge.power);
    }
    if (a.monomial)
      for (auto [atom, p] : a.monomial->powers)
        if (atom->kind == Kind::Shifted) {
          auto maximum = shiftMaxima.find(atom);
          if (!member.shift.empty())
            member.shift += " ";
          member.shift +=
              maximum == shiftMaxima.end()
                  ? names.lookup(members[referenceMembers[atom]].state)
                  : names.lookup(state(maximum->second.number));
        }
  }
}

} // namespace napkin::algebra
