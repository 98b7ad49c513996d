//===- WgmmaProduct.cpp - Arithmetic of warpgroup products -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each warp computes its 16 rows of D. The four warps read the same B; it is
// decoded once.
//
//===----------------------------------------------------------------------===//

#include "Async/Wgmma.h"
#include "Machine/Registers.h"
#include "Numerics/Formats.h"
#include "Vector/Backend.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
using Type = napkin::ptx::Type;

/// The largest tile: 256 columns, k of 32.
static constexpr unsigned maximumN = 256, maximumK = 32;

bool napkin::executor::wgmmaOutside(Warp &w, const Instr &i,
                                    const uint32_t *addresses) {
  for (unsigned j = 0; j < 8; ++j)
    if (addresses[j] + 16 > w.block->sharedBytes) {
      w.machine->trap(w, i, 0, Trap::Kind::OutOfBounds,
                      fmt::format("a wgmma descriptor reaches shared address "
                                  "{:#x}, beyond {} bytes",
                                  addresses[j], w.block->sharedBytes),
                      addresses[j]);
      return true;
    }
  return false;
}

namespace {

/// Eight chunks of shared memory as host addresses; false after a trap.
struct Chunks {
  const char *at[8];
  bool find(Warp &w, const Instr &i, const uint32_t *addresses) {
    if (wgmmaOutside(w, i, addresses))
      return false;
    for (unsigned j = 0; j < 8; ++j)
      at[j] = w.block->shared + addresses[j];
    return true;
  }
};

} // namespace

/// The warp's 16 rows of A; false after a trap.
static bool decodeA(Warp &w, const PendingWgmma &p, const Wgmma &g,
                    float *values) {
  const MatrixShape &s = g.shape;
  const unsigned k = s.k;
  Chunks chunks;
  if (g.aInRegisters) {
    for (unsigned r = 0; r < s.registersA; ++r) {
      const char *words = lane<char>(w, p.instruction->list[s.registersD + r]);
      for (unsigned row = 0; row < 8; ++row)
        chunks.at[row] = words + 16 * row;
      backend().expandRows(values + 8 * (r & 1) * k + k / 2 * (r >> 1),
                           chunks.at, 8, k, s.a);
    }
  } else {
    const unsigned base = 16 * (w.index & 3);
    bool fine =
        forEachCore(Descriptor(p.descriptorA), g.transposeA, base, 16, 2,
                    [&](unsigned mn, unsigned half, const uint32_t *addresses) {
                      if (!chunks.find(w, *p.instruction, addresses))
                        return false;
                      float *to = values + (mn - base) * k + half * k / 2;
                      if (!g.transposeA) {
                        backend().expandRows(to, chunks.at, 8, k, s.a);
                        return true;
                      }
                      float square[64];
                      backend().expandRows(square, chunks.at, 8, 8, s.a);
                      for (unsigned row = 0; row < 8; ++row)
                        for (unsigned j = 0; j < 8; ++j)
                          to[row * k + j] = square[8 * j + row];
                      return true;
                    });
    if (!fine)
      return false;
  }
  if (g.negateA != g.negateB)
    for (unsigned j = 0; j < 16 * k; ++j)
      values[j] = -values[j];
  return true;
}

/// B in the order of WarpProduct; false after a trap.
static bool decodeB(Warp &w, const PendingWgmma &p, const Wgmma &g,
                    float *values) {
  const MatrixShape &s = g.shape;
  Chunks chunks;
  return forEachCore(
      Descriptor(p.descriptorB), g.transposeB, 0, s.n, 2,
      [&](unsigned mn, unsigned half, const uint32_t *addresses) {
        if (!chunks.find(w, *p.instruction, addresses))
          return false;
        float *to = values + mn * s.k + half * 4 * s.k;
        if (!g.transposeB)
          backend().packColumns(to, chunks.at, s.b);
        else
          for (unsigned j = 0; j < 8; ++j)
            backend().packRow16(to + 8 * j, chunks.at[j], s.b == Type::BF16);
        return true;
      });
}

/// The warpgroup's B, from the cache if another warp was here before.
static bool findB(Warp &w, const PendingWgmma &p, const Wgmma &g,
                  const TensorUnit &unit, MatrixOperand &b) {
  const MatrixShape &s = g.shape;
  OperandCache::Entry &entry = w.operands->at(w.index / 4, p.number);
  const size_t size = s.n * s.k;
  if (entry.block != w.block->linear || entry.number != p.number ||
      entry.descriptor != p.descriptorB || entry.values.size() != size) {
    entry.block = ~uint64_t(0);
    entry.values.resize(size);
    if (!decodeB(w, p, g, entry.values.data()))
      return false;
    if (w.block->faithful) {
      entry.exponents.resize(size);
      backend().exponentsOf(entry.exponents.data(), entry.values.data(), size,
                            unit.smallestB);
    }
    entry.block = w.block->linear;
    entry.number = p.number;
    entry.descriptor = p.descriptorB;
  }
  b = {entry.values.data(), entry.exponents.data()};
  return true;
}

namespace {

/// The accumulators as rows of floats: the registers themselves, or copies of
/// f16 and of zeros for integers.
struct Accumulators {
  float *rows[maximumN / 2];
  alignas(64) float copies[maximumN / 2][lanes];
};

} // namespace

static void loadAccumulators(Warp &w, const PendingWgmma &p,
                             const MatrixShape &s, Accumulators &to) {
  const uint32_t *rd = p.instruction->list;
  for (unsigned r = 0; r < s.n / 2; ++r) {
    if (s.d == Type::F32) {
      to.rows[r] = lane<float>(w, rd[r]);
      if (!p.scale)
        std::memset(to.rows[r], 0, sizeof(to.copies[r]));
      continue;
    }
    to.rows[r] = to.copies[r];
    std::memset(to.rows[r], 0, sizeof(to.copies[r]));
    if (s.d == Type::F16 && p.scale)
      for (unsigned l = 0; l < lanes; ++l)
        to.copies[r][l] = halfValue(
            uint16_t(lane<uint32_t>(w, rd[r / 2])[l] >> (16 * (r & 1))));
  }
}

static void storeAccumulators(Warp &w, const PendingWgmma &p,
                              const MatrixShape &s, const Accumulators &from) {
  const uint32_t *rd = p.instruction->list;
  if (s.d == Type::F16)
    for (unsigned r = 0; r < s.registersD; ++r)
      for (unsigned l = 0; l < lanes; ++l)
        lane<uint32_t>(w, rd[r])[l] =
            uint32_t(encodeFloat(from.copies[2 * r][l], Type::F16)) |
            uint32_t(encodeFloat(from.copies[2 * r + 1][l], Type::F16)) << 16;
  if (s.d != Type::S32)
    return;
  // Sums of 32 products of bytes are exact in f32.
  for (unsigned r = 0; r < s.registersD; ++r)
    for (unsigned l = 0; l < lanes; ++l) {
      int32_t &d = lane<int32_t>(w, rd[r])[l];
      int64_t sum = (p.scale ? d : 0) + int64_t(from.copies[r][l]);
      if (s.saturate)
        sum = sum > INT32_MAX ? INT32_MAX : sum < INT32_MIN ? INT32_MIN : sum;
      d = int32_t(sum);
    }
}

void napkin::executor::performWgmma(Warp &w, PendingWgmma &p) {
  const Wgmma &g = *static_cast<const Wgmma *>(p.instruction->extra);
  const MatrixShape &s = g.shape;
  if (w.block->countOnly)
    return;
  if (s.sparse || s.a == Type::B1)
    return performSparseWgmma(w, p);
  alignas(64) float a[16 * maximumK];
  int32_t exponents[16 * maximumK];
  TensorUnit unit =
      tensorUnit(s.a, s.b, s.k, w.block->tensorCore, true, s.d == Type::F16);
  WarpProduct product;
  product.n = s.n;
  product.k = s.k;
  if (!decodeA(w, p, g, a) || !findB(w, p, g, unit, product.b))
    return;
  Accumulators d;
  loadAccumulators(w, p, s, d);
  product.d = d.rows;
  product.a = {a, exponents};
  if (w.block->faithful && s.d != Type::S32) {
    backend().exponentsOf(exponents, a, 16 * s.k, unit.smallestA);
    backend().multiplyFaithful(product, unit);
  } else {
    backend().multiplyWarp(product);
  }
  storeAccumulators(w, p, s, d);
}
