//===- Positions.h - What is known of positions -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place that decides how wide a thread's accesses to a view may be and
// which positions need a test. Both follow from three facts about each index
// value: how small and how large it gets, and of what it is a multiple.
//
// # An instance
//
//     tile.loop %i = %c0 to %c192 step %c64 {
//       %v = tile.view %k [x = %i : 64, d : 96] : !ncd.array<x=200, d=96, bf16>
//
// %i is 0, 64 or 128: at most 128, always a multiple of 64. The last position
// of the view is at most 128 + 63 < 200, so nothing is tested; a row of d has
// 192 bytes and begins at a multiple of 16, so 8 elements move at once. With
// 256 instead of 192 as the bound, %i reaches 192, and 192 + 63 is past the
// end: x is tested.
//
// A position under `scf.if %p` with %p = (position < bound) is smaller than the
// bound there: so a copy that runs ahead of a loop needs no test that the loop
// itself does not need.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_DIALECT_TILE_IR_POSITIONS_H
#define NAPKIN_DIALECT_TILE_IR_POSITIONS_H

#include "napkin/Dialect/Tile/IR/Tile.h"

namespace napkin::tile {

/// What is known of an index value, in elements.
struct PositionFacts {
  int64_t least = unboundedBelow; ///< no smaller value occurs
  int64_t most = unboundedAbove;  ///< no larger value occurs
  int64_t multiple = 1; ///< every value is a multiple of it; 0: always 0

  /// Bounds that say nothing; far from overflow.
  static constexpr int64_t unboundedBelow = -(int64_t(1) << 62);
  static constexpr int64_t unboundedAbove = int64_t(1) << 62;

  /// The value, where there is only one.
  std::optional<int64_t> constant() const {
    return least == most ? std::optional<int64_t>(least) : std::nullopt;
  }
};

/// What is known of \p position at operation \p user.
PositionFacts factsOf(mlir::Value position, mlir::Operation *user);

/// Widest access of one thread to memory, in bytes.
inline constexpr int64_t widestAccess = 16;

/// Bytes of one element in memory; truth values take one byte.
unsigned bytesOf(mlir::Type element);

/// Elements that one thread may move at once along the last axis of \p view at
/// operation \p user: a power of two, 1 if the rows are not contiguous.
int64_t vectorOf(ViewOp view, mlir::Operation *user);

/// Positions that \p view may take along the array's axis number \p axis: its
/// size, or that of the index array through which the axis is reached.
int64_t placesAlong(ViewOp view, unsigned axis);

/// Whether positions of \p view along the array's axis number \p axis may not
/// count at operation \p user, so that each access must test its own.
bool mayReachPast(ViewOp view, unsigned axis, mlir::Operation *user);

} // namespace napkin::tile

#endif // NAPKIN_DIALECT_TILE_IR_POSITIONS_H
