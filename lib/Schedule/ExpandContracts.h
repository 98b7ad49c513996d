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

/// Replaces the contracts of \p diagram that no instruction has the shape of by
/// a map that multiplies and a reduction that sums, with the same accumulation
/// type. Contracts inside kernels are left alone.
void expandContracts(ncd::DiagramOp diagram);

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_EXPANDCONTRACTS_H
