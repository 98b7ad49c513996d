//===- OptimumTest.cpp - plans beside the best of all plans -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// On small random diagrams all lists of kernels can be tried. The search must
// come close to the best, by the same prices; and prices must have the laws
// that the search relies on.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Fusion.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace napkin;
using namespace napkin::schedule;

namespace {
const cost::Hardware &machine() { return *cost::findHardware("a100_80gb"); }

/// A graph of \p count maps, reductions and contracts with axes, sizes and
/// operands by lot. Whatever nothing reads is returned.
class RandomGraph {
public:
  RandomGraph(unsigned count, unsigned seed) : random(seed) {
    for (const char *name : {"a", "b", "c", "d"})
      graph.axes.push_back({name, int64_t(64) << below(7)});
    for (unsigned i = 0, inputs = 1 + below(3); i < inputs; ++i)
      addValue(someAxes(), below(4) ? 16 : 32);
    while (graph.operations.size() < count)
      addOperation();
    std::vector<bool> read(graph.values.size(), false);
    for (const Operation &operation : graph.operations)
      for (unsigned operand : operation.operands)
        read[operand] = true;
    for (unsigned value = 0; value < graph.values.size(); ++value)
      if (graph.values[value].definition >= 0 && (!read[value] || !below(8)))
        graph.returned.push_back(value);
  }

  Graph graph;

private:
  using Axes = llvm::SmallVector<unsigned, 4>;

  unsigned below(unsigned end) { return unsigned(random() % end); }

  Axes someAxes() {
    Axes axes = {below(4)};
    unsigned other = below(4);
    if (other != axes[0])
      axes.push_back(other);
    return axes;
  }

  unsigned addValue(Axes axes, unsigned bits) {
    ArrayValue value;
    value.name = "v" + std::to_string(graph.values.size());
    value.axes = std::move(axes);
    value.bits = bits;
    graph.values.push_back(std::move(value));
    return graph.values.size() - 1;
  }

  /// A value that was made lately, more often than another.
  unsigned someValue() {
    unsigned count = graph.values.size();
    return below(2) ? below(count) : count - 1 - below(std::min(count, 3u));
  }

  Axes unionOf(unsigned a, unsigned b) {
    Axes axes = graph.values[a].axes;
    for (unsigned axis : graph.values[b].axes)
      if (!llvm::is_contained(axes, axis))
        axes.push_back(axis);
    return axes;
  }

  void finish(Operation operation, Axes axes, unsigned bits) {
    unsigned result = addValue(std::move(axes), bits);
    graph.values[result].definition = int(graph.operations.size());
    operation.results = {result};
    graph.operations.push_back(std::move(operation));
  }

  void addOperation() {
    Operation operation;
    unsigned first = someValue();
    operation.operands = {first};
    switch (below(3)) {
    case 0:
      if (below(2) && unionOf(first, someValue()).size() <= 2) {
        unsigned second = someValue();
        if (second != first && unionOf(first, second).size() <= 2)
          operation.operands.push_back(second);
      }
      operation.simple = 1 + below(8);
      operation.special = below(2);
      finish(operation, unionOf(first, operation.operands.back()),
             below(2) ? 16 : 32);
      return;
    case 1: {
      Axes axes = graph.values[first].axes;
      if (axes.empty())
        return;
      operation.kind = OperationKind::Reduce;
      operation.simple = 1;
      operation.over = {axes[below(axes.size())]};
      llvm::erase(axes, operation.over[0]);
      finish(operation, axes, 32);
      return;
    }
    default:
      addContract(first);
    }
  }

  /// Two factors with one axis in common and one each of their own.
  void addContract(unsigned first) {
    unsigned second = below(2) ? someValue() : addValue(someAxes(), 16);
    const ArrayValue &left = graph.values[first], &right = graph.values[second];
    Axes axes = unionOf(first, second);
    if (left.axes.size() != 2 || right.axes.size() != 2 || axes.size() != 3)
      return;
    Operation operation;
    operation.kind = OperationKind::Contract;
    operation.operands = {first, second};
    for (unsigned axis : left.axes)
      if (right.carries(axis))
        operation.over = {axis};
    llvm::erase(axes, operation.over[0]);
    bool narrow = left.bits == 16 && right.bits == 16;
    operation.instruction = target::lookupTarget("sm_80")->choose(
        narrow ? target::Element::BF16 : target::Element::F32,
        target::Element::F32);
    finish(operation, axes, below(2) ? 16 : 32);
  }

  std::mt19937 random;
};

/// Everything streams; what reads another reduction is corrected.
StreamOracle everything(const Graph &graph) {
  return [&graph](llvm::ArrayRef<unsigned> operations, llvm::ArrayRef<unsigned>,
                  unsigned axis) {
    StreamVerdict verdict;
    verdict.legal = true;
    for (unsigned index : operations)
      if (llvm::is_contained(graph.operations[index].over, axis))
        verdict.state.push_back(
            {graph.values[graph.operations[index].results[0]].axes, 32,
             !verdict.state.empty()});
    return verdict;
  };
}

/// The prices of one graph, with what they refer to.
struct Prices {
  explicit Prices(const Graph &graph)
      : graph(graph), oracle(everything(graph)),
        prices(graph, machine(), limits, pins, oracle, block) {}

  const Graph &graph;
  GeneratorLimits limits;
  Pins pins;
  StreamOracle oracle;
  BlockOracle block;
  KernelPrices prices;

  llvm::SmallVector<unsigned, 16> listOf(unsigned mask) const {
    llvm::SmallVector<unsigned, 16> list;
    for (unsigned i = 0; mask >> i; ++i)
      if (mask >> i & 1)
        list.push_back(i);
    return list;
  }
  llvm::SmallVector<unsigned, 4> resultsOf(unsigned mask) const {
    llvm::SmallVector<unsigned, 4> results;
    for (unsigned index : listOf(mask))
      results.push_back(graph.operations[index].results[0]);
    return results;
  }
  /// Cycles of the kernel that computes and writes so.
  double cost(unsigned computes, unsigned writes) {
    return prices.cost(listOf(computes), resultsOf(writes));
  }
  /// The operations whose results operation \p index reads.
  unsigned producersOf(unsigned index) const {
    unsigned mask = 0;
    for (unsigned operand : graph.operations[index].operands)
      if (graph.values[operand].definition >= 0)
        mask |= 1u << graph.values[operand].definition;
    return mask;
  }
  /// What of \p computes the results of \p writes need.
  unsigned close(unsigned computes, unsigned writes) const {
    unsigned needed = writes;
    for (unsigned i = graph.operations.size(); i-- > 0;)
      if (needed >> i & 1)
        needed |= producersOf(i) & computes;
    return needed;
  }
  bool isConnected(unsigned computes) const {
    return Region(graph, listOf(computes)).isConnected();
  }
  bool hasContract(unsigned computes) const {
    return llvm::any_of(listOf(computes), [&](unsigned index) {
      return graph.operations[index].kind == OperationKind::Contract;
    });
  }
  /// What no kernel that computes and writes so can be below.
  double least(unsigned computes, unsigned writes) const {
    Region region(graph, listOf(computes), resultsOf(writes));
    double cycles = double(machine().launchCycles);
    for (unsigned index : region.operations)
      cycles += leastCycles(graph, graph.operations[index], machine());
    for (unsigned value : region.inputs)
      cycles += leastCycles(graph, value, machine());
    for (unsigned value : region.outputs)
      cycles += leastCycles(graph, value, machine());
    return cycles;
  }
};

/// The least cycles of any list of kernels, if below \p bound: the shortest
/// path over sets of written results.
double optimum(Prices &prices, double bound) {
  const Graph &graph = prices.graph;
  unsigned count = graph.operations.size(), all = (1u << count) - 1;
  unsigned returned = 0;
  for (unsigned value : graph.returned)
    returned |= 1u << graph.values[value].definition;
  std::vector<unsigned> producers(count), users(count, 0);
  for (unsigned i = 0; i < count; ++i) {
    producers[i] = prices.producersOf(i);
    for (unsigned producer : prices.listOf(producers[i]))
      users[producer] |= 1u << i;
  }
  struct Kernel {
    double cycles;
    unsigned reads, writes;
  };
  std::vector<Kernel> kernels;
  for (unsigned computes = 1; computes <= all; ++computes) {
    unsigned ends = 0, reads = 0;
    for (unsigned i : prices.listOf(computes)) {
      reads |= producers[i] & ~computes;
      ends |= users[i] & computes ? 0 : 1u << i;
    }
    unsigned inner = computes & ~ends;
    for (unsigned more = inner;; more = (more - 1) & inner) {
      double cycles = prices.least(computes, ends | more);
      if (cycles < bound)
        cycles = prices.cost(computes, ends | more);
      if (cycles < bound)
        kernels.push_back({cycles, reads, ends | more});
      if (!more)
        break;
    }
  }
  std::vector<double> cycles(all + 1, INFINITY);
  cycles[0] = 0;
  for (unsigned written = 0; written <= all; ++written) {
    if (!(returned & ~written))
      bound = std::min(bound, cycles[written]);
    if (cycles[written] >= bound)
      continue;
    for (const Kernel &kernel : kernels)
      if (!(kernel.reads & ~written))
        cycles[written | kernel.writes] = std::min(
            cycles[written | kernel.writes], cycles[written] + kernel.cycles);
  }
  return bound;
}

double cyclesOf(Prices &prices, llvm::ArrayRef<PlannedKernel> kernels) {
  double cycles = 0;
  for (const PlannedKernel &kernel : kernels)
    cycles += prices.prices.cost(kernel.operations, kernel.outputs);
  return cycles;
}

/// Every result that is returned is written, once, and what a kernel reads was
/// written by one before it.
void checkPlan(const Graph &graph, llvm::ArrayRef<PlannedKernel> kernels) {
  std::vector<bool> written(graph.values.size(), false);
  for (const PlannedKernel &kernel : kernels) {
    Region region(graph, kernel.operations, kernel.outputs);
    for (unsigned input : region.inputs)
      EXPECT_TRUE(graph.values[input].definition < 0 || written[input]);
    EXPECT_EQ(region.outputs.size(), kernel.outputs.size());
    for (unsigned output : kernel.outputs) {
      EXPECT_FALSE(written[output]);
      written[output] = true;
    }
  }
  for (unsigned value : graph.returned)
    EXPECT_TRUE(written[value]);
}
} // namespace

TEST(Optimum, PlansAreWithinOnePercentOfTheBest) {
  double sum = 0, worst = 1;
  unsigned count = 0, best = 0;
  const unsigned graphs = 250;
  for (unsigned seed = 0; seed < graphs; ++seed) {
    RandomGraph random(3 + seed % 7, seed);
    Prices prices(random.graph);
    PlanFailure failure;
    auto plan = planKernels(random.graph, machine(), prices.prices, &failure);
    if (!plan)
      continue; // some operation has no kernel at all
    checkPlan(random.graph, *plan);
    double found = cyclesOf(prices, *plan);
    double ratio = found / optimum(prices, found * (1 + 1e-9));
    sum += ratio;
    worst = std::max(worst, ratio);
    best += ratio < 1.0005;
    ++count;
    if (ratio > 1.01)
      printf("seed %u: %.4f\n", seed, ratio);
  }
  printf("%u graphs: mean %.4f, worst %.4f, %u optimal\n", count, sum / count,
         worst, best);
  EXPECT_GE(count, graphs * 2 / 3);
  EXPECT_LE(sum / count, 1.01);
}

TEST(Optimum, NoPriceIsBelowItsBound) {
  for (unsigned seed = 100; seed < 130; ++seed) {
    RandomGraph random(5, seed);
    Prices prices(random.graph);
    for (unsigned computes = 1; computes < 32; ++computes)
      for (unsigned writes = computes; writes; writes = (writes - 1) & computes)
        if (prices.close(computes, writes) == computes)
          EXPECT_LE(prices.least(computes, writes),
                    prices.cost(computes, writes) * (1 + 1e-9));
  }
}

TEST(Optimum, WritingMoreIsNeverCheaper) {
  // With the same operations, and with those that are then needed no more.
  double worst = 1, worstOfFewer = 1;
  unsigned compared = 0, refused = 0;
  for (unsigned seed = 200; seed < 260; ++seed) {
    RandomGraph random(5, seed);
    Prices prices(random.graph);
    for (unsigned computes = 1; computes < 32; ++computes)
      for (unsigned writes = computes; writes;
           writes = (writes - 1) & computes) {
        if (prices.close(computes, writes) != computes)
          continue;
        double cycles = prices.cost(computes, writes);
        if (std::isinf(cycles))
          continue;
        for (unsigned fewer = (writes - 1) & writes; fewer;
             fewer = (fewer - 1) & writes) {
          unsigned closed = prices.close(computes, fewer);
          // Strangers are no kernel; and only kernels without contracts are
          // charged for a machine that they do not fill.
          if (!prices.isConnected(closed) ||
              prices.hasContract(closed) != prices.hasContract(computes))
            continue;
          double ratio = prices.cost(closed, fewer) / cycles;
          ++compared;
          if (std::isinf(ratio)) {
            ++refused;
            EXPECT_NE(closed, computes);
            continue;
          }
          double &most = closed == computes ? worst : worstOfFewer;
          most = std::max(most, ratio);
        }
      }
  }
  printf("worst %.4f, with fewer operations %.4f, of %u pairs %u refused\n",
         worst, worstOfFewer, compared, refused);
  // Of estimates within 1 % the fuller grid is taken.
  EXPECT_LE(worst, 1.01);
  // Which axis warps take by rows, and that a short row is one warp's, follows
  // from the operations; a partition of more may be none of fewer (1.10 is the
  // worst of a thousand graphs).
  EXPECT_LE(worstOfFewer, 1.15);
  EXPECT_LE(refused * 50, compared);
}
