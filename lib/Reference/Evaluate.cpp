//===- Evaluate.cpp - the reference interpreter ---------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays, contract, map and reduce. The operations that decompose are in
// EvaluateComposed.cpp, views in EvaluateViews.cpp, kernel and stream in
// EvaluateSchedule.cpp.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Evaluate.h"
#include "Evaluator.h"
#include "Scalars.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <numeric>

using namespace mlir;
using namespace napkin;
using namespace napkin::reference;
using ncd::ArrayType;

Element napkin::reference::elementOf(Type type) {
  return *parseElement(ncd::elementTypeName(type));
}

std::vector<Axis> napkin::reference::axesOf(ArrayType type) {
  std::vector<Axis> axes;
  for (auto [axis, size] : llvm::zip_equal(type.getAxes(), type.getSizes()))
    axes.push_back({axis.str(), size});
  return axes;
}

std::vector<std::string> napkin::reference::namesOf(ArrayAttr axes) {
  std::vector<std::string> names;
  for (StringAttr axis : axes.getAsRange<StringAttr>())
    names.push_back(axis.str());
  return names;
}

//===----------------------------------------------------------------------===//
// Arrays
//===----------------------------------------------------------------------===//

FailureOr<std::vector<Axis>> Evaluator::axesNow(Operation *op, ArrayType type) {
  std::vector<Axis> axes = axesOf(type);
  int64_t count = 1;
  for (Axis &axis : axes) {
    auto range = ranges.find(axis.name);
    if (range != ranges.end())
      axis.size = range->second.size;
    if (ShapedType::isDynamic(axis.size))
      return op->emitOpError("cannot be evaluated: no input gives the size of "
                             "axis '")
             << axis.name << "'";
    if (llvm::MulOverflow(count, axis.size, count) ||
        count > options.maxElements)
      return op->emitOpError("cannot be evaluated: an array of type ")
             << type << " has more than " << options.maxElements
             << " elements, the limit of the reference interpreter";
  }
  return axes;
}

void Evaluator::store(Value value, Tensor tensor) {
  if (isFloat(tensor.element)) {
    bool isWide =
        tensor.element == Element::F32 || tensor.element == Element::F64;
    bool rounds = options.storage == Storage::Declared ||
                  (options.storage == Storage::NarrowOnly && !isWide);
    if (rounds)
      roundTo(tensor.element, tensor.floats);
  } else {
    for (int64_t &integer : tensor.integers)
      integer = wrapTo(tensor.element, integer);
  }
  values[value] = std::make_shared<const Tensor>(std::move(tensor));
}

LogicalResult Evaluator::bindInputs(ncd::DiagramOp diagram,
                                    ArrayRef<Tensor> inputs) {
  if (inputs.size() != diagram.getNumArguments())
    return diagram.emitOpError("takes ")
           << diagram.getNumArguments() << " arrays, but " << inputs.size()
           << " are given";
  for (auto [argument, input] :
       llvm::zip_equal(diagram.getArguments(), inputs)) {
    auto type = cast<ArrayType>(argument.getType());
    std::string name = diagram.getArgumentName(argument.getArgNumber());
    if (input.element != elementOf(type.getElementType()))
      return diagram.emitOpError("input '")
             << name << "' holds " << elementName(input.element)
             << ", but the argument has type " << type;
    if (input.axes.size() != type.getRank())
      return diagram.emitOpError("input '")
             << name << "' has " << input.axes.size()
             << " axes, but the argument has type " << type;
    for (auto [axis, declared] : llvm::zip_equal(input.axes, axesOf(type))) {
      int64_t size = declared.size;
      if (ShapedType::isDynamic(size))
        size = ranges.try_emplace(declared.name, Range{0, axis.size})
                   .first->second.size;
      if (axis.name != declared.name || axis.size != size)
        return diagram.emitOpError("input '")
               << name << "' has axis " << axis.name << "=" << axis.size
               << " where the argument has " << declared.name << "=" << size;
    }
    size_t held =
        isFloat(input.element) ? input.floats.size() : input.integers.size();
    if (held != static_cast<size_t>(input.size()))
      return diagram.emitOpError("input '")
             << name << "' holds " << held << " elements, but its axes have "
             << input.size();
    values[argument] = std::make_shared<const Tensor>(input);
  }
  return success();
}

FailureOr<std::vector<Tensor>> Evaluator::run(ncd::DiagramOp diagram,
                                              ArrayRef<Tensor> inputs) {
  if (failed(bindInputs(diagram, inputs)))
    return failure();
  Block &block = diagram.getBody().front();
  std::vector<TensorRef> arguments;
  for (BlockArgument argument : block.getArguments())
    arguments.push_back(values[argument]);
  FailureOr<std::vector<TensorRef>> results = runBlock(block, arguments);
  if (failed(results))
    return failure();
  std::vector<Tensor> tensors;
  for (const TensorRef &result : *results)
    tensors.push_back(*result);
  return tensors;
}

FailureOr<std::vector<TensorRef>>
Evaluator::runBlock(Block &block, ArrayRef<TensorRef> arguments) {
  for (auto [argument, tensor] :
       llvm::zip_equal(block.getArguments(), arguments))
    values[argument] = tensor;
  // Arrays are large: each is dropped after its last use in the block.
  llvm::DenseMap<Value, Operation *> lastUse;
  for (Operation &op : block)
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (operand.getParentBlock() == &block)
          lastUse[operand] = &op;
    });
  for (Operation &op : block.without_terminator()) {
    if (failed(evaluate(&op)))
      return failure();
    op.walk([&](Operation *inner) {
      for (Value operand : inner->getOperands())
        if (lastUse.lookup(operand) == &op)
          values.erase(operand);
    });
    for (Value result : op.getResults())
      if (result.use_empty())
        values.erase(result);
  }
  std::vector<TensorRef> yielded;
  for (Value operand : block.getTerminator()->getOperands())
    yielded.push_back(values.find(operand)->second);
  return yielded;
}

LogicalResult Evaluator::evaluate(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<ncd::ContractOp, ncd::MapOp, ncd::ReduceOp, ncd::SoftmaxOp,
            ncd::LogSumExpOp, ncd::TopKOp, ncd::KernelOp, ncd::StreamOp,
            ncd::WhenOp, ncd::SplitOp, ncd::JoinOp, ncd::RenameOp, ncd::SliceOp,
            ncd::ConcatOp, ncd::ViewOp>(
          [&](auto typed) { return evaluate(typed); })
      .Case<ncd::RMSNormOp>([&](ncd::RMSNormOp norm) {
        return evaluateNorm(op, norm.getInput(), norm.getGain(), {},
                            norm.getOver(), norm.getEps().convertToDouble(),
                            /*centre=*/false);
      })
      .Case<ncd::LayerNormOp>([&](ncd::LayerNormOp norm) {
        return evaluateNorm(op, norm.getInput(), norm.getGain(), norm.getBias(),
                            norm.getOver(), norm.getEps().convertToDouble(),
                            /*centre=*/true);
      })
      .Default([](Operation *other) {
        return other->emitOpError(
            "cannot be evaluated by the reference interpreter");
      });
}

//===----------------------------------------------------------------------===//
// Contract, map, reduce
//===----------------------------------------------------------------------===//

/// \p values with the positions of the axis \p name in the order \p order.
template <typename T>
static void reorder(Values<T> &values, StringRef name,
                    llvm::ArrayRef<int64_t> order) {
  auto axis = llvm::find_if(
      values.axes, [&](const Axis &other) { return other.name == name; });
  if (axis == values.axes.end() || values.data.empty())
    return;
  int64_t size = axis->size,
          inner = countOf(llvm::ArrayRef(values.axes)
                              .drop_front(axis - values.axes.begin() + 1));
  std::vector<T> from = values.data;
  for (int64_t to = 0, count = from.size() / inner; to < count; ++to)
    std::copy_n(from.begin() + (to / size * size + order[to % size]) * inner,
                inner, values.data.begin() + to * inner);
}

template <typename T>
void Evaluator::shuffleOrders(llvm::MutableArrayRef<Values<T>> arrays,
                              llvm::ArrayRef<std::string> over) {
  if (!options.orderSeed)
    return;
  for (const std::string &name : over) {
    std::vector<int64_t> order;
    for (const Values<T> &values : arrays)
      for (const Axis &axis : values.axes)
        if (axis.name == name)
          order.resize(axis.size);
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), orders);
    for (Values<T> &values : arrays)
      reorder(values, name, order);
  }
}

/// Adds \p start to \p sums, repeated along the axes that it lacks.
template <typename T>
static void addRepeated(Values<T> &sums, const Values<T> &start) {
  std::vector<int64_t> strides(sums.axes.size(), 0),
      position(sums.axes.size(), 0), own = stridesOf(start.axes);
  for (auto [axis, stride] : llvm::zip_equal(start.axes, own))
    for (size_t i = 0; i < sums.axes.size(); ++i)
      if (sums.axes[i].name == axis.name)
        strides[i] = stride;
  int64_t from = 0;
  for (T &sum : sums.data) {
    sum += start.data[from];
    for (size_t i = sums.axes.size(); i-- > 0;) {
      from += strides[i];
      if (++position[i] < sums.axes[i].size)
        break;
      from -= strides[i] * position[i];
      position[i] = 0;
    }
  }
}

/// A kernel may keep a sum in a unit that is so much smaller than the
/// diagram's: a lazy reference lags behind a running maximum by eight powers of
/// two.
static constexpr float largestUnit = 0x1p8f;

/// Makes each of \p sums NaN that is finite while that of the magnitudes of its
/// terms, in \p magnitudes, may not be.
static void markOverflows(Values<float> &sums,
                          const Values<float> &magnitudes) {
  for (auto [sum, magnitude] : llvm::zip_equal(sums.data, magnitudes.data))
    if (std::isfinite(sum) && std::isinf(magnitude * largestUnit))
      sum = std::numeric_limits<float>::quiet_NaN();
}

static Values<float> magnitudesOf(Values<float> values) {
  for (float &value : values.data)
    value = std::fabs(value);
  return values;
}

template <typename T>
LogicalResult Evaluator::contractAs(ncd::ContractOp op) {
  std::vector<Values<T>> factors;
  for (Value input : op.getInputs())
    factors.push_back(valuesOf<T>(input));
  std::vector<std::string> over = namesOf(op.getOver());
  shuffleOrders<T>(factors, over);
  Values<T> magnitudes;
  if constexpr (std::is_same_v<T, float>)
    if (options.mayOverflowIsNaN) {
      std::vector<Values<T>> sizes;
      for (const Values<T> &factor : factors)
        sizes.push_back(magnitudesOf(factor));
      magnitudes = contract(std::move(sizes), over, options.hiddenStaysHidden);
    }
  Values<T> sums =
      contract(std::move(factors), over, options.hiddenStaysHidden);
  if constexpr (std::is_same_v<T, float>)
    if (options.mayOverflowIsNaN)
      markOverflows(sums, magnitudes);
  if (op.getStart())
    addRepeated(sums, valuesOf<T>(op.getStart()));
  return storeValues(op, op.getResult(), std::move(sums));
}

LogicalResult Evaluator::evaluate(ncd::ContractOp op) {
  Type accumulator = op.getAccumulatorType();
  if (isa<IntegerType>(accumulator))
    return contractAs<int64_t>(op);
  return isSingle(accumulator) ? contractAs<float>(op) : contractAs<double>(op);
}

LogicalResult Evaluator::evaluate(ncd::MapOp op) {
  FailureOr<ScalarProgram> program =
      ScalarProgram::compile(op.getBody().front(), options);
  if (failed(program))
    return failure();
  ArrayType type = op.getArrayType();
  FailureOr<std::vector<Axis>> axes = axesNow(op, type);
  if (failed(axes))
    return failure();
  Tensor result(*axes, elementOf(type.getElementType()));
  size_t rank = axes->size();

  // An operand steps by its stride along each axis of the result, or by 0.
  struct Operand {
    const Tensor *tensor;
    Value argument;
    std::vector<int64_t> strides;
    int64_t offset = 0;
  };
  std::vector<Operand> operands;
  for (auto [input, argument] :
       llvm::zip_equal(op.getInputs(), op.getBody().getArguments())) {
    Operand operand{&tensorOf(input), argument, std::vector<int64_t>(rank, 0)};
    std::vector<int64_t> strides = stridesOf(operand.tensor->axes);
    for (size_t axis = 0; axis < rank; ++axis) {
      int index = operand.tensor->axisIndex((*axes)[axis].name);
      if (index >= 0)
        operand.strides[axis] = strides[index];
    }
    operands.push_back(std::move(operand));
  }
  struct Index {
    Value value;
    size_t axis;
    int64_t begin;
  };
  std::vector<Index> indices;
  for (const ScalarProgram::Index &index : program->getIndices()) {
    auto range = ranges.find(index.axis);
    indices.push_back({index.value, *type.axisIndex(index.axis),
                       range == ranges.end() ? 0 : range->second.begin});
  }

  int64_t count = countOf(*axes);
  if (count == 0) {
    store(op.getResult(), std::move(result));
    return success();
  }
  int64_t inner = rank ? axes->back().size : 1;
  std::vector<int64_t> position(rank, 0);
  for (int64_t row = 0; row < count / inner; ++row) {
    for (int64_t start = 0; start < inner; start += ScalarProgram::blockSize) {
      int length = static_cast<int>(
          std::min<int64_t>(inner - start, program->blockSize));
      for (const Operand &operand : operands) {
        int64_t stride = rank ? operand.strides.back() : 0;
        int64_t first = operand.offset + start * stride;
        auto load = [&](const auto *in, auto *out) {
          for (int i = 0; i < length; ++i)
            out[i] = in[first + i * stride];
        };
        if (isFloat(operand.tensor->element))
          load(operand.tensor->floats.data(),
               program->floatsOf(operand.argument));
        else
          load(operand.tensor->integers.data(),
               program->integersOf(operand.argument));
      }
      for (const Index &index : indices) {
        int64_t *out = program->integersOf(index.value);
        bool isInner = index.axis + 1 == rank;
        int64_t first = index.begin + (isInner ? start : position[index.axis]);
        for (int i = 0; i < length; ++i)
          out[i] = first + (isInner ? i : 0);
      }
      if (failed(program->run(length)))
        return failure();
      int64_t at = row * inner + start;
      Value yielded = program->getYielded();
      if (isFloat(result.element))
        std::copy_n(program->floatsOf(yielded), length,
                    result.floats.data() + at);
      else
        std::copy_n(program->integersOf(yielded), length,
                    result.integers.data() + at);
    }
    for (size_t axis = rank > 0 ? rank - 1 : 0; axis-- > 0;) {
      bool wraps = ++position[axis] == (*axes)[axis].size;
      for (Operand &operand : operands)
        operand.offset +=
            operand.strides[axis] * (wraps ? 1 - (*axes)[axis].size : 1);
      if (!wraps)
        break;
      position[axis] = 0;
    }
  }
  store(op.getResult(), std::move(result));
  return success();
}

/// The attribute's value in type T.
template <typename T>
static T constantOf(TypedAttr attribute) {
  if (auto value = dyn_cast<FloatAttr>(attribute))
    return static_cast<T>(value.getValueAsDouble());
  return static_cast<T>(cast<IntegerAttr>(attribute).getValue().getSExtValue());
}

template <typename T>
LogicalResult Evaluator::reduceAs(ncd::ReduceOp op) {
  std::vector<std::string> over = namesOf(op.getOver());
  Values<T> input = valuesOf<T>(op.getInput());
  shuffleOrders<T>(input, over);
  T identity = constantOf<T>(op.getIdentityValue());
  auto with = [&](auto combine) {
    return storeValues(op, op.getResult(),
                       reduce(input, over, identity, combine));
  };
  switch (*op.getMonoid()) {
  case ncd::Monoid::Sum:
    if constexpr (std::is_same_v<T, int64_t>)
      return with([](uint64_t a, uint64_t b) { return int64_t(a + b); });
    if constexpr (std::is_same_v<T, float>)
      if (options.mayOverflowIsNaN) {
        auto add = [](T a, T b) { return a + b; };
        Values<T> sums = reduce(input, over, identity, add);
        markOverflows(sums, reduce(magnitudesOf(input), over, identity, add));
        return storeValues(op, op.getResult(), std::move(sums));
      }
    return with([](T a, T b) { return a + b; });
  case ncd::Monoid::Prod:
    if constexpr (std::is_same_v<T, int64_t>)
      return with([](uint64_t a, uint64_t b) { return int64_t(a * b); });
    return with([](T a, T b) { return a * b; });
  case ncd::Monoid::Max:
    // A NaN on either side stays.
    return with([](T a, T b) { return a > b || a != a ? a : b; });
  case ncd::Monoid::Min:
    return with([](T a, T b) { return a < b || a != a ? a : b; });
  case ncd::Monoid::And:
    return with([](T a, T b) { return T(int64_t(a) & int64_t(b)); });
  case ncd::Monoid::Or:
    return with([](T a, T b) { return T(int64_t(a) | int64_t(b)); });
  }
  llvm_unreachable("unknown monoid");
}

LogicalResult Evaluator::reduceByRegion(ncd::ReduceOp op) {
  Block &block = op.getCombiner().front();
  FailureOr<ScalarProgram> program = ScalarProgram::compile(block, options);
  if (failed(program))
    return failure();
  std::vector<std::string> over = namesOf(op.getOver());
  auto run = [&](auto zero, auto slot) -> LogicalResult {
    using T = decltype(zero);
    Values<T> input = valuesOf<T>(op.getInput());
    std::vector<Axis> order, rest;
    for (const Axis &axis : input.axes)
      (llvm::is_contained(over, axis.name) ? order : rest).push_back(axis);
    int64_t outer = countOf(order), inner = countOf(rest);
    order.insert(order.end(), rest.begin(), rest.end());
    input = permute(input, order);
    Values<T> result{
        rest, std::vector<T>(inner, constantOf<T>(op.getIdentityValue()))};
    for (int64_t row = 0; row < outer; ++row)
      for (int64_t start = 0; start < inner;
           start += ScalarProgram::blockSize) {
        int length = static_cast<int>(
            std::min<int64_t>(inner - start, program->blockSize));
        std::copy_n(result.data.data() + start, length,
                    slot(block.getArgument(0)));
        std::copy_n(input.data.data() + row * inner + start, length,
                    slot(block.getArgument(1)));
        if (failed(program->run(length)))
          return failure();
        std::copy_n(slot(program->getYielded()), length,
                    result.data.data() + start);
      }
    return storeValues(op, op.getResult(), result);
  };
  if (isa<FloatType>(op.getAccumulatorType()))
    return run(double(), [&](Value value) { return program->floatsOf(value); });
  return run(int64_t(),
             [&](Value value) { return program->integersOf(value); });
}

LogicalResult Evaluator::evaluate(ncd::ReduceOp op) {
  if (!op.getMonoid())
    return reduceByRegion(op);
  Type accumulator = op.getAccumulatorType();
  if (isa<IntegerType>(accumulator))
    return reduceAs<int64_t>(op);
  return isSingle(accumulator) ? reduceAs<float>(op) : reduceAs<double>(op);
}

FailureOr<std::vector<Tensor>>
napkin::reference::evaluateDiagram(ncd::DiagramOp diagram,
                                   llvm::ArrayRef<Tensor> inputs,
                                   const EvaluationOptions &options) {
  return Evaluator(options).run(diagram, inputs);
}
