//===- Output.h - where napkinc writes --------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files appear whole or not at all: they are written beside their place and
// renamed.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_NAPKINC_OUTPUT_H
#define NAPKIN_TOOLS_NAPKINC_OUTPUT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <string>

namespace napkin::driver {

/// A file to write.
struct OutputFile {
  /// "-" is standard output; what is no regular file is written in place.
  std::string path;
  std::string text;
};

/// Whether \p path can take a companion file beside it: a regular file or
/// nothing yet, and not standard output.
bool isRegularPath(llvm::StringRef path);

/// The path at the end of the symbolic links that begin at \p path, whether
/// there is a file or not.
std::string followLinks(llvm::StringRef path);

/// Whether both paths lead to one existing file.
bool isSameFile(llvm::StringRef first, llvm::StringRef second);

/// Writes all \p files, or none of those that are regular files. Links stay and
/// what they name is written. The error reads "path: error: what".
llvm::Error writeFiles(llvm::ArrayRef<OutputFile> files);

} // namespace napkin::driver

#endif // NAPKIN_TOOLS_NAPKINC_OUTPUT_H
