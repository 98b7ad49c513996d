//===- Loops.h - which loops of a block run what ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block walks one axis, and perhaps a second one inside each step. Which
// operations stand in which loop, and how often an input is read, follows from
// the axes that arrays carry.
//
// Logits Σ_b x[a,b]·w[c,b] under a stream over c, with b inside: the product
// runs ⌈c/s_c⌉·⌈b/s_b⌉ times, what follows it ⌈c/s_c⌉ times; w is read once and
// x ⌈c/s_c⌉ times, for it lacks c.
//
// Softmax of x[a,n] under a stream over n: the result carries n, so a second
// loop writes it when the first one has the maximum and the sum. Exponentials
// are taken in both, and x is read twice.
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

  /// Whether operation \p position of the region runs in a loop over the stream
  /// axis, and in one over the inner axis.
  bool inStream(unsigned position) const {
    return first[position] || second[position];
  }
  bool inInner(unsigned position) const { return walked[position]; }
  /// How often it runs where the loops have so many trips.
  double rounds(unsigned position, double trips, double innerTrips) const {
    double loops = double(first[position]) + double(second[position]);
    return (loops > 0 ? loops * trips : 1) *
           (walked[position] ? innerTrips : 1);
  }
  /// How often a block reads all of input \p position that it needs.
  double reads(unsigned position, double trips) const {
    const Reads &read = inputs[position];
    double loops = double(read.first) + double(read.second);
    if (read.chunk == Chunk::Stream)
      return loops;
    if (read.chunk == Chunk::Inner)
      return loops * trips + double(read.beside);
    return 1;
  }
  /// Whether a block has another part of \p value from step to step.
  bool moves(const ArrayValue &value) const {
    return (stream && value.carries(*stream)) ||
           (inner && value.carries(*inner));
  }
  /// Operations that the first loop takes with what it needs and what follows
  /// it: all, where no second loop writes results. Their results that others
  /// need are \p outputs.
  llvm::SmallVector<unsigned, 8>
  firstPass(llvm::SmallVectorImpl<unsigned> &outputs) const;
  /// Operations that one walk over the inner axis takes: inside the stream, or
  /// beside it. Their results that others need are \p outputs.
  llvm::SmallVector<unsigned, 8>
  innerWalk(bool insideStream, llvm::SmallVectorImpl<unsigned> &outputs) const;
  /// Whether a second loop writes results that carry the stream axis.
  bool hasSecond() const { return llvm::is_contained(second, true); }

private:
  enum class Chunk { Whole, Stream, Inner };
  struct Reads {
    Chunk chunk = Chunk::Whole;
    /// Read in the first loop, in the second one, and in neither.
    bool first = false, second = false, beside = false;
  };
  bool carries(unsigned index, std::optional<unsigned> axis) const;

  const Region &region;
  std::optional<unsigned> stream, inner;
  /// Per operation: it, or something before it, is needed by the first loop;
  /// it runs in the first, in the second, and in an inner loop.
  llvm::SmallVector<bool, 16> early, first, second, walked;
  llvm::SmallVector<Reads, 4> inputs;
};

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_LOOPS_H
