//===- Warpgroup.cpp - What four warps must do alike -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// wgmma instructions and setmaxnreg belong to a warpgroup: its warps must
// execute the same ones in the same order, with the same descriptors. Warps run
// one after another here, so the first to come writes down what it did and the
// others are compared.
//
//===----------------------------------------------------------------------===//

#include "Machine/Launch.h"

#include <algorithm>

#include <fmt/format.h>

using namespace napkin::executor;

static Trap::Kind kindOf(Machine &machine, uint32_t source) {
  return machine.program.sources[source].ptx->opcode == "setmaxnreg"
             ? Trap::Kind::RegisterPool
             : Trap::Kind::WgmmaHazard;
}

/// The warps of the warpgroup that exist.
static llvm::MutableArrayRef<Warp> warpsOf(Block &b, unsigned group) {
  return {b.warps + 4 * group, std::min(4u, b.numWarps - 4 * group)};
}

bool napkin::executor::logWarpgroup(Warp &w, const Instr &i,
                                    const std::array<uint64_t, 3> &operands) {
  WarpgroupLog &log = w.block->async->warpgroups[w.index / 4];
  uint64_t position = w.async->groupPosition++ - log.begin;
  if (position == log.entries.size()) {
    log.entries.push_back({i.source, {}});
    std::copy(operands.begin(), operands.end(), log.entries.back().operands);
  }
  const WarpgroupLog::Entry &first = log.entries[position];
  bool same = first.source == i.source;
  if (!same || !std::equal(operands.begin(), operands.end(), first.operands)) {
    w.machine->trap(
        w, i, w.active ? __builtin_ctz(w.active) : 0,
        kindOf(*w.machine, i.source),
        fmt::format("warp {} executes this where another warp of its warpgroup "
                    "executed {}",
                    w.index,
                    same ? "it with other descriptors or another scale"
                         : "something else"),
        0, first.source);
    return false;
  }
  if (log.entries.size() < 64)
    return true;
  uint64_t done = ~uint64_t(0);
  for (Warp &x : warpsOf(*w.block, w.index / 4))
    done = std::min(done, x.async->groupPosition);
  log.entries.erase(log.entries.begin(),
                    log.entries.begin() + (done - log.begin));
  log.begin = done;
  return true;
}

bool napkin::executor::checkWarpgroups(Block &b) {
  for (unsigned group = 0; 4 * group < b.numWarps; ++group) {
    WarpgroupLog &log = b.async->warpgroups[group];
    for (Warp &w : warpsOf(b, group)) {
      uint64_t position = w.async->groupPosition - log.begin;
      if (position >= log.entries.size())
        continue;
      Instr missing;
      missing.source = log.entries[position].source;
      w.event &= ~uint32_t(EventTrap);
      b.machine->trap(w, missing, 0, kindOf(*b.machine, missing.source),
                      fmt::format("warp {} ended without executing this, which "
                                  "another warp of its warpgroup did",
                                  w.index));
      return false;
    }
  }
  return true;
}

void napkin::executor::wakeWarpgroup(Warp &w) {
  for (Warp &x : warpsOf(*w.block, w.index / 4))
    if (x.wait == WaitKind::Warpgroup)
      x.wait = WaitKind::None;
}

void napkin::executor::waitAgain(Warp &w, const Instr &i, uint32_t mask,
                                 WaitKind kind) {
  --w.pc;
  w.counters[i.source].warps--;
  w.counters[i.source].threads -= __builtin_popcount(mask);
  w.wait = kind;
  w.event |= EventWait;
}
