//===- Expression.h - symbolic byte counts ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a schedule costs, kept as a formula in the sizes of the axes and in the
// partition variables until somebody wants a number.
//
// An expression is a sum of monomials; a monomial is a rational coefficient
// times atoms to rational powers. An atom is a symbol (`q`, `g_q`), a ceiling
// division of two symbols (`⌈q/g_q⌉`, the number of groups along q), or an
// integer under a root that has no rational value (`√2`). For instance, what
// attention moves:
//
//     2·x·d·⌈q/g_q⌉ + 2·q·d     exact, also where g_q does not divide q
//     2·x·d·q/g_q + 2·q·d       smooth(): ceilings opened, for closed forms
//
// Arithmetic that leaves 64 bits marks the expression as overflowed. That is
// sticky, prints as "overflow", and evaluate() turns it into an error.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_COST_EXPRESSION_H
#define NAPKIN_COST_EXPRESSION_H

#include "napkin/Cost/Rational.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <string>
#include <tuple>
#include <utility>
#include <vector>

namespace napkin::cost {

/// Values of symbols by name.
using Bindings = llvm::StringMap<int64_t>;

/// The indivisible factors of a monomial.
struct Atom {
  enum class Kind { Symbol, CeilDivision, Number };
  Kind kind = Kind::Symbol;
  /// The symbol, or the dividend of a ceiling division.
  std::string name;
  /// The divisor of a ceiling division.
  std::string divisor;
  /// The integer of Kind::Number.
  int64_t number = 0;

  bool operator==(const Atom &other) const { return key() == other.key(); }
  bool operator<(const Atom &other) const { return key() < other.key(); }

private:
  std::tuple<Kind, const std::string &, const std::string &, int64_t>
  key() const {
    return {kind, name, divisor, number};
  }
};

/// A coefficient times atoms to powers. Factors keep the order in which they
/// came, which is the order they print in; equality ignores it.
class Monomial {
public:
  using Factor = std::pair<Atom, Rational>;

  explicit Monomial(Rational coefficient = 1) : scale(coefficient) {}

  /// The rational in front.
  Rational coefficient() const { return scale; }
  /// The atoms and their powers, none of which is zero.
  llvm::ArrayRef<Factor> factors() const { return parts; }
  /// True after an operation that did not fit in 64 bits.
  bool overflowed() const { return overflow; }
  /// The power of the symbol \p name, 0 where it is absent.
  Rational powerOf(llvm::StringRef name) const;
  /// True when \p name occurs, also inside a ceiling division.
  bool mentions(llvm::StringRef name) const;
  /// Multiplies by \p atom to the power \p exponent.
  void multiply(const Atom &atom, Rational exponent);
  /// Multiplies the coefficient.
  void multiply(Rational factor);
  /// The product.
  Monomial operator*(const Monomial &other) const;
  /// This to \p exponent. Roots of the coefficient that are not rational stay
  /// as Number atoms. Fails (overflowed) for a negative coefficient under a
  /// root.
  Monomial power(Rational exponent) const;
  /// True when the atoms and powers agree, whatever the coefficients.
  bool sameFactors(const Monomial &other) const;
  /// As text, for instance `2·x·d·q/g_q`.
  std::string str() const;

private:
  friend class Expression;
  Rational scale;
  llvm::SmallVector<Factor, 4> parts;
  bool overflow = false;
};

/// A sum of monomials without two that share their factors.
class Expression {
public:
  /// Zero.
  Expression() = default;
  /// One monomial.
  Expression(const Monomial &monomial);
  /// The constant \p value.
  static Expression constant(int64_t value);
  /// The symbol \p name.
  static Expression symbol(llvm::StringRef name);
  /// ⌈\p dividend / \p divisor⌉ of two symbols.
  static Expression ceilDivision(llvm::StringRef dividend,
                                 llvm::StringRef divisor);

  Expression operator+(const Expression &other) const;
  Expression operator*(const Expression &other) const;
  Expression &operator+=(const Expression &other);
  Expression &operator*=(const Expression &other);

  /// The monomials, in the order of their first appearance.
  llvm::ArrayRef<Monomial> terms() const { return monomials; }
  /// True for 0.
  bool isZero() const { return monomials.empty() && !overflow; }
  /// True after an operation that did not fit in 64 bits.
  bool overflowed() const { return overflow; }
  /// True when \p name occurs anywhere.
  bool mentions(llvm::StringRef name) const;

  /// Every ⌈a/b⌉ replaced by a/b: what it is when b divides a.
  Expression smooth() const;
  /// \p name replaced by the monomial \p value. Ceiling divisions that mention
  /// the name are opened as by smooth().
  Expression substitute(llvm::StringRef name, const Monomial &value) const;
  /// The terms for which \p keep holds.
  Expression filter(llvm::function_ref<bool(const Monomial &)> keep) const;
  /// Without the terms that another term exceeds by a product of axis sizes:
  /// 2·g_q·d + g_q is 2·g_q·d in leading order.
  Expression leading() const;

  /// The exact integer. Errors: a symbol without a value, a value that is not
  /// positive, a result that is not whole, overflow of 64 bits, a root.
  llvm::Expected<int64_t> evaluate(const Bindings &values) const;
  /// The value in double precision, roots included. Same errors about symbols.
  llvm::Expected<double> evaluateReal(const Bindings &values) const;

  /// As text. Terms that are repeated per group come first.
  std::string str() const;

  /// Equality up to the order of terms and factors.
  bool operator==(const Expression &other) const;
  bool operator!=(const Expression &other) const { return !(*this == other); }

private:
  /// Adds one term, merged with a term of the same factors if there is one.
  void add(const Monomial &monomial);
  std::vector<Monomial> monomials;
  bool overflow = false;
};

} // namespace napkin::cost

#endif // NAPKIN_COST_EXPRESSION_H
