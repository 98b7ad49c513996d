//===- PlanRanges.h - the tiles in force at a point of a plan ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// While the nests of a plan are walked from outside to inside, each dim has a
// range of positions in force. Bounds are read off these ranges, and a nest
// cuts its own range into those of its iterations.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_PLANRANGES_H
#define NAPKIN_LIB_SCHEDULE_PLANRANGES_H

#include "napkin/Schedule/Plan.h"

namespace napkin::plan {

/// Positions [begin, end) of a dim.
struct Range {
  int64_t begin = 0, end = 0;
};

/// The range in force of each dim that a nest walks, outermost first.
class Ranges {
public:
  explicit Ranges(const Plan &plan) : plan(plan) {}

  /// The range of \p dim in force, if a nest walks it.
  std::optional<Range> find(llvm::ArrayRef<AxisId> dim) const;
  /// Puts \p range of \p dim in force until the matching leave().
  void enter(const Dim &dim, Range range) { inForce.push_back({dim, range}); }
  void leave() { inForce.pop_back(); }
  /// Positions of \p axis, given the tiles in force of a ragged axis' parent.
  int64_t sizeOf(AxisId axis) const;
  /// Calls \p visit with the range of each iteration of \p nest that happens.
  void forEach(const Nest &nest, llvm::function_ref<void(Range)> visit) const;
  /// Distinct positions that an array with \p axes sees of the dims in force;
  /// axes that no nest walks are left out.
  int64_t distinct(llvm::ArrayRef<AxisId> axes) const;

private:
  /// First or last position of \p axis in the tile in force.
  int64_t position(AxisId axis, bool last) const;
  int64_t valueOf(const std::optional<Bound> &bound, int64_t otherwise) const;
  int64_t distinctOf(const Dim &dim, Range range,
                     llvm::ArrayRef<AxisId> axes) const;

  const Plan &plan;
  llvm::SmallVector<std::pair<Dim, Range>, 6> inForce;
};

} // namespace napkin::plan

#endif // NAPKIN_LIB_SCHEDULE_PLANRANGES_H
