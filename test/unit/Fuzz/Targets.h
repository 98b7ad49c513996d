//===- Targets.h - Inputs that nobody vouches for --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each function takes any bytes whatever through one reader of the executor and
// on to what lies behind it. It returns what is wrong with how they were
// handled, "" if nothing is: an error must say where. The unit tests and the
// libFuzzer targets call them alike.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TEST_UNIT_FUZZ_TARGETS_H
#define NAPKIN_TEST_UNIT_FUZZ_TARGETS_H

#include "llvm/ADT/StringRef.h"

#include <string>

namespace napkin::fuzz {

/// PTX: parsed; each kernel is decoded and launched with few instructions. The
/// configuration follows from the text's hash.
std::string tryKernel(llvm::StringRef text);
/// A launch manifest: parsed and run on a small kernel.
std::string tryManifest(llvm::StringRef text);
/// A .npy file: parsed and converted to every element type.
std::string tryNpy(llvm::StringRef content);
/// Command-line arguments of napkin-run, one a line, as `--arg` takes them; a
/// line that begins with '=' is for --array, one with '<' for --in.
std::string tryArguments(llvm::StringRef text);

} // namespace napkin::fuzz

#endif // NAPKIN_TEST_UNIT_FUZZ_TARGETS_H
