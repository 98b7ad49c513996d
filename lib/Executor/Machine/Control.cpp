//===- Control.cpp - Branches, fragments, barriers -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A warp is a set of fragments: lanes with a common program counter. The lowest
// counter runs, and fragments that meet are joined; so loops and ifs reconverge
// without an analysis of the control flow. Instructions for the whole warp
// block a fragment until the lanes they name have come.
//
//===----------------------------------------------------------------------===//

#include "Checks/Undefined.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"
#include "Machine/Registers.h"

#include <cmath>
#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

#define HANDLER(name)                                                          \
  void napkin::executor::name(Warp &w, const Instr &i, uint32_t mask)

// Control flow.

void napkin::executor::splitWarp(Warp &w, uint32_t mask, uint32_t target,
                                 int stackChange, uint32_t returnTo) {
  // Lanes that stay are parked; lanes that move become the running fragment,
  // then the scheduler chooses.
  uint32_t rest = w.active & ~mask;
  if (rest) {
    Fragment &parked = w.fragments[w.others++];
    parked.pc = w.pc;
    parked.mask = rest;
    parked.awaits = 0;
    parked.depth = w.depth;
    std::memcpy(parked.stack, w.stack, sizeof(uint32_t) * w.depth);
    w.active = mask;
    w.event |= EventReselect;
  }
  if (stackChange > 0)
    w.stack[w.depth++] = returnTo;
  else if (stackChange < 0)
    --w.depth;
  w.pc = target;
}

HANDLER(branchTo) {
  if (mask == w.active) {
    w.pc = i.e;
    return;
  }
  splitWarp(w, mask, i.e, 0, 0);
}

HANDLER(branchPolling) {
  branchTo(w, i, mask);
  w.event |= EventPoll;
}

HANDLER(branchIndexed) {
  const uint32_t *index = lane<uint32_t>(w, i.a);
  uint32_t rest = mask;
  while (rest) {
    unsigned first = __builtin_ctz(rest);
    if (index[first] >= uint64_t(i.offset)) {
      trapIllegal(w, i, first, "the index of brx is outside its table");
      return;
    }
    uint32_t same = 0;
    for (unsigned l = 0; l < lanes; ++l)
      if (((rest >> l) & 1) && index[l] == index[first])
        same |= 1u << l;
    rest &= ~same;
    uint32_t target = i.list[index[first]];
    if (same == w.active) {
      w.pc = target;
      return;
    }
    // Park this group at its target.
    Fragment &parked = w.fragments[w.others++];
    parked.pc = target;
    parked.mask = same;
    parked.awaits = 0;
    parked.depth = w.depth;
    std::memcpy(parked.stack, w.stack, sizeof(uint32_t) * w.depth);
    w.active &= ~same;
    w.event |= EventReselect;
    if (!w.active)
      break;
  }
}

HANDLER(callFunction) { splitWarp(w, mask, i.e, 1, w.pc); }

// Traps where a lane calls what is none of the functions list[1..list[0]].
HANDLER(checkCallee) {
  const uint64_t *target = lane<uint64_t>(w, i.a);
  llvm::ArrayRef<uint32_t> known(i.list + 1, i.list[0]);
  for (unsigned l = 0; l < lanes; ++l)
    if (((mask >> l) & 1) && !llvm::is_contained(known, target[l]))
      return w.machine->trap(w, i, l, Trap::Kind::Illegal,
                             "the call's target is not the address of a "
                             "function that fits the arguments");
}

HANDLER(returnOrExit) { splitWarp(w, mask, w.stack[w.depth - 1], -1, 0); }

HANDLER(exitLanes) {
  w.alive &= ~mask;
  w.active &= ~mask;
  w.event |= EventExit;
  (void)i;
}

HANDLER(doNothing) {
  (void)w;
  (void)i;
  (void)mask;
}
HANDLER(yieldWarp) {
  w.event |= EventYield;
  (void)i;
  (void)mask;
}
HANDLER(userTrap) {
  w.machine->trap(w, i, __builtin_ctz(mask), Trap::Kind::UserTrap,
                  "the kernel executed trap");
}

HANDLER(allocateStack) {
  uint64_t *pointer = lane<uint64_t>(w, i.b);
  const uint64_t *size = lane<uint64_t>(w, i.a);
  for (unsigned l = 0; l < lanes; ++l) {
    if (!((mask >> l) & 1))
      continue;
    uint64_t start = (pointer[l] + i.offset - 1) & ~uint64_t(i.offset - 1);
    if (start > i.e || size[l] > i.e - start)
      return trapIllegal(w, i, l, "alloca exceeds the thread's stack");
    pointer[l] = start + size[l];
    lane<uint64_t>(w, i.d)[l] = i.c + start;
  }
}

HANDLER(copyLocal) {
  Block &b = *w.block;
  for (unsigned l = 0; l < lanes; ++l) {
    if (!((mask >> l) & 1))
      continue;
    uint64_t base = (uint64_t(w.index) * lanes + l) * b.localBytes;
    std::memmove(b.local + base + i.offset, b.local + base + i.e, i.d);
    std::memmove(b.localShadow + base + i.offset, b.localShadow + base + i.e,
                 i.d);
  }
}

// Lanes.

/// Calls `visit` with the lanes of each group of equal member masks.
template <class F>
static void eachGroup(uint32_t mask, const uint32_t *members, F visit) {
  while (mask) {
    uint32_t value = members[__builtin_ctz(mask)], group = 0;
    for (unsigned l = 0; l < lanes; ++l)
      if (((mask >> l) & 1) && members[l] == value)
        group |= 1u << l;
    visit(group);
    mask &= ~group;
  }
}

/// True if the lanes that the members' masks name are all in this fragment;
/// otherwise the fragment waits for them. Lanes of one warp may give different
/// masks: then they form groups.
static bool converge(Warp &w, const Instr &i, uint32_t mask,
                     const uint32_t *members) {
  uint32_t all = 0;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    if (!((members[l] >> l) & 1)) {
      w.machine->trap(
          w, i, l, Trap::Kind::DivergentBarrier,
          fmt::format(
              "this thread is not in the member mask {:#010x} that it gives",
              members[l]));
      return false;
    }
    all |= members[l];
  }
  if (!(all & w.alive & ~w.active)) {
    if (w.races) {
      // The usual case first: one group of all lanes.
      if (mask == w.alive && !(w.alive & ~members[__builtin_ctz(mask)]))
        synchronizeLanes(w, allLanes);
      else
        eachGroup(mask, members,
                  [&](uint32_t group) { synchronizeLanes(w, group); });
    }
    return true;
  }
  --w.pc;
  w.awaits = all;
  w.counters[i.source].warps--;
  w.counters[i.source].threads -= __builtin_popcount(mask);
  w.event |= EventReselect;
  return false;
}

HANDLER(shuffle) {
  const uint32_t *members = lane<uint32_t>(w, i.e);
  if (!converge(w, i, mask, members))
    return;
  const uint32_t *a = lane<uint32_t>(w, i.a), *b = lane<uint32_t>(w, i.b),
                 *c = lane<uint32_t>(w, i.c);
  uint32_t *d = lane<uint32_t>(w, i.d), result[lanes], valid = 0, idle = 0;
  uint8_t from[lanes];
  for (unsigned l = 0; l < lanes; ++l) {
    uint32_t segment = (c[l] >> 8) & 31, clamp = c[l] & 31, n = b[l] & 31;
    int maximum = (l & segment) | (clamp & ~segment), minimum = l & segment, j;
    bool in;
    switch (i.small0) {
    case 0:
      j = int(l) - int(n);
      in = j >= maximum;
      break;
    case 1:
      j = l + n;
      in = j <= maximum;
      break;
    case 2:
      j = l ^ n;
      in = j <= maximum;
      break;
    default:
      j = minimum | (n & ~segment);
      in = j <= maximum;
      break;
    }
    if (!in)
      j = l;
    valid |= uint32_t(in) << l;
    from[l] = j & 31;
    // The source must execute the shuffle, and be named as one who does.
    if (!((mask & members[l]) >> from[l] & 1))
      idle |= mask & 1u << l;
    result[l] = a[j & 31];
  }
  if (w.undefined || (idle && w.block->checks))
    shuffleUndefined(w, i, mask, from, idle);
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1)
      d[l] = result[l];
  setPredicate(w, uint32_t(i.offset), mask, valid);
}

HANDLER(vote) {
  const uint32_t *members = lane<uint32_t>(w, i.e);
  if (!converge(w, i, mask, members))
    return;
  uint32_t value = predicate(w, i.a, i.small1);
  eachGroup(mask, members, [&](uint32_t group) {
    uint32_t p = value & group;
    if (i.small0 == 3) {
      for (unsigned l = 0; l < lanes; ++l)
        if ((group >> l) & 1)
          lane<uint32_t>(w, i.d)[l] = p;
      return;
    }
    bool result = i.small0 == 0   ? p == group
                  : i.small0 == 1 ? p != 0
                                  : p == group || p == 0;
    setPredicate(w, i.d, group, result ? ~0u : 0);
  });
}

static uint64_t valueOf(Warp &w, const Instr &i, unsigned l) {
  return i.small0 == 8 ? lane<uint64_t>(w, i.a)[l] : lane<uint32_t>(w, i.a)[l];
}

HANDLER(matchAny) {
  const uint32_t *members = lane<uint32_t>(w, i.e);
  if (!converge(w, i, mask, members))
    return;
  eachGroup(mask, members, [&](uint32_t group) {
    uint32_t result[lanes] = {};
    for (unsigned l = 0; l < lanes; ++l)
      for (unsigned k = 0; k < lanes; ++k)
        if (((group >> k) & 1) && valueOf(w, i, k) == valueOf(w, i, l))
          result[l] |= 1u << k;
    for (unsigned l = 0; l < lanes; ++l)
      if ((group >> l) & 1)
        lane<uint32_t>(w, i.d)[l] = result[l];
  });
}

HANDLER(matchAll) {
  const uint32_t *members = lane<uint32_t>(w, i.e);
  if (!converge(w, i, mask, members))
    return;
  eachGroup(mask, members, [&](uint32_t group) {
    bool all = true;
    for (unsigned l = 0; l < lanes; ++l)
      if ((group >> l) & 1)
        all &= valueOf(w, i, l) == valueOf(w, i, __builtin_ctz(group));
    for (unsigned l = 0; l < lanes; ++l)
      if ((group >> l) & 1)
        lane<uint32_t>(w, i.d)[l] = all ? group : 0;
    setPredicate(w, uint32_t(i.offset), group, all ? ~0u : 0);
  });
}

HANDLER(reduce) {
  const uint32_t *members = lane<uint32_t>(w, i.e);
  if (!converge(w, i, mask, members))
    return;
  eachGroup(mask, members, [&](uint32_t group) {
    const uint32_t *a = lane<uint32_t>(w, i.a);
    uint32_t r = a[__builtin_ctz(group)];
    for (uint32_t rest = group & (group - 1); rest; rest &= rest - 1) {
      uint32_t x = a[__builtin_ctz(rest)];
      bool less = i.small1 ? int32_t(x) < int32_t(r) : x < r;
      switch (i.small0) {
      case 0:
        r += x;
        break;
      case 1:
        r = less ? x : r;
        break;
      case 2:
        r = less ? r : x;
        break;
      case 3:
        r &= x;
        break;
      case 4:
        r |= x;
        break;
      default:
        r ^= x;
        break;
      }
    }
    for (unsigned l = 0; l < lanes; ++l)
      if ((group >> l) & 1)
        lane<uint32_t>(w, i.d)[l] = r;
  });
}

HANDLER(elect) {
  const uint32_t *members = lane<uint32_t>(w, i.e);
  if (!converge(w, i, mask, members))
    return;
  // The manual says only that the choice is always the same; CUTLASS counts on
  // the lowest lane under every schedule, as the hardware chooses.
  eachGroup(mask, members, [&](uint32_t group) {
    unsigned leader = __builtin_ctz(group);
    for (unsigned l = 0; l < lanes; ++l)
      if ((group >> l) & 1)
        lane<uint32_t>(w, i.d)[l] = leader;
    setPredicate(w, uint32_t(i.offset), group, 1u << leader);
  });
}

HANDLER(activeMask) {
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1)
      lane<uint32_t>(w, i.d)[l] = mask;
}

HANDLER(warpBarrier) { converge(w, i, mask, lane<uint32_t>(w, i.a)); }

HANDLER(moveMatrix) {
  const uint32_t *a = lane<uint32_t>(w, i.a);
  uint16_t tile[8][8];
  for (unsigned l = 0; l < lanes; ++l) {
    tile[l / 4][2 * (l % 4)] = uint16_t(a[l]);
    tile[l / 4][2 * (l % 4) + 1] = uint16_t(a[l] >> 16);
  }
  uint32_t *d = lane<uint32_t>(w, i.d);
  for (unsigned l = 0; l < lanes; ++l)
    d[l] = tile[2 * (l % 4)][l / 4] | uint32_t(tile[2 * (l % 4) + 1][l / 4])
                                          << 16;
  (void)mask;
}

// Barriers of a block.

static uint32_t liveWarps(Block &b) {
  uint32_t live = 0;
  for (uint32_t x = 0; x < b.numWarps; ++x)
    live += b.warps[x].wait != WaitKind::Done;
  return live;
}

void napkin::executor::tryOpenBarrier(Block &block, unsigned id) {
  BarrierState &s = block.async->barriers[id];
  if (!s.arrived)
    return;
  uint32_t needed = s.expected ? s.expected : liveWarps(block);
  if (s.arrived < needed)
    return;
  for (uint32_t x = 0; x < block.numWarps; ++x) {
    if (!((s.waiting >> x) & 1))
      continue;
    Warp &w = block.warps[x];
    w.wait = WaitKind::None;
    if (const Instr *i = w.resume) {
      int operation = i->small0 >> 4;
      if (operation == 1) {
        for (unsigned l = 0; l < lanes; ++l)
          if ((w.resumeMask >> l) & 1)
            lane<uint32_t>(w, i->d)[l] = s.count;
      } else {
        setPredicate(w, i->d, w.resumeMask,
                     (operation == 2 ? s.all : s.any) ? ~0u : 0);
      }
      w.resume = nullptr;
    }
  }
  barrierOpened(block, s);
  s = BarrierState();
  ++block.async->barriersCompleted;
}

HANDLER(barrierArriveWait) {
  Block &b = *w.block;
  unsigned first = __builtin_ctz(mask);
  uint32_t id = lane<uint32_t>(w, i.a)[first];
  uint32_t threads = i.b == noRegister ? 0 : lane<uint32_t>(w, i.b)[first];
  auto misuse = [&](std::string what, uint32_t other = ~0u) {
    w.machine->trap(w, i, first, Trap::Kind::BarrierMisuse, std::move(what), 0,
                    other);
  };
  if (id >= 16)
    return misuse(
        fmt::format("barrier {} does not exist: they are 0 to 15", id));
  if (i.b != noRegister && (threads == 0 || threads % lanes || threads > 1024))
    return misuse(fmt::format(
        "the thread count {} is not a positive multiple of 32 up to 1024",
        threads));
  if (threads / lanes > b.numWarps)
    return misuse(
        fmt::format("the barrier expects {} threads, the block has {}", threads,
                    b.numThreads));
  for (unsigned l = 0; l < lanes; ++l)
    if (((mask >> l) & 1) && lane<uint32_t>(w, i.a)[l] != id)
      return misuse("threads of one warp name different barriers");
  BarrierState &s = b.async->barriers[id];
  unsigned kind = i.small0 & 15, operation = i.small0 >> 4;
  if (s.arrived && s.expected != threads / lanes)
    return misuse(
        fmt::format("barrier {} is in use with another thread count", id),
        s.source);
  // A warp that arrived may still come to wait: FlashAttention-3 opens the
  // first turn of its warpgroups so, and both count.
  if (((s.participants >> w.index) & 1) && kind == 1)
    return misuse(
        fmt::format("this warp arrives twice at barrier {} before it completes",
                    id),
        s.source);
  s.expected = threads / lanes;
  s.participants |= 1u << w.index;
  s.arrived++;
  s.source = i.source;
  if (operation) {
    uint32_t p = predicate(w, i.c, i.small1) & mask;
    s.count += __builtin_popcount(p);
    s.all &= p == mask;
    s.any |= p != 0;
    w.resume = &i;
    w.resumeMask = mask;
  }
  barrierArrived(w, s);
  if (kind != 1) {
    s.waiting |= 1u << w.index;
    w.wait = WaitKind::Barrier;
    w.waitBarrier = id;
    w.event |= EventWait;
  }
  tryOpenBarrier(b, id);
}
