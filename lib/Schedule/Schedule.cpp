//===- Schedule.cpp - form kernels and choose their partitions ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass ncd-schedule: reads each diagram into a graph, plans its kernels and
// writes them as `ncd.kernel`.
//
//===----------------------------------------------------------------------===//

#include "ExpandContracts.h"
#include "SchedulePins.h"
#include "mlir/IR/IRMapping.h"
#include "napkin/Schedule/DiagramGraph.h"
#include "napkin/Schedule/Fusion.h"
#include "napkin/Schedule/Passes.h"
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

/// What the report wants to know and the kernel alone does not tell.
static DictionaryAttr describeDecision(Builder &builder,
                                       const Decision &decision,
                                       int64_t unfusedBytes) {
  SmallVector<Attribute> why;
  for (const Reason &reason : decision.reasons)
    why.push_back(builder.getStringAttr(
        reason.text.empty() ? reason.choice
                            : reason.choice + ": " + reason.text));
  const Evaluation &evaluation = decision.evaluation;
  const Times &times = evaluation.times;
  auto cycles = [&](StringRef name, double value) {
    return builder.getNamedAttr(
        name, builder.getI64IntegerAttr(int64_t(std::ceil(value))));
  };
  auto cyclesAttr = builder.getDictionaryAttr(
      {cycles("global", times.global), cycles("l2", times.l2 * times.waves),
       cycles("launch", times.launch),
       cycles("scalar", times.scalar * times.waves),
       cycles("shared", times.shared * times.waves),
       cycles("tensor", times.tensor * times.waves),
       cycles("waiting", times.waiting * times.waves)});
  return builder.getDictionaryAttr(
      {builder.getNamedAttr("cycles", cyclesAttr),
       builder.getNamedAttr("registers",
                            builder.getI64IntegerAttr(evaluation.registers)),
       builder.getNamedAttr("shared_bytes",
                            builder.getI64IntegerAttr(evaluation.sharedBytes)),
       builder.getNamedAttr("unfused_bytes",
                            builder.getI64IntegerAttr(unfusedBytes)),
       builder.getNamedAttr("warp_grid",
                            builder.getDenseI64ArrayAttr(
                                {evaluation.warpRows, evaluation.warpColumns})),
       builder.getNamedAttr("why", builder.getArrayAttr(why))});
}

namespace {
struct Schedule : napkin::schedule::impl::SchedulePassBase<Schedule> {
  using SchedulePassBase::SchedulePassBase;

  void runOnOperation() override;

private:
  FailureOr<cost::Hardware> chooseHardware();
  FailureOr<Pins> readOptions();
  LogicalResult schedule(ncd::DiagramOp diagram, const cost::Hardware &machine,
                         Pins pins);
  ncd::KernelOp writeKernel(OpBuilder &builder, const DiagramGraph &diagram,
                            const PlannedKernel &kernel, StringRef machine,
                            StringRef entry, IRMapping &mapping);
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
  if (machine->target != target)
    return emitError(location)
           << "hardware '" << hardware << "' runs target '" << machine->target
           << "', not '" << target << "'; change one of them";
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
  }
  if (pinWarps &&
      (pinWarps < 0 || pinWarps > 32 || !llvm::isPowerOf2_64(pinWarps)))
    return getOperation()->emitError()
           << "pin-warps=" << pinWarps
           << " is not possible; choose 1, 2, 4, 8, 16 or 32";
  if (pinStages && (pinStages < 0 || pinStages > 8))
    return getOperation()->emitError()
           << "pin-stages=" << pinStages << " is not possible; choose 1 to 8";
  if (pinWarps)
    pins.warps = pinWarps;
  if (pinStages)
    pins.stages = pinStages;
  return pins;
}

ncd::KernelOp Schedule::writeKernel(OpBuilder &builder,
                                    const DiagramGraph &diagram,
                                    const PlannedKernel &kernel,
                                    StringRef machine, StringRef entry,
                                    IRMapping &mapping) {
  const Graph &graph = diagram.graph;
  schedule::Region region(graph, kernel.operations);
  const Decision &decision = *kernel.decision;
  SmallVector<Value> inputs;
  SmallVector<Type> resultTypes;
  for (unsigned input : region.inputs)
    inputs.push_back(mapping.lookup(diagram.values[input]));
  for (unsigned output : region.outputs)
    resultTypes.push_back(diagram.values[output].getType());
  Location location = diagram.operations[kernel.operations.back()]->getLoc();
  auto op = ncd::KernelOp::create(builder, location, resultTypes, inputs);

  IRMapping inside;
  Block &block = op.getBody().front();
  for (auto [input, argument] :
       llvm::zip_equal(region.inputs, block.getArguments()))
    inside.map(diagram.values[input], argument);
  OpBuilder body = OpBuilder::atBlockEnd(&block);
  for (unsigned index : kernel.operations) {
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

  MLIRContext *context = &getContext();
  const Candidate &candidate = decision.candidate;
  op.setGroupAttr(partitionOf(context, graph, candidate, candidate.groups));
  SmallVector<unsigned, 1> stream;
  if (candidate.stream)
    stream.push_back(*candidate.stream);
  op.setStreamAttr(partitionOf(context, graph, candidate, stream));
  SmallVector<StringRef> order;
  for (unsigned axis : candidate.groups)
    order.push_back(graph.axes[axis].name);
  op.setOrderAttr(builder.getStrArrayAttr(order));
  op.setHardwareAttr(
      ncd::HardwareAttr::get(context, builder.getStringAttr(machine)));
  op.setWarpsAttr(builder.getI32IntegerAttr(int32_t(candidate.warps)));
  op.setStagesAttr(builder.getI32IntegerAttr(int32_t(candidate.stages)));
  op.setEntryAttr(builder.getStringAttr(entry));
  // Not part of the IR's meaning, and long: it travels with the location, where
  // it does not clutter what is printed.
  op->setLoc(
      FusedLoc::get(context, {location},
                    describeDecision(builder, decision, kernel.unfusedBytes)));
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
  expandContracts(diagram);
  FailureOr<DiagramGraph> read = readDiagram(diagram);
  if (failed(read) || failed(readPinAttribute(diagram, pins)))
    return failure();
  GeneratorLimits limits;
  PlanFailure why;
  std::optional<std::vector<PlannedKernel>> plan =
      planKernels(read->graph, machine, limits, pins, read->oracle(), &why);
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
  SmallVector<ncd::KernelOp> kernels;
  unsigned formed = llvm::count_if(*plan, [](const PlannedKernel &kernel) {
    return kernel.decision.has_value();
  });
  unsigned index = 0;
  llvm::SmallPtrSet<mlir::Operation *, 4> kept;
  for (const PlannedKernel &kernel : *plan) {
    if (kernel.decision) {
      kernels.push_back(writeKernel(
          builder, *read, kernel, machine.name,
          entryName(diagram.getSymName(), index++, formed), mapping));
      continue;
    }
    mlir::Operation *fixed = read->operations[kernel.operations.front()];
    fixed->moveBefore(terminator);
    for (OpOperand &operand : fixed->getOpOperands())
      operand.set(mapping.lookup(operand.get()));
    for (Value result : fixed->getResults())
      mapping.map(result, result);
    kept.insert(fixed);
    kernels.push_back(cast<ncd::KernelOp>(fixed));
  }
  for (OpOperand &operand : terminator->getOpOperands())
    operand.set(mapping.lookup(operand.get()));
  for (mlir::Operation *op : llvm::reverse(read->operations))
    if (!kept.contains(op))
      op->erase();
  diagram->removeAttr("ncd.pin");
  return checkPinsWereUsed(diagram, pins, kernels, read->graph);
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
