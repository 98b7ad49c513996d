//===- Cache.cpp - Models of the caches ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Cache.h.
//
//===----------------------------------------------------------------------===//

#include "Host/Cache.h"
#include "Machine/Launch.h"

#include "llvm/ADT/STLExtras.h"

using namespace napkin::executor;

SectorCache::SectorCache(uint64_t bytes, uint32_t lineBytes, uint32_t ways)
    : ways(std::max(1u, ways)),
      sectorsPerLine(std::max(1u, std::min(lineBytes / 32, 8u))),
      sets(std::max<uint64_t>(1, bytes / (sectorsPerLine * 32) / this->ways)),
      lines(sets * this->ways) {}

SectorCache::Outcome SectorCache::touch(uint64_t sector, bool write) {
  ++time;
  uint64_t tag = sector / sectorsPerLine;
  uint8_t bit = 1u << (sector % sectorsPerLine);
  // The hardware hashes addresses over slices; a multiplicative hash stands in.
  uint64_t set = (tag * 0x9e3779b97f4a7c15ull >> 20) % sets;
  Line *victim = nullptr;
  for (uint64_t way = 0; way < ways; ++way) {
    Line &line = lines[set * ways + way];
    if (line.tag == tag) {
      bool hit = line.valid & bit;
      line.used = time;
      line.valid |= bit;
      line.dirty |= write ? bit : 0;
      return {hit, 0};
    }
    if (!victim || line.used < victim->used)
      victim = &line;
  }
  unsigned writtenBack = __builtin_popcount(victim->dirty);
  *victim = {tag, time, bit, uint8_t(write ? bit : 0)};
  return {false, writtenBack};
}

uint64_t SectorCache::dirtySectors() const {
  uint64_t sum = 0;
  for (const Line &line : lines)
    sum += __builtin_popcount(line.dirty);
  return sum;
}

Cache::Cache(const Hardware &hardware, uint64_t concurrentBlocks,
             uint64_t clusterSize, uint64_t l1Bytes)
    : concurrentBlocks(std::max(concurrentBlocks, clusterSize)),
      clusterSize(clusterSize),
      multiprocessors(std::max(1u, hardware.multiprocessors)),
      l2(hardware.cacheBytes, hardware.lineBytes, hardware.ways) {
  if (l1Bytes)
    l1.assign(multiprocessors, SectorCache(l1Bytes, 128, 4));
}

size_t Cache::beginBlock() {
  if (!running && taken + clusterSize > concurrentBlocks)
    replay(concurrentBlocks - clusterSize);
  auto free = llvm::find_if(slots, [](const Slot &s) { return !s.taken; });
  size_t slot = free - slots.begin();
  if (free == slots.end())
    slots.emplace_back();
  slots[slot].taken = true;
  slots[slot].at = 0;
  slots[slot].log.clear();
  ++taken;
  ++running;
  return slot;
}

void Cache::access(size_t slot, const uint64_t *sectors, unsigned count,
                   bool write, bool inL1) {
  for (unsigned k = 0; k < count; ++k)
    slots[slot].log.push_back(sectors[k] << 3 | (inL1 ? LogInL1 : 0) |
                              (k == 0 ? LogFirst : 0) | (write ? LogWrite : 0));
}

void Cache::touch(SectorCache *l1, uint64_t entry) {
  const uint64_t sector = entry >> 3;
  const bool write = entry & LogWrite;
  if (l1 && (entry & LogInL1) && l1->touch(sector, false).hit) {
    ++l1Hits;
    return;
  }
  ++(write ? writes : reads);
  SectorCache::Outcome outcome = l2.touch(sector, write);
  hits += outcome.hit;
  // A write of a sector needs no fill.
  filled += !outcome.hit && !write;
  written += outcome.writtenBack;
}

void Cache::replay(size_t limit) {
  while (taken > limit)
    for (size_t s = 0; s < slots.size() && taken > limit; ++s) {
      Slot &slot = slots[s];
      if (!slot.taken)
        continue;
      SectorCache *own = l1.empty() ? nullptr : &l1[s % multiprocessors];
      if (slot.at < slot.log.size()) {
        do
          touch(own, slot.log[slot.at]);
        while (++slot.at < slot.log.size() && !(slot.log[slot.at] & LogFirst));
      }
      if (slot.at < slot.log.size())
        continue;
      slot.taken = false;
      slot.log = {};
      --taken;
    }
}

void Cache::finish(Counters &counters) {
  replay(0);
  counters.l1Hits = l1Hits;
  counters.l2ReadSectors = reads;
  counters.l2WriteSectors = writes;
  counters.l2Hits = hits;
  counters.dramReadBytes = filled * 32;
  counters.dramWriteBytes = (written + l2.dirtySectors()) * 32;
}

/// Loads of the default kind and cp.async.ca may stay in the L1 cache.
bool napkin::executor::mayStayInL1(const ptx::Instruction &i) {
  if (i.opcode == "cp")
    return llvm::is_contained(i.modifiers, "ca");
  if (i.opcode != "ld" && i.opcode != "ldu")
    return false;
  static const char *const others[] = {
      "cg",      "cv",   "volatile", "relaxed",
      "acquire", "mmio", "shared",   "L1::no_allocate"};
  return llvm::none_of(others, [&](const char *modifier) {
    return llvm::is_contained(i.modifiers, modifier);
  });
}

void Machine::cacheAccess(Warp &w, const Instr &i, const uint64_t *sectors,
                          unsigned count, Access access) {
  if (access != Access::Write)
    cache->access(w.block->cacheLog, sectors, count, false,
                  access == Access::Read && program.sources[i.source].inL1);
  if (access != Access::Read)
    cache->access(w.block->cacheLog, sectors, count, true, false);
}
