//===- StreamOracle.cpp - which axes a region can be streamed over --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place where the schedule asks the streaming algebra: is there one
// pass over this axis, and what would it carry from chunk to chunk?
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "napkin/Algebra/StreamBounds.h"
#include "napkin/Algebra/StreamingForm.h"
#include "napkin/Schedule/DiagramGraph.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include <memory>
#include <tuple>

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

/// What rows see of the axis called \p axis, where the masks among \p ops ask
/// positions of it: the stream is made as it will be, and looked at.
static algebra::VisibleRange visibleIn(ArrayRef<mlir::Operation *> ops,
                                       ArrayRef<Value> outputs,
                                       StringRef axis) {
  bool asked = llvm::any_of(ops, [&](mlir::Operation *op) {
    return op
        ->walk([&](ncd::IndexOp index) {
          return index.getAxis() == axis ? WalkResult::interrupt()
                                         : WalkResult::advance();
        })
        .wasInterrupted();
  });
  if (!asked)
    return {};
  llvm::SetVector<Value> inputs;
  llvm::SmallPtrSet<mlir::Operation *, 16> inside(ops.begin(), ops.end());
  for (mlir::Operation *op : ops)
    for (Value operand : op->getOperands())
      if (!inside.contains(operand.getDefiningOp()))
        inputs.insert(operand);
  OpBuilder builder(ops.front()->getContext());
  auto kernel = ncd::KernelOp::create(builder, ops.front()->getLoc(),
                                      TypeRange(ValueRange(outputs)),
                                      inputs.getArrayRef());
  kernel.setStreamAttr(ncd::PartitionAttr::get(
      builder.getContext(), {builder.getStringAttr(axis)}, {1}));
  IRMapping mapping;
  Block &body = kernel.getBody().front();
  mapping.map(inputs.getArrayRef(), body.getArguments());
  builder.setInsertionPointToStart(&body);
  for (mlir::Operation *op : ops)
    builder.clone(*op, mapping);
  SmallVector<Value> yielded;
  for (Value output : outputs)
    yielded.push_back(mapping.lookup(output));
  ncd::YieldOp::create(builder, ops.front()->getLoc(), yielded);
  algebra::VisibleRange range;
  if (succeeded(algebra::rewriteAsStream(kernel))) {
    // Of several walks after each other the price knows the longest only.
    auto streams = llvm::to_vector(body.getOps<ncd::StreamOp>());
    if (streams.size() == 1)
      range = algebra::visibleRange(streams.front(),
                                    [](StringAttr) { return true; });
  }
  kernel->erase();
  return range;
}

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
  algebra::VisibleRange range =
      visibleIn(ops, values, diagram.graph.axes[axis].name);
  auto limitOf = [&](const std::optional<algebra::VisibleLimit> &limit)
      -> std::optional<WalkLimit> {
    if (!limit)
      return std::nullopt;
    WalkLimit result{std::nullopt, limit->offset, limit->least, limit->most,
                     limit->divisor};
    if (limit->axis)
      result.axis = diagram.graph.findAxis(limit->axis.getValue());
    return result;
  };
  verdict.from = limitOf(range.from);
  verdict.to = limitOf(range.to);
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
