//===- Launches.cpp - Kernels and their attributes -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch of <<<...>>> pushes its configuration, and the stub that nvcc wrote
// pops it and launches.
//
//===----------------------------------------------------------------------===//

#include "Runtime.h"

#include <cstring>

using namespace napkin::runtime;
using napkin::driver::LaunchAttribute;
using napkin::driver::LaunchConfigEx;

static thread_local std::vector<LaunchConfig> configurations;

extern "C" __attribute__((visibility("default"))) unsigned
__cudaPushCallConfiguration(Extent grid, Extent block, size_t sharedBytes,
                            Handle stream) {
  configurations.push_back({grid, block, sharedBytes, stream, nullptr, 0});
  return 0;
}

NAPKIN_RUNTIME __cudaPopCallConfiguration(Extent *grid, Extent *block,
                                          size_t *sharedBytes, void *stream) {
  if (configurations.empty())
    return note(errorMissingConfiguration);
  const LaunchConfig config = configurations.back();
  configurations.pop_back();
  *grid = config.grid;
  *block = config.block;
  *sharedBytes = config.sharedBytes;
  std::memcpy(stream, &config.stream, sizeof config.stream);
  return success;
}

static LaunchConfigEx toDriver(const LaunchConfig &from) {
  return {{from.grid.x, from.grid.y, from.grid.z},
          {from.block.x, from.block.y, from.block.z},
          unsigned(from.sharedBytes),
          from.stream,
          from.attributes,
          from.numAttributes};
}

static Error launch(const void *entry, const LaunchConfig &config,
                    void **arguments) {
  return call([&] {
    Handle function = nullptr;
    if (Error error = Registry::get().findKernel(entry, function))
      return error;
    const LaunchConfigEx converted = toDriver(config);
    const uint64_t threads =
        uint64_t(config.block.x) * config.block.y * config.block.z;
    constexpr uint64_t mostThreads = 1024;
    if (!threads || threads > mostThreads || !config.grid.x || !config.grid.y ||
        !config.grid.z)
      return errorInvalidConfiguration;
    return cuLaunchKernelEx(&converted, function, arguments, nullptr);
  });
}

NAPKIN_RUNTIME cudaLaunchKernel(const void *entry, Extent grid, Extent block,
                                void **arguments, size_t sharedBytes,
                                Handle stream) {
  return launch(entry, {grid, block, sharedBytes, stream, nullptr, 0},
                arguments);
}

NAPKIN_RUNTIME __cudaLaunchKernel(Handle kernel, Extent grid, Extent block,
                                  void **arguments, size_t sharedBytes,
                                  Handle stream) {
  return cudaLaunchKernel(kernel, grid, block, arguments, sharedBytes, stream);
}

NAPKIN_RUNTIME cudaLaunchKernelExC(const LaunchConfig *config,
                                   const void *entry, void **arguments) {
  return config ? launch(entry, *config, arguments) : note(errorInvalidValue);
}

NAPKIN_RUNTIME cudaLaunchCooperativeKernel(const void *entry, Extent grid,
                                           Extent block, void **arguments,
                                           size_t sharedBytes, Handle stream) {
  LaunchAttribute attribute = {};
  attribute.id = napkin::driver::attributeCooperative;
  attribute.flag = 1;
  return launch(entry, {grid, block, sharedBytes, stream, &attribute, 1},
                arguments);
}

/// Runs `body(function)` for the kernel behind `entry`.
template <typename Body>
static Error withKernel(const void *entry, Body body) {
  return call([&]() -> Error {
    Handle function = nullptr;
    if (Error error = Registry::get().findKernel(entry, function))
      return error;
    return body(function);
  });
}

NAPKIN_RUNTIME __cudaGetKernel(Handle *kernel, const void *entry) {
  return withKernel(entry, [&](Handle function) {
    *kernel = function;
    return success;
  });
}
NAPKIN_RUNTIME cudaGetKernel(Handle *kernel, const void *entry) {
  return __cudaGetKernel(kernel, entry);
}
NAPKIN_RUNTIME cudaGetFuncBySymbol(Handle *function, const void *entry) {
  return __cudaGetKernel(function, entry);
}
NAPKIN_RUNTIME cudaFuncGetName(const char **name, const void *entry) {
  return withKernel(
      entry, [&](Handle function) { return cuFuncGetName(name, function); });
}

namespace {
/// cudaFuncAttributes.
struct FunctionAttributes {
  size_t sharedBytes, constBytes, localBytes;
  int maxThreads, registers, ptxVersion, binaryVersion, cacheMode,
      maxDynamicShared, carveout, clusterMustBeSet, clusterWidth, clusterHeight,
      clusterDepth, clusterScheduling, nonPortableCluster;
  int reserved[17];
};
} // namespace
static_assert(sizeof(FunctionAttributes) == 144, "as cudaFuncAttributes");

NAPKIN_RUNTIME cudaFuncGetAttributes(FunctionAttributes *to,
                                     const void *entry) {
  return withKernel(entry, [&](Handle function) {
    if (!to)
      return errorInvalidValue;
    *to = {};
    Error error = success;
    auto get = [&](int id) {
      int value = 0;
      if (!error)
        error = cuFuncGetAttribute(&value, id, function);
      return value;
    };
    to->maxThreads = get(0);
    to->sharedBytes = get(1);
    to->constBytes = get(2);
    to->localBytes = get(3);
    to->registers = get(4);
    to->ptxVersion = get(5);
    to->binaryVersion = get(6);
    to->cacheMode = get(7);
    to->maxDynamicShared = get(8);
    to->carveout = get(9);
    to->clusterMustBeSet = get(10);
    to->nonPortableCluster = get(14);
    return error;
  });
}

NAPKIN_RUNTIME cudaFuncSetAttribute(const void *entry, int id, int value) {
  return withKernel(entry, [&](Handle function) {
    return cuFuncSetAttribute(function, id, value);
  });
}
NAPKIN_RUNTIME cudaFuncSetCacheConfig(const void *entry, int) {
  return withKernel(entry, [](Handle) { return success; });
}
NAPKIN_RUNTIME cudaFuncSetSharedMemConfig(const void *entry, int) {
  return withKernel(entry, [](Handle) { return success; });
}

//===----------------------------------------------------------------------===//
// Occupancy
//===----------------------------------------------------------------------===//

NAPKIN_RUNTIME cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *blocks, const void *entry, int threads, size_t dynamicBytes,
    unsigned flags) {
  return withKernel(entry, [&](Handle function) {
    return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
        blocks, function, threads, dynamicBytes, flags);
  });
}
NAPKIN_RUNTIME cudaOccupancyMaxActiveBlocksPerMultiprocessor(
    int *blocks, const void *entry, int threads, size_t dynamicBytes) {
  return cudaOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
      blocks, entry, threads, dynamicBytes, 0);
}
NAPKIN_RUNTIME cudaOccupancyAvailableDynamicSMemPerBlock(size_t *bytes,
                                                         const void *entry,
                                                         int blocks,
                                                         int threads) {
  return withKernel(entry, [&](Handle function) {
    return cuOccupancyAvailableDynamicSMemPerBlock(bytes, function, blocks,
                                                   threads);
  });
}
NAPKIN_RUNTIME cudaOccupancyMaxActiveClusters(int *clusters, const void *entry,
                                              const LaunchConfig *config) {
  return withKernel(entry, [&](Handle function) {
    if (!config)
      return errorInvalidValue;
    const LaunchConfigEx converted = toDriver(*config);
    return cuOccupancyMaxActiveClusters(clusters, function, &converted);
  });
}

//===----------------------------------------------------------------------===//
// Streams and events
//===----------------------------------------------------------------------===//

NAPKIN_RUNTIME cudaStreamCreateWithPriority(Handle *to, unsigned flags,
                                            int priority) {
  return call([&] { return cuStreamCreateWithPriority(to, flags, priority); });
}
NAPKIN_RUNTIME cudaStreamCreateWithFlags(Handle *to, unsigned flags) {
  return cudaStreamCreateWithPriority(to, flags, 0);
}
NAPKIN_RUNTIME cudaStreamCreate(Handle *to) {
  return cudaStreamCreateWithPriority(to, 0, 0);
}
NAPKIN_RUNTIME cudaStreamDestroy(Handle stream) {
  return call([&] { return cuStreamDestroy_v2(stream); });
}
NAPKIN_RUNTIME cudaStreamSynchronize(Handle stream) {
  return call([&] { return cuStreamSynchronize(stream); });
}
NAPKIN_RUNTIME cudaStreamQuery(Handle stream) {
  return call([&] { return cuStreamQuery(stream); });
}
NAPKIN_RUNTIME cudaStreamWaitEvent(Handle stream, Handle event,
                                   unsigned flags) {
  return call([&] { return cuStreamWaitEvent(stream, event, flags); });
}
NAPKIN_RUNTIME cudaStreamGetFlags(Handle stream, unsigned *flags) {
  return call([&] { return cuStreamGetFlags(stream, flags); });
}
NAPKIN_RUNTIME cudaStreamGetPriority(Handle stream, int *priority) {
  return call([&] { return cuStreamGetPriority(stream, priority); });
}
NAPKIN_RUNTIME cudaStreamGetId(Handle stream, unsigned long long *id) {
  return call([&] { return cuStreamGetId(stream, id); });
}
NAPKIN_RUNTIME cudaStreamGetDevice(Handle, int *device) {
  return call([&] { return *device = 0; });
}
NAPKIN_RUNTIME cudaStreamIsCapturing(Handle, int *status) {
  return call([&] { return *status = 0; });
}
NAPKIN_RUNTIME cudaStreamGetCaptureInfo(Handle, int *status,
                                        unsigned long long *, Handle *,
                                        const Handle **, const void **,
                                        size_t *) {
  return call([&] { return *status = 0; });
}
NAPKIN_RUNTIME cudaThreadExchangeStreamCaptureMode(int *) { return success; }
NAPKIN_RUNTIME cudaLaunchHostFunc(Handle stream, void (*function)(void *),
                                  void *data) {
  return call([&] { return cuLaunchHostFunc(stream, function, data); });
}
NAPKIN_RUNTIME cudaStreamAddCallback(Handle stream,
                                     void (*function)(Handle, Error, void *),
                                     void *data, unsigned flags) {
  return call(
      [&] { return cuStreamAddCallback(stream, function, data, flags); });
}

NAPKIN_RUNTIME cudaEventCreateWithFlags(Handle *to, unsigned flags) {
  return call([&] { return cuEventCreate(to, flags); });
}
NAPKIN_RUNTIME cudaEventCreate(Handle *to) {
  return cudaEventCreateWithFlags(to, 0);
}
NAPKIN_RUNTIME cudaEventRecord(Handle event, Handle stream) {
  return call([&] { return cuEventRecord(event, stream); });
}
NAPKIN_RUNTIME cudaEventRecordWithFlags(Handle event, Handle stream, unsigned) {
  return cudaEventRecord(event, stream);
}
NAPKIN_RUNTIME cudaEventQuery(Handle event) {
  return call([&] { return cuEventQuery(event); });
}
NAPKIN_RUNTIME cudaEventSynchronize(Handle event) {
  return call([&] { return cuEventSynchronize(event); });
}
NAPKIN_RUNTIME cudaEventDestroy(Handle event) {
  return call([&] { return cuEventDestroy_v2(event); });
}
NAPKIN_RUNTIME cudaEventElapsedTime(float *milliseconds, Handle from,
                                    Handle to) {
  return call([&] { return cuEventElapsedTime(milliseconds, from, to); });
}
