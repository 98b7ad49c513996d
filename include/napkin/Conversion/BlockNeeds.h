//===- BlockNeeds.h - What the block of a kernel takes ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Answers the schedule's question before anything is decided: the kernel is
// lowered to its tile program, and that program is measured. Nothing is
// predicted, so nothing can be predicted wrongly.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_CONVERSION_BLOCKNEEDS_H
#define NAPKIN_CONVERSION_BLOCKNEEDS_H

#include "mlir/Pass/PassManager.h"
#include "napkin/Schedule/Passes.h"

namespace napkin {

/// Adds the passes that make tile programs with layouts and rings of scheduled
/// kernels, for the architecture called \p target.
void addTileProgramPasses(mlir::OpPassManager &passes, llvm::StringRef target);

/// Compiles the kernels that `ncd-schedule` considers; \p allowTF32 as for
/// `ncd-choose-instructions`.
schedule::BlockCompiler blockCompiler(bool allowTF32 = false);

} // namespace napkin

#endif // NAPKIN_CONVERSION_BLOCKNEEDS_H
