//===- Faithful.cpp - The arithmetic of tensor cores -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What public measurements found (microsoft/MMA-Sim, arXiv 2511.10909): the
// exact products of a step and the accumulator are aligned to the largest
// exponent, truncated toward zero to F fractional bits, added exactly, and the
// sum is truncated to the output's precision. A step is 8 products on Ampere
// and Ada, the whole k on Hopper; 8-bit floats keep 13 bits.
//
//===----------------------------------------------------------------------===//

#include "Numerics/Formats.h"
#include "Numerics/MatrixShape.h"
#include "napkin/Executor/Executor.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace napkin::executor;
using napkin::ptx::Type;

static float tensorNaN() {
  uint32_t bits = 0x7fffffff;
  float nan;
  std::memcpy(&nan, &bits, 4);
  return nan;
}

namespace {

/// value = significand * 2^(exponent - 23), significand below 2^24; zero has
/// the exponent -126. Numbers that are subnormal in their own format keep its
/// smallest exponent.
struct Parts {
  int64_t significand;
  int exponent;
};

Parts split(float f, int smallest) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  int exponent = (bits >> 23) & 255;
  int64_t significand = bits & 0x7fffff;
  if (exponent)
    significand |= 0x800000;
  else
    exponent = 1;
  exponent -= 127;
  if (significand && exponent < smallest) {
    significand >>= std::min(smallest - exponent, 63);
    exponent = smallest;
  }
  return {bits >> 31 ? -significand : significand, exponent};
}

/// x * 2^-shift toward zero.
int64_t truncate(int64_t x, int shift) {
  if (shift <= 0)
    return x * (int64_t(1) << -shift);
  if (shift > 62)
    return 0;
  return x < 0 ? -(-x >> shift) : x >> shift;
}

/// sum * 2^exponent with `fraction` bits after the leading one, toward zero.
float roundToZero(int64_t sum, int exponent, int fraction) {
  if (!sum)
    return 0;
  bool negative = sum < 0;
  uint64_t m = negative ? -sum : sum;
  int top = 63 - __builtin_clzll(m);
  int lead = top + exponent;
  if (lead > 127)
    return negative ? -INFINITY : INFINITY;
  // Below the normal range fewer bits remain.
  int keep = lead < -126 ? fraction - (-126 - lead) : fraction;
  if (keep < 0)
    return negative ? -0.0f : 0.0f;
  if (top > keep)
    m = m >> (top - keep) << (top - keep);
  // At most 24 significant bits are left: the conversion is exact.
  float result = std::ldexp(float(m), exponent);
  return negative ? -result : result;
}

} // namespace

float napkin::executor::faithfulStep(float c, const float *a, const float *b,
                                     unsigned stride, unsigned count,
                                     const TensorUnit &unit) {
  bool special = !std::isfinite(c);
  for (unsigned k = 0; k < count; ++k)
    special |= !std::isfinite(a[k]) || !std::isfinite(b[k * stride]);
  if (special) {
    double sum = c;
    for (unsigned k = 0; k < count; ++k)
      sum += double(a[k]) * b[k * stride];
    return std::isnan(sum) ? tensorNaN() : float(sum);
  }
  Parts pc = split(c, unit.smallestC);
  int largest = pc.exponent;
  for (unsigned k = 0; k < count; ++k)
    if (a[k] != 0 && b[k * stride] != 0)
      largest =
          std::max(largest, split(a[k], unit.smallestA).exponent +
                                split(b[k * stride], unit.smallestB).exponent);
  // In units of 2^(largest - fraction).
  int64_t sum =
      truncate(pc.significand, 23 - unit.fraction + (largest - pc.exponent));
  for (unsigned k = 0; k < count; ++k) {
    Parts x = split(a[k], unit.smallestA),
          y = split(b[k * stride], unit.smallestB);
    sum += truncate(x.significand * y.significand,
                    46 - unit.fraction + (largest - x.exponent - y.exponent));
  }
  if (unit.halfOutput) {
    double exact = std::ldexp(double(sum), largest - unit.fraction);
    return float(decodeFloat(encodeFloat(exact, Type::F16), Type::F16));
  }
  return roundToZero(sum, largest - unit.fraction, unit.output);
}

/// The exponent of the subnormal numbers of a format.
static int smallestExponent(Type type) {
  return type == Type::F16 || type == Type::E5M2 ? -14
         : type == Type::E4M3                    ? -6
                                                 : -126;
}

TensorUnit napkin::executor::tensorUnit(Type a, Type b, unsigned k,
                                        unsigned core, bool wide,
                                        bool halfOutput) {
  bool small = a == Type::E4M3 || a == Type::E5M2;
  bool hopper = TensorCore(core) == TensorCore::H100;
  TensorUnit unit;
  unit.smallestC = halfOutput ? -14 : -126;
  unit.halfOutput = halfOutput;
  unit.addsAtEnd = small && hopper && !wide;
  if (unit.addsAtEnd) {
    // The assembler makes two f16 products of it: the low halves of each
    // group of four, then the high halves, and an IEEE addition of C; with f16
    // accumulators (HMMA.16816.F16, HADD2) each of the three rounds to f16.
    unit.length = k / 2;
    unit.fraction = 25;
    unit.output = 23;
    unit.smallestA = unit.smallestB = -14;
    return unit;
  }
  unit.fraction = small ? 13 : hopper ? 25 : 24;
  unit.output = small && !halfOutput ? 13 : 23;
  unit.length = std::min(k, hopper            ? k
                            : small           ? 16u
                            : a == Type::TF32 ? 4u
                                              : 8u);
  unit.smallestA = smallestExponent(a);
  unit.smallestB = smallestExponent(b);
  return unit;
}

void napkin::executor::faithfulMultiply(float *d, const float *a,
                                        const float *b, unsigned m, unsigned n,
                                        unsigned k, const TensorUnit &unit) {
  for (unsigned row = 0; row < m; ++row)
    for (unsigned column = 0; column < n; ++column) {
      float &at = d[row * n + column], sum = unit.addsAtEnd ? 0 : at;
      for (unsigned begin = 0; begin < k; begin += unit.length)
        sum = faithfulStep(sum, a + row * k + begin, b + begin * n + column, n,
                           unit.length, unit);
      if (unit.addsAtEnd)
        sum = std::isnan(sum + at) ? tensorNaN() : sum + at;
      at = sum;
    }
}
