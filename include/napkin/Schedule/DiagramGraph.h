//===- DiagramGraph.h - a diagram as a plain graph --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The border between MLIR and the search: reads an `ncd.diagram` into a Graph
// and keeps which operation and value each index stands for.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_DIAGRAMGRAPH_H
#define NAPKIN_SCHEDULE_DIAGRAMGRAPH_H

#include "mlir/IR/Value.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Schedule/Region.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/DenseMap.h"

namespace napkin::schedule {

/// A graph and what its indices stand for.
struct DiagramGraph {
  Graph graph;
  /// One per Graph::operations.
  llvm::SmallVector<mlir::Operation *> operations;
  /// One per Graph::values.
  llvm::SmallVector<mlir::Value> values;

  /// The streaming algebra, asked about operations of this graph. Answers are
  /// kept.
  StreamOracle oracle() const;
};

/// Reads \p diagram, with the instructions of \p target on its contracts.
/// Errors, on the operation: an axis without a static size, an operation that
/// is not contract, map, reduce or kernel.
mlir::FailureOr<DiagramGraph>
readDiagram(ncd::DiagramOp diagram, const target::TargetDescription &target,
            bool roundToTF32);

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_DIAGRAMGRAPH_H
