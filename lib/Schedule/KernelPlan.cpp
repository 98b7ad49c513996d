//===- KernelPlan.cpp - the plan that a kernel's IR says --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Schedule/KernelPlan.h"
#include "napkin/Schedule/Passes.h"
#include "napkin/Schedule/PlanBytes.h"
#include "napkin/Schedule/PlanVerifier.h"
#include "napkin/Target/Target.h"
#include <fmt/format.h>

namespace napkin::schedule {
#define GEN_PASS_DEF_PRINTPLANPASS
#define GEN_PASS_DEF_VERIFYPLANPASS
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
  void readGrid();
  void readPlainLoops();
  void readBlock(Block &block, plan::NestId at);
  void readStream(ncd::StreamOp stream, plan::NestId at);
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
  /// A loop over \p axis inside \p at.
  plan::NestId addLoop(plan::NestId at, StringAttr axis,
                       std::optional<plan::Bound> from = std::nullopt,
                       std::optional<plan::Bound> to = std::nullopt);
  plan::Bound boundOf(ncd::BoundAttr bound);
  /// Where the tile of \p value that is used at \p at is filled: ahead of the
  /// loops around whose axes it lacks.
  plan::NestId nestOf(Value value, plan::NestId at);
  /// The fills of the kernel's inputs, and of what streams hand on of them,
  /// among the operands of \p op at \p at. Each is filled where it is first
  /// used.
  void readFills(mlir::Operation &op, plan::NestId at);
  void addFill(BlockArgument input, Value value, plan::NestId at);
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
  /// The innermost nest of the grid.
  plan::NestId block = 0;
  /// Values of the kernel that hold an input, or a chunk of it, and the
  /// argument that stands for the input.
  DenseMap<Value, BlockArgument> inputs;
  DenseMap<Value, std::string> names;
  /// The last fill of each operand.
  DenseMap<unsigned, std::string> fillOf;
  /// Results that are written chunk by chunk, and the loop that writes them.
  DenseMap<Value, plan::NestId> appended;
  llvm::StringMap<unsigned> counts, loops, fills;
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

void Reader::readGrid() {
  // Blocks of one part follow each other, so parts are walked slowest.
  if (ncd::SplitAttr split = kernel.getSplitAttr()) {
    plan::Nest nest;
    nest.kind = plan::NestKind::Split;
    nest.name = split.getParts().str();
    nest.dim = {*plan.findAxis(split.getAxis().getValue())};
    nest.parts = kernel.getNumParts();
    nest.granule = split.getBy();
    block = plan.addNest(block, nest);
    plan.merged = true;
  }
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
  if (std::optional<uint32_t> blocks = kernel.getPersistent()) {
    plan.order.kind = plan::GridOrder::Kind::Persistent;
    plan.order.blocks = *blocks;
  }
}

plan::Bound Reader::boundOf(ncd::BoundAttr bound) {
  plan::Bound result;
  if (bound.getAxis())
    result.axis = plan.findAxis(bound.getAxis().getValue());
  result.last = bound.getLast();
  result.offset = bound.getOffset();
  result.multiple = bound.getMultiple();
  result.divisor = bound.getDivisor();
  result.least = bound.getLeast();
  result.most = bound.getMost();
  return result;
}

plan::NestId Reader::addLoop(plan::NestId at, StringAttr axis,
                             std::optional<plan::Bound> from,
                             std::optional<plan::Bound> to) {
  plan::Nest nest;
  nest.from = from;
  nest.to = to;
  nest.dim = {*plan.findAxis(axis.getValue())};
  nest.by = kernel.chunkSize(axis).value_or(1);
  unsigned number = ++loops[axis.getValue()];
  nest.name = number == 1 ? axis.str()
                          : fmt::format("{}.{}", axis.getValue().str(), number);
  return plan.addNest(at, nest);
}

/// A kernel whose loops are not written yet has one inside the other, and reads
/// its inputs in them.
void Reader::readPlainLoops() {
  ncd::PartitionAttr stream = kernel.getStreamAttr();
  if (!stream || !kernel.getBody().front().getOps<ncd::StreamOp>().empty())
    return;
  plan::NestId innermost = block;
  for (StringAttr axis : stream.getAxes())
    if (plan.findAxis(axis.getValue()))
      innermost = addLoop(innermost, axis);
  for (BlockArgument argument : kernel.getBody().getArguments())
    if (ncd::ViewAttr view = kernel.getView(argument.getArgNumber());
        !view || !view.getWithin())
      addFill(inputs.lookup(argument), argument, innermost);
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

plan::NestId Reader::nestOf(Value value, plan::NestId at) {
  auto array = cast<ncd::ArrayType>(value.getType());
  auto lacks = [&](plan::NestId id) {
    const plan::Nest &nest = plan.nests[id];
    return (nest.kind == plan::NestKind::Loop ||
            nest.kind == plan::NestKind::Step) &&
           !array.hasAxis(plan.axes[nest.dim.front()].name);
  };
  while (lacks(at))
    at = *plan.nests[at].parent;
  return at;
}

void Reader::addFill(BlockArgument input, Value value, plan::NestId at) {
  plan::Fill fill;
  fill.array = arrayName(kernel.getInputs()[input.getArgNumber()]);
  unsigned number = ++fills[fill.array];
  fill.name =
      number == 1 ? fill.array : fmt::format("{}.{}", fill.array, number);
  // What a single step sees lacks the axis that the array has.
  fill.axes = axesOf(input);
  fill.bits = bitsOf(input);
  fill.at = nestOf(input, at);
  fill.level =
      feedsProduct(value) ? plan::Level::Shared : plan::Level::Registers;
  if (plan.nests[fill.at].kind == plan::NestKind::Loop &&
      fill.level == plan::Level::Shared)
    fill.slots = kernel.getStages().value_or(1);
  bool isComputedOn = llvm::any_of(value.getUsers(), llvm::IsaPred<ncd::MapOp>);
  if (kernel.getPadded() && fill.level == plan::Level::Shared &&
      fill.axes.size() > 1 && !isComputedOn)
    fill.pad = unsigned(target::roomBehindRow(
        plan.tile(fill.at, fill.axes.back()) * fill.bits / 8, fill.bits / 8));
  names[value] = fillOf[input.getArgNumber()] = fill.name;
  plan.fills.push_back(std::move(fill));
}

void Reader::readFills(mlir::Operation &op, plan::NestId at) {
  for (Value operand : op.getOperands())
    if (BlockArgument input = inputs.lookup(operand);
        input && !names.count(operand)) {
      // What lies in the tile of another operand is there with it.
      ncd::ViewAttr view = kernel.getView(input.getArgNumber());
      if (view && view.getWithin())
        names[operand] = fillOf.lookup(unsigned(*view.getWithin()));
      else
        addFill(input, operand, at);
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
  readFills(op, at);
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

void Reader::readStream(ncd::StreamOp stream, plan::NestId at) {
  Block &step = stream.getStep().front(), &finish = stream.getFinish().front();
  for (Value state : stream.getStepStates()) {
    std::string name = fresh("state");
    names[state] = name;
    addValue(name, state, at, /*state=*/true);
  }
  for (auto [chunk, input] :
       llvm::zip_equal(stream.getStepChunks(), stream.getInputs()))
    inputs[chunk] = inputs.lookup(input);
  // Ranges follow each other; each fills its chunks itself, through the same
  // ring.
  std::optional<plan::Bound> from;
  if (stream.getFromAttr())
    from = boundOf(stream.getFromAttr());
  SmallVector<std::optional<plan::Bound>, 3> ends;
  if (ArrayAttr to = stream.getToAttr())
    for (auto bound : to.getAsRange<ncd::BoundAttr>())
      ends.push_back(boundOf(bound));
  if (ends.empty())
    ends.push_back(std::nullopt);
  plan::NestId loop = at;
  for (const std::optional<plan::Bound> &end : ends) {
    loop = addLoop(at, stream.getAxisAttr(), from, end);
    // Steps of one position that follow each other in one turn.
    if (plan::Nest nest = plan.nests[loop]; stream.getSingle() && nest.by > 1) {
      nest.kind = plan::NestKind::Step;
      nest.name += "'";
      nest.by = 1;
      nest.children.clear();
      loop = plan.addNest(loop, nest);
    }
    for (Value chunk : stream.getStepChunks())
      names.erase(chunk);
    readBlock(step, loop);
    from = end;
  }
  for (auto [state, argument] :
       llvm::zip(stream.getStepStates(), finish.getArguments()))
    names[argument] = names.lookup(state);
  readBlock(finish, at);
  for (auto [result, value] :
       llvm::zip(stream.getResults(), finish.getTerminator()->getOperands()))
    names[result] = names.lookup(value);
  for (Value result :
       stream.getResults().drop_front(finish.getTerminator()->getNumOperands()))
    appended[result] = loop;
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
      readStream(stream, at);
    else if (op.getNumResults() == 1 &&
             isa<ncd::ArrayType>(op.getResult(0).getType()))
      readOperation(op, at);
  }
  readFills(*body.getTerminator(), at);
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
    store.at = appended.count(value) ? appended.lookup(value) : block;
    store.store = true;
    plan.fills.push_back(std::move(store));
  }
}

FailureOr<plan::Plan> Reader::read() {
  if (failed(readAxes()))
    return failure();
  plan.name = kernel.getEntry() ? kernel.getEntry()->str() : "kernel";
  plan.warps = kernel.getWarps().value_or(4);
  plan.parts = kernel.getParts().value_or(1);
  readGrid();
  for (BlockArgument argument : kernel.getBody().getArguments())
    inputs[argument] = argument;
  readPlainLoops();
  readBlock(kernel.getBody().front(), block);
  readStores();
  return std::move(plan);
}

FailureOr<plan::Plan> napkin::schedule::planOf(ncd::KernelOp kernel) {
  return Reader(kernel).read();
}

namespace {
struct VerifyPlan : schedule::impl::VerifyPlanPassBase<VerifyPlan> {
  using VerifyPlanPassBase::VerifyPlanPassBase;

  void runOnOperation() override {
    // What the lowered program is asked for itself.
    constexpr StringLiteral counted[] = {"registers", "shared.bytes",
                                         "copy.granule"};
    bool broken = false;
    getOperation()->walk([&](ncd::KernelOp kernel) {
      FailureOr<plan::Plan> plan = planOf(kernel);
      if (failed(plan)) {
        broken = true;
        return;
      }
      for (const plan::Fault &found :
           plan::verifyPlan(*plan, plan::Machine(), /*all=*/true)) {
        if (llvm::is_contained(counted, found.rule))
          continue;
        broken = true;
        kernel.emitError() << "the plan breaks rule '" << found.rule
                           << "': " << found.text;
      }
    });
    if (broken)
      signalPassFailure();
    markAllAnalysesPreserved();
  }
};

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
