//===- MatrixShape.h - Description of one mma form -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fragments of mma.sync follow one formula: with E elements per register, lane
// (g, t) = (lane / 4, lane % 4), register r and element i of it,
//   A: row g + 8 (r & 1), column E t + i + 4 E (r >> 1)   (m = 8: row g, 4 E r)
//   B: row E t + i + 4 E r, column g
//   C, D: row g + 8 (r >> 1), column 2 t + (r & 1).
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_MATRIXSHAPE_H
#define NAPKIN_LIB_EXECUTOR_MATRIXSHAPE_H

#include "napkin/PTX/Type.h"

#include <cstdint>

namespace napkin::executor {

struct MatrixShape {
  unsigned m, n, k;
  ptx::Type d, a, b, c;
  /// Registers of each operand, and elements per register of A and B.
  unsigned registersD, registersA, registersB, registersC, elements;
  bool saturate;
  /// Bits of A and B elements; signedness of integers.
  unsigned bitsA;
  bool signedA, signedB;
};

/// One product of tensor cores as the chosen hardware computes it: d = a b + c,
/// a is m x k (rows of stride k), b is k x n (stride n), c and d m x n, all as
/// exact values; `core` is a TensorCore, `wide` a wgmma, `type` of A.
void faithfulMultiply(float *d, const float *a, const float *b, unsigned m,
                      unsigned n, unsigned k, ptx::Type type, unsigned core,
                      bool wide, bool halfOutput);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_MATRIXSHAPE_H
