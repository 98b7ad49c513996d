//===- Race.h - Happens-before of accesses to memory -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two accesses to a byte, one of them a write, not both strong, must be ordered
// by barriers, mbarriers, or releases and acquires; else they race. What the
// async proxy reads must also have passed a fence.proxy.async. Inside a warp an
// epoch that every synchronisation of its lanes advances stands for clocks of
// threads.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CHECKS_RACE_H
#define NAPKIN_LIB_EXECUTOR_CHECKS_RACE_H

#include "Checks/BlockOrder.h"
#include "Machine/Machine.h"

#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

namespace napkin::executor {

using SyncClock = Knowledge;

/// An access of one actor at one time, but for its bytes and lanes.
struct AccessEvent {
  uint32_t cluster = 0, clock = 0, epoch = 0, source = 0;
  /// Of reads: warps of the actor's block that read the same in the same lanes
  /// at their own equal clocks and epochs, the actor included.
  uint32_t warps = 0;
  uint16_t actor = 0;
  /// See EntryFlags.
  uint8_t flags = 0;
  /// A write that another actor has repeated without order: only a write of
  /// another value races with it.
  bool repeated = false;

  bool operator==(const AccessEvent &o) const {
    return clock == o.clock && source == o.source && epoch == o.epoch &&
           cluster == o.cluster && warps == o.warps && actor == o.actor &&
           flags == o.flags && repeated == o.repeated;
  }
};

/// Accesses of one actor at one time to bytes of a cell.
struct AccessEntry : AccessEvent {
  uint16_t mask = 0;
  /// Per two bytes.
  uint8_t lane[8];
};

/// The lanes of the bytes of one cell.
struct LanePattern {
  uint8_t lane[8];
  /// From byte `low` on of lanes `first`, first + 1, ... with `bytes` each;
  /// special values stay.
  static LanePattern of(uint8_t first, unsigned bytes, unsigned low);
  bool operator==(const uint8_t (&other)[8]) const {
    return !std::memcmp(lane, other, 8);
  }
};

/// EntryScope times the scope, which has two bits.
enum EntryFlags : uint8_t {
  EntryAsync = 1,
  EntryStrong = 2,
  EntryScope = 4,
  EntryCompares = 16
};

/// What does not fit into a cell: bytes that different actors touched.
struct CellOverflow {
  std::vector<AccessEntry> writes, reads;
};

/// The last accesses to 16 bytes.
struct RaceCell {
  AccessEntry write, read;
  /// The last read by another cluster than that of `read`.
  AccessEvent other;
  uint16_t otherMask = 0;
  /// Index plus one.
  uint32_t overflow = 0;
};

/// Cells whose entries are several.
struct CellPool {
  std::vector<CellOverflow> overflows;
  std::vector<uint32_t> free;
  CellOverflow *of(const RaceCell &cell) {
    return cell.overflow ? &overflows[cell.overflow - 1] : nullptr;
  }
  CellOverflow &make(RaceCell &cell);
  void drop(RaceCell &cell);
  void clear() {
    overflows.clear();
    free.clear();
  }
};

/// An address that strong accesses of the cluster synchronise through. A reader
/// of a value learns what its writers released to readers that far away.
struct StrongLocation {
  std::map<uint32_t, Knowledge> blocks; ///< to the same block
  Knowledge cluster;                    ///< to other blocks
  /// Chain of the location in BlockOrder that this belongs to.
  uint32_t chain = 0;
  std::vector<Observer> observers;
};

/// Last accesses of an actor of another block to a block's shared memory.
struct RemoteAccess {
  ActorEvent event;
  uint32_t source = 0, warp = 0, address = 0;
};

/// What only lanes `mask` of a warp know.
struct LaneKnowledge {
  uint32_t mask = 0;
  Knowledge knowledge;
};

/// A store's bytes that another warp of the cluster wrote before without order:
/// a race, unless both write the same.
struct UnorderedWrite {
  AccessEntry other;
  uint64_t cell = 0;
  uint16_t mask = 0;
};

/// An acquire of a tensor map that the writes `version` had made.
struct MapFence {
  uint64_t version = 0;
  ActorEvent event;
};

/// What the detector keeps for the cluster that runs.
struct RaceState {
  /// Number of the cluster, from 1.
  uint32_t cluster = 0, warps = 0, warpsPerBlock = 0;
  /// What all lanes of each warp know, and what some of them know besides.
  std::vector<Knowledge> warp;
  std::vector<std::vector<LaneKnowledge>> lanes;
  /// What relaxed read-modify-writes of each warp observed since its last
  /// barrier.
  std::vector<Knowledge> counted;
  /// Of the warps, then of the actors below.
  std::vector<uint32_t> clock;
  std::map<std::pair<uint32_t, uint64_t>, uint32_t> actors;
  std::unordered_map<uint64_t, StrongLocation> locations;
  /// By address of a tensor map in global memory.
  std::unordered_map<uint64_t, std::vector<MapFence>> mapFences;
  CellPool pool;
  /// Of the store that is being checked.
  std::vector<UnorderedWrite> unordered;
  /// By block and actor.
  std::vector<std::map<uint32_t, RemoteAccess>> remote;
  Knowledge &of(const Warp &warp);
  std::vector<LaneKnowledge> &lanesOf(const Warp &warp);
};

/// Kinds of actors that are not warps; the key says which one.
enum ActorKind : uint32_t {
  ActorProducts,    ///< wgmma; key: warp
  ActorStoreReads,  ///< bulk stores, the reading part; key: thread
  ActorStoreWrites, ///< and the writing part
  ActorMbarrier     ///< key: block << 32 | address
};

/// Index of a warp in its cluster.
uint32_t clusterWarp(const Warp &warp);
/// The number of an actor.
uint32_t actorOf(RaceState &state, ActorKind kind, uint64_t key);
/// Begins the actor's next operation and gives its clock.
uint32_t advanceActor(Warp &warp, uint32_t actor);

/// Lanes `mask` of `warp` release all they know and did to `sync`; the warp's
/// clock advances.
void release(Warp &warp, SyncClock &sync, uint32_t mask);
/// What barrier.cluster.arrive.relaxed carries: what fences released before.
void releaseFenced(Warp &warp, SyncClock &sync);
/// Lanes `mask` of `warp` acquire what `sync` carries.
void acquire(Warp &warp, const SyncClock &sync, uint32_t mask = allLanes);
/// Where to add what lanes `mask` of `warp` learn.
Knowledge &learning(Warp &warp, uint32_t mask);
/// Lanes `mask` of a warp synchronise with each other.
void synchronizeLanes(Warp &warp, uint32_t mask);
/// Whether `lane` (laneNone: every lane) of `warp` knows of the event.
bool knows(const Warp &warp, unsigned lane, const ActorEvent &event,
           Row row = Known);
/// The same of an event of its own warp.
bool laneKnows(const Warp &warp, unsigned lane, const ActorEvent &event);
/// The same of an event of any cluster's. With `fenced`: and a
/// fence.proxy.async stands between.
bool knowsOfCluster(const Warp &warp, unsigned lane, const Moment &moment,
                    bool fenced = false);
/// fence.proxy.async of lanes `mask`: what they know is visible to the async
/// proxy.
void fenceProxy(Warp &warp, uint32_t mask, bool shared, bool global);
/// fence.mbarrier_init.
void fenceInitializations(Warp &warp, uint32_t mask);
/// fence.proxy.tensormap::generic.release.
void releaseTensorMaps(Warp &warp, uint32_t mask, Scope scope);
/// fence and membar.
void fenceMemory(Warp &warp, uint32_t mask, bool acquires, bool releases,
                 Scope scope);

/// An operation of the async proxy that `warp` issues in lane `lane` (laneNone:
/// all of it), carried out by `actor`.
struct AsyncAccess {
  uint32_t actor = 0, clock = 0;
  uint8_t lane = laneNone;
  /// Needs a fence after generic writes.
  bool isProxy = true;
  /// Reductions in global memory are relaxed accesses of device scope.
  bool reduction = false;
};
/// It signals an mbarrier of another block: who waits for that knows of it.
void raceSignal(Warp &warp, const Instr &instruction, const AsyncAccess &async,
                Block &owner, uint32_t address);
/// Its access to `bytes` of `owner`'s shared memory; to global memory.
void raceAsync(Warp &warp, const Instr &instruction, const AsyncAccess &async,
               Block &owner, uint32_t address, uint32_t bytes, Access access);
/// Its reads of 16 aligned bytes at each of `count` addresses.
void raceAsyncChunks(Warp &warp, const Instr &instruction,
                     const AsyncAccess &async, Block &owner,
                     const uint32_t *addresses, unsigned count);
void raceAsyncGlobal(Warp &warp, const Instr &instruction,
                     const AsyncAccess &async, uint64_t address, uint32_t bytes,
                     Access access);
/// After raceAsyncGlobal for a bulk store that found writes without order
/// (Warp::overlap): it must store what is there already. `values` is what it
/// stores to `host`.
void raceRepeated(Warp &warp, const Instr &instruction,
                  const AsyncAccess &async, uint64_t address, uint32_t bytes,
                  const char *values, const char *host);
/// An operation on the mbarrier at `address` of `owner`: it must follow the
/// object's initialisation. `asyncSignal`: by the async proxy, for which the
/// initialisation of another block's object must be fenced. False after a trap.
bool raceMbarrier(Warp &warp, const Instr &instruction, unsigned lane,
                  Block &owner, uint32_t address, bool asyncSignal = false);
/// The block's end must follow what others did to its memory. False after a
/// trap.
bool raceBlockEnd(Block &block);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CHECKS_RACE_H
