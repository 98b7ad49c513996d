//===- PlanBytesTest.cpp - the rule for bytes against a walk ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The rule sums over nests in closed form where it can. Here every plan is also
// walked literally, element by element, by code that shares nothing with the
// rule but the meaning of a plan: random plans with joined dims, nests inside
// themselves, splits, bounds read off outer tiles, and ragged axes.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/PlanBytes.h"
#include "gtest/gtest.h"
#include <map>
#include <random>
#include <set>

using namespace napkin::plan;

namespace {
/// Walks a plan with one position of every axis at a time.
class Walk {
public:
  Walk(const Plan &plan, NestId nest, llvm::ArrayRef<AxisId> axes)
      : plan(plan), path(plan.path(nest)), axes(axes) {}

  int64_t count() {
    go(1);
    return total;
  }

private:
  using Ends = std::pair<int64_t, int64_t>;

  int64_t size(AxisId axis) const {
    const Extent &extent = plan.axes[axis].extent;
    if (extent.kind != Extent::Kind::Ragged)
      return extent.size;
    auto found = state.find({extent.parent});
    if (found != state.end() && found->second.second == found->second.first + 1)
      return extent.sizes[found->second.first];
    return *std::max_element(extent.sizes.begin(), extent.sizes.end());
  }
  /// The position of each axis of a joined dim.
  std::map<AxisId, int64_t> unjoin(const std::vector<AxisId> &dim,
                                   int64_t position) const {
    std::map<AxisId, int64_t> places;
    for (size_t at = dim.size(); at-- > 0;) {
      places[dim[at]] = position % size(dim[at]);
      position /= size(dim[at]);
    }
    return places;
  }
  int64_t bound(const std::optional<Bound> &bound, int64_t otherwise) const {
    if (!bound)
      return otherwise;
    int64_t base = 0;
    if (bound->axis) {
      int64_t least = 0, most = size(*bound->axis) - 1;
      for (const auto &[dim, range] : state)
        if (llvm::is_contained(dim, *bound->axis)) {
          least = 0, most = -1;
          for (int64_t at = range.first; at < range.second; ++at) {
            int64_t place = unjoin(dim, at)[*bound->axis];
            least = at == range.first ? place : std::min(least, place);
            most = std::max(most, place);
          }
        }
      base = bound->last ? most : least;
    }
    int64_t value = base + bound->offset, multiple = bound->multiple;
    while (value % multiple)
      --value;
    if (bound->least && value < *bound->least)
      value = *bound->least;
    if (bound->most && value > *bound->most)
      value = *bound->most;
    return value;
  }
  void visit(const Nest &nest, const std::vector<AxisId> &dim, size_t at,
             Ends range) {
    auto before = state.find(dim) == state.end()
                      ? std::optional<Ends>()
                      : std::optional<Ends>(state[dim]);
    state[dim] = range;
    go(at + 1);
    if (before)
      state[dim] = *before;
    else
      state.erase(dim);
  }
  void go(size_t at) {
    if (at == path.size()) {
      fill();
      return;
    }
    const Nest &nest = plan.nests[path[at]];
    std::vector<AxisId> dim(nest.dim.begin(), nest.dim.end());
    Ends outer{0, 1};
    for (AxisId axis : dim)
      outer.second *= size(axis);
    if (state.count(dim))
      outer = state[dim];
    int64_t begin = std::max(outer.first, bound(nest.from, outer.first));
    int64_t end = std::min(outer.second, bound(nest.to, outer.second));
    if (nest.kind == NestKind::Split) {
      int64_t step = nest.granule;
      while (step * nest.parts < end - begin)
        step += nest.granule;
      for (int64_t part = 0; part < nest.parts; ++part)
        visit(nest, dim, at,
              {std::min(begin + part * step, end),
               std::min(begin + (part + 1) * step, end)});
      return;
    }
    for (int64_t from = begin; from < end; from += nest.by)
      visit(nest, dim, at, {from, std::min(from + nest.by, outer.second)});
  }
  /// Enumerates the elements that one fill brings.
  void fill() {
    std::vector<std::set<std::vector<int64_t>>> seen;
    std::set<AxisId> covered;
    for (const auto &[dim, range] : state) {
      covered.insert(dim.begin(), dim.end());
      std::set<std::vector<int64_t>> places;
      bool any = llvm::any_of(
          dim, [&](AxisId axis) { return llvm::is_contained(axes, axis); });
      if (!any)
        places.insert(std::vector<int64_t>());
      for (int64_t at = range.first; any && at < range.second; ++at) {
        std::vector<int64_t> kept;
        for (auto [axis, place] : unjoin(dim, at))
          if (llvm::is_contained(axes, axis))
            kept.push_back(place);
        places.insert(kept);
      }
      seen.push_back(places);
    }
    int64_t elements = 1;
    for (const auto &places : seen)
      elements *= places.size();
    for (AxisId axis : axes)
      if (!covered.count(axis))
        elements *= size(axis);
    total += elements;
  }

  const Plan &plan;
  llvm::SmallVector<NestId, 6> path;
  llvm::ArrayRef<AxisId> axes;
  std::map<std::vector<AxisId>, Ends> state;
  int64_t total = 0;
};

/// Draws plans of up to four nests in depth over up to five axes.
class Draw {
public:
  explicit Draw(unsigned seed) : random(seed) {}

  Plan plan() {
    Plan plan;
    unsigned axes = between(2, 5);
    for (unsigned axis = 0; axis < axes; ++axis) {
      Extent extent;
      extent.size = between(1, 9);
      plan.addAxis(std::string(1, char('a' + axis)), extent);
    }
    dims.clear();
    for (AxisId axis = 0; axis < axes; ++axis)
      if (!dims.empty() && dims.back().size() < 3 && chance(30))
        dims.back().push_back(axis);
      else
        dims.push_back({axis});
    if (dims.size() > 1 && dims[0].size() == 1 && dims[1].size() == 1 &&
        chance(50)) {
      Extent &extent = plan.axes[dims[1][0]].extent;
      extent.kind = Extent::Kind::Ragged;
      extent.parent = dims[0][0];
      for (int64_t at = 0; at < plan.axes[extent.parent].extent.size; ++at)
        extent.sizes.push_back(between(0, 8));
    }
    grow(plan, 0, between(1, 4));
    return plan;
  }
  unsigned between(unsigned low, unsigned high) {
    return low + random() % (high - low + 1);
  }
  bool chance(unsigned percent) { return random() % 100 < percent; }

private:
  void grow(Plan &plan, NestId parent, unsigned depth) {
    if (depth == 0)
      return;
    for (unsigned sibling = chance(25) ? 2 : 1; sibling-- > 0;) {
      Dim dim = dims[between(0, dims.size() - 1)];
      const Extent &extent = plan.axes[dim[0]].extent;
      auto walkedAbove = [&](const Dim &wanted) {
        return llvm::any_of(plan.path(parent), [&](NestId id) {
          return plan.nests[id].dim == wanted;
        });
      };
      if (extent.kind == Extent::Kind::Ragged && !walkedAbove({extent.parent}))
        dim = dims[0];
      bool isParent = llvm::any_of(plan.axes, [&](const Axis &axis) {
        return axis.extent.kind == Extent::Kind::Ragged &&
               llvm::is_contained(dim, axis.extent.parent);
      });
      bool isRagged = plan.axes[dim[0]].extent.kind == Extent::Kind::Ragged;
      Nest nest;
      nest.name = "n" + std::to_string(plan.nests.size());
      nest.dim = dim;
      nest.by =
          isParent ? 1 : between(1, std::max<int64_t>(1, plan.sizeOf(dim)));
      std::vector<AxisId> outer;
      for (NestId id : plan.path(parent))
        for (AxisId axis : plan.nests[id].dim)
          if (!llvm::is_contained(dim, axis))
            outer.push_back(axis);
      if (!outer.empty() && !walkedAbove(dim) && chance(30)) {
        AxisId axis = outer[between(0, outer.size() - 1)];
        nest.to = Bound{axis, true, between(0, 3), chance(30) ? nest.by : 1};
        if (chance(20))
          nest.to->least = between(0, 4);
        if (chance(20))
          nest.to->most = between(4, 9);
        if (chance(30))
          nest.from = Bound{axis, false, -int64_t(between(0, 3)), 1};
      } else if (!isParent && !isRagged && chance(20)) {
        nest.kind = NestKind::Split;
        nest.parts = between(1, 4);
        nest.granule = between(1, 3);
      }
      grow(plan, plan.addNest(parent, nest), depth - 1);
    }
  }

  std::mt19937 random;
  std::vector<Dim> dims;
};
} // namespace

TEST(PlanBytes, AgreesWithAWalkOfRandomPlans) {
  Draw draw(1);
  unsigned bounded = 0, nested = 0, joined = 0, ragged = 0, split = 0;
  for (unsigned count = 0; count < 20000; ++count) {
    Plan plan = draw.plan();
    NestId nest = draw.between(1, plan.nests.size() - 1);
    llvm::SmallVector<AxisId, 4> axes;
    for (AxisId axis = 0; axis < plan.axes.size(); ++axis)
      if (draw.chance(50))
        axes.push_back(axis);
    ASSERT_EQ(movedElements(plan, nest, axes), Walk(plan, nest, axes).count())
        << printPlan(plan) << "array (" << plan.list(axes) << ") filled in "
        << plan.nests[nest].name;
    std::set<Dim> seen;
    for (NestId id : plan.path(nest)) {
      const Nest &at = plan.nests[id];
      bounded += at.to && at.to->axis;
      joined += at.dim.size() > 1;
      split += at.kind == NestKind::Split;
      nested += !at.dim.empty() && !seen.insert(at.dim).second;
      ragged += !at.dim.empty() &&
                plan.axes[at.dim[0]].extent.kind == Extent::Kind::Ragged;
    }
  }
  // The draw is worth something only if it reaches every kind.
  for (unsigned reached : {bounded, nested, joined, ragged, split})
    EXPECT_GT(reached, 1000u);
}

TEST(PlanBytes, FillsMoveOutToWhereTheirContentsAreKnown) {
  Draw draw(2);
  for (unsigned count = 0; count < 5000; ++count) {
    Plan plan = draw.plan();
    NestId nest = draw.between(1, plan.nests.size() - 1);
    llvm::SmallVector<AxisId, 4> axes;
    for (AxisId axis = 0; axis < plan.axes.size(); ++axis)
      if (draw.chance(30))
        axes.push_back(axis);
    NestId out = outermostFill(plan, nest, axes);
    ASSERT_TRUE(plan.encloses(out, nest));
    // Unless an inner nest happens to run not at all, out moves no more.
    if (visits(plan, nest) >= visits(plan, out)) {
      EXPECT_LE(movedElements(plan, out, axes), movedElements(plan, nest, axes))
          << printPlan(plan);
    }
  }
}

TEST(PlanBytes, AProductIsReadOncePerTileOfTheOtherFactor) {
  Plan plan;
  AxisId m = plan.addAxis("m", {Extent::Kind::Static, 1000, 0, {}});
  AxisId n = plan.addAxis("n", {Extent::Kind::Static, 500, 0, {}});
  AxisId k = plan.addAxis("k", {Extent::Kind::Static, 300, 0, {}});
  auto nest = [&](NestId parent, NestKind kind, AxisId axis, int64_t by) {
    Nest at;
    at.kind = kind;
    at.dim = {axis};
    at.by = by;
    at.name = plan.axes[axis].name;
    return plan.addNest(parent, at);
  };
  NestId columns =
      nest(nest(0, NestKind::Grid, m, 128), NestKind::Grid, n, 256);
  NestId loop = nest(columns, NestKind::Loop, k, 64);
  EXPECT_EQ(movedElements(plan, loop, {m, k}), 1000 * 300 * 2);
  EXPECT_EQ(movedElements(plan, loop, {k, n}), 500 * 300 * 8);
  EXPECT_EQ(movedElements(plan, columns, {m, n}), 1000 * 500);
  EXPECT_EQ(visits(plan, loop), 8 * 2 * 5);
}

TEST(PlanBytes, JoinedRowsShareWhatTheyDoNotCarry) {
  // Decode of m = 4 heads that share keys: rows are (q m), so K is read once.
  Plan plan;
  AxisId h = plan.addAxis("h", {Extent::Kind::Static, 8, 0, {}});
  AxisId m = plan.addAxis("m", {Extent::Kind::Static, 4, 0, {}});
  AxisId q = plan.addAxis("q", {Extent::Kind::Static, 4, 0, {}});
  AxisId x = plan.addAxis("x", {Extent::Kind::Static, 8192, 0, {}});
  Nest grid;
  grid.kind = NestKind::Grid;
  grid.dim = {h};
  NestId outer = plan.addNest(0, grid);
  grid.dim = {q, m};
  grid.by = 16;
  NestId rows = plan.addNest(outer, grid);
  Nest loop;
  loop.dim = {x};
  loop.by = 32;
  NestId stream = plan.addNest(rows, loop);
  EXPECT_EQ(movedElements(plan, stream, {h, x}), 8 * 8192);
  EXPECT_EQ(movedElements(plan, rows, {h, m, q}), 8 * 16);
  // A mask over q and x sees the distinct queries of a tile only.
  EXPECT_EQ(movedElements(plan, stream, {q, x}), 8 * 4 * 8192);
}

TEST(PlanBytes, CausalLoopsReadWhatTheirTileSees) {
  Plan plan;
  AxisId q = plan.addAxis("q", {Extent::Kind::Static, 256, 0, {}});
  AxisId x = plan.addAxis("x", {Extent::Kind::Static, 256, 0, {}});
  Nest rows;
  rows.kind = NestKind::Grid;
  rows.dim = {q};
  rows.by = 64;
  NestId tile = plan.addNest(0, rows);
  Nest loop;
  loop.dim = {x};
  loop.by = 32;
  loop.to = Bound{q, true, 1, 1};
  NestId stream = plan.addNest(tile, loop);
  EXPECT_EQ(movedElements(plan, stream, {x}), 64 + 128 + 192 + 256);
}

TEST(PlanBytes, CountsStopAtTheLargestNumber) {
  Plan plan;
  AxisId m = plan.addAxis("m", {Extent::Kind::Static, int64_t(1) << 40, 0, {}});
  AxisId n = plan.addAxis("n", {Extent::Kind::Static, int64_t(1) << 40, 0, {}});
  EXPECT_EQ(movedElements(plan, 0, {m}), int64_t(1) << 40);
  EXPECT_EQ(movedElements(plan, 0, {m, n}), INT64_MAX);
}
