//===- Decisions.h - what is decided, and the causes there are --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The words of `#ncd.decision` and `#ncd.reason`. Plain C++, for the search,
// which knows no MLIR. What the numbers of each cause are: NCDDecisions.td.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_DECISIONS_H
#define NAPKIN_DIALECT_NCD_IR_DECISIONS_H

#include "llvm/ADT/StringRef.h"
#include <iterator>

namespace napkin::ncd {

/// What a decision is about.
enum class Subject {
  Group,
  Stream,
  Inside,
  Split,
  SecondLoop,
  Resident,
  PassedOver,
  Warps,
  Reread,
  Padded,
  Parts,
  Stages,
  Grouped,
  Written
};

/// The words of Subject in the IR, in its order.
inline constexpr llvm::StringLiteral subjectNames[] = {
    "group",    "stream",      "inside",  "split",  "second_loop",
    "resident", "passed_over", "warps",   "reread", "padded",
    "parts",    "stages",      "grouped", "written"};

/// Why it was decided so.
enum class Cause {
  Pinned,
  Batch,
  Whole,
  Granule,
  Estimated,
  CutOff,
  PartsOfBlocks,
  WholeTakes,
  MergeTakes,
  NotStreamed,
  NotInside,
  Tile,
  WarpsOf,
  Refused,
  WholeRows,
  RowsByColumns,
  HoldsOne,
  HidesJourney,
  MemoryAsked,
  OneKernel,
  ComputedAgain,
  Priced,
  Impossible,
  Circular,
  Forbidden,
  TooLarge,
  Elements,
  LikeParts,
  UnderWay
};

/// The words of Cause in the IR, in its order.
inline constexpr llvm::StringLiteral causeNames[] = {
    "pinned",         "batch",         "whole",           "granule",
    "estimated",      "cut_off",       "parts_of_blocks", "whole_takes",
    "merge_takes",    "not_streamed",  "not_inside",      "tile",
    "warps_of",       "refused",       "whole_rows",      "rows_by_columns",
    "holds_one",      "hides_journey", "memory_asked",    "one_kernel",
    "computed_again", "priced",        "impossible",      "circular",
    "forbidden",      "too_large",     "elements",        "like_parts",
    "under_way"};

static_assert(std::size(subjectNames) == size_t(Subject::Written) + 1);
static_assert(std::size(causeNames) == size_t(Cause::UnderWay) + 1);

} // namespace napkin::ncd

#endif // NAPKIN_DIALECT_NCD_IR_DECISIONS_H
