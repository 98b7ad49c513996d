//===- Constraint.h - granules with their causes ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hardware asks that tiles come in multiples: an instruction's rows, a copy's
// 16 bytes. Several demands on one axis combine to their least common multiple,
// and each keeps its cause, so that a report can say why a tile is what it is.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_COST_CONSTRAINT_H
#define NAPKIN_COST_CONSTRAINT_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>
#include <numeric>
#include <string>

namespace napkin::cost {

/// A demand that a tile be a multiple, and who demands it.
struct Granule {
  /// In elements along the axis.
  int64_t multiple = 1;
  /// "rows of mma.sync m16n8k16".
  std::string cause;
};

/// All demands on one axis.
class GranuleSet {
public:
  /// Adds a demand; equal ones are kept once.
  void add(int64_t multiple, llvm::StringRef cause) {
    for (const Granule &granule : granules)
      if (granule.multiple == multiple && granule.cause == cause)
        return;
    granules.push_back({multiple, cause.str()});
  }
  /// The least common multiple of all demands, 1 without any.
  int64_t multiple() const {
    int64_t result = 1;
    for (const Granule &granule : granules)
      result = std::lcm(result, granule.multiple);
    return result;
  }
  /// The demands, in the order in which they came.
  const llvm::SmallVectorImpl<Granule> &all() const { return granules; }
  /// "multiple of 16 (rows of mma.sync m16n8k16), of 8 (16-byte copies)".
  std::string str() const {
    std::string text;
    for (const Granule &granule : granules)
      text += (text.empty() ? "multiple of " : ", of ") +
              std::to_string(granule.multiple) + " (" + granule.cause + ")";
    return text;
  }

private:
  llvm::SmallVector<Granule, 2> granules;
};

/// What a block may not exceed, in the order in which it is checked: what
/// breaks a later one came nearer.
enum class Limit {
  TileDimensions,
  BatchAxes,
  InstructionShape,
  RowsOfWarps,
  WholeRows,
  WarpTile,
  ThreadsPerBlock,
  ValuesPerThread,
  RegistersPerThread,
  SharedMemoryPerBlock,
  StatesOfParts
};

/// What a report calls \p limit.
inline llvm::StringRef limitName(Limit limit) {
  static constexpr llvm::StringLiteral names[] = {
      "tile dimensions",         "batch axes",        "instruction shape",
      "rows of warps",           "whole rows",        "tile of a warp",
      "threads per block",       "values per thread", "registers per thread",
      "shared memory per block", "states of parts"};
  return names[size_t(limit)];
}

/// A limit that a choice breaks.
struct Violation {
  Limit limit;
  /// The whole sentence, with the numbers.
  std::string text;
};

} // namespace napkin::cost

#endif // NAPKIN_COST_CONSTRAINT_H
