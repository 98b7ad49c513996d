//===- Rational.h - exact fractions of 64-bit integers ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Coefficients and exponents of cost expressions. Every operation is exact or
// says that it overflowed: a byte count that wrapped around would be worse than
// none.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_COST_RATIONAL_H
#define NAPKIN_COST_RATIONAL_H

#include <cstdint>
#include <numeric>
#include <optional>
#include <string>

namespace napkin::cost {

/// A fraction in lowest terms with a positive denominator.
class Rational {
public:
  /// The integer \p value.
  Rational(int64_t value = 0) : top(value) {}

  /// \p numerator / \p denominator; nullopt for a zero denominator or for parts
  /// whose negation does not fit.
  static std::optional<Rational> get(int64_t numerator, int64_t denominator) {
    if (denominator == 0 || numerator == INT64_MIN || denominator == INT64_MIN)
      return std::nullopt;
    int64_t divisor = std::gcd(numerator, denominator);
    if (denominator < 0)
      divisor = -divisor;
    Rational result;
    result.top = numerator / divisor;
    result.bottom = denominator / divisor;
    return result;
  }

  /// The numerator, which carries the sign.
  int64_t numerator() const { return top; }
  /// The denominator, at least 1.
  int64_t denominator() const { return bottom; }
  /// True for a whole number.
  bool isInteger() const { return bottom == 1; }
  /// True for 0.
  bool isZero() const { return top == 0; }
  /// The nearest double.
  double toDouble() const { return double(top) / double(bottom); }
  /// "3", "-2" or "1/2".
  std::string str() const {
    std::string text = std::to_string(top);
    return isInteger() ? text : text + "/" + std::to_string(bottom);
  }

  /// The product, or nullopt when it does not fit.
  static std::optional<Rational> multiply(Rational a, Rational b) {
    int64_t across = std::gcd(a.top, b.bottom),
            back = std::gcd(b.top, a.bottom);
    int64_t top, bottom;
    if (__builtin_mul_overflow(a.top / across, b.top / back, &top) ||
        __builtin_mul_overflow(a.bottom / back, b.bottom / across, &bottom))
      return std::nullopt;
    return get(top, bottom);
  }

  /// The sum, or nullopt when it does not fit.
  static std::optional<Rational> add(Rational a, Rational b) {
    int64_t shared = std::gcd(a.bottom, b.bottom);
    int64_t left, right, top, bottom;
    if (__builtin_mul_overflow(a.top, b.bottom / shared, &left) ||
        __builtin_mul_overflow(b.top, a.bottom / shared, &right) ||
        __builtin_add_overflow(left, right, &top) ||
        __builtin_mul_overflow(a.bottom, b.bottom / shared, &bottom))
      return std::nullopt;
    return get(top, bottom);
  }

  /// 1 / this; nullopt for 0.
  std::optional<Rational> inverse() const { return get(bottom, top); }
  /// The value with its sign turned.
  Rational operator-() const {
    Rational result = *this;
    result.top = -top;
    return result;
  }

  bool operator==(const Rational &other) const {
    return top == other.top && bottom == other.bottom;
  }
  bool operator!=(const Rational &other) const { return !(*this == other); }

private:
  int64_t top;
  int64_t bottom = 1;
};

} // namespace napkin::cost

#endif // NAPKIN_COST_RATIONAL_H
