//===- CheckDiagrams.h - what no pass could do anything with ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NAPKIN_LIB_PIPELINES_CHECKDIAGRAMS_H
#define NAPKIN_LIB_PIPELINES_CHECKDIAGRAMS_H

#include "mlir/IR/BuiltinOps.h"

namespace napkin::pipelines {

/// Checks that the diagrams of \p module can be compiled at all: they stand at
/// its top and have results. Emits an error on the diagram at fault.
mlir::LogicalResult checkDiagrams(mlir::ModuleOp module);

} // namespace napkin::pipelines

#endif // NAPKIN_LIB_PIPELINES_CHECKDIAGRAMS_H
