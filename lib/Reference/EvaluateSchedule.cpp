//===- EvaluateSchedule.cpp - kernel and stream ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel is its body. A stream is its regions under a split of the axis and a
// tree of merges, both chosen by the options.
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;
using ncd::ArrayType;

/// All rows at once: what is right for one is right for all.
LogicalResult Evaluator::evaluate(ncd::WhenOp op) {
  const Tensor &condition = tensorOf(op.getCondition());
  FailureOr<std::vector<TensorRef>> results = std::vector<TensorRef>();
  if (llvm::any_of(condition.integers, [](int64_t bit) { return bit != 0; }))
    results = runBlock(op.getBody().front(), {});
  else
    for (Value value : op.getOtherwise())
      results->push_back(values.find(value)->second);
  if (failed(results))
    return failure();
  for (auto [value, tensor] : llvm::zip_equal(op.getResults(), *results))
    values[value] = tensor;
  return success();
}

/// Positions [\p begin, \p end) of axis \p name of \p tensor.
static Tensor sliceOf(const Tensor &tensor, StringRef name, int64_t begin,
                      int64_t end) {
  int index = tensor.axisIndex(name);
  std::vector<Axis> axes = tensor.axes;
  int64_t whole = axes[index].size;
  axes[index].size = end - begin;
  Tensor slice(axes, tensor.element);
  int64_t inner = countOf(llvm::ArrayRef(axes).drop_front(index + 1));
  int64_t outer = countOf(llvm::ArrayRef(axes).take_front(index));
  auto copy = [&](const auto &from, auto &to) {
    for (int64_t row = 0; row < outer; ++row)
      std::copy_n(from.data() + (row * whole + begin) * inner,
                  (end - begin) * inner,
                  to.data() + row * (end - begin) * inner);
  };
  if (isFloat(tensor.element))
    copy(tensor.floats, slice.floats);
  else
    copy(tensor.integers, slice.integers);
  return slice;
}

/// The results of \p op that carry its axis.
static Operation::result_range appendedResults(ncd::StreamOp op) {
  Operation *finished = op.getFinish().front().getTerminator();
  return op.getResults().drop_front(finished->getNumOperands());
}

/// \p parts of axis \p name, which follow each other, as one tensor.
static Tensor joinParts(llvm::ArrayRef<TensorRef> parts, StringRef name) {
  int index = parts.front()->axisIndex(name);
  std::vector<Axis> axes = parts.front()->axes;
  int64_t inner = countOf(llvm::ArrayRef(axes).drop_front(index + 1));
  int64_t outer = countOf(llvm::ArrayRef(axes).take_front(index));
  axes[index].size = 0;
  for (const TensorRef &part : parts)
    axes[index].size += part->axes[index].size;
  Tensor whole(axes, parts.front()->element);
  int64_t begin = 0;
  for (const TensorRef &part : parts) {
    int64_t length = part->axes[index].size;
    auto copy = [&](const auto &from, auto &to) {
      for (int64_t row = 0; row < outer; ++row)
        std::copy_n(from.data() + row * length * inner, length * inner,
                    to.data() + (row * axes[index].size + begin) * inner);
    };
    if (isFloat(whole.element))
      copy(part->floats, whole.floats);
    else
      copy(part->integers, whole.integers);
    begin += length;
  }
  return whole;
}

/// \p tensor with an axis of one position in front.
static Tensor withFront(const Tensor &tensor, StringRef name) {
  Tensor result = tensor;
  result.axes.insert(result.axes.begin(), Axis{name.str(), 1});
  return result;
}

/// Each part of a split walks its positions of the streamed axis and writes one
/// position of the axis of the parts.
FailureOr<std::vector<TensorRef>>
Evaluator::runParts(ncd::KernelOp op, const std::vector<TensorRef> &arguments) {
  ncd::SplitAttr split = op.getSplitAttr();
  int64_t size = *op.getAxisSize(split.getAxis());
  std::vector<std::vector<TensorRef>> parts(op.getNumResults());
  for (int64_t begin = 0; begin < size; begin += split.getBy()) {
    part = Part{split.getAxis().str(), begin,
                std::min(begin + split.getBy(), size)};
    FailureOr<std::vector<TensorRef>> results =
        runBlock(op.getBody().front(), arguments);
    part.reset();
    if (failed(results))
      return failure();
    for (auto [all, tensor] : llvm::zip_equal(parts, *results))
      all.push_back(
          std::make_shared<const Tensor>(withFront(*tensor, split.getParts())));
  }
  std::vector<TensorRef> joined;
  for (const std::vector<TensorRef> &all : parts)
    joined.push_back(
        std::make_shared<const Tensor>(joinParts(all, split.getParts())));
  return joined;
}

LogicalResult Evaluator::evaluate(ncd::KernelOp op) {
  std::vector<TensorRef> arguments;
  Block &body = op.getBody().front();
  for (auto [index, input] : llvm::enumerate(op.getInputs())) {
    arguments.push_back(values.find(input)->second);
    ncd::ViewAttr view = op.getView(index);
    if (!view)
      continue;
    FailureOr<TensorRef> seen =
        viewOf(op, *arguments.back(), cast<ArrayType>(input.getType()),
               {view.getFrom(), llvm::to_vector(view.getBy())},
               cast<ArrayType>(body.getArgument(index).getType()));
    if (failed(seen))
      return failure();
    arguments.back() = std::move(*seen);
  }
  FailureOr<std::vector<TensorRef>> results =
      op.writesParts() ? runParts(op, arguments) : runBlock(body, arguments);
  if (failed(results))
    return failure();
  for (auto [value, tensor] : llvm::zip_equal(op.getResults(), *results))
    values[value] = tensor;
  return success();
}

FailureOr<Evaluator::State> Evaluator::streamStep(ncd::StreamOp op, State state,
                                                  int64_t begin, int64_t end) {
  for (Value input : op.getInputs()) {
    Tensor chunk = sliceOf(tensorOf(input), op.getAxis(), begin, end);
    // A chunk of one position lacks the axis.
    if (op.getSingle())
      chunk.axes.erase(chunk.axes.begin() + chunk.axisIndex(op.getAxis()));
    state.push_back(std::make_shared<const Tensor>(std::move(chunk)));
  }
  auto outer = ranges.find(op.getAxis());
  std::optional<Range> saved;
  if (outer != ranges.end())
    saved = outer->second;
  ranges[op.getAxis()] = Range{begin, end - begin};
  FailureOr<State> next = runBlock(op.getStep().front(), state);
  if (saved)
    ranges[op.getAxis()] = *saved;
  else
    ranges.erase(op.getAxis());
  if (failed(next))
    return failure();
  // Behind the state stand the parts of results that carry the axis.
  for (auto [result, part] :
       llvm::zip_equal(appendedResults(op),
                       llvm::ArrayRef(*next).drop_front(op.getNumStates())))
    if (end > begin)
      appended[result].push_back(part);
  next->resize(op.getNumStates());
  return next;
}

/// The state after positions [\p begin, \p end), in steps from the empty state.
FailureOr<Evaluator::State> Evaluator::streamSteps(ncd::StreamOp op,
                                                   int64_t begin, int64_t end) {
  FailureOr<State> state = runBlock(op.getInit().front(), {});
  while (succeeded(state) && begin < end) {
    int64_t length = end - begin;
    if (op.getSingle())
      length = 1;
    else if (options.streamSeed)
      // One chunk in four is empty.
      length =
          random() % 4 == 0 ? 0 : 1 + static_cast<int64_t>(random() % length);
    else if (options.streamChunk > 0)
      length = std::min(options.streamChunk, length);
    state = streamStep(op, std::move(*state), begin, begin + length);
    begin += length;
  }
  return state;
}

/// The state after positions [\p begin, \p end), by a random tree of merges.
FailureOr<Evaluator::State>
Evaluator::streamTree(ncd::StreamOp op, int64_t begin, int64_t end, int depth) {
  if (!options.streamSeed || depth == 0 || random() % 3 == 0)
    return streamSteps(op, begin, end);
  // Either part may be empty.
  int64_t middle = begin + static_cast<int64_t>(random() % (end - begin + 1));
  FailureOr<State> left = streamTree(op, begin, middle, depth - 1);
  if (failed(left))
    return failure();
  FailureOr<State> right = streamTree(op, middle, end, depth - 1);
  if (failed(right))
    return failure();
  State both = std::move(*left);
  both.insert(both.end(), right->begin(), right->end());
  return runBlock(op.getMerge().front(), both);
}

LogicalResult Evaluator::evaluate(ncd::StreamOp op) {
  int64_t size = 0;
  auto range = ranges.find(op.getAxis());
  if (range != ranges.end())
    size = range->second.size;
  else if (!op.getInputs().empty())
    size =
        cast<ArrayType>(op.getInputs().front().getType()).sizeOf(op.getAxis());
  else
    op.getStep().walk([&](Operation *inner) {
      for (Type type : inner->getResultTypes())
        if (auto array = dyn_cast<ArrayType>(type);
            array && array.hasAxis(op.getAxis()))
          size = array.sizeOf(op.getAxis());
    });
  for (Value result : appendedResults(op))
    appended[result].clear();
  bool isPart = part && part->axis == op.getAxis();
  FailureOr<State> state = streamTree(op, isPart ? part->begin : 0,
                                      isPart ? part->end : size, /*depth=*/4);
  if (failed(state))
    return failure();
  FailureOr<State> results = runBlock(op.getFinish().front(), *state);
  if (failed(results))
    return failure();
  for (auto [value, tensor] : llvm::zip(op.getResults(), *results))
    values[value] = tensor;
  for (Value result : appendedResults(op))
    values[result] = std::make_shared<const Tensor>(
        joinParts(appended[result], op.getAxis()));
  return success();
}
