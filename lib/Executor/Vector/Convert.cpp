//===- Convert.cpp - cvt ---------------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The frequent conversions have vector handlers; the rest go one lane at a time
// through a double or a 64-bit integer and a rounding to any format.
//
//===----------------------------------------------------------------------===//

#include "Numerics/Formats.h"
#include "Vector/Lanes.h"
#include "Vector/Tables.h"

#include <cmath>

namespace napkin::executor::NAPKIN_VARIANT {
namespace {

using ptx::Type;

struct F32ToBF16 {
  static u16 apply(float a) { return floatToBfloat(a); }
};
struct F32ToF16 {
  static u16 apply(float a) { return floatToHalf(a); }
};
struct F16ToF32 {
  static float apply(u16 a) { return halfToFloat(a); }
};
struct BF16ToF32 {
  static float apply(u16 a) { return bfloatToFloat(a); }
};
struct S32ToF32 {
  static float apply(s32 a) { return float(a); }
};
struct U32ToF32 {
  static float apply(u32 a) { return float(a); }
};
struct F32ToF64 {
  static double apply(float a) { return a; }
};
struct F64ToF32 {
  static float apply(double a) {
    float r = float(a);
    return isNaN(r) ? bits<float>(0x7fffffffu) : r;
  }
};
// cvt.rn.bf16x2.f32 d, a, b: a in the upper half.
struct PairToBF16 {
  static u32 apply(float a, float b) {
    return u32(floatToBfloat(a)) << 16 | floatToBfloat(b);
  }
};
struct PairToF16 {
  static u32 apply(float a, float b) {
    return u32(floatToHalf(a)) << 16 | floatToHalf(b);
  }
};

/// Any conversion, described in Instr::offset (see convertHandler).
template <class D, class A>
void general(Warp &w, const Instr &i, u32 mask) {
  D *d = lane<D>(w, i.d);
  const A *a = lane<A>(w, i.a);
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1)
      d[l] = D(convertScalar(u64(a[l]), i.offset));
}
template <class D>
Handler generalFrom(unsigned from) {
  return from == 16   ? general<D, u16>
         : from == 32 ? general<D, u32>
                      : general<D, u64>;
}
/// Two f32 into a pair of narrow formats, a upper.
template <class D>
void generalPair(Warp &w, const Instr &i, u32 mask) {
  D *d = lane<D>(w, i.d);
  const u32 *a = lane<u32>(w, i.a), *b = lane<u32>(w, i.b);
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1)
      d[l] = D(convertScalar(a[l], i.offset) << (sizeof(D) * 4) |
               convertScalar(b[l], i.offset));
}
/// A pair of one format into a pair of another (e4m3x2 <-> f16x2).
template <class D, class A>
void pairToPair(Warp &w, const Instr &i, u32 mask) {
  D *d = lane<D>(w, i.d);
  const A *a = lane<A>(w, i.a);
  constexpr unsigned half = sizeof(A) * 4, to = sizeof(D) * 4;
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1) {
      u64 low = a[l] & ((u64(1) << half) - 1), high = u64(a[l]) >> half;
      d[l] =
          D(convertScalar(high, i.offset) << to | convertScalar(low, i.offset));
    }
}

unsigned registerBits(Type type) {
  switch (type) {
  case Type::B8:
  case Type::U8:
  case Type::S8:
  case Type::B16:
  case Type::U16:
  case Type::S16:
  case Type::F16:
  case Type::BF16:
  case Type::E4M3x2:
  case Type::E5M2x2:
    return 16;
  case Type::U64:
  case Type::S64:
  case Type::B64:
  case Type::F64:
    return 64;
  default:
    return 32;
  }
}

} // namespace

Handler convertHandler(ptx::Type to, ptx::Type from, Rounding r, bool ftz,
                       bool saturate, bool relu) {
  bool pair = to == Type::BF16x2 || to == Type::F16x2 || to == Type::E4M3x2 ||
              to == Type::E5M2x2;
  bool plain =
      !ftz && !saturate && !relu && (r == Rounding::Rn || r == Rounding::None);
  if (plain) {
    if (to == Type::BF16x2 && from == Type::F32)
      return binary<u32, float, float, PairToBF16>;
    if (to == Type::F16x2 && from == Type::F32)
      return binary<u32, float, float, PairToF16>;
    if (to == Type::BF16 && from == Type::F32)
      return unary<u16, float, F32ToBF16>;
    if (to == Type::F16 && from == Type::F32)
      return unary<u16, float, F32ToF16>;
    if (to == Type::F32 && from == Type::F16)
      return unary<float, u16, F16ToF32>;
    if (to == Type::F32 && from == Type::BF16)
      return unary<float, u16, BF16ToF32>;
    if (to == Type::F32 && from == Type::S32)
      return unary<float, s32, S32ToF32>;
    if (to == Type::F32 && from == Type::U32)
      return unary<float, u32, U32ToF32>;
    if (to == Type::F64 && from == Type::F32)
      return unary<double, float, F32ToF64>;
    if (to == Type::F32 && from == Type::F64)
      return unary<float, double, F64ToF32>;
  }
  if (pair) {
    bool byte = to == Type::E4M3x2 || to == Type::E5M2x2;
    if (from == Type::F32)
      return byte ? generalPair<u16> : generalPair<u32>;
    if (from == Type::E4M3x2 || from == Type::E5M2x2)
      return byte ? nullptr : pairToPair<u32, u16>;
    if (from == Type::F16x2 || from == Type::BF16x2)
      return byte ? pairToPair<u16, u32> : nullptr;
    return nullptr;
  }
  switch (registerBits(to)) {
  case 16:
    return generalFrom<u16>(registerBits(from));
  case 32:
    return generalFrom<u32>(registerBits(from));
  default:
    return generalFrom<u64>(registerBits(from));
  }
}

} // namespace napkin::executor::NAPKIN_VARIANT
