//===- Interval.cpp - Bounds of terms ---------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What values a term can take, given a bound on the inputs. This decides which
// sums provably stay inside the range of f32 and so need no gauge.
//
//===----------------------------------------------------------------------===//

#include "napkin/Algebra/NormalForm.h"

#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace llvm;

namespace napkin::algebra {

/// A streamed axis of unknown length is taken to have at most 2^20 positions.
static constexpr double kStreamSizeLog2 = 20;

/// Values that the source computes and keeps are taken to stay below 2^32 when
/// the bounds of what they are computed from say no better.
static constexpr double kValueBoundLog2 = 32;

double Normalizer::sizeLog2(unsigned i) {
  int64_t size = context.axisSize(i);
  if (i == axis && size <= 0)
    return kStreamSizeLog2;
  return size > 0 ? std::log2(double(std::max<int64_t>(size, 2)))
                  : kStreamSizeLog2;
}

double Normalizer::magnitudeLog2(Expr e, bool asValue) {
  if (e->kind == Kind::Compare || e->kind == Kind::Not)
    return 0;
  double high = range(e).magnitude();
  double bits = high > 0 ? std::fabs(std::log2(high)) : 0;
  double most = std::max(inputBoundLog2, kValueBoundLog2);
  bool unbounded = high == kInfinity;
  if (!unbounded && (!asValue || high <= std::exp2(most)))
    return bits;
  if (!is_contained(assumed, e))
    assumed.push_back(e);
  return unbounded ? inputBoundLog2 : most;
}

bool Normalizer::isProvedFinite(Expr e) {
  switch (e->kind) {
  case Kind::Constant:
    return std::isfinite(e->value);
  case Kind::Index:
  case Kind::Size:
  case Kind::Compare:
  case Kind::Not:
    return true;
  case Kind::Input: // whole numbers: floats have no bounds or a rounding
    return e->variant == 0 && std::isfinite(e->value) && std::isfinite(e->high);
  case Kind::Add:
  case Kind::Sub:
  case Kind::Mul:
  case Kind::Neg:
  case Kind::Abs:
  case Kind::Max:
  case Kind::Min:
    return range(e).magnitude() < 0x1p127 &&
           llvm::all_of(e->operands, [&](Expr o) { return isProvedFinite(o); });
  default:
    return false;
  }
}

Interval Normalizer::range(Expr e) {
  auto found = ranges.find(e);
  if (found != ranges.end())
    return found->second;
  Interval result = rangeImpl(e);
  if (std::isnan(result.low) || std::isnan(result.high))
    result = {};
  ranges[e] = result;
  return result;
}

/// 0 * inf is 0 here: a bound that is exactly 0 is never exceeded.
static double boundProduct(double a, double b) {
  return a == 0 || b == 0 ? 0 : a * b;
}

static Interval product(Interval a, Interval b) {
  double corners[] = {boundProduct(a.low, b.low), boundProduct(a.low, b.high),
                      boundProduct(a.high, b.low),
                      boundProduct(a.high, b.high)};
  return {*std::min_element(corners, corners + 4),
          *std::max_element(corners, corners + 4)};
}

static Interval reciprocal(Interval a) {
  if (a.low < 0 && a.high > 0)
    return {};
  double p = a.low != 0 ? 1 / a.low : (a.high > 0 ? kInfinity : -kInfinity);
  double q = a.high != 0 ? 1 / a.high : -kInfinity;
  return {std::min(p, q), std::max(p, q)};
}

Interval Normalizer::rangeImpl(Expr e) {
  SmallVector<Interval, 3> in;
  for (Expr operand : e->operands)
    in.push_back(range(operand));
  double bound = std::exp2(inputBoundLog2);
  switch (e->kind) {
  case Kind::Constant:
    return {e->value, e->value};
  case Kind::Input:
    return {e->value == -kInfinity ? -bound : e->value,
            e->high == kInfinity ? bound : e->high};
  case Kind::Index:
    return {0, std::exp2(sizeLog2(e->axis))};
  case Kind::Size:
    return {1, std::exp2(sizeLog2(e->axis))};
  case Kind::Reference:
  case Kind::Round:
    return in[0];
  case Kind::Guard:
    return {std::min(in[0].low, 0.0), std::max(in[0].high, 0.0)};
  case Kind::Shifted:
    return {in[0].low - in[0].high, in[0].high - in[0].low};
  case Kind::Add:
    return {in[0].low + in[1].low, in[0].high + in[1].high};
  case Kind::Sub:
    return {in[0].low - in[1].high, in[0].high - in[1].low};
  case Kind::Neg:
    return {-in[0].high, -in[0].low};
  case Kind::Mul: {
    Interval result = product(in[0], in[1]);
    if (e->operand(0) == e->operand(1))
      result.low = std::max(result.low, 0.0);
    return result;
  }
  case Kind::Div:
    return product(in[0], reciprocal(in[1]));
  case Kind::Exp:
  case Kind::Exp2: {
    double base = e->kind == Kind::Exp ? 1 : std::log(2.0);
    auto f = [&](double t) { return std::exp(t * base); };
    return {f(in[0].low), f(in[0].high)};
  }
  case Kind::Log: {
    auto f = [](double t) { return t <= 0 ? -kInfinity : std::log(t); };
    return {f(in[0].low), f(in[0].high)};
  }
  case Kind::Sqrt:
    return {std::sqrt(std::max(0.0, in[0].low)),
            std::sqrt(std::max(0.0, in[0].high))};
  case Kind::Rsqrt:
    return {in[0].high > 0 ? 1 / std::sqrt(in[0].high) : 0,
            in[0].low > 0 ? 1 / std::sqrt(in[0].low) : kInfinity};
  case Kind::Abs:
    return {in[0].low <= 0 && in[0].high >= 0
                ? 0
                : std::min(std::fabs(in[0].low), std::fabs(in[0].high)),
            in[0].magnitude()};
  case Kind::Power:
    if (in[0].low >= 0 && e->value > 0)
      return {std::pow(in[0].low, e->value), std::pow(in[0].high, e->value)};
    return {in[0].low >= 0 ? 0 : -kInfinity, kInfinity};
  case Kind::PowerBy:
    return {in[0].low >= 0 ? 0 : -kInfinity, kInfinity};
  case Kind::Max:
    return {std::max(in[0].low, in[1].low), std::max(in[0].high, in[1].high)};
  case Kind::Min:
    return {std::min(in[0].low, in[1].low), std::min(in[0].high, in[1].high)};
  case Kind::Compare:
  case Kind::Not:
    return {0, 1};
  case Kind::Select: {
    if (e->operand(1)->isMinusInfinity())
      return in[2];
    if (e->operand(2)->isMinusInfinity())
      return in[1];
    return {std::min(in[1].low, in[2].low), std::max(in[1].high, in[2].high)};
  }
  case Kind::Call:
    return {e->laws.low, e->laws.high};
  case Kind::Combine:
    return {std::min(in[0].low, in[1].low), std::max(in[0].high, in[1].high)};
  case Kind::Reduce: {
    double count = std::exp2(sizeLog2(e->axis));
    switch (e->monoid) {
    case Monoid::Sum:
      return {in[0].low >= 0 ? in[0].low : boundProduct(count, in[0].low),
              std::max(in[0].high, boundProduct(count, in[0].high))};
    case Monoid::Prod:
      return {in[0].low >= 0 ? 0 : -kInfinity, kInfinity};
    case Monoid::ArgMax:
      return {0, count};
    default:
      return in[0];
    }
  }
  case Kind::Fma: // made by plans only
  case Kind::State:
    return {};
  }
  return {};
}

} // namespace napkin::algebra
