//===- Expect.cpp - Outputs against what they should be --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The measure is numpy.allclose's, so that a script and this tool agree.
//
//===----------------------------------------------------------------------===//

#include "ArraysImplementation.h"

#include <cmath>

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::run;

/// "[3, 17]": where the row-major position `at` lies.
static std::string indexText(const executor::ManifestArray &array, int64_t at) {
  std::string text;
  for (auto axis = array.axes.rbegin(); axis != array.axes.rend(); ++axis) {
    text =
        std::to_string(at % axis->second) + (text.empty() ? "" : ", ") + text;
    at /= axis->second;
  }
  return "[" + text + "]";
}

namespace {
/// The elements of both arrays as doubles or, for integers, exactly.
struct Pair {
  reference::Tensor actual, expected;

  bool isExact() const { return actual.floats.empty(); }
  double got(int64_t at) const {
    return isExact() ? double(actual.integers[at]) : actual.floats[at];
  }
  double wanted(int64_t at) const {
    return isExact() ? double(expected.integers[at]) : expected.floats[at];
  }
  /// How far the elements are apart; infinite where only one is finite, or is
  /// NaN.
  double distance(int64_t at) const {
    if (isExact() && actual.integers[at] == expected.integers[at])
      return 0;
    double a = got(at), b = wanted(at);
    if (a == b ? !isExact() : std::isnan(a) && std::isnan(b))
      return 0;
    double apart = std::fabs(a - b);
    // Integers beyond 2^53 that differ are apart.
    return std::isnan(apart) ? INFINITY : std::max(apart, isExact() ? 1.0 : 0);
  }
};
} // namespace

/// The expected array: a float file is kept in its own precision.
static llvm::Expected<Pair> load(const executor::ManifestArray &array,
                                 const std::vector<char> &bytes,
                                 llvm::StringRef path) {
  auto npy = readArray(path, array.name);
  if (!npy)
    return npy.takeError();
  auto element = elementOf(array.element);
  if (!element)
    return failure(fmt::format("unknown element type '{}'", array.element));
  auto stored = *element;
  if (reference::isFloat(*element)) {
    for (auto wide : {reference::Element::F32, reference::Element::F64})
      if (npy->dtype == reference::npyType(wide))
        stored = wide;
  }
  auto expected =
      reference::tensorFromNpy(*npy, axesOf(array), stored, array.name);
  if (!expected)
    return failure(
        fmt::format("{}: {}", path.str(), toString(expected.takeError())));
  auto actual = reference::Tensor::fromBytes(axesOf(array), *element, bytes);
  if (!actual)
    return failure(toString(actual.takeError()));
  return Pair{std::move(*actual), std::move(*expected)};
}

llvm::Expected<std::string>
napkin::run::compareOutput(const executor::ManifestArray &array,
                           const std::vector<char> &bytes, llvm::StringRef path,
                           double rtol, double atol) {
  auto pair = load(array, bytes, path);
  if (!pair)
    return pair.takeError();
  int64_t count = pair->actual.size(), wrong = 0, first = -1, worst = -1;
  double most = -1;
  for (int64_t i = 0; i < count; ++i) {
    double apart = pair->distance(i), wanted = std::fabs(pair->wanted(i));
    double allowed = std::isfinite(wanted) ? atol + rtol * wanted : 0;
    if (apart <= allowed)
      continue;
    if (!wrong++)
      first = i;
    if (apart > most) {
      most = apart;
      worst = i;
    }
  }
  if (!wrong)
    return "";
  auto show = [&](int64_t at) {
    return pair->isExact()
               ? fmt::format("{} is {}, expected {}", indexText(array, at),
                             pair->actual.integers[at],
                             pair->expected.integers[at])
               : fmt::format("{} is {:.9g}, expected {:.9g}",
                             indexText(array, at), pair->got(at),
                             pair->wanted(at));
  };
  return fmt::format("output '{}' differs from {}: {} of {} elements are "
                     "further off than {:g} "
                     "+ {:g} * |expected|\n  first: {}\n  worst: {}",
                     array.name, path.str(), wrong, count, atol, rtol,
                     show(first), show(worst));
}
