//===- Matrix.cpp - mma.sync -----------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fragments become small row-major matrices, then one product kernel serves
// all floating types: products of 16-bit and smaller operands are exact in
// f32, so fused and separate multiplication give the same bits.
//
//===----------------------------------------------------------------------===//

#include "../Formats.h"
#include "../MatrixShape.h"
#include "Lanes.h"
#include "Tables.h"

namespace napkin::executor::NAPKIN_VARIANT {

using ptx::Type;
typedef float Vector8 __attribute__((vector_size(32)));

static inline Vector8 load8(const float *p) {
  Vector8 v;
  __builtin_memcpy(&v, p, 32);
  return v;
}
static inline void store8(float *p, Vector8 v) { __builtin_memcpy(p, &v, 32); }

/// d[m][n] += a[m][k] * b[k][n] for n a multiple of 8, m of 4.
void multiply(float *d, const float *a, const float *b, unsigned m, unsigned n,
              unsigned k, unsigned strideD, unsigned strideA,
              unsigned strideB) {
#ifdef __clang__
#pragma clang fp contract(fast)
#endif
  for (unsigned row = 0; row < m; row += 4) {
    const float *a0 = a + row * strideA, *a1 = a0 + strideA, *a2 = a1 + strideA,
                *a3 = a2 + strideA;
    float *d0 = d + row * strideD;
    unsigned column = 0;
    for (; column + 16 <= n; column += 16) {
      Vector8 x0 = load8(d0 + column), y0 = load8(d0 + column + 8);
      Vector8 x1 = load8(d0 + strideD + column),
              y1 = load8(d0 + strideD + column + 8);
      Vector8 x2 = load8(d0 + 2 * strideD + column),
              y2 = load8(d0 + 2 * strideD + column + 8);
      Vector8 x3 = load8(d0 + 3 * strideD + column),
              y3 = load8(d0 + 3 * strideD + column + 8);
      for (unsigned i = 0; i < k; ++i) {
        Vector8 p = load8(b + i * strideB + column),
                q = load8(b + i * strideB + column + 8);
        x0 += a0[i] * p;
        y0 += a0[i] * q;
        x1 += a1[i] * p;
        y1 += a1[i] * q;
        x2 += a2[i] * p;
        y2 += a2[i] * q;
        x3 += a3[i] * p;
        y3 += a3[i] * q;
      }
      store8(d0 + column, x0);
      store8(d0 + column + 8, y0);
      store8(d0 + strideD + column, x1);
      store8(d0 + strideD + column + 8, y1);
      store8(d0 + 2 * strideD + column, x2);
      store8(d0 + 2 * strideD + column + 8, y2);
      store8(d0 + 3 * strideD + column, x3);
      store8(d0 + 3 * strideD + column + 8, y3);
    }
    for (; column < n; column += 8) {
      Vector8 x0 = load8(d0 + column), x1 = load8(d0 + strideD + column);
      Vector8 x2 = load8(d0 + 2 * strideD + column),
              x3 = load8(d0 + 3 * strideD + column);
      for (unsigned i = 0; i < k; ++i) {
        Vector8 p = load8(b + i * strideB + column);
        x0 += a0[i] * p;
        x1 += a1[i] * p;
        x2 += a2[i] * p;
        x3 += a3[i] * p;
      }
      store8(d0 + column, x0);
      store8(d0 + strideD + column, x1);
      store8(d0 + 2 * strideD + column, x2);
      store8(d0 + 3 * strideD + column, x3);
    }
  }
}

void transpose16(float *to, unsigned stride, const uint16_t (*tile)[8],
                 bool isBfloat) {
  for (unsigned j = 0; j < 8; ++j) {
    float *row = to + j * stride;
    if (isBfloat)
      for (unsigned c = 0; c < 8; ++c)
        row[c] = bfloatToFloat(tile[c][j]);
    else
      for (unsigned c = 0; c < 8; ++c)
        row[c] = halfToFloat(tile[c][j]);
  }
}

namespace {

struct B16 {
  static float up(u16 h) { return bfloatToFloat(h); }
};
struct H16 {
  static float up(u16 h) { return halfToFloat(h); }
};

/// m16n8k8 and m16n8k16 of 16-bit types with f32 accumulators.
template <class In, unsigned K>
void mma16(Warp &w, const Instr &i, u32 mask) {
  const u32 *r = i.list;
  constexpr unsigned na = K / 4, nb = K / 8;
  float *d[4];
  const float *c[4];
  for (unsigned j = 0; j < 4; ++j) {
    d[j] = lane<float>(w, r[j]);
    c[j] = lane<float>(w, r[4 + na + nb + j]);
  }
  if (w.block->countOnly)
    return;
  u16 narrow[16 * K], narrowB[8 * K];
  // Four lanes hold eight neighbouring elements of a row.
  for (unsigned j = 0; j < na; ++j) {
    const u32 *a = lane<u32>(w, r[4 + j]);
    for (unsigned g = 0; g < 8; ++g)
      __builtin_memcpy(narrow + (g + 8 * (j & 1)) * K + 8 * (j >> 1), a + 4 * g,
                       16);
  }
  for (unsigned j = 0; j < nb; ++j) {
    const u32 *b = lane<u32>(w, r[4 + na + j]);
    for (unsigned g = 0; g < 8; ++g)
      __builtin_memcpy(narrowB + g * K + 8 * j, b + 4 * g, 16);
  }
  float fa[16 * K], fb[K * 8], fd[128];
  for (unsigned j = 0; j < 16 * K; ++j)
    fa[j] = In::up(narrow[j]);
  for (unsigned k = 0; k < K; ++k)
    for (unsigned n = 0; n < 8; ++n)
      fb[k * 8 + n] = In::up(narrowB[n * K + k]);
  for (unsigned l = 0; l < lanes; ++l) {
    fd[2 * l] = c[0][l];
    fd[2 * l + 1] = c[1][l];
  }
  for (unsigned l = 0; l < lanes; ++l) {
    fd[64 + 2 * l] = c[2][l];
    fd[64 + 2 * l + 1] = c[3][l];
  }
  if (w.block->faithful)
    faithfulMultiply(fd, fa, fb, 16, 8, K,
                     In::up(0x3f80) == 1.0f ? Type::BF16 : Type::F16,
                     w.block->tensorCore, false, false);
  else
    multiply(fd, fa, fb, 16, 8, K, 8, K, 8);
  for (unsigned l = 0; l < lanes; ++l) {
    d[0][l] = fd[2 * l];
    d[1][l] = fd[2 * l + 1];
  }
  for (unsigned l = 0; l < lanes; ++l) {
    d[2][l] = fd[64 + 2 * l];
    d[3][l] = fd[64 + 2 * l + 1];
  }
  (void)mask;
}

/// Every other form, element by element.
void mmaGeneral(Warp &w, const Instr &i, u32) {
  const MatrixShape &s = *static_cast<const MatrixShape *>(i.extra);
  if (w.block->countOnly)
    return;
  const u32 *rd = i.list, *ra = rd + s.registersD, *rb = ra + s.registersA,
            *rc = rb + s.registersB;
  const unsigned e = s.elements, width = s.bitsA;
  auto rowA = [&](unsigned l, unsigned r) {
    return l / 4 + (s.m == 16 ? 8 * (r & 1) : 0);
  };
  auto columnA = [&](unsigned l, unsigned r, unsigned j) {
    return e * (l % 4) + j + 4 * e * (s.m == 16 ? r >> 1 : r);
  };
  auto rowC = [&](unsigned l, unsigned r) { return l / 4 + 8 * (r >> 1); };
  auto columnC = [&](unsigned l, unsigned r) { return 2 * (l % 4) + (r & 1); };
  if (s.a == Type::F64) {
    double a[16 * 16], b[16 * 8], c[16 * 8];
    for (unsigned l = 0; l < lanes; ++l) {
      for (unsigned r = 0; r < s.registersA; ++r)
        a[rowA(l, r) * s.k + columnA(l, r, 0)] = lane<double>(w, ra[r])[l];
      for (unsigned r = 0; r < s.registersB; ++r)
        b[(l % 4 + 4 * r) * 8 + l / 4] = lane<double>(w, rb[r])[l];
      for (unsigned r = 0; r < s.registersC; ++r)
        c[rowC(l, r) * 8 + columnC(l, r)] = lane<double>(w, rc[r])[l];
    }
    for (unsigned m = 0; m < s.m; ++m)
      for (unsigned n = 0; n < 8; ++n)
        for (unsigned k = 0; k < s.k; ++k)
          c[m * 8 + n] =
              __builtin_fma(a[m * s.k + k], b[k * 8 + n], c[m * 8 + n]);
    for (unsigned l = 0; l < lanes; ++l)
      for (unsigned r = 0; r < s.registersD; ++r)
        lane<double>(w, rd[r])[l] = c[rowC(l, r) * 8 + columnC(l, r)];
    return;
  }
  if (s.d == Type::S32) {
    s32 a[16 * 64], b[64 * 8];
    s64 c[16 * 8];
    auto element = [&](u32 word, unsigned j, bool isSigned) {
      u32 up = word << (32 - width - width * j);
      return isSigned ? s32(up) >> (32 - width) : s32(up >> (32 - width));
    };
    for (unsigned l = 0; l < lanes; ++l) {
      for (unsigned r = 0; r < s.registersA; ++r)
        for (unsigned j = 0; j < e; ++j)
          a[rowA(l, r) * s.k + columnA(l, r, j)] =
              element(lane<u32>(w, ra[r])[l], j, s.signedA);
      for (unsigned r = 0; r < s.registersB; ++r)
        for (unsigned j = 0; j < e; ++j)
          b[(e * (l % 4) + j + 4 * e * r) * 8 + l / 4] =
              element(lane<u32>(w, rb[r])[l], j, s.signedB);
      for (unsigned r = 0; r < s.registersC; ++r)
        c[rowC(l, r) * 8 + columnC(l, r)] = lane<s32>(w, rc[r])[l];
    }
    for (unsigned m = 0; m < s.m; ++m)
      for (unsigned n = 0; n < 8; ++n)
        for (unsigned k = 0; k < s.k; ++k)
          c[m * 8 + n] += a[m * s.k + k] * b[k * 8 + n];
    for (unsigned l = 0; l < lanes; ++l)
      for (unsigned r = 0; r < s.registersD; ++r) {
        s64 v = c[rowC(l, r) * 8 + columnC(l, r)];
        if (s.saturate)
          v = v > INT32_MAX ? INT32_MAX : v < INT32_MIN ? INT32_MIN : v;
        lane<s32>(w, rd[r])[l] = s32(v);
      }
    return;
  }
  float a[16 * 32], b[32 * 8], c[16 * 8];
  auto decode = [&](u32 word, unsigned j, Type type) -> float {
    if (type == Type::TF32)
      return bits<float>(word & 0xffffe000u);
    if (type == Type::BF16)
      return bfloatToFloat(u16(word >> (16 * j)));
    if (type == Type::F16)
      return halfToFloat(u16(word >> (16 * j)));
    return float(decodeFloat((word >> (8 * j)) & 255, type));
  };
  bool halfC = s.c == Type::F16, halfD = s.d == Type::F16;
  for (unsigned l = 0; l < lanes; ++l) {
    for (unsigned r = 0; r < s.registersA; ++r)
      for (unsigned j = 0; j < e; ++j)
        a[rowA(l, r) * s.k + columnA(l, r, j)] =
            decode(lane<u32>(w, ra[r])[l], j, s.a);
    for (unsigned r = 0; r < s.registersB; ++r)
      for (unsigned j = 0; j < e; ++j)
        b[(e * (l % 4) + j + 4 * e * r) * 8 + l / 4] =
            decode(lane<u32>(w, rb[r])[l], j, s.b);
    for (unsigned r = 0; r < s.registersC; ++r)
      if (halfC)
        for (unsigned j = 0; j < 2; ++j)
          c[(l / 4 + 8 * r) * 8 + 2 * (l % 4) + j] =
              halfToFloat(u16(lane<u32>(w, rc[r])[l] >> (16 * j)));
      else
        c[rowC(l, r) * 8 + columnC(l, r)] = lane<float>(w, rc[r])[l];
  }
  if (w.block->faithful)
    faithfulMultiply(c, a, b, s.m, 8, s.k, s.a, w.block->tensorCore, false,
                     halfD);
  else
    multiply(c, a, b, s.m, 8, s.k, 8, s.k, 8);
  for (unsigned l = 0; l < lanes; ++l)
    for (unsigned r = 0; r < s.registersD; ++r)
      if (halfD)
        lane<u32>(w, rd[r])[l] =
            floatToHalf(c[(l / 4 + 8 * r) * 8 + 2 * (l % 4)]) |
            u32(floatToHalf(c[(l / 4 + 8 * r) * 8 + 2 * (l % 4) + 1])) << 16;
      else
        lane<float>(w, rd[r])[l] = c[rowC(l, r) * 8 + columnC(l, r)];
}

} // namespace

Handler mmaHandler(unsigned m, unsigned n, unsigned k, Type d, Type a, Type b,
                   Type c) {
  if (m == 16 && n == 8 && d == Type::F32 && c == Type::F32 && a == b) {
    if (a == Type::BF16 && k == 16)
      return mma16<B16, 16>;
    if (a == Type::BF16 && k == 8)
      return mma16<B16, 8>;
    if (a == Type::F16 && k == 16)
      return mma16<H16, 16>;
    if (a == Type::F16 && k == 8)
      return mma16<H16, 8>;
  }
  return mmaGeneral;
}

} // namespace napkin::executor::NAPKIN_VARIANT
