//===- NCDToTile.cpp - The pass ncd-lower-to-tile -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelLowering.h"
#include "napkin/Conversion/Passes.h"

using namespace mlir;
using namespace napkin;

namespace napkin {
#define GEN_PASS_DEF_NCDLOWERTOTILEPASS
#include "napkin/Conversion/Passes.h.inc"
} // namespace napkin

namespace {
struct NCDLowerToTile
    : public napkin::impl::NCDLowerToTilePassBase<NCDLowerToTile> {
  void runOnOperation() override {
    for (ncd::DiagramOp diagram :
         llvm::make_early_inc_range(getOperation().getOps<ncd::DiagramOp>())) {
      if (failed(lowerDiagram(diagram)))
        return signalPassFailure();
      diagram.erase();
    }
  }

  LogicalResult lowerDiagram(ncd::DiagramOp diagram) {
    Block &body = diagram.getBody().front();
    for (Operation &op : body.without_terminator())
      if (!isa<ncd::KernelOp>(op))
        return op.emitError() << "is not in a kernel; run ncd-schedule first";
    SmallVector<ncd::KernelOp> kernels(body.getOps<ncd::KernelOp>());
    OpBuilder builder(diagram);
    for (auto [index, kernel] : llvm::enumerate(kernels)) {
      std::string name = diagram.getSymName().str();
      if (kernels.size() > 1)
        name += "_" + std::to_string(index);
      if (kernel.getEntry())
        name = kernel.getEntry()->str();
      if (failed(KernelLowering(builder, kernel).lower(name)))
        return failure();
    }
    return success();
  }
};
} // namespace
