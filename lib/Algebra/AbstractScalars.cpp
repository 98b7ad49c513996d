//===- AbstractScalars.cpp - scalar operations on classes -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each binary operation is a table over pairs of classes, and what it does with
// a neutral element. Signs of zeros are not told apart, and sums and products
// of finite numbers count as finite: what overflows at a hidden position may
// show or not, like an infinity that lies there.
//
//===----------------------------------------------------------------------===//

#include "AbstractScalars.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::algebra;

using A = Abstract;

/// The union of \p table over all pairs of classes of \p a and \p b.
template <typename Table>
static uint8_t overPairs(uint8_t a, uint8_t b, Table table) {
  uint8_t result = 0;
  for (uint8_t x = 1; x <= A::PlusInf; x <<= 1)
    for (uint8_t y = 1; y <= A::PlusInf; y <<= 1)
      if ((a & x) && (b & y))
        result |= table(x, y);
  return result;
}

static uint8_t addClasses(uint8_t a, uint8_t b) {
  if (a == A::NaN || b == A::NaN)
    return A::NaN;
  if (a == A::Zero)
    return b;
  if (b == A::Zero)
    return a;
  bool infinite = (a | b) & (A::MinusInf | A::PlusInf);
  if (infinite)
    return (a | b) == (A::MinusInf | A::PlusInf)
               ? uint8_t(A::NaN)
               : uint8_t((a | b) & (A::MinusInf | A::PlusInf));
  return a == b ? a : uint8_t(A::Finite);
}

static uint8_t multiplyClasses(uint8_t a, uint8_t b) {
  constexpr uint8_t infinities = A::MinusInf | A::PlusInf;
  if (a == A::NaN || b == A::NaN)
    return A::NaN;
  if (a == A::Zero || b == A::Zero)
    return (a | b) & infinities ? A::NaN : A::Zero;
  constexpr uint8_t minus = A::MinusInf | A::Negative;
  bool negative = bool(a & minus) != bool(b & minus);
  if ((a | b) & infinities)
    return negative ? A::MinusInf : A::PlusInf;
  return negative ? A::Negative | A::Zero : A::Positive | A::Zero;
}

static uint8_t negateClasses(uint8_t a) {
  uint8_t result = a & (A::NaN | A::Zero);
  if (a & A::MinusInf)
    result |= A::PlusInf;
  if (a & A::PlusInf)
    result |= A::MinusInf;
  if (a & A::Negative)
    result |= A::Positive;
  if (a & A::Positive)
    result |= A::Negative;
  return result;
}

Abstract napkin::algebra::addAbstract(const Abstract &a, const Abstract &b) {
  if (a.classes == A::Zero)
    return b;
  if (b.classes == A::Zero)
    return a;
  return A::ofClasses(overPairs(a.classes, b.classes, addClasses));
}

static Abstract subtract(const Abstract &a, const Abstract &b) {
  if (b.classes == A::Zero)
    return a;
  if (a.member >= 0 && a.member == b.member && a.within(A::Finite))
    return A::ofClasses(A::Zero);
  if (a.member >= 0 && a.member == b.member && !(a.classes & A::Finite))
    return A::ofClasses(A::NaN);
  return A::ofClasses(
      overPairs(a.classes, negateClasses(b.classes), addClasses));
}

Abstract napkin::algebra::multiplyAbstract(const Abstract &a,
                                           const Abstract &b) {
  if (a.isOne)
    return b;
  if (b.isOne)
    return a;
  return A::ofClasses(overPairs(a.classes, b.classes, multiplyClasses));
}

static Abstract divide(const Abstract &a, const Abstract &b) {
  if (b.isOne)
    return a;
  if (a.classes == A::Zero &&
      b.within(A::Negative | A::Positive | A::MinusInf | A::PlusInf))
    return A::ofClasses(A::Zero);
  return {};
}

static Abstract one() {
  Abstract value = A::ofClasses(A::Positive);
  value.isOne = true;
  return value;
}

static Abstract exponential(const Abstract &a) {
  if (a.classes == A::Zero)
    return one();
  uint8_t result = a.classes & A::NaN;
  if (a.classes & A::MinusInf)
    result |= A::Zero;
  if (a.classes & A::Negative)
    result |= A::Zero | A::Positive;
  if (a.classes & (A::Zero | A::Positive))
    result |= A::Positive;
  if (a.classes & A::Positive)
    result |= A::PlusInf;
  if (a.classes & A::PlusInf)
    result |= A::PlusInf;
  return A::ofClasses(result);
}

/// Order of classes; NaN has none.
static int rank(uint8_t one) { return llvm::Log2_32(one); }

/// The larger of two, or with \p least the smaller; NaN stays.
static Abstract extremum(const Abstract &a, const Abstract &b, bool least) {
  uint8_t neutral = least ? A::PlusInf : A::MinusInf;
  if (b.classes == neutral || (a.member >= 0 && a.member == b.member))
    return a;
  if (a.classes == neutral)
    return b;
  return A::ofClasses(
      overPairs(a.classes, b.classes, [&](uint8_t x, uint8_t y) -> uint8_t {
        if (x == A::NaN || y == A::NaN)
          return A::NaN;
        return (rank(x) < rank(y)) == least ? x : y;
      }));
}

/// The same where a NaN is passed over.
static Abstract extremumOfNumbers(const Abstract &a, const Abstract &b,
                                  bool least) {
  if (!((a.classes | b.classes) & A::NaN))
    return extremum(a, b, least);
  uint8_t all = a.classes | b.classes;
  return A::ofClasses(all);
}

Abstract napkin::algebra::joinAbstract(const Abstract &a, const Abstract &b) {
  Abstract result = A::ofClasses(a.classes | b.classes);
  result.isOne = a.isOne && b.isOne;
  result.member = a.member == b.member ? a.member : -1;
  result.range = {std::min(a.range.low, b.range.low),
                  std::max(a.range.high, b.range.high)};
  return result;
}

static Abstract truth(bool mayFail, bool mayHold) {
  Abstract result;
  result.range = {mayFail ? 0 : 1, mayHold ? 1 : 0};
  return result;
}

static Abstract compare(arith::CmpFPredicate predicate, const Abstract &a,
                        const Abstract &b) {
  bool mayHold = false, mayFail = false;
  // Bits of the predicate: equal, greater, less, unordered.
  auto note = [&](unsigned outcome) {
    (unsigned(predicate) & outcome ? mayHold : mayFail) = true;
  };
  constexpr unsigned equal = 1, greater = 2, less = 4, unordered = 8;
  bool same = a.member >= 0 && a.member == b.member;
  overPairs(a.classes, b.classes, [&](uint8_t x, uint8_t y) -> uint8_t {
    if (same && x != y)
      return 0;
    if (x == A::NaN || y == A::NaN)
      note(unordered);
    else if (x != y)
      note(rank(x) < rank(y) ? less : greater);
    else {
      note(equal);
      if (!same && (x == A::Negative || x == A::Positive)) {
        note(less);
        note(greater);
      }
    }
    return 0;
  });
  return truth(mayFail, mayHold);
}

/// A float made of an integer.
static Abstract converted(const Abstract &from) {
  if (from.range.low == 1 && from.range.high == 1)
    return one();
  uint8_t classes = 0;
  if (from.range.low < 0)
    classes |= A::Negative;
  if (from.range.low <= 0 && from.range.high >= 0)
    classes |= A::Zero;
  if (from.range.high > 0)
    classes |= A::Positive;
  return A::ofClasses(classes);
}

/// What remains of \p a when it is rounded to a narrower type.
static Abstract rounded(const Abstract &a) {
  if (a.isOne)
    return one();
  uint8_t result = a.classes;
  if (a.classes & (A::Negative | A::Positive))
    result |= A::Zero;
  return A::ofClasses(result);
}

static Abstract constantOf(Attribute value) {
  if (auto number = dyn_cast<IntegerAttr>(value)) {
    Abstract result;
    if (number.getValue().getBitWidth() <= 64) {
      int64_t known = number.getType().isInteger(1)
                          ? int64_t(!number.getValue().isZero())
                          : number.getValue().getSExtValue();
      result.range = {known, known};
    }
    return result;
  }
  auto number = dyn_cast<FloatAttr>(value);
  if (!number)
    return {};
  const APFloat &known = number.getValue();
  if (known.isNaN())
    return A::ofClasses(A::NaN);
  if (known.isInfinity())
    return A::ofClasses(known.isNegative() ? A::MinusInf : A::PlusInf);
  if (known.isZero())
    return A::ofClasses(A::Zero);
  if (known.isExactlyValue(1.0))
    return one();
  return A::ofClasses(known.isNegative() ? A::Negative : A::Positive);
}

/// The least and the greatest signed number of the type of \p op.
static int64_t leastOf(Operation *op) {
  Type type = op->getResult(0).getType();
  return type.isIndex() ? INT64_MIN
                        : llvm::minIntN(type.getIntOrFloatBitWidth());
}
static int64_t mostOf(Operation *op) { return -1 - leastOf(op); }

/// Integers, as far as a state or a truth value needs them.
static Abstract integerAbstract(Operation *op, ArrayRef<Abstract> x) {
  auto isNumber = [&](unsigned i, int64_t number) {
    return x[i].range.low == number && x[i].range.high == number;
  };
  auto neutral = [&](int64_t number) -> Abstract {
    if (isNumber(0, number))
      return x[1];
    if (isNumber(1, number))
      return x[0];
    return {};
  };
  auto within = [](int64_t low, int64_t high) {
    Abstract result;
    result.range = {low, high};
    return result;
  };
  bool isBit = op->getResult(0).getType().isInteger(1);
  int64_t allOnes = isBit ? 1 : -1;
  return llvm::TypeSwitch<Operation *, Abstract>(op)
      .Case<arith::AddIOp>([&](auto) { return neutral(0); })
      .Case<arith::SubIOp>(
          [&](auto) -> Abstract { return isNumber(1, 0) ? x[0] : Abstract(); })
      .Case<arith::MulIOp>([&](auto) -> Abstract {
        return isNumber(0, 0) || isNumber(1, 0) ? within(0, 0) : neutral(1);
      })
      .Case<arith::AndIOp>([&](auto) -> Abstract {
        return isNumber(0, 0) || isNumber(1, 0) ? within(0, 0)
                                                : neutral(allOnes);
      })
      .Case<arith::OrIOp>([&](auto) -> Abstract {
        return isNumber(0, allOnes) || isNumber(1, allOnes)
                   ? within(allOnes, allOnes)
                   : neutral(0);
      })
      .Case<arith::XOrIOp>([&](auto) -> Abstract {
        if (isBit && x[0].range.low == x[0].range.high &&
            x[1].range.low == x[1].range.high) {
          int64_t value = x[0].range.low ^ x[1].range.low;
          return within(value, value);
        }
        return neutral(0);
      })
      .Case<arith::MaxSIOp>([&](auto) { return neutral(leastOf(op)); })
      .Case<arith::MinSIOp>([&](auto) { return neutral(mostOf(op)); })
      .Case<arith::ExtUIOp>([&](auto) -> Abstract {
        bool fromBit = op->getOperand(0).getType().isInteger(1);
        return fromBit ? within(std::max<int64_t>(x[0].range.low, 0),
                                std::min<int64_t>(x[0].range.high, 1))
                       : Abstract();
      })
      .Default([](Operation *) { return Abstract(); });
}

Abstract napkin::algebra::scalarAbstract(Operation *op, ArrayRef<Abstract> x) {
  if (op->getNumResults() != 1)
    return {};
  return llvm::TypeSwitch<Operation *, Abstract>(op)
      .Case([](arith::ConstantOp c) { return constantOf(c.getValue()); })
      .Case<arith::AddFOp>([&](auto) { return addAbstract(x[0], x[1]); })
      .Case<arith::SubFOp>([&](auto) { return subtract(x[0], x[1]); })
      .Case<arith::MulFOp>([&](auto) { return multiplyAbstract(x[0], x[1]); })
      .Case<arith::DivFOp>([&](auto) { return divide(x[0], x[1]); })
      .Case<math::FmaOp>(
          [&](auto) { return addAbstract(multiplyAbstract(x[0], x[1]), x[2]); })
      .Case<arith::NegFOp>(
          [&](auto) { return A::ofClasses(negateClasses(x[0].classes)); })
      .Case<math::AbsFOp>([&](auto) -> Abstract {
        uint8_t folded = x[0].classes | negateClasses(x[0].classes);
        return A::ofClasses(folded & ~(A::Negative | A::MinusInf));
      })
      .Case<math::ExpOp, math::Exp2Op>([&](auto) { return exponential(x[0]); })
      .Case<arith::MaximumFOp>(
          [&](auto) { return extremum(x[0], x[1], false); })
      .Case<arith::MinimumFOp>([&](auto) { return extremum(x[0], x[1], true); })
      .Case<arith::MaxNumFOp>(
          [&](auto) { return extremumOfNumbers(x[0], x[1], false); })
      .Case<arith::MinNumFOp>(
          [&](auto) { return extremumOfNumbers(x[0], x[1], true); })
      .Case<math::SqrtOp, math::TanhOp, math::ErfOp, math::SinOp, math::AtanOp,
            math::ExpM1Op, math::Log1pOp>([&](auto) -> Abstract {
        return x[0].classes == A::Zero ? x[0] : Abstract();
      })
      .Case([&](arith::CmpFOp c) {
        return compare(c.getPredicate(), x[0], x[1]);
      })
      .Case<arith::SelectOp>([&](auto) -> Abstract {
        if (x[0].range.low == x[0].range.high)
          return x[0].range.low ? x[1] : x[2];
        return joinAbstract(x[1], x[2]);
      })
      .Case<arith::ExtFOp>([&](auto) -> Abstract {
        Abstract wider = x[0];
        wider.member = -1;
        return wider;
      })
      .Case<arith::TruncFOp>([&](auto) { return rounded(x[0]); })
      .Case([&](arith::SIToFPOp cast) -> Abstract {
        // A bit that is set is -1 here.
        if (cast.getIn().getType().isInteger(1))
          return A::ofClasses(x[0].range.high <= 0
                                  ? uint8_t(A::Zero)
                                  : uint8_t(A::Zero | A::Negative));
        return converted(x[0]);
      })
      .Case([&](arith::UIToFPOp) {
        return x[0].range.low < 0 ? A::ofClasses(A::Zero | A::Positive)
                                  : converted(x[0]);
      })
      .Default([&](Operation *other) { return integerAbstract(other, x); });
}

Abstract napkin::algebra::sumAbstract(const Abstract &value) {
  // What two of them give, until no more is added.
  uint8_t classes = value.classes;
  for (uint8_t before = 0; before != classes;) {
    before = classes;
    classes |= overPairs(classes, classes, addClasses);
  }
  return A::ofClasses(classes);
}

Abstract napkin::algebra::foldAbstract(ncd::ReduceOp op,
                                       const Abstract &value) {
  std::optional<ncd::Monoid> monoid = op.getMonoid();
  Abstract plain = value;
  plain.member = -1;
  if (!monoid)
    return {};
  auto isNumber = [&](int64_t number) {
    return value.range.low == number && value.range.high == number;
  };
  bool isFloat = isa<FloatType>(op.getAccumulatorType());
  switch (*monoid) {
  case ncd::Monoid::Sum:
    if (!isFloat)
      return isNumber(0) ? plain : Abstract();
    return sumAbstract(value);
  case ncd::Monoid::Prod:
    return (isFloat ? value.isOne : isNumber(1)) ? plain : Abstract();
  case ncd::Monoid::Max:
  case ncd::Monoid::Min:
    return plain;
  case ncd::Monoid::And:
  case ncd::Monoid::Or:
    return value.range.low == value.range.high ? plain : Abstract();
  }
  return {};
}
