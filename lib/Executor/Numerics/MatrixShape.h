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
// A sparse A (2:4 and its kin) is stored by the same formula with k / 2
// columns; the metadata says which column of a row each of them is. Only m8n8k4
// of f16 is laid out otherwise.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_NUMERICS_MATRIXSHAPE_H
#define NAPKIN_LIB_EXECUTOR_NUMERICS_MATRIXSHAPE_H

#include "napkin/PTX/Type.h"

#include <cstdint>

namespace napkin::executor {

/// What a product of single bits counts the ones of.
enum class BitProduct : uint8_t { None, Xor, And };

struct MatrixShape {
  unsigned m, n, k;
  ptx::Type d, a, b, c;
  /// Registers of each operand, and elements per register of A and B.
  unsigned registersD, registersA, registersB, registersC, elements;
  bool saturate;
  /// Bits of A and B elements; signedness of integers.
  unsigned bitsA;
  bool signedA, signedB;
  /// A is sparse: the register of metadata follows those of C. Indices that do
  /// not rise trap if `orderedMetadata`.
  bool sparse, orderedMetadata;
  /// The first of the lanes of four that give metadata.
  unsigned metadataLane;
  BitProduct bitProduct;
  /// f64: 0 nearest even, 1 zero, 2 down, 3 up.
  unsigned rounding;
  /// m8n8k4 of f16: A by columns, B by rows.
  bool columnsA, rowsB;
};

/// How a tensor core adds (Faithful.cpp says from where): `length` products and
/// the accumulator make one step, aligned to the largest exponent with
/// `fraction` bits below it; the sum is cut to `output` bits, or rounded to
/// f16.
struct TensorUnit {
  unsigned length;
  int fraction, output;
  bool halfOutput;
  /// Instead: each half of k makes one step that begins with zero, as f16, and
  /// the accumulator is added at the end. The caller has put the pairs 0, 1,
  /// 4, 5, 8, ... of k before the others.
  bool addsAtEnd;
  /// Exponents of subnormal operands and accumulators.
  int smallestA, smallestB, smallestC;
};
TensorUnit tensorUnit(ptx::Type a, ptx::Type b, unsigned k, unsigned core,
                      bool wide, bool halfOutput);

/// The model itself, element by element: d = a b + c, a is m x k (rows of
/// stride k), b is k x n (stride n), c and d m x n, all as exact values.
void faithfulMultiply(float *d, const float *a, const float *b, unsigned m,
                      unsigned n, unsigned k, const TensorUnit &unit);
/// One step of it.
float faithfulStep(float c, const float *a, const float *b, unsigned stride,
                   unsigned count, const TensorUnit &unit);
/// Where element j of the reordered k of `addsAtEnd` comes from.
constexpr unsigned splitOrder(unsigned j, unsigned k) {
  return j < k / 2 ? j / 2 * 4 + j % 2 : (j - k / 2) / 2 * 4 + 2 + j % 2;
}

/// One operand of a product, decoded: exact values, and for faithful numerics
/// their exponents.
struct MatrixOperand {
  const float *values;
  const int32_t *exponents = nullptr;
};

/// D += A B of one warp, 16 rows. D lies as wgmma and mma.sync hold f32: lane
/// 4 g + t of d[4 block + 2 half + odd] is element (g + 8 half, 8 block + 2 t +
/// odd). A has 16 rows of k. B has, for every 8 columns, k rows of 8, the
/// columns in the order 0 2 4 6 1 3 5 7.
struct WarpProduct {
  float *const *d;
  MatrixOperand a, b;
  unsigned n, k;
};

/// Where column `position` of a block of B comes from.
constexpr unsigned packedColumn(unsigned position) {
  return position < 4 ? 2 * position : 2 * position - 7;
}
/// Exponents of zero and of infinities and NaN in `MatrixOperand::exponents`.
constexpr int32_t exponentOfZero = -10000, exponentOfSpecial = 1000000;

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_NUMERICS_MATRIXSHAPE_H
