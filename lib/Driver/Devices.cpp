//===- Devices.cpp - The device and its attributes -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One device, as its hardware description says; what no description has is what
// CUDA's tables of compute capabilities have, or 0 where the executor has
// nothing of the kind (textures, peers, graphics).
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include <algorithm>
#include <climits>
#include <cstring>

using namespace napkin::driver;

static Result checkDevice(int device) {
  return device ? CUDA_ERROR_INVALID_DEVICE : CUDA_SUCCESS;
}

NAPKIN_CUDA cuDeviceGetCount(int *count) {
  return call(Need::Initialized, [&](State &) {
    if (!count)
      return CUDA_ERROR_INVALID_VALUE;
    *count = 1;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuDeviceGet(int *device, int ordinal) {
  return call(Need::Initialized, [&](State &) {
    if (!device)
      return CUDA_ERROR_INVALID_VALUE;
    *device = ordinal;
    return checkDevice(ordinal);
  });
}

NAPKIN_CUDA cuDeviceGetName(char *name, int length, int device) {
  return call(Need::Initialized, [&](State &state) {
    if (!name || length < 1)
      return CUDA_ERROR_INVALID_VALUE;
    if (Result result = checkDevice(device))
      return result;
    std::string text = state.hardware.title + " (Napkin's executor)";
    std::strncpy(name, text.c_str(), length - 1);
    name[length - 1] = 0;
    return CUDA_SUCCESS;
  });
}

/// An identity that is the same in every process.
static Result uuid(char *bytes, int device) {
  return call(Need::Initialized, [&](State &state) {
    if (!bytes)
      return CUDA_ERROR_INVALID_VALUE;
    if (Result result = checkDevice(device))
      return result;
    std::string text = "napkin-" + state.hardware.name;
    text.resize(16, '.');
    std::memcpy(bytes, text.data(), 16);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuDeviceGetUuid(char *bytes, int device) {
  return uuid(bytes, device);
}
NAPKIN_CUDA cuDeviceGetUuid_v2(char *bytes, int device) {
  return uuid(bytes, device);
}

NAPKIN_CUDA cuDeviceTotalMem_v2(size_t *bytes, int device) {
  return call(Need::Initialized, [&](State &state) {
    if (!bytes)
      return CUDA_ERROR_INVALID_VALUE;
    *bytes = state.memoryBytes;
    return checkDevice(device);
  });
}

NAPKIN_CUDA cuDeviceComputeCapability(int *major, int *minor, int device) {
  return call(Need::Initialized, [&](State &state) {
    if (!major || !minor)
      return CUDA_ERROR_INVALID_VALUE;
    *major = state.major;
    *minor = state.minor;
    return checkDevice(device);
  });
}

NAPKIN_CUDA cuDeviceGetPCIBusId(char *text, int length, int device) {
  return call(Need::Initialized, [&](State &) {
    if (!text || length < 13)
      return CUDA_ERROR_INVALID_VALUE;
    std::strcpy(text, "0000:00:00.0");
    return checkDevice(device);
  });
}

NAPKIN_CUDA cuDeviceGetByPCIBusId(int *device, const char *text) {
  return call(Need::Initialized, [&](State &) {
    if (!device || !text)
      return CUDA_ERROR_INVALID_VALUE;
    *device = 0;
    return std::strcmp(text, "0000:00:00.0") ? CUDA_ERROR_INVALID_DEVICE
                                             : CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuDeviceCanAccessPeer(int *can, int device, int peer) {
  return call(Need::Initialized, [&](State &) {
    if (!can)
      return CUDA_ERROR_INVALID_VALUE;
    *can = 0;
    return device || peer ? CUDA_ERROR_INVALID_DEVICE : CUDA_SUCCESS;
  });
}

namespace {
/// An attribute that is the same on every machine.
struct FixedAttribute {
  int id, value;
};
} // namespace

/// CUdevice_attribute; those that are not here are 0.
static const FixedAttribute fixedAttributes[] = {
    {2, 1024},      // MAX_BLOCK_DIM_X
    {3, 1024},      // MAX_BLOCK_DIM_Y
    {4, 64},        // MAX_BLOCK_DIM_Z
    {5, INT_MAX},   // MAX_GRID_DIM_X
    {6, 65535},     // MAX_GRID_DIM_Y
    {7, 65535},     // MAX_GRID_DIM_Z
    {8, 48 * 1024}, // MAX_SHARED_MEMORY_PER_BLOCK
    {9, 64 * 1024}, // TOTAL_CONSTANT_MEMORY
    {10, 32},       // WARP_SIZE
    {11, INT_MAX},  // MAX_PITCH
    {14, 512},      // TEXTURE_ALIGNMENT
    {19, 1},        // CAN_MAP_HOST_MEMORY
    {41, 1},        // UNIFIED_ADDRESSING
    {51, 32},       // TEXTURE_PITCH_ALIGNMENT
    {78, 1},        // STREAM_PRIORITIES_SUPPORTED
    {79, 1},        // GLOBAL_L1_CACHE_SUPPORTED
    {80, 1},        // LOCAL_L1_CACHE_SUPPORTED
    {83, 1},        // MANAGED_MEMORY
    {89, 1},        // CONCURRENT_MANAGED_ACCESS
    {91, 1},        // CAN_USE_HOST_POINTER_FOR_REGISTERED_MEM
    {95, 1},        // COOPERATIVE_LAUNCH
    {99, 1},        // HOST_REGISTER_SUPPORTED
    {111, 1024},    // RESERVED_SHARED_MEMORY_PER_BLOCK
    {115, 1},       // MEMORY_POOLS_SUPPORTED
    {129, 1},       // UNIFIED_FUNCTION_POINTERS
    {131, -1},      // NUMA_ID
    {134, -1},      // HOST_NUMA_ID
};

static int attribute(const State &state, int id) {
  const auto &hardware = state.hardware;
  const int shared = hardware.level("shared").capacityBytes;
  switch (id) {
  case 1: // MAX_THREADS_PER_BLOCK
    return hardware.threadsPerBlock;
  case 12: // MAX_REGISTERS_PER_BLOCK
  case 82: // MAX_REGISTERS_PER_MULTIPROCESSOR
    return hardware.registersPerMultiprocessor;
  case 13: // CLOCK_RATE, in kHz
    return int(hardware.clockMHz * 1000);
  case 16: // MULTIPROCESSOR_COUNT
    return hardware.multiprocessors;
  case 36: // MEMORY_CLOCK_RATE, that of a bus of 1024 bits at two a cycle
    return int(hardware.level("global").bytesPerCycle * hardware.clockMHz *
               1000 / 256);
  case 37: // GLOBAL_MEMORY_BUS_WIDTH
    return 1024;
  case 38: // L2_CACHE_SIZE
    return hardware.level("l2").capacityBytes;
  case 39: // MAX_THREADS_PER_MULTIPROCESSOR
    return hardware.threadsPerMultiprocessor;
  case 75: // COMPUTE_CAPABILITY_MAJOR
    return state.major;
  case 76: // COMPUTE_CAPABILITY_MINOR
    return state.minor;
  case 81: // MAX_SHARED_MEMORY_PER_MULTIPROCESSOR
    return shared + 1024;
  case 87: // SINGLE_TO_DOUBLE_PRECISION_PERF_RATIO
    return state.minor ? 64 : 2;
  case 97: // MAX_SHARED_MEMORY_PER_BLOCK_OPTIN
    return shared;
  case 106: // MAX_BLOCKS_PER_MULTIPROCESSOR
    return hardware.blocksPerMultiprocessor;
  case 120: // CLUSTER_LAUNCH
  case 127: // TENSOR_MAP_ACCESS_SUPPORTED
    return state.major >= 9;
  }
  for (const FixedAttribute &fixed : fixedAttributes)
    if (fixed.id == id)
      return fixed.value;
  return 0;
}

NAPKIN_CUDA cuDeviceGetAttribute(int *value, int id, int device) {
  constexpr int last = 147;
  return call(Need::Initialized, [&](State &state) {
    if (!value || id < 1 || id > last)
      return CUDA_ERROR_INVALID_VALUE;
    if (Result result = checkDevice(device))
      return result;
    *value = attribute(state, id);
    return CUDA_SUCCESS;
  });
}

namespace {
/// CUdevprop, of the deprecated cuDeviceGetProperties.
struct Properties {
  int maxThreadsPerBlock, maxThreadsDim[3], maxGridSize[3];
  int sharedMemPerBlock, totalConstantMemory, SIMDWidth, memPitch;
  int regsPerBlock, clockRate, textureAlign;
};
} // namespace

NAPKIN_CUDA cuDeviceGetProperties(Properties *to, int device) {
  return call(Need::Initialized, [&](State &state) {
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    if (Result result = checkDevice(device))
      return result;
    auto get = [&](int id) { return attribute(state, id); };
    *to = {get(1),
           {get(2), get(3), get(4)},
           {get(5), get(6), get(7)},
           get(8),
           get(9),
           get(10),
           get(11),
           get(12),
           get(13),
           get(14)};
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuDeviceGetDefaultMemPool(Handle *pool, int device) {
  return call(Need::Initialized, [&](State &state) {
    if (!pool)
      return CUDA_ERROR_INVALID_VALUE;
    *pool = &state.pool;
    return checkDevice(device);
  });
}

NAPKIN_CUDA cuDeviceGetMemPool(Handle *pool, int device) {
  return cuDeviceGetDefaultMemPool(pool, device);
}

NAPKIN_CUDA cuDeviceSetMemPool(int device, Handle pool) {
  return call(Need::Initialized, [&](State &state) {
    if (Result result = checkDevice(device))
      return result;
    return pool == &state.pool ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}
