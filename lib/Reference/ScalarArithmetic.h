//===- ScalarArithmetic.h - arithmetic of scalar operations -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What arith's operations on integers and comparisons mean, on int64_t and
// double. An integer of less than 64 bits is held sign extended, an i1 as 0 or
// 1.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_REFERENCE_SCALARARITHMETIC_H
#define NAPKIN_LIB_REFERENCE_SCALARARITHMETIC_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>
#include <limits>

namespace napkin::reference {

/// Width in bits of an integer or `index`.
inline unsigned widthOf(mlir::Type type) {
  return mlir::isa<mlir::IndexType>(type) ? 64 : type.getIntOrFloatBitWidth();
}

/// \p value wrapped to \p width bits: sign extended, but 0 or 1 for one bit.
inline int64_t wrap(int64_t value, unsigned width) {
  if (width == 1)
    return value & 1;
  return width == 64 ? value : llvm::SignExtend64(value, width);
}

/// The bits of \p value as an unsigned number.
inline uint64_t bitsOf(int64_t value, unsigned width) {
  return width == 64
             ? static_cast<uint64_t>(value)
             : static_cast<uint64_t>(value) & ((uint64_t(1) << width) - 1);
}

/// \p value as a signed number: an i1 that is true is -1.
inline int64_t signedOf(int64_t value, unsigned width) {
  return width == 1 ? -value : value;
}

/// arith.maximumf: NaN if an operand is, and -0 < +0.
inline double maximum(double a, double b) {
  if (std::isnan(a) || std::isnan(b))
    return std::numeric_limits<double>::quiet_NaN();
  return a > b || (a == b && !std::signbit(a)) ? a : b;
}

/// arith.minimumf: NaN if an operand is, and -0 < +0.
inline double minimum(double a, double b) { return -maximum(-a, -b); }

/// The sum where -inf stands for what a mask hides, whatever is added to it.
inline double addHidden(double a, double b) {
  constexpr double hidden = -std::numeric_limits<double>::infinity();
  return a == hidden || b == hidden ? hidden : a + b;
}

/// The product where 0 stands for what a mask hides, whatever it multiplies.
inline double multiplyHidden(double a, double b) {
  return a == 0 || b == 0 ? 0 : a * b;
}

inline bool compareFloats(mlir::arith::CmpFPredicate predicate, double a,
                          double b) {
  bool unordered = std::isnan(a) || std::isnan(b);
  using P = mlir::arith::CmpFPredicate;
  switch (predicate) {
  case P::AlwaysFalse:
    return false;
  case P::OEQ:
    return a == b;
  case P::OGT:
    return a > b;
  case P::OGE:
    return a >= b;
  case P::OLT:
    return a < b;
  case P::OLE:
    return a <= b;
  case P::ONE:
    return a < b || a > b;
  case P::ORD:
    return !unordered;
  case P::UEQ:
    return unordered || a == b;
  case P::UGT:
    return unordered || a > b;
  case P::UGE:
    return unordered || a >= b;
  case P::ULT:
    return unordered || a < b;
  case P::ULE:
    return unordered || a <= b;
  case P::UNE:
    return unordered || a != b;
  case P::UNO:
    return unordered;
  case P::AlwaysTrue:
    return true;
  }
  llvm_unreachable("unknown predicate");
}

inline bool compareIntegers(mlir::arith::CmpIPredicate predicate, int64_t a,
                            int64_t b, unsigned width) {
  int64_t sa = signedOf(a, width), sb = signedOf(b, width);
  uint64_t ua = bitsOf(a, width), ub = bitsOf(b, width);
  using P = mlir::arith::CmpIPredicate;
  switch (predicate) {
  case P::eq:
    return a == b;
  case P::ne:
    return a != b;
  case P::slt:
    return sa < sb;
  case P::sle:
    return sa <= sb;
  case P::sgt:
    return sa > sb;
  case P::sge:
    return sa >= sb;
  case P::ult:
    return ua < ub;
  case P::ule:
    return ua <= ub;
  case P::ugt:
    return ua > ub;
  case P::uge:
    return ua >= ub;
  }
  llvm_unreachable("unknown predicate");
}

/// \p value towards zero, clamped to what int64_t holds; NaN gives 0.
inline int64_t toInteger(double value) {
  if (std::isnan(value))
    return 0;
  if (value >= 0x1p63)
    return std::numeric_limits<int64_t>::max();
  if (value <= -0x1p63)
    return std::numeric_limits<int64_t>::min();
  return static_cast<int64_t>(value);
}

} // namespace napkin::reference

#endif // NAPKIN_LIB_REFERENCE_SCALARARITHMETIC_H
