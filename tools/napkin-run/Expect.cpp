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
/// One element of both arrays: as doubles, and integers exactly.
struct Pair {
  int64_t at = -1;
  bool isInteger = false;
  double got = 0, wanted = 0;
  int64_t gotInteger = 0, wantedInteger = 0;

  static Pair of(const reference::Tensor &actual,
                 const reference::Tensor &expected, int64_t i) {
    Pair p;
    p.isInteger = actual.floats.empty();
    if (p.isInteger) {
      p.got = double(p.gotInteger = actual.integers[i]);
      p.wanted = double(p.wantedInteger = expected.integers[i]);
    } else {
      p.got = actual.floats[i];
      p.wanted = expected.floats[i];
    }
    return p;
  }
  /// How far the elements are apart; infinite where only one is finite, or is
  /// NaN.
  double distance() const {
    if (isInteger && gotInteger == wantedInteger)
      return 0;
    if (got == wanted ? !isInteger : std::isnan(got) && std::isnan(wanted))
      return 0;
    double apart = std::fabs(got - wanted);
    // Integers beyond 2^53 that differ are apart.
    return std::isnan(apart) ? INFINITY : std::max(apart, isInteger ? 1.0 : 0);
  }
  std::string text(const executor::ManifestArray &array) const {
    return isInteger
               ? fmt::format("{} is {}, expected {}", indexText(array, at),
                             gotInteger, wantedInteger)
               : fmt::format("{} is {:.9g}, expected {:.9g}",
                             indexText(array, at), got, wanted);
  }
};

/// What is further off than is allowed.
struct Differences {
  int64_t count = 0, wrong = 0;
  Pair first, worst;
  double most = -1;

  void add(Pair pair, double rtol, double atol) {
    pair.at = count++;
    double apart = pair.distance(), wanted = std::fabs(pair.wanted);
    double allowed = std::isfinite(wanted) ? atol + rtol * wanted : 0;
    if (apart <= allowed)
      return;
    if (!wrong++)
      first = pair;
    if (apart > most) {
      most = apart;
      worst = pair;
    }
  }
};
} // namespace

/// Compares piece by piece. A float file is kept in its own precision.
static llvm::Expected<Differences> compare(const executor::ManifestArray &array,
                                           llvm::ArrayRef<char> bytes,
                                           llvm::StringRef path, double rtol,
                                           double atol) {
  auto npy = openArray(path, array.name);
  if (!npy)
    return npy.takeError();
  auto element = elementOf(array.element);
  if (!element)
    return failure(fmt::format("unknown element type '{}'", array.element));
  auto stored = *element;
  if (reference::isFloat(*element)) {
    for (auto wide : {reference::Element::F32, reference::Element::F64})
      if (npy->dtype() == reference::npyType(wide))
        stored = wide;
  }
  auto inFile = [&](llvm::Error error) {
    llvm::StringRef text = "error: ";
    std::string what = toString(std::move(error));
    return failure(fmt::format(
        "{}: {}", path.str(),
        what.substr(llvm::StringRef(what).starts_with(text) ? text.size()
                                                            : 0)));
  };
  if (auto e = checkShape(*npy, array, stored))
    return inFile(std::move(e));
  Differences differences;
  uint64_t left = npy->bytes();
  do {
    auto expected = readPiece(*npy, left, stored, array.name);
    if (!expected)
      return inFile(expected.takeError());
    const int64_t count = expected->size();
    const uint64_t size = count * reference::elementBytes(*element);
    if (size > bytes.size())
      return failure(fmt::format("output '{}' is shorter than {}", array.name,
                                 path.str()));
    auto actual = reference::Tensor::fromBytes({{"i", count}}, *element,
                                               bytes.take_front(size));
    if (!actual)
      return failure(toString(actual.takeError()));
    bytes = bytes.drop_front(size);
    for (int64_t i = 0; i < count; ++i)
      differences.add(Pair::of(*actual, *expected, i), rtol, atol);
  } while (left);
  return differences;
}

llvm::Expected<std::string>
napkin::run::compareOutput(const executor::ManifestArray &array,
                           const std::vector<char> &bytes, llvm::StringRef path,
                           double rtol, double atol) {
  auto found = compare(array, bytes, path, rtol, atol);
  if (!found)
    return found.takeError();
  if (!found->wrong)
    return "";
  return fmt::format("output '{}' differs from {}: {} of {} elements are "
                     "further off than {:g} "
                     "+ {:g} * |expected|\n  first: {}\n  worst: {}",
                     array.name, path.str(), found->wrong, found->count, atol,
                     rtol, found->first.text(array), found->worst.text(array));
}
