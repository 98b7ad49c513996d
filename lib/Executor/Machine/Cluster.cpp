//===- Cluster.cpp - Clusters, registers, and what is pending --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// barrier.cluster, mapa, setmaxnreg, tensormap writes, and what happens when no
// warp can run: asynchronous work completes, then waits time out, and in the
// end it is a deadlock.
//
//===----------------------------------------------------------------------===//

#include "Async/Bulk.h"
#include "Async/TensorMap.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"
#include "Machine/Registers.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

static uint64_t valueOf(Warp &w, uint32_t reference, unsigned width,
                        unsigned l) {
  return width == 8 ? lane<uint64_t>(w, reference)[l]
                    : lane<uint32_t>(w, reference)[l];
}

#define HANDLER(name)                                                          \
  void napkin::executor::name(Warp &w, const Instr &i, uint32_t mask)

static void openCluster(Block &any) {
  ClusterState &c = *any.clusterState;
  uint32_t live = 0;
  for (uint32_t r = 0; r < any.clusterSize; ++r)
    for (uint32_t x = 0; x < any.cluster[r]->numWarps; ++x)
      live += any.cluster[r]->warps[x].wait != WaitKind::Done;
  if (!c.arrived || c.arrived < live)
    return;
  c.arrived = 0;
  ++c.phase;
  ++c.progress;
  c.completed = std::move(c.arriving);
  c.arriving.clear();
  for (uint32_t r = 0; r < any.clusterSize; ++r)
    for (uint32_t x = 0; x < any.cluster[r]->numWarps; ++x) {
      Warp &w = any.cluster[r]->warps[x];
      if (w.wait != WaitKind::Cluster)
        continue;
      w.wait = WaitKind::None;
      w.async->clusterArrived = false;
      acquire(w, c.completed);
    }
}

// small0: relaxed.
HANDLER(clusterArrive) {
  ClusterState &c = *w.block->clusterState;
  if (w.async->clusterArrived)
    return w.machine->trap(
        w, i, __builtin_ctz(mask), Trap::Kind::BarrierMisuse,
        "the warp arrives twice at the cluster barrier without a wait between");
  w.async->clusterArrived = true;
  w.async->clusterPhase = c.phase;
  ++c.arrived;
  if (w.races)
    synchronizeLanes(w, mask);
  if (i.small0)
    releaseFenced(w, c.arriving);
  else
    release(w, c.arriving);
  openCluster(*w.block);
}

HANDLER(clusterWait) {
  ClusterState &c = *w.block->clusterState;
  if (!w.async->clusterArrived)
    return w.machine->trap(w, i, __builtin_ctz(mask), Trap::Kind::BarrierMisuse,
                           "barrier.cluster.wait without an arrive before it");
  if (c.phase > w.async->clusterPhase) {
    w.async->clusterArrived = false;
    acquire(w, c.completed);
    return;
  }
  w.wait = WaitKind::Cluster;
  w.event |= EventWait;
}

// d = address a in the shared memory of block b; small0: width of a, small1: 1
// for generic addresses.
HANDLER(mapAddress) {
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t address = valueOf(w, i.a, i.small0, l) + i.offset;
    uint64_t rank = lane<uint32_t>(w, i.b)[l];
    if (rank >= w.block->clusterSize)
      return w.machine->trap(w, i, l, Trap::Kind::Illegal,
                             fmt::format("mapa to block {} of a cluster of {}",
                                         rank, w.block->clusterSize));
    uint64_t window = (address & windowMask) == sharedWindow ? sharedWindow : 0;
    uint64_t result = window | (rank + 1) << clusterShift |
                      (address & ((1u << clusterShift) - 1));
    if (i.small1 & 1 && !window)
      return w.machine->trap(w, i, l, Trap::Kind::Illegal,
                             "mapa of an address outside shared memory");
    if (i.small0 == 8)
      lane<uint64_t>(w, i.d)[l] = result;
    else
      lane<uint32_t>(w, i.d)[l] = uint32_t(result);
  }
}

HANDLER(blockRankOf) {
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t rank = (valueOf(w, i.a, i.small0, l) & 0xffffffff) >> clusterShift;
    lane<uint32_t>(w, i.d)[l] = rank ? uint32_t(rank - 1) : w.block->rank;
  }
}

// setmaxnreg: offset registers; small0: 1 inc.
HANDLER(setRegisters) {
  int64_t wanted = i.offset, own = w.async->registersPerThread;
  BlockAsync &block = *w.block->async;
  unsigned first = __builtin_ctz(mask);
  auto misuse = [&](const std::string &what) {
    w.machine->trap(w, i, first, Trap::Kind::RegisterPool, what);
  };
  if (i.small0) {
    if (wanted < own)
      return misuse(fmt::format("setmaxnreg.inc to {}, but the warp has {}",
                                wanted, own));
    if (wanted - own > block.registerPool) {
      // Until another warp gives registers back.
      return waitAgain(w, i, mask, WaitKind::RegisterPool);
    }
  } else if (wanted > own) {
    return misuse(
        fmt::format("setmaxnreg.dec to {}, but the warp has {}", wanted, own));
  }
  if (!logWarpgroup(w, i, {}))
    return;
  block.registerPool += own - wanted;
  w.async->registersPerThread = wanted;
  ++w.block->clusterState->progress;
  for (uint32_t x = 0; x < w.block->numWarps; ++x)
    if (w.block->warps[x].wait == WaitKind::RegisterPool)
      w.block->warps[x].wait = WaitKind::None;
}

HANDLER(tensormapReplace) {
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t address = valueOf(w, i.a, i.small0, l) + i.offset;
    Place place =
        translate(w, i, l, address, 128, AddressSpace(i.d), Access::Write);
    if (!place.host)
      return;
    uint64_t value = valueOf(w, i.b, i.small1, l);
    if (!replaceField(place.host, TensorMapField(i.c), i.e, value))
      return w.machine->trap(
          w, i, l, Trap::Kind::Illegal,
          fmt::format("{} is no legal value of this field", value), address);
    // A map built from nothing is one from its first field on.
    std::memcpy(place.host + 120, "napkinTM", 8);
    std::memset(place.shadow, shadowWritten, 128);
  }
}

HANDLER(tensormapCopy) {
  unsigned l = __builtin_ctz(mask);
  uint64_t to = valueOf(w, i.a, i.small0, l) + i.offset;
  uint64_t from =
      valueOf(w, i.b, i.small1, l) + *static_cast<const int64_t *>(i.extra);
  Place target = translate(w, i, l, to, 128, SpaceGeneric, Access::Write);
  Place source =
      target.host ? translate(w, i, l, from, 128,
                              (from & windowMask) == sharedWindow ? SpaceGeneric
                                                                  : SpaceShared,
                              Access::Read)
                  : target;
  if (!source.host)
    return;
  std::memcpy(target.host, source.host, 128);
  std::memset(target.shadow, shadowWritten, 128);
}

// st.async, red.async: done at once, which is legal.
HANDLER(storeAsync) {
  const BulkForm &f = *static_cast<const BulkForm *>(i.extra);
  unsigned bytes = i.small1, total = bytes * i.small0;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t address =
        valueOf(w, f.shared.reference, f.shared.width, l) + f.shared.offset;
    uint64_t signal = valueOf(w, f.mbarrier.reference, f.mbarrier.width, l) +
                      f.mbarrier.offset;
    Place place = translate(
        w, i, l, address, total,
        (address & windowMask) == sharedWindow ? SpaceGeneric : SpaceShared,
        Access::Write);
    if (!place.host)
      return;
    for (unsigned v = 0; v < i.small0; ++v) {
      uint64_t value = valueOf(w, i.list[v], bytes, l), old = 0;
      if (f.reduction != 255) {
        std::memcpy(&old, place.host + v * bytes, bytes);
        value = atomicApply(AtomicOp(f.reduction), f.type, old, value, 0);
      }
      std::memcpy(place.host + v * bytes, &value, bytes);
    }
    std::memset(place.shadow, shadowWritten, total);
    uint32_t mbarrier;
    Block *owner = sharedOwner(w, i, l, signal, mbarrier);
    if (!owner)
      return;
    auto found = owner->async->mbarriers.find(mbarrier);
    if (found != owner->async->mbarriers.end()) {
      if (!raceMbarrier(w, i, l, *owner, mbarrier))
        return;
      AsyncAccess async = signalAccess(w, *owner, found->second, mbarrier, l);
      raceSignal(w, i, async, *owner, mbarrier);
      async.isProxy = false;
      async.reduction = f.reduction != 255;
      raceAsync(w, i, async, *place.owner,
                uint32_t(place.host - place.owner->shared), total,
                Access::Write);
      if (w.event & EventTrap)
        return;
      release(w, found->second.arriving);
    }
    if (!transactMbarrier(&w, &i, l, *owner, mbarrier, -int64_t(total)))
      return;
  }
}

// small0: 1 memory, 2 proxy.async, 3 mbarrier_init; small1: of memory 1
// acquires, 2 releases, and the scope in bits 2 and 3; of the proxy 1 shared, 2
// global memory.
HANDLER(memoryFence) {
  if (i.small0 == 1)
    fenceMemory(w, i.small1 & 1, i.small1 & 2, Scope(i.small1 >> 2));
  else if (i.small0 == 2)
    fenceProxy(w, i.small1 & 1, i.small1 & 2);
  else if (i.small0 == 3)
    fenceInitializations(w);
  (void)mask;
}

void napkin::executor::startCluster(ClusterState &state,
                                    llvm::ArrayRef<Block *> blocks) {
  state = ClusterState();
  for (Block *b : blocks) {
    b->clusterState = &state;
    const ptx::Function &entry = *b->machine->program.entry;
    uint32_t registers = b->machine->options.registersPerThread;
    if (!registers)
      registers = entry.maxRegisters;
    if (!registers)
      registers = std::min<uint32_t>(255, 65536 / (b->numWarps * lanes)) & ~7u;
    for (uint32_t x = 0; x < b->numWarps; ++x)
      b->warps[x].async->registersPerThread = registers;
  }
}

void napkin::executor::warpEnded(Warp &w) {
  Block &b = *w.block;
  // What the warp had counts as given back.
  b.async->registerPool += w.async->registersPerThread;
  for (uint32_t x = 0; x < b.numWarps; ++x)
    if (b.warps[x].wait == WaitKind::RegisterPool)
      b.warps[x].wait = WaitKind::None;
  uint32_t all[lanes];
  for (uint32_t &x : all)
    x = ~0u;
  if (!w.async->arrivals.empty())
    finishArrivals(w);
  completeCopies(w, allLanes, all);
  ++b.clusterState->progress;
  openCluster(b);
}

bool napkin::executor::blockEnded(Block &b) {
  if (!checkWarpgroups(b) || !raceBlockEnd(b))
    return false;
  for (BulkCopy &copy : b.clusterState->copies) {
    bool own = copy.block == &b && (copy.isStore || copy.signals.empty());
    bool target = false;
    for (const BulkCopy::Signal &signal : copy.signals)
      target |= signal.block == &b;
    if (!own && !target)
      continue;
    Warp &w = copy.block->warps[copy.warp];
    Instr dummy;
    dummy.source = copy.source;
    w.event &= ~uint32_t(EventTrap);
    b.machine->trap(
        w, dummy, copy.lane, Trap::Kind::ExitInFlight,
        fmt::format("the block ends while this copy {} its shared memory",
                    copy.isStore ? "may still read" : "may still write to"));
    return false;
  }
  return true;
}

bool napkin::executor::completePending(llvm::ArrayRef<Block *> blocks) {
  ClusterState &c = *blocks[0]->clusterState;
  bool progress = c.progress != c.lastProgress;
  // A load that has not arrived yet, one at a time: the oldest, or any by seed.
  llvm::SmallVector<size_t, 8> loads;
  for (size_t k = 0; k < c.copies.size(); ++k)
    if (!c.copies[k].isStore)
      loads.push_back(k);
  if (!loads.empty()) {
    uint64_t seed = blocks[0]->machine->options.seed;
    size_t which =
        seed ? (seed * 2654435761u + c.nextCopy + c.progress) % loads.size()
             : 0;
    finishCopy(c, loads[which]);
    c.idleRounds = 0;
    return true;
  }
  for (Block *b : blocks)
    for (uint32_t x = 0; x < b->numWarps; ++x)
      if (!b->warps[x].async->arrivals.empty()) {
        finishArrivals(b->warps[x]);
        c.idleRounds = 0;
        return true;
      }
  // Waits with a time limit return false.
  c.lastProgress = c.progress;
  c.idleRounds = progress ? 0 : c.idleRounds + 1;
  if (c.idleRounds > 3)
    return false;
  bool any = false;
  for (Block *b : blocks)
    for (uint32_t x = 0; x < b->numWarps; ++x)
      if (b->warps[x].wait == WaitKind::Mbarrier) {
        b->warps[x].wait = WaitKind::None;
        any = true;
      }
  return any;
}
