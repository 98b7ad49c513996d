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

#endif // NAPKIN_DIALECT_NCD_TRANSFORMS_PASSES_TD
