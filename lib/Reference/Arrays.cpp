//===- Arrays.cpp - numeric kernels of the reference ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain loops, arranged so that the innermost one runs over contiguous memory.
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "llvm/ADT/STLExtras.h"

using namespace napkin::reference;

int64_t napkin::reference::countOf(llvm::ArrayRef<Axis> axes) {
  int64_t count = 1;
  for (const Axis &axis : axes)
    count *= axis.size;
  return count;
}

std::vector<int64_t> napkin::reference::stridesOf(llvm::ArrayRef<Axis> axes) {
  std::vector<int64_t> strides(axes.size());
  int64_t stride = 1;
  for (size_t index = axes.size(); index-- > 0;) {
    strides[index] = stride;
    stride *= axes[index].size;
  }
  return strides;
}

template <typename T>
Values<T> napkin::reference::permute(const Values<T> &values,
                                     std::vector<Axis> order) {
  if (order == values.axes)
    return values;
  Values<T> result{std::move(order), {}};
  int64_t count = countOf(result.axes);
  result.data.resize(count);
  if (count == 0)
    return result;
  std::vector<int64_t> sourceStrides = stridesOf(values.axes);
  std::vector<int64_t> sizes, strides;
  for (const Axis &axis : result.axes) {
    auto *found = llvm::find(values.axes, axis).base();
    sizes.push_back(axis.size);
    strides.push_back(sourceStrides[found - values.axes.data()]);
  }
  // An odometer over all but the last axis; the last one is the inner loop.
  size_t rank = sizes.size();
  std::vector<int64_t> position(rank, 0);
  int64_t inner = sizes.back(), stride = strides.back();
  int64_t offset = 0;
  T *out = result.data.data();
  for (int64_t row = 0; row < count / inner; ++row) {
    const T *in = values.data.data() + offset;
    for (int64_t index = 0; index < inner; ++index)
      *out++ = in[index * stride];
    for (size_t axis = rank - 1; axis-- > 0;) {
      offset += strides[axis];
      if (++position[axis] < sizes[axis])
        break;
      offset -= strides[axis] * sizes[axis];
      position[axis] = 0;
    }
  }
  return result;
}

/// c[m, n] += a[m, k] * b[k, n], dense row major.
template <typename T>
static void multiplyAdd(const T *a, const T *b, T *c, int64_t m, int64_t n,
                        int64_t k) {
  for (int64_t row = 0; row < m; ++row, a += k, c += n) {
    int64_t step = 0;
    // Four summands at a time read and write c a quarter as often; they are
    // still added one after the other.
    for (; step + 4 <= k; step += 4) {
      T a0 = a[step], a1 = a[step + 1], a2 = a[step + 2], a3 = a[step + 3];
      const T *b0 = b + step * n, *b1 = b0 + n, *b2 = b1 + n, *b3 = b2 + n;
      for (int64_t column = 0; column < n; ++column)
        c[column] = (((c[column] + a0 * b0[column]) + a1 * b1[column]) +
                     a2 * b2[column]) +
                    a3 * b3[column];
    }
    for (; step < k; ++step) {
      const T *row0 = b + step * n;
      for (int64_t column = 0; column < n; ++column)
        c[column] += a[step] * row0[column];
    }
  }
}

/// Signed overflow wraps, as in the integer types that are modelled.
template <>
void multiplyAdd<int64_t>(const int64_t *a, const int64_t *b, int64_t *c,
                          int64_t m, int64_t n, int64_t k) {
  for (int64_t row = 0; row < m; ++row)
    for (int64_t step = 0; step < k; ++step)
      for (int64_t column = 0; column < n; ++column)
        c[row * n + column] = static_cast<int64_t>(
            static_cast<uint64_t>(c[row * n + column]) +
            static_cast<uint64_t>(a[row * k + step]) *
                static_cast<uint64_t>(b[step * n + column]));
}

/// The same, but 0 times anything is 0.
template <typename T>
static void multiplyAddSeen(const T *a, const T *b, T *c, int64_t m, int64_t n,
                            int64_t k) {
  for (int64_t row = 0; row < m; ++row)
    for (int64_t step = 0; step < k; ++step)
      for (int64_t column = 0; column < n; ++column)
        if (a[row * k + step] != T(0) && b[step * n + column] != T(0))
          c[row * n + column] += a[row * k + step] * b[step * n + column];
}

/// Contracts \p left and \p right over the axes called \p over; both carry
/// every one of them.
template <typename T>
static Values<T> contractPair(Values<T> left, Values<T> right,
                              llvm::ArrayRef<std::string> over, bool zeroWins) {
  std::vector<Axis> batch, rows, columns, summed;
  for (const Axis &axis : left.axes) {
    if (!llvm::is_contained(right.axes, axis))
      rows.push_back(axis);
    else if (llvm::is_contained(over, axis.name))
      summed.push_back(axis);
    else
      batch.push_back(axis);
  }
  for (const Axis &axis : right.axes)
    if (!llvm::is_contained(left.axes, axis))
      columns.push_back(axis);
  // The inner loop runs over the columns: make them the longer side.
  if (countOf(columns) < countOf(rows) && countOf(columns) < 16) {
    std::swap(left, right);
    std::swap(rows, columns);
  }
  auto join = [](std::initializer_list<llvm::ArrayRef<Axis>> parts) {
    std::vector<Axis> axes;
    for (llvm::ArrayRef<Axis> part : parts)
      axes.insert(axes.end(), part.begin(), part.end());
    return axes;
  };
  left = permute(left, join({batch, rows, summed}));
  right = permute(right, join({batch, summed, columns}));
  int64_t m = countOf(rows), n = countOf(columns), k = countOf(summed);
  Values<T> result{join({batch, rows, columns}), {}};
  result.data.assign(countOf(result.axes), T(0));
  for (int64_t index = 0, count = countOf(batch); index < count; ++index)
    (zeroWins ? multiplyAddSeen<T>
              : multiplyAdd<T>)(left.data.data() + index * m * k,
                                right.data.data() + index * k * n,
                                result.data.data() + index * m * n, m, n, k);
  return result;
}

template <typename T>
Values<T> napkin::reference::contract(std::vector<Values<T>> factors,
                                      llvm::ArrayRef<std::string> over,
                                      bool zeroWins) {
  Values<T> product = std::move(factors.front());
  for (size_t index = 1; index < factors.size(); ++index) {
    // An axis is summed once no later factor carries it.
    std::vector<std::string> now;
    for (const std::string &name : over) {
      auto carries = [&](const Values<T> &values) {
        return llvm::any_of(
            values.axes, [&](const Axis &axis) { return axis.name == name; });
      };
      bool later =
          llvm::any_of(llvm::ArrayRef(factors).drop_front(index + 1), carries);
      if (!later && carries(product) && carries(factors[index]))
        now.push_back(name);
    }
    product = contractPair(std::move(product), std::move(factors[index]), now,
                           zeroWins);
  }
  return product;
}

template Values<double> napkin::reference::permute(const Values<double> &,
                                                   std::vector<Axis>);
template Values<float> napkin::reference::permute(const Values<float> &,
                                                  std::vector<Axis>);
template Values<int64_t> napkin::reference::permute(const Values<int64_t> &,
                                                    std::vector<Axis>);
template Values<double> napkin::reference::contract(std::vector<Values<double>>,
                                                    llvm::ArrayRef<std::string>,
                                                    bool);
template Values<float> napkin::reference::contract(std::vector<Values<float>>,
                                                   llvm::ArrayRef<std::string>,
                                                   bool);
template Values<int64_t>
napkin::reference::contract(std::vector<Values<int64_t>>,
                            llvm::ArrayRef<std::string>, bool);
