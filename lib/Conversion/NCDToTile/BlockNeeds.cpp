//===- BlockNeeds.cpp - What the block of a kernel takes ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Conversion/BlockNeeds.h"
#include "mlir/Pass/PassManager.h"
#include "napkin/Algebra/Passes.h"
#include "napkin/Conversion/Passes.h"
#include "napkin/Dialect/Tile/IR/SharedMemory.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"
#include "napkin/Target/Target.h"

using namespace mlir;
using namespace napkin;

void napkin::addTileProgramPasses(OpPassManager &passes, StringRef target) {
  passes.addPass(createNCDLowerToTilePass());
  OpPassManager &kernels = passes.nest<tile::KernelOp>();
  kernels.addPass(tile::createTileWalkGridPass());
  kernels.addPass(tile::createTileJoinProductsPass());
  kernels.addPass(tile::createTileSpreadSumsPass());
  tile::TileAssignLayoutsPassOptions layouts;
  layouts.target = target.str();
  kernels.addPass(tile::createTileAssignLayoutsPass(layouts));
  kernels.addPass(tile::createTileMakeRingsPass());
}

/// The passes from a kernel that the schedule has formed to its tile program.
static void addPasses(OpPassManager &passes, StringRef target, bool allowTF32) {
  passes.addPass(algebra::createNCDDeriveStreamPass());
  passes.addPass(algebra::createNCDBoundStreamsPass());
  passes.addPass(schedule::createSplitStreamsPass());
  schedule::ChooseInstructionsPassOptions instructions;
  instructions.target = target.str();
  instructions.allowTF32 = allowTF32;
  passes.addPass(schedule::createChooseInstructionsPass(instructions));
  addTileProgramPasses(passes, target);
}

/// Whether each operand of maps and reductions of \p kernel lies in the threads
/// in which its user wants it; the emitter takes nothing else.
static bool layoutsFit(tile::KernelOp kernel) {
  auto layoutOf = [](Value value) {
    return cast<tile::TileType>(value.getType()).getLayout().getLayout();
  };
  auto slice = [&](Value whole, Value part) {
    auto type = cast<tile::TileType>(whole.getType());
    auto smaller = cast<tile::TileType>(part.getType());
    return layoutOf(whole).slice(type.getShape(), smaller.getShape(),
                                 type.axisMapTo(smaller));
  };
  auto fits = [&](const layout::LinearLayout &wanted, Value part) {
    for (layout::Place place : {layout::Place::Lane, layout::Place::Warp})
      if (wanted.getBases(place) != layoutOf(part).getBases(place))
        return false;
    return llvm::all_of(wanted.getBases(layout::Place::Register),
                        [&](uint32_t image) {
                          return layoutOf(part).registerFor(image).has_value();
                        });
  };
  return !kernel
              .walk([&](Operation *op) {
                bool good = true;
                if (auto map = dyn_cast<tile::MapOp>(op))
                  for (Value input : map.getInputs())
                    good &= fits(slice(map.getResult(), input), input);
                if (auto reduce = dyn_cast<tile::ReduceOp>(op))
                  good = fits(reduce.foldedLayout(layoutOf(reduce.getInput())),
                              reduce.getResult());
                return good ? WalkResult::advance() : WalkResult::interrupt();
              })
              .wasInterrupted();
}

static std::optional<schedule::BlockNeeds>
measure(ModuleOp module, StringRef target, bool allowTF32) {
  if (!target::lookupTarget(target))
    return std::nullopt;
  PassManager passes(module.getContext(), ModuleOp::getOperationName());
  passes.enableVerifier(false);
  addPasses(passes, target, allowTF32);
  schedule::BlockNeeds needs;
  if (failed(passes.run(module))) {
    // Not tested: whoever refuses says why, and that takes the place of this.
    needs.refusal = "it cannot be lowered";
    return needs;
  }
  for (tile::KernelOp kernel : module.getOps<tile::KernelOp>()) {
    // Not tested: no partition is known of which that would be true.
    if (!layoutsFit(kernel))
      needs.refusal = "the threads of its values do not fit together";
    // Of a split kernel the one that merges comes second.
    bool isFirst = kernel == *module.getOps<tile::KernelOp>().begin();
    (isFirst ? needs.sharedBytes : needs.mergeSharedBytes) =
        tile::planSharedMemory(kernel).bytes;
  }
  return needs;
}

schedule::BlockCompiler napkin::blockCompiler(bool allowTF32) {
  return {[allowTF32](ModuleOp module, StringRef target) {
            return measure(module, target, allowTF32);
          },
          [](DialectRegistry &registry) {
            OpPassManager passes(ModuleOp::getOperationName());
            addPasses(passes, "sm_80", /*allowTF32=*/false);
            passes.getDependentDialects(registry);
          }};
}
