//===- NCDAttrs.td - attributes of the ncd dialect --------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Monoid names, partitions of axes, and the reference to a hardware description.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDATTRS_TD
#define NAPKIN_DIALECT_NCD_IR_NCDATTRS_TD

include "mlir/IR/EnumAttr.td"
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
