//===- Program.h - Loaded kernels ------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a Program holds of the driver.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_LAUNCH_PROGRAM_H
#define NAPKIN_LIB_LAUNCH_PROGRAM_H

#include "Session.h"

namespace napkin::launch {

struct Program::Loaded {
  explicit Loaded(std::shared_ptr<Session> session)
      : session(std::move(session)) {}
  ~Loaded();

  /// Loads the module; its kernels are found by findKernels().
  llvm::Error loadModule(llvm::StringRef ptx);
  llvm::Error findKernels();
  /// Asks for kernel `index` alone. `addresses` has one of each array.
  llvm::Error launchKernel(size_t index,
                           const llvm::StringMap<uint64_t> &addresses,
                           Handle stream);
  /// The addresses by name. Temporaries without one get memory of their own.
  llvm::Expected<llvm::StringMap<uint64_t>>
  place(llvm::ArrayRef<uint64_t> addresses);

  std::shared_ptr<Session> session;
  executor::Manifest manifest;
  Handle module = nullptr;
  std::vector<Handle> kernels;
  /// Temporaries by their positions among the arrays.
  std::vector<Buffer> temporaries;
};

} // namespace napkin::launch

#endif // NAPKIN_LIB_LAUNCH_PROGRAM_H
