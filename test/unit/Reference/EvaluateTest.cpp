//===- EvaluateTest.cpp - the reference interpreter -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each operation against values worked out by hand or by another formula.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Evaluate.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "napkin/Dialect/NCD/Transforms/Passes.h"
#include "napkin/Reference/Inputs.h"
#include "napkin/Reference/Verify.h"
#include "gtest/gtest.h"
#include <chrono>
#include <cmath>
#include <numeric>
#include <set>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

namespace {

class EvaluateTest : public testing::Test {
protected:
  EvaluateTest() {
    context
        .loadDialect<ncd::NCDDialect, arith::ArithDialect, math::MathDialect>();
    context.getDiagEngine().registerHandler(
        [this](Diagnostic &diagnostic) { message = diagnostic.str(); });
  }

  ncd::DiagramOp parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    EXPECT_TRUE(module) << message;
    return module ? *module->getOps<ncd::DiagramOp>().begin()
                  : ncd::DiagramOp();
  }

  /// Evaluates the only result of \p text on \p inputs.
  std::vector<double> floats(const std::string &text,
                             std::vector<std::vector<double>> inputs,
                             const EvaluationOptions &options = {}) {
    FailureOr<std::vector<Tensor>> results =
        evaluate(text, std::move(inputs), options);
    EXPECT_TRUE(succeeded(results)) << message;
    return succeeded(results) ? results->front().floats : std::vector<double>();
  }

  FailureOr<std::vector<Tensor>>
  evaluate(const std::string &text, std::vector<std::vector<double>> inputs,
           const EvaluationOptions &options = {}) {
    ncd::DiagramOp diagram = parse(text);
    if (!diagram)
      return failure();
    std::vector<Tensor> tensors;
    for (auto [index, values] : llvm::enumerate(inputs)) {
      auto type = cast<ncd::ArrayType>(diagram.getArgumentTypes()[index]);
      Tensor tensor(axesOf(type), elementOf(type.getElementType()));
      if (isFloat(tensor.element))
        tensor.floats = values;
      else
        tensor.integers.assign(values.begin(), values.end());
      tensors.push_back(std::move(tensor));
    }
    return evaluateDiagram(diagram, tensors, options);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  std::string message;
};

using Floats = std::vector<double>;
const double infinity = std::numeric_limits<double>::infinity();

TEST_F(EvaluateTest, ContractSumsProducts) {
  // [[1 2] [3 4]] * [[1 0] [2 1]], and the transposed result.
  std::string head = R"(ncd.diagram @d(%a: !ncd.array<i=2, k=2, f32>,
      %b: !ncd.array<k=2, j=2, f32>) -> )";
  std::string body = R"({ %c = ncd.contract %a, %b over [k] :
      !ncd.array<i=2, k=2, f32>, !ncd.array<k=2, j=2, f32> -> )";
  std::string straight = "!ncd.array<i=2, j=2, f32>";
  std::string turned = "!ncd.array<j=2, i=2, f32>";
  std::vector<Floats> inputs{{1, 2, 3, 4}, {1, 0, 2, 1}};
  EXPECT_EQ(floats(head + straight + body + straight +
                       " ncd.return %c : " + straight + "}",
                   inputs),
            (Floats{5, 2, 11, 4}));
  EXPECT_EQ(
      floats(head + turned + body + turned + " ncd.return %c : " + turned + "}",
             inputs),
      (Floats{5, 11, 2, 4}));
}

TEST_F(EvaluateTest, ContractWeavesAndMultipliesThree) {
  // sum_k a[h, k] * b[k] * c[h, k], h woven.
  EXPECT_EQ(floats(R"(ncd.diagram @d(%a: !ncd.array<h=2, k=2, f32>,
      %b: !ncd.array<k=2, f32>, %c: !ncd.array<h=2, k=2, f32>)
      -> !ncd.array<h=2, f32> {
    %r = ncd.contract %a, %b, %c over [k] : !ncd.array<h=2, k=2, f32>,
      !ncd.array<k=2, f32>, !ncd.array<h=2, k=2, f32> -> !ncd.array<h=2, f32>
    ncd.return %r : !ncd.array<h=2, f32>
  })",
                   {{1, 2, 3, 4}, {10, 100}, {1, 1, 2, 3}}),
            (Floats{210, 1260}));
}

TEST_F(EvaluateTest, ContractRoundsToItsElementType) {
  std::string text = R"(ncd.diagram @d(%a: !ncd.array<k=2, bf16>,
      %b: !ncd.array<k=2, bf16>) -> !ncd.array<bf16> {
    %r = ncd.contract %a, %b over [k] : !ncd.array<k=2, bf16>,
      !ncd.array<k=2, bf16> -> !ncd.array<bf16>
    ncd.return %r : !ncd.array<bf16>
  })";
  EXPECT_EQ(floats(text, {{1, 1}, {256, 1}}), (Floats{256}));
  EvaluationOptions exact;
  exact.storage = Storage::Exact;
  EXPECT_EQ(floats(text, {{1, 1}, {256, 1}}, exact), (Floats{257}));
}

TEST_F(EvaluateTest, ContractOfIntegersIsExactAndWraps) {
  FailureOr<std::vector<Tensor>> results =
      evaluate(R"(ncd.diagram @d(%a: !ncd.array<k=2, i32>,
      %b: !ncd.array<k=2, i32>) -> !ncd.array<i32> {
    %r = ncd.contract %a, %b over [k] : !ncd.array<k=2, i32>,
      !ncd.array<k=2, i32> -> !ncd.array<i32>
    ncd.return %r : !ncd.array<i32>
  })",
               {{2147483647, 1}, {2, 5}});
  ASSERT_TRUE(succeeded(results)) << message;
  EXPECT_EQ(results->front().integers, std::vector<int64_t>{3});
}

TEST_F(EvaluateTest, MapRepeatsAndIndexes) {
  // r[j, i] = 10 * a[i] + b + i - j.
  EXPECT_EQ(floats(R"(ncd.diagram @d(%a: !ncd.array<i=2, f32>,
      %b: !ncd.array<f32>) -> !ncd.array<j=3, i=2, f32> {
    %r = ncd.map %a, %b {
    ^bb0(%x: f32, %y: f32):
      %ten = arith.constant 10.0 : f32
      %0 = arith.mulf %x, %ten : f32
      %1 = arith.addf %0, %y : f32
      %i = ncd.index "i" : index
      %j = ncd.index "j" : index
      %2 = arith.subi %i, %j : index
      %3 = arith.index_cast %2 : index to i32
      %4 = arith.sitofp %3 : i32 to f32
      %5 = arith.addf %1, %4 : f32
      ncd.yield %5 : f32
    } : !ncd.array<i=2, f32>, !ncd.array<f32> -> !ncd.array<j=3, i=2, f32>
    ncd.return %r : !ncd.array<j=3, i=2, f32>
  })",
                   {{1, 2}, {0.5}}),
            (Floats{10.5, 21.5, 9.5, 20.5, 8.5, 19.5}));
}

TEST_F(EvaluateTest, MapLongerThanABlock) {
  Floats input(1000), want(1000);
  for (int i = 0; i < 1000; ++i) {
    input[i] = i;
    want[i] = 3.0 * i;
  }
  EXPECT_EQ(floats(R"(ncd.diagram @d(%a: !ncd.array<i=1000, f32>)
      -> !ncd.array<i=1000, f32> {
    %r = ncd.map %a {
    ^bb0(%x: f32):
      %i = ncd.index "i" : index
      %0 = arith.index_cast %i : index to i64
      %1 = arith.sitofp %0 : i64 to f32
      %2 = arith.addf %x, %1 : f32
      %3 = arith.addf %x, %2 : f32
      ncd.yield %3 : f32
    } : !ncd.array<i=1000, f32> -> !ncd.array<i=1000, f32>
    ncd.return %r : !ncd.array<i=1000, f32>
  })",
                   {input}),
            want);
}

TEST_F(EvaluateTest, SingleArithmeticRoundsEveryStep) {
  // (1 + 2^-24) - 1: the sum is 1 in f32.
  std::string text = R"(ncd.diagram @d(%a: !ncd.array<f32>)
      -> !ncd.array<f32> {
    %r = ncd.map %a {
    ^bb0(%x: f32):
      %one = arith.constant 1.0 : f32
      %0 = arith.addf %x, %one : f32
      %1 = arith.subf %0, %one : f32
      ncd.yield %1 : f32
    } : !ncd.array<f32> -> !ncd.array<f32>
    ncd.return %r : !ncd.array<f32>
  })";
  EXPECT_EQ(floats(text, {{0x1p-24}}), (Floats{0x1p-24}));
  EvaluationOptions single;
  single.arithmetic = Arithmetic::Single;
  EXPECT_EQ(floats(text, {{0x1p-24}}, single), (Floats{0}));
}

TEST_F(EvaluateTest, SumsInRandomOrders) {
  // Small integers: every order of the sum is exact, so all factors must have
  // been shuffled alike.
  std::string product = R"(
    ncd.diagram @d(%a: !ncd.array<i=2, j=3, k=2, f32>,
                   %b: !ncd.array<k=2, j=3, f32>) -> !ncd.array<i=2, f32> {
      %r = ncd.contract %a, %b over [j, k] : !ncd.array<i=2, j=3, k=2, f32>,
        !ncd.array<k=2, j=3, f32> -> !ncd.array<i=2, f32>
      ncd.return %r : !ncd.array<i=2, f32>
    })";
  // In f32, 2^24 + 1 is 2^24: the sum depends on the order.
  std::string sum = R"(
    ncd.diagram @d(%a: !ncd.array<i=4, f32>) -> !ncd.array<f32> {
      %r = ncd.reduce sum %a over [i] : !ncd.array<i=4, f32> -> !ncd.array<f32>
      ncd.return %r : !ncd.array<f32>
    })";
  std::set<Floats> sums;
  EvaluationOptions options;
  options.arithmetic = Arithmetic::Single;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    options.orderSeed = seed;
    EXPECT_EQ(
        floats(product,
               {{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12}, {1, 2, 3, 4, 5, 6}},
               options),
        (Floats{86, 212}));
    sums.insert(floats(sum, {{0x1p24, 1, -0x1p24, 1}}, options));
  }
  EXPECT_GE(sums.size(), 2u);
}

TEST_F(EvaluateTest, ReduceByEveryMonoid) {
  auto by = [&](const std::string &how, const std::string &region = "") {
    return floats("ncd.diagram @d(%a: !ncd.array<i=2, j=3, f32>) -> "
                  "!ncd.array<i=2, f32> { %r = ncd.reduce " +
                      how + " over [j] " + region +
                      " : !ncd.array<i=2, j=3, f32> -> !ncd.array<i=2, f32> "
                      "ncd.return %r : !ncd.array<i=2, f32> }",
                  {{1, 2, 3, -1, 5, 0.5}});
  };
  EXPECT_EQ(by("sum %a"), (Floats{6, 4.5}));
  EXPECT_EQ(by("prod %a"), (Floats{6, -2.5}));
  EXPECT_EQ(by("max %a"), (Floats{3, 5}));
  EXPECT_EQ(by("min %a"), (Floats{1, -1}));
  EXPECT_EQ(by("%a", "identity(0.0 : f32) { ^bb0(%l: f32, %r: f32): "
                     "%s = arith.addf %l, %r : f32 ncd.yield %s : f32 }"),
            (Floats{6, 4.5}));
}

TEST_F(EvaluateTest, ReduceKeepsNaN) {
  for (Floats input : {Floats{std::nan(""), 1}, Floats{1, std::nan("")}})
    EXPECT_TRUE(std::isnan(
        floats("ncd.diagram @d(%a: !ncd.array<i=2, f32>) -> !ncd.array<f32> { "
               "%r = ncd.reduce max %a over [i] : !ncd.array<i=2, f32> -> "
               "!ncd.array<f32> ncd.return %r : !ncd.array<f32> }",
               {input})[0]));
}

TEST_F(EvaluateTest, SoftmaxOfAnEmptyRowIsZero) {
  std::string text = R"(ncd.diagram @d(%t: !ncd.array<q=2, x=2, f32>)
      -> (!ncd.array<q=2, x=2, f32>, !ncd.array<q=2, f32>) {
    %p = ncd.softmax %t over [x] : !ncd.array<q=2, x=2, f32>
      -> !ncd.array<q=2, x=2, f32>
    %l = ncd.logsumexp %t over [x] : !ncd.array<q=2, x=2, f32>
      -> !ncd.array<q=2, f32>
    ncd.return %p, %l : !ncd.array<q=2, x=2, f32>, !ncd.array<q=2, f32>
  })";
  FailureOr<std::vector<Tensor>> results =
      evaluate(text, {{-infinity, -infinity, -infinity, 3}});
  ASSERT_TRUE(succeeded(results)) << message;
  EXPECT_EQ((*results)[0].floats, (Floats{0, 0, 0, 1}));
  EXPECT_EQ((*results)[1].floats, (Floats{-infinity, 3}));
}

TEST_F(EvaluateTest, TopKFindsTheFirstOfEqualOnesAndNoNaN) {
  std::string text = R"(ncd.diagram @d(%x: !ncd.array<t=3, e=5, f32>)
      -> (!ncd.array<t=3, k=3, f32>, !ncd.array<t=3, k=3, i32>) {
    %v, %i = ncd.topk %x over [e] into "k" : !ncd.array<t=3, e=5, f32>
      -> !ncd.array<t=3, k=3, f32>, !ncd.array<t=3, k=3, i32>
    ncd.return %v, %i : !ncd.array<t=3, k=3, f32>, !ncd.array<t=3, k=3, i32>
  })";
  double nan = std::nan("");
  Floats input = {2,   7,   7,   1,   7,          // ties
                  nan, 1,   nan, 3,   infinity,   // NaN last
                  nan, nan, nan, nan, -infinity}; // nothing else
  for (bool decomposes : {false, true}) {
    ncd::DiagramOp diagram = parse(text);
    ASSERT_TRUE(diagram);
    if (decomposes) {
      PassManager passes(&context);
      passes.addPass(ncd::createNCDDecomposePass());
      ASSERT_TRUE(succeeded(passes.run(diagram->getParentOp())));
    }
    Tensor tensor(axesOf(cast<ncd::ArrayType>(diagram.getArgumentTypes()[0])),
                  Element::F32);
    tensor.floats.assign(input.begin(), input.end());
    FailureOr<std::vector<Tensor>> results = evaluateDiagram(diagram, {tensor});
    ASSERT_TRUE(succeeded(results)) << message;
    EXPECT_EQ((*results)[0].floats, (Floats{7, 7, 7, infinity, 3, 1, -infinity,
                                            -infinity, -infinity}));
    EXPECT_EQ((*results)[1].integers,
              (std::vector<int64_t>{1, 2, 4, 4, 3, 1, 0, 1, 2}));
  }
}

TEST_F(EvaluateTest, DecompositionsAreTheFormulas) {
  // The direct evaluation and that of the decomposition share no code.
  std::string x = "!ncd.array<n=5, k=37, f32>", g = "!ncd.array<k=37, f32>";
  ncd::DiagramOp diagram = parse(
      "ncd.diagram @d(%x: " + x + ", %g: " + g + ", %b: " + g + ") -> (" + x +
      ", !ncd.array<n=5, f32>, !ncd.array<k=37, n=5, bf16>, " + x + ") {" +
      "%0 = ncd.softmax %x over [k] : " + x + " -> " + x +
      "%1 = ncd.logsumexp %x over [k] : " + x + " -> !ncd.array<n=5, f32>" +
      "%2 = ncd.rms_norm %x over [k] eps 1.0e-6 gain(%g : " + g + ") : " + x +
      " -> !ncd.array<k=37, n=5, bf16>" +
      "%3 = ncd.layer_norm %x over [k] eps 1.0e-5 gain(%g : " + g +
      ") bias(%b : " + g + ") : " + x + " -> " + x +
      "ncd.return %0, %1, %2, %3 : " + x +
      ", !ncd.array<n=5, f32>, !ncd.array<k=37, n=5, bf16>, " + x + "}");
  ASSERT_TRUE(diagram);
  std::vector<Tensor> inputs;
  for (auto [index, type] : llvm::enumerate(diagram.getArgumentTypes()))
    inputs.push_back(
        randomTensor(cast<ncd::ArrayType>(type), Distribution::Normal, index));
  // A NaN must go the same ways in both.
  inputs[0].floats[40] = std::nan("");
  EvaluationOptions exact;
  exact.storage = Storage::NarrowOnly;
  FailureOr<std::vector<Tensor>> direct =
      evaluateDiagram(diagram, inputs, exact);
  ASSERT_TRUE(succeeded(direct)) << message;
  PassManager passes(&context);
  passes.addPass(ncd::createNCDDecomposePass());
  ASSERT_TRUE(succeeded(passes.run(*module)));
  FailureOr<std::vector<Tensor>> decomposed =
      evaluateDiagram(diagram, inputs, exact);
  ASSERT_TRUE(succeeded(decomposed)) << message;
  for (auto [have, want] : llvm::zip_equal(*decomposed, *direct)) {
    Comparison comparison = llvm::cantFail(compareTensors(have, want));
    // eps is an f32 constant in the decomposition: 1e-6 is off by 3e-14.
    EXPECT_LE(comparison.relativeError(), 1e-12);
  }
}

TEST_F(EvaluateTest, AnyStreamSplitGivesTheSame) {
  std::string s = "!ncd.array<q=3, f32>", c = "!ncd.array<q=3, x=50, f32>";
  std::string add = " { ^bb0(%l: f32, %r: f32): %v = arith.addf %l, %r : f32 "
                    "ncd.yield %v : f32 } : " +
                    s + ", " + s + " -> " + s;
  // The sum over x of t * x, through a kernel.
  ncd::DiagramOp diagram = parse(
      "ncd.diagram @d(%t: " + c + ") -> " + s + " {" +
      "%k = ncd.kernel (%a = %t : " + c + ") -> (" + s +
      ") attributes "
      "{group = #ncd.partition<q=2>, stream = #ncd.partition<x=16>} {" +
      "%o = ncd.stream \"x\" ins(%a : " + c + ") -> (" + s + ") state(" + s +
      ") init { %z = ncd.map { %0 = arith.constant 0.0 : f32 ncd.yield %0 : "
      "f32 } : -> " +
      s + " ncd.yield %z : " + s + " } step { ^bb0(%st: " + s + ", %ch: " + c +
      "): %w = ncd.map %ch { ^bb0(%e: f32): "
      "%i = ncd.index \"x\" : index %j = arith.index_cast %i : index to i32 "
      "%f = arith.sitofp %j : i32 to f32 %m = arith.mulf %e, %f : f32 "
      "ncd.yield %m : f32 } : " +
      c + " -> " + c + "%p = ncd.reduce sum %w over [x] : " + c + " -> " + s +
      "%n = ncd.map %st, %p" + add + " ncd.yield %n : " + s +
      "} merge { ^bb0(%u: " + s + ", %v: " + s + "): %n = ncd.map %u, %v" +
      add + " ncd.yield %n : " + s + "} finish { ^bb0(%u: " + s +
      "): ncd.yield %u : " + s + "} ncd.yield %o : " + s + "}" +
      "ncd.return %k : " + s + "}");
  ASSERT_TRUE(diagram);
  Tensor input =
      randomTensor(cast<ncd::ArrayType>(diagram.getArgumentTypes()[0]),
                   Distribution::Normal, 1);
  Floats want(3, 0);
  for (int q = 0; q < 3; ++q)
    for (int x = 0; x < 50; ++x)
      want[q] += input.floats[q * 50 + x] * x;
  EvaluationOptions options;
  options.storage = Storage::Exact;
  auto check = [&]() {
    FailureOr<std::vector<Tensor>> results =
        evaluateDiagram(diagram, input, options);
    ASSERT_TRUE(succeeded(results)) << message;
    for (int q = 0; q < 3; ++q)
      EXPECT_NEAR(results->front().floats[q], want[q], 1e-10);
  };
  for (int64_t chunk : {0, 1, 7, 16, 50, 1000}) {
    options.streamChunk = chunk;
    check();
  }
  for (uint64_t seed = 0; seed < 50; ++seed) {
    options.streamSeed = seed;
    check();
  }
}

/// Each view of 0, 1, ..., 23 along a, b, c of 2, 3 and 4 positions.
TEST_F(EvaluateTest, ViewsByTheirDefinitions) {
  std::vector<double> numbers(24);
  std::iota(numbers.begin(), numbers.end(), 0);
  auto see = [&](const std::string &op, const std::string &type,
                 std::string argument = "!ncd.array<a=2, b=3, c=4, f32>") {
    return floats("ncd.diagram @v(%x: " + argument + ") -> " + type +
                      " {\n %y = " + op + " : " + argument + " -> " + type +
                      "\n ncd.return %y : " + type + "\n}",
                  {numbers});
  };
  using List = std::vector<double>;
  // c is (h, l): the result has l outermost.
  EXPECT_EQ(see("ncd.split %x \"c\" into [h, l]",
                "!ncd.array<l=2, a=2, b=3, h=2, f32>"),
            (List{0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22,
                  1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23}));
  // Position (c, a) of the new axis, c slowest.
  EXPECT_EQ(see("ncd.join %x [c, a] into \"e\"", "!ncd.array<b=3, e=8, f32>"),
            (List{0, 12, 1, 13, 2, 14, 3, 15, 4,  16, 5,  17,
                  6, 18, 7, 19, 8, 20, 9, 21, 10, 22, 11, 23}));
  EXPECT_EQ(see("ncd.rename %x [a] into [t]", "!ncd.array<b=3, t=2, c=4, f32>"),
            (List{0,  1,  2,  3,  12, 13, 14, 15, 4,  5,  6,  7,
                  16, 17, 18, 19, 8,  9,  10, 11, 20, 21, 22, 23}));
  EXPECT_EQ(see("ncd.slice %x \"c\" from 3 by -2 into \"v\"",
                "!ncd.array<a=2, b=3, v=2, f32>"),
            (List{3, 1, 7, 5, 11, 9, 15, 13, 19, 17, 23, 21}));
  EXPECT_EQ(see("ncd.slice %x \"b\" from 1", "!ncd.array<a=2, c=4, f32>"),
            (List{4, 5, 6, 7, 16, 17, 18, 19}));
  EXPECT_EQ(see("ncd.view %x from 23 by [-12, 0, -1]",
                "!ncd.array<u=2, r=2, w=3, f32>"),
            (List{23, 22, 21, 23, 22, 21, 11, 10, 9, 11, 10, 9}));
  // Rows of 3 that lie 5 apart: element 7 is position 2 of row 1.
  numbers.resize(6);
  EXPECT_EQ(see("ncd.view %x from 7 by [-5]", "!ncd.array<u=2, f32>",
                "!ncd.array<a=2:5, b=3, f32>"),
            (List{5, 2}));
  EXPECT_TRUE(failed(evaluate(
      "ncd.diagram @v(%x: !ncd.array<a=2:5, b=3, f32>) -> !ncd.array<f32> {"
      "%y = ncd.view %x from 3 by [] : !ncd.array<a=2:5, b=3, f32> -> "
      "!ncd.array<f32> ncd.return %y : !ncd.array<f32> }",
      {numbers})));
  EXPECT_NE(message.find("it sees padding"), std::string::npos) << message;
}

TEST_F(EvaluateTest, ConcatPutsOneBehindTheOther) {
  EXPECT_EQ(floats("ncd.diagram @c(%x: !ncd.array<a=2, b=3, f32>, %y: "
                   "!ncd.array<c=1, a=2, f32>) -> !ncd.array<a=2, e=4, f32> {"
                   "%z = ncd.concat %x, %y [b, c] into \"e\" : "
                   "!ncd.array<a=2, b=3, f32>, !ncd.array<c=1, a=2, f32> -> "
                   "!ncd.array<a=2, e=4, f32> "
                   "ncd.return %z : !ncd.array<a=2, e=4, f32> }",
                   {{0, 1, 2, 3, 4, 5}, {8, 9}}),
            (std::vector<double>{0, 1, 2, 8, 3, 4, 5, 9}));
}

/// A kernel sees its operand as its own `ncd.view` does.
TEST_F(EvaluateTest, KernelsSeeViews) {
  EXPECT_EQ(
      floats("ncd.diagram @k(%x: !ncd.array<a=2:4, b=3, f32>) -> "
             "!ncd.array<a=2, f32> {"
             "%y = ncd.kernel (%v = %x as !ncd.array<a=2, c=2, f32> from 1 by "
             "[4, 1] : !ncd.array<a=2:4, b=3, f32>) -> (!ncd.array<a=2, f32>) {"
             "%s = ncd.reduce sum %v over [c] : !ncd.array<a=2, c=2, f32> -> "
             "!ncd.array<a=2, f32> ncd.yield %s : !ncd.array<a=2, f32> }"
             " ncd.return %y : !ncd.array<a=2, f32> }",
             {{0, 1, 2, 3, 4, 5}}),
      (std::vector<double>{3, 9}));
}

TEST_F(EvaluateTest, DynamicSizesComeFromTheInputs) {
  ncd::DiagramOp diagram =
      parse("ncd.diagram @d(%a: !ncd.array<i=?, f32>) -> !ncd.array<f32> { "
            "%r = ncd.reduce sum %a over [i] : !ncd.array<i=?, f32> -> "
            "!ncd.array<f32> ncd.return %r : !ncd.array<f32> }");
  Tensor input({{"i", 3}}, Element::F32);
  input.floats = {1, 2, 3};
  FailureOr<std::vector<Tensor>> results = evaluateDiagram(diagram, input);
  ASSERT_TRUE(succeeded(results)) << message;
  EXPECT_EQ(results->front().floats, Floats{6});
}

TEST_F(EvaluateTest, MistakesAreErrors) {
  std::string text =
      "ncd.diagram @d(%a: !ncd.array<i=2, i32>) -> !ncd.array<i=2, i32> { "
      "%r = ncd.map %a { ^bb0(%x: i32): %z = arith.constant 0 : i32 "
      "%v = arith.divsi %x, %z : i32 ncd.yield %v : i32 } : !ncd.array<i=2, "
      "i32> -> !ncd.array<i=2, i32> ncd.return %r : !ncd.array<i=2, i32> }";
  EXPECT_TRUE(failed(evaluate(text, {{1, 2}})));
  EXPECT_NE(message.find("'arith.divsi' op has no result for some element"),
            std::string::npos)
      << message;
  EXPECT_TRUE(failed(evaluate(text, {})));
  EXPECT_NE(message.find("takes 1 arrays, but 0 are given"), std::string::npos);
  EXPECT_TRUE(failed(evaluate(text, {{1, 2, 3}})));
  EXPECT_NE(message.find("input 'a' holds 3 elements"), std::string::npos);
  EXPECT_TRUE(failed(evaluate(
      "ncd.diagram @d() -> !ncd.array<i=1000000000000, f32> { %r = ncd.map { "
      "%z = arith.constant 0.0 : f32 ncd.yield %z : f32 } : -> "
      "!ncd.array<i=1000000000000, f32> ncd.return %r : "
      "!ncd.array<i=1000000000000, f32> }",
      {})));
  EXPECT_NE(message.find("the limit of the reference interpreter"),
            std::string::npos);
}

TEST_F(EvaluateTest, VerificationMeasuresItsBound) {
  EXPECT_EQ(unitInLastPlace(Element::F32), 0x1p-23);
  EXPECT_EQ(unitInLastPlace(Element::BF16), 0x1p-7);
  EXPECT_EQ(unitInLastPlace(Element::F8E4M3FN), 0x1p-3);
  ncd::DiagramOp diagram = parse(
      "ncd.diagram @d(%a: !ncd.array<i=64, k=1000, bf16>, %b: "
      "!ncd.array<k=1000, bf16>) -> (!ncd.array<i=64, f32> {ncd.name = \"c\"}) "
      "{ %c = ncd.contract %a, %b over [k] : !ncd.array<i=64, k=1000, bf16>, "
      "!ncd.array<k=1000, bf16> -> !ncd.array<i=64, f32> ncd.return %c : "
      "!ncd.array<i=64, f32> }");
  std::vector<Tensor> inputs;
  for (auto [index, type] : llvm::enumerate(diagram.getArgumentTypes()))
    inputs.push_back(
        randomTensor(cast<ncd::ArrayType>(type), Distribution::Normal, index));
  std::vector<Tensor> outputs = *evaluateDiagram(diagram, inputs);
  FailureOr<std::vector<Verification>> good =
      verifyResults(diagram, inputs, outputs);
  ASSERT_TRUE(succeeded(good)) << message;
  EXPECT_EQ(good->front().name, "c");
  EXPECT_TRUE(good->front().passed());
  // A thousand sequential f32 additions: errors around 1e-7 of the sum.
  EXPECT_GT(good->front().plain.relativeError(), 1e-9);
  EXPECT_LT(good->front().plain.relativeError(), 1e-5);
  // One product left out is not rounding.
  outputs[0].floats[17] -= inputs[0].floats[17 * 1000] * inputs[1].floats[0];
  EXPECT_FALSE(verifyResults(diagram, inputs, outputs)->front().passed());
  outputs[0].floats[17] = std::nan("");
  EXPECT_FALSE(verifyResults(diagram, inputs, outputs)->front().passed());
  outputs[0] = Tensor({{"i", 3}}, Element::F32);
  EXPECT_TRUE(failed(verifyResults(diagram, inputs, outputs)));
  EXPECT_NE(message.find("result 'c': cannot compare an array of shape [3]"),
            std::string::npos);
}

TEST_F(EvaluateTest, AttentionIsFast) {
  ncd::DiagramOp diagram = parse(R"(
    !q = !ncd.array<h=4, q=512, d=128, bf16>
    !k = !ncd.array<h=4, x=512, d=128, bf16>
    !s = !ncd.array<h=4, q=512, x=512, f32>
    !p = !ncd.array<h=4, q=512, x=512, bf16>
    ncd.diagram @attention(%q: !q, %k: !k, %v: !k) -> !q {
      %s = ncd.contract %q, %k over [d] : !q, !k -> !s
      %t = ncd.map %s {
      ^bb0(%e: f32):
        %scale = arith.constant 0.08838834764 : f32
        %r = arith.mulf %e, %scale : f32
        ncd.yield %r : f32
      } : !s -> !s
      %p = ncd.softmax %t over [x] : !s -> !p
      %o = ncd.contract %p, %v over [x] : !p, !k -> !q
      ncd.return %o : !q
    })");
  ASSERT_TRUE(diagram);
  std::vector<Tensor> inputs;
  for (auto [index, type] : llvm::enumerate(diagram.getArgumentTypes()))
    inputs.push_back(
        randomTensor(cast<ncd::ArrayType>(type), Distribution::Normal, index));
  auto start = std::chrono::steady_clock::now();
  FailureOr<std::vector<Tensor>> results = evaluateDiagram(diagram, inputs);
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - start;
  ASSERT_TRUE(succeeded(results)) << message;
  RecordProperty("seconds", std::to_string(seconds.count()));
  // Half a second on an idle core; a busy or debugging one gets more.
  EXPECT_LT(seconds.count(), 30);
  // One row by the formula.
  const Tensor &q = inputs[0], &k = inputs[1], &v = inputs[2];
  int64_t head = 3, row = 77;
  Floats scores(512);
  double largest = -infinity, total = 0;
  for (int64_t x = 0; x < 512; ++x) {
    for (int64_t d = 0; d < 128; ++d)
      scores[x] += q.floats[(head * 512 + row) * 128 + d] *
                   k.floats[(head * 512 + x) * 128 + d];
    scores[x] *= 0.08838834764;
    largest = std::max(largest, scores[x]);
  }
  for (double &score : scores)
    total += score = std::exp(score - largest);
  for (int64_t d = 0; d < 128; ++d) {
    double want = 0;
    for (int64_t x = 0; x < 512; ++x)
      want += scores[x] / total * v.floats[(head * 512 + x) * 128 + d];
    // Two roundings to bf16 lie between.
    EXPECT_NEAR(results->front().floats[(head * 512 + row) * 128 + d], want,
                0.01);
  }
}

} // namespace
