//===- LaunchPlan.h - arrays and launches of a program ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What becomes the manifest. The diagram knows arrays and their roles, device
// code knows grids and shared memory; the plan is begun at the one and finished
// at the other.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_PIPELINES_LAUNCHPLAN_H
#define NAPKIN_LIB_PIPELINES_LAUNCHPLAN_H

#include "Estimate.h"
#include "mlir/IR/BuiltinOps.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Dialect/Tile/IR/Transfers.h"
#include "napkin/Report/CostReport.h"
#include "llvm/ADT/StringSet.h"
#include <optional>
#include <string>
#include <vector>

namespace napkin::pipelines {

/// An array that a launcher allocates.
struct PlannedArray {
  std::string name;
  /// "input", "output" or "temporary".
  llvm::StringLiteral role;
  ncd::ArrayType type;
};

/// One launch.
struct PlannedKernel {
  std::string entry;
  /// The diagram that the kernel is a part of; empty for a tile program.
  std::string diagram;
  /// Positions in LaunchPlan::arrays.
  std::vector<unsigned> arguments;
  std::optional<report::KernelCost> predicted;
  /// What the transfers of the tile program add up to; from device code.
  std::optional<tile::TransferBytes> transferred;
  /// From device code: blocks, threads of a block, bytes of a block.
  int64_t blocks = 0, threads = 0, sharedBytes = 0;
};

/// What a manifest says beside the plan.
struct ManifestFacts {
  llvm::StringRef target;
  /// The name of the PTX file.
  llvm::StringRef ptxFile;
  /// The PTX, of which the manifest has a hash; empty: not made yet.
  llvm::StringRef ptx;
  /// The least version of PTX that the file needs: "8.0".
  std::string ptxVersion;
  /// Registers of a thread at most.
  unsigned maxRegisters = 0;
  /// Inputs without bounds of their own satisfy |input| <= 2^inputBound.
  double inputBound = 0;
  /// Times; none where the schedule was not chosen by cost.
  std::optional<Estimate> estimate;
};

/// All arrays and launches of a program, in order.
struct LaunchPlan {
  std::vector<PlannedArray> arrays;
  std::vector<PlannedKernel> kernels;

  /// The manifest as JSON text (docs/manifest.md).
  std::string json(const ManifestFacts &facts) const;
  /// Bytes of all inputs and outputs.
  int64_t arrayBytes() const;
};

/// Makes every result of every diagram in \p module the result of an operation
/// of its own: a returned argument, and a value that is returned twice, is
/// copied by a map.
void separateResults(mlir::ModuleOp module);

/// The arrays and launches of the scheduled diagrams in \p module, or, where
/// there are none, of its tile programs. Gives every kernel of a diagram the
/// name that it will have in device code, in its attribute `entry`. Errors: an
/// operation outside every kernel; a result that no kernel writes.
mlir::FailureOr<LaunchPlan> planLaunches(mlir::ModuleOp module);

/// Adds what the functions of device code in \p module say. Errors: a kernel
/// of \p plan that \p module lacks.
mlir::LogicalResult completeLaunches(mlir::ModuleOp module, LaunchPlan &plan);

} // namespace napkin::pipelines

#endif // NAPKIN_LIB_PIPELINES_LAUNCHPLAN_H
