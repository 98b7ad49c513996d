//===- RaceAccess.cpp - Accesses of warps and of the proxy -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From instructions to cells. A strong access first learns from those before
// it, then is checked, then tells those after it.
//
//===----------------------------------------------------------------------===//

#include "Checks/RaceCell.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

namespace {
/// The cells of a block's shared memory.
struct SharedCells {
  Visit &access;
  Block &owner;
  CellPool &pool;

  bool visit(uint64_t address, uint16_t mask, const LanePattern &lanes) {
    return access.cell(owner.raceCells[address >> 4], pool, address, mask,
                       lanes);
  }
};

/// The cells of global memory.
struct GlobalCells {
  Visit &access;
  GlobalRaces &table;

  bool visit(uint64_t address, uint16_t mask, const LanePattern &lanes) {
    return table.visit(access, address, mask, lanes);
  }
};
} // namespace

/// All bytes of one range, cell by cell. False after a trap.
template <class Cells>
static bool visitRange(Cells cells, uint64_t address, uint64_t end,
                       uint8_t lane, unsigned bytes) {
  while (address < end) {
    unsigned low = address & 15,
             count = unsigned(std::min<uint64_t>(end - address, 16 - low));
    if (!cells.visit(address, uint16_t(((1u << count) - 1) << low),
                     LanePattern::of(lane, bytes, low)))
      return false;
    address += count;
  }
  return true;
}

/// The mask of an access inside one cell.
static uint16_t bytesOf(uint64_t address, unsigned bytes) {
  return uint16_t(((1u << bytes) - 1) << (address & 15));
}

/// The lane of one more byte, of which two share an entry.
static void addByte(LanePattern &pattern, uint16_t covered, uint64_t address,
                    unsigned lane) {
  uint8_t &entry = pattern.lane[(address & 15) >> 1];
  const bool isNew = !(covered >> (address & 14) & 3);
  if (isNew || entry == lane)
    entry = uint8_t(lane);
  else
    entry = covered >> (address & 15) & 1 ? laneMany : laneOfTwo;
}

/// Joins the access of one more lane to those of the same cell. False: it
/// writes what another has written, which must be looked at apart.
static bool addLane(LanePattern &pattern, uint16_t &covered, uint64_t address,
                    unsigned bytes, unsigned lane, bool writes,
                    bool collective) {
  const uint16_t more = bytesOf(address, bytes);
  if (writes && (covered & more))
    return false;
  if (!collective && bytes > 1)
    std::memset(pattern.lane + ((address & 15) >> 1),
                covered & more ? laneMany : uint8_t(lane), bytes / 2);
  else if (!collective)
    addByte(pattern, covered, address, lane);
  covered |= more;
  return true;
}

/// All lanes touch consecutive bytes, from the first of a cell on.
template <class AddressOf>
static bool isContiguous(uint32_t mask, unsigned bytes, AddressOf address) {
  if (mask != allLanes || bytes < 2 || bytes > 8)
    return false;
  const uint64_t first = address(0);
  bool all = !(first & 15);
  for (unsigned l = 1; l < lanes; ++l)
    all &= address(l) == first + l * bytes;
  return all;
}

/// The access of lanes `mask`, each of `bytes` at `address(lane)`.
template <class AddressOf, class Cells>
static void visitLanes(Cells cells, uint32_t mask, unsigned bytes,
                       bool collective, AddressOf address) {
  Visit &visit = cells.access;
  auto numbers = [&](unsigned l) -> uint64_t { return address(l); };
  visit.mask = mask;
  visit.bytes = bytes;
  if (!collective)
    visit.addresses = numbers;
  // Whole cells, of one lane each or of neighbouring ones.
  if (bytes == 16 || (!collective && isContiguous(mask, bytes, address))) {
    const unsigned step = 16 / bytes;
    for (uint32_t rest = mask; rest;) {
      unsigned l = __builtin_ctz(rest);
      rest &= step == 1 ? rest - 1 : ~uint32_t(0) << (l + step - 1) << 1;
      if (!cells.visit(
              address(l), 0xffff,
              LanePattern::of(collective ? laneOfAll : uint8_t(l), bytes, 0)))
        return;
    }
    return;
  }
  for (uint32_t rest = mask; rest;) {
    const unsigned l = __builtin_ctz(rest);
    const uint64_t at = address(l);
    rest &= rest - 1;
    const uint8_t lane = collective ? laneOfAll : uint8_t(l);
    if ((at & 15) + bytes > 16) {
      if (!visitRange(cells, at, at + bytes, lane, bytes))
        return;
      continue;
    }
    LanePattern pattern = LanePattern::of(lane, bytes, at & 15);
    uint16_t covered = bytesOf(at, bytes);
    // Lanes that follow and touch the same cell go together.
    while (rest) {
      const unsigned next = __builtin_ctz(rest);
      const uint64_t other = address(next);
      if ((at ^ other) >> 4 || (other & 15) + bytes > 16 ||
          !addLane(pattern, covered, other, bytes, next, visit.write,
                   collective))
        break;
      rest &= rest - 1;
    }
    if (!cells.visit(at, covered, pattern))
      return;
  }
}

/// Calls `visit` with the lanes of each address and the address.
template <class AddressOf, class F>
static void eachAddress(uint32_t mask, AddressOf address, F visit) {
  while (mask) {
    const uint64_t place = address(__builtin_ctz(mask));
    uint32_t same = 0;
    for (uint32_t rest = mask; rest; rest &= rest - 1)
      if (address(__builtin_ctz(rest)) == place)
        same |= 1u << __builtin_ctz(rest);
    visit(same, place);
    mask &= ~same;
  }
}

static void accessShared(Warp &w, const Instr &i, Block &owner,
                         const uint32_t *address, uint32_t mask, unsigned bytes,
                         bool write, const Order &order, bool collective) {
  constexpr uint32_t offsetMask = (1u << clusterShift) - 1;
  auto at = [&](unsigned l) { return address[l] & offsetMask; };
  RaceState &s = *w.races;
  if (order.strong && order.reads)
    eachAddress(mask, at, [&](uint32_t same, uint64_t place) {
      strongRead(w, same, &owner, place, order);
    });
  Visit visit(w, i, &owner, write, order, nullptr);
  if (&owner != w.block)
    s.remote[owner.rank][visit.me] = {{visit.me, visit.clock, w.epoch},
                                      i.source,
                                      visit.me,
                                      at(__builtin_ctz(mask))};
  w.touched |= mask;
  visitLanes(SharedCells{visit, owner, s.pool}, mask, bytes, collective, at);
  if (order.strong && order.writes)
    for (uint32_t rest = mask; rest; rest &= rest - 1)
      strongWrite(w, __builtin_ctz(rest), &owner, at(__builtin_ctz(rest)),
                  order);
}

static void accessGlobal(Warp &w, const Instr &i, const uint64_t *address,
                         uint32_t mask, unsigned bytes, bool write,
                         const Order &order) {
  auto at = [&](unsigned l) { return address[l]; };
  if (order.strong && order.reads)
    eachAddress(mask, at, [&](uint32_t same, uint64_t place) {
      strongRead(w, same, nullptr, place, order);
    });
  Visit visit(w, i, nullptr, write, order, nullptr);
  w.touched |= mask;
  visitLanes(GlobalCells{visit, *w.globalRaces}, mask, bytes, false, at);
  if (order.strong && order.writes)
    for (uint32_t rest = mask; rest; rest &= rest - 1)
      strongWrite(w, __builtin_ctz(rest), nullptr, at(__builtin_ctz(rest)),
                  order);
}

/// The semantics of a load or a store.
static Order orderOf(const Instr &i, Access access) {
  if (access != Access::Atomic)
    return Order();
  Order order = Order::decode(i.small1);
  order.reads = i.strongRead;
  order.writes = !i.strongRead;
  return order;
}
static bool writes(const Instr &i, Access access) {
  return access == Access::Write || (access == Access::Atomic && !i.strongRead);
}

void napkin::executor::raceShared(Warp &w, const Instr &i,
                                  const uint32_t *address, uint32_t mask,
                                  unsigned bytes, Access access,
                                  bool collective) {
  if (!w.races || !w.block->races)
    return;
  accessShared(w, i, *w.block, address, mask, bytes, writes(i, access),
               orderOf(i, access), collective);
  // Each lane has waited for all lanes to read: they may overwrite (CUTLASS'
  // epilogues put results where the warp's ldmatrix found the addend).
  if (collective && access == Access::Read)
    synchronizeLanes(w, allLanes);
}

void napkin::executor::raceGlobal(Warp &w, const Instr &i,
                                  const uint64_t *address, uint32_t mask,
                                  unsigned bytes, Access access) {
  if (w.races && w.globalRaces)
    accessGlobal(w, i, address, mask, bytes, writes(i, access),
                 orderOf(i, access));
}

static void racePlaceOrdered(Warp &w, const Instr &i, unsigned lane,
                             uint64_t address, unsigned bytes,
                             const Place &place, bool write,
                             const Order &order) {
  if (!w.races || !w.block->races)
    return;
  if (place.space == 1) {
    uint32_t at[lanes];
    at[lane] = uint32_t(place.host - place.owner->shared);
    accessShared(w, i, *place.owner, at, 1u << lane, bytes, write, order,
                 false);
  } else if (place.space == 0) {
    uint64_t at[lanes];
    at[lane] = address;
    accessGlobal(w, i, at, 1u << lane, bytes, write, order);
  }
}

void napkin::executor::racePlace(Warp &w, const Instr &i, unsigned lane,
                                 uint64_t address, unsigned bytes,
                                 const Place &place, Access access) {
  racePlaceOrdered(w, i, lane, address, bytes, place, writes(i, access),
                   orderOf(i, access));
}

void napkin::executor::raceAtomic(Warp &w, const Instr &i, unsigned lane,
                                  uint64_t address, unsigned bytes,
                                  const Place &place, uint8_t orderBits) {
  Order order = Order::decode(orderBits);
  order.reads = order.writes = true;
  racePlaceOrdered(w, i, lane, address, bytes, place, true, order);
}

void napkin::executor::raceWhole(Warp &w, const Instr &i, const Place &place,
                                 uint64_t address, unsigned bytes,
                                 Access access) {
  if (!w.races || !w.globalRaces)
    return;
  Block *owner = place.space == 1 ? place.owner : nullptr;
  if (owner)
    address = uint64_t(place.host - owner->shared);
  Visit visit(w, i, owner, access == Access::Write, Order(), nullptr);
  if (owner)
    visitRange(SharedCells{visit, *owner, w.races->pool}, address,
               address + bytes, laneOfAll, 16);
  else
    visitRange(GlobalCells{visit, *w.globalRaces}, address, address + bytes,
               laneOfAll, 16);
  synchronizeLanes(w, allLanes);
}

/// Lanes of one instruction that write to one address. Accesses are aligned to
/// their size: they overlap whole.
static bool checkLanes(Warp &w, const Instr &i, const uint64_t *address,
                       uint32_t mask, unsigned bytes, const char *values) {
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned a = __builtin_ctz(rest);
    for (uint32_t later = rest & (rest - 1); later; later &= later - 1) {
      unsigned b = __builtin_ctz(later);
      if (address[a] != address[b] ||
          std::equal(values + a * bytes, values + (a + 1) * bytes,
                     values + b * bytes))
        continue;
      w.machine->trap(
          w, i, b, Trap::Kind::Race,
          fmt::format("lanes {} and {} of one instruction write different "
                      "values to {:#x}",
                      a, b, address[a]),
          address[a], i.source);
      return false;
    }
  }
  return true;
}

void napkin::executor::raceOverlap(Warp &w, const Instr &i,
                                   const uint64_t *address, uint32_t mask,
                                   unsigned bytes, const char *values,
                                   uint64_t host, bool isShared) {
  w.overlap = false;
  std::vector<UnorderedWrite> unordered;
  unordered.swap(w.races->unordered);
  if ((w.event & EventTrap) || !checkLanes(w, i, address, mask, bytes, values))
    return;
  constexpr uint64_t offsetMask = (uint64_t(1) << clusterShift) - 1;
  for (const UnorderedWrite &u : unordered)
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
      unsigned l = __builtin_ctz(rest);
      uint64_t at = isShared ? address[l] & offsetMask : address[l];
      for (unsigned b = 0; b < bytes; ++b) {
        uint64_t byte = at + b - u.cell;
        if (byte >= 16 || !(u.mask >> byte & 1))
          continue;
        auto *there = reinterpret_cast<const char *>(host + address[l] + b);
        if (!isShared)
          there = finalByte(*w.block->clusterState, there);
        if (there && *there == values[l * bytes + b])
          continue;
        Visit visit(w, i, isShared ? w.block : nullptr, true, Order(), nullptr);
        return visit.reportWrite(u.other, at + b, l);
      }
    }
}

void napkin::executor::raceRepeated(Warp &w, const Instr &i,
                                    const AsyncAccess &async, uint64_t address,
                                    uint32_t bytes, const char *values,
                                    const char *host) {
  w.overlap = false;
  std::vector<UnorderedWrite> unordered;
  unordered.swap(w.races->unordered);
  for (const UnorderedWrite &u : unordered)
    for (unsigned b = 0; b < 16; ++b) {
      const uint64_t at = u.cell + b - address;
      if (!(u.mask >> b & 1) || at >= bytes)
        continue;
      const char *there = finalByte(*w.block->clusterState, host + at);
      if (there && *there == values[at])
        continue;
      Visit visit(w, i, nullptr, true, Order(), &async);
      return visit.reportWrite(u.other, u.cell + b, async.lane);
    }
}

void napkin::executor::raceAsync(Warp &w, const Instr &i,
                                 const AsyncAccess &async, Block &owner,
                                 uint32_t address, uint32_t bytes,
                                 Access access) {
  if (!w.races || !w.block->races)
    return;
  Visit visit(w, i, &owner, access == Access::Write, Order(), &async);
  visitRange(SharedCells{visit, owner, w.races->pool}, address,
             uint64_t(address) + bytes, async.lane, 16);
}

void napkin::executor::raceAsyncChunks(Warp &w, const Instr &i,
                                       const AsyncAccess &async, Block &owner,
                                       const uint32_t *addresses,
                                       unsigned count) {
  if (!w.races || !w.block->races)
    return;
  Visit visit(w, i, &owner, false, Order(), &async);
  const LanePattern lanes = LanePattern::of(async.lane, 16, 0);
  for (unsigned k = 0; k < count; ++k)
    if (!visit.cell(owner.raceCells[addresses[k] >> 4], w.races->pool,
                    addresses[k], 0xffff, lanes))
      return;
}

void napkin::executor::raceAsyncGlobal(Warp &w, const Instr &i,
                                       const AsyncAccess &async,
                                       uint64_t address, uint32_t bytes,
                                       Access access) {
  if (!w.races || !w.globalRaces)
    return;
  Visit visit(w, i, nullptr, access == Access::Write, Order(), &async);
  visitRange(GlobalCells{visit, *w.globalRaces}, address, address + bytes,
             async.lane, 16);
}

bool napkin::executor::raceMbarrier(Warp &w, const Instr &i, unsigned lane,
                                    Block &owner, uint32_t address,
                                    bool asyncSignal) {
  if (!w.races || !w.block->races)
    return true;
  RaceState &s = *w.races;
  const uint32_t me = clusterWarp(w);
  if (&owner != w.block && !asyncSignal)
    s.remote[owner.rank][me] = {
        {me, s.clock[me], w.epoch}, i.source, me, address};
  const AccessEntry &e = owner.raceCells[address >> 4].write;
  const unsigned half = (address & 15) >> 1;
  if (!(e.mask >> (address & 15) & 1))
    return true;
  auto fails = [&](Trap::Kind kind, const std::string &what) {
    w.machine->trap(w, i, lane, kind,
                    fmt::format("the mbarrier at {} {}",
                                describePlace(w, &owner, address), what),
                    address, e.source);
    return false;
  };
  const ActorEvent event{e.actor, e.clock, e.epoch, e.lane[half]};
  const bool isFenced = knows(w, lane, event, Initialized);
  bool isOrdered = e.actor == me
                       ? event.lane == laneNone || laneKnows(w, lane, event)
                       : isFenced || knows(w, lane, event);
  if (!isOrdered)
    return fails(Trap::Kind::Race,
                 "is used without order after its initialisation");
  if (asyncSignal && &owner != w.block && !isFenced &&
      !knows(w, lane, event, ProxyShared))
    return fails(Trap::Kind::ProxyFence,
                 "is signalled by a copy of another block, and no "
                 "fence.mbarrier_init followed its initialisation");
  return true;
}

void napkin::executor::raceSignal(Warp &w, const Instr &i,
                                  const AsyncAccess &async, Block &owner,
                                  uint32_t address) {
  if (w.races && w.block->races && &owner != w.block)
    w.races->remote[owner.rank][async.actor] = {
        {async.actor, async.clock}, i.source, clusterWarp(w), address};
}

bool napkin::executor::raceBlockEnd(Block &b) {
  if (!b.raceState)
    return true;
  RaceState &s = *b.raceState;
  Extent known;
  for (uint32_t x = 0; x < b.numWarps; ++x) {
    known.join(s.of(b.warps[x]).rows[Known]);
    for (const LaneKnowledge &part : s.lanesOf(b.warps[x]))
      known.join(part.knowledge.rows[Known]);
  }
  for (const auto &[actor, last] : s.remote[b.rank]) {
    if (known.covers(last.event))
      continue;
    Warp &w = b.cluster[last.warp / s.warpsPerBlock]
                  ->warps[last.warp % s.warpsPerBlock];
    Instr i;
    i.source = last.source;
    w.event &= ~uint32_t(EventTrap);
    w.machine->trap(w, i, w.active ? __builtin_ctz(w.active) : 0,
                    Trap::Kind::ExitInFlight,
                    fmt::format("block {} may end before this access to its {}:"
                                " nothing orders its end after it",
                                b.linear, describePlace(w, &b, last.address)),
                    last.address);
    return false;
  }
  return true;
}
