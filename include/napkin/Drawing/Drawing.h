//===- Drawing.h - diagrams as pictures -------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Draws what a module of ncd holds, as "FlashAttention on a Napkin" draws it
// (Abbott & Zardini, arXiv 2412.03317, section 2): time runs from left to
// right, an axis is a line, an array a bundle of lines under its name, and
// dashed lines lie between arrays. An operation is a box. What it leaves alone,
// its weave, runs through; an axis that is summed in a contract is a cup, one
// that is reduced ends in a dot, one that is walked and kept bears a square,
// and one that is new begins in a ring. Below each column stands what is alive.
//
// After scheduling a kernel is a frame with its grid, a stream a frame with its
// chunks, whose last lines are the states; a line bears what a block has of its
// axis at a time ("q 128/512"), and its colour is the memory level of its
// array.
//
//   ncd.contract %q, %k over [d]       %q: bf16      +----------+
//     : [q, d], [x, d] -> [q, x]         q ----------|----------|-- q  %0: f32
//                                        d ----------|--.       |
//                                      - - - - - -   |   )      |
//                                      %k: bf16      |  |       |
//                                        x ----------|--|-------|-- x
//                                        d ----------|--'       |
//                                                    +----------+
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DRAWING_DRAWING_H
#define NAPKIN_DRAWING_DRAWING_H

#include "mlir/IR/BuiltinOps.h"
#include <string>

namespace napkin::drawing {

/// All diagrams of \p module, one below the other, as the text of one SVG file
/// that needs nothing else and follows the reader's light or dark scheme.
/// Operations of other dialects are left out.
std::string drawSVG(mlir::ModuleOp module);

} // namespace napkin::drawing

#endif // NAPKIN_DRAWING_DRAWING_H
