//===- Random.h - seeded random arrays --------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the inputs of a verification are drawn from. A distribution is chosen
// for the faults that it shows: means for differences of large sums, masks for
// running maxima, extremes for overflow, infinity and NaN. No MLIR.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REFERENCE_RANDOM_H
#define NAPKIN_REFERENCE_RANDOM_H

#include "napkin/Reference/Tensor.h"

namespace napkin::reference {

/// What random values are drawn from. Integers ignore it: i1 is a fair coin, i8
/// uniform over its range, others uniform in [-1000, 1000].
enum class Distribution {
  /// N(0, 1).
  Normal,
  /// Uniform in [-1, 1).
  Uniform,
  /// N(0, 1) + N(0, 100) * Bernoulli(0.001), variances in the second argument:
  /// what activations of trained models look like.
  Outliers,
  /// N(mean, 1): the mean of an array is 1e3 where its seed is odd and 1e4
  /// where it is even, but at most a 64th of the largest value.
  Shifted,
  /// N(0, 1), where the arrays that a diagram adds to scores are masks
  /// (randomMask).
  Masked,
  /// N(0, 1), an eighth of them scaled by 2^u, u uniform within half of the
  /// type's range of exponents: products of two are finite, and sums too. An
  /// array whose seed is a multiple of 3 has one NaN, one inf and one -inf,
  /// as far as its type has them.
  Extreme,
};

/// The distribution of the name "normal", "uniform", "outliers", "shifted",
/// "masked" or "extreme", or nullopt.
std::optional<Distribution> parseDistribution(llvm::StringRef name);

/// The names of all distributions, for messages: "normal, uniform ... or
/// extreme".
std::string distributionNames();

/// An array of random values, rounded to \p element. Equal arguments give equal
/// values on every platform.
Tensor randomTensor(std::vector<Axis> axes, Element element,
                    Distribution distribution, uint64_t seed);

/// The bytes of the same array (randomTensor(...).toBytes()) without one of
/// doubles beside them.
std::vector<char> randomBytes(const std::vector<Axis> &axes, Element element,
                              Distribution distribution, uint64_t seed);

/// Lets positions that are one element in memory, of an array whose positions
/// lie \p strides elements apart along its axes, have one value: the last
/// one's.
/// \p content holds the elements densely, \p elementBytes each. No strides:
/// they lie densely.
void repeatElements(std::vector<char> &content, uint64_t elementBytes,
                    llvm::ArrayRef<Axis> axes, llvm::ArrayRef<int64_t> strides);

/// A mask to add to scores that are folded along the axes called \p folded.
/// Each row along them is hidden in a way of its own: not at all, at its
/// beginning (padding on the left), at its end (causal), outside a window, here
/// and there, all but one position, or everywhere; by -inf or by one of the
/// finite values that programs use, -1e9 to the least finite value of \p
/// element. Visible positions hold N(0, 1). A row hidden everywhere by a finite
/// value has one that absorbs every score, as its result would depend on the
/// rounding of score + value otherwise. Requires: a float type.
Tensor randomMask(std::vector<Axis> axes, Element element,
                  llvm::ArrayRef<std::string> folded, uint64_t seed);

} // namespace napkin::reference

#endif // NAPKIN_REFERENCE_RANDOM_H
