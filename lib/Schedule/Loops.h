//===- Loops.h - which loops of a block run what ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block walks one axis, and perhaps a second one inside each step. Which
// operations stand in which loop, and how often an input is read, follows from
// the axes that arrays carry. For logits = Σ_b x[a,b]·w[c,b] under a stream
// over c, with b inside: the product runs ⌈c/s_c⌉·⌈b/s_b⌉ times, what follows
// it ⌈c/s_c⌉ times; w is read once and x ⌈c/s_c⌉ times, for it lacks c.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_LOOPS_H
#define NAPKIN_LIB_SCHEDULE_LOOPS_H

#include "napkin/Schedule/Region.h"

namespace napkin::schedule {

/// The loops around the operations and inputs of a region, in its order.
class Loops {
public:
  Loops(const Region &region, std::optional<unsigned> stream,
        std::optional<unsigned> inner);

  /// Whether operation \p position of the region runs in the loop over the
  /// stream axis, and in one over the inner axis.
  bool inStream(unsigned position) const { return outer[position]; }
  bool inInner(unsigned position) const { return walked[position]; }
  /// How often it runs where the loops have so many trips.
  double rounds(unsigned position, double trips, double innerTrips) const {
    return (outer[position] ? trips : 1) * (walked[position] ? innerTrips : 1);
  }
  /// How often a block reads all of input \p position that it needs.
  double reads(unsigned position, double trips) const {
    return repeated[position] ? trips + (beside[position] ? 1 : 0) : 1;
  }
  /// Whether a block has another part of input \p position from step to step.
  bool moves(unsigned position) const { return chunked[position]; }
  /// The same of any value of the graph.
  bool moves(const ArrayValue &value) const {
    return (stream && value.carries(*stream)) ||
           (inner && value.carries(*inner));
  }
  /// Operations that one walk over the inner axis takes: inside the stream, or
  /// beside it.
  llvm::SmallVector<unsigned, 8> innerWalk(bool insideStream) const;

private:
  const Region &region;
  std::optional<unsigned> stream, inner;
  /// Per operation; per input.
  llvm::SmallVector<bool, 16> outer, walked, chunked, repeated, beside;
};

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_LOOPS_H
