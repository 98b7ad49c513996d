//===- ExpandContracts.h - contracts without an instruction -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tensor-core instruction multiplies two factors that each have an axis of
// their own and share a summed one. A contract that lacks one of the three (a
// product of a matrix and a vector, an inner product, a scaling) is computed
// element by element instead.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_EXPANDCONTRACTS_H
#define NAPKIN_LIB_SCHEDULE_EXPANDCONTRACTS_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"

namespace napkin::schedule {

/// Takes contracts of more than two factors apart, the pair with the smallest
/// product first; products of products are made in the accumulation type.
/// Replaces the contracts of \p diagram that no instruction has the shape of,
/// or that sum more axes than a block can, by a map that multiplies and a
/// reduction that sums, with the same accumulation type. Contracts inside
/// kernels are left alone.
void expandContracts(ncd::DiagramOp diagram);

/// Writes the `plus` of the contracts of \p diagram, which belongs to what the
/// schedule decides, as a map that adds.
void expandStarts(ncd::DiagramOp diagram);

/// Replaces the reductions of \p diagram over more axes than the \p dimensions
/// of a tile by several, one after the other, that combine the same elements in
/// the same type. Only monoids known by name.
void splitReductions(ncd::DiagramOp diagram, unsigned dimensions);

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_EXPANDCONTRACTS_H
