//===- RaceGlobal.h - Happens-before in global memory ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each host thread keeps its own table; tables are compared at the end.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CHECKS_RACEGLOBAL_H
#define NAPKIN_LIB_EXECUTOR_CHECKS_RACEGLOBAL_H

#include "Checks/BlockOrder.h"
#include "Checks/Race.h"

namespace napkin::executor {

struct GlobalPage {
  RaceCell cells[256];
};

struct GlobalRaces {
  std::unordered_map<uint64_t, std::unique_ptr<GlobalPage>> pages;
  uint64_t lastKey = ~uint64_t(0);
  GlobalPage *last = nullptr;
  CellPool pool;
  /// Accesses beyond the limit of memory were not watched.
  bool isFull = false;
  /// The cell of a 16-byte unit; null beyond the limit of memory.
  RaceCell *cell(uint64_t unit);
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CHECKS_RACEGLOBAL_H
