//===- SchedulePins.h - decisions made by others ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads pinned decisions from options and from `ncd.pin`.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_SCHEDULEPINS_H
#define NAPKIN_LIB_SCHEDULE_SCHEDULEPINS_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Schedule/Search.h"

namespace napkin::schedule {

/// Adds "q:128" from the option \p option to \p target. Errors at \p location.
llvm::LogicalResult parsePin(llvm::StringRef text, llvm::StringRef option,
                             mlir::Location location,
                             std::map<std::string, int64_t> &target);

/// Adds "padded:true" or "parts:4" from the option \p option to \p forms.
/// Errors at \p location.
llvm::LogicalResult parseForm(llvm::StringRef text, llvm::StringRef option,
                              mlir::Location location, Pins::Forms &forms);

/// Adds what `ncd.pin` of \p diagram says to \p pins, which wins where both
/// speak. Errors on the diagram.
llvm::LogicalResult readPinAttribute(ncd::DiagramOp diagram, Pins &pins);

/// Checks \p pins before anything is decided: they name axes of \p diagram, no
/// tile or chunk is longer than its axis, and warps, stages and parts are
/// numbers that a block can have. Nothing is clamped.
llvm::LogicalResult checkPinsFit(ncd::DiagramOp diagram, const Pins &pins,
                                 const Graph &graph);

/// Checks that the kernels use \p pins: a pinned group or stream axis must be
/// one in some kernel, pinned stages must be buffers of some loop, and a form
/// that is asked for must be that of some kernel.
llvm::LogicalResult checkPinsWereUsed(ncd::DiagramOp diagram, const Pins &pins,
                                      llvm::ArrayRef<ncd::KernelOp> kernels);

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_SCHEDULEPINS_H
