//===- Views.h - one array seen along other axes ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic of views: a view of an array in memory is a first element and a
// stride for each axis, in elements. Splitting, renaming and slicing an axis
// keep that form; joining does where the joined axes lie without gaps.
//
// # An instance
//
//     %c : x=4096, c=576       the cache lies densely: strides 576 and 1
//     the keys   x, c=576      from 0 by [576, 1]
//     the values x, v=512      from 0 by [576, 1]
//
// Both have x by 576. Of the axes that differ, c and v, both lie by 1, and
// positions 0 to 511 of v are positions 0 to 511 of c: who has a tile of keys
// with all of c has the values of the same x in it.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_DIALECT_NCD_IR_VIEWS_H
#define NAPKIN_DIALECT_NCD_IR_VIEWS_H

#include "napkin/Dialect/NCD/IR/NCDAttrs.h"
#include "napkin/Dialect/NCD/IR/NCDTypes.h"

namespace napkin::ncd {

/// Where the elements of an array lie, in elements from the beginning of
/// another one.
struct Placement {
  int64_t from = 0;
  llvm::SmallVector<int64_t> by; ///< one for each axis

  bool operator==(const Placement &other) const {
    return from == other.from && by == other.by;
  }
};

/// How much of \p array, placed so, lies before the first element and behind
/// element \p span of what it is placed in: the axis along which it does first,
/// or nullopt if none does. Requires: static sizes, a stride for each axis.
std::optional<llvm::StringRef>
axisOutside(ArrayType array, const Placement &placement, int64_t span);

/// One axis of an array, some positions of which are an axis of another one.
struct AxisPart {
  mlir::StringAttr whole; ///< null: the arrays are one
  mlir::StringAttr part;
  int64_t first = 0; ///< position of `whole` that is position 0 of `part`
};

/// Where in \p whole the elements of \p part lie, two views of one array: both
/// have the same axes, but for one, and lie alike along them. Nullopt where
/// that is not so.
std::optional<AxisPart> partWithin(ArrayType part, const Placement &partPlaced,
                                   ArrayType whole,
                                   const Placement &wholePlaced);

} // namespace napkin::ncd

#endif // NAPKIN_DIALECT_NCD_IR_VIEWS_H
