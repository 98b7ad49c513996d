//===- IntegerRange.cpp - what integers of a scalar region may be ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Dialect/NCD/IR/IntegerRange.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin::ncd;

using Result = std::optional<IntegerRange>;

static unsigned widthOf(Type type) {
  return type.isIndex() ? 64 : type.getIntOrFloatBitWidth();
}

/// Everything that a signed integer of \p width bits holds; 0 and 1 for a bit.
static IntegerRange everythingOf(unsigned width) {
  if (width == 1)
    return {0, 1};
  if (width > 64)
    width = 64;
  return {llvm::minIntN(width), llvm::maxIntN(width)};
}

bool IntegerRange::fits(unsigned width) const {
  IntegerRange all = everythingOf(width);
  return low >= all.low && high <= all.high;
}

static Result sum(IntegerRange a, IntegerRange b) {
  IntegerRange r;
  if (llvm::AddOverflow(a.low, b.low, r.low) ||
      llvm::AddOverflow(a.high, b.high, r.high))
    return std::nullopt;
  return r;
}

static Result negated(IntegerRange a) {
  IntegerRange r;
  if (llvm::SubOverflow<int64_t>(0, a.high, r.low) ||
      llvm::SubOverflow<int64_t>(0, a.low, r.high))
    return std::nullopt;
  return r;
}

static Result product(IntegerRange a, IntegerRange b) {
  int64_t corners[4];
  if (llvm::MulOverflow(a.low, b.low, corners[0]) ||
      llvm::MulOverflow(a.low, b.high, corners[1]) ||
      llvm::MulOverflow(a.high, b.low, corners[2]) ||
      llvm::MulOverflow(a.high, b.high, corners[3]))
    return std::nullopt;
  auto [low, high] = std::minmax_element(corners, corners + 4);
  return IntegerRange{*low, *high};
}

static IntegerRange hull(IntegerRange a, IntegerRange b) {
  return {std::min(a.low, b.low), std::max(a.high, b.high)};
}

/// Quotients by a positive divisor, of any rounding.
static Result quotient(IntegerRange a, IntegerRange b) {
  if (b.low <= 0)
    return std::nullopt;
  return IntegerRange{a.low < 0 ? a.low / b.low - 1 : 0,
                      a.high > 0 ? (a.high - 1) / b.low + 1 : 0};
}

/// Remainders by a positive divisor, with the dividend's sign.
static Result remainder(IntegerRange a, IntegerRange b) {
  if (b.low <= 0)
    return std::nullopt;
  return IntegerRange{a.low < 0 ? std::max(a.low, 1 - b.high) : 0,
                      a.high > 0 ? std::min(a.high, b.high - 1) : 0};
}

/// Whether \p op takes its operands as unsigned numbers.
static bool isUnsigned(Operation *op) {
  if (auto compare = dyn_cast<arith::CmpIOp>(op)) {
    using P = arith::CmpIPredicate;
    P predicate = compare.getPredicate();
    return predicate == P::ult || predicate == P::ule || predicate == P::ugt ||
           predicate == P::uge;
  }
  return isa<arith::DivUIOp, arith::CeilDivUIOp, arith::RemUIOp, arith::MaxUIOp,
             arith::MinUIOp, arith::ShRUIOp, arith::ExtUIOp,
             arith::IndexCastUIOp, arith::UIToFPOp>(op);
}

Result IntegerRanges::resultOf(Operation *op) {
  auto operand = [&](unsigned i) { return rangeOf(op->getOperand(i)); };
  if (isUnsigned(op))
    for (Value value : op->getOperands())
      if (!rangeOf(value).isNonNegative())
        return std::nullopt;
  return llvm::TypeSwitch<Operation *, Result>(op)
      .Case([](arith::ConstantOp constant) -> Result {
        auto value = dyn_cast<IntegerAttr>(constant.getValue());
        if (!value || value.getValue().getBitWidth() > 64)
          return std::nullopt;
        int64_t number = value.getType().isInteger(1)
                             ? !value.getValue().isZero()
                             : value.getValue().getSExtValue();
        return IntegerRange{number, number};
      })
      .Case([&](arith::AddIOp) { return sum(operand(0), operand(1)); })
      .Case([&](arith::SubIOp) -> Result {
        Result other = negated(operand(1));
        return other ? sum(operand(0), *other) : std::nullopt;
      })
      .Case([&](arith::MulIOp) { return product(operand(0), operand(1)); })
      .Case([&](math::AbsIOp) -> Result {
        IntegerRange a = operand(0);
        Result other = negated(a);
        if (!other)
          return std::nullopt;
        IntegerRange both = hull(a, *other);
        return IntegerRange{a.low > 0    ? a.low
                            : a.high < 0 ? -a.high
                                         : 0,
                            both.high};
      })
      .Case<arith::MaxSIOp, arith::MaxUIOp>([&](Operation *) -> Result {
        IntegerRange a = operand(0), b = operand(1);
        return IntegerRange{std::max(a.low, b.low), std::max(a.high, b.high)};
      })
      .Case<arith::MinSIOp, arith::MinUIOp>([&](Operation *) -> Result {
        IntegerRange a = operand(0), b = operand(1);
        return IntegerRange{std::min(a.low, b.low), std::min(a.high, b.high)};
      })
      .Case<arith::DivSIOp, arith::DivUIOp, arith::FloorDivSIOp,
            arith::CeilDivSIOp, arith::CeilDivUIOp>(
          [&](Operation *) { return quotient(operand(0), operand(1)); })
      .Case<arith::RemSIOp, arith::RemUIOp>(
          [&](Operation *) { return remainder(operand(0), operand(1)); })
      .Case([&](arith::CmpIOp compare) -> Result { return outcomeOf(compare); })
      .Case([&](arith::OrIOp) -> Result {
        IntegerRange a = operand(0), b = operand(1);
        if (!op->getResult(0).getType().isInteger(1))
          return std::nullopt;
        return IntegerRange{std::max(a.low, b.low), std::max(a.high, b.high)};
      })
      .Case([&](arith::XOrIOp) -> Result {
        IntegerRange a = operand(0), b = operand(1);
        if (!op->getResult(0).getType().isInteger(1) || a.low != a.high ||
            b.low != b.high)
          return std::nullopt;
        return IntegerRange{a.low ^ b.low, a.low ^ b.low};
      })
      .Case([&](arith::AndIOp) -> Result {
        IntegerRange a = operand(0), b = operand(1);
        if (op->getResult(0).getType().isInteger(1))
          return IntegerRange{a.low & b.low, a.high & b.high};
        if (a.isNonNegative() && b.isNonNegative())
          return IntegerRange{0, std::min(a.high, b.high)};
        return std::nullopt;
      })
      .Case<arith::ShRSIOp, arith::ShRUIOp>([&](Operation *) -> Result {
        IntegerRange a = operand(0);
        return IntegerRange{std::min<int64_t>(a.low, 0),
                            std::max<int64_t>(a.high, 0)};
      })
      .Case([&](arith::SelectOp) -> Result {
        IntegerRange condition = operand(0);
        if (condition.low == condition.high)
          return operand(condition.low ? 1 : 2);
        return hull(operand(1), operand(2));
      })
      .Case<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtUIOp,
            arith::TruncIOp>([&](Operation *) -> Result { return operand(0); })
      .Case([&](arith::ExtSIOp extend) -> Result {
        // A bit that is set extends to -1.
        if (extend.getIn().getType().isInteger(1))
          return IntegerRange{-1, 0};
        return operand(0);
      })
      .Default([&](Operation *other) -> Result {
        if (std::optional<AxisPositions> positions = positionsOf(other))
          return positions->range;
        return std::nullopt;
      });
}

IntegerRange IntegerRanges::rangeOf(Value value) {
  if (auto found = known.find(value); found != known.end())
    return found->second;
  unsigned width = widthOf(value.getType());
  IntegerRange range = everythingOf(width);
  if (Operation *op = value.getDefiningOp())
    if (Result exact = resultOf(op); exact && exact->fits(width))
      range = *exact;
  if (!distances.empty())
    if (std::optional<Linear> sum = linearOf(value))
      if (Result closer = distanceOf(*sum)) {
        range.low = std::max(range.low, closer->low);
        range.high = std::min(range.high, closer->high);
      }
  known[value] = range;
  return range;
}

std::optional<IntegerRanges::Linear> IntegerRanges::linearOf(Value value) {
  Operation *op = value.getDefiningOp();
  if (!op || value.getType().isInteger(1))
    return std::nullopt;
  if (std::optional<AxisPositions> positions = positionsOf(op))
    return Linear{{{Place{positions->axis}, 1}}, 0};
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    Result number = resultOf(constant);
    return number ? std::optional<Linear>(Linear{{}, number->low})
                  : std::nullopt;
  }
  if (isa<arith::IndexCastOp, arith::IndexCastUIOp, arith::ExtSIOp,
          arith::ExtUIOp, arith::TruncIOp>(op))
    return isExact(op) ? linearOf(op->getOperand(0)) : std::nullopt;
  // A position is not negative, so both divisions round down.
  if (isa<arith::DivUIOp, arith::DivSIOp>(op)) {
    std::optional<Linear> a = linearOf(op->getOperand(0));
    IntegerRange by = rangeOf(op->getOperand(1));
    bool isPlace = a && a->number == 0 && a->terms.size() == 1 &&
                   a->terms[0].second == 1 && a->terms[0].first.divisor == 1;
    if (!isPlace || by.low != by.high || by.low <= 0)
      return std::nullopt;
    a->terms[0].first.divisor = by.low;
    return a;
  }
  if (!isa<arith::AddIOp, arith::SubIOp, arith::MulIOp>(op) || !isExact(op))
    return std::nullopt;
  std::optional<Linear> a = linearOf(op->getOperand(0)),
                        b = linearOf(op->getOperand(1));
  if (!a || !b)
    return std::nullopt;
  if (isa<arith::MulIOp>(op)) {
    if (!b->terms.empty())
      std::swap(a, b);
    if (!b->terms.empty())
      return std::nullopt;
    return combine(Linear(), *a, b->number);
  }
  return combine(*a, *b, isa<arith::SubIOp>(op) ? -1 : 1);
}

std::optional<IntegerRanges::Linear>
IntegerRanges::combine(Linear a, const Linear &b, int64_t factor) {
  int64_t more;
  if (llvm::MulOverflow(b.number, factor, more) ||
      llvm::AddOverflow(a.number, more, a.number))
    return std::nullopt;
  for (auto [axis, times] : b.terms) {
    auto *term = llvm::find_if(a.terms, [axis = axis](const auto &other) {
      return other.first == axis;
    });
    if (term == a.terms.end())
      term = a.terms.insert(a.terms.end(), {axis, 0});
    if (llvm::MulOverflow(times, factor, more) ||
        llvm::AddOverflow(term->second, more, term->second))
      return std::nullopt;
  }
  llvm::erase_if(a.terms, [](const auto &term) { return term.second == 0; });
  return a;
}

Result IntegerRanges::distanceOf(const Linear &sum) const {
  if (sum.terms.empty())
    return IntegerRange{sum.number, sum.number};
  if (sum.terms.size() != 2 || sum.terms[0].second + sum.terms[1].second != 0 ||
      std::abs(sum.terms[0].second) != 1)
    return std::nullopt;
  bool swapped = sum.terms[0].second < 0;
  const Place &a = sum.terms[swapped].first, &b = sum.terms[!swapped].first;
  for (const AxisDistance &distance : distances) {
    Result range;
    Place from{distance.a}, to{distance.b, distance.divisor};
    if (from == a && to == b)
      range = distance.range;
    else if (from == b && to == a)
      range = negated(distance.range);
    if (range)
      return ::sum(*range, IntegerRange{sum.number, sum.number});
  }
  return std::nullopt;
}

Result IntegerRanges::differenceOf(Value left, Value right) {
  // Of the smaller of two numbers, it is the smaller of two differences.
  for (bool onLeft : {true, false}) {
    Operation *op = (onLeft ? left : right).getDefiningOp();
    if (!op || !isa<arith::MinSIOp, arith::MaxSIOp>(op))
      continue;
    Result a = onLeft ? differenceOf(op->getOperand(0), right)
                      : differenceOf(left, op->getOperand(0));
    Result b = onLeft ? differenceOf(op->getOperand(1), right)
                      : differenceOf(left, op->getOperand(1));
    if (!a || !b)
      return std::nullopt;
    if (isa<arith::MinSIOp>(op) == onLeft)
      return IntegerRange{std::min(a->low, b->low), std::min(a->high, b->high)};
    return IntegerRange{std::max(a->low, b->low), std::max(a->high, b->high)};
  }
  Result other = negated(rangeOf(right));
  Result plain = other ? sum(rangeOf(left), *other) : std::nullopt;
  std::optional<Linear> a = linearOf(left), b = linearOf(right);
  std::optional<Linear> apart = a && b ? combine(*a, *b, -1) : std::nullopt;
  Result close = apart ? distanceOf(*apart) : std::nullopt;
  if (!plain || !close)
    return plain ? plain : close;
  return IntegerRange{std::max(plain->low, close->low),
                      std::min(plain->high, close->high)};
}

IntegerRange IntegerRanges::outcomeOf(arith::CmpIOp compare) {
  using P = arith::CmpIPredicate;
  P predicate = compare.getPredicate();
  // A bit that is set is -1 for signed predicates, and 1 here.
  bool isBit = compare.getLhs().getType().isInteger(1);
  Result apart = isBit && predicate != P::eq && predicate != P::ne
                     ? std::nullopt
                     : differenceOf(compare.getLhs(), compare.getRhs());
  if (!apart)
    return {0, 1};
  // Which of the three ways in which two numbers compare may happen.
  bool less = apart->low < 0, more = apart->high > 0,
       equal = apart->low <= 0 && apart->high >= 0;
  bool onLess = false, onEqual = false, onMore = false;
  switch (predicate) {
  case P::eq:
    onEqual = true;
    break;
  case P::ne:
    onLess = onMore = true;
    break;
  case P::slt:
  case P::ult:
    onLess = true;
    break;
  case P::sle:
  case P::ule:
    onLess = onEqual = true;
    break;
  case P::sgt:
  case P::ugt:
    onMore = true;
    break;
  case P::sge:
  case P::uge:
    onMore = onEqual = true;
    break;
  }
  bool mayHold = (less && onLess) || (equal && onEqual) || (more && onMore);
  bool mayFail = (less && !onLess) || (equal && !onEqual) || (more && !onMore);
  return {mayFail ? 0 : 1, mayHold ? 1 : 0};
}

bool IntegerRanges::isExact(Operation *op) {
  Type type = op->getResult(0).getType();
  if (!type.isIntOrIndex() || type.isInteger(1) || isa<arith::SIToFPOp>(op)) {
    // Comparisons and conversions to floats: their operands may be unsigned.
    return !isUnsigned(op) || llvm::all_of(op->getOperands(), [&](Value value) {
      return rangeOf(value).isNonNegative();
    });
  }
  Result exact = resultOf(op);
  return exact && exact->fits(widthOf(type));
}

std::optional<AxisPositions> napkin::ncd::positionsInMap(Operation *op) {
  auto index = dyn_cast<IndexOp>(op);
  if (!index)
    return std::nullopt;
  constexpr int64_t mostPositions = int64_t(1) << 31;
  auto map = index->getParentOfType<MapOp>();
  std::optional<unsigned> axis = map.getArrayType().axisIndex(index.getAxis());
  int64_t size = axis ? map.getArrayType().getSizes()[*axis] : mostPositions;
  if (ShapedType::isDynamic(size))
    size = mostPositions;
  return AxisPositions{index.getAxis(), {0, std::max<int64_t>(size - 1, 0)}};
}

IntegerRanges napkin::ncd::rangesOfMaps() {
  return IntegerRanges(positionsInMap);
}
