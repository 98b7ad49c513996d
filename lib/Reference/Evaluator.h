//===- Evaluator.h - evaluation of one diagram ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of one evaluation: the value of each array that is still needed,
// and the part of each axis that is being computed.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_REFERENCE_EVALUATOR_H
#define NAPKIN_LIB_REFERENCE_EVALUATOR_H

#include "Arrays.h"
#include "napkin/Dialect/NCD/IR/Views.h"
#include "napkin/Reference/Evaluate.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include <memory>
#include <random>
#include <string>
#include <vector>

namespace napkin::reference {

/// The names in \p axes.
std::vector<std::string> namesOf(mlir::ArrayAttr axes);

using TensorRef = std::shared_ptr<const Tensor>;

/// Evaluates the operations of one diagram.
class Evaluator {
public:
  explicit Evaluator(const EvaluationOptions &options)
      : options(options), random(options.streamSeed.value_or(0)),
        orders(options.orderSeed.value_or(0)) {}

  mlir::FailureOr<std::vector<Tensor>> run(ncd::DiagramOp diagram,
                                           llvm::ArrayRef<Tensor> inputs);

private:
  /// The part of an axis that is being evaluated.
  struct Range {
    int64_t begin, size;
  };

  mlir::LogicalResult bindInputs(ncd::DiagramOp diagram,
                                 llvm::ArrayRef<Tensor> inputs);

  /// Evaluates \p block with \p arguments and returns what it yields.
  mlir::FailureOr<std::vector<TensorRef>>
  runBlock(mlir::Block &block, llvm::ArrayRef<TensorRef> arguments);

  mlir::LogicalResult evaluate(mlir::Operation *op);
  mlir::LogicalResult evaluate(ncd::ContractOp op);
  mlir::LogicalResult evaluate(ncd::MapOp op);
  mlir::LogicalResult evaluate(ncd::ReduceOp op);
  mlir::LogicalResult evaluate(ncd::SoftmaxOp op);
  mlir::LogicalResult evaluate(ncd::LogSumExpOp op);
  mlir::LogicalResult evaluate(ncd::TopKOp op);
  mlir::LogicalResult evaluateNorm(mlir::Operation *op, mlir::Value input,
                                   mlir::Value gain, mlir::Value bias,
                                   mlir::ArrayAttr over, double eps,
                                   bool centre);
  mlir::LogicalResult evaluate(ncd::KernelOp op);
  mlir::LogicalResult evaluate(ncd::StreamOp op);
  mlir::LogicalResult evaluate(ncd::WhenOp op);
  mlir::LogicalResult evaluate(ncd::SplitOp op);
  mlir::LogicalResult evaluate(ncd::JoinOp op);
  mlir::LogicalResult evaluate(ncd::RenameOp op);
  mlir::LogicalResult evaluate(ncd::SliceOp op);
  mlir::LogicalResult evaluate(ncd::ConcatOp op);
  mlir::LogicalResult evaluate(ncd::ViewOp op);

  /// The elements of \p tensor, an array of type \p from, that lie where
  /// \p placement says, as an array of type \p to. Emits an error on \p op
  /// where nothing lies.
  mlir::FailureOr<TensorRef> viewOf(mlir::Operation *op, const Tensor &tensor,
                                    ncd::ArrayType from,
                                    const ncd::Placement &placement,
                                    ncd::ArrayType to);

  /// Shuffles the positions of the axes called \p over, all of \p arrays
  /// alike, if the options ask for random orders.
  template <typename T>
  void shuffleOrders(llvm::MutableArrayRef<Values<T>> arrays,
                     llvm::ArrayRef<std::string> over);

  /// The order in which a row of \p length elements is summed: from first to
  /// last, or at random if the options ask for random orders.
  std::vector<int64_t> orderOfSum(int64_t length);

  template <typename T>
  mlir::LogicalResult contractAs(ncd::ContractOp op);
  template <typename T>
  mlir::LogicalResult reduceAs(ncd::ReduceOp op);
  mlir::LogicalResult reduceByRegion(ncd::ReduceOp op);

  mlir::FailureOr<std::vector<TensorRef>>
  runParts(ncd::KernelOp op, const std::vector<TensorRef> &arguments);

  using State = std::vector<TensorRef>;
  mlir::FailureOr<State> streamSteps(ncd::StreamOp op, int64_t begin,
                                     int64_t end);
  mlir::FailureOr<State> streamStep(ncd::StreamOp op, State state,
                                    int64_t begin, int64_t end);
  mlir::FailureOr<State> streamTree(ncd::StreamOp op, int64_t begin,
                                    int64_t end, int depth);

  /// Axes of \p type with the sizes that they have here and now. Emits an error
  /// on \p op when a size is unknown or the array is too large.
  mlir::FailureOr<std::vector<Axis>> axesNow(mlir::Operation *op,
                                             ncd::ArrayType type);

  /// Rounds \p tensor as stored, and makes it the value of \p value.
  void store(mlir::Value value, Tensor tensor);

  const Tensor &tensorOf(mlir::Value value) {
    return *values.find(value)->second;
  }

  /// The floats of \p value, for computation in type T.
  template <typename T>
  Values<T> valuesOf(mlir::Value value) {
    const Tensor &tensor = tensorOf(value);
    if constexpr (std::is_same_v<T, int64_t>)
      return {tensor.axes, tensor.integers};
    else
      return {tensor.axes,
              std::vector<T>(tensor.floats.begin(), tensor.floats.end())};
  }

  /// Permutes \p computed into the order of the axes of \p value and stores it.
  template <typename T>
  mlir::LogicalResult storeValues(mlir::Operation *op, mlir::Value value,
                                  const Values<T> &computed) {
    auto type = mlir::cast<ncd::ArrayType>(value.getType());
    mlir::FailureOr<std::vector<Axis>> axes = axesNow(op, type);
    if (mlir::failed(axes))
      return mlir::failure();
    Values<T> ordered = permute(computed, *axes);
    Tensor tensor;
    tensor.axes = std::move(*axes);
    tensor.element = elementOf(type.getElementType());
    if constexpr (std::is_same_v<T, int64_t>)
      tensor.integers = std::move(ordered.data);
    else
      tensor.floats.assign(ordered.data.begin(), ordered.data.end());
    store(value, std::move(tensor));
    return mlir::success();
  }

  /// Whether sums of elements of \p type accumulate in single precision.
  bool isSingle(mlir::Type type) const {
    return options.arithmetic == Arithmetic::Single && !type.isF64();
  }

  const EvaluationOptions &options;
  std::mt19937_64 random, orders;
  llvm::DenseMap<mlir::Value, TensorRef> values;
  /// Axes whose size or position is not that of the type: `?` and chunks.
  llvm::StringMap<Range> ranges;
  /// The part of a split whose positions its streams walk now.
  struct Part {
    std::string axis;
    int64_t begin, end;
  };
  std::optional<Part> part;
  /// The parts so far of a stream's results that carry its axis.
  llvm::DenseMap<mlir::Value, std::vector<TensorRef>> appended;
};

} // namespace napkin::reference

#endif // NAPKIN_LIB_REFERENCE_EVALUATOR_H
