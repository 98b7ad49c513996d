//===- InnerWalks.cpp - What walks an axis inside a block -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "InnerWalks.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace napkin::algebra {

SmallVector<Block *> blocksOf(ncd::KernelOp kernel) {
  SmallVector<Block *> blocks = {&kernel.getBody().front()};
  kernel.getBody().walk([&](ncd::StreamOp stream) {
    for (Region &region : stream->getRegions())
      blocks.push_back(&region.front());
  });
  return blocks;
}

static bool touches(Operation &op, StringAttr axis) {
  auto carries = [&](Type type) {
    auto array = dyn_cast<ncd::ArrayType>(type);
    return array && array.hasAxis(axis);
  };
  return llvm::any_of(op.getOperandTypes(), carries) ||
         llvm::any_of(op.getResultTypes(), carries);
}

/// The walk among \p ops, which are consecutive; empty where none has the axis.
static InnerWalk walkAmong(ArrayRef<Operation *> ops, StringAttr axis) {
  SmallPtrSet<Operation *, 16> walking, behind, ahead;
  for (Operation *op : ops) {
    if (touches(*op, axis))
      walking.insert(op);
    for (Value operand : op->getOperands())
      if (Operation *from = operand.getDefiningOp();
          from && (walking.contains(from) || behind.contains(from)))
        behind.insert(op);
  }
  for (Operation *op : llvm::reverse(ops))
    for (Operation *user : op->getUsers())
      if (walking.contains(user) || ahead.contains(user))
        ahead.insert(op);
  InnerWalk walk;
  SmallPtrSet<Operation *, 16> taken;
  for (Operation *op : ops)
    if (walking.contains(op) || (behind.contains(op) && ahead.contains(op))) {
      walk.ops.push_back(op);
      taken.insert(op);
    }
  for (Operation *op : walk.ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !taken.contains(
                op->getBlock()->findAncestorOpInBlock(*user));
          }))
        walk.outputs.push_back(result);
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
    if (llvm::any_of(op.getOperands(), [&](Value operand) {
          Operation *from = operand.getDefiningOp();
          return from &&
                 (users.contains(from) || llvm::is_contained(walk.ops, from));
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

} // namespace napkin::algebra
