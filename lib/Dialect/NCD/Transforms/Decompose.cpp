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
      FailureOr<SmallVector<Value>> values = op.decompose(rewriter);
      if (failed(values))
        return signalPassFailure();
      rewriter.replaceOp(op, *values);
      ++numDecomposed;
    }
  }
};

} // namespace
