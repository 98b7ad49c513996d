//===- SplitStreams.cpp - parts of a stream on blocks of their own --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass ncd-split-streams: a kernel whose stream is split becomes one that
// ends with the states of the parts and one that merges them. What it knows of
// a stream are its four regions.
//===----------------------------------------------------------------------===//

#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Schedule/Account.h"
#include "napkin/Schedule/MergeTiles.h"
#include "napkin/Schedule/Passes.h"
#include "llvm/ADT/BitVector.h"
#include <fmt/format.h>

namespace napkin::schedule {
#define GEN_PASS_DEF_SPLITSTREAMSPASS
#include "napkin/Schedule/Passes.h.inc"
} // namespace napkin::schedule

using namespace mlir;
using namespace napkin;

/// \p array with \p count positions of \p axis in front.
static ncd::ArrayType withParts(ncd::ArrayType array, StringAttr axis,
                                int64_t count) {
  SmallVector<StringAttr> axes = {axis};
  SmallVector<int64_t> sizes = {count};
  llvm::append_range(axes, array.getAxes());
  llvm::append_range(sizes, array.getSizes());
  return ncd::ArrayType::get(array.getContext(), axes, sizes,
                             array.getElementType());
}

/// \p view of an operand, which may name another one by number, where those in
/// \p erased are no more. A view outlives what it names: then it stands alone.
static Attribute renumbered(Attribute view, const llvm::BitVector &erased) {
  auto seen = dyn_cast<ncd::ViewAttr>(view);
  if (!seen || !seen.getWithin())
    return view;
  std::optional<int64_t> within = *seen.getWithin();
  if (erased[*within])
    within = std::nullopt;
  else
    for (int64_t index = *seen.getWithin(); index-- > 0;)
      *within -= erased[index];
  return ncd::ViewAttr::get(view.getContext(), seen.getFrom(), seen.getBy(),
                            within);
}

/// Erases what nothing reads in the body of \p kernel, and what it then need
/// not take.
static void eraseUnused(ncd::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isOpTriviallyDead(&op))
      op.erase();
  llvm::BitVector unread(body.getNumArguments());
  for (BlockArgument argument : body.getArguments())
    if (argument.use_empty())
      unread.set(argument.getArgNumber());
  if (ArrayAttr views = kernel.getViewsAttr()) {
    SmallVector<Attribute> left;
    for (auto [index, view] : llvm::enumerate(views))
      if (!unread[index])
        left.push_back(renumbered(view, unread));
    kernel.setViewsAttr(ArrayAttr::get(kernel.getContext(), left));
  }
  kernel->eraseOperands(unread);
  body.eraseArguments(unread);
}

/// Drops from the plan of \p kernel the axes that it no longer has: those that
/// only what stands behind the stream carries.
static void dropLostAxes(ncd::KernelOp kernel) {
  MLIRContext *context = kernel.getContext();
  if (ncd::PartitionAttr group = kernel.getGroupAttr()) {
    SmallVector<StringAttr> axes;
    SmallVector<int64_t> sizes;
    for (auto [axis, size] : llvm::zip_equal(group.getAxes(), group.getSizes()))
      if (kernel.getAxisSize(axis)) {
        axes.push_back(axis);
        sizes.push_back(size);
      }
    kernel.setGroupAttr(ncd::PartitionAttr::get(context, axes, sizes));
  }
  if (ArrayAttr order = kernel.getOrderAttr()) {
    SmallVector<Attribute> axes;
    for (StringAttr axis : order.getAsRange<StringAttr>())
      if (kernel.getAxisSize(axis))
        axes.push_back(axis);
    kernel.setOrderAttr(ArrayAttr::get(context, axes));
  }
  if (StringAttr rows = kernel.getRowsAttr();
      rows && !kernel.getAxisSize(rows)) {
    kernel.removeRowsAttr();
    kernel.removeRowWarpsAttr();
  }
}

namespace {
/// Writes one kernel as two.
class Splitter {
public:
  explicit Splitter(ncd::KernelOp kernel)
      : kernel(kernel), split(kernel.getSplitAttr()), builder(kernel) {}

  LogicalResult run();

private:
  LogicalResult findStream();
  ncd::KernelOp writeParts();
  void writeMerge(ncd::KernelOp parts);
  /// A kernel that takes \p inputs, whose body is that of the split one up to
  /// its stream; \p mapping says what stands for what.
  ncd::KernelOp begin(TypeRange results, ValueRange inputs, unsigned ownInputs,
                      IRMapping &mapping);
  void noteMerge(ncd::KernelOp merge, const schedule::MergeNotes &notes);
  void clone(Region &from, Region &to, IRMapping mapping);

  ncd::KernelOp kernel;
  ncd::SplitAttr split;
  ncd::StreamOp stream;
  OpBuilder builder;
};
} // namespace

LogicalResult Splitter::findStream() {
  StringRef axis = split.getAxis();
  for (auto candidate : kernel.getBody().front().getOps<ncd::StreamOp>())
    if (candidate.getAxis() == axis) {
      if (stream)
        return kernel.emitError("axis '")
               << axis << "' is split into parts, and two streams over it are "
               << "in the kernel; split one, in a kernel of its own";
      stream = candidate;
    }
  if (!stream)
    return kernel.emitError("axis '")
           << axis << "' is split into parts, and no stream over it is in the "
           << "kernel; run ncd-derive-stream first";
  for (Type type : stream.getResultTypes())
    if (cast<ncd::ArrayType>(type).hasAxis(axis))
      return kernel.emitError("axis '")
             << axis
             << "' cannot be split: a result carries it, which is "
                "written chunk by chunk; end the kernel before it, or "
                "drop the split";
  for (auto [index, type] :
       llvm::enumerate(stream.getState().getAsValueRange<TypeAttr>()))
    for (StringAttr group : kernel.getGridOrder())
      if (auto array = cast<ncd::ArrayType>(type);
          !array.hasAxis(group) &&
          kernel.groupSize(group) != kernel.getAxisSize(group))
        return kernel.emitError("axis '")
               << axis << "' cannot be split: member " << index
               << " of the state lacks axis '" << group.getValue()
               << "', which is cut across blocks, so several blocks would "
                  "write it; leave '"
               << group.getValue() << "' whole, or drop the split";
  return success();
}

/// Clones the block of \p from into the one that \p to has. (A mapping serves
/// one clone: it keeps the arguments of nested blocks.)
void Splitter::clone(Region &from, Region &to, IRMapping mapping) {
  Block &source = from.front(), &target = to.front();
  mapping.map(source.getArguments(), target.getArguments());
  OpBuilder inner = OpBuilder::atBlockEnd(&target);
  for (Operation &op : source)
    inner.clone(op, mapping);
}

ncd::KernelOp Splitter::begin(TypeRange results, ValueRange inputs,
                              unsigned ownInputs, IRMapping &mapping) {
  auto made = ncd::KernelOp::create(builder, kernel.getLoc(), results, inputs);
  Block &body = made.getBody().front();
  if (ArrayAttr own = kernel.getViewsAttr()) {
    SmallVector<Attribute> views(ownInputs, builder.getUnitAttr());
    for (Attribute view : own) {
      auto seen = dyn_cast<ncd::ViewAttr>(view);
      if (seen && seen.getWithin())
        view = ncd::ViewAttr::get(made.getContext(), seen.getFrom(),
                                  seen.getBy(), *seen.getWithin() + ownInputs);
      views.push_back(view);
    }
    made.setViewsAttr(builder.getArrayAttr(views));
  }
  for (auto [argument, source] :
       llvm::zip_equal(body.getArguments().drop_front(ownInputs),
                       kernel.getBody().getArguments()))
    argument.setType(source.getType());
  mapping.map(kernel.getBody().front().getArguments(),
              body.getArguments().drop_front(ownInputs));
  OpBuilder inner = OpBuilder::atBlockEnd(&body);
  for (Operation &op : kernel.getBody().front()) {
    if (&op == stream)
      break;
    inner.clone(op, mapping);
  }
  return made;
}

ncd::KernelOp Splitter::writeParts() {
  SmallVector<Type> states, results;
  for (Type type : stream.getState().getAsValueRange<TypeAttr>()) {
    states.push_back(type);
    results.push_back(withParts(cast<ncd::ArrayType>(type), split.getParts(),
                                kernel.getNumParts()));
  }
  IRMapping mapping;
  ncd::KernelOp made = begin(results, kernel.getInputs(), 0, mapping);
  made->setAttrs(kernel->getAttrDictionary());
  OpBuilder inner = OpBuilder::atBlockEnd(&made.getBody().front());
  SmallVector<Value> inputs;
  for (Value input : stream.getInputs())
    inputs.push_back(mapping.lookup(input));
  auto walk = ncd::StreamOp::create(inner, stream.getLoc(), states,
                                    stream.getAxisAttr(), inputs, states);
  walk.setGaugesAttr(stream.getGaugesAttr());
  walk.setSingleAttr(stream.getSingleAttr());
  // What bounds leave out changes nothing; a part walks all of its positions.
  clone(stream.getInit(), walk.getInit(), mapping);
  clone(stream.getStep(), walk.getStep(), mapping);
  clone(stream.getMerge(), walk.getMerge(), mapping);
  // Ends with what it has.
  Block &finish = walk.getFinish().front();
  OpBuilder last = OpBuilder::atBlockEnd(&finish);
  ncd::YieldOp::create(last, stream.getLoc(), finish.getArguments());
  ncd::YieldOp::create(inner, kernel.getLoc(), walk.getResults());
  eraseUnused(made);
  dropLostAxes(made);
  return made;
}

void Splitter::writeMerge(ncd::KernelOp parts) {
  unsigned states = parts.getNumResults();
  SmallVector<Value> inputs(parts.getResults());
  llvm::append_range(inputs, kernel.getInputs());
  IRMapping mapping;
  ncd::KernelOp made = begin(kernel.getResultTypes(), inputs, states, mapping);
  Block &body = made.getBody().front();
  OpBuilder inner = OpBuilder::atBlockEnd(&body);
  SmallVector<Type> types =
      llvm::to_vector(stream.getState().getAsValueRange<TypeAttr>());
  SmallVector<Value> arrays(body.getArguments().take_front(states));
  // The chunk types that the builder gives `step` have the axis of the parts.
  auto fold =
      ncd::StreamOp::create(inner, stream.getLoc(), stream.getResultTypes(),
                            split.getParts(), arrays, types);
  fold.setSingle(true);
  fold.setGaugesAttr(stream.getGaugesAttr());
  for (auto [chunk, type] : llvm::zip_equal(fold.getStepChunks(), types))
    chunk.setType(type);
  clone(stream.getInit(), fold.getInit(), mapping);
  clone(stream.getMerge(), fold.getStep(), mapping);
  clone(stream.getMerge(), fold.getMerge(), mapping);
  clone(stream.getFinish(), fold.getFinish(), mapping);
  mapping.map(stream.getResults(), fold.getResults());
  for (Operation *op = stream->getNextNode(); op; op = op->getNextNode())
    inner.clone(*op, mapping);
  eraseUnused(made);
  made.setHardwareAttr(kernel.getHardwareAttr());
  if (kernel.getEntry())
    made.setEntry((*kernel.getEntry() + "_merge").str());
  noteMerge(made, schedule::setMergeTiles(made, kernel));
  kernel->replaceAllUsesWith(made);
}

/// Gives \p merge its account: what the schedule has estimated of it with the
/// split kernel, and \p notes.
void Splitter::noteMerge(ncd::KernelOp merge,
                         const schedule::MergeNotes &notes) {
  ncd::AccountAttr split = kernel.getAccountAttr();
  if (!split)
    return;
  auto estimated = dyn_cast_or_null<ncd::AccountAttr>(split.getMerge());
  MLIRContext *context = kernel.getContext();
  merge.setAccountAttr(ncd::AccountAttr::get(
      context, split.getChosen(), notes.registers,
      estimated ? estimated.getSharedBytes() : 0, 0,
      estimated ? estimated.getCycles() : DictionaryAttr(),
      schedule::attributeOf(context, notes.choices), Attribute()));
}

LogicalResult Splitter::run() {
  if (failed(findStream()))
    return failure();
  writeMerge(writeParts());
  kernel.erase();
  return success();
}

namespace {
struct SplitStreams : schedule::impl::SplitStreamsPassBase<SplitStreams> {
  using SplitStreamsPassBase::SplitStreamsPassBase;

  void runOnOperation() override {
    SmallVector<ncd::KernelOp> kernels;
    getOperation()->walk([&](ncd::KernelOp kernel) {
      if (kernel.getSplitAttr() && !kernel.writesParts())
        kernels.push_back(kernel);
    });
    for (ncd::KernelOp kernel : kernels) {
      if (failed(Splitter(kernel).run()))
        return signalPassFailure();
      ++numSplit;
    }
  }
};
} // namespace
