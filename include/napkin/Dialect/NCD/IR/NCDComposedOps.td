//===- NCDComposedOps.td - ops defined by a decomposition -*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations for people to write. Each is defined by its decomposition into map
// and reduce; the pass `ncd-decompose` applies it, and nothing after that pass
// knows their names.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDCOMPOSEDOPS_TD
#define NAPKIN_DIALECT_NCD_IR_NCDCOMPOSEDOPS_TD

include "mlir/Interfaces/SideEffectInterfaces.td"
include "napkin/Dialect/NCD/IR/NCDAttrs.td"
include "napkin/Dialect/NCD/IR/NCDDialect.td"
include "napkin/Dialect/NCD/IR/NCDInterfaces.td"
include "napkin/Dialect/NCD/IR/NCDTypes.td"

/// An operation that is defined by its decomposition.
class NCD_ComposedOp<string mnemonic, list<Trait> traits = []>
    : NCD_Op<mnemonic, !listconcat([Pure,
        DeclareOpInterfaceMethods<NCD_DecomposableOpInterface>], traits)> {
  let hasVerifier = 1;
  code overDeclaration = [{
    /// Type of the result.
    ArrayType getArrayType() { return getResult().getType(); }
    /// The axes named by `over`.
    ::llvm::SmallVector<::mlir::StringAttr> getOverAxes();
  }];
  let extraClassDeclaration = overDeclaration;
}

def NCD_SoftmaxOp : NCD_ComposedOp<"softmax"> {
  let summary = "Normalise exponentials along axes";
  let description = [{
    Defined by its decomposition, guarded so that a row of -inf alone gives 0:

    ```
    m = max t;    m' = select(m == -inf, 0, m)
    e = exp(t - m');    l = sum e
    p = e / select(l == 0, 1, l)
    ```

    Every element of a row that holds a NaN or +inf is NaN.

    Preconditions: the operand carries every axis in `over`, at least one; the
    result carries the operand's axes, in any order; both have float elements.

    Example:

    ```mlir
    %p = ncd.softmax %t over [x]
      : !ncd.array<q=512, x=512, f32> -> !ncd.array<q=512, x=512, bf16>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the scores">:$input,
    NCD_Arg<NCD_AxisListAttr, "axes along which the result sums to 1">:$over);
  let results = (outs NCD_Res<NCD_ArrayType, "the weights">:$result);
  let assemblyFormat = [{
    $input `over` custom<AxisList>($over) attr-dict `:` qualified(type($input)) `->` qualified(type($result))
  }];
}

def NCD_LogSumExpOp : NCD_ComposedOp<"logsumexp"> {
  let summary = "Logarithm of the sum of exponentials along axes";
  let description = [{
    Defined by its decomposition, guarded so that a row of -inf alone gives
    -inf:

    ```
    m = max t;    m' = select(m == -inf, 0, m)
    r = m' + log(sum exp(t - m'))
    ```

    The result is NaN for a row that holds a NaN or +inf.

    Preconditions: the operand carries every axis in `over`, at least one; the
    result carries the other axes, in any order; both have float elements.

    Example:

    ```mlir
    %r = ncd.logsumexp %t over [x]
      : !ncd.array<q=512, x=512, f32> -> !ncd.array<q=512, f32>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the scores">:$input,
    NCD_Arg<NCD_AxisListAttr, "axes that are reduced">:$over);
  let results = (outs NCD_Res<NCD_ArrayType, "the logarithms">:$result);
  let assemblyFormat = [{
    $input `over` custom<AxisList>($over) attr-dict `:` qualified(type($input)) `->` qualified(type($result))
  }];
}

def NCD_TopKOp : NCD_Op<"topk", [
    Pure, DeclareOpInterfaceMethods<NCD_DecomposableOpInterface>]> {
  let summary = "Find the largest elements along an axis, and where they are";
  let description = [{
    The k largest elements along one axis, k being the size of the axis `into`,
    which takes its place: the largest first, of equal ones the first. A NaN
    counts, and is given, as -inf, so that the k positions are always different
    and inside of the axis.

    Defined by its decomposition into k rounds of two reductions, each of which
    looks at what stands behind the last one found:

    ```
    a = a is NaN ? -inf : a
    v_j = max over e of (behind(a, e; v_j-1, i_j-1) ? a : -inf)
    i_j = min over e of (behind(a, e; v_j-1, i_j-1) and a == v_j ? e : the greatest integer)
    behind(a, e; v, i) = a < v or (a == v and e > i)
    ```

    Preconditions: the operand carries the one axis in `over`, of static size, and
    has float elements; both results carry its other axes and the axis `into`, in
    any order, of 1 to 64 positions and no more than the axis has; the values have
    float elements, the positions i32 elements.

    Example:

    ```mlir
    %v, %i = ncd.topk %p over [e] into "k"
      : !ncd.array<t=128, e=64, f32>
        -> !ncd.array<t=128, k=6, f32>, !ncd.array<t=128, k=6, i32>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the elements">:$input,
    NCD_Arg<NCD_AxisListAttr, "the axis that is searched">:$over,
    NCD_Arg<StrAttr, "the axis of what was found">:$into);
  let results = (outs
    NCD_Res<NCD_ArrayType, "the largest elements">:$values,
    NCD_Res<NCD_ArrayType, "their positions">:$indices);
  let assemblyFormat = [{
    $input `over` custom<AxisList>($over) `into` $into attr-dict `:`
    qualified(type($input)) `->` qualified(type($values)) `,` qualified(type($indices))
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The axis that is searched.
    ::mlir::StringAttr getOverAxis();
    /// The number of elements that are found.
    int64_t getCount();
  }];
}

def NCD_RMSNormOp : NCD_ComposedOp<"rms_norm"> {
  let summary = "Divide by the root of the mean square along axes";
  let description = [{
    Defined by its decomposition, n being the number of positions of `over`:

    ```
    y = x * rsqrt(sum(x * x) / n + eps) * gain
    ```

    Preconditions: the operand carries every axis in `over`, at least one, of
    static size; the gain's axes are axes of the operand; the result carries the
    operand's axes, in any order; all have float elements; eps is not negative.

    Example:

    ```mlir
    %y = ncd.rms_norm %x over [k] eps 1.000000e-06 gain(%g : !ncd.array<k=512, f32>)
      : !ncd.array<n=8, k=512, bf16> -> !ncd.array<n=8, k=512, bf16>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the array that is normalised">:$input,
    NCD_Arg<Optional<NCD_ArrayType>, "factor of each element, 1 when absent">:$gain,
    NCD_Arg<NCD_AxisListAttr, "axes over which the mean is taken">:$over,
    NCD_Arg<F64Attr, "number added to the mean square">:$eps);
  let results = (outs NCD_Res<NCD_ArrayType, "the normalised array">:$result);
  let assemblyFormat = [{
    $input `over` custom<AxisList>($over) `eps` $eps
    (`gain` `(` $gain^ `:` qualified(type($gain)) `)`)?
    attr-dict `:` qualified(type($input)) `->` qualified(type($result))
  }];
}

def NCD_LayerNormOp : NCD_ComposedOp<"layer_norm", [AttrSizedOperandSegments]> {
  let summary = "Subtract the mean and divide by the deviation along axes";
  let description = [{
    Defined by its decomposition, n being the number of positions of `over`:

    ```
    c = x - sum(x) / n
    y = c * rsqrt(sum(c * c) / n + eps) * gain + bias
    ```

    Preconditions: as for `ncd.rms_norm`, the bias like the gain.

    Example:

    ```mlir
    %y = ncd.layer_norm %x over [k] eps 1.000000e-05
        gain(%g : !ncd.array<k=512, f32>) bias(%b : !ncd.array<k=512, f32>)
      : !ncd.array<n=8, k=512, bf16> -> !ncd.array<n=8, k=512, bf16>
    ```
  }];
  let arguments = (ins
    NCD_Arg<NCD_ArrayType, "the array that is normalised">:$input,
    NCD_Arg<Optional<NCD_ArrayType>, "factor of each element, 1 when absent">:$gain,
    NCD_Arg<Optional<NCD_ArrayType>, "summand of each element, 0 when absent">:$bias,
    NCD_Arg<NCD_AxisListAttr, "axes over which mean and deviation are taken">:$over,
    NCD_Arg<F64Attr, "number added to the variance">:$eps);
  let results = (outs NCD_Res<NCD_ArrayType, "the normalised array">:$result);
  let assemblyFormat = [{
    $input `over` custom<AxisList>($over) `eps` $eps
    (`gain` `(` $gain^ `:` qualified(type($gain)) `)`)?
    (`bias` `(` $bias^ `:` qualified(type($bias)) `)`)?
    attr-dict `:` qualified(type($input)) `->` qualified(type($result))
  }];
}

#endif // NAPKIN_DIALECT_NCD_IR_NCDCOMPOSEDOPS_TD
