//===- AlgebraicLaws.td - what a scalar operation obeys ---*- tablegen -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interface by which a scalar operation in the body of an ncd.map or
// ncd.reduce takes part in the streaming algebra.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_ALGEBRA_ALGEBRAICLAWS_TD
#define NAPKIN_ALGEBRA_ALGEBRAICLAWS_TD

include "mlir/IR/OpBase.td"

def AlgebraicLawsOpInterface : OpInterface<"AlgebraicLawsOpInterface"> {
  let description = [{
    A scalar operation that says which laws it obeys, by giving the term it
    denotes: a node whose kind carries laws (a sum, a product, an exponential, a
    rounding, ...), or a call of which only monotony and bounds are known. The
    algebra looks at terms only, never at operations, so an operation of another
    dialect joins by implementing this interface. One that does not is a call
    without laws: it may be computed on streamed inputs, but must not join them
    with results of reductions.
  }];
  let cppNamespace = "::napkin::algebra";
  let methods = [InterfaceMethod<[{
      The term that the single result denotes, given those of the operands; null
      when the operation obeys no law of its own.
    }],
    "::napkin::algebra::Expr", "getTerm",
    (ins "::napkin::algebra::ExprContext &":$context,
         "::llvm::ArrayRef<::napkin::algebra::Expr>":$operands)>];
}

#endif // NAPKIN_ALGEBRA_ALGEBRAICLAWS_TD
