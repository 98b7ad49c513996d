//===- ChooseInstructions.cpp - which instruction multiplies --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass ncd-choose-instructions: writes on every contract of a kernel what
// the schedule has counted on. It runs behind ncd-derive-stream, which writes
// contracts anew.
//
//===----------------------------------------------------------------------===//

#include "ContractShape.h"
#include "napkin/Schedule/Passes.h"

namespace napkin::schedule {
#define GEN_PASS_DEF_CHOOSEINSTRUCTIONSPASS
#include "napkin/Schedule/Passes.h.inc"
} // namespace napkin::schedule

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

/// What a block has of an axis of \p size at a time.
static int64_t partOf(ncd::KernelOp kernel, StringAttr axis, int64_t size) {
  if (std::optional<int64_t> tile = kernel.groupSize(axis))
    return *tile;
  if (kernel.getStreamAxis() == axis)
    return kernel.getStreamSize().value_or(size);
  return size;
}

namespace {
struct ChooseInstructions
    : schedule::impl::ChooseInstructionsPassBase<ChooseInstructions> {
  using ChooseInstructionsPassBase::ChooseInstructionsPassBase;

  void runOnOperation() override {
    const target::TargetDescription *description = target::lookupTarget(target);
    if (!description) {
      getOperation()->emitError() << "unknown target '" << target
                                  << "'; known are " << target::knownTargets();
      return signalPassFailure();
    }
    getOperation()->walk([&](ncd::ContractOp contract) {
      auto kernel = contract->getParentOfType<ncd::KernelOp>();
      if (!kernel || contract.getInstruction())
        return;
      auto extentOf = [&](StringAttr axis, int64_t size) {
        return partOf(kernel, axis, size);
      };
      if (!shapeOf(contract, extentOf).isMatrix())
        return;
      if (const auto *row = instructionOf(contract, *description, allowTF32))
        contract.setInstruction(row->name);
    });
  }
};
} // namespace
