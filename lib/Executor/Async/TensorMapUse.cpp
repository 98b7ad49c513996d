//===- TensorMapUse.cpp - Tensor maps made on the device -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// tensormap.replace and tensormap.cp_fenceproxy write maps by the generic
// proxy, copies read them by a proxy of their own. Between the two stand, by
// the manual, a release by who wrote (fence.proxy.tensormap, or cp_fenceproxy's
// own), whatever orders the threads, and an acquire of this map by who uses it.
// Maps that the host made need nothing.
//
//===----------------------------------------------------------------------===//

#include "Async/TensorMap.h"
#include "Checks/RaceCell.h"
#include "Machine/Handlers.h"
#include "Machine/Registers.h"

#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLExtras.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

static constexpr unsigned mapBytes = 128;

static uint64_t valueOf(Warp &w, uint32_t reference, unsigned width,
                        unsigned l) {
  return width == 8 ? lane<uint64_t>(w, reference)[l]
                    : lane<uint32_t>(w, reference)[l];
}

/// Calls `visit` with each device-side write of the map at `address`, as far as
/// they are watched.
static void eachWrite(Warp &w, uint64_t address,
                      llvm::function_ref<void(const AccessEntry &)> visit) {
  GlobalRaces &table = *w.globalRaces;
  for (uint64_t unit = address >> 4; unit < (address + mapBytes) >> 4; ++unit) {
    const std::optional<RaceCell> cell = table.find(unit);
    if (!cell)
      continue;
    if (cell->write.mask)
      visit(cell->write);
    if (const CellOverflow *more = table.pool.of(*cell))
      for (const AccessEntry &e : more->writes)
        visit(e);
  }
}

/// The writes that made the map what it is; 0: none on the device.
static uint64_t versionOf(Warp &w, uint64_t address) {
  uint64_t version = 0;
  eachWrite(w, address, [&](const AccessEntry &e) {
    version = llvm::hash_combine(version, e.cluster, e.actor, e.clock, e.epoch,
                                 e.source, 1);
  });
  return version;
}

/// Whether `lane` is ordered after the write; `row` of its own cluster's.
static bool isAfter(Warp &w, unsigned lane, const AccessEntry &e, Row row) {
  // The whole map is written at once: its first bytes stand for it.
  const ActorEvent event{e.actor, e.clock, e.epoch,
                         e.lane[__builtin_ctz(e.mask) / 2]};
  if (e.cluster != w.races->cluster)
    return row != Known || knowsOfCluster(w, lane, {e.cluster, event});
  if (row == Known && e.actor == clusterWarp(w))
    return laneKnows(w, lane, event);
  return knows(w, lane, event, row);
}

bool napkin::executor::useTensorMap(Warp &w, const Instr &i, unsigned l,
                                    uint64_t address, const Place &place) {
  if (!w.races || !w.globalRaces || place.space != 0)
    return true;
  racePlace(w, i, l, address, mapBytes, place, Access::Read);
  if (w.event & EventTrap)
    return false;
  const uint64_t version = versionOf(w, address);
  if (!version)
    return true;
  bool isReleased = true;
  uint32_t source = 0;
  eachWrite(w, address, [&](const AccessEntry &e) {
    source = e.source;
    isReleased &= isAfter(w, l, e, ReleasedMaps);
  });
  auto fails = [&](const char *what) {
    w.machine->trap(
        w, i, l, Trap::Kind::ProxyFence,
        fmt::format("the tensor map at {} was written on the device "
                    "and is used without {}",
                    describePlace(w, nullptr, address), what),
        address, source);
    return false;
  };
  const bool isAcquired =
      llvm::any_of(w.races->mapFences[address], [&](const MapFence &fence) {
        return fence.version == version && (fence.event.actor == clusterWarp(w)
                                                ? laneKnows(w, l, fence.event)
                                                : knows(w, l, fence.event));
      });
  if (!isAcquired)
    return fails("fence.proxy.tensormap::generic.acquire of it between");
  if (!isReleased)
    return fails("fence.proxy.tensormap::generic.release after the write");
  return true;
}

#define HANDLER(name)                                                          \
  void napkin::executor::name(Warp &w, const Instr &i, uint32_t mask)

// a + offset: the map, small0: its width; c: field, e: its index; b: value,
// small1: its width; d: space.
HANDLER(tensormapReplace) {
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t address = valueOf(w, i.a, i.small0, l) + i.offset;
    Place place =
        translate(w, i, l, address, mapBytes, AddressSpace(i.d), Access::Write);
    if (!place.host)
      return;
    // The manual: a weak access of the whole object.
    racePlace(w, i, l, address, mapBytes, place, Access::Write);
    if (w.event & EventTrap)
      return;
    uint64_t value = valueOf(w, i.b, i.small1, l);
    if (!replaceField(place.host, TensorMapField(i.c), i.e, value))
      return w.machine->trap(
          w, i, l, Trap::Kind::Illegal,
          fmt::format("{} is no legal value of this field", value), address);
    // A map built from nothing is one from its first field on.
    std::memcpy(place.host + 120, "napkinTM", 8);
    setWritten(place.marks, mapBytes);
  }
}

// a + offset: target, small0: its width; b + extra: source, small1: its width;
// c: scope.
HANDLER(tensormapCopy) {
  unsigned l = __builtin_ctz(mask);
  uint64_t to = valueOf(w, i.a, i.small0, l) + i.offset;
  uint64_t from =
      valueOf(w, i.b, i.small1, l) + *static_cast<const int64_t *>(i.extra);
  Place target = translate(w, i, l, to, mapBytes, SpaceGeneric, Access::Write);
  Place source =
      target.host ? translate(w, i, l, from, mapBytes,
                              (from & windowMask) == sharedWindow ? SpaceGeneric
                                                                  : SpaceShared,
                              Access::Read)
                  : target;
  if (!source.host)
    return;
  raceWhole(w, i, source, from, mapBytes, Access::Read);
  raceWhole(w, i, target, to, mapBytes, Access::Write);
  if (w.event & EventTrap)
    return;
  std::memcpy(target.host, source.host, mapBytes);
  setWritten(target.marks, mapBytes);
  releaseTensorMaps(w, mask, Scope(i.c));
}

// small1: 1 acquires, 2 releases, and the scope in bits 2 and 3; of an acquire
// a + offset: the map, small0: its width.
HANDLER(tensormapFence) {
  const Scope scope = Scope(i.small1 >> 2);
  if (i.small1 & 2)
    releaseTensorMaps(w, mask, scope);
  if (!(i.small1 & 1) || !w.races || !w.globalRaces)
    return;
  fenceMemory(w, mask, true, false, scope);
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    const uint64_t address = valueOf(w, i.a, i.small0, l) + i.offset;
    bool isOrdered = true;
    eachWrite(w, address, [&](const AccessEntry &e) {
      isOrdered &= isAfter(w, l, e, Known);
    });
    // A fence before the write it is meant for does nothing.
    if (!isOrdered)
      continue;
    const uint32_t me = clusterWarp(w);
    w.touched |= 1u << l;
    std::vector<MapFence> &fences = w.races->mapFences[address];
    const MapFence fence{versionOf(w, address),
                         {me, w.races->clock[me], w.epoch, uint8_t(l)}};
    llvm::erase_if(fences, [&](const MapFence &old) {
      return old.version != fence.version ||
             (old.event.actor == me && old.event.lane == l);
    });
    fences.push_back(fence);
  }
}
