//===- NCDViewOps.td - axes seen in another way ------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that compute nothing: they say of which axes an array is made, and
// which part of it is meant. All but `ncd.view` name axes; `ncd.view` is what
// they come to once it is known where the array lies in memory.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDVIEWOPS_TD
#define NAPKIN_DIALECT_NCD_IR_NCDVIEWOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "napkin/Dialect/NCD/IR/NCDAttrs.td"
include "napkin/Dialect/NCD/IR/NCDDialect.td"
include "napkin/Dialect/NCD/IR/NCDTypes.td"

def NCD_SplitOp : NCD_Op<"split", [Pure]> {
  let summary = "See one axis as several";
  let description = [{
    Position `g * |m| + m` of the axis is position (g, m) of the result, the last
    of the new axes changing fastest. No element moves.

    Preconditions: the operand carries the axis; the new axes differ from each
    other and from its other axes; their sizes, which the result's type gives,
    multiply to that of the axis; the result carries them and the other axes, in
    any order, and holds the same elements.

    Errors: the axis that is missing, taken or too much, and the sizes that do not
    multiply.

    Example:

    ```mlir
    // Columns of a projection are heads of 64.
    %y = ncd.split %x "e" into [h, d]
      : !ncd.array<s=512, e=256, bf16> -> !ncd.array<s=512, h=4, d=64, bf16>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the array">:$input,
    NCD_Arg<StrAttr, "the axis">:$axis,
    NCD_Arg<NCD_AxisListAttr, "what it is made of, slowest first">:$into);
  let results = (outs NCD_Res<NCD_ArrayType, "the same elements">:$result);
  let assemblyFormat = [{
    $input $axis `into` custom<AxisList>($into) attr-dict `:` qualified(type($input)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NCD_JoinOp : NCD_Op<"join", [Pure]> {
  let summary = "See several axes as one";
  let description = [{
    The opposite of `ncd.split`: position (g, m) is position `g * |m| + m` of the
    new axis, the last axis that is named changing fastest. No element moves.

    Preconditions: the operand carries the axes, each named once; the new axis is
    none of its others; its size is the product of theirs; the result carries it
    and the others, in any order, and holds the same elements.

    Errors: as for `ncd.split`.

    Example:

    ```mlir
    %y = ncd.join %x [h, d] into "e"
      : !ncd.array<s=512, h=4, d=64, bf16> -> !ncd.array<s=512, e=256, bf16>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the array">:$input,
    NCD_Arg<NCD_AxisListAttr, "the axes, slowest first">:$axes,
    NCD_Arg<StrAttr, "the axis that they make">:$into);
  let results = (outs NCD_Res<NCD_ArrayType, "the same elements">:$result);
  let assemblyFormat = [{
    $input custom<AxisList>($axes) `into` $into attr-dict `:` qualified(type($input)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NCD_RenameOp : NCD_Op<"rename", [Pure]> {
  let summary = "Give axes other names";
  let description = [{
    The same elements along axes of other names. Since arrays that name an axis
    alike share it, a new name is what tells two roles of one array apart: rows of
    X as queries, and rows of X as keys.

    Preconditions: the operand carries the axes, each named once; as many new
    names, which differ from each other and from its other axes; the result
    carries them in their places, in any order, and holds the same elements.

    Errors: the axis that is missing, taken or too much.

    Example:

    ```mlir
    %keys = ncd.rename %x [q] into [x]
      : !ncd.array<q=512, d=64, bf16> -> !ncd.array<x=512, d=64, bf16>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the array">:$input,
    NCD_Arg<NCD_AxisListAttr, "the axes">:$axes,
    NCD_Arg<NCD_AxisListAttr, "their new names">:$into);
  let results = (outs NCD_Res<NCD_ArrayType, "the same elements">:$result);
  let assemblyFormat = [{
    $input custom<AxisList>($axes) `into` custom<AxisList>($into) attr-dict `:` qualified(type($input)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NCD_SliceOp : NCD_Op<"slice", [Pure]> {
  let summary = "Take some positions of an axis";
  let description = [{
    Position i of the result's axis is position `from + i * by` of the operand's.
    `into` names that axis; without it the result has one position and lacks the
    axis. A negative `by` goes backwards. A part has other positions than the whole,
    so it has a name of its own; where it is as long, it may keep the name, and
    then shares the axis: `from 1 by -1 into "half"` is the other half.

    Preconditions: the operand carries the axis; the positions lie on it; `by` is
    not 0; the new name is none of its other axes; the result carries the new axis
    and the others, in any order, and holds the same elements.

    Errors: the axis and the position that lies outside.

    Example:

    ```mlir
    // The first 512 of 576 columns of a cache are its values.
    %v = ncd.slice %c "c" from 0 into "v"
      : !ncd.array<x=4096, c=576, bf16> -> !ncd.array<x=4096, v=512, bf16>
    // Of packed queries, keys and values, the keys.
    %k = ncd.slice %qkv "t" from 1
      : !ncd.array<t=3, h=4, s=512, d=64, bf16> -> !ncd.array<h=4, s=512, d=64, bf16>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the array">:$input,
    NCD_Arg<StrAttr, "the axis">:$axis,
    NCD_Arg<I64Attr, "its first position that is taken">:$from,
    NCD_Arg<DefaultValuedAttr<I64Attr, "1">, "from one position to the next">:$by,
    NCD_Arg<OptionalAttr<StrAttr>, "the axis of what is taken">:$into);
  let results = (outs NCD_Res<NCD_ArrayType, "what is taken">:$result);
  let assemblyFormat = [{
    $input $axis `from` $from (`by` $by^)? (`into` $into^)? attr-dict `:` qualified(type($input)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NCD_ConcatOp : NCD_Op<"concat", [Pure]> {
  let summary = "Put arrays one behind the other";
  let description = [{
    The positions of the first operand's axis, then those of the second's, and so
    on, along one new axis. `[a, b]` names the axis of each operand.

    Preconditions: at least one operand, and an axis for each, which it carries;
    operands carry the same other axes and hold the same elements; the new axis is
    none of these; its size is the sum of theirs; the result carries it and the
    others, in any order.

    Errors: the operand and its axis that is missing, taken or too much, and sizes
    that do not add up.

    Example:

    ```mlir
    %y = ncd.concat %a, %b [p, p] into "d"
      : !ncd.array<x=512, p=32, f32>, !ncd.array<x=512, p=32, f32> -> !ncd.array<x=512, d=64, f32>
    ```
  }];
  let arguments = (ins
    NCD_Arg<Variadic<NCD_ArrayType>, "the arrays">:$inputs,
    NCD_Arg<NCD_AxisListAttr, "the axis of each">:$axes,
    NCD_Arg<StrAttr, "the axis that they make">:$into);
  let results = (outs NCD_Res<NCD_ArrayType, "all of them">:$result);
  let assemblyFormat = [{
    $inputs custom<AxisList>($axes) `into` $into attr-dict `:` type($inputs) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
  let hasFolder = 1;
}

def NCD_ViewOp : NCD_Op<"view", [Pure]> {
  let summary = "See elements of an array in memory along other axes";
  let description = [{
    The element of the result at positions i, j, ... is the one that lies
    `from + i * by[0] + j * by[1] + ...` elements behind the first one of the
    operand in memory. It is what a chain of splits, joins, renames and slices
    comes to on an array whose place is known: `ncd-place-views` makes it of them,
    and the schedule gives it to the kernels that read the array.

    Preconditions: the operand has static sizes; one stride for each axis of the
    result; every element lies within the operand's; the result holds the same
    elements and has no strides in its type.

    Errors: the axis along which positions lie outside.

    Example:

    ```mlir
    %v = ncd.view %c from 0 by [576, 1]
      : !ncd.array<x=4096, c=576, bf16> -> !ncd.array<x=4096, v=512, bf16>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the array">:$input,
    NCD_Arg<I64Attr, "where the first element lies, in elements">:$from,
    NCD_Arg<DenseI64ArrayAttr, "elements between positions of each axis">:$by);
  let results = (outs NCD_Res<NCD_ArrayType, "what is seen">:$result);
  let assemblyFormat = [{
    $input `from` $from `by` $by attr-dict `:` qualified(type($input)) `->` qualified(type($result))
  }];
  let hasVerifier = 1;
}

#endif // NAPKIN_DIALECT_NCD_IR_NCDVIEWOPS_TD
