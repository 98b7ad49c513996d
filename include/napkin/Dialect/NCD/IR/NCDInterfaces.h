//===- NCDInterfaces.h - interfaces of ncd operations -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// DecomposableOpInterface: operations that are defined by what they decompose
// into.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDINTERFACES_H
#define NAPKIN_DIALECT_NCD_IR_NCDINTERFACES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"

#include "napkin/Dialect/NCD/IR/NCDInterfaces.h.inc"

#endif // NAPKIN_DIALECT_NCD_IR_NCDINTERFACES_H
