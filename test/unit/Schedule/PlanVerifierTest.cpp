//===- PlanVerifierTest.cpp - broken plans and their sentences --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One sound plan, two chained products over a stream with bounds that are read
// off the rows; then plans that break one rule each. The right rule must name
// it, and its sentence the things of the diagram.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/PlanVerifier.h"
#include "napkin/Schedule/PlanBytes.h"
#include "gtest/gtest.h"

using namespace napkin::plan;

namespace {
/// (h, q m) rows against x: s = q·k, p = f(s), o += p·v, whole steps first.
struct Chained {
  Plan plan;
  AxisId h, m, q, x, d, v;
  NestId heads, rows, whole, masked;

  explicit Chained(int64_t rowTile = 64, int64_t chunk = 32,
                   unsigned warps = 4) {
    plan.name = "chained";
    plan.warps = warps;
    auto axis = [&](llvm::StringRef name, int64_t size) {
      Extent extent;
      extent.size = size;
      return plan.addAxis(name, extent);
    };
    h = axis("h", 8), m = axis("m", 4), q = axis("q", 4096);
    x = axis("x", 4096), d = axis("d", 128), v = axis("v", 128);
    heads = nest(0, NestKind::Grid, "heads", {h}, 1);
    rows = nest(heads, NestKind::Grid, "rows", {q, m}, rowTile);
    plan.values.push_back(value("o", {q, m, v}, rows, true));
    plan.values.push_back(value("l", {q, m}, rows, true));
    fill("q", {h, q, m, d}, rows, 1);
    Bound diagonal{q, false, 1, chunk};
    whole = nest(rows, NestKind::Loop, "x", {x}, chunk);
    plan.nests[whole].to = diagonal;
    steps(whole, "", warps);
    masked = nest(rows, NestKind::Loop, "x'", {x}, chunk);
    plan.nests[masked].from = diagonal;
    plan.nests[masked].to = Bound{q, true, 1, 1};
    steps(masked, "'", warps);
    fill("o", {h, q, m, v}, rows, 1);
    plan.fills.back().store = true;
    plan.fills.back().level = Level::Registers;
  }

  NestId nest(NestId parent, NestKind kind, std::string name, Dim dim,
              int64_t by) {
    Nest made;
    made.kind = kind;
    made.name = std::move(name);
    made.dim = std::move(dim);
    made.by = by;
    return plan.addNest(parent, made);
  }
  static Value value(std::string name, llvm::SmallVector<AxisId, 4> axes,
                     NestId at, bool state = false) {
    Value made;
    made.name = std::move(name);
    made.axes = std::move(axes);
    made.at = at;
    made.state = state;
    return made;
  }
  Fill &fill(std::string name, llvm::SmallVector<AxisId, 4> axes, NestId at,
             unsigned slots) {
    Fill made;
    made.name = made.array = std::move(name);
    made.axes = std::move(axes);
    made.at = at;
    made.slots = slots;
    plan.fills.push_back(made);
    return plan.fills.back();
  }
  Op product(std::string name, llvm::SmallVector<AxisId, 4> axes, Dim columns,
             AxisId summed, llvm::SmallVector<std::string, 3> reads,
             unsigned warps) {
    Op op;
    op.name = std::move(name);
    op.axes = std::move(axes);
    op.reads = std::move(reads);
    op.product = Product();
    op.product->rows = {q, m};
    op.product->columns = std::move(columns);
    op.product->summed = {summed};
    op.product->batch = {h};
    op.product->instruction = "mma.m16n8k16.bf16";
    op.product->warpRows = warps;
    return op;
  }
  void steps(NestId at, const std::string &mark, unsigned warps) {
    fill("k" + mark, {h, x, d}, at, 2).array = "k";
    fill("v" + mark, {h, x, v}, at, 2).array = "v";
    plan.values.push_back(value("s" + mark, {q, m, x}, at));
    plan.addOp(
        at, product("s" + mark, {q, m, x}, {x}, d, {"q", "k" + mark}, warps));
    Op map;
    map.name = "p" + mark;
    map.axes = {q, m, x};
    map.reads = {"s" + mark};
    plan.addOp(at, map);
    Op sum =
        product("o", {q, m, v}, {v}, x, {"p" + mark, "v" + mark, "o"}, warps);
    sum.product->a = Source::Registers;
    plan.addOp(at, sum);
  }

  /// The first rule that is broken, with its sentence; empty if none is.
  std::string judge() const {
    std::vector<Fault> faults = verifyPlan(plan, Machine());
    return faults.empty() ? "" : faults[0].rule + ": " + faults[0].text;
  }
};
} // namespace

TEST(PlanVerifier, ASoundPlan) {
  Chained sound;
  EXPECT_EQ(sound.judge(), "");
  // K: whole tiles of 64 rows are 16 queries; 8 heads; a chunk of 32.
  int64_t keys = 0;
  for (int64_t first = 0; first < 4096; first += 16)
    keys += (first + 16 + 31) / 32 * 32;
  int64_t moved = 0;
  for (const Fill &fill : sound.plan.fills)
    if (fill.array == "k")
      moved += movedBytes(sound.plan, fill);
  EXPECT_EQ(moved, 8 * keys * 128 * 2);
  EXPECT_EQ(sharedBytes(sound.plan), 64 * 128 * 2 + 4 * 32 * 128 * 2);
}

TEST(PlanVerifier, TheNotation) {
  Chained sound;
  std::string text = printPlan(sound.plan);
  for (const char *line :
       {"kernel @chained (h=8, m=4, q=4096, x=4096, d=128, v=128) warps 4\n",
        "grid h by 1 {\n  grid (q m) by 64 {\n",
        "    state o[q, m, v] : 32 in registers\n",
        "    loop x by 32 to floor(first(q) + 1, 32) {\n",
        "    loop x by 32 from floor(first(q) + 1, 32) to last(q) + 1 {\n",
        "      fill k' of k[h, x, d] : 16 in shared slots 2\n",
        "o[q, m, v] = contract p, v, o rows (q m) columns v summed x batch h "
        "\"mma.m16n8k16.bf16\" warps [4, 1] from registers, shared\n",
        "    store o[h, q, m, v] : 16 from registers\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(PlanVerifier, Nests) {
  Chained bound;
  bound.plan.nests[bound.whole].to->axis = bound.v;
  EXPECT_EQ(bound.judge(), "nest.cover: 'x'' starts at floor(first(q) + 1, 32) "
                           "and 'x' ends at floor(first(v) + 1, 32): positions "
                           "of x are summed twice or not at all");
  bound.plan.nests[bound.masked].from->axis = bound.v;
  EXPECT_EQ(bound.judge(),
            "nest.bound: bound floor(first(v) + 1, 32) of 'x' reads axis 'v', "
            "which no enclosing nest walks");

  Chained wide;
  NestId step = wide.nest(wide.masked, NestKind::Step, "half", {wide.x}, 64);
  (void)step;
  EXPECT_EQ(wide.judge(), "nest.inner: 'half' steps by 64 inside a tile of 32");

  Chained overlap;
  overlap.nest(overlap.rows, NestKind::Loop, "again", {overlap.q}, 1);
  EXPECT_EQ(overlap.judge(),
            "nest.inner: 'again' walks q inside 'rows' over (q m): nests share "
            "an axis only if they walk the same dim");

  Chained ragged;
  Extent &extent = ragged.plan.axes[ragged.d].extent;
  extent.kind = Extent::Kind::Ragged;
  extent.parent = ragged.v;
  extent.sizes.assign(128, 128);
  ragged.nest(ragged.rows, NestKind::Loop, "d", {ragged.d}, 16);
  EXPECT_EQ(ragged.judge(),
            "nest.ragged: 'd' walks ragged axis 'd' outside one position of "
            "its parent 'v'");
}

TEST(PlanVerifier, ReadsAndFills) {
  Chained beside;
  for (Op &op : beside.plan.ops)
    if (op.name == "s'")
      op.reads = {"q", "k"};
  EXPECT_EQ(beside.judge(), "fill.dominates: 's'' reads 'k', which is filled "
                            "in 'x' beside it, not above it");

  Chained living;
  for (Op &op : living.plan.ops)
    if (op.name == "p'")
      op.reads = {"s"};
  EXPECT_EQ(living.judge(), "value.dominates: 'p'' reads 's', which lives in "
                            "'x' beside it, not above it");

  Chained again;
  for (Fill &fill : again.plan.fills)
    if (fill.name == "q")
      fill.at = again.whole;
  for (Op &op : again.plan.ops)
    if (op.name == "s'")
      op.reads = {"k'"};
  EXPECT_EQ(again.judge(), "fill.once: 'q' is filled in every step of 'x' with "
                           "the same contents: fill it in 'rows'");

  Chained looked;
  looked.plan.fills[0].index = "pages";
  EXPECT_EQ(looked.judge(), "");
  looked.plan.fills[0].at = 0;
  EXPECT_EQ(looked.judge(),
            "fill.index: 'q' is reached through 'pages' and filled ahead of "
            "all nests, where no tile says which rows");

  Chained empty;
  empty.plan.fills[1].slots = 0;
  EXPECT_EQ(empty.judge(), "ring.slots: 'k' is filled and has no slot");

  Chained odd;
  odd.plan.axes[odd.d].extent.size = 100;
  EXPECT_EQ(odd.judge(), "copy.granule: 'k': runs of 200 bytes along 'd' are "
                         "no multiple of the copy's 16");
}

TEST(PlanVerifier, StoresAndStates) {
  Chained repeated;
  repeated.plan.fills.back().at = repeated.masked;
  EXPECT_EQ(repeated.judge(),
            "store.once: 'o' is stored under 'x'' and has no axis of x: it "
            "would be written 128 times");

  Chained parts;
  parts.plan.nests[parts.heads].kind = NestKind::Split;
  parts.plan.nests[parts.heads].parts = 8;
  EXPECT_EQ(parts.judge(),
            "state.merge: 'o' ends a part of 'heads' and no merge follows");
  parts.plan.merged = true;
  EXPECT_EQ(parts.judge(), "");

  Chained shape;
  for (Op &op : shape.plan.ops)
    if (op.name == "o")
      op.axes = {shape.q, shape.m};
  EXPECT_EQ(shape.judge(),
            "state.axes: 'o' is a state over q, m, v and its step has the axes "
            "q, m");

  Chained open;
  open.plan.values[0].state = false;
  open.plan.values[0].at = open.masked;
  for (Op &op : open.plan.ops)
    if (op.at == open.whole)
      op.reads.erase(llvm::find(op.reads, "o"), op.reads.end());
  EXPECT_EQ(open.judge(),
            "state.open: 'o' is summed over x, which 'x'' still walks: it is a "
            "state and must live above it");

  Chained indexed;
  for (Value &value : indexed.plan.values)
    if (value.name == "s'")
      value.at = indexed.rows;
  EXPECT_EQ(indexed.judge(),
            "state.unrolled: 's'' lives in registers across loop 'x'' and "
            "carries its axis: registers cannot be indexed, make it a step");
}

TEST(PlanVerifier, Products) {
  Chained parts;
  parts.plan.ops[0].product->columns = {parts.d};
  EXPECT_EQ(parts.judge(),
            "product.parts: 's': an axis has two parts in one product");

  EXPECT_EQ(Chained(72).judge(),
            "product.shape: 's': 72 rows of (q m) do not split among 4 warps "
            "in granules of 16");

  Chained batch;
  batch.plan.nests[batch.heads].by = 2;
  EXPECT_EQ(batch.judge(),
            "product.shape: 's': batch axis 'h' has 2 positions in a block");

  Chained scope;
  scope.plan.ops[0].product->scope = 3;
  EXPECT_EQ(scope.judge(), "product.shape: 's': 4 warps of rows are no whole "
                           "instances of mma.m16n8k16.bf16, which takes 3");

  Chained few;
  few.plan.ops[0].product->warpRows = 2;
  EXPECT_EQ(few.judge(), "product.warps: 's': a grid of 2 × 1 warps is not the "
                         "4 warps that compute");

  Chained moved;
  moved.plan.ops[0].product->warpRows = 2;
  moved.plan.ops[0].product->warpColumns = 2;
  EXPECT_EQ(moved.judge(),
            "product.source: 'o' takes 'p' from registers, which 's' left in "
            "warps [2, 2]: give it a place in shared");
  moved.plan.values.push_back(
      Chained::value("p", {moved.q, moved.m, moved.x}, moved.whole));
  moved.plan.values.back().level = Level::Shared;
  EXPECT_EQ(moved.judge(), "");
}

TEST(PlanVerifier, TheBlock) {
  Chained order;
  order.plan.order.grouped = order.whole;
  EXPECT_EQ(
      order.judge(),
      "order: blocks are grouped along 'x', which is no nest of the grid");

  Chained persistent;
  persistent.plan.order.kind = GridOrder::Kind::Persistent;
  EXPECT_EQ(persistent.judge(),
            "order: the grid is persistent, and 0 blocks walk it");
  persistent.plan.order.blocks = 108;
  EXPECT_EQ(persistent.judge(), "");

  Chained list;
  list.plan.order.kind = GridOrder::Kind::List;
  EXPECT_EQ(list.judge(), "order: blocks take their tiles from a list, and no "
                          "array is named that holds it");
  list.plan.order.list = "tiles";
  EXPECT_EQ(list.judge(), "");

  Chained large(64, 256);
  EXPECT_EQ(large.judge(), "shared.bytes: the fills take 278528 bytes of "
                           "shared memory at once, and a block has 166912");

  Chained crowded(128, 64);
  EXPECT_EQ(crowded.judge(),
            "registers: 271 registers a thread where 's' is made, and 4 warps "
            "leave 240: addresses of copies 16, o 128, l 4, s 64, fragments a "
            "16, fragments b 16");
}

TEST(PlanVerifier, Roles) {
  Chained roles(128, 128);
  roles.plan.warps = 12;
  roles.plan.roles = {{"load", 1, 4, 32, false}, {"compute", 2, 4, 248, true}};
  for (Op &op : roles.plan.ops)
    if (op.product)
      op.product->warpRows = 8;
  for (Fill &fill : roles.plan.fills)
    fill.bits = 8;
  EXPECT_EQ(roles.judge(), "roles: the roles take 67584 registers of 65536");
  roles.plan.roles[0].registers = 24;
  roles.plan.roles[1].registers = 240;
  EXPECT_EQ(roles.judge(), "");
  roles.plan.roles[1].registers = 96;
  EXPECT_EQ(roles.judge().substr(0, 58),
            "roles: 187 registers a thread, and the role has 96: addres");
  roles.plan.roles[1].registers = 240;
  roles.plan.roles[0].warps = 1;
  EXPECT_EQ(roles.judge(), "roles: role 'load': registers are set for "
                           "warpgroups of 4 warps, not for 1");
  roles.plan.roles[0] = {"load", 0, 4, 24, false};
  EXPECT_EQ(roles.judge(), "roles: role 'load' has no instance");
  roles.plan.roles[0] = {"load", 1, 4, 25, false};
  EXPECT_EQ(roles.judge(),
            "roles: role 'load': 25 registers are no multiple of 8");
}
