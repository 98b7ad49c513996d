//===- SharedMemory.cpp - The shared memory of a tile program -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Dialect/Tile/IR/SharedMemory.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

bool napkin::tile::keepsThreads(ConvertOp convert) {
  LinearLayout from = convert.getInput().getType().getLayout().getLayout();
  LinearLayout to = convert.getResult().getType().getLayout().getLayout();
  if (from.getBases(Place::Lane) != to.getBases(Place::Lane) ||
      from.getBases(Place::Warp) != to.getBases(Place::Warp))
    return false;
  for (unsigned reg = 0; reg < to.numRegisters(); ++reg)
    if (!from.registerFor(to.apply(Place::Register, reg)))
      return false;
  return true;
}

bool napkin::tile::isFactorConvert(Operation *op) {
  auto convert = dyn_cast<ConvertOp>(op);
  return convert && llvm::any_of(op->getUsers(), llvm::IsaPred<MmaOp>) &&
         !keepsThreads(convert);
}

int64_t napkin::tile::scratchBytes(Operation &op) {
  if (auto convert = dyn_cast<ConvertOp>(op)) {
    TileType type = convert.getInput().getType();
    return keepsThreads(convert)
               ? 0
               : type.getShape().elements() *
                     int64_t(ncd::elementBytes(type.getElementType()));
  }
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    TileType input = reduce.getInput().getType();
    unsigned axis = *input.axisIndex(reduce.getAxis());
    LinearLayout layout = input.getLayout().getLayout();
    bool crossesWarps =
        llvm::any_of(layout.getBases(Place::Warp), [&](uint32_t image) {
          return input.getShape().coordinate(image, axis) != 0;
        });
    if (!crossesWarps)
      return 0;
    TileType type = reduce.getResult().getType();
    int64_t warps = int64_t(1) << layout.bits(Place::Warp);
    return warps * (int64_t(1) << type.getShape().totalBits()) *
           int64_t(ncd::elementBytes(type.getElementType()));
  }
  return 0;
}

int64_t napkin::tile::slotStride(RingType type) {
  return llvm::alignTo(type.getSlotBytes(), 16);
}

/// Calls \p use for the operations that may be the last to need what \p op
/// reads: products, and factors that are made as they are written.
static void forLateUses(Operation *op,
                        llvm::function_ref<void(Operation *)> use) {
  for (Operation *user : op->getUsers())
    if (isa<MmaOp>(user) || isFactorConvert(user))
      use(user);
    else if (isa<MapOp>(user))
      forLateUses(user, use);
}

SharedMemory napkin::tile::planSharedMemory(KernelOp kernel) {
  SharedMemory result;
  // Rings live for the whole kernel. Scratch for layout changes comes after
  // them, except once no ring is touched any more: then it takes their place.
  int64_t rings = 0, scratchWhileLive = 0, scratchAfter = 0;
  Operation *lastUse = nullptr;
  Block &body = kernel.getBody().front();
  kernel.walk([&](Operation *op) {
    if (auto ring = dyn_cast<RingOp>(op)) {
      RingType type = ring.getRing().getType();
      result.ringOffsets[ring.getRing()] = rings;
      rings += llvm::alignTo(slotStride(type) * type.getSlots(), 1024);
    }
    // A read may be emitted as late as its last user.
    auto touches = [&](Operation *user) {
      Operation *top = body.findAncestorOpInBlock(*user);
      if (!lastUse || lastUse->isBeforeInBlock(top))
        lastUse = top;
    };
    if (isa<CopyOp, ReadOp>(op))
      touches(op);
    if (isa<ReadOp>(op))
      forLateUses(op, touches);
  });
  kernel.walk([&](Operation *op) {
    int64_t bytes = scratchBytes(*op);
    if (!bytes)
      return;
    Operation *top = body.findAncestorOpInBlock(*op);
    bool after = !lastUse || (lastUse != top && lastUse->isBeforeInBlock(top));
    if (after)
      result.afterRings.insert(op);
    int64_t &scratch = after ? scratchAfter : scratchWhileLive;
    scratch = std::max(scratch, bytes);
  });
  result.scratchOffset = rings;
  result.bytes = std::max(rings + scratchWhileLive, scratchAfter);
  return result;
}
