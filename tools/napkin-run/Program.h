//===- Program.h - napkin-run --program ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Starts a program that finds the executor as its CUDA driver.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_NAPKIN_RUN_PROGRAM_H
#define NAPKIN_TOOLS_NAPKIN_RUN_PROGRAM_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <string>

namespace napkin::run {

/// Where what --program needs stands: beside `tool`, the path of napkin-run, in
/// a build folder as in an installation. Empty: not found.
std::string driverFolder(const std::string &tool);

/// Replaces this process by `command`, with the driver in `folder` under
/// `settings` ("hardware=h100,counters=table", before those that NAPKIN_DRIVER
/// has). Comes back only with an error.
llvm::Error startProgram(const std::string &folder, const std::string &settings,
                         llvm::ArrayRef<char *> command);

} // namespace napkin::run

#endif // NAPKIN_TOOLS_NAPKIN_RUN_PROGRAM_H
