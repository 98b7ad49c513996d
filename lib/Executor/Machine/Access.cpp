//===- Access.cpp - Checks and counts of memory accesses -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The careful path of every access: which space, which allocation, is it legal;
// and the counting of sectors and bank conflicts.
//
//===----------------------------------------------------------------------===//

#include "Checks/Undefined.h"
#include "Machine/Launch.h"

#include <algorithm>

#include <fmt/format.h>

using namespace napkin::executor;

static const char *verb(Access access) {
  return access == Access::Read    ? "read"
         : access == Access::Write ? "write"
                                   : "atomic access";
}

const RegionView *napkin::executor::findRegion(Warp &w, uint64_t address) {
  const Region *region = w.machine->device.find(address);
  return region && !region->freed ? region : nullptr;
}

static Place outOfBounds(Warp &w, const Instr &i, unsigned lane,
                         uint64_t address, unsigned bytes, Access access,
                         const std::string &where) {
  // Beyond a trap a load gives undefined bytes and a store changes nothing.
  static thread_local char nowhere[64];
  static thread_local uint8_t undefined[sizeof nowhere];
  const napkin::ptx::Instruction &ptx =
      *w.machine->program.sources[i.source].ptx;
  bool mayGoOn = w.block->checks && bytes <= sizeof nowhere &&
                 (ptx.opcode == "ld" || ptx.opcode == "st");
  w.machine->trap(w, i, lane, Trap::Kind::OutOfBounds,
                  fmt::format("{} of {} bytes at {:#x} {}", verb(access), bytes,
                              address, where),
                  address, ~0u, "", mayGoOn);
  if (w.event & EventTrap)
    return {};
  std::fill_n(undefined, sizeof undefined, shadowFresh);
  return {nowhere, {undefined}, placeNowhere};
}

/// An access so far behind address 0 goes through a null pointer.
static constexpr uint64_t nullBytes = uint64_t(1) << 20;

static Place global(Warp &w, const Instr &i, unsigned lane, uint64_t address,
                    unsigned bytes, Access access) {
  Region *region = w.machine->device.find(address);
  if (!region || address + bytes > region->end) {
    const Region *near = w.machine->device.nearest(address);
    std::string where = "is outside every allocation";
    if (address < nullBytes)
      where = address ? fmt::format("is {} bytes after a null pointer", address)
                      : "is at a null pointer";
    else if (near && address >= near->end)
      where =
          fmt::format("is {} bytes after the end of '{}' ({} bytes at {:#x})",
                      address - near->end, near->name, near->end - near->begin,
                      near->begin);
    else if (near && address >= near->begin)
      where = fmt::format("crosses the end of '{}' ({} bytes at {:#x})",
                          near->name, near->end - near->begin, near->begin);
    else if (near)
      where = fmt::format("is {} bytes before '{}' ({} bytes at {:#x})",
                          near->begin - address, near->name,
                          near->end - near->begin, near->begin);
    return outOfBounds(w, i, lane, address, bytes, access, where);
  }
  if (region->freed) {
    w.machine->trap(w, i, lane, Trap::Kind::Freed,
                    fmt::format("{} at {:#x} in '{}', which was freed",
                                verb(access), address, region->name),
                    address);
    return {};
  }
  if (region->readOnly && access != Access::Read) {
    w.machine->trap(w, i, lane, Trap::Kind::ReadOnly,
                    fmt::format("{} at {:#x} in constant '{}'", verb(access),
                                address, region->name),
                    address);
    return {};
  }
  uint64_t offset = address - region->begin;
  if (access != Access::Read && w.journal->isActive())
    w.journal->record(region->data + offset, bytes);
  return {region->data + offset, {nullptr, region->written, offset}};
}

static bool isConstant(Warp &w, uint64_t address) {
  const Region *region = w.machine->device.find(address);
  return region && region->readOnly;
}

static Place shared(Warp &w, const Instr &i, unsigned lane, uint64_t address,
                    unsigned bytes, Access access) {
  Block *owner = w.block;
  uint64_t offset = address;
  if (uint64_t rank = address >> clusterShift) {
    offset = address & ((1u << clusterShift) - 1);
    if (rank > owner->clusterSize)
      return outOfBounds(w, i, lane, address, bytes, access,
                         fmt::format("names block {} of a cluster of {}",
                                     rank - 1, owner->clusterSize));
    owner = owner->cluster[rank - 1];
    if (owner->done) {
      w.machine->trap(w, i, lane, Trap::Kind::ExitInFlight,
                      fmt::format("{} of {} bytes at {:#x}, in the shared "
                                  "memory of block {}, which has ended",
                                  verb(access), bytes, address, owner->linear),
                      address);
      return {};
    }
  }
  if (offset + bytes > owner->sharedBytes)
    return outOfBounds(w, i, lane, address, bytes, access,
                       fmt::format("leaves the {} bytes of shared memory",
                                   owner->sharedBytes));
  if (access != Access::Read && w.journal->isActive())
    w.journal->record(owner->shared + offset, bytes);
  return {owner->shared + offset, {owner->sharedShadow + offset}, 1, owner};
}

Place napkin::executor::translate(Warp &w, const Instr &i, unsigned lane,
                                  uint64_t address, unsigned bytes,
                                  AddressSpace space, Access access) {
  // Alignment is to the size of the access; what is larger (a tensor map) is
  // checked by its own rules.
  unsigned alignment = std::min(32u, bytes & (~bytes + 1));
  if (address & (alignment - 1)) {
    w.machine->trap(
        w, i, lane, Trap::Kind::Misaligned,
        fmt::format("{} of {} bytes at {:#x}, which is not a multiple of {}",
                    verb(access), bytes, address, alignment),
        address);
    return {};
  }
  uint64_t local = address;
  if (space == SpaceGeneric) {
    switch (address & windowMask) {
    case sharedWindow:
      space = SpaceShared;
      local = address - sharedWindow;
      break;
    case localWindow:
      space = SpaceLocal;
      local = address - localWindow;
      break;
    case paramWindow:
      space = SpaceParam;
      local = address - paramWindow;
      break;
    default:
      space = SpaceGlobal;
      break;
    }
  } else if (space == SpaceShared && (address & windowMask) == sharedWindow) {
    local = address - sharedWindow;
  }
  InstructionCounters &count = w.counters[i.source];
  bool read = access != Access::Write, write = access != Access::Read;
  switch (space) {
  case SpaceGlobal: {
    Place place = global(w, i, lane, address, bytes, access);
    if (!place.host || place.space != 0)
      return place;
    if (isConstant(w, address)) {
      count.constantReadBytes += bytes;
    } else {
      count.globalReadBytes += read ? bytes : 0;
      count.globalWriteBytes += write ? bytes : 0;
      count.globalReadSectors += read ? 1 : 0;
      count.globalWriteSectors += write ? 1 : 0;
    }
    return place;
  }
  case SpaceShared: {
    Place place = shared(w, i, lane, local, bytes, access);
    if (!place.host || place.space != 1)
      return place;
    if (place.owner != w.block) {
      count.remoteReadBytes += read ? bytes : 0;
      count.remoteWriteBytes += write ? bytes : 0;
    } else {
      count.sharedReadBytes += read ? bytes : 0;
      count.sharedWriteBytes += write ? bytes : 0;
      count.sharedWavefronts += 1;
    }
    return place;
  }
  case SpaceLocal: {
    Block &b = *w.block;
    if (local + bytes > b.localBytes)
      return outOfBounds(
          w, i, lane, address, bytes, access,
          fmt::format("leaves the {} bytes of local memory", b.localBytes));
    count.localReadBytes += read ? bytes : 0;
    count.localWriteBytes += write ? bytes : 0;
    uint64_t at = (uint64_t(w.index) * lanes + lane) * b.localBytes + local;
    if (write && w.journal->isActive())
      w.journal->record(b.local + at, bytes);
    return {b.local + at, {b.localShadow + at}, 2};
  }
  default: {
    if (write || local + bytes > w.block->parameterBytes)
      return outOfBounds(w, i, lane, address, bytes, access,
                         fmt::format("is not in the {} bytes of parameters",
                                     w.block->parameterBytes));
    return {const_cast<char *>(w.block->parameters) + local, {}, 3};
  }
  }
}

/// " ('tile' + 64)", or nothing.
std::string napkin::executor::variableAt(Warp &w, uint64_t address,
                                         uint8_t space) {
  if (space == 0) {
    const Region *region = w.machine->device.find(address);
    return region ? fmt::format(" ('{}' + {})", region->name,
                                address - region->begin)
                  : "";
  }
  if (space > 2)
    return "";
  const Program &program = w.machine->program;
  uint64_t offset =
      space == 1 ? address & ((1u << clusterShift) - 1) : uint32_t(address);
  for (const SharedVariable &v :
       space == 1 ? program.sharedVariables : program.localVariables)
    if (offset >= v.begin && offset < v.begin + v.bytes)
      return fmt::format(" ('{}' + {})", v.name, offset - v.begin);
  return "";
}

void napkin::executor::trapMarks(Warp &w, const Instr &i, unsigned lane,
                                 uint64_t address, unsigned bytes,
                                 const Marks &marks, Access access,
                                 uint8_t space) {
  llvm::SmallVector<uint8_t, 32> shadow(bytes);
  for (unsigned b = 0; b < bytes; ++b)
    shadow[b] = markAt(marks, b);
  // What is worse than a byte that was never written comes first.
  unsigned fresh = bytes;
  for (unsigned b = 0; b < bytes; ++b) {
    if (shadow[b] == shadowWritten ||
        (shadow[b] == shadowFresh && access == Access::Write))
      continue;
    if (shadow[b] == shadowFresh) {
      fresh = std::min(fresh, b);
      continue;
    }
    if (shadow[b] == shadowBarrier) {
      w.machine->trap(w, i, lane, Trap::Kind::MbarrierMisuse,
                      fmt::format("{} at {:#x}{}, which holds an mbarrier",
                                  verb(access), address,
                                  variableAt(w, address, space)),
                      address);
    } else {
      w.machine->trap(
          w, i, lane, Trap::Kind::AsyncHazard,
          fmt::format(
              "{} of {} bytes at {:#x}{}, which an asynchronous copy may still "
              "be writing: no wait covers it",
              verb(access), bytes, address, variableAt(w, address, space)),
          address, pendingSource(w, address + b));
    }
    return;
  }
  if (fresh == bytes)
    return;
  UndefinedRead read = {&i, lane, bytes, fresh, address, space};
  if (access != Access::Read || !markUndefined(w, read, shadow.data()))
    w.machine->trap(w, i, lane, Trap::Kind::Uninitialized,
                    describeUndefined(w, read), address);
}

void napkin::executor::trapIllegal(Warp &w, const Instr &i, unsigned lane,
                                   const char *message) {
  w.machine->trap(w, i, lane, Trap::Kind::Illegal, message);
}

/// Lanes in order touch consecutive bytes.
template <class T>
static bool isContiguous(const T *address, unsigned bytes) {
  T difference = 0;
  for (unsigned l = 0; l < lanes; ++l)
    difference |= address[l] ^ (address[0] + T(l * bytes));
  return !difference;
}

/// Distinct sectors (address / 32) of an access; their number.
static unsigned findSectors(const uint64_t *address, uint32_t mask,
                            unsigned bytes, uint64_t *found) {
  unsigned size = 0;
  if (mask == allLanes && bytes <= 32 && isContiguous(address, bytes)) {
    const uint64_t end = (address[0] + lanes * bytes - 1) >> 5;
    for (uint64_t sector = address[0] >> 5; sector <= end; ++sector)
      found[size++] = sector;
    return size;
  }
  // Neighbours mostly share one.
  uint64_t last = ~uint64_t(0);
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t first = address[l] >> 5, final = (address[l] + bytes - 1) >> 5;
    for (uint64_t sector = first; sector <= final; ++sector) {
      if (sector == last)
        continue;
      last = sector;
      bool seen = false;
      // In ascending order nothing older can match.
      if (size && sector <= found[size - 1])
        for (unsigned k = 0; k < size && !seen; ++k)
          seen = found[k] == sector;
      if (!seen && size < 2 * lanes)
        found[size++] = sector;
    }
  }
  return size;
}

void napkin::executor::countGlobal(Warp &w, const Instr &i,
                                   const uint64_t *address, uint32_t mask,
                                   unsigned bytes, Access access) {
  InstructionCounters &count = w.counters[i.source];
  uint64_t requested = uint64_t(__builtin_popcount(mask)) * bytes;
  const RegionView *region = w.regions[i.source];
  if (region && region->readOnly && access == Access::Read &&
      address[__builtin_ctz(mask)] >= region->begin &&
      address[__builtin_ctz(mask)] < region->end) {
    count.constantReadBytes += requested;
    return;
  }
  if (access != Access::Read && w.journal->isActive())
    for (uint32_t rest = mask; rest; rest &= rest - 1) {
      const uint64_t at = address[__builtin_ctz(rest)];
      const RegionView *r = findRegion(w, at);
      if (r && at + bytes <= r->end)
        w.journal->record(r->data + (at - r->begin), bytes);
    }
  uint64_t found[2 * lanes];
  unsigned size = findSectors(address, mask, bytes, found);
  if (access != Access::Write) {
    count.globalReadBytes += requested;
    count.globalReadSectors += size;
  }
  if (access != Access::Read) {
    count.globalWriteBytes += requested;
    count.globalWriteSectors += size;
  }
  if (w.machine->options.cacheModel)
    w.machine->cacheAccess(w, i, found, size, access);
}

void napkin::executor::countShared(Warp &w, const Instr &i,
                                   const uint32_t *address, uint32_t mask,
                                   unsigned bytes, Access access) {
  InstructionCounters &count = w.counters[i.source];
  uint64_t requested = uint64_t(__builtin_popcount(mask)) * bytes;
  if (access != Access::Read && w.journal->isActive())
    for (uint32_t rest = mask; rest; rest &= rest - 1)
      w.journal->record(w.block->shared + address[__builtin_ctz(rest)], bytes);
  if (access != Access::Write)
    count.sharedReadBytes += requested;
  if (access != Access::Read)
    count.sharedWriteBytes += requested;
  // A phase serves 32 lanes of 4 bytes, 16 of 8, 8 of 16.
  unsigned perPhase = bytes <= 4 ? 32 : bytes == 8 ? 16 : 8;
  unsigned words = bytes <= 4 ? 1 : bytes / 4;
  if (mask == allLanes && bytes <= 16 && access != Access::Atomic &&
      isContiguous(address, bytes)) {
    count.sharedWavefronts += lanes / perPhase;
    return;
  }
  for (unsigned begin = 0; begin < lanes; begin += perPhase) {
    uint32_t part =
        perPhase == 32 ? mask : mask & (((1u << perPhase) - 1) << begin);
    if (!part)
      continue;
    // Without two words in one bank there is one wavefront.
    uint32_t banks = 0;
    bool simple = true;
    uint32_t wide = (1u << words) - 1;
    for (uint32_t rest = part; rest; rest &= rest - 1) {
      uint32_t bit = wide << ((address[__builtin_ctz(rest)] >> 2) & 31);
      simple &= !(banks & bit);
      banks |= bit;
    }
    unsigned wavefronts = 1;
    if (!simple) {
      uint32_t perBank[32][32];
      uint8_t size[32] = {};
      for (uint32_t rest = part; rest; rest &= rest - 1) {
        uint32_t word = address[__builtin_ctz(rest)] >> 2;
        for (unsigned k = 0; k < words; ++k, ++word) {
          unsigned bank = word & 31;
          // Lanes read one word together, but change it one after another.
          bool seen = false;
          for (unsigned s = 0;
               s < size[bank] && !seen && access != Access::Atomic; ++s)
            seen = perBank[bank][s] == word;
          if (!seen)
            perBank[bank][size[bank]++] = word;
        }
      }
      for (uint8_t s : size)
        wavefronts = s > wavefronts ? s : wavefronts;
    }
    count.sharedWavefronts += wavefronts;
    count.sharedConflicts += wavefronts - 1;
  }
}

void napkin::executor::recountLanes(Warp &w, const Instr &i,
                                    const InstructionCounters &before,
                                    const uint64_t *address, uint32_t mask,
                                    unsigned bytes, AddressSpace space,
                                    Access access) {
  uint32_t global = 0, shared = 0, at[lanes] = {};
  for (uint32_t rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    uint64_t window = address[l] & windowMask;
    bool isShared = window == sharedWindow &&
                    (space == SpaceGeneric || space == SpaceShared);
    isShared |= space == SpaceShared;
    if (isShared) {
      uint64_t rank = uint32_t(address[l]) >> clusterShift;
      if (rank && rank - 1 != w.block->rank)
        continue;
      at[l] = uint32_t(address[l]) & ((1u << clusterShift) - 1);
      shared |= 1u << l;
    } else if (space == SpaceGlobal ||
               (space == SpaceGeneric && window != localWindow &&
                window != paramWindow)) {
      global |= isConstant(w, address[l]) ? 0 : 1u << l;
    }
  }
  InstructionCounters &now = w.counters[i.source];
  now.globalReadBytes = before.globalReadBytes;
  now.globalWriteBytes = before.globalWriteBytes;
  now.globalReadSectors = before.globalReadSectors;
  now.globalWriteSectors = before.globalWriteSectors;
  now.sharedReadBytes = before.sharedReadBytes;
  now.sharedWriteBytes = before.sharedWriteBytes;
  now.sharedWavefronts = before.sharedWavefronts;
  if (global)
    countGlobal(w, i, address, global, bytes, access);
  if (shared)
    countShared(w, i, at, shared, bytes, access);
}
