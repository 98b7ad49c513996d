//===- UnloweredPlansTest.cpp - plans ahead of their lowering ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two kernels that a plan says and no target of today runs: a grouped product
// over a ragged axis whose rows are looked up, and attention by roles on
// sm_90a. They print, and the verifier judges them by the rules for all.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/PlanBytes.h"
#include "napkin/Schedule/PlanVerifier.h"
#include "gtest/gtest.h"

using namespace napkin::plan;

namespace {
/// A plan that is written down.
struct Written {
  Plan plan;

  AxisId axis(llvm::StringRef name, int64_t size) {
    Extent extent;
    extent.size = size;
    return plan.addAxis(name, extent);
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
  Fill &fill(std::string name, llvm::SmallVector<AxisId, 4> axes, NestId at,
             unsigned slots = 1) {
    Fill made;
    made.name = made.array = std::move(name);
    made.axes = std::move(axes);
    made.at = at;
    made.slots = slots;
    plan.fills.push_back(made);
    return plan.fills.back();
  }
  void store(std::string name, llvm::SmallVector<AxisId, 4> axes, NestId at) {
    Fill &made = fill(std::move(name), std::move(axes), at);
    made.store = true;
    made.level = Level::Registers;
  }
  void value(std::string name, llvm::SmallVector<AxisId, 4> axes, NestId at,
             bool state) {
    Value made;
    made.name = std::move(name);
    made.axes = std::move(axes);
    made.at = at;
    made.state = state;
    plan.values.push_back(std::move(made));
  }
  Op &op(std::string name, llvm::SmallVector<AxisId, 4> axes,
         llvm::SmallVector<std::string, 3> reads, NestId at) {
    Op made;
    made.name = std::move(name);
    made.axes = std::move(axes);
    made.reads = std::move(reads);
    return plan.ops[plan.addOp(at, made)];
  }
  std::string judge(const Machine &machine = Machine()) const {
    std::vector<Fault> faults = verifyPlan(plan, machine);
    return faults.empty() ? "" : faults[0].rule + ": " + faults[0].text;
  }
};

/// y[t, n] = sum over k of x[rows[t], k] w[e, k, n] for the tokens t of each
/// expert e; blocks take their tiles from a list.
struct Grouped : Written {
  AxisId e, t, k, n;
  NestId experts, tokens, columns, chunks;

  Grouped() {
    plan.name = "grouped";
    plan.warps = 6;
    e = axis("e", 3);
    Extent ragged;
    ragged.kind = Extent::Kind::Ragged;
    ragged.parent = e;
    ragged.sizes = {200, 0, 145};
    t = plan.addAxis("t", ragged);
    k = axis("k", 256), n = axis("n", 192);
    experts = nest(0, NestKind::Grid, "experts", {e}, 1);
    tokens = nest(experts, NestKind::Grid, "tokens", {t}, 144);
    columns = nest(tokens, NestKind::Grid, "columns", {n}, 96);
    chunks = nest(columns, NestKind::Loop, "chunks", {k}, 64);
    value("y", {t, n}, columns, /*state=*/true);
    fill("x", {t, k}, chunks, 3).index = "rows";
    fill("w", {e, k, n}, chunks, 3);
    Op &y = op("y", {t, n}, {"x", "w", "y"}, chunks);
    y.product = Product();
    y.product->rows = {t}, y.product->columns = {n}, y.product->summed = {k};
    y.product->instruction = "mma.m16n8k16.bf16";
    y.product->warpRows = 3, y.product->warpColumns = 2;
    store("y", {t, n}, columns);
    plan.order.kind = GridOrder::Kind::List;
    plan.order.list = "tiles";
  }
};

/// Attention with a warpgroup that loads and two that compute in turns.
struct Roles : Written {
  AxisId h, q, x, d, v;
  NestId rows, keys;

  Roles() {
    plan.name = "attention";
    plan.warps = 12;
    plan.roles = {{"load", 1, 4, 24, false}, {"compute", 2, 4, 240, true}};
    h = axis("h", 16), q = axis("q", 4096), x = axis("x", 4096);
    d = axis("d", 128), v = axis("v", 128);
    NestId heads = nest(0, NestKind::Grid, "heads", {h}, 1);
    rows = nest(heads, NestKind::Grid, "rows", {q}, 128);
    keys = nest(rows, NestKind::Loop, "keys", {x}, 128);
    value("o", {q, v}, rows, /*state=*/true);
    value("m", {q}, rows, /*state=*/true);
    value("l", {q}, rows, /*state=*/true);
    value("s", {q, x}, keys, /*state=*/false);
    fill("q", {h, q, d}, rows);
    fill("k", {h, x, d}, keys, 2);
    fill("v", {h, x, v}, keys, 2);
    product(op("s", {q, x}, {"q", "k"}, keys), {x}, d, Source::Shared);
    op("p", {q, x}, {"s", "m"}, keys);
    product(op("o", {q, v}, {"p", "v", "o"}, keys), {v}, x, Source::Registers);
    store("o", {h, q, v}, rows);
    plan.order.kind = GridOrder::Kind::Persistent;
    plan.order.blocks = 132;
  }
  void product(Op &made, Dim columns, AxisId summed, Source a) {
    made.product = Product();
    made.product->rows = {q}, made.product->columns = std::move(columns);
    made.product->summed = {summed}, made.product->batch = {h};
    made.product->instruction = "wgmma.m64n128k16.bf16";
    made.product->scope = 4, made.product->warpRows = 8;
    made.product->a = a;
  }
};

/// A multiprocessor of sm_90a: bulk copies, factors in shared memory.
Machine hopper() {
  Machine machine;
  machine.sharedPerBlock = 227 * 1024;
  machine.sharedPerProcessor = 228 * 1024;
  machine.copyBytes = 0;
  machine.factorsInRegisters = false;
  return machine;
}
} // namespace

TEST(UnloweredPlans, AGroupedProductOverARaggedAxis) {
  Grouped grouped;
  EXPECT_EQ(grouped.judge(), "");
  std::string text = printPlan(grouped.plan);
  for (const char *line :
       {"kernel @grouped (e=3, t:e, k=256, n=192) warps 6 tiles of tiles\n",
        "grid e by 1 {\n  grid t by 144 {\n    grid n by 96 {\n",
        "        fill x[t, k] : 16 in shared slots 3 by rows\n",
        "        y[t, n] = contract x, w, y rows t columns n summed k "
        "\"mma.m16n8k16.bf16\" warps [3, 2] from shared, shared\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
  // Rows that exist, once for each of two tiles of columns; an expert's weights
  // once for each of its tiles of tokens: two, none and two.
  EXPECT_EQ(movedBytes(grouped.plan, grouped.plan.fills[0]),
            (200 + 145) * 2 * 256 * 2);
  EXPECT_EQ(movedBytes(grouped.plan, grouped.plan.fills[1]),
            (2 + 0 + 2) * 256 * 192 * 2);
}

TEST(UnloweredPlans, RaggedRowsNeedTheirParent) {
  Grouped together;
  together.plan.nests[together.experts].by = 3;
  EXPECT_EQ(together.judge(),
            "nest.ragged: 'tokens' walks ragged axis 't' outside one position "
            "of its parent 'e'");
}

TEST(UnloweredPlans, AttentionByRoles) {
  Roles roles;
  EXPECT_EQ(roles.judge(hopper()), "");
  EXPECT_EQ(sharedBytes(roles.plan), (128 * 128 + 4 * 128 * 128) * 2);
  std::string text = printPlan(roles.plan);
  for (const char *line :
       {"kernel @attention (h=16, q=4096, x=4096, d=128, v=128) warps 12 role "
        "load x1 warps 4 registers 24 role compute x2 warps 4 registers 240 "
        "persistent 132\n",
        "      s[q, x] = contract q, k rows q columns x summed d batch h "
        "\"wgmma.m64n128k16.bf16\" warps [8, 1] from shared, shared\n"})
    EXPECT_NE(text.find(line), std::string::npos) << line << text;
}

TEST(UnloweredPlans, InstancesAreWhole) {
  // An instruction of a warpgroup is not split among its warps.
  Roles roles;
  roles.plan.ops[0].product->warpRows = 2;
  roles.plan.ops[0].product->warpColumns = 4;
  EXPECT_EQ(roles.judge(hopper()),
            "product.shape: 's': 2 warps of rows are no whole instances of "
            "wgmma.m64n128k16.bf16, which takes 4");
}
