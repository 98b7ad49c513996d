//===- Decompose.cpp - replace operations by their definitions ------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass ncd-decompose.
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Dialect/NCD/Transforms/Passes.h"

namespace napkin::ncd {
#define GEN_PASS_DEF_NCDDECOMPOSEPASS
#include "napkin/Dialect/NCD/Transforms/Passes.h.inc"
} // namespace napkin::ncd

using namespace mlir;
using namespace napkin::ncd;

namespace {

struct NCDDecompose : napkin::ncd::impl::NCDDecomposePassBase<NCDDecompose> {
  void runOnOperation() override {
    SmallVector<DecomposableOpInterface> ops;
    getOperation()->walk(
        [&](DecomposableOpInterface op) { ops.push_back(op); });
    IRRewriter rewriter(&getContext());
    for (DecomposableOpInterface op : ops) {
      rewriter.setInsertionPoint(op);
      Operation *before = op->getPrevNode();
      FailureOr<SmallVector<Value>> values = op.decompose(rewriter);
      if (failed(values))
        return signalPassFailure();
      // What is pinned of an operation is pinned of all that it is made of.
      if (Attribute pin = op->getAttr("ncd.pin"))
        for (Operation *part = before ? before->getNextNode()
                                      : &op->getBlock()->front();
             part != op; part = part->getNextNode())
          part->setAttr("ncd.pin", pin);
      rewriter.replaceOp(op, *values);
      ++numDecomposed;
    }
  }
};

} // namespace
