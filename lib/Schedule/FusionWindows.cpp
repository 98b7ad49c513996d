//===- FusionWindows.cpp - the best kernels for a few units -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Neighbouring kernels with few units are replaced by the best for these units:
// the cheapest way from what is written before to what must be written, over
// sets of written arrays.
//
//===----------------------------------------------------------------------===//

#include "KernelList.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <deque>
#include <limits>

using namespace napkin;
using namespace napkin::schedule;

/// Units of the largest window, and arrays that one of its kernels writes.
static constexpr unsigned mostUnits = 8, mostWrites = 4;

/// What is asked of a window.
struct Windows::Question {
  Set units;
  /// Bits are places in `units`: what must be written, and what other kernels
  /// write already.
  unsigned needed = 0, given = 0;
  /// Cycles that the window takes now.
  double bound = 0;
};

static Set setOf(const Set &units, unsigned mask) {
  Set result;
  for (unsigned i = 0; i < units.size(); ++i)
    if (mask >> i & 1)
      result.push_back(units[i]);
  return result;
}

namespace {
/// A kernel of a window: what it computes, writes and reads in the window.
struct WindowKernel {
  double cycles;
  unsigned computes, writes, reads;
};
} // namespace

Windows::Answer Windows::solve(const Question &question) {
  const FusionGraph &graph = costs.graph;
  unsigned count = question.units.size(), all = (1u << count) - 1;
  llvm::SmallVector<unsigned, mostUnits> producers(count, 0), users(count, 0);
  for (unsigned i = 0; i < count; ++i)
    for (unsigned j = 0; j < i; ++j)
      if (contains(graph.units[question.units[i]].producers,
                   question.units[j])) {
        producers[i] |= 1u << j;
        users[j] |= 1u << i;
      }
  std::vector<WindowKernel> kernels;
  auto addKernel = [&](unsigned computes, unsigned writes, unsigned reads) {
    KernelSet kernel{setOf(question.units, computes),
                     setOf(question.units, writes)};
    double rest =
        question.needed & ~writes ? double(graph.hardware.launchCycles) : 0;
    if (costs.least(kernel) + rest >= question.bound)
      return;
    double cycles = costs.cost(kernel);
    if (cycles + rest < question.bound)
      kernels.push_back({cycles, computes, writes, reads});
  };
  for (unsigned computes = 1; computes <= all; ++computes) {
    unsigned ends = 0, inner = 0, reads = 0;
    for (unsigned i = 0; i < count; ++i) {
      if (!(computes >> i & 1))
        continue;
      reads |= producers[i] & ~computes;
      if (!(users[i] & computes))
        ends |= 1u << i;
      else if ((question.needed >> i & 1) || (users[i] & ~computes))
        inner |= 1u << i;
    }
    if (ends & question.given)
      continue;
    inner &= ~question.given;
    for (unsigned more = inner;; more = (more - 1) & inner) {
      if (unsigned(llvm::popcount(ends | more)) <= mostWrites)
        addKernel(computes, ends | more, reads);
      if (!more)
        break;
    }
  }
  // Sets of written arrays only grow.
  const double never = std::numeric_limits<double>::infinity();
  std::vector<double> cycles(all + 1, never);
  std::vector<const WindowKernel *> last(all + 1, nullptr);
  cycles[question.given] = 0;
  unsigned best = 0;
  Answer answer;
  answer.cycles = question.bound;
  for (unsigned written = question.given; written <= all; ++written) {
    if (cycles[written] >= answer.cycles)
      continue;
    if (!(question.needed & ~written)) {
      answer.cycles = cycles[written];
      best = written;
      continue;
    }
    for (const WindowKernel &kernel : kernels) {
      if ((kernel.reads & ~written) || (kernel.writes & written))
        continue;
      unsigned next = written | kernel.writes;
      double total = cycles[written] + kernel.cycles;
      if (total < cycles[next]) {
        cycles[next] = total;
        last[next] = &kernel;
      }
    }
  }
  if (answer.cycles == question.bound)
    return answer;
  for (unsigned written = best; written != question.given;
       written &= ~last[written]->writes)
    answer.kernels.push_back({last[written]->computes, last[written]->writes});
  return answer;
}

/// Windows that look alike have the same answer.
const Windows::Answer &Windows::answer(const Question &question) {
  std::vector<int64_t> key =
      costs.prices.keyOf(costs.graph.operationsOf(question.units), {});
  for (unsigned index : question.units) {
    const Unit &unit = costs.graph.units[index];
    key.push_back(int64_t(unit.operations.size()));
    key.push_back(unit.pinned);
    key.push_back(costs.isTooLarge(index));
  }
  key.push_back(question.needed);
  key.push_back(question.given);
  auto [entry, fresh] = remembered.try_emplace(std::move(key));
  Answer &known = entry->second;
  if (fresh || (known.kernels.empty() && known.cycles < question.bound))
    known = solve(question);
  return known;
}

std::optional<Set> Windows::tryWindow(KernelList &list, const Set &removed) {
  Question question;
  for (unsigned kernel : removed) {
    question.units = unite(question.units, list.at(kernel).computes);
    question.bound += costs.cost(list.at(kernel));
  }
  if (question.units.size() > mostUnits)
    return std::nullopt;
  Set needed = list.neededOutside(removed);
  for (auto [place, unit] : llvm::enumerate(question.units)) {
    int writer = list.writerOf(unit);
    if (contains(needed, unit))
      question.needed |= 1u << place;
    else if (writer >= 0 && !contains(removed, unsigned(writer)))
      question.given |= 1u << place;
  }
  const Answer &found = answer(question);
  if (found.cycles > question.bound - 1)
    return std::nullopt;
  llvm::SmallVector<KernelSet, 2> made;
  for (auto [computes, writes] : found.kernels)
    made.push_back(
        {setOf(question.units, computes), setOf(question.units, writes)});
  std::optional<Proposal> proposal = list.complete(removed, std::move(made), 1);
  if (!proposal || !list.isAcyclic(proposal->removed, proposal->made))
    return std::nullopt;
  return list.apply(proposal->removed, proposal->made);
}

/// Tries \p kernel with up to two neighbours, and a window as wide as may be.
std::optional<Set> Windows::improveAt(KernelList &list, unsigned kernel) {
  Set near = list.neighbours(kernel);
  std::vector<Set> groups = {{kernel}};
  for (unsigned other : near) {
    groups.push_back(unite({kernel}, {other}));
    for (unsigned third : near)
      if (third > other)
        groups.push_back(unite({kernel}, Set{other, third}));
  }
  Set grown = {kernel};
  size_t size = list.at(kernel).computes.size();
  std::deque<unsigned> border(near.begin(), near.end());
  while (!border.empty()) {
    unsigned next = border.front();
    border.pop_front();
    size_t more = list.at(next).computes.size();
    if (contains(grown, next) || size + more > mostUnits)
      continue;
    grown = unite(grown, {next});
    size += more;
    Set further = list.neighbours(next);
    border.insert(border.end(), further.begin(), further.end());
  }
  if (grown.size() > 3)
    groups.push_back(grown);
  for (const Set &group : groups)
    if (std::optional<Set> made = tryWindow(list, group))
      return made;
  return std::nullopt;
}

void Windows::improve(KernelList &list) {
  Set all = list.all();
  std::deque<unsigned> work(all.begin(), all.end());
  while (!work.empty()) {
    unsigned kernel = work.front();
    work.pop_front();
    if (!list.has(kernel))
      continue;
    std::optional<Set> made = improveAt(list, kernel);
    if (!made)
      continue;
    Set before = list.all();
    descend(list, *made);
    for (unsigned number : list.all())
      if (contains(*made, number) || !contains(before, number)) {
        work.push_back(number);
        Set near = list.neighbours(number);
        work.insert(work.end(), near.begin(), near.end());
      }
  }
}
