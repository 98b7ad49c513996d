//===- TileTypes.td - tiles, views, rings, layouts -*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile is a block's part of an array, spread over the registers of its
// threads; a ring is a row of slots for tiles in shared memory; a view is the
// part of an array in global memory that a transfer touches.
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
    are powers of two or multiples of 16: a tile may reach past the end of its
    array, where loads give zero and stores write nothing. Once known, the layout
    follows.

    Preconditions: axis names differ; sizes are powers of two, at least 2, or
    multiples of 16; the layout, if given, reaches every element, and only its
    registers say in which of the 3 cores of 32 a position of 96 lies.

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

def Tile_ViewType : Tile_Type<"View", "view"> {
  let summary = "part of an array in global memory that one transfer touches";
  let description = [{
    `!tile.view<x=64, d=128, bf16>`: the axes along which the view has more than
    one position, with their sizes, and the type of the elements. It is the type
    of what `tile.view` gives; where the part begins and ends is said there.

    Preconditions: as for `!tile.tile`.

    Example:

    ```mlir
    !chunk = !tile.view<x=64, d=128, bf16>
    ```
  }];
  let parameters = (ins
    Tile_ListParam<"::mlir::StringAttr", "names of the axes, slowest first">:$axes,
    Tile_ListParam<"int64_t", "sizes of the axes in elements">:$sizes,
    Tile_Param<"::mlir::Type", "type of the elements">:$elementType);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The sizes as a shape of bits.
    ::napkin::layout::TileShape getShape() const {
      return ::napkin::layout::TileShape(getSizes());
    }
  }];
}

def Tile_SmemAttr : Tile_Attr<"Smem", "smem"> {
  let summary = "how a tile lies in shared memory";
  let description = [{
    Row major, in one of two ways that keep the rows that `ldmatrix` reads at once
    in different banks:

    * `swizzle = 128`: the 16-byte columns of each line of 128 bytes are permuted
      by the row (an XOR). Takes no more memory; the addresses of a thread differ
      from those of its neighbour by an XOR, so each needs a register.
    * `pad = 16`: so many bytes are left free behind each row. All addresses of a
      thread are one register and an immediate.

    Preconditions: one of the two; swizzle is 128, pad is 16.

    Example:

    ```mlir
    #tile.smem<swizzle = 128>
    ```
  }];
  let parameters = (ins
    Tile_Param<"int64_t", "bytes of a line whose columns are permuted, or 0">:$swizzle,
    Tile_Param<"int64_t", "bytes behind each row, or 0">:$pad);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

/// What a ring and a slot of it have in common.
class Tile_SharedType<string name, string typeMnemonic> : Tile_Type<name, typeMnemonic> {
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  code shapeMembers = [{
    /// The sizes as a shape of bits.
    ::napkin::layout::TileShape getShape() const {
      return ::napkin::layout::TileShape(getSizes());
    }
    /// Byte of each element within a slot.
    ::napkin::layout::SharedLayout getSharedLayout() const;
  }];
}

def Tile_RingType : Tile_SharedType<"Ring", "ring"> {
  let summary = "slots in shared memory that are filled and emptied in turn";
  let description = [{
    `!tile.ring<2 x (x=64, d=128), bf16, #tile.smem<swizzle = 128>>`: two slots of
    64 x 128 elements each. Trip t of the ring goes through slot t mod 2: whoever
    fills acquires and publishes trips 0, 1, 2, ..., whoever reads awaits and
    releases the same ones. What makes that safe (counts of copies, barriers) is
    the ring's own business and derived by `tile-expand-loops`.

    Preconditions: 1 to 16 slots; sizes as for `!tile.tile`; elements of 1, 2, 4
    or 8 bytes.

    Example:

    ```mlir
    %ring = tile.ring : !tile.ring<2 x (x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    ```
  }];
  let parameters = (ins
    Tile_Param<"int64_t", "number of slots">:$slots,
    Tile_ListParam<"::mlir::StringAttr", "names of the axes, slowest first">:$axes,
    Tile_ListParam<"int64_t", "sizes of the axes in elements">:$sizes,
    Tile_Param<"::mlir::Type", "type of the elements">:$elementType,
    Tile_Param<"::napkin::tile::SmemAttr", "how a slot lies in memory">:$smem);
  let extraClassDeclaration = shapeMembers # [{
    /// Bytes of one slot.
    int64_t getSlotBytes() const;
    /// The type of one slot.
    SlotType getSlotType() const;
  }];
}

def Tile_SlotType : Tile_SharedType<"Slot", "slot"> {
  let summary = "one slot of a ring";
  let description = [{
    What `tile.acquire` gives to be filled and `tile.await` to be read.

    Preconditions: those of `!tile.ring`.

    Example:

    ```mlir
    !slot = !tile.slot<(x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    ```
  }];
  let parameters = (ins
    Tile_ListParam<"::mlir::StringAttr", "names of the axes, slowest first">:$axes,
    Tile_ListParam<"int64_t", "sizes of the axes in elements">:$sizes,
    Tile_Param<"::mlir::Type", "type of the elements">:$elementType,
    Tile_Param<"::napkin::tile::SmemAttr", "how a slot lies in memory">:$smem);
  let extraClassDeclaration = shapeMembers;
}

def Tile_PendingType : Tile_Type<"Pending", "pending"> {
  let summary = "a product that has been started and not waited for";
  let description = [{
    `!tile.pending<!tile.tile<q=64, x=128, f32>>`: what `tile.mma.start` gives. Only
    `tile.mma.wait` makes a tile of it; a loop may carry it to the next trip.

    Example:

    ```mlir
    %p = tile.mma.start %q, %k, %zero by "mma.m16n8k16.bf16" : !tile.tile<q=64, d=64, bf16>, !tile.tile<x=64, d=64, bf16>, !tile.tile<q=64, x=64, f32>
    %s = tile.mma.wait %p : !tile.pending<!tile.tile<q=64, x=64, f32>>
    ```
  }];
  let parameters = (ins Tile_Param<"::napkin::tile::TileType", "the tile that it will be">:$tile);
  let assemblyFormat = "`<` qualified($tile) `>`";
}

def Tile_TurnType : Tile_Type<"Turn", "turn"> {
  let summary = "whose turn it is among the instances of a role";
  let description = [{
    What `tile.turn` gives; see there.

    Example:

    ```mlir
    %t = tile.turn : !tile.turn
    ```
  }];
}

#endif // NAPKIN_DIALECT_TILE_IR_TILETYPES_TD
