//===- KernelModel.cpp - transfers of one kernel, derived -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// H and M of a kernel from its arrays and its partitions alone.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/KernelModel.h"
#include "llvm/ADT/STLExtras.h"

using namespace napkin::cost;
using llvm::StringRef;

bool Array::carries(StringRef axis) const {
  return llvm::any_of(axes, [&](StringRef name) { return name == axis; });
}

std::string napkin::cost::groupVariable(StringRef axis) {
  return "g_" + axis.str();
}

std::string napkin::cost::streamVariable(StringRef axis) {
  return "s_" + axis.str();
}

static Expression startOf(const Array &array, Unit unit) {
  return Expression::constant(unit == Unit::Bytes ? array.bytesPerValue : 1);
}

Expression KernelModel::size(const Array &array, Unit unit) const {
  Expression result = startOf(array, unit);
  for (const std::string &axis : array.axes)
    result *= Expression::symbol(axis);
  return result;
}

Expression KernelModel::repetitions(const Array &array) const {
  Expression result = Expression::constant(1);
  if (array.role == Role::Written)
    return result;
  for (const std::string &axis : groupAxes)
    if (!array.carries(axis))
      result *= Expression::ceilDivision(axis, groupVariable(axis));
  if (split && !array.carries(split->axis))
    result *= Expression::symbol(split->parts);
  Expression around = Expression::constant(1), inside = around;
  for (const std::string &axis : streamAxes) {
    if (!array.carries(axis)) {
      around *= Expression::ceilDivision(axis, streamVariable(axis));
      continue;
    }
    inside *= around;
    around = Expression::constant(1);
  }
  return result * (inside * Expression::constant(array.loops) +
                   Expression::constant(array.walksBeside));
}

Expression KernelModel::tile(const Array &array, Unit unit) const {
  Expression result = startOf(array, unit);
  for (const std::string &axis : array.axes) {
    if (split && split->parts == axis)
      continue; // one position
    if (llvm::is_contained(groupAxes, axis))
      result *= Expression::symbol(groupVariable(axis));
    else if (llvm::is_contained(streamAxes, axis))
      result *= Expression::symbol(streamVariable(axis));
    else
      result *= Expression::symbol(axis);
  }
  return result;
}

Expression KernelModel::reads(Unit unit) const {
  Expression total;
  for (const Array &array : arrays)
    if (array.role == Role::Read)
      total += size(array, unit) * repetitions(array);
  return total;
}

Expression KernelModel::writes(Unit unit) const {
  Expression total;
  for (const Array &array : arrays)
    if (array.role == Role::Written)
      total += size(array, unit);
  return total;
}

Expression KernelModel::transfers(Unit unit) const {
  return reads(unit) + writes(unit);
}

Expression KernelModel::compulsory(Unit unit) const {
  Expression total;
  for (const Array &array : arrays)
    if (array.role != Role::Internal)
      total += size(array, unit);
  return total;
}

Expression KernelModel::residency(Unit unit, bool countInternal) const {
  Expression total;
  for (const Array &array : arrays)
    if (countInternal || array.role != Role::Internal)
      total += tile(array, unit);
  return total;
}

void KernelModel::bindPartition(Bindings &values, StringRef axis, int64_t tile,
                                bool stream) {
  values[stream ? streamVariable(axis) : groupVariable(axis)] = tile;
}
