//===- Matrix.cpp - mma.sync -----------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fragments become small matrices of floats, which Product.cpp multiplies.
//
//===----------------------------------------------------------------------===//

#include "Vector/Operands.h"
#include "Vector/Tables.h"

namespace napkin::executor::NAPKIN_VARIANT {

namespace {

/// Puts k into the order that `addsAtEnd` wants: rows of A, blocks of B.
template <unsigned K>
void reorder(float *a, float *b) {
  float fa[K], fb[8 * K];
  for (unsigned row = 0; row < 16; ++row, a += K) {
    for (unsigned j = 0; j < K; ++j)
      fa[j] = a[splitOrder(j, K)];
    __builtin_memcpy(a, fa, sizeof(fa));
  }
  for (unsigned j = 0; j < K; ++j)
    __builtin_memcpy(fb + 8 * j, b + 8 * splitOrder(j, K), 32);
  __builtin_memcpy(b, fb, sizeof(fb));
}

template <unsigned K>
void multiplyAsHardware(float *const *d, float *a, float *b,
                        const TensorUnit &unit) {
  s32 ea[16 * K], eb[8 * K];
  if (unit.addsAtEnd)
    reorder<K>(a, b);
  exponentsOf(ea, a, 16 * K, unit.smallestA);
  exponentsOf(eb, b, 8 * K, unit.smallestB);
  multiplyFaithful({d, {a, ea}, {b, eb}, 8, K}, unit);
}

/// Forms of 16 rows with floating-point accumulators.
template <class A, class B, unsigned K>
void mmaFloat(Warp &w, const Instr &i, u32) {
  if (w.block->countOnly)
    return;
  const MatrixShape &s = *static_cast<const MatrixShape *>(i.extra);
  constexpr unsigned perChunk = 16 / sizeof(typename A::Cell),
                     registersB = K / perChunk;
  const u32 *rd = i.list, *ra = rd + s.registersD, *rb = ra + 2 * registersB,
            *rc = rb + registersB;
  // Four lanes hold sixteen bytes of a row of A or of a column of B.
  alignas(64) float fa[16 * K], fb[8 * K], fd[4][lanes];
  for (unsigned r = 0; r < 2 * registersB; ++r)
    for (unsigned g = 0; g < 8; ++g)
      expandChunk<A>(lane<char>(w, ra[r]) + 16 * g,
                     fa + (g + 8 * (r & 1)) * K + perChunk * (r >> 1));
  for (unsigned r = 0; r < registersB; ++r) {
    const char *chunks[8];
    for (unsigned g = 0; g < 8; ++g)
      chunks[g] = lane<char>(w, rb[r]) + 16 * g;
    packChunks<B>(fb + 8 * perChunk * r, chunks);
  }
  const bool halfC = s.c == Type::F16, halfD = s.d == Type::F16;
  for (unsigned j = 0; j < 4; ++j) {
    const u32 *packed = lane<u32>(w, rc[halfC ? j / 2 : j]);
    if (halfC)
      for (unsigned l = 0; l < lanes; ++l)
        fd[j][l] = halfToFloat(u16(packed[l] >> (16 * (j & 1))));
    else
      __builtin_memcpy(fd[j], packed, sizeof(fd[j]));
  }
  float *d[4] = {fd[0], fd[1], fd[2], fd[3]};
  if (w.block->faithful)
    multiplyAsHardware<K>(
        d, fa, fb, tensorUnit(s.a, s.b, K, w.block->tensorCore, false, halfD));
  else
    multiplyWarp({d, {fa}, {fb}, 8, K});
  for (unsigned j = 0; j < (halfD ? 2 : 4); ++j) {
    u32 *to = lane<u32>(w, rd[j]);
    if (halfD)
      for (unsigned l = 0; l < lanes; ++l)
        to[l] = floatToHalf(fd[2 * j][l]) | u32(floatToHalf(fd[2 * j + 1][l]))
                                                << 16;
    else
      __builtin_memcpy(to, fd[j], sizeof(fd[j]));
  }
}

/// Integers and f64, element by element.
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
  }
}

} // namespace

template <class A>
static Handler smallHandler(unsigned k, Type b) {
  using E4 = Small<Type::E4M3>;
  using E5 = Small<Type::E5M2>;
  if (k == 16)
    return b == Type::E4M3 ? mmaFloat<A, E4, 16> : mmaFloat<A, E5, 16>;
  return b == Type::E4M3 ? mmaFloat<A, E4, 32> : mmaFloat<A, E5, 32>;
}

Handler mmaHandler(unsigned m, unsigned n, unsigned k, Type d, Type a, Type b,
                   Type c) {
  switch (a) {
  case Type::BF16:
    return k == 8 ? mmaFloat<Bfloat, Bfloat, 8> : mmaFloat<Bfloat, Bfloat, 16>;
  case Type::F16:
    return k == 8 ? mmaFloat<Half, Half, 8> : mmaFloat<Half, Half, 16>;
  case Type::TF32:
    return k == 4 ? mmaFloat<Tf32, Tf32, 4> : mmaFloat<Tf32, Tf32, 8>;
  case Type::E4M3:
    return smallHandler<Small<Type::E4M3>>(k, b);
  case Type::E5M2:
    return smallHandler<Small<Type::E5M2>>(k, b);
  default:
    return mmaGeneral;
  }
}

} // namespace napkin::executor::NAPKIN_VARIANT
