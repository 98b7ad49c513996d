//===- Protocol.h - Do the verbs of rings fit together? ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Replays the verbs of a kernel: who acquires, publishes, awaits and releases
// which trip of which ring, in which order, over all loops. From the replay it
// follows whether the program can get stuck, and what it must wait for.
//
// # An instance
//
// A ring of two slots; on each trip t the loop awaits trip t, then fills trip
// t + 1 ("ahead 1"), then reads and releases t. Over three trips, P(t) publish,
// A(t) await, a(t) acquire, R(t) release:
//
//     a0 P0 | A0 a1 P1 R0 | A1 a2 P2 R1 | A2 - P- R2
//
//  * A(t) may leave the groups of copies unfinished that were closed after the
//    one of t: none here, for P(t+1) stands behind A(t). On the last trip an
//    empty group is closed, so that the count is the same on every trip.
//  * a(2) takes the slot of trip 0. Between R0 and a2 stands A1, which is a
//    barrier: all threads have left the slot. So acquire needs no barrier of
//    its own. Were the ring of one slot, a(1) would need R0 before it: the
//    replay stops there and says so.
//
// # What it covers
//
// Loops of known bounds are replayed up to some trips more than the slots of
// all rings take to come round together; loops of unknown bounds with none, one
// and that many. What is derived holds for all of them, and every later trip
// sees the same neighbours as one of these.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_LIB_DIALECT_TILE_TRANSFORMS_PROTOCOL_H
#define NAPKIN_LIB_DIALECT_TILE_TRANSFORMS_PROTOCOL_H

#include "napkin/Dialect/Tile/IR/Tile.h"
#include "llvm/ADT/MapVector.h"
#include <map>

namespace napkin::tile {

/// What the verbs of one team of warps must wait for.
struct Synchronisation {
  /// Acquires that need a barrier, of the loop itself and of what runs ahead of
  /// it: other threads may still read the slot.
  llvm::DenseSet<mlir::Operation *> barrierInLoop, barrierAhead;
  /// Awaits that must wait, with the groups of copies that may be unfinished.
  /// The others find their slot arrived for all threads.
  llvm::DenseMap<mlir::Operation *, int64_t> unfinished;
};

/// Replays \p kernel. Errors, at the verb: a trip out of order, a slot that is
/// never released or published, trips that are filled and not read, a product
/// that is not waited for exactly once, a verb under a condition, a trip whose
/// number does not follow from loops, roles that wait for each other.
mlir::FailureOr<Synchronisation> checkProtocol(KernelOp kernel);

} // namespace napkin::tile

#endif // NAPKIN_LIB_DIALECT_TILE_TRANSFORMS_PROTOCOL_H
