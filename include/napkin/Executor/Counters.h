//===- Counters.h - What a launch did --------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exact counts per PTX instruction and their sums. "Requested" bytes are those
// that active threads name; sectors are the distinct 32-byte pieces of global
// memory that one warp's instruction touches; a wavefront is one pass of shared
// memory's 32 banks of 4 bytes; a conflict is a wavefront beyond the fewest
// that the access width needs. The words are Nsight Compute's.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_EXECUTOR_COUNTERS_H
#define NAPKIN_EXECUTOR_COUNTERS_H

#include "napkin/Executor/Occupancy.h"
#include "napkin/Executor/Plain.h"

#include "llvm/ADT/StringRef.h"

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace napkin::executor {

/// Where an instruction executes, for issue counts.
enum class Pipe : uint8_t {
  ALU,
  FMA,
  MUFU,
  Half,
  Double,
  LSU,
  Tensor,
  Async,
  Control,
  Synchronization,
  Convert
};
constexpr unsigned numPipes = 11;
/// "alu", "fma", ...
llvm::StringRef pipeName(Pipe pipe);

/// Adds every field.
InstructionCounters &operator+=(InstructionCounters &to,
                                const InstructionCounters &from);

/// Sums over a launch, and the table per instruction.
struct Counters {
  InstructionCounters total;
  /// Issues (warps) and thread-instructions by pipe.
  std::array<uint64_t, numPipes> issued{}, threadInstructions{};
  /// Multiply-accumulates by operand type ("bf16", "f16", "tf32", ...).
  std::map<std::string, uint64_t> macsByType;
  /// Issues by opcode ("mma", "ld", ...).
  std::map<std::string, uint64_t> issuedByOpcode;
  uint64_t barriers = 0;
  /// With the model of the caches, in sectors of 32 bytes: loads that an L1
  /// cache served, what reached the L2 cache and what of it was there (a write
  /// of a sector that is there counts as one), and the bytes that the L2 cache
  /// fetched from and wrote back to DRAM. Nsight Compute:
  /// lts__t_sectors_op_read and _op_write, lts__t_sectors_lookup_hit,
  /// dram__bytes_read and _write.
  uint64_t l1Hits = 0, l2ReadSectors = 0, l2WriteSectors = 0, l2Hits = 0;
  uint64_t dramReadBytes = 0, dramWriteBytes = 0;
  /// Blocks executed, and in the grid; they differ under sampling, and then
  /// all counts are scaled by the ratio.
  uint64_t blocksExecuted = 0, blocksInGrid = 0;
  Occupancy occupancy;
  /// The counts of each instruction of the flattened program, with its line.
  struct Row {
    uint32_t line;
    std::string text;
    InstructionCounters counters;
  };
  std::vector<Row> rows;

  /// JSON text (an object), with one entry per PTX line if `perLine`.
  std::string json(bool perLine = false) const;
  /// A table for people.
  std::string table() const;
};

} // namespace napkin::executor

#endif // NAPKIN_EXECUTOR_COUNTERS_H
