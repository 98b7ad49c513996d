//===- Functions.h - scalar functions from device instructions --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// exp, log, sin and their like on f32, accurate to a few units in the last
// place (napkin/Reference/Accuracy.h has the promise of each), from IEEE
// operations and the GPU's approximations, which may be as bad as the PTX
// manual allows ("Floating point instructions": ex2 and div.full 2 ulp, rcp 1
// ulp, sqrt and rsqrt about 2 ulp; lg2 and sin are good in parts of their range
// only and stand for special values alone).
//
// Written once for any machine: the compiler's builds IR, a test's computes.
// Polynomials are minimax (mpmath's chebyfit), highest coefficient first;
// reductions are those of W. J. Cody and W. Waite, of M. Payne and R. Hanek,
// and of N. Juffa's published single-precision functions.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_CONVERSION_TILETONVVM_FUNCTIONS_H
#define NAPKIN_LIB_CONVERSION_TILETONVVM_FUNCTIONS_H

#include <cmath>
#include <cstdint>
#include <initializer_list>
#include <limits>
#include <utility>

namespace napkin {

/// Functions on a Machine, which has
///   Real (f32), Integer (i32), Wide (i64), Condition;
///   real(double), integer(int32_t), wide(int64_t): constants;
///   add, subtract, multiply, fma, negate, absolute, copySign(size, sign),
///     least and largest (a NaN on either side gives NaN): Real;
///   bits(Real), fromBits(Integer), toReal(Integer);
///   plus, minus, bitAnd, bitOr, bitXor, shiftLeft, shiftRight (unsigned):
///     Integer or Wide;
///   widen(Integer) (unsigned), narrow(Wide), times(Wide, Wide),
///     scaled(Wide, double): signed, times a constant, rounded to Real;
///   less, lessOrEqual, equal (Real; false with NaN), below (Integer,
///     unsigned), isZero (Integer), select(Condition, a, b);
///   exp2, reciprocal, squareRoot, reciprocalRoot, log2, divide: the
///     approximations ex2.approx.ftz, rcp.approx.ftz, sqrt.approx,
///     rsqrt.approx, lg2.approx, div.full;
///   rarely(Condition, pair, function giving a pair): the function's values
///     where the condition holds, behind a branch.
template <typename Machine>
class Functions {
  using Real = typename Machine::Real;
  using Integer = typename Machine::Integer;
  using Wide = typename Machine::Wide;
  using Condition = typename Machine::Condition;

  static constexpr double infinity = std::numeric_limits<double>::infinity();
  static constexpr double log2e = 1.4426950408889634, ln2 = 0.6931471805599453;
  static constexpr double halfPi = 1.5707963267948966;
  /// 1.5 * 2^23: what is added to it loses its fraction.
  static constexpr double magic = 12582912;

public:
  explicit Functions(Machine &machine) : m(machine) {}

  //===--- Division by a constant -----------------------------------------===//

  /// Whether divideBy() holds for \p divisor: far from the ends of the range,
  /// so that no product of it is below the least float.
  static bool isDivisor(double divisor) {
    return std::fabs(divisor) >= 0x1p-64 && std::fabs(divisor) <= 0x1p64;
  }

  /// x / \p divisor, exact where that is a float, and rounded correctly unless
  /// the quotient is within 2^-22 of half a unit, or below 2^-100. 1 / divisor
  /// = high + low, where high is cut off, so that both have one sign: infinity
  /// stays infinite.
  Real divideBy(Real x, double divisor) {
    double inverse = 1 / divisor;
    float high = static_cast<float>(inverse);
    if (std::fabs(static_cast<double>(high)) > std::fabs(inverse))
      high = std::nextafter(high, 0.0f);
    float low = static_cast<float>(std::fma(-divisor, high, 1) / divisor);
    if (low == 0)
      return m.multiply(x, m.real(high));
    return m.fma(x, m.real(high), m.multiply(x, m.real(low)));
  }

  //===--- Exponentials ---------------------------------------------------===//

  /// e^x = 2^t (1 + d ln 2), where d is what the rounding of t = x log2(e)
  /// loses.
  Real exp(Real x) {
    // Beyond these ends the result is 0 or infinite; infinity - infinity is
    // not.
    Real inside = m.largest(m.least(x, m.real(200)), m.real(-200));
    Real t = m.multiply(inside, m.real(log2e));
    Real d = m.fma(inside, m.real(log2e), m.negate(t));
    d = m.fma(inside, m.real(low(log2e)), d);
    return m.multiply(m.exp2(t), m.fma(d, m.real(ln2), m.real(1)));
  }

  Real expm1(Real x) {
    // From -20 down -1 is as near as it gets; from 89 up it is infinite.
    auto [part, p] = quarterExp(m.largest(m.least(x, m.real(89)), m.real(-20)));
    Real r = m.fma(part, p, m.subtract(part, m.real(0.25)));
    return m.copySign(m.multiply(r, m.real(4)), x);
  }

  Real cosh(Real x) {
    auto [part, p] = quarterExp(m.least(m.absolute(x), m.real(89.5)));
    Real h = m.fma(part, p, part);
    Real r = m.fma(m.real(0x1p-4), m.reciprocal(h), h);
    return m.add(r, r);
  }

  Real sinh(Real x) {
    Real size = m.absolute(x), s = m.multiply(x, x);
    Real near =
        m.fma(m.multiply(polynomial(s, {2.806331254e-6, 1.983809559e-4,
                                        8.333339695e-3, 1.666666665e-1}),
                         s),
              size, size);
    auto [part, p] = quarterExp(m.least(size, m.real(89.5)));
    Real h = m.fma(part, p, part);
    Real far = m.fma(m.real(-0x1p-4), m.reciprocal(h), h);
    far = m.add(far, far);
    return m.copySign(m.select(m.less(size, m.real(1)), near, far), x);
  }

  /// tanh |x| = 1 - 2 / (exp(2 |x|) + 1), where the hardware's tanh.approx is
  /// off by 5e-4.
  Real tanh(Real x) {
    Real power = m.exp2(m.multiply(m.absolute(x), m.real(2 * log2e)));
    // The sum is at least 1, where the reciprocal has no corner.
    Real reciprocal = m.reciprocal(m.add(power, m.real(1)));
    Real far = m.subtract(m.real(1), m.multiply(m.real(2), reciprocal));
    // Near 0 the difference cancels: an odd polynomial (Cephes, tanhf.c).
    Real s = m.multiply(x, x);
    Real series =
        polynomial(s, {-5.70498872745e-3, 2.06390887954e-2, -5.37397155531e-2,
                       1.33314422036e-1, -3.33332819422e-1});
    Real near = oddFalling(series, s, x);
    return m.select(m.less(s, m.real(0.390625)), near, m.copySign(far, x));
  }

  //===--- Logarithms -----------------------------------------------------===//

  Real log(Real x) {
    auto [exponent, series] = logParts(x);
    Real r = m.fma(exponent, m.real(low(ln2)), series);
    return finiteLog(x, m.fma(exponent, m.real(ln2), r));
  }

  Real log2(Real x) {
    auto [exponent, series] = logParts(x);
    Real r =
        m.fma(series, m.real(log2e), m.multiply(series, m.real(low(log2e))));
    return finiteLog(x, m.add(exponent, r));
  }

  Real log10(Real x) {
    constexpr double log10e = 0.4342944819032518, log10of2 = 0.3010299956639812;
    auto [exponent, series] = logParts(x);
    Real r = m.fma(exponent, m.real(low(log10of2)),
                   m.multiply(series, m.real(low(log10e))));
    r = m.fma(series, m.real(log10e), r);
    return finiteLog(x, m.fma(exponent, m.real(log10of2), r));
  }

  /// x = 2^e (1 + f) - 1, where e is that of 1 + x as far as it is rounded.
  Real log1p(Real x) {
    Real sum = m.add(m.real(1), x);
    Integer exponent = exponentOf(sum);
    // 4 * 2^-e is a normal number for each e.
    Real scale = m.fromBits(m.minus(m.integer(0x40800000), exponent));
    Real rest = m.fma(m.real(0.25), scale, m.real(-1));
    Real f = m.add(m.fromBits(m.minus(m.bits(x), exponent)), rest);
    Real e = m.multiply(m.toReal(exponent), m.real(0x1p-23));
    Real r = m.fma(e, m.real(low(ln2)), logSeries(f));
    r = m.copySign(m.fma(e, m.real(ln2), r), x);
    // -1, what is less, infinity and NaN are those of the logarithm; 0 is not.
    Condition inside =
        m.both(m.less(m.real(-1), x), m.less(x, m.real(infinity)));
    return m.select(inside, r, m.log2(sum));
  }

  //===--- Inverse hyperbolic functions -----------------------------------===//

  /// log(a + sqrt(a^2 + 1)) = log1p(a + a^2 / (1 + sqrt(a^2 + 1))), a = |x|.
  Real asinh(Real x) {
    Real a = m.absolute(x);
    // Squares end at 2^64; from 2^24 up the root is a.
    Condition far = m.less(m.real(0x1p24), a);
    Real root = m.squareRoot(m.fma(a, a, m.real(1)));
    Real inverse = m.reciprocal(m.add(root, m.real(1)));
    Real near = m.fma(m.multiply(a, inverse), a, a);
    Real r = log1p(m.select(far, a, near));
    r = m.add(r, m.select(far, m.real(ln2), m.real(0)));
    return m.copySign(r, x);
  }

  /// log(x + sqrt(x^2 - 1)) = log1p(t + sqrt(t (t + 2))), t = x - 1, which is
  /// exact where it matters.
  Real acosh(Real x) {
    Condition far = m.less(m.real(0x1p24), x);
    Real t = m.subtract(x, m.real(1));
    Real square = m.fma(t, t, m.add(t, t));
    // Below -1 the square is positive again.
    square = m.select(m.less(t, m.real(0)), m.real(-1), square);
    Real near = m.add(t, m.squareRoot(square));
    Real r = log1p(m.select(far, t, near));
    return m.add(r, m.select(far, m.real(ln2), m.real(0)));
  }

  /// log((1 + a) / (1 - a)) / 2 = log1p(2 a + 2 a^2 / (1 - a)) / 2, a = |x|.
  Real atanh(Real x) {
    // Beyond 1 all are alike, and where reciprocals end all are beyond it.
    Real a = m.least(m.absolute(x), m.real(2)), twice = m.add(a, a);
    Real inverse = m.reciprocal(m.subtract(m.real(1), a));
    Real near = m.fma(m.multiply(twice, inverse), a, twice);
    // At 1 the sum is infinite, beyond it the quotient is below -2.
    Real far = m.multiply(twice, inverse);
    Real sum = m.select(m.less(a, m.real(0.5)), near, far);
    return m.copySign(m.multiply(log1p(sum), m.real(0.5)), x);
  }

  //===--- Circular functions ---------------------------------------------===//

  Real sin(Real x) { return sineOf(reduce(x), 0); }
  Real cos(Real x) { return sineOf(reduce(x), 1); }

  Real tan(Real x) {
    auto [r, quadrant] = reduce(x);
    Real s = m.multiply(r, r);
    Real t =
        oddRising(polynomial(s, {4.458105406e-3, 7.757668622e-5, 1.070419739e-2,
                                 2.139442158e-2, 5.402535053e-2, 1.333307978e-1,
                                 3.333333515e-1}),
                  s, r);
    Condition even = m.isZero(m.bitAnd(quadrant, m.integer(1)));
    return m.select(even, t, m.negate(m.reciprocal(t)));
  }

  Real asin(Real x) {
    Real size = m.absolute(x);
    Condition far = m.less(m.real(0.5), size);
    Real r = smallAsin(size, far);
    Real other =
        m.subtract(m.real(halfPi), m.fma(m.real(2), r, m.real(-low(halfPi))));
    return m.copySign(m.select(far, other, r), x);
  }

  Real acos(Real x) {
    Real size = m.absolute(x);
    Condition far = m.less(m.real(0.5), size);
    Condition negative = m.less(x, m.real(0));
    Real r = smallAsin(size, far);
    // Far from 0: 2r, or pi - 2r; near it: pi/2 - r or pi/2 + r.
    Real twice = m.add(r, r);
    Real other = m.subtract(m.real(2 * halfPi),
                            m.subtract(twice, m.real(low(2 * halfPi))));
    Real signedR = m.copySign(r, x);
    Real near =
        m.subtract(m.real(halfPi), m.subtract(signedR, m.real(low(halfPi))));
    return m.select(far, m.select(negative, other, twice), near);
  }

  Real atan(Real x) {
    Real size = m.absolute(x);
    Condition far = m.less(m.real(1), size);
    Real r = smallAtan(m.select(far, m.reciprocal(size), size));
    return m.copySign(m.select(far, m.subtract(m.real(halfPi), r), r), x);
  }

  Real atan2(Real y, Real x) {
    Real width = m.absolute(x), height = m.absolute(y);
    Real large = m.largest(width, height), small = m.least(width, height);
    // The quotients that are none: of two zeros, and of two infinities.
    Real t = m.divide(small, large);
    t = m.select(m.equal(large, m.real(0)), m.real(0), t);
    t = m.select(m.equal(small, m.real(infinity)), m.real(1), t);
    Real r = smallAtan(t);
    r = m.select(m.less(width, height), m.subtract(m.real(halfPi), r), r);
    Condition right = m.isZero(m.shiftRight(m.bits(x), 31));
    // pi - r, whose low part is all that is left of it near pi.
    Real left =
        m.subtract(m.real(2 * halfPi), m.subtract(r, m.real(low(2 * halfPi))));
    return m.copySign(m.select(right, r, left), y);
  }

  //===--- Others ---------------------------------------------------------===//

  /// erf x: below 0.93 an odd polynomial, above it 1 - exp(-x p(x)) (minimax
  /// coefficients as in N. Juffa's erff).
  Real erf(Real x) {
    Real size = m.absolute(x);
    Real tail = polynomial(size, {-1.72853470e-5, 3.83197126e-4, -3.88396438e-3,
                                  2.42546219e-2, -1.06777877e-1, -6.34846687e-1,
                                  -1.28717512e-1});
    Real argument = m.fma(tail, size, m.negate(size));
    Real power = m.exp2(m.multiply(argument, m.real(log2e)));
    Real far = m.copySign(m.subtract(m.real(1), power), x);
    return m.select(m.less(m.real(0.927734375), size), far, smallErf(x));
  }

  /// 1 - erf x below 0.5; above it exp(-a^2) P(q) / (1 + 2a) for a = |x| and q
  /// = (a - 4) / (a + 4), and 2 less that for negative x.
  Real erfc(Real x) {
    // From 9.2 up the result is below the least normal number.
    Real a = m.least(m.absolute(x), m.real(9.28));
    Real inverse = m.reciprocal(m.add(a, m.real(4)));
    Real q = m.multiply(m.subtract(a, m.real(4)), inverse);
    // What q (a + 4) lacks of a - 4.
    Real lack = m.fma(m.add(q, m.real(1)), m.real(-4), a);
    q = m.fma(inverse, m.fma(q, m.negate(a), lack), q);
    Real p = polynomial(q, {-6.427418455e-4, -1.135116805e-3, 5.053406195e-3,
                            -1.601173936e-2, 3.722529426e-2, -6.63578435e-2,
                            9.371956064e-2, -1.010376559e-1, 6.80980122e-2,
                            1.53796328e-2, -1.396211351e-1, 1.232995119});
    p = m.multiply(p, m.reciprocal(m.fma(m.real(2), a, m.real(1))));
    // a^2 = s + d, and exp(-s - d) = exp(-s) (1 - d).
    Real s = m.multiply(a, a), d = m.fma(a, a, m.negate(s));
    auto [part, e] = quarterExp(m.negate(s));
    Real power = m.fma(part, e, part);
    Real r = m.multiply(p, m.fma(power, m.negate(d), power));
    r = m.multiply(
        m.select(m.less(a, m.real(9.25)), r, m.multiply(a, m.real(0))),
        m.real(4));
    r = m.select(m.less(x, m.real(0)), m.subtract(m.real(2), r), r);
    Condition near = m.less(m.absolute(x), m.real(0.5));
    return m.select(near, m.subtract(m.real(1), smallErf(x)), r);
  }

  /// An approximation by exp2 and log2, then one step of Newton's.
  Real cbrt(Real x) {
    Real size = m.absolute(x);
    Condition tiny = m.less(size, m.real(0x1p-126));
    Real a = m.select(tiny, m.multiply(size, m.real(0x1p24)), size);
    Real y = m.exp2(m.multiply(m.log2(a), m.real(1.0 / 3)));
    Real square = m.multiply(y, y);
    Real off = m.fma(square, m.negate(y), a);
    Real third = m.multiply(m.reciprocal(square), m.real(1.0 / 3));
    Real better = m.fma(off, third, y);
    // 0, infinity and NaN are their own roots.
    Condition isRegular =
        m.both(m.less(m.real(0), a), m.less(a, m.real(infinity)));
    better = m.multiply(better, m.select(tiny, m.real(0x1p-8), m.real(1)));
    return m.copySign(m.select(isRegular, better, x), x);
  }

private:
  /// What the constant `value` loses when it is rounded to f32.
  static constexpr double low(double value) {
    return value - static_cast<double>(static_cast<float>(value));
  }

  Real polynomial(Real x, std::initializer_list<double> coefficients) {
    const double *next = coefficients.begin();
    Real sum = m.real(*next);
    while (++next != coefficients.end())
      sum = m.fma(sum, x, m.real(*next));
    return sum;
  }

  /// r + r s p for a positive p.
  Real oddRising(Real p, Real s, Real r) {
    return m.fma(p, m.multiply(s, r), r);
  }

  /// r + r s p for a negative p: s r is +0 where r is -0, so that -0 stays.
  Real oddFalling(Real p, Real s, Real r) {
    return m.fma(p, m.fma(s, r, m.real(0)), r);
  }

  /// erf x for |x| at most 0.93: x + x p(x^2).
  Real smallErf(Real x) {
    Real series = polynomial(m.multiply(x, x),
                             {-5.96761703e-4, 4.99119423e-3, -2.67681349e-2,
                              1.12819925e-1, -3.76125336e-1, 1.28379166e-1});
    return m.fma(series, x, x);
  }

  /// e^x = 4 * part * (1 + p), for x in [-85, 89.5]. A quarter is finite where
  /// half of e^x still is.
  std::pair<Real, Real> quarterExp(Real x) {
    Real shifted = m.fma(x, m.real(log2e), m.real(magic));
    Real j = m.subtract(shifted, m.real(magic));
    Real f = m.fma(j, m.real(-ln2), x);
    f = m.fma(j, m.real(-low(ln2)), f);
    Real series = polynomial(f, {1.392691841e-3, 8.363767023e-3, 4.166655016e-2,
                                 1.666657342e-1, 0.5});
    Real p = m.fma(series, m.multiply(f, f), f);
    // The lowest bits of the sum are j: the exponent of 2^(j-2) is 125 + j.
    Integer exponent =
        m.plus(m.shiftLeft(m.bits(shifted), 23), m.integer(0x3e800000));
    return {m.fromBits(exponent), p};
  }

  /// log(1 + f) for f in [-0.25, 0.5].
  Real logSeries(Real f) {
    Real series =
        polynomial(f, {-4.738243057e-2, 1.062563048e-1, -1.312287765e-1,
                       1.44384568e-1, -1.664764404e-1, 1.99935925e-1,
                       -2.500015388e-1, 3.333339545e-1, -4.99999998e-1});
    return m.fma(series, m.multiply(f, f), f);
  }

  /// The exponent e of x = 2^e m with m in [0.75, 1.5), as e * 2^23.
  Integer exponentOf(Real x) {
    return m.bitAnd(m.minus(m.bits(x), m.integer(0x3f400000)),
                    m.integer(int32_t(0xff800000)));
  }

  /// The exponent of x and the logarithm of the rest.
  std::pair<Real, Real> logParts(Real x) {
    Condition tiny = m.less(x, m.real(0x1p-126));
    Real a = m.select(tiny, m.multiply(x, m.real(0x1p24)), x);
    Integer exponent = exponentOf(a);
    Real f = m.subtract(m.fromBits(m.minus(m.bits(a), exponent)), m.real(1));
    Real e = m.fma(m.toReal(exponent), m.real(0x1p-23),
                   m.select(tiny, m.real(-24), m.real(0)));
    return {e, logSeries(f)};
  }

  /// \p r where x is positive and finite; else what the hardware has for it.
  Real finiteLog(Real x, Real r) {
    Condition isRegular =
        m.both(m.less(m.real(0), x), m.less(x, m.real(infinity)));
    return m.select(isRegular, r, m.log2(x));
  }

  /// x = r + quadrant pi/2, |r| little more than pi/4. NaN for infinity.
  std::pair<Real, Integer> reduce(Real x) {
    // pi/2 in parts of 24 bits, each cut off: all are positive, so that -0
    // stays -0.
    constexpr double parts[] = {0x1.921fb4p0, 0x1.4442d0p-24, 0x1.846988p-48};
    Real shifted = m.fma(x, m.real(1 / halfPi), m.real(magic));
    Real j = m.subtract(shifted, m.real(magic));
    Real r = x;
    for (double part : parts)
      r = m.fma(j, m.real(-part), r);
    Condition large =
        m.negated(m.lessOrEqual(m.absolute(x), m.real(largestSmallAngle)));
    return m.rarely(large, std::pair(r, m.bits(shifted)),
                    [&] { return reduceLarge(x); });
  }

  /// Up to here the three parts of pi/2 are enough.
  static constexpr double largestSmallAngle = 0x1p17;

  /// The method of Payne and Hanek: of the bits of 2/pi only those are
  /// multiplied whose products are neither whole turns nor negligible.
  std::pair<Real, Integer> reduceLarge(Real x) {
    // 2/pi * 2^30 ... in words of 32 bits.
    constexpr uint32_t words[] = {0x28be60db, 0x9391054a, 0x7f09d5f4,
                                  0x7d4d3770, 0x36d8a566, 0x4f10e410,
                                  0x7f9458ea};
    Integer bits = m.bits(x);
    Integer exponent = m.minus(
        m.bitAnd(m.shiftRight(bits, 23), m.integer(0xff)), m.integer(126));
    // 24 bits at the top of a word.
    Integer mantissa =
        m.bitOr(m.shiftLeft(bits, 8), m.integer(int32_t(0x80000000)));
    // x is large: the exponent is at least 17, so the first word is words[0]
    // or one of the next three.
    Integer first = m.shiftRight(exponent, 5);
    auto word = [&](int ahead) {
      Wide chosen = m.wide(ahead == 0 ? 0 : words[ahead - 1]);
      for (int i = 1; i <= 4; ++i)
        if (i + ahead <= 7)
          chosen = m.select(m.isZero(m.minus(first, m.integer(i))),
                            m.wide(words[i + ahead - 1]), chosen);
      return chosen;
    };
    // Word pairs, shifted to the left by the exponent's last five bits.
    Wide shift = m.widen(m.bitAnd(exponent, m.integer(31)));
    auto pair = [&](Wide high, Wide low) {
      Wide both = m.bitOr(m.shiftLeft(high, 32), low);
      return m.shiftRight(m.shiftLeftBy(both, shift), 32);
    };
    Wide w0 = word(0), w1 = word(1), w2 = word(2), w3 = word(3);
    Wide high = pair(w0, w1), middle = pair(w1, w2), low = pair(w2, w3);
    Wide factor = m.widen(mantissa);
    Wide product = m.shiftRight(m.times(factor, low), 32);
    product = m.plus(m.times(factor, middle), product);
    product = m.plus(m.shiftLeft(m.times(factor, high), 32), product);
    // The upper two bits count quadrants; what is left is rounded to nearest.
    Wide rounded = m.plus(product, m.wide(int64_t(1) << 61));
    Integer quadrant = m.narrow(m.shiftRight(rounded, 62));
    Wide rest = m.minus(product, m.shiftLeft(m.shiftRight(rounded, 62), 62));
    Real r = m.scaled(rest, halfPi * 0x1p-62);
    // A negative x turns the other way.
    Condition positive = m.isZero(m.shiftRight(bits, 31));
    r = m.select(positive, r, m.negate(r));
    quadrant = m.select(positive, quadrant, m.minus(m.integer(0), quadrant));
    Condition isFinite = m.less(m.absolute(x), m.real(infinity));
    return {m.select(isFinite, r, m.subtract(x, x)), quadrant};
  }

  /// The sine of a reduced angle, `ahead` quadrants on.
  Real sineOf(std::pair<Real, Integer> reduced, int ahead) {
    auto [r, quadrant] = reduced;
    if (ahead)
      quadrant = m.plus(quadrant, m.integer(ahead));
    Real s = m.multiply(r, r);
    Real sine = oddFalling(polynomial(s, {2.720874516e-6, -1.983974774e-4,
                                          8.333331204e-3, -1.666666666e-1}),
                           s, r);
    Real cosine = m.fma(
        polynomial(s, {2.451395495e-5, -1.388813513e-3, 4.166666374e-2, -0.5}),
        s, m.real(1));
    Condition even = m.isZero(m.bitAnd(quadrant, m.integer(1)));
    Integer sign = m.shiftLeft(m.bitAnd(quadrant, m.integer(2)), 30);
    return m.fromBits(m.bitXor(m.bits(m.select(even, sine, cosine)), sign));
  }

  /// The arc sine of `size`, or where it is far from 0 half the arc cosine. NaN
  /// beyond 1.
  Real smallAsin(Real size, Condition far) {
    Real half = m.fma(size, m.real(-0.5), m.real(0.5));
    Real s = m.select(far, half, m.multiply(size, size));
    Real root = m.select(far, m.squareRoot(half), size);
    Real series = polynomial(s, {3.809396215e-2, 2.655066296e-2, 4.500189409e-2,
                                 7.498852962e-2, 1.666667243e-1});
    return oddRising(series, s, root);
  }

  /// The arc tangent of t in [0, 1].
  Real smallAtan(Real t) {
    Real s = m.multiply(t, t);
    Real series =
        polynomial(s, {-2.386997317e-3, 1.350777143e-2, -3.587153898e-2,
                       6.250169445e-2, -8.65688043e-2, 1.103376412e-1,
                       -1.427856875e-1, 1.999973933e-1, -3.333333173e-1});
    return oddFalling(series, s, t);
  }

  Machine &m;
};

} // namespace napkin

#endif // NAPKIN_LIB_CONVERSION_TILETONVVM_FUNCTIONS_H
