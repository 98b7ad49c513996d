//===- Formats.cpp - Rounding to any number format -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Formats.h.
//
//===----------------------------------------------------------------------===//

#include "Numerics/Formats.h"
#include "Vector/Backend.h"

#include <algorithm>
#include <cmath>
#include <cstring>

using namespace napkin::executor;
using napkin::ptx::Type;

namespace {

struct Format {
  int exponentBits, fractionBits, bias;
  bool hasInfinity;
  double largest;
};

Format formatOf(Type type) {
  switch (type) {
  case Type::F16:
  case Type::F16x2:
    return {5, 10, 15, true, 65504.0};
  case Type::BF16:
  case Type::BF16x2:
    return {8, 7, 127, true, 0x1.fep127};
  case Type::TF32:
    return {8, 10, 127, true, 0x1.ffcp127};
  case Type::F32:
    return {8, 23, 127, true, 0x1.fffffep127};
  case Type::E4M3:
  case Type::E4M3x2:
    return {4, 3, 7, false, 448.0};
  case Type::E5M2:
  case Type::E5M2x2:
    return {5, 2, 15, true, 57344.0};
  default:
    return {11, 52, 1023, true, 0x1.fffffffffffffp1023};
  }
}

bool isFloatType(Type type) {
  switch (type) {
  case Type::F16:
  case Type::F16x2:
  case Type::BF16:
  case Type::BF16x2:
  case Type::TF32:
  case Type::F32:
  case Type::F64:
  case Type::E4M3:
  case Type::E5M2:
  case Type::E4M3x2:
  case Type::E5M2x2:
    return true;
  default:
    return false;
  }
}

int intBits(Type type) {
  switch (type) {
  case Type::U8:
  case Type::S8:
  case Type::B8:
    return 8;
  case Type::U16:
  case Type::S16:
  case Type::B16:
    return 16;
  case Type::U32:
  case Type::S32:
  case Type::B32:
    return 32;
  default:
    return 64;
  }
}

bool isSignedInt(Type type) {
  return type == Type::S8 || type == Type::S16 || type == Type::S32 ||
         type == Type::S64;
}

/// An integer multiple of 2^scale nearest to `value` by the mode.
double roundUnit(double value, Rounding mode) {
  switch (mode) {
  case Rounding::Rz:
  case Rounding::Rzi:
    return std::trunc(value);
  case Rounding::Rm:
  case Rounding::Rmi:
    return std::floor(value);
  case Rounding::Rp:
  case Rounding::Rpi:
    return std::ceil(value);
  case Rounding::Rna:
    return std::round(value);
  default:
    return std::nearbyint(value);
  }
}

uint64_t nanOf(Type type) {
  switch (type) {
  case Type::E4M3:
  case Type::E4M3x2:
  case Type::E5M2:
  case Type::E5M2x2:
    return 0x7f;
  case Type::F16:
  case Type::F16x2:
  case Type::BF16:
  case Type::BF16x2:
    return 0x7fff;
  case Type::F64:
    return 0x7fffffffffffffffull;
  default:
    return 0x7fffffff;
  }
}

uint64_t encode(double value, Type type, Rounding mode, bool saturateFinite) {
  if (type == Type::F64) {
    uint64_t bits;
    std::memcpy(&bits, &value, 8);
    return bits;
  }
  if (std::isnan(value))
    return nanOf(type);
  Format f = formatOf(type);
  int total = 1 + f.exponentBits + f.fractionBits;
  uint64_t sign = std::signbit(value) ? uint64_t(1) << (total - 1) : 0;
  uint64_t infinity = ((uint64_t(1) << f.exponentBits) - 1) << f.fractionBits;
  double magnitude = std::fabs(value);
  // Directed modes act on the signed value.
  Rounding own = mode;
  if (std::signbit(value) && mode == Rounding::Rm)
    own = Rounding::Rp;
  else if (std::signbit(value) && mode == Rounding::Rp)
    own = Rounding::Rm;
  uint64_t body;
  uint64_t largestBits =
      f.hasInfinity ? infinity - 1 : infinity | ((1u << f.fractionBits) - 2);
  if (std::isinf(magnitude)) {
    body = saturateFinite  ? largestBits
           : f.hasInfinity ? infinity
                           : nanOf(type);
  } else {
    int exponent = magnitude == 0 ? -100000 : std::ilogb(magnitude);
    int low = 1 - f.bias;
    int unit = (exponent < low ? low : exponent) - f.fractionBits;
    double scaled = std::ldexp(magnitude, -unit);
    double rounded = std::ldexp(roundUnit(scaled, own), unit);
    if (rounded > f.largest) {
      bool down = own == Rounding::Rz || own == Rounding::Rm;
      body = saturateFinite || down ? largestBits
             : f.hasInfinity        ? infinity
                                    : nanOf(type);
    } else if (rounded == 0) {
      body = 0;
    } else {
      int e = std::ilogb(rounded);
      if (e < low)
        body = uint64_t(std::ldexp(rounded, f.fractionBits - low));
      else
        body = (uint64_t(e + f.bias) << f.fractionBits) |
               (uint64_t(std::ldexp(rounded, f.fractionBits - e)) &
                ((uint64_t(1) << f.fractionBits) - 1));
    }
  }
  uint64_t bits = sign | body;
  // tf32 lives in the upper 19 bits of an f32.
  return type == Type::TF32 ? bits << 13 : bits;
}

} // namespace

double napkin::executor::decodeFloat(uint64_t bits, Type type) {
  if (type == Type::F64) {
    double value;
    std::memcpy(&value, &bits, 8);
    return value;
  }
  if (type == Type::F32 || type == Type::TF32) {
    uint32_t low = type == Type::TF32 ? bits & 0xffffe000u : bits;
    float value;
    std::memcpy(&value, &low, 4);
    return value;
  }
  Format f = formatOf(type);
  int total = 1 + f.exponentBits + f.fractionBits;
  bool negative = (bits >> (total - 1)) & 1;
  int exponent = (bits >> f.fractionBits) & ((1 << f.exponentBits) - 1);
  uint64_t fraction = bits & ((uint64_t(1) << f.fractionBits) - 1);
  double value;
  if (f.hasInfinity && exponent == (1 << f.exponentBits) - 1)
    value = fraction ? NAN : INFINITY;
  else if (!f.hasInfinity && exponent == (1 << f.exponentBits) - 1 &&
           fraction == (1u << f.fractionBits) - 1)
    value = NAN;
  else if (exponent == 0)
    value = std::ldexp(double(fraction), 1 - f.bias - f.fractionBits);
  else
    value = std::ldexp(double(fraction | (uint64_t(1) << f.fractionBits)),
                       exponent - f.bias - f.fractionBits);
  return negative ? -value : value;
}

uint64_t napkin::executor::encodeFloat(double value, Type type) {
  return encode(value, type, Rounding::Rn, false);
}

int64_t napkin::executor::conversionCode(Type to, Type from, Rounding rounding,
                                         bool ftz, bool saturate, bool relu,
                                         bool finite) {
  return int64_t(finite) << 27 | int64_t(to) | int64_t(from) << 8 |
         int64_t(rounding) << 16 | int64_t(ftz) << 24 |
         int64_t(saturate) << 25 | int64_t(relu) << 26;
}

uint64_t napkin::executor::convertScalar(uint64_t value, int64_t code) {
  Type to = Type(code & 255), from = Type(code >> 8 & 255);
  Rounding mode = Rounding(code >> 16 & 255);
  bool ftz = code >> 24 & 1, saturate = code >> 25 & 1, relu = code >> 26 & 1,
       finite = code >> 27 & 1;
  bool toFloat = isFloatType(to), fromFloat = isFloatType(from);
  if (!fromFloat) {
    int width = intBits(from);
    bool isSignedFrom = isSignedInt(from);
    if (width < 64)
      value = isSignedFrom
                  ? uint64_t(int64_t(value << (64 - width)) >> (64 - width))
                  : value & ((uint64_t(1) << width) - 1);
    if (!toFloat) {
      int bits = intBits(to);
      if (saturate && bits < 65) {
        __int128 v = isSignedFrom ? __int128(int64_t(value)) : __int128(value);
        __int128 low = isSignedInt(to) ? -(__int128(1) << (bits - 1)) : 0;
        __int128 high =
            (__int128(1) << (isSignedInt(to) ? bits - 1 : bits)) - 1;
        v = v < low ? low : v > high ? high : v;
        value = uint64_t(v);
      }
      if (bits < 64)
        value = isSignedInt(to)
                    ? uint64_t(int64_t(value << (64 - bits)) >> (64 - bits))
                    : value & ((uint64_t(1) << bits) - 1);
      return value;
    }
    if (saturate) {
      bool isPositive = value && !(isSignedFrom && int64_t(value) < 0);
      return encode(isPositive ? 1.0 : 0.0, to, mode, false);
    }
    // A 64-bit integer need not be exact in double: keep a sticky bit.
    double magnitude;
    bool negative = isSignedFrom && int64_t(value) < 0;
    uint64_t m = negative ? -value : value;
    if (m >> 53 && to != Type::F64) {
      uint64_t low = m & 0x7ff;
      m = (m & ~uint64_t(0x7ff)) | (low ? 0x800 : 0);
      magnitude = double(m);
    } else if (m >> 53) {
      // To f64: do the rounding on the integer.
      int shift = 64 - __builtin_clzll(m) - 53;
      uint64_t unit = uint64_t(1) << shift, rest = m & (unit - 1),
               base = m - rest;
      bool up = false;
      switch (mode) {
      case Rounding::Rz:
        break;
      case Rounding::Rm:
        up = negative && rest;
        break;
      case Rounding::Rp:
        up = !negative && rest;
        break;
      default:
        up = rest > unit / 2 || (rest == unit / 2 && (base >> shift & 1));
        break;
      }
      magnitude = double(base) + (up ? double(unit) : 0.0);
    } else {
      magnitude = double(m);
    }
    return encode(negative ? -magnitude : magnitude, to, mode, false);
  }
  double x = decodeFloat(value, from);
  if (ftz && from == Type::F32 && std::fabs(x) < 0x1p-126)
    x = std::copysign(0.0, x);
  if (!toFloat) {
    int bits = intBits(to);
    bool s = isSignedInt(to);
    if (std::isnan(x))
      // NaN gives 0 unless f64 or 64 bits take part, then the top bit (manual).
      return bits == 64          ? uint64_t(1) << 63
             : from == Type::F64 ? uint64_t(1) << (bits - 1)
                                 : 0;
    double r = roundUnit(x, mode);
    double low = s ? -std::ldexp(1.0, bits - 1) : 0,
           high = std::ldexp(1.0, s ? bits - 1 : bits);
    if (r < low)
      return s ? (bits == 64 ? uint64_t(1) << 63 : uint64_t(int64_t(low))) : 0;
    if (r >= high)
      return s            ? (uint64_t(1) << (bits - 1)) - 1
             : bits == 64 ? ~uint64_t(0)
                          : (uint64_t(1) << bits) - 1;
    return s ? uint64_t(int64_t(r)) : uint64_t(r);
  }
  bool integral = mode == Rounding::Rni || mode == Rounding::Rzi ||
                  mode == Rounding::Rmi || mode == Rounding::Rpi;
  if (integral) {
    double r = roundUnit(x, mode);
    x = r == 0 ? std::copysign(0.0, x) : r;
    mode = Rounding::Rn;
  }
  if (saturate) // NaN and -0 give +0
    x = x > 0 ? std::min(x, 1.0) : 0.0;
  if (relu && !std::isnan(x))
    x = x > 0 ? x : 0.0;
  uint64_t result = encode(x, to, mode, finite);
  if (ftz && to == Type::F32 && !(result & 0x7f800000))
    result &= 0x80000000u;
  return result;
}

float napkin::executor::halfValue(uint16_t h) {
  uint32_t sign = uint32_t(h & 0x8000) << 16, body = h & 0x7fff, x = body << 13;
  float scaled;
  std::memcpy(&scaled, &x, 4);
  scaled *= 0x1p112f;
  std::memcpy(&x, &scaled, 4);
  if (body >= 0x7c00)
    x = 0x7f800000 | (body << 13);
  x |= sign;
  std::memcpy(&scaled, &x, 4);
  return scaled;
}

float napkin::executor::smallValue(uint8_t bits, Type type) {
  struct Table {
    float values[2][256];
    Table() {
      for (unsigned b = 0; b < 256; ++b) {
        values[0][b] = float(decodeFloat(b, Type::E4M3));
        values[1][b] = float(decodeFloat(b, Type::E5M2));
      }
    }
  };
  static const Table table;
  return table.values[type == Type::E5M2][bits];
}
