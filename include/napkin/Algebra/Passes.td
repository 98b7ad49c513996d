//===- Passes.td - passes of the streaming algebra --------*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Passes that rewrite scheduled kernels into their streaming forms.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_ALGEBRA_PASSES_TD
#define NAPKIN_ALGEBRA_PASSES_TD

include "mlir/Pass/PassBase.td"

def NCDDeriveStreamPass : Pass<"ncd-derive-stream"> {
  let summary = "Rewrite kernels with a stream axis as one pass over it";
  let description = [{
    Derives, for every `ncd.kernel` whose `stream` attribute names an axis, the
    streaming form of its results over that axis, and rewrites its body as
    operations that need neither the axis nor its reductions, one `ncd.stream`,
    and operations that only read results. Kernels without a stream axis stay as
    they are. Contract, map and reduce must be all that is left to compute with
    (`ncd-decompose`).

    A reduction that has no streaming form is an error that names axis,
    reduction, sub-expression and missing law.
  }];
  let options = [
    Option<"inputBound", "input-bound", "double", /*default=*/"32",
           "B in |input| <= 2^B for inputs of f32, bf16 and f64">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
  let statistics = [
    Statistic<"numStreams", "num-streams", "Number of kernels rewritten">];
}

def NCDBoundStreamsPass : Pass<"ncd-bound-streams"> {
  let summary = "Write on streams which positions no block need walk";
  let description = [{
    Finds, for every `ncd.stream` in an `ncd.kernel` that says its chunk, the
    conditions on positions under which the step gives back the state that it
    takes, by an abstract evaluation of the step: a causal mask, a window, the end
    of a prefix. Writes them as the bounds `from` and `to`, for the tiles that the
    kernel cuts, and where the conditions hold for all rows of a tile ends a range:
    there they are dropped. A condition that bounds nothing stays in the step.
    Streams that have bounds, and those of a split kernel, stay as they are.
  }];
  let statistics = [
    Statistic<"numBounded", "num-bounded", "Number of streams with bounds">];
}

#endif // NAPKIN_ALGEBRA_PASSES_TD
