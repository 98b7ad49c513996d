//===- PlanBytes.h - what the fills of a plan move --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One rule gives the bytes of every level:
//
//     A fill happens once for each iteration of its nest. It moves
//         width × Σ over the iterations of the nests above it
//                 Π over dims |the tile in force, seen by the array|,
//     where an array sees of a joined dim the distinct positions of the axes
//     that it has, and 1 of a dim that has none of them.
//
// For a product m×k · k×n in tiles of 128 × 256 walked by 64: A is filled in
// the loop over k below the grid over m and n, so it moves
// Σ_m Σ_n Σ_k 128·1·64 = m·k·⌈n/256⌉ elements; it has no axis of n, whose tiles
// count 1 each.
//
// The sum factors over nests that do not depend on each other: two nests depend
// when they walk the same dim, when a bound of one reads an axis of the other,
// or when one walks a ragged axis and the other its parent. A group of one
// nest with constant bounds has a closed form; other groups are enumerated,
// tile by tile, never position by position.
//
// A step past the end of its range loads what the tile *outside* still has:
// chunks are whole unless the array ends. Parts of a split cut the range that
// exists into multiples of the granule.
//
// Counts stop at INT64_MAX: a plan that moves as much is refused, not wrapped.
//
// With warps as a nest the same rule gives the bytes from shared memory to
// registers, with the blocks in flight as a nest those from device memory.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_PLANBYTES_H
#define NAPKIN_SCHEDULE_PLANBYTES_H

#include "napkin/Schedule/Plan.h"

namespace napkin::plan {

/// Elements of an array with \p axes that a transfer in \p nest moves, over the
/// whole grid.
int64_t movedElements(const Plan &plan, NestId nest,
                      llvm::ArrayRef<AxisId> axes);

/// How often the body of \p nest runs, over the whole grid.
int64_t visits(const Plan &plan, NestId nest);

/// Bytes that \p fill moves, over the whole grid.
int64_t movedBytes(const Plan &plan, const Fill &fill);

/// Bytes of global memory.
struct Traffic {
  int64_t read = 0, written = 0;
};
/// What all fills and stores of \p plan move.
Traffic globalTraffic(const Plan &plan);

/// The outermost nest at which the contents of an array with \p axes filled in
/// \p nest are known: a fill belongs there.
NestId outermostFill(const Plan &plan, NestId nest,
                     llvm::ArrayRef<AxisId> axes);

} // namespace napkin::plan

#endif // NAPKIN_SCHEDULE_PLANBYTES_H
