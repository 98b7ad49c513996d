//===- NCDDialect.h - the ncd dialect ---------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialect class. Include NCDOps.h for everything that the dialect holds.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDDIALECT_H
#define NAPKIN_DIALECT_NCD_IR_NCDDIALECT_H

#include "mlir/IR/Dialect.h"

#include "napkin/Dialect/NCD/IR/NCDDialect.h.inc"

#endif // NAPKIN_DIALECT_NCD_IR_NCDDIALECT_H
