//===- Loops.cpp - which loops of a block run what --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Loops.h"
#include "llvm/ADT/STLExtras.h"

using namespace napkin;
using namespace napkin::schedule;

Loops::Loops(const Region &region, std::optional<unsigned> stream,
             std::optional<unsigned> inner)
    : region(region), stream(stream), inner(inner) {
  const Graph &graph = region.graph;
  unsigned count = region.operations.size();
  outer.resize(count);
  walked.resize(count);
  auto carries = [&](unsigned index, std::optional<unsigned> axis) {
    const Operation &operation = graph.operations[index];
    auto carry = [&](unsigned value) {
      return axis && graph.values[value].carries(*axis);
    };
    return llvm::any_of(operation.operands, carry) ||
           llvm::any_of(operation.results, carry);
  };
  // What is walked inside and used by the stream is made in it, chunk by chunk.
  std::vector<bool> wanted(graph.values.size(), false);
  for (unsigned i = count; i-- > 0;) {
    unsigned index = region.operations[i];
    const Operation &operation = graph.operations[index];
    walked[i] = carries(index, inner);
    outer[i] = carries(index, stream) ||
               llvm::any_of(operation.results, [&](unsigned v) {
                 return wanted[v] && inner && graph.values[v].carries(*inner);
               });
    if (outer[i])
      for (unsigned operand : operation.operands)
        wanted[operand] = true;
  }
  for (unsigned input : region.inputs) {
    const ArrayValue &array = graph.values[input];
    chunked.push_back(moves(array));
    bool within = false, outside = false;
    for (unsigned i = 0; i < count; ++i)
      if (llvm::is_contained(graph.operations[region.operations[i]].operands,
                             input))
        (outer[i] ? within : outside) = true;
    repeated.push_back(inner && array.carries(*inner) && stream &&
                       !array.carries(*stream) && within);
    beside.push_back(outside);
  }
}

llvm::SmallVector<unsigned, 8> Loops::innerWalk(bool insideStream) const {
  const Graph &graph = region.graph;
  unsigned count = region.operations.size();
  std::vector<bool> behind(graph.values.size(), false), ahead = behind;
  auto takes = [&](unsigned i) {
    return walked[i] && outer[i] == insideStream;
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
  for (unsigned i = 0; i < count; ++i)
    if (takes(i) || (after[i] && before[i] && outer[i] == insideStream))
      result.push_back(region.operations[i]);
  return result;
}
