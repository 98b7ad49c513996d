//===- NCDAttrs.td - attributes of the ncd dialect --------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Monoid names, partitions of axes, and the reference to a hardware description.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDATTRS_TD
#define NAPKIN_DIALECT_NCD_IR_NCDATTRS_TD

include "mlir/IR/EnumAttr.td"
include "napkin/Dialect/NCD/IR/NCDDecisions.td"
include "napkin/Dialect/NCD/IR/NCDDialect.td"

def NCD_MonoidSum : I32EnumAttrCase<"Sum", 0, "sum">;
def NCD_MonoidProd : I32EnumAttrCase<"Prod", 1, "prod">;
def NCD_MonoidMax : I32EnumAttrCase<"Max", 2, "max">;
def NCD_MonoidMin : I32EnumAttrCase<"Min", 3, "min">;
def NCD_MonoidAnd : I32EnumAttrCase<"And", 4, "and">;
def NCD_MonoidOr : I32EnumAttrCase<"Or", 5, "or">;

def NCD_MonoidEnum : I32EnumAttr<"Monoid", "a monoid known by name", [
    NCD_MonoidSum, NCD_MonoidProd, NCD_MonoidMax, NCD_MonoidMin, NCD_MonoidAnd,
    NCD_MonoidOr]> {
  let cppNamespace = "::napkin::ncd";
  let genSpecializedAttr = 0;
}

def NCD_MonoidAttr : EnumAttr<NCD_Dialect, NCD_MonoidEnum, "monoid"> {
  let summary = "monoid known by name";
  let description = [{
    The monoids that `ncd.reduce` knows by name, with the value of an empty
    reduction: `sum` (0), `prod` (1), `max` (-inf, or the least integer), `min`
    (+inf, or the greatest integer), `and` (all ones), `or` (0). `max` and `min`
    of floats are those of `arith.maximumf` and `arith.minimumf`: a NaN stays.
  }];
}

def NCD_PartitionAttr : NCD_Attr<"Partition", "partition"> {
  let summary = "tile sizes of some axes";
  let description = [{
    `#ncd.partition<h=1, q=128>` cuts axis h into tiles of 1 position and axis q
    into tiles of 128. Axes that are not named are whole. Tile sizes need not
    divide: the last tile is then partial.

    Preconditions: axis names are identifiers and differ from each other; tile
    sizes are positive.

    Example:

    ```mlir
    #ncd.partition<h=1, q=128>
    #ncd.partition<>
    ```
  }];
  let parameters = (ins
    NCD_ListParam<"::mlir::StringAttr", "names of the axes that are cut">:$axes,
    NCD_ListParam<"int64_t", "tile size of each, in elements">:$sizes);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Tile size of the axis called \p axis in elements, or nullopt when the
    /// axis is not cut.
    std::optional<int64_t> sizeOf(::llvm::StringRef axis) const;

    /// Whether the axis called \p axis is cut.
    bool hasAxis(::llvm::StringRef axis) const {
      return sizeOf(axis).has_value();
    }

    /// Whether no axis is cut.
    bool empty() const { return getAxes().empty(); }
  }];
}

def NCD_SourceRegisters : I32EnumAttrCase<"Registers", 0, "registers">;
def NCD_SourceShared : I32EnumAttrCase<"Shared", 1, "shared">;

def NCD_SourceEnum : I32EnumAttr<"Source", "from where an instruction takes a factor", [
    NCD_SourceRegisters, NCD_SourceShared]> {
  let cppNamespace = "::napkin::ncd";
  let genSpecializedAttr = 0;
}

def NCD_ProductAttr : NCD_Attr<"Product", "product"> {
  let summary = "how a block multiplies";
  let description = [{
    What the schedule decided for one contract: the instruction, a row of the table
    in include/napkin/Target/Instruction.h; which axis gives its rows, which its
    columns and which is summed; how many warps share the rows and how many the
    columns; and from where it takes the factor with the rows and the one with the
    columns. `registers`: the factor was computed there, by each warp that needs it, or
    stays there from step to step; `shared`: each step reads it from shared memory,
    into which it was copied, or written by the warps that computed a part each.

    Preconditions: the instruction is in the table; the axes differ; warps are
    positive.

    Example:

    ```mlir
    #ncd.product<"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [8, 1], from = [registers, shared]>
    ```
  }];
  let parameters = (ins
    NCD_Param<"::mlir::StringAttr", "name of the instruction">:$instruction,
    NCD_Param<"::mlir::StringAttr", "axis of the rows">:$rows,
    NCD_Param<"::mlir::StringAttr", "axis of the columns">:$columns,
    NCD_Param<"::mlir::StringAttr", "axis that is summed">:$summed,
    NCD_Param<"int64_t", "warps that share the rows">:$rowWarps,
    NCD_Param<"int64_t", "warps that share the columns">:$columnWarps,
    NCD_Param<"::napkin::ncd::Source", "where the factor with the rows is">:$a,
    NCD_Param<"::napkin::ncd::Source", "where the factor with the columns is">:$b);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def NCD_BoundAttr : NCD_Attr<"Bound", "bound"> {
  let summary = "where a walk over an axis begins or ends";
  let description = [{
    A position: a number, or the first or last position of the tile that a block has
    of another axis plus a number, rounded down to a multiple by `floor`, and not
    less or more than a number by `max` and `min`. `floor(first(q) + 1, 64)` is the
    largest multiple of 64 that is at most the tile's first position of q plus 1.
    What is outside of the axis that is walked means its end.

    `first(q_m / 4)` divides the position by a number, rounding down: where q_m is
    the axis q joined with 4 positions of m, it is that of q.

    Preconditions: the multiple and the divisor are positive; `floor` stands inside `max`, and `max`
    inside `min`; the number of `max` is at most that of `min`.

    Example:

    ```mlir
    #ncd.bound<512>
    #ncd.bound<last(q) + 1>
    #ncd.bound<floor(first(q) - 255, 64)>
    #ncd.bound<min(max(last(q) + 1, 100), 4096)>
    #ncd.bound<floor(first(q_m / 4) + 1, 64)>
    ```
  }];
  let parameters = (ins
    NCD_Param<"::mlir::StringAttr", "the axis whose tile is asked, or null">:$axis,
    NCD_Param<"bool", "whether its last position is meant">:$last,
    NCD_Param<"int64_t", "what is added">:$offset,
    NCD_Param<"int64_t", "the multiple">:$multiple,
    NCD_Param<"std::optional<int64_t>", "the least value, by `max`">:$least,
    NCD_Param<"std::optional<int64_t>", "the greatest value, by `min`">:$most,
    NCD_Param<"int64_t", "by what the position is divided">:$divisor);
  let builders = [AttrBuilder<(ins "::mlir::StringAttr":$axis, "bool":$last, "int64_t":$offset,
                                   "int64_t":$multiple), [{
    return $_get($_ctxt, axis, last, offset, multiple, std::nullopt, std::nullopt, /*divisor=*/1);
  }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// The bound's value where the tile's position that it asks for is
    /// \p position; that is not read where `axis` is null.
    int64_t valueAt(int64_t position) const;
  }];
}
def NCD_BoundArrayAttr : TypedArrayAttrBase<NCD_BoundAttr, "bounds">;

def NCD_SplitAttr : NCD_Attr<"Split", "split"> {
  let summary = "parts of a streamed axis, each on blocks of its own";
  let description = [{
    Blocks share the positions of a streamed axis: part number p begins at p times
    `by`. Each part ends with its state, which the kernel writes along the axis
    `parts`; a kernel after it merges them.

    Preconditions: `by` is positive; the names differ.

    Example:

    ```mlir
    #ncd.split<x by 512, parts = x_part>
    ```
  }];
  let parameters = (ins
    NCD_Param<"::mlir::StringAttr", "the streamed axis">:$axis,
    NCD_Param<"int64_t", "positions of a part">:$by,
    NCD_Param<"::mlir::StringAttr", "the axis of the parts">:$parts);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

def NCD_ViewAttr : NCD_Attr<"View", "view"> {
  let summary = "how a kernel sees an array that it reads";
  let description = [{
    As `ncd.view`: where in memory the first element lies and how far apart the
    positions of each axis are, in elements. `within 1` says that the kernel has
    operand 1 in a tile wherever it needs this one, and reads the elements there:
    they are moved once.

    Example:

    ```mlir
    #ncd.view<from 0 by [576, 1]>
    #ncd.view<from 0 by [576, 1] within 1>
    ```
  }];
  let parameters = (ins
    NCD_Param<"int64_t", "where the first element lies, in elements">:$from,
    NCD_ListParam<"int64_t", "elements between positions of each axis">:$by,
    NCD_Param<"std::optional<int64_t>", "number of the operand whose tile holds it">:$within);
  let hasCustomAssemblyFormat = 1;
}

def NCD_HardwareAttr : NCD_Attr<"Hardware", "hardware"> {
  let summary = "hardware description, by name";
  let description = [{
    Names the hardware description that a schedule was made for. The names and
    what they stand for belong to the cost model.

    Example:

    ```mlir
    #ncd.hardware<"a100_80gb">
    ```
  }];
  let parameters = (ins NCD_Param<"::mlir::StringAttr", "name of the description">:$name);
  let assemblyFormat = "`<` $name `>`";
}

/// A list of axis names.
def NCD_AxisListAttr : TypedArrayAttrBase<StrAttr, "axis names">;

#endif // NAPKIN_DIALECT_NCD_IR_NCDATTRS_TD
