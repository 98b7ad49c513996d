//===- Formats.h - Rounding to any number format ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One scalar conversion for every pair of types of `cvt`, and decoding of the
// small formats. Slow and exact.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_NUMERICS_FORMATS_H
#define NAPKIN_LIB_EXECUTOR_NUMERICS_FORMATS_H

#include "napkin/PTX/Type.h"

#include <cstdint>

namespace napkin::executor {

enum class Rounding : uint8_t;

/// Packs a conversion into a number for convertScalar. `saturate` is .sat: to
/// [0, 1] or the integer's range; `finite` .satfinite: to the largest finite
/// number.
int64_t conversionCode(ptx::Type to, ptx::Type from, Rounding rounding,
                       bool ftz, bool saturate, bool relu, bool finite);
/// Converts the bits of one value; pairs convert element by element.
uint64_t convertScalar(uint64_t value, int64_t code);
/// The value of the low bits of `bits` in a floating format of <= 64 bits.
double decodeFloat(uint64_t bits, ptx::Type type);
/// Fast paths of decodeFloat: f16, and the 8-bit formats by table.
float halfValue(uint16_t bits);
float smallValue(uint8_t bits, ptx::Type type);
/// Rounds to nearest even (no saturation; e4m3 overflows to NaN) and encodes.
uint64_t encodeFloat(double value, ptx::Type type);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_NUMERICS_FORMATS_H
