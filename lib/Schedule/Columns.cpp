//===- Columns.cpp - what is alive when, in one region ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Liveness over the operations of a region, with one loop in it.
//
//===----------------------------------------------------------------------===//

#include "Columns.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>

using namespace napkin;
using namespace napkin::schedule;

std::vector<Column>
napkin::schedule::findColumns(const Region &region,
                              std::optional<unsigned> stream) {
  const Graph &graph = region.graph;
  unsigned count = region.operations.size();
  auto carriesStream = [&](unsigned value) {
    return stream && graph.values[value].carries(*stream);
  };
  auto isState = [&](unsigned value) {
    int definition = graph.values[value].definition;
    return stream && definition >= 0 &&
           llvm::is_contained(graph.operations[definition].over, *stream);
  };
  std::vector<Column> columns(count);
  unsigned loopEnd = 0;
  for (unsigned i = 0; i < count; ++i) {
    const Operation &operation = graph.operations[region.operations[i]];
    columns[i].operation = region.operations[i];
    columns[i].loop = llvm::any_of(operation.operands, carriesStream) ||
                      llvm::any_of(operation.results, carriesStream);
    if (columns[i].loop)
      loopEnd = i;
  }
  // The last position that reads each value; what the loop reads and does not
  // make, it reads until its end.
  std::vector<unsigned> lastUse(graph.values.size(), 0);
  for (unsigned i = 0; i < count; ++i)
    for (unsigned operand : graph.operations[region.operations[i]].operands)
      lastUse[operand] =
          std::max(lastUse[operand],
                   columns[i].loop && !carriesStream(operand) ? loopEnd : i);
  for (unsigned output : region.outputs)
    lastUse[output] = count;

  llvm::SmallVector<unsigned, 8> alive;
  for (unsigned i = 0; i < count; ++i) {
    Column &column = columns[i];
    const Operation &operation = graph.operations[region.operations[i]];
    llvm::erase_if(alive, [&](unsigned value) { return lastUse[value] < i; });
    for (unsigned value : alive) {
      if (column.loop && isState(value))
        continue;
      column.live.push_back(value);
      if (lastUse[value] == i && operation.kind == OperationKind::Map &&
          llvm::is_contained(operation.operands, value))
        column.dying.push_back(value);
    }
    for (unsigned value : operation.results) {
      if (!(column.loop && isState(value)))
        column.made.push_back(value);
      alive.push_back(value);
    }
    for (unsigned operand : operation.operands)
      if (region.isInput(operand))
        (operation.kind == OperationKind::Contract ? column.factors
                                                   : column.loaded)
            .push_back(operand);
  }
  return columns;
}
