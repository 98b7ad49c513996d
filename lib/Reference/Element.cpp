//===- Element.cpp - element types as stored in memory --------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each float format is four numbers; rounding and bits follow from them.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Element.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <cmath>
#include <limits>

using namespace napkin::reference;

namespace {

/// A binary float format without sign bit.
struct Format {
  /// Bits of the fraction.
  int fraction;
  /// Exponent of the least normal number.
  int minExponent;
  /// Bits of the exponent.
  int exponentBits;
  /// Largest finite value.
  double largest;
  /// Whether all ones in the exponent mean infinity and NaN, as in IEEE 754.
  bool hasInfinity;
  /// Bits below the fraction that storage pads with: 13 for tf32.
  int padding;
  /// The least normal number.
  double leastNormal = std::ldexp(1.0, minExponent);
  /// Below the normal numbers the spacing is fixed. Adding 1.5 * 2^52 times the
  /// spacing leaves no bits below it, and rounds ties to even.
  double magic = std::ldexp(1.5, 52 + minExponent - fraction);
};

} // namespace

static const Format &formatOf(Element element) {
  static const Format tf32{10, -126, 8, 0x1.ffcp127, true, 13};
  static const Format bf16{7, -126, 8, 0x1.fep127, true, 0};
  static const Format f16{10, -14, 5, 65504.0, true, 0};
  static const Format e4m3{3, -6, 4, 448.0, false, 0};
  static const Format e5m2{2, -14, 5, 57344.0, true, 0};
  switch (element) {
  case Element::TF32:
    return tf32;
  case Element::BF16:
    return bf16;
  case Element::F16:
    return f16;
  case Element::F8E4M3FN:
    return e4m3;
  default:
    return e5m2;
  }
}

namespace {
struct ElementInfo {
  Element element;
  llvm::StringLiteral name;
  unsigned bytes;
  bool isFloat;
};
} // namespace

static constexpr ElementInfo elements[] = {
    {Element::F64, "f64", 8, true},
    {Element::F32, "f32", 4, true},
    {Element::TF32, "tf32", 4, true},
    {Element::BF16, "bf16", 2, true},
    {Element::F16, "f16", 2, true},
    {Element::F8E4M3FN, "f8E4M3FN", 1, true},
    {Element::F8E5M2, "f8E5M2", 1, true},
    {Element::I8, "i8", 1, false},
    {Element::I16, "i16", 2, false},
    {Element::I32, "i32", 4, false},
    {Element::I64, "i64", 8, false},
    {Element::I1, "i1", 1, false},
};

static const ElementInfo &infoOf(Element element) {
  return elements[static_cast<unsigned>(element)];
}

llvm::StringRef napkin::reference::elementName(Element element) {
  return infoOf(element).name;
}

std::optional<Element> napkin::reference::parseElement(llvm::StringRef name) {
  for (const ElementInfo &info : elements)
    if (info.name == name)
      return info.element;
  return std::nullopt;
}

unsigned napkin::reference::elementBytes(Element element) {
  return infoOf(element).bytes;
}

bool napkin::reference::isFloat(Element element) {
  return infoOf(element).isFloat;
}

double napkin::reference::largestFinite(Element element) {
  if (element == Element::F64)
    return std::numeric_limits<double>::max();
  if (element == Element::F32)
    return std::numeric_limits<float>::max();
  return formatOf(element).largest;
}

/// Rounds \p value to \p format.
static inline double roundToFormat(const Format &format, double value) {
  if (!std::isfinite(value))
    return format.hasInfinity || std::isnan(value)
               ? value
               : std::numeric_limits<double>::quiet_NaN();
  double magnitude = std::fabs(value);
  double rounded;
  if (magnitude < format.leastNormal) {
    rounded = (magnitude + format.magic) - format.magic;
  } else {
    int dropped = 52 - format.fraction;
    uint64_t bits = llvm::bit_cast<uint64_t>(magnitude);
    uint64_t half =
        (uint64_t(1) << (dropped - 1)) - 1 + ((bits >> dropped) & 1);
    bits = (bits + half) & ~((uint64_t(1) << dropped) - 1);
    rounded = llvm::bit_cast<double>(bits);
  }
  if (rounded > format.largest)
    rounded = format.hasInfinity ? std::numeric_limits<double>::infinity()
                                 : std::numeric_limits<double>::quiet_NaN();
  return std::copysign(rounded, value);
}

double napkin::reference::roundTo(Element element, double value) {
  if (element == Element::F64)
    return value;
  if (element == Element::F32)
    return static_cast<float>(value);
  return roundToFormat(formatOf(element), value);
}

void napkin::reference::roundTo(Element element,
                                llvm::MutableArrayRef<double> values) {
  if (element == Element::F64)
    return;
  if (element == Element::F32) {
    for (double &value : values)
      value = static_cast<float>(value);
    return;
  }
  const Format &format = formatOf(element);
  for (double &value : values)
    value = roundToFormat(format, value);
}

int64_t napkin::reference::wrapTo(Element element, int64_t value) {
  switch (element) {
  case Element::I1:
    return value & 1;
  case Element::I8:
    return static_cast<int8_t>(value);
  case Element::I16:
    return static_cast<int16_t>(value);
  case Element::I32:
    return static_cast<int32_t>(value);
  default:
    return value;
  }
}

uint64_t napkin::reference::encodeFloat(Element element, double value) {
  if (element == Element::F64)
    return llvm::bit_cast<uint64_t>(value);
  if (element == Element::F32)
    return llvm::bit_cast<uint32_t>(static_cast<float>(value));
  const Format &format = formatOf(element);
  value = roundToFormat(format, value);
  uint64_t sign = std::signbit(value) ? 1 : 0;
  uint64_t ones = (uint64_t(1) << format.exponentBits) - 1;
  uint64_t exponent = 0, fraction = 0;
  if (std::isnan(value)) {
    exponent = ones;
    // The quiet bit, or the only NaN where there is no infinity.
    fraction = format.hasInfinity ? uint64_t(1) << (format.fraction - 1)
                                  : (uint64_t(1) << format.fraction) - 1;
  } else if (std::isinf(value)) {
    exponent = ones;
  } else if (value != 0) {
    int power = std::max(std::ilogb(value), format.minExponent);
    uint64_t scaled = static_cast<uint64_t>(
        std::ldexp(std::fabs(value), format.fraction - power));
    uint64_t implicit = uint64_t(1) << format.fraction;
    exponent = scaled >= implicit ? power - format.minExponent + 1 : 0;
    fraction = scaled & (implicit - 1);
  }
  uint64_t bits = (sign << (format.exponentBits + format.fraction)) |
                  (exponent << format.fraction) | fraction;
  return bits << format.padding;
}

double napkin::reference::decodeFloat(Element element, uint64_t bits) {
  if (element == Element::F64)
    return llvm::bit_cast<double>(bits);
  if (element == Element::F32)
    return llvm::bit_cast<float>(static_cast<uint32_t>(bits));
  const Format &format = formatOf(element);
  // A tf32 is stored as a float whose low bits do not count.
  bits >>= format.padding;
  uint64_t ones = (uint64_t(1) << format.exponentBits) - 1;
  uint64_t fraction = bits & ((uint64_t(1) << format.fraction) - 1);
  uint64_t exponent = (bits >> format.fraction) & ones;
  bool negative = (bits >> (format.fraction + format.exponentBits)) & 1;
  double magnitude;
  if (exponent == ones && format.hasInfinity)
    magnitude = fraction ? std::numeric_limits<double>::quiet_NaN()
                         : std::numeric_limits<double>::infinity();
  else if (exponent == ones && fraction == (uint64_t(1) << format.fraction) - 1)
    magnitude = std::numeric_limits<double>::quiet_NaN();
  else if (exponent == 0)
    magnitude = std::ldexp(static_cast<double>(fraction),
                           format.minExponent - format.fraction);
  else
    magnitude = std::ldexp(
        static_cast<double>(fraction | (uint64_t(1) << format.fraction)),
        static_cast<int>(exponent) - 1 + format.minExponent - format.fraction);
  return negative ? -magnitude : magnitude;
}
