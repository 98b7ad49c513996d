//===- ExecutorTest.cpp - The executor from C ------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Runs the checks of ExecutorChecks.c. Each returns 0, or the line of the first
// that failed.
//
//===----------------------------------------------------------------------===//

#include <gtest/gtest.h>

extern "C" {
int checkModule(void);
int checkMemory(void);
int checkLaunch(void);
int checkTraps(void);
int checkCounters(void);
int checkTensorMap(void);
}

TEST(CAPI, Module) { EXPECT_EQ(checkModule(), 0); }
TEST(CAPI, Memory) { EXPECT_EQ(checkMemory(), 0); }
TEST(CAPI, Launch) { EXPECT_EQ(checkLaunch(), 0); }
TEST(CAPI, Traps) { EXPECT_EQ(checkTraps(), 0); }
TEST(CAPI, Counters) { EXPECT_EQ(checkCounters(), 0); }
TEST(CAPI, TensorMap) { EXPECT_EQ(checkTensorMap(), 0); }
