//===- SeparateAxes.h - one name, several wires -----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A wire of a diagram is what operations connect, not a name. In
//
//     s[q, x] = sum_d q[q, d] k[x, d]        o[q, d] = sum_x p[q, x] v[x, d]
//
// two wires are called d: the one that is summed, and the one on which the
// result leaves. Whoever knows axes by name would have to cut both alike, and
// could not cut the second at all, since the first is summed. So the second is
// called d_v, after the array that brings it in.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_SEPARATEAXES_H
#define NAPKIN_SCHEDULE_SEPARATEAXES_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"

namespace napkin::schedule {

/// Gives each wire of \p diagram a name of its own where wires share one and
/// some of them are summed or reduced; the first keeps it. The user's names are
/// left in the attribute `ncd.joined` of the diagram, where declaredType finds
/// them: `{d_v = #ncd.partition<d=128>}`.
void separateAxes(ncd::DiagramOp diagram);

/// The wires of \p diagram that its user calls \p name, by the names that they
/// have: \p name itself, and those that separateAxes has named apart.
llvm::SmallVector<std::string, 2> wiresCalled(ncd::DiagramOp diagram,
                                              llvm::StringRef name);

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_SEPARATEAXES_H
