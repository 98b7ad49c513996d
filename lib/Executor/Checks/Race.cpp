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

/// What the warp knows, its own clock included; then the clock advances.
static Knowledge &advance(Warp &w) {
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  s.warp[me].rows.known.set(me, s.clock[me]++);
  return s.warp[me];
}

void napkin::executor::release(Warp &w, SyncClock &sync) {
  if (w.races)
    sync.join(advance(w));
}

void napkin::executor::releaseFenced(Warp &w, SyncClock &sync) {
  if (!w.races)
    return;
  Knowledge part = w.races->of(w);
  part.rows.known = part.rows.released[ScopeCluster];
  sync.join(part);
}

static void raiseLanes(Warp &w, uint32_t clock, uint32_t mask) {
  for (uint32_t rest = clock ? mask : 0; rest; rest &= rest - 1) {
    uint32_t &lane = w.laneClock[__builtin_ctz(rest)];
    lane = std::max(lane, clock);
  }
}

void napkin::executor::acquire(Warp &w, const SyncClock &sync, uint32_t mask) {
  if (!w.races || (sync.rows.known.empty() && sync.rows.initialized.empty()))
    return;
  w.races->of(w).join(sync);
  raiseLanes(w, sync.rows.known[clusterWarp(w)], mask);
}

void napkin::executor::synchronizeLanes(Warp &w, uint32_t mask) {
  ++w.epoch;
  if (!(w.alive & ~mask)) {
    w.fullEpoch = w.epoch;
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

bool napkin::executor::laneKnows(const Warp &w, unsigned lane, unsigned other,
                                 uint32_t epoch, uint32_t clock) {
  if (epoch < w.fullEpoch || lane == other || lane >= lanes ||
      clock <= w.laneClock[lane])
    return true;
  if (!w.laneEpochs)
    return false;
  const uint32_t *known = w.laneEpochs + lane * lanes;
  return other < lanes ? epoch < known[other]
                       : epoch < *std::max_element(known, known + lanes);
}

void napkin::executor::fenceProxy(Warp &w, bool shared, bool global) {
  if (!w.races)
    return;
  // What follows is not fenced: the clock advances.
  Rows &rows = advance(w).rows;
  if (shared)
    rows.proxyShared.join(rows.known);
  if (global)
    rows.proxyGlobal.join(rows.known);
}

void napkin::executor::fenceInitializations(Warp &w) {
  if (!w.races)
    return;
  Rows &rows = advance(w).rows;
  rows.initialized.join(rows.known);
}

/// Makes known what relaxed reads have `seen` at distances up to `scope`.
static void acquireObserved(Warp &w, Knowledge &seen, Scope scope) {
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  for (unsigned distance = 0; distance <= std::min(scope, ScopeCluster);
       ++distance) {
    raiseLanes(w, seen.observed[distance].known[me], allLanes);
    s.warp[me].rows.join(seen.observed[distance]);
    seen.observed[distance] = Rows();
  }
  if (scope != ScopeDevice)
    return;
  for (const ForeignReleases &releases : seen.pending)
    w.machine->blockOrder.acquire(s.cluster, me, s.clock[me], releases);
  seen.pending.clear();
}

void napkin::executor::fenceMemory(Warp &w, bool acquires, bool releases,
                                   Scope scope) {
  if (!w.races)
    return;
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  Knowledge &mine = s.warp[me];
  if (acquires)
    acquireObserved(w, mine, scope);
  if (!releases)
    return;
  advance(w);
  for (unsigned distance = 0; distance <= scope; ++distance)
    mine.rows.released[distance].join(mine.rows.known);
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
        o.scope >= next.scope)
      return;
  if (observers.size() < 64)
    observers.push_back(next);
}

void napkin::executor::strongRead(Warp &w, uint32_t lane, const Block *owner,
                                  uint64_t address, const Order &order) {
  RaceState &s = *w.races;
  uint32_t me = clusterWarp(w);
  Knowledge &mine = s.warp[me];
  BlockOrder &blocks = w.machine->blockOrder;
  const int64_t number = owner ? -1 : blocks.locationOf(address);
  BlockOrder::Location *far = owner ? nullptr : &blocks.at(number);
  StrongLocation &l =
      locationOf(s, owner ? strongKey(*owner, address) : address, far);
  // An atomic that counts blocks: see the head of the file.
  const bool counts = order.reads && order.writes && !order.acquire;
  auto learn = [&](const Knowledge &from, Scope distance) {
    if (from.rows.known.empty() || order.scope < distance)
      return;
    if (order.acquire)
      acquire(w, from, 1u << lane);
    else
      mine.observed[distance].join(from.rows);
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
      blocks.acquire(s.cluster, me, s.clock[me], seen);
    } else {
      Knowledge pending;
      pending.pending.push_back(seen);
      mine.join(pending);
      if (counts)
        s.counted[me].join(pending);
    }
  }
  observe(far ? far->observers : l.observers,
          {{s.cluster, me, s.clock[me]}, order.scope});
}

void napkin::executor::strongWrite(Warp &w, const Block *owner,
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
  const Knowledge &mine = order.release ? advance(w) : s.warp[me];
  auto payload = [&](Scope distance) -> const ClockVector & {
    return order.release ? mine.rows.known : mine.rows.released[distance];
  };
  auto carry = [&](Knowledge &to, Scope distance) {
    if (order.scope < distance || payload(distance).empty())
      return;
    if (order.release)
      return to.join(mine);
    Knowledge part = mine;
    part.rows.known = mine.rows.released[distance];
    to.join(part);
  };
  carry(l.blocks[w.block->rank], ScopeBlock);
  if (w.block->clusterSize > 1)
    carry(l.cluster, ScopeCluster);
  if (far && order.scope == ScopeDevice && !payload(ScopeDevice).empty())
    blocks.release(
        number, {s.cluster, me, payload(ScopeDevice), mine.rows.proxyGlobal});
}

void napkin::executor::barrierArrived(Warp &w, BarrierState &state) {
  if (!w.races)
    return;
  synchronizeLanes(w, allLanes);
  acquireObserved(w, w.races->counted[clusterWarp(w)], ScopeDevice);
  release(w, state.sync);
}

void napkin::executor::barrierOpened(Block &block, BarrierState &state) {
  if (!block.raceState)
    return;
  RaceState &s = *block.raceState;
  uint32_t latest = 0;
  auto eachWaiting = [&](auto &&visit) {
    for (uint32_t x = 0; x < block.numWarps; ++x)
      if ((state.waiting >> x) & 1)
        visit(block.warps[x]);
  };
  eachWaiting(
      [&](Warp &w) { latest = std::max(latest, s.clock[clusterWarp(w)]); });
  eachWaiting([&](Warp &w) {
    acquire(w, state.sync, 0);
    // Equal clocks let the readers of a cell share one number.
    s.clock[clusterWarp(w)] = latest;
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
  s.remote.resize(blocks.size());
  for (Block *b : blocks) {
    b->raceState = &s;
    for (uint32_t x = 0; x < b->numWarps; ++x) {
      b->warps[x].races = &s;
      b->warps[x].epoch = b->warps[x].fullEpoch = 1;
    }
  }
}
