//===- Deadlock.cpp - Who waits for whom -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The wait graph as text: warps that wait for the same thing in one line, then
// who has come, who would have to, and what those do.
//
//===----------------------------------------------------------------------===//

#include "Checks/RaceCell.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

using namespace napkin::executor;

/// The line that the warp stands at.
static uint32_t lineAt(const Warp &w) {
  return w.machine->lineOf(w.code[w.pc ? w.pc - 1 : 0].source);
}

/// "warp 3 (waits at line 40)".
static std::string state(const Warp &w, const Block &from) {
  std::string name = w.block == &from ? fmt::format("warp {}", w.index)
                                      : fmt::format("warp {} of block {}",
                                                    w.index, w.block->linear);
  if (w.wait == WaitKind::Done)
    return name + " (has ended)";
  return fmt::format("{} ({} at line {})", name,
                     w.wait == WaitKind::None ? "is" : "waits", lineAt(w));
}

/// Some of them, by commas.
static std::string list(const std::vector<std::string> &names) {
  std::string text;
  for (size_t k = 0; k < names.size(); ++k) {
    if (k == 8)
      return text + fmt::format(" and {} more", names.size() - k);
    text += (k ? ", " : "") + names[k];
  }
  return text;
}

static std::string describeBarrier(Warp &w) {
  Block &b = *w.block;
  const BarrierState &s = b.async->barriers[w.waitBarrier];
  uint32_t live = 0;
  std::vector<std::string> missing;
  for (uint32_t x = 0; x < b.numWarps; ++x) {
    live += b.warps[x].wait != WaitKind::Done;
    if (!((s.participants >> x) & 1))
      missing.push_back(state(b.warps[x], b));
  }
  std::string text =
      fmt::format("barrier {}: {} of {} warps have come", w.waitBarrier,
                  s.arrived, s.expected ? s.expected : live);
  return missing.empty() ? text + ", which are all that the block has"
                         : text + "; not " + list(missing);
}

/// Where the kernel could arrive at an mbarrier.
static std::string arrivalLines(const Warp &w) {
  std::vector<std::string> lines;
  for (const SourceInfo &source : w.machine->program.sources)
    if (source.ptx->opcode == "mbarrier" &&
        llvm::any_of(source.ptx->modifiers, [](llvm::StringRef modifier) {
          return modifier.starts_with("arrive");
        }))
      lines.push_back(std::to_string(source.ptx->position.line));
  return lines.empty()
             ? ", and the kernel has no mbarrier.arrive"
             : " (mbarrier.arrive stands at line " + list(lines) + ")";
}

static std::string describeMbarrier(Warp &w) {
  Block &b = *w.block->cluster[w.waitAddress >> 32];
  const uint32_t address = uint32_t(w.waitAddress);
  std::string place = describePlace(w, &b, address);
  auto found = b.async->mbarriers.find(address);
  if (found == b.async->mbarriers.end())
    return fmt::format("the mbarrier at {}, which is gone", place);
  const Mbarrier &m = found->second;
  std::string text = fmt::format(
      "phase {} (parity {}) of the mbarrier at {} (count {}, line {})", m.phase,
      m.phase & 1, place, m.expected, w.machine->lineOf(m.source));
  if (m.pending)
    text += fmt::format("; it lacks {} of {} arrivals", m.pending, m.expected);
  if (m.transactions > 0)
    text += fmt::format("; {} expected bytes have not come", m.transactions);
  else if (m.transactions < 0)
    text +=
        fmt::format("; {} bytes came that were not expected", -m.transactions);
  std::vector<std::string> came, others;
  for (const Mbarrier::Arriver &a : m.arrivers)
    if (a.phase == m.phase)
      came.push_back(fmt::format("{}, line {}", state(*a.warp, *w.block),
                                 w.machine->lineOf(a.source)));
    else
      others.push_back(fmt::format("{}, then from line {}",
                                   state(*a.warp, *w.block),
                                   w.machine->lineOf(a.source)));
  if (!came.empty())
    text += "; arrived: " + list(came);
  if (!others.empty())
    text += "; arrived in earlier phases only: " + list(others);
  if (came.empty() && others.empty())
    text += "; nobody has ever arrived" + arrivalLines(w);
  if (m.phase > m.observed)
    text += fmt::format("; nobody has waited for phase {}, which is complete: "
                        "is the parity wrong?",
                        m.phase - 1);
  return text;
}

static std::string describeCluster(Warp &w) {
  std::vector<std::string> missing;
  uint32_t live = 0;
  for (uint32_t r = 0; r < w.block->clusterSize; ++r)
    for (uint32_t x = 0; x < w.block->cluster[r]->numWarps; ++x) {
      const Warp &other = w.block->cluster[r]->warps[x];
      live += other.wait != WaitKind::Done;
      if (other.wait != WaitKind::Done && !other.async->clusterArrived)
        missing.push_back(state(other, *w.block));
    }
  return fmt::format("the cluster barrier: {} of {} warps have come; not {}",
                     w.block->clusterState->arrived, live, list(missing));
}

std::string napkin::executor::describeWait(Warp &w) {
  switch (w.wait) {
  case WaitKind::Barrier:
    return describeBarrier(w);
  case WaitKind::Mbarrier:
    return describeMbarrier(w);
  case WaitKind::Cluster:
    return describeCluster(w);
  case WaitKind::Warpgroup: {
    std::vector<std::string> missing;
    unsigned first = w.index & ~3u;
    for (unsigned x = first; x < std::min(first + 4, w.block->numWarps); ++x)
      if (w.block->warps[x].async->productCount < w.async->productCount)
        missing.push_back(state(w.block->warps[x], *w.block));
    return "the same wgmma of its warpgroup's other warps: not " +
           list(missing);
  }
  case WaitKind::RegisterPool:
    return fmt::format("registers: {} are free, only setmaxnreg.dec of "
                       "others gives more (the end of a warp does not)",
                       w.block->async->registerPool * lanes);
  default:
    return "nothing";
  }
}

void Machine::deadlock(llvm::ArrayRef<Block *> blocks) {
  Warp *first = nullptr;
  // What they wait for, in order of the first to wait for it.
  struct Entry {
    std::string what, block, warps;
    bool several;
  };
  std::vector<Entry> graph;
  for (Block *b : blocks)
    for (uint32_t x = 0; x < b->numWarps; ++x) {
      Warp &w = b->warps[x];
      if (w.wait == WaitKind::Done || w.wait == WaitKind::None)
        continue;
      if (!first)
        first = &w;
      std::string what =
          fmt::format("at line {} for {}", lineAt(w), describeWait(w));
      std::string whose = fmt::format("of block {}", b->linear);
      auto same = llvm::find_if(graph, [&](const Entry &entry) {
        return entry.what == what && entry.block == whose;
      });
      if (same == graph.end())
        graph.push_back({what, whose, fmt::format("warp {}", x), false});
      else {
        same->warps = fmt::format(
            "warps {}, {}",
            llvm::StringRef(same->warps).split(' ').second.str(), x);
        same->several = true;
      }
    }
  if (!first)
    return;
  std::string text;
  for (size_t k = 0; k < graph.size() && k < 16; ++k)
    text += fmt::format("\n    {} {} wait{} {}", graph[k].warps, graph[k].block,
                        graph[k].several ? "" : "s", graph[k].what);
  if (graph.size() > 16)
    text += fmt::format("\n    and {} more", graph.size() - 16);
  first->event = 0;
  trap(*first, first->code[first->pc ? first->pc - 1 : 0],
       first->active ? __builtin_ctz(first->active) : 0, Trap::Kind::Deadlock,
       "no warp can go on:" + text);
}
