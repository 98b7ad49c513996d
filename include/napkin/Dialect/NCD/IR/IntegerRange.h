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

#include "mlir/IR/Operation.h"
#include "llvm/ADT/DenseMap.h"
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

/// Bounds of values, computed where asked for and kept.
class IntegerRanges {
public:
  /// \p sizeOf gives the number of positions of the axis that an index
  /// operation asks for, or nullopt for any other operation.
  explicit IntegerRanges(
      std::function<std::optional<int64_t>(mlir::Operation *)> sizeOf)
      : sizeOf(std::move(sizeOf)) {}

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

  std::function<std::optional<int64_t>(mlir::Operation *)> sizeOf;
  llvm::DenseMap<mlir::Value, IntegerRange> known;
};

/// The ranges in the maps of a diagram. A position along an axis of unknown
/// size is one of 31 bits, as arrays in a device's memory are no larger.
IntegerRanges rangesOfMaps();

} // namespace napkin::ncd

#endif // NAPKIN_DIALECT_NCD_IR_INTEGERRANGE_H
