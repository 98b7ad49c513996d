//===- NCDScheduleOps.td - operations of the schedule stage -*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// `ncd.kernel` says which operations share a launch and how their axes are cut;
// `ncd.stream` says how a kernel's body is evaluated chunk by chunk.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDSCHEDULEOPS_TD
#define NAPKIN_DIALECT_NCD_IR_NCDSCHEDULEOPS_TD

include "mlir/IR/OpAsmInterface.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "napkin/Dialect/NCD/IR/NCDAttrs.td"
include "napkin/Dialect/NCD/IR/NCDDialect.td"
include "napkin/Dialect/NCD/IR/NCDTypes.td"

def NCD_KernelOp : NCD_Op<"kernel", [IsolatedFromAbove, Pure, SingleBlock]> {
  let summary = "Group operations into one kernel launch";
  let description = [{
    The operations of its region run in one launch: arrays are read from global
    memory as block arguments and results written as yields. Partitions are
    decorations; the types inside keep the full sizes of the axes, and
    `ncd.index` gives global positions.

    - `group`: axes cut across blocks, with the tile size in elements of one
      block. Every other axis, the stream axis apart, is whole inside a block.
    - `stream`: the axes along which a block proceeds in chunks, with the chunk
      sizes in elements, outermost first. The first one is walked once; the next
      ones inside each of its steps, and before and after it, wherever something
      reads an array with them. An array that lacks an outer axis and has an inner
      one is read anew in every outer step.
    - `split`: blocks share the positions of the first streamed axis. The results
      then carry the axis of the parts, before all others, which what the region
      yields lacks: each part writes its own position. Where no result carries it,
      the split is decided and not yet made: `ncd-split-streams` writes such a
      kernel as two, whose first ends with the states of the parts.
    - `order`: the group axes, slowest first.
    - `grouped`: a group axis, not the last one in `order`, whose tiles are walked
      in groups of so many: within a group its tiles change fastest, then those of
      the axes behind it, so that blocks that run together share what they read.
    - `persistent`: how many blocks are launched; each walks several tiles of the
      grid, every so-many-th in the order of the grid. Without it there is a block
      for each tile.
    - `rows`, `row_warps`: the axis whose positions warps share, and how many of
      the warps share it; the others share columns.
    - `reread`: numbers of the operands that give a product its rows and that each
      step of a stream reads from shared memory again; others stay in registers.
    - `padded`: 16 bytes are left free behind each row of a factor in shared memory,
      so that a thread reaches all it reads by one address and constants; without it
      the columns of a row are permuted, which takes no room and an address for each
      permutation.
    - `parts`: a sum that a stream carries for each row stays in so many parts until
      the stream ends, one for each lane that holds a part of the row.
    - `hardware`, `warps` (per block), `stages` (buffers of the software
      pipeline): what the schedule decided, for the lowering.
    - `lazy`: references of the stream's gauges are moved only by a chunk that
      passes one by more than 8 powers of two (`ncd.when`), instead of by each.
    - `entry`: name of the kernel in the device code.
    - `account`: what was decided and why, and what was estimated, for reports. No
      pass decides by it.
    - `views`: for each operand how the kernel sees it, `#ncd.view` or `unit` for as
      it is. Written at the operand: `%v = %c as !ncd.array<x=512, v=512, bf16> from
      0 by [576, 1]`.

    Preconditions: block arguments have the operands' types, or those of their
    views, which lie within the operand; `within` names another operand that is a
    view of the same array and holds all that this one shows, but for
    one axis along the same ones; yields have the results'
    types; the region uses nothing from outside and holds no kernel; a
    partition names axes of arrays in the kernel, with tiles no larger than the
    axis; `split` names the first streamed axis, and its parts are whole chunks; `order` is a permutation of the axes
    of `group`; `rows` names an axis of an array in the kernel and `row_warps`
    divides `warps`; `reread` numbers operands; a `persistent` kernel has a
    `group` or a `split`;
    `parts` is a power of two up to 32; numbers are positive.
    Other attributes need a dialect's prefix.

    Example:

    ```mlir
    %o = ncd.kernel (%x = %a, %y = %b : !ncd.array<m=256, k=64, f16>, !ncd.array<k=64, n=256, f16>)
        -> (!ncd.array<m=256, n=256, f32>)
        attributes {group = #ncd.partition<m=128, n=128>, stream = #ncd.partition<k=32>,
                    order = ["m", "n"], warps = 8 : i32, stages = 3 : i32} {
      %z = ncd.contract %x, %y over [k]
        : !ncd.array<m=256, k=64, f16>, !ncd.array<k=64, n=256, f16> -> !ncd.array<m=256, n=256, f32>
      ncd.yield %z : !ncd.array<m=256, n=256, f32>
    }
    ```
  }];
  let arguments = (ins
    NCD_Arg<Variadic<NCD_ArrayType>, "arrays in global memory that the kernel reads">:$inputs,
    NCD_Arg<OptionalAttr<NCD_PartitionAttr>, "tile sizes of a block">:$group,
    NCD_Arg<OptionalAttr<NCD_PartitionAttr>, "chunk sizes of the streamed axes, outermost first">:$stream,
    NCD_Arg<OptionalAttr<NCD_SplitAttr>, "parts of the streamed axis">:$split,
    NCD_Arg<OptionalAttr<NCD_AxisListAttr>, "group axes, slowest first">:$order,
    NCD_Arg<OptionalAttr<NCD_PartitionAttr>, "tiles of a group axis that are walked together">:$grouped,
    NCD_Arg<OptionalAttr<I32Attr>, "blocks that walk the tiles of the grid">:$persistent,
    NCD_Arg<OptionalAttr<NCD_HardwareAttr>, "hardware that the schedule is for">:$hardware,
    NCD_Arg<OptionalAttr<I32Attr>, "warps of a block">:$warps,
    NCD_Arg<OptionalAttr<StrAttr>, "axis whose positions warps share">:$rows,
    NCD_Arg<OptionalAttr<I32Attr>, "warps that share the rows">:$row_warps,
    NCD_Arg<OptionalAttr<DenseI32ArrayAttr>, "operands that each step reads again from shared memory">:$reread,
    NCD_Arg<OptionalAttr<I32Attr>, "buffers of the software pipeline">:$stages,
    NCD_Arg<UnitAttr, "whether references are moved only where they must be">:$lazy,
    NCD_Arg<UnitAttr, "whether rows in shared memory have room behind them">:$padded,
    NCD_Arg<OptionalAttr<I32Attr>, "parts in which lanes keep what a stream sums for a row">:$parts,
    NCD_Arg<OptionalAttr<ArrayAttr>, "how it sees each operand">:$views,
    NCD_Arg<OptionalAttr<StrAttr>, "name in the device code">:$entry,
    NCD_Arg<OptionalAttr<NCD_AccountAttr>, "what was decided and why">:$account);
  let results = (outs NCD_Res<Variadic<NCD_ArrayType>, "arrays in global memory that the kernel writes">:$results);
  let regions = (region SizedRegion<1>:$body);
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$resultTypes, "::mlir::ValueRange":$inputs)>];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// How the kernel sees operand \p input; null: as it is.
    ViewAttr getView(unsigned input);
    /// The operands, each once: arrays that the device code takes.
    ::llvm::SmallVector<::mlir::Value> getDistinctInputs();
    /// Tile size of the group axis called \p axis in elements, or nullopt when
    /// the axis is not cut across blocks.
    std::optional<int64_t> groupSize(::llvm::StringRef axis);
    /// The outermost streamed axis, or null.
    ::mlir::StringAttr getStreamAxis();
    /// Chunk size of that axis in elements, or nullopt without one.
    std::optional<int64_t> getStreamSize();
    /// Chunk size of the streamed axis called \p axis in elements, or nullopt when
    /// it is not streamed.
    std::optional<int64_t> chunkSize(::llvm::StringRef axis);
    /// Parts of the split axis; 1 without a split.
    int64_t getNumParts();
    /// Whether each part writes a position of its own: every result begins with
    /// the axis of the parts. False for a split that is only decided.
    bool writesParts();
    /// What a block has at a time of the axis called \p axis of \p size positions:
    /// its tile, its chunk, or all of it.
    int64_t partOf(::llvm::StringRef axis, int64_t size);
    /// The group axes, slowest first: `order`, or the order in `group`.
    ::llvm::SmallVector<::mlir::StringAttr> getGridOrder();
    /// Full size of the axis called \p axis in elements, as some array of the
    /// kernel has it; nullopt when none carries the axis.
    std::optional<int64_t> getAxisSize(::llvm::StringRef axis);
  }];
}

def NCD_StreamOp : NCD_Op<"stream", [Pure, SingleBlock]> {
  let summary = "Evaluate along an axis chunk by chunk";
  let description = [{
    Evaluates a computation along one axis with a state of bounded size:

    - `init` yields the empty state;
    - `step` takes the state and one chunk of each operand of `ins`, and yields
      the new state; reductions over the axis are over the chunk only. Behind the
      state it yields its chunk of each result that carries the axis;
    - `merge` takes two states and yields the state of both parts together;
    - `finish` takes the state and yields the results that lack the axis.

    A stream over another axis may stand in any of the regions: what it is given of
    an outer chunk it walks in chunks of its own.

    Arrays that carry the axis enter through `ins` and arrive in `step` as block
    arguments; their types keep the full size of the axis, and `ncd.index` gives
    global positions. Arrays without the axis are used directly from the
    enclosing region. Any split of the axis into chunks, and any tree of merges,
    gives the same result up to rounding.

    `single`: a chunk is one position, and the block arguments of `step` lack the
    axis. A step may then be the merge of the state with one of many. The size in
    `stream` of the kernel is then how many steps follow each other in one turn of
    the loop, so that what they read is under way together.

    `from` and `to` say which positions are walked: from the first bound (the
    beginning of the axis without it) to each bound of `to` in turn, the last one
    (the end of the axis without it) being the end of the walk. A range ends where
    it begins when its bound lies before that. Positions before and behind are not
    visited, since they leave the state as it is; the last chunk may reach past the
    last bound. What a range tells of its positions, the lowering uses: before
    `first(q) + 1` no key is ahead of its query. As in

        from floor(first(q) - 255, 64) to [floor(first(q) + 1, 64), last(q) + 1]

    for keys at most 255 before the query and none ahead of it.

    `gauges` holds one description per state member for the report.

    Preconditions: operands of `ins` carry the axis, states and what `finish` yields
    do not; `init` and `finish` yield, `step` and `merge` take and yield the types in
    `state`; results that carry the axis come last; an array with the axis is not used from outside; bounds ask axes that
    the kernel cuts across blocks; where the kernel says the chunk, all bounds but
    the last of `to` are multiples of it.

    Example:

    ```mlir
    %r = ncd.stream "x" ins(%t : !ncd.array<q=8, x=64, f32>)
        -> (!ncd.array<q=8, f32>) state(!ncd.array<q=8, f32>)
    init {
      %zero = ncd.map {
        %c = arith.constant 0.000000e+00 : f32
        ncd.yield %c : f32
      } : -> !ncd.array<q=8, f32>
      ncd.yield %zero : !ncd.array<q=8, f32>
    } step {
    ^bb0(%s: !ncd.array<q=8, f32>, %c: !ncd.array<q=8, x=64, f32>):
      %p = ncd.reduce sum %c over [x] : !ncd.array<q=8, x=64, f32> -> !ncd.array<q=8, f32>
      %n = ncd.map %s, %p {
      ^bb0(%a: f32, %b: f32):
        %v = arith.addf %a, %b : f32
        ncd.yield %v : f32
      } : !ncd.array<q=8, f32>, !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
      ncd.yield %n : !ncd.array<q=8, f32>
    } merge {
    ^bb0(%s: !ncd.array<q=8, f32>, %t: !ncd.array<q=8, f32>):
      %n = ncd.map %s, %t {
      ^bb0(%a: f32, %b: f32):
        %v = arith.addf %a, %b : f32
        ncd.yield %v : f32
      } : !ncd.array<q=8, f32>, !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
      ncd.yield %n : !ncd.array<q=8, f32>
    } finish {
    ^bb0(%s: !ncd.array<q=8, f32>):
      ncd.yield %s : !ncd.array<q=8, f32>
    }
    ```
  }];
  let arguments = (ins
    NCD_Arg<StrAttr, "the axis that is streamed">:$axis,
    NCD_Arg<Variadic<NCD_ArrayType>, "arrays that carry the axis">:$inputs,
    NCD_Arg<UnitAttr, "whether a chunk is one position, without the axis">:$single,
    NCD_Arg<OptionalAttr<NCD_BoundAttr>, "where the walk begins">:$from,
    NCD_Arg<OptionalAttr<NCD_BoundArrayAttr>, "ends of consecutive ranges">:$to,
    NCD_Arg<TypeArrayAttr, "types of the members of the state">:$state,
    NCD_Arg<OptionalAttr<ArrayAttr>, "one description per member of the state">:$gauges);
  let results = (outs NCD_Res<Variadic<NCD_ArrayType>, "what `finish` yields">:$results);
  let regions = (region SizedRegion<1>:$init, SizedRegion<1>:$step,
                        SizedRegion<1>:$merge, SizedRegion<1>:$finish);
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::TypeRange":$resultTypes, "::mlir::StringAttr":$axis,
                                 "::mlir::ValueRange":$inputs, "::mlir::TypeRange":$stateTypes)>];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Number of members of the state.
    unsigned getNumStates() { return getState().size(); }
    /// Type of member \p index of the state.
    ArrayType getStateType(unsigned index);
    /// Block arguments of `step` that hold the state.
    ::mlir::Block::BlockArgListType getStepStates();
    /// The type that operand \p index of `ins` has in `step`.
    ArrayType getChunkType(unsigned index);
    /// Block arguments of `step` that hold the chunks, one per operand of `ins`.
    ::mlir::Block::BlockArgListType getStepChunks();
  }];
}

def NCD_WhenOp : NCD_Op<"when", [
    RecursiveMemoryEffects, RecursivelySpeculatable, SingleBlock,
    InferTypeOpAdaptor]> {
  let summary = "Compute something anew where a condition asks for it";
  let description = [{
    Where no element of the condition is true, the results are the arrays in
    `otherwise`; where one is, they are what the region yields. The condition asks
    for whole rows: one true element stands for all positions along the axes that
    only it carries, and an implementation may decide for many rows at once. So
    what the region yields has to be right where the condition is false as well;
    it only need not be computed there.

    A stream uses it to move the reference of a gauge: states may be kept in units
    of exp(reference) for any reference that is not far below the running maximum,
    so they are brought to a new one only when a chunk passes the old one by much.

    Preconditions: the condition holds truth values; the region yields the types of
    `otherwise`.

    Example:

    ```mlir
    %r = ncd.when %passes : !ncd.array<q=8, x=64, i1> otherwise(%old : !ncd.array<q=8, f32>) {
      %m = ncd.reduce max %u over [x] : !ncd.array<q=8, x=64, f32> -> !ncd.array<q=8, f32>
      ncd.yield %m : !ncd.array<q=8, f32>
    }
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "where to compute anew">:$condition,
    NCD_Arg<Variadic<NCD_ArrayType>, "the results elsewhere">:$otherwise);
  let results = (outs NCD_Res<Variadic<NCD_ArrayType>, "the arrays">:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $condition `:` qualified(type($condition)) `otherwise` `(` $otherwise `:` qualified(type($otherwise)) `)` attr-dict-with-keyword $body
  }];
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Value":$condition, "::mlir::ValueRange":$otherwise)>];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

#endif // NAPKIN_DIALECT_NCD_IR_NCDSCHEDULEOPS_TD
