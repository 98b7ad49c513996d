//===- Columns.h - what is alive when, in one region ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each operation of a region, the arrays that a block holds in registers
// while it runs. Which ones does not depend on tile sizes, so it is found once
// per stream axis; how large they are is the business of a candidate.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_COLUMNS_H
#define NAPKIN_LIB_SCHEDULE_COLUMNS_H

#include "napkin/Schedule/Region.h"

namespace napkin::schedule {

/// The widest moment of one operation. Lists hold values of the graph.
struct Column {
  unsigned operation = 0;
  /// True inside the loop over the stream axis, where the state is alive too.
  bool loop = false;
  /// Made before and needed now or later.
  llvm::SmallVector<unsigned, 8> live;
  /// Of these, the ones that an elementwise operation overwrites.
  llvm::SmallVector<unsigned, 4> dying;
  /// What the operation makes.
  llvm::SmallVector<unsigned, 1> made;
  /// Inputs that it reads element by element.
  llvm::SmallVector<unsigned, 4> loaded;
  /// Inputs that it multiplies, as fragments of instructions.
  llvm::SmallVector<unsigned, 4> factors;
};

/// The columns of \p region when \p stream is walked in chunks. Values that
/// reductions over the stream make are state: inside the loop they are in no
/// list.
std::vector<Column> findColumns(const Region &region,
                                std::optional<unsigned> stream);

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_COLUMNS_H
