//===- Arrays.h - Arrays named on napkin-run's command line ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading, inventing, writing and comparing arrays, and the --arg notation that
// stands in for a manifest. Errors begin with "error: ".
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_NAPKIN_RUN_ARRAYS_H
#define NAPKIN_TOOLS_NAPKIN_RUN_ARRAYS_H

#include "napkin/Executor/Manifest.h"
#include "napkin/Reference/Random.h"

namespace napkin::run {

/// Paths of .npy files by the name of the array.
using Files = llvm::StringMap<std::string>;

/// "NAME=FILE.npy" of each of `texts`; `option` is for messages.
llvm::Error splitFiles(llvm::ArrayRef<std::string> texts,
                       llvm::StringRef option, Files &files);

/// Fills `arrays` with the inputs of `manifest`: from `files`, as zeros where
/// the "file" is the word `zeros`, the others at random.
llvm::Error loadInputs(const executor::Manifest &manifest, const Files &files,
                       reference::Distribution distribution, uint64_t seed,
                       executor::HostArrays &arrays);

/// The array called `name` that a kernel writes; an error names `option` and
/// the arrays there are.
llvm::Expected<const executor::ManifestArray *>
findOutput(const executor::Manifest &manifest, llvm::StringRef name,
           llvm::StringRef option);

/// Writes array `array` to `path` as .npy.
llvm::Error saveOutput(const executor::ManifestArray &array,
                       const std::vector<char> &bytes, llvm::StringRef path);

/// Compares array `array`, whose content is `bytes`, with the .npy file at
/// `path` as numpy.allclose does: |x - expected| <= atol + rtol * |expected|,
/// and NaN meets NaN. Returns "" when they agree, else what differs: how many
/// elements, the first and the worst, with their indices. Errors: a file that
/// cannot be read or has another shape.
llvm::Expected<std::string> compareOutput(const executor::ManifestArray &array,
                                          const std::vector<char> &bytes,
                                          llvm::StringRef path, double rtol,
                                          double atol);

/// Adds what one --arg says to the manifest's only kernel:
///   i32:5  f32:0.125  u64:7  null          a scalar or a null pointer
///   in:q:bf16[4,512,128]                   an input array; also out: (written
///                                          by the kernel), inout: and tmp:
///   in:q:bf16   in:q                       the same, shape (and element) from
///                                          its file in `files`
///   map:q:box=64x128,swizzle=128           a tensor map of an array named
///                                          before, whose axes are the map's
///                                          dimensions
///   bytes:64;0=in:q;8=i32:5                a struct by value: 64 zero bytes
///   (or
///                                          bytes:0x0a0b, bytes:FILE), then
///                                          what the parts at these offsets
///                                          hold
llvm::Error addArgument(executor::Manifest &manifest, llvm::StringRef text,
                        const Files &files = {});

/// Declares an array ("in:q:bf16[4,64]") that only tensor maps name.
llvm::Error addArray(executor::Manifest &manifest, llvm::StringRef text,
                     const Files &files = {});

} // namespace napkin::run

#endif // NAPKIN_TOOLS_NAPKIN_RUN_ARRAYS_H
