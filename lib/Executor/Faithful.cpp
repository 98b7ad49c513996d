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

#include "Formats.h"
#include "MatrixShape.h"
#include "napkin/Executor/Executor.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

using namespace napkin::executor;
using napkin::ptx::Type;

namespace {

/// value = significand * 2^(exponent - 23), significand below 2^24; zero has
/// the exponent -126.
struct Parts {
  int64_t significand;
  int exponent;
};

Parts split(float f) {
  uint32_t bits;
  std::memcpy(&bits, &f, 4);
  int exponent = (bits >> 23) & 255;
  int64_t significand = bits & 0x7fffff;
  if (exponent)
    significand |= 0x800000;
  else
    exponent = 1;
  return {bits >> 31 ? -significand : significand, exponent - 127};
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

/// Operands taken apart once for all the sums they enter.
struct Operand {
  float value;
  Parts parts;
};

/// c + sum of a[k] * b[k * stride], one fused step.
float step(float c, const Operand *a, const Operand *b, unsigned stride,
           unsigned count, int fraction, int outputFraction, bool halfOutput) {
  bool special = !std::isfinite(c);
  for (unsigned k = 0; k < count; ++k)
    special |=
        !std::isfinite(a[k].value) || !std::isfinite(b[k * stride].value);
  if (special) {
    double sum = c;
    for (unsigned k = 0; k < count; ++k)
      sum += double(a[k].value) * b[k * stride].value;
    if (!std::isnan(sum))
      return float(sum);
    uint32_t nan = 0x7fffffff;
    float result;
    std::memcpy(&result, &nan, 4);
    return result;
  }
  Parts pc = split(c);
  int largest = pc.exponent;
  for (unsigned k = 0; k < count; ++k) {
    const Parts &x = a[k].parts, &y = b[k * stride].parts;
    if (x.significand && y.significand)
      largest = std::max(largest, x.exponent + y.exponent);
  }
  // In units of 2^(largest - fraction).
  int64_t sum =
      truncate(pc.significand, 23 - fraction + (largest - pc.exponent));
  for (unsigned k = 0; k < count; ++k) {
    const Parts &x = a[k].parts, &y = b[k * stride].parts;
    sum += truncate(x.significand * y.significand,
                    46 - fraction + (largest - x.exponent - y.exponent));
  }
  if (halfOutput) {
    double exact = std::ldexp(double(sum), largest - fraction);
    return float(decodeFloat(encodeFloat(exact, Type::F16), Type::F16));
  }
  return roundToZero(sum, largest - fraction, outputFraction);
}

} // namespace

void napkin::executor::faithfulMultiply(float *d, const float *a,
                                        const float *b, unsigned m, unsigned n,
                                        unsigned k, Type type, unsigned core,
                                        bool wide, bool halfOutput) {
  bool small = type == Type::E4M3 || type == Type::E5M2;
  bool hopper = TensorCore(core) == TensorCore::H100;
  int fraction = small && (wide || !hopper) ? 13 : hopper ? 25 : 24;
  int output = small && (wide || !hopper) ? 13 : 23;
  unsigned length = hopper ? k : small ? 16 : type == Type::TF32 ? 4 : 8;
  if (length > k)
    length = k;
  static thread_local std::vector<Operand> left, right;
  left.resize(m * k);
  right.resize(k * n);
  for (unsigned i = 0; i < m * k; ++i)
    left[i] = {a[i], split(a[i])};
  for (unsigned i = 0; i < k * n; ++i)
    right[i] = {b[i], split(b[i])};
  for (unsigned row = 0; row < m; ++row)
    for (unsigned column = 0; column < n; ++column) {
      float &at = d[row * n + column];
      const Operand *x = &left[row * k], *y = &right[column];
      if (small && hopper && !wide) {
        // The assembler makes two f16 products of it: the low halves of each
        // group of four, then the high halves, and an IEEE addition of C.
        Operand gathered[2][16], other[2][16];
        for (unsigned j = 0; j < k / 2; ++j)
          for (unsigned part = 0; part < 2; ++part) {
            unsigned from = j / 2 * 4 + part * 2 + j % 2;
            gathered[part][j] = x[from];
            other[part][j] = y[from * n];
          }
        float sum = 0;
        for (unsigned part = 0; part < 2; ++part)
          sum = step(sum, gathered[part], other[part], 1, k / 2, 25, 23, false);
        at = sum + at;
        continue;
      }
      for (unsigned begin = 0; begin < k; begin += length)
        at = step(at, x + begin, y + begin * n, n, length, fraction, output,
                  halfOutput);
    }
}
