//===- BlockOrder.h - Happens-before between clusters ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Clusters of one launch are ordered only by strong accesses to a common
// address of global memory. A vector clock over all warps of the grid would be
// too large; instead each location keeps the list of releases to it, each with
// the releasing warp's clocks of its own cluster, and each cluster the list of
// what its warps acquired. A question walks back through them.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CHECKS_BLOCKORDER_H
#define NAPKIN_LIB_EXECUTOR_CHECKS_BLOCKORDER_H

#include "Checks/Clocks.h"

#include "llvm/ADT/DenseMap.h"

namespace napkin::executor {

/// An actor of a cluster at a time. Clusters are counted from 1.
struct Moment {
  uint32_t cluster, actor, clock;
};

/// A strong read that saw the last value of a location.
struct Observer : Moment {
  Scope scope;
};

class BlockOrder {
public:
  struct Release {
    uint32_t cluster, warp;
    ClockVector known, proxy;
  };
  struct Location {
    std::vector<Release> releases;
    /// A plain store begins a new chain: who reads it synchronises only with
    /// what follows.
    uint32_t chain = 0, chains = 0;
    /// So many releases were acquired by someone.
    uint32_t acquired = 0;
    /// Who read the last value by a strong access.
    std::vector<Observer> observers;
  };

  uint32_t locationOf(uint64_t address);
  Location &at(uint32_t location) { return locations[location]; }
  /// The location's index, or -1.
  int64_t find(uint64_t address) const;
  void release(uint32_t location, Release release);
  /// `warp` of `cluster` acquires at its `clock`.
  void acquire(uint32_t cluster, uint32_t warp, uint32_t clock,
               ForeignReleases releases);
  /// Whether `moment` of another cluster happened before what `warp` of
  /// `cluster`, which knows `known`, does now. With `proxy`: and a
  /// fence.proxy.async stands between; these are the warp's own.
  bool isKnown(uint32_t cluster, uint32_t warp, const ClockVector &known,
               const Moment &moment, const ClockVector *proxy = nullptr) const;

private:
  struct Acquisition {
    ForeignReleases releases;
    uint32_t warp, clock;
  };
  llvm::DenseMap<uint64_t, uint32_t> numbers;
  std::vector<Location> locations;
  /// By cluster.
  std::vector<std::vector<Acquisition>> acquisitions;
  /// Answers that were yes stay so: (asker, actor) to the clock.
  mutable llvm::DenseMap<std::pair<uint64_t, uint64_t>, uint32_t> answers;
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CHECKS_BLOCKORDER_H
