//===- NCDDecisions.td - what was decided, and why --------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The account that a schedule gives of a kernel: choices, their causes, and what
// was estimated. Data, with numbers in their places: a sentence is made of it
// where one is printed, and nowhere else.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDDECISIONS_TD
#define NAPKIN_DIALECT_NCD_IR_NCDDECISIONS_TD

include "napkin/Dialect/NCD/IR/NCDDialect.td"

def NCD_ReasonAttr : NCD_Attr<"Reason", "reason"> {
  let summary = "a cause with its numbers and names";
  let description = [{
    One cause of a decision. What its numbers and names are, by cause:

    | cause | numbers | names |
    |---|---|---|
    | `pinned`, `batch`, `whole` | | |
    | `granule` | the multiple | what asks for it |
    | `estimated` | another size; bytes that it moves more; its cycles in hundredths of the chosen ones; its blocks and the chosen ones where its last wave is emptier, else 0, 0 | |
    | `cut_off` | another size | the limit that it breaks; how, word for word |
    | `parts_of_blocks` | parts; blocks of each; multiprocessors | |
    | `whole_takes` | cycles without parts in hundredths of the chosen ones; multiprocessors that would be busy | |
    | `merge_takes` | percent of the time | |
    | `not_streamed` | | why the algebra refuses, word for word |
    | `not_inside` | | the outer axis; why the algebra refuses |
    | `tile` | size | axis |
    | `warps_of` | warps | |
    | `refused` | | what another stage says, word for word |
    | `whole_rows` | rows of each warp | |
    | `rows_by_columns` | warps that share rows; that share columns | |
    | `holds_one`, `hides_journey` | | |
    | `memory_asked` | bytes of device memory in this order; in the plain one | |
    | `one_kernel`, `computed_again` | | |
    | `priced` | cycles in hundredths of the chosen plan | |
    | `impossible`, `circular`, `forbidden`, `too_large` | | |
    | `elements` | elements of a block | |
    | `like_parts` | | |
    | `under_way` | parts | |

    What they mean is said by the sentences that a report prints
    (lib/Schedule/Reasons.cpp).

    Example:

    ```mlir
    #ncd.reason<pinned>
    #ncd.reason<granule [16] "rows of mma.m16n8k16.bf16">
    #ncd.reason<estimated [256, 4096, 102, 0, 0]>
    ```
  }];
  let parameters = (ins
    NCD_Param<"::napkin::ncd::Cause", "the cause">:$cause,
    NCD_ListParam<"int64_t", "its numbers">:$numbers,
    NCD_ListParam<"::mlir::StringAttr", "its names">:$names);
  let hasCustomAssemblyFormat = 1;
}

def NCD_DecisionAttr : NCD_Attr<"Decision", "decision"> {
  let summary = "one choice of the schedule, with its causes";
  let description = [{
    What was decided about what, and why. The name is that of an axis or an array,
    and empty where neither is meant; the size is 0 where there is none. Subjects are
    `group`, `stream`, `inside` (an axis that is walked inside a stream), `split`,
    `second_loop`, `resident` (an axis that is not streamed), `passed_over` (a
    partition that the code generator refuses), `warps`, `reread`, `padded` (rows in
    shared memory have room behind them), `parts` (of what a stream sums for a row),
    `stages`, `grouped` and `written` (an array that the diagram does not return).

    Example:

    ```mlir
    #ncd.decision<stream "x" = 64, [<granule [16] "depth of mma.m16n8k16.bf16">, <cut_off [128] "registers per thread", "tiles take 260 registers">]>
    #ncd.decision<warps = 8, [<pinned>]>
    ```
  }];
  let parameters = (ins
    NCD_Param<"::napkin::ncd::Subject", "what was decided">:$subject,
    NCD_Param<"::mlir::StringAttr", "about which axis or array">:$name,
    NCD_Param<"int64_t", "the size that was chosen, or 0">:$size,
    NCD_ListParam<"::napkin::ncd::ReasonAttr", "why">:$reasons);
  let hasCustomAssemblyFormat = 1;
}

def NCD_AccountAttr : NCD_Attr<"Account", "account"> {
  let summary = "what the schedule decided and estimated about a kernel";
  let description = [{
    For the report, and to say whose mistake a partition is: it is `chosen` where
    nobody pinned a part of it. Cycles are those of each level by name. A kernel
    whose stream is split has the account of the kernel that merges in `merge`.
    It is printed as an alias, ahead of everything else.

    Example:

    ```mlir
    #account = #ncd.account<chosen = true, registers = 128, shared_bytes = 65536, unfused_bytes = 1048576, cycles = {global = 900 : i64, launch = 5500 : i64}, decisions = [#ncd.decision<warps = 8, []>]>
    ```
  }];
  let parameters = (ins
    DefaultValuedParameter<"bool", "false", "whether nobody pinned a part of the partition">:$chosen,
    DefaultValuedParameter<"int64_t", "0", "registers of a thread for tiles">:$registers,
    DefaultValuedParameter<"int64_t", "0", "shared memory of a block, in bytes">:$shared_bytes,
    DefaultValuedParameter<"int64_t", "0", "bytes if every operation were a kernel; 0 if not known">:$unfused_bytes,
    OptionalParameter<"::mlir::DictionaryAttr", "estimated cycles by level">:$cycles,
    OptionalParameter<"::mlir::ArrayAttr", "decisions, in the order in which they are told">:$decisions,
    OptionalParameter<"::mlir::Attribute", "the account of the kernel that merges">:$merge);
  let assemblyFormat = "`<` struct(params) `>`";
  let genMnemonicAlias = 1;
  let extraClassDeclaration = [{
    /// The decisions; none where nothing is said.
    ::llvm::SmallVector<DecisionAttr> allDecisions() const;
  }];
}

#endif // NAPKIN_DIALECT_NCD_IR_NCDDECISIONS_TD
