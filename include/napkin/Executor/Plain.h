//===- Plain.h - Data shared with host-specific code -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plain structures only: files compiled for one kind of host include this.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_EXECUTOR_PLAIN_H
#define NAPKIN_EXECUTOR_PLAIN_H

#include <cstdint>

namespace napkin::executor {

/// Counts of one PTX instruction.
struct InstructionCounters {
  /// Times a warp issued it, and the sum of its active threads.
  uint64_t warps = 0, threads = 0;
  /// Requested bytes of global memory, and 32-byte sectors.
  uint64_t globalReadBytes = 0, globalWriteBytes = 0;
  uint64_t globalReadSectors = 0, globalWriteSectors = 0;
  /// Bytes and wavefronts of shared memory; wavefronts beyond the fewest.
  uint64_t sharedReadBytes = 0, sharedWriteBytes = 0;
  uint64_t sharedWavefronts = 0, sharedConflicts = 0;
  uint64_t localReadBytes = 0, localWriteBytes = 0;
  /// Requested bytes of `.const` variables.
  uint64_t constantReadBytes = 0;
  /// Bytes of the shared memory of other blocks of the cluster: loads, and
  /// stores, atomics and copies. They are not in the shared bytes.
  uint64_t remoteReadBytes = 0, remoteWriteBytes = 0;
  /// Of the bytes that multicast copies wrote to shared memory those that went
  /// to blocks other than the issuer's: they cost no further global reads.
  uint64_t multicastBytes = 0;
  /// Multiply-accumulates of the tensor cores.
  uint64_t tensorMacs = 0;
  /// Atomic operations, one per thread.
  uint64_t atomics = 0;
};

/// The part of an allocation that accesses need.
struct RegionView {
  /// Device addresses: [begin, end).
  uint64_t begin = 0, end = 0;
  char *data = nullptr;
  /// A bit per byte, set once it is written; null: every byte is written.
  uint64_t *written = nullptr;
  bool readOnly = false;
};

} // namespace napkin::executor

#endif // NAPKIN_EXECUTOR_PLAIN_H
