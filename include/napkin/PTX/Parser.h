//===- Parser.h - Text of PTX to a module ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads the PTX that nvcc, LLVM's NVPTX back end (so also Triton) and people
// write. It knows the grammar, not the instruction set.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_PTX_PARSER_H
#define NAPKIN_PTX_PARSER_H

#include "napkin/PTX/Module.h"

#include "llvm/Support/Error.h"

namespace napkin::ptx {

/// Parses `text`; `file` is the name for messages. The error reads
/// "file:line:column: error: what, and what was expected".
llvm::Expected<std::unique_ptr<Module>> parse(llvm::StringRef text,
                                              llvm::StringRef file);

/// Reads and parses the file at `path`.
llvm::Expected<std::unique_ptr<Module>> parseFile(llvm::StringRef path);

} // namespace napkin::ptx

#endif // NAPKIN_PTX_PARSER_H
