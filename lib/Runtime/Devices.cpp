//===- Devices.cpp - The device as the runtime describes it ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One device. Attributes have the driver's numbers; the structure of properties
// is that of CUDA 13.
//
//===----------------------------------------------------------------------===//

#include "Runtime.h"

#include <cstring>

using namespace napkin::runtime;

/// The version of the interface that this is.
static constexpr int runtimeVersion = 13000;

NAPKIN_RUNTIME cudaRuntimeGetVersion(int *version) {
  if (!version)
    return note(errorInvalidValue);
  *version = runtimeVersion;
  return success;
}
NAPKIN_RUNTIME cudaDriverGetVersion(int *version) {
  return note(cuDriverGetVersion(version));
}
NAPKIN_RUNTIME cudaGetDeviceCount(int *count) {
  return call([&] { return cuDeviceGetCount(count); });
}
NAPKIN_RUNTIME cudaGetDevice(int *device) {
  return call([&]() -> Error {
    if (!device)
      return errorInvalidValue;
    return *device = 0;
  });
}

/// Success for the only device there is.
static Error only(int device) {
  return call([&] { return device ? errorInvalidDevice : success; });
}
NAPKIN_RUNTIME cudaSetDevice(int device) { return only(device); }
NAPKIN_RUNTIME cudaInitDevice(int device, unsigned, unsigned) {
  return only(device);
}
NAPKIN_RUNTIME cudaSetDeviceFlags(unsigned) {
  return call([] { return success; });
}
NAPKIN_RUNTIME cudaGetDeviceFlags(unsigned *flags) {
  return call([&]() -> Error { return *flags = 0; });
}
NAPKIN_RUNTIME cudaDeviceGetAttribute(int *value, int id, int device) {
  return call([&] { return cuDeviceGetAttribute(value, id, device); });
}
NAPKIN_RUNTIME cudaDeviceSynchronize() {
  return call([] { return cuCtxSynchronize(); });
}
NAPKIN_RUNTIME cudaDeviceReset() {
  return call([] { return cuDevicePrimaryCtxReset_v2(0); });
}
NAPKIN_RUNTIME cudaDeviceSetLimit(int limit, size_t value) {
  return call([&] { return cuCtxSetLimit(limit, value); });
}
NAPKIN_RUNTIME cudaDeviceGetLimit(size_t *value, int limit) {
  return call([&] { return cuCtxGetLimit(value, limit); });
}
NAPKIN_RUNTIME cudaDeviceSetCacheConfig(int) {
  return call([] { return success; });
}
NAPKIN_RUNTIME cudaDeviceGetCacheConfig(int *config) {
  return call([&]() -> Error { return *config = 0; });
}
NAPKIN_RUNTIME cudaDeviceGetStreamPriorityRange(int *least, int *greatest) {
  return call([&] { return cuCtxGetStreamPriorityRange(least, greatest); });
}
NAPKIN_RUNTIME cudaDeviceGetDefaultMemPool(Handle *pool, int device) {
  return call([&] { return cuDeviceGetDefaultMemPool(pool, device); });
}
NAPKIN_RUNTIME cudaDeviceGetMemPool(Handle *pool, int device) {
  return cudaDeviceGetDefaultMemPool(pool, device);
}
NAPKIN_RUNTIME cudaDeviceCanAccessPeer(int *can, int device, int) {
  *can = 0;
  return only(device);
}
NAPKIN_RUNTIME cudaDeviceGetPCIBusId(char *text, int length, int device) {
  return call([&] { return cuDeviceGetPCIBusId(text, length, device); });
}

namespace {
/// Where cudaDeviceProp of CUDA 13 has an attribute of the driver, and whether
/// in 4 or 8 bytes.
struct Place {
  int offset, bytes, attribute;
};
} // namespace

static const Place places[] = {
    {296, 8, 8},   // sharedMemPerBlock
    {304, 4, 12},  // regsPerBlock
    {308, 4, 10},  // warpSize
    {312, 8, 11},  // memPitch
    {320, 4, 1},   // maxThreadsPerBlock
    {324, 4, 2},   // maxThreadsDim
    {328, 4, 3},   //
    {332, 4, 4},   //
    {336, 4, 5},   // maxGridSize
    {340, 4, 6},   //
    {344, 4, 7},   //
    {352, 8, 9},   // totalConstMem
    {360, 4, 75},  // major
    {364, 4, 76},  // minor
    {368, 8, 14},  // textureAlignment
    {376, 8, 51},  // texturePitchAlignment
    {384, 4, 16},  // multiProcessorCount
    {392, 4, 19},  // canMapHostMemory
    {560, 4, 31},  // concurrentKernels
    {588, 4, 41},  // unifiedAddressing
    {592, 4, 37},  // memoryBusWidth
    {596, 4, 38},  // l2CacheSize
    {604, 4, 39},  // maxThreadsPerMultiProcessor
    {608, 4, 78},  // streamPrioritiesSupported
    {612, 4, 79},  // globalL1CacheSupported
    {616, 4, 80},  // localL1CacheSupported
    {624, 8, 81},  // sharedMemPerMultiprocessor
    {632, 4, 82},  // regsPerMultiprocessor
    {636, 4, 83},  // managedMemory
    {656, 4, 89},  // concurrentManagedAccess
    {668, 4, 95},  // cooperativeLaunch
    {672, 8, 97},  // sharedMemPerBlockOptin
    {688, 4, 106}, // maxBlocksPerMultiProcessor
    {696, 8, 111}, // reservedSharedMemPerBlock
    {704, 4, 99},  // hostRegisterSupported
    {720, 4, 115}, // memoryPoolsSupported
    {748, 4, 120}, // clusterLaunch
    {752, 4, 129}, // unifiedFunctionPointers
};

NAPKIN_RUNTIME cudaGetDeviceProperties(char *to, int device) {
  constexpr size_t bytes = 1008, nameBytes = 256, uuidAt = 256, memoryAt = 288;
  return call([&]() -> Error {
    if (!to)
      return errorInvalidValue;
    std::memset(to, 0, bytes);
    if (Error error = cuDeviceGetName(to, nameBytes, device))
      return error;
    cuDeviceGetUuid_v2(to + uuidAt, device);
    size_t memory = 0;
    cuDeviceTotalMem_v2(&memory, device);
    std::memcpy(to + memoryAt, &memory, sizeof memory);
    for (const Place &place : places) {
      int value = 0;
      if (Error error = cuDeviceGetAttribute(&value, place.attribute, device))
        return error;
      const int64_t wide = value;
      std::memcpy(to + place.offset, &wide, place.bytes);
    }
    return success;
  });
}

//===----------------------------------------------------------------------===//
// Functions of the driver
//===----------------------------------------------------------------------===//

NAPKIN_RUNTIME cudaGetDriverEntryPointByVersion(const char *name, void **to,
                                                unsigned version,
                                                unsigned long long flags,
                                                int *status) {
  return call([&] {
    int found = 0;
    // A function that is not there is no error, but a status.
    cuGetProcAddress_v2(name, to, int(version), flags, &found);
    if (status)
      *status = found;
    return success;
  });
}
NAPKIN_RUNTIME cudaGetDriverEntryPoint(const char *name, void **to,
                                       unsigned long long flags, int *status) {
  return cudaGetDriverEntryPointByVersion(name, to, runtimeVersion, flags,
                                          status);
}
NAPKIN_RUNTIME cudaProfilerStart() { return success; }
NAPKIN_RUNTIME cudaProfilerStop() { return success; }
