//===- Progress.h - what a person sees while waiting ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shared by the tools that execute kernels.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_PROGRESS_H
#define NAPKIN_TOOLS_PROGRESS_H

#include <cstdint>
#include <functional>

namespace napkin::tools {

/// A bar of blocks done and seconds left on standard error, for
/// executor::Options::progress. It appears after half a second and is gone when
/// the launch is. Empty where standard error is no terminal.
std::function<void(uint64_t done, uint64_t all)> progressBar();

} // namespace napkin::tools

#endif // NAPKIN_TOOLS_PROGRESS_H
