//===- FusionSeeds.cpp - where the fusion search starts ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every unit alone, runs of depth-first orders, and joins by gain.
//
//===----------------------------------------------------------------------===//

#include "KernelList.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>
#include <queue>

using namespace napkin;
using namespace napkin::schedule;

/// Units of the longest run that is tried. Longer kernels come from joins.
static constexpr unsigned longestRun = 32;

/// What \p computes makes and anything outside needs.
static Set neededOutside(const FusionGraph &graph, const Set &computes) {
  Set result;
  llvm::copy_if(computes, std::back_inserter(result), [&](unsigned unit) {
    return graph.units[unit].returned ||
           llvm::any_of(graph.units[unit].users, [&](unsigned user) {
             return !contains(computes, user);
           });
  });
  return result;
}

/// \p members and what lies on the way from one of them to another.
static Set hullOf(const FusionGraph &graph, const Set &members) {
  std::vector<bool> below(graph.units.size(), false), above = below;
  for (unsigned member : members)
    below[member] = above[member] = true;
  for (unsigned unit = 0; unit < graph.units.size(); ++unit)
    for (unsigned producer : graph.units[unit].producers)
      if (below[producer])
        below[unit] = true;
  Set result;
  for (unsigned unit = graph.units.size(); unit-- > 0;) {
    for (unsigned user : graph.units[unit].users)
      if (above[user])
        above[unit] = true;
    if (below[unit] && above[unit])
      result.insert(result.begin(), unit);
  }
  return result;
}

KernelList napkin::schedule::groupAlone(FusionCosts &costs) {
  const FusionGraph &graph = costs.graph;
  KernelList result(costs);
  std::map<int64_t, Set> pinned;
  for (unsigned unit = 0; unit < graph.units.size(); ++unit)
    if (graph.units[unit].pinned >= 0)
      pinned[graph.units[unit].pinned].push_back(unit);
  Set placed;
  for (auto &[name, members] : pinned) {
    Set hull = hullOf(graph, members);
    if (costs.isForbidden(hull))
      hull = members;
    hull = unite(minus(hull, placed), members);
    placed = unite(placed, hull);
    result.add({hull, neededOutside(graph, hull)});
  }
  for (unsigned unit = 0; unit < graph.units.size(); ++unit)
    if (!contains(placed, unit))
      result.add({{unit}, {unit}});
  result.renumber();
  return result;
}

/// Runs of one order, by dynamic programming over where the last one starts.
static std::pair<double, std::vector<KernelSet>>
cutIntoRuns(FusionCosts &costs, llvm::ArrayRef<unsigned> order) {
  const FusionGraph &graph = costs.graph;
  unsigned count = order.size();
  std::vector<double> cycles(count + 1, std::numeric_limits<double>::max());
  std::vector<unsigned> start(count + 1, 0);
  std::vector<KernelSet> lastKernel(count + 1);
  cycles[0] = 0;
  for (unsigned last = 1; last <= count; ++last) {
    // Longest runs first: what they cost makes most others not worth a search.
    llvm::SmallVector<std::pair<unsigned, Set>, 32> runs;
    Set computes;
    for (unsigned first = last; first-- > 0 && last - first <= longestRun;) {
      computes = unite(computes, {order[first]});
      if (computes.size() > 1 && costs.isForbidden(computes))
        break;
      runs.push_back({first, computes});
    }
    for (auto &[first, run] : llvm::reverse(runs)) {
      KernelSet kernel{run, neededOutside(graph, run)};
      if (cycles[first] + costs.least(kernel) >= cycles[last])
        continue;
      double total = cycles[first] + costs.cost(kernel);
      if (total >= cycles[last])
        continue;
      cycles[last] = total;
      start[last] = first;
      lastKernel[last] = std::move(kernel);
    }
  }
  std::vector<KernelSet> kernels;
  for (unsigned last = count; last > 0; last = start[last])
    kernels.push_back(lastKernel[last]);
  std::reverse(kernels.begin(), kernels.end());
  return {cycles[count], std::move(kernels)};
}

KernelList napkin::schedule::groupRuns(FusionCosts &costs) {
  // Runs depend on the order. A chain that ends in a unit with two producers
  // stays together only if the shorter of them comes before it.
  std::vector<llvm::SmallVector<unsigned, 0>> tried;
  double least = std::numeric_limits<double>::max();
  std::vector<KernelSet> best;
  for (Visit visit :
       {Visit::ShallowFirst, Visit::AsWritten, Visit::DeepFirst}) {
    llvm::SmallVector<unsigned, 0> order = costs.graph.order(visit);
    if (llvm::is_contained(tried, order))
      continue;
    auto [cycles, kernels] = cutIntoRuns(costs, order);
    if (cycles < least) {
      least = cycles;
      best = std::move(kernels);
    }
    tried.push_back(std::move(order));
  }
  KernelList result(costs);
  for (KernelSet &kernel : best)
    result.add(std::move(kernel));
  result.renumber();
  return result;
}

namespace {
/// A join or an inlining that saved cycles when it was found.
struct Waiting {
  double gain;
  unsigned number;
  Set removed;
  llvm::SmallVector<Set, 3> sets;

  bool operator<(const Waiting &other) const {
    return std::tie(gain, other.number) < std::tie(other.gain, number);
  }
};
} // namespace

KernelList napkin::schedule::groupByGain(FusionCosts &costs) {
  KernelList result = groupAlone(costs);
  std::priority_queue<Waiting> waiting;
  unsigned count = 0;
  auto findMoves = [&](unsigned kernel) {
    moves::forEach(result, kernel, moves::Join | moves::Inline,
                   [&](const Set &removed, llvm::SmallVector<Set, 3> sets) {
                     if (auto proposal = result.propose(removed, sets, 1))
                       waiting.push(
                           {proposal->gain, count++, removed, std::move(sets)});
                   });
  };
  for (unsigned kernel : result.all())
    findMoves(kernel);
  while (!waiting.empty()) {
    Waiting next = waiting.top();
    waiting.pop();
    if (!llvm::all_of(next.removed,
                      [&](unsigned kernel) { return result.has(kernel); }))
      continue;
    auto proposal = result.propose(next.removed, next.sets, 1);
    if (!proposal || !result.isAcyclic(proposal->removed, proposal->made))
      continue;
    Set touched;
    for (unsigned made : result.apply(proposal->removed, proposal->made))
      touched = unite(touched, unite({made}, result.neighbours(made)));
    llvm::for_each(touched, findMoves);
  }
  return result;
}
