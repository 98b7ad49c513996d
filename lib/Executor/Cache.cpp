//===- Cache.cpp - Model of the L2 cache -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Cache.h.
//
//===----------------------------------------------------------------------===//

#include "Cache.h"
#include "Launch.h"

using namespace napkin::executor;

Cache::Cache(const Hardware &hardware, uint64_t concurrentBlocks)
    : concurrentBlocks(concurrentBlocks), ways(std::max(1u, hardware.ways)) {
  sectorsPerLine = std::max(1u, std::min(hardware.lineBytes / 32, 8u));
  sets =
      std::max<uint64_t>(1, hardware.cacheBytes / (sectorsPerLine * 32) / ways);
  lines.resize(sets * ways);
}

size_t Cache::beginBlock() {
  if (logs.size() >= concurrentBlocks && !running)
    replay();
  logs.emplace_back();
  ++running;
  return logs.size() - 1;
}

void Cache::access(size_t log, const uint64_t *sectors, unsigned count,
                   bool write) {
  for (unsigned k = 0; k < count; ++k)
    logs[log].push_back(sectors[k] << 2 | (k == 0) << 1 | uint64_t(write));
}

void Cache::touch(uint64_t sector, bool write) {
  ++time;
  ++(write ? writes : reads);
  uint64_t tag = sector / sectorsPerLine;
  uint8_t bit = 1u << (sector % sectorsPerLine);
  // The hardware hashes addresses over slices; a multiplicative hash stands in.
  uint64_t set = (tag * 0x9e3779b97f4a7c15ull >> 20) % sets;
  Line *victim = nullptr;
  for (uint64_t way = 0; way < ways; ++way) {
    Line &line = lines[set * ways + way];
    if (line.tag == tag) {
      line.used = time;
      if (line.valid & bit)
        ++hits;
      else if (!write)
        ++filled;
      line.valid |= bit;
      line.dirty |= write ? bit : 0;
      return;
    }
    if (!victim || line.used < victim->used)
      victim = &line;
  }
  written += __builtin_popcount(victim->dirty);
  // A write of a whole sector needs no fill.
  filled += write ? 0 : 1;
  *victim = {tag, time, bit, uint8_t(write ? bit : 0)};
}

void Cache::replay() {
  std::vector<size_t> at(logs.size(), 0);
  bool more = true;
  while (more) {
    more = false;
    for (size_t b = 0; b < logs.size(); ++b) {
      std::vector<uint64_t> &log = logs[b];
      if (at[b] >= log.size())
        continue;
      do
        touch(log[at[b]] >> 2, log[at[b]] & 1);
      while (++at[b] < log.size() && !(log[at[b]] & 2));
      more |= at[b] < log.size();
    }
  }
  logs.clear();
}

void Cache::finish(Counters &counters) {
  replay();
  for (Line &line : lines)
    written += __builtin_popcount(line.dirty);
  counters.l2ReadSectors = reads;
  counters.l2WriteSectors = writes;
  counters.l2Hits = hits;
  counters.dramReadBytes = filled * 32;
  counters.dramWriteBytes = written * 32;
}

void Machine::cacheAccess(Warp &w, const uint64_t *sectors, unsigned count,
                          Access access) {
  if (access != Access::Write)
    cache->access(w.block->cacheLog, sectors, count, false);
  if (access != Access::Read)
    cache->access(w.block->cacheLog, sectors, count, true);
}
