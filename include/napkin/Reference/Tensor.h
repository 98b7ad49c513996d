//===- Tensor.h - arrays of values on the host ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the reference interpreter takes and gives: arrays with named axes whose
// floats are held as double (rounded to the element type where it is narrower)
// and whose integers are exact, and the measure by which two of them are
// compared. No MLIR.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REFERENCE_TENSOR_H
#define NAPKIN_REFERENCE_TENSOR_H

#include "napkin/Reference/Element.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <string>
#include <vector>

namespace napkin::reference {

/// An axis: a name and a number of positions (may be 0).
struct Axis {
  std::string name;
  int64_t size;

  bool operator==(const Axis &other) const {
    return name == other.name && size == other.size;
  }
};

/// An array: axes outermost first, stored row major. Exactly one of the two
/// vectors is in use, by the element type.
struct Tensor {
  std::vector<Axis> axes;
  Element element = Element::F32;
  /// The values, when the element type is a float type.
  std::vector<double> floats;
  /// The values, when the element type is an integer type: sign extended, but 0
  /// or 1 for i1.
  std::vector<int64_t> integers;

  Tensor() = default;

  /// An array of zeros.
  Tensor(std::vector<Axis> axes, Element element);

  /// Number of elements.
  int64_t size() const;

  /// Position of the axis called \p name, or -1.
  int axisIndex(llvm::StringRef name) const;

  /// The array as it lies in memory: row major, little endian, elements rounded
  /// to the element type. Length in bytes: size() * elementBytes(element).
  std::vector<char> toBytes() const;

  /// The array that lies in memory as \p bytes. Errors: the length of \p bytes
  /// is not that of the array.
  static llvm::Expected<Tensor> fromBytes(std::vector<Axis> axes,
                                          Element element,
                                          llvm::ArrayRef<char> bytes);
};

/// How far one array is from another.
struct Comparison {
  /// max |actual - expected|; infinite where one is finite and the other is
  /// not, or where different non-finite values meet. Equal infinities and two
  /// NaNs agree.
  double maxAbsError = 0;
  /// max |expected| over finite values.
  double maxAbsReference = 0;
  /// Root of the mean square of actual - expected over finite values.
  double rmsError = 0;
  /// Root of the mean square of expected over finite values.
  double rmsReference = 0;
  /// Row-major position of the largest error, or -1 without an element.
  int64_t worst = -1;
  /// Number of elements whose finiteness differs, or that are different
  /// non-finite values.
  int64_t nonFiniteMismatches = 0;

  /// maxAbsError / maxAbsReference; the error itself where the reference is all
  /// zero.
  double relativeError() const;
};

/// Compares \p actual with \p expected. Errors: axes differ in number or size
/// (names may differ).
llvm::Expected<Comparison> compareTensors(const Tensor &actual,
                                          const Tensor &expected);

} // namespace napkin::reference

#endif // NAPKIN_REFERENCE_TENSOR_H
