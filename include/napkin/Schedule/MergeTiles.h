//===- MergeTiles.h - tiles of a kernel that merges -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The second kernel of a split folds p states of few elements each: nothing is
// read twice, nothing is multiplied, and what it waits for is its first bytes.
// So its blocks are small and many, and several parts are under way together.
//
// Example: a state o[h=32, m=4, d=128] of f32 in 13 parts gives blocks of
// h = 1, m = 1, d = 128 with one warp, 4 elements a thread (copies of 16
// bytes), and turns of 8 parts.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_MERGETILES_H
#define NAPKIN_SCHEDULE_MERGETILES_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Schedule/Reasons.h"

namespace napkin::schedule {

/// What the report says of a kernel that merges.
struct MergeNotes {
  /// Registers of a thread for the states under way.
  int64_t registers = 0;
  llvm::SmallVector<Choice, 2> choices;
};

/// Gives \p merge, which has one single stream, its `group`, `order`, `stream`,
/// `warps` and `stages`. Axes that every result has and nothing folds are cut.
/// Where something is multiplied or folded behind the stream, the tiles of
/// \p source, of which it is the second half, are kept.
MergeNotes setMergeTiles(ncd::KernelOp merge, ncd::KernelOp source);

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_MERGETILES_H
