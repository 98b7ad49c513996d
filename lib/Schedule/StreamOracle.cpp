//===- StreamOracle.cpp - which axes a region can be streamed over --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place where the schedule asks the streaming algebra: is there one
// pass over this axis, and what would it carry from chunk to chunk?
//
//===----------------------------------------------------------------------===//

#include "napkin/Algebra/StreamingForm.h"
#include "napkin/Schedule/DiagramGraph.h"
#include "llvm/ADT/STLExtras.h"
#include <memory>
#include <tuple>

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

/// Asks about \p operations of \p diagram.
static StreamVerdict ask(const DiagramGraph &diagram,
                         ArrayRef<unsigned> operations,
                         ArrayRef<unsigned> outputs, unsigned axis) {
  SmallVector<mlir::Operation *> ops;
  for (unsigned index : operations)
    ops.push_back(diagram.operations[index]);
  SmallVector<Value> values;
  for (unsigned output : outputs)
    values.push_back(diagram.values[output]);
  algebra::StreamingRefusal why;
  algebra::StreamingOptions options;
  options.lazyReferences = true;
  FailureOr<algebra::StreamingForm> form = algebra::deriveStreamingForm(
      ops, values, diagram.graph.axes[axis].name, options, &why);
  StreamVerdict verdict;
  if (failed(form)) {
    verdict.why = why.message;
    return verdict;
  }
  verdict.legal = true;
  verdict.lazy = form->lazy;
  for (const algebra::StreamingStateMember &member : form->state) {
    auto type = cast<ncd::ArrayType>(member.type);
    StreamState state;
    state.bits = 8 * ncd::elementBytes(type.getElementType());
    state.corrected = member.corrected;
    for (StringAttr name : type.getAxes())
      if (std::optional<unsigned> index =
              diagram.graph.findAxis(name.getValue()))
        state.axes.push_back(*index);
    verdict.state.push_back(std::move(state));
  }
  return verdict;
}

StreamOracle DiagramGraph::oracle() const {
  // One region is asked about several times: alone, in runs, for the reasons.
  using Key =
      std::tuple<std::vector<unsigned>, std::vector<unsigned>, unsigned>;
  auto answers = std::make_shared<std::map<Key, StreamVerdict>>();
  return [this, answers](ArrayRef<unsigned> operations,
                         ArrayRef<unsigned> outputs, unsigned axis) {
    auto [entry, fresh] =
        answers->try_emplace(Key{operations.vec(), outputs.vec(), axis});
    if (fresh)
      entry->second = ask(*this, operations, outputs, axis);
    return entry->second;
  };
}
