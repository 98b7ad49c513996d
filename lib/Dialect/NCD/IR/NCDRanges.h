//===- NCDRanges.h - positions lie within their axes ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares the model of integer ranges that the dialect attaches.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DIALECT_NCD_IR_NCDRANGES_H
#define NAPKIN_LIB_DIALECT_NCD_IR_NCDRANGES_H

#include "mlir/IR/MLIRContext.h"

namespace napkin::ncd {

/// Lets integer range analysis know the range of `ncd.index`.
void attachRanges(mlir::MLIRContext *context);

} // namespace napkin::ncd

#endif // NAPKIN_LIB_DIALECT_NCD_IR_NCDRANGES_H
