//===- Cache.h - Models of the caches --------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lines of 32-byte sectors, set-associative, the least recently used line is
// the victim. Loads that may stay in the L1 cache of a multiprocessor ask it
// first; the L2 cache is one, and written back. Blocks run as the hardware
// deals them: one on each multiprocessor in turn until all slots are taken,
// then the next wherever a block ends. Those that run take turns, one warp
// request each.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_HOST_CACHE_H
#define NAPKIN_LIB_EXECUTOR_HOST_CACHE_H

#include "napkin/Executor/Executor.h"

#include <memory>
#include <vector>

namespace napkin::executor {

/// One cache.
class SectorCache {
public:
  SectorCache(uint64_t bytes, uint32_t lineBytes, uint32_t ways);
  /// What became of one sector's access.
  struct Outcome {
    bool hit;
    /// Sectors written back to make room.
    unsigned writtenBack;
  };
  Outcome touch(uint64_t sector, bool write);
  /// Sectors that were written and are still here.
  uint64_t dirtySectors() const;

private:
  struct Line {
    uint64_t tag = ~uint64_t(0), used = 0;
    uint8_t valid = 0, dirty = 0;
  };
  uint64_t ways, sectorsPerLine, sets, time = 0;
  std::vector<Line> lines;
};

class Cache {
public:
  /// `concurrentBlocks` run at the same time, clusters together; each
  /// multiprocessor has `l1Bytes` of L1 cache, 0: none.
  Cache(const Hardware &hardware, uint64_t concurrentBlocks,
        uint64_t clusterSize, uint64_t l1Bytes);
  /// A block begins; its slot, which gives the multiprocessor. If there is no
  /// room, the accesses of those that have ended are replayed until there is.
  size_t beginBlock();
  void endBlock() { --running; }
  /// One warp request of a block: the sectors (address / 32) it touches.
  /// `inL1`: a load that the L1 cache may keep.
  void access(size_t slot, const uint64_t *sectors, unsigned count, bool write,
              bool inL1);
  /// Replays what is left and writes dirty sectors back; adds to `counters`.
  void finish(Counters &counters);

private:
  /// The accesses of a block: sector << 3 | in L1 | first of a request | write.
  struct Slot {
    bool taken = false;
    size_t at = 0;
    std::vector<uint64_t> log;
  };
  enum LogFlags : uint64_t { LogWrite = 1, LogFirst = 2, LogInL1 = 4 };
  /// Until at most `limit` blocks are left.
  void replay(size_t limit);
  void touch(SectorCache *l1, uint64_t entry);

  uint64_t concurrentBlocks, clusterSize, multiprocessors;
  SectorCache l2;
  std::vector<SectorCache> l1;
  std::vector<Slot> slots;
  size_t taken = 0, running = 0;
  uint64_t reads = 0, writes = 0, hits = 0, l1Hits = 0, filled = 0, written = 0;
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_HOST_CACHE_H
