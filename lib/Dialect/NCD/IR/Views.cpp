//===- Views.cpp - one array seen along other axes ------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arithmetic of first elements and strides.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/Views.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace napkin::ncd;

std::optional<StringRef> napkin::ncd::axisOutside(ArrayType array,
                                                  const Placement &placement,
                                                  int64_t span) {
  // Sums of products of 64 bits have room in 128.
  __int128 least = placement.from, most = placement.from;
  for (auto [axis, size, stride] :
       llvm::zip_equal(array.getAxes(), array.getSizes(), placement.by)) {
    __int128 reach = __int128(size - 1) * stride;
    (reach < 0 ? least : most) += reach;
    if (least < 0 || most >= span)
      return axis.getValue();
  }
  if (least < 0 || most >= span)
    return StringRef();
  return std::nullopt;
}

std::optional<AxisPart> napkin::ncd::partWithin(ArrayType part,
                                                const Placement &partPlaced,
                                                ArrayType whole,
                                                const Placement &wholePlaced) {
  if (part.getRank() != whole.getRank() ||
      part.getElementType() != whole.getElementType())
    return std::nullopt;
  AxisPart result;
  int64_t stride = 0;
  for (auto [index, axis] : llvm::enumerate(part.getAxes())) {
    std::optional<unsigned> same = whole.axisIndex(axis);
    if (same && wholePlaced.by[*same] == partPlaced.by[index])
      continue;
    if (same || result.part)
      return std::nullopt;
    result.part = axis;
    stride = partPlaced.by[index];
  }
  int64_t distance = partPlaced.from - wholePlaced.from;
  if (!result.part)
    return distance == 0 ? std::optional<AxisPart>(result) : std::nullopt;
  for (auto [index, axis] : llvm::enumerate(whole.getAxes()))
    if (!part.hasAxis(axis)) {
      result.whole = axis;
      if (wholePlaced.by[index] != stride)
        return std::nullopt;
    }
  if (!result.whole || stride == 0 || distance % stride != 0)
    return std::nullopt;
  result.first = distance / stride;
  if (result.first < 0 ||
      result.first + part.sizeOf(result.part) > whole.sizeOf(result.whole))
    return std::nullopt;
  return result;
}
