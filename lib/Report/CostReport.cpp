//===- CostReport.cpp - what kernels move, and why --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Gathers the numbers of a report from kernels.
//
//===----------------------------------------------------------------------===//

#include "napkin/Report/CostReport.h"
#include "napkin/Cost/Hardware.h"
#include "napkin/Schedule/Account.h"
#include "napkin/Schedule/KernelPlan.h"
#include "napkin/Schedule/PlanBytes.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <fmt/format.h>
#include <tuple>

using namespace mlir;
using namespace napkin;
using namespace napkin::report;

/// What \p axis is called in the report. A wire that the schedule has named
/// apart (SeparateAxes.h) has the user's name again in a kernel that cuts
/// neither it nor what else has that name: both are whole, and of one size.
static StringAttr shownName(ncd::KernelOp kernel, StringAttr axis) {
  auto diagram = kernel->getParentOfType<ncd::DiagramOp>();
  auto record = diagram ? diagram->getAttrOfType<DictionaryAttr>("ncd.joined")
                        : DictionaryAttr();
  auto written =
      record ? record.getAs<ncd::PartitionAttr>(axis) : ncd::PartitionAttr();
  if (!written || written.getAxes().size() != 1)
    return axis;
  StringAttr name = written.getAxes().front();
  auto isCut = [&](StringAttr cut) {
    return kernel.groupSize(cut) || kernel.chunkSize(cut);
  };
  return isCut(axis) || isCut(name) ? axis : name;
}

static cost::Array describeArray(ncd::KernelOp kernel, Type type,
                                 std::string name, cost::Role role) {
  auto array = cast<ncd::ArrayType>(type);
  cost::Array result;
  result.name = std::move(name);
  for (StringAttr axis : array.getAxes())
    result.axes.push_back(shownName(kernel, axis).str());
  result.bytesPerValue = ncd::elementBytes(array.getElementType());
  result.role = role;
  return result;
}

/// Counts the loops of \p kernel that read its argument \p argument.
static void countLoops(ncd::KernelOp kernel, BlockArgument argument,
                       cost::Array &array) {
  array.loops = 0;
  for (mlir::Operation *user : argument.getUsers()) {
    auto stream = dyn_cast<ncd::StreamOp>(user);
    if (!stream)
      continue;
    bool inside = isa<ncd::StreamOp>(stream->getParentOp()) ||
                  stream.getAxisAttr() == kernel.getStreamAxis();
    ++(inside ? array.loops : array.walksBeside);
  }
  if (!array.loops && !array.walksBeside)
    array.loops = 1;
}

cost::KernelModel napkin::report::modelOf(ncd::KernelOp kernel) {
  cost::KernelModel model;
  for (auto [input, argument] :
       llvm::zip_equal(kernel.getInputs(), kernel.getBody().getArguments())) {
    // What lies in the tile of another operand is not moved.
    ncd::ViewAttr view = kernel.getView(argument.getArgNumber());
    if (view && view.getWithin())
      continue;
    model.arrays.push_back(describeArray(kernel, argument.getType(),
                                         schedule::arrayName(input),
                                         cost::Role::Read));
    countLoops(kernel, argument, model.arrays.back());
  }
  Block &block = kernel.getBody().front();
  for (mlir::Operation &op : block.without_terminator())
    for (Value result : op.getResults()) {
      bool yielded = llvm::any_of(result.getUsers(), [](mlir::Operation *user) {
        return isa<ncd::YieldOp>(user);
      });
      // Overwritten in place by an elementwise operation over the same axes.
      bool inPlace =
          result.hasOneUse() && isa<ncd::MapOp>(*result.user_begin()) &&
          cast<ncd::ArrayType>((*result.user_begin())->getResult(0).getType())
                  .getRank() ==
              cast<ncd::ArrayType>(result.getType()).getRank();
      if (!yielded && !inPlace)
        model.arrays.push_back(
            describeArray(kernel, result.getType(), "", cost::Role::Internal));
    }
  for (Value result : kernel.getResults())
    model.arrays.push_back(describeArray(kernel, result.getType(),
                                         schedule::arrayName(result),
                                         cost::Role::Written));
  for (StringAttr axis : kernel.getGridOrder())
    model.groupAxes.push_back(axis.str());
  if (ncd::PartitionAttr stream = kernel.getStreamAttr())
    for (StringAttr axis : stream.getAxes())
      model.streamAxes.push_back(axis.str());
  if (ncd::SplitAttr split = kernel.getSplitAttr())
    model.split = {split.getAxis().str(), split.getParts().str()};
  return model;
}

/// Sizes and partitions of \p kernel by symbol. Errors on the kernel.
static FailureOr<cost::Bindings> bindingsOf(ncd::KernelOp kernel,
                                            const cost::KernelModel &model) {
  cost::Bindings values, sizes;
  auto note = [&](Value value) {
    auto array = dyn_cast<ncd::ArrayType>(value.getType());
    if (!array)
      return;
    for (auto [axis, size] : llvm::zip_equal(array.getAxes(), array.getSizes()))
      sizes[shownName(kernel, axis).str()] = size;
  };
  for (BlockArgument argument : kernel.getBody().getArguments())
    note(argument);
  llvm::for_each(kernel.getResults(), note);
  kernel.getBody().walk(
      [&](mlir::Operation *op) { llvm::for_each(op->getResults(), note); });
  for (const cost::Array &array : model.arrays)
    for (const std::string &axis : array.axes) {
      auto size = sizes.find(axis);
      if (size == sizes.end() || ShapedType::isDynamic(size->second))
        return kernel.emitError("axis '")
               << axis
               << "' has no static size, so its bytes cannot be counted; write "
                  "its size";
      values[axis] = size->second;
    }
  for (const std::string &axis : model.groupAxes)
    if (std::optional<int64_t> tile = kernel.groupSize(axis))
      cost::KernelModel::bindPartition(values, axis, *tile, /*stream=*/false);
  for (const std::string &axis : model.streamAxes)
    if (std::optional<int64_t> chunk = kernel.chunkSize(axis))
      cost::KernelModel::bindPartition(values, axis, *chunk, /*stream=*/true);
  return values;
}

/// The value of \p expression, or an error on \p kernel.
static FailureOr<int64_t> evaluate(ncd::KernelOp kernel,
                                   const cost::Expression &expression,
                                   const cost::Bindings &values) {
  llvm::Expected<int64_t> result = expression.evaluate(values);
  if (result)
    return *result;
  return kernel.emitError("its bytes cannot be counted: ")
         << llvm::toString(result.takeError());
}

static FailureOr<KernelCost> costOf(ncd::KernelOp kernel,
                                    const plan::Plan &plan) {
  plan::Traffic traffic = plan::globalTraffic(plan);
  if (std::max(traffic.read, traffic.written) == INT64_MAX)
    return kernel.emitError("its bytes cannot be counted: they pass 64 bits; "
                            "make the sizes of its axes smaller");
  return KernelCost{traffic.read, traffic.written};
}

FailureOr<KernelCost> napkin::report::computeKernelCost(ncd::KernelOp kernel) {
  FailureOr<plan::Plan> plan = schedule::planOf(kernel);
  if (failed(plan))
    return failure();
  return costOf(kernel, *plan);
}

/// Bytes that \p plan moves of the array called \p name, in (\p stored: out).
static int64_t movedOf(const plan::Plan &plan, StringRef name, bool stored) {
  int64_t bytes = 0;
  for (const plan::Fill &fill : plan.fills)
    if (fill.array == name && fill.store == stored)
      bytes += plan::movedBytes(plan, fill);
  return bytes;
}

/// How the streamed axis of \p kernel is walked, for people.
static std::string describeStream(ncd::KernelOp kernel, StringRef axis,
                                  const plan::Plan &plan) {
  int64_t chunk = kernel.chunkSize(axis).value_or(1);
  int64_t chunks =
      llvm::divideCeil(kernel.getAxisSize(axis).value_or(1), chunk);
  std::string ranges;
  bool bounded = false;
  for (const plan::Nest &nest : plan.nests) {
    if (nest.kind != plan::NestKind::Loop || (!nest.from && !nest.to) ||
        plan.axes[nest.dim.front()].name != axis)
      continue;
    if (nest.from && !bounded)
      ranges += " from " + plan.text(*nest.from);
    if (nest.to)
      ranges +=
          (ranges.empty() || !bounded ? " to " : ", ") + plan.text(*nest.to);
    bounded = true;
  }
  return fmt::format("{} by {}{}, {}{} chunks", axis.str(), chunk, ranges,
                     bounded ? "at most " : "", chunks);
}

/// True when \p value is a factor of a contract, directly or as the chunk of a
/// stream.
static bool feedsContract(Value value) {
  for (OpOperand &use : value.getUses()) {
    if (isa<ncd::ContractOp>(use.getOwner()))
      return true;
    if (auto stream = dyn_cast<ncd::StreamOp>(use.getOwner()))
      if (feedsContract(stream.getStepChunks()[use.getOperandNumber()]))
        return true;
  }
  return false;
}

static FailureOr<std::vector<ArrayCost>>
describeArrays(ncd::KernelOp kernel, const cost::KernelModel &model,
               const cost::Bindings &values, const plan::Plan &plan) {
  std::vector<ArrayCost> result;
  unsigned input = 0;
  for (const cost::Array &array : model.arrays) {
    if (array.role == cost::Role::Internal)
      continue;
    ArrayCost line;
    line.name = array.name;
    line.axes = llvm::join(array.axes, ", ");
    line.role = array.role;
    line.levels = "registers, global";
    if (array.role == cost::Role::Read)
      line.levels = feedsContract(kernel.getBody().front().getArgument(input++))
                        ? "global, shared, registers"
                        : "global, registers";
    FailureOr<int64_t> bytes =
        evaluate(kernel, model.size(array, cost::Unit::Bytes), values);
    FailureOr<int64_t> repetitions =
        evaluate(kernel, model.repetitions(array), values);
    if (failed(bytes) || failed(repetitions))
      return failure();
    line.bytes = *bytes;
    line.repetitions = *repetitions;
    line.movedBytes =
        movedOf(plan, line.name, array.role == cost::Role::Written);
    result.push_back(line);
  }
  return result;
}

/// Takes over what the schedule has written on the kernel.
static void readAccount(ncd::KernelOp kernel, KernelReport &report) {
  ncd::AccountAttr account = kernel.getAccountAttr();
  if (!account)
    return;
  report.registers = account.getRegisters();
  report.sharedBytes = account.getSharedBytes();
  report.unfusedBytes = account.getUnfusedBytes();
  if (DictionaryAttr cycles = account.getCycles())
    for (NamedAttribute entry : cycles)
      if (auto value = dyn_cast<IntegerAttr>(entry.getValue())) {
        report.cycles.push_back({entry.getName().str(), value.getInt()});
        report.totalCycles += value.getInt();
      }
  llvm::sort(report.cycles, [](const auto &a, const auto &b) {
    return std::tie(b.second, a.first) < std::tie(a.second, b.first);
  });
  for (const schedule::Choice &choice : schedule::choicesOf(kernel))
    report.reasons.push_back(schedule::sentenceOf(choice));
}

/// \p expression in double precision; 0 when it has no value.
static double realValue(const cost::Expression &expression,
                        const cost::Bindings &values) {
  llvm::Expected<double> value = expression.evaluateReal(values);
  if (value)
    return *value;
  llvm::consumeError(value.takeError());
  return 0;
}

/// What multiplies in \p kernel, each once, in order.
static std::vector<std::string> describeProducts(ncd::KernelOp kernel) {
  std::vector<std::string> result;
  kernel.walk([&](ncd::ContractOp contract) {
    ncd::ProductAttr product = contract.getProductAttr();
    if (!product)
      return;
    StringRef name = product.getInstruction();
    const target::MatrixInstruction *row = target::lookupInstruction(name);
    Type type = cast<ncd::ArrayType>(contract.getInputs().front().getType())
                    .getElementType();
    std::optional<target::Element> element =
        target::parseElement(ncd::elementTypeName(type));
    std::string text = name.str();
    if (element && !target::represents(row->a, *element))
      text += fmt::format(", factors of {} rounded to {}",
                          target::elementName(*element).str(),
                          target::elementName(row->a).str());
    if (!llvm::is_contained(result, text))
      result.push_back(text);
  });
  return result;
}

FailureOr<KernelReport>
napkin::report::buildKernelReport(ncd::KernelOp kernel) {
  cost::KernelModel model = modelOf(kernel);
  FailureOr<cost::Bindings> values = bindingsOf(kernel, model);
  FailureOr<plan::Plan> plan = schedule::planOf(kernel);
  if (failed(values) || failed(plan))
    return failure();
  FailureOr<KernelCost> cost = costOf(kernel, *plan);
  if (failed(cost))
    return failure();
  FailureOr<std::vector<ArrayCost>> arrays =
      describeArrays(kernel, model, *values, *plan);
  FailureOr<int64_t> compulsory =
      evaluate(kernel, model.compulsory(cost::Unit::Bytes), *values);
  if (failed(arrays) || failed(compulsory))
    return failure();
  // What nobody sees need not cross once.
  bool bounded = llvm::any_of(
      plan->nests, [](const plan::Nest &nest) { return nest.from || nest.to; });
  if (bounded) {
    *compulsory = 0;
    for (const ArrayCost &line : *arrays)
      *compulsory += std::min(line.bytes, line.movedBytes);
  }

  KernelReport report;
  report.entry = kernel.getEntry() ? kernel.getEntry()->str() : "kernel";
  report.arrays = std::move(*arrays);
  report.values = model.transfers(cost::Unit::Values);
  report.bytes = model.transfers(cost::Unit::Bytes);
  report.cost = *cost;
  report.compulsoryBytes = *compulsory;
  report.warps = kernel.getWarps().value_or(0);
  report.stages = kernel.getStages().value_or(0);
  report.products = describeProducts(kernel);
  bool divides = true;
  ncd::SplitAttr split = kernel.getSplitAttr();
  if (split) {
    report.parts = report.blocks = kernel.getNumParts();
    report.grid = fmt::format("{} = {}", split.getParts().str(), report.parts);
  }
  for (const std::string &axis : model.groupAxes) {
    int64_t tile = kernel.groupSize(axis).value_or(1);
    divides &= kernel.getAxisSize(axis).value_or(1) % tile == 0;
    int64_t groups =
        llvm::divideCeil(kernel.getAxisSize(axis).value_or(1), tile);
    report.blocks *= groups;
    report.grid += fmt::format("{}{}/{} = {}", report.grid.empty() ? "" : " × ",
                               axis, tile, groups);
  }
  if (std::optional<uint32_t> blocks = kernel.getPersistent();
      blocks && *blocks < report.blocks) {
    report.grid += fmt::format(" = {} tiles, persistent", report.blocks);
    report.blocks = *blocks;
  }
  for (const std::string &axis : model.streamAxes)
    if (report.bytes.mentions(cost::streamVariable(axis)))
      divides &= kernel.getAxisSize(axis).value_or(1) %
                     kernel.chunkSize(axis).value_or(1) ==
                 0;
  if (divides) {
    report.values = report.values.smooth();
    report.bytes = report.bytes.smooth();
  }
  for (const std::string &axis : model.streamAxes) {
    bool inside = false;
    kernel.getBody().walk([&](ncd::StreamOp stream) {
      inside |=
          stream.getAxis() == axis && isa<ncd::StreamOp>(stream->getParentOp());
    });
    report.stream += (report.stream.empty() ? ""
                      : inside              ? "; inside "
                                            : "; beside ") +
                     describeStream(kernel, axis, *plan);
    if (split && split.getAxis() == axis)
      report.stream +=
          fmt::format(", in {} parts of {}", report.parts, split.getBy());
    auto loops = kernel.getBody().front().getOps<ncd::StreamOp>();
    size_t count = llvm::count_if(
        loops, [&](ncd::StreamOp stream) { return stream.getAxis() == axis; });
    if (count > 1)
      report.stream += fmt::format(" in each of {} loops", count);
  }
  readAccount(kernel, report);

  std::optional<cost::Hardware> machine;
  if (ncd::HardwareAttr hardware = kernel.getHardwareAttr()) {
    report.hardware = hardware.getName().str();
    if (auto found = cost::loadHardware(report.hardware)) {
      report.hardwareTitle = found->title;
      machine = std::move(*found);
    } else {
      // A machine of a file, of which only the name is left.
      llvm::consumeError(found.takeError());
    }
  }
  report.closedForm =
      cost::findClosedForm(model, cost::Unit::Bytes, &report.noClosedForm);
  if (bounded) {
    report.closedForm.reset();
    report.noClosedForm =
        "H is that of the whole of axis " +
        (model.streamAxes.empty() ? std::string() : model.streamAxes.front()) +
        ", of which blocks walk a part";
  }
  report.leastBytes = double(report.compulsoryBytes);
  if (report.closedForm && !report.closedForm->beta.isZero()) {
    cost::Bindings bound = *values;
    report.memoryBytes = realValue(report.closedForm->memory, bound);
    bound["M"] = std::max<int64_t>(1, int64_t(report.memoryBytes));
    report.optimumBytes = realValue(report.closedForm->transfers, bound);
    for (int64_t memory = 1 << 10; memory <= 1 << 20; memory *= 2) {
      bound["M"] = memory;
      report.curve.emplace_back(
          double(memory),
          std::max(double(report.compulsoryBytes),
                   realValue(report.closedForm->transfers, bound)));
    }
    if (machine) {
      bound["M"] = machine->level("registers").capacityBytes +
                   machine->level("shared").capacityBytes;
      report.leastBytes = std::max(
          report.leastBytes, realValue(report.closedForm->transfers, bound));
    }
  }
  return report;
}

FailureOr<CostReport> napkin::report::buildCostReport(mlir::Operation *root) {
  CostReport report;
  WalkResult walk = root->walk([&](ncd::KernelOp kernel) {
    FailureOr<KernelReport> one = buildKernelReport(kernel);
    if (failed(one))
      return WalkResult::interrupt();
    report.kernels.push_back(std::move(*one));
    return WalkResult::advance();
  });
  if (walk.wasInterrupted())
    return failure();
  return report;
}

KernelCost CostReport::total() const {
  KernelCost sum;
  for (const KernelReport &kernel : kernels) {
    sum.globalReadBytes += kernel.cost.globalReadBytes;
    sum.globalWriteBytes += kernel.cost.globalWriteBytes;
  }
  return sum;
}

int64_t CostReport::cycles() const {
  int64_t sum = 0;
  for (const KernelReport &kernel : kernels)
    sum += kernel.totalCycles;
  return sum;
}
