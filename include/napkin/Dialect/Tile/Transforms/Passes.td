//===- Passes.td - passes over tile programs --------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What turns a tile program from "what moves" into "where it lives and when it
// moves": layouts, then buffers and pipelining.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_TILE_TRANSFORMS_PASSES_TD
#define NAPKIN_DIALECT_TILE_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

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
    pass's job: see `tile-pipeline`.
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"sm_80\"",
           "Architecture, by name">];
  let dependentDialects = ["::napkin::tile::TileDialect"];
}

def TilePipelinePass : Pass<"tile-pipeline", "::napkin::tile::KernelOp"> {
  let summary = "Stage loads in shared memory and overlap them with a loop";
  let description = [{
    A load whose threads would read an element more than once, or whose layout is
    an operand of a matrix instruction, goes through a buffer in shared memory:
    each byte then crosses from global memory once for each block. In a loop the
    buffer is a ring of as many slots as the kernel has `stages`, and copies run
    that many chunks less one ahead:

    ```
    copy chunks 0 .. stages-2
    for each chunk: wait for it; barrier; start copying chunk + stages-1; compute
    ```

    One barrier an iteration serves both hazards: the chunk has arrived for all
    threads, and all threads have left the slot that the next copy overwrites.
    Loads that stay in registers are not moved.
  }];
  let dependentDialects = ["::napkin::tile::TileDialect", "::mlir::scf::SCFDialect",
                           "::mlir::arith::ArithDialect"];
}

#endif // NAPKIN_DIALECT_TILE_TRANSFORMS_PASSES_TD
