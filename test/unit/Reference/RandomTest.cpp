//===- RandomTest.cpp - what random arrays hold ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Reference/Random.h"
#include "gtest/gtest.h"
#include <cmath>
#include <set>

using namespace napkin::reference;

namespace {

TEST(RandomTest, NamesReadBack) {
  EXPECT_EQ(distributionNames(),
            "normal, uniform, outliers, shifted, masked or extreme");
  EXPECT_EQ(parseDistribution("shifted"), Distribution::Shifted);
  EXPECT_FALSE(parseDistribution("none"));
}

TEST(RandomTest, ShiftedHasAMean) {
  auto meanOf = [](Element element, uint64_t seed) {
    double sum = 0;
    for (double value :
         randomTensor({{"a", 1000}}, element, Distribution::Shifted, seed)
             .floats)
      sum += value / 1000;
    return sum;
  };
  EXPECT_NEAR(meanOf(Element::F32, 1), 1e3, 1);
  EXPECT_NEAR(meanOf(Element::F32, 2), 1e4, 1);
  EXPECT_NEAR(meanOf(Element::F16, 2), 1023.5, 1);
  EXPECT_NEAR(meanOf(Element::F8E4M3FN, 2), 7, 0.2);
}

TEST(RandomTest, ExtremeIsLargeAndSometimesNotFinite) {
  for (Element element : {Element::F32, Element::BF16, Element::F16}) {
    Tensor tensor =
        randomTensor({{"a", 4096}}, element, Distribution::Extreme, 4);
    double largest = 0;
    for (double value : tensor.floats) {
      EXPECT_TRUE(std::isfinite(value));
      largest = std::max(largest, std::fabs(value));
    }
    EXPECT_GT(largest, std::sqrt(largestFinite(element)) / 64);
    EXPECT_LE(largest, std::sqrt(largestFinite(element)) * 8);
    Tensor poisoned =
        randomTensor({{"a", 4096}}, element, Distribution::Extreme, 3);
    int nans = 0, infinities = 0;
    for (double value : poisoned.floats) {
      nans += std::isnan(value);
      infinities += std::isinf(value);
    }
    EXPECT_EQ(nans, 1);
    EXPECT_EQ(infinities, 2);
  }
}

TEST(RandomTest, MasksHideInEveryWay) {
  Tensor mask =
      randomMask({{"q", 200}, {"x", 40}}, Element::F32, {"x"}, /*seed=*/1);
  std::set<double> values;
  int whole = 0, open = 0;
  for (int q = 0; q < 200; ++q) {
    int hidden = 0;
    for (int x = 0; x < 40; ++x)
      if (double value = mask.floats[q * 40 + x]; value < -1e8) {
        values.insert(value);
        ++hidden;
      }
    if (hidden == 40) {
      ++whole;
      EXPECT_LE(mask.floats[q * 40], -9e29);
    }
    open += hidden == 0;
  }
  EXPECT_EQ(values.size(), 5u);
  EXPECT_GT(whole, 5);
  EXPECT_GT(open, 5);
  // Along the other axis the patterns run down the columns.
  Tensor turned =
      randomMask({{"x", 40}, {"q", 1}}, Element::F16, {"x"}, /*seed=*/1);
  for (double value : turned.floats)
    EXPECT_TRUE(std::isinf(value) || value >= -65504);
}

} // namespace
