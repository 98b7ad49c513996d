//===- Wgmma.cpp - Warpgroup products --------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A product reads shared memory and writes its accumulators when it is waited
// for (or at issue, as the options say); in between any other use of those
// registers traps.
//
//===----------------------------------------------------------------------===//

#include "Async/Wgmma.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"
#include "Machine/Registers.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

static void markUse(WarpAsync &async, const Instr &i, const Wgmma &g,
                    int delta) {
  unsigned registers =
      g.shape.registersD + (g.aInRegisters ? g.shape.registersA : 0);
  for (unsigned r = 0; r < registers; ++r)
    if (!(i.list[r] & constantBit))
      async.inUse[i.list[r] >> 6] += delta;
}

/// 128 bytes that the hardware reads at once: a wavefront, and one more for
/// each further chunk in the same four banks.
static void countCore(InstructionCounters &count, const uint32_t *addresses) {
  uint8_t perBank[8] = {}, most = 0;
  for (unsigned j = 0; j < 8; ++j)
    most = std::max(most, ++perBank[addresses[j] >> 4 & 7]);
  count.sharedReadBytes += 128;
  count.sharedWavefronts += most;
  count.sharedConflicts += most - 1;
}

static void prepare(Warp &w) {
  WarpAsync &async = *w.async;
  size_t slots = (w.machine->program.registerBytes >> 6) + 2;
  if (async.touched.size() < slots) {
    async.touched.assign(slots, true);
    async.inUse.assign(slots, 0);
  }
}

bool napkin::executor::touchProducts(Warp &w, const Instr &i) {
  WarpAsync &async = *w.async;
  if (async.touched.empty())
    return true;
  for (uint32_t reference : w.machine->program.touched[i.source]) {
    if (async.inUse[reference >> 6]) {
      uint32_t other = ~0u;
      for (const PendingWgmma &p : async.products)
        other = p.instruction->source;
      w.machine->trap(w, i, w.active ? __builtin_ctz(w.active) : 0,
                      Trap::Kind::WgmmaHazard,
                      "a register of a wgmma that may still run is used: no "
                      "wgmma.wait_group covers it",
                      0, other);
      return false;
    }
    async.touched[reference >> 6] = true;
  }
  return true;
}

#define HANDLER(name)                                                          \
  void napkin::executor::name(Warp &w, const Instr &i, uint32_t mask)

/// The products of a warpgroup act as one: its warps number them alike.
static uint32_t productActor(Warp &w) {
  return actorOf(*w.races, ActorProducts, clusterWarp(w) & ~3u);
}

HANDLER(wgmmaFence) {
  if (!logWarpgroup(w, i, {}))
    return;
  prepare(w);
  std::fill(w.async->touched.begin(), w.async->touched.end(), false);
  (void)mask;
}

HANDLER(wgmmaCommit) {
  if (!logWarpgroup(w, i, {}))
    return;
  WarpAsync &async = *w.async;
  for (PendingWgmma &p : async.products)
    if (!p.committed) {
      p.committed = true;
      p.group = async.productGroups;
    }
  ++async.productGroups;
  (void)mask;
}

HANDLER(wgmmaWait) {
  WarpAsync &async = *w.async;
  prepare(w);
  // Products are the whole warpgroup's: they are done for all warps or none.
  uint32_t last = 0;
  for (const PendingWgmma &p : async.products)
    if (p.committed && p.group + uint64_t(i.offset) < async.productGroups)
      last = p.number;
  Warp *group = &w.block->warps[w.index & ~3u];
  const unsigned members = std::min(4u, w.block->numWarps - (w.index & ~3u));
  for (unsigned x = 0; x < members; ++x)
    if (group[x].async->productCount < last) {
      waitAgain(w, i, mask, WaitKind::Warpgroup);
      return;
    }
  for (unsigned x = 0; x < members; ++x)
    for (PendingWgmma &p : group[x].async->products)
      if (p.number <= last && !p.done && &group[x] != &w) {
        performWgmma(group[x], p);
        p.done = true;
        if (group[x].event & EventTrap) {
          w.event |= EventTrap;
          return;
        }
      }
  if (!logWarpgroup(w, i, {}))
    return;
  size_t kept = 0;
  for (size_t at = 0; at < async.products.size(); ++at) {
    PendingWgmma &p = async.products[at];
    if (p.committed && p.group + uint64_t(i.offset) < async.productGroups) {
      if (!p.done)
        performWgmma(w, p);
      if (w.event & EventTrap)
        return;
      if (w.races)
        w.races->of(w).rows[Known].clocks.raise(productActor(w), p.number);
      // The completion has a fence between the proxies built in.
      markUse(async, *p.instruction,
              *static_cast<const Wgmma *>(p.instruction->extra), -1);
      continue;
    }
    async.products[kept++] = p;
  }
  async.products.resize(kept);
}

/// Checks and counts the rows [begin, begin + size) of an operand in shared
/// memory: initialised, complete, and visible to the proxy. False after a trap.
static bool readOperand(Warp &w, const Instr &i, const AsyncAccess &reading,
                        const Descriptor &d, bool transposed, unsigned begin,
                        unsigned size, unsigned pieces) {
  InstructionCounters &count = w.counters[i.source];
  const bool checks = w.block->checks, races = w.block->races;
  return forEachCore(d, transposed, begin, size, pieces,
                     [&](unsigned, unsigned, const uint32_t *addresses) {
                       if (wgmmaOutside(w, i, addresses))
                         return false;
                       countCore(count, addresses);
                       for (unsigned j = 0; j < 8 && checks; ++j) {
                         uint8_t *shadow = w.block->sharedShadow + addresses[j];
                         uint64_t low, high;
                         std::memcpy(&low, shadow, 8);
                         std::memcpy(&high, shadow + 8, 8);
                         if ((low & high) != ~uint64_t(0)) {
                           trapMarks(w, i, 0, addresses[j], 16, {shadow},
                                     Access::Read, 1);
                           return false;
                         }
                       }
                       if (races)
                         raceAsyncChunks(w, i, reading, *w.block, addresses, 8);
                       return !(w.event & EventTrap);
                     });
}

HANDLER(wgmmaProduct) {
  const Wgmma &g = *static_cast<const Wgmma *>(i.extra);
  const MatrixShape &s = g.shape;
  WarpAsync &async = *w.async;
  prepare(w);
  auto hazard = [&](const std::string &what, uint32_t other = ~0u) {
    w.machine->trap(w, i, __builtin_ctz(mask), Trap::Kind::WgmmaHazard, what, 0,
                    other);
  };
  if ((w.index & ~3u) + 4 > w.block->numWarps)
    return hazard("wgmma needs a warpgroup of four warps");
  for (unsigned r = 0; r < s.registersD + (g.aInRegisters ? s.registersA : 0);
       ++r) {
    if (i.list[r] & constantBit)
      continue;
    if (async.touched[i.list[r] >> 6])
      return hazard(fmt::format(
          "register {} of {} was touched, and no wgmma.fence followed",
          r < s.registersD ? r : r - s.registersD,
          r < s.registersD ? "D" : "A"));
    if (r >= s.registersD)
      for (const PendingWgmma &p : async.products) {
        const Wgmma &other = *static_cast<const Wgmma *>(p.instruction->extra);
        for (unsigned d = 0; d < other.shape.registersD; ++d)
          if (p.instruction->list[d] == i.list[r])
            return hazard("A is the result of a wgmma that may still run",
                          p.instruction->source);
      }
  }
  bool busy = false;
  for (unsigned r = 0; r < s.registersD; ++r)
    busy |= async.inUse[i.list[r] >> 6];
  for (const PendingWgmma &p : async.products) {
    // Only the same accumulators in the same order may be used again.
    const Wgmma &other = *static_cast<const Wgmma *>(p.instruction->extra);
    if (!busy ||
        (other.shape.n == s.n && other.shape.d == s.d &&
         std::equal(i.list, i.list + s.registersD, p.instruction->list)))
      continue;
    bool overlap = false;
    for (unsigned d = 0; d < other.shape.registersD; ++d)
      for (unsigned r = 0; r < s.registersD; ++r)
        overlap |= p.instruction->list[d] == i.list[r];
    if (overlap)
      return hazard("D is in use by a pending wgmma of another shape",
                    p.instruction->source);
  }
  PendingWgmma p;
  p.instruction = &i;
  if (!g.aInRegisters)
    p.descriptorA = lane<uint64_t>(w, g.descriptorA)[__builtin_ctz(mask)];
  p.descriptorB = lane<uint64_t>(w, g.descriptorB)[__builtin_ctz(mask)];
  for (unsigned l = 0; l < lanes; ++l)
    if (lane<uint64_t>(w, g.descriptorB)[l] != p.descriptorB ||
        (!g.aInRegisters &&
         lane<uint64_t>(w, g.descriptorA)[l] != p.descriptorA))
      return hazard("the descriptor differs between the lanes of the warp");
  for (uint64_t descriptor : {p.descriptorA, p.descriptorB})
    if (descriptor >> 49 & 7)
      return w.machine->trap(
          w, i, 0, Trap::Kind::Illegal,
          "a matrix descriptor with a base offset is not supported");
  p.scale = g.scale >= 0 ? g.scale
                         : (w.predicates[i.c] & 1) ^ unsigned(g.isScaleNegated);
  if (!logWarpgroup(w, i, {p.descriptorA, p.descriptorB, p.scale}))
    return;
  if (s.sparse) {
    const uint32_t *words = lane<uint32_t>(w, g.metadata);
    p.metadata.assign(words, words + lanes);
  }
  p.number = ++async.productCount;
  ++w.block->clusterState->progress;
  wakeWarpgroup(w);
  AsyncAccess reading;
  if (w.races) {
    reading.actor = productActor(w);
    reading.clock = p.number;
  }
  // B is read once for the warpgroup.
  if (!g.aInRegisters &&
      !readOperand(w, i, reading, Descriptor(p.descriptorA), g.transposeA,
                   16 * (w.index & 3), 16, g.piecesA()))
    return;
  if ((w.index & 3) == 0 &&
      !readOperand(w, i, reading, Descriptor(p.descriptorB), g.transposeB, 0,
                   s.n, g.piecesB()))
    return;
  const Options &options = w.machine->options;
  bool now = options.completion == Completion::Earliest;
  if (options.completion == Completion::Random) {
    w.random = w.random * 6364136223846793005ull + 1442695040888963407ull;
    now = w.random >> 63;
    // Products of one chain complete in order.
    for (const PendingWgmma &before : async.products)
      now &= before.done;
  }
  if (now) {
    performWgmma(w, p);
    p.done = true;
  }
  async.products.push_back(p);
  markUse(async, i, g, 1);
}
