//===- BlockOrder.cpp - Happens-before between clusters --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See BlockOrder.h and Clocks.h.
//
//===----------------------------------------------------------------------===//

#include "Checks/BlockOrder.h"

#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/SmallVector.h"

#include <algorithm>

using namespace napkin::executor;

void ClockVector::set(size_t actor, uint32_t clock) {
  if (actor >= numbers.size())
    numbers.resize(actor + 1);
  numbers[actor] = clock;
}

void ClockVector::join(const ClockVector &other) {
  if (numbers.size() < other.numbers.size())
    numbers.resize(other.numbers.size());
  for (size_t actor = 0; actor < other.numbers.size(); ++actor)
    numbers[actor] = std::max(numbers[actor], other.numbers[actor]);
}

bool Extent::coversLane(const ActorEvent &event) const {
  if (event.epoch < epochs[epochOf(event.actor, 32)])
    return true;
  auto covers = [&](unsigned lane) {
    return event.epoch < epochs[epochOf(event.actor, lane)];
  };
  if (event.lane < 32)
    return covers(event.lane);
  unsigned count = 0;
  for (unsigned lane = 0; lane < 32; ++lane)
    count += covers(lane);
  // Which two lanes it was is not kept.
  return count >= (event.lane == laneOfAll  ? 32u
                   : event.lane == laneNone ? 1u
                                            : 2u);
}

void Rows::join(const Rows &other) {
  for (unsigned row = 0; row <= Released + ScopeDevice; ++row)
    if (!other.at[row].empty())
      at[row].join(other.at[row]);
}

void Knowledge::join(const Knowledge &other) {
  rows.join(other.rows);
  for (unsigned scope = 0; scope < 2; ++scope)
    if (!other.observed[scope][Known].empty())
      observed[scope].join(other.observed[scope]);
  for (const ForeignReleases &theirs : other.pending) {
    auto same = llvm::find_if(pending, [&](const ForeignReleases &mine) {
      return mine.location == theirs.location;
    });
    if (same == pending.end())
      pending.push_back(theirs);
    else if (same->end < theirs.end)
      *same = theirs;
  }
}

uint32_t BlockOrder::locationOf(uint64_t address) {
  auto [found, isNew] = numbers.try_emplace(address, locations.size());
  if (isNew)
    locations.emplace_back();
  return found->second;
}

int64_t BlockOrder::find(uint64_t address) const {
  auto found = numbers.find(address);
  return found == numbers.end() ? -1 : int64_t(found->second);
}

void BlockOrder::release(uint32_t location, Release release) {
  Location &at = locations[location];
  auto &list = at.releases;
  // Of releases that nobody has acquired the last one of a warp says it all.
  if (list.size() > std::max(at.acquired, at.chain) &&
      list.back().cluster == release.cluster &&
      list.back().warp == release.warp) {
    // Another lane may have released it.
    list.back().known.join(release.known);
    list.back().proxy.join(release.proxy);
  } else {
    list.push_back(std::move(release));
  }
}

void BlockOrder::acquire(const Moment &moment, ForeignReleases releases) {
  if (moment.cluster >= acquisitions.size())
    acquisitions.resize(moment.cluster + 1);
  auto &mine = acquisitions[moment.cluster];
  // A loop that polls acquires the same again and again.
  for (size_t k = mine.size(); k && mine.size() - k < 4; --k) {
    const Acquisition &last = mine[k - 1];
    if (last.event.actor == moment.actor && last.event.lane == moment.lane &&
        last.releases.location == releases.location &&
        last.releases.end == releases.end)
      return;
  }
  Location &at = locations[releases.location];
  at.acquired = std::max(at.acquired, releases.end);
  mine.push_back({releases, moment});
}

namespace {

/// A cluster as one of its warps sees it.
struct View {
  uint32_t cluster;
  const Extent *known, *proxy;
  /// A fence of the proxy is still to be found on the way back.
  bool needsFence;
};

} // namespace

bool BlockOrder::isKnown(const Asker &asker, const Moment &moment,
                         bool fenced) const {
  if (asker.cluster >= acquisitions.size() ||
      acquisitions[asker.cluster].empty())
    return false;
  const std::pair<uint64_t, uint64_t> key{
      uint64_t(asker.cluster) << 32 | asker.warp << 9 | asker.lane << 1 |
          (fenced ? 1 : 0),
      uint64_t(moment.cluster) << 32 | moment.actor};
  auto answer = answers.find(key);
  if (answer != answers.end() && answer->second >= moment.clock)
    return true;
  llvm::DenseSet<uint64_t> seen;
  llvm::SmallVector<View, 32> open{
      {asker.cluster, &asker.known, &asker.proxy, fenced}};
  bool isFirst = true;
  while (!open.empty()) {
    View now = open.pop_back_val();
    // Only the asker sees what its own warp did without releasing it.
    const bool isOwn = isFirst;
    isFirst = false;
    if (now.cluster >= acquisitions.size())
      continue;
    for (const Acquisition &a : acquisitions[now.cluster]) {
      if (!(isOwn && a.event.actor == asker.warp ? asker.knowsOwn(a.event)
                                                 : now.known->covers(a.event)))
        continue;
      bool needsFence = now.needsFence && !now.proxy->covers(a.event);
      for (uint32_t k = a.releases.begin; k < a.releases.end; ++k) {
        if (!seen.insert(uint64_t(a.releases.location) << 32 | k << 1 |
                         needsFence)
                 .second)
          continue;
        const Release &r = locations[a.releases.location].releases[k];
        const Extent &row = needsFence ? r.proxy : r.known;
        if (r.cluster == moment.cluster && r.known.covers(moment) &&
            row.covers(moment)) {
          if (r.known.clocks[moment.actor] >= moment.clock &&
              row.clocks[moment.actor] >= moment.clock) {
            uint32_t &best = answers[key];
            best = std::max(best, moment.clock);
          }
          return true;
        }
        // The releasing warp knows of its acquisitions what its clocks say.
        open.push_back({r.cluster, &r.known, &r.proxy, needsFence});
      }
    }
  }
  return false;
}
