//===- TileOps.td - operations of a tile program ----------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The kernel and its loops, views of global memory and what moves through them,
// operations on tiles. Rings, roles and steps are in TileRingOps.td.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_TILE_IR_TILEOPS_TD
#define NAPKIN_DIALECT_TILE_IR_TILEOPS_TD

include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "napkin/Dialect/NCD/IR/NCDAttrs.td"
include "napkin/Dialect/NCD/IR/NCDTypes.td"
include "napkin/Dialect/Tile/IR/TileTypes.td"

/// A list of axis names.
def Tile_AxisListAttr : TypedArrayAttrBase<StrAttr, "axis names">;

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

def Tile_KernelOp : Tile_Op<"kernel", [
    IsolatedFromAbove, SingleBlock, Symbol,
    DeclareOpInterfaceMethods<OpAsmOpInterface, ["getAsmBlockArgumentNames"]>]> {
  let summary = "Say what each block of one launch does";
  let description = [{
    The first block arguments are arrays in global memory, dense and row major
    unless their types give strides: those that are read, then `outputs` ones that are written. The others are the
    place of the block in the grid: for each axis in `grid` the first position of
    its tile, in elements. `h = %h : 1 of 4` cuts an axis of 4 positions into tiles
    of 1. The blocks enumerate the tiles of these axes, the first axis slowest, in
    a one-dimensional grid. Nothing but these values ties the body to the grid.
    `m = %m : 128 of 4096 in groups of 8` walks 8 tiles of m together: within a
    group they change fastest, then the axes behind.

    `persistent 108`: 108 blocks are launched, and block number b does the tiles b,
    b + 108, b + 216, ... of the same enumeration, one after another.
    `tile-walk-grid` writes the loop.

    `padded` and `parts` are those of `ncd.kernel`, for `tile-make-rings` and
    `tile-spread-sums`.

    A kernel is `chosen` where nobody pinned a part of its partition: that it cannot
    be lowered is then a fault of the compiler, and said so.

    Preconditions: arguments are arrays of static sizes, then an index for each
    axis of the grid; axes of the grid differ, their tiles and extents are
    positive; at most one axis, and not the last, is walked in groups; a persistent
    grid has axes and at least one block; there is at least one output; `warps` is a
    power of two up to 32, and so is `parts`.

    Errors: the argument, axis or number that breaks a precondition, and what was
    expected of it.

    Example:

    ```mlir
    tile.kernel @copy(%x: !ncd.array<n=256, f32>, %y: !ncd.array<n=256, f32>)
        grid [n = %n : 128 of 256] warps 4 outputs 1 {
      %from = tile.view %x [n = %n : 128] : !ncd.array<n=256, f32>
      %to = tile.view %y [n = %n : 128] : !ncd.array<n=256, f32>
      %t = tile.load %from : !tile.view<n=128, f32> -> !tile.tile<n=128, f32>
      tile.store %t, %to : !tile.tile<n=128, f32>, !tile.view<n=128, f32>
      tile.return
    }
    ```
  }];
  let arguments = (ins
    Tile_Arg<SymbolNameAttr, "name in the device code">:$sym_name,
    Tile_Arg<Tile_AxisListAttr, "axes cut across the grid, slowest first">:$grid_axes,
    Tile_Arg<DenseI64ArrayAttr, "positions of a block along each of them">:$grid_tiles,
    Tile_Arg<DenseI64ArrayAttr, "all positions along each of them">:$grid_extents,
    Tile_Arg<DenseI64ArrayAttr, "tiles of each of them that are walked together">:$grid_groups,
    Tile_Arg<OptionalAttr<I32Attr>, "blocks that walk the tiles; nothing: one for each">:$persistent,
    Tile_Arg<I32Attr, "warps of a block">:$warps,
    Tile_Arg<I32Attr, "number of arrays that are written, the last ones">:$outputs,
    Tile_Arg<UnitAttr, "whether rows in shared memory have room behind them">:$padded,
    Tile_Arg<OptionalAttr<I32Attr>, "parts in which lanes keep what a loop sums for a row">:$parts,
    Tile_Arg<UnitAttr, "whether nobody pinned a part of its partition">:$chosen);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Number of axes of the grid.
    unsigned getGridRank() { return getGridAxes().size(); }
    /// The arguments that are arrays.
    ::mlir::Block::BlockArgListType getArrays();
    /// The arguments that say where the block stands, in the order of the grid.
    ::mlir::Block::BlockArgListType getPlaces();
    /// Blocks along an axis of the grid.
    int64_t getGridSize(unsigned axis);
    /// Number of the axis of the grid that is walked in groups, or nullopt.
    std::optional<unsigned> getGroupedAxis();
    /// Tiles of the grid: blocks in the launch, unless it is persistent.
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
// Views and transfers
//===----------------------------------------------------------------------===//

def Tile_ViewOp : Tile_Op<"view", [
    AttrSizedOperandSegments, Pure,
    InferTypeOpAdaptor]> {
  let summary = "Name a part of an array in global memory";
  let description = [{
    For each axis of the array, in its order: where the part begins (`x = %i`; at 0
    if nothing is said), how many positions it has (`: 64`), and the first position
    that does not count (`below %hi`; the size of the array if nothing is said or if
    that is smaller). Loads and copies give zero for positions that do not count and
    read nothing there; stores write nothing there. Axes with one position are not
    in the view's type.

    `(x by %pages)`: positions along x are looked up in an index array; the part
    holds the rows of the array at pages[i], pages[i+1], ... What is said of x then
    is about places in the index array, whose size takes that of the array. Each
    thread looks up the rows that it moves.

    This is the one place that says what a transfer touches: how wide a thread's
    accesses may be and which positions need a test follows from the view and from
    what is known of its operands (include/napkin/Dialect/Tile/IR/Positions.h).

    Preconditions: every axis of the array in its order; extents are powers of two or multiples of 16;
    an index array is of rank 1, holds i32 and has the axis that it serves; its
    entries are positions of the array.

    Errors: the axis that is missing or out of order, the extent, the index array.

    Example:

    ```mlir
    %v = tile.view %k [h = %h : 1, x = %i : 64 below %hi, d : 128] : !ncd.array<h=4, x=512, d=128, bf16>
    %p = tile.view %k [x = %i : 64, d : 128] (x by %pages) : !ncd.array<x=4096, d=128, bf16>, !ncd.array<x=512, i32>
    ```
  }];
  let arguments = (ins
    Tile_Arg<NCD_ArrayType, "array in global memory">:$array,
    Tile_Arg<Variadic<Index>, "first positions, in elements">:$offsets,
    Tile_Arg<Variadic<Index>, "first positions that do not count">:$limits,
    Tile_Arg<Variadic<NCD_ArrayType>, "index arrays">:$indices,
    Tile_Arg<DenseI64ArrayAttr, "positions along each axis of the array">:$extents,
    Tile_Arg<DenseI64ArrayAttr, "number of the axis of each offset">:$offset_axes,
    Tile_Arg<DenseI64ArrayAttr, "number of the axis of each limit">:$limit_axes,
    Tile_Arg<DenseI64ArrayAttr, "number of the axis of each index array">:$index_axes);
  let results = (outs Tile_Res<Tile_ViewType, "the part">:$view);
  let builders = [OpBuilder<(ins "::mlir::Value":$array,
                                 "::llvm::ArrayRef<ViewDimension>":$dimensions)>];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// What is said of the array's axis number \p axis.
    ViewDimension getDimension(unsigned axis);
    /// The type of the array.
    ::napkin::ncd::ArrayType getArrayType() { return getArray().getType(); }
    /// The elements as a tile in registers or a slot holds them: truth values
    /// are bytes in memory.
    static ::mlir::Type storedElement(::napkin::ncd::ArrayType array);
  }];
}

def Tile_EntryOp : Tile_Op<"entry", [Pure]> {
  let summary = "Read one entry of an index array";
  let description = [{
    Gives entry number `number` of an array of indices, the same to all threads: where
    a block begins that takes its tile from a list, how far it goes, whose it is. A
    kernel whose transfers depend on it moves bytes that nobody knows before it runs.

    Preconditions: the array is of rank 1, holds i32 and is only read; the number is
    one of its positions, and the entry is not negative.

    Errors: an array of another form.

    Example:

    ```mlir
    %e = tile.entry %experts[%tile] : !ncd.array<t=20, i32>
    ```
  }];
  let arguments = (ins
    Tile_Arg<NCD_ArrayType, "the array">:$array,
    Tile_Arg<Index, "which entry">:$number);
  let results = (outs Tile_Res<Index, "the entry">:$entry);
  let assemblyFormat = "$array `[` $number `]` attr-dict `:` qualified(type($array))";
  let hasVerifier = 1;
}

def Tile_ArrayOp : Tile_Op<"array", [Pure]> {
  let summary = "See an array in global memory along other axes";
  let description = [{
    The same memory from element `from` on, with the axes and strides of the
    result's type: what `ncd.view` says, for the views of a tile program.

    Preconditions: the array is an argument of the kernel that is only read; both
    types have static sizes and hold the same elements; every element of the result
    lies within the array.

    Errors: an array that is made or written in the kernel, other elements, the axis
    along which the result reaches out of the array.

    Example:

    ```mlir
    // The keys of packed queries, keys and values.
    %k = tile.array %qkv from 64 : !ncd.array<s=512, t=3, d=64, bf16> -> !ncd.array<x=512:192, d=64:1, bf16>
    ```
  }];
  let arguments = (ins
    Tile_Arg<NCD_ArrayType, "array in global memory">:$array,
    Tile_Arg<I64Attr, "where the first element lies, in elements">:$from);
  let results = (outs Tile_Res<NCD_ArrayType, "what is seen of it">:$seen);
  let assemblyFormat = "$array `from` $from attr-dict `:` qualified(type($array)) `->` qualified(type($seen))";
  let hasVerifier = 1;
}

def Tile_LoadOp : Tile_Op<"load"> {
  let summary = "Read a tile from global memory";
  let description = [{
    Reads what a view shows into registers. Positions that do not count are zero.

    Preconditions: the view is made by `tile.view`; the tile has its axes, sizes
    and elements.

    Errors: a tile of another shape, with both types.

    Example:

    ```mlir
    %t = tile.load %v : !tile.view<x=64, d=128, bf16> -> !tile.tile<x=64, d=128, bf16>
    ```
  }];
  let arguments = (ins Tile_Arg<Tile_ViewType, "what to read">:$view);
  let results = (outs Tile_Res<Tile_TileType, "the tile">:$tile);
  let assemblyFormat = "$view attr-dict `:` qualified(type($view)) `->` qualified(type($tile))";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The operation that made the view.
    ViewOp getViewOp();
  }];
}

def Tile_StoreOp : Tile_Op<"store"> {
  let summary = "Write a tile to global memory";
  let description = [{
    Writes a tile to where a view points. Positions that do not count are not
    written.

    Preconditions: as for `tile.load`; the view's array is one that the kernel
    writes, and it has no index array.

    Errors: a tile of another shape, an array that is only read.

    Example:

    ```mlir
    tile.store %t, %v : !tile.tile<q=128, d=128, bf16>, !tile.view<q=128, d=128, bf16>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_TileType, "the tile">:$tile,
    Tile_Arg<Tile_ViewType, "where to write">:$view);
  let assemblyFormat = "$tile `,` $view attr-dict `:` qualified(type($tile)) `,` qualified(type($view))";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The operation that made the view.
    ViewOp getViewOp();
  }];
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

def Tile_LoopOp : Tile_Op<"loop", [
    RecursiveMemoryEffects, SingleBlock, AttrSizedOperandSegments]> {
  let summary = "Repeat a part of the program over positions";
  let description = [{
    Runs the body for positions `from`, `from + step`, ... below `to`; all three are
    values. `iter_args` are carried from trip to trip, `tile.next` gives their next
    values, the results are the last ones.

    `trip %t = %t0` counts: %t is %t0 on the first trip and one more on each
    following one, and the loop has one more result, %t0 plus the number of trips.
    It is what rings want to know of a loop: a loop that is nested in another, or
    follows another, goes on counting where the last one stopped.

    `slots` is a note for `tile-make-rings`: how many slots the rings have through
    which the loop's loads go. That pass turns it into rings.

    Preconditions: the body takes the position, the trip if it is counted, and the
    carried values; `tile.next` gives as many of the same types. The step is
    positive.

    Errors: arguments or carried values that do not match, a constant step of 0 or
    less, slots outside 1 to 16.

    Example:

    ```mlir
    %sum, %end = tile.loop %i = %lo to %hi step %c64 trip %t = %begin iter_args(%acc = %zero) -> (!tile.tile<m=64, f32>) {
      ...
      tile.next %next : !tile.tile<m=64, f32>
    }
    ```
  }];
  let arguments = (ins
    Tile_Arg<Index, "first position">:$lower,
    Tile_Arg<Index, "first position that is not reached">:$upper,
    Tile_Arg<Index, "distance of two positions">:$step,
    Tile_Arg<Optional<Index>, "number of the first trip">:$first_trip,
    Tile_Arg<Variadic<AnyType>, "first values of what is carried">:$initial,
    Tile_Arg<OptionalAttr<I32Attr>, "slots for the loads of this loop">:$slots);
  let results = (outs Tile_Res<Variadic<AnyType>, "last values, then the number of the next trip">:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$lower, "::mlir::Value":$upper, "::mlir::Value":$step,
                                 "::mlir::Value":$firstTrip, "::mlir::ValueRange":$initial,
                                 "std::optional<int32_t>":$slots)>];
  let extraClassDeclaration = [{
    /// The position, an argument of the body.
    ::mlir::BlockArgument getPosition() { return getBody().getArgument(0); }
    /// The number of the trip, an argument of the body; null if not counted.
    ::mlir::Value getTrip() {
      return getFirstTrip() ? ::mlir::Value(getBody().getArgument(1)) : ::mlir::Value();
    }
    /// The carried values as the body sees them.
    ::mlir::Block::BlockArgListType getCarried() {
      return getBody().getArguments().drop_front(getFirstTrip() ? 2 : 1);
    }
    /// The last values of what is carried.
    ::mlir::ResultRange getLast() {
      return getResults().take_front(getInitial().size());
    }
    /// The number of the next trip; null if not counted.
    ::mlir::Value getNextTrip() {
      return getFirstTrip() ? ::mlir::Value(getResults().back()) : ::mlir::Value();
    }
    /// The terminator of the body.
    NextOp getNext();
  }];
}

def Tile_NextOp : Tile_Op<"next", [ParentOneOf<["LoopOp", "WhenOp"]>, Pure, Terminator]> {
  let summary = "Give the carried values of a loop's next trip";
  let description = [{
    Ends the body of `tile.loop`, or of `tile.when` with its results.

    Example:

    ```mlir
    tile.next %sum : !tile.tile<m=64, f32>
    ```
  }];
  let arguments = (ins Tile_Arg<Variadic<AnyType>, "the next values">:$values);
  let assemblyFormat = "($values^ `:` qualified(type($values)))? attr-dict";
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

def Tile_WhenOp : Tile_Op<"when", [
    RecursiveMemoryEffects, SingleBlock,
    InferTypeOpAdaptor]> {
  let summary = "Compute tiles anew where a condition asks for it";
  let description = [{
    As `ncd.when`, on tiles. Each warp decides for itself, by a vote: where one of
    its threads holds a true element of the condition, the warp runs the region and
    its part of the results is what `tile.next` gives; else it is its part of the
    tiles in `otherwise`.

    Preconditions: the condition holds truth values; `tile.next` gives the types of
    `otherwise`. For the lowering: nothing in the region crosses warps or waits, and
    a warp holds the rows of the condition that it holds of the results.

    Errors: a condition of another element type, other types of `tile.next`; a
    region that crosses warps.

    Example:

    ```mlir
    %r = tile.when %passes : !tile.tile<q=16, x=64, i1> otherwise(%old : !tile.tile<q=16, f32>) {
      ...
      tile.next %new : !tile.tile<q=16, f32>
    }
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_TileType, "where to compute anew">:$condition,
    Tile_Arg<Variadic<Tile_TileType>, "the results elsewhere">:$otherwise);
  let results = (outs Tile_Res<Variadic<Tile_TileType>, "the tiles">:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $condition `:` qualified(type($condition)) `otherwise` `(` $otherwise `:` qualified(type($otherwise)) `)` attr-dict-with-keyword $body
  }];
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$condition, "::mlir::ValueRange":$otherwise)>];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// What the region yields, in the order of the results.
    ::mlir::OperandRange getYielded();
  }];
}

//===----------------------------------------------------------------------===//
// Operations on tiles
//===----------------------------------------------------------------------===//

def Tile_MmaOp : Tile_Op<"mma", [AllTypesMatch<["accumulator", "result"]>, Pure]> {
  let summary = "Multiply two tiles and add to a third";
  let description = [{
    accumulator + the sum of products over the axes that both factors carry and
    the accumulator does not. `a` gives the rows of the accumulator (its first
    free axis), `b` the columns. `by` names the instruction that does it, a row
    of the table in include/napkin/Target/Instruction.h; the layouts of the three
    operands are that row's fragments, repeated over the tile and its warps.
    `warps [4, 2]`: 4 warps share the rows and 2 the columns; if nothing is said, as
    many as the instruction allows share the rows, and the others the columns.

    Preconditions: the element types are the instruction's; each of rows, columns
    and the summed axis is one axis; warps are powers of two, and together those of
    the block.

    Example:

    ```mlir
    %s = tile.mma %q, %k, %zero by "mma.m16n8k16.bf16" warps [8, 1] : !tile.tile<q=128, d=64, bf16>, !tile.tile<x=64, d=64, bf16>, !tile.tile<q=128, x=64, f32>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_TileType, "factor that carries the rows">:$a,
    Tile_Arg<Tile_TileType, "factor that carries the columns">:$b,
    Tile_Arg<Tile_TileType, "what the products are added to">:$accumulator,
    Tile_Arg<StrAttr, "name of the instruction">:$instruction,
    Tile_Arg<OptionalAttr<DenseI64ArrayAttr>, "warps along rows and columns">:$warps);
  let results = (outs Tile_Res<Tile_TileType, "the sum">:$result);
  let assemblyFormat = [{
    $a `,` $b `,` $accumulator `by` $instruction (`warps` $warps^)? attr-dict `:` qualified(type($a)) `,` qualified(type($b)) `,` qualified(type($result))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The axis of the accumulator that only `a` carries.
    ::mlir::StringAttr getRowAxis();
    /// The axis of the accumulator that only `b` carries.
    ::mlir::StringAttr getColumnAxis();
    /// The axis that is summed.
    ::mlir::StringAttr getSummedAxis();
    /// The row of the instruction; the verifier has seen that there is one.
    const ::napkin::target::MatrixInstruction &getMatrixInstruction();
  }];
}

def Tile_PartOp : Tile_Op<"part", [Pure]> {
  let summary = "Take neighbouring positions of a tile along an axis";
  let description = [{
    Position i of the result's axis is position `from + i` of the tile's axis in its
    place. The elements are in the tile already: they are read where it lies in shared
    memory (`tile-make-rings` makes it a `tile.read` of a part).

    Preconditions: types with the same elements, that differ in one axis, which
    has another name or size; the positions lie in the tile. For the lowering: the
    tile is what a `tile.load` brings.

    Errors: types that differ in another way; positions outside.

    Example:

    ```mlir
    %v = tile.part %k from 0 : !tile.tile<x=64, c=576, bf16> -> !tile.tile<x=64, v=512, bf16>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_TileType, "tile">:$input,
    Tile_Arg<I64Attr, "first position that is taken">:$from);
  let results = (outs Tile_Res<Tile_TileType, "the part">:$result);
  let assemblyFormat = "$input `from` $from attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasVerifier = 1;
}

def Tile_MapOp : Tile_Op<"map", [AttrSizedOperandSegments, Pure, SingleBlock]> {
  let summary = "Compute each element by a scalar expression";
  let description = [{
    As `ncd.map`, on tiles: operands that lack an axis are repeated along it.
    `tile.index` gives the position in the whole array: `at [x = %i]` says that the
    tile begins at %i along x; along an axis that is not named it begins at 0.

    Preconditions: the result carries the operands' axes with the same sizes; the
    region takes one scalar for each operand and yields one of the result's
    element type.

    Errors: the axis of an operand that the result lacks, arguments or a yielded
    value of another type.

    Example:

    ```mlir
    %y = tile.map %x {
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

    A result that keeps fewer positions of the axis has the fold in so many parts:
    each element of the operand counts in one of them, and which one follows from
    the layouts, since a lane folds what it has. The parts may be folded later.

    Preconditions: the result is the operand without the axis, or the axis is the
    last one of the result, of a size that is a power of two and divides that of the
    operand; the region takes two elements and yields one.

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
  let results = (outs Tile_Res<Tile_TileType, "the tile without the axis, or with parts of it">:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$input `over` $axis $body attr-dict `:` qualified(type($input)) `->` qualified(type($result))";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The layout of the result where the operand has \p layout.
    ::napkin::layout::LinearLayout foldedLayout(const ::napkin::layout::LinearLayout &layout);
  }];
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

include "napkin/Dialect/Tile/IR/TileRingOps.td"

#endif // NAPKIN_DIALECT_TILE_IR_TILEOPS_TD
