//===- Transfers.h - The bytes that a tile program moves --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The second of the three numbers that must agree for every kernel: what the
// cost model predicts from the diagram, what the transfers of the tile program
// add up to, and what the executor counts.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_DIALECT_TILE_IR_TRANSFERS_H
#define NAPKIN_DIALECT_TILE_IR_TRANSFERS_H

#include "napkin/Dialect/Tile/IR/Tile.h"

namespace napkin::tile {

/// Bytes of one launch, all blocks together; elements past the end of an array
/// are not moved and do not count.
struct TransferBytes {
  int64_t read = 0;
  int64_t written = 0;
};

/// Adds up the loads, copies and stores of `kernel` by walking its loops with
/// the positions that they take: once for all blocks where only the beginnings
/// of views depend on the block, else block by block. Returns nothing where
/// they depend on what is only known at run time. Requires: loops in steps of
/// the device (`tile-expand-loops`).
std::optional<TransferBytes> countTransfers(KernelOp kernel);

} // namespace napkin::tile

#endif // NAPKIN_DIALECT_TILE_IR_TRANSFERS_H
