//===- NCDOps.td - operations of a diagram ----------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The diagram and the few operations that everything else is made of: contract,
// map and reduce. Operations that people write and that decompose into these
// are in NCDComposedOps.td, those that name axes anew in NCDViewOps.td, those of
// the schedule stage in NCDScheduleOps.td.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDOPS_TD
#define NAPKIN_DIALECT_NCD_IR_NCDOPS_TD

include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "napkin/Dialect/NCD/IR/NCDAttrs.td"
include "napkin/Dialect/NCD/IR/NCDDialect.td"
include "napkin/Dialect/NCD/IR/NCDInterfaces.td"
include "napkin/Dialect/NCD/IR/NCDTypes.td"

//===----------------------------------------------------------------------===//
// Diagram, return, yield
//===----------------------------------------------------------------------===//

def NCD_DiagramOp : NCD_Op<"diagram", [
    FunctionOpInterface, IsolatedFromAbove, OpAsmOpInterface, SingleBlock]> {
  let summary = "Say what an algorithm computes";
  let description = [{
    A named function from arrays to arrays. Its body is a graph of operations
    without side effects, written in any order in which values are defined
    before they are used.

    Preconditions: arguments and results are arrays, results without strides; the
    diagram has a body; an axis name has one size in the whole diagram.

    Example:

    ```mlir
    ncd.diagram @product(%x: !ncd.array<a=64, b=32, bf16>,
                         %y: !ncd.array<b=32, c=16, bf16>)
        -> !ncd.array<a=64, c=16, f32> {
      %z = ncd.contract %x, %y over [b]
        : !ncd.array<a=64, b=32, bf16>, !ncd.array<b=32, c=16, bf16>
          -> !ncd.array<a=64, c=16, f32>
      ncd.return %z : !ncd.array<a=64, c=16, f32>
    }
    ```
  }];
  let arguments = (ins
    NCD_Arg<SymbolNameAttr, "name of the diagram">:$sym_name,
    NCD_Arg<TypeAttrOf<FunctionType>, "types of the arguments and results">:$function_type,
    NCD_Arg<OptionalAttr<StrAttr>, "visibility of the symbol">:$sym_visibility,
    NCD_Arg<OptionalAttr<DictArrayAttr>, "attributes of the arguments">:$arg_attrs,
    NCD_Arg<OptionalAttr<DictArrayAttr>, "attributes of the results">:$res_attrs);
  let regions = (region AnyRegion:$body);
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::FunctionType":$type)>];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// The body, or null when there is none.
    ::mlir::Region *getCallableRegion() {
      return isExternal() ? nullptr : &getBody();
    }
    /// Types of the arguments.
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() {
      return getFunctionType().getInputs();
    }
    /// Types of the results.
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() {
      return getFunctionType().getResults();
    }
    /// Name of argument \p index as written in the `ncd.name` attribute of the
    /// argument, or `arg<index>`.
    std::string getArgumentName(unsigned index);
    /// Name of result \p index as written in the `ncd.name` attribute of the
    /// result, or `result<index>`.
    std::string getResultName(unsigned index);
    /// Names the block arguments after their `ncd.name` attributes.
    void getAsmBlockArgumentNames(::mlir::Region &region,
                                  ::mlir::OpAsmSetValueNameFn setName);
  }];
}

def NCD_ReturnOp : NCD_Op<"return", [
    HasParent<"DiagramOp">, Pure, ReturnLike, Terminator]> {
  let summary = "Return the results of a diagram";
  let description = [{
    Ends the body of a diagram and gives its results.

    Preconditions: the types are the result types of the diagram.

    Example:

    ```mlir
    ncd.return %o : !ncd.array<h=4, q=512, d=128, bf16>
    ```
  }];
  let arguments = (ins NCD_Arg<Variadic<NCD_ArrayType>, "the results">:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
  let hasVerifier = 1;
}

def NCD_YieldOp : NCD_Op<"yield", [
    ParentOneOf<["MapOp", "ReduceOp", "KernelOp", "StreamOp", "WhenOp"]>, Pure,
    ReturnLike, Terminator]> {
  let summary = "Give the values of a region";
  let description = [{
    Ends a region: scalars in `ncd.map` and `ncd.reduce`, arrays in `ncd.kernel`,
    `ncd.stream` and `ncd.when`.

    Preconditions: the types are those that the enclosing operation asks for.

    Example:

    ```mlir
    ncd.yield %r : f32
    ```
  }];
  let arguments = (ins NCD_Arg<Variadic<AnyType>, "the values">:$operands);
  let assemblyFormat = "attr-dict ($operands^ `:` type($operands))?";
  let builders = [OpBuilder<(ins), [{ build($_builder, $_state, ::mlir::ValueRange()); }]>];
}

//===----------------------------------------------------------------------===//
// Contract, map, reduce
//===----------------------------------------------------------------------===//

def NCD_ContractOp : NCD_Op<"contract", [AttrSizedOperandSegments, Pure]> {
  let summary = "Multiply arrays and sum over shared axes";
  let description = [{
    The sum, over the axes in `over`, of the product of all operands; linear in
    each. Every other axis is woven: the result carries the union of the
    operands' axes less `over`, in any order.

    Sums accumulate in f32 (in f64 for f64 operands, i32 for i8), whatever the
    order of the summands, and are then rounded to the result's element type.

    In a kernel, `as` says how a block multiplies its tiles
    (`ncd-choose-instructions`); without it the products are made element by
    element. `plus` is what the sums start from instead of 0, repeated along the
    axes of the result that it lacks: the accumulator of the instruction.

    Preconditions: at least one operand; operands have one element type; an axis
    in `over` is carried by at least two operands; the axes of the result are
    exactly those that remain; the result's element type is a float type for
    float operands, and the accumulator's type for integers; `as` names rows and
    columns that one factor each carries, and a summed axis; `plus` has the
    accumulator's element type and no axis that the result lacks.

    Example:

    ```mlir
    // h is woven: both operands carry it and `over` does not name it.
    %s = ncd.contract %q, %k over [d]
      : !ncd.array<h=4, q=512, d=128, bf16>, !ncd.array<h=4, x=512, d=128, bf16>
        -> !ncd.array<h=4, q=512, x=512, f32>
    ```
  }];
  let arguments = (ins
    NCD_Arg<Variadic<NCD_ArrayType>, "the factors">:$inputs,
    NCD_Arg<Optional<NCD_ArrayType>, "what the sums start from">:$start,
    NCD_Arg<NCD_AxisListAttr, "axes that are summed">:$over,
    NCD_Arg<OptionalAttr<NCD_ProductAttr>, "how a block multiplies">:$product);
  let results = (outs NCD_Res<NCD_ArrayType, "the sums of products">:$result);
  let assemblyFormat = [{
    $inputs `over` custom<AxisList>($over) (`plus` $start^ `:` qualified(type($start)))? (`as` $product^)? attr-dict `:` type($inputs) `->` qualified(type($result))
  }];
  let builders = [OpBuilder<(ins "ArrayType":$resultType, "::mlir::ValueRange":$inputs,
                                 "::llvm::ArrayRef<::mlir::StringAttr>":$over)>];
  let hasVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// Type of the result.
    ArrayType getArrayType() { return getResult().getType(); }
    /// The axes that are summed.
    ::llvm::SmallVector<::mlir::StringAttr> getOverAxes();
    /// Whether the axis called \p axis is summed.
    bool isOver(::llvm::StringRef axis);
    /// Type in which sums accumulate: f64, f32, i32 or i64.
    ::mlir::Type getAccumulatorType();
    /// Number of the factor that carries the rows of `as`, 0 or 1. Requires: the
    /// operation says how it multiplies.
    unsigned getRowFactor();
  }];
}

def NCD_MapOp : NCD_Op<"map", [
    IsolatedFromAbove, Pure, SingleBlock]> {
  let summary = "Compute each element by a scalar expression";
  let description = [{
    Computes every element of the result by a region of `arith` and `math`
    operations whose arguments are the operands' elements at that position. An
    operand that lacks an axis of the result is repeated along it. Without
    operands the map fills. `ncd.index` gives the position along an axis, for
    masks, biases and position codes.

    The region yields a value of the result's element type: rounding to a
    storage type is written, as `arith.truncf`.

    Preconditions: the result carries every axis of every operand, in any order;
    the region takes one scalar for each operand, of its element type, and
    yields one of the result's element type; its operations have no side
    effects, take and give scalars, and use nothing from outside.

    Example:

    ```mlir
    // A causal mask: -inf where the key is ahead of the query.
    %t = ncd.map %s {
    ^bb0(%e: f32):
      %x = ncd.index "x" : index
      %q = ncd.index "q" : index
      %seen = arith.cmpi sle, %x, %q : index
      %none = arith.constant 0xFF800000 : f32
      %r = arith.select %seen, %e, %none : f32
      ncd.yield %r : f32
    } : !ncd.array<q=512, x=512, f32> -> !ncd.array<q=512, x=512, f32>
    ```
  }];
  let arguments = (ins NCD_Arg<Variadic<NCD_ArrayType>, "the arrays that are read">:$inputs);
  let results = (outs NCD_Res<NCD_ArrayType, "the computed array">:$result);
  let regions = (region SizedRegion<1>:$body);
  let builders = [OpBuilder<(ins "ArrayType":$resultType, "::mlir::ValueRange":$inputs,
      "::llvm::function_ref<::mlir::Value(::mlir::OpBuilder &, ::mlir::Location, ::mlir::ValueRange)>":$body)>];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let hasFolder = 1;
  let extraClassDeclaration = [{
    /// Type of the result.
    ArrayType getArrayType() { return getResult().getType(); }
    /// The value that the region yields. Requires: the operation verifies.
    ::mlir::Value getYielded();
  }];
}

def NCD_IndexOp : NCD_Op<"index", [HasParent<"MapOp">, Pure]> {
  let summary = "Give the position along an axis";
  let description = [{
    The position of the element being computed along an axis, counted from 0
    over the whole axis: in a group or chunk it is still the global position.

    Preconditions: the result of the enclosing map carries the axis.

    Example:

    ```mlir
    %x = ncd.index "x" : index
    ```
  }];
  let arguments = (ins NCD_Arg<StrAttr, "name of the axis">:$axis);
  let results = (outs NCD_Res<Index, "the position">:$result);
  let assemblyFormat = "$axis attr-dict `:` type($result)";
  let hasVerifier = 1;
}

def NCD_ReduceOp : NCD_Op<"reduce", [
    IsolatedFromAbove, Pure]> {
  let summary = "Combine the elements along axes by a monoid";
  let description = [{
    Combines all elements along the axes in `over` by a commutative monoid, given
    by name (`sum`, `prod`, `max`, `min`, `and`, `or`) or as a region with its
    identity. Every other axis is woven. The order of combination is open.

    Named reductions accumulate in f32 for floats (f64 for f64), and `sum` and
    `prod` of i8 in i32; the result is then rounded to its element type. A
    region combines values of the accumulator's type. `max` and `min` keep NaN.

    Preconditions: `over` names at least one axis, each once, and the operand
    carries them; the result carries exactly the other axes, in any order; a
    region takes two scalars of the accumulator's type and yields one, uses
    nothing from outside, and the identity has that type; `and` and `or` need
    integers.

    Example:

    ```mlir
    %m = ncd.reduce max %t over [x]
      : !ncd.array<q=512, x=512, f32> -> !ncd.array<q=512, f32>

    %a = ncd.reduce %t over [x] identity(0.000000e+00 : f32) {
    ^bb0(%l: f32, %r: f32):
      %p = math.absf %l : f32
      %q = math.absf %r : f32
      %v = arith.maximumf %p, %q : f32
      ncd.yield %v : f32
    } : !ncd.array<q=512, x=512, f32> -> !ncd.array<q=512, f32>
    ```
  }];
  let arguments = (ins
    NCD_Arg<OptionalAttr<NCD_MonoidAttr>, "the monoid, when known by name">:$monoid,
    NCD_Arg<NCD_ArrayType, "the array that is reduced">:$input,
    NCD_Arg<NCD_AxisListAttr, "axes that are reduced">:$over,
    NCD_Arg<OptionalAttr<TypedAttrInterface>, "value of an empty reduction, with a region">:$identity);
  let results = (outs NCD_Res<NCD_ArrayType, "the combined elements">:$result);
  let regions = (region AnyRegion:$combiner);
  let builders = [
    OpBuilder<(ins "ArrayType":$resultType, "Monoid":$monoid, "::mlir::Value":$input,
                   "::llvm::ArrayRef<::mlir::StringAttr>":$over)>,
    OpBuilder<(ins "ArrayType":$resultType, "::mlir::Value":$input,
                   "::llvm::ArrayRef<::mlir::StringAttr>":$over, "::mlir::TypedAttr":$identity,
      "::llvm::function_ref<::mlir::Value(::mlir::OpBuilder &, ::mlir::Location, ::mlir::Value, ::mlir::Value)>":$combiner)>];
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let hasCanonicalizer = 1;
  let extraClassDeclaration = [{
    /// Type of the operand.
    ArrayType getInputType() { return getInput().getType(); }
    /// Type of the result.
    ArrayType getArrayType() { return getResult().getType(); }
    /// The axes that are reduced.
    ::llvm::SmallVector<::mlir::StringAttr> getOverAxes();
    /// Whether the axis called \p axis is reduced.
    bool isOver(::llvm::StringRef axis);
    /// Type in which elements are combined: f64, f32, or an integer type.
    ::mlir::Type getAccumulatorType();
    /// Value of an empty reduction, of the accumulator's type: the identity of
    /// the named monoid or that of the region.
    ::mlir::TypedAttr getIdentityValue();
  }];
}

include "napkin/Dialect/NCD/IR/NCDComposedOps.td"
include "napkin/Dialect/NCD/IR/NCDScheduleOps.td"
include "napkin/Dialect/NCD/IR/NCDViewOps.td"

#endif // NAPKIN_DIALECT_NCD_IR_NCDOPS_TD
