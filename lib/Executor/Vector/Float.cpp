//===- Float.cpp - f32 and f64 handlers ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// IEEE operations are exact. The approximate ones (ex2, lg2, rcp, rsqrt, sin,
// cos, tanh) are computed in double and rounded once: within the manual's
// bounds, though not the hardware's bits, which are not public. With an error
// they are in Approximate.cpp.
//
//===----------------------------------------------------------------------===//

#include "Vector/Lanes.h"
#include "Vector/Tables.h"

#include <cfenv>
#include <cmath>

namespace napkin::executor::NAPKIN_VARIANT {
namespace {

using ptx::Type;

static inline float saturate(float f) {
  return f > 0 ? (f < 1 ? f : 1.0f) : 0.0f;
}

template <bool Ftz>
static inline float in(float f) {
  return Ftz ? flush(f) : f;
}
template <bool Ftz>
static inline float canonical(float f) {
  f = Ftz ? flush(f) : f;
  return isNaN(f) ? bits<float>(0x7fffffffu) : f;
}

struct FAdd {
  template <class T>
  static T apply(T a, T b) {
    return a + b;
  }
};
struct FSub {
  template <class T>
  static T apply(T a, T b) {
    return a - b;
  }
};
struct FMul {
  template <class T>
  static T apply(T a, T b) {
    return a * b;
  }
};
struct FDiv {
  template <class T>
  static T apply(T a, T b) {
    return a / b;
  }
};
struct FFma {
  static float apply(float a, float b, float c) {
    return __builtin_fmaf(a, b, c);
  }
  static double apply(double a, double b, double c) {
    return __builtin_fma(a, b, c);
  }
};

template <class F, bool Ftz, bool Sat>
struct Two {
  static float apply(float a, float b) {
    float r = canonical<Ftz>(F::apply(in<Ftz>(a), in<Ftz>(b)));
    return Sat ? saturate(r) : r;
  }
};
template <class F, bool Ftz, bool Sat>
struct Three {
  static float apply(float a, float b, float c) {
    float r = canonical<Ftz>(F::apply(in<Ftz>(a), in<Ftz>(b), in<Ftz>(c)));
    return Sat ? saturate(r) : r;
  }
};
template <class F>
struct Two64 {
  static double apply(double a, double b) { return F::apply(a, b); }
};
template <class F>
struct Three64 {
  static double apply(double a, double b, double c) {
    return F::apply(a, b, c);
  }
};

/// 2^x in double for |x| < 1023; relative error below 1e-11.
static inline double exp2Double(double x) {
  double shifted = x + 0x1.8p52;
  double n = shifted - 0x1.8p52, f = x - n;
  double p = 7.0549116208011233e-9;
  p = p * f + 1.0178086009239699e-7;
  p = p * f + 1.3215486790144309e-6;
  p = p * f + 1.5252733804059840e-5;
  p = p * f + 1.5403530393381609e-4;
  p = p * f + 1.3333558146428443e-3;
  p = p * f + 9.6181291076284772e-3;
  p = p * f + 5.5504108664821580e-2;
  p = p * f + 2.4022650695910071e-1;
  p = p * f + 6.9314718055994531e-1;
  p = p * f + 1.0;
  // The low bits of `shifted` are n.
  u64 exponent = (bits<u64>(shifted) + 1023) << 52;
  return p * bits<double>(exponent);
}

template <bool Ftz>
struct Ex2 {
  static float apply(float a) {
    float x = in<Ftz>(a);
    float clamped = x > 200.0f ? 200.0f : x;
    clamped = clamped < -200.0f ? -200.0f : clamped;
    float r = float(exp2Double(clamped));
    r = Ftz ? flush(r) : r;
    return isNaN(x) ? bits<float>(0x7fffffffu) : r;
  }
};
template <bool Ftz>
struct Lg2 {
  static float apply(float a) {
    float x = in<Ftz>(a);
    double v = x;
    u64 b = bits<u64>(v);
    s64 e = s64((b >> 52) & 0x7ff) - 1023;
    double m = bits<double>((b & 0xfffffffffffffull) | (u64(1023) << 52));
    bool big = m > 1.4142135623730951;
    m = big ? m * 0.5 : m;
    e += big ? 1 : 0;
    double s = (m - 1) / (m + 1), z = s * s;
    double p = 1.0 / 17;
    p = p * z + 1.0 / 15;
    p = p * z + 1.0 / 13;
    p = p * z + 1.0 / 11;
    p = p * z + 1.0 / 9;
    p = p * z + 1.0 / 7;
    p = p * z + 1.0 / 5;
    p = p * z + 1.0 / 3;
    p = p * z + 1.0;
    float r = float(double(s32(e)) + s * p * 2.8853900817779268);
    r = x == 0 ? -__builtin_inff() : r;
    r = x < 0 ? bits<float>(0x7fffffffu) : r;
    r = x == __builtin_inff() ? x : r;
    return isNaN(x) ? bits<float>(0x7fffffffu) : r;
  }
};
template <bool Ftz>
struct Rcp {
  static float apply(float a) { return canonical<Ftz>(1.0f / in<Ftz>(a)); }
};
template <bool Ftz>
struct Sqrt {
  static float apply(float a) {
    return canonical<Ftz>(__builtin_sqrtf(in<Ftz>(a)));
  }
};
template <bool Ftz>
struct Rsqrt {
  static float apply(float a) {
    return canonical<Ftz>(float(1.0 / __builtin_sqrt(double(in<Ftz>(a)))));
  }
};
template <bool Ftz>
struct Sin {
  static float apply(float a) {
    return canonical<Ftz>(float(std::sin(double(in<Ftz>(a)))));
  }
};
template <bool Ftz>
struct Cos {
  static float apply(float a) {
    return canonical<Ftz>(float(std::cos(double(in<Ftz>(a)))));
  }
};
struct Tanh {
  static float apply(float a) {
    float x = a > 20.0f ? 20.0f : a;
    x = x < -20.0f ? -20.0f : x;
    double e = exp2Double(double(x) * 2.8853900817779268);
    double big = (e - 1) / (e + 1);
    // Near zero the difference cancels: the series is exact enough there.
    double t = double(x),
           near = t - t * t * t * (1.0 / 3) + t * t * t * t * t * (2.0 / 15);
    double r = (x < 0.005f && x > -0.005f) ? near : big;
    return isNaN(a) ? bits<float>(0x7fffffffu) : float(r);
  }
};
template <bool Ftz>
struct FAbs {
  static float apply(float a) {
    return bits<float>(bits<u32>(in<Ftz>(a)) & 0x7fffffffu);
  }
};
template <bool Ftz>
struct FNeg {
  static float apply(float a) {
    return bits<float>(bits<u32>(in<Ftz>(a)) ^ 0x80000000u);
  }
};
struct Abs64 {
  static double apply(double a) { return __builtin_fabs(a); }
};
struct Neg64 {
  static double apply(double a) { return -a; }
};
struct Rcp64 {
  static double apply(double a) { return 1.0 / a; }
};
struct Sqrt64 {
  static double apply(double a) { return __builtin_sqrt(a); }
};
struct Rsqrt64 {
  static double apply(double a) { return 1.0 / __builtin_sqrt(a); }
};
struct Copysign32 {
  // copysign d, a, b: the sign of a on b.
  static u32 apply(u32 a, u32 b) {
    return (a & 0x80000000u) | (b & 0x7fffffffu);
  }
};
struct Copysign64 {
  static u64 apply(u64 a, u64 b) {
    return (a & 0x8000000000000000ull) | (b & 0x7fffffffffffffffull);
  }
};

template <bool Max, bool Ftz, bool KeepNaN, bool XorSign>
struct Extreme {
  static float apply(float a, float b) {
    float x = in<Ftz>(a), y = in<Ftz>(b);
    u32 sign = (bits<u32>(x) ^ bits<u32>(y)) & 0x80000000u;
    if (XorSign) {
      x = bits<float>(bits<u32>(x) & 0x7fffffffu);
      y = bits<float>(bits<u32>(y) & 0x7fffffffu);
    }
    u32 same = Max ? bits<u32>(x) & bits<u32>(y) : bits<u32>(x) | bits<u32>(y);
    float r = (Max ? x > y : x < y) ? x : y;
    r = x == y ? bits<float>(same) : r;
    bool nx = isNaN(x), ny = isNaN(y);
    if (KeepNaN) {
      r = (nx || ny) ? bits<float>(0x7fffffffu) : r;
    } else {
      r = nx ? y : r;
      r = ny ? x : r;
      r = (nx && ny) ? bits<float>(0x7fffffffu) : r;
    }
    return XorSign ? bits<float>((bits<u32>(r) & 0x7fffffffu) | sign) : r;
  }
};
template <bool Max>
struct Extreme64 {
  static double apply(double a, double b) {
    if (isNaN(a))
      return b;
    if (isNaN(b))
      return a;
    if (a == b)
      return Max ? (bits<u64>(a) >> 63 ? b : a) : (bits<u64>(a) >> 63 ? a : b);
    return (Max ? a > b : a < b) ? a : b;
  }
};

/// Directed rounding: the host's own, one lane at a time.
template <class T, AluOp Op>
void directed(Warp &w, const Instr &i, u32 mask) {
  static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD,
                              FE_UPWARD};
  T *d = lane<T>(w, i.d);
  const T *a = lane<T>(w, i.a);
  const T *b = i.b == noRegister ? a : lane<T>(w, i.b);
  const T *c = i.c == noRegister ? a : lane<T>(w, i.c);
  bool ftz = i.small0 & 1, sat = i.small0 & 2;
  int before = std::fegetround();
  std::fesetround(modes[i.small1 & 3]);
  for (unsigned l = 0; l < lanes; ++l) {
    if (!((mask >> l) & 1))
      continue;
    volatile T x = a[l], y = b[l], z = c[l];
    if constexpr (sizeof(T) == 4)
      if (ftz) {
        x = flush(x);
        y = flush(y);
        z = flush(z);
      }
    volatile T r;
    switch (Op) {
    case AluOp::Add:
      r = x + y;
      break;
    case AluOp::Sub:
      r = x - y;
      break;
    case AluOp::Mul:
      r = x * y;
      break;
    case AluOp::Div:
      r = x / y;
      break;
    case AluOp::Rcp:
      r = T(1) / x;
      break;
    case AluOp::Sqrt:
      r = std::sqrt(T(x));
      break;
    default:
      r = std::fma(T(x), T(y), T(z));
      break;
    }
    T value = r;
    if constexpr (sizeof(T) == 4) {
      value = ftz ? flush(value) : value;
      value = isNaN(value) ? bits<float>(0x7fffffffu) : value;
      value = sat ? saturate(value) : value;
    }
    d[l] = value;
  }
  std::fesetround(before);
}

template <class T>
Handler directedHandler(AluOp op) {
  switch (op) {
  case AluOp::Add:
    return directed<T, AluOp::Add>;
  case AluOp::Sub:
    return directed<T, AluOp::Sub>;
  case AluOp::Mul:
    return directed<T, AluOp::Mul>;
  case AluOp::Div:
    return directed<T, AluOp::Div>;
  case AluOp::Rcp:
    return directed<T, AluOp::Rcp>;
  case AluOp::Sqrt:
    return directed<T, AluOp::Sqrt>;
  case AluOp::Fma:
    return directed<T, AluOp::Fma>;
  default:
    return nullptr;
  }
}

template <class F>
Handler two(unsigned flags) {
  bool ftz = flags & FlagFtz, sat = flags & FlagSat;
  if (ftz)
    return sat ? binary<float, float, float, Two<F, true, true>>
               : binary<float, float, float, Two<F, true, false>>;
  return sat ? binary<float, float, float, Two<F, false, true>>
             : binary<float, float, float, Two<F, false, false>>;
}

template <template <bool> class F>
Handler one(unsigned flags) {
  return flags & FlagFtz ? unary<float, float, F<true>>
                         : unary<float, float, F<false>>;
}

template <bool Max>
Handler extreme(unsigned flags) {
  bool ftz = flags & FlagFtz, nan = flags & FlagNaN, sign = flags & FlagXorSign;
#define CASE(f, n, x)                                                          \
  if (ftz == f && nan == n && sign == x)                                       \
    return binary<float, float, float, Extreme<Max, f, n, x>>;
  CASE(false, false, false)
  CASE(true, false, false)
  CASE(false, true, false)
  CASE(true, true, false)
  CASE(false, false, true)
  CASE(true, false, true)
  CASE(false, true, true)
  CASE(true, true, true)
#undef CASE
  return nullptr;
}

Handler float32(AluOp op, unsigned flags) {
  bool ftz = flags & FlagFtz, sat = flags & FlagSat;
  if (flags & FlagRoundMask)
    return directedHandler<float>(op);
  switch (op) {
  case AluOp::Add:
    return two<FAdd>(flags);
  case AluOp::Sub:
    return two<FSub>(flags);
  case AluOp::Mul:
    return two<FMul>(flags);
  case AluOp::Div:
    return two<FDiv>(flags);
  case AluOp::Fma:
    if (ftz)
      return sat ? ternary<float, float, float, float, Three<FFma, true, true>>
                 : ternary<float, float, float, float,
                           Three<FFma, true, false>>;
    return sat ? ternary<float, float, float, float, Three<FFma, false, true>>
               : ternary<float, float, float, float, Three<FFma, false, false>>;
  case AluOp::Min:
    return extreme<false>(flags);
  case AluOp::Max:
    return extreme<true>(flags);
  case AluOp::Abs:
    return one<FAbs>(flags);
  case AluOp::Neg:
    return one<FNeg>(flags);
  case AluOp::Rcp:
    return one<Rcp>(flags);
  case AluOp::Sqrt:
    return one<Sqrt>(flags);
  case AluOp::Rsqrt:
    return one<Rsqrt>(flags);
  case AluOp::Sin:
    return one<Sin>(flags);
  case AluOp::Cos:
    return one<Cos>(flags);
  case AluOp::Lg2:
    return one<Lg2>(flags);
  case AluOp::Ex2:
    return one<Ex2>(flags);
  case AluOp::Tanh:
    return unary<float, float, Tanh>;
  case AluOp::Copysign:
    return binary<u32, u32, u32, Copysign32>;
  default:
    return nullptr;
  }
}

Handler float64(AluOp op, unsigned flags) {
  if (flags & FlagRoundMask)
    return directedHandler<double>(op);
  switch (op) {
  case AluOp::Add:
    return binary<double, double, double, Two64<FAdd>>;
  case AluOp::Sub:
    return binary<double, double, double, Two64<FSub>>;
  case AluOp::Mul:
    return binary<double, double, double, Two64<FMul>>;
  case AluOp::Div:
    return binary<double, double, double, Two64<FDiv>>;
  case AluOp::Fma:
    return ternary<double, double, double, double, Three64<FFma>>;
  case AluOp::Min:
    return binary<double, double, double, Extreme64<false>>;
  case AluOp::Max:
    return binary<double, double, double, Extreme64<true>>;
  case AluOp::Abs:
    return unary<double, double, Abs64>;
  case AluOp::Neg:
    return unary<double, double, Neg64>;
  case AluOp::Rcp:
    return unary<double, double, Rcp64>;
  case AluOp::Sqrt:
    return unary<double, double, Sqrt64>;
  case AluOp::Rsqrt:
    return unary<double, double, Rsqrt64>;
  case AluOp::Copysign:
    return binary<u64, u64, u64, Copysign64>;
  default:
    return nullptr;
  }
}

} // namespace

Handler floatHandler(AluOp op, ptx::Type type, unsigned flags) {
  if (flags & FlagApproximate)
    if (Handler handler = approximateHandler(op, type))
      return handler;
  flags &= ~unsigned(FlagApproximate);
  if (type == Type::F32)
    return float32(op, flags);
  if (type == Type::F64)
    return float64(op, flags);
  return halfHandler(op, type, flags);
}

} // namespace napkin::executor::NAPKIN_VARIANT
