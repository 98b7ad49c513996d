//===- FusionTest.cpp - schedules of hand-written graphs --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The choices that the cost model must arrive at by itself.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Fusion.h"
#include "gtest/gtest.h"

using namespace napkin;
using namespace napkin::schedule;

namespace {
/// Builds a graph by axis names: "h q d".
struct Builder {
  Graph graph;

  unsigned array(const std::string &axes, unsigned bits) {
    ArrayValue value;
    value.name = "v" + std::to_string(graph.values.size());
    value.bits = bits;
    for (size_t at = 0; at < axes.size(); at += 2)
      value.axes.push_back(*graph.findAxis(axes.substr(at, 1)));
    graph.values.push_back(value);
    return graph.values.size() - 1;
  }
  unsigned make(OperationKind kind, llvm::ArrayRef<unsigned> operands,
                const std::string &over, const std::string &axes, unsigned bits,
                int64_t simple = 1, int64_t special = 0) {
    unsigned result = array(axes, bits);
    Operation operation;
    operation.kind = kind;
    operation.operands.assign(operands.begin(), operands.end());
    operation.results = {result};
    if (!over.empty())
      operation.over = {*graph.findAxis(over)};
    operation.simple = simple;
    operation.special = special;
    graph.values[result].definition = graph.operations.size();
    graph.operations.push_back(operation);
    return result;
  }
  unsigned contract(unsigned a, unsigned b, const std::string &over,
                    const std::string &axes, unsigned bits = 32) {
    return make(OperationKind::Contract, {a, b}, over, axes, bits);
  }
  unsigned map(llvm::ArrayRef<unsigned> operands, const std::string &axes,
               unsigned bits = 32, int64_t special = 0) {
    return make(OperationKind::Map, operands, "", axes, bits, 1, special);
  }
  unsigned reduce(unsigned a, const std::string &over,
                  const std::string &axes) {
    return make(OperationKind::Reduce, {a}, over, axes, 32);
  }
};

/// Everything streams; reductions over the axis are the state, and those that
/// read another reduction are corrected.
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

Builder attention(int64_t heads, int64_t queries, int64_t keys, int64_t width) {
  Builder b;
  b.graph.axes = {{"h", heads}, {"q", queries}, {"d", width}, {"x", keys}};
  unsigned q = b.array("h q d", 16), k = b.array("h x d", 16);
  unsigned v = b.array("h x d", 16);
  unsigned s = b.contract(q, k, "d", "h q x");
  unsigned t = b.map({s}, "h q x");
  unsigned m = b.reduce(t, "x", "h q");
  unsigned safe = b.map({m}, "h q");
  unsigned e = b.map({t, safe}, "h q x", 32, 1);
  unsigned l = b.reduce(e, "x", "h q");
  unsigned p = b.map({e, l}, "h q x", 16, 1);
  unsigned o = b.contract(p, v, "x", "h q d", 16);
  b.graph.returned = {o};
  return b;
}

void chooseInstructions(Graph &graph, const cost::Hardware &hardware) {
  for (Operation &operation : graph.operations)
    if (operation.kind == OperationKind::Contract) {
      bool wide = graph.values[operation.operands[0]].bits == 32;
      operation.instruction =
          target::lookupTarget(hardware.target)
              ->choose(wide ? target::Element::F32 : target::Element::BF16,
                       target::Element::F32);
    }
}

std::vector<PlannedKernel> plan(Graph &graph, const Pins &pins = {},
                                const char *machine = "a100_80gb") {
  static GeneratorLimits limits;
  PlanFailure failure;
  const cost::Hardware &hardware = *cost::findHardware(machine);
  chooseInstructions(graph, hardware);
  std::optional<std::vector<PlannedKernel>> kernels = planKernels(
      graph, hardware, limits, pins, everything(graph), /*block=*/{}, &failure);
  EXPECT_TRUE(kernels) << failure.refusal.text;
  if (!kernels)
    return {};
  for (const PlannedKernel &kernel : *kernels)
    for (const Choice &choice : kernel.decision->choices)
      if (getenv("NAPKIN_PRINT_REASONS"))
        fprintf(stderr, "%s\n", sentenceOf(choice).c_str());
  return *kernels;
}

int64_t extent(const Graph &graph, const PlannedKernel &kernel,
               const char *axis) {
  return kernel.decision->candidate.extent[*graph.findAxis(axis)];
}
} // namespace

TEST(Plan, AttentionOfTheExample) {
  Builder b = attention(4, 512, 512, 128);
  std::vector<PlannedKernel> kernels = plan(b.graph);
  ASSERT_EQ(kernels.size(), 1u);
  const Decision &decision = *kernels[0].decision;
  EXPECT_EQ(extent(b.graph, kernels[0], "h"), 1);
  // 32 rows a warp: each key is read for twice as many rows.
  EXPECT_EQ(extent(b.graph, kernels[0], "q"), 256);
  EXPECT_EQ(decision.candidate.stream, b.graph.findAxis("x"));
  EXPECT_EQ(extent(b.graph, kernels[0], "x"), 32);
  EXPECT_EQ(decision.candidate.warps, 8);
  EXPECT_EQ(decision.candidate.stages, 2);
  EXPECT_EQ(decision.evaluation.readBytes + decision.evaluation.writtenBytes,
            3145728);
  EXPECT_TRUE(decision.candidate.padded);
  EXPECT_TRUE(decision.candidate.reread);
  EXPECT_EQ(decision.parts, 4);
}

TEST(Plan, AttentionWithNarrowHeads) {
  Builder b = attention(4, 512, 512, 64);
  std::vector<PlannedKernel> kernels = plan(b.graph);
  ASSERT_EQ(kernels.size(), 1u);
  EXPECT_EQ(extent(b.graph, kernels[0], "q"), 256);
  EXPECT_GE(extent(b.graph, kernels[0], "x"), 64);
  EXPECT_LE(extent(b.graph, kernels[0], "x"), 128);
  EXPECT_EQ(kernels[0].decision->candidate.stages, 2);
}

TEST(Plan, AttentionOnTheSmallerMachine) {
  Builder b = attention(4, 512, 512, 128);
  std::vector<PlannedKernel> kernels = plan(b.graph, {}, "rtx_3090");
  ASSERT_EQ(kernels.size(), 1u);
  EXPECT_LE(kernels[0].decision->evaluation.sharedBytes, 99 * 1024);
}

TEST(Plan, ProductOfTwoThousand) {
  Builder b;
  b.graph.axes = {{"a", 2048}, {"b", 2048}, {"c", 2048}};
  unsigned left = b.array("a b", 16), right = b.array("b c", 16);
  b.graph.returned = {b.contract(left, right, "b", "a c", 16)};
  std::vector<PlannedKernel> kernels = plan(b.graph);
  ASSERT_EQ(kernels.size(), 1u);
  const Decision &decision = *kernels[0].decision;
  EXPECT_EQ(extent(b.graph, kernels[0], "a"), 128);
  EXPECT_EQ(extent(b.graph, kernels[0], "c"), 128);
  EXPECT_EQ(extent(b.graph, kernels[0], "b"), 64);
  EXPECT_EQ(decision.candidate.warps, 4);
  EXPECT_EQ(decision.evaluation.warpRows, 2);
  EXPECT_EQ(decision.evaluation.warpColumns, 2);
  EXPECT_GE(decision.candidate.stages, 3);
}

TEST(Plan, SmallProductAndLargeProduct) {
  for (int64_t size : {512, 8192}) {
    Builder b;
    b.graph.axes = {{"a", size}, {"b", size}, {"c", size}};
    unsigned left = b.array("a b", 16), right = b.array("b c", 16);
    b.graph.returned = {b.contract(left, right, "b", "a c", 16)};
    EXPECT_EQ(plan(b.graph).size(), 1u);
  }
}

TEST(Plan, ChainedProductsShareAKernelWhereTheMiddleFits) {
  Builder b;
  b.graph.axes = {{"a", 512}, {"b", 64}, {"c", 512}, {"d", 64}};
  unsigned left = b.array("a b", 16), middle = b.array("b c", 16);
  unsigned right = b.array("c d", 16);
  unsigned inner = b.contract(left, middle, "b", "a c", 16);
  b.graph.returned = {b.contract(inner, right, "c", "a d", 16)};
  EXPECT_EQ(plan(b.graph).size(), 1u);
}

TEST(Plan, ChainedProductsSplitWhereItDoesNot) {
  Builder b;
  b.graph.axes = {{"a", 2048}, {"b", 2048}, {"c", 2048}, {"d", 2048}};
  unsigned left = b.array("a b", 16), middle = b.array("b c", 16);
  unsigned right = b.array("c d", 16);
  unsigned inner = b.contract(left, middle, "b", "a c", 16);
  b.graph.returned = {b.contract(inner, right, "c", "a d", 16)};
  EXPECT_EQ(plan(b.graph).size(), 2u);
}

TEST(Plan, RowSoftmaxKeepsRowsResident) {
  Builder b;
  b.graph.axes = {{"a", 512}, {"x", 1024}};
  unsigned t = b.array("a x", 16);
  unsigned m = b.reduce(t, "x", "a");
  unsigned e = b.map({t, m}, "a x", 32, 1);
  unsigned l = b.reduce(e, "x", "a");
  b.graph.returned = {b.map({e, l}, "a x", 16, 1)};
  std::vector<PlannedKernel> kernels = plan(b.graph);
  ASSERT_EQ(kernels.size(), 1u);
  EXPECT_FALSE(kernels[0].decision->candidate.stream);
  EXPECT_EQ(extent(b.graph, kernels[0], "x"), 1024);
  EXPECT_EQ(kernels[0].decision->evaluation.readBytes, 512 * 1024 * 2);
}

TEST(Plan, PinsAreKept) {
  Builder b = attention(4, 512, 512, 128);
  Pins pins;
  pins.group["q"] = 64;
  pins.stream["x"] = 32;
  pins.stages = 3;
  std::vector<PlannedKernel> kernels = plan(b.graph, pins);
  ASSERT_EQ(kernels.size(), 1u);
  EXPECT_EQ(extent(b.graph, kernels[0], "q"), 64);
  EXPECT_EQ(extent(b.graph, kernels[0], "x"), 32);
  EXPECT_EQ(kernels[0].decision->candidate.warps, 4);
  EXPECT_EQ(kernels[0].decision->candidate.stages, 3);
}

TEST(Plan, AValueThatIsAlsoReturnedIsCounted) {
  Builder b = attention(1, 128, 128, 64);
  b.graph.returned.push_back(3); // the scores too
  for (const PlannedKernel &kernel : plan(b.graph))
    for (unsigned index : kernel.operations)
      if (index == 0) {
        Region region(b.graph, kernel.operations);
        EXPECT_TRUE(llvm::is_contained(region.outputs, 3u));
      }
}

TEST(Plan, FactorsWithoutAMatrixInstruction) {
  auto product = [](unsigned bits) {
    Builder b;
    b.graph.axes = {{"a", 512}, {"b", 512}, {"c", 512}};
    unsigned left = b.array("a b", bits), right = b.array("b c", bits);
    b.graph.returned = {b.contract(left, right, "b", "a c")};
    return plan(b.graph);
  };
  std::vector<PlannedKernel> fast = product(16), slow = product(32);
  ASSERT_EQ(fast.size(), 1u);
  ASSERT_EQ(slow.size(), 1u);
  const Times &tensor = fast[0].decision->evaluation.times;
  const Times &scalar = slow[0].decision->evaluation.times;
  EXPECT_GT(tensor.tensor, 0);
  EXPECT_EQ(scalar.tensor, 0);
  EXPECT_GT(scalar.scalar, 4 * tensor.tensor);
}

//===----------------------------------------------------------------------===//
// Kernels that compute what others compute too
//===----------------------------------------------------------------------===//

namespace {
Builder softmaxOfLongRows() {
  Builder b;
  b.graph.axes = {{"a", 768}, {"x", 131072}};
  unsigned t = b.array("a x", 16);
  unsigned m = b.reduce(t, "x", "a");
  unsigned e = b.map({t, m}, "a x", 32, 1);
  unsigned l = b.reduce(e, "x", "a");
  b.graph.returned = {b.map({e, l}, "a x", 16, 1)};
  return b;
}

/// The gradients of attention, from the scores on.
Builder backward(int64_t length) {
  Builder b;
  b.graph.axes = {{"h", 16}, {"q", length}, {"d", 64}, {"x", length}};
  unsigned q = b.array("h q d", 16), k = b.array("h x d", 16);
  unsigned v = b.array("h x d", 16), o = b.array("h q d", 16);
  unsigned l = b.array("h q", 32), delta = b.array("h q", 32);
  unsigned p = b.map({b.contract(q, k, "d", "h q x"), l}, "h q x", 16, 1);
  unsigned dp = b.contract(o, v, "d", "h q x");
  unsigned ds = b.map({p, dp, delta}, "h q x", 16);
  b.graph.returned = {b.contract(ds, k, "x", "h q d", 16),
                      b.contract(ds, q, "q", "h x d", 16),
                      b.contract(p, o, "q", "h x d", 16)};
  return b;
}

/// \p count times the square mean of a row, its norm and a product, over axes
/// of their own.
Graph layers(unsigned count) {
  Builder b;
  b.graph.axes = {{"m", 4096}, {"0", 1024}};
  unsigned x = b.array("m 0", 16);
  for (unsigned i = 0; i < count; ++i) {
    unsigned from = i + 1, to = i + 2;
    b.graph.axes.push_back({"n" + std::to_string(i), 1024});
    auto over = [&](unsigned value, llvm::ArrayRef<unsigned> axes) {
      b.graph.values[value].axes.assign(axes.begin(), axes.end());
      return value;
    };
    unsigned squares = over(b.map({x}, "", 32), {0, from});
    unsigned sum = over(b.reduce(squares, "", ""), {0});
    b.graph.operations.back().over = {from};
    unsigned norm = over(b.map({x, sum}, "", 16, 1), {0, from});
    unsigned weights = over(b.array("", 16), {from, to});
    x = over(b.contract(norm, weights, "", "", 16), {0, to});
    b.graph.operations.back().over = {from};
  }
  b.graph.returned = {x};
  return b.graph;
}

/// Searches for partitions that planning \p graph takes.
unsigned searchesOf(Graph graph, size_t kernels) {
  GeneratorLimits limits;
  const cost::Hardware &hardware = *cost::findHardware("a100_80gb");
  chooseInstructions(graph, hardware);
  Pins pins;
  StreamOracle oracle = everything(graph);
  BlockOracle block;
  KernelPrices prices(graph, hardware, limits, pins, oracle, block);
  auto plan = planKernels(graph, hardware, prices, nullptr);
  EXPECT_TRUE(plan);
  EXPECT_EQ(plan->size(), kernels);
  return prices.searches();
}
} // namespace

TEST(Recomputation, RowsThatNoBlockHoldsAreReadTwice) {
  Builder b = softmaxOfLongRows();
  std::vector<PlannedKernel> kernels = plan(b.graph);
  // Two kernels that both compute the exponential, or one with two loops.
  ASSERT_LE(kernels.size(), 2u);
  int64_t rows = 768ll * 131072 * 2, read = 0, written = 0;
  for (const PlannedKernel &kernel : kernels) {
    EXPECT_TRUE(llvm::is_contained(kernel.operations, 1u)); // the exponential
    read += kernel.decision->evaluation.readBytes;
    written += kernel.decision->evaluation.writtenBytes;
  }
  EXPECT_LT(read, rows * 2 + rows / 100);
  EXPECT_LT(written, rows + rows / 100);
}

TEST(Recomputation, WhatIsPinnedIsComputedOnce) {
  Builder b = softmaxOfLongRows();
  b.graph.operations[1].pinnedKernel = 0;
  unsigned computed = 0;
  for (const PlannedKernel &kernel : plan(b.graph))
    computed += llvm::is_contained(kernel.operations, 1u);
  EXPECT_EQ(computed, 1u);
}

TEST(Recomputation, ScoresAreNotWrittenForTheirGradients) {
  for (int64_t length : {512, 4096}) {
    Builder b = backward(length);
    std::vector<PlannedKernel> kernels = plan(b.graph);
    EXPECT_EQ(kernels.size(), 2u);
    for (const PlannedKernel &kernel : kernels)
      for (unsigned output : kernel.outputs)
        EXPECT_TRUE(llvm::is_contained(b.graph.returned, output));
  }
}

TEST(Recomputation, SaysWhyArraysAreWritten) {
  Graph graph = layers(1);
  std::vector<PlannedKernel> kernels = plan(graph);
  ASSERT_GT(kernels.size(), 1u);
  bool named = false;
  for (const Choice &choice : kernels.front().decision->choices)
    named |= choice.subject == ncd::Subject::Written &&
             choice.reasons.front().cause == ncd::Cause::OneKernel;
  EXPECT_TRUE(named);
}

TEST(Growth, EqualLayersArePricedOnce) {
  EXPECT_EQ(searchesOf(layers(48), 96), searchesOf(layers(12), 24));
}

TEST(Growth, MapsInARowAreOneUnit) {
  Builder b;
  b.graph.axes = {{"a", 4096}, {"b", 4096}};
  unsigned x = b.array("a b", 16);
  for (unsigned i = 0; i < 500; ++i)
    x = b.map({x}, "a b", 16);
  b.graph.returned = {x};
  EXPECT_LE(searchesOf(b.graph, 1), 2u);
}

TEST(Growth, MapsPinnedApartAreUnitsOfTheirOwn) {
  // Two kernels, since the pins say so, though one map alone reads the other.
  Builder b;
  b.graph.axes = {{"a", 4096}, {"b", 4096}};
  unsigned x = b.array("a b", 16);
  for (unsigned i = 0; i < 4; ++i) {
    x = b.map({x}, "a b", 16);
    b.graph.operations.back().pinnedKernel = i / 2;
  }
  b.graph.returned = {x};
  EXPECT_EQ(plan(b.graph).size(), 2u);
}
