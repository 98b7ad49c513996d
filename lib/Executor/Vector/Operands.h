//===- Operands.h - Operands of tensor cores as floats ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Sixteen bytes of any operand type become floats: as part of a row of A, or
// eight of them, side by side, as rows of B (see WarpProduct).
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_VECTOR_OPERANDS_H
#define NAPKIN_LIB_EXECUTOR_VECTOR_OPERANDS_H

#include "Numerics/Formats.h"
#include "Numerics/MatrixShape.h"
#include "Vector/Lanes.h"

namespace napkin::executor::NAPKIN_VARIANT {

using ptx::Type;
typedef u16 Short8 __attribute__((vector_size(16)));

template <class V, class T>
static inline V loadVector(const T *p) {
  V v;
  __builtin_memcpy(&v, p, sizeof(V));
  return v;
}

/// How 16 bytes of a type become numbers.
struct Bfloat {
  using Cell = u16;
  static float value(u16 v) { return bfloatToFloat(v); }
};
struct Half {
  using Cell = u16;
  static float value(u16 v) { return halfToFloat(v); }
};
struct Tf32 {
  using Cell = u32;
  static float value(u32 v) { return bits<float>(v & 0xffffe000u); }
};
template <Type T>
struct Small {
  using Cell = u8;
  static float value(u8 v) { return smallValue(v, T); }
};
struct Signed8 {
  using Cell = s8;
  static float value(s8 v) { return float(v); }
};
struct Unsigned8 {
  using Cell = u8;
  static float value(u8 v) { return float(v); }
};

template <class T>
static inline void expandChunk(const char *from, float *to) {
  constexpr unsigned count = 16 / sizeof(typename T::Cell);
  typename T::Cell cells[count];
  __builtin_memcpy(cells, from, 16);
  for (unsigned j = 0; j < count; ++j)
    to[j] = T::value(cells[j]);
}

/// Calls `visit` with the traits of a type of operands.
template <class F>
static inline void withType(Type type, F &&visit) {
  switch (type) {
  case Type::BF16:
    return visit(Bfloat());
  case Type::F16:
    return visit(Half());
  case Type::TF32:
    return visit(Tf32());
  case Type::E4M3:
    return visit(Small<Type::E4M3>());
  case Type::E5M2:
    return visit(Small<Type::E5M2>());
  case Type::S8:
    return visit(Signed8());
  default:
    return visit(Unsigned8());
  }
}

static inline Short8 low(Short8 a, Short8 b) {
  return __builtin_shufflevector(a, b, 0, 8, 1, 9, 2, 10, 3, 11);
}
static inline Short8 high(Short8 a, Short8 b) {
  return __builtin_shufflevector(a, b, 4, 12, 5, 13, 6, 14, 7, 15);
}

/// Eight columns of eight 16-bit numbers: 64 floats, row by row.
template <class T>
static inline void packColumns16(float *to, const char *const *chunks) {
  Short8 v[8], x[8];
  for (unsigned p = 0; p < 8; ++p)
    v[p] = loadVector<Short8>(chunks[packedColumn(p)]);
  // Three rounds of riffling transpose.
  for (unsigned round = 0; round < 3; ++round) {
    for (unsigned p = 0; p < 4; ++p) {
      x[2 * p] = low(v[p], v[p + 4]);
      x[2 * p + 1] = high(v[p], v[p + 4]);
    }
    for (unsigned p = 0; p < 8; ++p)
      v[p] = x[p];
  }
  for (unsigned j = 0; j < 8; ++j)
    for (unsigned p = 0; p < 8; ++p)
      to[8 * j + p] = T::value(v[j][p]);
}

/// The same for any type: `chunks` are 16 bytes of each column.
template <class T>
static inline void packChunks(float *to, const char *const *chunks) {
  constexpr unsigned count = 16 / sizeof(typename T::Cell);
  if constexpr (count == 8) {
    packColumns16<T>(to, chunks);
  } else {
    float values[8][count];
    for (unsigned c = 0; c < 8; ++c)
      expandChunk<T>(chunks[c], values[c]);
    for (unsigned j = 0; j < count; ++j)
      for (unsigned p = 0; p < 8; ++p)
        to[8 * j + p] = values[packedColumn(p)][j];
  }
}

} // namespace napkin::executor::NAPKIN_VARIANT

#endif // NAPKIN_LIB_EXECUTOR_VECTOR_OPERANDS_H
