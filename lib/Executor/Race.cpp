//===- Race.cpp - Happens-before in shared memory --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One cell per 16 bytes with byte masks. Where several warps read different
// parts of a cell its readers are no longer known exactly, and then only races
// that are certain are reported.
//
//===----------------------------------------------------------------------===//

#include "Race.h"
#include "Launch.h"

#include <algorithm>

#include <fmt/format.h>

using namespace napkin::executor;

enum CellFlags : uint8_t {
  WriteAsync = 1,
  WriteAtomic = 2,
  ReadMixed = 4,
  ReadAtomic = 8
};

uint32_t napkin::executor::clusterWarp(const Warp &w) {
  return w.block->rank * w.races->warpsPerBlock + w.index;
}

void napkin::executor::release(Warp &w, SyncClock &sync) {
  if (!w.races)
    return;
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  uint32_t *mine = s.row(me), *fenced = s.fencedRow(me);
  if (sync.clock.empty()) {
    sync.clock.assign(mine, mine + s.warps);
    sync.fenced.assign(fenced, fenced + s.warps);
  } else {
    for (uint32_t v = 0; v < s.warps; ++v) {
      sync.clock[v] = std::max(sync.clock[v], mine[v]);
      sync.fenced[v] = std::max(sync.fenced[v], fenced[v]);
    }
  }
  ++mine[me];
}

void napkin::executor::acquire(Warp &w, const SyncClock &sync) {
  if (!w.races || sync.clock.empty())
    return;
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  uint32_t *mine = s.row(me), *fenced = s.fencedRow(me), own = mine[me];
  for (uint32_t v = 0; v < s.warps; ++v) {
    mine[v] = std::max(mine[v], sync.clock[v]);
    fenced[v] = std::max(fenced[v], sync.fenced[v]);
  }
  mine[me] = own;
}

void napkin::executor::fenceProxy(Warp &w) {
  if (!w.races)
    return;
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  std::copy(s.row(me), s.row(me) + s.warps, s.fencedRow(me));
  // What follows is not fenced.
  ++s.row(me)[me];
}

static const char *kindName(bool write, bool async) {
  return write ? (async ? "an async-proxy write" : "a write")
               : (async ? "an async-proxy read" : "a read");
}

namespace {

/// One access to one cell.
struct Visit {
  Warp &warp;
  const Instr &instruction;
  uint32_t me;
  const uint32_t *known, *fenced;
  bool write, atomic, async;

  bool before(uint32_t v, uint32_t clock) const {
    return v == me || known[v] >= clock;
  }

  void report(Trap::Kind kind, uint32_t address, const std::string &what,
              uint32_t source, uint32_t otherWarp) const {
    warp.machine->trap(
        warp, instruction, warp.active ? __builtin_ctz(warp.active) : 0, kind,
        fmt::format("{} at shared address {:#x} (the other access: {})", what,
                    address,
                    otherWarp == warp.races->agent()
                        ? std::string("an asynchronous operation")
                        : fmt::format("warp {}",
                                      otherWarp % warp.races->warpsPerBlock)),
        address, source);
  }

  /// False after a trap.
  bool cell(RaceCell &c, uint32_t address, uint16_t mask) const {
    if (c.writeMask & mask) {
      bool bothAtomic = atomic && (c.flags & WriteAtomic);
      if (!bothAtomic && !before(c.writeWarp, c.writeClock)) {
        report(Trap::Kind::Race, address,
               fmt::format("{} and {} of another warp are not ordered",
                           kindName(write, async),
                           kindName(true, c.flags & WriteAsync)),
               c.writeSource, c.writeWarp);
        return false;
      }
      if (async && !(c.flags & (WriteAsync | WriteAtomic)) &&
          fenced[c.writeWarp] < c.writeClock) {
        report(Trap::Kind::ProxyFence, address,
               fmt::format("{} follows an ordinary write without "
                           "fence.proxy.async between them",
                           kindName(write, true)),
               c.writeSource, c.writeWarp);
        return false;
      }
    }
    uint64_t bit = uint64_t(1) << (async ? 63 : warp.index);
    uint32_t agent = warp.races->agent();
    uint32_t writer = async ? agent : me;
    uint32_t own = async ? warp.races->row(agent)[agent] : known[me];
    if (write) {
      if ((c.readMask & mask) && !(c.flags & ReadMixed) &&
          !(atomic && (c.flags & ReadAtomic))) {
        uint32_t base = warp.block->rank * warp.races->warpsPerBlock;
        for (uint64_t rest = c.readWarps & ~bit; rest; rest &= rest - 1) {
          uint32_t v = __builtin_ctzll(rest);
          v = v == 63 ? warp.races->agent() : base + v;
          if (known[v] < c.readClock) {
            report(Trap::Kind::Race, address,
                   fmt::format("{} and a read of another warp are not ordered",
                               kindName(true, async)),
                   c.readSource, v);
            return false;
          }
        }
      }
      if (c.writeWarp == writer && c.writeClock == own) {
        c.writeMask |= mask;
      } else {
        c.writeMask = mask;
        c.writeWarp = uint16_t(writer);
        c.writeClock = own;
      }
      c.writeSource = instruction.source;
      c.flags = (c.flags & ~(WriteAsync | WriteAtomic)) |
                (async ? WriteAsync : 0) | (atomic ? WriteAtomic : 0);
      if ((c.readMask & ~mask) == 0) {
        c.readMask = 0;
        c.readWarps = 0;
        c.flags &= ~(ReadMixed | ReadAtomic);
      }
      return true;
    }
    if (c.readClock == own && (c.readMask == mask || c.readWarps == bit)) {
      c.readWarps |= bit;
      c.readMask |= mask;
      c.readSource = instruction.source;
      return true;
    }
    bool allBefore = true;
    uint32_t base = warp.block->rank * warp.races->warpsPerBlock;
    for (uint64_t rest = c.readWarps & ~bit; rest && allBefore;
         rest &= rest - 1) {
      uint32_t v = __builtin_ctzll(rest);
      allBefore = known[v == 63 ? agent : base + v] >= c.readClock;
    }
    if (allBefore || !c.readWarps) {
      c.readClock = own;
      c.readWarps = bit;
      c.readMask = mask;
      c.flags &= ~(ReadMixed | ReadAtomic);
      c.flags |= atomic ? ReadAtomic : 0;
    } else {
      if (c.readMask != mask)
        c.flags |= ReadMixed;
      c.readClock = std::min(c.readClock, own);
      c.readWarps |= bit;
      c.readMask |= mask;
    }
    c.readSource = instruction.source;
    return true;
  }
};

} // namespace

/// All bytes of one access to the block's own memory, cell by cell.
static bool visitRange(const Visit &visit, RaceCell *cells, uint32_t address,
                       uint32_t bytes) {
  uint32_t end = address + bytes;
  while (address < end) {
    uint32_t cell = address >> 4, next = std::min(end, (cell + 1) << 4);
    uint32_t low = address & 15, count = next - address;
    uint16_t mask = uint16_t(((1u << count) - 1) << low);
    if (!visit.cell(cells[cell], address, mask))
      return false;
    address = next;
  }
  return true;
}

void napkin::executor::raceShared(Warp &w, const Instr &i,
                                  const uint32_t *address, uint32_t mask,
                                  unsigned bytes, Access access) {
  if (!w.races)
    return;
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  bool atomic = access == Access::Atomic;
  // A strong access synchronises with the others to the same address.
  if (atomic)
    for (uint32_t rest = mask; rest; rest &= rest - 1)
      acquire(w, s.cells[uint64_t(w.block->rank) << 32 |
                         address[__builtin_ctz(rest)]]);
  Visit visit{w,
              i,
              me,
              s.row(me),
              s.fencedRow(me),
              access != Access::Read && !(atomic && i.strongRead),
              atomic,
              false};
  RaceCell *cells = w.block->raceCells;
  for (uint32_t rest = mask; rest;) {
    unsigned l = __builtin_ctz(rest);
    rest &= rest - 1;
    uint32_t at = address[l] & ((1u << clusterShift) - 1), length = bytes;
    // Neighbouring lanes in one cell go together.
    while (rest) {
      unsigned next = __builtin_ctz(rest);
      uint32_t other = address[next] & ((1u << clusterShift) - 1);
      if (other != at + length || ((at ^ other) >> 4))
        break;
      length += bytes;
      rest &= rest - 1;
    }
    if (!visitRange(visit, cells, at, length))
      return;
  }
  if (atomic)
    for (uint32_t rest = mask; rest; rest &= rest - 1)
      release(w, s.cells[uint64_t(w.block->rank) << 32 |
                         address[__builtin_ctz(rest)]]);
}

void napkin::executor::raceAsync(Warp &w, const Instr &i, Block &owner,
                                 uint32_t address, uint32_t bytes,
                                 Access access) {
  if (!w.races || !w.block->races)
    return;
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  Visit visit{
      w,     i,   me, s.row(me), s.fencedRow(me), access == Access::Write,
      false, true};
  // Readers are known by their number in the owner: a remote issuer only checks
  // the writes.
  visitRange(visit, owner.raceCells, address, bytes);
}

bool napkin::executor::raceMbarrier(Warp &w, const Instr &i, Block &owner,
                                    uint32_t address) {
  if (!w.races || !w.block->races)
    return true;
  RaceState &s = *w.races;
  const RaceCell &c = owner.raceCells[address >> 4];
  uint16_t mask = uint16_t(0xff << (address & 15));
  if (!(c.writeMask & mask) || c.writeWarp == clusterWarp(w) ||
      s.row(clusterWarp(w))[c.writeWarp] >= c.writeClock)
    return true;
  w.machine->trap(w, i, w.active ? __builtin_ctz(w.active) : 0,
                  Trap::Kind::Race,
                  fmt::format("the mbarrier at {:#x} is used without order "
                              "after its initialisation",
                              address),
                  address, c.writeSource);
  return false;
}

uint32_t napkin::executor::beginAsync(Warp &w) {
  if (!w.races)
    return 0;
  uint32_t agent = w.races->agent();
  return ++w.races->row(agent)[agent];
}

void napkin::executor::knowAsync(Warp &w, uint32_t clock) {
  if (!w.races)
    return;
  uint32_t &known = w.races->row(clusterWarp(w))[w.races->agent()];
  known = std::max(known, clock);
}

void napkin::executor::knowAsync(RaceState *state, SyncClock &sync,
                                 uint32_t clock) {
  if (!state)
    return;
  if (sync.clock.empty()) {
    sync.clock.assign(state->warps, 0);
    sync.fenced.assign(state->warps, 0);
  }
  sync.clock[state->agent()] = std::max(sync.clock[state->agent()], clock);
}

void napkin::executor::raceAtomic(Warp &w, const Instr &i, unsigned lane,
                                  uint64_t address, unsigned bytes,
                                  const Place &place) {
  if (place.space == 1 && place.owner == w.block) {
    uint32_t at[lanes];
    at[lane] = uint32_t(place.host - w.block->shared);
    raceShared(w, i, at, 1u << lane, bytes, Access::Atomic);
  }
  if (place.space == 0) {
    uint64_t at[lanes];
    at[lane] = address;
    raceGlobal(w, i, at, 1u << lane, bytes, Access::Atomic);
  }
}

void napkin::executor::barrierArrived(Warp &w, BarrierState &state) {
  release(w, state.sync);
}

void napkin::executor::barrierOpened(Block &block, BarrierState &state) {
  if (state.sync.clock.empty())
    return;
  RaceState &s = *block.raceState;
  uint32_t latest = 0;
  for (uint32_t x = 0; x < block.numWarps; ++x)
    if ((state.waiting >> x) & 1)
      latest = std::max(
          latest,
          s.row(clusterWarp(block.warps[x]))[clusterWarp(block.warps[x])]);
  for (uint32_t x = 0; x < block.numWarps; ++x)
    if ((state.waiting >> x) & 1) {
      Warp &w = block.warps[x];
      acquire(w, state.sync);
      // Equal clocks let the readers of a cell share one number.
      s.row(clusterWarp(w))[clusterWarp(w)] = latest;
    }
}

void napkin::executor::startRaces(BlockStorage &storage) {
  Block &b = storage.block;
  b.raceState = nullptr;
  b.raceCells = nullptr;
  if (!b.races)
    return;
  size_t cells = (b.sharedBytes >> 4) + 2;
  if (storage.cells.size() < cells)
    storage.cells.resize(cells);
  b.raceCells = storage.cells.data();
}

/// Gives the blocks of a cluster their common clocks. Cells keep clocks of the
/// blocks that ran here before: new clocks start beyond them.
void napkin::executor::startClocks(RaceState &s,
                                   llvm::ArrayRef<Block *> blocks) {
  uint32_t base = 0;
  for (uint32_t clock : s.clock)
    base = std::max(base, clock);
  s.warpsPerBlock = blocks[0]->numWarps;
  s.warps = blocks.size() * s.warpsPerBlock + 1;
  s.clock.assign(uint64_t(s.warps) * s.warps, base);
  s.fenced.assign(uint64_t(s.warps) * s.warps, base);
  s.cells.clear();
  for (uint32_t v = 0; v < s.warps; ++v)
    s.row(v)[v] = base + 1;
  for (Block *b : blocks) {
    b->raceState = &s;
    for (uint32_t x = 0; x < b->numWarps; ++x)
      b->warps[x].races = &s;
  }
}
