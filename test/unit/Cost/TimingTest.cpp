//===- TimingTest.cpp - the law of time -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The worked instance of Timing.h, and the laws that the search relies on.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Timing.h"
#include "napkin/Target/Target.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace napkin;
using namespace napkin::cost;

namespace {
const Hardware &machine() { return *findHardware("a100_80gb"); }
const target::MatrixInstruction &row(llvm::StringRef name) {
  return *target::lookupTarget("sm_80")->find(name);
}

/// The product of Timing.h: 128 by 256 by 64 a step, 8 warps, 4096 cubed.
KernelWork product() {
  KernelWork work;
  work.warps = 8;
  work.steps = 64;
  work.ahead = 2;
  work.phases = {productPhase(machine(), row("mma.m16n8k16.bf16"), 64, 64, 64,
                              2 * 64 * (64 + 64), 64)};
  work.streamedBytes = 2 * 64 * (128 + 256) * 64;
  work.storedBytes = 2 * 128 * 256;
  work.blocks = 512;
  work.deviceBytes = 300e6;
  return work;
}

/// A block that does nothing but elementwise work.
KernelWork elementwise(double instructions, int64_t blocks) {
  KernelWork work;
  work.phases = {vectorPhase(machine(), {instructions, 0, 0, 0}, 0, 1)};
  work.blocks = blocks;
  work.resident = 8;
  return work;
}

double busy(const Timing &timing, Pipe pipe) {
  return timing.busy[unsigned(pipe)];
}
} // namespace

TEST(Timing, WorkedInstance) {
  KernelWork work = product();
  const Phase &phase = work.phases[0];
  EXPECT_DOUBLE_EQ(phase.cycles[unsigned(Pipe::Tensor)], 1024);
  EXPECT_DOUBLE_EQ(phase.sharedBytes, 16384);
  EXPECT_NEAR(phase.cycles[unsigned(Pipe::Issue)], 184, 0.5);
  Timing timing = estimate(machine(), work);
  EXPECT_EQ(timing.binds, "tensor");
  // 4096³ products over 1024 a cycle and multiprocessor.
  EXPECT_NEAR(busy(timing, Pipe::Tensor), std::pow(4096.0, 3) / 1024 / 108, 1);
  double rate = 2 * std::pow(4096.0, 3) / timing.seconds(machine()) / 1e12;
  EXPECT_GT(rate, 210);
  EXPECT_LT(rate, 250);
}

TEST(Timing, ScalarRowsAreInstructionsOfThreads) {
  Phase phase = productPhase(machine(), row("fma.f32"), 16, 16, 8, 0, 1);
  // 2048 products by 32 threads, 2 cycles each.
  EXPECT_DOUBLE_EQ(phase.cycles[unsigned(Pipe::Fma)], 128);
  EXPECT_DOUBLE_EQ(phase.cycles[unsigned(Pipe::Tensor)], 0);
}

TEST(Timing, PipesOverlapInPart) {
  auto cycles = [](const Instructions &count) {
    KernelWork work = elementwise(0, 108);
    work.phases = {vectorPhase(machine(), count, 0, 1)};
    return estimate(machine(), work).multiprocessors;
  };
  double fma = cycles({1e6, 0, 0, 0}), special = cycles({0, 0, 2.5e5, 0}),
         both = cycles({1e6, 0, 2.5e5, 0});
  EXPECT_GT(both, std::max(fma, special));
  EXPECT_LT(both, fma + special);
}

TEST(Timing, ManyWarpsHideWhatOneWaitsFor) {
  auto cycles = [](int64_t resident) {
    KernelWork work = product();
    work.resident = resident;
    return estimate(machine(), work).multiprocessors;
  };
  EXPECT_LT(cycles(2), cycles(1));
  // Never below what the tensor cores need, clock and all.
  EXPECT_GT(cycles(8), std::pow(4096.0, 3) / 1024 / 108);
}

TEST(Timing, WorkIsDividedByThoseThatHaveSome) {
  auto cycles = [](int64_t blocks) {
    return estimate(machine(), elementwise(1e5, blocks)).multiprocessors;
  };
  EXPECT_DOUBLE_EQ(cycles(1), cycles(108));
  EXPECT_GT(cycles(109), cycles(108));
  // 9 blocks do not fit at once where 8 do.
  EXPECT_GT(cycles(108 * 9), cycles(108 * 8) * 1.1);
}

TEST(Timing, DepthHidesLatency) {
  auto cycles = [](double ahead) {
    KernelWork work = product();
    work.ahead = ahead;
    return estimate(machine(), work).cycles;
  };
  EXPECT_LE(cycles(2), cycles(1));
  EXPECT_LT(cycles(1), cycles(0.5));
  EXPECT_LT(cycles(0.5), cycles(0));
}

TEST(Timing, LongBlocksFirst) {
  KernelWork work = product();
  work.longest = 2;
  double natural = estimate(machine(), work).cycles;
  work.longestFirst = true;
  EXPECT_LT(estimate(machine(), work).cycles, natural);
  // A grid of one wave takes as long as its longest block.
  work.blocks = 108;
  double longest = estimate(machine(), work).cycles;
  work.longestFirst = false;
  EXPECT_DOUBLE_EQ(estimate(machine(), work).cycles, longest);
}

TEST(Timing, FewBlocksDoNotReachTheBandwidth) {
  KernelWork work = elementwise(1, 8);
  work.deviceBytes = 1e9;
  double few = estimate(machine(), work).device;
  work.blocks = 1080;
  EXPECT_GT(few, 2 * estimate(machine(), work).device);
  EXPECT_EQ(estimate(machine(), work).binds, "global");
}

TEST(Timing, TheClockFallsWithTheUseOfTensorCores) {
  KernelWork work = product();
  work.blocks = 54000;
  Timing timing = estimate(machine(), work);
  EXPECT_LT(timing.clockMHz, machine().clockMHz);
  EXPECT_GT(timing.clockMHz, machine().anchorMHz);
  EXPECT_EQ(estimate(machine(), elementwise(1e5, 1080)).clockMHz,
            machine().clockMHz);
}

TEST(Timing, WhatL2KeepsAlongTheGrid) {
  // 2048 × 32768 × 2048 in blocks of 128 by 256; the executor's L2 counts
  // 2,299.5 MB row by row and 411.0 MB in groups of 8 rows, results included.
  double results = 2 * 2048 * 32768.0, m = 2048, n = 32768, k = 2048;
  GridRead reads[] = {{2 * m * k, 2 * m * k * n / 256, 1},
                      {2 * k * n, 2 * k * n * m / 128, 2}};
  auto bytes = [&](llvm::ArrayRef<GridStep> order) {
    return (deviceReads(machine(), order, reads, 108) + results) / 1e6;
  };
  EXPECT_NEAR(bytes({{0, 16}, {1, 128}}), 2299.5, 115);
  EXPECT_NEAR(bytes({{0, 2}, {1, 128}, {0, 8}}), 411.0, 21);
  // What fits is read once, in any order.
  GridRead small[] = {{1e6, 1e8, 1}, {1e6, 1e8, 2}};
  EXPECT_DOUBLE_EQ(deviceReads(machine(), {{0, 16}, {1, 128}}, small, 108),
                   2e6);
}

TEST(Timing, MissesGrowSmoothly) {
  // An array walked again and again, from just inside to far outside of L2.
  double before = 0;
  for (double megabytes = 30; megabytes < 200; megabytes += 1) {
    GridRead read[] = {{megabytes * 1e6, megabytes * 8e6, 2}};
    double bytes = deviceReads(machine(), {{0, 8}, {1, 64}}, read, 1) / 1e6;
    EXPECT_GE(bytes, before);
    EXPECT_LT(bytes - before, 60);
    before = bytes;
  }
}

TEST(Timing, BlocksOfAMultiprocessor) {
  // 64 registers of 256 threads are a quarter of the file.
  EXPECT_EQ(residentBlocks(machine(), 8, 64, 0), 4);
  EXPECT_EQ(residentBlocks(machine(), 8, 58, 0), 4);
  // 1 KiB of each block belongs to the system: 164 KiB hold 81 KiB twice.
  EXPECT_EQ(residentBlocks(machine(), 4, 32, 81 * 1024), 2);
  EXPECT_EQ(residentBlocks(machine(), 4, 32, 82 * 1024), 1);
}
