//===- Machine.cpp - Execution of a warp -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A warp runs until it waits, ends or has used up its turn. Its lanes may have
// parted: fragments with a common program counter join again.
//
//===----------------------------------------------------------------------===//

#include "Checks/Undefined.h"
#include "Machine/Launch.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Demangle/Demangle.h"

#include <algorithm>
#include <cstring>
#include <numeric>

#include <fmt/format.h>

using namespace napkin::executor;

Machine::Machine(Program &program, Device &device, const LaunchConfig &config,
                 const Options &options)
    : program(program), device(device), config(config), options(options) {}

uint32_t Machine::lineOf(uint32_t source) const {
  return source < program.sources.size()
             ? program.sources[source].ptx->position.line
             : 0;
}

/// The calls through which the line of `position` was inlined.
static std::vector<InlinedCall> inlinedCalls(const napkin::ptx::Module &module,
                                             uint32_t inlinedAt) {
  // Recursion that was unrolled gives long chains.
  constexpr size_t limit = 16;
  std::vector<InlinedCall> calls;
  while (inlinedAt && calls.size() < limit) {
    const napkin::ptx::InlineSite &site = module.inlineSites[inlinedAt - 1];
    calls.push_back({llvm::demangle(module.inlinedFunction(site)),
                     module.sourceFiles.lookup(site.sourceFile),
                     site.sourceLine});
    inlinedAt = site.inlinedAt;
  }
  return calls;
}

/// Where the trap and the other access of its pair (~0u: none) are.
void Machine::fillPlace(Trap &t, uint32_t source, uint32_t otherSource) const {
  const ptx::Module &module = *program.module;
  const ptx::Instruction &ptx = *program.sources[source].ptx;
  t.line = ptx.position.line;
  t.text = ptx.text.str();
  if (ptx.position.sourceLine) {
    t.sourceFile = module.sourceFiles.lookup(ptx.position.sourceFile);
    t.sourceLine = ptx.position.sourceLine;
    t.inlined = inlinedCalls(module, ptx.position.inlinedAt);
  }
  if (otherSource == ~0u)
    return;
  const ptx::Instruction &second = *program.sources[otherSource].ptx;
  t.otherLine = second.position.line;
  if (second.position.sourceLine) {
    t.otherSourceFile = module.sourceFiles.lookup(second.position.sourceFile);
    t.otherSourceLine = second.position.sourceLine;
    t.otherInlined = inlinedCalls(module, second.position.inlinedAt);
  }
  if (t.other.empty())
    t.other = second.text.str();
}

/// Keeps a trap of `cluster`; true if the cluster may go on.
bool Machine::recordTrap(uint64_t cluster, Trap t, bool mayGoOn) {
  std::lock_guard<std::mutex> lock(mutex);
  unsigned own = 0;
  for (const auto &[key, known] : traps) {
    if (key != cluster)
      continue;
    ++own;
    if (mayGoOn && known.kind == t.kind && known.line == t.line &&
        known.otherLine == t.otherLine)
      return true;
  }
  traps.push_back({cluster, std::move(t)});
  if (mayGoOn && own + 1 < options.maxTraps)
    return true;
  stopAfter(cluster);
  return false;
}

void Machine::stopAfter(uint64_t cluster) {
  uint64_t before = stopAt.load();
  while (cluster < before && !stopAt.compare_exchange_weak(before, cluster))
    ;
}

void Machine::stop(Warp &w) {
  stopAfter(w.block->linear / std::max(1u, w.block->clusterSize));
  w.event |= EventTrap;
}

void Machine::trap(Warp &w, const Instr &i, unsigned lane, Trap::Kind kind,
                   std::string message, uint64_t address, uint32_t otherSource,
                   std::string other, bool mayGoOn) {
  if (w.event & EventTrap)
    return;
  Trap t;
  t.kind = kind;
  t.message = std::move(message);
  t.other = std::move(other);
  fillPlace(t, i.source, otherSource);
  for (unsigned d = 0; d < 3; ++d)
    t.block[d] = w.block->index[d];
  uint32_t thread = w.index * lanes + lane;
  t.thread = {thread % config.block[0],
              thread / config.block[0] % config.block[1],
              thread / config.block[0] / config.block[1]};
  t.address = address;
  // Memory is sequentially consistent here, so a race changes no value.
  mayGoOn |= kind == Trap::Kind::Race || kind == Trap::Kind::ProxyFence;
  uint64_t cluster = w.block->linear / std::max(1u, w.block->clusterSize);
  if (!recordTrap(cluster, std::move(t), mayGoOn && options.maxTraps > 1))
    w.event |= EventTrap;
}

/// Only what clusters up to the first that stopped found is certain to be the
/// same every time.
void Machine::collectTraps(LaunchResult &result) {
  std::vector<size_t> order(traps.size());
  std::iota(order.begin(), order.end(), 0);
  llvm::sort(order, [&](size_t a, size_t b) {
    return std::pair(traps[a].first, a) < std::pair(traps[b].first, b);
  });
  const uint64_t first = traps.empty() ? 0 : traps[order[0]].first;
  for (size_t k : order) {
    auto &[cluster, t] = traps[k];
    bool isKnown = llvm::any_of(result.traps, [&, &t = t](const Trap &known) {
      return known.kind == t.kind && known.line == t.line &&
             known.otherLine == t.otherLine;
    });
    if (cluster > stopAt.load() || (options.maxTraps < 2 && cluster != first) ||
        isKnown || result.traps.size() >= std::max(1u, options.maxTraps))
      continue;
    result.traps.push_back(std::move(t));
  }
}

/// Chooses the next fragment of a warp; traps if none can go on.
void Machine::reselect(Warp &w) {
  // Bring the running fragment into the list.
  if (w.active) {
    Fragment &f = w.fragments[w.others++];
    f.pc = w.pc;
    f.mask = w.active;
    f.awaits = w.awaits;
    f.depth = w.depth;
    std::memcpy(f.stack, w.stack, sizeof(uint32_t) * w.depth);
  }
  w.awaits = 0;
  w.active = 0;
  if (!w.others)
    return;
  auto same = [](const Fragment &a, const Fragment &b) {
    return a.pc == b.pc && a.depth == b.depth &&
           std::equal(a.stack, a.stack + a.depth, b.stack);
  };
  for (uint32_t a = 0; a < w.others; ++a)
    for (uint32_t b = a + 1; b < w.others;) {
      if (!same(w.fragments[a], w.fragments[b])) {
        ++b;
        continue;
      }
      w.fragments[a].mask |= w.fragments[b].mask;
      w.fragments[a].awaits |= w.fragments[b].awaits;
      w.fragments[b] = w.fragments[--w.others];
    }
  uint32_t best = ~0u;
  auto ready = [&](Fragment &f) {
    return !f.awaits || !(f.awaits & w.alive & ~f.mask);
  };
  for (uint32_t f = 0; f < w.others; ++f) {
    Fragment &x = w.fragments[f];
    if (!ready(x))
      continue;
    // Lanes that only leave go first: nobody has to wait for them.
    if (w.code[x.pc].flags & IsExit && w.code[x.pc].guard == noGuard) {
      best = f;
      break;
    }
    bool turn = w.rotate && x.pc != w.lastPc;
    if (best == ~0u ||
        (turn ? w.fragments[best].pc == w.lastPc || x.pc < w.fragments[best].pc
              : x.pc < w.fragments[best].pc && !(w.rotate && x.pc == w.lastPc)))
      best = f;
  }
  if (best == ~0u) {
    Fragment &f = w.fragments[0];
    const Instr &i = w.code[f.pc];
    uint32_t missing = f.awaits & w.alive & ~f.mask;
    uint32_t other = ~0u;
    for (uint32_t x = 1; x < w.others; ++x)
      if (w.fragments[x].mask & missing)
        other = w.code[w.fragments[x].pc].source;
    trap(w, i, __builtin_ctz(f.mask), Trap::Kind::DivergentBarrier,
         fmt::format("lanes {:#010x} wait here for lanes {:#010x} of their "
                     "warp, which wait "
                     "elsewhere",
                     f.mask, missing),
         0, other);
    return;
  }
  Fragment x = w.fragments[best];
  w.fragments[best] = w.fragments[--w.others];
  w.pc = x.pc;
  w.active = x.mask;
  w.depth = x.depth;
  std::memcpy(w.stack, x.stack, sizeof(uint32_t) * x.depth);
  w.mergePc = ~0u;
  if (!w.rotate)
    for (uint32_t f = 0; f < w.others; ++f)
      if (!w.fragments[f].awaits || w.fragments[f].pc != x.pc)
        w.mergePc = std::min(w.mergePc, w.fragments[f].pc);
}

/// All live lanes must execute this instruction together. False: not now.
bool Machine::checkAligned(Warp &w, const Instr &i, uint32_t mask) {
  if (mask == w.alive)
    return true;
  if (w.active == w.alive) {
    trap(w, i, __builtin_ctz(w.alive & ~mask), Trap::Kind::DivergentBarrier,
         fmt::format("lanes {:#010x} of the warp do not take part: the guard "
                     "differs between "
                     "lanes of an .aligned instruction",
                     w.alive & ~mask));
    return false;
  }
  w.awaits = w.alive;
  w.event |= EventReselect;
  return false;
}

void Machine::warpFinished(Warp &w) {
  w.wait = WaitKind::Done;
  warpEnded(w);
  for (unsigned id = 0; id < 16; ++id)
    if (!w.block->async->barriers[id].expected)
      tryOpenBarrier(*w.block, id);
}

void Machine::runWarp(Warp &w, uint64_t quantum) {
  const Instr *code = w.code;
  w.event = 0;
  w.polled = w.slept = false;
  uint64_t count = 0;
  for (; count < quantum; ++count) {
    if (w.pc >= w.mergePc) {
      reselect(w);
      if (w.event & EventTrap)
        return;
    }
    const Instr &i = code[w.pc];
    uint32_t mask = w.active;
    if (i.guard != noGuard)
      mask &= i.guardNegated ? ~w.predicates[i.guard] : w.predicates[i.guard];
    if ((i.flags & (Aligned | TouchesProducts)) && mask) {
      if ((i.flags & Aligned) && mask != w.alive && !checkAligned(w, i, mask)) {
        if (w.event & EventTrap)
          return;
        w.event = 0;
        reselect(w);
        if (w.event & EventTrap)
          return;
        continue;
      }
      if ((i.flags & TouchesProducts) && !touchProducts(w, i))
        return;
    }
    if (i.flags & TouchesUnwritten)
      touchUnwritten(w, i, mask);
    if (i.flags & Counted) {
      InstructionCounters &c = w.counters[i.source];
      c.warps++;
      // Counting bits takes a baseline x86-64 a dozen instructions.
      c.threads += mask == allLanes ? lanes : __builtin_popcount(mask);
      if (w.undefined && !moveUndefined(w, i, mask))
        return;
    }
    ++w.pc;
    if (mask)
      i.run(w, i, mask);
    if (!w.event)
      continue;
    if (w.event & EventTrap)
      return;
    uint32_t event = w.event;
    w.event = 0;
    if (event & EventExit) {
      if (!w.alive) {
        w.issued += count;
        warpFinished(w);
        return;
      }
      // Lanes that left must not be what an .aligned instruction waits for.
      for (uint32_t f = 0; f < w.others; ++f)
        if (w.fragments[f].awaits &&
            (code[w.fragments[f].pc].flags & Aligned) &&
            !(code[w.fragments[f].pc].flags & NotStrict)) {
          const Instr &at = code[w.fragments[f].pc];
          trap(w, at, __builtin_ctz(w.fragments[f].mask),
               Trap::Kind::DivergentBarrier,
               fmt::format("lanes {:#010x} wait here, but lanes {:#010x} of "
                           "their warp end "
                           "without coming",
                           w.fragments[f].mask, mask),
               0, i.source);
          return;
        }
      reselect(w);
    } else if (event & EventReselect) {
      reselect(w);
    }
    if (w.event & EventTrap)
      return;
    w.polled = event & EventPoll;
    w.slept = event & EventYield;
    if (event & (EventWait | EventYield | EventPoll)) {
      ++count;
      break;
    }
  }
  w.issued += count;
  if (w.issued > options.instructionLimit) {
    trap(w, code[w.pc], w.active ? __builtin_ctz(w.active) : 0,
         Trap::Kind::Limit,
         fmt::format("the warp has issued more than {} instructions",
                     options.instructionLimit));
    return;
  }
  // After a full quantum another fragment gets a turn: a lane that spins must
  // not keep out the lane it waits for.
  if ((count >= quantum || w.polled) && w.others && w.wait == WaitKind::None) {
    w.rotate = !w.rotate;
    w.lastPc = w.pc;
    reselect(w);
  }
}
