//===- RaceGlobal.cpp - Happens-before in global memory --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See RaceGlobal.h.
//
//===----------------------------------------------------------------------===//

#include "RaceGlobal.h"
#include "Launch.h"

#include <algorithm>

#include <fmt/format.h>

using namespace napkin::executor;

/// Pages of 4 KiB of device memory; 8 KiB of host memory each.
static constexpr size_t maximumPages = 1 << 15;

GlobalCell *GlobalRaces::cell(uint64_t unit) {
  uint64_t key = unit >> 8;
  if (key != lastKey) {
    auto found = pages.find(key);
    if (found == pages.end()) {
      if (pages.size() >= maximumPages)
        return nullptr;
      found = pages.try_emplace(key, std::make_unique<GlobalPage>()).first;
    }
    lastKey = key;
    last = found->second.get();
  }
  return &last->cells[unit & 255];
}

static std::string describeOther(uint32_t block, uint32_t own) {
  return block == own ? "another warp of the block"
                      : fmt::format("block {}", block - 1);
}

void napkin::executor::raceGlobal(Warp &w, const Instr &i,
                                  const uint64_t *address, uint32_t mask,
                                  unsigned bytes, Access access) {
  if (!w.races || !w.globalRaces)
    return;
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w), own = s.row(me)[me],
           block = uint32_t(w.block->linear) + 1;
  bool atomic = access == Access::Atomic,
       write = access != Access::Read && !(atomic && i.strongRead);
  BlockOrder &order = w.machine->blockOrder;
  const uint32_t size = w.block->clusterSize, cluster = (block - 1) / size + 1,
                 epoch = order.epochOf(cluster);
  auto known = [&](uint32_t other, uint32_t otherEpoch) {
    return order.isKnown(cluster, (other - 1) / size + 1, otherEpoch);
  };
  if (atomic)
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
      uint64_t at = address[__builtin_ctz(rest)];
      order.synchronize(cluster, at, write);
      acquire(w, s.cells[at]);
    }
  auto report = [&](unsigned l, uint64_t at, const char *what,
                    uint32_t otherBlock, uint32_t source) {
    w.machine->trap(w, i, l, Trap::Kind::Race,
                    fmt::format("{} and {} by {} at {:#x} are not ordered",
                                write ? "a write" : "a read", what,
                                describeOther(otherBlock, block), at),
                    at, source);
  };
  // Blocks of one cluster share clocks.
  auto sameClocks = [&](uint32_t other) {
    return other == block || (size > 1 && (other - 1) / size + 1 == cluster);
  };
  auto before = [&](uint32_t otherBlock, uint32_t warp, uint32_t clock,
                    uint32_t otherEpoch) {
    return sameClocks(otherBlock) ? warp == me || s.row(me)[warp] >= clock
                                  : known(otherBlock, otherEpoch);
  };
  for (uint32_t rest = mask; rest;) {
    unsigned l = __builtin_ctz(rest);
    rest &= rest - 1;
    uint64_t at = address[l], end = at + bytes;
    while (rest) {
      unsigned next = __builtin_ctz(rest);
      if (address[next] != end || ((at ^ address[next]) >> 4))
        break;
      end += bytes;
      rest &= rest - 1;
    }
    for (; at < end; at = (at & ~uint64_t(15)) + 16) {
      GlobalCell *found = w.globalRaces->cell(at >> 4);
      if (!found)
        return;
      GlobalCell &c = *found;
      unsigned low = at & 15,
               count = unsigned(std::min<uint64_t>(end - at, 16 - low));
      uint16_t part = uint16_t(((1u << count) - 1) << low);
      if ((c.writeMask & part) && !(atomic && c.writeAtomic) &&
          !before(c.writeBlock, c.writeWarp, c.writeClock, c.writeEpoch))
        return report(l, at, "a write", c.writeBlock, c.writeSource);
      if (!write) {
        bool fresh =
            !c.readBlock || (c.readBlock == block && c.readClock <= own &&
                             c.readWarps == 1u << w.index);
        if (c.readBlock && c.readBlock != block)
          c.readMany |= 1;
        if (!fresh && c.readMask != part)
          c.readMany |= 2;
        c.readWarps = c.readBlock == block && !fresh
                          ? c.readWarps | 1u << w.index
                          : 1u << w.index;
        c.readMask |= part;
        c.readBlock = block;
        c.readEpoch = epoch;
        c.readClock = own;
        c.readSource = i.source;
        continue;
      }
      if ((c.readMask & part) && !atomic) {
        if (c.readBlock != block && !sameClocks(c.readBlock) &&
            !known(c.readBlock, c.readEpoch) && !(c.readMany & 2))
          return report(l, at, "a read", c.readBlock, c.readSource);
        if (c.readBlock == block && !c.readMany)
          for (uint32_t warps = c.readWarps; warps; warps &= warps - 1) {
            uint32_t v = w.block->rank * s.warpsPerBlock + __builtin_ctz(warps);
            if (v != me && s.row(me)[v] < c.readClock)
              return report(l, at, "a read", block, c.readSource);
          }
      }
      bool same =
          c.writeBlock == block && c.writeWarp == me && c.writeClock == own;
      c.writeMask = same ? c.writeMask | part : part;
      c.writeBlock = block;
      c.writeEpoch = epoch;
      c.writeWarp = uint16_t(me);
      c.writeClock = own;
      c.writeSource = i.source;
      c.writeAtomic = atomic;
    }
  }
  if (atomic)
    for (uint32_t rest = mask; rest; rest &= rest - 1)
      release(w, s.cells[address[__builtin_ctz(rest)]]);
}

/// Compares the tables of two workers.
void Machine::compareRaces(GlobalRaces &a, GlobalRaces &b) {
  const uint64_t size = clusterSize();
  auto isKnown = [&](uint32_t block, uint32_t other, uint32_t epoch) {
    return blockOrder.isKnown((block - 1) / size + 1, (other - 1) / size + 1,
                              epoch);
  };
  for (auto &entry : a.pages) {
    uint64_t key = entry.first;
    auto &page = entry.second;
    auto found = b.pages.find(key);
    if (found == b.pages.end())
      continue;
    for (unsigned k = 0; k < 256; ++k) {
      const GlobalCell &x = page->cells[k], &y = found->second->cells[k];
      auto conflict = [&](const GlobalCell &writer, const GlobalCell &other,
                          bool write) {
        uint16_t mask = write ? other.writeMask : other.readMask;
        uint32_t block = write ? other.writeBlock : other.readBlock;
        uint32_t epoch = write ? other.writeEpoch : other.readEpoch;
        if (!(writer.writeMask & mask) || !block ||
            block == writer.writeBlock || (!write && (other.readMany & 2)) ||
            (write && writer.writeAtomic && other.writeAtomic) ||
            isKnown(block, writer.writeBlock, writer.writeEpoch) ||
            isKnown(writer.writeBlock, block, epoch))
          return false;
        Trap t;
        t.kind = Trap::Kind::Race;
        t.address = (key << 8 | k) << 4;
        uint32_t source = writer.writeSource,
                 from = write ? other.writeSource : other.readSource;
        t.message = fmt::format("a write by block {} and a {} by block {} near "
                                "{:#x} are not ordered",
                                writer.writeBlock - 1, write ? "write" : "read",
                                block - 1, t.address);
        t.line = lineOf(source);
        t.text = program.sources[source].ptx->text.str();
        t.otherLine = lineOf(from);
        t.other = program.sources[from].ptx->text.str();
        uint32_t linear = writer.writeBlock - 1;
        t.block = {linear % config.grid[0],
                   linear / config.grid[0] % config.grid[1],
                   linear / config.grid[0] / config.grid[1]};
        traps.push_back({linear, std::move(t)});
        return true;
      };
      if (conflict(x, y, true) || conflict(x, y, false) ||
          conflict(y, x, false))
        return;
    }
  }
}
