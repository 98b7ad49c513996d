//===- ExecutorTest.cpp - The executor from C ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Only the C header is used.
//
//===----------------------------------------------------------------------===//

#include "napkin-c/Executor.h"

#include <gtest/gtest.h>

#include <cstring>

static const char *text =
    ".version 8.0\n.target sm_80\n.address_size 64\n"
    ".visible .entry k(.param .u64 p, .param .u32 n)\n{\n"
    ".reg .b32 %r<4>; .reg .b64 %rd<4>;\n"
    "ld.param.u64 %rd1, [p]; ld.param.u32 %r1, [n]; mov.u32 %r2, %tid.x;\n"
    "mad.wide.u32 %rd2, %r2, 4, %rd1; ld.global.u32 %r3, [%rd2]; add.u32 %r3, "
    "%r3, %r1;\n"
    "st.global.u32 [%rd2], %r3; ret;\n}\n";

TEST(CAPI, Launch) {
  char *error = nullptr;
  EXPECT_EQ(napkinExecutorParse("nonsense", 8, "a.ptx", &error), nullptr);
  ASSERT_NE(error, nullptr);
  EXPECT_EQ(std::string(error).find("a.ptx:1:1: error:"), 0u);
  napkinExecutorFree(error);
  NapkinExecutorModule *module =
      napkinExecutorParse(text, strlen(text), "k.ptx", &error);
  ASSERT_NE(module, nullptr);
  EXPECT_EQ(error, nullptr);
  NapkinExecutorDevice *device = napkinExecutorDeviceCreate();
  uint64_t address = napkinExecutorAllocate(device, 128, "p", &error);
  uint32_t values[32], n = 5;
  for (uint32_t i = 0; i < 32; ++i)
    values[i] = i;
  ASSERT_TRUE(napkinExecutorCopyToDevice(device, address, values, 128, &error));
  EXPECT_FALSE(
      napkinExecutorCopyToDevice(device, address, values, 129, &error));
  napkinExecutorFree(error);
  NapkinExecutorArgument arguments[] = {{&address, 8}, {&n, 4}};
  NapkinExecutorLaunchConfig config = {{1, 1, 1}, {32, 1, 1}, {0, 0, 0}, 0};
  NapkinExecutorResult *result = napkinExecutorLaunch(
      device, module, nullptr, arguments, 2, &config, nullptr, &error);
  ASSERT_NE(result, nullptr);
  EXPECT_EQ(napkinExecutorNumTraps(result), 0u);
  EXPECT_EQ(napkinExecutorGlobalReadBytes(result), 128u);
  EXPECT_NE(
      strstr(napkinExecutorCounters(result), "\"global_write_bytes\": 128"),
      nullptr);
  napkinExecutorResultDestroy(result);
  ASSERT_TRUE(napkinExecutorCopyFromDevice(device, values, address, 128,
                                           nullptr, &error));
  EXPECT_EQ(values[7], 12u);
  config.block[0] = 64;
  NapkinExecutorOptions options = napkinExecutorDefaultOptions();
  result = napkinExecutorLaunch(device, module, "k", arguments, 2, &config,
                                &options, &error);
  ASSERT_EQ(napkinExecutorNumTraps(result), 1u);
  EXPECT_STREQ(napkinExecutorTrapName(result, 0), "out-of-bounds");
  napkinExecutorResultDestroy(result);
  EXPECT_EQ(napkinExecutorLaunch(device, module, "x", arguments, 2, &config,
                                 &options, &error),
            nullptr);
  napkinExecutorFree(error);
  napkinExecutorDeviceDestroy(device);
  napkinExecutorModuleDestroy(module);
}
