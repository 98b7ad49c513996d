//===- Fusion.cpp - which operations share a kernel -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two starts, a descent from each, exact search in windows; then what was
// chosen is compiled, and the search goes on where its price changes.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Fusion.h"
#include "KernelList.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace napkin;
using namespace napkin::schedule;

namespace {
/// Plans one graph.
class Planner {
public:
  Planner(const Graph &graph, const cost::Hardware &hardware,
          KernelPrices &prices)
      : graph(graph), hardware(hardware), prices(prices) {}

  std::optional<std::vector<PlannedKernel>> plan(PlanFailure *failure);

private:
  bool planUnits(FusionCosts &costs, std::vector<PlannedKernel> &result,
                 PlanFailure &failure);
  bool takeApart(const KernelList &list);
  std::optional<PlanFailure> findFailure(const KernelList &list);
  bool confirm(const KernelList &list);
  PlannedKernel describe(KernelList &list, unsigned kernel);
  void explainWritten(KernelList &list, unsigned kernel,
                      std::vector<Choice> &choices);
  void explainAlone(llvm::ArrayRef<unsigned> operations, PlanFailure &failure);
  Reason explainState(KernelList &list, const Set &removed,
                      llvm::SmallVector<Set, 3> sets);
  int64_t aloneBytes(unsigned operation);

  const Graph &graph;
  const cost::Hardware &hardware;
  KernelPrices &prices;
  /// Operations that are units of their own.
  llvm::DenseSet<unsigned> apart;
};
} // namespace

static bool isRefused(FusionCosts &costs, const KernelSet &kernel) {
  return costs.cost(kernel) >=
         FusionCosts::refused * double(kernel.computes.size());
}

/// Takes maps of refused kernels out of their units. Returns false where there
/// are none.
bool Planner::takeApart(const KernelList &list) {
  bool found = false;
  for (unsigned number : list.all()) {
    const KernelSet &kernel = list.at(number);
    if (!isRefused(list.costs, kernel))
      continue;
    for (unsigned unit : kernel.computes)
      if (list.graph.units[unit].operations.size() > 1) {
        const auto &operations = list.graph.units[unit].operations;
        apart.insert(operations.begin(), operations.end());
        found = true;
      }
  }
  return found;
}

/// What is refused of \p operations together is refused of one of them alone.
void Planner::explainAlone(llvm::ArrayRef<unsigned> operations,
                           PlanFailure &failure) {
  for (unsigned operation : operations) {
    const auto &results = graph.operations[operation].results;
    if (prices.price({operation}, results).decision)
      continue;
    failure.operation = operation;
    failure.refusal = prices.refusal({operation}, results);
    return;
  }
  // Not tested: an operation without a kernel of its own was named above.
  failure.refusal = {"no kernels were found that compute it",
                     "return an intermediate result"};
}

/// The first operation of the first kernel that has no schedule.
std::optional<PlanFailure> Planner::findFailure(const KernelList &list) {
  const FusionGraph &units = list.graph;
  llvm::SmallVector<unsigned, 0> order = list.order();
  if (order.empty() && !list.all().empty()) {
    PlanFailure failure;
    for (unsigned i = 0; i < graph.operations.size(); ++i)
      if (graph.operations[i].pinnedKernel >= 0)
        failure.operation = i;
    failure.refusal = {"the pinned kernels would have to wait for each other",
                       "change the pinned kernels"};
    return failure;
  }
  for (unsigned number : order) {
    const KernelSet &kernel = list.at(number);
    if (!isRefused(list.costs, kernel))
      continue;
    llvm::SmallVector<unsigned, 16> operations =
        units.operationsOf(kernel.computes);
    PlanFailure failure;
    failure.operation = operations.front();
    auto outputs = units.outputsOf(kernel.writes);
    bool isOne = prices.price(operations, outputs).connected &&
                 !list.costs.isForbidden(kernel.computes);
    bool isPinned = llvm::any_of(operations, [&](unsigned operation) {
      return graph.operations[operation].pinnedKernel >= 0;
    });
    if (isOne)
      failure.refusal = prices.refusal(operations, outputs);
    else if (isPinned)
      failure.refusal = {"the pinned kernels do not hang together by the "
                         "values they pass on",
                         "change the pinned kernels"};
    else
      explainAlone(operations, failure);
    return failure;
  }
  return std::nullopt;
}

/// Compiles the kernels that were not yet. Returns false when one of them now
/// costs something else or has no decision any more.
bool Planner::confirm(const KernelList &list) {
  bool same = true;
  for (unsigned number : list.all()) {
    const KernelSet &kernel = list.at(number);
    if (!list.graph.units[kernel.computes[0]].fixed)
      same &= prices.confirm(list.graph.operationsOf(kernel.computes),
                             list.graph.outputsOf(kernel.writes));
  }
  return same;
}

int64_t Planner::aloneBytes(unsigned operation) {
  const auto &results = graph.operations[operation].results;
  const KernelPrices::Price &alone = prices.price({operation}, results);
  return alone.decision ? alone.decision->evaluation.readBytes +
                              alone.decision->evaluation.writtenBytes
                        : Region(graph, {operation}, results).unfusedBytes();
}

/// What another state would cost, beside the kernels that it replaces.
Reason Planner::explainState(KernelList &list, const Set &removed,
                             llvm::SmallVector<Set, 3> sets) {
  std::optional<Proposal> other =
      list.propose(removed, std::move(sets), -1e300);
  if (!other)
    return {ncd::Cause::Impossible};
  if (!list.isAcyclic(other->removed, other->made))
    return {ncd::Cause::Circular};
  double now = 0;
  for (unsigned kernel : other->removed)
    now += list.costs.cost(list.at(kernel));
  for (const KernelSet &kernel : other->made) {
    if (!isRefused(list.costs, kernel))
      continue;
    if (list.costs.isForbidden(kernel.computes))
      return {ncd::Cause::Forbidden};
    auto operations = list.graph.operationsOf(kernel.computes);
    auto outputs = list.graph.outputsOf(kernel.writes);
    return {
        ncd::Cause::Refused, {}, {prices.refusal(operations, outputs).text}};
  }
  return {ncd::Cause::Priced, {std::llround(100 * (now - other->gain) / now)}};
}

/// Why arrays that the diagram does not return are written: the two ways to do
/// without each.
void Planner::explainWritten(KernelList &list, unsigned number,
                             std::vector<Choice> &choices) {
  const FusionGraph &units = list.graph;
  for (unsigned unit : list.at(number).writes) {
    if (units.units[unit].returned)
      continue;
    Set removed = unite(list.readersOf(unit), {number});
    Set joined;
    for (unsigned kernel : removed)
      joined = unite(joined, list.at(kernel).computes);
    if (list.costs.isForbidden(joined))
      continue; // somebody decided
    Set cone = units.close(list.at(number).computes, {unit});
    llvm::SmallVector<Set, 3> again;
    for (unsigned kernel : list.readersOf(unit))
      again.push_back(unite(list.at(kernel).computes, cone));
    again.push_back(list.at(number).computes);
    Reason whole = explainState(list, removed, {joined});
    Reason repeated = explainState(list, removed, again);
    const auto &results =
        graph.operations[units.units[unit].operations.back()].results;
    Choice choice{ncd::Subject::Written, graph.values[results[0]].name};
    choice.reasons.push_back({ncd::Cause::OneKernel});
    if (!(whole == repeated))
      choice.reasons.push_back(whole);
    choice.reasons.push_back({ncd::Cause::ComputedAgain});
    choice.reasons.push_back(repeated);
    if (list.costs.isTooLarge(unit))
      choice.reasons.push_back({ncd::Cause::TooLarge});
    choices.push_back(choice);
  }
}

PlannedKernel Planner::describe(KernelList &list, unsigned number) {
  const FusionGraph &units = list.graph;
  const KernelSet kernel = list.at(number);
  PlannedKernel result;
  llvm::append_range(result.operations, units.operationsOf(kernel.computes));
  if (units.units[kernel.computes[0]].fixed)
    return result;
  result.outputs = units.outputsOf(kernel.writes);
  for (unsigned operation : result.operations)
    result.unfusedBytes += aloneBytes(operation);
  result.decision = prices.decision(result.operations, result.outputs);
  explainWritten(list, number, result.decision->choices);
  return result;
}

/// The better of two descents, and then windows.
static KernelList search(FusionCosts &costs, Windows &windows) {
  KernelList runs = groupRuns(costs), joins = groupByGain(costs);
  for (KernelList *start : {&runs, &joins}) {
    descend(*start, start->all());
    recutNeighbours(*start);
  }
  KernelList best = joins.cycles() < runs.cycles() ? joins : runs;
  windows.improve(best);
  return best;
}

/// Returns false with \p failure filled in, or with units to take apart.
bool Planner::planUnits(FusionCosts &costs, std::vector<PlannedKernel> &result,
                        PlanFailure &failure) {
  while (true) {
    Windows windows(costs);
    KernelList list = search(costs, windows);
    if (std::optional<PlanFailure> found = findFailure(list)) {
      failure = *found;
      takeApart(list);
      return false;
    }
    // Ends: every round confirms a kernel that was not confirmed.
    if (!confirm(list)) {
      costs.forget();
      continue;
    }
    for (unsigned number : list.order())
      result.push_back(describe(list, number));
    return true;
  }
}

std::optional<std::vector<PlannedKernel>> Planner::plan(PlanFailure *failure) {
  while (true) {
    size_t before = apart.size();
    FusionGraph units(graph, hardware, apart);
    FusionCosts costs(units, prices);
    std::vector<PlannedKernel> result;
    PlanFailure why;
    if (planUnits(costs, result, why))
      return result;
    if (apart.size() > before)
      continue; // again with smaller units
    if (failure)
      *failure = why;
    return std::nullopt;
  }
}

std::optional<std::vector<PlannedKernel>> napkin::schedule::planKernels(
    const Graph &graph, const cost::Hardware &hardware,
    const GeneratorLimits &limits, const Pins &pins, const StreamOracle &oracle,
    const BlockOracle &block, PlanFailure *failure) {
  KernelPrices prices(graph, hardware, limits, pins, oracle, block);
  return planKernels(graph, hardware, prices, failure);
}

std::optional<std::vector<PlannedKernel>>
napkin::schedule::planKernels(const Graph &graph,
                              const cost::Hardware &hardware,
                              KernelPrices &prices, PlanFailure *failure) {
  return Planner(graph, hardware, prices).plan(failure);
}
