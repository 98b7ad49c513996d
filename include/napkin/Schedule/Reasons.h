//===- Reasons.h - why a schedule is as it is -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Choices with their causes, as data: `#ncd.decision` in plain C++. The search
// fills them in with numbers; sentence() makes English of them where a report
// or an error is printed, and nothing ever reads that English.
//
// Example: {Group, "q", 128, {{Granule, {16}, {"rows of mma.m16n8k16"}},
// {Estimated, {256, 4096, 102, 0, 0}}}} is told as
//
//     group q = 128: multiple of 16 (rows of mma.m16n8k16); q = 256 moves 4096
//     bytes more and is estimated at 1.02 of the cycles
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_REASONS_H
#define NAPKIN_SCHEDULE_REASONS_H

#include "napkin/Dialect/NCD/IR/Decisions.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <string>
#include <vector>

namespace napkin::schedule {

/// One cause. What stands in \p numbers and \p names: NCDDecisions.td.
struct Reason {
  ncd::Cause cause;
  llvm::SmallVector<int64_t, 5> numbers = {};
  llvm::SmallVector<std::string, 2> names = {};

  bool operator==(const Reason &other) const {
    return cause == other.cause && numbers == other.numbers &&
           names == other.names;
  }
};

/// One choice.
struct Choice {
  ncd::Subject subject;
  /// The axis or array, or empty.
  std::string name = {};
  /// What was chosen, 0 where that is no number.
  int64_t size = 0;
  std::vector<Reason> reasons = {};
};

/// "group q = 128".
std::string titleOf(const Choice &choice);
/// The causes alone, in one sentence; empty where there are none.
std::string causesOf(const Choice &choice);
/// Both: "group q = 128: pinned".
std::string sentenceOf(const Choice &choice);

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_REASONS_H
