//===- Race.cpp - Clocks of warps and what moves them ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Barriers carry all that a warp knows. A strong access carries it only if it
// is a release or if a fence of enough scope came before, and only as far as
// the scopes of both sides reach (PTX manual, 8.7 and 8.9). A fence that other
// threads have passed before a barrier counts too, and a barrier of the block
// completes what a relaxed read-modify-write observed, although the manual
// wants a fence in the thread of the strong access: much code is written so
// (the last block to count up reads the others' results).
//
//===----------------------------------------------------------------------===//

#include "Checks/RaceCell.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>

#include <fmt/format.h>

using namespace napkin::executor;

uint32_t napkin::executor::clusterWarp(const Warp &w) {
  return w.block->rank * w.races->warpsPerBlock + w.index;
}

Knowledge &RaceState::of(const Warp &w) { return warp[clusterWarp(w)]; }

uint32_t napkin::executor::actorOf(RaceState &s, ActorKind kind, uint64_t key) {
  auto [found, isNew] =
      s.actors.try_emplace({kind, key}, uint32_t(s.clock.size()));
  if (isNew)
    s.clock.push_back(0);
  return found->second;
}

uint32_t napkin::executor::advanceActor(Warp &w, uint32_t actor) {
  return ++w.races->clock[actor];
}

std::vector<LaneKnowledge> &RaceState::lanesOf(const Warp &w) {
  return lanes[clusterWarp(w)];
}

/// Whether all lanes that live are in `mask`.
static bool isAll(const Warp &w, uint32_t mask) { return !(w.alive & ~mask); }

/// Up to which epoch `lane` knows what lane `other` of its warp did.
static uint32_t knownEpoch(const Warp &w, unsigned lane, unsigned other) {
  if (lane == other)
    return w.epoch + 1;
  return std::max(w.fullEpoch,
                  w.laneEpochs ? w.laneEpochs[lane * lanes + other] : 0);
}

/// Adds what lanes `mask` did themselves.
static void addOwn(const Warp &w, uint32_t mask, Extent &to) {
  const uint32_t me = clusterWarp(w);
  if (!(w.touched & ~mask))
    return to.clocks.raise(me, w.races->clock[me]);
  to.clocks.raise(me, w.fullClock);
  to.epochs.raise(epochOf(me, lanes), w.fullEpoch);
  for (uint32_t rest = mask & w.existing; rest; rest &= rest - 1)
    for (unsigned other = 0, l = __builtin_ctz(rest); other < lanes; ++other)
      to.epochs.raise(epochOf(me, other), knownEpoch(w, l, other));
}

/// What lanes `mask` do from now on is not part of what they have released.
static void advance(Warp &w, uint32_t mask) {
  ++w.races->clock[clusterWarp(w)];
  if (w.touched & ~mask)
    ++w.epoch;
}

/// Adds what lanes `mask` know and did.
static void addKnowledge(const Warp &w, uint32_t mask, Knowledge &to) {
  RaceState &s = *w.races;
  to.join(s.of(w));
  for (const LaneKnowledge &part : s.lanesOf(w))
    if (part.mask & mask)
      to.join(part.knowledge);
  addOwn(w, mask, to.rows[Known]);
}

void napkin::executor::release(Warp &w, SyncClock &sync, uint32_t mask) {
  if (!w.races)
    return;
  addKnowledge(w, mask, sync);
  advance(w, mask);
}

void napkin::executor::releaseFenced(Warp &w, SyncClock &sync) {
  if (!w.races)
    return;
  Knowledge part = w.races->of(w);
  part.rows[Known] = part.rows[Released + ScopeCluster];
  sync.join(part);
}

Knowledge &napkin::executor::learning(Warp &w, uint32_t mask) {
  if (isAll(w, mask))
    return w.races->of(w);
  std::vector<LaneKnowledge> &parts = w.races->lanesOf(w);
  for (LaneKnowledge &part : parts)
    if (part.mask == mask)
      return part.knowledge;
  parts.emplace_back();
  parts.back().mask = mask;
  return parts.back().knowledge;
}

void napkin::executor::acquire(Warp &w, const SyncClock &sync, uint32_t mask) {
  if (w.races && !sync.rows.empty())
    learning(w, mask).join(sync);
}

/// Lanes `mask` share what some of them know.
static void shareKnowledge(Warp &w, uint32_t mask) {
  std::vector<LaneKnowledge> &parts = w.races->lanesOf(w);
  llvm::erase_if(parts, [&](LaneKnowledge &part) {
    if (part.mask & mask)
      part.mask |= mask;
    if (!isAll(w, part.mask))
      return false;
    w.races->of(w).join(part.knowledge);
    return true;
  });
}

void napkin::executor::synchronizeLanes(Warp &w, uint32_t mask) {
  if (!w.races->lanesOf(w).empty())
    shareKnowledge(w, mask);
  ++w.epoch;
  if (isAll(w, mask)) {
    w.fullEpoch = w.epoch;
    w.fullClock = w.races->clock[clusterWarp(w)] - 1;
    w.touched = 0;
    return;
  }
  // Each of them now knows what any of them knew, and what they did.
  std::vector<uint32_t> &all = w.async->laneEpochs;
  all.resize(lanes * lanes);
  w.laneEpochs = all.data();
  uint32_t known[lanes] = {};
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    for (unsigned l = 0; l < lanes; ++l)
      known[l] =
          std::max(known[l], w.laneEpochs[__builtin_ctz(rest) * lanes + l]);
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    known[__builtin_ctz(rest)] = w.epoch;
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    std::copy(known, known + lanes, w.laneEpochs + __builtin_ctz(rest) * lanes);
}

bool napkin::executor::knows(const Warp &w, unsigned lane,
                             const ActorEvent &event, Row row) {
  if (w.races->of(w).rows[row].covers(event))
    return true;
  uint32_t covered = 0;
  for (const LaneKnowledge &part : w.races->lanesOf(w))
    if (part.knowledge.rows[row].covers(event))
      covered |= part.mask;
  return lane < lanes ? covered >> lane & 1 : isAll(w, covered);
}

bool napkin::executor::laneKnows(const Warp &w, unsigned lane,
                                 const ActorEvent &event) {
  if (event.epoch < w.fullEpoch || lane == event.lane || lane >= lanes)
    return true;
  if (w.laneEpochs) {
    const uint32_t *known = w.laneEpochs + lane * lanes;
    if (event.epoch < (event.lane < lanes
                           ? known[event.lane]
                           : *std::max_element(known, known + lanes)))
      return true;
  }
  return knows(w, lane, event);
}

bool napkin::executor::knowsOfCluster(const Warp &w, unsigned lane,
                                      const Moment &moment, bool fenced) {
  const Knowledge &all = w.races->of(w);
  const Extent *known = &all.rows[Known], *proxy = &all.rows[ProxyGlobal];
  Extent ofLane[2];
  for (const LaneKnowledge &part : w.races->lanesOf(w)) {
    if (lane >= lanes || !(part.mask >> lane & 1))
      continue;
    if (known != ofLane) {
      ofLane[0] = *known;
      ofLane[1] = *proxy;
      known = ofLane;
      proxy = ofLane + 1;
    }
    ofLane[0].join(part.knowledge.rows[Known]);
    ofLane[1].join(part.knowledge.rows[ProxyGlobal]);
  }
  auto knowsOwn = [&](const ActorEvent &event) {
    if (event.lane == laneNone)
      return true;
    return lane < lanes ? laneKnows(w, lane, event)
                        : event.epoch < w.fullEpoch || known->covers(event);
  };
  const Asker asker{w.races->cluster, clusterWarp(w), uint8_t(lane),
                    *known,           *proxy,         knowsOwn};
  return w.machine->blockOrder.isKnown(asker, moment, fenced);
}

/// Adds to row `to` of lanes `mask` what they know and did.
static void raiseFenced(Warp &w, uint32_t mask, Row to) {
  RaceState &s = *w.races;
  std::vector<LaneKnowledge> &parts = s.lanesOf(w);
  if (isAll(w, mask)) {
    // Each lane has fenced what it did.
    const uint32_t me = clusterWarp(w);
    Rows &rows = s.of(w).rows;
    rows[to].join(rows[Known]);
    rows[to].clocks.raise(me, s.clock[me]);
    if (to >= Released)
      rows[to].epochs.raise(epochOf(me, lanes), w.epoch + 1);
    for (LaneKnowledge &part : parts)
      part.knowledge.rows[to].join(part.knowledge.rows[Known]);
    return;
  }
  Extent known = s.of(w).rows[Known];
  addOwn(w, mask, known);
  // What several lanes fenced one of them may not know (fencedFor).
  if (to >= Released && !(w.touched & ~mask))
    known.epochs.raise(epochOf(clusterWarp(w), lanes), w.epoch + 1);
  for (size_t p = 0, end = parts.size(); p < end; ++p) {
    if (!(parts[p].mask & mask))
      continue;
    const Extent more = parts[p].knowledge.rows[Known];
    learning(w, parts[p].mask & mask).rows[to].join(more);
  }
  learning(w, mask).rows[to].join(known);
}

void napkin::executor::fenceProxy(Warp &w, uint32_t mask, bool shared,
                                  bool global) {
  if (!w.races)
    return;
  if (shared)
    raiseFenced(w, mask, ProxyShared);
  if (global)
    raiseFenced(w, mask, ProxyGlobal);
  advance(w, mask);
}

void napkin::executor::fenceInitializations(Warp &w, uint32_t mask) {
  if (!w.races)
    return;
  raiseFenced(w, mask, Initialized);
  advance(w, mask);
}

void napkin::executor::releaseTensorMaps(Warp &w, uint32_t mask, Scope scope) {
  if (!w.races)
    return;
  raiseFenced(w, mask, ReleasedMaps);
  fenceMemory(w, mask, false, true, scope);
}

/// Lanes `mask` acquire from other clusters.
static void acquireForeign(Warp &w, uint32_t mask,
                           const ForeignReleases &releases) {
  RaceState &s = *w.races;
  const uint32_t me = clusterWarp(w);
  w.touched |= mask;
  ActorEvent event{me, s.clock[me], w.epoch, laneNone};
  BlockOrder &order = w.machine->blockOrder;
  if (isAll(w, mask))
    return order.acquire({s.cluster, event}, releases);
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    event.lane = __builtin_ctz(rest);
    order.acquire({s.cluster, event}, releases);
  }
}

/// Makes known to lanes `mask` what relaxed reads have `seen` at distances up
/// to `scope`.
static void acquireObserved(Warp &w, uint32_t mask, const Knowledge &seen,
                            Scope scope) {
  for (unsigned distance = 0; distance <= std::min(scope, ScopeCluster);
       ++distance)
    if (!seen.observed[distance].empty())
      learning(w, mask).rows.join(seen.observed[distance]);
  if (scope == ScopeDevice)
    for (const ForeignReleases &releases : seen.pending)
      acquireForeign(w, mask, releases);
}

/// What acquireObserved has made known need not be seen again.
static void forgetObserved(Knowledge &seen, Scope scope) {
  for (unsigned distance = 0; distance <= std::min(scope, ScopeCluster);
       ++distance)
    seen.observed[distance] = Rows();
  if (scope == ScopeDevice)
    seen.pending.clear();
}

void napkin::executor::fenceMemory(Warp &w, uint32_t mask, bool acquires,
                                   bool releases, Scope scope) {
  if (!w.races)
    return;
  RaceState &s = *w.races;
  if (acquires) {
    auto acquireSeen = [&](Knowledge &from, uint32_t by) {
      if (from.observed[0].empty() && from.observed[1].empty() &&
          from.pending.empty())
        return;
      const Knowledge seen = from;
      if (!(by & ~mask) || (isAll(w, by) && isAll(w, mask)))
        forgetObserved(from, scope);
      acquireObserved(w, by & mask, seen, scope);
    };
    std::vector<LaneKnowledge> &parts = s.lanesOf(w);
    acquireSeen(s.of(w), allLanes);
    for (size_t p = 0, end = parts.size(); p < end; ++p)
      if (parts[p].mask & mask)
        acquireSeen(parts[p].knowledge, parts[p].mask);
  }
  if (!releases)
    return;
  for (unsigned distance = 0; distance <= scope; ++distance)
    raiseFenced(w, mask, Row(Released + distance));
  ++s.clock[clusterWarp(w)];
  ++w.epoch;
}

/// What fences let a relaxed store of `lane` carry to readers that far away: of
/// what the lanes of its own warp did only what it knows.
static Extent fencedFor(const Warp &w, unsigned lane, Scope distance) {
  const unsigned row = Released + distance;
  RaceState &s = *w.races;
  Extent fenced = s.of(w).rows[row];
  ClockVector known;
  auto addKnown = [&](const Rows &rows) {
    if (!rows[Known].epochs.empty())
      known.join(rows[Known].epochs);
  };
  addKnown(s.of(w).rows);
  for (const LaneKnowledge &part : s.lanesOf(w))
    if (part.mask >> lane & 1) {
      fenced.join(part.knowledge.rows[row]);
      addKnown(part.knowledge.rows);
    }
  const uint32_t me = clusterWarp(w);
  if (!(w.touched & ~(1u << lane)) || fenced.empty())
    return fenced;
  const uint32_t all = fenced.epochs[epochOf(me, lanes)];
  for (unsigned other = 0; other < lanes; ++other) {
    const uint32_t mine =
        std::max({knownEpoch(w, lane, other), known[epochOf(me, other)],
                  known[epochOf(me, lanes)]});
    fenced.epochs.set(
        epochOf(me, other),
        std::min(mine, std::max(all, fenced.epochs[epochOf(me, other)])));
  }
  fenced.epochs.set(epochOf(me, lanes), std::min(all, w.fullEpoch));
  if (all > w.fullEpoch)
    fenced.clocks.set(me, std::min(fenced.clocks[me], w.fullClock));
  return fenced;
}

/// The location in this cluster, without what another cluster's store ended.
static StrongLocation &locationOf(RaceState &s, uint64_t key,
                                  const BlockOrder::Location *far) {
  StrongLocation &l = s.locations[key];
  if (far && l.chain != far->chains) {
    l.blocks.clear();
    l.cluster.clear();
    l.chain = far->chains;
  }
  return l;
}

static void observe(std::vector<Observer> &observers, const Observer &next) {
  // The first reading is the strongest; a long list serves nobody.
  for (const Observer &o : observers)
    if (o.cluster == next.cluster && o.actor == next.actor &&
        o.scope >= next.scope && (o.lane == next.lane || o.lane == laneNone))
      return;
  if (observers.size() < 64)
    observers.push_back(next);
}

void napkin::executor::strongRead(Warp &w, uint32_t mask, const Block *owner,
                                  uint64_t address, const Order &order) {
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  BlockOrder &blocks = w.machine->blockOrder;
  const int64_t number = owner ? -1 : blocks.locationOf(address);
  BlockOrder::Location *far = owner ? nullptr : &blocks.at(number);
  StrongLocation &l =
      locationOf(s, owner ? strongKey(*owner, address) : address, far);
  // An atomic that counts blocks: see the head of the file.
  const bool counts = order.reads && order.writes && !order.acquire;
  auto learn = [&](const Knowledge &from, Scope distance) {
    if (from.rows.empty() || order.scope < distance)
      return;
    if (order.acquire)
      acquire(w, from, mask);
    else
      learning(w, mask).observed[distance].join(from.rows);
    if (counts)
      s.counted[me].observed[distance].join(from.rows);
  };
  auto own = l.blocks.find(w.block->rank);
  if (own != l.blocks.end())
    learn(own->second, ScopeBlock);
  learn(l.cluster, ScopeCluster);
  if (far && order.scope == ScopeDevice && far->releases.size() > far->chain) {
    ForeignReleases seen{uint32_t(number), far->chain,
                         uint32_t(far->releases.size())};
    if (order.acquire) {
      acquireForeign(w, mask, seen);
    } else {
      Knowledge pending;
      pending.pending.push_back(seen);
      learning(w, mask).join(pending);
      if (counts)
        s.counted[me].join(pending);
    }
  }
  ActorEvent event{me, s.clock[me], w.epoch, laneNone};
  w.touched |= mask;
  std::vector<Observer> &observers = far ? far->observers : l.observers;
  if (isAll(w, mask))
    return observe(observers, {{s.cluster, event}, order.scope});
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    event.lane = __builtin_ctz(rest);
    observe(observers, {{s.cluster, event}, order.scope});
  }
}

/// Whether a fence lets relaxed stores of lanes `mask` carry anything.
static bool hasFenced(const Warp &w, uint32_t mask) {
  auto has = [](const Rows &rows) {
    return !rows[Released].empty() || !rows[Released + ScopeCluster].empty() ||
           !rows[Released + ScopeDevice].empty();
  };
  return has(w.races->of(w).rows) ||
         llvm::any_of(w.races->lanesOf(w), [&](const LaneKnowledge &part) {
           return (part.mask & mask) && has(part.knowledge.rows);
         });
}

void napkin::executor::strongWrite(Warp &w, unsigned lane, const Block *owner,
                                   uint64_t address, const Order &order) {
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  BlockOrder &blocks = w.machine->blockOrder;
  const int64_t number = owner ? -1 : blocks.locationOf(address);
  BlockOrder::Location *far = owner ? nullptr : &blocks.at(number);
  if (far && !order.reads) {
    far->chain = far->releases.size();
    ++far->chains;
  }
  StrongLocation &l =
      locationOf(s, owner ? strongKey(*owner, address) : address, far);
  if (!order.reads) {
    l.blocks.clear();
    l.cluster.clear();
  }
  (far ? far->observers : l.observers).clear();
  Knowledge all;
  auto payload = [&](Scope distance) -> bool {
    if (order.scope < distance)
      return false;
    if (!order.release)
      all.rows[Known] = fencedFor(w, lane, distance);
    return !all.rows[Known].empty();
  };
  // Without a release or a fence it carries nothing.
  if (order.release || hasFenced(w, 1u << lane)) {
    addKnowledge(w, 1u << lane, all);
    if (payload(ScopeBlock))
      l.blocks[w.block->rank].join(all);
    if (w.block->clusterSize > 1 && payload(ScopeCluster))
      l.cluster.join(all);
    if (far && payload(ScopeDevice))
      blocks.release(number,
                     {s.cluster, me, all.rows[Known], all.rows[ProxyGlobal]});
  }
  if (order.release)
    advance(w, 1u << lane);
}

void napkin::executor::barrierArrived(Warp &w, BarrierState &state) {
  if (!w.races)
    return;
  synchronizeLanes(w, allLanes);
  Knowledge &counted = w.races->counted[clusterWarp(w)];
  acquireObserved(w, allLanes, counted, ScopeDevice);
  forgetObserved(counted, ScopeDevice);
  release(w, state.sync, allLanes);
}

void napkin::executor::barrierOpened(Block &block, BarrierState &state) {
  if (!block.raceState)
    return;
  RaceState &s = *block.raceState;
  uint32_t latest = 0, epoch = 0;
  auto eachWaiting = [&](auto &&visit) {
    for (uint32_t x = 0; x < block.numWarps; ++x)
      if ((state.waiting >> x) & 1)
        visit(block.warps[x]);
  };
  eachWaiting([&](Warp &w) {
    latest = std::max(latest, s.clock[clusterWarp(w)]);
    epoch = std::max(epoch, w.epoch);
  });
  eachWaiting([&](Warp &w) {
    acquire(w, state.sync);
    // Equal clocks and epochs let the readers of a cell share one number.
    s.clock[clusterWarp(w)] = latest;
    w.fullClock = latest - 1;
    w.epoch = w.fullEpoch = epoch;
  });
}

void napkin::executor::startRaces(BlockStorage &storage) {
  Block &b = storage.block;
  b.raceState = nullptr;
  b.raceCells = nullptr;
  if (!b.races)
    return;
  storage.cells.assign((b.sharedBytes >> 4) + 2, RaceCell());
  b.raceCells = storage.cells.data();
}

void napkin::executor::startClocks(RaceState &s, uint32_t cluster,
                                   llvm::ArrayRef<Block *> blocks) {
  s = RaceState();
  s.cluster = cluster;
  s.warpsPerBlock = blocks[0]->numWarps;
  s.warps = blocks.size() * s.warpsPerBlock;
  s.clock.assign(s.warps, 1);
  s.warp.resize(s.warps);
  s.counted.resize(s.warps);
  s.lanes.resize(s.warps);
  s.remote.resize(blocks.size());
  for (Block *b : blocks) {
    b->raceState = &s;
    for (uint32_t x = 0; x < b->numWarps; ++x) {
      b->warps[x].races = &s;
      b->warps[x].epoch = b->warps[x].fullEpoch = 1;
    }
  }
}
