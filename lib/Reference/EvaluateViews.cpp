//===- EvaluateViews.cpp - axes seen in another way -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Splits, joins, renames, slices and concatenations by their definitions, on
// positions of axes; `ncd.view` by where elements lie in memory.
//===----------------------------------------------------------------------===//

#include "Evaluator.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;
using ncd::ArrayType;

/// Calls \p visit with an empty vector of the kind that \p tensor uses, and
/// with its elements: `visit(to, from)`.
template <typename Visit>
static void onElements(Tensor &to, const Tensor &from, Visit visit) {
  if (isFloat(from.element))
    visit(to.floats, from.floats);
  else
    visit(to.integers, from.integers);
}

/// The elements of \p tensor that lie \p from and \p by behind its first one,
/// in row-major order of \p axes. Where \p order is given, it says which
/// element of the tensor lies where.
static Tensor gather(const Tensor &tensor, std::vector<Axis> axes, int64_t from,
                     llvm::ArrayRef<int64_t> by,
                     llvm::ArrayRef<int64_t> order = {}) {
  Tensor result(std::move(axes), tensor.element);
  std::vector<int64_t> position(result.axes.size(), 0);
  int64_t at = from;
  for (int64_t to = 0, count = result.size(); to < count; ++to) {
    onElements(result, tensor, [&](auto &out, const auto &in) {
      out[to] = in[order.empty() ? at : order[at]];
    });
    for (size_t axis = position.size(); axis-- > 0;) {
      at += by[axis];
      if (++position[axis] < result.axes[axis].size)
        break;
      at -= by[axis] * position[axis];
      position[axis] = 0;
    }
  }
  return result;
}

/// \p tensor with its axes in the order of \p names.
static Tensor inOrder(const Tensor &tensor, llvm::ArrayRef<std::string> names) {
  std::vector<int64_t> own = stridesOf(tensor.axes), by;
  std::vector<Axis> axes;
  for (const std::string &name : names) {
    int index = tensor.axisIndex(name);
    axes.push_back(tensor.axes[index]);
    by.push_back(own[index]);
  }
  return gather(tensor, std::move(axes), 0, by);
}

static std::vector<std::string> axisNames(ArrayType type) {
  std::vector<std::string> names;
  for (StringAttr axis : type.getAxes())
    names.push_back(axis.str());
  return names;
}

/// \p tensor along the axes of \p type, of which those in \p seen step by so
/// much, and the others as they do in \p tensor.
static Tensor seeAs(const Tensor &tensor, ArrayType type, int64_t from,
                    const llvm::StringMap<std::pair<int64_t, int64_t>> &seen) {
  std::vector<int64_t> own = stridesOf(tensor.axes), by;
  std::vector<Axis> axes;
  for (const std::string &name : axisNames(type)) {
    auto known = seen.find(name);
    if (known != seen.end()) {
      axes.push_back({name, known->second.first});
      by.push_back(known->second.second);
      continue;
    }
    int index = tensor.axisIndex(name);
    axes.push_back(tensor.axes[index]);
    by.push_back(own[index]);
  }
  return gather(tensor, std::move(axes), from, by);
}

LogicalResult Evaluator::evaluate(ncd::SplitOp op) {
  const Tensor &tensor = tensorOf(op.getInput());
  int64_t stride = stridesOf(tensor.axes)[tensor.axisIndex(op.getAxis())];
  llvm::StringMap<std::pair<int64_t, int64_t>> seen;
  ArrayType type = op.getType();
  std::vector<std::string> into = namesOf(op.getInto());
  for (const std::string &axis : llvm::reverse(into)) {
    seen[axis] = {type.sizeOf(axis), stride};
    stride *= type.sizeOf(axis);
  }
  store(op.getResult(), seeAs(tensor, type, 0, seen));
  return success();
}

LogicalResult Evaluator::evaluate(ncd::JoinOp op) {
  const Tensor &tensor = tensorOf(op.getInput());
  std::vector<std::string> parts = namesOf(op.getAxes()), order;
  std::vector<Axis> axes;
  for (const std::string &name : axisNames(op.getType())) {
    if (name != op.getInto()) {
      order.push_back(name);
      axes.push_back(tensor.axes[tensor.axisIndex(name)]);
      continue;
    }
    llvm::append_range(order, parts);
    axes.push_back({name, op.getType().sizeOf(name)});
  }
  Tensor joined = inOrder(tensor, order);
  joined.axes = std::move(axes);
  store(op.getResult(), std::move(joined));
  return success();
}

LogicalResult Evaluator::evaluate(ncd::RenameOp op) {
  const Tensor &tensor = tensorOf(op.getInput());
  std::vector<int64_t> own = stridesOf(tensor.axes);
  llvm::StringMap<std::pair<int64_t, int64_t>> seen;
  for (auto [name, into] :
       llvm::zip_equal(namesOf(op.getAxes()), namesOf(op.getInto()))) {
    int index = tensor.axisIndex(name);
    seen[into] = {tensor.axes[index].size, own[index]};
  }
  store(op.getResult(), seeAs(tensor, op.getType(), 0, seen));
  return success();
}

LogicalResult Evaluator::evaluate(ncd::SliceOp op) {
  const Tensor &tensor = tensorOf(op.getInput());
  int64_t stride = stridesOf(tensor.axes)[tensor.axisIndex(op.getAxis())];
  llvm::StringMap<std::pair<int64_t, int64_t>> seen;
  if (std::optional<StringRef> into = op.getInto())
    seen[*into] = {op.getType().sizeOf(*into), stride * int64_t(op.getBy())};
  store(op.getResult(),
        seeAs(tensor, op.getType(), int64_t(op.getFrom()) * stride, seen));
  return success();
}

LogicalResult Evaluator::evaluate(ncd::ConcatOp op) {
  std::vector<std::string> rest;
  for (const std::string &name : axisNames(op.getType()))
    if (name != op.getInto())
      rest.push_back(name);
  Tensor whole;
  for (auto [input, axis] :
       llvm::zip_equal(op.getInputs(), namesOf(op.getAxes()))) {
    const Tensor &tensor = tensorOf(input);
    std::vector<std::string> order = rest;
    order.insert(order.begin(), axis);
    Tensor part = inOrder(tensor, order);
    if (whole.axes.empty()) {
      whole = std::move(part);
      whole.axes.front().name = op.getInto().str();
      continue;
    }
    whole.axes.front().size += part.axes.front().size;
    onElements(whole, part, [](auto &to, const auto &from) {
      to.insert(to.end(), from.begin(), from.end());
    });
  }
  store(op.getResult(), inOrder(whole, axisNames(op.getType())));
  return success();
}

LogicalResult Evaluator::evaluate(ncd::ViewOp op) {
  FailureOr<TensorRef> seen = viewOf(
      op, tensorOf(op.getInput()), op.getInput().getType(),
      {int64_t(op.getFrom()), llvm::to_vector(op.getBy())}, op.getType());
  if (failed(seen))
    return failure();
  values[op.getResult()] = std::move(*seen);
  return success();
}

FailureOr<TensorRef> Evaluator::viewOf(Operation *op, const Tensor &tensor,
                                       ArrayType from,
                                       const ncd::Placement &placement,
                                       ArrayType to) {
  FailureOr<std::vector<Axis>> axes = axesNow(op, to);
  if (failed(axes))
    return failure();
  std::vector<int64_t> order;
  if (from.hasStrides()) {
    // Which element lies where; padding has none.
    if (from.getSpan() > options.maxElements)
      return op->emitOpError("cannot be evaluated: ")
             << from << " reaches over more than " << options.maxElements
             << " elements, the limit of the reference interpreter";
    order.assign(from.getSpan(), -1);
    std::vector<int64_t> position(tensor.axes.size(), 0);
    int64_t at = 0;
    for (int64_t element = 0; element < tensor.size(); ++element) {
      order[at] = element;
      for (size_t axis = position.size(); axis-- > 0;) {
        at += from.getStrides()[axis];
        if (++position[axis] < tensor.axes[axis].size)
          break;
        at -= from.getStrides()[axis] * position[axis];
        position[axis] = 0;
      }
    }
    Tensor places;
    places.element = Element::I64;
    places.axes = {{"place", int64_t(order.size())}};
    places.integers.assign(order.begin(), order.end());
    Tensor seen = gather(places, *axes, placement.from, placement.by);
    if (llvm::is_contained(seen.integers, -1))
      return op->emitOpError("cannot be evaluated: it sees padding of ")
             << from;
  }
  return std::make_shared<const Tensor>(
      gather(tensor, std::move(*axes), placement.from, placement.by, order));
}
