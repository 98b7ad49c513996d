//===- SharedMemory.h - The shared memory of a tile program -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where rings lie, and the scratch through which values move between threads.
// The lowering takes its addresses from here and the schedule its limit, so
// that what is counted is what is launched.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_DIALECT_TILE_IR_SHAREDMEMORY_H
#define NAPKIN_DIALECT_TILE_IR_SHAREDMEMORY_H

#include "napkin/Dialect/Tile/IR/Tile.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallPtrSet.h"

namespace napkin::tile {

/// Whether \p convert only renames a thread's registers: every thread keeps its
/// elements.
bool keepsThreads(ConvertOp convert);

/// Whether \p op is a change of layout that gives a product a factor which the
/// warps have computed a part of each.
bool isFactorConvert(mlir::Operation *op);

/// The bytes of shared memory through which \p op moves values between threads;
/// 0 if it needs none. Requires: layouts are assigned.
int64_t scratchBytes(mlir::Operation &op);

/// Bytes from one slot of a ring to the next.
int64_t slotStride(RingType type);

/// The shared memory of one block.
struct SharedMemory {
  /// First byte of each ring.
  llvm::DenseMap<mlir::Value, int64_t> ringOffsets;
  /// First byte of the scratch that is used while rings are.
  int64_t scratchOffset = 0;
  /// Operations whose scratch takes the place of the rings, at byte 0, for
  /// none is touched any more.
  llvm::SmallPtrSet<mlir::Operation *, 8> afterRings;
  /// Bytes in all: what the launch asks for.
  int64_t bytes = 0;
};

/// Lays out the shared memory of \p kernel. Requires: layouts are assigned and
/// loads have their rings (`tile-make-rings`).
SharedMemory planSharedMemory(KernelOp kernel);

} // namespace napkin::tile

#endif // NAPKIN_DIALECT_TILE_IR_SHAREDMEMORY_H
