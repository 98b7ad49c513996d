//===- Cluster.cpp - Clusters, registers, and what is pending --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// barrier.cluster, mapa, setmaxnreg, st.async, and what happens when no
// warp can run: asynchronous work completes, then waits time out, and in the
// end it is a deadlock.
//
//===----------------------------------------------------------------------===//

#include "Async/Bulk.h"
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
      acquire(w, c.completed, w.active);
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
    release(w, c.arriving, mask);
  openCluster(*w.block);
}

HANDLER(clusterWait) {
  ClusterState &c = *w.block->clusterState;
  if (!w.async->clusterArrived)
    return w.machine->trap(w, i, __builtin_ctz(mask), Trap::Kind::BarrierMisuse,
                           "barrier.cluster.wait without an arrive before it");
  if (c.phase > w.async->clusterPhase) {
    w.async->clusterArrived = false;
    acquire(w, c.completed, mask);
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
    setWritten(place.marks, total);
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
      release(w, found->second.arriving, 1u << l);
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
    fenceMemory(w, mask, i.small1 & 1, i.small1 & 2, Scope(i.small1 >> 2));
  else if (i.small0 == 2)
    fenceProxy(w, mask, i.small1 & 1, i.small1 & 2);
  else if (i.small0 == 3)
    fenceInitializations(w, mask);
}

/// Registers of a thread when a block starts: what the kernel's directives (or
/// the launch) leave to each, and never more than the largest setmaxnreg.inc
/// asks for. So ptxas 13.0 compiles it; threads count in whole warpgroups.
static uint32_t registersAtEntry(const Block &b) {
  constexpr uint32_t ofProcessor = 65536, most = 256, unit = 8, group = 128;
  const Program &program = b.machine->program;
  const napkin::ptx::Function &entry = *program.entry;
  uint32_t registers = b.machine->options.registersPerThread;
  if (!registers)
    registers = entry.maxRegisters;
  if (!registers) {
    const auto &limit =
        entry.requiredThreads[0] ? entry.requiredThreads : entry.maxThreads;
    const uint32_t declared = limit[0] * limit[1] * limit[2],
                   threads = declared ? declared : b.numThreads;
    registers = ofProcessor / ((threads + group - 1) / group * group) /
                std::max(entry.minBlocksPerProcessor, 1u) / unit * unit;
  }
  registers = std::min(registers, most);
  return program.mostRegisters ? std::min(registers, program.mostRegisters)
                               : registers;
}

void napkin::executor::startCluster(ClusterState &state,
                                    llvm::ArrayRef<Block *> blocks) {
  state = ClusterState();
  for (Block *b : blocks) {
    b->clusterState = &state;
    const uint32_t registers = registersAtEntry(*b);
    for (uint32_t x = 0; x < b->numWarps; ++x)
      b->warps[x].async->registersPerThread = registers;
  }
}

void napkin::executor::warpEnded(Warp &w) {
  Block &b = *w.block;
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
