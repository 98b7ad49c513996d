//===- HardwareTest.cpp - the compiled-in machines --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every shipped description parses; a broken one is refused by field.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Hardware.h"
#include "gtest/gtest.h"
#include <map>

using namespace napkin::cost;

TEST(Hardware, ShipsMachines) {
  EXPECT_EQ(hardwareNames(),
            (llvm::SmallVector<llvm::StringRef>{
                "a10", "a100_40gb", "a100_80gb", "b200", "gh200", "h100",
                "h100_pcie", "h20", "h200", "h800", "jetson_orin", "l4", "l40s",
                "rtx_3090", "rtx_4090"}));
  EXPECT_EQ(findHardware("a100"), nullptr);
  EXPECT_EQ(defaultHardware("sm_80")->name, "a100_80gb");
  EXPECT_EQ(defaultHardware("sm_86")->name, "rtx_3090");
  EXPECT_EQ(defaultHardware("sm_20"), nullptr);
}

TEST(Hardware, A100) {
  const Hardware &machine = *findHardware("a100_80gb");
  EXPECT_EQ(machine.multiprocessors, 108);
  EXPECT_EQ(machine.level("shared").capacityBytes, 163 * 1024);
  EXPECT_EQ(machine.level("l2").capacityBytes, 40 << 20);
  EXPECT_NEAR(machine.level("global").bytesPerCycle, 2039e9 / 1.41e9, 1e-6);
  // 255 registers less 31 for addresses; at 512 threads each has 128.
  EXPECT_EQ(machine.usableRegisters(256), 224);
  EXPECT_EQ(machine.usableRegisters(512), 97);
}

TEST(Hardware, RefusesByField) {
  auto errorOf = [](llvm::StringRef text) {
    llvm::Expected<Hardware> machine = Hardware::parse(text);
    return machine ? "" : llvm::toString(machine.takeError());
  };
  EXPECT_NE(errorOf("{"), "");
  EXPECT_EQ(errorOf("[]"), "a hardware description is a JSON object in braces");
  EXPECT_EQ(
      errorOf("{\"name\": \"toy\"}"),
      "hardware description 'toy': no 'title', which is a string in quotes");
}

TEST(Hardware, OneStandsForEachTarget) {
  std::map<std::string, int> standing;
  for (llvm::StringRef name : hardwareNames())
    standing[findHardware(name)->target] += findHardware(name)->standsForTarget;
  for (const auto &[target, count] : standing)
    EXPECT_EQ(count, target == "sm_100a" ? 0 : 1) << target;
}

TEST(Hardware, LikeAnother) {
  Hardware machine = llvm::cantFail(Hardware::parse(
      R"({"name": "mine", "title": "Mine", "like": "a100_80gb",
          "source": "me", "rates": {"special": 32},
          "levels": [{"name": "l2", "capacity_bytes": 1048576}]})"));
  const Hardware &like = *findHardware("a100_80gb");
  EXPECT_EQ(machine.name, "mine");
  EXPECT_EQ(machine.target, like.target);
  EXPECT_FALSE(machine.standsForTarget);
  EXPECT_EQ(machine.specialPerCycle, 32);
  EXPECT_EQ(machine.fmaPerCycle, like.fmaPerCycle);
  EXPECT_EQ(machine.level("l2").capacityBytes, 1 << 20);
  EXPECT_EQ(machine.level("l2").latencyCycles, like.level("l2").latencyCycles);
  EXPECT_EQ(machine.levels.size(), like.levels.size());
  // What is like a machine that is like another.
  machine =
      llvm::cantFail(Hardware::parse(R"({"name": "mine", "like": "h200"})"));
  EXPECT_EQ(machine.level("shared").capacityBytes, 227 * 1024);
}

TEST(Hardware, WithOtherNumbers) {
  Hardware machine = llvm::cantFail(loadHardware(
      "a100_80gb[smem=128K, multiprocessors=54, registers.per_thread=128, "
      "registers.capacity_bytes=128K, bandwidth=1.5T]"));
  EXPECT_EQ(machine.level("shared").capacityBytes, 128 << 10);
  EXPECT_EQ(machine.multiprocessors, 54);
  EXPECT_EQ(machine.registersPerThread, 128);
  EXPECT_EQ(machine.level("registers").capacityBytes, 128 << 10);
  EXPECT_NEAR(machine.level("global").bytesPerCycle, 1.5e12 / 1.41e9, 1e-6);
  EXPECT_EQ(machine.title,
            "NVIDIA A100 SXM4 80 GB with smem=128K, multiprocessors=54, "
            "registers.per_thread=128, registers.capacity_bytes=128K, "
            "bandwidth=1.5T");
  // Who has only the name finds the same machine.
  EXPECT_EQ(llvm::cantFail(loadHardware(machine.name)).multiprocessors, 54);
}

TEST(Hardware, RefusesALikenessToNothing) {
  llvm::Expected<Hardware> machine =
      Hardware::parse(R"({"name": "mine", "like": "a200"})");
  ASSERT_FALSE(bool(machine));
  std::string error = llvm::toString(machine.takeError());
  EXPECT_EQ(error.find("hardware description 'mine': 'like' is \"a200\", not "
                       "one of a10, a100_40gb, "),
            0u);
}

TEST(Hardware, RefusesChangesByField) {
  auto errorOf = [](llvm::StringRef name) {
    llvm::Expected<Hardware> machine = loadHardware(name);
    return machine ? "" : llvm::toString(machine.takeError());
  };
  EXPECT_EQ(errorOf("a100_80gb[smem]"),
            "a change of a machine is written field=value, not 'smem'");
  EXPECT_EQ(errorOf("a100_80gb[smem=much]"),
            "'smem' is a number such as 128K, not 'much'");
  EXPECT_EQ(errorOf("a100_80gb[sms=-4]"),
            "hardware description 'a100_80gb': 'multiprocessors' is -4, not a "
            "positive whole number");
  EXPECT_NE(errorOf("a100_80gb[name=toy]").find("has no number 'name'; it has"),
            std::string::npos);
  EXPECT_NE(errorOf("a100[sms=4]").find("no hardware description 'a100'"),
            std::string::npos);
}
