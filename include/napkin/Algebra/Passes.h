//===- Passes.h - Passes of the streaming algebra ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constructors and registration of the passes in Passes.td:
// createNCDDeriveStreamPass(), createNCDBoundStreamsPass() and
// registerAlgebraPasses().
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_ALGEBRA_PASSES_H
#define NAPKIN_ALGEBRA_PASSES_H

#include "mlir/Pass/Pass.h"

namespace napkin::algebra {

#define GEN_PASS_DECL
#include "napkin/Algebra/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "napkin/Algebra/Passes.h.inc"

} // namespace napkin::algebra

#endif // NAPKIN_ALGEBRA_PASSES_H
