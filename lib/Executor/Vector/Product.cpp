//===- Product.cpp - Products of one warp ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The inner loops of mma.sync and wgmma. Products of two operands are exact in
// f32 unless they leave its range, so fused and separate multiplication give
// the same bits but there.
//
//===----------------------------------------------------------------------===//

#include "Vector/Operands.h"
#include "Vector/Tables.h"

namespace napkin::executor::NAPKIN_VARIANT {

typedef float Float4 __attribute__((vector_size(16)));
typedef float Float8 __attribute__((vector_size(32)));
typedef double Double4 __attribute__((vector_size(32)));
typedef s32 Int8 __attribute__((vector_size(32)));
typedef s32 Int4 __attribute__((vector_size(16)));
typedef s64 Long4 __attribute__((vector_size(32)));

/// Eight neighbouring columns of one row of D.
static inline Float8 loadRow(float *const *d, unsigned row) {
  Float4 even = loadVector<Float4>(d[0] + 4 * row),
         odd = loadVector<Float4>(d[1] + 4 * row);
  return __builtin_shufflevector(even, odd, 0, 1, 2, 3, 4, 5, 6, 7);
}
static inline void storeRow(float *const *d, unsigned row, Float8 v) {
  __builtin_memcpy(d[0] + 4 * row, &v, 16);
  __builtin_memcpy(d[1] + 4 * row, reinterpret_cast<char *>(&v) + 16, 16);
}

/// `Rows` rows from `row` of the half of D, `Blocks` blocks of eight columns:
/// eight sums in registers hide the latency of an addition.
template <unsigned Rows, unsigned Blocks>
static inline void multiplyTile(float *const *d, const float *a, const float *b,
                                unsigned row, unsigned k) {
#ifdef __clang__
#pragma clang fp contract(fast)
#endif
  Float8 sum[Rows][Blocks];
  for (unsigned r = 0; r < Rows; ++r)
    for (unsigned x = 0; x < Blocks; ++x)
      sum[r][x] = loadRow(d + 4 * x, row + r);
  for (unsigned i = 0; i < k; ++i)
    for (unsigned x = 0; x < Blocks; ++x) {
      Float8 v = loadVector<Float8>(b + (x * k + i) * 8);
      for (unsigned r = 0; r < Rows; ++r)
        sum[r][x] += a[r * k + i] * v;
    }
  for (unsigned r = 0; r < Rows; ++r)
    for (unsigned x = 0; x < Blocks; ++x)
      storeRow(d + 4 * x, row + r, sum[r][x]);
}

void multiplyWarp(const WarpProduct &p) {
  const unsigned k = p.k;
  const float *a = p.a.values;
  unsigned column = 0;
  for (; column + 16 <= p.n; column += 16)
    for (unsigned half = 0; half < 2; ++half)
      for (unsigned row = 0; row < 8; row += 4)
        multiplyTile<4, 2>(p.d + column / 2 + 2 * half,
                           a + (8 * half + row) * k, p.b.values + column * k,
                           row, k);
  for (; column < p.n; column += 8)
    for (unsigned half = 0; half < 2; ++half)
      multiplyTile<8, 1>(p.d + column / 2 + 2 * half, a + 8 * half * k,
                         p.b.values + column * k, 0, k);
}

/// The exponent by which a step aligns, as in MatrixOperand.
static inline s32 exponentOf(float value, s32 smallest) {
  s32 body = bits<s32>(value) & 0x7fffffff, e = (body >> 23) - 127;
  e = e < smallest ? smallest : e;
  e = body == 0 ? exponentOfZero : e;
  return body >= 0x7f800000 ? exponentOfSpecial : e;
}

void exponentsOf(s32 *to, const float *values, unsigned count, s32 smallest) {
  for (unsigned j = 0; j < count; ++j)
    to[j] = exponentOf(values[j], smallest);
}

static inline Int8 largerOf(Int8 a, Int8 b) { return a > b ? a : b; }
static inline Int8 select8(Int8 condition, Int8 a, Int8 b) {
  return (condition & a) | (~condition & b);
}
static inline bool anyOf(Int8 condition) {
  Long4 v = reinterpret_cast<Long4>(condition);
  return (v[0] | v[1] | v[2] | v[3]) != 0;
}

/// The sum of two integers, exact, cut toward zero to `keep` bits below its
/// first (or, to be rounded once more, to 23 with the rest in the last).
static inline Float4 cut(Int4 a, Int4 b, int keep, bool sticky) {
  Double4 sum =
      __builtin_convertvector(a, Double4) + __builtin_convertvector(b, Double4);
  Long4 v = reinterpret_cast<Long4>(sum);
  const s64 last = s64(1) << (52 - keep);
  Long4 rest = v & (last - 1);
  v &= ~(last - 1);
  if (sticky)
    v |= (rest != 0) & last;
  return __builtin_convertvector(reinterpret_cast<Double4>(v), Float4);
}

namespace {

/// What a step needs that all elements share.
struct Step {
  const float *a;
  const s32 *exponentsA;
  const float *b;
  const s32 *exponentsB;
  unsigned count;
};

} // namespace

/// One step for one row and eight columns. The product of two operands is exact
/// in f32, and so is its multiple by a power of two; conversion to an integer
/// truncates. Where the powers leave the range of f32, or a value is not
/// finite, the lane is left to the model.
static inline Float8 faithfulRow(Float8 c, const Step &s,
                                 const TensorUnit &unit) {
  const s32 none = exponentOfZero / 2, low = -100, high = 125;
  Int8 products = loadVector<Int8>(s.exponentsB) + s.exponentsA[0];
  for (unsigned i = 1; i < s.count; ++i)
    products = largerOf(products, loadVector<Int8>(s.exponentsB + 8 * i) +
                                      s.exponentsA[i]);
  Int8 body = reinterpret_cast<Int8>(c) & 0x7fffffff;
  Int8 own = (body >> 23) - 127;
  own = largerOf(own, Int8{} + unit.smallestC);
  own = select8(body == 0, Int8{} - 126, own);
  own = select8(body >= 0x7f800000, Int8{} + exponentOfSpecial, own);
  Int8 largest = largerOf(products, own);
  // Nothing is added: the accumulator alone is cut.
  Int8 alone = (products < none) & (own <= 127);
  if (anyOf((alone | ((largest >= low) & (largest <= high))) == 0)) {
    for (unsigned l = 0; l < 8; ++l)
      c[l] = faithfulStep(c[l], s.a, s.b + l, 8, s.count, unit);
    return c;
  }
  largest = select8(alone, Int8{}, largest);
  Float8 up = reinterpret_cast<Float8>((127 + unit.fraction - largest) << 23);
  Float8 kept = reinterpret_cast<Float8>(select8(
      alone, reinterpret_cast<Int8>(c) & ~((1 << (23 - unit.output)) - 1),
      Int8{}));
  Float8 added = reinterpret_cast<Float8>(
      select8(alone, Int8{}, reinterpret_cast<Int8>(c)));
  Int8 start = __builtin_convertvector(added * up, Int8), sum = {};
  for (unsigned i = 0; i < s.count; ++i)
    sum += __builtin_convertvector(
        s.a[i] * loadVector<Float8>(s.b + 8 * i) * up, Int8);
  Float4 first = cut(__builtin_shufflevector(sum, sum, 0, 1, 2, 3),
                     __builtin_shufflevector(start, start, 0, 1, 2, 3),
                     unit.output, unit.halfOutput),
         second = cut(__builtin_shufflevector(sum, sum, 4, 5, 6, 7),
                      __builtin_shufflevector(start, start, 4, 5, 6, 7),
                      unit.output, unit.halfOutput);
  Float8 result =
      __builtin_shufflevector(first, second, 0, 1, 2, 3, 4, 5, 6, 7);
  result *= reinterpret_cast<Float8>((127 - unit.fraction + largest) << 23);
  if (unit.halfOutput)
    for (unsigned l = 0; l < 8; ++l)
      result[l] = halfToFloat(floatToHalf(result[l]));
  // A sum of zero is positive.
  return result + kept;
}

static inline Float8 finalAddition(Float8 sum, Float8 c) {
  Int8 v = reinterpret_cast<Int8>(sum + c);
  return reinterpret_cast<Float8>(
      select8((v & 0x7fffffff) > 0x7f800000, Int8{} + 0x7fffffff, v));
}

void multiplyFaithful(const WarpProduct &p, const TensorUnit &unit) {
  const unsigned k = p.k;
  for (unsigned column = 0; column < p.n; column += 8)
    for (unsigned row = 0; row < 16; ++row) {
      float *const *d = p.d + column / 2 + 2 * (row / 8);
      Float8 c = loadRow(d, row % 8), sum = unit.addsAtEnd ? Float8{} : c;
      for (unsigned begin = 0; begin < k; begin += unit.length)
        sum = faithfulRow(sum,
                          {p.a.values + row * k + begin,
                           p.a.exponents + row * k + begin,
                           p.b.values + column * k + begin * 8,
                           p.b.exponents + column * k + begin * 8, unit.length},
                          unit);
      storeRow(d, row % 8, unit.addsAtEnd ? finalAddition(sum, c) : sum);
    }
}

void expandRows(float *to, const char *const *chunks, unsigned rows,
                unsigned stride, Type type) {
  withType(type, [&](auto traits) {
    for (unsigned r = 0; r < rows; ++r)
      expandChunk<decltype(traits)>(chunks[r], to + r * stride);
  });
}

void packColumns(float *to, const char *const *chunks, Type type) {
  withType(type,
           [&](auto traits) { packChunks<decltype(traits)>(to, chunks); });
}

void packRow16(float *to, const char *from, bool isBfloat) {
  u16 v[8];
  __builtin_memcpy(v, from, 16);
  for (unsigned p = 0; p < 8; ++p)
    to[p] = isBfloat ? bfloatToFloat(v[packedColumn(p)])
                     : halfToFloat(v[packedColumn(p)]);
}

} // namespace napkin::executor::NAPKIN_VARIANT
