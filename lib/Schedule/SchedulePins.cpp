//===- SchedulePins.cpp - decisions made by others --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads and checks pinned decisions.
//
//===----------------------------------------------------------------------===//

#include "SchedulePins.h"

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
                             "warps and stages");
  for (NamedAttribute entry : dictionary) {
    StringRef name = entry.getName();
    auto partition = dyn_cast<ncd::PartitionAttr>(entry.getValue());
    auto number = dyn_cast<IntegerAttr>(entry.getValue());
    bool positive = number && number.getInt() > 0;
    if (name == "group" && partition) {
      addPartition(partition, pins.group);
    } else if (name == "stream" && partition) {
      if (partition.empty() && pins.stream.empty())
        pins.noStream = true;
      else if (!pins.noStream && pins.stream.empty())
        addPartition(partition, pins.stream);
    } else if (name == "warps" && positive) {
      if (!pins.warps)
        pins.warps = number.getInt();
    } else if (name == "stages" && positive) {
      if (!pins.stages)
        pins.stages = number.getInt();
    } else {
      return diagram.emitError("'ncd.pin' has '")
             << name << "' = " << entry.getValue()
             << "; it takes group and stream (#ncd.partition), warps and "
                "stages "
                "(positive integers)";
    }
  }
  return success();
}

LogicalResult
napkin::schedule::checkPinsWereUsed(ncd::DiagramOp diagram, const Pins &pins,
                                    ArrayRef<ncd::KernelOp> kernels,
                                    const Graph &graph) {
  auto check = [&](const std::string &axis, bool stream) -> LogicalResult {
    StringRef what = stream ? "stream" : "group";
    if (!graph.findAxis(axis))
      return diagram.emitError("a pinned ")
             << what << " axis '" << axis
             << "' is not an axis of the diagram; drop the pin";
    for (ncd::KernelOp kernel : kernels)
      if (stream ? kernel.getStreamAxis() && kernel.getStreamAxis() == axis
                 : kernel.groupSize(axis).has_value())
        return success();
    // The algebra may have refused; its sentence is among the reasons.
    for (ncd::KernelOp kernel : kernels)
      if (auto notes = dyn_cast<FusedLocWith<DictionaryAttr>>(kernel->getLoc()))
        if (auto why = notes.getMetadata().getAs<ArrayAttr>("why");
            why && stream)
          for (Attribute sentence : why)
            if (StringRef text = cast<StringAttr>(sentence).getValue();
                text.consume_front("resident: ") &&
                text.contains(("over '" + axis + "'")))
              return kernel.emitError("a pinned stream axis cannot be: ")
                     << text << "; drop the pin";
    return diagram.emitError("axis '")
           << axis << "' is pinned as " << what
           << " axis, but no kernel can use it so: "
           << (stream ? "a streamed axis is reduced in the kernel and in none "
                        "of its results"
                      : "a group axis is in every result of the kernel and "
                        "reduced nowhere in it")
           << "; drop the pin";
  };
  for (const auto &[axis, size] : pins.group)
    if (failed(check(axis, /*stream=*/false)))
      return failure();
  for (const auto &[axis, size] : pins.stream)
    if (failed(check(axis, /*stream=*/true)))
      return failure();
  return success();
}
