//===- ModuleVariables.h - Global variables of a module --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What launches and loadVariables() share.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_DECODE_MODULEVARIABLES_H
#define NAPKIN_LIB_EXECUTOR_DECODE_MODULEVARIABLES_H

#include "napkin/Executor/Device.h"
#include "napkin/PTX/Module.h"

namespace napkin::executor {

/// Gives a variable its memory, initial value and symbol; relocations are the
/// caller's.
llvm::Expected<uint64_t> placeVariable(Device &device,
                                       const ptx::Variable &variable);

/// What the address of function `name` is; nullopt if there is none.
std::optional<uint64_t> functionAddress(const ptx::Module &module,
                                        llvm::StringRef name);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_DECODE_MODULEVARIABLES_H
