//===- StreamFuzzTests.cpp - Random kernels through the rewrite -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random cascades written as ncd operations. Whatever ncd-derive-stream does
// not refuse must verify and agree with the plain kernel in the reference
// interpreter under random splits and merges.
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "napkin/Algebra/StreamingForm.h"
#include "napkin/Reference/Evaluate.h"
#include "napkin/Reference/Inputs.h"
#include "gtest/gtest.h"
#include <cstdio>
#include <cstdlib>
#include <random>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

namespace {

/// An array in the text: its name and its axes, of b, x, d.
struct Array {
  std::string name;
  bool b, x, d;
  std::string element = "f32";

  std::string type() const {
    std::string text = "!ncd.array<";
    if (b)
      text += "b=3, ";
    if (x)
      text += "x=11, ";
    if (d)
      text += "d=4, ";
    return text + element + ">";
  }
};

class Program {
public:
  explicit Program(unsigned seed) : generator(seed) {
    arrays = {{"%X", true, true, false},
              {"%Y", true, true, false},
              {"%G", false, true, false},
              {"%W", false, true, true, "bf16"},
              {"%S", true, false, false}};
    inputs = arrays.size();
  }

  std::string text() {
    std::string body;
    for (int i = 0, n = 2 + below(3); i < n; ++i) {
      body += map();
      body += reduce();
      if (below(3) == 0)
        body += rowMap();
      if (below(4) == 0)
        body += contract();
    }
    // The last reduction is the output.
    Array out = *std::find_if(arrays.rbegin(), arrays.rend(),
                              [](const Array &a) { return !a.x; });
    std::string outer, inner, types;
    for (size_t i = 0; i < inputs; ++i) {
      std::string separator = i ? ", " : "";
      outer += separator + arrays[i].name + "_: " + arrays[i].type();
      inner += separator + arrays[i].name + " = " + arrays[i].name + "_";
      types += separator + arrays[i].type();
    }
    return "ncd.diagram @d(" + outer + ") -> " + out.type() +
           " {\n%r = ncd.kernel (" + inner + " : " + types + ") -> (" +
           out.type() + ") attributes {stream = #ncd.partition<x=3>} {\n" +
           body + "ncd.yield " + out.name + " : " + out.type() +
           "\n}\nncd.return %r : " + out.type() + "\n}\n";
  }

private:
  int below(int n) { return int(generator() % n); }
  std::string fresh() { return "%v" + std::to_string(count++); }

  /// One operation on scalars; `values` holds the operands so far.
  void scalar(std::string &body, std::vector<std::string> &values, bool hasX) {
    auto pick = [&] { return values[below(values.size())]; };
    std::string r = fresh(), a = pick(), b = pick();
    auto binary = [&](const char *op) {
      body += r + " = " + op + " " + a + ", " + b + " : f32\n";
    };
    auto unary = [&](const char *op) {
      body += r + " = " + op + " " + a + " : f32\n";
    };
    switch (below(12)) {
    case 0:
    case 1:
      binary("arith.addf");
      break;
    case 2:
      binary("arith.subf");
      break;
    case 3:
    case 4:
    case 5:
      binary("arith.mulf");
      break;
    case 6:
      unary("arith.negf");
      break;
    case 7: {
      std::string t = fresh();
      body += t + " = math.tanh " + a + " : f32\n";
      body += r + " = math.exp " + t + " : f32\n";
      break;
    }
    case 8: {
      std::string t = fresh();
      body += t + " = arith.subf " + a + ", " + b + " : f32\n";
      body += r + " = math.exp " + t + " : f32\n";
      break;
    }
    case 9: {
      std::string t = fresh();
      body += t + " = math.absf " + a + " : f32\n";
      body += r + " = math.sqrt " + t + " : f32\n";
      break;
    }
    case 10: {
      if (!hasX) {
        unary("math.tanh");
        break;
      }
      std::string i = fresh(), n = fresh(), c = fresh(), z = fresh();
      body += i + " = ncd.index \"x\" : index\n";
      body += n + " = arith.constant " + std::to_string(1 + below(10)) +
              " : index\n";
      body += c + " = arith.cmpi slt, " + i + ", " + n + " : index\n";
      body += z + " = arith.constant 0.0 : f32\n";
      body += r + " = arith.select " + c + ", " + a + ", " + z + " : f32\n";
      break;
    }
    default: {
      std::string c = fresh();
      body += c + " = arith.constant 0." + std::to_string(1 + below(9)) +
              " : f32\n";
      body += r + " = arith.mulf " + a + ", " + c + " : f32\n";
      break;
    }
    }
    values.push_back(r);
  }

  std::string mapOf(const std::vector<Array> &operands, Array result) {
    std::string names, arguments, types, body;
    std::vector<std::string> values;
    for (const Array &operand : operands) {
      std::string argument = fresh(), separator = names.empty() ? "" : ", ";
      names += separator + operand.name;
      arguments += separator + argument + ": " + operand.element;
      types += separator + operand.type();
      if (operand.element == "bf16") {
        std::string wide = fresh();
        body += wide + " = arith.extf " + argument + " : bf16 to f32\n";
        argument = wide;
      }
      values.push_back(argument);
    }
    for (int i = 0, n = 1 + below(5); i < n; ++i)
      scalar(body, values, result.x);
    std::string yielded = values.back();
    if (result.element == "bf16") {
      body += fresh() + " = arith.truncf " + yielded + " : f32 to bf16\n";
      yielded = "%v" + std::to_string(count - 1);
    }
    arrays.push_back(result);
    return result.name + " = ncd.map " + names + " {\n^bb0(" + arguments +
           "):\n" + body + "ncd.yield " + yielded + " : " + result.element +
           "\n} : " + types + " -> " + result.type() + "\n";
  }

  std::string map() {
    std::vector<Array> operands = {arrays[below(3)]};
    for (int i = below(3); i > 0; --i) {
      const Array &a = arrays[below(arrays.size())];
      if (!a.d)
        operands.push_back(a);
    }
    // The latest row value, so that there is a cascade.
    for (size_t i = arrays.size(); i-- > inputs;)
      if (!arrays[i].x && !arrays[i].d) {
        operands.push_back(arrays[i]);
        break;
      }
    Array result{fresh(), false, true, false};
    for (const Array &a : operands)
      result.b |= a.b;
    if (below(4) == 0)
      result.element = "bf16";
    return mapOf(operands, result);
  }

  std::string rowMap() {
    std::vector<Array> operands;
    Array result{fresh(), false, false, false};
    for (const Array &a : arrays)
      if (!a.x && !a.d && below(2)) {
        operands.push_back(a);
        result.b |= a.b;
      }
    return operands.empty() ? "" : mapOf(operands, result);
  }

  std::string reduce() {
    static const char *const monoids[] = {"sum", "sum", "sum", "max", "min"};
    Array in = arrays.back();
    Array out{fresh(), in.b, false, in.d};
    arrays.push_back(out);
    return out.name + " = ncd.reduce " + monoids[below(5)] + " " + in.name +
           " over [x] : " + in.type() + " -> " + out.type() + "\n";
  }

  /// The last mapped array in bf16 against W.
  std::string contract() {
    for (size_t i = arrays.size(); i-- > inputs;)
      if (arrays[i].x && arrays[i].element == "bf16" && !arrays[i].d) {
        Array in = arrays[i];
        Array out{fresh(), in.b, false, true};
        arrays.push_back(out);
        return out.name + " = ncd.contract " + in.name +
               ", %W over [x] : " + in.type() + ", " + arrays[3].type() +
               " -> " + out.type() + "\n";
      }
    return "";
  }

  std::mt19937_64 generator;
  std::vector<Array> arrays;
  size_t inputs;
  int count = 0;
};

TEST(AlgebraStreamFuzz, RandomKernelsAgree) {
  MLIRContext context;
  context
      .loadDialect<ncd::NCDDialect, arith::ArithDialect, math::MathDialect>();
  std::string message;
  context.getDiagEngine().registerHandler(
      [&](Diagnostic &diagnostic) { message += diagnostic.str() + "\n"; });
  const char *number = std::getenv("NAPKIN_FUZZ_COUNT");
  const char *first = std::getenv("NAPKIN_FUZZ_SEED");
  int begin = first ? std::atoi(first) : 0,
      n = number ? std::atoi(number) : 400;
  int accepted = 0, refused = 0, skipped = 0;
  for (int seed = begin; seed < begin + n; ++seed) {
    message.clear();
    std::string text = Program(seed).text();
    OwningOpRef<ModuleOp> plain = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(plain) << message << text;
    OwningOpRef<ModuleOp> streamed = plain->clone();
    ncd::KernelOp kernel;
    if (first && n == 1)
      std::fprintf(stderr, "%s", text.c_str());
    streamed->walk([&](ncd::KernelOp found) { kernel = found; });
    if (failed(algebra::rewriteAsStream(kernel))) {
      EXPECT_NE(message.find("axis x"), std::string::npos) << message;
      ++refused;
      continue;
    }
    ASSERT_TRUE(succeeded(verify(*streamed))) << message << text;
    auto diagram = *plain->getOps<ncd::DiagramOp>().begin();
    auto rewritten = *streamed->getOps<ncd::DiagramOp>().begin();
    std::vector<Tensor> inputs;
    for (auto [i, type] : llvm::enumerate(diagram.getArgumentTypes()))
      inputs.push_back(randomTensor(cast<ncd::ArrayType>(type),
                                    Distribution::Normal, 7 * seed + i));
    EvaluationOptions options;
    options.storage = Storage::NarrowOnly;
    auto reference = evaluateDiagram(diagram, inputs, options);
    ASSERT_TRUE(succeeded(reference)) << message;
    double scale = 0;
    for (double v : reference->front().floats)
      scale = std::max(scale, std::isfinite(v) ? std::fabs(v) : 1e300);
    if (scale < 1e-10 || scale > 1e20) {
      ++skipped;
      continue;
    }
    ++accepted;
    bool rounds = text.find("truncf") != std::string::npos;
    options.streamSeed = seed;
    auto results = evaluateDiagram(rewritten, inputs, options);
    ASSERT_TRUE(succeeded(results)) << message << text;
    auto distance = compareTensors(results->front(), reference->front());
    ASSERT_TRUE(bool(distance));
    EXPECT_EQ(distance->nonFiniteMismatches, 0) << "seed " << seed << text;
    // Constants of the rewrite are rounded to f32. A moved rounding may be
    // amplified by what follows; only gross errors count then.
    EXPECT_LE(distance->relativeError(), rounds ? 0.3 : 1e-5)
        << "seed " << seed << "\n"
        << text;
  }
  std::printf("random kernels: %d accepted, %d refused, %d skipped\n", accepted,
              refused, skipped);
  EXPECT_GT(accepted, n / 3);
}

} // namespace
