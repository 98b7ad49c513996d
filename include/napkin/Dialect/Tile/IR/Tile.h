//===- Tile.h - The tile dialect: types and operations ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that the tile dialect defines, in one include.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_DIALECT_TILE_IR_TILE_H
#define NAPKIN_DIALECT_TILE_IR_TILE_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Layout/LinearLayout.h"
#include "napkin/Target/Target.h"

#include "napkin/Dialect/Tile/IR/TileDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "napkin/Dialect/Tile/IR/TileAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "napkin/Dialect/Tile/IR/TileTypes.h.inc"

namespace napkin::tile {

/// What a view says of one axis of its array.
struct ViewDimension {
  mlir::Value offset;  ///< first position, in elements; null: 0
  int64_t extent = 1;  ///< number of positions
  mlir::Value limit{}; ///< first position that does not count; null: the size
  mlir::Value index{}; ///< array through which positions are looked up, or null
};

class NextOp;
class ViewOp;

} // namespace napkin::tile

#define GET_OP_CLASSES
#include "napkin/Dialect/Tile/IR/TileOps.h.inc"

namespace napkin::tile {

/// Whether a tile may have so many positions along an axis: a power of two, or
/// a multiple of 16, which an instruction's granules fill without a rest.
bool isTileSize(int64_t size);

/// The axis of \p whole in whose place \p part has another one, with positions
/// from \p from on; nullopt where the types differ in another way, not at all,
/// or where the positions lie outside.
std::optional<unsigned> partAxis(TileType whole, TileType part, int64_t from);

/// Checks that every tile in \p kernel has a layout; emits an error at the
/// first operation that has one without.
mlir::LogicalResult verifyLayouts(KernelOp kernel);

} // namespace napkin::tile

#endif // NAPKIN_DIALECT_TILE_IR_TILE_H
