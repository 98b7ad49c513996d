//===- Schedule.cpp - form kernels and choose their partitions ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass ncd-schedule: reads each diagram into a graph, plans its kernels and
// writes them as `ncd.kernel`.
//
//===----------------------------------------------------------------------===//

#include "ExpandContracts.h"
#include "GridOrder.h"
#include "SchedulePins.h"
#include "mlir/IR/IRMapping.h"
#include "napkin/Schedule/Account.h"
#include "napkin/Schedule/DiagramGraph.h"
#include "napkin/Schedule/Fusion.h"
#include "napkin/Schedule/JoinAxes.h"
#include "napkin/Schedule/Passes.h"
#include "napkin/Schedule/SeparateAxes.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cmath>

namespace napkin::schedule {
#define GEN_PASS_DEF_SCHEDULEPASS
#include "napkin/Schedule/Passes.h.inc"
} // namespace napkin::schedule

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

/// A name that device code accepts.
static std::string entryName(StringRef diagram, unsigned index,
                             unsigned count) {
  std::string name;
  for (char c : diagram)
    name += llvm::isAlnum(c) || c == '_' ? c : '_';
  if (name.empty() || llvm::isDigit(name.front()))
    name.insert(name.begin(), 'k');
  if (count > 1)
    name += "_" + std::to_string(index);
  return name;
}

/// `#ncd.partition` of \p axes with their extents in \p candidate.
static ncd::PartitionAttr partitionOf(MLIRContext *context, const Graph &graph,
                                      const Candidate &candidate,
                                      ArrayRef<unsigned> axes) {
  SmallVector<StringAttr> names;
  SmallVector<int64_t> sizes;
  for (unsigned axis : axes) {
    names.push_back(StringAttr::get(context, graph.axes[axis].name));
    sizes.push_back(candidate.extent[axis]);
  }
  return ncd::PartitionAttr::get(context, names, sizes);
}

/// Cycles by level, in whole ones.
static DictionaryAttr cyclesOf(Builder &builder,
                               ArrayRef<std::pair<StringRef, double>> levels) {
  SmallVector<NamedAttribute> cycles;
  for (auto [name, value] : levels)
    cycles.push_back(builder.getNamedAttr(
        name, builder.getI64IntegerAttr(int64_t(std::ceil(value)))));
  return builder.getDictionaryAttr(cycles);
}

/// What the report wants to know and the kernel alone does not tell.
static ncd::AccountAttr accountOf(Builder &builder, const Decision &decision,
                                  int64_t unfusedBytes, bool pinned) {
  const Evaluation &evaluation = decision.evaluation;
  const Times &times = evaluation.times;
  MLIRContext *context = builder.getContext();
  Attribute merge;
  if (decision.candidate.part)
    merge = ncd::AccountAttr::get(
        context, !pinned, 0, decision.candidate.mergeSharedBytes, 0,
        cyclesOf(builder, {{"global", times.merge.global},
                           {"l2", times.merge.l2},
                           {"launch", times.merge.launch},
                           {"waiting", times.merge.waiting}}),
        ArrayAttr(), Attribute());
  DictionaryAttr cycles =
      cyclesOf(builder, {{"global", times.global},
                         {"l2", times.l2 * times.waves},
                         {"launch", times.launch},
                         {"scalar", times.scalar * times.waves},
                         {"shared", times.shared * times.waves},
                         {"tensor", times.tensor * times.waves},
                         {"waiting", times.waiting * times.waves}});
  return ncd::AccountAttr::get(context, !pinned, evaluation.registers,
                               evaluation.sharedBytes, unfusedBytes, cycles,
                               attributeOf(context, decision.choices), merge);
}

namespace {
struct Schedule : napkin::schedule::impl::SchedulePassBase<Schedule> {
  using SchedulePassBase::SchedulePassBase;
  Schedule(const SchedulePassOptions &options, BlockCompiler compiler)
      : SchedulePassBase(options), compiler(std::move(compiler)) {}

  void getDependentDialects(DialectRegistry &registry) const override {
    SchedulePassBase::getDependentDialects(registry);
    if (compiler.addDialects)
      compiler.addDialects(registry);
  }
  void runOnOperation() override;

private:
  FailureOr<cost::Hardware> chooseHardware();
  FailureOr<Pins> readOptions();
  LogicalResult schedule(ncd::DiagramOp diagram, const cost::Hardware &machine,
                         Pins pins);
  ncd::KernelOp writeKernel(OpBuilder &builder, const DiagramGraph &diagram,
                            const PlannedKernel &kernel,
                            const cost::Hardware &machine, StringRef entry,
                            bool pinned, IRMapping &mapping);
  BlockOracle blockOracle(const DiagramGraph &diagram, StringRef machine);

  BlockCompiler compiler;
};
} // namespace

FailureOr<cost::Hardware> Schedule::chooseHardware() {
  Location location = getOperation()->getLoc();
  if (hardware.empty()) {
    if (const cost::Hardware *machine = cost::defaultHardware(target))
      return *machine;
    return emitError(location)
           << "no hardware description for target '" << target
           << "'; name one with 'hardware', known are "
           << llvm::join(cost::hardwareNames(), ", ");
  }
  llvm::Expected<cost::Hardware> machine = cost::loadHardware(hardware);
  if (!machine)
    return emitError(location) << llvm::toString(machine.takeError());
  if (!target::runsCodeOf(machine->target, target))
    return emitError(location)
           << "hardware '" << hardware << "' runs target '" << machine->target
           << "', not '" << target << "'; change one of them";
  // Code of an earlier architecture keeps to what that one has.
  if (const target::TargetDescription *code = target::lookupTarget(target))
    for (cost::Level &level : machine->levels)
      if (level.name == "shared")
        level.capacityBytes =
            std::min(level.capacityBytes, code->maxSharedBytes);
  return *machine;
}

FailureOr<Pins> Schedule::readOptions() {
  Location location = getOperation()->getLoc();
  Pins pins;
  for (const std::string &text : pinGroup)
    if (failed(parsePin(text, "pin-group", location, pins.group)))
      return failure();
  for (const std::string &text : pinStream) {
    if (text == "none")
      pins.noStream = true;
    else if (failed(parsePin(text, "pin-stream", location, pins.stream)))
      return failure();
    else
      pins.streamOrder.push_back(StringRef(text).split(':').first.str());
  }
  for (const std::string &text : pinSplit) {
    if (text == "none")
      pins.noSplit = true;
    else if (failed(parsePin(text, "pin-split", location, pins.split)))
      return failure();
  }
  if (pinWarps)
    pins.warps = pinWarps;
  if (pinStages)
    pins.stages = pinStages;
  for (const std::string &text : pinForms)
    if (failed(parseForm(text, "pin-forms", location, pins.forms)))
      return failure();
  return pins;
}

/// Whether a product takes columns that the block computes.
static bool computesColumns(const schedule::Region &region,
                            const Decision &decision) {
  const Graph &graph = region.graph;
  return llvm::any_of(region.operations, [&](unsigned index) {
    const schedule::Operation &operation = graph.operations[index];
    return operation.kind == OperationKind::Contract &&
           llvm::any_of(operation.operands, [&](unsigned operand) {
             return !region.isInput(operand) &&
                    !graph.values[operand].carries(
                        *decision.evaluation.rowAxis);
           });
  });
}

/// Numbers of the inputs that each step reads again: those that give a product
/// its rows and do not move with the stream.
static SmallVector<int32_t> rereadInputs(const schedule::Region &region,
                                         const Decision &decision) {
  const Graph &graph = region.graph;
  const Candidate &candidate = decision.candidate;
  SmallVector<int32_t> numbers;
  if (!candidate.reread)
    return numbers;
  for (size_t number = 0; number < region.inputs.size(); ++number) {
    unsigned input = region.inputs[number];
    const ArrayValue &array = graph.values[input];
    bool isFactor = llvm::any_of(region.operations, [&](unsigned index) {
      const schedule::Operation &operation = graph.operations[index];
      return operation.kind == OperationKind::Contract &&
             llvm::is_contained(operation.operands, input);
    });
    if (isFactor && array.carries(*decision.evaluation.rowAxis) &&
        !array.carries(*candidate.stream))
      numbers.push_back(int32_t(number));
  }
  return numbers;
}

/// "x_part", and more underscores where a user's axis is called so.
static std::string nameOfParts(const Graph &graph, StringRef axis) {
  std::string name = (axis + "_part").str();
  while (graph.findAxis(name))
    name += "_";
  return name;
}

/// Erases the views that kernels have taken.
static void eraseUnusedViews(Block &block) {
  for (auto view : llvm::make_early_inc_range(block.getOps<ncd::ViewOp>()))
    if (view->use_empty())
      view->erase();
}

/// For each input of \p region the number of the one in whose tile it lies with
/// the partition of \p candidate.
static SmallVector<std::optional<int64_t>>
holdersOf(const schedule::Region &region, const Candidate &candidate) {
  SmallVector<std::optional<int64_t>> holders;
  for (unsigned input : region.inputs) {
    holders.emplace_back();
    if (region.isHeld(input, candidate.extent, candidate.stream))
      holders.back() =
          llvm::find(region.inputs, region.graph.values[input].within) -
          region.inputs.begin();
  }
  return holders;
}

/// Lets \p kernel take the arrays that its operands are views of. \p holders
/// says for each operand in whose tile it is read.
static void takeViews(ncd::KernelOp kernel,
                      ArrayRef<std::optional<int64_t>> holders) {
  Builder builder(kernel.getContext());
  SmallVector<Attribute> views;
  for (auto [operand, holder] :
       llvm::zip_equal(kernel->getOpOperands(), holders)) {
    auto view = operand.get().getDefiningOp<ncd::ViewOp>();
    auto number = int64_t(operand.getOperandNumber());
    // Who is in a relation to another operand says how it lies.
    if (view)
      views.push_back(ncd::ViewAttr::get(
          kernel.getContext(), int64_t(view.getFrom()), view.getBy(), holder));
    else if (holder || llvm::is_contained(holders, number))
      views.push_back(ncd::ViewAttr::get(
          kernel.getContext(), 0,
          cast<ncd::ArrayType>(operand.get().getType()).getPlacement(),
          holder));
    else
      views.push_back(builder.getUnitAttr());
    if (view)
      operand.set(view.getInput());
  }
  if (!llvm::all_of(views, llvm::IsaPred<UnitAttr>))
    kernel.setViewsAttr(builder.getArrayAttr(views));
}

/// Writes the operations of \p region as a kernel with the partition of
/// \p decision. \p mapping says what stands for the values of the diagram
/// outside the kernel, and is told of the kernel's results.
static ncd::KernelOp formKernel(OpBuilder &builder, const DiagramGraph &diagram,
                                const schedule::Region &region,
                                const Decision &decision, StringRef machine,
                                StringRef entry, IRMapping &mapping) {
  const Graph &graph = diagram.graph;
  SmallVector<Value> inputs;
  SmallVector<Type> resultTypes;
  for (unsigned input : region.inputs)
    inputs.push_back(mapping.lookup(diagram.values[input]));
  for (unsigned output : region.outputs)
    resultTypes.push_back(diagram.values[output].getType());
  Location location = diagram.operations[region.operations.back()]->getLoc();
  auto op = ncd::KernelOp::create(builder, location, resultTypes, inputs);

  IRMapping inside;
  Block &block = op.getBody().front();
  for (auto [input, argument] :
       llvm::zip_equal(region.inputs, block.getArguments()))
    inside.map(diagram.values[input], argument);
  OpBuilder body = OpBuilder::atBlockEnd(&block);
  for (unsigned index : region.operations) {
    mlir::Operation *clone = body.clone(*diagram.operations[index], inside);
    clone->removeAttr("ncd.pin");
  }
  SmallVector<Value> yielded;
  for (auto [output, result] :
       llvm::zip_equal(region.outputs, op.getResults())) {
    yielded.push_back(inside.lookup(diagram.values[output]));
    mapping.map(diagram.values[output], result);
  }
  ncd::YieldOp::create(body, location, yielded);

  MLIRContext *context = builder.getContext();
  const Candidate &candidate = decision.candidate;
  op.setGroupAttr(partitionOf(context, graph, candidate, candidate.groups));
  SmallVector<unsigned, 2> stream; // outermost first
  for (std::optional<unsigned> axis : {candidate.stream, candidate.inner})
    if (axis)
      stream.push_back(*axis);
  op.setStreamAttr(partitionOf(context, graph, candidate, stream));
  if (candidate.part) {
    StringRef axis = graph.axes[*candidate.stream].name;
    op.setSplitAttr(ncd::SplitAttr::get(
        context, builder.getStringAttr(axis), *candidate.part,
        builder.getStringAttr(nameOfParts(graph, axis))));
  }
  SmallVector<StringRef> order;
  for (unsigned axis : candidate.groups)
    order.push_back(graph.axes[axis].name);
  op.setOrderAttr(builder.getStrArrayAttr(order));
  op.setHardwareAttr(
      ncd::HardwareAttr::get(context, builder.getStringAttr(machine)));
  op.setWarpsAttr(builder.getI32IntegerAttr(int32_t(candidate.warps)));
  if (std::optional<unsigned> rows = decision.evaluation.rowAxis) {
    op.setRowsAttr(builder.getStringAttr(graph.axes[*rows].name));
    op.setRowWarpsAttr(
        builder.getI32IntegerAttr(int32_t(decision.evaluation.warpRows)));
  }
  if (SmallVector<int32_t> again = rereadInputs(region, decision);
      !again.empty())
    op.setReread(again);
  op.setStagesAttr(builder.getI32IntegerAttr(int32_t(candidate.stages)));
  // Each warp moves its own rows, which have to be whole and the state's, and
  // multiplies again without the others, which columns that all compute do not
  // allow. Sums of a loop inside are not started from the reference yet.
  std::optional<unsigned> rowAxis = decision.evaluation.rowAxis;
  bool stateHasRows =
      rowAxis &&
      llvm::all_of(decision.verdict.state, [&](const StreamState &member) {
        return llvm::is_contained(member.axes, *rowAxis);
      });
  op.setLazy(decision.mayBeLazy && decision.verdict.lazy && !candidate.inner &&
             stateHasRows && decision.evaluation.warpRows == candidate.warps &&
             !computesColumns(region, decision));
  op.setPadded(candidate.padded);
  if (decision.parts > 1)
    op.setPartsAttr(builder.getI32IntegerAttr(int32_t(decision.parts)));
  op.setEntryAttr(builder.getStringAttr(entry));
  takeViews(op, holdersOf(region, candidate));
  return op;
}

/// What the stages below say of a region: it is written as the only kernel of a
/// module of its own, and their messages are kept from the user.
BlockOracle Schedule::blockOracle(const DiagramGraph &diagram,
                                  StringRef machine) {
  if (!compiler.measure)
    return {};
  return [&diagram, machine = machine.str(),
          this](const schedule::Region &region, const Decision &decision) {
    MLIRContext *context = &getContext();
    Location location = UnknownLoc::get(context);
    OwningOpRef<ModuleOp> module = ModuleOp::create(location);
    OpBuilder builder(module->getBodyRegion());
    SmallVector<Type> results;
    llvm::SetVector<Value> inputs;
    for (unsigned input : region.inputs) {
      Value value = diagram.values[input];
      auto view = value.getDefiningOp<ncd::ViewOp>();
      inputs.insert(view ? view.getInput() : value);
    }
    for (unsigned output : region.outputs)
      results.push_back(diagram.values[output].getType());
    auto alone = ncd::DiagramOp::create(
        builder, location, "block",
        builder.getFunctionType(TypeRange(ValueRange(inputs.getArrayRef())),
                                results));
    Block &body = alone.getBody().front();
    IRMapping mapping;
    mapping.map(inputs.getArrayRef(), body.getArguments());
    builder.setInsertionPointToEnd(&body);
    for (unsigned input : region.inputs)
      if (auto view = diagram.values[input].getDefiningOp<ncd::ViewOp>())
        builder.clone(*view, mapping);
    ncd::KernelOp kernel = formKernel(builder, diagram, region, decision,
                                      machine, "block", mapping);
    ncd::ReturnOp::create(builder, location, kernel.getResults());
    eraseUnusedViews(body);
    std::string message;
    ScopedDiagnosticHandler keep(context, [&](Diagnostic &diagnostic) {
      if (message.empty() &&
          diagnostic.getSeverity() == DiagnosticSeverity::Error)
        message = diagnostic.str();
      return success();
    });
    std::optional<BlockNeeds> needs = compiler.measure(*module, target);
    if (needs && !needs->refusal.empty() && !message.empty())
      needs->refusal = message;
    return needs;
  };
}

ncd::KernelOp Schedule::writeKernel(OpBuilder &builder,
                                    const DiagramGraph &diagram,
                                    const PlannedKernel &kernel,
                                    const cost::Hardware &machine,
                                    StringRef entry, bool pinned,
                                    IRMapping &mapping) {
  Decision decision = *kernel.decision;
  schedule::Region region(diagram.graph, kernel.operations, kernel.outputs);
  ncd::KernelOp op = formKernel(builder, diagram, region, decision,
                                machine.name, entry, mapping);
  if (auto grouping = chooseGrouping(region, decision, machine)) {
    StringRef axis = diagram.graph.axes[grouping->axis].name;
    op.setGroupedAttr(ncd::PartitionAttr::get(
        &getContext(), {builder.getStringAttr(axis)}, {grouping->tiles}));
    decision.choices.push_back({ncd::Subject::Grouped,
                                axis.str(),
                                grouping->tiles,
                                {{ncd::Cause::MemoryAsked,
                                  {std::llround(grouping->bytes),
                                   std::llround(grouping->plainBytes)}}}});
  }
  op.setAccountAttr(accountOf(builder, decision, kernel.unfusedBytes, pinned));
  ++numKernels;
  bytesMoved +=
      decision.evaluation.readBytes + decision.evaluation.writtenBytes;
  bytesUnfused += kernel.unfusedBytes;
  return op;
}

LogicalResult Schedule::schedule(ncd::DiagramOp diagram,
                                 const cost::Hardware &machine, Pins pins) {
  if (diagram.isExternal())
    return success();
  const target::TargetDescription *description = target::lookupTarget(target);
  if (!description)
    return diagram.emitError()
           << "there is no table of instructions for target '" << target
           << "'; known are " << target::knownTargets();
  if (failed(readPinAttribute(diagram, pins)))
    return failure();
  expandStarts(diagram);
  // A pin is about every wire that the user calls so.
  separateAxes(diagram);
  const Pins written = pins;
  llvm::StringSet<> pinned;
  for (auto *axes : {&pins.group, &pins.stream, &pins.split})
    for (const auto &[axis, size] : std::map<std::string, int64_t>(*axes))
      for (const std::string &wire : wiresCalled(diagram, axis)) {
        axes->try_emplace(wire, size);
        pinned.insert(wire);
      }
  pins.streamOrder.clear();
  for (const std::string &axis : written.streamOrder)
    llvm::append_range(pins.streamOrder, wiresCalled(diagram, axis));
  joinAxes(diagram, pinned);
  expandContracts(diagram);
  GeneratorLimits limits;
  splitReductions(diagram, limits.tileDimensions);
  FailureOr<DiagramGraph> read = readDiagram(diagram, *description, allowTF32);
  if (failed(read) || failed(checkPinsFit(diagram, pins, read->graph)))
    return failure();
  PlanFailure why;
  std::optional<std::vector<PlannedKernel>> plan =
      planKernels(read->graph, machine, limits, pins, read->oracle(),
                  blockOracle(*read, machine.name), &why);
  if (!plan)
    return read->operations[why.operation]->emitError()
           << why.refusal.text << "; " << why.refusal.advice;

  // Everything new stands at the end, so that defining operations come first.
  Block &block = diagram.getBody().front();
  mlir::Operation *terminator = block.getTerminator();
  OpBuilder builder(terminator);
  IRMapping mapping;
  for (BlockArgument argument : block.getArguments())
    mapping.map(argument, argument);
  for (auto view : block.getOps<ncd::ViewOp>())
    mapping.map(view.getResult(), view.getResult());
  SmallVector<ncd::KernelOp> kernels;
  unsigned formed = llvm::count_if(*plan, [](const PlannedKernel &kernel) {
    return kernel.decision.has_value();
  });
  unsigned index = 0;
  llvm::SmallPtrSet<mlir::Operation *, 4> kept;
  for (const PlannedKernel &kernel : *plan) {
    if (kernel.decision) {
      kernels.push_back(
          writeKernel(builder, *read, kernel, machine,
                      entryName(diagram.getSymName(), index++, formed),
                      !pins.empty(), mapping));
      continue;
    }
    mlir::Operation *fixed = read->operations[kernel.operations.front()];
    fixed->moveBefore(terminator);
    for (OpOperand &operand : fixed->getOpOperands())
      operand.set(mapping.lookup(operand.get()));
    for (Value result : fixed->getResults())
      mapping.map(result, result);
    kept.insert(fixed);
    if (auto formed = dyn_cast<ncd::KernelOp>(fixed))
      kernels.push_back(formed);
  }
  for (OpOperand &operand : terminator->getOpOperands())
    operand.set(mapping.lookup(operand.get()));
  for (mlir::Operation *op : llvm::reverse(read->operations))
    if (!kept.contains(op))
      op->erase();
  eraseUnusedViews(block);
  diagram->removeAttr("ncd.pin");
  return checkPinsWereUsed(diagram, written, kernels);
}

void Schedule::runOnOperation() {
  FailureOr<cost::Hardware> machine = chooseHardware();
  FailureOr<Pins> pins = readOptions();
  if (failed(machine) || failed(pins))
    return signalPassFailure();
  WalkResult result = getOperation()->walk([&](ncd::DiagramOp diagram) {
    return failed(schedule(diagram, *machine, *pins)) ? WalkResult::interrupt()
                                                      : WalkResult::skip();
  });
  if (result.wasInterrupted())
    signalPassFailure();
}

std::unique_ptr<Pass>
napkin::schedule::createSchedulePass(SchedulePassOptions options,
                                     BlockCompiler compiler) {
  return std::make_unique<Schedule>(options, std::move(compiler));
}
