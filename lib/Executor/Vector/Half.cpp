//===- Half.cpp - f16, bf16 and their pairs --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Computed in a wider type and rounded once; a single rounding in f32 of a sum,
// product or quotient of halves is innocuous (24 >= 2 * 11 + 2), and fma goes
// through double with the sticky bit kept.
//
//===----------------------------------------------------------------------===//

#include "Vector/Lanes.h"
#include "Vector/Tables.h"

#include <cmath>

namespace napkin::executor::NAPKIN_VARIANT {
namespace {

using ptx::Type;

struct F16 {
  static float up(u16 h) { return halfToFloat(h); }
  static u16 down(float f) { return floatToHalf(f); }
  static constexpr u16 nan = 0x7fff;
  static u16 flushed(u16 h) { return h & 0x7c00 ? h : h & 0x8000; }
};
struct BF16 {
  static float up(u16 h) { return bfloatToFloat(h); }
  static u16 down(float f) { return floatToBfloat(f); }
  static constexpr u16 nan = 0x7fff;
  static u16 flushed(u16 h) { return h & 0x7f80 ? h : h & 0x8000; }
};

/// Double to float so that a later rounding to 16 bits is right: to odd.
static inline float toOdd(double x) {
  float f = float(x);
  if (double(f) == x || isNaN(x) || std::isinf(f))
    return f;
  u32 b = bits<u32>(f);
  bool away = std::fabs(double(f)) > std::fabs(x);
  if (away)
    --b; // truncate
  return bits<float>(b | 1);
}

template <class H, bool Ftz>
static inline u16 finish(float r, bool sat, bool relu) {
  if (sat)
    r = r > 0 ? (r < 1 ? r : 1.0f) : 0.0f;
  if (relu && !isNaN(r))
    r = r > 0 ? r : 0.0f;
  u16 h = H::down(r);
  return Ftz ? H::flushed(h) : h;
}

#define HALF2(Name, expression)                                                \
  template <class H, unsigned Flags>                                           \
  struct Name {                                                                \
    static constexpr bool ftz = Flags & FlagFtz;                               \
    static u16 apply(u16 x, u16 y) {                                           \
      float a = H::up(ftz ? H::flushed(x) : x),                                \
            b = H::up(ftz ? H::flushed(y) : y);                                \
      return finish<H, ftz>(expression, Flags & FlagSat, Flags & FlagRelu);    \
    }                                                                          \
  };
HALF2(HAdd, a + b)
HALF2(HSub, a - b)
HALF2(HMul, a *b)

template <class H, unsigned Flags>
struct HFma {
  static constexpr bool ftz = Flags & FlagFtz;
  static u16 apply(u16 x, u16 y, u16 z) {
    double a = H::up(ftz ? H::flushed(x) : x),
           b = H::up(ftz ? H::flushed(y) : y),
           c = H::up(ftz ? H::flushed(z) : z);
    // The product is exact in double; the sum's lost bits decide ties only.
    double product = a * b, sum = product + c;
    double back = sum - product, error = (product - (sum - back)) + (c - back);
    u64 s = bits<u64>(sum);
    if (error != 0 && !(s & 1) && std::isfinite(sum)) {
      bool toZero = (error > 0) != (sum > 0);
      sum = bits<double>(toZero ? (s - 1) | 1 : s | 1);
    }
    return finish<H, ftz>(toOdd(sum), Flags & FlagSat, Flags & FlagRelu);
  }
};

template <class H, unsigned Flags, bool Max>
struct HExtreme {
  static u16 apply(u16 x, u16 y) {
    if (Flags & FlagFtz) {
      x = H::flushed(x);
      y = H::flushed(y);
    }
    u16 sign = (x ^ y) & 0x8000;
    if (Flags & FlagXorSign) {
      x &= 0x7fff;
      y &= 0x7fff;
    }
    float a = H::up(x), b = H::up(y);
    u16 r;
    if (isNaN(a) || isNaN(b))
      r = (Flags & FlagNaN) || (isNaN(a) && isNaN(b)) ? H::nan
          : isNaN(a)                                  ? y
                                                      : x;
    else if (a == b)
      r = Max ? x & y : x | y;
    else
      r = (Max ? a > b : a < b) ? x : y;
    return Flags & FlagXorSign ? (r & 0x7fff) | sign : r;
  }
};
template <class H>
struct HAbs {
  static u16 apply(u16 a) { return a & 0x7fff; }
};
template <class H>
struct HNeg {
  static u16 apply(u16 a) { return a ^ 0x8000; }
};
template <class H>
struct HEx2 {
  static u16 apply(u16 a) { return H::down(std::exp2(H::up(a))); }
};
template <class H>
struct HTanh {
  static u16 apply(u16 a) { return H::down(std::tanh(H::up(a))); }
};

/// F with subnormal arguments and results taken as zeros.
template <class H, class F>
struct Flushing {
  static u16 apply(u16 a) { return H::flushed(F::apply(H::flushed(a))); }
};

template <class F>
struct Pair1 {
  static u32 apply(u32 a) {
    return F::apply(u16(a)) | u32(F::apply(u16(a >> 16))) << 16;
  }
};
template <class F>
struct Pair2 {
  static u32 apply(u32 a, u32 b) {
    return F::apply(u16(a), u16(b)) | u32(F::apply(u16(a >> 16), u16(b >> 16)))
                                          << 16;
  }
};
template <class F>
struct Pair3 {
  static u32 apply(u32 a, u32 b, u32 c) {
    return F::apply(u16(a), u16(b), u16(c)) |
           u32(F::apply(u16(a >> 16), u16(b >> 16), u16(c >> 16))) << 16;
  }
};

template <class F>
Handler wrap1(bool pair) {
  return pair ? unary<u32, u32, Pair1<F>> : unary<u16, u16, F>;
}
template <class H, class F>
Handler wrap1(bool pair, unsigned flags) {
  return flags & ~unsigned(FlagFtz) ? nullptr
         : flags & FlagFtz          ? wrap1<Flushing<H, F>>(pair)
                                    : wrap1<F>(pair);
}
template <class F>
Handler wrap2(bool pair) {
  return pair ? binary<u32, u32, u32, Pair2<F>> : binary<u16, u16, u16, F>;
}
template <class F>
Handler wrap3(bool pair) {
  return pair ? ternary<u32, u32, u32, u32, Pair3<F>>
              : ternary<u16, u16, u16, u16, F>;
}

template <class H, unsigned Flags>
Handler arithmetic(AluOp op, bool pair) {
  switch (op) {
  case AluOp::Add:
    return wrap2<HAdd<H, Flags>>(pair);
  case AluOp::Sub:
    return wrap2<HSub<H, Flags>>(pair);
  case AluOp::Mul:
    return wrap2<HMul<H, Flags>>(pair);
  case AluOp::Fma:
    return wrap3<HFma<H, Flags>>(pair);
  default:
    return nullptr;
  }
}

template <class H>
Handler half(AluOp op, bool pair, unsigned flags) {
  if (flags & FlagRoundMask)
    return nullptr;
  switch (op) {
  case AluOp::Abs:
    return wrap1<H, HAbs<H>>(pair, flags);
  case AluOp::Neg:
    return wrap1<H, HNeg<H>>(pair, flags);
  case AluOp::Ex2:
    return wrap1<H, HEx2<H>>(pair, flags);
  case AluOp::Tanh:
    return wrap1<H, HTanh<H>>(pair, flags);
  case AluOp::Min:
  case AluOp::Max: {
    bool max = op == AluOp::Max;
    switch (flags & (FlagFtz | FlagNaN | FlagXorSign)) {
#define CASE(f)                                                                \
  case f:                                                                      \
    return max ? wrap2<HExtreme<H, f, true>>(pair)                             \
               : wrap2<HExtreme<H, f, false>>(pair);
      CASE(0)
      CASE(FlagFtz)
      CASE(FlagNaN)
      CASE(FlagFtz | FlagNaN)
      CASE(FlagXorSign)
      CASE(FlagXorSign | FlagNaN)
      CASE(FlagXorSign | FlagFtz)
      CASE(FlagXorSign | FlagNaN | FlagFtz)
#undef CASE
    default:
      return nullptr;
    }
  }
  default:
    break;
  }
  switch (flags & (FlagFtz | FlagSat | FlagRelu)) {
  case 0:
    return arithmetic<H, 0>(op, pair);
  case FlagFtz:
    return arithmetic<H, FlagFtz>(op, pair);
  case FlagSat:
    return arithmetic<H, FlagSat>(op, pair);
  case FlagSat | FlagFtz:
    return arithmetic<H, FlagSat | FlagFtz>(op, pair);
  case FlagRelu:
    return arithmetic<H, FlagRelu>(op, pair);
  case FlagRelu | FlagFtz:
    return arithmetic<H, FlagRelu | FlagFtz>(op, pair);
  default:
    return nullptr;
  }
}

} // namespace

Handler halfHandler(AluOp op, ptx::Type type, unsigned flags) {
  switch (type) {
  case Type::F16:
    return half<F16>(op, false, flags);
  case Type::F16x2:
    return half<F16>(op, true, flags);
  case Type::BF16:
    return half<BF16>(op, false, flags);
  case Type::BF16x2:
    return half<BF16>(op, true, flags);
  default:
    return nullptr;
  }
}

} // namespace napkin::executor::NAPKIN_VARIANT
