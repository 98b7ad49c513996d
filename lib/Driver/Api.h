//===- Api.h - Types of the CUDA driver API --------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The part of the interface that programs compiled against cuda.h pass to
// libcuda.so.1, in our own words: sizes, offsets and values are what counts.
// No CUDA header is needed to build this.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DRIVER_API_H
#define NAPKIN_LIB_DRIVER_API_H

#include <cstddef>
#include <cstdint>

namespace napkin::driver {

/// What every function returns (CUresult).
enum Result : int {
#define NAPKIN_RESULT(name, value, text) name = value,
#include "Results.def"
#undef NAPKIN_RESULT
};

/// A handle that a program holds: the address of an object of ours.
using Handle = void *;
/// CUdeviceptr.
using Address = uint64_t;

/// CUDA_MEMCPY2D.
struct Copy2D {
  struct End {
    size_t x, y;
    int type;
    void *host;
    Address device;
    Handle array;
    size_t pitch;
  };
  End from, to;
  size_t width, height;
};

/// CUDA_MEMCPY3D; CUDA_MEMCPY3D_PEER has contexts in the reserved places.
struct Copy3D {
  struct End {
    size_t x, y, z, level;
    int type;
    void *host;
    Address device;
    Handle array;
    void *reserved;
    size_t pitch, height;
  };
  End from, to;
  size_t width, height, depth;
};

/// CUmemorytype.
enum MemoryType : int {
  memoryHost = 1,
  memoryDevice = 2,
  memoryArray = 3,
  memoryUnified = 4
};

/// CUlaunchAttribute.
struct LaunchAttribute {
  uint32_t id;
  uint32_t padding;
  union {
    char bytes[64];
    int flag;
    uint32_t extent[3];
    struct {
      Handle event;
      int flags;
      int trigger;
    } event;
  };
};
static_assert(sizeof(LaunchAttribute) == 72, "as CUlaunchAttribute");

/// The attributes that mean something here.
enum LaunchAttributeId : uint32_t {
  attributeCooperative = 2,
  attributeClusterDimension = 4,
  attributeProgrammaticEvent = 7,
  attributeLaunchCompletionEvent = 12,
  attributeDeviceUpdatable = 13
};

/// CUlaunchConfig.
struct LaunchConfigEx {
  uint32_t grid[3], block[3], sharedBytes;
  Handle stream;
  const LaunchAttribute *attributes;
  uint32_t numAttributes;
};

/// CUfunction_attribute.
enum FunctionAttribute : int {
  functionMaxThreads = 0,
  functionSharedBytes = 1,
  functionConstBytes = 2,
  functionLocalBytes = 3,
  functionRegisters = 4,
  functionPtxVersion = 5,
  functionBinaryVersion = 6,
  functionCacheMode = 7,
  functionMaxDynamicShared = 8,
  functionCarveout = 9,
  functionClusterMustBeSet = 10,
  functionClusterWidth = 11,
  functionClusterHeight = 12,
  functionClusterDepth = 13,
  functionNonPortableCluster = 14,
  functionClusterScheduling = 15
};

/// What every exported function is: visible, with C linkage.
#define NAPKIN_CUDA                                                            \
  extern "C" __attribute__((visibility("default"))) napkin::driver::Result

} // namespace napkin::driver

#endif // NAPKIN_LIB_DRIVER_API_H
