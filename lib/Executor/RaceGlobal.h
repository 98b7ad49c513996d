//===- RaceGlobal.h - Happens-before in global memory ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Blocks of one launch are not ordered, except through atomics and other strong
// accesses to a common address; warps of a block are ordered by its clocks.
// Each host thread keeps its own table; tables are compared at the end.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_RACEGLOBAL_H
#define NAPKIN_LIB_EXECUTOR_RACEGLOBAL_H

#include "BlockOrder.h"
#include "Race.h"

#include <memory>

namespace napkin::executor {

/// The last accesses to 16 bytes. Blocks are counted from 1.
struct GlobalCell {
  uint32_t writeBlock = 0, writeClock = 0, writeSource = 0;
  uint32_t readBlock = 0, readClock = 0, readSource = 0, readWarps = 0;
  /// Of the blocks, see BlockOrder.
  uint32_t writeEpoch = 0, readEpoch = 0;
  uint16_t writeWarp = 0, writeMask = 0, readMask = 0;
  uint8_t writeAtomic = 0;
  /// Bit 0: several blocks read it; bit 1: several warps read different parts.
  uint8_t readMany = 0;
};

struct GlobalPage {
  GlobalCell cells[256];
};

struct GlobalRaces {
  std::unordered_map<uint64_t, std::unique_ptr<GlobalPage>> pages;
  uint64_t lastKey = ~uint64_t(0);
  GlobalPage *last = nullptr;
  /// The cell of a 16-byte unit; null beyond the limit of memory.
  GlobalCell *cell(uint64_t unit);
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_RACEGLOBAL_H
