//===- Slots.cpp - which loads pass through shared memory -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Slots.h"
#include "napkin/Dialect/Tile/IR/Positions.h"
#include "napkin/Target/Target.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

bool napkin::tile::mayHaveSlot(LoadOp load) {
  return load.getTile().getType().getElementType().getIntOrFloatBitWidth() >= 8;
}

bool napkin::tile::wantsSlot(LoadOp load) {
  if (!mayHaveSlot(load))
    return false;
  TileType type = load.getTile().getType();
  for (Operation *user : load->getUsers())
    if (isa<ConvertOp, MmaOp, PartOp>(user))
      return true;
  LinearLayout layout = type.getLayout().getLayout();
  return layout.replicatedBits(Place::Lane) ||
         layout.replicatedBits(Place::Warp);
}

bool napkin::tile::feedsFactor(Value tile) {
  return llvm::any_of(tile.getUsers(), [](Operation *user) {
    if (auto map = dyn_cast<MapOp>(user))
      return feedsFactor(map.getResult());
    auto convert = dyn_cast<ConvertOp>(user);
    return convert && llvm::any_of(convert->getUsers(), llvm::IsaPred<MmaOp>);
  });
}

RingType napkin::tile::ringType(LoadOp load, int64_t slots, KernelOp kernel) {
  TileType type = load.getTile().getType();
  unsigned bytes = bytesOf(type.getElementType()), pad = 0;
  if (kernel.getPadded() && type.getRank() > 1 &&
      llvm::none_of(load->getUsers(), llvm::IsaPred<MapOp>))
    pad = target::roomBehindRow(type.getSizes().back() * bytes, bytes);
  auto smem = SmemAttr::get(kernel.getContext(), pad ? 0 : 128, pad);
  return RingType::get(kernel.getContext(), slots, type.getAxes(),
                       type.getSizes(), type.getElementType(), smem);
}
