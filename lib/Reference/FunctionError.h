//===- FunctionError.h - what approximations are off by ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The plain evaluation of a function that targets approximate is off by its
// documented error (napkin/Reference/Accuracy.h).
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_REFERENCE_FUNCTIONERROR_H
#define NAPKIN_LIB_REFERENCE_FUNCTIONERROR_H

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace napkin::reference {

/// Errors of one function: of a fixed size, up or down at random.
class FunctionError {
public:
  /// Of \p ulps units in the last place of f32.
  FunctionError(double ulps, uint64_t seed) : ulps(ulps), state(seed) {}

  /// Adds an error to each of \p count values that has one: 0, infinity and NaN
  /// have none.
  void apply(double *values, int count) {
    if (ulps == 0)
      return;
    for (int i = 0; i < count; ++i) {
      // splitmix64 (S. Vigna, public domain), of which one bit is used.
      uint64_t z = state += 0x9e3779b97f4a7c15;
      z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
      z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
      if (values[i] == 0 || !std::isfinite(values[i]))
        continue;
      double unit = std::ldexp(1.0, std::max(std::ilogb(values[i]), -126) - 23);
      values[i] += (z >> 63 ? ulps : -ulps) * unit;
    }
  }

private:
  double ulps;
  uint64_t state;
};

} // namespace napkin::reference

#endif // NAPKIN_LIB_REFERENCE_FUNCTIONERROR_H
