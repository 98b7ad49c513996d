//===- Account.h - choices as attributes, and back --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A schedule writes its choices on the kernel as `#ncd.decision`; whoever tells
// them reads them from there.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_ACCOUNT_H
#define NAPKIN_SCHEDULE_ACCOUNT_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Schedule/Reasons.h"

namespace napkin::schedule {

/// \p choice as an attribute.
ncd::DecisionAttr attributeOf(mlir::MLIRContext *context, const Choice &choice);
/// All of \p choices, in order.
mlir::ArrayAttr attributeOf(mlir::MLIRContext *context,
                            llvm::ArrayRef<Choice> choices);

/// The choice that \p decision says.
Choice choiceOf(ncd::DecisionAttr decision);
/// The choices in the account of \p kernel; none without one.
std::vector<Choice> choicesOf(ncd::KernelOp kernel);

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_ACCOUNT_H
