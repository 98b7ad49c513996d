//===- TileOps.td - operations of a tile program ----------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Transfers between memory levels, operations on tiles, and the explicit steps
// of a software pipeline.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_TILE_IR_TILEOPS_TD
#define NAPKIN_DIALECT_TILE_IR_TILEOPS_TD

include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "napkin/Dialect/NCD/IR/NCDAttrs.td"
include "napkin/Dialect/NCD/IR/NCDTypes.td"
include "napkin/Dialect/Tile/IR/TileTypes.td"

/// A list of axis names.
def Tile_AxisListAttr : TypedArrayAttrBase<StrAttr, "axis names">;

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

def Tile_KernelOp : Tile_Op<"kernel", [IsolatedFromAbove, SingleBlock, Symbol]> {
  let summary = "Say what each block of one launch does";
  let description = [{
    The block arguments are arrays in global memory, dense and row major: first
    those that are read, then `outputs` ones that are written. `group` cuts axes
    across the grid: the blocks enumerate the tiles of these axes, the first axis
    of `order` slowest, in a one-dimensional grid.

    Preconditions: arguments are arrays; `order` is a permutation of the axes of
    `group`; there is at least one output; `warps` is a power of two up to 32.

    Example:

    ```mlir
    tile.kernel @copy(%x: !ncd.array<n=256, f32>, %y: !ncd.array<n=256, f32>)
        group #ncd.partition<n=128> order ["n"] warps 4 outputs 1 {
      %t = tile.load %x : !ncd.array<n=256, f32> -> !tile.tile<n=128, f32>
      tile.store %t, %y : !tile.tile<n=128, f32>, !ncd.array<n=256, f32>
      tile.return
    }
    ```
  }];
  let arguments = (ins
    Tile_Arg<SymbolNameAttr, "name in the device code">:$sym_name,
    Tile_Arg<NCD_PartitionAttr, "tile sizes of a block">:$group,
    Tile_Arg<Tile_AxisListAttr, "axes of `group`, slowest first">:$order,
    Tile_Arg<I32Attr, "warps of a block">:$warps,
    Tile_Arg<I32Attr, "buffers of the software pipeline">:$stages,
    Tile_Arg<I32Attr, "number of trailing arguments that are written">:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Full size of the axis called \p axis, as some argument has it.
    std::optional<int64_t> getAxisSize(::llvm::StringRef axis);
    /// Blocks along the group axis called \p axis.
    int64_t getGridSize(::llvm::StringRef axis);
    /// Blocks in the launch.
    int64_t getNumBlocks();
    /// Threads in a block.
    int64_t getNumThreads() { return int64_t(getWarps()) * 32; }
  }];
}

def Tile_ReturnOp : Tile_Op<"return", [HasParent<"KernelOp">, Terminator]> {
  let summary = "End a tile program";
  let description = [{
    Ends the body of a kernel.

    Example:

    ```mlir
    tile.return
    ```
  }];
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// Transfers
//===----------------------------------------------------------------------===//

def Tile_LoadOp : Tile_Op<"load"> {
  let summary = "Read a tile from global memory";
  let description = [{
    Reads the block's tile of an array. Along a group axis the tile begins where
    the grid says, along an axis in `at` at the given position, along any other
    axis at 0. Elements past the end of the array are zero and not read.

    Preconditions: the tile's axes are the array's axes, less those along which
    it has one position, in the array's order.

    Example:

    ```mlir
    %t = tile.load %k at ["x" = %i] : !ncd.array<x=512, d=128, bf16> -> !tile.tile<x=64, d=128, bf16>
    ```
  }];
  let arguments = (ins
    Tile_Arg<NCD_ArrayType, "array in global memory">:$array,
    Tile_Arg<Variadic<Index>, "positions, in elements">:$positions,
    Tile_Arg<Tile_AxisListAttr, "axes of the positions">:$at,
    Tile_Arg<UnitAttr, "no element lies past the end along the axes in `at`">:$inside);
  let results = (outs Tile_Res<Tile_TileType, "the tile">:$tile);
  let assemblyFormat = [{
    $array custom<Positions>($positions, $at) (`inside` $inside^)? attr-dict `:` qualified(type($array)) `->` qualified(type($tile))
  }];
  let hasVerifier = 1;
}

def Tile_StoreOp : Tile_Op<"store"> {
  let summary = "Write a tile to global memory";
  let description = [{
    Writes the block's tile of an array; positions are those of `tile.load`.
    Elements past the end of the array are not written.

    Preconditions: as for `tile.load`.

    Example:

    ```mlir
    tile.store %t, %o : !tile.tile<q=128, d=128, bf16>, !ncd.array<q=512, d=128, bf16>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_TileType, "the tile">:$tile,
    Tile_Arg<NCD_ArrayType, "array in global memory">:$array,
    Tile_Arg<Variadic<Index>, "positions, in elements">:$positions,
    Tile_Arg<Tile_AxisListAttr, "axes of the positions">:$at);
  let assemblyFormat = [{
    $tile `,` $array custom<Positions>($positions, $at) attr-dict `:` qualified(type($tile)) `,` qualified(type($array))
  }];
  let hasVerifier = 1;
}

def Tile_AllocOp : Tile_Op<"alloc"> {
  let summary = "Reserve a ring of tiles in shared memory";
  let description = [{
    Gives a buffer for the whole life of the kernel; its contents are undefined.

    Example:

    ```mlir
    %ring = tile.alloc : !tile.buffer<2 x (x=64, d=128), bf16>
    ```
  }];
  let results = (outs Tile_Res<Tile_BufferType, "the buffer">:$buffer);
  let assemblyFormat = "attr-dict `:` qualified(type($buffer))";
}

def Tile_CopyOp : Tile_Op<"copy"> {
  let summary = "Start copying a tile from global to shared memory";
  let description = [{
    Starts an asynchronous copy of the block's tile of an array into one slot of
    a buffer; positions and elements past the end are those of `tile.load`. The
    copy belongs to the next `tile.commit`.

    Preconditions: as for `tile.load`, with the buffer's axes; nothing reads the
    slot before a `tile.wait` and a `tile.barrier`.

    Example:

    ```mlir
    tile.copy %k at ["x" = %i] into %ring[%slot] : !ncd.array<x=512, d=128, bf16>, !tile.buffer<2 x (x=64, d=128), bf16>
    ```
  }];
  let arguments = (ins
    Tile_Arg<NCD_ArrayType, "array in global memory">:$array,
    Tile_Arg<Variadic<Index>, "positions, in elements">:$positions,
    Tile_Arg<Tile_AxisListAttr, "axes of the positions">:$at,
    Tile_Arg<Tile_BufferType, "buffer in shared memory">:$buffer,
    Tile_Arg<Index, "slot of the buffer">:$slot,
    Tile_Arg<UnitAttr, "no element lies past the end along the axes in `at`">:$inside);
  let assemblyFormat = [{
    $array custom<Positions>($positions, $at) (`inside` $inside^)? `into` $buffer `[` $slot `]` attr-dict
      `:` qualified(type($array)) `,` qualified(type($buffer))
  }];
  let hasVerifier = 1;
}

def Tile_CommitOp : Tile_Op<"commit"> {
  let summary = "Close a group of copies";
  let description = [{
    Every copy since the last commit forms one group (PTX ISA,
    "cp.async.commit_group").

    Example:

    ```mlir
    tile.commit
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Tile_WaitOp : Tile_Op<"wait"> {
  let summary = "Wait for groups of copies";
  let description = [{
    Waits until at most `pending` of this thread's groups are still under way
    (PTX ISA, "cp.async.wait_group"). Other threads see the data after a
    `tile.barrier`.

    Example:

    ```mlir
    tile.wait 1
    ```
  }];
  let arguments = (ins Tile_Arg<I32Attr, "groups that may be unfinished">:$pending);
  let assemblyFormat = "$pending attr-dict";
}

def Tile_BarrierOp : Tile_Op<"barrier"> {
  let summary = "Wait for all threads of the block";
  let description = [{
    Orders the shared-memory accesses of all threads before it and after it.

    Example:

    ```mlir
    tile.barrier
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Tile_ReadOp : Tile_Op<"read"> {
  let summary = "Read a tile from shared memory";
  let description = [{
    Reads one slot of a buffer into registers, in the result's layout.

    Preconditions: the tile has the buffer's axes, sizes and element type.

    Example:

    ```mlir
    %t = tile.read %ring[%slot] : !tile.buffer<2 x (x=64, d=128), bf16> -> !tile.tile<x=64, d=128, bf16>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_BufferType, "buffer in shared memory">:$buffer,
    Tile_Arg<Index, "slot of the buffer">:$slot);
  let results = (outs Tile_Res<Tile_TileType, "the tile">:$tile);
  let assemblyFormat = "$buffer `[` $slot `]` attr-dict `:` qualified(type($buffer)) `->` qualified(type($tile))";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Operations on tiles
//===----------------------------------------------------------------------===//

def Tile_MmaOp : Tile_Op<"mma", [AllTypesMatch<["accumulator", "result"]>, Pure]> {
  let summary = "Multiply two tiles and add to a third";
  let description = [{
    accumulator + the sum of products over the axes that both factors carry and
    the accumulator does not. `a` gives the rows of the accumulator (its first
    free axis), `b` the columns.

    Preconditions: the factors are of one 16-bit float type, the accumulator is
    f32; each of rows, columns and the summed axis is one axis.

    Example:

    ```mlir
    %s = tile.mma %q, %k, %zero : !tile.tile<q=128, d=64, bf16>, !tile.tile<x=64, d=64, bf16>, !tile.tile<q=128, x=64, f32>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_TileType, "factor that carries the rows">:$a,
    Tile_Arg<Tile_TileType, "factor that carries the columns">:$b,
    Tile_Arg<Tile_TileType, "what the products are added to">:$accumulator);
  let results = (outs Tile_Res<Tile_TileType, "the sum">:$result);
  let assemblyFormat = [{
    $a `,` $b `,` $accumulator attr-dict `:` qualified(type($a)) `,` qualified(type($b)) `,` qualified(type($result))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The axis of the accumulator that only `a` carries.
    ::mlir::StringAttr getRowAxis();
    /// The axis of the accumulator that only `b` carries.
    ::mlir::StringAttr getColumnAxis();
    /// The axis that is summed.
    ::mlir::StringAttr getSummedAxis();
  }];
}

def Tile_MapOp : Tile_Op<"map", [AttrSizedOperandSegments, Pure, SingleBlock]> {
  let summary = "Compute each element by a scalar expression";
  let description = [{
    As `ncd.map`, on tiles: operands that lack an axis are repeated along it.
    `tile.index` gives the position in the whole array; `at` gives the positions
    of axes that a loop walks, as in `tile.load`.

    Preconditions: the result carries the operands' axes with the same sizes; the
    region takes one scalar for each operand and yields one of the result's
    element type.

    Example:

    ```mlir
    %y = tile.map %x at [] {
    ^bb0(%e: f32):
      %r = arith.negf %e : f32
      tile.yield %r : f32
    } : (!tile.tile<n=128, f32>) -> !tile.tile<n=128, f32>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Variadic<Tile_TileType>, "tiles">:$inputs,
    Tile_Arg<Variadic<Index>, "positions, in elements">:$positions,
    Tile_Arg<Tile_AxisListAttr, "axes of the positions">:$at);
  let results = (outs Tile_Res<Tile_TileType, "the elements">:$result);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Tile_IndexOp : Tile_Op<"index", [Pure]> {
  let summary = "Position of an element along an axis of its array";
  let description = [{
    Inside `tile.map`: the position along the axis in the whole array.

    Example:

    ```mlir
    %i = tile.index "q"
    ```
  }];
  let arguments = (ins Tile_Arg<StrAttr, "name of the axis">:$axis);
  let results = (outs Tile_Res<Index, "the position, in elements">:$position);
  let assemblyFormat = "$axis attr-dict";
}

def Tile_YieldOp : Tile_Op<"yield", [ParentOneOf<["MapOp", "ReduceOp"]>, Pure, Terminator]> {
  let summary = "Give the element of a map or the combination of a reduce";
  let description = [{
    Ends the region of `tile.map` or `tile.reduce`.

    Example:

    ```mlir
    tile.yield %r : f32
    ```
  }];
  let arguments = (ins Tile_Arg<AnyType, "the value">:$value);
  let assemblyFormat = "$value attr-dict `:` type($value)";
}

def Tile_ReduceOp : Tile_Op<"reduce", [Pure, SingleBlock]> {
  let summary = "Combine a tile's elements along an axis";
  let description = [{
    Folds the elements along one axis of the tile with the region, which is
    associative and commutative up to rounding.

    Preconditions: the result is the operand without the axis; the region takes
    two elements and yields one.

    Example:

    ```mlir
    %m = tile.reduce %s over "x" {
    ^bb0(%a: f32, %b: f32):
      %r = arith.maximumf %a, %b : f32
      tile.yield %r : f32
    } : !tile.tile<q=128, x=64, f32> -> !tile.tile<q=128, f32>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_TileType, "tile">:$input,
    Tile_Arg<StrAttr, "axis that is folded">:$axis);
  let results = (outs Tile_Res<Tile_TileType, "the tile without the axis">:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$input `over` $axis $body attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Tile_ConvertOp : Tile_Op<"convert", [Pure]> {
  let summary = "Change the layout of a tile";
  let description = [{
    The same elements in another layout. What it costs follows from the two
    layouts: nothing when their bases agree up to the order of registers, a trip
    through shared memory otherwise.

    Preconditions: the types differ in the layout only.

    Example:

    ```mlir
    %b = tile.convert %a : !tile.tile<q=16, x=8, f32> -> !tile.tile<q=16, x=8, f32>
    ```
  }];
  let arguments = (ins Tile_Arg<Tile_TileType, "tile">:$input);
  let results = (outs Tile_Res<Tile_TileType, "the same tile">:$result);
  let assemblyFormat = "$input attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

#endif // NAPKIN_DIALECT_TILE_IR_TILEOPS_TD
