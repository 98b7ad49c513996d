//===- Race.h - Happens-before in shared memory ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Vector clocks, one component per warp of the cluster. Two accesses to a byte,
// one of them a write, must be ordered by barriers, mbarriers or atomics; else
// they race. A second vector per warp says up to which clock of every warp the
// generic writes are known to be visible to the async proxy
// (fence.proxy.async).
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_RACE_H
#define NAPKIN_LIB_EXECUTOR_RACE_H

#include "Machine.h"

#include <string>
#include <unordered_map>
#include <vector>

namespace napkin::executor {

/// What a synchronisation object carries from those who release to those who
/// acquire.
struct SyncClock {
  std::vector<uint32_t> clock, fenced;
  void clear() {
    clock.clear();
    fenced.clear();
  }
};

/// The last accesses to 16 bytes of shared memory.
struct RaceCell {
  uint32_t writeClock = 0;
  uint16_t writeWarp = 0, writeMask = 0;
  uint32_t writeSource = 0;
  uint32_t readClock = 0;
  uint64_t readWarps = 0;
  uint32_t readSource = 0;
  uint16_t readMask = 0;
  uint8_t flags = 0;
};

/// The clocks of a cluster. The last component belongs to the asynchronous
/// units (bulk copies, wgmma): their accesses are ordered only by the waits on
/// them.
struct RaceState {
  uint32_t warps = 0, warpsPerBlock = 0;
  uint32_t agent() const { return warps - 1; }
  /// warps x warps: what each warp knows of each.
  std::vector<uint32_t> clock, fenced;
  /// Synchronisation through memory cells, by address.
  std::unordered_map<uint64_t, SyncClock> cells;
  uint32_t *row(uint32_t w) { return &clock[uint64_t(w) * warps]; }
  uint32_t *fencedRow(uint32_t w) { return &fenced[uint64_t(w) * warps]; }
};

/// Index of a warp in its cluster.
uint32_t clusterWarp(const Warp &warp);
/// `warp` releases to `sync`; its clock advances.
void release(Warp &warp, SyncClock &sync);
/// `warp` acquires what `sync` carries.
void acquire(Warp &warp, const SyncClock &sync);
/// fence.proxy.async: all that the warp knows is visible to the async proxy.
void fenceProxy(Warp &warp);
/// An access of the async proxy to `bytes` of `owner`'s shared memory, issued
/// by `warp`.
void raceAsync(Warp &warp, const Instr &instruction, Block &owner,
               uint32_t address, uint32_t bytes, Access access);
/// An operation on the mbarrier at `address` of `owner`: it must follow the
/// object's initialisation. False after a trap.
bool raceMbarrier(Warp &warp, const Instr &instruction, Block &owner,
                  uint32_t address);
/// A new clock of the asynchronous units, for the operation that begins.
uint32_t beginAsync(Warp &warp);
/// The operations up to `clock` of the asynchronous units are known to be done,
/// to a warp or to those who acquire `sync`.
void knowAsync(Warp &warp, uint32_t clock);
void knowAsync(RaceState *state, SyncClock &sync, uint32_t clock);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_RACE_H
