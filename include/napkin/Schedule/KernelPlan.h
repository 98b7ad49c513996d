//===- KernelPlan.h - the plan that a kernel's IR says ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A scheduled `ncd.kernel` says when and where everything happens: its group
// axes are the grid, its streamed axis is a loop, the members of a stream's
// state live across it. Read as a plan (Plan.h), the kernel is printed, checked
// and counted by what holds for every plan.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_KERNELPLAN_H
#define NAPKIN_SCHEDULE_KERNELPLAN_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Schedule/Plan.h"

namespace napkin::schedule {

/// What people call \p value: an argument or a result of the diagram, or the
/// result of another kernel by that kernel's name.
std::string arrayName(mlir::Value value);

/// The plan of \p kernel. Contracts without an instruction are products of no
/// instruction; how warps share a product is left out. Errors on the kernel: an
/// axis without a static size.
mlir::FailureOr<plan::Plan> planOf(ncd::KernelOp kernel);

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_KERNELPLAN_H
