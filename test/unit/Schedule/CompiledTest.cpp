//===- CompiledTest.cpp - partitions that were compiled before --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the search does with the answers of a code generator: it counts what a
// program takes, goes on where it does not fit, and says what it passed over.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Search.h"
#include "gtest/gtest.h"

using namespace napkin;
using namespace napkin::schedule;

namespace {
/// a + 1 for 4096 × 4096 elements.
Graph elementwise() {
  Graph graph;
  graph.axes = {{"a", 4096}, {"b", 4096}};
  ArrayValue input, output;
  input.axes = output.axes = {0, 1};
  output.definition = 0;
  graph.values = {input, output};
  Operation add;
  add.operands = {0};
  add.results = {1};
  add.simple = 1;
  graph.operations = {add};
  graph.returned = {1};
  return graph;
}

std::optional<Decision> search(const Graph &graph, const BlockOracle &block,
                               Refusal *refusal = nullptr) {
  static GeneratorLimits limits;
  Region region(graph, {0u});
  auto nothingStreams = [](llvm::ArrayRef<unsigned>, llvm::ArrayRef<unsigned>,
                           unsigned) { return StreamVerdict(); };
  return searchPartition(region, *cost::findHardware("a100_80gb"), limits, {},
                         nothingStreams, block, /*explain=*/true, refusal);
}

int64_t elements(const Decision &decision) {
  return decision.candidate.extent[0] * decision.candidate.extent[1];
}
} // namespace

TEST(Compiled, WhatAProgramTakesIsWhatIsSaid) {
  Graph graph = elementwise();
  BlockOracle block = [](const Region &, const Decision &decision) {
    return std::optional(BlockNeeds{12345 + elements(decision), ""});
  };
  std::optional<Decision> decision = search(graph, block);
  ASSERT_TRUE(decision);
  EXPECT_EQ(decision->evaluation.sharedBytes, 12345 + elements(*decision));
}

TEST(Compiled, TheNextBestWhereTheBestDoesNotFit) {
  Graph graph = elementwise();
  std::optional<Decision> first = search(graph, {});
  ASSERT_TRUE(first);
  int64_t most = elements(*first) / 2;
  BlockOracle block = [&](const Region &, const Decision &decision) {
    bool fits = elements(decision) <= most;
    return std::optional(BlockNeeds{fits ? 1024 : int64_t(1) << 30, ""});
  };
  std::optional<Decision> decision = search(graph, block);
  ASSERT_TRUE(decision);
  EXPECT_LE(elements(*decision), most);
  EXPECT_EQ(decision->evaluation.sharedBytes, 1024);
}

TEST(Compiled, NamesWhatTheGeneratorRefuses) {
  Graph graph = elementwise();
  std::optional<Decision> first = search(graph, {});
  ASSERT_TRUE(first);
  int64_t warps = first->candidate.warps;
  BlockOracle block = [&](const Region &, const Decision &decision) {
    return std::optional(
        BlockNeeds{0, decision.candidate.warps == warps ? "of a whim" : ""});
  };
  std::optional<Decision> decision = search(graph, block);
  ASSERT_TRUE(decision);
  EXPECT_NE(decision->candidate.warps, warps);
  bool named = false;
  for (const Choice &choice : decision->choices)
    named |= choice.subject == ncd::Subject::PassedOver &&
             choice.reasons.back().names.front() == "of a whim";
  EXPECT_TRUE(named);
}

TEST(Compiled, TheGeneratorSpeaksWhereNothingElseIsLeft) {
  // One operation cannot be cut further; lowering it gives the message.
  Graph graph = elementwise();
  BlockOracle block = [](const Region &, const Decision &) {
    return std::optional(BlockNeeds{0, "never"});
  };
  EXPECT_TRUE(search(graph, block));
}
