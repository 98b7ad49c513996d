//===- WgmmaSparse.cpp - Sparse and one-bit warpgroup products -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rare enough to go element by element: rows of A with the dense column of each
// stored element, B by rows.
//
//===----------------------------------------------------------------------===//

#include "Async/Wgmma.h"
#include "Machine/Registers.h"
#include "Numerics/Formats.h"

#include <algorithm>
#include <cstring>

using namespace napkin::executor;
using Type = napkin::ptx::Type;

namespace {

/// Reads one operand of a product in shared memory.
struct Reader {
  Warp &w;
  const Instr &i;
  Descriptor descriptor;
  bool transposed;
  unsigned bits;

  /// The word and the place in it of element (mn, k); false after a trap.
  bool find(unsigned mn, unsigned k, uint32_t &word, unsigned &j) const {
    unsigned at = k * bits % 128;
    uint32_t chunk;
    if (transposed) {
      chunk = descriptor.chunkMN(mn & ~7u, k);
      at = mn % 8 * bits;
    } else {
      chunk = descriptor.chunkK(mn, k * bits / 128 * 16);
    }
    const uint32_t addresses[8] = {chunk, chunk, chunk, chunk,
                                   chunk, chunk, chunk, chunk};
    if (wgmmaOutside(w, i, addresses))
      return false;
    std::memcpy(&word, w.block->shared + chunk + at / 32 * 4, 4);
    j = at % 32 / bits;
    return true;
  }
};

/// Integers are exact in f32: bytes, bits.
float number(uint32_t word, unsigned j, Type type, unsigned bits) {
  bool isInteger = type == Type::S8 || type == Type::U8 || type == Type::B1;
  return isInteger ? float(matrixInteger(word, j, bits, type == Type::S8))
                   : matrixElement(word, j, type);
}

/// Row and column of element `e` of lane `l`'s accumulators.
unsigned rowOf(unsigned l, unsigned e) { return l / 4 + 8 * (e / 2 & 1); }
unsigned columnOf(unsigned l, unsigned e) {
  return 8 * (e / 4) + 2 * (l % 4) + (e & 1);
}

/// The warp's 16 rows of A, `stored` numbers each; false after a trap.
bool readA(Warp &w, const PendingWgmma &p, const Wgmma &g,
           std::vector<float> &a) {
  const MatrixShape &s = g.shape;
  const unsigned stored = g.storedK(), e = s.elements;
  a.resize(16 * stored);
  if (g.aInRegisters) {
    for (unsigned r = 0; r < s.registersA; ++r)
      for (unsigned l = 0; l < lanes; ++l)
        for (unsigned j = 0; j < e; ++j)
          a[(l / 4 + 8 * (r & 1)) * stored + e * (l % 4) + j +
            4 * e * (r >> 1)] =
              number(
                  lane<uint32_t>(w, p.instruction->list[s.registersD + r])[l],
                  j, s.a, s.bitsA);
  } else {
    Reader reader{w, *p.instruction, Descriptor(p.descriptorA), g.transposeA,
                  s.bitsA};
    for (unsigned row = 0; row < 16; ++row)
      for (unsigned k = 0; k < stored; ++k) {
        uint32_t word;
        unsigned j;
        if (!reader.find(16 * (w.index & 3) + row, k, word, j))
          return false;
        a[row * stored + k] = number(word, j, s.a, s.bitsA);
      }
  }
  if (g.negateA != g.negateB)
    for (float &v : a)
      v = -v;
  return true;
}

/// B as k rows of n; false after a trap.
bool readB(Warp &w, const PendingWgmma &p, const Wgmma &g,
           std::vector<float> &b) {
  const MatrixShape &s = g.shape;
  b.resize(s.k * s.n);
  Reader reader{w, *p.instruction, Descriptor(p.descriptorB), g.transposeB,
                s.bitsA};
  for (unsigned column = 0; column < s.n; ++column)
    for (unsigned k = 0; k < s.k; ++k) {
      uint32_t word;
      unsigned j;
      if (!reader.find(column, k, word, j))
        return false;
      b[k * s.n + column] = number(word, j, s.b, s.bitsA);
    }
  return true;
}

} // namespace

void napkin::executor::performSparseWgmma(Warp &w, PendingWgmma &p) {
  const Instr &i = *p.instruction;
  const Wgmma &g = *static_cast<const Wgmma *>(i.extra);
  const MatrixShape &s = g.shape;
  static thread_local std::vector<float> a, b;
  static thread_local std::vector<uint16_t> columns;
  const unsigned stored = g.storedK(), n = s.n;
  if (!readA(w, p, g, a) || !readB(w, p, g, b))
    return;
  MatrixShape rows = s;
  rows.m = 16;
  if (!placeSparseColumns(w, i, rows, p.metadata.data(), stored, columns))
    return;
  const unsigned perRegister = s.d == Type::F16 ? 2 : 1;
  std::vector<float> sums(16 * n);
  auto each = [&](auto &&visit) {
    for (unsigned e = 0; e < n / 2; ++e)
      for (unsigned l = 0; l < lanes; ++l)
        visit(lane<uint32_t>(w, i.list[e / perRegister])[l],
              16 * (e % perRegister), sums[rowOf(l, e) * n + columnOf(l, e)]);
  };
  if (s.d == Type::S32) {
    // Sums of 32 products of bytes, or of 256 bits, are exact in f32.
    for (unsigned row = 0; row < 16; ++row)
      for (unsigned c = 0; c < stored; ++c)
        for (unsigned j = 0; j < n; ++j)
          sums[row * n + j] +=
              a[row * stored + c] * b[columns[row * stored + c] * n + j];
    each([&](uint32_t &word, unsigned, float sum) {
      int64_t total = (p.scale ? int64_t(int32_t(word)) : 0) + int64_t(sum);
      if (s.saturate)
        total = std::clamp<int64_t>(total, INT32_MIN, INT32_MAX);
      word = uint32_t(total);
    });
    return;
  }
  if (p.scale)
    each([&](uint32_t word, unsigned shift, float &sum) {
      if (perRegister == 2)
        sum = halfValue(uint16_t(word >> shift));
      else
        std::memcpy(&sum, &word, 4);
    });
  for (unsigned row = 0; row < 16; ++row)
    multiplyStored(w, s, &sums[row * n], &a[row * stored], b.data(), n, stored,
                   &columns[row * stored], true);
  each([&](uint32_t &word, unsigned shift, float sum) {
    if (perRegister == 2)
      word = (word & ~(0xffffu << shift)) |
             uint32_t(encodeFloat(sum, Type::F16)) << shift;
    else
      std::memcpy(&word, &sum, 4);
  });
}
