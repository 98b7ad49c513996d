//===- Lanes.h - Loops over the lanes of a warp ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Handlers made from functors, and the small conversions they share. All in
// the variant's own namespace, so that no inline function is shared between
// files compiled for different hosts.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_VECTOR_LANES_H
#define NAPKIN_LIB_EXECUTOR_VECTOR_LANES_H

#include "Vector/Backend.h"

#include <cstring>

// Unrolled first, a short body would stay scalar; a long one, that of a masked
// operation, is vectorised first and is better unrolled afterwards.
#ifdef __clang__
#define NAPKIN_LOOP                                                            \
  "clang loop vectorize(assume_safety) interleave(disable) unroll(disable)"
#define NAPKIN_LANES _Pragma(NAPKIN_LOOP) for (unsigned l = 0; l < lanes; ++l)
#define NAPKIN_MASKED_LANES                                                    \
  _Pragma("clang loop vectorize(assume_safety) interleave(disable)") for (     \
      unsigned l = 0; l < lanes; ++l)
#else
#define NAPKIN_LANES _Pragma("GCC ivdep") for (unsigned l = 0; l < lanes; ++l)
#define NAPKIN_MASKED_LANES NAPKIN_LANES
#endif

namespace napkin::executor::NAPKIN_VARIANT {

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
using s8 = int8_t;
using s16 = int16_t;
using s32 = int32_t;
using s64 = int64_t;

template <class T>
static inline T *lane(Warp &w, u32 reference) {
  return reinterpret_cast<T *>(w.base[reference >> 31] +
                               (reference & ~constantBit));
}

template <class To, class From>
static inline To bits(From value) {
  static_assert(sizeof(To) == sizeof(From), "same size");
  To result;
  __builtin_memcpy(&result, &value, sizeof(To));
  return result;
}

template <class D, class A, class F>
void unary(Warp &w, const Instr &i, u32 mask) {
  D *d = lane<D>(w, i.d);
  const A *a = lane<A>(w, i.a);
  if (mask == allLanes) {
    NAPKIN_LANES d[l] = F::apply(a[l]);
  } else {
    NAPKIN_MASKED_LANES {
      D r = F::apply(a[l]);
      d[l] = (mask >> l) & 1 ? r : d[l];
    }
  }
}

template <class D, class A, class B, class F>
void binary(Warp &w, const Instr &i, u32 mask) {
  D *d = lane<D>(w, i.d);
  const A *a = lane<A>(w, i.a);
  const B *b = lane<B>(w, i.b);
  if (mask == allLanes) {
    NAPKIN_LANES d[l] = F::apply(a[l], b[l]);
  } else {
    NAPKIN_MASKED_LANES {
      D r = F::apply(a[l], b[l]);
      d[l] = (mask >> l) & 1 ? r : d[l];
    }
  }
}

template <class D, class A, class B, class C, class F>
void ternary(Warp &w, const Instr &i, u32 mask) {
  D *d = lane<D>(w, i.d);
  const A *a = lane<A>(w, i.a);
  const B *b = lane<B>(w, i.b);
  const C *c = lane<C>(w, i.c);
  if (mask == allLanes) {
    NAPKIN_LANES d[l] = F::apply(a[l], b[l], c[l]);
  } else {
    NAPKIN_MASKED_LANES {
      D r = F::apply(a[l], b[l], c[l]);
      d[l] = (mask >> l) & 1 ? r : d[l];
    }
  }
}

// Formats of 16 bits and less, written without branches so that they vectorise.

static inline float halfToFloat(u16 h) {
  u32 sign = u32(h & 0x8000) << 16, body = h & 0x7fff;
  // Scaling by 2^112 turns the half's exponent into the float's, subnormals
  // too.
  float scaled = bits<float>(body << 13) * 0x1p112f;
  u32 special = 0x7f800000 | (body << 13);
  u32 value = body >= 0x7c00 ? special : bits<u32>(scaled);
  return bits<float>(value | sign);
}

static inline u16 floatToHalf(float f) {
  u32 x = bits<u32>(f), sign = (x >> 16) & 0x8000, body = x & 0x7fffffff;
  // Normal: rebias and round to nearest even.
  u32 normal = (body - (112u << 23) + 0xfff + ((body >> 13) & 1)) >> 13;
  // Subnormal: an addition aligns and rounds.
  u32 small = bits<u32>(bits<float>(body) + 0.5f) - 0x3f000000;
  u32 result = body < 0x38800000 ? small : normal;
  result = body >= 0x477ff000 ? 0x7c00 : result;
  result = body > 0x7f800000 ? 0x7fff : result;
  result = body > 0x7f800000 ? result : (result | sign);
  return u16(result);
}

static inline float bfloatToFloat(u16 h) { return bits<float>(u32(h) << 16); }

static inline u16 floatToBfloat(float f) {
  u32 x = bits<u32>(f);
  u32 rounded = (x + 0x7fff + ((x >> 16) & 1)) >> 16;
  return u16((x & 0x7fffffff) > 0x7f800000 ? 0x7fff : rounded);
}

static inline float flush(float f) {
  u32 x = bits<u32>(f);
  return bits<float>((x & 0x7f800000) ? x : x & 0x80000000);
}

static inline bool isNaN(float f) {
  return (bits<u32>(f) & 0x7fffffff) > 0x7f800000;
}
static inline bool isNaN(double f) {
  return (bits<u64>(f) & 0x7fffffffffffffff) > 0x7ff0000000000000;
}

} // namespace napkin::executor::NAPKIN_VARIANT

#endif // NAPKIN_LIB_EXECUTOR_VECTOR_LANES_H
