//===- TileToNVVM.cpp - The pass tile-lower-to-nvvm -----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "KernelEmitter.h"
#include "napkin/Conversion/Passes.h"
#include "napkin/Dialect/Tile/IR/Transfers.h"

using namespace mlir;
using namespace napkin;

namespace napkin {
#define GEN_PASS_DEF_TILELOWERTONVVMPASS
#include "napkin/Conversion/Passes.h.inc"
} // namespace napkin

namespace {

/// Name of the one array of dynamic shared memory; its size is the launch's.
constexpr llvm::StringLiteral sharedName = "napkin_shared";

struct TileLowerToNVVM
    : public napkin::impl::TileLowerToNVVMPassBase<TileLowerToNVVM> {
  using TileLowerToNVVMPassBase::TileLowerToNVVMPassBase;

  void runOnOperation() override {
    const target::TargetDescription *description = target::lookupTarget(target);
    if (!description) {
      getOperation().emitError() << "unknown target '" << target
                                 << "'; known are " << target::knownTargets();
      return signalPassFailure();
    }
    SmallVector<tile::KernelOp> kernels(
        getOperation().getOps<tile::KernelOp>());
    if (kernels.empty())
      return;
    for (tile::KernelOp kernel : kernels)
      if (failed(tile::verifyLayouts(kernel)))
        return signalPassFailure();
    OpBuilder builder(&getContext());
    builder.setInsertionPoint(kernels.front());
    Location loc = getOperation().getLoc();
    auto module = gpu::GPUModuleOp::create(builder, loc, "napkin_kernels");
    builder.setInsertionPointToStart(module.getBody());
    auto bytes = LLVM::LLVMArrayType::get(builder.getI8Type(), 0);
    auto shared = LLVM::GlobalOp::create(
        builder, loc, bytes, /*isConstant=*/false, LLVM::Linkage::External,
        sharedName, Attribute(), /*alignment=*/1024,
        /*addrSpace=*/3);
    for (tile::KernelOp kernel : kernels) {
      builder.setInsertionPointToEnd(module.getBody());
      KernelEmitter emitter(builder, kernel, *description, shared);
      FailureOr<LLVM::LLVMFuncOp> function = emitter.emit();
      if (failed(function))
        return signalPassFailure();
      (*function)->setAttr("napkin.shared_bytes",
                           builder.getI64IntegerAttr(emitter.getSharedBytes()));
      if (auto bytes = tile::countTransfers(kernel)) {
        (*function)->setAttr("napkin.read_bytes",
                             builder.getI64IntegerAttr(bytes->read));
        (*function)->setAttr("napkin.written_bytes",
                             builder.getI64IntegerAttr(bytes->written));
      }
      (*function)->setAttr("napkin.blocks",
                           builder.getI64IntegerAttr(kernel.getNumBlocks()));
    }
    for (tile::KernelOp kernel : kernels)
      kernel.erase();
  }
};

} // namespace
