//===- Arrays.h - numeric kernels of the reference --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transposition, contraction and named reductions of host arrays, for values of
// type double, float (plain single precision) and int64_t (integers).
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_REFERENCE_ARRAYS_H
#define NAPKIN_LIB_REFERENCE_ARRAYS_H

#include "napkin/Reference/Tensor.h"
#include "llvm/ADT/ArrayRef.h"
#include <string>
#include <vector>

namespace napkin::reference {

/// Values along axes, row major.
template <typename T>
struct Values {
  std::vector<Axis> axes;
  std::vector<T> data;
};

/// Stride in elements of each of \p axes in row-major order.
std::vector<int64_t> stridesOf(llvm::ArrayRef<Axis> axes);

/// Number of elements along \p axes.
int64_t countOf(llvm::ArrayRef<Axis> axes);

/// \p values with its axes in the order \p order, a permutation of them.
template <typename T>
Values<T> permute(const Values<T> &values, std::vector<Axis> order);

/// The sum over the axes called \p over of the product of all \p factors. The
/// result's axes are in the order of their first appearance. Sums of each
/// element run in row-major order of the summed axes, in type T. With
/// \p zeroWins a product with a 0 is 0 whatever the other factor is.
template <typename T>
Values<T> contract(std::vector<Values<T>> factors,
                   llvm::ArrayRef<std::string> over, bool zeroWins = false);

/// Combines \p values along the axes called \p over from left to right,
/// beginning with \p identity.
template <typename T, typename Combine>
Values<T> reduce(const Values<T> &values, llvm::ArrayRef<std::string> over,
                 T identity, Combine combine) {
  std::vector<Axis> order, rest;
  for (const Axis &axis : values.axes)
    (llvm::is_contained(over, axis.name) ? order : rest).push_back(axis);
  int64_t outer = countOf(order), inner = countOf(rest);
  order.insert(order.end(), rest.begin(), rest.end());
  Values<T> source = permute(values, order);
  Values<T> result{rest, std::vector<T>(inner, identity)};
  for (int64_t row = 0; row < outer; ++row) {
    const T *in = source.data.data() + row * inner;
    for (int64_t column = 0; column < inner; ++column)
      result.data[column] = combine(result.data[column], in[column]);
  }
  return result;
}

} // namespace napkin::reference

#endif // NAPKIN_LIB_REFERENCE_ARRAYS_H
