//===- NumericsTest.cpp - Arithmetic of tensor cores -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Laws that published measurements state (Fasi et al. 2021; Khattak and
// Mikaitis 2025; MMA-Sim 2025): truncation after alignment, how many products
// share one step, extra bits, 13 bits of 8-bit products. Values are chosen so
// that one wrong parameter changes the result.
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Executor/MatrixShape.h"
#include "Support.h"

using namespace napkin::executor;
using napkin::ptx::Type;

namespace {

/// c + sum a[k] * b[k] for one element.
float dot(float c, std::vector<float> a, std::vector<float> b, TensorCore core,
          Type type = Type::BF16, bool wide = false, unsigned k = 16) {
  a.resize(k);
  b.resize(k);
  faithfulMultiply(&c, a.data(), b.data(), 1, 1, k, type, unsigned(core), wide,
                   false);
  return c;
}

const float one = 1;

TEST(Numerics, ProductsAreExactAndTruncated) {
  // 1 + 2^-24 is not a float: to nearest even it is 1, and toward zero as well;
  // 1 + 3 * 2^-25 rounds up to 1 + 2^-23 but truncates to 1.
  EXPECT_EQ(dot(1, {3 * 0x1p-13f}, {0x1p-12f}, TensorCore::A100), 1.0f);
  EXPECT_EQ(dot(1, {0x1p-12f}, {0x1p-11f}, TensorCore::A100), 1 + 0x1p-23f);
  // Toward zero for negative sums too.
  EXPECT_EQ(dot(-1, {-3 * 0x1p-13f}, {0x1p-12f}, TensorCore::A100), -1.0f);
}

TEST(Numerics, ExtraBits) {
  // Two addends of 2^-24 make 2^-23 if one extra bit survives the alignment
  // (F = 24), four of 2^-25 need two (F = 25, Hopper).
  EXPECT_EQ(
      dot(1, {0x1p-12f, 0x1p-12f}, {0x1p-12f, 0x1p-12f}, TensorCore::A100),
      1 + 0x1p-23f);
  std::vector<float> a(4, 0x1p-13f), b(4, 0x1p-12f);
  EXPECT_EQ(dot(1, a, b, TensorCore::A100), 1.0f);
  EXPECT_EQ(dot(1, a, b, TensorCore::H100), 1 + 0x1p-23f);
  EXPECT_EQ(dot(1, a, b, TensorCore::H100, Type::BF16, true), 1 + 0x1p-23f);
}

TEST(Numerics, ProductsPerStep) {
  // 2^24 in the first eight products swallows the 1 beside it; in Ampere's
  // second step the 1 meets what is left after the cancellation.
  std::vector<float> a(16, 0), b(16, 1);
  a[0] = 0x1p26f;
  a[8] = -0x1p26f;
  a[9] = 1;
  EXPECT_EQ(dot(0, a, b, TensorCore::A100), 1.0f * 0 + 0.0f)
      << "1 is below the unit of the second step";
  a[9] = 0;
  a[1] = 1;
  EXPECT_EQ(dot(0, a, b, TensorCore::A100), 0.0f);
  // Without cancellation the steps chain: the sum of the first is truncated.
  std::vector<float> c(16, 0);
  c[0] = 1;
  c[8] = 0x1p-12f;
  std::vector<float> d(16, one);
  d[8] = 0x1p-12f;
  c[9] = 0x1p-12f;
  d[9] = 0x1p-12f;
  EXPECT_EQ(dot(0, c, d, TensorCore::A100), 1 + 0x1p-23f);
  // Split over two steps, each half is lost on Ampere but not on Hopper.
  c[9] = d[9] = 0;
  c[1] = d[1] = 0x1p-12f;
  EXPECT_EQ(dot(0, c, d, TensorCore::A100), 1.0f);
  EXPECT_EQ(dot(0, c, d, TensorCore::H100), 1 + 0x1p-23f);
}

TEST(Numerics, EightBitFloatsKeepThirteenBits) {
  EXPECT_EQ(
      dot(1, {0x1p-7f}, {0x1p-6f}, TensorCore::H100, Type::E4M3, true, 32),
      1 + 0x1p-13f);
  EXPECT_EQ(
      dot(1, {0x1p-7f}, {0x1p-7f}, TensorCore::H100, Type::E4M3, true, 32),
      1.0f);
  EXPECT_EQ(
      dot(1, {0x1p-7f}, {0x1p-7f}, TensorCore::Ada, Type::E4M3, false, 32),
      1.0f);
  // mma.sync of 8-bit floats on Hopper goes through f16 products: nothing is
  // lost.
  EXPECT_EQ(
      dot(1, {0x1p-7f}, {0x1p-7f}, TensorCore::H100, Type::E4M3, false, 32),
      1 + 0x1p-14f);
}

TEST(Numerics, SpecialValues) {
  EXPECT_EQ(dot(0, {INFINITY}, {1}, TensorCore::A100), INFINITY);
  float nan = dot(0, {INFINITY}, {0}, TensorCore::A100);
  uint32_t bits;
  std::memcpy(&bits, &nan, 4);
  EXPECT_EQ(bits, 0x7fffffffu);
  // Subnormal inputs count.
  EXPECT_EQ(dot(0, {0x1p-130f}, {0x1p10f}, TensorCore::A100), 0x1p-120f);
}

} // namespace
