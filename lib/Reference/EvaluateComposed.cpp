//===- EvaluateComposed.cpp - ops that decompose --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Softmax and its kind, computed from their formulas and not from their
// decompositions, so that the two check each other.
//===----------------------------------------------------------------------===//

#include "Decisions.h"
#include "Evaluator.h"
#include "FunctionError.h"
#include "napkin/Reference/Accuracy.h"
#include <cmath>
#include <limits>
#include <numeric>

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
/// What a composed operation computes on the way: rounded, and off by the
/// errors of functions, as Arithmetic::Single has it.
class Steps {
public:
  Steps(bool single, const EvaluationOptions &options)
      : single(single), exponential(errorOf(exponentialError, options, 1)),
        logarithm(errorOf(logarithmError, options, 2)),
        root(errorOf(reciprocalRootError, options, 3)),
        division(errorOf(quotientError, options, 4)) {}

  double operator()(double value) const {
    return single ? static_cast<double>(static_cast<float>(value)) : value;
  }
  double exp(double x) { return approximate(std::exp(x), exponential); }
  double log(double x) { return approximate(std::log(x), logarithm); }
  double rsqrt(double x) { return approximate(1 / std::sqrt(x), root); }
  double quotient(double a, double b) { return approximate(a / b, division); }

private:
  FunctionError errorOf(double ulps, const EvaluationOptions &options,
                        uint64_t function) const {
    return {single ? ulps * options.functionErrors : 0,
            options.orderSeed.value_or(0) + function};
  }
  double approximate(double value, FunctionError &error) const {
    error.apply(&value, 1);
    return (*this)(value);
  }

  bool single;
  FunctionError exponential, logarithm, root, division;
};
} // namespace

std::vector<int64_t> Evaluator::orderOfSum(int64_t length) {
  std::vector<int64_t> order(length);
  std::iota(order.begin(), order.end(), 0);
  if (options.orderSeed)
    std::shuffle(order.begin(), order.end(), orders);
  return order;
}

LogicalResult Evaluator::evaluate(ncd::SoftmaxOp op) {
  Rows rows(tensorOf(op.getInput()), namesOf(op.getOver()));
  Steps steps(isSingle(op.getResult().getType().getElementType()), options);
  std::vector<int64_t> order = orderOfSum(rows.length);
  for (int64_t row = 0; row < rows.count; ++row) {
    double shift = guardedMax(rows[row]), sum = 0;
    for (double &value : rows[row])
      value = steps.exp(steps(value - shift));
    for (int64_t at : order)
      sum = steps(sum + rows[row][at]);
    for (double &value : rows[row])
      value = steps.quotient(value, sum == 0 ? 1 : sum);
  }
  return storeValues(op, op.getResult(), rows.values);
}

LogicalResult Evaluator::evaluate(ncd::LogSumExpOp op) {
  Rows rows(tensorOf(op.getInput()), namesOf(op.getOver()));
  Steps steps(isSingle(op.getResult().getType().getElementType()), options);
  std::vector<int64_t> order = orderOfSum(rows.length);
  Values<double> result{rows.kept, {}};
  for (int64_t row = 0; row < rows.count; ++row) {
    double shift = guardedMax(rows[row]), sum = 0;
    for (int64_t at : order)
      sum = steps(sum + steps.exp(steps(rows[row][at] - shift)));
    result.data.push_back(steps(shift + steps.log(sum)));
  }
  return storeValues(op, op.getResult(), result);
}

LogicalResult Evaluator::evaluate(ncd::TopKOp op) {
  Rows rows(tensorOf(op.getInput()), {op.getOverAxis().str()});
  int64_t count = op.getCount();
  std::vector<Axis> found = rows.kept;
  found.push_back({op.getInto().str(), count});
  Values<double> values{found, {}};
  Values<int64_t> indices{found, {}};
  Decisions alone;
  Decisions &decisions = options.decisions ? *options.decisions : alone;
  for (int64_t row = 0; row < rows.count; ++row) {
    for (double &value : rows[row])
      if (std::isnan(value))
        value = -std::numeric_limits<double>::infinity();
    std::vector<int64_t> order = decisions.order(op, rows[row]);
    for (int64_t at : llvm::ArrayRef(order).take_front(count)) {
      values.data.push_back(rows[row][at]);
      indices.data.push_back(at);
    }
  }
  if (failed(storeValues(op, op.getValues(), std::move(values))))
    return failure();
  return storeValues(op, op.getIndices(), std::move(indices));
}

LogicalResult Evaluator::evaluateNorm(Operation *op, Value input, Value gain,
                                      Value bias, ArrayAttr over, double eps,
                                      bool centre) {
  Rows rows(tensorOf(input), namesOf(over));
  Steps rounded(
      isSingle(
          cast<ncd::ArrayType>(op->getResult(0).getType()).getElementType()),
      options);
  std::vector<int64_t> order = orderOfSum(rows.length);
  for (int64_t row = 0; row < rows.count; ++row) {
    if (centre) {
      double sum = 0;
      for (int64_t at : order)
        sum = rounded(sum + rows[row][at]);
      double mean = rounded(sum / rows.length);
      for (double &value : rows[row])
        value = rounded(value - mean);
    }
    double squares = 0;
    for (int64_t at : order)
      squares = rounded(squares + rounded(rows[row][at] * rows[row][at]));
    double scale = rounded.rsqrt(rounded(rounded(squares / rows.length) + eps));
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
