//===- PipelinesTest.cpp - the compiler as a library ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Pipelines/Pipelines.h"
#include "mlir/Parser/Parser.h"
#include "napkin/Executor/Manifest.h"
#include "napkin/PTX/Parser.h"
#include <gtest/gtest.h>
#include <thread>

using namespace napkin;
using namespace napkin::pipelines;

/// A tile program: the last part of the way, without a schedule.
static const char negate[] = R"(
!tile = !tile.tile<n=128, f32, #tile.layout<register = [], lane = [1, 2, 4, 8, 16], warp = [32, 64]>>
tile.kernel @"negate all"(%x: !ncd.array<n=200, f32>, %y: !ncd.array<n=200, f32>)
    grid [n = %n : 128 of 200] warps 4 outputs 1 {
  %from = tile.view %x [n = %n : 128] : !ncd.array<n=200, f32>
  %to = tile.view %y [n = %n : 128] : !ncd.array<n=200, f32>
  %t = tile.load %from : !tile.view<n=128, f32> -> !tile
  %r = tile.map %t {
  ^bb0(%e: f32):
    %m = arith.negf %e : f32
    tile.yield %m : f32
  } : (!tile) -> !tile
  tile.store %r, %to : !tile, !tile.view<n=128, f32>
  tile.return
}
)";

TEST(Stages, NamesReadBack) {
  for (const StageInfo &info : stages())
    EXPECT_EQ(parseStage(info.name), info.stage);
  EXPECT_FALSE(parseStage("sass"));
}

TEST(CompileText, RunsWhatItCompiles) {
  auto compiled = compileText(negate, {});
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  auto manifest = executor::parseManifest(compiled->manifest, "manifest");
  ASSERT_TRUE(bool(manifest)) << llvm::toString(manifest.takeError());
  EXPECT_EQ(manifest->ptx, "negate_all.ptx");
  auto module = ptx::parse(compiled->ptx, manifest->ptx);
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  std::vector<float> values(200);
  for (int i = 0; i < 200; ++i)
    values[i] = i;
  executor::HostArrays arrays;
  const char *bytes = reinterpret_cast<const char *>(values.data());
  arrays["arg0"].assign(bytes, bytes + 800);
  auto ran = executor::runManifest(**module, *manifest, arrays);
  ASSERT_TRUE(bool(ran)) << llvm::toString(ran.takeError());
  ASSERT_EQ(arrays["result0"].size(), 800u);
  const float *results =
      reinterpret_cast<const float *>(arrays["result0"].data());
  for (int i = 0; i < 200; ++i)
    EXPECT_EQ(results[i], -values[i]);
}

TEST(CompileText, SameTextTwice) {
  auto first = compileText(negate, {}), second = compileText(negate, {});
  ASSERT_TRUE(bool(first) && bool(second));
  EXPECT_EQ(first->ptx, second->ptx);
  EXPECT_EQ(first->manifest, second->manifest);
}

/// A whole diagram: a product, and the logarithm of a sum of exponentials.
static const char scores[] = R"(
!q = !ncd.array<q=64, d=64, bf16>
!k = !ncd.array<x=100, d=64, bf16>
!s = !ncd.array<q=64, x=100, f32>
!l = !ncd.array<q=64, f32>
ncd.diagram @scores(%q: !q, %k: !k) -> !l {
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %l = ncd.logsumexp %s over [x] : !s -> !l
  ncd.return %l : !l
}
)";

TEST(CompileText, Diagram) {
  auto compiled = compileText(scores, {});
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  EXPECT_NE(compiled->ptx.find(".visible .entry scores("), std::string::npos);
  ASSERT_EQ(compiled->report.kernels.size(), 1u);
  auto manifest = executor::parseManifest(compiled->manifest, "manifest");
  ASSERT_TRUE(bool(manifest)) << llvm::toString(manifest.takeError());
  ASSERT_EQ(manifest->arrays.size(), 3u);
  EXPECT_EQ(manifest->arrays[0].name, "q");
  EXPECT_EQ(manifest->arrays[1].name, "k");
  EXPECT_EQ(manifest->kernels[0].predictedReadBytes,
            compiled->report.kernels[0].cost.globalReadBytes);
}

TEST(CompileText, ManifestSaysWhatItIsOf) {
  CompileOptions options;
  options.inputBound = 20;
  auto compiled = compileText(scores, options);
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  auto manifest = executor::parseManifest(compiled->manifest, "manifest");
  ASSERT_TRUE(bool(manifest)) << llvm::toString(manifest.takeError());
  // A reader knows every key that the writer writes.
  EXPECT_TRUE(manifest->notes.empty()) << manifest->notes.front();
  EXPECT_EQ(manifest->inputBoundLog2, 20);
  EXPECT_EQ(manifest->arrays[0].alignment, 16u);
  EXPECT_EQ(manifest->kernels[0].diagram, "scores");
  EXPECT_NE(compiled->manifest.find("bfloat16, little endian"),
            std::string::npos);
  auto module = ptx::parse(compiled->ptx, manifest->ptx);
  ASSERT_TRUE(bool(module)) << llvm::toString(module.takeError());
  EXPECT_EQ(manifest->ptxVersion, (*module)->version);
  EXPECT_EQ(llvm::toString(executor::checkPtx(*manifest, **module)), "");
  auto other = ptx::parse(compiled->ptx + "\n", manifest->ptx);
  ASSERT_TRUE(bool(other));
  EXPECT_NE(llvm::toString(executor::checkPtx(*manifest, **other)), "");
}

TEST(CompileText, ManyThreads) {
  std::string expected = llvm::cantFail(compileText(scores, {})).ptx;
  std::vector<std::string> texts(8);
  std::vector<std::thread> threads;
  for (std::string &text : texts)
    threads.emplace_back([&text] {
      auto compiled = compileText(scores, {});
      text = compiled ? compiled->ptx : llvm::toString(compiled.takeError());
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::string &text : texts)
    EXPECT_EQ(text, expected);
}

/// The message of the error that \p source and \p options give.
static std::string errorOf(const char *source, const CompileOptions &options) {
  auto compiled = compileText(source, options, "file.mlir");
  return compiled ? "" : llvm::toString(compiled.takeError());
}

TEST(CompileText, Errors) {
  CompileOptions options;
  EXPECT_NE(errorOf("ncd.nothing", options).find("file.mlir:1:1: error:"),
            std::string::npos);
  EXPECT_NE(
      errorOf("", options).find("file.mlir:1:1: error: nothing to compile"),
      std::string::npos);
  options.target = "sm_20";
  EXPECT_NE(errorOf(negate, options).find("unknown target 'sm_20'"),
            std::string::npos);
}
