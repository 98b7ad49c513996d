//===- Parts.h - into how many parts a stream may go ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the search tries of splits, and how the report tells the one it took.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_PARTS_H
#define NAPKIN_LIB_SCHEDULE_PARTS_H

#include "napkin/Schedule/Search.h"

namespace napkin::schedule {

/// Positions of a part of the stream of \p candidate: so many parts that its
/// grid of \p blocks fills the machine once, twice or four times, where it does
/// not by itself; or what is pinned, if that is whole chunks.
llvm::SmallVector<int64_t, 4> partOptions(const RegionFacts &facts,
                                          const Pins &pins,
                                          const Candidate &candidate,
                                          int64_t blocks);

/// Why the stream of \p decision is split as it is.
Choice explainParts(const RegionFacts &facts, const Pins &pins,
                    const Decision &decision);

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_PARTS_H
