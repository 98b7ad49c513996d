//===- Passes.td - conversions between stages -------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The edges of the pipeline: from the scheduled diagram to tile programs, and
// from tile programs to device code.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_CONVERSION_PASSES_TD
#define NAPKIN_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def NCDLowerToTilePass : Pass<"ncd-lower-to-tile", "::mlir::ModuleOp"> {
  let summary = "Turn each scheduled kernel into a tile program";
  let description = [{
    Replaces every `ncd.diagram` by one `tile.kernel` for each `ncd.kernel` in it.
    Arrays that a kernel reads become tiles of one block, the stream becomes a
    loop over chunks, contractions become `tile.mma`, and a sum with a
    contraction becomes the accumulator that it starts from. Where an axis' size
    is not a multiple of the tile, the last chunk of a stream is a copy of the
    body behind the loop, and what is folded along a partial axis is replaced by
    the reduction's identity past the end.

    Afterwards no `ncd` operation remains. Layouts and rings are not this
    pass's job: see `tile-assign-layouts` and `tile-make-rings`.
  }];
  let dependentDialects = ["::napkin::tile::TileDialect", "::mlir::arith::ArithDialect"];
}

def TileLowerToNVVMPass : Pass<"tile-lower-to-nvvm", "::mlir::ModuleOp"> {
  let summary = "Turn tile programs into NVVM functions of one thread";
  let description = [{
    Replaces every `tile.kernel` by an `llvm.func` in one `gpu.module`. Each tile
    becomes the registers that its layout gives to a thread. Operations of
    `arith` and `math` become instructions, never calls of a device library.

    Afterwards the module holds only `gpu`, `llvm` and `nvvm` operations; each
    function has attribute `napkin.shared_bytes`, the dynamic shared memory in
    bytes that a launch must give it.
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"sm_80\"",
           "Architecture, by name">];
  let dependentDialects = ["::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect",
                           "::mlir::gpu::GPUDialect"];
}

#endif // NAPKIN_CONVERSION_PASSES_TD
