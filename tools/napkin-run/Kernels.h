//===- Kernels.h - Which kernel of a file, and how large -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Names of kernels as people write them, and what a module says of them.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_NAPKIN_RUN_KERNELS_H
#define NAPKIN_TOOLS_NAPKIN_RUN_KERNELS_H

#include "napkin/PTX/Module.h"

#include "llvm/Support/Error.h"

namespace napkin::run {

/// The kernel that `name` means: its name, or any part of its name or of its
/// demangled signature that no other kernel has. An empty name means the only
/// kernel. The error lists the kernels.
llvm::Expected<const ptx::Function *> findKernel(const ptx::Module &module,
                                                 llvm::StringRef name);

/// A few lines per kernel: signature, parameters with their types, launch
/// bounds and the module's dynamic shared memory.
std::string listKernels(const ptx::Module &module);

/// The name of the module's dynamic shared memory, or "".
llvm::StringRef dynamicShared(const ptx::Module &module);

} // namespace napkin::run

#endif // NAPKIN_TOOLS_NAPKIN_RUN_KERNELS_H
