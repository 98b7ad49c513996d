//===- Undefined.h - Values that were never written ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reading memory or a register that nobody wrote gives an undefined value,
// which is no harm as long as nothing depends on it: pipelined kernels load a
// stage too much, tiles have rows that nobody stores, and compilers compute
// with registers of lanes that a guarded load left out. So the read only marks
// its registers, marks follow the data, and the trap comes where such a value
// decides a branch, is an address, or leaves the block. Only warps that hold
// such values pay for this.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CHECKS_UNDEFINED_H
#define NAPKIN_LIB_EXECUTOR_CHECKS_UNDEFINED_H

#include "Machine/Machine.h"

#include "llvm/ADT/DenseMap.h"

#include <map>

namespace napkin::executor {

/// A read of bytes that were never written, or of a register (`reg`, an index
/// in its function's table); without either: a shuffle from lane `byte`, which
/// takes no part in it.
struct UndefinedRead {
  const Instr *load = nullptr;
  unsigned lane = 0, bytes = 0, byte = 0;
  uint64_t address = 0;
  uint8_t space = 0;
  int64_t reg = -1;
};

/// What of one warp's registers is undefined.
class UndefinedValues {
public:
  struct Value {
    uint32_t lanes = 0, origin = 0;
    /// Undefined in some of these lanes.
    uint64_t bits = ~uint64_t(0);
    /// Loaded and moved, but not computed.
    bool isCopy = false;
  };
  /// What lanes execute because of an undefined value: the instructions
  /// [begin, end) of a function's body, up to where all ways meet again.
  struct Region {
    uint32_t function, begin, end, lanes, origin;
  };
  std::vector<Region> regions;
  /// By register: function << 32 | index in the function's table.
  llvm::DenseMap<uint64_t, Value> registers;
  /// The bits of all these registers, and perhaps of some that were.
  uint64_t registerBits = 0;
  /// The last such read of each PTX instruction, by its index, and lane.
  std::map<std::pair<uint32_t, unsigned>, UndefinedRead> reads;
  /// The read by instruction `origin` that gave `lane` its value; another
  /// lane's where a matrix or a shuffle brought it.
  const UndefinedRead &readOf(uint32_t origin, unsigned lane) const {
    auto found = reads.find({origin, lane});
    return found != reads.end() ? found->second
                                : reads.lower_bound({origin, 0})->second;
  }
};

/// Marks the results of a `ld` or `ldmatrix` of one lane. False: this
/// instruction's results cannot be marked.
bool markUndefined(Warp &warp, const UndefinedRead &read,
                   const uint8_t *shadow);
/// Before an instruction that reads `reg` in `inLanes`, where it was never
/// written.
void markUnwritten(Warp &warp, const Instr &instruction, uint32_t reg,
                   uint32_t inLanes);
/// Before an instruction: moves marks from its sources to its results. False:
/// it trapped.
bool moveUndefined(Warp &warp, const Instr &instruction, uint32_t mask);
/// A shuffle: lane l's result is lane from[l]'s value; undefined for lanes
/// `idle`, whose source takes no part in it.
void shuffleUndefined(Warp &warp, const Instr &instruction, uint32_t mask,
                      const uint8_t *from, uint32_t idle);
/// The variable or allocation that holds the address, as a message says it.
std::string variableAt(Warp &warp, uint64_t address, uint8_t space);
/// Message of a read.
std::string describeUndefined(Warp &warp, const UndefinedRead &read);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CHECKS_UNDEFINED_H
