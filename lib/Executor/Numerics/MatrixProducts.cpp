//===- MatrixProducts.cpp - mma beyond the backends ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sparse products, elements below a byte, f64 with a rounding, and Volta's
// m8n8k4. Each row of A brings its own list of columns, so dense and sparse are
// the same loop.
//
//===----------------------------------------------------------------------===//

#include "Numerics/MatrixProducts.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"
#include "Machine/Registers.h"
#include "Numerics/Formats.h"
#include "Vector/Backend.h"

#include <algorithm>
#include <cfenv>
#include <cmath>
#include <cstring>
#include <vector>

using namespace napkin::executor;
using napkin::ptx::Type;
using napkin::ptx::typeBits;

#define HANDLER(name)                                                          \
  void napkin::executor::name(Warp &w, const Instr &i, uint32_t mask)

bool napkin::executor::placeSparseColumns(Warp &w, const Instr &i,
                                          const MatrixShape &s,
                                          const uint32_t *metadata,
                                          unsigned stored,
                                          std::vector<uint16_t> &columns) {
  columns.resize(s.m * stored);
  SparseRow form(s.bitsA);
  for (unsigned row = 0; row < s.m; ++row)
    for (unsigned c = 0; c < stored; ++c) {
      int column = c;
      if (s.sparse)
        column = form.column(c,
                             sparseMetadata(metadata, s.bitsA, s.metadataLane,
                                            row, c / (form.chunk / 2)),
                             s.orderedMetadata);
      if (column < 0) {
        trapIllegal(w, i, 4 * (row % 8) + s.metadataLane,
                    "the metadata of a sparse matrix has indices that mean "
                    "nothing or do not rise");
        return false;
      }
      columns[row * stored + c] = column;
    }
  return true;
}

float napkin::executor::matrixElement(uint32_t word, unsigned j, Type type) {
  switch (type) {
  case Type::TF32:
    word &= 0xffffe000u;
    float value;
    std::memcpy(&value, &word, 4);
    return value;
  case Type::BF16:
  case Type::F16:
    return float(decodeFloat(word >> (16 * j) & 0xffff, type));
  default:
    return smallValue(uint8_t(word >> (8 * j)), type);
  }
}

int32_t napkin::executor::matrixInteger(uint32_t word, unsigned j,
                                        unsigned bits, bool isSigned) {
  uint32_t up = word << (32 - bits - bits * j);
  return isSigned ? int32_t(up) >> (32 - bits) : int32_t(up >> (32 - bits));
}

void napkin::executor::multiplyStored(Warp &w, const MatrixShape &s, float *d,
                                      const float *a, const float *b,
                                      unsigned n, unsigned stored,
                                      const uint16_t *columns, bool wide) {
  if (!w.block->faithful) {
    for (unsigned c = 0; c < stored; ++c)
      for (unsigned j = 0; j < n; ++j)
        d[j] += a[c] * b[columns[c] * n + j];
    return;
  }
  TensorUnit unit =
      tensorUnit(s.a, s.b, stored, w.block->tensorCore, wide, s.d == Type::F16);
  static thread_local std::vector<float> own, met;
  own.resize(stored);
  met.resize(stored * n);
  for (unsigned c = 0; c < stored; ++c) {
    unsigned from = unit.addsAtEnd ? splitOrder(c, stored) : c;
    own[c] = a[from];
    std::copy_n(b + columns[from] * n, n, &met[c * n]);
  }
  faithfulMultiply(d, own.data(), met.data(), 1, n, stored, unit);
}

namespace {

/// The fragments of one product as matrices: A with the columns that are stored
/// and where each stands in the dense row, B by rows of 8, C by rows of 8.
template <class T, class Sum>
struct Operands {
  unsigned stored;
  std::vector<T> a, b;
  std::vector<uint16_t> columns;
  Sum c[16 * 8];
};

/// Registers of the fragments, in the order of Instr::list.
struct Registers {
  const uint32_t *d, *a, *b, *c, *metadata;
  Registers(const Instr &i, const MatrixShape &s)
      : d(i.list), a(d + s.registersD), b(a + s.registersA),
        c(b + s.registersB), metadata(c + s.registersC) {}
};

unsigned rowOfC(unsigned l, unsigned r) { return l / 4 + 8 * (r >> 1); }
unsigned columnOfC(unsigned l, unsigned r) { return 2 * (l % 4) + (r & 1); }

/// `element(word, j, isB)` decodes one element; single bits come by words.
template <class T, class Sum, class Element>
bool gather(Warp &w, const Instr &i, const MatrixShape &s, Operands<T, Sum> &o,
            const Element &element) {
  Registers r(i, s);
  const unsigned e = s.a == Type::B1 ? 1 : s.elements,
                 k = s.a == Type::B1 ? s.k / 32 : s.k;
  o.stored = k / (s.sparse ? 2 : 1);
  o.a.resize(s.m * o.stored);
  o.b.resize(k * 8);
  for (unsigned l = 0; l < lanes; ++l) {
    for (unsigned x = 0; x < s.registersA; ++x)
      for (unsigned j = 0; j < e; ++j) {
        unsigned row = l / 4 + (s.m == 16 ? 8 * (x & 1) : 0),
                 column = e * (l % 4) + j + 4 * e * (s.m == 16 ? x >> 1 : x);
        o.a[row * o.stored + column] =
            element(lane<uint32_t>(w, r.a[x])[l], j, false);
      }
    for (unsigned x = 0; x < s.registersB; ++x)
      for (unsigned j = 0; j < e; ++j)
        o.b[(e * (l % 4) + j + 4 * e * x) * 8 + l / 4] =
            element(lane<uint32_t>(w, r.b[x])[l], j, true);
  }
  return placeSparseColumns(w, i, s,
                            s.sparse ? lane<uint32_t>(w, *r.metadata) : nullptr,
                            o.stored, o.columns);
}

void integerProduct(Warp &w, const Instr &i, const MatrixShape &s) {
  static thread_local Operands<int32_t, int64_t> o;
  bool isBit = s.a == Type::B1;
  auto element = [&](uint32_t word, unsigned j, bool isB) {
    return isBit ? int32_t(word)
                 : matrixInteger(word, j, s.bitsA, isB ? s.signedB : s.signedA);
  };
  if (!gather(w, i, s, o, element))
    return;
  Registers r(i, s);
  for (unsigned l = 0; l < lanes; ++l)
    for (unsigned x = 0; x < s.registersC; ++x)
      o.c[rowOfC(l, x) * 8 + columnOfC(l, x)] = lane<int32_t>(w, r.c[x])[l];
  for (unsigned row = 0; row < s.m; ++row)
    for (unsigned c = 0; c < o.stored; ++c) {
      int32_t a = o.a[row * o.stored + c];
      const int32_t *b = &o.b[o.columns[row * o.stored + c] * 8];
      for (unsigned n = 0; n < 8; ++n)
        o.c[row * 8 + n] += s.bitProduct == BitProduct::Xor
                                ? __builtin_popcount(a ^ b[n])
                            : isBit ? __builtin_popcount(a & b[n])
                                    : int64_t(a) * b[n];
    }
  for (unsigned l = 0; l < lanes; ++l)
    for (unsigned x = 0; x < s.registersD; ++x) {
      int64_t sum = o.c[rowOfC(l, x) * 8 + columnOfC(l, x)];
      if (s.saturate)
        sum = std::clamp<int64_t>(sum, INT32_MIN, INT32_MAX);
      lane<int32_t>(w, r.d[x])[l] = int32_t(sum);
    }
}

/// C to floats and D from them: packed pairs or one number a register.
void readC(Warp &w, const MatrixShape &s, const uint32_t *c, float *to) {
  for (unsigned l = 0; l < lanes; ++l)
    for (unsigned x = 0; x < s.registersC; ++x)
      if (s.c == Type::F16)
        for (unsigned j = 0; j < 2; ++j)
          to[(l / 4 + 8 * x) * 8 + 2 * (l % 4) + j] =
              halfValue(uint16_t(lane<uint32_t>(w, c[x])[l] >> (16 * j)));
      else
        to[rowOfC(l, x) * 8 + columnOfC(l, x)] = lane<float>(w, c[x])[l];
}

void writeD(Warp &w, const MatrixShape &s, const uint32_t *d,
            const float *from) {
  for (unsigned l = 0; l < lanes; ++l)
    for (unsigned x = 0; x < s.registersD; ++x)
      if (s.d == Type::F16) {
        const float *pair = from + (l / 4 + 8 * x) * 8 + 2 * (l % 4);
        lane<uint32_t>(w, d[x])[l] = uint32_t(encodeFloat(pair[0], Type::F16)) |
                                     uint32_t(encodeFloat(pair[1], Type::F16))
                                         << 16;
      } else {
        lane<float>(w, d[x])[l] = from[rowOfC(l, x) * 8 + columnOfC(l, x)];
      }
}

void floatProduct(Warp &w, const Instr &i, const MatrixShape &s) {
  static thread_local Operands<float, float> o;
  auto element = [&](uint32_t word, unsigned j, bool isB) {
    return matrixElement(word, j, isB ? s.b : s.a);
  };
  if (!gather(w, i, s, o, element))
    return;
  Registers r(i, s);
  readC(w, s, r.c, o.c);
  for (unsigned row = 0; row < s.m; ++row)
    multiplyStored(w, s, o.c + row * 8, &o.a[row * o.stored], o.b.data(), 8,
                   o.stored, &o.columns[row * o.stored], false);
  writeD(w, s, r.d, o.c);
}

/// A chain of fused operations with the host's rounding.
void doubleProduct(Warp &w, const Instr &i, const MatrixShape &s) {
  static const int modes[] = {FE_TONEAREST, FE_TOWARDZERO, FE_DOWNWARD,
                              FE_UPWARD};
  Registers r(i, s);
  double a[16 * 16], b[16 * 8], c[16 * 8];
  for (unsigned l = 0; l < lanes; ++l) {
    for (unsigned x = 0; x < s.registersA; ++x)
      a[(l / 4 + (s.m == 16 ? 8 * (x & 1) : 0)) * s.k + l % 4 +
        4 * (s.m == 16 ? x >> 1 : x)] = lane<double>(w, r.a[x])[l];
    for (unsigned x = 0; x < s.registersB; ++x)
      b[(l % 4 + 4 * x) * 8 + l / 4] = lane<double>(w, r.b[x])[l];
    for (unsigned x = 0; x < s.registersC; ++x)
      c[rowOfC(l, x) * 8 + columnOfC(l, x)] = lane<double>(w, r.c[x])[l];
  }
  int before = std::fegetround();
  std::fesetround(modes[s.rounding]);
  for (unsigned m = 0; m < s.m; ++m)
    for (unsigned n = 0; n < 8; ++n) {
      // volatile: the compiler must not move it out of the rounding mode.
      volatile double sum = c[m * 8 + n];
      for (unsigned k = 0; k < s.k; ++k)
        sum = std::fma(a[m * s.k + k], b[k * 8 + n], double(sum));
      c[m * 8 + n] = sum;
    }
  std::fesetround(before);
  for (unsigned l = 0; l < lanes; ++l)
    for (unsigned x = 0; x < s.registersD; ++x)
      lane<double>(w, r.d[x])[l] = c[rowOfC(l, x) * 8 + columnOfC(l, x)];
}

} // namespace

HANDLER(matrixProduct) {
  const MatrixShape &s = *static_cast<const MatrixShape *>(i.extra);
  (void)mask;
  if (w.block->countOnly)
    return;
  if (s.d == Type::S32)
    integerProduct(w, i, s);
  else if (s.d == Type::F64)
    doubleProduct(w, i, s);
  else
    floatProduct(w, i, s);
}

HANDLER(matrixAddress) {
  const MatrixAddress &form = *static_cast<const MatrixAddress *>(i.extra);
  uint64_t *d = lane<uint64_t>(w, i.d);
  for (unsigned l = 0; l < lanes; ++l) {
    if (!((mask >> l) & 1))
      continue;
    uint64_t base = (i.small0 == 8 ? lane<uint64_t>(w, i.a)[l]
                                   : lane<uint32_t>(w, i.a)[l]) +
                    i.offset;
    uint64_t stride = lane<uint32_t>(w, i.b)[l];
    if (base % form.alignment ||
        stride * form.bits / 8 % std::min(16u, form.alignment))
      return trapIllegal(w, i, l,
                         "the matrix of a wmma is not aligned to the size of "
                         "its fragment, or its stride not to 16 bytes");
    uint64_t g = l / 4, t = l % 4;
    uint64_t element =
        (form.x + g * form.gStrided + t * form.tStrided) * stride + form.y +
        g * form.gNext + t * form.tNext;
    d[l] = base + element * form.bits / 8;
  }
}

// Lanes 4 q to 4 q + 3 hold the upper half of product q, 16 lanes later the
// lower.
HANDLER(quadProduct) {
  const MatrixShape &s = *static_cast<const MatrixShape *>(i.extra);
  (void)mask;
  if (w.block->countOnly)
    return;
  Registers r(i, s);
  auto half = [&](const uint32_t *registers, unsigned l, unsigned j) {
    return halfValue(
        uint16_t(lane<uint32_t>(w, registers[j / 2])[l] >> (16 * (j & 1))));
  };
  auto place = [](unsigned l, unsigned j, bool isHalf) {
    unsigned low = l < 16 ? 0 : 4;
    return isHalf ? (low + l % 4) * 8 + j
                  : (low + (l & 1) + (j & 2)) * 8 + (j & 4) + (l & 2) + (j & 1);
  };
  for (unsigned q = 0; q < 4; ++q) {
    float a[8 * 4], b[4 * 8], c[8 * 8];
    auto eachLane = [&](auto &&visit) {
      for (unsigned x = 0; x < 8; ++x)
        visit(4 * q + x % 4 + x / 4 * 16);
    };
    eachLane([&](unsigned l) {
      unsigned low = l < 16 ? 0 : 4, t = l % 4;
      for (unsigned j = 0; j < 4; ++j) {
        a[s.columnsA ? (low + j) * 4 + t : (low + t) * 4 + j] = half(r.a, l, j);
        b[s.rowsB ? t * 8 + low + j : j * 8 + low + t] = half(r.b, l, j);
      }
      for (unsigned j = 0; j < 8; ++j)
        c[place(l, j, s.c == Type::F16)] =
            s.c == Type::F16 ? half(r.c, l, j) : lane<float>(w, r.c[j])[l];
    });
    static const uint16_t all[] = {0, 1, 2, 3};
    for (unsigned row = 0; row < 8; ++row)
      multiplyStored(w, s, c + row * 8, a + row * 4, b, 8, 4, all, false);
    eachLane([&](unsigned l) {
      for (unsigned j = 0; j < 8; ++j) {
        float value = c[place(l, j, s.d == Type::F16)];
        if (s.d == Type::F32) {
          lane<float>(w, r.d[j])[l] = value;
          continue;
        }
        uint32_t &word = lane<uint32_t>(w, r.d[j / 2])[l];
        unsigned shift = 16 * (j & 1);
        word = (word & ~(0xffffu << shift)) |
               uint32_t(encodeFloat(value, Type::F16)) << shift;
      }
    });
  }
}
