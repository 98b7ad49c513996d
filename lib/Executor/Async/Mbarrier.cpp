//===- Mbarrier.cpp - mbarrier objects -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A phase completes when no arrivals are pending and no transaction bytes are
// outstanding. A wait that fails puts the warp to sleep until the object
// changes or nothing else can happen (then it returns false, as after a time
// limit).
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Decode/Spellings.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"
#include "Machine/Registers.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::typeBits;
using Type = napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

static uint64_t addressOf(Warp &w, const Instr &i, unsigned l) {
  uint64_t base =
      i.small0 == 8 ? lane<uint64_t>(w, i.a)[l] : lane<uint32_t>(w, i.a)[l];
  base += i.offset;
  return i.small0 == 8 ? base : uint32_t(base);
}

Block *napkin::executor::sharedOwner(Warp &w, const Instr &i, unsigned l,
                                     uint64_t address, uint32_t &offset) {
  if ((address & windowMask) == sharedWindow)
    address -= sharedWindow;
  uint64_t rank = address >> clusterShift;
  offset = address & ((1u << clusterShift) - 1);
  Block *owner = w.block;
  if (rank) {
    if (rank > owner->clusterSize) {
      w.machine->trap(
          w, i, l, Trap::Kind::OutOfBounds,
          fmt::format("{:#x} is no shared address of this cluster", address),
          address);
      return nullptr;
    }
    owner = owner->cluster[rank - 1];
  }
  if (owner->done) {
    w.machine->trap(
        w, i, l, Trap::Kind::ExitInFlight,
        fmt::format(
            "{:#x} is in the shared memory of block {}, which has ended",
            address, owner->linear),
        address);
    return nullptr;
  }
  if (offset >= owner->sharedBytes) {
    w.machine->trap(w, i, l, Trap::Kind::OutOfBounds,
                    fmt::format("{:#x} leaves the {} bytes of shared memory",
                                address, owner->sharedBytes),
                    address);
    return nullptr;
  }
  return owner;
}

/// A state is the phase, 20 bits of pending arrivals, and a one.
static constexpr unsigned stateShift = 21;

static void misuse(Warp *w, const Instr *i, unsigned l, const std::string &what,
                   uint32_t address, uint32_t other = ~0u) {
  if (w)
    w->machine->trap(*w, *i, l, Trap::Kind::MbarrierMisuse, what, address,
                     other);
}

static Mbarrier *find(Warp *w, const Instr *i, unsigned l, Block &owner,
                      uint32_t address) {
  auto found = owner.async->mbarriers.find(address);
  if (found != owner.async->mbarriers.end())
    return &found->second;
  misuse(w, i, l,
         fmt::format("there is no initialised mbarrier at {:#x}", address),
         address);
  return nullptr;
}

void napkin::executor::wakeWaiters(Block &owner, uint32_t address) {
  ++owner.clusterState->progress;
  for (uint32_t r = 0; r < owner.clusterSize; ++r) {
    Block &b = *owner.cluster[r];
    for (uint32_t x = 0; x < b.numWarps; ++x) {
      Warp &w = b.warps[x];
      if (w.wait == WaitKind::Mbarrier &&
          w.waitAddress == (uint64_t(owner.rank) << 32 | address))
        w.wait = WaitKind::None;
    }
  }
}

static void checkPhase(Block &owner, uint32_t address, Mbarrier &m) {
  if (m.pending || m.transactions)
    return;
  ++m.phase;
  m.pending = m.expected;
  if (owner.raceState && m.actor != ~0u)
    m.arriving.rows[Known].clocks.raise(m.actor,
                                        ++owner.raceState->clock[m.actor]);
  m.completed = std::move(m.arriving);
  m.arriving.clear();
  m.unobserved.insert(m.unobserved.end(), m.arrived.begin(), m.arrived.end());
  m.arrived.clear();
  wakeWaiters(owner, address);
}

AsyncAccess napkin::executor::signalAccess(Warp &w, Block &owner, Mbarrier &m,
                                           uint32_t address, unsigned l) {
  AsyncAccess access;
  access.lane = l;
  if (!w.races)
    return access;
  if (m.actor == ~0u)
    m.actor =
        actorOf(*w.races, ActorMbarrier, uint64_t(owner.rank) << 32 | address);
  access.actor = m.actor;
  access.clock = w.races->clock[m.actor] + 1;
  return access;
}

bool napkin::executor::arriveMbarrier(Warp *w, const Instr *i, unsigned l,
                                      Block &owner, uint32_t address,
                                      uint32_t count, bool drop,
                                      uint32_t releasing, uint32_t source) {
  Mbarrier *m = find(w, i, l, owner, address);
  if (!m)
    return false;
  if (count > m->pending) {
    misuse(w, i, l,
           fmt::format("{} arrival{} at the mbarrier at {:#x}, which expects "
                       "only {} more in "
                       "phase {} (count {})",
                       count, count == 1 ? "" : "s", address, m->pending,
                       m->phase, m->expected),
           address, m->lastSource);
    return false;
  }
  if (w && releasing)
    release(*w, m->arriving, releasing);
  if (w) {
    auto same = llvm::find_if(
        m->arrivers, [&](const Mbarrier::Arriver &a) { return a.warp == w; });
    if (same == m->arrivers.end())
      same = m->arrivers.insert(same, Mbarrier::Arriver());
    *same = {w, source, m->phase};
  }
  m->pending -= count;
  if (drop)
    m->expected -= count;
  m->lastSource = source;
  ++owner.clusterState->progress;
  checkPhase(owner, address, *m);
  return true;
}

bool napkin::executor::transactMbarrier(Warp *w, const Instr *i, unsigned l,
                                        Block &owner, uint32_t address,
                                        int64_t bytes) {
  Mbarrier *m = find(w, i, l, owner, address);
  if (!m)
    return false;
  m->transactions += bytes;
  constexpr int64_t limit = (1 << 20) - 1;
  if (m->transactions > limit || m->transactions < -limit) {
    misuse(
        w, i, l,
        fmt::format(
            "the transaction count of the mbarrier at {:#x} becomes {}, beyond "
            "its range of 20 bits",
            address, m->transactions),
        address);
    return false;
  }
  ++owner.clusterState->progress;
  checkPhase(owner, address, *m);
  return true;
}

#define HANDLER(name)                                                          \
  void napkin::executor::name(Warp &w, const Instr &i, uint32_t mask)

// b: count.
HANDLER(mbarrierInit) {
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    Place place = translate(w, i, l, addressOf(w, i, l), 8,
                            (addressOf(w, i, l) & windowMask) == sharedWindow
                                ? SpaceGeneric
                                : SpaceShared,
                            Access::Write);
    if (!place.host)
      return;
    uint32_t address = uint32_t(place.host - place.owner->shared);
    uint32_t count = lane<uint32_t>(w, i.b)[l];
    if (!count || count >= 1u << 20)
      return misuse(
          &w, &i, l,
          fmt::format("the count {} of an mbarrier is not in 1 .. 2^20 - 1",
                      count),
          address);
    auto [found, isNew] = place.owner->async->mbarriers.try_emplace(address);
    if (!isNew)
      return misuse(
          &w, &i, l,
          fmt::format("the mbarrier at {:#x} is initialised again without "
                      "mbarrier.inval",
                      address),
          address, found->second.source);
    racePlace(w, i, l, address, 8, place, Access::Write);
    if (w.event & EventTrap)
      return;
    found->second.expected = found->second.pending = count;
    found->second.source = found->second.lastSource = i.source;
    std::memset(place.owner->sharedShadow + address, shadowBarrier, 8);
    ++w.block->clusterState->progress;
  }
}

HANDLER(mbarrierInvalidate) {
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint32_t address;
    Block *owner = sharedOwner(w, i, l, addressOf(w, i, l), address);
    if (!owner || !find(&w, &i, l, *owner, address))
      return;
    owner->async->mbarriers.erase(address);
    std::memset(owner->sharedShadow + address, shadowFresh, 8);
  }
}

/// Lanes of `rest` that arrive at the object that the lowest of them arrives
/// at, if all belong to its current phase; else that lane.
template <class AddressOf, class CountOf>
static uint32_t arrivingTogether(const Mbarrier &m, uint32_t rest,
                                 AddressOf address, CountOf count) {
  const unsigned first = __builtin_ctz(rest);
  uint32_t together = 0;
  uint64_t sum = 0;
  for (; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    if (address(l) != address(first))
      continue;
    together |= 1u << l;
    sum += count(l);
  }
  return sum <= m.pending ? together : 1u << first;
}

// b: count or noRegister, c: transaction bytes or noRegister, d: state or
// noRegister; small1: 1 arrive, 2 expect, 4 drop, 8 complete_tx, 16 noComplete,
// 32 relaxed.
HANDLER(mbarrierArrive) {
  auto countOf = [&](unsigned l) {
    return i.b == noRegister ? 1 : lane<uint32_t>(w, i.b)[l];
  };
  uint32_t released = i.small1 & 32 ? allLanes : 0;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint32_t address;
    Block *owner = sharedOwner(w, i, l, addressOf(w, i, l), address);
    if (!owner)
      return;
    Mbarrier *m = find(&w, &i, l, *owner, address);
    if (!m || !raceMbarrier(w, i, l, *owner, address))
      return;
    // As the object was before the arrival.
    uint64_t state = m->phase << stateShift | uint64_t(m->pending) << 1 | 1;
    if (i.c != noRegister) {
      int64_t bytes = lane<uint32_t>(w, i.c)[l];
      // expect_tx before the arrival can complete the phase only together.
      if ((i.small1 & 1) && (i.small1 & 2)) {
        m->transactions += bytes;
        if (m->transactions >= 1 << 20)
          return misuse(
              &w, &i, l,
              fmt::format(
                  "the mbarrier at {:#x} expects {} bytes, beyond 20 bits",
                  address, m->transactions),
              address);
      } else if (!transactMbarrier(&w, &i, l, *owner, address,
                                   i.small1 & 8 ? -bytes : bytes)) {
        return;
      }
    }
    if (i.small1 & 1) {
      uint32_t count = countOf(l);
      if (!count)
        return misuse(&w, &i, l, "an arrival with count 0", address);
      uint64_t before = m->phase;
      uint32_t releasing = 0;
      if (!(released >> l & 1))
        releasing = arrivingTogether(
            *m, rest & ~released,
            [&](unsigned x) { return addressOf(w, i, x); }, countOf);
      released |= releasing;
      if (!arriveMbarrier(&w, &i, l, *owner, address, count, i.small1 & 4,
                          releasing, i.source))
        return;
      if ((i.small1 & 16) && m->phase != before)
        return misuse(&w, &i, l, ".noComplete arrival completed the phase",
                      address);
    }
    if (i.d != noRegister)
      lane<uint64_t>(w, i.d)[l] = state;
  }
}

// b: state, d: its pending arrivals.
HANDLER(mbarrierPending) {
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    lane<uint32_t>(w, i.d)[l] =
        uint32_t(lane<uint64_t>(w, i.b)[l] >> 1) & 0xfffff;
  }
}

// d: predicate, b: parity or state; small1: 1 parity, 2 try (may block), 4
// relaxed.
HANDLER(mbarrierTest) {
  uint32_t result = 0, failed = ~0u;
  // Lanes that wait for the same object acquire together.
  Mbarrier *last = nullptr;
  uint32_t acquiring = 0;
  auto acquireLast = [&] {
    if (last && acquiring)
      acquire(w, last->completed, acquiring);
    acquiring = 0;
  };
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint32_t address;
    Block *owner = sharedOwner(w, i, l, addressOf(w, i, l), address);
    if (!owner)
      return;
    if (owner != w.block)
      return misuse(&w, &i, l, "a wait needs an mbarrier of the own block",
                    address);
    Mbarrier *m = find(&w, &i, l, *owner, address);
    if (!m || !raceMbarrier(w, i, l, *owner, address))
      return;
    bool done;
    if (i.small1 & 1) {
      done = (m->phase & 1) != (lane<uint32_t>(w, i.b)[l] & 1);
    } else {
      uint64_t state = lane<uint64_t>(w, i.b)[l];
      if (!(state & 1) || state >> stateShift > m->phase)
        return misuse(&w, &i, l,
                      "the state is not one that an arrival returned", address);
      if (m->phase > (state >> stateShift) + 1)
        return misuse(&w, &i, l,
                      "the state is older than the last completed phase",
                      address);
      done = m->phase > state >> stateShift;
    }
    if (done) {
      result |= 1u << l;
      m->observed = m->phase;
      if (last != m)
        acquireLast();
      last = m;
      acquiring |= uint32_t(!(i.small1 & 4)) << l;
      for (auto [target, bytes] : m->unobserved)
        for (uint32_t b = target; b < target + bytes; ++b)
          if (owner->sharedShadow[b] == shadowIncoming)
            owner->sharedShadow[b] = shadowWritten;
      m->unobserved.clear();
    } else if (failed == ~0u) {
      failed = l;
      w.waitAddress = uint64_t(owner->rank) << 32 | address;
      w.waitPhase = m->phase;
    }
  }
  acquireLast();
  w.predicates[i.d] = (w.predicates[i.d] & ~mask) | result;
  if (failed != ~0u) {
    w.wait = WaitKind::Mbarrier;
    w.event |= EventWait;
  }
}

// a + offset: the mbarrier; small1: noinc.
HANDLER(copyAsyncArrive) {
  WarpAsync::Arrival arrival;
  arrival.mask = mask;
  arrival.source = i.source;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint32_t address;
    Block *owner = sharedOwner(w, i, l, addressOf(w, i, l), address);
    if (!owner)
      return;
    Mbarrier *m = find(&w, &i, l, *owner, address);
    if (!m || !raceMbarrier(w, i, l, *owner, address))
      return;
    if (!i.small1)
      ++m->pending;
    arrival.mbarrier[l] = address;
  }
  w.async->arrivals.push_back(arrival);
  // What was read or written before counts as released at the arrival.
  if (w.machine->options.completion == Completion::Earliest)
    finishArrivals(w);
}

void napkin::executor::finishArrivals(Warp &w) {
  uint32_t limit[lanes];
  for (uint32_t &x : limit)
    x = ~0u;
  std::vector<WarpAsync::Arrival> arrivals = std::move(w.async->arrivals);
  w.async->arrivals.clear();
  for (const WarpAsync::Arrival &arrival : arrivals) {
    // Up to the copies issued by now: later ones are completed early, which is
    // legal.
    completeCopies(w, arrival.mask, limit);
    uint32_t released = 0;
    for (uint32_t rest = arrival.mask; rest; rest &= rest - 1) {
      unsigned l = __builtin_ctz(rest);
      Instr dummy;
      dummy.source = arrival.source;
      Mbarrier *m = find(&w, &dummy, l, *w.block, arrival.mbarrier[l]);
      if (!m)
        return;
      uint32_t releasing = 0;
      if (!(released >> l & 1))
        releasing = arrivingTogether(
            *m, rest & ~released,
            [&](unsigned x) { return arrival.mbarrier[x]; },
            [](unsigned) { return 1; });
      released |= releasing;
      if (!arriveMbarrier(&w, &dummy, l, *w.block, arrival.mbarrier[l], 1,
                          false, releasing, arrival.source))
        return;
    }
  }
}

bool napkin::executor::decodeMbarrier(Decoder &d) {
  d.take("release");
  d.take("acquire");
  bool relaxed = d.take("relaxed");
  int op =
      d.takeOneOf({"init", "inval", "arrive", "arrive_drop", "expect_tx",
                   "complete_tx", "test_wait", "try_wait", "pending_count"});
  bool expect = (op == 2 || op == 3) && d.take("expect_tx");
  bool noComplete = d.take("noComplete"), parity = d.take("parity");
  for (int n = 0; n < 2; ++n) {
    relaxed |= d.takeOneOf({"release", "acquire", "relaxed"}) == 2;
    d.takeOneOf({"cta", "cluster"});
  }
  d.takeOneOf({"shared", "shared::cta", "shared::cluster"});
  if (op < 0 || d.takeType() != Type::B64)
    return d.fail(
        "the operation of mbarrier is missing or unknown, or .b64 is missing");
  auto addressAt = [&](unsigned n, Instr &at) {
    return d.address(d.operand(n), at);
  };
  Instr at;
  if (op == 0 || op == 1) {
    if (!d.expectOperands(op == 0 ? 2 : 1) || !addressAt(0, at))
      return false;
    uint32_t count = op == 0 ? d.number(d.operand(1)) : noRegister;
    Instr &i = d.emit(op == 0 ? mbarrierInit : mbarrierInvalidate);
    i.a = at.a;
    i.offset = at.offset;
    i.small0 = at.small0;
    i.b = count;
    return !d.failed();
  }
  if (op == 2 || op == 3) {
    bool hasState = d.count() && d.operand(0).kind != Kind::Address;
    unsigned first = hasState ? 1 : 0;
    if (!d.expectOperands(first + 1, first + 2) || !addressAt(first, at))
      return false;
    if (hasState && d.operand(0).kind == Kind::Sink)
      if (std::string unmet = unmetNeed(d.module, "sm_80", "7.1");
          !unmet.empty())
        return d.fail("'_' " + unmet);
    uint32_t value =
        d.count() > first + 1 ? d.number(d.operand(first + 1)) : noRegister;
    if (expect && value == noRegister)
      return d.fail(".expect_tx needs a number of bytes");
    if (noComplete && value == noRegister)
      return d.fail(".noComplete needs the number of arrivals");
    if (!expect && value != noRegister &&
        d.constantOf(d.operand(first + 1)).value_or(1) <= 0)
      return d.fail("the number of arrivals is at least 1");
    uint32_t state = hasState && d.operand(0).kind != Kind::Sink
                         ? d.destination(d.operand(0), Type::B64)
                         : noRegister;
    Instr &i = d.emit(mbarrierArrive);
    i.a = at.a;
    i.offset = at.offset;
    i.small0 = at.small0;
    i.b = expect ? noRegister : value;
    i.c = expect ? value : noRegister;
    i.d = state;
    i.small1 = 1 | (expect ? 2 : 0) | (op == 3 ? 4 : 0) |
               (noComplete ? 16 : 0) | (relaxed ? 32 : 0);
    return !d.failed();
  }
  if (op == 4 || op == 5) {
    if (!d.expectOperands(2) || !addressAt(0, at))
      return false;
    uint32_t bytes = d.number(d.operand(1));
    Instr &i = d.emit(mbarrierArrive);
    i.a = at.a;
    i.offset = at.offset;
    i.small0 = at.small0;
    i.c = bytes;
    i.small1 = op == 4 ? 2 : 8;
    return !d.failed();
  }
  if (op == 8) {
    if (!d.expectOperands(2))
      return false;
    uint32_t state = d.source(d.operand(1), Type::B64);
    uint32_t to = d.destination(d.operand(0), Type::U32);
    Instr &i = d.emit(mbarrierPending);
    i.d = to;
    i.b = state;
    return !d.failed();
  }
  // try_wait may say for how long.
  if (!d.expectOperands(3, op == 7 ? 4 : 3) || !addressAt(1, at))
    return false;
  if (d.count() == 4)
    d.source(d.operand(3), Type::U32);
  auto number = parity ? d.constantOf(d.operand(2)) : std::nullopt;
  if (number && *number != 0 && *number != 1)
    return d.fail("a parity is 0 or 1");
  uint32_t value =
      parity ? d.number(d.operand(2)) : d.source(d.operand(2), Type::B64);
  uint32_t p = d.predicateDestination(d.operand(0));
  Instr &i = d.emit(mbarrierTest);
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.b = value;
  i.d = p;
  i.small1 = (parity ? 1 : 0) | (op == 7 ? 2 : 0) | (relaxed ? 4 : 0);
  return !d.failed();
}
