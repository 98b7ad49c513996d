//===- Element.h - element types as stored in memory ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The element types of arrays without MLIR: their names, their sizes, rounding
// of a double to each of them, and their bits in memory. Rounding is to
// nearest, ties to even, straight from the double; there is no detour through
// float.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REFERENCE_ELEMENT_H
#define NAPKIN_REFERENCE_ELEMENT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <optional>

namespace napkin::reference {

/// An element type, as stored.
enum class Element {
  F64,
  F32,
  TF32,
  BF16,
  F16,
  F8E4M3FN,
  F8E5M2,
  I8,
  I16,
  I32,
  I64,
  I1
};

/// How \p element is spelt in types and manifests: "bf16", "f8E4M3FN", ...
llvm::StringRef elementName(Element element);

/// The element type spelt \p name, or nullopt.
std::optional<Element> parseElement(llvm::StringRef name);

/// Bytes of one element in memory: tf32 takes 4, i1 takes 1.
unsigned elementBytes(Element element);

/// Whether \p element is a float type.
bool isFloat(Element element);

/// The largest finite value of the float type \p element.
double largestFinite(Element element);

/// \p value rounded to the nearest value of the float type \p element. Values
/// beyond its range become infinities, or NaN in f8E4M3FN, which has none.
double roundTo(Element element, double value);

/// Rounds every one of \p values to the float type \p element.
void roundTo(Element element, llvm::MutableArrayRef<double> values);

/// \p value wrapped to the integer type \p element: sign extended, but 0 or 1
/// for i1.
int64_t wrapTo(Element element, int64_t value);

/// Bits of \p value in the float type \p element, after rounding.
uint64_t encodeFloat(Element element, double value);

/// Value whose bits in the float type \p element are \p bits.
double decodeFloat(Element element, uint64_t bits);

} // namespace napkin::reference

#endif // NAPKIN_REFERENCE_ELEMENT_H
