//===- ApproximateTest.cpp - The approximate forms' errors -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Under Approximation::Worst results lie within the bounds of the PTX ISA 9.1,
// and come near to them. Here each bound is written a second time, as a width
// around the function itself.
//
//===----------------------------------------------------------------------===//

#include "Support.h"

#include <functional>

using namespace napkin::executor;

namespace {

/// The results of "OP %f3, %f1[, %f2];" for pairs of operands, 32 at a time.
std::vector<float> results(const std::string &operation,
                           const std::vector<std::pair<float, float>> &operands,
                           Approximation approximation) {
  Device device;
  const uint64_t bytes = operands.size() * 4;
  uint64_t in = cantFail(device.allocate(2 * bytes)),
           out = cantFail(device.allocate(bytes));
  cantFail(device.copyToDevice(in, operands.data(), 2 * bytes));
  Options options;
  options.approximation = approximation;
  Ran ran = run(kernelText("mov.u32 %r0, %ctaid.x;\n"
                           "mad.lo.u32 %r1, %r0, 32, %t;\n"
                           "mad.wide.u32 %rd2, %r1, 8, %rd0;\n"
                           "mad.wide.u32 %rd3, %r1, 4, %rd1;\n"
                           "ld.global.v2.f32 {%f1, %f2}, [%rd2];\n" +
                               operation + "\nst.global.f32 [%rd3], %f3;",
                           2, "", "sm_90"),
                device, {in, out},
                {{uint32_t(operands.size() / 32), 1, 1}, {32, 1, 1}}, options);
  EXPECT_EQ(ran.error, "");
  EXPECT_EQ(ran.trap(), "");
  std::vector<float> values(operands.size());
  cantFail(device.copyFromDevice(values.data(), out, bytes));
  return values;
}

/// One unit in the last place of a float near `x`.
double unit(double x) { return std::ldexp(1, std::ilogb(float(x)) - 23); }

struct Form {
  std::string operation;
  std::function<double(double, double)> value;
  /// How far from the value a result may be; by operands and value.
  std::function<double(double, double)> width;
  float low = 0, high = 0;
};

/// Results stay inside the width and come near to it somewhere.
void check(const Form &form) {
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> draw(form.low, form.high);
  std::vector<std::pair<float, float>> operands(4096);
  for (auto &[a, b] : operands) {
    a = draw(engine);
    b = draw(engine);
  }
  for (auto approximation : {Approximation::Typical, Approximation::Worst}) {
    auto got = results(form.operation, operands, approximation);
    double nearest = 0;
    for (size_t k = 0; k < got.size(); ++k) {
      auto [a, b] = operands[k];
      double value = form.value(a, b), width = form.width(a, value);
      ASSERT_LE(std::fabs(got[k] - value), width)
          << form.operation << " of " << a << ", " << b;
      nearest = std::max(nearest, std::fabs(got[k] - value) / width);
    }
    if (approximation == Approximation::Worst)
      EXPECT_GT(nearest, 0.6) << form.operation;
  }
}

TEST(Approximate, BoundsOfTheManual) {
  // Counted from the correctly rounded result.
  auto units = [](double count) {
    return [=](double, double value) { return (count + 0.5) * unit(value); };
  };
  auto relative = [](double bound) {
    return [=](double, double value) { return bound * std::fabs(value); };
  };
  auto absolute = [](double bound) {
    return [=](double, double) { return bound; };
  };
  auto one = [](double (*f)(double)) {
    return [=](double a, double) { return f(a); };
  };
  const double pi = std::acos(-1.0);
  auto quotient = [](double a, double b) { return a / b; };
  const Form forms[] = {
      {"div.approx.f32 %f3, %f1, %f2;", quotient, units(2), 1e-3f, 1e3f},
      {"div.full.f32 %f3, %f1, %f2;", quotient, units(2), 1e-3f, 1e3f},
      {"rcp.approx.f32 %f3, %f1;", [](double a, double) { return 1 / a; },
       units(1), 1e-3f, 1e3f},
      {"ex2.approx.f32 %f3, %f1;", one(std::exp2), units(2), -30, 30},
      {"sqrt.approx.f32 %f3, %f1;", one(std::sqrt), relative(0x1p-23), 1e-3f,
       1e3f},
      {"rsqrt.approx.f32 %f3, %f1;",
       [](double a, double) { return 1 / std::sqrt(a); },
       relative(std::exp2(-22.9)), 1e-3f, 1e3f},
      {"lg2.approx.f32 %f3, %f1;", one(std::log2), absolute(0x1p-22), 0.51f,
       1.99f},
      {"lg2.approx.f32 %f3, %f1;", one(std::log2), relative(0x1p-22), 2, 1e3f},
      {"sin.approx.f32 %f3, %f1;", one(std::sin), absolute(std::exp2(-20.5)),
       float(-2 * pi), float(2 * pi)},
      {"sin.approx.f32 %f3, %f1;", one(std::sin), absolute(std::exp2(-14.7)),
       float(2.1 * pi), float(99 * pi)},
      {"cos.approx.f32 %f3, %f1;", one(std::cos), absolute(std::exp2(-20.5)),
       float(-2 * pi), float(2 * pi)},
      {"cos.approx.f32 %f3, %f1;", one(std::cos), absolute(std::exp2(-14.7)),
       float(2.1 * pi), float(99 * pi)},
      {"tanh.approx.f32 %f3, %f1;", one(std::tanh), relative(0x1p-11), -3, 3},
  };
  for (const Form &form : forms)
    check(form);
}

// What the result type rounds comes on top.
TEST(Approximate, BoundsOfSixteenBits) {
  auto half = [](double value) {
    return std::ldexp(1, std::max(std::ilogb(value), -14) - 11);
  };
  auto bfloat = [](double value) {
    return std::ldexp(1, std::ilogb(value) - 8);
  };
  auto through = [](const std::string &type, const std::string &name) {
    return "cvt.rn." + type + ".f32 %h1, %f1; " + name + "." + type +
           " %h2, %h1; cvt.f32." + type + " %f3, %h2;";
  };
  // Operands that both types have.
  std::vector<std::pair<float, float>> operands;
  for (int k = 0; k < 512; ++k)
    operands.push_back({float(k % 128 - 64) / 32, 0});
  struct Case {
    std::string operation;
    double (*value)(double);
    std::function<double(double)> width;
  };
  const Case cases[] = {
      {through("f16", "ex2.approx"), std::exp2,
       [&](double v) { return std::exp2(-9.9) * v + half(v); }},
      {through("bf16", "ex2.approx.ftz"), std::exp2,
       [&](double v) { return 0x1p-7 * v + bfloat(v); }},
      {through("f16", "tanh.approx"), std::tanh,
       [&](double v) { return std::exp2(-10.987) + half(v); }},
      {through("bf16", "tanh.approx"), std::tanh,
       [&](double v) { return 0x1p-8 + bfloat(v); }}};
  for (const Case &c : cases) {
    auto got = results(c.operation, operands, Approximation::Worst);
    double nearest = 0;
    for (size_t k = 0; k < got.size(); ++k) {
      double value = c.value(operands[k].first);
      if (value == 0)
        continue;
      ASSERT_LE(std::fabs(got[k] - value), c.width(value))
          << c.operation << " of " << operands[k].first;
      nearest = std::max(nearest, std::fabs(got[k] - value) / c.width(value));
    }
    EXPECT_GT(nearest, 0.6) << c.operation;
  }
}

TEST(Approximate, QuotientsThatHaveNoBound) {
  const float huge = 0x1.8p126f, tiny = 0x1p-130f;
  std::vector<std::pair<float, float>> operands(32, {1.0f, 1.0f});
  operands[0] = {1e38f, huge};
  operands[1] = {-1e38f, huge};
  operands[2] = {INFINITY, huge};
  operands[3] = {1, tiny};
  operands[4] = {0, tiny};
  auto got =
      results("div.approx.f32 %f3, %f1, %f2;", operands, Approximation::Worst);
  EXPECT_TRUE(got[0] == 0 && !std::signbit(got[0]));
  EXPECT_TRUE(got[1] == 0 && std::signbit(got[1]));
  EXPECT_TRUE(std::isnan(got[2]));
  EXPECT_EQ(got[3], INFINITY);
  EXPECT_TRUE(std::isnan(got[4])); // 0 times infinity
  // div.full holds its bound everywhere.
  got = results("div.full.f32 %f3, %f1, %f2;", operands, Approximation::Worst);
  EXPECT_NEAR(got[0], 1e38 / huge, 1e-6);
  EXPECT_EQ(got[2], INFINITY);
  EXPECT_EQ(got[4], 0);
}

} // namespace
