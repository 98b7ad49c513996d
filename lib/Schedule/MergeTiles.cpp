//===- MergeTiles.cpp - tiles of a kernel that merges ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Schedule/MergeTiles.h"
#include "napkin/Schedule/Evaluate.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"
#include <fmt/format.h>

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

// One warp has 4 elements a thread, which move in one copy of 16 bytes.
static constexpr int64_t blockElements = MergeShape::blockElements;
/// Axes along which a tile is longer than one position.
static constexpr unsigned tileDimensions = 2;

namespace {
/// An axis of the kernel.
struct AxisTile {
  int64_t size = 1, tile = 1;
  bool isCut = true;
};
} // namespace

using AxisTiles = llvm::MapVector<StringAttr, AxisTile>;

/// The axes of what \p merge computes, all cut that may be. Nothing where
/// something is multiplied or folded.
static std::optional<AxisTiles> axesOf(ncd::KernelOp merge, StringRef parts) {
  AxisTiles axes;
  bool plain = true;
  merge.getBody().walk([&](mlir::Operation *op) {
    plain &= isa<ncd::StreamOp, ncd::MapOp, ncd::YieldOp>(op) ||
             !isa<ncd::NCDDialect>(op->getDialect()) ||
             op->getParentOfType<ncd::MapOp>();
    for (Type type : op->getResultTypes())
      if (auto array = dyn_cast<ncd::ArrayType>(type))
        for (auto [axis, size] :
             llvm::zip_equal(array.getAxes(), array.getSizes()))
          axes[axis].size = size;
  });
  if (!plain)
    return std::nullopt;
  for (auto &[axis, tile] : axes)
    for (Type type : merge.getResultTypes())
      tile.isCut &= cast<ncd::ArrayType>(type).hasAxis(axis);
  // The storage order of the widest result: its last axes are neighbours.
  ncd::ArrayType widest;
  for (Type type : merge.getResultTypes())
    if (auto array = cast<ncd::ArrayType>(type);
        !widest || array.getRank() > widest.getRank())
      widest = array;
  AxisTiles ordered;
  for (StringAttr axis : widest.getAxes())
    ordered.insert({axis, axes.lookup(axis)});
  for (auto &[axis, tile] : axes)
    ordered.insert({axis, tile});
  return ordered;
}

/// Makes the tiles of the innermost axes longer until a block is full. Returns
/// its elements, or 0 where more axes stay whole than a tile has dimensions.
static int64_t growTiles(AxisTiles &axes) {
  int64_t elements = 1;
  unsigned dimensions = 0;
  for (auto &[axis, tile] : axes) {
    if (tile.isCut)
      continue;
    tile.tile = tile.size;
    elements *= int64_t(llvm::PowerOf2Ceil(uint64_t(tile.size)));
    dimensions += tile.size > 1;
  }
  if (dimensions > tileDimensions)
    return 0;
  for (auto &[axis, tile] : llvm::reverse(axes)) {
    if (!tile.isCut || tile.size == 1 || dimensions == tileDimensions ||
        elements >= blockElements)
      continue;
    int64_t positions = std::min<int64_t>(
        llvm::PowerOf2Ceil(uint64_t(tile.size)), blockElements / elements);
    elements *= positions;
    tile.tile = std::min(positions, tile.size);
    ++dimensions;
  }
  return elements;
}

MergeNotes napkin::schedule::setMergeTiles(ncd::KernelOp merge,
                                           ncd::KernelOp source) {
  Builder builder(merge.getContext());
  ncd::StreamOp stream =
      *merge.getBody().front().getOps<ncd::StreamOp>().begin();
  int64_t parts = *merge.getAxisSize(stream.getAxis()), warps = 1, underWay = 0;
  std::optional<AxisTiles> axes = axesOf(merge, stream.getAxis());
  int64_t elements = axes ? growTiles(*axes) : 0;
  if (elements) {
    while (warps < 8 && elements > warps * blockElements)
      warps *= 2;
    SmallVector<StringAttr> names;
    SmallVector<Attribute> order;
    SmallVector<int64_t> sizes;
    for (auto &[axis, tile] : *axes)
      if (tile.isCut) {
        names.push_back(axis);
        order.push_back(axis);
        sizes.push_back(tile.tile);
      }
    merge.setGroupAttr(
        ncd::PartitionAttr::get(merge.getContext(), names, sizes));
    merge.setOrderAttr(builder.getArrayAttr(order));
  } else {
    merge.setGroupAttr(source.getGroupAttr());
    merge.setOrderAttr(source.getOrderAttr());
    merge.setRowsAttr(source.getRowsAttr());
    merge.setRowWarpsAttr(source.getRowWarpsAttr());
    warps = source.getWarps().value_or(4);
  }
  for (Type type : stream.getState().getAsValueRange<TypeAttr>()) {
    auto array = cast<ncd::ArrayType>(type);
    int64_t held = 1;
    for (auto [axis, size] : llvm::zip_equal(array.getAxes(), array.getSizes()))
      held *= llvm::PowerOf2Ceil(uint64_t(merge.partOf(axis, size)));
    underWay += llvm::divideCeil(held, warps * 32);
  }
  int64_t steps = llvm::bit_floor(uint64_t(std::clamp<int64_t>(
      MergeShape::elementsUnderWay / underWay, 1, MergeShape::mostSteps)));
  merge.setStreamAttr(ncd::PartitionAttr::get(
      merge.getContext(), {stream.getAxisAttr()}, {std::min(steps, parts)}));
  merge.setWarpsAttr(builder.getI32IntegerAttr(int32_t(warps)));
  merge.setStagesAttr(builder.getI32IntegerAttr(int32_t(MergeShape::stages)));
  MergeNotes notes;
  notes.registers = (std::min(steps, parts) + 1) * underWay;
  std::string axis = stream.getAxis().str();
  Reason tiles{ncd::Cause::LikeParts};
  if (elements)
    tiles = {ncd::Cause::Elements, {elements}};
  notes.choices.push_back({ncd::Subject::Group, "", 0, {tiles}});
  notes.choices.push_back({ncd::Subject::Stream,
                           axis,
                           std::min(steps, parts),
                           {{ncd::Cause::UnderWay, {parts}}}});
  return notes;
}
