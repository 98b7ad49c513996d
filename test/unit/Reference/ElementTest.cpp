//===- ElementTest.cpp - rounding and bits of element types ---------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The oracle is LLVM's APFloat, which shares nothing with our bit code.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Element.h"
#include "llvm/ADT/APFloat.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace napkin::reference;

namespace {

const llvm::fltSemantics &semanticsOf(Element element) {
  switch (element) {
  case Element::F64:
    return llvm::APFloat::IEEEdouble();
  case Element::F32:
    return llvm::APFloat::IEEEsingle();
  case Element::TF32:
    return llvm::APFloat::FloatTF32();
  case Element::BF16:
    return llvm::APFloat::BFloat();
  case Element::F16:
    return llvm::APFloat::IEEEhalf();
  case Element::F8E4M3FN:
    return llvm::APFloat::Float8E4M3FN();
  default:
    return llvm::APFloat::Float8E5M2();
  }
}

double oracle(Element element, double value) {
  llvm::APFloat result(value);
  bool losesInfo;
  result.convert(semanticsOf(element), llvm::APFloat::rmNearestTiesToEven,
                 &losesInfo);
  result.convert(llvm::APFloat::IEEEdouble(),
                 llvm::APFloat::rmNearestTiesToEven, &losesInfo);
  return result.convertToDouble();
}

constexpr Element floats[] = {Element::F64,   Element::F32, Element::TF32,
                              Element::BF16,  Element::F16, Element::F8E4M3FN,
                              Element::F8E5M2};

void expectSame(Element element, double have, double want, double value) {
  if (std::isnan(want)) {
    EXPECT_TRUE(std::isnan(have)) << elementName(element).str() << " " << value;
    return;
  }
  EXPECT_EQ(have, want) << elementName(element).str() << " " << value;
  EXPECT_EQ(std::signbit(have), std::signbit(want)) << value;
}

TEST(ElementTest, NamesRoundTrip) {
  for (Element element : floats)
    EXPECT_EQ(parseElement(elementName(element)), element);
  EXPECT_EQ(parseElement("f31"), std::nullopt);
}

TEST(ElementTest, RoundingAgreesWithAPFloat) {
  std::mt19937_64 random(7);
  for (Element element : floats) {
    for (int trial = 0; trial < 20000; ++trial) {
      // Exponents beyond both ends of every format.
      int exponent = static_cast<int>(random() % 340) - 170;
      double value = std::ldexp(
          1 + static_cast<double>(random() >> 11) * 0x1p-53, exponent);
      // Few bits make ties likely.
      if (trial % 2)
        value = std::ldexp(static_cast<double>(random() % 64), exponent);
      if (trial % 3 == 0)
        value = -value;
      expectSame(element, roundTo(element, value), oracle(element, value),
                 value);
    }
    double infinity = std::numeric_limits<double>::infinity();
    for (double value :
         {0.0, -0.0, infinity, -infinity, std::nan(""), 448.0, 464.0, 465.0,
          65504.0, 65519.0, 65520.0, 57344.0, 61439.0, 61440.0})
      expectSame(element, roundTo(element, value), oracle(element, value),
                 value);
  }
}

TEST(ElementTest, EveryBitPatternRoundTrips) {
  for (Element element :
       {Element::BF16, Element::F16, Element::F8E4M3FN, Element::F8E5M2}) {
    unsigned width = 8 * elementBytes(element);
    for (uint64_t bits = 0; bits < (uint64_t(1) << width); ++bits) {
      llvm::APFloat want(semanticsOf(element), llvm::APInt(width, bits));
      double value = decodeFloat(element, bits);
      if (want.isNaN()) {
        EXPECT_TRUE(std::isnan(value));
        EXPECT_TRUE(
            std::isnan(decodeFloat(element, encodeFloat(element, value))));
        continue;
      }
      bool losesInfo;
      want.convert(llvm::APFloat::IEEEdouble(),
                   llvm::APFloat::rmNearestTiesToEven, &losesInfo);
      ASSERT_EQ(value, want.convertToDouble()) << bits;
      ASSERT_EQ(encodeFloat(element, value), bits);
    }
  }
}

TEST(ElementTest, TF32IsStoredAsFloat) {
  EXPECT_EQ(encodeFloat(Element::TF32, 1.0), 0x3F800000u);
  EXPECT_EQ(decodeFloat(Element::TF32, 0xC0400000u), -3.0);
}

TEST(ElementTest, IntegersWrap) {
  EXPECT_EQ(wrapTo(Element::I8, 200), -56);
  EXPECT_EQ(wrapTo(Element::I32, int64_t(1) << 31), INT32_MIN);
  EXPECT_EQ(wrapTo(Element::I1, 3), 1);
  EXPECT_EQ(wrapTo(Element::I64, -5), -5);
}

} // namespace
