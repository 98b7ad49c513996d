//===- Region.cpp - operations that may share a kernel ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What crosses the border of a region and which axes can be partitioned.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Region.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/EquivalenceClasses.h"
#include "llvm/ADT/STLExtras.h"

using namespace napkin;
using namespace napkin::schedule;

std::optional<unsigned> Graph::findAxis(llvm::StringRef axisName) const {
  for (unsigned i = 0; i < axes.size(); ++i)
    if (axes[i].name == axisName)
      return i;
  return std::nullopt;
}

void StreamVerdict::renameAxes(llvm::function_ref<unsigned(unsigned)> rename) {
  for (StreamState &member : state)
    for (unsigned &axis : member.axes)
      axis = rename(axis);
  for (std::optional<WalkLimit> *limit : {&from, &to})
    if (*limit && (*limit)->axis)
      (*limit)->axis = rename(*(*limit)->axis);
}

template <typename List>
static void appendOnce(List &list, unsigned value) {
  if (!llvm::is_contained(list, value))
    list.push_back(value);
}

/// What \p operations make and the diagram or other operations need.
static llvm::SmallVector<unsigned, 4>
neededOutside(const Graph &graph, llvm::ArrayRef<unsigned> operations) {
  std::vector<bool> inside(graph.operations.size(), false);
  for (unsigned index : operations)
    inside[index] = true;
  std::vector<bool> needed(graph.values.size(), false);
  for (unsigned value : graph.returned)
    needed[value] = true;
  for (unsigned i = 0; i < graph.operations.size(); ++i)
    if (!inside[i])
      for (unsigned operand : graph.operations[i].operands)
        needed[operand] = true;
  llvm::SmallVector<unsigned, 4> result;
  for (unsigned index : operations)
    for (unsigned value : graph.operations[index].results)
      if (needed[value])
        result.push_back(value);
  return result;
}

Region::Region(const Graph &graph, llvm::ArrayRef<unsigned> operations)
    : Region(graph, operations, neededOutside(graph, operations)) {}

Region::Region(const Graph &graph, llvm::ArrayRef<unsigned> operations,
               llvm::ArrayRef<unsigned> written)
    : graph(graph), operations(operations.begin(), operations.end()) {
  llvm::SmallDenseSet<unsigned, 16> made;
  for (unsigned index : operations)
    made.insert(graph.operations[index].results.begin(),
                graph.operations[index].results.end());
  llvm::SmallDenseSet<unsigned, 16> seenValues, seenAxes;
  auto addAxes = [&](unsigned value) {
    for (unsigned axis : graph.values[value].axes)
      if (seenAxes.insert(axis).second)
        axes.push_back(axis);
  };
  for (unsigned index : operations) {
    const Operation &operation = graph.operations[index];
    for (unsigned operand : operation.operands) {
      if (!made.contains(operand) && seenValues.insert(operand).second)
        inputs.push_back(operand);
      addAxes(operand);
    }
    for (unsigned result : operation.results) {
      addAxes(result);
      if (llvm::is_contained(written, result))
        outputs.push_back(result);
    }
  }
}

bool Region::isHeld(unsigned input, llvm::ArrayRef<int64_t> extent,
                    std::optional<unsigned> stream) const {
  const ArrayValue &array = graph.values[input];
  if (!stream || !array.carries(*stream) || array.within < 0 ||
      !isInput(array.within) || !graph.values[array.within].carries(*stream) ||
      extent[array.wholeAxis] < graph.axes[array.wholeAxis].size ||
      extent[array.partAxis] < graph.axes[array.partAxis].size)
    return false;
  auto isFactor = [&](unsigned value) {
    bool factor = false;
    for (unsigned index : operations) {
      const Operation &operation = graph.operations[index];
      if (!llvm::is_contained(operation.operands, value))
        continue;
      if (operation.kind != OperationKind::Contract)
        return false;
      factor = true;
    }
    return factor;
  };
  return isFactor(input) && isFactor(array.within);
}

bool Region::reduces(unsigned axis) const {
  return llvm::any_of(operations, [&](unsigned index) {
    return llvm::is_contained(graph.operations[index].over, axis);
  });
}

bool Region::isConnected() const {
  llvm::EquivalenceClasses<unsigned> groups;
  for (unsigned index : operations) {
    const Operation &operation = graph.operations[index];
    unsigned first = operation.results.front();
    for (unsigned result : operation.results)
      groups.unionSets(first, result);
    for (unsigned operand : operation.operands)
      groups.unionSets(first, operand);
  }
  return groups.getNumClasses() <= 1;
}

llvm::SmallVector<unsigned, 4> Region::groupCandidates() const {
  llvm::SmallVector<unsigned, 4> result;
  if (outputs.empty())
    return result;
  for (unsigned axis : graph.values[outputs.front()].axes) {
    bool everywhere = llvm::all_of(outputs, [&](unsigned output) {
      return graph.values[output].carries(axis);
    });
    if (everywhere && !reduces(axis))
      result.push_back(axis);
  }
  return result;
}

llvm::SmallVector<unsigned, 2> Region::streamCandidates(bool carriedOut) const {
  llvm::SmallVector<unsigned, 2> result;
  for (unsigned axis : axes) {
    auto carries = [&](unsigned value) {
      return graph.values[value].carries(axis);
    };
    if (reduces(axis) && llvm::any_of(outputs, carries) == carriedOut &&
        llvm::any_of(inputs, carries))
      result.push_back(axis);
  }
  return result;
}

cost::KernelModel Region::model(llvm::ArrayRef<unsigned> groups,
                                std::optional<unsigned> stream) const {
  cost::KernelModel result;
  auto add = [&](unsigned value, cost::Role role) {
    const ArrayValue &array = graph.values[value];
    cost::Array described;
    described.name = array.name;
    for (unsigned axis : array.axes)
      described.axes.push_back(graph.axes[axis].name);
    described.bytesPerValue = array.bytes();
    described.role = role;
    result.arrays.push_back(described);
  };
  for (unsigned input : inputs)
    add(input, cost::Role::Read);
  // A value whose only use is an elementwise operation over the same axes is
  // overwritten in place; it takes no column of its own.
  auto isOverwritten = [&](unsigned value) {
    unsigned uses = 0;
    bool inPlace = true;
    for (unsigned index : operations) {
      const Operation &user = graph.operations[index];
      if (!llvm::is_contained(user.operands, value))
        continue;
      ++uses;
      inPlace &= user.kind == OperationKind::Map &&
                 graph.values[user.results.front()].axes.size() ==
                     graph.values[value].axes.size();
    }
    return uses == 1 && inPlace;
  };
  for (unsigned index : operations)
    for (unsigned value : graph.operations[index].results) {
      if (llvm::is_contained(outputs, value))
        add(value, cost::Role::Written);
      else if (!isOverwritten(value))
        add(value, cost::Role::Internal);
    }
  for (unsigned axis : groups)
    result.groupAxes.push_back(graph.axes[axis].name);
  if (stream)
    result.streamAxes.push_back(graph.axes[*stream].name);
  return result;
}

int64_t Region::unfusedBytes() const {
  int64_t total = 0;
  auto add = [&](unsigned value) {
    int64_t bytes = graph.values[value].bytes();
    for (unsigned axis : graph.values[value].axes)
      bytes *= graph.axes[axis].size;
    total += bytes;
  };
  for (unsigned index : operations) {
    llvm::SmallVector<unsigned, 4> read;
    for (unsigned operand : graph.operations[index].operands)
      appendOnce(read, operand);
    llvm::for_each(read, add);
    llvm::for_each(graph.operations[index].results, add);
  }
  return total;
}
