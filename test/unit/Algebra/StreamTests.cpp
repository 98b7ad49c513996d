//===- StreamTests.cpp - Derived ncd.stream against plain ncd ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels before and after ncd-derive-stream, both run by the reference
// interpreter: any split of the axis and any tree of merges must give what the
// text gives, up to what the order of additions and the declared roundings
// leave open. And: the analysis as the schedule asks for it.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "napkin/Algebra/Passes.h"
#include "napkin/Algebra/StreamingForm.h"
#include "napkin/Dialect/NCD/Transforms/Passes.h"
#include "napkin/Reference/Evaluate.h"
#include "napkin/Reference/Inputs.h"
#include "gtest/gtest.h"
#include <chrono>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

namespace {

struct Kernel {
  const char *name;
  const char *axis;
  /// Arguments "name: type", result type, and the body that yields.
  const char *arguments, *result, *body;
  /// Relative error that is allowed beside 4 times the plain f32 error: one
  /// ulp of the type that the result, or p, is rounded to.
  double tolerance;
  const char *aliases = "";
};

const char *const attentionTypes = R"(
!q = !ncd.array<h=2, q=5, d=8, bf16>
!k = !ncd.array<h=2, x=37, d=8, bf16>
!s = !ncd.array<h=2, q=5, x=37, f32>
!p = !ncd.array<h=2, q=5, x=37, bf16>
)";

const Kernel kernels[] = {
    {"attention", "x", "%q: !q, %k: !k, %v: !k", "!q", R"(
      %s = ncd.contract %q, %k over [d] : !q, !k -> !s
      %t = ncd.map %s {
      ^bb0(%e: f32):
        %c = arith.constant 0.35 : f32
        %r = arith.mulf %e, %c : f32
        ncd.yield %r : f32
      } : !s -> !s
      %p = ncd.softmax %t over [x] : !s -> !p
      %o = ncd.contract %p, %v over [x] : !p, !k -> !q
      ncd.yield %o : !q)",
     8e-3, attentionTypes},
    {"causal", "x", "%q: !q, %k: !k, %v: !k", "!q", R"(
      %s = ncd.contract %q, %k over [d] : !q, !k -> !s
      %t = ncd.map %s {
      ^bb0(%e: f32):
        %c = arith.constant 0.35 : f32
        %i = ncd.index "q" : index
        %j = ncd.index "x" : index
        %seven = arith.constant 7 : index
        %last = arith.muli %i, %seven : index
        %seen = arith.cmpi slt, %j, %last : index
        %none = arith.constant 0xFF800000 : f32
        %r = arith.mulf %e, %c : f32
        %m = arith.select %seen, %r, %none : f32
        ncd.yield %m : f32
      } : !s -> !s
      %p = ncd.softmax %t over [x] : !s -> !p
      %o = ncd.contract %p, %v over [x] : !p, !k -> !q
      ncd.yield %o : !q)",
     8e-3, attentionTypes},
    {"bias", "x", "%q: !q, %k: !k, %v: !k, %b: !ncd.array<q=5, x=37, f32>",
     "!q", R"(
      %s = ncd.contract %q, %k over [d] : !q, !k -> !s
      %t = ncd.map %s, %b {
      ^bb0(%e: f32, %f: f32):
        %c = arith.constant 0.35 : f32
        %r = arith.mulf %e, %c : f32
        %u = arith.addf %r, %f : f32
        ncd.yield %u : f32
      } : !s, !ncd.array<q=5, x=37, f32> -> !s
      %p = ncd.softmax %t over [x] : !s -> !p
      %o = ncd.contract %p, %v over [x] : !p, !k -> !q
      ncd.yield %o : !q)",
     8e-3, attentionTypes},
    {"softcap", "x", "%q: !q, %k: !k, %v: !k", "!q", R"(
      %s = ncd.contract %q, %k over [d] : !q, !k -> !s
      %t = ncd.map %s {
      ^bb0(%e: f32):
        %c = arith.constant 0.05 : f32
        %cap = arith.constant 30.0 : f32
        %r = arith.mulf %e, %c : f32
        %u = math.tanh %r : f32
        %w = arith.mulf %u, %cap : f32
        ncd.yield %w : f32
      } : !s -> !s
      %p = ncd.softmax %t over [x] : !s -> !p
      %o = ncd.contract %p, %v over [x] : !p, !k -> !q
      ncd.yield %o : !q)",
     8e-3, attentionTypes},
    {"f16", "x",
     "%q: !ncd.array<q=5, d=8, f16>, %k: !ncd.array<x=37, d=8, f16>, "
     "%v: !ncd.array<x=37, d=8, f16>",
     "!ncd.array<q=5, d=8, f16>", R"(
      %s = ncd.contract %q, %k over [d] : !ncd.array<q=5, d=8, f16>, !ncd.array<x=37, d=8, f16> -> !ncd.array<q=5, x=37, f32>
      %p = ncd.softmax %s over [x] : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, x=37, f16>
      %o = ncd.contract %p, %v over [x] : !ncd.array<q=5, x=37, f16>, !ncd.array<x=37, d=8, f16> -> !ncd.array<q=5, d=8, f16>
      ncd.yield %o : !ncd.array<q=5, d=8, f16>)",
     2e-3},
    {"contract", "k",
     "%a: !ncd.array<m=6, k=33, bf16>, %b: !ncd.array<k=33, n=7, bf16>",
     "!ncd.array<m=6, n=7, f32>", R"(
      %c = ncd.contract %a, %b over [k] : !ncd.array<m=6, k=33, bf16>, !ncd.array<k=33, n=7, bf16> -> !ncd.array<m=6, n=7, f32>
      ncd.yield %c : !ncd.array<m=6, n=7, f32>)",
     1e-6},
    {"contractEpilogue", "k",
     "%a: !ncd.array<m=6, k=33, bf16>, %b: !ncd.array<k=33, n=7, bf16>, "
     "%bias: !ncd.array<n=7, f32>",
     "!ncd.array<n=7, m=6, bf16>", R"(
      %c = ncd.contract %a, %b over [k] : !ncd.array<m=6, k=33, bf16>, !ncd.array<k=33, n=7, bf16> -> !ncd.array<m=6, n=7, f32>
      %r = ncd.map %c, %bias {
      ^bb0(%e: f32, %f: f32):
        %zero = arith.constant 0.0 : f32
        %s = arith.addf %e, %f : f32
        %t = arith.maximumf %s, %zero : f32
        %u = arith.truncf %t : f32 to bf16
        ncd.yield %u : bf16
      } : !ncd.array<m=6, n=7, f32>, !ncd.array<n=7, f32> -> !ncd.array<n=7, m=6, bf16>
      ncd.yield %r : !ncd.array<n=7, m=6, bf16>)",
     8e-3},
    {"chained", "b",
     "%x: !ncd.array<a=6, k=9, bf16>, %y: !ncd.array<k=9, b=33, bf16>, "
     "%z: !ncd.array<b=33, c=5, bf16>",
     "!ncd.array<a=6, c=5, bf16>", R"(
      %s = ncd.contract %x, %y over [k] : !ncd.array<a=6, k=9, bf16>, !ncd.array<k=9, b=33, bf16> -> !ncd.array<a=6, b=33, bf16>
      %o = ncd.contract %s, %z over [b] : !ncd.array<a=6, b=33, bf16>, !ncd.array<b=33, c=5, bf16> -> !ncd.array<a=6, c=5, bf16>
      ncd.yield %o : !ncd.array<a=6, c=5, bf16>)",
     8e-3},
    {"rmsNormContract", "k",
     "%x: !ncd.array<m=6, k=33, bf16>, %g: !ncd.array<k=33, bf16>, "
     "%w: !ncd.array<k=33, n=7, bf16>",
     "!ncd.array<m=6, n=7, bf16>", R"(
      %y = ncd.rms_norm %x over [k] eps 1.0e-6 gain(%g : !ncd.array<k=33, bf16>) : !ncd.array<m=6, k=33, bf16> -> !ncd.array<m=6, k=33, bf16>
      %o = ncd.contract %y, %w over [k] : !ncd.array<m=6, k=33, bf16>, !ncd.array<k=33, n=7, bf16> -> !ncd.array<m=6, n=7, bf16>
      ncd.yield %o : !ncd.array<m=6, n=7, bf16>)",
     1.6e-2},
    {"layerNormContract", "k",
     "%x: !ncd.array<m=6, k=33, f32>, %g: !ncd.array<k=33, f32>, "
     "%b: !ncd.array<k=33, f32>, %w: !ncd.array<k=33, n=7, f32>",
     "!ncd.array<m=6, n=7, f32>", R"(
      %y = ncd.layer_norm %x over [k] eps 1.0e-5 gain(%g : !ncd.array<k=33, f32>) bias(%b : !ncd.array<k=33, f32>) : !ncd.array<m=6, k=33, f32> -> !ncd.array<m=6, k=33, f32>
      %o = ncd.contract %y, %w over [k] : !ncd.array<m=6, k=33, f32>, !ncd.array<k=33, n=7, f32> -> !ncd.array<m=6, n=7, f32>
      ncd.yield %o : !ncd.array<m=6, n=7, f32>)",
     4e-6},
    {"logsumexp", "x", "%t: !ncd.array<q=5, x=37, f32>", "!ncd.array<q=5, f32>",
     R"(
      %r = ncd.logsumexp %t over [x] : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, f32>
      ncd.yield %r : !ncd.array<q=5, f32>)",
     1e-6},
    {"hypotenuse", "x", "%t: !ncd.array<q=5, x=37, f32>",
     "!ncd.array<q=5, f32>", R"(
      %a = ncd.map %t {
      ^bb0(%e: f32):
        %r = math.absf %e : f32
        ncd.yield %r : f32
      } : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, x=37, f32>
      %m = ncd.reduce max %a over [x] : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, f32>
      %z = ncd.map %t, %m {
      ^bb0(%e: f32, %f: f32):
        %r = arith.divf %e, %f : f32
        %s = arith.mulf %r, %r : f32
        ncd.yield %s : f32
      } : !ncd.array<q=5, x=37, f32>, !ncd.array<q=5, f32> -> !ncd.array<q=5, x=37, f32>
      %l = ncd.reduce sum %z over [x] : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, f32>
      %o = ncd.map %m, %l {
      ^bb0(%e: f32, %f: f32):
        %r = math.sqrt %f : f32
        %s = arith.mulf %e, %r : f32
        ncd.yield %s : f32
      } : !ncd.array<q=5, f32>, !ncd.array<q=5, f32> -> !ncd.array<q=5, f32>
      ncd.yield %o : !ncd.array<q=5, f32>)",
     1e-6},
    {"byRegion", "x", "%t: !ncd.array<q=5, x=37, f32>", "!ncd.array<q=5, f32>",
     R"(
      %m = ncd.reduce %t over [x] identity(0.0 : f32) {
      ^bb0(%l: f32, %r: f32):
        %p = math.absf %l : f32
        %q = math.absf %r : f32
        %v = arith.maximumf %p, %q : f32
        ncd.yield %v : f32
      } : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, f32>
      ncd.yield %m : !ncd.array<q=5, f32>)",
     1e-6},
    // What a NaN does to a comparison and to an extremum is the operation's.
    {"undefined", "x", "%t: !ncd.array<q=5, x=37, f32>", "!ncd.array<q=5, f32>",
     R"(
      %s = ncd.map %t {
      ^bb0(%e: f32):
        %i = ncd.index "q" : index
        %j = ncd.index "x" : index
        %two = arith.constant 2 : index
        %k = arith.muli %i, %two : index
        %here = arith.cmpi eq, %j, %k : index
        %nan = arith.constant 0x7FC00000 : f32
        %r = arith.select %here, %nan, %e : f32
        ncd.yield %r : f32
      } : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, x=37, f32>
      %m = ncd.reduce %s over [x] identity(0xFF800000 : f32) {
      ^bb0(%l: f32, %r: f32):
        %v = arith.maxnumf %l, %r : f32
        ncd.yield %v : f32
      } : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, f32>
      %c = ncd.map %s {
      ^bb0(%e: f32):
        %zero = arith.constant 0.0 : f32
        %a = arith.cmpf ult, %e, %zero : f32
        %b = arith.cmpf one, %e, %zero : f32
        %d = arith.cmpf ueq, %e, %e : f32
        %one = arith.constant 1.0 : f32
        %f = arith.select %a, %one, %zero : f32
        %g = arith.select %b, %f, %one : f32
        %h = arith.select %d, %g, %zero : f32
        %n = arith.maxnumf %e, %zero : f32
        %r = arith.addf %h, %n : f32
        ncd.yield %r : f32
      } : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, x=37, f32>
      %l = ncd.reduce sum %c over [x] : !ncd.array<q=5, x=37, f32> -> !ncd.array<q=5, f32>
      %o = ncd.map %m, %l {
      ^bb0(%e: f32, %f: f32):
        %r = arith.addf %e, %f : f32
        ncd.yield %r : f32
      } : !ncd.array<q=5, f32>, !ncd.array<q=5, f32> -> !ncd.array<q=5, f32>
      ncd.yield %o : !ncd.array<q=5, f32>)",
     1e-6},
    // A fixed operation before the loop, and a reduction over another axis.
    {"queryNorm", "x", "%q: !q, %k: !k, %v: !k", "!q", R"(
      %n = ncd.rms_norm %q over [d] eps 1.0e-6 : !q -> !q
      %s = ncd.contract %n, %k over [d] : !q, !k -> !s
      %p = ncd.softmax %s over [x] : !s -> !p
      %o = ncd.contract %p, %v over [x] : !p, !k -> !q
      ncd.yield %o : !q)",
     8e-3, attentionTypes},
    // Two heads' worth of linear forms under one maximum: s + r * position.
    {"positions", "x", "%q: !q, %k: !k, %v: !k", "!q", R"(
      %s = ncd.contract %q, %k over [d] : !q, !k -> !s
      %t = ncd.map %s {
      ^bb0(%e: f32):
        %i = ncd.index "q" : index
        %j = ncd.index "x" : index
        %d = arith.subi %j, %i : index
        %n = arith.index_cast %d : index to i32
        %f = arith.sitofp %n : i32 to f32
        %c = arith.constant 0.05 : f32
        %b = arith.mulf %f, %c : f32
        %r = arith.addf %e, %b : f32
        ncd.yield %r : f32
      } : !s -> !s
      %p = ncd.softmax %t over [x] : !s -> !p
      %o = ncd.contract %p, %v over [x] : !p, !k -> !q
      ncd.yield %o : !q)",
     8e-3, attentionTypes},
};

class AlgebraStream : public testing::TestWithParam<Kernel> {
protected:
  AlgebraStream() {
    context
        .loadDialect<ncd::NCDDialect, arith::ArithDialect, math::MathDialect>();
    context.getDiagEngine().registerHandler(
        [this](Diagnostic &diagnostic) { message += diagnostic.str() + "\n"; });
  }

  std::string text(const Kernel &kernel) {
    // The kernel's block arguments shadow nothing: the diagram's are renamed.
    std::string outer, names, inner, types;
    StringRef rest = kernel.arguments;
    while (!rest.empty()) {
      // Types hold commas as well: an argument begins with '%'.
      size_t next = rest.find(", %", 1);
      StringRef argument = rest.substr(0, next);
      rest = next == StringRef::npos ? "" : rest.substr(next + 2);
      auto [name, type] = argument.split(": ");
      std::string separator = outer.empty() ? "" : ", ";
      outer += separator + name.str() + "_: " + type.str();
      inner += separator + name.str() + " = " + name.str() + "_";
      types += separator + type.str();
    }
    return std::string(kernel.aliases) + "ncd.diagram @d(" + outer + ") -> " +
           kernel.result + " {\n%r_ = ncd.kernel (" + inner + " : " + types +
           ") -> (" + kernel.result + ") attributes {stream = #ncd.partition<" +
           kernel.axis + "=4>} {\n" + kernel.body +
           "\n}\nncd.return %r_ : " + kernel.result + "\n}\n";
  }

  OwningOpRef<ModuleOp> parse(const Kernel &kernel) {
    OwningOpRef<ModuleOp> module =
        parseSourceString<ModuleOp>(text(kernel), &context);
    EXPECT_TRUE(module) << message << text(kernel);
    if (!module)
      return {};
    PassManager manager(&context);
    manager.addPass(ncd::createNCDDecomposePass());
    EXPECT_TRUE(succeeded(manager.run(*module))) << message;
    return module;
  }

  Tensor evaluate(ModuleOp module, ArrayRef<Tensor> inputs,
                  const EvaluationOptions &options) {
    auto diagram = *module.getOps<ncd::DiagramOp>().begin();
    FailureOr<std::vector<Tensor>> results =
        evaluateDiagram(diagram, inputs, options);
    EXPECT_TRUE(succeeded(results)) << message;
    return succeeded(results) ? results->front() : Tensor();
  }

  static double distance(const Tensor &actual, const Tensor &expected) {
    llvm::Expected<Comparison> c = compareTensors(actual, expected);
    if (!c) {
      ADD_FAILURE() << llvm::toString(c.takeError());
      return 1e300;
    }
    EXPECT_EQ(c->nonFiniteMismatches, 0);
    return c->relativeError();
  }

  MLIRContext context;
  std::string message;
};

TEST_P(AlgebraStream, AnySplitAndMergeAgrees) {
  const Kernel &kernel = GetParam();
  OwningOpRef<ModuleOp> plain = parse(kernel);
  ASSERT_TRUE(plain);
  OwningOpRef<ModuleOp> streamed = plain->clone();
  PassManager manager(&context);
  manager.addPass(algebra::createNCDDeriveStreamPass());
  ASSERT_TRUE(succeeded(manager.run(*streamed))) << message;
  int streams = 0;
  streamed->walk([&](ncd::StreamOp) { ++streams; });
  EXPECT_EQ(streams, 1);

  auto diagram = *plain->getOps<ncd::DiagramOp>().begin();
  for (Distribution distribution :
       {Distribution::Normal, Distribution::Outliers}) {
    std::vector<Tensor> inputs;
    for (auto [i, type] : llvm::enumerate(diagram.getArgumentTypes()))
      inputs.push_back(randomTensor(cast<ncd::ArrayType>(type), distribution,
                                    17 * i + unsigned(distribution)));
    EvaluationOptions exact, single;
    exact.storage = Storage::NarrowOnly;
    single.arithmetic = Arithmetic::Single;
    Tensor reference = evaluate(*plain, inputs, exact);
    double bound =
        std::max(4 * distance(evaluate(*plain, inputs, single), reference),
                 kernel.tolerance);
    for (uint64_t seed = 0; seed < 20; ++seed) {
      single.streamSeed = seed;
      EXPECT_LE(distance(evaluate(*streamed, inputs, single), reference), bound)
          << "seed " << seed;
    }
    if (kernel.tolerance > 1e-5)
      continue; // a rounding was moved
    EvaluationOptions pure;
    pure.storage = Storage::Exact;
    Tensor ideal = evaluate(*plain, inputs, pure);
    pure.streamSeed = 5;
    EXPECT_LE(distance(evaluate(*streamed, inputs, pure), ideal), 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Kernels, AlgebraStream, testing::ValuesIn(kernels),
                         [](const auto &info) { return info.param.name; });

TEST_P(AlgebraStream, AnalysisIsPureAndFast) {
  OwningOpRef<ModuleOp> module = parse(GetParam());
  ASSERT_TRUE(module);
  ncd::KernelOp kernel;
  module->walk([&](ncd::KernelOp found) { kernel = found; });
  SmallVector<Operation *> ops;
  for (Operation &op : kernel.getBody().front().without_terminator())
    ops.push_back(&op);
  SmallVector<Value> outputs(
      kernel.getBody().front().getTerminator()->getOperands());
  auto begin = std::chrono::steady_clock::now();
  algebra::StreamingRefusal why;
  FailureOr<algebra::StreamingForm> form = algebra::deriveStreamingForm(
      ops, outputs, kernel.getStreamAxis().getValue(), {}, &why);
  double milliseconds = std::chrono::duration<double, std::milli>(
                            std::chrono::steady_clock::now() - begin)
                            .count();
  ASSERT_TRUE(succeeded(form)) << why.message;
  EXPECT_LT(milliseconds, 10);
  EXPECT_EQ(form->results.size(), form->finish.size());
  EXPECT_FALSE(form->state.empty());
  for (const algebra::StreamingStateMember &member : form->state)
    EXPECT_FALSE(cast<ncd::ArrayType>(member.type).hasAxis(form->axis));
  for (Value chunk : form->chunked)
    EXPECT_TRUE(cast<ncd::ArrayType>(chunk.getType()).hasAxis(form->axis));
  // An axis that the output carries cannot be streamed.
  StringAttr kept = cast<ncd::ArrayType>(outputs[0].getType()).getAxes()[0];
  EXPECT_TRUE(failed(
      algebra::deriveStreamingForm(ops, outputs, kept.getValue(), {}, &why)));
  EXPECT_NE(why.message.find("append family"), std::string::npos)
      << why.message;
  EXPECT_TRUE(why.location.has_value());
}

} // namespace
