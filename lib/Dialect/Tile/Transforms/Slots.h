//===- Slots.h - which loads pass through shared memory ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What of a load says whether it takes a slot of a ring, and how its rows lie
// there.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DIALECT_TILE_TRANSFORMS_SLOTS_H
#define NAPKIN_LIB_DIALECT_TILE_TRANSFORMS_SLOTS_H

#include "napkin/Dialect/Tile/IR/Tile.h"

namespace napkin::tile {

/// Whether a ring can hold what \p load brings.
bool mayHaveSlot(LoadOp load);

/// Whether the data of \p load must be shared between threads: an operand of a
/// matrix instruction is read by `ldmatrix`, and what several threads hold
/// would cross from global memory several times.
bool wantsSlot(LoadOp load);

/// Whether a factor of a product is computed from \p tile and comes to other
/// warps through shared memory.
bool feedsFactor(mlir::Value tile);

/// The ring of \p slots slots for what \p load of \p kernel brings: rows with
/// room behind them where the kernel is `padded`, else swizzled. What is
/// computed on is read in layouts that swizzles serve.
RingType ringType(LoadOp load, int64_t slots, KernelOp kernel);

} // namespace napkin::tile

#endif // NAPKIN_LIB_DIALECT_TILE_TRANSFORMS_SLOTS_H
