//===- Edits.h - smaller diagrams -------------------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What can be left out of a diagram so that a diagram remains. Because a
// diagram is a graph without side effects, any array may become an argument,
// and any may become the result.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_NAPKIN_REDUCE_EDITS_H
#define NAPKIN_TOOLS_NAPKIN_REDUCE_EDITS_H

#include "mlir/IR/BuiltinOps.h"
#include <functional>
#include <string>
#include <vector>

namespace napkin::reduce {

/// One way to make a module smaller.
struct Edit {
  /// "axis q has 64 positions".
  std::string description;
  /// Makes the edit in a clone of the module that it was found in; places are
  /// counted, so that they are the same there.
  std::function<void(mlir::ModuleOp)> apply;
};

/// All edits of \p module, those that take away most first.
std::vector<Edit> editsOf(mlir::ModuleOp module);

} // namespace napkin::reduce

#endif // NAPKIN_TOOLS_NAPKIN_REDUCE_EDITS_H
