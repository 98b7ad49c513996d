//===- Passes.h - passes that only print ------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Declares `ncd-cost-report`.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REPORT_PASSES_H
#define NAPKIN_REPORT_PASSES_H

#include "mlir/Pass/Pass.h"
#include <memory>

namespace napkin::report {

#define GEN_PASS_DECL
#include "napkin/Report/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "napkin/Report/Passes.h.inc"

} // namespace napkin::report

#endif // NAPKIN_REPORT_PASSES_H
