//===- Type.h - The fundamental types of PTX -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The enumeration alone, for code that must not include anything else.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_PTX_TYPE_H
#define NAPKIN_PTX_TYPE_H

#include <cstdint>

namespace napkin::ptx {

/// Fundamental types that a declaration or a modifier may name.
enum class Type : uint8_t {
  None,
  Pred,
  B8,
  B16,
  B32,
  B64,
  B128,
  U8,
  U16,
  U32,
  U64,
  S8,
  S16,
  S32,
  S64,
  F16,
  F16x2,
  BF16,
  BF16x2,
  TF32,
  F32,
  F64,
  E4M3,
  E5M2,
  E4M3x2,
  E5M2x2,
  F32x2,
  S16x2,
  U16x2,
  // Elements of matrices only.
  S4,
  U4,
  B1
};

} // namespace napkin::ptx

#endif // NAPKIN_PTX_TYPE_H
