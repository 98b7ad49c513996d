//===- Approximate.cpp - .approx forms with their errors -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The approximate functions as far off as the PTX manual lets a GPU be. Each
// bound names its section of the PTX ISA 9.1. An error depends on the operands
// alone, as a GPU's does. Results that the manual has in its tables of special
// values are exact: those of zeros, infinities and NaN, and results that are
// infinite or zero.
//
//===----------------------------------------------------------------------===//

#include "Vector/Lanes.h"
#include "Vector/Tables.h"

#include <cmath>
#include <optional>

namespace napkin::executor::NAPKIN_VARIANT {
namespace {

using ptx::Type;

/// The largest error of one result: the sum of three measures.
struct Bound {
  /// Units in the last place, from the correctly rounded result.
  int ulps = 0;
  double relative = 0, absolute = 0;
};

/// The bound for f32; `x` is the first operand.
static Bound boundOf(AluOp op, double x) {
  constexpr double pi = 3.141592653589793;
  double size = std::fabs(x);
  switch (op) {
  case AluOp::Div:     // 9.7.3.8, .approx; see quotientBeyondBound
  case AluOp::DivFull: // 9.7.3.8, .full
  case AluOp::Ex2:     // 9.7.3.21
    return {2, 0, 0};
  case AluOp::Rcp: // 9.7.3.13
    return {1, 0, 0};
  case AluOp::Sqrt: // 9.7.3.15
    return {0, 0x1p-23, 0};
  case AluOp::Rsqrt: // 9.7.3.16
    return {0, std::exp2(-22.9), 0};
  case AluOp::Lg2: // 9.7.3.20
    return size > 0.5 && size < 2 ? Bound{0, 0, 0x1p-22} : Bound{0, 0x1p-22, 0};
  case AluOp::Sin: // 9.7.3.18
  case AluOp::Cos: // 9.7.3.19
    // Further out there is no bound: the result may be anything.
    return {0, 0,
            size <= 2 * pi     ? std::exp2(-20.5)
            : size <= 100 * pi ? std::exp2(-14.7)
                               : 1.0};
  default: // tanh, 9.7.3.22
    return {0, 0x1p-11, 0};
  }
}

/// The bound for 16 bits.
static Bound halfBoundOf(AluOp op, bool isBfloat) {
  if (op == AluOp::Ex2) // 9.7.4.10
    return {0, isBfloat ? 0x1p-7 : std::exp2(-9.9), 0};
  // tanh, 9.7.4.9
  return {0, 0, isBfloat ? 0x1p-8 : std::exp2(-10.987)};
}

/// div.approx is a * (1 / b) (9.7.3.8), where 1 / b has no bound: zero, or NaN
/// of an infinite a, for |b| above 2^126, and whatever the reciprocal of a
/// subnormal b rounds to. Nothing for other operands.
static std::optional<float> quotientBeyondBound(float a, float b) {
  const float size = std::fabs(b);
  if (size > 0x1p126f && std::isfinite(size))
    return std::isinf(a) ? a * 0.0f : std::copysign(0.0f, a) * b;
  if (size < 0x1p-126f && size != 0)
    return a * (1 / b);
  return std::nullopt;
}

/// The function itself.
static double valueOf(AluOp op, double a, double b) {
  switch (op) {
  case AluOp::Div:
  case AluOp::DivFull:
    return a / b;
  case AluOp::Ex2:
    return std::exp2(a);
  case AluOp::Rcp:
    return 1 / a;
  case AluOp::Sqrt:
    return std::sqrt(a);
  case AluOp::Rsqrt:
    return 1 / std::sqrt(a);
  case AluOp::Lg2:
    return std::log2(a);
  case AluOp::Sin:
    return std::sin(a);
  case AluOp::Cos:
    return std::cos(a);
  default:
    return std::tanh(a);
  }
}

/// A number in [-1, 1] from the bits of the operands: one of the ends under
/// Worst, any under Typical, which halves the bounds.
static double errorShare(u32 a, u32 b, bool worst) {
  // Knuth's multiplicative hash, twice.
  u64 z = (u64(a) << 32 | b) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 32)) * 0xd1b54a32d192ed03ull;
  if (worst)
    return z >> 63 ? 1 : -1;
  return (double(z >> 11) * 0x1p-52 - 1) * 0.5;
}

static float perturbed(double exact, Bound bound, double share) {
  float nearest = float(exact);
  if (!std::isfinite(exact) || std::isinf(nearest) || nearest == 0)
    return nearest;
  double moved =
      exact + share * (bound.relative * std::fabs(exact) + bound.absolute);
  float r = float(moved);
  // A rounding may not carry it past the bound.
  double most = bound.relative * std::fabs(exact) + bound.absolute;
  if (most > 0 && std::fabs(double(r) - exact) > most)
    r = nearest;
  if (bound.ulps == 0)
    return r;
  int steps = int(std::nearbyint(share * bound.ulps));
  u32 pattern = bits<u32>(nearest), size = pattern & 0x7fffffffu;
  u32 moves = u32(std::abs(steps));
  constexpr u32 largest = 0x7f7fffffu;
  size = steps < 0 ? size - (size > moves ? moves : 0)
                   : (size + moves < largest ? size + moves : largest);
  return bits<float>(size | (pattern & 0x80000000u));
}

static float canonical(float r, bool ftz) {
  return isNaN(r) ? bits<float>(0x7fffffffu) : ftz ? flush(r) : r;
}

static float approximate(AluOp op, float a, float b, bool ftz, bool worst) {
  if (ftz) {
    a = flush(a);
    b = flush(b);
  }
  if (op == AluOp::Div)
    if (auto quotient = quotientBeyondBound(a, b))
      return canonical(*quotient, ftz);
  double exact = valueOf(op, double(a), double(b));
  // What the manual's tables give for zeros is exact: ex2 and cos give 1.
  if (a == 0)
    return canonical(float(exact), ftz);
  double share = errorShare(bits<u32>(a), bits<u32>(b), worst);
  float r = perturbed(exact, boundOf(op, double(a)), share);
  if (op == AluOp::Sin || op == AluOp::Cos)
    r = r > 1 ? 1.0f : r < -1 ? -1.0f : r;
  return canonical(r, ftz);
}

/// One lane at a time: these are for judging kernels, not for speed.
template <AluOp Op>
void approximate32(Warp &w, const Instr &i, u32 mask) {
  float *d = lane<float>(w, i.d);
  const float *a = lane<float>(w, i.a);
  const float *b = i.b == noRegister ? a : lane<float>(w, i.b);
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1)
      d[l] = approximate(Op, a[l], b[l], i.small0 & FlagFtz, i.small1);
}

template <AluOp Op, bool IsBfloat>
u16 approximate16(u16 h, bool ftz, bool worst) {
  float a = IsBfloat ? bfloatToFloat(h) : halfToFloat(h);
  if (ftz)
    a = flush(a);
  double exact = valueOf(Op, double(a), 0);
  float r = a == 0 ? float(exact)
                   : perturbed(exact, halfBoundOf(Op, IsBfloat),
                               errorShare(h, 0, worst));
  return IsBfloat ? floatToBfloat(r) : floatToHalf(r);
}

template <AluOp Op, bool IsBfloat, bool IsPair>
void approximateHalves(Warp &w, const Instr &i, u32 mask) {
  using Word = std::conditional_t<IsPair, u32, u16>;
  Word *d = lane<Word>(w, i.d);
  const Word *a = lane<Word>(w, i.a);
  bool ftz = i.small0 & FlagFtz, worst = i.small1;
  for (unsigned l = 0; l < lanes; ++l) {
    if (!((mask >> l) & 1))
      continue;
    Word r = approximate16<Op, IsBfloat>(u16(a[l]), ftz, worst);
    if constexpr (IsPair)
      r |= u32(approximate16<Op, IsBfloat>(u16(a[l] >> 16), ftz, worst)) << 16;
    d[l] = r;
  }
}

template <AluOp Op>
Handler halves(Type type) {
  switch (type) {
  case Type::F16:
    return approximateHalves<Op, false, false>;
  case Type::F16x2:
    return approximateHalves<Op, false, true>;
  case Type::BF16:
    return approximateHalves<Op, true, false>;
  case Type::BF16x2:
    return approximateHalves<Op, true, true>;
  default:
    return nullptr;
  }
}

} // namespace

Handler approximateHandler(AluOp op, ptx::Type type) {
  if (type != Type::F32)
    return op == AluOp::Ex2    ? halves<AluOp::Ex2>(type)
           : op == AluOp::Tanh ? halves<AluOp::Tanh>(type)
                               : nullptr;
  switch (op) {
  case AluOp::Div:
    return approximate32<AluOp::Div>;
  case AluOp::DivFull:
    return approximate32<AluOp::DivFull>;
  case AluOp::Ex2:
    return approximate32<AluOp::Ex2>;
  case AluOp::Rcp:
    return approximate32<AluOp::Rcp>;
  case AluOp::Sqrt:
    return approximate32<AluOp::Sqrt>;
  case AluOp::Rsqrt:
    return approximate32<AluOp::Rsqrt>;
  case AluOp::Lg2:
    return approximate32<AluOp::Lg2>;
  case AluOp::Sin:
    return approximate32<AluOp::Sin>;
  case AluOp::Cos:
    return approximate32<AluOp::Cos>;
  case AluOp::Tanh:
    return approximate32<AluOp::Tanh>;
  default:
    return nullptr;
  }
}

} // namespace napkin::executor::NAPKIN_VARIANT
