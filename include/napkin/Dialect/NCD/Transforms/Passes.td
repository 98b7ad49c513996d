//===- Passes.td - passes on diagrams ---------------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes from diagrams to diagrams. Those of the schedule and of the streaming
// algebra live in their own rooms.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_TRANSFORMS_PASSES_TD
#define NAPKIN_DIALECT_NCD_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def NCDDecomposePass : Pass<"ncd-decompose"> {
  let summary = "Replace operations by their definitions in map and reduce";
  let description = [{
    Replaces every operation that implements `DecomposableOpInterface` (softmax,
    logsumexp, rms_norm, layer_norm) by its decomposition. Afterwards only
    contract, map and reduce compute anything, so no later pass needs to know
    the names. The pass does not simplify what it builds; run `canonicalize` and
    `cse` for that.

    An operation without a decomposition is an error on that operation.

    ```mlir
    %r = ncd.logsumexp %t over [x]
      : !ncd.array<q=8, x=64, f32> -> !ncd.array<q=8, f32>
    // ==>
    %m = ncd.reduce max %t over [x]
      : !ncd.array<q=8, x=64, f32> -> !ncd.array<q=8, f32>
    %n = ncd.map %m { ... select(m == -inf, 0, m) ... }
    %e = ncd.map %t, %n { ... exp(t - n) ... }
    %l = ncd.reduce sum %e over [x]
      : !ncd.array<q=8, x=64, f32> -> !ncd.array<q=8, f32>
    %r = ncd.map %n, %l { ... n + log(l) ... }
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
  let statistics = [
    Statistic<"numDecomposed", "num-decomposed", "Number of operations replaced">];
}

def NCDPlaceViewsPass : Pass<"ncd-place-views"> {
  let summary = "Move views to where arrays lie in memory";
  let description = [{
    Rewrites splits, joins, renames, slices and concatenations, so that what is
    left of them are `ncd.view`s of arguments, which cost nothing: a first element
    and strides.

    - A split, rename or slice of what an operation computes moves above the
      operation, to those of its operands that carry the axis, when nothing else
      reads the whole. Where others read the parts of a split as one axis, they
      see a join of them.
    - A join moves below what reads it: there the other arrays that carry the axis
      are split.
    - Splits of joins, joins of joins and so on become one.
    - A join at a result is the same memory under another type; the diagram's own
      type stays in its attribute `ncd.declared`.
    - Where others read the whole of what is renamed or sliced, or where a slice
      cuts across the parts of a join, the array goes through memory, and the view
      is one of what was written.
    - A product summed along what is put together is the sum of the products of the
      parts; what is seen of one part is seen of that part. What else reads a
      concatenation has it as a map that chooses among the parts, of one size.

    An argument with strides is seen through a view everywhere. Axes of views are
    listed as they lie, the closest last.

    Errors: a concatenation of parts of different sizes that other operations than
    products along it read; a view of what a formed
    kernel gives.

    ```mlir
    %q = ncd.contract %x, %w over [m] : ... -> !ncd.array<s=512, e=256, f32>
    %h = ncd.split %q "e" into [h, d] : ... -> !ncd.array<s=512, h=4, d=64, f32>
    // ==>
    %v = ncd.view %w from 0 by [256, 64, 1]
      : !ncd.array<m=512, e=256, bf16> -> !ncd.array<m=512, h=4, d=64, bf16>
    %h = ncd.contract %x, %v over [m] : ... -> !ncd.array<s=512, h=4, d=64, f32>
    ```
  }];
  let dependentDialects = ["::mlir::arith::ArithDialect"];
  let statistics = [
    Statistic<"numPlaced", "num-placed", "Number of views of arrays in memory">];
}

#endif // NAPKIN_DIALECT_NCD_TRANSFORMS_PASSES_TD
