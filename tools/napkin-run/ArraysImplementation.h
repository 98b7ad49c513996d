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
llvm::Expected<reference::NpyFile> openArray(llvm::StringRef path,
                                             llvm::StringRef name);

/// Elements that are converted at once: what is made of a file a piece at a
/// time takes no second array.
constexpr int64_t pieceSize = 1 << 16;

/// The next elements of `file` as a tensor of one axis, at most pieceSize; none
/// at the end.
llvm::Expected<reference::Tensor> readPiece(reference::NpyFile &file,
                                            uint64_t &left,
                                            reference::Element element,
                                            llvm::StringRef name);

/// An error if the file has not the array's shape.
llvm::Error checkShape(const reference::NpyFile &file,
                       const executor::ManifestArray &array,
                       reference::Element element);

} // namespace napkin::run

#endif // NAPKIN_TOOLS_NAPKIN_RUN_ARRAYSIMPLEMENTATION_H
