//===- FunctionTest.cpp - compiled scalar functions against double --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every function is compiled and executed with approximations as bad as the PTX
// manual allows, on floats from all over their range and on special values, and
// compared with the host's in double precision. It has to keep its documented
// error.
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Parser/Parser.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Executor/Manifest.h"
#include "napkin/PTX/Parser.h"
#include "napkin/Pipelines/Pipelines.h"
#include "napkin/Reference/Accuracy.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <fmt/format.h>
#include <gtest/gtest.h>

using namespace napkin;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr int64_t count = 1 << 15;

/// A map of one operation over one or two arrays.
std::string diagramOf(const std::string &op, int arity) {
  std::string type = fmt::format("!ncd.array<n={}, f32>", count);
  std::string arguments = "%x: " + type, inputs = "%x", types = type,
              block = "%a: f32", operands = "%a";
  if (arity == 2) {
    arguments += ", %y: " + type;
    inputs += ", %y";
    types += ", " + type;
    block += ", %b: f32";
    operands += ", %b";
  }
  return fmt::format("ncd.diagram @f({0}) -> {1} {{\n"
                     "  %r = ncd.map {2} {{\n  ^bb0({3}):\n"
                     "    %v = {4} {5} : f32\n    ncd.yield %v : f32\n"
                     "  }} : {6} -> {1}\n  ncd.return %r : {1}\n}}\n",
                     arguments, type, inputs, block, op, operands, types);
}

/// What is promised of the only function in \p source.
double promised(const std::string &source) {
  mlir::MLIRContext context;
  context.loadDialect<ncd::NCDDialect, mlir::arith::ArithDialect,
                      mlir::math::MathDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(source, &context);
  std::optional<double> error;
  module->walk([&](mlir::Operation *op) {
    if (auto own = reference::documentedError(op))
      error = own;
  });
  EXPECT_TRUE(error) << source;
  return error.value_or(0);
}

std::vector<char> bytesOf(const std::vector<float> &values) {
  const char *bytes = reinterpret_cast<const char *>(values.data());
  return {bytes, bytes + values.size() * sizeof(float)};
}

/// Compiles and executes \p source.
std::vector<float> run(const std::string &source,
                       const std::vector<std::vector<float>> &inputs) {
  auto compiled = pipelines::compileText(source, {});
  EXPECT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  if (!compiled)
    return {};
  auto manifest =
      llvm::cantFail(executor::parseManifest(compiled->manifest, "manifest"));
  auto module = llvm::cantFail(ptx::parse(compiled->ptx, manifest.ptx));
  executor::HostArrays arrays;
  for (size_t i = 0; i < inputs.size(); ++i)
    arrays[manifest.arrays[i].name] = bytesOf(inputs[i]);
  executor::Options options;
  options.approximation = executor::Approximation::Worst;
  auto ran = executor::runManifest(*module, manifest, arrays, options);
  EXPECT_TRUE(bool(ran)) << llvm::toString(ran.takeError());
  const std::vector<char> &bytes = arrays[manifest.arrays.back().name];
  std::vector<float> results(bytes.size() / sizeof(float));
  std::copy(bytes.begin(), bytes.end(),
            reinterpret_cast<char *>(results.data()));
  return results;
}

/// The distance of \p have from \p want in units in the last place of \p want
/// rounded to f32.
double ulpsBetween(float have, double want) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  float rounded = static_cast<float>(want);
  if (std::isnan(want))
    return std::isnan(have) ? 0 : wrong;
  if (std::isinf(rounded))
    // Next to the largest finite value either may be right.
    return have == rounded ? 0
           : std::isinf(want) || have != have
               ? wrong
               : std::fabs(have - want) / 0x1p104;
  if (std::fabs(want) < 0x1p-126 && have == 0)
    return std::signbit(have) == std::signbit(want) ? 0 : wrong;
  if (want == 0 || !std::isfinite(have))
    return wrong;
  // Across a power of two the step from one float to the next doubles; what is
  // promised counts the steps of the larger side.
  int exponent = std::max({std::ilogb(rounded), std::ilogb(have), -126});
  return std::fabs(have - want) / std::ldexp(1.0, exponent - 23);
}

/// Floats of every exponent, and those where something happens.
std::vector<float> sweep(uint32_t first) {
  std::vector<float> values = {
      0.0f,           -0.0f,        1.0f,          -1.0f,      infinity,
      -infinity,      nan,          0x1p-149f,     -0x1p-149f, 0x1p-126f,
      0.5f,           -0.5f,        3.4028235e38f, 88.72283f,  88.72284f,
      -87.33654f,     1e6f,         999999.0f,     0x1p17f,    0x1p24f,
      -3.4028235e38f, -0.99999994f, 1.5707964f,    3.1415927f, 0.99999994f,
      1.0000001f,     355.0f};
  uint64_t step = (uint64_t(1) << 32) / (count - values.size());
  for (uint64_t bits = first % step;
       static_cast<int64_t>(values.size()) < count; bits += step)
    values.push_back(llvm::bit_cast<float>(static_cast<uint32_t>(bits)));
  return values;
}

void expectPromise(const std::string &op, double (*function)(double)) {
  std::string source = diagramOf(op, 1);
  double most = promised(source), worst = 0;
  std::vector<float> x = sweep(7919), r = run(source, {x});
  ASSERT_EQ(r.size(), x.size()) << op;
  size_t at = 0;
  for (size_t i = 0; i < x.size(); ++i)
    if (double error = ulpsBetween(r[i], function(x[i])); error > worst) {
      worst = error;
      at = i;
    }
  EXPECT_LE(worst, most) << op << " of " << x[at] << " gave " << r[at]
                         << " instead of " << function(x[at]);
  // A promise much larger than what is seen would be an empty one.
  EXPECT_GE(worst, most / 4) << op;
}

double reciprocalRoot(double x) { return 1 / std::sqrt(x); }

TEST(Functions, KeepTheirPromise) {
  expectPromise("math.exp", std::exp);
  expectPromise("math.exp2", std::exp2);
  expectPromise("math.expm1", std::expm1);
  expectPromise("math.log", std::log);
  expectPromise("math.log2", std::log2);
  expectPromise("math.log10", std::log10);
  expectPromise("math.log1p", std::log1p);
  expectPromise("math.sqrt", std::sqrt);
  expectPromise("math.rsqrt", reciprocalRoot);
  expectPromise("math.cbrt", std::cbrt);
  expectPromise("math.sin", std::sin);
  expectPromise("math.cos", std::cos);
  expectPromise("math.tan", std::tan);
  expectPromise("math.asin", std::asin);
  expectPromise("math.acos", std::acos);
  expectPromise("math.atan", std::atan);
  expectPromise("math.sinh", std::sinh);
  expectPromise("math.cosh", std::cosh);
  expectPromise("math.tanh", std::tanh);
  expectPromise("math.asinh", std::asinh);
  expectPromise("math.acosh", std::acosh);
  expectPromise("math.atanh", std::atanh);
  expectPromise("math.erf", std::erf);
  expectPromise("math.erfc", std::erfc);
}

void expectPromise(const std::string &op, double (*function)(double, double)) {
  std::string source = diagramOf(op, 2);
  double most = promised(source), worst = 0;
  std::vector<float> x = sweep(1), y = x;
  // All pairs of special values, then pairs of unlike magnitudes and of like
  // ones.
  size_t special = 21, next = 0;
  for (size_t i = 0; i < special; ++i)
    for (size_t j = 0; j < special; ++j, ++next) {
      y[next] = sweep(1)[j];
      x[next] = sweep(1)[i];
    }
  for (size_t i = next; i < x.size(); ++i) {
    y[i] = i % 2 ? x[(i * 7919) % x.size()]
                 : x[i] * (0.5f + static_cast<float>(i % 1000) / 700);
  }
  std::vector<float> r = run(source, {x, y});
  ASSERT_EQ(r.size(), x.size()) << op;
  size_t at = 0;
  for (size_t i = 0; i < x.size(); ++i)
    if (double error = ulpsBetween(r[i], function(x[i], y[i])); error > worst) {
      worst = error;
      at = i;
    }
  EXPECT_LE(worst, most) << op << " of " << x[at] << ", " << y[at] << " gave "
                         << r[at] << " instead of " << function(x[at], y[at]);
}

TEST(Functions, OfTwoOperandsKeepTheirPromise) {
  expectPromise("math.atan2", std::atan2);
  expectPromise("arith.divf", [](double a, double b) { return a / b; });
}

/// A map that divides by a constant.
std::string quotientBy(float divisor) {
  return fmt::format("ncd.diagram @f(%x: {0}) -> {0} {{\n"
                     "  %r = ncd.map %x {{\n  ^bb0(%a: f32):\n"
                     "    %d = arith.constant {1:.9e} : f32\n"
                     "    %v = arith.divf %a, %d : f32\n"
                     "    ncd.yield %v : f32\n"
                     "  }} : {0} -> {0}\n  ncd.return %r : {0}\n}}\n",
                     fmt::format("!ncd.array<n={}, f32>", count), divisor);
}

TEST(Functions, DivideByConstantsAsIEEE) {
  for (float divisor : {3.0f, 1000.0f, 1024.0f, -7.0f, 0.1f, 37.0f, 65535.0f,
                        0x1.fffffep0f, 1e-15f, -1e15f}) {
    double wide = divisor;
    std::vector<float> x = sweep(7919);
    for (size_t i = 0; i < x.size(); i += 3) // quotients that are floats
      if (float product = x[i] * divisor; product == x[i] * wide)
        x[i] = product;
    std::vector<float> r = run(quotientBy(divisor), {x});
    ASSERT_EQ(r.size(), x.size()) << divisor;
    for (size_t i = 0; i < x.size(); ++i) {
      double want = x[i] / wide;
      double most = std::fabs(want) < 0x1p-100 ? 1 : 0.5 + 0x1p-20;
      EXPECT_LE(ulpsBetween(r[i], want), most)
          << x[i] << " / " << divisor << " gave " << r[i];
    }
  }
}

} // namespace
