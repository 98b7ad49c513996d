//===- Occupancy.cpp - Blocks that a multiprocessor holds ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Occupancy.h.
//
//===----------------------------------------------------------------------===//

#include "napkin/Executor/Occupancy.h"

#include <algorithm>

using namespace napkin::executor;

static uint64_t roundUp(uint64_t value, uint64_t unit) {
  return (value + unit - 1) / unit * unit;
}

Occupancy napkin::executor::occupancy(const Hardware &hardware,
                                      uint32_t threadsPerBlock,
                                      uint32_t registersPerThread,
                                      uint64_t sharedBytesPerBlock) {
  constexpr uint32_t lanes = 32, registerUnit = 256, warpGroup = 4,
                     sharedUnit = 128;
  Occupancy result;
  result.hardware = hardware.name;
  result.threadsPerBlock = threadsPerBlock;
  result.warpsPerBlock = (threadsPerBlock + lanes - 1) / lanes;
  result.registersPerThread = registersPerThread;
  result.sharedBytesPerBlock = sharedBytesPerBlock;
  result.blocksPerMultiprocessor = hardware.blocks;
  result.limit = "blocks";
  auto limit = [&](uint64_t blocks, const char *what) {
    if (blocks >= result.blocksPerMultiprocessor)
      return;
    result.blocksPerMultiprocessor = blocks;
    result.limit = what;
  };
  limit(hardware.threads / (result.warpsPerBlock * lanes), "threads");
  if (registersPerThread) {
    uint64_t warps =
        hardware.registers /
        roundUp(uint64_t(registersPerThread) * lanes, registerUnit);
    limit(warps / warpGroup * warpGroup / result.warpsPerBlock, "registers");
  }
  limit((hardware.sharedBytes + hardware.reservedSharedBytes) /
            roundUp(sharedBytesPerBlock + hardware.reservedSharedBytes,
                    sharedUnit),
        "shared memory");
  return result;
}

uint64_t napkin::executor::firstLevelBytes(const Hardware &hardware,
                                           const Occupancy &occupancy) {
  if (!hardware.firstLevelBytes)
    return 0;
  const uint64_t all = hardware.sharedBytes + hardware.reservedSharedBytes;
  const uint64_t needed =
      occupancy.sharedBytesPerBlock
          ? occupancy.blocksPerMultiprocessor *
                (occupancy.sharedBytesPerBlock + hardware.reservedSharedBytes)
          : 0;
  // CUDA C++ Programming Guide, compute capabilities 8.x and 9.0.
  for (uint64_t kilobytes : {0, 8, 16, 32, 64, 100, 132, 164, 196, 228})
    if (kilobytes * 1024 >= needed || kilobytes * 1024 >= all)
      return hardware.firstLevelBytes - std::min(all, kilobytes * 1024);
  return hardware.firstLevelBytes - all;
}
