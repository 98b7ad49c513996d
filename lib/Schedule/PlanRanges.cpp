//===- PlanRanges.cpp - the tiles in force at a point of a plan -*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "PlanRanges.h"
#include "llvm/Support/MathExtras.h"
#include <set>

using namespace napkin::plan;

std::optional<Range> Ranges::find(llvm::ArrayRef<AxisId> dim) const {
  for (const auto &[walked, range] : llvm::reverse(inForce))
    if (llvm::ArrayRef<AxisId>(walked) == dim)
      return range;
  return std::nullopt;
}

int64_t Ranges::sizeOf(AxisId axis) const {
  const Extent &extent = plan.axes[axis].extent;
  if (extent.kind != Extent::Kind::Ragged)
    return extent.size;
  std::optional<Range> parent = find({extent.parent});
  if (parent && parent->end == parent->begin + 1)
    return extent.sizes[parent->begin];
  return extent.most();
}

int64_t Ranges::position(AxisId axis, bool last) const {
  for (const auto &[dim, range] : llvm::reverse(inForce)) {
    const auto *at = llvm::find(dim, axis);
    if (at == dim.end())
      continue;
    if (range.end <= range.begin)
      return last ? -1 : 0;
    int64_t inner = 1;
    for (AxisId faster : llvm::make_range(at + 1, dim.end()))
      inner *= sizeOf(faster);
    int64_t size = sizeOf(axis);
    // In units of the axis, with the slower axes of the dim still joined.
    int64_t first = range.begin / inner, final = (range.end - 1) / inner;
    if (first / size != final / size)
      return last ? size - 1 : 0;
    return (last ? final : first) % size;
  }
  return last ? sizeOf(axis) - 1 : 0;
}

int64_t Ranges::valueOf(const std::optional<Bound> &bound,
                        int64_t otherwise) const {
  if (!bound)
    return otherwise;
  return bound->valueAt(bound->axis ? position(*bound->axis, bound->last) : 0);
}

void Ranges::forEach(const Nest &nest,
                     llvm::function_ref<void(Range)> visit) const {
  Range outer{0, 1};
  for (AxisId axis : nest.dim)
    outer.end *= sizeOf(axis);
  if (std::optional<Range> range = find(nest.dim))
    outer = *range;
  int64_t begin = std::max(outer.begin, valueOf(nest.from, outer.begin));
  int64_t end = std::min(outer.end, valueOf(nest.to, outer.end));
  if (nest.kind == NestKind::Split) {
    int64_t granules = llvm::divideCeil(std::max<int64_t>(0, end - begin),
                                        nest.parts * nest.granule);
    int64_t step = std::max<int64_t>(1, granules * nest.granule);
    for (int64_t part = 0; part < nest.parts; ++part)
      visit({std::min(begin + part * step, end),
             std::min(begin + (part + 1) * step, end)});
    return;
  }
  for (int64_t at = begin; at < end; at += nest.by)
    visit({at, std::min(at + nest.by, outer.end)});
}

int64_t Ranges::distinctOf(const Dim &dim, Range range,
                           llvm::ArrayRef<AxisId> axes) const {
  llvm::SmallVector<unsigned, 4> seen;
  for (auto [index, axis] : llvm::enumerate(dim))
    if (llvm::is_contained(axes, axis))
      seen.push_back(index);
  int64_t length = range.end - range.begin;
  if (seen.empty())
    return 1;
  if (seen.size() == dim.size() || length <= 0)
    return std::max<int64_t>(length, 0);
  if (dim.size() == 2) {
    int64_t fast = sizeOf(dim[1]);
    return seen[0] == 0 ? (range.end - 1) / fast - range.begin / fast + 1
                        : std::min(length, fast);
  }
  // Three and more axes, some of them unseen: count what is seen.
  std::set<llvm::SmallVector<int64_t, 4>> found;
  for (int64_t at = range.begin; at < range.end; ++at) {
    llvm::SmallVector<int64_t, 4> place(dim.size());
    int64_t rest = at;
    for (size_t index = dim.size(); index-- > 0;) {
      int64_t size = sizeOf(dim[index]);
      place[index] = rest % size;
      rest /= size;
    }
    llvm::SmallVector<int64_t, 4> kept;
    for (unsigned index : seen)
      kept.push_back(place[index]);
    found.insert(kept);
  }
  return found.size();
}

int64_t Ranges::distinct(llvm::ArrayRef<AxisId> axes) const {
  int64_t product = 1;
  for (size_t index = 0; index < inForce.size(); ++index) {
    const Dim &dim = inForce[index].first;
    bool innermost =
        llvm::none_of(llvm::ArrayRef(inForce).drop_front(index + 1),
                      [&](const auto &later) { return later.first == dim; });
    if (innermost)
      product *= distinctOf(dim, inForce[index].second, axes);
  }
  return product;
}
