//===- Manifest.h - Run what a launch manifest describes -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A manifest names arrays and kernels; docs/manifest.md has every key. Kernels
// run in order.
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
  /// Elements from one position of each axis to the next; empty: dense and row
  /// major. Who gives an array gives its elements densely in any case.
  std::vector<int64_t> strides;
  /// Bytes that it takes on the device, from its first element to behind its
  /// last one.
  uint64_t bytes = 0;
  /// What the address must be a multiple of.
  uint64_t alignment = 1;

  /// Bytes of its elements alone, as the host holds them.
  uint64_t denseBytes() const;
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

struct ManifestField;

/// An argument of a kernel: an array, a tensor map over one, or bytes (of a
/// scalar or of a struct that is passed by value, with fields set in it).
struct ManifestArgument {
  std::string array;
  std::optional<TensorMapInfo> tensorMap;
  std::vector<char> bytes;
  /// In the order in which they are set.
  std::vector<ManifestField> fields;
};

/// What a part of a struct holds: the pointer, the tensor map or the bytes that
/// `value` would pass.
struct ManifestField {
  uint64_t offset = 0;
  ManifestArgument value;
};

/// One launch of a manifest.
struct ManifestKernel {
  std::string entry;
  /// The diagram that the kernel is a part of, or empty.
  std::string diagram;
  LaunchConfig config;
  std::vector<ManifestArgument> arguments;
  std::optional<uint64_t> predictedReadBytes, predictedWriteBytes;
  /// What the cost model says that the launch takes.
  std::optional<double> predictedMicroseconds;
};

/// What the cost model says of the whole program, on the machine that it was
/// compiled for.
struct ManifestEstimate {
  std::string hardware;
  double microseconds = 0;
  /// The least time of any program that does the same: inputs and outputs
  /// cross once, all products at the highest rate, one beside the other.
  double rooflineMicroseconds = 0;
  /// Products of the diagrams' contracts, masked ones included.
  uint64_t multiplyAdds = 0;
};

/// A parsed manifest.
struct Manifest {
  std::string target, ptx;
  /// The least version of PTX, and the SHA-256 of the text; empty: not told.
  std::string ptxVersion, ptxHash;
  /// What the compiler assumed of inputs: |input| <= 2^inputBoundLog2.
  std::optional<double> inputBoundLog2;
  std::optional<ManifestEstimate> estimate;
  /// Keys that were passed over.
  std::vector<std::string> notes;
  std::vector<ManifestArray> arrays;
  std::vector<ManifestKernel> kernels;
};

/// Bytes of an element of the type called `element`; 0: there is none.
uint64_t manifestElementBytes(llvm::StringRef element);

/// Parses the JSON `text`; `file` is for messages. Errors name the field.
llvm::Expected<Manifest> parseManifest(llvm::StringRef text,
                                       llvm::StringRef file);

/// An error if the manifest has the hash of another text than `module`'s.
llvm::Error checkPtx(const Manifest &manifest, const ptx::Module &module);

/// The bytes of arrays by name: inputs before, outputs after.
using HostArrays = llvm::StringMap<std::vector<char>>;

/// Moves the inputs to a device, runs the kernels in order (stopping at the
/// first that traps) and moves inputs and outputs back, as they then are. An
/// input that `arrays` lacks or whose size differs is an error. Output bytes
/// that no kernel wrote are an error too, unless a trap explains them. One
/// result per kernel that ran.
llvm::Expected<std::vector<LaunchResult>>
runManifest(const ptx::Module &module, const Manifest &manifest,
            HostArrays &arrays, const Options &options = {});

} // namespace napkin::executor

#endif // NAPKIN_EXECUTOR_MANIFEST_H
