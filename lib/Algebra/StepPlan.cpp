//===- StepPlan.cpp - One more chunk, and two states together ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes the loop body and the merge of a plan. Both first settle the new
// references (running maxima, points of shifts), bring old accumulators to
// them, and then combine.
//
//===----------------------------------------------------------------------===//

#include "Deriver.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;

namespace napkin::algebra {

/// One of the states that are brought to new references.
struct Deriver::Side {
  /// Of the states to read.
  unsigned variant = 0;
  /// By accumulator: the new value of each maximum.
  ArrayRef<Expr> maxima;
  /// By shifted atom: the new and the old point of reference.
  const DenseMap<Expr, Expr> *newPoints = nullptr;
  const DenseMap<Expr, Expr> *oldPoints = nullptr;
  /// The elements' distance from the reference of the gauges, where it is known
  /// already.
  Expr distance = nullptr;
};

/// A multiple of \p e in powers of two: log2(e) * scale * e.
static Expr inPowersOfTwo(ExprContext &context, double scale, Expr e) {
  double k = scale * kLog2E;
  // exp2 with a natural unit: keep 1 exactly where rounding made it almost 1.
  if (std::fabs(k - 1) < 1e-12)
    k = 1;
  return context.scale(k, e);
}

/// log2(e) * scale * (u - max), which is 0 where u is the maximum. The scale
/// comes last: a difference of floats near each other is exact, k*u - k*max
/// keeps the roundings of products that may be as large as floats are. `u` may
/// be -inf, whose exponential is 0; the maximum of nothing counts as 0, so that
/// it is so for it as well.
Expr Deriver::scaledDistance(Expr u, Expr maximum, double scale) {
  return inPowersOfTwo(context, scale, context.sub(u, context.guard(maximum)));
}

Expr Deriver::positive(Expr maximum) {
  return context.select(
      context.compare(Comparison::GT, maximum, context.constant(0)), maximum,
      context.constant(1));
}

double Deriver::identity(const Accumulator &accumulator) {
  switch (accumulator.monoid) {
  case Monoid::Max:
  case Monoid::TopK:
    return -kInfinity;
  case Monoid::Min:
  case Monoid::ArgMax: // the position of nothing comes after all others
    return kInfinity;
  case Monoid::Prod:
  case Monoid::And:
    return 1;
  case Monoid::Other:
    return accumulator.identity;
  default:
    return 0;
  }
}

Expr Deriver::combine(const Accumulator &accumulator, Expr a, Expr b) {
  switch (accumulator.monoid) {
  case Monoid::Sum:
    return context.add(a, b);
  case Monoid::Prod:
    return context.mul(a, b);
  case Monoid::Max:
  case Monoid::Or:
    return context.max(a, b);
  case Monoid::Min:
  case Monoid::And:
    return context.min(a, b);
  default:
    return context.combine(accumulator.monoid, a, b, accumulator.k);
  }
}

/// What is reduced over the chunk, in the new gauge.
Expr Deriver::element(const Accumulator &accumulator, const Side &side) {
  const Monomial &x = *accumulator.monomial;
  Expr inner = nullptr, zero = context.constant(0);
  bool zeroed = false; // where masked, by an exponent that is -inf there
  auto times = [&](Expr &product, Expr e) {
    product = product ? context.mul(product, e) : e;
  };
  if (!x.exponent.empty()) {
    const auto *gauge = find_if(accumulator.gauges,
                                [](const Gauge &g) { return g.exponential; });
    Expr exponent = nullptr;
    if (gauge != accumulator.gauges.end()) {
      exponent =
          side.distance
              ? inPowersOfTwo(context, gauge->scale, side.distance)
              : scaledDistance(gauge->exponent, side.maxima[gauge->reference],
                               gauge->scale);
      zeroed = true;
    } else {
      Factors base2;
      bool isBase2 = true;
      for (auto [a, c] : x.exponent) {
        std::optional<double> factor = shortFactor(c * kLog2E);
        isBase2 &= factor.has_value();
        base2.push_back({a, factor.value_or(c * kLog2E)});
      }
      // No maximum bounds this exponent's share in the sum.
      if (isBase2 || narrowResults)
        exponent = normalizer.linearToFused(base2);
      else
        inner = context.exp(normalizer.linearToFused(x.exponent));
    }
    if (exponent)
      inner = context.exp2(exponent);
  }
  auto inGauge = [&](const Factors &powers) {
    Factors result;
    for (auto [a, p] : powers) {
      Expr e = a;
      if (a->kind == Kind::Shifted)
        e = context.sub(a->operand(0), side.newPoints->lookup(a));
      for (const Gauge &gauge : accumulator.gauges)
        if (!gauge.exponential && gauge.atom == a)
          e = context.div(a, positive(side.maxima[gauge.reference]));
      addFactor(result, e, p);
    }
    return result;
  };
  // Masks stay with what they mask, so that cofactors can be those of a
  // contract. A factor may be infinite where an exponential is 0.
  Factors covered = x.masked();
  zeroed &= covered.empty() && x.rounded.empty();
  bool roundsLast = x.rounding && covered.empty();
  auto mask = [&] {
    for (Expr m : zeroed ? ArrayRef<Expr>() : ArrayRef<Expr>(x.masks))
      inner = context.select(m, inner ? inner : context.constant(1), zero);
  };
  if (!x.rounded.empty())
    times(inner, normalizer.powersToExpr(inGauge(x.rounded)));
  if (x.rounding) {
    if (roundsLast)
      mask();
    inner = context.round(inner ? inner : context.constant(1), *x.rounding);
  }
  if (!covered.empty())
    times(inner, normalizer.powersToExpr(inGauge(covered)));
  if (!roundsLast)
    mask();
  if (!x.outside.empty() || !inner)
    times(inner, normalizer.powersToExpr(inGauge(x.outside)));
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (x.bound >> i & 1)
      inner = context.reduce(Monoid::Sum, i, inner);
  return context.reduce(accumulator.monoid, axis, inner);
}

/// The accumulator's value with respect to the new references.
Expr Deriver::regauge(const Accumulator &accumulator, const Side &side) {
  const Monomial &x = *accumulator.monomial;
  Expr value = state(accumulator.number, side.variant);
  // Translation: (a - new)^p = sum_i C(p,i) (old - new)^(p-i) (a - old)^i.
  struct Shift {
    Expr atom;
    int power;
    Expr difference;
  };
  SmallVector<Shift, 2> shifts;
  for (auto [a, p] : x.powers)
    if (a->kind == Kind::Shifted) {
      Expr oldPoint = side.oldPoints->lookup(a);
      Expr newPoint = side.newPoints->lookup(a);
      if (oldPoint != newPoint)
        shifts.push_back({a, int(p), context.sub(oldPoint, newPoint)});
    }
  SmallVector<int, 2> kept;
  for (const Shift &shift : shifts)
    kept.push_back(shift.power);
  // Every combination of powers below, each with its binomials.
  auto next = [&] {
    for (auto [i, shift] : enumerate(shifts)) {
      if (kept[i]-- > 0)
        return true;
      kept[i] = shift.power;
    }
    return false;
  };
  while (next()) {
    Monomial lower = x;
    Expr factor = nullptr;
    for (auto [i, shift] : enumerate(shifts)) {
      int moved = shift.power - kept[i];
      if (moved == 0)
        continue;
      if (Expr count = dropPowers(lower, shift.atom, moved))
        factor = factor ? context.mul(factor, count) : count;
      double binomial = 1;
      for (int j = 0; j < moved; ++j)
        binomial = binomial * (shift.power - j) / (j + 1);
      Expr d = normalizer.powersToExpr({{shift.difference, double(moved)}});
      d = context.scale(binomial, d);
      factor = factor ? context.mul(factor, d) : d;
    }
    std::optional<unsigned> number = lowerPower(lower);
    sameGauges &= !number || accumulators[*number].gauges == accumulator.gauges;
    Expr below = number ? state(*number, side.variant)
                        : context.state(*countMember, 0, side.variant);
    value = context.add(value, context.mul(below, factor));
  }
  Expr correction = nullptr;
  for (const Gauge &gauge : accumulator.gauges) {
    Expr old = state(gauge.reference, side.variant);
    Expr fresh = side.maxima[gauge.reference];
    Expr factor;
    if (gauge.exponential) {
      factor = context.exp2(scaledDistance(old, fresh, gauge.scale));
    } else {
      Expr ratio =
          context.div(context.max(old, context.constant(0)), positive(fresh));
      factor = normalizer.powersToExpr({{ratio, gauge.power}});
    }
    correction = correction ? context.mul(correction, factor) : factor;
  }
  if (!correction)
    return value;
  Expr corrected = context.mul(value, correction);
  if (accumulator.monoid == Monoid::Sum)
    return corrected;
  Expr none = context.constant(identity(accumulator));
  return context.select(context.compare(Comparison::EQ, value, none), none,
                        corrected);
}

/// Of two positions the one with the larger key, the first of equals.
Expr Deriver::mergedPosition(const Accumulator &accumulator) {
  Expr a = state(accumulator.number), b = state(accumulator.number, 1);
  Expr keyA = state(accumulator.keyOf), keyB = state(accumulator.keyOf, 1);
  return context.select(
      context.compare(Comparison::GT, keyB, keyA), b,
      context.select(context.compare(Comparison::EQ, keyB, keyA),
                     context.min(a, b), a));
}

/// The mean of what a Shifted is taken of, over the chunk and over the other
/// axes that share its reference. `positions`: in the chunk.
static Expr chunkMean(ExprContext &context, unsigned axis, Expr shifted,
                      Expr positions) {
  Expr total = shifted->operand(0), count = positions;
  AxisSet shared = total->axes & ~shifted->operand(1)->axes & ~axisBit(axis);
  for (unsigned i = 0; i < context.getNumAxes(); ++i)
    if (shared >> i & 1) {
      total = context.reduce(Monoid::Sum, i, total);
      count = context.mul(count, context.size(i));
    }
  return context.div(context.reduce(Monoid::Sum, axis, total), count);
}

/// The sums whose quotient is how far the mean of \p shifted, weighted by an
/// exponential, is from its reference. Such weights may leave the first chunk
/// without a share, and the largest with little: squares of differences from
/// there would be larger than the variance that is left of them.
std::optional<Deriver::WeightedMean> Deriver::weightedMeanOf(Expr shifted) {
  auto isSquared = [&](const Accumulator &a) {
    return a.monomial && any_of(a.monomial->powers, [&](const auto &power) {
             return power.first == shifted && power.second >= 2;
           });
  };
  if (none_of(accumulators, isSquared))
    return std::nullopt;
  for (const Accumulator &sum : accumulators) {
    if (!sum.monomial || sum.monoid != Monoid::Sum || sum.gauges.size() != 1 ||
        !sum.gauges[0].exponential || !sum.monomial->rounded.empty() ||
        sum.axes != shifted->operand(1)->axes ||
        sum.monomial->powers != Factors{{shifted, 1}})
      continue;
    Monomial weights = *sum.monomial;
    if (dropPowers(weights, shifted, 1))
      continue;
    for (const Accumulator &known : accumulators)
      if (known.monomial && known.monoid == Monoid::Sum &&
          known.monomial->isSameProduct(weights) &&
          known.gauges == sum.gauges && known.axes == sum.axes)
        return WeightedMean{known.number, sum.number};
  }
  return std::nullopt;
}

void Deriver::buildMembers() {
  members.resize(accumulators.size());
  SmallVector<Expr, 4> stepMaxima(accumulators.size()),
      mergeMaxima(accumulators.size());
  for (const Accumulator &a : accumulators) {
    PlanMember &member = members[a.number];
    member.state = state(a.number);
    member.initial = identity(a);
    if (!a.element)
      continue;
    if (a.monoid == Monoid::ArgMax) {
      Expr key = context.reduce(Monoid::Max, axis, a.computed);
      member.step = context.select(
          context.compare(Comparison::GT, key, state(a.keyOf)),
          context.reduce(Monoid::ArgMax, axis, a.computed), state(a.number));
      member.merge = mergedPosition(a);
      continue;
    }
    member.step =
        combine(a, state(a.number),
                context.reduce(a.monoid, axis, a.computed, a.k, a.identity));
    member.merge = combine(a, state(a.number), state(a.number, 1));
    stepMaxima[a.number] = member.step;
    mergeMaxima[a.number] = member.merge;
  }
  // Points of reference. Any finite value is exact, a near one keeps digits.
  for (Expr a : shiftedAtoms)
    if (std::optional<WeightedMean> mean = weightedMeanOf(a)) {
      weightedPoints[a] = *mean;
      shiftMaxima.erase(a);
    }
  bool counts = any_of(shiftedAtoms, [&](Expr a) {
    return !shiftMaxima.count(a) && !weightedPoints.count(a);
  });
  // Moving the reference of a bare difference needs the count as well.
  for (const Accumulator &a : accumulators)
    counts |= a.monomial && a.monomial->exponent.empty() &&
              all_of(a.monomial->powers, [](const auto &entry) {
                return entry.first->kind == Kind::Shifted;
              });
  DenseMap<Expr, Expr> stepPoints, oldPoints, mergePoints, leftPoints,
      rightPoints;
  Expr zero = context.constant(0), chunk = nullptr, started = nullptr;
  if (counts) {
    countMember = members.size();
    chunk = context.reduce(Monoid::Sum, axis, context.constant(1));
    PlanMember count;
    count.state = context.state(*countMember, 0);
    count.step = context.add(count.state, chunk);
    count.merge = context.add(count.state, context.state(*countMember, 0, 1));
    members.push_back(count);
    started = context.compare(Comparison::GT, count.state, zero);
  }
  auto finiteOr = [&](Expr e, Expr other) {
    Expr finite = context.compare(Comparison::LT, context.make(Kind::Abs, {e}),
                                  context.constant(1e30));
    return context.select(finite, e, other);
  };
  for (Expr a : shiftedAtoms) {
    if (auto maximum = shiftMaxima.find(a); maximum != shiftMaxima.end()) {
      auto [number, factor] = maximum->second;
      stepPoints[a] = pointAt(stepMaxima[number], factor);
      mergePoints[a] = pointAt(mergeMaxima[number], factor);
      oldPoints[a] = leftPoints[a] = pointAt(state(number), factor);
      rightPoints[a] = pointAt(state(number, 1), factor);
      continue;
    }
    unsigned number = members.size();
    referenceMembers[a] = number;
    AxisSet axes = a->operand(1)->axes;
    PlanMember point;
    point.state = context.state(number, axes);
    rightPoints[a] = context.state(number, axes, 1);
    if (auto mean = weightedPoints.find(a); mean != weightedPoints.end()) {
      // It follows the weights: to their mean after a chunk, to the heavier
      // side in a merge.
      const Accumulator &sum = accumulators[mean->second.sum];
      const Accumulator &weights = accumulators[mean->second.weights];
      DenseMap<Expr, Expr> still = {{a, point.state}};
      Side step{0, stepMaxima, &still, &still};
      Expr off = context.div(
          combine(sum, regauge(sum, step), element(sum, step)),
          combine(weights, regauge(weights, step), element(weights, step)));
      point.step = finiteOr(context.add(point.state, off), point.state);
      Side left{0, mergeMaxima, &still, &still};
      Side right{1, mergeMaxima, &still, &still};
      Expr isHeavier = context.compare(Comparison::GE, regauge(weights, left),
                                       regauge(weights, right));
      point.merge = context.select(isHeavier, point.state, rightPoints[a]);
      oldPoints[a] = leftPoints[a] = point.state;
    } else {
      // The mean of the first chunk, frozen: it has a share in all sums.
      Expr first = finiteOr(chunkMean(context, axis, a, chunk), zero);
      point.step = context.select(started, point.state, first);
      point.merge = context.select(started, point.state, rightPoints[a]);
      // The left state is empty or keeps its point; only the right one moves.
      oldPoints[a] = point.step;
      leftPoints[a] = point.merge;
    }
    members.push_back(point);
    stepPoints[a] = point.step;
    mergePoints[a] = point.merge;
  }
  Side old{0, stepMaxima, &stepPoints, &oldPoints};
  Side left{0, mergeMaxima, &mergePoints, &leftPoints};
  Side right{1, mergeMaxima, &mergePoints, &rightPoints};
  for (unsigned i = 0; i < accumulators.size(); ++i) {
    const Accumulator a = accumulators[i];
    if (a.element)
      continue;
    Expr kept = regauge(a, old);
    members[i].step = combine(a, kept, element(a, old));
    members[i].merge = combine(a, regauge(a, left), regauge(a, right));
    members[i].corrected = kept != state(i);
  }
}

/// How far a chunk may pass a lazy reference, in powers of two: sums of a
/// million elements that do stay below 2^28.
static constexpr double kLagLog2 = 8;

std::optional<unsigned> Deriver::lazyReference(const StreamPlan &plan) const {
  std::optional<unsigned> reference;
  for (const PlanMember &member : plan.members) {
    unsigned number = member.state->number;
    if (number >= accumulators.size())
      return std::nullopt; // a point of differences
    const std::optional<Monomial> &monomial = accumulators[number].monomial;
    if (monomial && any_of(monomial->powers, [](const auto &power) {
          return power.first->kind == Kind::Shifted;
        }))
      return std::nullopt; // differences from a maximum
    for (const Gauge &gauge : accumulators[number].gauges) {
      if (!gauge.exponential || (reference && reference != gauge.reference))
        return std::nullopt;
      reference = gauge.reference;
    }
  }
  if (!reference)
    return std::nullopt;
  for (const PlanMember &member : plan.members) {
    const Accumulator &a = accumulators[member.state->number];
    // The same maximum twice would cost more than it saves.
    if (a.number != *reference && a.monoid == Monoid::Max &&
        a.element == accumulators[*reference].element)
      return std::nullopt;
    if (a.monomial && a.monoid != Monoid::Sum)
      return std::nullopt;
  }
  return reference;
}

/// \p e less \p reference, which is the start of the sum in \p e; \p lazily is
/// told of the sum. Null where \p e is no sum of products over another axis,
/// perhaps hidden by conditions.
static Expr distanceFrom(ExprContext &context, unsigned axis, Expr e,
                         Expr reference, LazyReference &lazily) {
  if (e->kind == Kind::Select && e->operand(2)->isMinusInfinity()) {
    Expr inner = distanceFrom(context, axis, e->operand(1), reference, lazily);
    return inner ? context.select(e->operand(0), inner, e->operand(2))
                 : nullptr;
  }
  if (e->kind != Kind::Reduce || e->monoid != Monoid::Sum || e->axis == axis ||
      e->operand(0)->kind != Kind::Mul)
    return nullptr;
  lazily.sum = e;
  return lazily.started = context.add(e, context.neg(reference));
}

void Deriver::writeLazyStep(StreamPlan &plan, unsigned reference) {
  const Accumulator &maximum = accumulators[reference];
  Expr old = state(reference);
  Expr fresh = combine(maximum, old,
                       context.reduce(maximum.monoid, axis, maximum.computed));
  double scale = 0;
  bool sameElements = true;
  for (const PlanMember &member : plan.members)
    for (const Gauge &gauge : accumulators[member.state->number].gauges) {
      scale = std::max(scale, gauge.scale);
      sameElements &= gauge.exponent == maximum.computed;
    }
  LazyReference lazily;
  lazily.element = maximum.computed;
  Expr lag = context.constant(kLagLog2 / (scale * kLog2E));
  if (sameElements)
    lazily.distance = distanceFrom(context, axis, maximum.computed,
                                   context.guard(old), lazily);
  if (lazily.distance) {
    Expr none = context.constant(-kInfinity);
    // A reference of -inf is passed by anything.
    Expr unseen = context.compare(Comparison::EQ, old, none);
    lazily.passes = context.compare(Comparison::GT, lazily.distance,
                                    context.select(unseen, none, lag));
    lazily.movedDistance = context.sub(maximum.computed, context.guard(fresh));
    lazily.taken =
        context.state(unsigned(members.size()), maximum.computed->axes, 2);
  } else {
    lazily.passes = context.compare(Comparison::GT, maximum.computed,
                                    context.add(old, lag));
  }
  SmallVector<Expr, 4> moved(accumulators.size()), known(accumulators.size());
  moved[reference] = fresh;
  known[reference] = state(reference, 2);
  DenseMap<Expr, Expr> none;
  Side before{0, moved, &none, &none};
  Side behind{2, known, &none, &none, lazily.taken};
  for (PlanMember &member : plan.members) {
    const Accumulator a = accumulators[member.state->number];
    if (a.number == reference) {
      member.moved = fresh;
      member.advanced = known[reference];
    } else if (a.element) {
      member.advanced = member.step;
    } else {
      member.moved = a.gauges.empty() ? nullptr : regauge(a, before);
      member.advanced =
          combine(a, state(a.number, member.moved ? 2 : 0), element(a, behind));
    }
  }
  plan.lazy = lazily;
}

/// A member has one set of axes, in the state, after a chunk and after a merge.
/// No form is known that breaks this; one that did would be no program.
bool Deriver::checkAxes(PlanRefusal &refusal) {
  for (const PlanMember &member : members) {
    AxisSet axes = member.state->axes;
    if (sameGauges && member.step->axes == axes && member.merge->axes == axes)
      continue;
    refusal.expr = member.step;
    refusal.message =
        (Twine("axis ") + context.axisName(axis) + ", '" +
         normalizer.print(member.step) +
         (sameGauges
              ? "': the state of this running reduction would have other "
                "axes after a chunk than before it"
              : "': differences from a point of reference would be kept "
                "in several units") +
         "; choose another axis to stream, or split the kernel")
            .str();
    return false;
  }
  return true;
}

} // namespace napkin::algebra
