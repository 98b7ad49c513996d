//===- SchedulePins.cpp - decisions made by others --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads and checks pinned decisions.
//
//===----------------------------------------------------------------------===//

#include "SchedulePins.h"
#include "napkin/Schedule/Account.h"
#include "napkin/Schedule/SeparateAxes.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

LogicalResult
napkin::schedule::parsePin(StringRef text, StringRef option, Location location,
                           std::map<std::string, int64_t> &target) {
  auto [axis, number] = text.split(':');
  int64_t size = 0;
  if (axis.empty() || number.getAsInteger(10, size) || size <= 0)
    return emitError(location)
           << "option '" << option << "' has '" << text
           << "', which is not axis:size with a positive size";
  if (!target.try_emplace(axis.str(), size).second)
    return emitError(location) << "option '" << option << "' names axis '"
                               << axis << "' twice; name it once";
  return success();
}

/// The form called \p name that is there or not; null where it is none.
static std::optional<bool> *formCalled(StringRef name, Pins::Forms &forms) {
  return llvm::StringSwitch<std::optional<bool> *>(name)
      .Case("padded", &forms.padded)
      .Case("reread", &forms.reread)
      .Case("lazy", &forms.lazy)
      .Default(nullptr);
}

LogicalResult napkin::schedule::parseForm(StringRef text, StringRef option,
                                          Location location,
                                          Pins::Forms &forms) {
  auto [name, value] = text.split(':');
  int64_t number = 0;
  if (std::optional<bool> *form = formCalled(name, forms);
      form && (value == "true" || value == "false")) {
    if (!form->has_value())
      *form = value == "true";
    return success();
  }
  if (name == "parts" && !value.getAsInteger(10, number) && number > 0) {
    if (!forms.parts)
      forms.parts = number;
    return success();
  }
  return emitError(location)
         << "option '" << option << "' has '" << text
         << "', which is none of padded, reread and lazy with :true or :false, "
            "and not parts with a positive number";
}

/// Adds \p partition to \p target where \p target is silent.
static void addPartition(ncd::PartitionAttr partition,
                         std::map<std::string, int64_t> &target) {
  for (auto [axis, size] :
       llvm::zip_equal(partition.getAxes(), partition.getSizes()))
    target.try_emplace(axis.str(), size);
}

LogicalResult napkin::schedule::readPinAttribute(ncd::DiagramOp diagram,
                                                 Pins &pins) {
  Attribute attribute = diagram->getAttr("ncd.pin");
  if (!attribute)
    return success();
  auto dictionary = dyn_cast<DictionaryAttr>(attribute);
  if (!dictionary)
    return diagram.emitError("'ncd.pin' is a dictionary of group, stream, "
                             "split, warps, stages, padded, reread, lazy and "
                             "parts");
  for (NamedAttribute entry : dictionary) {
    StringRef name = entry.getName();
    auto partition = dyn_cast<ncd::PartitionAttr>(entry.getValue());
    auto flag = dyn_cast<BoolAttr>(entry.getValue());
    auto number = dyn_cast<IntegerAttr>(entry.getValue());
    bool positive = !flag && number && number.getInt() > 0;
    if (name == "group" && partition) {
      addPartition(partition, pins.group);
    } else if (name == "stream" && partition) {
      if (partition.empty() && pins.stream.empty())
        pins.noStream = true;
      else if (!pins.noStream && pins.stream.empty()) {
        addPartition(partition, pins.stream);
        for (StringAttr axis : partition.getAxes())
          pins.streamOrder.push_back(axis.str());
      }
    } else if (name == "split" && partition) {
      if (partition.empty() && pins.split.empty())
        pins.noSplit = true;
      else if (!pins.noSplit && pins.split.empty())
        addPartition(partition, pins.split);
    } else if (name == "warps" && positive) {
      if (!pins.warps)
        pins.warps = number.getInt();
    } else if (name == "stages" && positive) {
      if (!pins.stages)
        pins.stages = number.getInt();
    } else if (name == "parts" && positive) {
      if (!pins.forms.parts)
        pins.forms.parts = number.getInt();
    } else if (std::optional<bool> *form = formCalled(name, pins.forms);
               form && flag) {
      if (!form->has_value())
        *form = flag.getValue();
    } else {
      return diagram.emitError("'ncd.pin' has '")
             << name << "' = " << entry.getValue()
             << "; it takes group, stream and split (#ncd.partition), "
                "warps, stages and parts (positive integers), and padded, "
                "reread and lazy (true or false)";
    }
  }
  return success();
}

LogicalResult napkin::schedule::checkPinsFit(ncd::DiagramOp diagram,
                                             const Pins &pins,
                                             const Graph &graph) {
  auto check = [&](StringRef what, const std::string &axis,
                   int64_t size) -> LogicalResult {
    std::optional<unsigned> index = graph.findAxis(axis);
    if (!index)
      return diagram.emitError("a pinned ")
             << what << " axis '" << axis << "' (= " << size
             << ") is not an axis of the diagram; drop the pin";
    if (size > graph.axes[*index].size)
      return diagram.emitError("axis '")
             << axis << "' is pinned to " << what << " = " << size
             << ", and its size is " << graph.axes[*index].size << "; pin 1 to "
             << graph.axes[*index].size;
    return success();
  };
  for (const auto &[axis, size] : pins.group)
    if (failed(check("group", axis, size)))
      return failure();
  for (const auto &[axis, size] : pins.stream)
    if (failed(check("stream", axis, size)))
      return failure();
  for (const auto &[axis, size] : pins.split) {
    if (failed(check("split", axis, size)))
      return failure();
    auto chunk = pins.stream.find(axis);
    if (chunk != pins.stream.end() && size % chunk->second)
      return diagram.emitError("axis '")
             << axis << "' is pinned to split = " << size
             << ", which is no multiple of the pinned chunk of "
             << chunk->second << "; pin whole chunks";
  }
  if (pins.warps && (*pins.warps < 1 || *pins.warps > 32 ||
                     !llvm::isPowerOf2_64(*pins.warps)))
    return diagram.emitError("pinned warps = ")
           << *pins.warps << " is not possible; choose 1, 2, 4, 8, 16 or 32";
  if (pins.stages && (*pins.stages < 1 || *pins.stages > 8))
    return diagram.emitError("pinned stages = ")
           << *pins.stages << " is not possible; choose 1 to 8";
  if (std::optional<int64_t> parts = pins.forms.parts;
      parts && (*parts > 32 || !llvm::isPowerOf2_64(*parts)))
    return diagram.emitError("pinned parts = ")
           << *parts << " is not possible; choose 1, 2, 4, 8, 16 or 32";
  return success();
}

/// Checks that some loop of \p kernels has \p stages buffers: one that
/// multiplies, for nothing else is staged, and that has chunks enough.
static LogicalResult checkStages(ncd::DiagramOp diagram, int64_t stages,
                                 ArrayRef<ncd::KernelOp> kernels) {
  int64_t most = 0;
  for (ncd::KernelOp kernel : kernels) {
    bool multiplies =
        kernel.getBody()
            .walk([](ncd::ContractOp) { return WalkResult::interrupt(); })
            .wasInterrupted();
    ncd::PartitionAttr stream = kernel.getStreamAttr();
    if (!stream || !multiplies)
      continue;
    // One buffer more than whole chunks: the next is filled while one is read.
    for (auto [axis, chunk] :
         llvm::zip_equal(stream.getAxes(), stream.getSizes()))
      most = std::max(most, kernel.getAxisSize(axis).value_or(1) / chunk + 1);
  }
  if (most >= stages)
    return success();
  InFlightDiagnostic error = diagram.emitError("stages = ")
                             << stages << " is pinned, but ";
  if (!most)
    return error << "no kernel multiplies what a loop brings in, so there are "
                    "no stages; drop the pin";
  return error << "the longest loop has work for " << most
               << "; pin at most that, or a smaller chunk";
}

/// Checks that what \p forms ask for is in some of \p kernels.
static LogicalResult checkForms(ncd::DiagramOp diagram,
                                const Pins::Forms &forms,
                                ArrayRef<ncd::KernelOp> kernels) {
  if (forms.padded.value_or(false) &&
      llvm::none_of(kernels, [](ncd::KernelOp op) { return op.getPadded(); }))
    return diagram.emitError("padded = true is pinned, but no kernel brings "
                             "factors of products to shared memory in pieces "
                             "of 16 bytes; drop the pin");
  if (forms.reread.value_or(false) &&
      llvm::none_of(
          kernels, [](ncd::KernelOp op) { return op.getReread().has_value(); }))
    return diagram.emitError("reread = true is pinned, but no kernel has a "
                             "product in a loop whose rows stay; drop the pin");
  if (forms.lazy.value_or(false) &&
      llvm::none_of(kernels, [](ncd::KernelOp op) { return op.getLazy(); }))
    return diagram.emitError(
        "lazy = true is pinned, but no kernel has a loop with references that "
        "each warp can move for its own rows; drop the pin");
  return success();
}

LogicalResult
napkin::schedule::checkPinsWereUsed(ncd::DiagramOp diagram, const Pins &pins,
                                    ArrayRef<ncd::KernelOp> kernels) {
  auto check = [&](StringRef what, const std::string &axis,
                   int64_t size) -> LogicalResult {
    bool stream = what != "group";
    auto isUsed = [&](ncd::KernelOp kernel, const std::string &wire) {
      if (what == "split")
        return kernel.getSplitAttr() && kernel.getSplitAttr().getAxis() == wire;
      return (stream ? kernel.chunkSize(wire) : kernel.groupSize(wire))
          .has_value();
    };
    for (const std::string &wire : wiresCalled(diagram, axis))
      for (ncd::KernelOp kernel : kernels)
        if (isUsed(kernel, wire))
          return success();
    // The algebra may have refused, and the kernel's account says so.
    for (ncd::KernelOp kernel : kernels)
      for (const Choice &choice : choicesOf(kernel))
        if (stream && choice.subject == ncd::Subject::Resident &&
            llvm::is_contained(wiresCalled(diagram, axis), choice.name))
          return kernel.emitError()
                 << what << " " << axis << " = " << size
                 << " is pinned and cannot be: " << causesOf(choice)
                 << "; drop the pin";
    return diagram.emitError("axis '")
           << axis << "' is pinned as " << what << " axis (= " << size
           << "), but no kernel can use it so: "
           << (stream ? "a streamed axis is reduced in the kernel and in none "
                        "of its results"
                      : "a group axis is in every result of the kernel and "
                        "reduced nowhere in it")
           << "; drop the pin";
  };
  for (const auto &[axis, size] : pins.group)
    if (failed(check("group", axis, size)))
      return failure();
  for (const auto &[axis, size] : pins.stream)
    if (failed(check("stream", axis, size)))
      return failure();
  for (const auto &[axis, size] : pins.split)
    if (failed(check("split", axis, size)))
      return failure();
  if (failed(checkForms(diagram, pins.forms, kernels)))
    return failure();
  return pins.stages ? checkStages(diagram, *pins.stages, kernels) : success();
}
