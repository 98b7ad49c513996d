//===- Spin.cpp - Warps that go round and change nothing -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Spin.h. Registers that only count turns must not hide a loop that never
// ends: what steers is found backwards from guards, addresses and effects,
// among the instructions that were executed since the state began.
//
//===----------------------------------------------------------------------===//

#include "Machine/Spin.h"
#include "Machine/Launch.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/xxhash.h"

#include <algorithm>

using namespace napkin::executor;

/// Bytes that the journal keeps: a loop that waits writes few.
static constexpr size_t maximumJournal = 1 << 14;
/// A state that was given up is looked for again after at most as many rounds.
static constexpr uint64_t maximumPause = 1 << 16;

void WriteJournal::record(const char *host, unsigned bytes) {
  if (before.size() + bytes > maximumJournal) {
    full = true;
    active = false;
    return;
  }
  for (unsigned b = 0; b < bytes; ++b)
    before.try_emplace(host + b, host[b]);
}

void WriteJournal::start() {
  before.clear();
  active = true;
  full = false;
}

void WriteJournal::stop() {
  before.clear();
  active = full = false;
}

bool WriteJournal::isUnchanged() const {
  return llvm::all_of(
      before, [](const auto &byte) { return *byte.first == byte.second; });
}

SpinWatch::SpinWatch(const Program &program) : program(program) {
  for (size_t f = 0; f < program.functions.size(); ++f)
    for (size_t r = 0; r < program.registerReferences[f].size(); ++r) {
      uint32_t reference = program.registerReferences[f][r];
      ptx::Type type = program.functions[f]->registers[r].type;
      if (reference == noRegister || type == ptx::Type::Pred ||
          !registerIndices.try_emplace(reference, registers.size()).second)
        continue;
      registers.push_back(
          {reference, lanes * std::max(16u, ptx::typeBits(type)) / 8});
    }
}

void SpinWatch::reset() {
  watching = false;
  quiet = 0;
  start = 8;
  length = 1;
  journal.stop();
}

/// Gives this state up: something happened that is not followed.
void SpinWatch::pause() {
  watching = false;
  quiet = 0;
  start = std::min(start * 2, maximumPause);
  journal.stop();
}

SpinWatch::Control SpinWatch::controlOf(const Warp &w) {
  Control state = {uint64_t(w.pc) << 32 | w.active,
                   uint64_t(w.alive) << 32 | w.awaits,
                   uint64_t(w.depth) << 32 | w.others,
                   uint64_t(w.wait) << 32 | w.carry,
                   uint64_t(w.waitBarrier) << 32 | w.lastPc,
                   w.waitAddress,
                   w.waitPhase,
                   uint64_t(w.rotate) << 1 | w.polled};
  auto addStack = [&](const uint32_t *stack, uint32_t depth) {
    state.insert(state.end(), stack, stack + depth);
  };
  addStack(w.stack, w.depth);
  for (uint32_t f = 0; f < w.others; ++f) {
    const Fragment &x = w.fragments[f];
    state.push_back(uint64_t(x.pc) << 32 | x.mask);
    state.push_back(uint64_t(x.awaits) << 32 | x.depth);
    addStack(x.stack, x.depth);
  }
  state.push_back(w.async->clusterArrived);
  if (w.index == 0) {
    for (const BarrierState &b : w.block->async->barriers)
      state.push_back(uint64_t(b.waiting) << 32 | b.participants);
    state.push_back(w.block->clusterState->arrived);
  }
  return state;
}

uint64_t SpinWatch::hashOf(const Warp &w, size_t reg) const {
  auto [reference, bytes] = registers[reg];
  return llvm::xxh3_64bits(llvm::ArrayRef(
      reinterpret_cast<const uint8_t *>(w.base[0] + reference), bytes));
}

void SpinWatch::setAnchor(const std::vector<Warp *> &warps,
                          const std::vector<InstructionCounters> &executed) {
  anchor = {};
  for (const Warp *w : warps) {
    anchor.control.push_back(controlOf(*w));
    auto &hashes = anchor.registers.emplace_back();
    for (size_t r = 0; r < registers.size(); ++r)
      hashes.push_back(hashOf(*w, r));
    anchor.predicates.emplace_back(w->predicates,
                                   w->predicates + program.predicates);
  }
  anchor.executed = executed;
  elapsed = suspect = 0;
  journal.start();
}

bool SpinWatch::sameControl(const std::vector<Warp *> &warps) {
  for (size_t k = 0; k < warps.size(); ++k) {
    size_t x = (suspect + k) % warps.size();
    if (controlOf(*warps[x]) == anchor.control[x])
      continue;
    suspect = x;
    return false;
  }
  return true;
}

bool SpinWatch::sameRegisters(const std::vector<Warp *> &warps) {
  for (size_t k = 0; k < warps.size(); ++k) {
    size_t x = (suspect + k) % warps.size();
    bool same = true;
    for (size_t p = 0; p < relevantPredicates.size() && same; ++p)
      same = !relevantPredicates[p] ||
             warps[x]->predicates[p] == anchor.predicates[x][p];
    for (size_t r = 0; r < registers.size() && same; ++r)
      same = !relevant[r] || hashOf(*warps[x], r) == anchor.registers[x][r];
    if (same)
      continue;
    suspect = x;
    return false;
  }
  return true;
}

/// Instructions whose effects are on registers, on memory through the journal,
/// or on what the control of a warp says.
static bool isFollowed(const SourceInfo &info) {
  static const char *others[] = {"cp",          "wgmma",    "tensormap",
                                 "setmaxnreg",  "stmatrix", "alloca",
                                 "stackrestore"};
  llvm::StringRef opcode = info.ptx->opcode;
  auto has = [&](llvm::StringRef word) {
    return llvm::is_contained(info.ptx->modifiers, word);
  };
  if (opcode == "mbarrier")
    return has("test_wait") || has("try_wait") || has("pending_count");
  if (opcode == "wmma")
    return !has("store");
  if (opcode == "st" || opcode == "red")
    return !has("async");
  return !llvm::is_contained(others, opcode);
}

bool SpinWatch::findExecuted(const std::vector<InstructionCounters> &executed) {
  active.assign(executed.size(), false);
  for (size_t s = 0; s < executed.size(); ++s) {
    active[s] = executed[s].warps != anchor.executed[s].warps;
    if (active[s] && !isFollowed(program.sources[s]))
      return false;
  }
  return true;
}

/// The instruction only computes registers of its own lane.
static bool isPure(const SourceInfo &info) {
  if (llvm::is_contained(info.ptx->modifiers, "sync"))
    return false;
  switch (info.pipe) {
  case Pipe::ALU:
  case Pipe::FMA:
  case Pipe::MUFU:
  case Pipe::Half:
  case Pipe::Double:
  case Pipe::Convert:
    return true;
  default:
    return info.ptx->opcode == "ld";
  }
}

void SpinWatch::findRelevant() {
  relevant.assign(registers.size(), false);
  relevantPredicates.assign(program.predicates, false);
  auto isRelevant = [&](uint32_t id) -> bool {
    if (id & predicateId)
      return relevantPredicates[id & ~predicateId];
    auto found = registerIndices.find(id);
    return found != registerIndices.end() && relevant[found->second];
  };
  bool grows = false;
  auto add = [&](uint32_t id) {
    if (isRelevant(id))
      return;
    if (id & predicateId) {
      relevantPredicates[id & ~predicateId] = grows = true;
    } else if (auto found = registerIndices.find(id);
               found != registerIndices.end()) {
      relevant[found->second] = grows = true;
    }
  };
  do {
    grows = false;
    for (size_t s = 0; s < active.size(); ++s) {
      if (!active[s])
        continue;
      const RegisterUses &uses = program.uses[s];
      bool all =
          !isPure(program.sources[s]) || llvm::any_of(uses.writes, isRelevant);
      for (const RegisterUse &read : uses.reads)
        if (all || read.isStrict || read.isGuard)
          add(read.id);
    }
  } while (grows);
}

bool SpinWatch::roundEnded(const std::vector<Warp *> &warps,
                           const std::vector<InstructionCounters> &executed) {
  if (!watching) {
    if (++quiet < start)
      return false;
    watching = true;
    length = 1;
    setAnchor(warps, executed);
    return false;
  }
  ++elapsed;
  if (journal.isFull()) {
    pause();
    return false;
  }
  if (sameControl(warps) && journal.isUnchanged()) {
    if (!findExecuted(executed)) {
      pause();
      return false;
    }
    if (active != analysed) {
      findRelevant();
      analysed = active;
    }
    if (sameRegisters(warps))
      return true;
  }
  if (elapsed < length)
    return false;
  length *= 2;
  setAnchor(warps, executed);
  return false;
}
