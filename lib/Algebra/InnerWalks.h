//===- InnerWalks.h - Which operations a loop of a kernel takes -*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel that proceeds along several axes walks the inner ones inside each
// step of the outer one, and before and after its loop. Which operations of a
// block such a walk takes follows from the arrays that carry its axis. Results
// that carry the outer axis are written by a second loop over it.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_ALGEBRA_INNERWALKS_H
#define NAPKIN_LIB_ALGEBRA_INNERWALKS_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"

namespace napkin::algebra {

/// Operations of one block, in order, that one walk over an axis takes.
struct InnerWalk {
  llvm::SmallVector<mlir::Operation *, 8> ops;
  /// Their results that others use.
  llvm::SmallVector<mlir::Value, 2> outputs;
};

/// Blocks of \p kernel in which operations on arrays stand: its own, and those
/// of the regions of its streams and branches.
llvm::SmallVector<mlir::Block *> blocksOf(ncd::KernelOp kernel);

/// The walks over \p axis in \p block, in order: operations that read or make
/// an array with it, and those between them. A stream in the block ends one.
llvm::SmallVector<InnerWalk> findInnerWalks(mlir::Block &block,
                                            mlir::StringAttr axis);

/// Results of \p ops that something else uses.
llvm::SmallVector<mlir::Value, 2>
outputsOf(llvm::ArrayRef<mlir::Operation *> ops);

/// Moves what uses the outputs of \p walk behind its last operation, and
/// returns that.
mlir::Operation *gatherAtEnd(const InnerWalk &walk);

/// Gives the results of \p kernel that carry \p axis a loop of its own at the
/// end: whatever makes them and carries the axis is written anew there, chunk
/// by chunk; what it needs of reductions over the axis comes from before the
/// loop. Returns the loop, or null where no result carries the axis.
ncd::StreamOp writeAppendedResults(ncd::KernelOp kernel, mlir::StringAttr axis);

} // namespace napkin::algebra

#endif // NAPKIN_LIB_ALGEBRA_INNERWALKS_H
