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

    Each contract is priced with a row of the target's table of instructions
    (include/napkin/Target/Instruction.h): matrix instructions for the element
    types that have one, scalar multiply-adds for the others. A contract of three
    or more factors becomes contracts and maps of two; one without a matrix
    product in it, because a factor has no axis of its own or nothing is summed,
    is written as map and reduce first.

    A kernel that is there already stays as it is. Decisions can be pinned by the
    options below or in the IR, by a discardable attribute of the diagram

    ```mlir
    attributes {ncd.pin = {group = #ncd.partition<q=128>, stream = #ncd.partition<x=64>,
                           split = #ncd.partition<x=512>, warps = 8 : i32, stages = 2 : i32}}
    ```

    and on operations, `{ncd.pin = {kernel = 0}}`: operations with one number
    share a kernel, operations with different numbers do not. Options win over
    attributes.

    What was decided and why is left in the `account` of each kernel, for the
    report.

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
    ListOption<"pinSplit", "pin-split", "std::string",
               "Positions of a part of the streamed axis, axis:size, or 'none'">,
    Option<"pinWarps", "pin-warps", "int64_t", /*default=*/"0",
           "Warps of a block; 0 leaves the choice to the cost model">,
    Option<"pinStages", "pin-stages", "int64_t", /*default=*/"0",
           "Buffers of the pipeline; 0 leaves the choice to the cost model">,
    ListOption<"pinForms", "pin-forms", "std::string",
               "Forms of kernels: padded, reread or lazy with :true or :false, parts:number">,
    Option<"allowTF32", "allow-tf32", "bool", /*default=*/"false",
           "Round factors of f32 products to tf32, for tensor cores">,
  ];
  let statistics = [
    Statistic<"numKernels", "num-kernels", "Kernels formed">,
    Statistic<"bytesMoved", "bytes-moved", "Global bytes that the kernels move">,
    Statistic<"bytesUnfused", "bytes-unfused",
              "Global bytes that the operations would move one by one">,
  ];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::napkin::ncd::NCDDialect"];
}

def SplitStreamsPass : Pass<"ncd-split-streams"> {
  let summary = "Write a kernel whose stream is split as two kernels";
  let description = [{
    A kernel with a `split` whose results lack the axis of the parts is written as
    two. The first walks the positions of one part on each block and ends with the
    state: its stream has the same `init` and `step`, and results are the members of
    the state, each with the axis of the parts in front. The second has a `single`
    stream over the parts whose step is the `merge` of the first, its `finish`, and
    all operations behind it.

    Any stream may be split, since every stream has a `merge`; nothing is known of it
    beside its regions. The second kernel gets tiles of its own: many small blocks,
    since each element of the state is merged by itself. Where products or
    reductions are behind the stream, the blocks of the first are kept.

    It runs behind `ncd-derive-stream`, which writes the streams. A kernel that
    cannot be split, because a member of the state would be written by several
    blocks, or because it has no stream over the axis, is an error.

    ```mlir
    %r = ncd.kernel (%t = %x : !x) -> (!r) attributes {stream = #ncd.partition<x=32>,
        split = #ncd.split<x by 512, parts = x_part>} { ... }
    // ==>
    %s = ncd.kernel (%t = %x : !x) -> (!parts) attributes {stream = #ncd.partition<x=32>,
        split = #ncd.split<x by 512, parts = x_part>} { ... }
    %r = ncd.kernel (%p = %s : !parts) -> (!r) attributes {stream = #ncd.partition<x_part=8>} {
      %m = ncd.stream "x_part" single ins(%p : !parts) -> (!r) state(!r) ...
    }
    ```
  }];
  let statistics = [
    Statistic<"numSplit", "num-split", "Kernels written as two">];
  let dependentDialects = ["::napkin::ncd::NCDDialect"];
}

def ChooseInstructionsPass : Pass<"ncd-choose-instructions"> {
  let summary = "Write on each contract of a kernel what multiplies it";
  let description = [{
    Gives every contract in a kernel an `as`: the row of the target's table of
    instructions that the schedule has counted on, which axes are rows, columns and
    summed, how warps share them, and from where the factors come. Each must be one
    axis in a block's tile; a contract of another shape stays without, and is
    multiplied element by element.

    Rows are the kernel's `rows` where a factor carries them, and `row_warps` of its
    warps share them. A kernel that was written by hand without them is given the
    axis that most of its products keep, and whole rows for each warp where rows are
    folded or products follow each other, otherwise the squarest shares.

    A factor is in registers if it was computed, or if a loop reads the same rows
    in each step; otherwise it is read from shared memory.

    A sum of a product with something else becomes the product's `plus`, where
    nothing else reads the product.

    What is there already stays.

    ```mlir
    %s = ncd.contract %q, %k over [d] : !q, !k -> !s
    // ==>
    %s = ncd.contract %q, %k over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [8, 1], from = [registers, shared]> : !q, !k -> !s
    ```
  }];
  let options = [
    Option<"target", "target", "std::string", /*default=*/"\"sm_80\"",
           "Architecture to compile for">,
    Option<"allowTF32", "allow-tf32", "bool", /*default=*/"false",
           "Round factors of f32 products to tf32, for tensor cores">,
  ];
}

def VerifyPlanPass : Pass<"ncd-verify-plan"> {
  let summary = "Check the plan of each kernel";
  let description = [{
    Reads the plan of every kernel and judges it by the rules of
    include/napkin/Schedule/PlanVerifier.h: nests that cover what they sum, fills
    that stand where their contents are known, results that are written once,
    products whose tiles are whole for their warps, and so on. Each rule that a plan
    breaks is an error on the kernel, with the rule's name. Registers, shared memory
    and the width of copies are not judged here: what the program takes is counted
    when it is lowered.

    ```mlir
    // error: the plan breaks rule 'store.once': 'y' is stored under 'n' ...
    ```
  }];
}

def PrintPlanPass : Pass<"ncd-print-plan"> {
  let summary = "Print when and where everything of each kernel happens";
  let description = [{
    Prints the plan of every kernel to standard output, in the notation of
    include/napkin/Schedule/Plan.h: the nests of the grid and of time, what is
    filled and stored in each, what lives there, and by which instruction
    products are made; then the bytes of global memory that it moves.

    ```mlir
    kernel @sum (m=64, k=1000) warps 4
    grid m by 16 {
      state state1[m] : 32 in registers
      loop k by 256 {
        fill x[m, k] : 32 in registers
        reduce1[m] = x
        map1[m] = state1, reduce1
      }
      store y[m] : 32 from registers
    }
    moves 256000 bytes in and 256 out
    ```
  }];
}

#endif // NAPKIN_SCHEDULE_PASSES_TD
