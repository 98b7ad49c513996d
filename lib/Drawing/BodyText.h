//===- BodyText.h - the body of a map as a formula --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A box of a map bears what it computes: exp(a - b), with the elements of its
// operands called a, b, c in their order.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DRAWING_BODYTEXT_H
#define NAPKIN_LIB_DRAWING_BODYTEXT_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include <string>

namespace napkin::drawing {

/// What the region of \p map yields: operators in infix form with the fewest
/// parentheses, functions by name, roundings left out, `#x` for the position
/// along x. A body of more than \p limit characters is cut with "…".
std::string bodyText(ncd::MapOp map, size_t limit);

} // namespace napkin::drawing

#endif // NAPKIN_LIB_DRAWING_BODYTEXT_H
