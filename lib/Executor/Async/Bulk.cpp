//===- Bulk.cpp - cp.async.bulk and tensor copies --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A bulk copy is cut into rows at issue; rows move when the copy completes. A
// load signals its mbarrier with the bytes of the whole box, parts outside the
// tensor included.
//
//===----------------------------------------------------------------------===//

#include "Async/Bulk.h"
#include "Async/TensorMap.h"
#include "Decode/Decoder.h"
#include "Machine/Handlers.h"
#include "Machine/Launch.h"
#include "Machine/Registers.h"
#include "Numerics/Formats.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
using Type = napkin::ptx::Type;

static uint64_t valueOf(Warp &w, const BulkOperand &o, unsigned l) {
  if (o.width == 8)
    return lane<uint64_t>(w, o.reference)[l] + o.offset;
  return uint32_t(lane<uint32_t>(w, o.reference)[l] + uint32_t(o.offset));
}

static void misuse(Warp &w, const Instr &i, unsigned l, const std::string &what,
                   uint64_t address = 0,
                   Trap::Kind kind = Trap::Kind::Illegal) {
  w.machine->trap(w, i, l, kind, what, address);
}

/// Sectors of a contiguous range; they go to the L2 model too.
static uint64_t sectorsOf(Warp &w, const Instr &i, uint64_t address,
                          uint64_t bytes, bool store) {
  if (!bytes)
    return 0;
  uint64_t first = address >> 5, last = (address + bytes - 1) >> 5;
  if (w.machine->options.cacheModel)
    for (uint64_t sector = first; sector <= last; ++sector)
      w.machine->cacheAccess(w, i, &sector, 1,
                             store ? Access::Write : Access::Read);
  return last - first + 1;
}

namespace {

/// The actors of one copy. A load belongs to the mbarrier that it signals, each
/// target to its own; the two sides of a store are done at different times.
struct Actors {
  AsyncAccess from;
  llvm::SmallVector<AsyncAccess, 4> to;
};

/// Builds the rows of one copy.
struct Builder {
  Warp &w;
  const Instr &i;
  unsigned l;
  BulkCopy &copy;
  bool store;
  const Actors &actors;

  /// `bytes` between global `address` and shared `offset` of `owner`; address 0
  /// with `outside`: fill.
  bool row(uint64_t address, Block &owner, uint32_t offset, uint32_t bytes,
           bool outside, bool countIt) {
    char *sharedHost = owner.shared + offset;
    uint8_t *sharedShadow = owner.sharedShadow + offset;
    if (outside) {
      if (!store)
        copy.rows.push_back({nullptr, sharedHost, {sharedShadow}, bytes});
      return true;
    }
    const RegionView *r = w.regions[i.source];
    if (!r || address < r->begin || address + bytes > r->end) {
      r = findRegion(w, address);
      if (!r || address + bytes > r->end) {
        misuse(
            w, i, l,
            fmt::format(
                "the copy touches {} bytes at {:#x}, outside every allocation",
                bytes, address),
            address, Trap::Kind::OutOfBounds);
        return false;
      }
      w.regions[i.source] = r;
    }
    char *globalHost = r->data + (address - r->begin);
    const Marks marks{nullptr, r->written, address - r->begin};
    InstructionCounters &count = w.counters[i.source];
    if (countIt) {
      w.comparesValues = store && copy.reduction == 255;
      raceAsyncGlobal(w, i, store ? actors.to[0] : actors.from, address, bytes,
                      store ? Access::Write : Access::Read);
      w.comparesValues = false;
      if (w.overlap)
        raceRepeated(w, i, actors.to[0], address, bytes, sharedHost,
                     globalHost);
      if (w.event & EventTrap)
        return false;
    }
    if (store) {
      count.globalWriteBytes += bytes;
      copy.rows.push_back({sharedHost, globalHost, marks, bytes});
      if (r->readOnly) {
        misuse(w, i, l, "the copy writes to constant memory", address,
               Trap::Kind::ReadOnly);
        return false;
      }
    } else {
      if (countIt)
        count.globalReadBytes += bytes;
      if (w.block->checks && !allWritten(marks, bytes)) {
        trapMarks(w, i, l, address, bytes, marks, Access::Read, 0);
        return false;
      }
      copy.rows.push_back({globalHost, sharedHost, {sharedShadow}, bytes});
    }
    return true;
  }
};

} // namespace

/// Checks the shared side and marks it; false after a trap.
static bool prepareShared(Warp &w, const Instr &i, unsigned l,
                          const AsyncAccess &async, Block &owner,
                          uint32_t offset, uint32_t bytes, bool isSource,
                          unsigned alignment) {
  if (offset % alignment) {
    misuse(w, i, l,
           fmt::format("the shared address {:#x} is not a multiple of {}",
                       offset, alignment),
           offset, Trap::Kind::Misaligned);
    return false;
  }
  if (offset + uint64_t(bytes) > owner.sharedBytes) {
    misuse(w, i, l,
           fmt::format("{} bytes at shared address {:#x} leave the {} bytes of "
                       "shared memory",
                       bytes, offset, owner.sharedBytes),
           offset, Trap::Kind::OutOfBounds);
    return false;
  }
  uint8_t *shadow = owner.sharedShadow + offset;
  if (w.block->checks)
    for (uint32_t b = 0; b < bytes; ++b)
      if (isSource ? shadow[b] != shadowWritten
                   : shadow[b] != shadowFresh && shadow[b] != shadowWritten) {
        trapMarks(w, i, l, offset + b, 1, {shadow + b},
                  isSource ? Access::Read : Access::Write, 1);
        return false;
      }
  raceAsync(w, i, async, owner, offset, bytes,
            isSource ? Access::Read : Access::Write);
  if (w.event & EventTrap)
    return false;
  InstructionCounters &count = w.counters[i.source];
  const bool between = static_cast<const BulkForm *>(i.extra)->betweenShared;
  if (&owner != w.block && between) {
    (isSource ? count.remoteReadBytes : count.remoteWriteBytes) += bytes;
  } else {
    (isSource ? count.sharedReadBytes : count.sharedWriteBytes) += bytes;
    count.sharedWavefronts += (bytes + 127) / 128;
    count.multicastBytes += &owner != w.block ? bytes : 0;
  }
  if (!isSource)
    std::memset(shadow, shadowIncoming, bytes);
  return true;
}

static void start(Warp &w, BulkCopy &&copy) {
  ClusterState &cluster = *w.block->clusterState;
  ++cluster.progress;
  copy.id = cluster.nextCopy++;
  cluster.copies.push_back(std::move(copy));
  const Options &options = w.machine->options;
  bool now = options.completion == Completion::Earliest;
  if (options.completion == Completion::Random) {
    w.random = w.random * 6364136223846793005ull + 1442695040888963407ull;
    now = w.random >> 63;
  }
  BulkCopy &last = cluster.copies.back();
  if (!now)
    return;
  if (last.isStore) {
    // The data moves now; the source stays in use until the wait.
    performCopy(last);
    last.rows.clear();
  } else {
    finishCopy(cluster, cluster.copies.size() - 1);
  }
}

void napkin::executor::performCopy(BulkCopy &copy) {
  unsigned size = copy.reduction == 255                               ? 0
                  : copy.type == Type::F16 || copy.type == Type::BF16 ? 2
                  : copy.type == Type::U64 || copy.type == Type::S64 ||
                          copy.type == Type::F64 || copy.type == Type::B64
                      ? 8
                      : 4;
  for (const BulkCopy::Row &row : copy.rows) {
    if (!row.from) {
      std::memset(row.to, copy.group == ~0u ? 0xff : 0, row.bytes);
    } else if (!size) {
      std::memcpy(row.to, row.from, row.bytes);
    } else {
      for (uint32_t b = 0; b + size <= row.bytes; b += size) {
        uint64_t old = 0, value = 0;
        std::memcpy(&old, row.to + b, size);
        std::memcpy(&value, row.from + b, size);
        uint64_t next =
            atomicApply(AtomicOp(copy.reduction), copy.type, old, value, 0);
        std::memcpy(row.to + b, &next, size);
      }
    }
    if (copy.isStore)
      setWritten(row.marks, row.bytes);
  }
}

const char *napkin::executor::finalByte(const ClusterState &cluster,
                                        const char *host) {
  for (const BulkCopy &copy : llvm::reverse(cluster.copies))
    for (const BulkCopy::Row &row : copy.rows)
      if (copy.isStore && host >= row.to && host < row.to + row.bytes)
        return copy.reduction == 255 ? row.from + (host - row.to) : nullptr;
  return host;
}

void napkin::executor::finishCopy(ClusterState &cluster, size_t index) {
  BulkCopy copy = std::move(cluster.copies[index]);
  cluster.copies.erase(cluster.copies.begin() + index);
  performCopy(copy);
  Warp &w = copy.block->warps[copy.warp];
  Instr dummy;
  dummy.source = copy.source;
  for (const BulkCopy::Signal &signal : copy.signals) {
    auto found = signal.block->async->mbarriers.find(signal.mbarrier);
    if (found != signal.block->async->mbarriers.end())
      found->second.arrived.push_back({signal.target, signal.targetBytes});
    if (!transactMbarrier(&w, &dummy, copy.lane, *signal.block, signal.mbarrier,
                          -int64_t(signal.bytes)))
      return;
  }
  ++cluster.progress;
}

/// mbarrier and multicast of a load whose box lands at `offset` of each target.
static bool addSignals(Warp &w, const Instr &i, unsigned l, const BulkForm &f,
                       BulkCopy &copy, Block &owner, uint32_t offset,
                       uint32_t bytes, llvm::SmallVectorImpl<Block *> &targets,
                       Actors &actors) {
  uint32_t mbarrier;
  Block *signalled = sharedOwner(w, i, l, valueOf(w, f.mbarrier, l), mbarrier);
  if (!signalled)
    return false;
  uint32_t members = 1u << owner.rank;
  if (f.multicast.reference != noRegister)
    members = uint32_t(valueOf(w, f.multicast, l)) & 0xffff;
  for (uint32_t rank = 0; rank < 16; ++rank) {
    if (!((members >> rank) & 1))
      continue;
    if (rank >= w.block->clusterSize || w.block->cluster[rank]->done) {
      misuse(w, i, l,
             fmt::format("the multicast names block {}, which is not there",
                         rank));
      return false;
    }
    Block *target = w.block->cluster[rank];
    Block *whom = f.multicast.reference != noRegister ? target : signalled;
    auto found = whom->async->mbarriers.find(mbarrier);
    if (found == whom->async->mbarriers.end()) {
      misuse(w, i, l,
             fmt::format("there is no initialised mbarrier at {:#x}", mbarrier),
             mbarrier, Trap::Kind::MbarrierMisuse);
      return false;
    }
    if (!raceMbarrier(w, i, l, *whom, mbarrier, true))
      return false;
    actors.to.push_back(signalAccess(w, *whom, found->second, mbarrier, l));
    raceSignal(w, i, actors.to.back(), *whom, mbarrier);
    actors.from = actors.to[0];
    targets.push_back(target);
    copy.signals.push_back({whom, mbarrier, bytes, offset, bytes});
  }
  return true;
}

/// The group and the actors of a store; it reads shared and writes global
/// memory.
static void beginStore(Warp &w, unsigned l, BulkCopy &copy, Actors &actors) {
  copy.group = w.async->bulkGroups[l];
  AsyncAccess from, to;
  from.lane = to.lane = l;
  to.reduction = copy.reduction != 255;
  if (w.races) {
    uint64_t thread = clusterWarp(w) * lanes + l;
    from.actor = actorOf(*w.races, ActorStoreReads, thread);
    to.actor = actorOf(*w.races, ActorStoreWrites, thread);
    from.clock = to.clock = advanceActor(w, from.actor);
    w.async->stores.push_back(
        {l, copy.group, from.actor, to.actor, from.clock});
  }
  actors.from = from;
  actors.to.push_back(to);
}

static BulkCopy copyOf(Warp &w, const Instr &i, unsigned l, const BulkForm &f) {
  BulkCopy copy;
  copy.block = w.block;
  copy.warp = w.index;
  copy.lane = l;
  copy.source = i.source;
  copy.isStore = f.store;
  copy.reduction = f.reduction;
  copy.type = f.type;
  return copy;
}

/// Who makes the copy, who is told of its end, and whose shared memory it goes
/// to or comes from. False after a trap.
static bool begin(Warp &w, const Instr &i, unsigned l, const BulkForm &f,
                  BulkCopy &copy, Block &owner, uint32_t offset, uint32_t bytes,
                  llvm::SmallVectorImpl<Block *> &targets, Actors &actors) {
  if (!f.store)
    return addSignals(w, i, l, f, copy, owner, offset, bytes, targets, actors);
  beginStore(w, l, copy, actors);
  targets.push_back(&owner);
  return true;
}

/// Checks and marks the shared side of each target; false after a trap.
static bool prepareTargets(Warp &w, const Instr &i, unsigned l,
                           const BulkForm &f, const Actors &actors,
                           llvm::ArrayRef<Block *> targets, uint32_t offset,
                           uint32_t bytes, unsigned alignment) {
  for (auto [t, target] : llvm::enumerate(targets))
    if (!prepareShared(w, i, l, f.store ? actors.from : actors.to[t], *target,
                       offset, bytes, f.store, alignment))
      return false;
  return true;
}

/// The first of all lanes of `mask` that store the same bytes to the same
/// place. Whole warps issue stores that one thread could issue (CUTLASS'
/// epilogues): copies without effect on the result, which the hardware does
/// once, as its instruction takes the warp's uniform registers.
static uint32_t distinctStores(Warp &w, const BulkForm &f, uint32_t mask) {
  if (!f.store || f.reduction != 255)
    return mask;
  auto isSame = [&](unsigned a, unsigned b) {
    auto same = [&](const BulkOperand &operand) {
      return valueOf(w, operand, a) == valueOf(w, operand, b);
    };
    bool all = same(f.global) && same(f.shared);
    if (!f.rank)
      return all && same(f.size);
    for (unsigned d = 0; d < f.rank; ++d)
      all &= lane<int32_t>(w, f.coordinates[d])[a] ==
             lane<int32_t>(w, f.coordinates[d])[b];
    return all;
  };
  uint32_t kept = 0;
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    bool isNew = true;
    for (uint32_t x = kept; x; x &= x - 1)
      isNew &= !isSame(__builtin_ctz(x), l);
    kept |= uint32_t(isNew) << l;
  }
  return kept;
}

void napkin::executor::bulkTensor(Warp &w, const Instr &i, uint32_t mask) {
  const BulkForm &f = *static_cast<const BulkForm *>(i.extra);
  for (uint32_t rest = distinctStores(w, f, mask); rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t mapAddress = valueOf(w, f.global, l);
    if (mapAddress & 63)
      return misuse(
          w, i, l,
          fmt::format("the tensor map at {:#x} is not 64-byte aligned",
                      mapAddress),
          mapAddress, Trap::Kind::Misaligned);
    const InstructionCounters saved = w.counters[i.source];
    Place place =
        translate(w, i, l, mapAddress, 128, SpaceGeneric, Access::Read);
    if (!place.host)
      return;
    w.counters[i.source] = saved;
    if (!useTensorMap(w, i, l, mapAddress, place))
      return;
    TensorMap map = TensorMap::decode(place.host);
    if (!TensorMap::isMap(place.host))
      return misuse(w, i, l,
                    fmt::format("there is no tensor map at {:#x}", mapAddress),
                    mapAddress);
    if (map.rank != f.rank)
      return misuse(w, i, l,
                    fmt::format("the tensor map has {} dimensions, the copy {}",
                                map.rank, f.rank));
    if (std::string why = map.check(); !why.empty())
      return misuse(w, i, l, "the tensor map is not legal: " + why);
    uint32_t offset;
    Block *owner = sharedOwner(w, i, l, valueOf(w, f.shared, l), offset);
    if (!owner)
      return;
    uint32_t count[5], rowBytes = map.box[0] * map.elementBytes,
                       bytes = rowBytes;
    for (unsigned d = 1; d < 5; ++d) {
      count[d] =
          d < map.rank ? (map.box[d] + map.step[d] - 1) / map.step[d] : 1;
      bytes *= count[d];
    }
    BulkCopy copy = copyOf(w, i, l, f);
    static const Type types[] = {Type::U32, Type::U32, Type::U32, Type::S32,
                                 Type::U64, Type::S64, Type::F16, Type::F32,
                                 Type::F32, Type::F64, Type::BF16};
    copy.type = types[map.elementType];
    llvm::SmallVector<Block *, 4> targets;
    Actors actors;
    if (!f.store)
      copy.group = map.nanFill ? ~0u : 0;
    if (!begin(w, i, l, f, copy, *owner, offset, bytes, targets, actors) ||
        !prepareTargets(w, i, l, f, actors, targets, offset, bytes, 128))
      return;
    int64_t at[5] = {};
    for (unsigned d = 0; d < map.rank; ++d)
      at[d] = lane<int32_t>(w, f.coordinates[d])[l];
    Builder builder{w, i, l, copy, f.store, actors};
    InstructionCounters &counters = w.counters[i.source];
    uint32_t rowNumber = 0;
    for (uint32_t e4 = 0; e4 < count[4]; ++e4)
      for (uint32_t e3 = 0; e3 < count[3]; ++e3)
        for (uint32_t e2 = 0; e2 < count[2]; ++e2)
          for (uint32_t e1 = 0; e1 < count[1]; ++e1, ++rowNumber) {
            const uint32_t e[5] = {0, e1, e2, e3, e4};
            uint64_t address = map.address;
            bool outside = false;
            for (unsigned d = 1; d < map.rank; ++d) {
              int64_t c = at[d] + int64_t(e[d]) * map.step[d];
              outside |= c < 0 || c >= int64_t(map.size[d]);
              address += uint64_t(c) * map.stride[d - 1];
            }
            // Elements [first, last) of the row are inside the tensor.
            int64_t first = std::max<int64_t>(0, -at[0]);
            int64_t last =
                std::min<int64_t>(map.box[0], int64_t(map.size[0]) - at[0]);
            if (outside || last <= first)
              first = last = 0;
            uint32_t begin = first * map.elementBytes,
                     end = last * map.elementBytes;
            uint64_t rowAddress = address + at[0] * int64_t(map.elementBytes);
            if (end > begin)
              (f.store ? counters.globalWriteSectors
                       : counters.globalReadSectors) +=
                  sectorsOf(w, i, rowAddress + begin, end - begin, f.store);
            bool countIt = true;
            for (Block *target : targets) {
              for (uint32_t chunk = 0; chunk < rowBytes; chunk += 16) {
                uint32_t to = swizzled(offset + rowNumber * rowBytes + chunk,
                                       map.swizzle);
                uint32_t b = std::max(begin, chunk),
                         x = std::min(end, chunk + 16);
                if (b >= x) {
                  if (!builder.row(0, *target, to, 16, true, false))
                    return;
                  continue;
                }
                if (b > chunk &&
                    !builder.row(0, *target, to, b - chunk, true, false))
                  return;
                if (!builder.row(rowAddress + b, *target, to + (b - chunk),
                                 x - b, false, countIt))
                  return;
                if (x < chunk + 16 && !builder.row(0, *target, to + (x - chunk),
                                                   chunk + 16 - x, true, false))
                  return;
              }
              countIt = false;
            }
          }
    start(w, std::move(copy));
    if (w.event & EventTrap)
      return;
  }
}

void napkin::executor::bulkCopy(Warp &w, const Instr &i, uint32_t mask) {
  const BulkForm &f = *static_cast<const BulkForm *>(i.extra);
  for (uint32_t rest = distinctStores(w, f, mask); rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t bytes = valueOf(w, f.size, l);
    if (bytes & 15)
      return misuse(w, i, l,
                    fmt::format("the size {} is not a multiple of 16", bytes));
    if (!bytes)
      continue;
    uint32_t offset;
    Block *owner = sharedOwner(w, i, l, valueOf(w, f.shared, l), offset);
    if (!owner)
      return;
    BulkCopy copy = copyOf(w, i, l, f);
    llvm::SmallVector<Block *, 4> targets;
    Actors actors;
    if (!begin(w, i, l, f, copy, *owner, offset, bytes, targets, actors))
      return;
    if (f.betweenShared) {
      // From the own block's memory into another's.
      uint32_t from;
      Block *source = sharedOwner(w, i, l, valueOf(w, f.global, l), from);
      if (!source ||
          !prepareShared(w, i, l, actors.from, *source, from, bytes, true,
                         16) ||
          // A reduction reads what it changes.
          (f.reduction != 255 && !prepareShared(w, i, l, actors.to[0], *owner,
                                                offset, bytes, true, 16)) ||
          !prepareShared(w, i, l, actors.to[0], *owner, offset, bytes, false,
                         16))
        return;
      copy.rows.push_back({source->shared + from,
                           owner->shared + offset,
                           {owner->sharedShadow + offset},
                           uint32_t(bytes)});
      start(w, std::move(copy));
      continue;
    }
    uint64_t address = valueOf(w, f.global, l);
    if (address & 15)
      return misuse(
          w, i, l,
          fmt::format("the global address {:#x} is not a multiple of 16",
                      address),
          address, Trap::Kind::Misaligned);
    if (!prepareTargets(w, i, l, f, actors, targets, offset, bytes, 16))
      return;
    Builder builder{w, i, l, copy, f.store, actors};
    bool countIt = true;
    for (Block *target : targets) {
      if (!builder.row(address, *target, offset, bytes, false, countIt))
        return;
      countIt = false;
    }
    InstructionCounters &counters = w.counters[i.source];
    (f.store ? counters.globalWriteSectors : counters.globalReadSectors) +=
        sectorsOf(w, i, address, bytes, f.store);
    start(w, std::move(copy));
    if (w.event & EventTrap)
      return;
  }
}

void napkin::executor::bulkCommit(Warp &w, const Instr &, uint32_t mask) {
  for (uint32_t rest = mask; rest; rest &= rest - 1)
    ++w.async->bulkGroups[__builtin_ctz(rest)];
}

// offset: groups that may stay pending; small0: .read.
void napkin::executor::bulkWait(Warp &w, const Instr &i, uint32_t mask) {
  std::vector<BulkCopy> &copies = w.block->clusterState->copies;
  size_t kept = 0;
  for (size_t at = 0; at < copies.size(); ++at) {
    BulkCopy &copy = copies[at];
    uint32_t groups = w.async->bulkGroups[copy.lane];
    bool covered = copy.isStore && copy.block == w.block &&
                   copy.warp == w.index && ((mask >> copy.lane) & 1) &&
                   copy.group + uint64_t(i.offset) < groups;
    if (covered) {
      performCopy(copy);
      ++w.block->clusterState->progress;
      continue;
    }
    if (kept != at)
      copies[kept] = std::move(copies[at]);
    ++kept;
  }
  copies.resize(kept);
  if (!w.races)
    return;
  // With .read the writes may still be under way.
  if (w.async->stores.empty())
    return;
  ClockVector &known = learning(w, mask).rows[Known].clocks;
  llvm::erase_if(w.async->stores, [&](const WarpAsync::Store &s) {
    if (!(mask >> s.lane & 1) ||
        s.group + uint64_t(i.offset) >= w.async->bulkGroups[s.lane])
      return false;
    known.raise(s.reads, s.clock);
    if (!i.small0)
      known.raise(s.writes, s.clock);
    return !i.small0;
  });
}
