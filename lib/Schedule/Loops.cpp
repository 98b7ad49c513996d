//===- Loops.cpp - which loops of a block run what --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Loops.h"
#include "llvm/ADT/STLExtras.h"

using namespace napkin;
using namespace napkin::schedule;

bool Loops::carries(unsigned index, std::optional<unsigned> axis) const {
  const Operation &operation = region.graph.operations[index];
  auto carry = [&](unsigned value) {
    return axis && region.graph.values[value].carries(*axis);
  };
  return llvm::any_of(operation.operands, carry) ||
         llvm::any_of(operation.results, carry);
}

Loops::Loops(const Region &region, std::optional<unsigned> stream,
             std::optional<unsigned> inner)
    : region(region), stream(stream), inner(inner) {
  const Graph &graph = region.graph;
  unsigned count = region.operations.size();
  auto hasStream = [&](unsigned value) {
    return stream && graph.values[value].carries(*stream);
  };
  // From the results backwards. `late`: a second loop makes it. `wanted`: some
  // operation that is not only late reads it. `inside`: the stream reads it.
  std::vector<bool> late(graph.values.size(), false), wanted = late,
                                                      inside = late;
  for (unsigned output : region.outputs)
    (hasStream(output) ? late : wanted)[output] = true;
  for (auto *list : {&early, &first, &second, &walked})
    list->resize(count);
  for (unsigned i = count; i-- > 0;) {
    unsigned index = region.operations[i];
    const Operation &operation = graph.operations[index];
    auto any = [&](const std::vector<bool> &values) {
      return llvm::any_of(operation.results,
                          [&](unsigned result) { return values[result]; });
    };
    early[i] = any(wanted);
    second[i] = any(late);
    walked[i] = carries(index, inner);
    // What is walked inside and used by the stream is made in it as well.
    bool made = llvm::any_of(operation.results, [&](unsigned result) {
      return inside[result] && inner && graph.values[result].carries(*inner);
    });
    first[i] = early[i] && (carries(index, stream) || made);
    for (unsigned operand : operation.operands) {
      if (early[i])
        wanted[operand] = true;
      if (second[i])
        (hasStream(operand) ? late : wanted)[operand] = true;
      if (first[i] || second[i])
        inside[operand] = true;
    }
  }
  for (unsigned input : region.inputs) {
    const ArrayValue &array = graph.values[input];
    Reads read;
    if (hasStream(input))
      read.chunk = Chunk::Stream;
    else if (inner && array.carries(*inner))
      read.chunk = Chunk::Inner;
    for (unsigned i = 0; i < count; ++i) {
      if (!llvm::is_contained(graph.operations[region.operations[i]].operands,
                              input))
        continue;
      read.first |= first[i];
      read.second |= second[i];
      read.beside |= !inStream(i);
    }
    inputs.push_back(read);
  }
}

llvm::SmallVector<unsigned, 8>
Loops::firstPass(llvm::SmallVectorImpl<unsigned> &outputs) const {
  const Graph &graph = region.graph;
  llvm::SmallVector<unsigned, 8> result;
  for (unsigned i = 0; i < region.operations.size(); ++i) {
    if (!early[i])
      continue;
    unsigned index = region.operations[i];
    result.push_back(index);
    for (unsigned value : graph.operations[index].results) {
      bool needed = llvm::is_contained(region.outputs, value);
      for (unsigned j = i + 1; j < region.operations.size() && !needed; ++j)
        needed = second[j] &&
                 llvm::is_contained(
                     graph.operations[region.operations[j]].operands, value);
      bool carried = stream && graph.values[value].carries(*stream);
      if (needed && !carried)
        outputs.push_back(value);
    }
  }
  return result;
}

llvm::SmallVector<unsigned, 8>
Loops::innerWalk(bool insideStream,
                 llvm::SmallVectorImpl<unsigned> &outputs) const {
  const Graph &graph = region.graph;
  unsigned count = region.operations.size();
  std::vector<bool> behind(graph.values.size(), false), ahead = behind,
                                                        needed = behind;
  auto takes = [&](unsigned i) {
    return walked[i] && inStream(i) == insideStream;
  };
  llvm::SmallVector<bool, 16> after(count), before(count);
  for (unsigned i = 0; i < count; ++i) {
    const Operation &operation = graph.operations[region.operations[i]];
    after[i] = llvm::any_of(operation.operands,
                            [&](unsigned value) { return behind[value]; });
    if (takes(i) || after[i])
      for (unsigned result : operation.results)
        behind[result] = true;
  }
  for (unsigned i = count; i-- > 0;) {
    const Operation &operation = graph.operations[region.operations[i]];
    before[i] = llvm::any_of(operation.results,
                             [&](unsigned value) { return ahead[value]; });
    if (takes(i) || before[i])
      for (unsigned operand : operation.operands)
        ahead[operand] = true;
  }
  llvm::SmallVector<unsigned, 8> result;
  llvm::SmallVector<bool, 16> taken(count);
  for (unsigned i = 0; i < count; ++i) {
    taken[i] =
        takes(i) || (after[i] && before[i] && inStream(i) == insideStream);
    if (taken[i])
      result.push_back(region.operations[i]);
  }
  for (unsigned value : region.outputs)
    needed[value] = true;
  for (unsigned i = 0; i < count; ++i)
    if (!taken[i])
      for (unsigned operand : graph.operations[region.operations[i]].operands)
        needed[operand] = true;
  for (unsigned index : result)
    for (unsigned value : graph.operations[index].results)
      if (needed[value])
        outputs.push_back(value);
  return result;
}
