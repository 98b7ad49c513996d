//===- NCDOps.h - operations of the ncd dialect -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// All operations of the dialect, with its types, attributes and interfaces.
// What each operation means is in NCDOps.td, NCDComposedOps.td and
// NCDScheduleOps.td, and in the dialect reference generated from them.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDOPS_H
#define NAPKIN_DIALECT_NCD_IR_NCDOPS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "napkin/Dialect/NCD/IR/NCDAttrs.h"
#include "napkin/Dialect/NCD/IR/NCDDialect.h"
#include "napkin/Dialect/NCD/IR/NCDInterfaces.h"
#include "napkin/Dialect/NCD/IR/NCDTypes.h"

#define GET_OP_CLASSES
#include "napkin/Dialect/NCD/IR/NCDOps.h.inc"

#endif // NAPKIN_DIALECT_NCD_IR_NCDOPS_H
