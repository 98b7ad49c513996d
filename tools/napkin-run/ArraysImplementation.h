//===- ArraysImplementation.h - What Arrays and Expect share ---*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Element types by their names on the command line, and files.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_NAPKIN_RUN_ARRAYSIMPLEMENTATION_H
#define NAPKIN_TOOLS_NAPKIN_RUN_ARRAYSIMPLEMENTATION_H

#include "Arrays.h"

#include "napkin/Reference/Npy.h"

namespace napkin::run {

/// An error that reads "error: " and `what`.
llvm::Error failure(const std::string &what);

/// The element type called `name`; unsigned integers are read as the signed
/// ones of their width, e4m3 and e5m2 are PTX's names of the 8-bit floats.
std::optional<reference::Element> elementOf(llvm::StringRef name);

std::vector<reference::Axis> axesOf(const executor::ManifestArray &array);

/// The .npy file at `path`; the error names array `name`.
llvm::Expected<reference::NpyArray> readArray(llvm::StringRef path,
                                              llvm::StringRef name);

} // namespace napkin::run

#endif // NAPKIN_TOOLS_NAPKIN_RUN_ARRAYSIMPLEMENTATION_H
