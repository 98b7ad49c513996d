//===- Manifest.h - Run what a launch manifest describes -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A manifest names arrays and kernels:
//   { "napkin": 1, "target": "sm_80", "ptx": "attention.ptx",
//     "arrays": [ {"name": "q", "role": "input", "element": "bf16",
//                  "axes": [{"name": "h", "size": 4}], "bytes": 8} ],
//     "kernels": [ {"entry": "attention", "grid": [4, 1, 1], "block": [256, 1,
//     1],
//                   "cluster": [1, 1, 1], "dynamic_shared_bytes": 0,
//                   "arguments": [{"array": "q"}, {"scalar": "i32", "value":
//                   5}], "predicted": {"global_read_bytes": 8,
//                   "global_write_bytes": 0}} ] }
// Kernels run in order. A key that is not known is an error. Roles are input,
// output, inout (given and fetched) and temporary. A tensor-map argument is
//   {"tensor_map": {"array": "q", "element": "bf16", "sizes": [64, 512],
//    "strides": [128], "box": [64, 128], "swizzle": 128}}, innermost first.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_EXECUTOR_MANIFEST_H
#define NAPKIN_EXECUTOR_MANIFEST_H

#include "napkin/Executor/Executor.h"

#include "llvm/ADT/StringMap.h"

namespace napkin::executor {

/// One array of a manifest.
struct ManifestArray {
  /// An InOut array is given and fetched, and need not be written wholly.
  enum class Role { Input, Output, InOut, Temporary };
  std::string name, element;
  Role role = Role::Input;
  std::vector<std::pair<std::string, int64_t>> axes;
  uint64_t bytes = 0;
};

/// What a tensor map says of an array in global memory; sizes and boxes in
/// elements, strides in bytes, innermost dimension first.
struct TensorMapInfo {
  std::string element = "bf16";
  std::vector<uint64_t> sizes;
  /// Bytes between neighbours of dimension 1, 2, ...
  std::vector<uint64_t> strides;
  std::vector<uint32_t> box;
  /// 1 where empty.
  std::vector<uint32_t> elementStrides;
  /// 0, 32, 64 or 128 bytes.
  uint32_t swizzle = 0;
  bool nanFill = false;
};

/// The 128 bytes of a tensor map over `address`; the checks are the driver's.
llvm::Expected<std::vector<char>> encodeTensorMap(uint64_t address,
                                                  const TensorMapInfo &info);

/// An argument of a kernel: exactly one of the three is in use.
struct ManifestArgument {
  std::string array;
  /// Bytes of a scalar.
  std::vector<char> scalar;
  std::optional<TensorMapInfo> tensorMap;
};

/// One launch of a manifest.
struct ManifestKernel {
  std::string entry;
  LaunchConfig config;
  std::vector<ManifestArgument> arguments;
  std::optional<uint64_t> predictedReadBytes, predictedWriteBytes;
};

/// A parsed manifest.
struct Manifest {
  std::string target, ptx;
  std::vector<ManifestArray> arrays;
  std::vector<ManifestKernel> kernels;
};

/// Parses the JSON `text`; `file` is for messages. Errors name the field.
llvm::Expected<Manifest> parseManifest(llvm::StringRef text,
                                       llvm::StringRef file);

/// The bytes of arrays by name: inputs before, outputs after.
using HostArrays = llvm::StringMap<std::vector<char>>;

/// Places every array, runs the kernels in order (stopping at the first that
/// traps) and fetches the outputs. An input that `arrays` lacks or whose size
/// differs is an error. Output bytes that no kernel wrote are an error too,
/// unless a trap explains them. One result per kernel that ran.
llvm::Expected<std::vector<LaunchResult>>
runManifest(const ptx::Module &module, const Manifest &manifest,
            HostArrays &arrays, const Options &options = {});

} // namespace napkin::executor

#endif // NAPKIN_EXECUTOR_MANIFEST_H
