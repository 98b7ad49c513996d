//===- Arrays.h - Arrays named on napkin-run's command line ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading, inventing and writing arrays, and the --arg notation that stands in
// for a manifest.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_NAPKIN_RUN_ARRAYS_H
#define NAPKIN_TOOLS_NAPKIN_RUN_ARRAYS_H

#include "napkin/Executor/Manifest.h"
#include "napkin/Reference/Tensor.h"

namespace napkin::run {

/// Fills `arrays` with the inputs of `manifest`: from `files` ("q" -> path),
/// the others at random.
llvm::Error loadInputs(const executor::Manifest &manifest,
                       const llvm::StringMap<std::string> &files,
                       reference::Distribution distribution, uint64_t seed,
                       executor::HostArrays &arrays);

/// Writes array `array` to `path` as .npy.
llvm::Error saveOutput(const executor::ManifestArray &array,
                       const std::vector<char> &bytes, llvm::StringRef path);

/// Adds what one --arg says to the manifest's only kernel:
///   i32:5  f32:0.125  i64:7  null          a scalar or a null pointer
///   in:q:bf16[4,512,128]                   an input array (also out: and tmp:)
///   map:q:box=64x128,swizzle=128           a tensor map of an array named
///   before,
///                                          whose axes are the map's dimensions
llvm::Error addArgument(executor::Manifest &manifest, llvm::StringRef text);

/// Declares an array ("in:q:bf16[4,64]") that only tensor maps name.
llvm::Error addArray(executor::Manifest &manifest, llvm::StringRef text);

} // namespace napkin::run

#endif // NAPKIN_TOOLS_NAPKIN_RUN_ARRAYS_H
