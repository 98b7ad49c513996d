//===- FusionGraph.cpp - a diagram as the fusion search sees it -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Joins maps into units, and prices kernels made of units.
//
//===----------------------------------------------------------------------===//

#include "FusionGraph.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <algorithm>
#include <tuple>

using namespace napkin;
using namespace napkin::schedule;

/// Arrays that a unit of several operations reads at most; a kernel of more may
/// be refused, and should then be cut.
static constexpr unsigned mostOperands = 8;

Set napkin::schedule::unite(const Set &a, const Set &b) {
  Set result;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(),
                 std::back_inserter(result));
  return result;
}

Set napkin::schedule::minus(const Set &a, const Set &b) {
  Set result;
  std::set_difference(a.begin(), a.end(), b.begin(), b.end(),
                      std::back_inserter(result));
  return result;
}

Set napkin::schedule::minus(const Set &a, unsigned element) {
  Set result;
  llvm::copy_if(a, std::back_inserter(result),
                [&](unsigned other) { return other != element; });
  return result;
}

bool napkin::schedule::contains(const Set &set, unsigned element) {
  return std::binary_search(set.begin(), set.end(), element);
}

/// A depth-first order of the nodes below \p roots: those that
/// \p producersOf(node) names come right before their first reader.
template <typename Producers>
static llvm::SmallVector<unsigned, 0> walk(unsigned count,
                                           llvm::ArrayRef<unsigned> roots,
                                           Visit visit, Producers producersOf) {
  // Length of the longest chain of producers; nodes are topological.
  std::vector<unsigned> depth(count, 0);
  for (unsigned i = 0; i < count; ++i)
    for (unsigned producer : producersOf(i))
      depth[i] = std::max(depth[i], depth[producer] + 1);

  llvm::SmallVector<unsigned, 0> order;
  std::vector<bool> placed(count, false);
  struct Frame {
    unsigned node;
    llvm::SmallVector<unsigned, 4> pending; // last one first
  };
  // An explicit stack: diagrams may be deep.
  std::vector<Frame> stack;
  auto push = [&](unsigned node) {
    if (placed[node])
      return;
    // (rank, position, node); ties keep the order in which they are written.
    llvm::SmallVector<std::tuple<int64_t, unsigned, unsigned>, 4> ranked;
    for (unsigned producer : producersOf(node)) {
      int64_t rank = visit == Visit::AsWritten      ? 0
                     : visit == Visit::ShallowFirst ? int64_t(depth[producer])
                                                    : -int64_t(depth[producer]);
      ranked.push_back({rank, unsigned(ranked.size()), producer});
    }
    llvm::sort(ranked);
    Frame frame{node, {}};
    for (const auto &[rank, position, producer] : llvm::reverse(ranked))
      frame.pending.push_back(producer);
    stack.push_back(std::move(frame));
  };
  for (unsigned root : roots) {
    push(root);
    while (!stack.empty()) {
      unsigned node = stack.back().node;
      if (placed[node]) {
        stack.pop_back();
      } else if (stack.back().pending.empty()) {
        placed[node] = true;
        order.push_back(node);
        stack.pop_back();
      } else {
        push(stack.back().pending.pop_back_val());
      }
    }
  }
  return order;
}

FusionGraph::FusionGraph(const Graph &graph, const cost::Hardware &hardware,
                         const llvm::DenseSet<unsigned> &apart)
    : graph(graph), hardware(hardware), unitOf(graph.operations.size(), -1) {
  llvm::SmallVector<unsigned, 4> roots;
  for (unsigned value : graph.returned)
    if (graph.values[value].definition >= 0)
      roots.push_back(unsigned(graph.values[value].definition));
  auto producersOf = [&](unsigned index) {
    llvm::SmallVector<unsigned, 4> producers;
    for (unsigned operand : graph.operations[index].operands)
      if (graph.values[operand].definition >= 0)
        producers.push_back(unsigned(graph.values[operand].definition));
    return producers;
  };
  addUnits(
      walk(graph.operations.size(), roots, Visit::ShallowFirst, producersOf),
      apart);
  linkUnits();
  mark.assign(units.size(), 0);
}

/// Puts every operation of \p order into a unit, readers first.
void FusionGraph::addUnits(llvm::ArrayRef<unsigned> order,
                           const llvm::DenseSet<unsigned> &apart) {
  std::vector<llvm::SmallVector<unsigned, 2>> readers(graph.values.size());
  for (unsigned index : order)
    for (unsigned operand : graph.operations[index].operands)
      if (!llvm::is_contained(readers[operand], index))
        readers[operand].push_back(index);
  auto sameAxes = [&](unsigned a, unsigned b) {
    const ArrayValue &left = graph.values[a], &right = graph.values[b];
    return left.axes.size() == right.axes.size() &&
           llvm::all_of(left.axes,
                        [&](unsigned axis) { return right.carries(axis); });
  };
  // The reader that an operation joins, or -1.
  auto readerToJoin = [&](unsigned index) {
    const Operation &operation = graph.operations[index];
    if (operation.kind != OperationKind::Map || apart.contains(index))
      return -1;
    unsigned made = operation.results[0];
    if (readers[made].size() != 1 || llvm::is_contained(graph.returned, made))
      return -1;
    unsigned reader = readers[made][0];
    const Operation &next = graph.operations[reader];
    // Where it made less than its reader, the cut might pay.
    bool joins = next.kind == OperationKind::Map && !apart.contains(reader) &&
                 next.pinnedKernel == operation.pinnedKernel &&
                 sameAxes(made, next.results[0]) &&
                 graph.values[made].bits >= graph.values[next.results[0]].bits;
    return joins ? int(reader) : -1;
  };
  std::vector<llvm::SmallVector<unsigned, 8>> operands;
  for (unsigned index : llvm::reverse(order)) {
    const Operation &operation = graph.operations[index];
    int reader = readerToJoin(index);
    if (reader >= 0) {
      llvm::SmallVector<unsigned, 8> more = operands[unitOf[reader]];
      llvm::erase(more, operation.results[0]);
      for (unsigned operand : operation.operands)
        if (!llvm::is_contained(more, operand))
          more.push_back(operand);
      if (more.size() <= mostOperands) {
        unitOf[index] = unitOf[reader];
        units[unitOf[index]].operations.push_back(index);
        operands[unitOf[index]] = more;
        continue;
      }
    }
    unitOf[index] = units.size();
    units.emplace_back();
    units.back().operations.push_back(index);
    operands.emplace_back(operation.operands.begin(), operation.operands.end());
  }
  std::reverse(units.begin(), units.end());
  for (Unit &unit : units)
    std::reverse(unit.operations.begin(), unit.operations.end());
  for (int &unit : unitOf)
    if (unit >= 0)
      unit = int(units.size()) - 1 - unit;
}

void FusionGraph::linkUnits() {
  std::vector<bool> returned(graph.values.size(), false);
  for (unsigned value : graph.returned)
    returned[value] = true;
  for (auto [number, unit] : llvm::enumerate(units)) {
    for (unsigned index : unit.operations) {
      const Operation &operation = graph.operations[index];
      unit.pinned = operation.pinnedKernel;
      unit.fixed = operation.kind == OperationKind::Fixed;
      if (!unit.fixed)
        unit.work += leastCycles(graph, operation, hardware);
      for (unsigned operand : operation.operands) {
        int definition = graph.values[operand].definition;
        if (definition < 0) {
          if (!llvm::is_contained(unit.arguments, operand))
            unit.arguments.push_back(operand);
        } else if (unsigned(unitOf[definition]) != number) {
          unit.producers.push_back(unsigned(unitOf[definition]));
        }
      }
    }
    llvm::sort(unit.producers);
    unit.producers.erase(llvm::unique(unit.producers), unit.producers.end());
    for (unsigned producer : unit.producers)
      units[producer].users.push_back(number);
    for (unsigned value : graph.operations[unit.operations.back()].results) {
      unit.returned |= returned[value];
      unit.traffic += leastCycles(graph, value, hardware);
    }
  }
}

Set FusionGraph::close(const Set &within, const Set &roots) const {
  ++stamp;
  for (unsigned root : roots)
    mark[root] = stamp;
  Set result;
  for (unsigned unit : llvm::reverse(within)) {
    if (mark[unit] != stamp)
      continue;
    result.push_back(unit);
    for (unsigned producer : units[unit].producers)
      mark[producer] = stamp;
  }
  std::reverse(result.begin(), result.end());
  return result;
}

Set FusionGraph::reads(const Set &computes) const {
  Set result;
  for (unsigned unit : computes)
    result.append(units[unit].producers.begin(), units[unit].producers.end());
  llvm::sort(result);
  result.erase(llvm::unique(result), result.end());
  return minus(result, computes);
}

llvm::SmallVector<unsigned, 0> FusionGraph::order(Visit visit) const {
  llvm::SmallVector<unsigned, 4> roots;
  for (unsigned value : graph.returned)
    if (graph.values[value].definition >= 0)
      roots.push_back(unsigned(unitOf[graph.values[value].definition]));
  return walk(units.size(), roots, visit, [&](unsigned unit) -> const Set & {
    return units[unit].producers;
  });
}

llvm::SmallVector<unsigned, 16>
FusionGraph::operationsOf(const Set &set) const {
  llvm::SmallVector<unsigned, 16> result;
  for (unsigned unit : set)
    llvm::append_range(result, units[unit].operations);
  return result;
}

llvm::SmallVector<unsigned, 4> FusionGraph::outputsOf(const Set &set) const {
  llvm::SmallVector<unsigned, 4> result;
  for (unsigned unit : set)
    llvm::append_range(result,
                       graph.operations[units[unit].operations.back()].results);
  return result;
}

//===----------------------------------------------------------------------===//
// Costs
//===----------------------------------------------------------------------===//

FusionCosts::FusionCosts(const FusionGraph &graph, KernelPrices &prices)
    : graph(graph), prices(prices) {
  for (const Unit &unit : graph.units)
    if (unit.pinned >= 0)
      ++pinnedUnits[unit.pinned];
}

size_t FusionCosts::Hash::operator()(const std::vector<unsigned> &key) const {
  return llvm::hash_combine_range(key.begin(), key.end());
}

bool FusionCosts::isForbidden(const Set &computes) const {
  std::optional<int64_t> pinned;
  for (unsigned index : computes) {
    const Unit &unit = graph.units[index];
    if ((unit.fixed && computes.size() > 1) ||
        (unit.pinned >= 0 && pinned && *pinned != unit.pinned))
      return true;
    if (unit.pinned >= 0)
      pinned = unit.pinned;
  }
  return false;
}

bool FusionCosts::isTooLarge(unsigned unit) const {
  const Unit &maker = graph.units[unit];
  return llvm::any_of(graph.graph.operations[maker.operations.back()].results,
                      [&](unsigned value) { return prices.isTooLarge(value); });
}

double FusionCosts::search(const KernelSet &kernel) {
  const Set &computes = kernel.computes;
  if (computes.size() == 1 && graph.units[computes[0]].fixed)
    return 0;
  double never = refused * double(computes.size());
  if (isForbidden(computes))
    return never;
  // Pinned together means all or none.
  unsigned pinned = 0;
  int64_t name = -1;
  for (unsigned unit : computes)
    if (graph.units[unit].pinned >= 0) {
      ++pinned;
      name = graph.units[unit].pinned;
    }
  if (pinned && pinned != pinnedUnits.at(name))
    return never;
  return std::min(never, prices.cost(graph.operationsOf(computes),
                                     graph.outputsOf(kernel.writes)));
}

double FusionCosts::cost(const KernelSet &kernel) {
  std::vector<unsigned> key(kernel.computes.begin(), kernel.computes.end());
  key.push_back(~0u);
  key.insert(key.end(), kernel.writes.begin(), kernel.writes.end());
  auto [entry, fresh] = known.try_emplace(std::move(key), 0);
  if (fresh)
    entry->second = search(kernel);
  return entry->second;
}

double FusionCosts::least(const KernelSet &kernel) const {
  if (kernel.computes.size() == 1 && graph.units[kernel.computes[0]].fixed)
    return 0;
  double cycles = double(graph.hardware.launchCycles);
  llvm::SmallVector<unsigned, 16> arguments;
  for (unsigned index : kernel.computes) {
    cycles += graph.units[index].work;
    llvm::append_range(arguments, graph.units[index].arguments);
  }
  llvm::sort(arguments);
  arguments.erase(llvm::unique(arguments), arguments.end());
  for (unsigned value : arguments)
    cycles += leastCycles(graph.graph, value, graph.hardware);
  for (unsigned unit : graph.reads(kernel.computes))
    cycles += graph.units[unit].traffic;
  for (unsigned unit : kernel.writes)
    cycles += graph.units[unit].traffic +
              (isTooLarge(unit) ? KernelPrices::KernelPrices::tooLarge : 0);
  return cycles;
}
