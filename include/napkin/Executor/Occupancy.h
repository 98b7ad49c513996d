//===- Occupancy.h - Blocks that a multiprocessor holds --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a launch asks of a multiprocessor, and how many of its blocks fit.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_EXECUTOR_OCCUPANCY_H
#define NAPKIN_EXECUTOR_OCCUPANCY_H

#include <cstdint>
#include <string>

namespace napkin::executor {

/// Limits of a machine.
struct Hardware {
  std::string name;
  uint32_t multiprocessors = 0;
  /// Of one multiprocessor; registers of 4 bytes.
  uint32_t threads = 0, blocks = 0, registers = 0;
  /// Shared memory that one block may have. The multiprocessor has as much for
  /// its blocks together, each with `reservedSharedBytes` on top, and that
  /// reserve once more.
  uint64_t sharedBytes = 0, reservedSharedBytes = 1024;
  /// What shared memory and the L1 cache of a multiprocessor have together; 0:
  /// there is no model of the L1 cache.
  uint64_t firstLevelBytes = 0;
  /// The L2 cache.
  uint64_t cacheBytes = 0;
  uint32_t lineBytes = 128, ways = 16;
};

/// What a block takes, and how many fit. `limit` is "threads", "blocks",
/// "registers" or "shared memory", the first that lets no more in.
struct Occupancy {
  std::string hardware;
  uint32_t threadsPerBlock = 0, warpsPerBlock = 0;
  /// 0: unknown, and taken to be no limit.
  uint32_t registersPerThread = 0;
  uint64_t sharedBytesPerBlock = 0;
  /// 0: no hardware was named, or not one block fits.
  uint32_t blocksPerMultiprocessor = 0;
  std::string limit;
};

/// Registers are handed out to warps in units of 256, to warps in groups of
/// four, shared memory in units of 128 bytes (CUDA's occupancy calculator).
Occupancy occupancy(const Hardware &hardware, uint32_t threadsPerBlock,
                    uint32_t registersPerThread, uint64_t sharedBytesPerBlock);

/// Bytes of the L1 cache beside the shared memory of the resident blocks, which
/// comes in the sizes that CUDA's manual lists; 0 if unknown.
uint64_t firstLevelBytes(const Hardware &hardware, const Occupancy &occupancy);

} // namespace napkin::executor

#endif // NAPKIN_EXECUTOR_OCCUPANCY_H
