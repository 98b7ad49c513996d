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
#include <map>
#include <tuple>

using namespace napkin;
using namespace napkin::schedule;

using Order = llvm::SmallVector<unsigned, 16>;

namespace {
/// Which of an operation's producers are placed first.
enum class Visit { AsWritten, ShallowFirst, DeepFirst };

/// What is known of one set of operations.
struct RunResult {
  std::optional<Decision> decision;
  Refusal refusal;
  bool connected = true;
  /// True when the decision was compiled, and explained.
  bool confirmed = false;
};

/// One way to cut one order.
struct Cut {
  double cycles = std::numeric_limits<double>::infinity();
  Order order;
  llvm::SmallVector<unsigned, 16> start;
};

/// The search over orders and their runs.
class Planner {
public:
  Planner(const Graph &graph, const cost::Hardware &hardware,
          const GeneratorLimits &limits, const Pins &pins,
          const StreamOracle &oracle, const BlockOracle &block)
      : graph(graph), hardware(hardware), limits(limits), pins(pins),
        oracle(oracle), block(block) {}

  std::optional<std::vector<PlannedKernel>> plan(PlanFailure *failure);

private:
  Order consumerOrder(Visit visit) const;
  bool respectsPins(llvm::ArrayRef<unsigned> order, unsigned first,
                    unsigned last) const;
  RunResult &result(llvm::ArrayRef<unsigned> run);
  std::optional<Cut> bestCut(PlanFailure *failure);
  bool confirm(const Cut &cut);
  bool isFixed(const Cut &cut, unsigned first) const;
  Cut cut(const Order &order, PlanFailure &failure);
  int64_t aloneBytes(unsigned operation);
  double leastCycles(llvm::ArrayRef<unsigned> run) const;

  const Graph &graph;
  const cost::Hardware &hardware;
  const GeneratorLimits &limits;
  const Pins &pins;
  const StreamOracle &oracle;
  const BlockOracle &block;
  std::map<std::vector<unsigned>, RunResult> known;
};
} // namespace

/// Producers right before their first consumer; operations that nothing needs
/// are left out.
Order Planner::consumerOrder(Visit visit) const {
  // Length of the longest chain of producers; operations are topological.
  std::vector<unsigned> depth(graph.operations.size(), 0);
  auto depthOf = [&](unsigned value) -> unsigned {
    int definition = graph.values[value].definition;
    return definition < 0 ? 0 : depth[definition];
  };
  for (unsigned i = 0; i < graph.operations.size(); ++i)
    for (unsigned operand : graph.operations[i].operands)
      depth[i] = std::max(depth[i], depthOf(operand) + 1);

  Order order;
  std::vector<bool> placed(graph.operations.size(), false);
  struct Frame {
    unsigned index;
    llvm::SmallVector<unsigned, 4> pending; // values, last one first
  };
  // An explicit stack: diagrams may be deep.
  std::vector<Frame> stack;
  auto push = [&](unsigned value) {
    int definition = graph.values[value].definition;
    if (definition < 0 || placed[definition])
      return;
    // (rank, position, value); ties keep the order in which they are written.
    llvm::SmallVector<std::tuple<int64_t, unsigned, unsigned>, 4> ranked;
    for (unsigned operand : graph.operations[definition].operands)
      ranked.push_back({visit == Visit::AsWritten ? 0
                        : visit == Visit::ShallowFirst
                            ? int64_t(depthOf(operand))
                            : -int64_t(depthOf(operand)),
                        unsigned(ranked.size()), operand});
    llvm::sort(ranked);
    Frame frame{unsigned(definition), {}};
    for (const auto &[rank, position, operand] : llvm::reverse(ranked))
      frame.pending.push_back(operand);
    stack.push_back(std::move(frame));
  };
  for (unsigned value : graph.returned) {
    push(value);
    while (!stack.empty()) {
      unsigned index = stack.back().index;
      if (placed[index]) {
        stack.pop_back();
      } else if (stack.back().pending.empty()) {
        placed[index] = true;
        order.push_back(index);
        stack.pop_back();
      } else {
        push(stack.back().pending.pop_back_val());
      }
    }
  }
  return order;
}

/// True when the pins of \p order[first, last) allow one kernel, and nothing
/// outside is pinned to the same.
bool Planner::respectsPins(llvm::ArrayRef<unsigned> order, unsigned first,
                           unsigned last) const {
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

/// What the search says of \p run, asked once.
RunResult &Planner::result(llvm::ArrayRef<unsigned> run) {
  std::vector<unsigned> key = run.vec();
  llvm::sort(key);
  auto [entry, fresh] = known.try_emplace(key);
  RunResult &result = entry->second;
  if (!fresh)
    return result;
  Region region(graph, entry->first);
  result.connected = region.isConnected();
  if (result.connected)
    result.decision =
        searchPartition(region, hardware, limits, pins, oracle, /*block=*/{},
                        /*explain=*/false, &result.refusal);
  return result;
}

Cut Planner::cut(const Order &order, PlanFailure &failure) {
  const double never = std::numeric_limits<double>::infinity();
  unsigned count = order.size();
  std::vector<double> cycles(count + 1, never);
  std::vector<std::optional<Refusal>> refused(count);
  Cut result;
  result.order = order;
  result.start.assign(count + 1, 0);
  cycles[0] = 0;
  for (unsigned last = 1; last <= count; ++last)
    // Longest runs first: what they cost makes most others not worth a search.
    for (unsigned first = 0; first < last; ++first) {
      if (cycles[first] == never && last - first > 1)
        continue;
      llvm::ArrayRef<unsigned> run =
          llvm::ArrayRef<unsigned>(order).slice(first, last - first);
      bool fixed = llvm::any_of(run, [&](unsigned index) {
        return graph.operations[index].kind == OperationKind::Fixed;
      });
      if ((fixed && run.size() > 1) || !respectsPins(order, first, last))
        continue;
      double total = cycles[first];
      if (total + (fixed ? 0 : leastCycles(run)) >= cycles[last])
        continue;
      if (!fixed) {
        const RunResult &found = this->result(run);
        if (!found.decision) {
          // Alone, or together as somebody pinned it: nothing shorter will do.
          if (found.connected &&
              (run.size() == 1 ||
               graph.operations[run.front()].pinnedKernel >= 0))
            refused[first] = found.refusal;
          continue;
        }
        total += found.decision->evaluation.times.total();
      }
      if (total < cycles[last]) {
        cycles[last] = total;
        result.start[last] = first;
      }
    }
  result.cycles = cycles[count];
  if (result.cycles != never)
    return result;

  // The first operation past what could be covered, with its own reason.
  unsigned covered = 0;
  for (unsigned last = 1; last <= count; ++last)
    if (cycles[last] != never)
      covered = last;
  unsigned culprit = std::min(covered, count - 1);
  for (unsigned i = culprit; i < count; ++i)
    if (refused[i]) {
      culprit = i;
      break;
    }
  failure.operation = order[culprit];
  failure.refusal = refused[culprit].value_or(
      Refusal{"the pinned kernels do not hang together by the values they pass "
              "on",
              "change the pinned kernels"});
  return result;
}

/// No kernel of \p run takes less: a launch, and every array crossing once.
double Planner::leastCycles(llvm::ArrayRef<unsigned> run) const {
  double bytes = 0;
  auto add = [&](unsigned value) {
    double size = double(graph.values[value].bytes());
    for (unsigned axis : graph.values[value].axes)
      size *= double(graph.axes[axis].size);
    bytes += size;
  };
  Region region(graph, run);
  llvm::for_each(region.inputs, add);
  llvm::for_each(region.outputs, add);
  return double(hardware.launchCycles) +
         bytes / hardware.level("global").bytesPerCycle;
}

int64_t Planner::aloneBytes(unsigned operation) {
  const RunResult &found = result(operation);
  return found.decision ? found.decision->evaluation.readBytes +
                              found.decision->evaluation.writtenBytes
                        : Region(graph, operation).unfusedBytes();
}

/// The cheapest way to cut any of the orders.
std::optional<Cut> Planner::bestCut(PlanFailure *failure) {
  // Runs depend on the order. A chain that ends in an operation with two
  // producers stays together only if the shorter of them comes before it.
  std::vector<Order> tried;
  Cut best;
  for (Visit visit :
       {Visit::ShallowFirst, Visit::AsWritten, Visit::DeepFirst}) {
    Order order = consumerOrder(visit);
    if (order.empty())
      return Cut();
    if (llvm::is_contained(tried, order))
      continue;
    tried.push_back(order);
    PlanFailure why;
    Cut attempt = cut(order, why);
    if (attempt.cycles < best.cycles)
      best = std::move(attempt);
    else if (failure && best.order.empty())
      *failure = why;
  }
  if (best.order.empty())
    return std::nullopt;
  return best;
}

/// Whether the kernel of \p cut that begins at \p first was formed already.
bool Planner::isFixed(const Cut &cut, unsigned first) const {
  return graph.operations[cut.order[first]].kind == OperationKind::Fixed;
}

/// Compiles the kernels of \p cut that were not yet. Returns false when one of
/// them now costs something else or has no decision any more.
bool Planner::confirm(const Cut &cut) {
  bool same = true;
  for (unsigned last = cut.order.size(); last > 0; last = cut.start[last]) {
    unsigned first = cut.start[last];
    if (isFixed(cut, first))
      continue;
    llvm::ArrayRef<unsigned> run =
        llvm::ArrayRef<unsigned>(cut.order).slice(first, last - first);
    RunResult &known = result(run);
    if (known.confirmed)
      continue;
    known.confirmed = true;
    double before = known.decision->evaluation.times.total();
    Region region(graph, llvm::SmallVector<unsigned, 8>(run));
    known.decision = searchPartition(region, hardware, limits, pins, oracle,
                                     block, /*explain=*/true, &known.refusal);
    same &=
        known.decision && known.decision->evaluation.times.total() == before;
  }
  return same;
}

std::optional<std::vector<PlannedKernel>> Planner::plan(PlanFailure *failure) {
  std::optional<Cut> best = bestCut(failure);
  // Ends: every round confirms a run that was not confirmed.
  while (best && !confirm(*best))
    best = bestCut(failure);
  if (!best)
    return std::nullopt;

  std::vector<PlannedKernel> kernels;
  for (unsigned last = best->order.size(); last > 0; last = best->start[last]) {
    PlannedKernel kernel;
    for (unsigned i = best->start[last]; i < last; ++i)
      kernel.operations.push_back(best->order[i]);
    if (!isFixed(*best, best->start[last])) {
      for (unsigned operation : kernel.operations)
        kernel.unfusedBytes += aloneBytes(operation);
      kernel.decision = result(kernel.operations).decision;
    }
    kernels.push_back(std::move(kernel));
  }
  std::reverse(kernels.begin(), kernels.end());
  return kernels;
}

std::optional<std::vector<PlannedKernel>> napkin::schedule::planKernels(
    const Graph &graph, const cost::Hardware &hardware,
    const GeneratorLimits &limits, const Pins &pins, const StreamOracle &oracle,
    const BlockOracle &block, PlanFailure *failure) {
  return Planner(graph, hardware, limits, pins, oracle, block).plan(failure);
}
