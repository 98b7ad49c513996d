//===- Passes.h - passes that decide where and when -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares `ncd-schedule`.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_PASSES_H
#define NAPKIN_SCHEDULE_PASSES_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "napkin/Schedule/Search.h"
#include <memory>
#include <string>

namespace napkin::schedule {

#define GEN_PASS_DECL
#include "napkin/Schedule/Passes.h.inc"

/// The stages after the schedule, as the schedule asks them: what does the
/// block of a kernel take? They stand below it, so they are handed in.
struct BlockCompiler {
  /// Measures the one kernel of a module, which it changes. Nothing for a
  /// target that it does not know.
  std::function<std::optional<BlockNeeds>(mlir::ModuleOp module,
                                          llvm::StringRef target)>
      measure;
  /// Adds the dialects that measuring makes.
  void (*addDialects)(mlir::DialectRegistry &registry) = nullptr;
};

/// The pass `ncd-schedule` that decides nothing which \p compiler did not
/// compile.
std::unique_ptr<mlir::Pass> createSchedulePass(SchedulePassOptions options,
                                               BlockCompiler compiler);

#define GEN_PASS_REGISTRATION
#include "napkin/Schedule/Passes.h.inc"

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_PASSES_H
