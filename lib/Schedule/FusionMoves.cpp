//===- FusionMoves.cpp - local changes of a list of kernels -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The moves of one kernel, and the descent by the best of them.
//
//===----------------------------------------------------------------------===//

#include "KernelList.h"
#include "llvm/ADT/STLExtras.h"
#include <deque>

using namespace napkin;
using namespace napkin::schedule;

using Visitor =
    llvm::function_ref<void(const Set &, llvm::SmallVector<Set, 3>)>;

/// Moves save at least this many cycles, so that rounding ends no descent.
static constexpr double leastGain = 1;

static Set pair(unsigned a, unsigned b) {
  return a < b ? Set{a, b} : Set{b, a};
}

static void inlineReads(const KernelList &list, unsigned number,
                        Visitor visit) {
  const FusionGraph &graph = list.graph;
  const Set computes = list.at(number).computes;
  for (unsigned unit : graph.reads(computes)) {
    unsigned writer = unsigned(list.writerOf(unit));
    const Set &there = list.at(writer).computes;
    Set cone = graph.close(there, {unit});
    visit(pair(number, writer), {unite(computes, cone), there});
    const Set &readers = list.readersOf(unit);
    if (readers.size() > 1) {
      Set removed = unite(readers, {writer});
      llvm::SmallVector<Set, 3> made;
      for (unsigned reader : readers)
        if (reader != writer)
          made.push_back(unite(list.at(reader).computes, cone));
      made.push_back(there);
      visit(removed, std::move(made));
    }
    visit(pair(number, writer), {unite(computes, {unit}), minus(there, unit)});
  }
}

static void pushUnits(const KernelList &list, unsigned number, Visitor visit) {
  const FusionGraph &graph = list.graph;
  const Set computes = list.at(number).computes;
  for (unsigned unit : computes) {
    const Set &producers = graph.units[unit].producers;
    if (llvm::any_of(producers,
                     [&](unsigned at) { return contains(computes, at); }))
      continue;
    Set writers;
    for (unsigned producer : producers)
      writers = unite(writers, {unsigned(list.writerOf(producer))});
    for (unsigned writer : writers)
      visit(pair(number, writer),
            {minus(computes, unit), unite(list.at(writer).computes, {unit})});
  }
}

static void cut(const KernelList &list, unsigned number, Visitor visit) {
  const FusionGraph &graph = list.graph;
  const KernelSet kernel = list.at(number);
  if (kernel.computes.size() < 2)
    return;
  for (unsigned unit : kernel.computes) {
    Set rest = minus(kernel.writes, unit);
    if (!rest.empty())
      visit({number}, {graph.close(kernel.computes, {unit}),
                       graph.close(minus(kernel.computes, unit), rest)});
  }
}

static void splitWrites(const KernelList &list, unsigned number,
                        Visitor visit) {
  const FusionGraph &graph = list.graph;
  const KernelSet kernel = list.at(number);
  if (kernel.writes.size() < 2)
    return;
  llvm::SmallVector<Set, 3> each;
  for (unsigned unit : kernel.writes)
    each.push_back(graph.close(kernel.computes, {unit}));
  visit({number}, each);
  if (kernel.writes.size() > 2)
    for (auto [unit, closed] : llvm::zip_equal(kernel.writes, each))
      visit({number},
            {closed, graph.close(kernel.computes, minus(kernel.writes, unit))});
}

static void share(const KernelList &list, unsigned number, Visitor visit) {
  const FusionGraph &graph = list.graph;
  const Set computes = list.at(number).computes;
  for (unsigned other : list.neighbours(number)) {
    const Set there = list.at(other).computes;
    Set both = minus(computes, minus(computes, there));
    for (unsigned unit : both) {
      visit(pair(number, other), {computes, minus(there, unit)});
      visit(pair(number, other), {graph.close(both, {unit}),
                                  minus(computes, unit), minus(there, unit)});
    }
  }
}

void moves::forEach(const KernelList &list, unsigned number, unsigned kinds,
                    Visitor visit) {
  if (kinds & Join)
    for (unsigned other : list.neighbours(number))
      visit(pair(number, other),
            {unite(list.at(number).computes, list.at(other).computes)});
  if (kinds & Inline)
    inlineReads(list, number, visit);
  if (kinds & Push)
    pushUnits(list, number, visit);
  if (kinds & Cut)
    cut(list, number, visit);
  if (kinds & Split)
    splitWrites(list, number, visit);
  if (kinds & Share)
    share(list, number, visit);
}

std::optional<Proposal> moves::best(KernelList &list, unsigned number,
                                    unsigned kinds) {
  std::optional<Proposal> best;
  forEach(list, number, kinds,
          [&](const Set &removed, llvm::SmallVector<Set, 3> sets) {
            double least = best ? best->gain : leastGain;
            std::optional<Proposal> proposal =
                list.propose(removed, std::move(sets), least);
            if (proposal && list.isAcyclic(proposal->removed, proposal->made))
              best = std::move(proposal);
          });
  return best;
}

void napkin::schedule::descend(KernelList &list, Set start) {
  std::deque<unsigned> work(start.begin(), start.end());
  llvm::DenseSet<unsigned> queued(start.begin(), start.end());
  auto enqueue = [&](unsigned number) {
    if (queued.insert(number).second)
      work.push_back(number);
  };
  while (!work.empty()) {
    unsigned number = work.front();
    work.pop_front();
    queued.erase(number);
    while (list.has(number)) {
      std::optional<Proposal> move = moves::best(list, number, moves::All);
      if (!move)
        break;
      for (unsigned made : list.apply(move->removed, move->made)) {
        enqueue(made);
        llvm::for_each(list.neighbours(made), enqueue);
      }
    }
  }
}

/// All ways to compute \p units by a kernel for one array, or for two of
/// \p needed, and one for the rest.
static void forEachBipartition(const FusionGraph &graph, const Set &units,
                               const Set &needed,
                               llvm::function_ref<void(Set, Set)> visit) {
  for (unsigned unit : units) {
    Set closed = graph.close(units, {unit}), rest = minus(needed, unit);
    visit(closed, graph.close(minus(units, unit), rest));
    visit(closed, graph.close(units, rest));
    visit(closed, minus(units, closed));
  }
  if (needed.size() < 3 || needed.size() > 7)
    return;
  for (unsigned a : needed)
    for (unsigned b : needed)
      if (a < b)
        visit(graph.close(units, {a, b}),
              graph.close(units, minus(needed, Set{a, b})));
}

void napkin::schedule::recutNeighbours(KernelList &list) {
  auto recut = [&](unsigned number) {
    for (unsigned other : list.neighbours(number)) {
      Set removed = pair(number, other);
      Set units = unite(list.at(number).computes, list.at(other).computes);
      std::optional<Proposal> best;
      forEachBipartition(
          list.graph, units, list.neededOutside(removed), [&](Set a, Set b) {
            std::optional<Proposal> proposal =
                list.propose(removed, {std::move(a), std::move(b)},
                             best ? best->gain : leastGain);
            if (proposal && list.isAcyclic(proposal->removed, proposal->made))
              best = std::move(proposal);
          });
      if (best) {
        descend(list, list.apply(best->removed, best->made));
        return true;
      }
    }
    return false;
  };
  for (bool improved = true; improved;) {
    improved = false;
    for (unsigned number : list.all())
      if (list.has(number))
        improved |= recut(number);
  }
}
