//===- Occupancies.cpp - Blocks that a multiprocessor holds ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// By threads, blocks and shared memory; how many registers ptxas gives a kernel
// is not known here, so .maxnreg counts and nothing else does.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include <algorithm>

using namespace napkin;
using namespace napkin::driver;

unsigned napkin::driver::residentBlocks(const State &state,
                                        const Kernel &kernel, uint64_t threads,
                                        uint64_t dynamicBytes) {
  if (!threads || threads > uint64_t(state.hardware.threadsPerBlock))
    return 0;
  return executor::occupancy(state.launchHardware(), threads,
                             kernel.function->maxRegisters,
                             kernel.needs->staticSharedBytes + dynamicBytes)
      .blocksPerMultiprocessor;
}

unsigned napkin::driver::mostRegisters(const State &state,
                                       const Kernel &kernel) {
  const ptx::Function &function = *kernel.function;
  if (function.maxRegisters)
    return function.maxRegisters;
  uint64_t threads = 1;
  for (uint32_t size : function.requiredThreads[0] ? function.requiredThreads
                                                   : function.maxThreads)
    threads *= size;
  if (!threads)
    threads = state.hardware.threadsPerBlock;
  const uint64_t fit =
      state.hardware.registersPerMultiprocessor / threads / 8 * 8;
  return std::min<uint64_t>(state.hardware.registersPerThread, fit);
}

/// Runs `body(state, kernel)` with a kernel whose needs are known.
template <typename Body>
static Result withKernel(Handle handle, Body body) {
  return call(Need::Context, [&](State &state) {
    Kernel *kernel = findKernel(state, handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    if (Result result = inspect(*kernel))
      return result;
    return body(state, *kernel);
  });
}

NAPKIN_CUDA cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
    int *blocks, Handle handle, int threads, size_t dynamicBytes, unsigned) {
  return withKernel(handle, [&](State &state, Kernel &kernel) {
    if (!blocks || threads < 1)
      return CUDA_ERROR_INVALID_VALUE;
    *blocks = residentBlocks(state, kernel, threads, dynamicBytes);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuOccupancyMaxActiveBlocksPerMultiprocessor(int *blocks,
                                                        Handle handle,
                                                        int threads,
                                                        size_t dynamicBytes) {
  return cuOccupancyMaxActiveBlocksPerMultiprocessorWithFlags(
      blocks, handle, threads, dynamicBytes, 0);
}

NAPKIN_CUDA cuOccupancyMaxPotentialBlockSizeWithFlags(int *grid, int *block,
                                                      Handle handle,
                                                      size_t (*bytesOf)(int),
                                                      size_t dynamicBytes,
                                                      int limit, unsigned) {
  return withKernel(handle, [&](State &state, Kernel &kernel) {
    if (!grid || !block)
      return CUDA_ERROR_INVALID_VALUE;
    uint64_t most = state.hardware.threadsPerBlock, bound = 1;
    for (uint32_t size : kernel.function->maxThreads)
      bound *= size;
    if (bound)
      most = std::min(most, bound);
    if (limit > 0)
      most = std::min<uint64_t>(most, limit);
    // The largest block of those that keep the most threads resident.
    uint64_t best = 0;
    for (uint64_t threads = (most + 31) / 32 * 32; threads; threads -= 32) {
      const uint64_t size = std::min(threads, most);
      const size_t bytes = bytesOf ? bytesOf(size) : dynamicBytes;
      const unsigned resident = residentBlocks(state, kernel, size, bytes);
      if (resident * size <= best)
        continue;
      best = resident * size;
      *block = size;
      *grid = resident * state.hardware.multiprocessors;
    }
    return best ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}

NAPKIN_CUDA cuOccupancyMaxPotentialBlockSize(int *grid, int *block,
                                             Handle handle,
                                             size_t (*bytesOf)(int),
                                             size_t dynamicBytes, int limit) {
  return cuOccupancyMaxPotentialBlockSizeWithFlags(grid, block, handle, bytesOf,
                                                   dynamicBytes, limit, 0);
}

NAPKIN_CUDA cuOccupancyAvailableDynamicSMemPerBlock(size_t *bytes,
                                                    Handle handle, int blocks,
                                                    int threads) {
  return withKernel(handle, [&](State &state, Kernel &kernel) {
    if (!bytes || blocks < 1 || threads < 1)
      return CUDA_ERROR_INVALID_VALUE;
    const auto hardware = state.launchHardware();
    const uint64_t each =
        (hardware.sharedBytes + hardware.reservedSharedBytes) / blocks;
    const uint64_t taken =
        hardware.reservedSharedBytes + kernel.needs->staticSharedBytes;
    *bytes = std::min<uint64_t>(each > taken ? each - taken : 0,
                                hardware.sharedBytes);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuOccupancyMaxPotentialClusterSize(int *blocks, Handle handle,
                                               const LaunchConfigEx *config) {
  return withKernel(handle, [&](State &state, Kernel &kernel) {
    if (!blocks || !config)
      return CUDA_ERROR_INVALID_VALUE;
    *blocks = state.major < 9 ? 1 : kernel.nonPortableCluster ? 16 : 8;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuOccupancyMaxActiveClusters(int *clusters, Handle handle,
                                         const LaunchConfigEx *config) {
  return withKernel(handle, [&](State &state, Kernel &kernel) {
    if (!clusters || !config)
      return CUDA_ERROR_INVALID_VALUE;
    LaunchRequest request;
    if (Result result = readConfig(state, *config, request))
      return result;
    uint64_t size = 1, threads = 1;
    for (unsigned d = 0; d < 3; ++d) {
      size *= std::max(1u, request.config.cluster[d]);
      threads *= request.config.block[d];
    }
    // A cluster lies in one group of multiprocessors; sizes of the groups are
    // in no description, so that this is what all of them together hold.
    *clusters = residentBlocks(state, kernel, threads,
                               request.config.dynamicSharedBytes) *
                state.hardware.multiprocessors / size;
    return CUDA_SUCCESS;
  });
}
