//===- Expression.cpp - symbolic byte counts --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic, printing and exact evaluation of cost expressions.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Expression.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include <cmath>

using namespace napkin::cost;
using llvm::StringRef;

//===----------------------------------------------------------------------===//
// Monomial
//===----------------------------------------------------------------------===//

Rational Monomial::powerOf(StringRef name) const {
  for (const Factor &factor : parts)
    if (factor.first.kind == Atom::Kind::Symbol && factor.first.name == name)
      return factor.second;
  return 0;
}

bool Monomial::mentions(StringRef name) const {
  return llvm::any_of(parts, [&](const Factor &factor) {
    return factor.first.kind != Atom::Kind::Number &&
           (factor.first.name == name || factor.first.divisor == name);
  });
}

void Monomial::multiply(Rational factor) {
  if (std::optional<Rational> product = Rational::multiply(scale, factor))
    scale = *product;
  else
    overflow = true;
}

void Monomial::multiply(const Atom &atom, Rational exponent) {
  if (exponent.isZero())
    return;
  for (Factor *it = parts.begin(); it != parts.end(); ++it) {
    if (!(it->first == atom))
      continue;
    std::optional<Rational> sum = Rational::add(it->second, exponent);
    if (!sum) {
      overflow = true;
      return;
    }
    it->second = *sum;
    if (sum->isZero())
      parts.erase(it);
    return;
  }
  parts.push_back({atom, exponent});
}

Monomial Monomial::operator*(const Monomial &other) const {
  Monomial result = *this;
  result.overflow |= other.overflow;
  result.multiply(other.scale);
  for (const Factor &factor : other.parts)
    result.multiply(factor.first, factor.second);
  return result;
}

/// \p base to a whole power, exactly.
static std::optional<int64_t> integerPower(int64_t base, int64_t exponent) {
  int64_t result = 1;
  for (int64_t i = 0; i < exponent; ++i)
    if (__builtin_mul_overflow(result, base, &result))
      return std::nullopt;
  return result;
}

/// Multiplies \p target by \p value to \p exponent; what has no rational root
/// stays as an atom.
static void multiplyByPower(Monomial &target, int64_t value, Rational exponent,
                            bool &failed) {
  if (value == 1 || exponent.isZero())
    return;
  // The largest factor whose root is whole goes into the coefficient: √8 =
  // 2·√2.
  int64_t degree = exponent.denominator(), whole = 1, rest = value;
  if (degree > 1) {
    for (int64_t base = 2; base <= 1024; ++base) {
      std::optional<int64_t> power = integerPower(base, degree);
      if (!power || *power > rest)
        break;
      while (rest % *power == 0) {
        rest /= *power;
        whole *= base;
      }
    }
    int64_t root = std::llround(std::pow(double(rest), 1.0 / double(degree)));
    if (integerPower(root, degree) == rest) {
      whole *= root;
      rest = 1;
    }
  } else {
    whole = value;
    rest = 1;
  }
  std::optional<int64_t> scaled =
      integerPower(whole, std::abs(exponent.numerator()));
  std::optional<Rational> factor =
      !scaled                    ? std::nullopt
      : exponent.numerator() < 0 ? Rational::get(1, *scaled)
                                 : std::optional<Rational>(Rational(*scaled));
  if (factor)
    target.multiply(*factor);
  else
    failed = true;
  if (rest == 1)
    return;
  Atom number;
  number.kind = Atom::Kind::Number;
  number.number = rest;
  target.multiply(number, exponent);
}

Monomial Monomial::power(Rational exponent) const {
  Monomial result(1);
  result.overflow = overflow;
  if (scale.numerator() <= 0) {
    result.overflow |= !exponent.isInteger() || exponent.numerator() < 0;
    if (result.overflow)
      return result;
  }
  bool failed = false;
  multiplyByPower(result, scale.numerator(), exponent, failed);
  multiplyByPower(result, scale.denominator(), -exponent, failed);
  result.overflow |= failed;
  for (const Factor &factor : parts) {
    if (std::optional<Rational> product =
            Rational::multiply(factor.second, exponent))
      result.multiply(factor.first, *product);
    else
      result.overflow = true;
  }
  return result;
}

bool Monomial::sameFactors(const Monomial &other) const {
  return parts.size() == other.parts.size() &&
         llvm::all_of(parts, [&](const Factor &factor) {
           return llvm::is_contained(other.parts, factor);
         });
}

/// `q`, `d²`, `√M`, `M^(1/3)` for \p atom to a positive \p power.
static std::string printPower(const Atom &atom, Rational power) {
  std::string base = atom.kind == Atom::Kind::Number
                         ? std::to_string(atom.number)
                     : atom.kind == Atom::Kind::CeilDivision
                         ? "⌈" + atom.name + "/" + atom.divisor + "⌉"
                         : atom.name;
  if (power == Rational(1))
    return base;
  if (power == Rational(2))
    return base + "²";
  if (power == Rational(3))
    return base + "³";
  if (power == *Rational::get(1, 2))
    return "√" + base;
  return base + "^" +
         (power.isInteger() ? power.str() : "(" + power.str() + ")");
}

std::string Monomial::str() const {
  if (overflow)
    return "overflow";
  llvm::SmallVector<std::string> above, below;
  for (const Factor &factor : parts) {
    bool negative = factor.second.numerator() < 0;
    (negative ? below : above)
        .push_back(printPower(factor.first,
                              negative ? -factor.second : factor.second));
  }
  if (scale.denominator() != 1)
    below.insert(below.begin(), std::to_string(scale.denominator()));
  if (scale.numerator() != 1 || above.empty())
    above.insert(above.begin(), std::to_string(scale.numerator()));
  std::string text = llvm::join(above, "·");
  if (below.empty())
    return text;
  std::string divisor = llvm::join(below, "·");
  return text + "/" + (below.size() == 1 ? divisor : "(" + divisor + ")");
}

//===----------------------------------------------------------------------===//
// Expression
//===----------------------------------------------------------------------===//

Expression::Expression(const Monomial &monomial) { add(monomial); }

Expression Expression::constant(int64_t value) {
  return Expression(Monomial(value));
}

Expression Expression::symbol(StringRef name) {
  Monomial monomial;
  monomial.multiply({Atom::Kind::Symbol, name.str(), "", 0}, 1);
  return Expression(monomial);
}

Expression Expression::ceilDivision(StringRef dividend, StringRef divisor) {
  Monomial monomial;
  monomial.multiply(
      {Atom::Kind::CeilDivision, dividend.str(), divisor.str(), 0}, 1);
  return Expression(monomial);
}

void Expression::add(const Monomial &monomial) {
  overflow |= monomial.overflowed();
  if (monomial.coefficient().isZero())
    return;
  for (auto it = monomials.begin(); it != monomials.end(); ++it) {
    if (!it->sameFactors(monomial))
      continue;
    std::optional<Rational> sum =
        Rational::add(it->scale, monomial.coefficient());
    if (!sum)
      overflow = true;
    else if (sum->isZero())
      monomials.erase(it);
    else
      it->scale = *sum;
    return;
  }
  monomials.push_back(monomial);
}

Expression Expression::operator+(const Expression &other) const {
  Expression result = *this;
  result.overflow |= other.overflow;
  for (const Monomial &monomial : other.monomials)
    result.add(monomial);
  return result;
}

Expression Expression::operator*(const Expression &other) const {
  Expression result;
  result.overflow = overflow || other.overflow;
  for (const Monomial &left : monomials)
    for (const Monomial &right : other.monomials)
      result.add(left * right);
  return result;
}

Expression &Expression::operator+=(const Expression &other) {
  return *this = *this + other;
}

Expression &Expression::operator*=(const Expression &other) {
  return *this = *this * other;
}

bool Expression::mentions(StringRef name) const {
  return llvm::any_of(monomials, [&](const Monomial &monomial) {
    return monomial.mentions(name);
  });
}

/// \p monomial with the ceiling divisions opened for which \p open holds.
static Monomial openCeilings(const Monomial &monomial,
                             llvm::function_ref<bool(const Atom &)> open) {
  Monomial result(monomial.coefficient());
  for (const auto &[atom, power] : monomial.factors()) {
    if (atom.kind != Atom::Kind::CeilDivision || !open(atom)) {
      result.multiply(atom, power);
      continue;
    }
    result.multiply({Atom::Kind::Symbol, atom.name, "", 0}, power);
    result.multiply({Atom::Kind::Symbol, atom.divisor, "", 0}, -power);
  }
  return result;
}

Expression Expression::smooth() const {
  Expression result;
  result.overflow = overflow;
  for (const Monomial &monomial : monomials)
    result.add(openCeilings(monomial, [](const Atom &) { return true; }));
  return result;
}

Expression Expression::substitute(StringRef name, const Monomial &value) const {
  Expression result;
  result.overflow = overflow || value.overflowed();
  for (const Monomial &monomial : monomials) {
    Monomial open = openCeilings(monomial, [&](const Atom &atom) {
      return atom.name == name || atom.divisor == name;
    });
    Rational power = open.powerOf(name);
    if (power.isZero()) {
      result.add(open);
      continue;
    }
    open.multiply({Atom::Kind::Symbol, name.str(), "", 0}, -power);
    result.add(open * value.power(power));
  }
  return result;
}

Expression
Expression::filter(llvm::function_ref<bool(const Monomial &)> keep) const {
  Expression result;
  result.overflow = overflow;
  for (const Monomial &monomial : monomials)
    if (keep(monomial))
      result.add(monomial);
  return result;
}

Expression Expression::leading() const {
  auto exceeds = [](const Monomial &large, const Monomial &small) {
    Monomial ratio = large * small.power(-1);
    return !ratio.factors().empty() &&
           llvm::all_of(ratio.factors(), [](const Monomial::Factor &factor) {
             return factor.second.numerator() > 0;
           });
  };
  return filter([&](const Monomial &small) {
    return llvm::none_of(monomials, [&](const Monomial &large) {
      return exceeds(large, small);
    });
  });
}

//===----------------------------------------------------------------------===//
// Evaluation
//===----------------------------------------------------------------------===//

static llvm::Error makeError(const llvm::Twine &text) {
  return llvm::createStringError(text);
}

static llvm::Expected<int64_t> lookUp(StringRef name, const Bindings &values) {
  auto found = values.find(name);
  if (found == values.end())
    return makeError("the symbol '" + name + "' has no value");
  if (found->second <= 0)
    return makeError("the symbol '" + name + "' must be positive, but is " +
                     llvm::Twine(found->second));
  return found->second;
}

static llvm::Expected<int64_t> atomValue(const Atom &atom,
                                         const Bindings &values) {
  if (atom.kind == Atom::Kind::Number)
    return atom.number;
  llvm::Expected<int64_t> name = lookUp(atom.name, values);
  if (!name || atom.kind == Atom::Kind::Symbol)
    return name;
  llvm::Expected<int64_t> divisor = lookUp(atom.divisor, values);
  if (!divisor)
    return divisor;
  return *name / *divisor + (*name % *divisor != 0);
}

llvm::Expected<int64_t> Expression::evaluate(const Bindings &values) const {
  if (overflow)
    return makeError("the expression itself overflowed 64 bits");
  Rational total = 0;
  for (const Monomial &monomial : monomials) {
    std::optional<Rational> product = monomial.coefficient();
    for (const auto &[atom, power] : monomial.factors()) {
      llvm::Expected<int64_t> value = atomValue(atom, values);
      if (!value)
        return value.takeError();
      if (!power.isInteger())
        return makeError("'" + monomial.str() +
                         "' has a root; no exact integer");
      std::optional<Rational> base =
          power.numerator() < 0 ? Rational::get(1, *value) : Rational(*value);
      for (int64_t i = 0, e = std::abs(power.numerator()); product && i < e;
           ++i)
        product = Rational::multiply(*product, *base);
    }
    std::optional<Rational> sum =
        product ? Rational::add(total, *product) : std::nullopt;
    if (!sum)
      return makeError("'" + monomial.str() + "' does not fit in 64 bits");
    total = *sum;
  }
  if (!total.isInteger())
    return makeError("'" + str() + "' is " + total.str() + ", not an integer");
  return total.numerator();
}

llvm::Expected<double> Expression::evaluateReal(const Bindings &values) const {
  if (overflow)
    return makeError("the expression itself overflowed 64 bits");
  double total = 0;
  for (const Monomial &monomial : monomials) {
    double product = monomial.coefficient().toDouble();
    for (const auto &[atom, power] : monomial.factors()) {
      llvm::Expected<int64_t> value = atomValue(atom, values);
      if (!value)
        return value.takeError();
      product *= std::pow(double(*value), power.toDouble());
    }
    total += product;
  }
  return total;
}

std::string Expression::str() const {
  if (overflow)
    return "overflow";
  if (monomials.empty())
    return "0";
  auto repeated = [](const Monomial &monomial) {
    return llvm::any_of(monomial.factors(), [](const Monomial::Factor &factor) {
      return factor.second.numerator() < 0 ||
             factor.first.kind == Atom::Kind::CeilDivision;
    });
  };
  llvm::SmallVector<std::string> first, second;
  for (const Monomial &monomial : monomials)
    (repeated(monomial) ? first : second).push_back(monomial.str());
  first.append(second.begin(), second.end());
  return llvm::join(first, " + ");
}

bool Expression::operator==(const Expression &other) const {
  if (overflow != other.overflow || monomials.size() != other.monomials.size())
    return false;
  return llvm::all_of(monomials, [&](const Monomial &mine) {
    return llvm::any_of(other.monomials, [&](const Monomial &theirs) {
      return mine.coefficient() == theirs.coefficient() &&
             mine.sameFactors(theirs);
    });
  });
}
