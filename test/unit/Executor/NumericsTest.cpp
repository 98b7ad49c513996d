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

#include "Numerics/Formats.h"
#include "Support.h"
#include "Vector/Backend.h"

using namespace napkin::executor;
using napkin::ptx::Type;

namespace {

/// c + sum a[k] * b[k] for one element.
float dot(float c, std::vector<float> a, std::vector<float> b, TensorCore core,
          Type type = Type::BF16, bool wide = false, unsigned k = 16) {
  a.resize(k);
  b.resize(k);
  faithfulMultiply(&c, a.data(), b.data(), 1, 1, k,
                   tensorUnit(type, type, k, unsigned(core), wide, false));
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

TEST(Numerics, SubnormalsKeepTheirExponent) {
  // 2^-24 is a subnormal f16 and aligns as 2^-14 does: 2^-47, 23 places below
  // it, is lost, 2^-39 is not. As bf16 it is a normal number.
  EXPECT_EQ(dot(0x1p-47f, {0x1p-24f}, {1}, TensorCore::H100, Type::BF16),
            0x1p-24f + 0x1p-47f);
  EXPECT_EQ(dot(0x1p-47f, {0x1p-24f}, {1}, TensorCore::H100, Type::F16),
            0x1p-24f);
  EXPECT_EQ(dot(0x1p-39f, {0x1p-24f}, {1}, TensorCore::H100, Type::F16),
            0x1p-24f + 0x1p-39f);
}

/// Lane 0's value of what one warp stores with the bits of the H100.
template <class T>
T firstOnHopper(const std::string &body) {
  Device device;
  uint64_t out = cantFail(device.allocate(128));
  Options options;
  options.numerics = Numerics::Faithful;
  options.tensorCore = TensorCore::H100;
  Ran ran = run(kernelText(body, 1, "", "sm_90a"), device, {out},
                {{1, 1, 1}, {32, 1, 1}}, options);
  EXPECT_EQ(ran.error + ran.trap(), "");
  return download<T>(device, out, 32)[0];
}

TEST(Numerics, EightBitProductsOnHopperSplitK) {
  // ptxas makes two f16 products of one: of k = 0, 1, 4, 5, ... and then of 2,
  // 3, 6, 7, ... Of 2^16, -2^16 and 2^-12 the last is lost in a step with the
  // first, but not in one after both. In e4m3: 0x78 is 2^8, 0x08 is 2^-6.
  auto product = [](const char *a, const char *b) {
    std::string body =
        std::string("mov.b32 %r1, 0; mov.b32 %r2, 0; mov.b32 %r3, 0;"
                    "setp.eq.u32 %p1, %t, 0; mov.f32 %f1, 0f00000000;"
                    "@%p1 mov.b32 %r1, ") +
        a + "; @%p1 mov.b32 %r2, " + b +
        "; mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32 "
        "{%f5,%f6,%f7,%f8}, {%r1,%r3,%r3,%r3}, {%r2,%r3}, {%f1,%f1,%f1,%f1};"
        "mad.wide.u32 %rd5, %t, 4, %rd0; st.global.f32 [%rd5], %f5;";
    return firstOnHopper<float>(body);
  };
  EXPECT_EQ(product("0x0008f878", "0x78087878"), 0x1p-12f);
  EXPECT_EQ(product("0x00f80878", "0x78780878"), 0.0f);
}

TEST(Numerics, EightBitProductsOnHopperRoundToHalf) {
  // With f16 accumulators ptxas emits two HMMA.16816.F16 and an HADD2: 2048 + 1
  // is a tie and stays 2048, twice; in f32 it would become 2050. In e4m3: 0x60
  // is 32, 0x68 is 64, 0x38 is 1; the 1 is at k = 2, in the second product.
  std::string body =
      "mov.b32 %r1, 0; mov.b32 %r2, 0; mov.b32 %r3, 0; mov.b32 %r4, 0x00003c00;"
      "setp.eq.u32 %p1, %t, 0; @%p1 mov.b32 %r1, 0x00380060;"
      "@%p1 mov.b32 %r2, 0x00380068;"
      "mma.sync.aligned.m16n8k32.row.col.f16.e4m3.e4m3.f16 {%r5,%r6},"
      "{%r1,%r3,%r3,%r3}, {%r2,%r3}, {%r4,%r4};"
      "mad.wide.u32 %rd5, %t, 4, %rd0; st.global.u32 [%rd5], %r5;";
  EXPECT_EQ(firstOnHopper<uint32_t>(body) & 0xffff, 0x6800u);
}

/// One number of a kind of input, exact in `type`.
float sample(std::mt19937 &random, Type type, unsigned kind) {
  unsigned size = type == Type::TF32                        ? 32
                  : type == Type::BF16 || type == Type::F16 ? 16
                                                            : 8;
  uint32_t bits = random();
  if (kind == 1 && bits % 3 == 0)
    return 0;
  // Any bits at all: subnormal, infinite and not a number too.
  if (kind == 2)
    return type == Type::TF32
               ? float(decodeFloat(bits & 0xffffe000u, Type::F32))
               : float(decodeFloat(bits >> (32 - size), type));
  // Near one, of both signs, so that sums cancel.
  float near = std::ldexp(1 + float(bits % 4) / 4, int(bits >> 8) % 3) *
               (bits >> 31 ? -1 : 1);
  if (kind == 3)
    return near;
  int range = type == Type::E4M3 ? 5 : size == 8 ? 12 : 14;
  if (size != 8 && type != Type::F16 && kind == 4)
    range = 120;
  float wide = std::ldexp(near, int(bits >> 12) % (2 * range) - range);
  return type == Type::TF32 || type == Type::BF16
             ? wide
             : float(decodeFloat(encodeFloat(wide, type), type));
}

struct Form {
  Type a, b;
  unsigned k;
  bool wide, half;
};

/// The vector code of `backend` against the model, bit by bit.
void compareWithModel(const Backend &backend, const Form &form, TensorCore core,
                      unsigned kind, unsigned seed) {
  const unsigned n = 16, k = form.k;
  std::mt19937 random(seed);
  TensorUnit unit =
      tensorUnit(form.a, form.b, k, unsigned(core), form.wide, form.half);
  std::vector<float> a(16 * k), b(k * n), c(16 * n), packed(k * n);
  for (float &v : a)
    v = sample(random, form.a, kind);
  for (float &v : b)
    v = sample(random, form.b, kind);
  for (float &v : c)
    v = random() % 4 ? sample(random, form.half ? Type::F16 : Type::BF16, kind)
                     : 0;
  std::vector<int32_t> ea(a.size()), eb(b.size());
  float d[n / 2][lanes], *rows[n / 2];
  for (unsigned r = 0; r < n / 2; ++r) {
    rows[r] = d[r];
    for (unsigned l = 0; l < lanes; ++l)
      d[r][l] =
          c[(l / 4 + 8 * (r / 2 % 2)) * n + 8 * (r / 4) + 2 * (l % 4) + r % 2];
  }
  std::vector<float> ordered(a);
  for (unsigned j = 0; j < k; ++j) {
    unsigned from = unit.addsAtEnd ? splitOrder(j, k) : j;
    for (unsigned row = 0; row < 16; ++row)
      ordered[row * k + j] = a[row * k + from];
    for (unsigned column = 0; column < n; ++column)
      packed[(column / 8 * k + j) * 8 + column % 8] =
          b[from * n + column / 8 * 8 + packedColumn(column % 8)];
  }
  std::vector<float> orderedB(b);
  for (unsigned j = 0; j < k; ++j)
    for (unsigned column = 0; column < n; ++column)
      orderedB[j * n + column] =
          b[(unit.addsAtEnd ? splitOrder(j, k) : j) * n + column];
  backend.exponentsOf(ea.data(), ordered.data(), ea.size(), unit.smallestA);
  backend.exponentsOf(eb.data(), packed.data(), eb.size(), unit.smallestB);
  backend.multiplyFaithful(
      {rows, {ordered.data(), ea.data()}, {packed.data(), eb.data()}, n, k},
      unit);
  faithfulMultiply(c.data(), ordered.data(), orderedB.data(), 16, n, k, unit);
  for (unsigned r = 0; r < n / 2; ++r)
    for (unsigned l = 0; l < lanes; ++l) {
      float expected =
          c[(l / 4 + 8 * (r / 2 % 2)) * n + 8 * (r / 4) + 2 * (l % 4) + r % 2];
      uint32_t x, y;
      std::memcpy(&x, &d[r][l], 4);
      std::memcpy(&y, &expected, 4);
      // A NaN that becomes f16 has one pattern.
      if (form.half && std::isnan(expected) && std::isnan(d[r][l]))
        continue;
      ASSERT_EQ(x, y) << backend.name << ": type " << unsigned(form.a) << ", k "
                      << k << ", core " << unsigned(core) << ", inputs " << kind
                      << ", " << d[r][l] << " for " << expected;
    }
}

} // namespace

namespace napkin::executor::generic {
extern const Backend table;
}

namespace {

TEST(Numerics, VectorsFollowTheModel) {
  const Form forms[] = {
      {Type::BF16, Type::BF16, 16, false, false},
      {Type::BF16, Type::BF16, 8, false, false},
      {Type::F16, Type::F16, 16, false, false},
      {Type::F16, Type::F16, 16, true, true},
      {Type::TF32, Type::TF32, 8, true, false},
      {Type::TF32, Type::TF32, 4, false, false},
      {Type::E4M3, Type::E5M2, 32, false, false},
      {Type::E4M3, Type::E4M3, 32, true, false},
      {Type::E5M2, Type::E5M2, 32, true, true},
  };
  for (const Form &form : forms)
    for (TensorCore core :
         {TensorCore::A100, TensorCore::Ada, TensorCore::H100})
      for (unsigned kind = 0; kind < 5; ++kind)
        for (unsigned seed = 0; seed < 12; ++seed)
          for (const Backend *variant : {&generic::table, &backend()})
            compareWithModel(*variant, form, core, kind, seed);
}

} // namespace
