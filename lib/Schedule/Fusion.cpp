//===- Fusion.cpp - which operations share a kernel -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Dynamic programming over the runs of a depth-first order.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Fusion.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <limits>

using namespace napkin;
using namespace napkin::schedule;

/// Producers as late as possible before their first consumer; operations that
/// nothing needs are left out.
static llvm::SmallVector<unsigned, 16> consumerOrder(const Graph &graph) {
  llvm::SmallVector<unsigned, 16> order;
  std::vector<bool> placed(graph.operations.size(), false);
  // An explicit stack: diagrams may be deep.
  llvm::SmallVector<std::pair<unsigned, unsigned>, 16> stack;
  for (unsigned value : graph.returned) {
    if (graph.values[value].definition >= 0)
      stack.push_back({unsigned(graph.values[value].definition), 0});
    while (!stack.empty()) {
      auto &[index, next] = stack.back();
      const Operation &operation = graph.operations[index];
      if (placed[index]) {
        stack.pop_back();
        continue;
      }
      if (next == operation.operands.size()) {
        placed[index] = true;
        order.push_back(index);
        stack.pop_back();
        continue;
      }
      int definition = graph.values[operation.operands[next++]].definition;
      if (definition >= 0 && !placed[definition])
        stack.push_back({unsigned(definition), 0});
    }
  }
  return order;
}

/// True when the pins of \p order[first, last) allow one kernel, and nothing
/// outside is pinned to the same.
static bool respectsPins(const Graph &graph, llvm::ArrayRef<unsigned> order,
                         unsigned first, unsigned last) {
  std::optional<int64_t> kernel;
  for (unsigned i = first; i < last; ++i) {
    int64_t pinned = graph.operations[order[i]].pinnedKernel;
    if (pinned < 0)
      continue;
    if (kernel && *kernel != pinned)
      return false;
    kernel = pinned;
  }
  if (!kernel)
    return true;
  for (unsigned i = 0; i < order.size(); ++i)
    if ((i < first || i >= last) &&
        graph.operations[order[i]].pinnedKernel == *kernel)
      return false;
  return true;
}

std::optional<std::vector<PlannedKernel>> napkin::schedule::planKernels(
    const Graph &graph, const cost::Hardware &hardware,
    const GeneratorLimits &limits, const Pins &pins, const StreamOracle &oracle,
    PlanFailure *failure) {
  llvm::SmallVector<unsigned, 16> order = consumerOrder(graph);
  unsigned count = order.size();
  const double never = std::numeric_limits<double>::infinity();
  std::vector<double> cost(count + 1, never);
  std::vector<unsigned> start(count + 1, 0);
  std::vector<std::optional<Refusal>> alone(count);
  std::vector<int64_t> aloneBytes(count, 0);
  cost[0] = 0;
  for (unsigned last = 1; last <= count; ++last)
    for (unsigned first = last; first-- > 0;) {
      if (cost[first] == never && last - first > 1)
        continue;
      llvm::ArrayRef<unsigned> run =
          llvm::ArrayRef<unsigned>(order).slice(first, last - first);
      bool fixed = llvm::any_of(run, [&](unsigned index) {
        return graph.operations[index].kind == OperationKind::Fixed;
      });
      if ((fixed && run.size() > 1) || !respectsPins(graph, order, first, last))
        continue;
      double total = cost[first];
      if (!fixed) {
        Region region(graph, run);
        if (!region.isConnected())
          continue;
        Refusal refusal;
        std::optional<Decision> decision =
            searchPartition(region, hardware, limits, pins, oracle,
                            /*explain=*/false, &refusal);
        if (!decision) {
          // Alone, or together as somebody pinned it: nothing shorter will do.
          if (run.size() == 1 ||
              graph.operations[run.front()].pinnedKernel >= 0)
            alone[first] = refusal;
          continue;
        }
        total += decision->evaluation.times.total();
        if (run.size() == 1)
          aloneBytes[first] = decision->evaluation.readBytes +
                              decision->evaluation.writtenBytes;
      }
      if (total < cost[last]) {
        cost[last] = total;
        start[last] = first;
      }
    }

  if (cost[count] == never) {
    if (failure) {
      // The first operation past what could be covered, with its own reason.
      unsigned covered = 0;
      for (unsigned last = 1; last <= count; ++last)
        if (cost[last] != never)
          covered = last;
      unsigned culprit = std::min(covered, count - 1);
      for (unsigned i = culprit; i < count; ++i)
        if (alone[i]) {
          culprit = i;
          break;
        }
      failure->operation = order[culprit];
      failure->refusal =
          alone[culprit].value_or(Refusal{"the pinned kernels do not hang "
                                          "together by the values they pass on",
                                          "change the pinned kernels"});
    }
    return std::nullopt;
  }

  std::vector<PlannedKernel> kernels;
  for (unsigned last = count; last > 0; last = start[last]) {
    PlannedKernel kernel;
    for (unsigned i = start[last]; i < last; ++i) {
      kernel.operations.push_back(order[i]);
      kernel.unfusedBytes += aloneBytes[i]
                                 ? aloneBytes[i]
                                 : Region(graph, order[i]).unfusedBytes();
    }
    if (graph.operations[kernel.operations.front()].kind !=
        OperationKind::Fixed) {
      Region region(graph, kernel.operations);
      kernel.decision = searchPartition(region, hardware, limits, pins, oracle,
                                        /*explain=*/true, nullptr);
    }
    kernels.push_back(std::move(kernel));
  }
  std::reverse(kernels.begin(), kernels.end());
  return kernels;
}
