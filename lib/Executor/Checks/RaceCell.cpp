//===- RaceCell.cpp - One access against the last ones ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A cell covers 16 bytes with byte masks. Usually one entry says who wrote it
// and one who read it; bytes that others touched move to the overflow. Of the
// readers of global memory in other clusters only the last two are known.
//
//===----------------------------------------------------------------------===//

#include "Checks/RaceCell.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

CellOverflow &CellPool::make(RaceCell &cell) {
  if (!cell.overflow) {
    if (free.empty()) {
      overflows.emplace_back();
      free.push_back(overflows.size());
    }
    cell.overflow = free.back();
    free.pop_back();
  }
  return overflows[cell.overflow - 1];
}

void CellPool::drop(RaceCell &cell) {
  if (!cell.overflow)
    return;
  CellOverflow &o = overflows[cell.overflow - 1];
  if (!o.writes.empty() || !o.reads.empty())
    return;
  free.push_back(cell.overflow);
  cell.overflow = 0;
}

LanePattern LanePattern::of(uint8_t first, unsigned bytes, unsigned low) {
  uint64_t value = first * 0x0101010101010101ull;
  // Lanes follow each other.
  if (bytes > 1 && bytes < 16 && first < lanes)
    value += (bytes == 2   ? 0x0706050403020100ull
              : bytes == 4 ? 0x0303020201010000ull
                           : 0x0101010100000000ull);
  value <<= 8 * (low >> 1);
  LanePattern p;
  std::memcpy(p.lane, &value, 8);
  return p;
}

std::string napkin::executor::describePlace(Warp &w, const Block *owner,
                                            uint64_t address) {
  const Program &program = w.machine->program;
  if (!owner) {
    const Region *region = w.machine->device.find(address);
    return region ? fmt::format("{:#x} ('{}' + {})", address, region->name,
                                address - region->begin)
                  : fmt::format("{:#x}", address);
  }
  std::string of =
      owner == w.block ? "" : fmt::format(" of block {}", owner->linear);
  for (const SharedVariable &v : program.sharedVariables)
    if (address >= v.begin && address < v.begin + v.bytes)
      return fmt::format("shared address {:#x}{} ('{}' + {})", address, of,
                         v.name, address - v.begin);
  return fmt::format("shared address {:#x}{}", address, of);
}

Visit::Visit(Warp &warp, const Instr &instruction, Block *owner, bool write,
             Order order, const AsyncAccess *async)
    : warp(warp), instruction(instruction), owner(owner), write(write),
      order(order), async(async), state(*warp.races),
      mine(warp.races->of(warp)), me(clusterWarp(warp)),
      actor(async ? async->actor : me),
      clock(async ? async->clock : warp.races->clock[me]) {
  if (async && async->reduction)
    this->order.strong = true;
}

/// Of the lanes that touch those of two bytes at `address` that are in `two`,
/// which `ours` stands for, the first that is one of `which`; laneNone: there
/// is none.
uint8_t Visit::firstLane(uint8_t ours, uint64_t address, unsigned two,
                         llvm::function_ref<bool(unsigned)> which) const {
  if (ours < lanes)
    return which(ours) ? ours : laneNone;
  const uint64_t begin = address + (two == 2),
                 end = address + (two == 1 ? 1 : 2);
  for (uint32_t rest = addresses ? mask : 0; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t at = addresses(l);
    if (at < end && at + bytes > begin && which(l))
      return l;
  }
  return laneNone;
}

/// Whether `lane` (laneNone: every lane) is ordered after the entry's access
/// of the given two bytes, which `other` made.
bool Visit::isAware(unsigned lane, const AccessEntry &e, uint32_t other,
                    unsigned half, uint64_t address, bool fenced) const {
  const ActorEvent event{other, e.clock, e.epoch, e.lane[half]};
  if (e.cluster != state.cluster)
    return knowsOfCluster(warp, lane, {e.cluster, event}, fenced) ||
           (!fenced && isObserved(e, address, lane));
  if (fenced)
    return knows(warp, lane, event, owner ? ProxyShared : ProxyGlobal);
  return other == me || knows(warp, lane, event) ||
         (async && other == actor && e.clock == clock) ||
         isObserved(e, address, lane);
}

/// A lane of this access that is not ordered after (`fenced`: or not fenced
/// from) the entry, to which `other` gave its bytes; laneNone: there is none,
/// laneOfAll: it is one of all lanes.
uint8_t Visit::unaware(const AccessEntry &e, uint32_t other, uint64_t address,
                       uint16_t mask, const LanePattern &p, bool fenced) const {
  const Extent &known = mine.rows[!fenced ? Known
                                  : owner ? ProxyShared
                                          : ProxyGlobal];
  if (e.cluster == state.cluster && known.clocks[other] >= e.clock)
    return laneNone;
  const uint64_t cell = address & ~uint64_t(15);
  const uint16_t common = mask & e.mask;
  for (unsigned h = 0; h < 8; ++h) {
    if (!(common >> (2 * h) & 3))
      continue;
    // What was found for the two bytes before holds for these.
    if (h && (common >> (2 * h - 2) & 3) && e.lane[h] == e.lane[h - 1] &&
        p.lane[h] == p.lane[h - 1] && p.lane[h] < lanes)
      continue;
    const bool isSome = p.lane[h] != laneOfAll && p.lane[h] != laneNone;
    if (!isSome) {
      if (!isAware(laneNone, e, other, h, address, fenced))
        return laneOfAll;
      continue;
    }
    uint8_t found = firstLane(
        p.lane[h], cell + 2 * h, common >> (2 * h) & 3,
        [&](unsigned l) { return !isAware(l, e, other, h, address, fenced); });
    if (found != laneNone)
      return found;
  }
  return laneNone;
}

/// The scope of a strong access.
static unsigned scopeOf(const AccessEntry &e) {
  return e.flags / EntryScope & 3;
}

/// How far an entry is from a warp.
Scope Visit::distance(const AccessEntry &e, uint32_t cluster,
                      uint32_t other) const {
  if (e.cluster != cluster)
    return ScopeDevice;
  return e.actor < state.warps &&
                 e.actor / state.warpsPerBlock == other / state.warpsPerBlock
             ? ScopeBlock
             : ScopeCluster;
}

bool Visit::bothStrong(const AccessEntry &e) const {
  if (!order.strong || !(e.flags & EntryStrong))
    return false;
  Scope needed = distance(e, state.cluster, me);
  return order.scope >= needed && scopeOf(e) >= needed;
}

/// A weak load and a compare-and-exchange of one place. Loops around the latter
/// begin with such a load (CUDA's own headers do): it is a guess, and a wrong
/// one is compared away.
static bool isGuess(const AccessEntry &e, bool write, const Order &order,
                    const AsyncAccess *async) {
  return write ? order.compares && !(e.flags & EntryAsync)
               : (e.flags & EntryCompares) && !async;
}

/// A strong write is ordered before what follows a strong read of its value,
/// even without a fence (causality order, 8.9.4).
bool Visit::isObserved(const AccessEntry &e, uint64_t address,
                       unsigned lane) const {
  if (!(e.flags & EntryStrong))
    return false;
  auto any = [&](const std::vector<Observer> &observers) {
    return llvm::any_of(observers, [&](const Observer &o) {
      Scope needed = distance(e, o.cluster, o.actor);
      if (o.scope < needed || scopeOf(e) < needed)
        return false;
      if (o.cluster != state.cluster)
        return knowsOfCluster(warp, lane, o);
      return o.actor != me        ? knows(warp, lane, o)
             : o.lane == laneNone ? true
                                  : laneKnows(warp, lane, o);
    });
  };
  uint64_t cell = address & ~uint64_t(15);
  for (uint64_t at = cell; at < cell + 16; at += 2) {
    if (owner) {
      auto found = state.locations.find(strongKey(*owner, at));
      if (found != state.locations.end() && any(found->second.observers))
        return true;
    } else {
      int64_t found = warp.machine->blockOrder.find(at);
      if (found >= 0 && any(warp.machine->blockOrder.at(found).observers))
        return true;
    }
  }
  return false;
}

void Visit::report(Trap::Kind kind, const AccessEntry &e, uint64_t address,
                   bool otherWrites, const char *why, uint32_t otherActor,
                   unsigned lane, const std::string &detail) const {
  auto noun = [&](bool writes, bool isAsync) {
    return writes ? (isAsync ? "an async-proxy write" : "a write")
                  : (isAsync ? "an async-proxy read" : "a read");
  };
  std::string who;
  if (!detail.empty())
    who = detail;
  else if (e.cluster == state.cluster && otherActor < state.warps)
    who = fmt::format(
        " by warp {} of block {}", otherActor % state.warpsPerBlock,
        warp.block->cluster[otherActor / state.warpsPerBlock]->linear);
  else if (e.cluster != state.cluster)
    who = warp.block->clusterSize == 1
              ? fmt::format(" by block {}", e.cluster - 1)
              : fmt::format(" by cluster {}", e.cluster - 1);
  if (lane >= lanes)
    lane = warp.active ? __builtin_ctz(warp.active) : 0;
  warp.machine->trap(warp, instruction, lane, kind,
                     fmt::format("{} at {} and {}{} {}", noun(write, async),
                                 describePlace(warp, owner, address),
                                 noun(otherWrites, e.flags & EntryAsync), who,
                                 why),
                     address, e.source);
}

/// Accesses of the warp itself: the lanes must have synchronised.
bool Visit::lanesOrdered(const AccessEntry &e, uint64_t address, uint16_t mask,
                         const LanePattern &p) const {
  if (e.epoch < warp.fullEpoch)
    return true;
  // The same lanes: none is a special value, which have high bits.
  uint64_t before, now;
  std::memcpy(&before, e.lane, 8);
  std::memcpy(&now, p.lane, 8);
  if (before == now && !(now & 0xe0e0e0e0e0e0e0e0ull))
    return true;
  const uint64_t cell = address & ~uint64_t(15);
  uint16_t common = mask & e.mask;
  for (unsigned h = 0; h < 8; ++h) {
    if (!(common >> (2 * h) & 3))
      continue;
    uint8_t theirs = e.lane[h], ours = p.lane[h];
    if (theirs == laneNone || theirs == laneOfTwo || ours == laneNone ||
        (theirs == ours && ours < lanes))
      continue;
    const ActorEvent event{me, e.clock, e.epoch, theirs};
    if (ours != laneOfAll)
      ours = firstLane(ours, cell + 2 * h, common >> (2 * h) & 3,
                       [&](unsigned l) { return !laneKnows(warp, l, event); });
    if (ours == laneNone)
      continue;
    // Lanes of one instruction may write the same value: its handler compares.
    if (write && addresses && e.source == instruction.source &&
        theirs < lanes && (this->mask >> theirs & 1)) {
      uint64_t other = addresses(theirs), at = cell + 2 * h;
      if (other < at + 2 && other + bytes > at) {
        warp.overlap = true;
        continue;
      }
    }
    report(Trap::Kind::Race, e, cell + 2 * h, &e != currentRead,
           "are not ordered: no bar.warp.sync or other synchronisation of the "
           "lanes stands between them",
           me, ours,
           theirs < lanes ? fmt::format(" by lane {} of the same warp", theirs)
                          : " by other lanes of the same warp");
    return false;
  }
  return true;
}

void Visit::reportWrite(const AccessEntry &e, uint64_t address,
                        unsigned lane) const {
  report(Trap::Kind::Race, e, address, true, "are not ordered", e.actor, lane);
}

bool Visit::checkWrite(const AccessEntry &e, uint64_t address, uint16_t mask,
                       const LanePattern &p) {
  if (!bothStrong(e) && (write || !e.repeated) &&
      (write || !isGuess(e, write, order, async))) {
    if (e.cluster == state.cluster && e.actor == me) {
      currentRead = nullptr;
      if (!lanesOrdered(e, address, mask, p))
        return false;
    } else if (uint8_t lane = unaware(e, e.actor, address, mask, p, false);
               lane != laneNone) {
      if (warp.comparesValues && e.cluster == state.cluster &&
          (!owner || !(e.flags & EntryAsync))) {
        warp.overlap = true;
        state.unordered.push_back(
            {e, address & ~uint64_t(15), uint16_t(e.mask & mask)});
        return true;
      }
      reportWrite(e, firstByte(e, address, mask), lane);
      return false;
    }
  }
  if (!async || !async->isProxy || (e.flags & EntryAsync))
    return true;
  if (unaware(e, e.actor, address, mask, p, true) == laneNone)
    return true;
  report(Trap::Kind::ProxyFence, e, firstByte(e, address, mask), true,
         "have no fence.proxy.async between them", e.actor, async->lane);
  return false;
}

bool Visit::checkRead(const AccessEntry &e, uint64_t address, uint16_t mask,
                      const LanePattern &p) {
  if (bothStrong(e) || isGuess(e, write, order, async))
    return true;
  auto isAfter = [&](uint32_t other) {
    uint8_t lane = unaware(e, other, address, mask, p, false);
    if (lane != laneNone)
      report(Trap::Kind::Race, e, firstByte(e, address, mask), false,
             "are not ordered", other, lane);
    return lane == laneNone;
  };
  if (e.cluster != state.cluster || e.actor >= state.warps)
    return isAfter(e.actor);
  uint32_t base = e.actor - e.actor % state.warpsPerBlock;
  for (uint32_t rest = e.warps; rest; rest &= rest - 1) {
    uint32_t v = base + __builtin_ctz(rest);
    if (v == me) {
      currentRead = &e;
      if (!lanesOrdered(e, address, mask, p))
        return false;
    } else if (!isAfter(v)) {
      return false;
    }
  }
  return true;
}

uint64_t Visit::firstByte(const AccessEntry &e, uint64_t address,
                          uint16_t mask) {
  return (address & ~uint64_t(15)) + __builtin_ctz(uint32_t(e.mask & mask));
}

/// Two bytes that other lanes have touched as well: of reads any writer
/// conflicts with one of them; lanes that wrote the same value in one
/// instruction are not told apart.
static void setLanes(AccessEntry &e, uint16_t mask, const LanePattern &p,
                     bool isRead, bool sameInstruction) {
  for (unsigned h = 0; h < 8; ++h) {
    const unsigned now = mask >> (2 * h) & 3, before = e.mask >> (2 * h) & 3;
    if (!now)
      continue;
    uint8_t &lane = e.lane[h];
    if (!before || lane == p.lane[h])
      lane = p.lane[h];
    else if (before & ~now)
      lane = laneOfTwo;
    else if (lane == laneNone)
      lane = !isRead && sameInstruction ? lane : p.lane[h];
    else
      lane = isRead            ? uint8_t(laneMany)
             : sameInstruction ? uint8_t(laneNone)
                               : p.lane[h];
  }
}

AccessEntry Visit::entry(uint16_t mask, const LanePattern &p) const {
  AccessEntry e;
  e.cluster = state.cluster;
  e.clock = clock;
  e.epoch = warp.epoch;
  e.source = instruction.source;
  e.actor = uint16_t(actor);
  e.mask = mask;
  e.warps = async ? 0 : 1u << warp.index;
  e.flags = entryFlags();
  std::memcpy(e.lane, p.lane, 8);
  return e;
}

/// The lanes of the entry are those of this epoch, or have all synchronised
/// since.
bool Visit::mayMerge(const AccessEntry &e) const {
  return async || e.epoch == warp.epoch || e.epoch < warp.fullEpoch;
}

/// Joins an access to the entry of the same actor, clock and kind.
void Visit::merge(AccessEntry &e, uint16_t mask, const LanePattern &p,
                  bool isRead) const {
  if (e.epoch != warp.epoch) {
    std::memset(e.lane, laneNone, 8);
    e.epoch = warp.epoch;
  }
  setLanes(e, mask, p, isRead, e.source == instruction.source);
  e.mask |= mask;
  e.source = instruction.source;
}

static void subtract(std::vector<AccessEntry> &entries, uint16_t mask) {
  llvm::erase_if(entries, [&](AccessEntry &e) { return !(e.mask &= ~mask); });
}

void Visit::recordWrite(RaceCell &c, CellPool &pool, uint16_t mask,
                        const LanePattern &p) const {
  AccessEntry &e = c.write;
  const uint8_t flags = entryFlags();
  if (e.mask && e.cluster == state.cluster && e.actor == actor &&
      e.clock == clock && e.flags == flags && mayMerge(e)) {
    merge(e, mask, p, false);
  } else {
    if (uint16_t left = e.mask & ~mask) {
      e.mask = left;
      pool.make(c).writes.push_back(e);
    }
    e = entry(mask, p);
  }
  c.read.mask &= ~mask;
  c.otherMask &= ~mask;
  if (!c.overflow)
    return;
  CellOverflow &o = *pool.of(c);
  // The entry just moved there covers other bytes.
  subtract(o.writes, mask);
  subtract(o.reads, mask);
  pool.drop(c);
}

void Visit::recordRead(RaceCell &c, CellPool &pool, uint16_t mask,
                       const LanePattern &p) const {
  AccessEntry &e = c.read;
  const uint8_t flags = entryFlags();
  const uint32_t bit = async ? 0 : 1u << warp.index;
  if (e.mask && e.cluster == state.cluster && e.clock == clock &&
      e.flags == flags) {
    if (e.actor == actor && e.warps == bit && mayMerge(e))
      return merge(e, mask, p, true);
    if (!async && e.mask == mask && e.epoch == warp.epoch && p == e.lane &&
        e.actor < state.warps &&
        e.actor / state.warpsPerBlock == me / state.warpsPerBlock) {
      // Readers at one clock and epoch share an entry.
      e.warps |= bit;
      e.source = instruction.source;
      return;
    }
  }
  if (e.mask && e.cluster != state.cluster) {
    c.other = e;
    c.otherMask = e.mask;
  } else if (e.mask) {
    if (uint16_t left = isBefore(e, p) ? e.mask & ~mask : e.mask) {
      e.mask = left;
      pool.make(c).reads.push_back(e);
    }
  }
  e = entry(mask, p);
  if (!c.overflow)
    return;
  llvm::erase_if(pool.of(c)->reads, [&](AccessEntry &old) {
    if (old.cluster != state.cluster)
      return true;
    if (isBefore(old, p))
      old.mask &= ~mask;
    return !old.mask;
  });
  pool.drop(c);
}

/// A read that happened before this one need not be kept: who is ordered after
/// this one is ordered after that.
bool Visit::isBefore(const AccessEntry &e, const LanePattern &p) const {
  const ClockVector &known = mine.rows[Known].clocks;
  if (e.actor == actor)
    return async || (e.warps == 1u << warp.index &&
                     (e.epoch < warp.fullEpoch || p == e.lane));
  if (e.actor >= state.warps)
    return known[e.actor] >= e.clock;
  uint32_t base = e.actor - e.actor % state.warpsPerBlock;
  for (uint32_t rest = e.warps; rest; rest &= rest - 1) {
    uint32_t v = base + __builtin_ctz(rest);
    if (v == me ? e.epoch >= warp.fullEpoch && !(p == e.lane)
                : known[v] < e.clock)
      return false;
  }
  return true;
}

/// The same bytes were read by the same actor and lanes, and not written since
/// (a write clears the mask): what was in order then is so now.
bool Visit::repeatsRead(RaceCell &c, uint16_t mask,
                        const LanePattern &p) const {
  AccessEntry &e = c.read;
  if (write || c.overflow || e.mask != mask || e.actor != actor ||
      e.cluster != state.cluster || e.flags != entryFlags() ||
      e.warps != (async ? 0 : 1u << warp.index) ||
      std::memcmp(e.lane, p.lane, 8))
    return false;
  e.clock = clock;
  e.epoch = warp.epoch;
  e.source = instruction.source;
  return true;
}

bool Visit::cell(RaceCell &c, CellPool &pool, uint64_t address, uint16_t mask,
                 const LanePattern &p) {
  if (repeatsRead(c, mask, p))
    return true;
  const size_t first = state.unordered.size();
  if ((c.write.mask & mask) && !checkWrite(c.write, address, mask, p))
    return false;
  if (c.overflow)
    for (const AccessEntry &e : pool.of(c)->writes)
      if ((e.mask & mask) && !checkWrite(e, address, mask, p))
        return false;
  if (!write) {
    recordRead(c, pool, mask, p);
    return true;
  }
  if ((c.read.mask & mask) && !checkRead(c.read, address, mask, p))
    return false;
  if (c.overflow)
    for (const AccessEntry &e : pool.of(c)->reads)
      if ((e.mask & mask) && !checkRead(e, address, mask, p))
        return false;
  if (c.otherMask & mask) {
    AccessEntry e;
    static_cast<AccessEvent &>(e) = c.other;
    e.mask = c.otherMask;
    // Its lanes are not kept: what any of them has released covers it.
    e.epoch = e.warps = 0;
    std::memset(e.lane, laneNone, 8);
    if (!checkRead(e, address, mask, p))
      return false;
  }
  recordWrite(c, pool, mask, p);
  // What this write repeats still races with others.
  for (size_t k = first; k < state.unordered.size(); ++k) {
    AccessEntry e = state.unordered[k].other;
    e.mask = state.unordered[k].mask;
    e.repeated = true;
    pool.make(c).writes.push_back(e);
  }
  return true;
}
