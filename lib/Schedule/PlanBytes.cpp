//===- PlanBytes.cpp - what the fills of a plan move ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Schedule/PlanBytes.h"
#include "PlanRanges.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/Support/MathExtras.h"

using namespace napkin::plan;

/// \p a · \p b for counts, which stop at the largest number.
static int64_t times(int64_t a, int64_t b) {
  return int64_t(std::min<uint64_t>(
      INT64_MAX, llvm::SaturatingMultiply(uint64_t(a), uint64_t(b))));
}

/// \p a + \p b, likewise.
static int64_t plus(int64_t a, int64_t b) {
  return int64_t(std::min<uint64_t>(
      INT64_MAX, llvm::SaturatingAdd(uint64_t(a), uint64_t(b))));
}

namespace {
/// The nests above one transfer, put into groups that depend on each other.
class Factors {
public:
  Factors(const Plan &plan, NestId nest, llvm::ArrayRef<AxisId> axes);

  /// The product over the groups.
  int64_t product() const;

private:
  /// A group: nests from outside to inside, and ragged axes that no nest walks
  /// below a parent that one of them walks.
  struct Group {
    llvm::SmallVector<const Nest *, 4> nests;
    llvm::SmallVector<AxisId, 2> ragged;
  };
  bool reads(const Nest &nest, AxisId axis) const;
  bool depend(const Nest &outer, const Nest &inner) const;
  /// The sum of one nest with constant bounds, if it is one.
  std::optional<int64_t> closedForm(const Group &group) const;
  int64_t enumerate(const Group &group, size_t at, Ranges &ranges) const;

  const Plan &plan;
  llvm::ArrayRef<AxisId> axes;
  std::vector<Group> groups;
  /// Product of the extents of the axes that stand alone.
  int64_t loose = 1;
};
} // namespace

bool Factors::reads(const Nest &nest, AxisId axis) const {
  auto bound = [&](const std::optional<Bound> &b) {
    return b && b->axis == axis;
  };
  return bound(nest.from) || bound(nest.to) ||
         llvm::any_of(nest.dim, [&](AxisId walked) {
           const Extent &extent = plan.axes[walked].extent;
           return extent.kind == Extent::Kind::Ragged && extent.parent == axis;
         });
}

bool Factors::depend(const Nest &outer, const Nest &inner) const {
  return outer.dim == inner.dim || llvm::any_of(outer.dim, [&](AxisId axis) {
           return reads(inner, axis);
         });
}

Factors::Factors(const Plan &plan, NestId nest, llvm::ArrayRef<AxisId> axes)
    : plan(plan), axes(axes) {
  llvm::SmallVector<const Nest *, 6> nests;
  for (NestId id : plan.path(nest))
    if (plan.nests[id].kind != NestKind::Launch)
      nests.push_back(&plan.nests[id]);
  llvm::EquivalenceClasses<unsigned> classes;
  for (unsigned inner = 0; inner < nests.size(); ++inner) {
    classes.insert(inner);
    for (unsigned outer = 0; outer < inner; ++outer)
      if (depend(*nests[outer], *nests[inner]))
        classes.unionSets(outer, inner);
  }
  // A ragged axis that no nest walks goes with the nests of its parent.
  std::vector<std::pair<unsigned, AxisId>> tied;
  for (AxisId axis : axes) {
    bool walked = llvm::any_of(nests, [&](const Nest *other) {
      return llvm::is_contained(other->dim, axis);
    });
    if (walked)
      continue;
    const Extent &extent = plan.axes[axis].extent;
    std::optional<unsigned> first;
    if (extent.kind == Extent::Kind::Ragged)
      for (unsigned index = 0; index < nests.size(); ++index)
        if (llvm::is_contained(nests[index]->dim, extent.parent)) {
          if (first)
            classes.unionSets(*first, index);
          first = first.value_or(index);
        }
    if (first)
      tied.push_back({*first, axis});
    else
      loose = times(loose, extent.most());
  }
  for (unsigned leader = 0; leader < nests.size(); ++leader) {
    if (classes.getLeaderValue(leader) != leader)
      continue;
    Group group;
    for (unsigned index = 0; index < nests.size(); ++index)
      if (classes.getLeaderValue(index) == leader)
        group.nests.push_back(nests[index]);
    for (auto [index, axis] : tied)
      if (classes.getLeaderValue(index) == leader)
        group.ragged.push_back(axis);
    groups.push_back(std::move(group));
  }
}

std::optional<int64_t> Factors::closedForm(const Group &group) const {
  if (group.nests.size() != 1 || !group.ragged.empty())
    return std::nullopt;
  const Nest &nest = *group.nests.front();
  auto varies = [](const std::optional<Bound> &b) { return b && b->axis; };
  bool ragged = llvm::any_of(nest.dim, [&](AxisId axis) {
    return plan.axes[axis].extent.kind == Extent::Kind::Ragged;
  });
  if (varies(nest.from) || varies(nest.to) || ragged)
    return std::nullopt;
  int64_t size = plan.sizeOf(nest.dim);
  int64_t begin = nest.from ? std::max<int64_t>(0, nest.from->valueAt(0)) : 0;
  int64_t end = nest.to ? std::min(size, nest.to->valueAt(0)) : size;
  int64_t length = std::max<int64_t>(0, end - begin);
  int64_t trips = llvm::divideCeil(length, nest.by);
  size_t seen = llvm::count_if(
      nest.dim, [&](AxisId axis) { return llvm::is_contained(axes, axis); });
  if (seen == 0)
    return nest.kind == NestKind::Split ? nest.parts : trips;
  if (seen != nest.dim.size())
    return std::nullopt;
  if (nest.kind == NestKind::Split || length == 0)
    return length;
  return std::min(size, begin + trips * nest.by) - begin;
}

int64_t Factors::enumerate(const Group &group, size_t at,
                           Ranges &ranges) const {
  if (at == group.nests.size()) {
    int64_t elements = ranges.distinct(axes);
    for (AxisId axis : group.ragged)
      elements = times(elements, ranges.sizeOf(axis));
    return elements;
  }
  int64_t sum = 0;
  const Nest &nest = *group.nests[at];
  ranges.forEach(nest, [&](Range range) {
    ranges.enter(nest.dim, range);
    sum = plus(sum, enumerate(group, at + 1, ranges));
    ranges.leave();
  });
  return sum;
}

int64_t Factors::product() const {
  int64_t product = loose;
  for (const Group &group : groups) {
    std::optional<int64_t> closed = closedForm(group);
    Ranges ranges(plan);
    product = times(product, closed ? *closed : enumerate(group, 0, ranges));
  }
  return product;
}

int64_t napkin::plan::movedElements(const Plan &plan, NestId nest,
                                    llvm::ArrayRef<AxisId> axes) {
  return Factors(plan, nest, axes).product();
}

int64_t napkin::plan::visits(const Plan &plan, NestId nest) {
  return movedElements(plan, nest, {});
}

int64_t napkin::plan::movedBytes(const Plan &plan, const Fill &fill) {
  // Truth values take a byte each in memory.
  return times(movedElements(plan, fill.at, fill.axes),
               int64_t((fill.bits + 7) / 8));
}

Traffic napkin::plan::globalTraffic(const Plan &plan) {
  Traffic traffic;
  for (const Fill &fill : plan.fills) {
    int64_t &sum = fill.store ? traffic.written : traffic.read;
    sum = plus(sum, movedBytes(plan, fill));
  }
  return traffic;
}

NestId napkin::plan::outermostFill(const Plan &plan, NestId nest,
                                   llvm::ArrayRef<AxisId> axes) {
  llvm::SmallVector<NestId, 6> path = plan.path(nest);
  auto matters = [&](NestId id) {
    const Nest &at = plan.nests[id];
    if (llvm::any_of(at.dim, [&](AxisId axis) {
          return llvm::is_contained(axes, axis);
        }))
      return true;
    // The number of positions of a ragged axis hangs on its parent's.
    return llvm::any_of(axes, [&](AxisId axis) {
      const Extent &extent = plan.axes[axis].extent;
      return extent.kind == Extent::Kind::Ragged &&
             llvm::is_contained(at.dim, extent.parent);
    });
  };
  while (path.size() > 1 && !matters(path.back()))
    path.pop_back();
  return path.back();
}
