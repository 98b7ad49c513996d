//===- Passes.td - passes that decide where and when ------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass that turns a diagram into kernels.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_PASSES_TD
#define NAPKIN_SCHEDULE_PASSES_TD

include "mlir/Pass/PassBase.td"

def SchedulePass : Pass<"ncd-schedule"> {
  let summary = "Form kernels and choose their partitions by cost";
  let description = [{
    Cuts every diagram into `ncd.kernel` operations and gives each its
    partitions: the group axes with the tile of one block, the axis that is
    streamed with its chunk, the order of the grid, warps and stages. Choices are
    made by the cost model alone (docs/cost-model.md); which axes may be streamed
    is asked of the streaming algebra. No operation is known by more than its
    axes.

    Before: contract, map and reduce only (`ncd-decompose`). Afterwards every
    operation that a result needs is in a kernel, the rest is gone, and a
    kernel with a `stream` is still written without the loop: that is
    `ncd-derive-stream`.

    A contract that no tensor-core instruction has the shape of, because a factor
    has no axis of its own or nothing is summed, is written as map and reduce
    first.

    A kernel that is there already stays as it is. Decisions can be pinned by the
    options below or in the IR, by a discardable attribute of the diagram

    ```mlir
    attributes {ncd.pin = {group = #ncd.partition<q=128>, stream = #ncd.partition<x=64>,
                           warps = 8 : i32, stages = 2 : i32}}
    ```

    and on operations, `{ncd.pin = {kernel = 0}}`: operations with one number
    share a kernel, operations with different numbers do not. Options win over
    attributes.

    What was decided and why is left with the location of each kernel, as
    metadata of a fused location, for the report.

    An operation that no partition fits is an error that names the axis, the
    limit and what to change.

    ```mlir
    %z = ncd.contract %x, %y over [k] : !x, !y -> !z
    // ==>
    %z = ncd.kernel (%a = %x, %b = %y : !x, !y) -> (!z)
        attributes {group = #ncd.partition<m=128, n=128>, stream = #ncd.partition<k=64>,
                    order = ["m", "n"], hardware = #ncd.hardware<"a100_80gb">,
                    warps = 4 : i32, stages = 3 : i32} { ... }
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"sm_80\"",
           "Architecture to compile for; picks the hardware when that is not given">,
    Option<"hardware", "hardware", "std::string", /*default=*/"",
           "Hardware description: a compiled-in name or a .json file">,
    ListOption<"pinGroup", "pin-group", "std::string",
               "Tiles of group axes, axis:size">,
    ListOption<"pinStream", "pin-stream", "std::string",
               "Chunk of the streamed axis, axis:size, or 'none'">,
    Option<"pinWarps", "pin-warps", "int64_t", /*default=*/"0",
           "Warps of a block; 0 leaves the choice to the cost model">,
    Option<"pinStages", "pin-stages", "int64_t", /*default=*/"0",
           "Buffers of the pipeline; 0 leaves the choice to the cost model">,
  ];
  let statistics = [
    Statistic<"numKernels", "num-kernels", "Kernels formed">,
    Statistic<"bytesMoved", "bytes-moved", "Global bytes that the kernels move">,
    Statistic<"bytesUnfused", "bytes-unfused",
              "Global bytes that the operations would move one by one">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::napkin::ncd::NCDDialect"];
}

#endif // NAPKIN_SCHEDULE_PASSES_TD
