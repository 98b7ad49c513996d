//===- StreamPlan.h - What a one-pass loop carries and does -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The result of the algebra for a cascade of reductions over one axis: a state
// of bounded size, and expressions for its empty value, for one more chunk, for
// two states put together, and for the results. Nothing here knows how the
// expressions are carried out.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_ALGEBRA_STREAMPLAN_H
#define NAPKIN_ALGEBRA_STREAMPLAN_H

#include "napkin/Algebra/Expr.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>

namespace napkin::algebra {

/// Assumptions of a derivation.
struct PlanOptions {
  /// |input| <= 2^inputBoundLog2 for inputs that have no bounds of their own.
  double inputBoundLog2 = 32;
  /// Whether references of gauges may lag behind the running maxima.
  bool lazyReferences = false;
  /// True when every result is rounded to 16 bits or fewer, beside which the
  /// error |u| 2^-24 of exp2(u log2(e)) is nothing.
  bool narrowResults = false;
};

/// Why there is no plan.
struct PlanRefusal {
  /// "axis x, r2 = sum_x ...: 'u': the law that is missing".
  std::string message;
  /// The reduction over the axis that has no form; null for an output that
  /// carries the axis.
  Expr reduction = nullptr;
  /// The sub-expression that no law covers.
  Expr expr = nullptr;
};

/// One value that is carried from chunk to chunk.
struct PlanMember {
  /// Its State node, variant 0; names itself in `step` and `finish`.
  Expr state = nullptr;
  /// Value of the empty state.
  double initial = 0;
  /// The value after one more chunk, over old states (variant 0) and reductions
  /// over the streamed axis, which run over the chunk only.
  Expr step = nullptr;
  /// The value of two states together: the left one is variant 0, the right one
  /// variant 1.
  Expr merge = nullptr;
  /// "a1 = sum_x exp(s)", "exp(-0.35*a0)" or empty, "first(x)" or empty.
  std::string description, gauge, shift;
  /// Whether nothing keeps the value in the range of f32 if inputs are as large
  /// as is assumed.
  bool mayOverflow = false;
  /// True when `step` multiplies the old value by a correction.
  bool corrected = false;
  /// With a lazy reference, `step` in two parts: the old value in units of the
  /// new reference, over old states and the chunk; and the value after the
  /// chunk, over states that were brought to it (variant 2).
  Expr moved = nullptr, advanced = nullptr;
};

/// A form of the step that moves the reference of the gauges only where a chunk
/// passes it by more than 8 powers of two. In
///
///     m = max(m, max_x u)     l = l exp(m - m') + sum_x exp(u - m')
///
/// nothing that is asked for depends on which reference m' the sum l is kept
/// for, as long as no exp(u - m') overflows and the largest is not lost. So m
/// is a reference, not the maximum, and stays for most chunks: l is not
/// corrected, and no maximum of a row is taken. A reference of -inf has seen
/// nothing, and is passed by anything.
///
/// Where u is a sum of products, that sum can start from -m instead of 0, so
/// that u - m costs nothing. It is then computed again where m moves: u itself
/// is not known, and (u - m) + m has lost it if m was far away.
struct LazyReference {
  /// Elements that pass the reference; where one is true, members are `moved`.
  Expr passes = nullptr;
  /// What the reference is a maximum of.
  Expr element = nullptr;
  /// Where the reference is the start of a sum: that sum from 0 and from the
  /// reference, the elements' distance from the old reference, from the new
  /// one, and what stands for the one of the two that is taken. Null otherwise.
  Expr sum = nullptr, started = nullptr, distance = nullptr,
       movedDistance = nullptr, taken = nullptr;
};

/// A streaming form. Expressions belong to the context that it was derived in.
struct StreamPlan {
  unsigned axis = 0;
  llvm::SmallVector<PlanMember, 4> members;
  /// Reductions over the axis, in topological order.
  llvm::SmallVector<Expr, 4> reductions;
  /// Each reduction (some may be needed by no output) over states.
  llvm::DenseMap<Expr, Expr> finish;
  /// With a lazy reference, each output over states: what cancels between
  /// reductions is gone.
  llvm::DenseMap<Expr, Expr> outputs;
  /// Names for printing: r1.. for reductions, a0.. for states.
  NameMap names;
  /// Assumptions, roundings moved, ranges not proven.
  llvm::SmallVector<std::string, 2> notes;
  /// Set where the plan was asked for with lazy references, and there is one.
  std::optional<LazyReference> lazy;
};

/// Derives the plan for `outputs`, every reduction over `axis` in them
/// included.
///
/// \returns nothing, with `refusal` filled in, when a reduction has no form or
///          an output carries the axis and depends on a reduction over it.
std::optional<StreamPlan> deriveStreamPlan(ExprContext &context,
                                           llvm::ArrayRef<Expr> outputs,
                                           unsigned axis,
                                           const PlanOptions &options,
                                           PlanRefusal &refusal);

/// The lines of a plan for a reader: members, finish, notes.
llvm::SmallVector<std::string, 8> describe(const ExprContext &context,
                                           const StreamPlan &plan);

} // namespace napkin::algebra

#endif // NAPKIN_ALGEBRA_STREAMPLAN_H
