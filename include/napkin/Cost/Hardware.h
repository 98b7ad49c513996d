//===- Hardware.h - levels of memory, as data -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a schedule has to know of a machine: levels with a capacity, a bandwidth
// and a granule, the rates of its units and the registers of its threads. A
// machine is a JSON file; those of lib/Cost/hardware are compiled in, and a
// user can hand in another one. Nothing about a machine is written in code.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_COST_HARDWARE_H
#define NAPKIN_COST_HARDWARE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace napkin::target {
struct MatrixInstruction;
} // namespace napkin::target

namespace napkin::cost {

/// One level of the memory.
struct Level {
  /// "global", "l2", "shared" or "registers".
  std::string name;
  /// What owns one instance: "device", "multiprocessor" or "block".
  std::string scope;
  /// Bytes of one instance.
  int64_t capacityBytes = 0;
  /// Bytes per clock cycle of one instance, that is of the device or of one
  /// multiprocessor; 0 where the level is never what is waited for.
  double bytesPerCycle = 0;
  /// The least that one transfer moves, in bytes.
  int64_t granuleBytes = 1;
  /// What one transfer should move to use the whole bandwidth, in bytes.
  int64_t preferredBytes = 1;
  /// Cycles from a request to its data.
  int64_t latencyCycles = 0;
};

/// A machine.
struct Hardware {
  /// The name that `#ncd.hardware<"...">` and `hardware=` use.
  std::string name;
  /// The name for people.
  std::string title;
  /// The target it runs the code of: "sm_80".
  std::string target;
  /// Whether it is the machine that is meant where only its target is named.
  bool standsForTarget = false;
  /// Where the numbers come from.
  std::string source;
  /// Clock, in MHz.
  double clockMHz = 0;
  /// Streaming multiprocessors.
  int64_t multiprocessors = 0;
  /// Cycles that one launch costs, and those of a further one behind it.
  int64_t launchCycles = 0, gapCycles = 0;
  /// Cycles from the start of a block to its first request.
  int64_t blockCycles = 0;
  /// Threads that one block may have.
  int64_t threadsPerBlock = 0;
  /// Threads that one multiprocessor holds.
  int64_t threadsPerMultiprocessor = 0;
  /// Blocks that one multiprocessor holds at most.
  int64_t blocksPerMultiprocessor = 0;
  /// Registers of 4 bytes that one thread may name.
  int64_t registersPerThread = 0;
  /// Registers of 4 bytes of one multiprocessor.
  int64_t registersPerMultiprocessor = 0;
  /// Registers of a thread that tiles cannot have: addresses, counters.
  int64_t reservedRegistersPerThread = 0;
  /// Bytes of shared memory that the system takes of a multiprocessor for each
  /// block, beside what one block may have.
  int64_t sharedReservedPerBlock = 0;
  /// Cycles of one barrier and of the wait around it.
  int64_t barrierCycles = 0;
  /// Products per cycle of one multiprocessor, by the name of the instruction,
  /// where this board runs it at another rate than its target's table says.
  std::map<std::string, double> productsPerCycle;
  /// f32 operations per cycle of one multiprocessor.
  int64_t fmaPerCycle = 0;
  /// Comparisons, conversions and integer operations per cycle of one
  /// multiprocessor.
  int64_t integerPerCycle = 0;
  /// Exponentials and the like per cycle of one multiprocessor.
  int64_t specialPerCycle = 0;
  /// How pipes overlap inside of one warp (Timing.h): the exponent of the norm.
  double overlap = 1;
  /// Cycles from one instruction of a lone warp to the next: elementwise ones,
  /// products, reads of their factors.
  double vectorStall = 1, productStall = 1, readStall = 1;
  /// Cycles until a shuffle's, and an exponential's, result can be used.
  int64_t shuffleLatency = 0, specialLatency = 0;
  /// The part of the bandwidth of device memory that is reached, and the least
  /// part of the multiprocessors that can ask for all of it, inverted.
  double deviceEfficiency = 1, bandwidthShare = 1;
  /// The clock, in MHz, that power leaves where the tensor cores are used to
  /// \p anchorUse; 0 where no figure is known: the clock stays.
  double anchorMHz = 0, anchorUse = 1;
  /// The levels, farthest first.
  std::vector<Level> levels;

  /// The level \p levelName, or null.
  const Level *find(llvm::StringRef levelName) const;
  /// The level \p levelName of a description that parse() accepted, which has
  /// all four.
  const Level &level(llvm::StringRef levelName) const;
  /// Products per cycle of one multiprocessor by \p row.
  double productsOf(const target::MatrixInstruction &row) const;
  /// Registers per thread that \p threads per block leave for tiles.
  int64_t usableRegisters(int64_t threads) const;

  /// Reads a description. One that is `"like": "a100_80gb"` says only what is
  /// different from that compiled-in machine. Errors name the missing or
  /// malformed field.
  static llvm::Expected<Hardware> parse(llvm::StringRef json);
};

/// The compiled-in machine \p name, or null.
const Hardware *findHardware(llvm::StringRef name);
/// The machine that a user means by \p name: a compiled-in one, or the one that
/// the file \p name ("....json") describes, either with other numbers,
/// "a100_80gb[smem=128K, multiprocessors=54]". Fields are named as in the file,
/// those of a level after it, "shared.capacity_bytes"; smem, l2, bandwidth, sms
/// and clock are short for what is changed most. Errors name what there is, or
/// the file and its fault.
llvm::Expected<Hardware> loadHardware(llvm::StringRef name);
/// The names of the compiled-in machines, sorted.
llvm::SmallVector<llvm::StringRef> hardwareNames();
/// The compiled-in machine that stands for \p target ("sm_80"), or null.
const Hardware *defaultHardware(llvm::StringRef target);

} // namespace napkin::cost

#endif // NAPKIN_COST_HARDWARE_H
