//===- DeriveStream.cpp - Kernels rewritten as one pass ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// deriveStreamingForm, rewriteAsStream and the pass ncd-derive-stream.
//
//===----------------------------------------------------------------------===//

#include "InnerWalks.h"
#include "TermEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "napkin/Algebra/AlgebraicLaws.h"
#include "napkin/Algebra/NormalForm.h"
#include "napkin/Algebra/Passes.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"

namespace napkin::algebra {
#define GEN_PASS_DEF_NCDDERIVESTREAMPASS
#include "napkin/Algebra/Passes.h.inc"
} // namespace napkin::algebra

using namespace mlir;

namespace napkin::algebra {

/// What the analysis accepts but ncd operations cannot carry yet.
static bool isEmittable(const RegionTerms &terms, StringRef axis,
                        StreamingRefusal &why) {
  for (Value result : terms.results) {
    auto type = cast<ncd::ArrayType>(result.getType());
    if (isa<FloatType>(type.getElementType()) ||
        isa<IntegerType>(terms.workingType()))
      continue;
    why.message = ("axis " + axis +
                   ": a reduction over it into integers has a streamed state "
                   "only among sums of products of integers; convert to f32 "
                   "before it")
                      .str();
    why.location = result.getLoc();
    return false;
  }
  if (terms.context.axisSize(terms.axis) <= 0) {
    why.message = ("axis " + axis + " has no static size; give it one").str();
    why.location = terms.results[0].getLoc();
    return false;
  }
  return true;
}

/// Inputs with the axis that the step reads.
static SmallVector<Expr> chunkedInputs(const RegionTerms &terms) {
  DenseSet<Expr> read;
  for (const PlanMember &member : terms.plan.members)
    anyNode(member.step, [&](Expr n) {
      if (n->kind == Kind::Input)
        read.insert(n);
      return false;
    });
  SmallVector<Expr> result;
  for (auto &[input, value] : terms.inputs)
    if (read.contains(input) && carries(input, terms.axis))
      result.push_back(input);
  return result;
}

static Expr finished(RegionTerms &terms, Value result) {
  if (Expr known = terms.plan.outputs.lookup(terms.termOf(result)))
    return known;
  DenseMap<Expr, Expr> replacements = terms.plan.finish;
  return terms.context.substitute(terms.termOf(result), replacements);
}

FailureOr<StreamingForm> deriveStreamingForm(ArrayRef<Operation *> ops,
                                             ArrayRef<Value> outputs,
                                             StringRef axis,
                                             const StreamingOptions &options,
                                             StreamingRefusal *why) {
  StreamingRefusal ignored;
  StreamingRefusal &refusal = why ? *why : ignored;
  RegionTerms terms(ops, outputs, axis);
  if (!terms.derive(options, refusal) || !isEmittable(terms, axis, refusal))
    return failure();
  StreamingForm form;
  form.axis = axis.str();
  for (const PlanMember &member : terms.plan.members)
    form.state.push_back(
        {terms.arrayType(member.state->axes, terms.workingType()),
         member.description, member.gauge, member.shift, member.corrected});
  for (Expr input : chunkedInputs(terms))
    form.chunked.push_back(terms.inputs.lookup(input));
  for (Value result : terms.results) {
    form.results.push_back(result);
    form.finish.push_back(
        print(terms.context, finished(terms, result), &terms.plan.names));
  }
  for (Operation *op : ops)
    if (terms.isInvariant(terms.termOf(op->getResult(0))))
      form.prologue.push_back(op);
  form.epilogue.assign(terms.epilogue.begin(), terms.epilogue.end());
  form.notes.assign(terms.plan.notes.begin(), terms.plan.notes.end());
  form.lazy = terms.plan.lazy.has_value();
  return form;
}

namespace {

/// Writes one ncd.stream and what goes around it.
class StreamWriter {
public:
  /// For the operations of \p terms, which stand in one block before \p anchor
  /// or are \p anchor. Everything new goes there.
  StreamWriter(RegionTerms &terms, StringAttr axis, Operation *anchor,
               Location location)
      : terms(terms), axis(axis), anchor(anchor), emitter(terms, location),
        before(OpBuilder(anchor->getContext())) {}

  void write() {
    Block &block = *anchor->getBlock();
    OpBuilder builder(anchor);
    SmallVector<Value> chunked;
    for (Expr input : chunkedInputs(terms))
      chunked.push_back(terms.inputs.lookup(input));
    SmallVector<Type> stateTypes, resultTypes;
    for (const PlanMember &member : terms.plan.members)
      stateTypes.push_back(stateType(member));
    for (Value result : terms.results)
      resultTypes.push_back(result.getType());
    stream = ncd::StreamOp::create(builder, terms.results[0].getLoc(),
                                   resultTypes, axis, chunked, stateTypes);
    stream.setGaugesAttr(gauges(builder));
    before.builder.setInsertionPoint(stream);
    writeInit();
    writeStep();
    writeMerge();
    writeFinish();
    writeEpilogue();
    // The source, last use first.
    for (Operation *op : llvm::reverse(terms.ops))
      op->erase();
    eraseUnused(block);
  }

private:
  ncd::ArrayType stateType(const PlanMember &member) {
    return terms.arrayType(member.state->axes, terms.workingType());
  }

  ArrayAttr gauges(OpBuilder &builder) {
    SmallVector<Attribute> texts;
    for (const PlanMember &member : terms.plan.members) {
      std::string text = member.description;
      if (!member.gauge.empty())
        text += "; gauge " + member.gauge;
      if (!member.shift.empty())
        text += "; shift " + member.shift;
      if (member.mayOverflow)
        text += "; may overflow";
      texts.push_back(builder.getStringAttr(text));
    }
    return builder.getArrayAttr(texts);
  }

  EmissionScope scopeIn(Region &region) {
    return EmissionScope(OpBuilder::atBlockEnd(&region.front()), &before);
  }

  void yield(EmissionScope &scope, ArrayRef<Value> values) {
    ncd::YieldOp::create(scope.builder, stream.getLoc(), values);
  }

  void bindStates(EmissionScope &scope, Block::BlockArgListType arguments,
                  unsigned variant) {
    for (auto [member, argument] : llvm::zip(terms.plan.members, arguments))
      scope.values[terms.context.state(member.state->number, member.state->axes,
                                       variant)] = argument;
  }

  void writeMembers(EmissionScope &scope, Expr PlanMember::*what) {
    for (const PlanMember &member : terms.plan.members) {
      emitter.countUses(member.*what, scope);
      countInvariants(member.*what);
    }
    SmallVector<Value> values;
    for (const PlanMember &member : terms.plan.members)
      values.push_back(emitter.emitAs(member.*what, stateType(member), scope));
    yield(scope, values);
  }

  void countInvariants(Expr e) {
    if (terms.isHoisted(e)) {
      emitter.countUses(e, before);
      return;
    }
    for (Expr operand : e->operands)
      countInvariants(operand);
  }

  void writeInit() {
    EmissionScope scope = scopeIn(stream.getInit());
    SmallVector<Value> values;
    for (const PlanMember &member : terms.plan.members)
      values.push_back(emitter.fill(member.initial, stateType(member), scope));
    yield(scope, values);
  }

  void writeStep() {
    EmissionScope scope = scopeIn(stream.getStep());
    bindStates(scope, stream.getStepStates(), 0);
    for (auto [input, chunk] :
         llvm::zip(chunkedInputs(terms), stream.getStepChunks())) {
      scope.values[input] = chunk;
      scope.copies[terms.inputs.lookup(input)] = chunk;
    }
    if (!terms.plan.lazy)
      return writeMembers(scope, &PlanMember::step);
    writeMove(scope);
    writeMembers(scope, &PlanMember::advanced);
  }

  /// Brings the members to a new reference where the chunk passes the old one.
  void writeMove(EmissionScope &scope) {
    const LazyReference &lazy = *terms.plan.lazy;
    SmallVector<const PlanMember *> moving;
    SmallVector<Value> otherwise;
    for (const PlanMember &member : terms.plan.members)
      if (member.moved) {
        moving.push_back(&member);
        otherwise.push_back(scope.values.lookup(member.state));
      }
    // The region and what follows it read the same elements; a sum that starts
    // from the reference is another one than the region's.
    Expr read = lazy.distance ? lazy.distance : lazy.element;
    emitter.countUses(read, scope);
    if (lazy.started)
      emitter.emit(lazy.started, scope);
    Value elements = emitter.emit(read, scope);
    emitter.countUses(lazy.passes, scope);
    Value passes = emitter.emit(lazy.passes, scope);
    if (lazy.distance) {
      otherwise.push_back(elements);
      scope.values.erase(lazy.sum);
      if (Value source = terms.writtenAs(lazy.sum))
        scope.copies.erase(source);
    }
    auto when =
        ncd::WhenOp::create(scope.builder, stream.getLoc(), passes, otherwise);
    EmissionScope inner(OpBuilder::atBlockEnd(&when.getBody().front()), &scope);
    SmallVector<std::pair<Expr, ncd::ArrayType>> wanted;
    for (const PlanMember *member : moving)
      wanted.push_back({member->moved, stateType(*member)});
    if (lazy.distance)
      wanted.push_back(
          {lazy.movedDistance, cast<ncd::ArrayType>(elements.getType())});
    for (auto [term, type] : wanted) {
      emitter.countUses(term, inner);
      countInvariants(term);
    }
    SmallVector<Value> values;
    for (auto [term, type] : wanted)
      values.push_back(emitter.emitAs(term, type, inner));
    yield(inner, values);
    for (auto [member, result] : llvm::zip(moving, when.getResults()))
      scope.values[terms.context.state(member->state->number,
                                       member->state->axes, 2)] = result;
    if (lazy.distance)
      scope.values[lazy.taken] = when.getResults().back();
  }

  void writeMerge() {
    EmissionScope scope = scopeIn(stream.getMerge());
    unsigned n = terms.plan.members.size();
    auto arguments = stream.getMerge().front().getArguments();
    bindStates(scope, arguments.take_front(n), 0);
    bindStates(scope, arguments.drop_front(n), 1);
    writeMembers(scope, &PlanMember::merge);
  }

  void writeFinish() {
    EmissionScope scope = scopeIn(stream.getFinish());
    bindStates(scope, stream.getFinish().front().getArguments(), 0);
    SmallVector<Expr> roots;
    for (Value result : terms.results) {
      roots.push_back(finished(terms, result));
      emitter.countUses(roots.back(), scope);
      countInvariants(roots.back());
    }
    SmallVector<Value> values;
    for (auto [root, result] : llvm::zip(roots, terms.results))
      values.push_back(
          emitter.emitAs(root, cast<ncd::ArrayType>(result.getType()), scope));
    yield(scope, values);
  }

  /// What reads an output outside reads its copy from now on.
  void writeEpilogue() {
    EmissionScope after(OpBuilder(anchor), &before);
    for (auto [source, result] :
         llvm::zip(terms.results, stream.getResults())) {
      after.copies[source] = result;
      after.values[terms.termOf(source)] = result;
    }
    for (Value output : terms.outputs) {
      Value copy = emitter.copyOf(output, after);
      if (copy != output)
        output.replaceUsesWithIf(copy, [&](OpOperand &use) {
          return llvm::none_of(terms.ops, [&](Operation *op) {
            return op->isAncestor(use.getOwner());
          });
        });
    }
  }

  /// Copies whose only reader turned out to need less.
  static void eraseUnused(Block &body) {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
      if (isOpTriviallyDead(&op))
        op.erase();
  }

  RegionTerms &terms;
  StringAttr axis;
  Operation *anchor;
  TermEmitter emitter;
  EmissionScope before;
  ncd::StreamOp stream;
};

} // namespace

/// Writes \p ops of one block, whose values \p outputs are needed elsewhere, as
/// one stream over \p axis at \p anchor: one of them, or an operation behind.
static LogicalResult writeStream(ncd::KernelOp kernel, StringAttr axis,
                                 ArrayRef<Operation *> ops,
                                 ArrayRef<Value> outputs, Operation *anchor,
                                 const StreamingOptions &options) {
  ArrayRef<StringAttr> all = kernel.getStreamAttr().getAxes();
  RegionTerms terms(ops, outputs, axis.getValue(),
                    all.drop_front(llvm::find(all, axis) - all.begin() + 1));
  StreamingRefusal why;
  if (terms.derive(options, why) && isEmittable(terms, axis.getValue(), why)) {
    StreamWriter(terms, axis, anchor, kernel.getLoc()).write();
    return success();
  }
  InFlightDiagnostic error =
      emitError(why.location.value_or(kernel.getLoc()), why.message);
  if (why.expressionLocation && why.expressionLocation != why.location)
    error.attachNote(*why.expressionLocation)
        << "the sub-expression is computed here";
  error.attachNote(kernel.getLoc())
      << "in this kernel, which is to be streamed over axis '"
      << axis.getValue()
      << "'; choose another axis, or split the kernel before the reduction";
  return error;
}

LogicalResult rewriteAsStream(Operation *op, const StreamingOptions &wanted) {
  auto kernel = dyn_cast<ncd::KernelOp>(op);
  if (!kernel)
    return op->emitOpError("is not an ncd.kernel");
  StreamingOptions options = wanted;
  options.lazyReferences = kernel.getLazy();
  ncd::PartitionAttr stream = kernel.getStreamAttr();
  if (!stream || stream.empty())
    return success();
  // Streams that someone wrote are kept as they are.
  llvm::DenseSet<StringAttr> written;
  kernel.getBody().walk(
      [&](ncd::StreamOp inner) { written.insert(inner.getAxisAttr()); });
  Block &body = kernel.getBody().front();
  if (written.empty()) {
    StringAttr axis = kernel.getStreamAxis();
    Operation *anchor = writeAppendedResults(kernel, axis);
    bool appends = anchor;
    if (!anchor)
      anchor = body.getTerminator();
    SmallVector<Operation *> ops;
    for (Operation &inner : body)
      if (&inner != anchor && !inner.hasTrait<OpTrait::IsTerminator>())
        ops.push_back(&inner);
    // What a second loop writes may need nothing of a first one.
    bool reduces = !appends || llvm::any_of(ops, [&](Operation *inner) {
      return llvm::any_of(inner->getOperandTypes(), [&](Type type) {
        return cast<ncd::ArrayType>(type).hasAxis(axis);
      });
    });
    SmallVector<Value> outputs(body.getTerminator()->getOperands());
    if (appends)
      outputs = outputsOf(ops);
    if (reduces &&
        failed(writeStream(kernel, axis, ops, outputs, anchor, options)))
      return failure();
  }
  for (StringAttr axis : stream.getAxes().drop_front()) {
    if (written.contains(axis))
      continue;
    for (Block *block : blocksOf(kernel))
      for (InnerWalk &walk : findInnerWalks(*block, axis)) {
        Operation *anchor = gatherAtEnd(walk);
        if (failed(writeStream(kernel, axis, walk.ops, walk.outputs, anchor,
                               options)))
          return failure();
      }
  }
  return success();
}

/// What cancelled in the terms is not read, so the kernel does not take it.
static void dropUnread(ncd::KernelOp kernel) {
  Block &body = kernel.getBody().front();
  llvm::BitVector unread(body.getNumArguments());
  for (BlockArgument argument : body.getArguments()) {
    // The sizes of axes are those of the arrays that remain.
    auto type = cast<ncd::ArrayType>(argument.getType());
    bool known = llvm::all_of(type.getAxes(), [&](StringAttr axis) {
      auto carries = [&](Type other) {
        return cast<ncd::ArrayType>(other).hasAxis(axis);
      };
      return llvm::any_of(kernel.getResultTypes(), carries) ||
             llvm::any_of(body.getArguments(), [&](BlockArgument other) {
               return !other.use_empty() && carries(other.getType());
             });
    });
    if (argument.use_empty() && known)
      unread.set(argument.getArgNumber());
  }
  kernel->eraseOperands(unread);
  body.eraseArguments(unread);
}

namespace {
struct NCDDeriveStream
    : napkin::algebra::impl::NCDDeriveStreamPassBase<NCDDeriveStream> {
  using NCDDeriveStreamPassBase::NCDDeriveStreamPassBase;

  void getDependentDialects(DialectRegistry &registry) const override {
    NCDDeriveStreamPassBase::getDependentDialects(registry);
    registerAlgebraicLaws(registry);
  }

  void runOnOperation() override {
    StreamingOptions options;
    options.inputBoundLog2 = inputBound;
    WalkResult result = getOperation()->walk([&](ncd::KernelOp kernel) {
      if (failed(rewriteAsStream(kernel, options)))
        return WalkResult::interrupt();
      dropUnread(kernel);
      numStreams += !kernel.getBody().front().getOps<ncd::StreamOp>().empty();
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};
} // namespace

} // namespace napkin::algebra
