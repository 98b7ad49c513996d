//===- SettingsTest.cpp - What NAPKIN_DRIVER may say -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Keys, values, and what is said of others.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include <gtest/gtest.h>

using namespace napkin;
using namespace napkin::driver;

namespace {

TEST(Settings, SetsWhatIsNamed) {
  Settings settings;
  cantFail(parseSettings("hardware=a100_80gb,counters=table,races=off,seed=7,"
                         "numerics=h100,approx=worst,traps=3,memory=4096,"
                         "completion=random,jobs=2,limit=100,ptx=folder",
                         settings));
  EXPECT_EQ(settings.hardware, "a100_80gb");
  EXPECT_EQ(settings.counters, CounterFormat::Table);
  EXPECT_TRUE(settings.launch.checks);
  EXPECT_FALSE(settings.launch.races);
  EXPECT_EQ(settings.launch.seed, 7u);
  EXPECT_EQ(settings.launch.numerics, executor::Numerics::Faithful);
  EXPECT_EQ(settings.launch.tensorCore, executor::TensorCore::H100);
  EXPECT_EQ(settings.launch.approximation, executor::Approximation::Worst);
  EXPECT_EQ(settings.launch.completion, executor::Completion::Random);
  EXPECT_EQ(settings.launch.maxTraps, 3u);
  EXPECT_EQ(settings.launch.threads, 2u);
  EXPECT_EQ(settings.launch.instructionLimit, 100u);
  EXPECT_EQ(settings.memory, 4096u);
  EXPECT_EQ(settings.ptxFolder, "folder");
  cantFail(parseSettings("counters=out.json", settings));
  EXPECT_EQ(settings.counters, CounterFormat::Json);
  EXPECT_EQ(settings.countersFile, "out.json");
  cantFail(parseSettings("", settings));
}

TEST(Settings, SaysWhatIsWrong) {
  Settings settings;
  auto wrong = [&](const char *text) {
    return toString(parseSettings(text, settings));
  };
  EXPECT_EQ(wrong("checks=maybe"),
            "'maybe' is no value of 'checks'; it takes on or off");
  EXPECT_EQ(wrong("seed=x"), "'x' is no value of 'seed'; it takes a number");
  EXPECT_EQ(wrong("memory=0"),
            "'0' is no value of 'memory'; it takes bytes of device memory");
  EXPECT_EQ(wrong("hardware"),
            "'' is no value of 'hardware'; it takes a name or a .json file");
  EXPECT_EQ(wrong("speed=1").find("there is no setting 'speed'; there are: "),
            0u);
}

} // namespace
