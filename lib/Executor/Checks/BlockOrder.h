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
#include "llvm/ADT/STLFunctionalExtras.h"

namespace napkin::executor {

/// An event in a cluster. Clusters are counted from 1.
struct Moment : ActorEvent {
  uint32_t cluster = 0;
  Moment() = default;
  Moment(uint32_t cluster, const ActorEvent &event)
      : ActorEvent(event), cluster(cluster) {}
};

/// A strong read that saw the last value of a location.
struct Observer : Moment {
  Scope scope;
  Observer(const Moment &moment, Scope scope) : Moment(moment), scope(scope) {}
};

/// A lane of a warp (laneNone: all of them) that asks for the order of others,
/// and what it knows.
struct Asker {
  uint32_t cluster, warp;
  uint8_t lane;
  const Extent &known, &proxy;
  /// Whether an event of its own warp is before what it does now.
  llvm::function_ref<bool(const ActorEvent &)> knowsOwn;
};

class BlockOrder {
public:
  struct Release {
    uint32_t cluster, warp;
    Extent known, proxy;
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
  /// The warp of a cluster acquires.
  void acquire(const Moment &moment, ForeignReleases releases);
  /// Whether `moment` of another cluster happened before what `asker` does now.
  /// With `fenced`: and a fence.proxy.async stands between.
  bool isKnown(const Asker &asker, const Moment &moment,
               bool fenced = false) const;

private:
  struct Acquisition {
    ForeignReleases releases;
    ActorEvent event;
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
