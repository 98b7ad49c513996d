//===- TileTypes.td - tiles in registers, buffers, layouts -*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile is a block's part of an array, spread over the registers of its
// threads; a buffer is a ring of tiles in shared memory.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_TILE_IR_TILETYPES_TD
#define NAPKIN_DIALECT_TILE_IR_TILETYPES_TD

include "napkin/Dialect/Tile/IR/TileDialect.td"

def Tile_LayoutAttr : Tile_Attr<"Layout", "layout"> {
  let summary = "where in a block each element of a tile lives";
  let description = [{
    A linear map over bits from (register, lane, warp) to the row-major index of
    an element (include/napkin/Layout/LinearLayout.h): each list holds the images
    of the bits of one place, lowest bit first, and images are combined by XOR.
    A zero says that the threads which differ in that bit share the value.

    Example:

    ```mlir
    // The accumulator of mma.m16n8k16: c0..c3 and 32 lanes over 16 x 8.
    #tile.layout<register = [1, 64], lane = [2, 4, 8, 16, 32], warp = []>
    ```
  }];
  let parameters = (ins
    Tile_ListParam<"int32_t", "images of the register bits">:$registers,
    Tile_ListParam<"int32_t", "images of the lane bits">:$lanes,
    Tile_ListParam<"int32_t", "images of the warp bits">:$warps);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// The attribute of \p layout.
    static LayoutAttr get(::mlir::MLIRContext *context,
                          const ::napkin::layout::LinearLayout &layout);
    /// The layout that the attribute holds.
    ::napkin::layout::LinearLayout getLayout() const;
  }];
}

def Tile_TileType : Tile_Type<"Tile", "tile"> {
  let summary = "part of an array, in the registers of a block";
  let description = [{
    `!tile.tile<q=128, x=64, f32>`: axes with the tile's size along each, and the
    element type. Axes along which the tile has one position are left out. Sizes
    are powers of two: a tile may reach past the end of its array, where loads
    give zero and stores write nothing. Once known, the layout follows.

    Preconditions: axis names differ; sizes are powers of two, at least 2; the
    layout, if given, reaches every element.

    Example:

    ```mlir
    !scores = !tile.tile<q=16, x=8, f32, #tile.layout<register = [1, 64], lane = [2, 4, 8, 16, 32], warp = []>>
    ```
  }];
  let parameters = (ins
    Tile_ListParam<"::mlir::StringAttr", "names of the axes, slowest first">:$axes,
    Tile_ListParam<"int64_t", "sizes of the axes in elements">:$sizes,
    Tile_Param<"::mlir::Type", "type of the elements">:$elementType,
    Tile_Param<"::napkin::tile::LayoutAttr", "layout, or null while unknown">:$layout);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Position of the axis called \p axis, or nullopt when it is not carried.
    std::optional<unsigned> axisIndex(::llvm::StringRef axis) const;
    /// Number of axes.
    unsigned getRank() const { return getAxes().size(); }
    /// The sizes as a shape of bits.
    ::napkin::layout::TileShape getShape() const {
      return ::napkin::layout::TileShape(getSizes());
    }
    /// The same tile with \p layout.
    TileType withLayout(const ::napkin::layout::LinearLayout &layout) const;
    /// Positions in this type of the axes of \p smaller. Requires: all carried.
    ::llvm::SmallVector<unsigned> axisMapTo(TileType smaller) const;
  }];
}

def Tile_BufferType : Tile_Type<"Buffer", "buffer"> {
  let summary = "ring of tiles in shared memory";
  let description = [{
    `!tile.buffer<2 x (x=64, d=128), bf16>`: two slots of 64 x 128 elements each,
    row major, swizzled so that eight consecutive rows lie in different 16-byte
    columns of a 128-byte line.

    Preconditions: at least one slot; sizes are powers of two; elements of 1, 2,
    4 or 8 bytes.

    Example:

    ```mlir
    %ring = tile.alloc : !tile.buffer<2 x (x=64, d=128), bf16>
    ```
  }];
  let parameters = (ins
    Tile_Param<"int64_t", "number of slots">:$slots,
    Tile_ListParam<"::mlir::StringAttr", "names of the axes, slowest first">:$axes,
    Tile_ListParam<"int64_t", "sizes of the axes in elements">:$sizes,
    Tile_Param<"::mlir::Type", "type of the elements">:$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Bytes of one slot.
    int64_t getSlotBytes() const;
    /// The sizes as a shape of bits.
    ::napkin::layout::TileShape getShape() const {
      return ::napkin::layout::TileShape(getSizes());
    }
    /// Byte of each element within a slot.
    ::napkin::layout::SharedLayout getSharedLayout() const;
  }];
}

#endif // NAPKIN_DIALECT_TILE_IR_TILETYPES_TD
