//===- Deriver.h - From reductions to accumulators --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The working state of one derivation, shared by the files that derive
// accumulators (StreamPlan.cpp, Descent.cpp), the loop body (StepPlan.cpp) and
// the results (FinishPlan.cpp).
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_ALGEBRA_DERIVER_H
#define NAPKIN_LIB_ALGEBRA_DERIVER_H

#include "napkin/Algebra/NormalForm.h"
#include "napkin/Algebra/StreamPlan.h"

namespace napkin::algebra {

constexpr double kLog2E = 1.4426950408889634;

/// The factor of at most 12 bits below the point that \p factor is up to the
/// rounding of its computation: a product with it loses next to nothing.
std::optional<double> shortFactor(double factor);

/// One scaling of an accumulator's unit.
struct Gauge {
  /// exp(-scale * reference) when true, else (1 / reference)^power on `atom`.
  bool exponential = true;
  double scale = 1;
  Expr atom = nullptr;
  double power = 0;
  /// Number of the accumulator, a running maximum.
  unsigned reference = 0;
  /// What that is the maximum of: the exponent in units of `scale`.
  Expr exponent = nullptr;

  bool operator==(const Gauge &other) const {
    return exponential == other.exponential && scale == other.scale &&
           atom == other.atom && power == other.power &&
           reference == other.reference;
  }
};

/// One running reduction of an x-part.
struct Accumulator {
  unsigned number = 0;
  Monoid monoid = Monoid::Sum;
  unsigned k = 0;      // of a TopK or an Other
  double identity = 0; // of an Other
  /// Reduced as it stands...
  Expr element = nullptr;
  /// The same with fused multiply-adds, for the step.
  Expr computed = nullptr;
  /// ...or evaluated in its gauge.
  std::optional<Monomial> monomial;
  llvm::SmallVector<Gauge, 1> gauges;
  /// Whether nothing keeps the sum in the range of f32 if inputs are as large
  /// as is assumed.
  bool mayOverflow = false;
  /// Key accumulator of an ArgMax.
  unsigned keyOf = 0;
  AxisSet axes = 0;
};

/// a result = sum of accumulator (or the count, if none) times h.
struct Product {
  std::optional<unsigned> accumulator;
  Monomial rest;
};

class Deriver {
public:
  Deriver(ExprContext &context, unsigned axis, const PlanOptions &options);
  std::optional<StreamPlan> derive(llvm::ArrayRef<Expr> outputs,
                                   PlanRefusal &refusal);

private:
  // StreamPlan.cpp
  bool deriveReduction(Expr reduction);
  bool deriveSum(Expr reduction);
  unsigned addAccumulator(Accumulator accumulator);
  /// The running maximum of a linear form, over the `bound` axes too, and c > 0
  /// with form = c * maximum.
  std::pair<unsigned, double> runningMaximum(const Factors &form,
                                             llvm::ArrayRef<Expr> masks = {},
                                             AxisSet bound = 0,
                                             bool isReference = false);
  /// The accumulator of an x-part under a monoid, as an expression.
  std::optional<Expr> leaf(Expr x, Monoid monoid, unsigned k = 0,
                           double identity = 0);
  /// `asWritten`: the source computes this very sum, so that it leaves the
  /// range of f32 only where the source does.
  unsigned productAccumulator(const Monomial &x, Monoid monoid,
                              bool asWritten = false);
  void chooseGauge(Accumulator &accumulator, bool asWritten);
  Expr state(unsigned accumulator, unsigned variant = 0) {
    return context.state(accumulator, accumulators[accumulator].axes, variant);
  }
  // Descent.cpp
  std::optional<Expr> descend(Expr e, Monoid monoid, Expr reduction,
                              bool outermost);
  std::optional<Expr> descendProduct(Expr e, Monoid monoid, Expr reduction,
                                     bool outermost);
  // StepPlan.cpp
  struct Side; // how states and references read in a step or a merge
  void buildMembers();
  Expr element(const Accumulator &accumulator, const Side &side);
  Expr regauge(const Accumulator &accumulator, const Side &side);
  Expr combine(const Accumulator &accumulator, Expr a, Expr b);
  Expr mergedPosition(const Accumulator &accumulator);
  double identity(const Accumulator &accumulator);
  Expr scaledDistance(Expr u, Expr maximum, double scale);
  Expr positive(Expr maximum);
  /// The point of reference that a maximum gives, 0 where there is none yet.
  Expr pointAt(Expr maximum, double factor) {
    return context.scale(factor, context.guard(maximum));
  }
  std::optional<unsigned> lowerPower(const Monomial &monomial);
  Expr dropPowers(Monomial &monomial, Expr atom, int powers);
  /// Numbers of the accumulators of weights and of weighted differences.
  struct WeightedMean {
    unsigned weights = 0, sum = 0;
  };
  std::optional<WeightedMean> weightedMeanOf(Expr shifted);
  bool checkAxes(PlanRefusal &refusal);
  /// The one reference of all gauges of `plan`, where it may lag behind.
  std::optional<unsigned> lazyReference(const StreamPlan &plan) const;
  void writeLazyStep(StreamPlan &plan, unsigned reference);
  // FinishPlan.cpp
  /// mantissa * exp(exponent), kept apart so that ratios of overflowing sums
  /// stay finite.
  struct Scaled {
    Expr mantissa = nullptr;
    Factors exponent;
    /// The accumulator whose mantissa this is, times a positive number.
    std::optional<unsigned> accumulator;
  };
  void finishReduction(Expr reduction);
  Scaled ungauge(const Product &product);
  std::optional<Scaled> scaledAtom(Expr atom, const Product &user);
  bool vanishesWith(const Product &user, unsigned accumulator);
  void addExponent(Factors &exponent, Expr e, double scale);
  void cancelGauges(Factors &exponent, const Accumulator &accumulator);
  Expr exponential(const Factors &exponent, double scale);
  Expr unscale(const Scaled &scaled);
  Expr finishProduct(const Product &product);
  Expr finishOutput(Expr output);
  Expr inStates(Expr e) { return context.substitute(e, finish); }
  Expr streamedCount();
  // Names and liveness.
  void collectLive(llvm::ArrayRef<Expr> outputs, StreamPlan &plan);
  void nameMembers(StreamPlan &plan);

  ExprContext &context;
  const unsigned axis;
  /// PlanOptions::narrowResults.
  const bool narrowResults;
  Normalizer normalizer;
  /// Bounds that hold for all finite inputs, whatever is assumed of them.
  Normalizer certain;
  NameMap names;
  llvm::SmallVector<std::string, 2> notes;
  llvm::SmallVector<Expr, 4> reductions;
  llvm::SmallVector<Accumulator, 4> accumulators;
  llvm::SmallVector<std::pair<Factors, unsigned>, 4> maxima;
  /// With lazy references, those of gauges, which are no maxima of the source.
  llvm::SmallVector<std::pair<Factors, unsigned>, 4> references;
  const bool lazy;
  /// Sum reductions as products; the others as expressions in `finish`.
  llvm::DenseMap<Expr, llvm::SmallVector<Product, 1>> sums;
  llvm::DenseMap<Expr, Expr> finish;
  llvm::DenseMap<Expr, Scaled> scaledResults;
  /// Shifted atoms; their references follow the accumulators in numbering.
  llvm::SmallVector<Expr, 2> shiftedAtoms;
  /// A shifted atom whose reference is a running maximum, times a factor.
  struct MaximumPoint {
    unsigned number = 0;
    double factor = 1;
  };
  llvm::DenseMap<Expr, MaximumPoint> shiftMaxima;
  /// A shifted atom whose reference is its weighted mean so far.
  llvm::DenseMap<Expr, WeightedMean> weightedPoints;
  /// All members, live or not, by number.
  llvm::SmallVector<PlanMember, 4> members;
  std::optional<unsigned> countMember;
  /// False when accumulators that move together have different gauges.
  bool sameGauges = true;
  llvm::DenseMap<Expr, unsigned> referenceMembers;
};

} // namespace napkin::algebra

#endif // NAPKIN_LIB_ALGEBRA_DERIVER_H
