//===- KernelPlan.cpp - the plan that a kernel's IR says --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Schedule/KernelPlan.h"
#include "napkin/Schedule/Passes.h"
#include "napkin/Schedule/PlanBytes.h"
#include "napkin/Target/Target.h"
#include <fmt/format.h>

namespace napkin::schedule {
#define GEN_PASS_DEF_PRINTPLANPASS
#include "napkin/Schedule/Passes.h.inc"
} // namespace napkin::schedule

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

std::string napkin::schedule::arrayName(Value value) {
  if (auto argument = dyn_cast<BlockArgument>(value)) {
    if (auto diagram =
            dyn_cast<ncd::DiagramOp>(argument.getOwner()->getParentOp()))
      return diagram.getArgumentName(argument.getArgNumber());
    return fmt::format("argument{}", argument.getArgNumber());
  }
  for (OpOperand &use : value.getUses())
    if (auto diagram = dyn_cast<ncd::DiagramOp>(use.getOwner()->getParentOp());
        diagram && isa<ncd::ReturnOp>(use.getOwner()))
      return diagram.getResultName(use.getOperandNumber());
  auto result = cast<OpResult>(value);
  std::string entry = "kernel";
  if (auto kernel = dyn_cast<ncd::KernelOp>(result.getOwner());
      kernel && kernel.getEntry())
    entry = kernel.getEntry()->str();
  return result.getOwner()->getNumResults() == 1
             ? entry + ".result"
             : fmt::format("{}.result{}", entry, result.getResultNumber());
}

namespace {
/// Reads one kernel.
class Reader {
public:
  explicit Reader(ncd::KernelOp kernel) : kernel(kernel) {}
  FailureOr<plan::Plan> read();

private:
  using Axes = SmallVector<plan::AxisId, 4>;

  LogicalResult readAxes();
  void readNests();
  void readFills();
  void readBlock(Block &block, plan::NestId at);
  void readStream(ncd::StreamOp stream);
  void readOperation(mlir::Operation &op, plan::NestId at);
  plan::Product productOf(ncd::ContractOp contract);
  void readStores();

  Axes axesOf(Value value) {
    Axes axes;
    for (StringAttr axis : cast<ncd::ArrayType>(value.getType()).getAxes())
      axes.push_back(*plan.findAxis(axis.getValue()));
    return axes;
  }
  static unsigned bitsOf(Value value) {
    return 8 * ncd::elementBytes(
                   cast<ncd::ArrayType>(value.getType()).getElementType());
  }
  /// The nest in which something with \p value's axes is new each time.
  plan::NestId nestOf(Value value) {
    auto array = cast<ncd::ArrayType>(value.getType());
    StringAttr stream = kernel.getStreamAxis();
    return loop && stream && array.hasAxis(stream) ? *loop : block;
  }
  void addValue(StringRef name, Value value, plan::NestId at, bool state) {
    plan::Value made;
    made.name = name.str();
    made.axes = axesOf(value);
    made.bits = bitsOf(value);
    made.at = at;
    made.state = state;
    plan.values.push_back(std::move(made));
  }
  std::string fresh(StringRef kind) {
    return fmt::format("{}{}", kind.str(), ++counts[kind]);
  }

  ncd::KernelOp kernel;
  plan::Plan plan;
  /// The innermost nest of the grid, and the loop inside it.
  plan::NestId block = 0;
  std::optional<plan::NestId> loop;
  DenseMap<Value, std::string> names;
  llvm::StringMap<unsigned> counts;
};
} // namespace

LogicalResult Reader::readAxes() {
  auto note = [&](Value value) -> LogicalResult {
    auto array = dyn_cast<ncd::ArrayType>(value.getType());
    if (!array)
      return success();
    for (auto [axis, size] :
         llvm::zip_equal(array.getAxes(), array.getSizes())) {
      if (plan.findAxis(axis.getValue()))
        continue;
      if (ShapedType::isDynamic(size))
        return kernel.emitError("axis '")
               << axis.getValue()
               << "' has no static size, so its plan cannot be counted; write "
                  "its size";
      plan::Extent extent;
      extent.size = size;
      plan.addAxis(axis.getValue(), extent);
    }
    return success();
  };
  for (BlockArgument argument : kernel.getBody().getArguments())
    if (failed(note(argument)))
      return failure();
  WalkResult walk = kernel.getBody().walk([&](mlir::Operation *op) {
    for (Value result : op->getResults())
      if (failed(note(result)))
        return WalkResult::interrupt();
    return WalkResult::advance();
  });
  return failure(walk.wasInterrupted());
}

void Reader::readNests() {
  for (StringAttr axis : kernel.getGridOrder()) {
    plan::Nest nest;
    nest.kind = plan::NestKind::Grid;
    nest.name = axis.str();
    nest.dim = {*plan.findAxis(axis.getValue())};
    nest.by = kernel.groupSize(axis).value_or(1);
    block = plan.addNest(block, nest);
    if (ncd::PartitionAttr grouped = kernel.getGroupedAttr();
        grouped && grouped.hasAxis(axis)) {
      plan.order.grouped = block;
      plan.order.group = *grouped.sizeOf(axis);
    }
  }
  StringAttr stream = kernel.getStreamAxis();
  if (!stream || !plan.findAxis(stream.getValue()))
    return;
  plan::Nest nest;
  nest.name = stream.str();
  nest.dim = {*plan.findAxis(stream.getValue())};
  nest.by = kernel.getStreamSize().value_or(1);
  loop = plan.addNest(block, nest);
}

/// True when \p value is a factor of a product by an instruction, directly or
/// as the chunk of a stream.
static bool feedsProduct(Value value) {
  return llvm::any_of(value.getUses(), [](OpOperand &use) {
    if (auto contract = dyn_cast<ncd::ContractOp>(use.getOwner()))
      return static_cast<bool>(contract.getProductAttr());
    auto stream = dyn_cast<ncd::StreamOp>(use.getOwner());
    return stream &&
           feedsProduct(stream.getStepChunks()[use.getOperandNumber()]);
  });
}

void Reader::readFills() {
  for (auto [input, argument] :
       llvm::zip_equal(kernel.getInputs(), kernel.getBody().getArguments())) {
    plan::Fill fill;
    fill.name = fill.array = arrayName(input);
    fill.axes = axesOf(argument);
    fill.bits = bitsOf(argument);
    fill.at = nestOf(argument);
    fill.level =
        feedsProduct(argument) ? plan::Level::Shared : plan::Level::Registers;
    if (loop && fill.at == *loop && fill.level == plan::Level::Shared)
      fill.slots = kernel.getStages().value_or(1);
    names[argument] = fill.name;
    plan.fills.push_back(std::move(fill));
  }
}

plan::Product Reader::productOf(ncd::ContractOp contract) {
  plan::Product product;
  ncd::ProductAttr how = contract.getProductAttr();
  product.instruction = how.getInstruction().str();
  if (const auto *row = target::lookupInstruction(product.instruction)) {
    product.m = row->rows();
    product.n = row->columns();
    product.k = row->depth();
  }
  product.rows = {*plan.findAxis(how.getRows().getValue())};
  product.columns = {*plan.findAxis(how.getColumns().getValue())};
  product.warpRows = how.getRowWarps();
  product.warpColumns = how.getColumnWarps();
  product.starts = contract.getStart() && names.count(contract.getStart());
  auto sourceOf = [](ncd::Source source) {
    return source == ncd::Source::Registers ? plan::Source::Registers
                                            : plan::Source::Shared;
  };
  product.a = sourceOf(how.getA());
  product.b = sourceOf(how.getB());
  auto right = cast<ncd::ArrayType>(contract.getInputs()[1].getType());
  auto left = cast<ncd::ArrayType>(contract.getInputs()[0].getType());
  for (StringAttr axis : left.getAxes())
    if (right.hasAxis(axis))
      (contract.isOver(axis) ? product.summed : product.batch)
          .push_back(*plan.findAxis(axis.getValue()));
  return product;
}

void Reader::readOperation(mlir::Operation &op, plan::NestId at) {
  plan::Op made;
  auto contract = dyn_cast<ncd::ContractOp>(op);
  StringRef kind = contract                 ? "product"
                   : isa<ncd::ReduceOp>(op) ? "reduce"
                                            : "map";
  made.name = fresh(kind);
  made.axes = axesOf(op.getResult(0));
  for (Value operand : op.getOperands())
    if (auto name = names.find(operand); name != names.end())
      made.reads.push_back(name->second);
  if (contract && contract.getProductAttr())
    made.product = productOf(contract);
  names[op.getResult(0)] = made.name;
  // What work on elements makes over the same axes takes the place of what it
  // reads; what products and reductions make takes room of its own.
  if (kind != "map")
    addValue(made.name, op.getResult(0), at, /*state=*/false);
  plan.addOp(at, std::move(made));
}

void Reader::readStream(ncd::StreamOp stream) {
  for (auto [state, last] :
       llvm::zip(stream.getStepStates(),
                 stream.getStep().front().getTerminator()->getOperands())) {
    std::string name = fresh("state");
    names[state] = name;
    addValue(name, state, block, /*state=*/true);
  }
  for (auto [chunk, input] :
       llvm::zip_equal(stream.getStepChunks(), stream.getInputs()))
    names[chunk] = names.lookup(input);
  readBlock(stream.getStep().front(), loop.value_or(block));
  auto finished = stream.getFinish().front().getArguments();
  for (auto [state, argument] : llvm::zip(stream.getStepStates(), finished))
    names[argument] = names.lookup(state);
  readBlock(stream.getFinish().front(), block);
  mlir::Operation *yield = stream.getFinish().front().getTerminator();
  for (auto [result, value] :
       llvm::zip_equal(stream.getResults(), yield->getOperands()))
    names[result] = names.lookup(value);
}

void Reader::readBlock(Block &body, plan::NestId at) {
  for (mlir::Operation &op : body.without_terminator()) {
    if (auto when = dyn_cast<ncd::WhenOp>(op)) {
      readBlock(when.getBody().front(), at);
      for (auto [result, value] :
           llvm::zip_equal(when.getResults(), when.getOtherwise()))
        names[result] = names.lookup(value);
      continue;
    }
    if (auto stream = dyn_cast<ncd::StreamOp>(op))
      readStream(stream);
    else if (op.getNumResults() == 1 &&
             isa<ncd::ArrayType>(op.getResult(0).getType()))
      readOperation(op, at);
  }
}

void Reader::readStores() {
  mlir::Operation *yield = kernel.getBody().front().getTerminator();
  for (auto [result, value] :
       llvm::zip_equal(kernel.getResults(), yield->getOperands())) {
    plan::Fill store;
    store.name = store.array = arrayName(result);
    store.axes = axesOf(value);
    store.bits = bitsOf(value);
    store.level = plan::Level::Registers;
    store.at = block;
    store.store = true;
    plan.fills.push_back(std::move(store));
  }
}

FailureOr<plan::Plan> Reader::read() {
  if (failed(readAxes()))
    return failure();
  plan.name = kernel.getEntry() ? kernel.getEntry()->str() : "kernel";
  plan.warps = kernel.getWarps().value_or(4);
  readNests();
  readFills();
  readBlock(kernel.getBody().front(), block);
  readStores();
  return std::move(plan);
}

FailureOr<plan::Plan> napkin::schedule::planOf(ncd::KernelOp kernel) {
  return Reader(kernel).read();
}

namespace {
struct PrintPlan : schedule::impl::PrintPlanPassBase<PrintPlan> {
  using PrintPlanPassBase::PrintPlanPassBase;

  void runOnOperation() override {
    WalkResult walk = getOperation()->walk([](ncd::KernelOp kernel) {
      FailureOr<plan::Plan> plan = planOf(kernel);
      if (failed(plan))
        return WalkResult::interrupt();
      plan::Traffic traffic = plan::globalTraffic(*plan);
      llvm::outs() << plan::printPlan(*plan)
                   << fmt::format("moves {} bytes in and {} out\n",
                                  traffic.read, traffic.written);
      return WalkResult::advance();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace
