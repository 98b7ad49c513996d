//===- IntegerRange.h - what integers of a scalar region may be -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bounds of the integers in the body of a map. Positions lie within their axes,
// whose sizes are known, and what is computed from them is bounded in turn.
// Whether an operation may wrap decides how many bits it needs on a device, and
// whether it may be taken for arithmetic on numbers.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_INTEGERRANGE_H
#define NAPKIN_DIALECT_NCD_IR_INTEGERRANGE_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <functional>
#include <optional>

namespace napkin::ncd {

/// A closed interval of integers.
struct IntegerRange {
  int64_t low, high;

  bool isNonNegative() const { return low >= 0; }
  /// Whether every value is one of a signed integer of \p width bits.
  bool fits(unsigned width) const;
};

/// An axis and which of its positions occur.
struct AxisPositions {
  llvm::StringRef axis;
  IntegerRange range;
};

/// What is known of the positions of two axes together: a minus b, where those
/// of b are divided by a number first, rounding down.
struct AxisDistance {
  llvm::StringRef a, b;
  IntegerRange range;
  int64_t divisor = 1;
};

/// Bounds of values, computed where asked for and kept.
///
/// Conditions on positions are decided where the bounds allow it. With x in
/// [0, 511], q in [0, 511] and x - q in [-511, 0], `x <= q` is true, and so is
/// `q + 3 > x`; without the distance neither is known.
class IntegerRanges {
public:
  /// \p positionsOf says which axis an index operation asks for and what it may
  /// give, or nullopt for any other operation; \p distances what is known
  /// beside that.
  explicit IntegerRanges(
      std::function<std::optional<AxisPositions>(mlir::Operation *)>
          positionsOf,
      llvm::ArrayRef<AxisDistance> distances = {})
      : positionsOf(std::move(positionsOf)),
        distances(distances.begin(), distances.end()) {}

  /// Bounds of \p value, an integer or index: those of its type where no more
  /// is known. An i1 is 0 or 1.
  IntegerRange rangeOf(mlir::Value value);

  /// Whether \p op gives what its operation gives on whole numbers: nothing
  /// wraps, and nothing negative is taken as unsigned.
  bool isExact(mlir::Operation *op);

private:
  /// The result of \p op on whole numbers; nullopt where it is unknown or not a
  /// number of 64 bits.
  std::optional<IntegerRange> resultOf(mlir::Operation *op);

  /// Positions along an axis, divided by a number.
  struct Place {
    llvm::StringRef axis;
    int64_t divisor = 1;
    bool operator==(const Place &other) const {
      return axis == other.axis && divisor == other.divisor;
    }
  };
  /// A sum of places, each times a number, and of a number.
  struct Linear {
    llvm::SmallVector<std::pair<Place, int64_t>, 2> terms;
    int64_t number = 0;
  };
  /// \p value as such a sum, or nullopt.
  std::optional<Linear> linearOf(mlir::Value value);
  /// \p a and \p factor times \p b; nullopt past 64 bits.
  static std::optional<Linear> combine(Linear a, const Linear &b,
                                       int64_t factor);
  /// Bounds of a sum that is the distance of two positions and a number.
  std::optional<IntegerRange> distanceOf(const Linear &sum) const;
  /// Bounds of \p left minus \p right; nullopt past 64 bits.
  std::optional<IntegerRange> differenceOf(mlir::Value left, mlir::Value right);
  /// Whether a comparison holds: 0, 1 or both.
  IntegerRange outcomeOf(mlir::arith::CmpIOp compare);

  std::function<std::optional<AxisPositions>(mlir::Operation *)> positionsOf;
  llvm::SmallVector<AxisDistance, 2> distances;
  llvm::DenseMap<mlir::Value, IntegerRange> known;
};

/// The axis that \p op, an `ncd.index` in a map, asks for, with all of its
/// positions; nullopt for any other operation. A position along an axis of
/// unknown size is one of 31 bits, as arrays in a device's memory are no
/// larger.
std::optional<AxisPositions> positionsInMap(mlir::Operation *op);

/// The ranges in the maps of a diagram.
IntegerRanges rangesOfMaps();

} // namespace napkin::ncd

#endif // NAPKIN_DIALECT_NCD_IR_INTEGERRANGE_H
