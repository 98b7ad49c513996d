//===- HostileTest.cpp - Short texts that ask for much ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What random damage does not find: depth, and sizes that multiply.
//
//===----------------------------------------------------------------------===//

#include "napkin/Executor/Manifest.h"
#include "napkin/PTX/Parser.h"

#include <gtest/gtest.h>

using namespace napkin;
using executor::LaunchConfig;

namespace {

const std::string head = ".version 8.0\n.target sm_80\n.address_size 64\n";

/// The error of parsing and launching, else the traps' kinds.
std::string outcome(const std::string &text, LaunchConfig config = {},
                    executor::Options options = {},
                    executor::LaunchResult *result = nullptr) {
  auto module = ptx::parse(text, "h.ptx");
  if (!module)
    return toString(module.takeError());
  executor::Device device;
  auto launched = executor::launch(device, **module, "", {}, config, options);
  if (!launched)
    return toString(launched.takeError());
  std::string kinds;
  for (const executor::Trap &trap : launched->traps)
    kinds += executor::trapName(trap.kind).str();
  if (result)
    *result = std::move(*launched);
  return kinds;
}

bool contains(const std::string &text, const char *what) {
  return text.find(what) != std::string::npos;
}

TEST(Hostile, DeepAndCircularCalls) {
  std::string text = head;
  const int count = 20000;
  for (int i = 0; i < count; ++i)
    text += ".func f" + std::to_string(i) + "();\n";
  for (int i = 0; i < count; ++i)
    text += ".func f" + std::to_string(i) + "()\n{\n" +
            (i + 1 < count ? "call f" + std::to_string(i + 1) + ";\n" : "") +
            "ret;\n}\n";
  text += ".visible .entry k()\n{\ncall f0;\nret;\n}\n";
  EXPECT_TRUE(contains(outcome(text), "calls are nested too deeply"));
  EXPECT_TRUE(
      contains(outcome(head + ".func a();\n.func b()\n{\ncall a;\nret;\n}\n"
                              ".func a()\n{\ncall b;\nret;\n}\n"
                              ".visible .entry k()\n{\ncall a;\nret;\n}\n"),
               "is recursive"));
}

TEST(Hostile, ManyRegisters) {
  std::string text = head;
  for (int i = 0; i < 100; ++i)
    text += ".func f" + std::to_string(i) +
            "()\n{\n.reg .b32 %r<200000>;\nret;\n}\n";
  EXPECT_TRUE(contains(outcome(text), "together have too many registers"));
}

TEST(Hostile, LargeVariables) {
  std::string text = head + ".global .b8 g[1099511627776];\n"
                            ".visible .entry k()\n{\n.reg .b64 %rd<2>;\n"
                            "mov.u64 %rd1, g;\nret;\n}\n";
  EXPECT_TRUE(contains(outcome(text), "is the limit of this host"));
}

/// The largest grid there is costs nothing until it runs.
TEST(Hostile, LargeGrids) {
  const LaunchConfig config{{0x7fffffff, 65535, 65535}, {1, 1, 1}};
  std::string start = head + ".visible .entry k()\n{\n.reg .pred %p;\n";
  EXPECT_EQ(outcome(start + "trap;\n}\n", config), "user-trap");
  // Three of its blocks: the last is among them.
  executor::Options options;
  options.sampleBlocks = 3;
  options.threads = 1;
  executor::LaunchResult result;
  EXPECT_EQ(
      outcome(start + "setp.eq.u32 %p, %ctaid.z, 65534;\n@%p trap;\nret;\n}\n",
              config, options, &result),
      "user-trap");
  ASSERT_EQ(result.traps.size(), 1u);
  EXPECT_EQ(result.traps[0].block,
            (std::array<uint32_t, 3>{0x7ffffffe, 65534, 65534}));
  // More than the grid has.
  options.sampleBlocks = ~uint64_t(0);
  EXPECT_EQ(
      outcome(start + "ret;\n}\n", {{4, 1, 1}, {1, 1, 1}}, options, &result),
      "");
  EXPECT_EQ(result.counters.blocksExecuted, 4u);
}

TEST(Hostile, NestedManifests) {
  for (const char *open : {"[", "{\"a\":"}) {
    std::string text;
    for (int i = 0; i < 1000000; ++i)
      text += open;
    auto manifest = executor::parseManifest(text, "h.json");
    ASSERT_FALSE(bool(manifest));
    EXPECT_EQ(toString(manifest.takeError()),
              "h.json: error: the brackets are nested too deeply");
  }
}

/// A brace in a string opens nothing.
TEST(Hostile, BracketsInStrings) {
  std::string name(100, '[');
  auto manifest = executor::parseManifest(
      R"({"napkin": 1, "arrays": [{"name": ")" + name +
          R"(\"{", "role": "temporary", "element": "i8"}], "kernels": []})",
      "h.json");
  ASSERT_TRUE(bool(manifest)) << toString(manifest.takeError());
  EXPECT_EQ(manifest->arrays[0].name, name + "\"{");
}

} // namespace
