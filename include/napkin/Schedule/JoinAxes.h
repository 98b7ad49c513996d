//===- JoinAxes.h - axes that lie side by side are one ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block holds tiles of few dimensions, and what it holds is the same memory
// whether three axes are called i, j, l or one is called i_j_l. Axes that are
// summed or reduced together and stand together in every array are therefore
// one axis to everything below: an array a[m, i=5, j=6, l=16] is a[m,
// i_j_l=480].
//
// The rows of a product may be several axes as well: 4 queries of each of 8
// heads that share keys are 32 rows, and one tile of them reads the keys once.
// So axes that only one factor of every product brings in, and that stand
// together in every array, are one axis where the faster of them alone does not
// fill a tile.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_JOINAXES_H
#define NAPKIN_SCHEDULE_JOINAXES_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "llvm/ADT/StringSet.h"

namespace napkin::schedule {

/// Joins the axes of \p diagram that are reduced together wherever one of them
/// is, or that are rows of the same products, and that follow each other in the
/// same order in every array. Axes in
/// \p kept (somebody has pinned them) stay apart. What was joined is left in
/// the attribute `ncd.joined` of the diagram:
/// `{i_j_l = #ncd.partition<i=5, j=6, l=16>}`.
void joinAxes(ncd::DiagramOp diagram, const llvm::StringSet<> &kept);

/// \p type with the axes that the user of \p diagram wrote.
ncd::ArrayType declaredType(ncd::DiagramOp diagram, ncd::ArrayType type);

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_JOINAXES_H
