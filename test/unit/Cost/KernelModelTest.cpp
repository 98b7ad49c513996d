//===- KernelModelTest.cpp - H, M and the optimum, derived ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The formulas of docs/cost-model.md from descriptions of diagrams. A
// description is only arrays over axes; that one of them is attention is in the
// name of the test alone.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Optimum.h"
#include "gtest/gtest.h"

using namespace napkin::cost;

static Expression sym(llvm::StringRef name) { return Expression::symbol(name); }

static KernelModel attentionModel() {
  KernelModel model;
  model.arrays = {
      {"Q", {"q", "d"}, 2, Role::Read}, {"K", {"x", "d"}, 2, Role::Read},
      {"V", {"x", "d"}, 2, Role::Read}, {"S", {"q", "x"}, 4, Role::Internal},
      {"m", {"q"}, 4, Role::Internal},  {"O", {"q", "d"}, 2, Role::Written}};
  model.groupAxes = {"q"};
  model.streamAxes = {"x"};
  return model;
}

static KernelModel productModel() {
  KernelModel model;
  model.arrays = {{"A", {"a", "b"}, 2, Role::Read},
                  {"B", {"b", "c"}, 2, Role::Read},
                  {"C", {"a", "c"}, 2, Role::Written}};
  model.groupAxes = {"a", "c"};
  model.streamAxes = {"b"};
  return model;
}

TEST(KernelModel, AttentionMoves) {
  Expression transfers = attentionModel().transfers(Unit::Values);
  EXPECT_EQ(transfers.str(), "2·x·d·⌈q/g_q⌉ + 2·q·d");
  EXPECT_EQ(transfers.smooth().str(), "2·x·d·q/g_q + 2·q·d");
}

TEST(KernelModel, WhatALoopInsideBringsIsReadInEveryOuterStep) {
  KernelModel model;
  model.arrays = {{"X", {"a", "b"}, 2, Role::Read},
                  {"W", {"c", "b"}, 2, Role::Read},
                  {"L", {"a"}, 4, Role::Written}};
  model.groupAxes = {"a"};
  model.streamAxes = {"c", "b"};
  Bindings values = {{"a", 128}, {"b", 256}, {"c", 512}};
  KernelModel::bindPartition(values, "a", 64, /*stream=*/false);
  KernelModel::bindPartition(values, "c", 64, /*stream=*/true);
  auto bytes = [&] {
    return llvm::cantFail(model.transfers(Unit::Bytes).evaluate(values));
  };
  int64_t x = 128 * 256 * 2, w = 512 * 256 * 2, l = 128 * 4;
  EXPECT_EQ(bytes(), x * 8 + w * 2 + l);
  // A walk ahead of the outer loop reads x once more, a second loop all twice.
  model.arrays[0].walksBeside = 1;
  EXPECT_EQ(bytes(), x * 9 + w * 2 + l);
  model.arrays[0].loops = model.arrays[1].loops = 2;
  EXPECT_EQ(bytes(), x * 17 + w * 4 + l);
}

TEST(KernelModel, AttentionBytesOfTheExample) {
  // Four heads of 512 × 512 with d = 128 in bf16: 5 242 880 bytes.
  KernelModel model = attentionModel();
  for (Array &array : model.arrays)
    if (array.role != Role::Internal)
      array.axes.insert(array.axes.begin(), "h");
  model.groupAxes = {"h", "q"};
  Bindings values;
  values["h"] = 4;
  values["q"] = values["x"] = 512;
  values["d"] = 128;
  KernelModel::bindPartition(values, "h", 1, /*stream=*/false);
  KernelModel::bindPartition(values, "q", 128, /*stream=*/false);
  EXPECT_EQ(llvm::cantFail(model.transfers(Unit::Bytes).evaluate(values)),
            5242880);
  EXPECT_EQ(llvm::cantFail(model.compulsory(Unit::Bytes).evaluate(values)),
            4 * 524288);
}

TEST(KernelModel, ProductMoves) {
  Expression abc = sym("a") * sym("b") * sym("c");
  Monomial perA, perC;
  perA.multiply({Atom::Kind::Symbol, "g_a", "", 0}, -1);
  perC.multiply({Atom::Kind::Symbol, "g_c", "", 0}, -1);
  EXPECT_EQ(productModel().transfers(Unit::Values).smooth(),
            abc * Expression(perA) + abc * Expression(perC) +
                sym("a") * sym("c"));
  EXPECT_EQ(productModel().transfers(Unit::Values).smooth().str(),
            "a·b·c/g_c + b·c·a/g_a + a·c");
}

TEST(Optimum, AttentionIsInverseInMemory) {
  std::optional<ClosedForm> form =
      findClosedForm(attentionModel(), Unit::Values);
  ASSERT_TRUE(form);
  EXPECT_EQ(form->memory.str(), "2·g_q·d");
  EXPECT_EQ(form->beta, Rational(1));
  EXPECT_EQ(form->transfers.str(), "4·x·d²·q/M + 2·q·d");
  ASSERT_EQ(form->partition.size(), 1u);
  EXPECT_EQ(form->partition[0].second.str(), "M/(2·d)");
}

TEST(Optimum, ProductIsInverseInTheRootOfMemory) {
  std::optional<ClosedForm> form = findClosedForm(productModel(), Unit::Values);
  ASSERT_TRUE(form);
  EXPECT_EQ(form->memory.str(), "g_a·g_c");
  EXPECT_EQ(form->beta, *Rational::get(1, 2));
  Monomial expected(2);
  for (const char *axis : {"a", "b", "c"})
    expected.multiply({Atom::Kind::Symbol, axis, "", 0}, 1);
  expected.multiply({Atom::Kind::Symbol, "M", "", 0}, *Rational::get(-1, 2));
  EXPECT_EQ(form->transfers, Expression(expected) + sym("a") * sym("c"));
  ASSERT_EQ(form->partition.size(), 2u);
  EXPECT_EQ(form->partition[0].second.str(), "√M");
  EXPECT_EQ(form->partition[1].second.str(), "√M");
}

// With unequal widths the square is no longer best; the means say by how much.
TEST(Optimum, MixedPrecisionProduct) {
  KernelModel model = productModel();
  model.arrays[0].bytesPerValue = 1;
  model.arrays[2].bytesPerValue = 4;
  std::optional<ClosedForm> form = findClosedForm(model, Unit::Bytes);
  ASSERT_TRUE(form);
  Bindings values;
  values["a"] = values["b"] = values["c"] = 1024;
  values["M"] = 65536;
  double best = llvm::cantFail(form->transfers.evaluateReal(values));
  // Any partition on the constraint 4·g_a·g_c = M moves at least as much.
  for (int64_t rows = 16; rows <= 1024; rows *= 2) {
    values["g_a"] = rows;
    values["g_c"] = 65536 / 4 / rows;
    EXPECT_LE(best,
              llvm::cantFail(
                  model.transfers(Unit::Bytes).smooth().evaluateReal(values)) *
                  (1 + 1e-12));
  }
}

TEST(Optimum, DifferentWidthOfValuesKeepsSums) {
  KernelModel model = attentionModel();
  model.arrays[2].axes = {"x", "v"};
  model.arrays[5].axes = {"q", "v"};
  std::optional<ClosedForm> form = findClosedForm(model, Unit::Values);
  ASSERT_TRUE(form);
  EXPECT_EQ(form->beta, Rational(1));
  EXPECT_EQ(form->transfers.smooth().terms().size(), 5u);
}

TEST(Optimum, NothingRepeatedNeedsNoMemory) {
  KernelModel model;
  model.arrays = {{"x", {"r", "k"}, 2, Role::Read},
                  {"y", {"r", "k"}, 2, Role::Written}};
  model.groupAxes = {"r"};
  std::optional<ClosedForm> form = findClosedForm(model, Unit::Values);
  ASSERT_TRUE(form);
  EXPECT_TRUE(form->beta.isZero());
  EXPECT_EQ(form->transfers.str(), "2·r·k");
}

// DeepGEMM prints TFLOP/s and GB/s of the same runs (fp8 factors, bf16 result):
// compulsory bytes over the time that the first implies must give the second.
TEST(KernelModel, PublishedBandwidths) {
  struct Row {
    int64_t m, n, k;
    double teraflops, gigabytes;
  };
  for (const Row &row :
       {Row{4096, 4096, 7168, 1410, 541}, Row{4096, 32768, 512, 775, 1620},
        Row{64, 24576, 1536, 289, 2455}, Row{128, 7168, 16384, 645, 2604}}) {
    KernelModel model;
    model.arrays = {{"A", {"m", "k"}, 1, Role::Read},
                    {"B", {"k", "n"}, 1, Role::Read},
                    {"C", {"m", "n"}, 2, Role::Written}};
    Bindings values;
    values["m"] = row.m;
    values["n"] = row.n;
    values["k"] = row.k;
    double bytes =
        double(llvm::cantFail(model.compulsory(Unit::Bytes).evaluate(values)));
    double seconds = 2.0 * double(row.m) * double(row.n) * double(row.k) /
                     (row.teraflops * 1e12);
    EXPECT_NEAR(bytes / seconds / 1e9 / row.gigabytes, 1, 0.003);
  }
}

// Twice the memory halves what attention reads again; slope -1 in log-log.
TEST(Optimum, SlopesInMemory) {
  auto repeated = [](const KernelModel &model, int64_t memory) {
    ClosedForm form = *findClosedForm(model, Unit::Values);
    Bindings values;
    for (const char *axis : {"q", "x", "d", "a", "b", "c"})
      values[axis] = 1024;
    values["M"] = memory;
    double fixed = llvm::cantFail(
        form.transfers
            .filter([](const Monomial &term) { return !term.mentions("M"); })
            .evaluateReal(values));
    return llvm::cantFail(form.transfers.evaluateReal(values)) - fixed;
  };
  EXPECT_NEAR(repeated(attentionModel(), 1 << 16) /
                  repeated(attentionModel(), 1 << 17),
              2, 1e-9);
  EXPECT_NEAR(repeated(productModel(), 1 << 16) /
                  repeated(productModel(), 1 << 18),
              2, 1e-9);
}
