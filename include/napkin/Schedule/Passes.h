//===- Passes.h - passes that decide where and when -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares `ncd-schedule`.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_PASSES_H
#define NAPKIN_SCHEDULE_PASSES_H

#include "mlir/Pass/Pass.h"
#include <memory>
#include <string>

namespace napkin::schedule {

#define GEN_PASS_DECL
#include "napkin/Schedule/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "napkin/Schedule/Passes.h.inc"

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_PASSES_H
