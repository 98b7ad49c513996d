//===- DeviceCode.h - from device functions to PTX and cubin ----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The last steps, where LLVM and ptxas do the work.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_PIPELINES_DEVICECODE_H
#define NAPKIN_LIB_PIPELINES_DEVICECODE_H

#include "mlir/IR/BuiltinOps.h"
#include "napkin/Target/Target.h"
#include "llvm/Support/Error.h"
#include <functional>
#include <string>

namespace napkin::pipelines {

/// Called with the name of a step as it ends.
using StepDone = std::function<void(llvm::StringRef)>;

/// The PTX text of the device code in \p module. The text depends on \p module
/// and \p target alone. Emits an error when LLVM refuses.
mlir::FailureOr<std::string> emitPTX(mlir::ModuleOp module,
                                     const target::TargetDescription &target,
                                     const StepDone &done);

/// Assembles \p ptx for the architecture \p target with ptxas. Errors: no
/// ptxas, with the places that were looked at; what ptxas says.
llvm::Expected<std::string> assemble(llvm::StringRef ptx,
                                     llvm::StringRef target);

} // namespace napkin::pipelines

#endif // NAPKIN_LIB_PIPELINES_DEVICECODE_H
