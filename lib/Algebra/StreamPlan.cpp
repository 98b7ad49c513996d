//===- StreamPlan.cpp - Accumulators and their gauges -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each reduction over the streamed axis is written as accumulators that know
// nothing of other reductions, times factors that wait for the end. Equal
// accumulators are shared; one whose sum could leave the range of f32 is kept
// in units of a running maximum.
//
//===----------------------------------------------------------------------===//

#include "Deriver.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace napkin::algebra {

/// Floats lie below 2^128.
static constexpr double kFloatRangeLog2 = 128;

Deriver::Deriver(ExprContext &context, unsigned axis,
                 const PlanOptions &options)
    : context(context), axis(axis), narrowResults(options.narrowResults),
      normalizer(context, axis, options.inputBoundLog2),
      certain(context, axis, kFloatRangeLog2), lazy(options.lazyReferences) {
  normalizer.names = &names;
}

unsigned Deriver::addAccumulator(Accumulator accumulator) {
  accumulator.number = accumulators.size();
  if (accumulator.element) {
    accumulator.axes = accumulator.element->axes;
    if (!accumulator.computed)
      accumulator.computed = accumulator.element;
  } else {
    accumulator.axes =
        accumulator.monomial->axes() & ~accumulator.monomial->bound;
  }
  accumulator.axes &= ~axisBit(axis);
  if (accumulator.monoid == Monoid::TopK)
    accumulator.axes |= axisBit(context.survivorAxis());
  accumulators.push_back(std::move(accumulator));
  return accumulators.back().number;
}

/// The operand of the maxima over `axes` that stand around it.
static Expr insideMaxima(Expr e, AxisSet axes) {
  while (e->kind == Kind::Reduce && e->monoid == Monoid::Max &&
         (axes >> e->axis & 1))
    e = e->operand(0);
  return e;
}

std::pair<unsigned, double> Deriver::runningMaximum(const Factors &form,
                                                    ArrayRef<Expr> masks,
                                                    AxisSet bound,
                                                    bool isReference) {
  // A single atom counts once: the maximum of the raw scores, whatever their
  // scale. A sum stays as it is.
  double scale = form.size() == 1 ? std::fabs(form[0].second) : 1;
  Factors unit;
  for (auto [a, c] : form)
    unit.push_back({a, c / scale});
  if (!masks.empty()) {
    Expr e = normalizer.linearToExpr(unit);
    for (Expr mask : masks)
      e = context.select(mask, e, context.constant(-kInfinity));
    unit = {{e, 1}};
  }
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (Expr e = normalizer.linearToExpr(unit); (bound & e->axes) >> i & 1)
      unit = *normalizer.linear(context.reduce(Monoid::Max, i, e));
  // Known already, up to a positive factor?
  auto &kept = lazy && isReference ? references : maxima;
  for (auto &[known, number] : kept) {
    if (known.size() != unit.size())
      continue;
    double ratio = unit[0].second / known[0].second;
    bool proportional = ratio > 0;
    for (auto [a, b] : llvm::zip(known, unit))
      proportional &=
          a.first == b.first &&
          std::fabs(b.second - ratio * a.second) <= 1e-12 * std::fabs(b.second);
    if (proportional)
      return {number, scale * ratio};
  }
  Accumulator accumulator;
  accumulator.monoid = Monoid::Max;
  accumulator.element = normalizer.linearToExpr(unit);
  accumulator.computed = normalizer.linearToFused(unit);
  unsigned number = addAccumulator(std::move(accumulator));
  kept.push_back({unit, number});
  return {number, scale};
}

std::optional<Expr> Deriver::leaf(Expr x, Monoid monoid, unsigned k,
                                  double identity) {
  if (monoid == Monoid::Max || monoid == Monoid::ArgMax) {
    std::optional<Factors> form = normalizer.linear(x);
    if (!form)
      return std::nullopt;
    if (form->empty())
      return context.constant(0);
    auto [number, scale] = runningMaximum(*form);
    if (monoid == Monoid::Max)
      return context.scale(scale, state(number));
    Accumulator position;
    position.monoid = Monoid::ArgMax;
    position.element = accumulators[number].element;
    position.computed = accumulators[number].computed;
    position.keyOf = number;
    return state(addAccumulator(position));
  }
  for (const Accumulator &known : accumulators)
    if (known.element == x && known.monoid == monoid && known.k == k)
      return state(known.number);
  Accumulator accumulator;
  accumulator.monoid = monoid;
  accumulator.element = x;
  accumulator.k = k;
  accumulator.identity = identity;
  return state(addAccumulator(std::move(accumulator)));
}

/// Divides the monomial by atom^powers and returns what one element then counts
/// for: the positions of bound axes that nothing carries any more; null for 1.
Expr Deriver::dropPowers(Monomial &monomial, Expr atom, int powers) {
  bool outside = any_of(monomial.outside,
                        [&](const auto &entry) { return entry.first == atom; });
  addFactor(monomial.powers, atom, -powers);
  if (outside)
    addFactor(monomial.outside, atom, -powers);
  Expr count = nullptr;
  AxisSet left = monomial.bound & ~monomial.axes();
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (left >> i & 1)
      count = count ? context.mul(count, context.size(i)) : context.size(i);
  monomial.bound &= ~left;
  return count;
}

std::optional<unsigned> Deriver::lowerPower(const Monomial &monomial) {
  if (monomial.isOne())
    return std::nullopt; // the count
  for (const Accumulator &known : accumulators)
    if (known.monomial && known.monoid == Monoid::Sum &&
        known.monomial->isSameProduct(monomial))
      return known.number;
  return productAccumulator(monomial, Monoid::Sum);
}

unsigned Deriver::productAccumulator(const Monomial &x, Monoid monoid,
                                     bool asWritten) {
  for (const Accumulator &known : accumulators)
    if (known.monomial && known.monoid == monoid &&
        known.monomial->isSameProduct(x))
      return known.number;
  // Closure under translation: powers below are needed to move the reference.
  for (auto [a, p] : x.powers) {
    if (a->kind != Kind::Shifted)
      continue;
    if (!is_contained(shiftedAtoms, a))
      shiftedAtoms.push_back(a);
    Monomial lower = x;
    dropPowers(lower, a, 1);
    lowerPower(lower);
  }
  Accumulator accumulator;
  accumulator.monoid = monoid;
  accumulator.monomial = x;
  accumulator.monomial->coefficient = 1;
  chooseGauge(accumulator, asWritten);
  return addAccumulator(std::move(accumulator));
}

/// c with a = c * b, where both are multiples of one term; else 0.
static double ratioOf(Expr a, Expr b) {
  auto open = [](Expr &e) {
    double factor = 1;
    while (true) {
      if (e->kind == Kind::Neg)
        factor = -factor;
      else if (e->kind == Kind::Mul && e->operand(1)->isConstant())
        factor *= e->operand(1)->value;
      else
        return factor;
      e = e->operand(0);
    }
  };
  double numerator = open(a), denominator = open(b);
  return a == b && denominator != 0 ? numerator / denominator : 0;
}

void Deriver::chooseGauge(Accumulator &accumulator, bool asWritten) {
  const Monomial &x = *accumulator.monomial;
  double budget = 126 - normalizer.sizeLog2(axis);
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (x.bound >> i & 1)
      budget -= normalizer.sizeLog2(i);
  // Shifted atoms are left out: members of a translation family must share one
  // gauge, else the binomial that moves their reference would mix units.
  struct Weight {
    Expr atom;
    double power, bits;
    bool rounded;
  };
  SmallVector<Weight, 4> weights;
  double total = 0;
  auto weigh = [&](bool asValues) {
    weights.clear();
    total = 0;
    for (bool rounded : {false, true})
      for (auto [a, p] : rounded ? x.rounded : x.powers)
        if (a->kind != Kind::Shifted) {
          double bits = std::fabs(p) * normalizer.magnitudeLog2(a, asValues);
          weights.push_back({a, p, bits, rounded});
          total += bits;
        }
  };
  weigh(/*asValues=*/false);
  if (total > budget)
    weigh(/*asValues=*/true);
  if (!x.exponent.empty()) {
    // Two-sided: a sum that underflows to 0 is as useless as one that
    // overflows.
    Interval u{0, 0};
    for (auto [a, c] : x.exponent) {
      Interval r = certain.range(a);
      u.low += std::min(r.low * c, r.high * c);
      u.high += std::max(r.low * c, r.high * c);
    }
    double range = u.magnitude() * kLog2E;
    bool fits = range + total <= budget;
    if (x.rounding == Rounding::F16) {
      double rounded = range;
      for (const Weight &weight : weights)
        rounded += weight.rounded ? weight.bits : 0;
      fits &= rounded <= kHalfRangeLog2;
    }
    if (!fits) {
      auto [number, scale] =
          runningMaximum(x.exponent, x.masks, x.bound, /*isReference=*/true);
      Gauge gauge;
      gauge.scale = scale;
      gauge.reference = number;
      AxisSet carried = 0;
      for (auto [a, c] : x.exponent)
        carried |= a->axes;
      for (Expr mask : x.masks)
        carried |= mask->axes;
      gauge.exponent =
          insideMaxima(accumulators[number].computed, x.bound & carried);
      accumulator.gauges.push_back(gauge);
    } else {
      std::string note =
          "no gauge for " + normalizer.print(normalizer.toExpr(x)) +
          ": its exponent lies within " + printNumber(u.magnitude());
      if (!is_contained(notes, note))
        notes.push_back(note);
    }
  }
  llvm::sort(weights, [](const Weight &a, const Weight &b) {
    return std::pair(-a.bits, a.atom->id) < std::pair(-b.bits, b.atom->id);
  });
  // A rounded element is a factor of a product of such: it and its cofactors
  // keep the types that the source gives them.
  for (const Weight &weight : weights) {
    if (asWritten || total <= budget || weight.power < 0 || x.rounding)
      continue;
    Gauge gauge;
    gauge.exponential = false;
    gauge.atom = weight.atom;
    gauge.power = weight.power;
    gauge.reference =
        runningMaximum({{context.make(Kind::Abs, {weight.atom}), 1}}, x.masks,
                       x.bound)
            .first;
    accumulator.gauges.push_back(gauge);
    total -= weight.bits;
  }
  accumulator.mayOverflow = total > budget && !asWritten;
  if (accumulator.mayOverflow)
    notes.push_back("range of " + normalizer.print(normalizer.toExpr(x)) +
                    " not proven under |input| <= 2^" +
                    printNumber(normalizer.inputBoundLog2) + " (needs " +
                    printNumber(std::round(total)) + " of " +
                    printNumber(std::round(budget)) + " bits)");
  // Where weights concentrate at the largest exponent, differences are best
  // taken from there.
  for (auto [a, p] : x.powers)
    if (a->kind == Kind::Shifted && x.exponent.size() == 1)
      for (const Gauge &gauge : accumulator.gauges)
        if (gauge.exponential &&
            accumulators[gauge.reference].axes == a->operand(1)->axes)
          if (double ratio = ratioOf(a->operand(0), gauge.exponent))
            shiftMaxima[a] = {gauge.reference, ratio};
}

bool Deriver::deriveSum(Expr reduction) {
  std::optional<Monomials> sum = normalizer.normalize(reduction->operand(0));
  if (!sum)
    return false;
  // A shift that ended up under a power or inside another atom helps nobody.
  auto misplaced = [](Expr a, double p) {
    if (a->kind == Kind::Shifted)
      return p != std::floor(p) || p < 0;
    return anyNode(a, [](Expr n) { return n->kind == Kind::Shifted; });
  };
  auto anyMisplaced = [&](const Monomial &m) {
    for (const Factors *factors : {&m.powers, &m.exponent, &m.rounded})
      for (auto [a, p] : *factors)
        if (misplaced(a, factors == &m.powers ? p : 1) ||
            (factors != &m.powers && a->kind == Kind::Shifted))
          return true;
    return false;
  };
  if (any_of(*sum, anyMisplaced)) {
    sum = normalizer.normalize(reduction->operand(0), false);
    if (!sum)
      return false;
  }
  SmallVector<Product, 1> products;
  for (const Monomial &m : *sum) {
    auto [x, rest] = normalizer.split(m);
    Product product;
    product.rest = rest;
    if (!x.isOne())
      product.accumulator =
          productAccumulator(x, Monoid::Sum, sum->size() == 1 && rest.isOne());
    products.push_back(std::move(product));
  }
  sums[reduction] = std::move(products);
  return true;
}

bool Deriver::deriveReduction(Expr r) {
  Expr body = r->operand(0);
  switch (r->monoid) {
  case Monoid::Sum:
    return deriveSum(r);
  case Monoid::Prod: {
    std::optional<Monomial> m =
        normalizer.single(body, "a product needs f = g(x)*h(r)");
    if (!m)
      return false;
    auto [x, rest] = normalizer.split(*m);
    std::optional<Expr> a = leaf(normalizer.toExpr(x), Monoid::Prod);
    if (!a)
      return false;
    finish[r] =
        context.mul(*a, context.make(Kind::PowerBy, {normalizer.toExpr(rest),
                                                     streamedCount()}));
    return true;
  }
  case Monoid::Other: {
    if (!r->number) {
      normalizer.refuse(r, "this reduction is not a monoid: no bounded state "
                           "has a merge");
      return false;
    }
    // A monoid, but no function is known to be a homomorphism of it.
    if (!normalizer.isStreamed(body)) {
      normalizer.refuse(body, "a reduction by region streams only over a value "
                              "that needs no other reduction over " +
                                  context.axisName(axis));
      return false;
    }
    finish[r] = *leaf(body, Monoid::Other, r->number, r->value);
    return true;
  }
  default: {
    std::optional<Expr> e = descend(body, r->monoid, r, true);
    if (!e)
      return false;
    if (*e)
      finish[r] = *e;
    return true;
  }
  }
}

std::optional<StreamPlan> Deriver::derive(ArrayRef<Expr> outputs,
                                          PlanRefusal &refusal) {
  DenseMap<Expr, bool> seen;
  auto visit = [&](auto &self, Expr e) -> void {
    if (!seen.try_emplace(e, true).second)
      return;
    for (Expr operand : e->operands)
      self(self, operand);
    if (e->kind == Kind::Reduce && e->axis == axis)
      reductions.push_back(e);
  };
  for (Expr output : outputs)
    visit(visit, output);
  for (auto [i, r] : enumerate(reductions))
    names[r] = "r" + std::to_string(i + 1);
  StringRef axisName = context.axisName(axis);
  for (Expr r : reductions) {
    if (deriveReduction(r))
      continue;
    const MissingLaw &missing = normalizer.missing();
    refusal.reduction = r;
    refusal.expr = missing.expr;
    refusal.message = ("axis " + axisName + ", " + names[r] + " = " +
                       print(context, r, &names, /*spellRoot=*/true) + ": '" +
                       print(context, missing.expr, &names,
                             /*spellRoot=*/missing.expr != r) +
                       "': " + missing.law)
                          .str();
    return std::nullopt;
  }
  for (Expr output : outputs) {
    if (!normalizer.isMixed(output))
      continue;
    std::string waits;
    for (Expr r : reductions)
      if (anyNode(output, [&](Expr n) { return n == r; }))
        waits += (waits.empty() ? "" : ", ") + names[r];
    refusal.expr = output;
    std::string text = normalizer.print(output);
    if (text.size() > 80)
      text = text.substr(0, 77) + "...";
    refusal.message =
        ("axis " + axisName + ", '" + text +
         "': append family: the output carries " + axisName +
         " and depends on " + waits + " over " + axisName +
         "; its first element needs the last input. One pass yields the "
         "state, a second pass over " +
         axisName + " maps it; streamable only if a consumer reduces " +
         axisName)
            .str();
    return std::nullopt;
  }
  StreamPlan plan;
  plan.axis = axis;
  plan.reductions = reductions;
  for (Expr r : reductions)
    finishReduction(r);
  buildMembers();
  if (!checkAxes(refusal))
    return std::nullopt;
  // References of shifts are states as well.
  DenseMap<Expr, Expr> toStates;
  for (Expr a : shiftedAtoms) {
    auto maximum = shiftMaxima.find(a);
    toStates[a->operand(1)] =
        maximum == shiftMaxima.end()
            ? members[referenceMembers[a]].state
            : pointAt(state(maximum->second.number), maximum->second.factor);
  }
  for (Expr r : reductions)
    plan.finish[r] = context.substitute(finish[r], toStates);
  if (lazy)
    for (Expr output : outputs)
      plan.outputs[output] = context.substitute(finishOutput(output), toStates);
  collectLive(outputs, plan);
  if (lazy) {
    std::optional<unsigned> reference = lazyReference(plan);
    if (!reference)
      return std::nullopt;
    writeLazyStep(plan, *reference);
  }
  for (Expr e : normalizer.assumed)
    plan.notes.push_back("assumed: |" + normalizer.print(e) + "| <= 2^" +
                         printNumber(normalizer.inputBoundLog2));
  append_range(plan.notes, notes);
  append_range(plan.notes, normalizer.flags);
  return plan;
}

std::optional<StreamPlan>
deriveStreamPlan(ExprContext &context, ArrayRef<Expr> outputs, unsigned axis,
                 const PlanOptions &options, PlanRefusal &refusal) {
  if (options.lazyReferences) {
    // Where the source asks for the maximum itself, it is the better reference.
    PlanRefusal ignored;
    if (auto plan = Deriver(context, axis, options).derive(outputs, ignored))
      return plan;
  }
  PlanOptions eager = options;
  eager.lazyReferences = false;
  return Deriver(context, axis, eager).derive(outputs, refusal);
}

SmallVector<std::string, 8> describe(const ExprContext &context,
                                     const StreamPlan &plan) {
  SmallVector<std::string, 8> lines;
  for (const PlanMember &member : plan.members) {
    std::string line = member.description;
    if (!member.gauge.empty())
      line += "; gauge " + member.gauge;
    if (!member.shift.empty())
      line += "; shift " + member.shift;
    lines.push_back(std::move(line));
  }
  for (Expr r : plan.reductions) {
    // A reduction that cancelled everywhere has no states left to speak of.
    if (anyNode(plan.finish.lookup(r), [&](Expr n) {
          return n->kind == Kind::State && !plan.names.count(n);
        }))
      continue;
    lines.push_back("finish " + plan.names.lookup(r) + " = " +
                    print(context, plan.finish.lookup(r), &plan.names));
  }
  for (const std::string &note : plan.notes)
    lines.push_back("note: " + note);
  return lines;
}

} // namespace napkin::algebra
