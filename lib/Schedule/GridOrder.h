//===- GridOrder.h - which blocks run side by side --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Blocks that run at the same time share what they read through the L2 cache.
// In the plain order the last axis of the grid changes fastest: 108 blocks of a
// product with 256 tiles along n are one row of tiles, that reads one tile of
// the first factor and 108 of the second. Walked in groups of 8 rows they are 8
// by 14, and read 22. The order is chosen after the tiles, since it changes
// nothing inside a block.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_GRIDORDER_H
#define NAPKIN_LIB_SCHEDULE_GRIDORDER_H

#include "napkin/Schedule/Search.h"

namespace napkin::schedule {

/// An axis of the grid whose tiles are walked in groups.
struct Grouping {
  /// A group axis of the candidate, not the last one.
  unsigned axis = 0;
  /// Tiles of a group, at least 2.
  int64_t tiles = 1;
  /// Bytes that waves of blocks ask device memory for, so and in plain order.
  double bytes = 0, plainBytes = 0;
};

/// The grouping by which the blocks of \p decision ask device memory for the
/// fewest bytes, or nullopt where the plain order is as good: where all that
/// the kernel reads fits the cache, or within 5 %.
std::optional<Grouping> chooseGrouping(const Region &region,
                                       const Decision &decision,
                                       const cost::Hardware &hardware);

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_GRIDORDER_H
