//===- Passes.h - passes on diagrams ----------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constructors and registration of the passes in Passes.td:
// createNCDDecomposePass() and registerNCDPasses().
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_TRANSFORMS_PASSES_H
#define NAPKIN_DIALECT_NCD_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"

namespace napkin::ncd {

#define GEN_PASS_DECL
#include "napkin/Dialect/NCD/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "napkin/Dialect/NCD/Transforms/Passes.h.inc"

} // namespace napkin::ncd

#endif // NAPKIN_DIALECT_NCD_TRANSFORMS_PASSES_H
