//===- EvaluateComposed.cpp - ops that decompose --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax and its kind, computed from their formulas and not from their
// decompositions, so that the two check each other.
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include <cmath>
#include <limits>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;

namespace {

/// An array seen as rows: the axes to keep first, those in `over` last. Each
/// row is contiguous.
struct Rows {
  Rows(const Tensor &tensor, llvm::ArrayRef<std::string> over) {
    std::vector<Axis> reduced;
    for (const Axis &axis : tensor.axes)
      (llvm::is_contained(over, axis.name) ? reduced : kept).push_back(axis);
    std::vector<Axis> order = kept;
    order.insert(order.end(), reduced.begin(), reduced.end());
    values = permute(Values<double>{tensor.axes, tensor.floats}, order);
    count = countOf(kept);
    length = countOf(reduced);
  }

  llvm::MutableArrayRef<double> operator[](int64_t row) {
    return {values.data.data() + row * length, static_cast<size_t>(length)};
  }

  Values<double> values;
  std::vector<Axis> kept;
  int64_t count, length;
};

} // namespace

/// select(max == -inf, 0, max) of \p row, a NaN being the largest of all: the
/// definition to the letter.
static double guardedMax(llvm::ArrayRef<double> row) {
  constexpr double least = -std::numeric_limits<double>::infinity();
  double largest = least;
  for (double value : row)
    largest = largest > value || std::isnan(largest) ? largest : value;
  return largest == least ? 0 : largest;
}

namespace {
/// Rounds what a composed operation computes on the way, as Arithmetic::Single
/// has it.
struct Steps {
  bool single;
  double operator()(double value) const {
    return single ? static_cast<double>(static_cast<float>(value)) : value;
  }
};
} // namespace

LogicalResult Evaluator::evaluate(ncd::SoftmaxOp op) {
  Rows rows(tensorOf(op.getInput()), namesOf(op.getOver()));
  Steps rounded{isSingle(op.getResult().getType().getElementType())};
  for (int64_t row = 0; row < rows.count; ++row) {
    double shift = guardedMax(rows[row]), sum = 0;
    for (double &value : rows[row]) {
      value = rounded(std::exp(rounded(value - shift)));
      sum = rounded(sum + value);
    }
    for (double &value : rows[row])
      value = rounded(value / (sum == 0 ? 1 : sum));
  }
  return storeValues(op, op.getResult(), rows.values);
}

LogicalResult Evaluator::evaluate(ncd::LogSumExpOp op) {
  Rows rows(tensorOf(op.getInput()), namesOf(op.getOver()));
  Steps rounded{isSingle(op.getResult().getType().getElementType())};
  Values<double> result{rows.kept, {}};
  for (int64_t row = 0; row < rows.count; ++row) {
    double shift = guardedMax(rows[row]), sum = 0;
    for (double value : rows[row])
      sum = rounded(sum + rounded(std::exp(rounded(value - shift))));
    result.data.push_back(rounded(shift + rounded(std::log(sum))));
  }
  return storeValues(op, op.getResult(), result);
}

LogicalResult Evaluator::evaluateNorm(Operation *op, Value input, Value gain,
                                      Value bias, ArrayAttr over, double eps,
                                      bool centre) {
  Rows rows(tensorOf(input), namesOf(over));
  Steps rounded{isSingle(
      cast<ncd::ArrayType>(op->getResult(0).getType()).getElementType())};
  for (int64_t row = 0; row < rows.count; ++row) {
    if (centre) {
      double sum = 0;
      for (double value : rows[row])
        sum = rounded(sum + value);
      double mean = rounded(sum / rows.length);
      for (double &value : rows[row])
        value = rounded(value - mean);
    }
    double squares = 0;
    for (double value : rows[row])
      squares = rounded(squares + rounded(value * value));
    double scale = rounded(
        1 / rounded(std::sqrt(rounded(rounded(squares / rows.length) + eps))));
    for (double &value : rows[row])
      value = rounded(value * scale);
  }
  // The factors are repeated along the axes that they lack.
  auto apply = [&](Value factor, auto combine) {
    if (!factor)
      return;
    const Tensor &tensor = tensorOf(factor);
    std::vector<int64_t> own = stridesOf(tensor.axes);
    std::vector<Axis> &axes = rows.values.axes;
    for (int64_t index = 0, count = countOf(axes); index < count; ++index) {
      int64_t rest = index, offset = 0;
      for (size_t axis = axes.size(); axis-- > 0;) {
        int at = tensor.axisIndex(axes[axis].name);
        if (at >= 0)
          offset += rest % axes[axis].size * own[at];
        rest /= axes[axis].size;
      }
      combine(rows.values.data[index], tensor.floats[offset]);
    }
  };
  apply(gain,
        [&](double &value, double factor) { value = rounded(value * factor); });
  apply(bias, [&](double &value, double summand) {
    value = rounded(value + summand);
  });
  return storeValues(op, op->getResult(0), rows.values);
}
