//===- Tensor.cpp - arrays of values on the host --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Memory images and comparison.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Tensor.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include <cmath>
#include <limits>

using namespace napkin::reference;

static int64_t countOf(const std::vector<Axis> &axes) {
  int64_t count = 1;
  for (const Axis &axis : axes)
    count *= axis.size;
  return count;
}

Tensor::Tensor(std::vector<Axis> axes, Element element)
    : axes(std::move(axes)), element(element) {
  if (isFloat(element))
    floats.resize(countOf(this->axes));
  else
    integers.resize(countOf(this->axes));
}

int64_t Tensor::size() const { return countOf(axes); }

int Tensor::axisIndex(llvm::StringRef name) const {
  for (size_t index = 0; index < axes.size(); ++index)
    if (axes[index].name == name)
      return static_cast<int>(index);
  return -1;
}

std::vector<char> Tensor::toBytes() const {
  unsigned width = elementBytes(element);
  std::vector<char> bytes(size() * width);
  char *out = bytes.data();
  auto write = [&](uint64_t bits) {
    char word[8];
    llvm::support::endian::write64le(word, bits);
    std::copy_n(word, width, out);
    out += width;
  };
  for (double value : floats)
    write(encodeFloat(element, value));
  for (int64_t value : integers)
    write(static_cast<uint64_t>(value));
  return bytes;
}

llvm::Expected<Tensor> Tensor::fromBytes(std::vector<Axis> axes,
                                         Element element,
                                         llvm::ArrayRef<char> bytes) {
  unsigned width = elementBytes(element);
  if (bytes.size() != static_cast<uint64_t>(countOf(axes)) * width)
    return llvm::createStringError(llvm::formatv(
        "an array of {0} elements of {1} takes {2} bytes, but {3} "
        "are given",
        countOf(axes), elementName(element), countOf(axes) * width,
        bytes.size()));
  Tensor tensor(std::move(axes), element);
  const char *in = bytes.data();
  auto read = [&]() {
    char word[8] = {};
    std::copy_n(in, width, word);
    in += width;
    return llvm::support::endian::read64le(word);
  };
  for (double &value : tensor.floats)
    value = decodeFloat(element, read());
  for (int64_t &value : tensor.integers) {
    uint64_t bits = read();
    // Any byte but 0 is true.
    value = element == Element::I1 ? bits != 0 : wrapTo(element, bits);
  }
  return tensor;
}

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

double Comparison::relativeError() const {
  return maxAbsReference > 0 ? maxAbsError / maxAbsReference : maxAbsError;
}

llvm::Expected<Comparison>
napkin::reference::compareTensors(const Tensor &actual,
                                  const Tensor &expected) {
  auto shape = [](const Tensor &tensor) {
    std::string text = "[";
    for (const Axis &axis : tensor.axes)
      text += (text.size() > 1 ? ", " : "") + std::to_string(axis.size);
    return text + "]";
  };
  if (shape(actual) != shape(expected))
    return llvm::createStringError("cannot compare an array of shape " +
                                   shape(actual) + " with one of shape " +
                                   shape(expected));
  auto at = [](const Tensor &tensor, int64_t index) {
    return isFloat(tensor.element)
               ? tensor.floats[index]
               : static_cast<double>(tensor.integers[index]);
  };
  // Doubles do not tell integers of more than 53 bits apart.
  bool isInteger = !isFloat(actual.element) && !isFloat(expected.element);
  auto distance = [](int64_t a, int64_t b) {
    return static_cast<double>(a > b ? uint64_t(a) - uint64_t(b)
                                     : uint64_t(b) - uint64_t(a));
  };
  Comparison comparison;
  double errorSquares = 0, referenceSquares = 0;
  int64_t count = expected.size(), finite = 0;
  for (int64_t index = 0; index < count; ++index) {
    double have = at(actual, index), want = at(expected, index);
    double error;
    if (std::isfinite(have) && std::isfinite(want)) {
      error = isInteger
                  ? distance(actual.integers[index], expected.integers[index])
                  : std::fabs(have - want);
      errorSquares += error * error;
      referenceSquares += want * want;
      ++finite;
    } else if (have == want || (std::isnan(have) && std::isnan(want))) {
      error = 0;
    } else {
      error = std::numeric_limits<double>::infinity();
      ++comparison.nonFiniteMismatches;
    }
    if (std::isfinite(want))
      comparison.maxAbsReference =
          std::max(comparison.maxAbsReference, std::fabs(want));
    if (comparison.worst < 0 || error > comparison.maxAbsError) {
      comparison.maxAbsError = error;
      comparison.worst = index;
    }
  }
  if (finite) {
    comparison.rmsError = std::sqrt(errorSquares / finite);
    comparison.rmsReference = std::sqrt(referenceSquares / finite);
  }
  return comparison;
}
