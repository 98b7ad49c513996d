//===- KernelPrices.cpp - what any kernel of a diagram costs ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Names kernels by what they look like, and asks the search about each once.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/KernelPrices.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <limits>

using namespace napkin;
using namespace napkin::schedule;

double KernelPrices::Price::cycles() const {
  return decision ? decision->evaluation.times.total()
                  : std::numeric_limits<double>::infinity();
}

size_t KernelPrices::Hash::operator()(const std::vector<int64_t> &key) const {
  return llvm::hash_combine_range(key.begin(), key.end());
}

static double bytesOf(const Graph &graph, unsigned value) {
  double bytes = double(graph.values[value].bytes());
  for (unsigned axis : graph.values[value].axes)
    bytes *= double(graph.axes[axis].size);
  return bytes;
}

KernelPrices::KernelPrices(const Graph &graph, const cost::Hardware &hardware,
                           const GeneratorLimits &limits, const Pins &pins,
                           const StreamOracle &oracle, const BlockOracle &block)
    : graph(graph), hardware(hardware), limits(limits), pins(pins),
      oracle(oracle), block(block), axisNumber(graph.axes.size()),
      axisStamp(graph.axes.size(), 0), valueNumber(graph.values.size()),
      valueStamp(graph.values.size(), 0) {
  for (unsigned value = 0; value < graph.values.size(); ++value)
    if (graph.values[value].definition < 0 ||
        llvm::is_contained(graph.returned, value))
      borderBytes += bytesOf(graph, value);
}

KernelPrices::~KernelPrices() = default;

/// Everything that the price of a kernel depends on, with axes and values
/// numbered in order of appearance.
std::vector<int64_t>
KernelPrices::keyOf(llvm::ArrayRef<unsigned> operations,
                    llvm::ArrayRef<unsigned> outputs) const {
  std::vector<int64_t> key;
  key.reserve(operations.size() * 16);
  ++stamp;
  unsigned axes = 0, values = 0;
  auto addAxis = [&](unsigned axis) {
    if (axisStamp[axis] == stamp) {
      key.push_back(axisNumber[axis]);
      return;
    }
    axisStamp[axis] = stamp;
    axisNumber[axis] = axes++;
    key.push_back(axisNumber[axis]);
    key.push_back(graph.axes[axis].size);
    auto addPin = [&](const std::map<std::string, int64_t> &pinned) {
      auto entry = pinned.find(graph.axes[axis].name);
      key.push_back(entry == pinned.end() ? -1 : entry->second);
    };
    if (!pins.empty()) {
      addPin(pins.group);
      addPin(pins.stream);
      addPin(pins.split);
    }
  };
  auto addValue = [&](unsigned value) {
    if (valueStamp[value] == stamp) {
      key.push_back(valueNumber[value]);
      return;
    }
    valueStamp[value] = stamp;
    valueNumber[value] = values++;
    const ArrayValue &array = graph.values[value];
    key.push_back(valueNumber[value]);
    key.push_back(array.bits);
    key.push_back(array.axes.size());
    llvm::for_each(array.axes, addAxis);
  };
  for (unsigned index : operations) {
    const Operation &operation = graph.operations[index];
    key.push_back(int64_t(operation.kind));
    key.push_back(operation.body);
    key.push_back(operation.simple);
    key.push_back(operation.special);
    key.push_back(int64_t(reinterpret_cast<intptr_t>(operation.instruction)));
    key.push_back(operation.operands.size());
    llvm::for_each(operation.operands, addValue);
    key.push_back(operation.over.size());
    llvm::for_each(operation.over, addAxis);
    for (unsigned result : operation.results) {
      addValue(result);
      key.push_back(llvm::is_contained(outputs, result));
    }
  }
  // Arrays of one memory.
  for (unsigned index : operations)
    for (unsigned operand : graph.operations[index].operands) {
      const ArrayValue &array = graph.values[operand];
      if (array.within < 0 || valueStamp[array.within] != stamp)
        continue;
      key.push_back(valueNumber[operand]);
      key.push_back(valueNumber[array.within]);
      addAxis(array.wholeAxis);
      addAxis(array.partAxis);
    }
  return key;
}

LocalGraph KernelPrices::extract(llvm::ArrayRef<unsigned> operations,
                                 llvm::ArrayRef<unsigned> outputs) const {
  LocalGraph local;
  local.graph.name = graph.name;
  ++stamp;
  auto axisOf = [&](unsigned axis) {
    if (axisStamp[axis] != stamp) {
      axisStamp[axis] = stamp;
      axisNumber[axis] = local.axes.size();
      local.axes.push_back(axis);
      local.graph.axes.push_back(graph.axes[axis]);
    }
    return axisNumber[axis];
  };
  auto valueOf = [&](unsigned value) {
    if (valueStamp[value] != stamp) {
      valueStamp[value] = stamp;
      valueNumber[value] = local.values.size();
      local.values.push_back(value);
      ArrayValue array = graph.values[value];
      array.definition = -1;
      for (unsigned &axis : array.axes)
        axis = axisOf(axis);
      local.graph.values.push_back(std::move(array));
    }
    return valueNumber[value];
  };
  for (unsigned index : operations) {
    Operation operation = graph.operations[index];
    for (unsigned &operand : operation.operands)
      operand = valueOf(operand);
    for (unsigned &axis : operation.over)
      axis = axisOf(axis);
    for (unsigned &result : operation.results) {
      result = valueOf(result);
      local.graph.values[result].definition = int(local.operations.size());
    }
    local.operations.push_back(index);
    local.graph.operations.push_back(std::move(operation));
  }
  for (ArrayValue &array : local.graph.values) {
    if (array.within < 0)
      continue;
    bool isHere = valueStamp[array.within] == stamp;
    array.within = isHere ? int(valueNumber[array.within]) : -1;
    if (isHere) {
      array.wholeAxis = axisOf(array.wholeAxis);
      array.partAxis = axisOf(array.partAxis);
    }
  }
  for (unsigned output : outputs)
    local.graph.returned.push_back(valueNumber[output]);
  return local;
}

/// A region of all operations of \p local.
static Region wholeOf(const LocalGraph &local) {
  return Region(local.graph, llvm::to_vector(llvm::seq<unsigned>(
                                 0, local.graph.operations.size())));
}

static llvm::SmallVector<unsigned, 8> renamed(llvm::ArrayRef<unsigned> list,
                                              llvm::ArrayRef<unsigned> names) {
  llvm::SmallVector<unsigned, 8> result;
  for (unsigned index : list)
    result.push_back(names[index]);
  return result;
}

StreamOracle KernelPrices::oracleFor(const LocalGraph &local) const {
  return [this, &local](llvm::ArrayRef<unsigned> operations,
                        llvm::ArrayRef<unsigned> outputs, unsigned axis) {
    StreamVerdict verdict =
        oracle(renamed(operations, local.operations),
               renamed(outputs, local.values), local.axes[axis]);
    // Axes of the state are axes of the region.
    verdict.renameAxes([&](unsigned at) -> unsigned {
      return llvm::find(local.axes, at) - local.axes.begin();
    });
    return verdict;
  };
}

/// The block oracle speaks of the diagram's graph.
BlockOracle KernelPrices::blockFor(const LocalGraph &local,
                                   llvm::ArrayRef<unsigned> operations,
                                   llvm::ArrayRef<unsigned> outputs) const {
  if (!block)
    return {};
  return [this, &local, operations = llvm::to_vector(operations),
          outputs = llvm::to_vector(outputs)](const Region &,
                                              const Decision &decision) {
    return block(Region(graph, operations, outputs),
                 decision.renamed(local.axes, graph));
  };
}

KernelPrices::Price &KernelPrices::lookUp(llvm::ArrayRef<unsigned> operations,
                                          llvm::ArrayRef<unsigned> outputs) {
  auto [entry, fresh] = known.try_emplace(keyOf(operations, outputs));
  Price &result = entry->second;
  if (!fresh)
    return result;
  LocalGraph local = extract(operations, outputs);
  Region region = wholeOf(local);
  result.connected = region.isConnected();
  if (result.connected) {
    ++searchCount;
    result.decision =
        searchPartition(region, hardware, limits, pins, oracleFor(local),
                        /*block=*/{}, /*explain=*/false, nullptr);
  }
  return result;
}

const KernelPrices::Price &
KernelPrices::price(llvm::ArrayRef<unsigned> operations,
                    llvm::ArrayRef<unsigned> outputs) {
  return lookUp(operations, outputs);
}

double KernelPrices::cost(llvm::ArrayRef<unsigned> operations,
                          llvm::ArrayRef<unsigned> outputs) {
  double cycles = lookUp(operations, outputs).cycles();
  // What lies between kernels takes memory and room in the cache of its own: it
  // is charged once more, which decides where kernels are otherwise as good.
  for (unsigned value : outputs)
    if (!llvm::is_contained(graph.returned, value))
      cycles += bytesOf(graph, value) / hardware.level("global").bytesPerCycle +
                (isTooLarge(value) ? tooLarge : 0);
  return cycles;
}

bool KernelPrices::isTooLarge(unsigned value) const {
  return bytesOf(graph, value) > borderBytes &&
         !llvm::is_contained(graph.returned, value);
}

bool KernelPrices::confirm(llvm::ArrayRef<unsigned> operations,
                           llvm::ArrayRef<unsigned> outputs) {
  Price &known = lookUp(operations, outputs);
  if (known.confirmed || !known.decision)
    return true;
  known.confirmed = true;
  if (!block)
    return true;
  double before = known.cycles();
  LocalGraph local = extract(operations, outputs);
  known.decision = searchPartition(
      wholeOf(local), hardware, limits, pins, oracleFor(local),
      blockFor(local, operations, outputs), /*explain=*/false, nullptr);
  return known.cycles() == before;
}

Decision KernelPrices::decision(llvm::ArrayRef<unsigned> operations,
                                llvm::ArrayRef<unsigned> outputs) {
  Decision found = *lookUp(operations, outputs).decision;
  LocalGraph local = extract(operations, outputs);
  Region region = wholeOf(local);
  BlockOracle blocks = blockFor(local, operations, outputs);
  // A message of the code generator names the axes of the kernel that was
  // compiled, which may be another one that looks alike.
  if (found.passedOver)
    if (std::optional<Decision> own = searchPartition(
            region, hardware, limits, pins, oracleFor(local), blocks,
            /*explain=*/true, nullptr))
      return own->renamed(local.axes, graph);
  explainPartition(region, hardware, limits, pins, oracleFor(local), blocks,
                   found);
  return found.renamed(local.axes, graph);
}

Refusal KernelPrices::refusal(llvm::ArrayRef<unsigned> operations,
                              llvm::ArrayRef<unsigned> outputs) {
  LocalGraph local = extract(operations, outputs);
  Region region = wholeOf(local);
  Refusal refusal{"the operations do not hang together by the values they pass "
                  "on",
                  "take them apart"};
  if (region.isConnected())
    searchPartition(region, hardware, limits, pins, oracleFor(local),
                    lookUp(operations, outputs).confirmed
                        ? blockFor(local, operations, outputs)
                        : BlockOracle(),
                    /*explain=*/false, &refusal);
  return refusal;
}
