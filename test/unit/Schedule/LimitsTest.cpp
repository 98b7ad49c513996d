//===- LimitsTest.cpp - why a partition is not possible ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Candidates that break one limit each, and the sentence that says which. What
// a pin reaches is in test/Schedule/errors.mlir.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Evaluate.h"
#include "gtest/gtest.h"

using namespace napkin;
using namespace napkin::schedule;

namespace {
/// A graph over axes of one letter, cut in one way.
struct Cut {
  Graph graph;
  Candidate candidate;

  unsigned array(const std::string &axes, unsigned bits) {
    ArrayValue value;
    value.name = axes;
    value.bits = bits;
    for (char axis : axes)
      value.axes.push_back(*graph.findAxis(std::string(1, axis)));
    graph.values.push_back(value);
    return graph.values.size() - 1;
  }
  unsigned make(OperationKind kind, llvm::ArrayRef<unsigned> operands,
                const std::string &over, const std::string &axes,
                unsigned bits = 32) {
    unsigned result = array(axes, bits);
    Operation operation;
    operation.kind = kind;
    operation.operands.assign(operands.begin(), operands.end());
    operation.results = {result};
    for (char axis : over)
      operation.over.push_back(*graph.findAxis(std::string(1, axis)));
    if (kind == OperationKind::Contract)
      operation.instruction = target::lookupTarget("sm_80")->choose(
          target::Element::BF16, target::Element::F32);
    graph.values[result].definition = graph.operations.size();
    graph.operations.push_back(operation);
    graph.returned = {result};
    return result;
  }
  /// Gives a block \p tile positions of an axis that blocks share.
  void cut(const char *axis, int64_t tile) {
    unsigned index = *graph.findAxis(axis);
    candidate.extent[index] = tile;
    candidate.groups.push_back(index);
  }
  void whole() {
    for (const Axis &axis : graph.axes)
      candidate.extent.push_back(axis.size);
  }

  /// The sentences of the limits that it breaks, one in a line.
  std::string judge() const {
    llvm::SmallVector<unsigned, 4> all;
    for (unsigned index = 0; index < graph.operations.size(); ++index)
      all.push_back(index);
    Region region(graph, all);
    GeneratorLimits limits;
    RegionFacts facts(region, *cost::findHardware("a100_80gb"), limits);
    StreamVerdict verdict;
    verdict.legal = true;
    std::string text;
    for (const cost::Violation &violation :
         facts
             .evaluate(candidate, candidate.stream ? &verdict : nullptr,
                       /*all=*/true)
             .violations)
      text += violation.text + "\n";
    return text;
  }
};

/// s = a·b over k, then o = s·c over n.
Cut chained(int64_t m, int64_t n, int64_t k, int64_t e) {
  Cut cut;
  cut.graph.axes = {{"m", m}, {"n", n}, {"k", k}, {"e", e}};
  unsigned a = cut.array("mk", 16), b = cut.array("kn", 16),
           c = cut.array("ne", 16);
  unsigned s = cut.make(OperationKind::Contract, {a, b}, "k", "mn", 16);
  cut.make(OperationKind::Contract, {s, c}, "n", "me");
  cut.whole();
  return cut;
}

Cut product(int64_t m, int64_t n, int64_t k) {
  Cut cut;
  cut.graph.axes = {{"m", m}, {"n", n}, {"k", k}};
  unsigned a = cut.array("mk", 16), b = cut.array("kn", 16);
  cut.make(OperationKind::Contract, {a, b}, "k", "mn");
  cut.whole();
  return cut;
}

/// The sum over n of each row.
Cut rowSums(int64_t m, int64_t n) {
  Cut cut;
  cut.graph.axes = {{"m", m}, {"n", n}};
  cut.make(OperationKind::Reduce, {cut.array("mn", 32)}, "n", "m");
  cut.whole();
  return cut;
}

bool says(const Cut &cut, llvm::StringRef sentence) {
  std::string text = cut.judge();
  if (llvm::StringRef(text).contains(sentence))
    return true;
  ADD_FAILURE() << "expected: " << sentence.str() << "\ngot: " << text;
  return false;
}
} // namespace

TEST(Limits, ASoundCandidate) {
  Cut cut = product(256, 256, 32);
  cut.cut("m", 64);
  cut.cut("n", 64);
  EXPECT_EQ(cut.judge(), "");
}

TEST(Limits, Rows) {
  // A product that is no column factor and lacks the rows of the others.
  Cut apart;
  apart.graph.axes = {{"m", 64}, {"n", 64}, {"k", 64}, {"e", 64}, {"f", 64}};
  unsigned first =
      apart.make(OperationKind::Contract,
                 {apart.array("mk", 16), apart.array("kn", 16)}, "k", "mn", 16);
  unsigned second =
      apart.make(OperationKind::Contract,
                 {apart.array("fe", 16), apart.array("nf", 16)}, "f", "ne", 16);
  apart.make(OperationKind::Contract, {first, second}, "n", "me");
  apart.whole();
  says(apart, "no axis can be split among warps: 'ne' is made in the block and "
              "has no axis 'm'");

  Cut few = chained(32, 32, 32, 32);
  few.candidate.warps = 8;
  says(few,
       "warps own whole rows of 'm', 16 to 32 each: 32 rows are not 8 warps");

  Cut narrow = rowSums(2, 32);
  narrow.candidate.warps = 4;
  says(narrow, "2 rows for 4 warps: a row of 32 fits one warp, which then "
               "needs no other");
}

TEST(Limits, Warps) {
  Cut many = product(64, 64, 32);
  many.candidate.warps = 16;
  says(many, "16 warps are more than 8");

  Cut large = product(512, 512, 32);
  large.candidate.warps = 1;
  says(large, "512 × 512 does not split among 1 warps into tiles from 16 × 16 "
              "to 64 × 64");

  Cut odd = product(256, 16, 32);
  odd.cut("m", 48);
  odd.candidate.warps = 4;
  says(odd, "axis 'm' is cut into tiles of 48, of which instructions and 4 "
            "warps take 64");
}

TEST(Limits, Registers) {
  Cut staying = chained(16, 64, 1024, 16);
  staying.candidate.stream = *staying.graph.findAxis("n");
  staying.candidate.warps = 1;
  says(staying, "rows that stay from step to step take 256 registers per "
                "thread, and 128 leave room to work");

  Cut wide = rowSums(1, 8192);
  wide.candidate.warps = 1;
  says(wide, "tiles take 257 registers per thread where 'm' is made, and 32 "
             "threads leave 224");

  Cut values = rowSums(1, 4096);
  values.candidate.warps = 1;
  values.candidate.warpsArePinned = true;
  says(values, "'mn' (n=4096) would put 128 values into each of 32 threads, "
               "and 64 is the most");
}
