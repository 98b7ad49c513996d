//===- StreamOracle.cpp - which axes a region can be streamed over --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place where the schedule asks about legality of a stream.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/DiagramGraph.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

/// The state is what reductions over \p axis make; those that read another
/// reduction are taken to be corrected.
static StreamVerdict
askStructure(const Graph &graph, ArrayRef<unsigned> operations, unsigned axis) {
  StreamVerdict verdict;
  verdict.legal = true;
  for (unsigned index : operations)
    if (llvm::is_contained(graph.operations[index].over, axis)) {
      const ArrayValue &value =
          graph.values[graph.operations[index].results.front()];
      verdict.state.push_back({value.axes, 32, !verdict.state.empty()});
    }
  return verdict;
}

StreamOracle DiagramGraph::oracle() const {
  return
      [this](ArrayRef<unsigned> operations, ArrayRef<unsigned>, unsigned axis) {
        return askStructure(graph, operations, axis);
      };
}
