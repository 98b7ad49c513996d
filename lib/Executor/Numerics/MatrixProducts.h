//===- MatrixProducts.h - Sparse rows, wmma in memory ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What mma, wmma and wgmma share outside the vector code.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_NUMERICS_MATRIXPRODUCTS_H
#define NAPKIN_LIB_EXECUTOR_NUMERICS_MATRIXPRODUCTS_H

#include "Numerics/MatrixShape.h"

#include <vector>

namespace napkin::executor {

/// Addresses of a matrix in memory, for lane (g, t) = (lane / 4, lane % 4):
/// base + ((x + g gStrided + t tStrided) stride + y + g gNext + t tNext)
/// bits/8.
struct MatrixAddress {
  unsigned x, y, gStrided, tStrided, gNext, tNext, bits;
  /// The base must be a multiple of this, the stride of 16 bytes at most.
  unsigned alignment;
};

/// How a sparse row is stored: `chunk` dense elements keep half of them, in
/// units of `unit` neighbours, and four bits of metadata say which.
struct SparseRow {
  unsigned chunk, unit;
  explicit SparseRow(unsigned bits)
      : chunk(bits == 32  ? 2
              : bits == 4 ? 8
                          : 4),
        unit(bits == 4 ? 2 : 1) {}
  /// The dense column of stored column `c` whose chunk has these four bits;
  /// -1 if they mean nothing (equal indices; `ordered`: that do not rise).
  int column(unsigned c, unsigned nibble, bool ordered) const {
    unsigned kept = chunk / 2, low = nibble & 3, high = nibble >> 2,
             start = c / kept * chunk;
    if (chunk == 2) // indices of 16-bit halves: (0, 1) or (2, 3)
      return nibble == 0x4 ? start : nibble == 0xe ? start + 1 : -1;
    if (low == high || (ordered && low > high))
      return -1;
    return start + (c % kept / unit ? high : low) * unit + c % unit;
  }
};

/// The four metadata bits of chunk `chunk` of row `row` (of 16). `words` is the
/// metadata of the 32 lanes, `first` the first lane of four that gives some:
/// for 16 and 32 bit elements a word holds four chunks of row g and four of row
/// g + 8, for smaller ones eight chunks of one row.
inline unsigned sparseMetadata(const uint32_t *words, unsigned bits,
                               unsigned first, unsigned row, unsigned chunk) {
  unsigned g = row % 8, below = row / 8;
  if (bits >= 16)
    return words[4 * g + first + chunk / 4] >> (16 * below + chunk % 4 * 4) &
           15;
  return words[4 * g + first + chunk / 8 * 2 + below] >> (chunk % 8 * 4) & 15;
}

struct Warp;
struct Instr;
/// Element `j` of a register of floats, of integers of `bits` bits.
float matrixElement(uint32_t word, unsigned j, ptx::Type type);
int32_t matrixInteger(uint32_t word, unsigned j, unsigned bits, bool isSigned);
/// d (1 x n) += the `stored` elements of one row of A times the rows of B that
/// they meet, as the warp's numerics have it; `wide`: of a wgmma. The tensor
/// cores see only what is stored.
void multiplyStored(Warp &w, const MatrixShape &shape, float *d, const float *a,
                    const float *b, unsigned n, unsigned stored,
                    const uint16_t *columns, bool wide);
/// Which dense column each stored element of 16 (or 8) rows of A is, `stored` a
/// row; `metadata` of the 32 lanes. False after a trap.
bool placeSparseColumns(Warp &w, const Instr &i, const MatrixShape &shape,
                        const uint32_t *metadata, unsigned stored,
                        std::vector<uint16_t> &columns);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_NUMERICS_MATRIXPRODUCTS_H
