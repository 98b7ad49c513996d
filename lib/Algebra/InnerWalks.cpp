//===- InnerWalks.cpp - Which operations a loop of a kernel takes -*-C++-*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "InnerWalks.h"
#include "mlir/IR/IRMapping.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace napkin::algebra {

SmallVector<Block *> blocksOf(ncd::KernelOp kernel) {
  SmallVector<Block *> blocks = {&kernel.getBody().front()};
  kernel.getBody().walk([&](Operation *op) {
    if (isa<ncd::StreamOp, ncd::WhenOp>(op))
      for (Region &region : op->getRegions())
        blocks.push_back(&region.front());
  });
  return blocks;
}

SmallVector<Value, 2> outputsOf(ArrayRef<Operation *> ops) {
  SmallPtrSet<Operation *, 16> inside(ops.begin(), ops.end());
  SmallVector<Value, 2> outputs;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !inside.contains(
                op->getBlock()->findAncestorOpInBlock(*user));
          }))
        outputs.push_back(result);
  return outputs;
}

static bool carries(Type type, StringAttr axis) {
  auto array = dyn_cast<ncd::ArrayType>(type);
  return array && array.hasAxis(axis);
}

static bool touches(Operation &op, StringAttr axis) {
  auto has = [&](Type type) { return carries(type, axis); };
  return llvm::any_of(op.getOperandTypes(), has) ||
         llvm::any_of(op.getResultTypes(), has);
}

/// Whether \p op, or something in its regions, reads a result of an operation
/// that \p isWanted.
static bool readsFrom(Operation &op,
                      llvm::function_ref<bool(Operation *)> isWanted) {
  return op
      .walk([&](Operation *inner) {
        bool reads = llvm::any_of(inner->getOperands(), [&](Value operand) {
          Operation *from = operand.getDefiningOp();
          return from && isWanted(from);
        });
        return reads ? WalkResult::interrupt() : WalkResult::advance();
      })
      .wasInterrupted();
}

/// The walk among \p ops, which are consecutive; empty where none has the axis.
static InnerWalk walkAmong(ArrayRef<Operation *> ops, StringAttr axis) {
  SmallPtrSet<Operation *, 16> walking, behind, ahead;
  for (Operation *op : ops) {
    if (touches(*op, axis))
      walking.insert(op);
    if (readsFrom(*op, [&](Operation *from) {
          return walking.contains(from) || behind.contains(from);
        }))
      behind.insert(op);
  }
  for (Operation *op : llvm::reverse(ops))
    for (Operation *user : op->getUsers()) {
      user = op->getBlock()->findAncestorOpInBlock(*user);
      if (walking.contains(user) || ahead.contains(user))
        ahead.insert(op);
    }
  InnerWalk walk;
  for (Operation *op : ops)
    if (walking.contains(op) || (behind.contains(op) && ahead.contains(op)))
      walk.ops.push_back(op);
  walk.outputs = outputsOf(walk.ops);
  return walk;
}

SmallVector<InnerWalk> findInnerWalks(Block &block, StringAttr axis) {
  SmallVector<InnerWalk> walks;
  SmallVector<Operation *> ops;
  auto close = [&] {
    InnerWalk walk = walkAmong(ops, axis);
    if (!walk.ops.empty())
      walks.push_back(std::move(walk));
    ops.clear();
  };
  for (Operation &op : block.without_terminator()) {
    if (isa<ncd::StreamOp>(op))
      close();
    else
      ops.push_back(&op);
  }
  close();
  return walks;
}

Operation *gatherAtEnd(const InnerWalk &walk) {
  Operation *last = walk.ops.back();
  SetVector<Operation *> users;
  for (Operation &op :
       llvm::make_range(walk.ops.front()->getIterator(), last->getIterator())) {
    if (llvm::is_contained(walk.ops, &op))
      continue;
    if (readsFrom(op, [&](Operation *from) {
          return users.contains(from) || llvm::is_contained(walk.ops, from);
        }))
      users.insert(&op);
  }
  Operation *behind = last;
  for (Operation *user : users) {
    user->moveAfter(behind);
    behind = user;
  }
  return last;
}

/// What makes \p results of \p block out of values that lack \p axis and of
/// arguments, in order; \p arguments are those that it reads.
static SmallVector<Operation *> makersOf(ArrayRef<Value> results, Block &block,
                                         StringAttr axis,
                                         SetVector<Value> &arguments) {
  SetVector<Value> needed(results.begin(), results.end());
  DenseSet<Operation *> makers;
  for (unsigned next = 0; next < needed.size(); ++next) {
    Operation *op = needed[next].getDefiningOp();
    if (!op) {
      arguments.insert(needed[next]);
      continue;
    }
    makers.insert(op);
    for (Value operand : op->getOperands())
      if (carries(operand.getType(), axis))
        needed.insert(operand);
  }
  SmallVector<Operation *> ordered;
  for (Operation &op : block)
    if (makers.contains(&op))
      ordered.push_back(&op);
  return ordered;
}

ncd::StreamOp writeAppendedResults(ncd::KernelOp kernel, StringAttr axis) {
  Block &body = kernel.getBody().front();
  Operation *yield = body.getTerminator();
  SetVector<Value> results, arguments;
  for (Value value : yield->getOperands())
    if (carries(value.getType(), axis))
      results.insert(value);
  if (results.empty())
    return {};
  SmallVector<Operation *> makers =
      makersOf(results.getArrayRef(), body, axis, arguments);
  // Others reduce the axis themselves; they are refused by name elsewhere.
  if (!llvm::all_of(makers,
                    llvm::IsaPred<ncd::ContractOp, ncd::MapOp, ncd::ReduceOp>))
    return {};
  OpBuilder builder(yield);
  auto stream = ncd::StreamOp::create(
      builder, yield->getLoc(), TypeRange(ValueRange(results.getArrayRef())),
      axis, arguments.getArrayRef(), TypeRange());
  IRMapping mapping;
  mapping.map(ValueRange(arguments.getArrayRef()), stream.getStepChunks());
  builder.setInsertionPointToEnd(&stream.getStep().front());
  for (Operation *op : makers)
    builder.clone(*op, mapping);
  SmallVector<Value> parts;
  for (Value result : results)
    parts.push_back(mapping.lookup(result));
  ncd::YieldOp::create(builder, yield->getLoc(), parts);
  for (Region *region :
       {&stream.getInit(), &stream.getMerge(), &stream.getFinish()}) {
    builder.setInsertionPointToEnd(&region->front());
    ncd::YieldOp::create(builder, yield->getLoc(), ValueRange());
  }
  for (OpOperand &operand : yield->getOpOperands())
    if (auto *at = llvm::find(results, operand.get()); at != results.end())
      operand.set(stream.getResult(at - results.begin()));
  for (Operation *op : llvm::reverse(makers))
    if (isOpTriviallyDead(op))
      op->erase();
  return stream;
}

} // namespace napkin::algebra
