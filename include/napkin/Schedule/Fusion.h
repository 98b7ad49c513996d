//===- Fusion.h - which operations share a kernel ---------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Cuts a diagram into kernels. Operations are put into an order in which
// producers stand next to their consumers; any run of that order is a convex
// region, and the cheapest way to cut the order into runs is found by dynamic
// programming over all of them. A few orders are tried. Every use of an array
// is counted: what a run makes and something outside reads is written, whoever
// else read it inside.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_FUSION_H
#define NAPKIN_SCHEDULE_FUSION_H

#include "napkin/Schedule/KernelPrices.h"

namespace napkin::schedule {

/// One kernel of the result.
struct PlannedKernel {
  /// In an order in which they may run. Others may compute some of them too.
  llvm::SmallVector<unsigned, 8> operations;
  /// The values that it writes; empty for a kernel that was formed already.
  llvm::SmallVector<unsigned, 4> outputs;
  /// Unset for a kernel that was formed already.
  std::optional<Decision> decision;
  /// Bytes that its operations would move one kernel each, every one at its own
  /// best partition (read and written once where it has none alone).
  int64_t unfusedBytes = 0;
};

/// Where planning failed.
struct PlanFailure {
  /// The operation that has no schedule, alone or with others.
  unsigned operation = 0;
  Refusal refusal;
};

/// The kernels of \p graph in the order in which they run, or nullopt with
/// \p failure filled in. With \p block every kernel was compiled once as it was
/// decided; without it, shared memory is an estimate.
std::optional<std::vector<PlannedKernel>>
planKernels(const Graph &graph, const cost::Hardware &hardware,
            const GeneratorLimits &limits, const Pins &pins,
            const StreamOracle &oracle, const BlockOracle &block,
            PlanFailure *failure);

/// The same with prices that are known or wanted afterwards.
std::optional<std::vector<PlannedKernel>>
planKernels(const Graph &graph, const cost::Hardware &hardware,
            KernelPrices &prices, PlanFailure *failure);

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_FUSION_H
