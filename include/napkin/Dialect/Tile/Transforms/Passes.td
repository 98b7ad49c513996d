//===- Passes.td - passes over tile programs --------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What turns a tile program from "what moves" into "where it lives and when it
// moves": layouts, then rings, then waits and barriers.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_TILE_TRANSFORMS_PASSES_TD
#define NAPKIN_DIALECT_TILE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def TileWalkGridPass : Pass<"tile-walk-grid", "::napkin::tile::KernelOp"> {
  let summary = "Let the blocks of a persistent grid walk their tiles";
  let description = [{
    The body of a kernel that says `persistent` becomes that of a loop over the
    numbers of tiles, and the places of a tile follow from its number as they follow
    from the number of a block in a dense grid, groups included. The grid then has
    one axis, the blocks. To `tile-make-rings` the loop is one like others, whose
    loads have one slot each.
    A grid of no more tiles than blocks becomes a dense one.

    Errors: a kernel that has rings or roles already, whose trips would begin anew on
    each tile.

    ```mlir
    tile.kernel @p(...) grid [m = %m : 64 of 200, n = %n : 32 of 90] persistent 5 warps 4 outputs 1 { ... }
    // ==>
    tile.kernel @p(...) grid [block = %b : 1 of 5] warps 4 outputs 1 {
      tile.loop %tile = %b to %c12 step %c5 {
        %row = arith.divui %tile, %c3 : index
        %m = arith.muli %row, %c64 : index
        ...
      }
    }
    ```
  }];
  let dependentDialects = ["::napkin::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def TileAssignLayoutsPass : Pass<"tile-assign-layouts", "::napkin::tile::KernelOp"> {
  let summary = "Say where in the block each element of each tile lives";
  let description = [{
    Matrix instructions fix the layouts of their operands; everything else follows
    its neighbours: a map the layout of what it reads, a reduction the slice that
    is left, a loop's state the layout in which it is computed. Tiles that no
    matrix instruction touches get a layout whose rows stay inside a warp. Where
    two demands meet, a `tile.convert` is put in between, and before a store whose
    threads would write less than 16 contiguous bytes.

    Afterwards every tile type has a layout, and every operation's operands are
    where it wants them. Whether a load goes through shared memory is not this
    pass's job: see `tile-make-rings`.
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"sm_80\"",
           "Architecture, by name">];
  let dependentDialects = ["::napkin::tile::TileDialect"];
}

def TileSpreadSumsPass : Pass<"tile-spread-sums", "::napkin::tile::KernelOp"> {
  let summary = "Keep what loops sum in parts, one for each lane, until they end";
  let description = [{
    In a kernel with `parts`: a tile that loops carry, that begins with zeros and to
    which each step adds a sum along an axis, is carried in so many parts of that
    axis, and what is added is folded as far only. Behind the loops the parts are
    folded once. Lanes that hold parts of a row then exchange nothing in the loop.

    What happens to the sum in between has to be linear in it and the same for all
    parts: it may be multiplied by what is no part of it, or computed anew under a
    condition (`tile.when`). A sum of which a loop asks more stays as it is.

    ```
    %r = tile.reduce %p over "x" {+} : tile<q=64, x=32> -> tile<q=64>
    // ==>
    %r = tile.reduce %p over "x" {+} : tile<q=64, x=32> -> tile<q=64, x=4>
    ```
  }];
  let dependentDialects = ["::napkin::tile::TileDialect"];
}

def TileJoinProductsPass : Pass<"tile-join-products", "::napkin::tile::KernelOp"> {
  let summary = "Make one product of each start and its wait";
  let description = [{
    For targets whose products are synchronous: `tile.mma.start` becomes `tile.mma`,
    `tile.mma.wait` gives what it is given, and loops carry tiles instead of products
    under way. Checks first that each product is waited for exactly once.
  }];
  let dependentDialects = ["::napkin::tile::TileDialect"];
}

def TileMakeRingsPass : Pass<"tile-make-rings", "::napkin::tile::KernelOp"> {
  let summary = "Take loads through rings of slots in shared memory";
  let description = [{
    A load whose threads would read an element more than once, or whose layout is
    an operand of a matrix instruction, goes through a ring in shared memory: each
    byte then crosses from global memory once for each block. Loads of a loop get a
    ring of as many slots as the loop notes (`slots`, 2 if it does not), filled that
    many trips less one ahead; loads outside of loops a slot of their own, or one of
    the ring that held the same array's chunks in a loop before.

    With one slot nothing runs a trip ahead. Then what one operation of a step needs
    arrives while another one works: a slot is filled anew behind the first wait
    after its last use. A load in a loop that does not move with it is copied once,
    ahead of the loop, and each step reads its slot.

    In a kernel that is `padded`, rows whose bytes are a multiple of 32 get 16 bytes
    behind each; all others have their columns permuted.

    Loops that get rings count their trips, and loops around them carry the count.
    Loads that stay in registers are not moved.
  }];
  let dependentDialects = ["::napkin::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def TileCheckProtocolPass : Pass<"tile-check-protocol", "::napkin::tile::KernelOp"> {
  let summary = "Check that the verbs of rings and products fit together";
  let description = [{
    Replays who acquires, publishes, awaits and releases which trip of which ring, over
    all loops, with roles beside each other. Errors are located at the verb: a trip out
    of order, a slot that is never released or published, a ring that is filled on
    other trips than it is read, a product that is not waited for exactly once, a slot
    given back while a product may read it, roles that wait for each other. Changes
    nothing; `tile-expand-loops` checks the same first.
  }];
}

def TileExpandLoopsPass : Pass<"tile-expand-loops", "::napkin::tile::KernelOp"> {
  let summary = "Turn loops and rings into the steps of a device with one team";
  let description = [{
    `tile.loop` becomes `scf.for`; the slot of a trip becomes a number that steps around
    the ring. A publish closes a group of copies. What runs ahead is done ahead of the
    loop for the first trips, and in it under the condition that there is such a trip;
    a group is closed in any case, so that their count is the same on every trip.

    ```
    fill trips 0 .. ahead-1
    for each trip: wait for it; barrier; fill trip + ahead, if it exists; compute
    ```

    Waits and barriers are derived from a replay of the verbs
    (lib/Dialect/Tile/Transforms/Protocol.h): an await whose slot has arrived with an
    earlier one needs no wait, an acquire needs a barrier only if none stands between
    it and the release of the trip that had the slot before. That holds for nested,
    repeated and following loops, and for bounds that are values.

    Errors: those of `tile-check-protocol`; a copy that runs ahead and depends on what
    the loop computes; a role, by name.
  }];
  let dependentDialects = ["::napkin::tile::TileDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect"];
}

#endif // NAPKIN_DIALECT_TILE_TRANSFORMS_PASSES_TD
