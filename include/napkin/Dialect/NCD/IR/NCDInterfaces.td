//===- NCDInterfaces.td - interfaces of ncd operations ----*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Operations that exist for people to write are defined by what they decompose
// into, through the interface below.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDINTERFACES_TD
#define NAPKIN_DIALECT_NCD_IR_NCDINTERFACES_TD

include "mlir/IR/OpBase.td"

def NCD_DecomposableOpInterface : OpInterface<"DecomposableOpInterface"> {
  let description = [{
    An operation that is *defined* by its decomposition into contract, map and
    reduce. The decomposition is its meaning: the reference interpreter
    evaluates it, `ncd-decompose` replaces the operation by it, and no later
    pass needs to know that the operation exists.
  }];
  let cppNamespace = "::napkin::ncd";
  let methods = [InterfaceMethod<[{
      Builds the decomposition at the insertion point of `builder` and returns
      one value for each result of the operation, of the same type. The
      operation itself is left as it is. Intermediate values are f32 (f64 where
      the operand is); the last map rounds to the declared element type. Fails,
      with an error on the operation and nothing built, when the operation has
      no decomposition.
    }],
    "::llvm::FailureOr<::llvm::SmallVector<::mlir::Value>>", "decompose",
    (ins "::mlir::OpBuilder &":$builder)>];
}

#endif // NAPKIN_DIALECT_NCD_IR_NCDINTERFACES_TD
