//===- HardwareTest.cpp - the compiled-in machines --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every shipped description parses; a broken one is refused by field.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Hardware.h"
#include "gtest/gtest.h"

using namespace napkin::cost;

TEST(Hardware, ShipsMachines) {
  EXPECT_EQ(hardwareNames(), (llvm::SmallVector<llvm::StringRef>{
                                 "a100_80gb", "h100", "rtx_3090", "rtx_4090"}));
  EXPECT_EQ(findHardware("a100"), nullptr);
  EXPECT_EQ(defaultHardware("sm_80")->name, "a100_80gb");
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
