//===- VerifyTest.cpp - the judgement of results --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Right results pass, on whichever side of a near decision they are; results
// that are off by anything else do not.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Verify.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "napkin/Reference/Inputs.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

namespace {

class VerifyTest : public testing::Test {
protected:
  VerifyTest() {
    context
        .loadDialect<ncd::NCDDialect, arith::ArithDialect, math::MathDialect>();
  }

  /// A diagram of one map over f32, in whose body %e is the element.
  void parseMap(const std::string &body, const std::string &result = "f32") {
    std::string x = "!ncd.array<a=32, b=64, f32>",
                r = "!ncd.array<a=32, b=64, " + result + ">";
    parse("ncd.diagram @d(%x: " + x + ") -> " + r + " { %r = ncd.map %x { " +
          "^bb0(%e: f32): " + body + " ncd.yield %v : " + result + " } : " + x +
          " -> " + r + " ncd.return %r : " + r + " }");
  }

  void parse(const std::string &text) {
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module) << text;
    diagram = *module->getOps<ncd::DiagramOp>().begin();
    inputs.clear();
    for (BlockArgument argument : diagram.getArguments())
      inputs.push_back(
          randomInput(argument, Distribution::Normal, argument.getArgNumber()));
  }

  /// What a right kernel may give: plain single precision.
  std::vector<Tensor> single() {
    EvaluationOptions options;
    options.arithmetic = Arithmetic::Single;
    return *evaluateDiagram(diagram, inputs, options);
  }

  Verification judge(const std::vector<Tensor> &outputs) {
    return verifyResults(diagram, inputs, outputs)->front();
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  ncd::DiagramOp diagram;
  std::vector<Tensor> inputs;
};

/// x * 100 / 3, rounded to an integer.
const char rounding[] = "%c = arith.constant 100.0 : f32 "
                        "%t = arith.constant 3.0 : f32 "
                        "%p = arith.mulf %e, %c : f32 "
                        "%q = arith.divf %p, %t : f32 "
                        "%n = math.roundeven %q : f32 "
                        "%v = arith.fptosi %n : f32 to i32";

TEST_F(VerifyTest, RoundedFloatsMayBeOnTheOtherSideWhereTheyAreNear) {
  parseMap(rounding, "i32");
  // 0.015 * 100 / 3 is half; 0.3 * 100 / 3 is far from a half.
  inputs[0].floats[5] = static_cast<float>(0.015);
  inputs[0].floats[6] = static_cast<float>(0.3);
  std::vector<Tensor> outputs = single();
  ASSERT_EQ(outputs[0].integers[6], 10);
  EXPECT_TRUE(judge(outputs).passed());
  for (int64_t near : {0, 1}) {
    outputs[0].integers[5] = near;
    EXPECT_TRUE(judge(outputs).passed()) << near;
  }
  for (int64_t far : {-1, 2}) {
    outputs[0].integers[5] = far;
    EXPECT_FALSE(judge(outputs).passed()) << far;
  }
  outputs[0].integers[5] = 0;
  outputs[0].integers[6] = 11;
  EXPECT_FALSE(judge(outputs).passed());
}

TEST_F(VerifyTest, RoundedFloatsCountWhereTheyAreSummed) {
  parse("!x = !ncd.array<a=32, b=64, f32> !i = !ncd.array<a=32, b=64, i32> "
        "!r = !ncd.array<a=32, i32> ncd.diagram @d(%x: !x) -> !r { "
        "%n = ncd.map %x { ^bb0(%e: f32): " +
        std::string(rounding) +
        " ncd.yield %v : i32 } : !x -> !i "
        "%r = ncd.reduce sum %n over [b] : !i -> !r ncd.return %r : !r }");
  for (int b = 0; b < 5; ++b)
    inputs[0].floats[b] = static_cast<float>(0.015 + 0.06 * b);
  std::vector<Tensor> outputs = single();
  EXPECT_TRUE(judge(outputs).passed());
  // Five of the summands of row 0 are near, none of row 1's.
  outputs[0].integers[0] -= 1;
  EXPECT_TRUE(judge(outputs).passed());
  outputs[0].integers[0] += 40;
  EXPECT_FALSE(judge(outputs).passed());
  outputs = single();
  outputs[0].integers[1] += 1;
  EXPECT_FALSE(judge(outputs).passed());
}

TEST_F(VerifyTest, ElementsAreFoundInAnotherOrderOnlyWhereTheyAreNear) {
  parse("!x = !ncd.array<a=8, b=64, f32> !v = !ncd.array<a=8, k=2, f32> "
        "!i = !ncd.array<a=8, k=2, i32> ncd.diagram @d(%x: !x) -> (!v, !i) { "
        "%s = ncd.map %x { ^bb0(%e: f32): %t = arith.constant 3.0 : f32 "
        "%v = arith.divf %e, %t : f32 ncd.yield %v : f32 } : !x -> !x "
        "%v, %i = ncd.topk %s over [b] into \"k\" : !x -> !v, !i "
        "ncd.return %v, %i : !v, !i }");
  // Row 0: two are a unit in the last place apart. Row 1: two are far apart.
  inputs[0].floats[20] = 7;
  inputs[0].floats[9] = std::nextafter(7.0f, 0.0f);
  inputs[0].floats[64 + 20] = 7;
  inputs[0].floats[64 + 9] = 6;
  std::vector<Tensor> outputs = single();
  auto passes = [&] {
    return (*verifyResults(diagram, inputs, outputs))[1].passed();
  };
  EXPECT_TRUE(passes());
  outputs[1].integers[0] = 9;
  outputs[1].integers[1] = 20;
  EXPECT_TRUE(passes());
  outputs[1].integers[1] = 50;
  EXPECT_FALSE(passes());
  outputs = single();
  std::swap(outputs[1].integers[2], outputs[1].integers[3]);
  EXPECT_FALSE(passes());
}

TEST_F(VerifyTest, ExactIntegersHaveToBeEqual) {
  parseMap("%n = math.floor %e : f32 %v = arith.fptosi %n : f32 to i32", "i32");
  std::vector<Tensor> outputs = single();
  EXPECT_TRUE(judge(outputs).passed());
  // 2 + a unit in the last place: exact, so no decision is near.
  inputs[0].floats[3] = 2.0;
  outputs = single();
  ASSERT_EQ(outputs[0].integers[3], 2);
  outputs[0].integers[3] = 1;
  EXPECT_FALSE(judge(outputs).passed());
}

TEST_F(VerifyTest, StepsOfFloatsAreJudgedWithoutWideningOthers) {
  parseMap("%c = arith.constant 0.33333334 : f32 "
           "%p = arith.mulf %e, %c : f32 %v = math.floor %p : f32");
  std::vector<Tensor> outputs = single();
  Verification good = judge(outputs);
  EXPECT_TRUE(good.passed());
  EXPECT_LT(good.bound, 1e-5);
  int64_t far = 0;
  while (std::fabs(std::remainder(inputs[0].floats[far] / 3, 1)) < 0.01)
    ++far;
  outputs[0].floats[far] += 1;
  EXPECT_FALSE(judge(outputs).passed());
}

TEST_F(VerifyTest, ChainsOfFunctionsErrByTheirDocumentedErrors) {
  parseMap("%t = math.tanh %e : f32 %u = math.exp %t : f32 "
           "%v = math.sin %u : f32");
  std::vector<Tensor> outputs = single();
  EvaluationOptions options;
  options.arithmetic = Arithmetic::Single;
  options.functionErrors = 1;
  options.orderSeed = 5;
  EXPECT_TRUE(judge(*evaluateDiagram(diagram, inputs, options)).passed());
  // Half a dozen times as much does not pass, nor what tanh.approx is off by.
  options.functionErrors = 6;
  EXPECT_FALSE(judge(*evaluateDiagram(diagram, inputs, options)).passed());
  double x = inputs[0].floats[9];
  outputs[0].floats[9] = std::sin(std::exp(std::tanh(x) * (1 + 0x1p-11)));
  EXPECT_FALSE(judge(outputs).passed());
}

TEST_F(VerifyTest, OneOverflowHidesNoOther) {
  // (x * 1e30)^2 / 1e30 is finite in exact arithmetic.
  parseMap("%c = arith.constant 1.0e30 : f32 %p = arith.mulf %e, %c : f32 "
           "%s = arith.mulf %p, %e : f32 %v = arith.divf %s, %c : f32");
  inputs[0].floats[7] = 1e9;
  std::vector<Tensor> outputs = single();
  Verification good = judge(outputs);
  EXPECT_TRUE(good.passed());
  EXPECT_EQ(good.unjudged, 1);
  EXPECT_EQ(good.infinities, 1);
  outputs[0].floats[8] *= 1.001;
  EXPECT_FALSE(judge(outputs).passed());
}

TEST_F(VerifyTest, SumsThatOverflowInAnotherOrderAreNotJudged) {
  parse("!x = !ncd.array<a=64, b=4, f32> !r = !ncd.array<a=64, f32> "
        "ncd.diagram @d(%x: !x) -> !r { %r = ncd.reduce sum %x over [b] : "
        "!x -> !r ncd.return %r : !r }");
  // From first to last 2e38; the last two after the first would overflow.
  double terms[] = {2e38, -2e38, 2e38, 1e38};
  std::copy(std::begin(terms), std::end(terms), &inputs[0].floats[4 * 3]);
  std::vector<Tensor> outputs = single();
  EXPECT_EQ(judge(outputs).unjudged, 0);
  outputs[0].floats[3] = std::numeric_limits<double>::infinity();
  Verification overflown = judge(outputs);
  EXPECT_TRUE(overflown.passed());
  EXPECT_EQ(overflown.unjudged, 1);
  // An infinity where no order overflows is an error, and said where.
  outputs[0].floats[5] = std::numeric_limits<double>::infinity();
  Verification wrong = judge(outputs);
  EXPECT_FALSE(wrong.passed());
  EXPECT_EQ(wrong.worst.find("at a = 5 it is inf, and exactly "), 0u);
}

TEST_F(VerifyTest, WhatIsTooLargeIsInfiniteOrNaN) {
  // x^4 / 1e-30, once past the range of f32.
  parseMap("%c = arith.constant 1.0e-30 : f32 %s = arith.mulf %e, %e : f32 "
           "%p = arith.mulf %s, %s : f32 %v = arith.divf %p, %c : f32");
  inputs[0].floats[7] = 1e3;
  std::vector<Tensor> outputs = single();
  EXPECT_TRUE(judge(outputs).passed());
  outputs[0].floats[7] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_TRUE(judge(outputs).passed());
  outputs[0].floats[7] = 3e38;
  EXPECT_FALSE(judge(outputs).passed());
  // Infinite by its input, it is infinite.
  inputs[0].floats[7] = std::numeric_limits<double>::infinity();
  outputs[0].floats[7] = std::numeric_limits<double>::quiet_NaN();
  EXPECT_FALSE(judge(outputs).passed());
}

TEST_F(VerifyTest, NothingFiniteIsNotVerified) {
  parseMap("%z = arith.constant 0.0 : f32 %v = arith.divf %e, %z : f32");
  Verification verification = judge(single());
  EXPECT_EQ(verification.actual.maxAbsError, 0);
  EXPECT_EQ(verification.infinities, verification.values);
  EXPECT_FALSE(verification.passed());
}

TEST_F(VerifyTest, IntegersOfManyBitsAreTold) {
  parse("!x = !ncd.array<a=4, i64> ncd.diagram @d(%x: !x) -> !x { "
        "%r = ncd.map %x { ^bb0(%e: i64): "
        "%c = arith.constant 4611686018427387904 : i64 "
        "%v = arith.addi %e, %c : i64 ncd.yield %v : i64 } : !x -> !x "
        "ncd.return %r : !x }");
  std::vector<Tensor> outputs = single();
  EXPECT_TRUE(judge(outputs).passed());
  outputs[0].integers[2] += 1;
  EXPECT_FALSE(judge(outputs).passed());
}

TEST_F(VerifyTest, MasksAreWhatIsAddedToScores) {
  parse("!s = !ncd.array<q=16, x=64, f32> !m = !ncd.array<q=16, x=64, bf16> "
        "!v = !ncd.array<x=64, f32> "
        "ncd.diagram @d(%s: !s, %m: !m, %v: !v) -> !s { "
        "%t = ncd.map %s, %m { ^bb0(%a: f32, %b: bf16): "
        "%w = arith.extf %b : bf16 to f32 %r = arith.addf %a, %w : f32 "
        "ncd.yield %r : f32 } : !s, !m -> !s "
        "%p = ncd.softmax %t over [x] : !s -> !s "
        "%y = ncd.map %p, %v { ^bb0(%a: f32, %b: f32): "
        "%r = arith.addf %a, %b : f32 ncd.yield %r : f32 } : !s, !v -> !s "
        "ncd.return %y : !s }");
  EXPECT_TRUE(foldedAxesOfMask(diagram.getArgument(2)).empty());
  std::vector<std::string> folded = foldedAxesOfMask(diagram.getArgument(1));
  ASSERT_EQ(folded, std::vector<std::string>{"x"});
  Tensor mask = randomInput(diagram.getArgument(1), Distribution::Masked, 3);
  int64_t hidden = 0;
  for (double value : mask.floats)
    hidden += value <= -1e8;
  EXPECT_GT(hidden, 100);
  EXPECT_LT(hidden, 924);
}

} // namespace
