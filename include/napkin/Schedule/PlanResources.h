//===- PlanResources.h - what a block of a plan takes -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registers are counted at the widest operation: values alive in the layout of
// their product's accumulator, operands that stay, fragments in flight, one
// address for each 16-byte copy that a thread issues in a step, and what every
// kernel needs. The assembler decides within a few registers of the limit, so a
// margin is kept there (Machine::margin).
//
// Shared memory is what is alive at once: the rings of a nest and the widest of
// its children, since loops in sequence take one ring on; rings of steps inside
// one loop are all alive. Stores that are staged reuse all of it.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_PLANRESOURCES_H
#define NAPKIN_SCHEDULE_PLANRESOURCES_H

#include "napkin/Schedule/Plan.h"

namespace napkin::plan {

/// The limits of a machine that bound a block.
struct Machine {
  /// Bytes of shared memory of a block and of a multiprocessor, and what the
  /// system takes of the latter for each block.
  int64_t sharedPerBlock = 163 * 1024, sharedPerProcessor = 164 * 1024,
          sharedReserved = 1024;
  /// 32-bit registers of a multiprocessor and the most of one thread.
  int64_t registers = 65536, mostRegisters = 255;
  /// Registers below the limit that are left to the assembler, and registers
  /// that every kernel needs beside its tiles.
  int64_t margin = 15, reserved = 27;
  /// Warps of a block and of a multiprocessor, blocks of a multiprocessor.
  int64_t warpsPerBlock = 32, warpsPerProcessor = 64, blocksPerProcessor = 32;
  /// Bytes of one asynchronous copy; 0 where copies keep no address in a
  /// thread (bulk copies).
  int64_t copyBytes = 16;
  /// Whether factors of products pass through registers.
  bool factorsInRegisters = true;
};

/// One addend of a count, for reports and errors.
struct Addend {
  std::string name;
  double amount = 0;
};

/// A count with its addends.
struct Demand {
  int64_t total = 0;
  llvm::SmallVector<Addend, 8> addends;
  /// The operation at which it is reached.
  std::string at;

  /// "o 128, s 128, fragments b 16".
  std::string text() const;
};

/// Registers of a thread at the widest operation.
Demand registersPerThread(const Plan &plan, const Machine &machine);

/// The most registers that a thread of \p plan may be given to stay off the
/// assembler's spilling.
int64_t usableRegisters(const Plan &plan, const Machine &machine);

/// Bytes of shared memory that a block takes at its widest moment.
int64_t sharedBytes(const Plan &plan);

/// Blocks that one multiprocessor holds at once.
int64_t occupancy(const Plan &plan, const Machine &machine);

} // namespace napkin::plan

#endif // NAPKIN_SCHEDULE_PLANRESOURCES_H
