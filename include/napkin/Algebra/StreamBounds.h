//===- StreamBounds.h - what a stream need not walk -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Masks are selects on comparisons of positions. Where such a condition hides a
// position from every row of a block, the step of a stream leaves its state as
// it is, so that the position is neither loaded nor computed. Which conditions
// do that is found by an abstract evaluation of the step, for any state: see
// lib/Algebra/NeutralStep.h.
//
// For a causal mask, `x <= q` or nothing, the step is neutral where x - q >= 1.
// So positions from q + 1 on are hidden from row q, and a block whose tile of q
// ends at last(q) walks x to last(q) + 1. Before first(q) + 1 all of its rows
// see every position: there the condition is true, and the lowering drops it.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_ALGEBRA_STREAMBOUNDS_H
#define NAPKIN_ALGEBRA_STREAMBOUNDS_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"

namespace napkin::algebra {

/// A position relative to that of another axis, or a number.
struct VisibleLimit {
  /// The other axis; null for a number.
  mlir::StringAttr axis;
  /// By what its position is divided: a position of q where the axis is q
  /// joined with so many positions of another.
  int64_t divisor = 1;
  int64_t offset = 0;
  /// Numbers that the limit is not below or above.
  std::optional<int64_t> least, most;
};

/// The positions of a streamed axis that a row may see, in elements.
struct VisibleRange {
  /// Earlier positions leave the state as it is.
  std::optional<VisibleLimit> from;
  /// This position and later ones do.
  std::optional<VisibleLimit> to;

  /// Whether every position is seen.
  bool empty() const { return !from && !to; }
};

/// What every row of \p stream may see of its axis. Relative only to axes of
/// which \p mayAsk is true. Emits nothing; finds less rather than too much.
VisibleRange visibleRange(ncd::StreamOp stream,
                          llvm::function_ref<bool(mlir::StringAttr)> mayAsk);

} // namespace napkin::algebra

#endif // NAPKIN_ALGEBRA_STREAMBOUNDS_H
