//===- Cache.h - Model of the L2 cache -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Set-associative, least recently used, lines with 32-byte sectors, write-back.
// The blocks that would run at the same time (multiprocessors x blocks that fit
// into one, in the order of their numbers) take turns, one warp request each.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CACHE_H
#define NAPKIN_LIB_EXECUTOR_CACHE_H

#include "napkin/Executor/Executor.h"

namespace napkin::executor {

class Cache {
public:
  /// `concurrentBlocks` run at the same time.
  Cache(const Hardware &hardware, uint64_t concurrentBlocks);
  /// A block begins; its log's number. After a wave of blocks, once all have
  /// ended, their accesses are replayed.
  size_t beginBlock();
  void endBlock() { --running; }
  /// One warp request of a block: the sectors (address / 32) it touches.
  void access(size_t log, const uint64_t *sectors, unsigned count, bool write);
  /// Replays what is left and writes dirty sectors back; adds to `counters`.
  void finish(Counters &counters);

private:
  void replay();
  void touch(uint64_t sector, bool write);

  struct Line {
    uint64_t tag = ~uint64_t(0), used = 0;
    uint8_t valid = 0, dirty = 0;
  };
  uint64_t concurrentBlocks, ways, sets, time = 0, sectorsPerLine;
  std::vector<Line> lines;
  /// Per block of the wave: sector << 2 | first of a request << 1 | write.
  std::vector<std::vector<uint64_t>> logs;
  size_t running = 0;
  uint64_t reads = 0, writes = 0, hits = 0, filled = 0, written = 0;
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CACHE_H
