//===- Memory.cpp - ld, st, ldmatrix, stmatrix -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The fast paths: all lanes inside one allocation (or inside the block's shared
// memory), aligned and initialised, checked with a few vector operations. All
// else goes lane by lane through translate(), which finds what is wrong.
//
//===----------------------------------------------------------------------===//

#include "Vector/Lanes.h"
#include "Vector/Tables.h"

#include <type_traits>

namespace napkin::executor::NAPKIN_VARIANT {
namespace {

static inline bool anyPending(const u8 *shadow, unsigned bytes) {
  // Bytes are 0 or 255 unless an asynchronous copy or an mbarrier is there.
  for (unsigned i = 0; i < bytes; ++i)
    if (u8(shadow[i] + 1) > 1)
      return true;
  return false;
}

/// Addresses of the active lanes, and their extremes.
struct Addresses {
  u64 at[lanes];
  u64 low, high, any;
};

static inline void gather(Warp &w, const Instr &i, u32 mask, Addresses &x) {
  u64 low = ~u64(0), high = 0, any = 0, offset = i.offset;
  if (i.small0 == 8) {
    const u64 *a = lane<u64>(w, i.a);
    NAPKIN_LANES x.at[l] = a[l] + offset;
  } else {
    const u32 *a = lane<u32>(w, i.a);
    NAPKIN_LANES x.at[l] = u32(a[l] + u32(offset));
  }
  if (mask == allLanes) {
    NAPKIN_LANES {
      u64 v = x.at[l];
      low = v < low ? v : low;
      high = v > high ? v : high;
      any |= v;
    }
  } else {
    NAPKIN_LANES {
      u64 v = x.at[l];
      bool on = (mask >> l) & 1;
      low = on && v < low ? v : low;
      high = on && v > high ? v : high;
      any |= on ? v : 0;
    }
  }
  x.low = low;
  x.high = high;
  x.any = any;
}

/// Lanes in order touch consecutive elements.
static inline bool contiguous(const Addresses &x, unsigned bytes) {
  u64 difference = 0, first = x.at[0];
  NAPKIN_LANES difference |= x.at[l] ^ (first + u64(l) * bytes);
  return difference == 0;
}

static inline char *hostAt(u64 base, u64 address) {
  return reinterpret_cast<char *>(base + address);
}

enum class Kind { Global, Shared, Slow };

/// What fast paths need of the memory that all lanes access. Host minus device
/// addresses, as numbers: only their sums are pointers.
struct Ground {
  u64 host = 0;
  /// Of shared memory.
  u64 shadow = 0;
  /// Of an allocation and, at `begin`, its first byte; null: all is written.
  u64 *bits = nullptr;
  u64 begin = 0;

  u8 *shadowAt(u64 address) const {
    return reinterpret_cast<u8 *>(shadow + address);
  }
};

/// The marks at an address.
template <bool IsShared>
static inline Marks marksAt(const Ground &ground, u64 address) {
  if (IsShared)
    return {ground.shadowAt(address), nullptr, 0};
  return {nullptr, ground.bits, address - ground.begin};
}

/// Which fast path fits; `ground` is set for it.
template <AddressSpace S>
static inline Kind classify(Warp &w, const Instr &i, Addresses &x,
                            unsigned bytes, bool write, Ground &ground) {
  if (x.any & (bytes - 1))
    return Kind::Slow;
  if (S == SpaceShared ||
      (S == SpaceGeneric && (x.low & windowMask) == sharedWindow &&
       (x.high & windowMask) == sharedWindow)) {
    u64 base = S == SpaceShared ? 0 : sharedWindow;
    if (x.high - base + bytes > w.block->sharedBytes)
      return Kind::Slow;
    ground.host = reinterpret_cast<u64>(w.block->shared) - base;
    ground.shadow = reinterpret_cast<u64>(w.block->sharedShadow) - base;
    return Kind::Shared;
  }
  if (S == SpaceGlobal || S == SpaceGeneric) {
    const RegionView *r = w.regions[i.source];
    if (!r || x.low < r->begin || x.high + bytes > r->end) {
      r = findRegion(w, x.low);
      if (!r || x.low < r->begin || x.high + bytes > r->end)
        return Kind::Slow;
      w.regions[i.source] = r;
    }
    if (write && r->readOnly)
      return Kind::Slow;
    ground.host = reinterpret_cast<u64>(r->data) - r->begin;
    ground.bits = r->written;
    ground.begin = r->begin;
    return Kind::Global;
  }
  return Kind::Slow;
}

static inline void shortAddresses(const Addresses &x, u32 *out) {
  NAPKIN_LANES out[l] = u32(x.at[l]);
}

/// Whether what the lanes read was written; else marks what was not, or traps.
/// False after a trap.
template <bool IsShared>
static bool checkWritten(Warp &w, const Instr &i, const Ground &ground,
                         const Addresses &x, u32 mask, unsigned size,
                         bool dense) {
  if (dense && allWritten(marksAt<IsShared>(ground, x.at[0]), size * lanes))
    return true;
  for (u32 rest = mask; rest; rest &= rest - 1) {
    const unsigned l = __builtin_ctz(rest);
    const Marks marks = marksAt<IsShared>(ground, x.at[l]);
    if (allWritten(marks, size))
      continue;
    trapMarks(w, i, l, x.at[l], size, marks, Access::Read, IsShared);
    if (w.event & EventTrap)
      return false;
  }
  return true;
}

template <AddressSpace S, class Unit, unsigned Count>
void load(Warp &w, const Instr &i, u32 mask) {
  constexpr unsigned size = sizeof(Unit) * Count;
  // 8-bit values live in 16-bit registers.
  using Cell = typename std::conditional<sizeof(Unit) == 1, u16, Unit>::type;
  Addresses x;
  gather(w, i, mask, x);
  Ground ground;
  const Kind kind = classify<S>(w, i, x, size, false, ground);
  const bool checks = w.block->checks;
  Cell *d[Count];
  Cell sink[lanes];
  for (unsigned c = 0; c < Count; ++c)
    d[c] = i.list[c] == noRegister ? sink : lane<Cell>(w, i.list[c]);
  if (kind == Kind::Slow) {
    const InstructionCounters before = w.counters[i.source];
    for (unsigned l = 0; l < lanes; ++l) {
      if (!((mask >> l) & 1))
        continue;
      Place place = translate(w, i, l, x.at[l], size, S, Access::Read);
      if (!place.host)
        return;
      if (checks && !allWritten(place.marks, size)) {
        trapMarks(w, i, l, x.at[l], size, place.marks, Access::Read,
                  place.space);
        if (w.event & EventTrap)
          return;
      }
      racePlace(w, i, l, x.at[l], size, place,
                i.small1 ? Access::Atomic : Access::Read);
      if (w.event & EventTrap)
        return;
      Unit v[Count];
      __builtin_memcpy(v, place.host, size);
      for (unsigned c = 0; c < Count; ++c)
        d[c][l] = v[c];
    }
    recountLanes(w, i, before, x.at, mask, size, S, Access::Read);
    return;
  }
  const bool dense = Count == 1 && sizeof(Unit) >= 4 && mask == allLanes &&
                     contiguous(x, size);
  if (checks && !(kind == Kind::Shared
                      ? checkWritten<true>(w, i, ground, x, mask, size, dense)
                      : !ground.bits || checkWritten<false>(w, i, ground, x,
                                                            mask, size, dense)))
    return;
  if (kind == Kind::Global) {
    countGlobal(w, i, x.at, mask, size, Access::Read);
    if (w.block->races)
      raceGlobal(w, i, x.at, mask, size,
                 i.small1 ? Access::Atomic : Access::Read);
  } else {
    u32 at[lanes];
    shortAddresses(x, at);
    countShared(w, i, at, mask, size, Access::Read);
    if (w.block->races)
      raceShared(w, i, at, mask, size,
                 i.small1 ? Access::Atomic : Access::Read);
  }
  if (w.event & EventTrap)
    return;
  if (dense) {
    __builtin_memcpy(d[0], hostAt(ground.host, x.at[0]), sizeof(Unit) * lanes);
    return;
  }
  if (mask == allLanes) {
    for (unsigned l = 0; l < lanes; ++l) {
      Unit v[Count];
      __builtin_memcpy(v, hostAt(ground.host, x.at[l]), size);
      for (unsigned c = 0; c < Count; ++c)
        d[c][l] = v[c];
    }
    return;
  }
  for (u32 rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    Unit v[Count];
    __builtin_memcpy(v, hostAt(ground.host, x.at[l]), size);
    for (unsigned c = 0; c < Count; ++c)
      d[c][l] = v[c];
  }
}

template <AddressSpace S, class Unit, unsigned Count>
void store(Warp &w, const Instr &i, u32 mask) {
  constexpr unsigned size = sizeof(Unit) * Count;
  using Cell = typename std::conditional<sizeof(Unit) == 1, u16, Unit>::type;
  Addresses x;
  gather(w, i, mask, x);
  Ground ground;
  const Kind kind = classify<S>(w, i, x, size, true, ground);
  const Cell *s[Count];
  for (unsigned c = 0; c < Count; ++c)
    s[c] = lane<Cell>(w, i.list[c]);
  if (kind == Kind::Slow) {
    const InstructionCounters before = w.counters[i.source];
    for (unsigned l = 0; l < lanes; ++l) {
      if (!((mask >> l) & 1))
        continue;
      Place place = translate(w, i, l, x.at[l], size, S, Access::Write);
      if (!place.host)
        return;
      if (place.marks.shadow && anyPending(place.marks.shadow, size)) {
        trapMarks(w, i, l, x.at[l], size, place.marks, Access::Write,
                  place.space);
        if (w.event & EventTrap)
          return;
      }
      racePlace(w, i, l, x.at[l], size, place,
                i.small1 ? Access::Atomic : Access::Write);
      if (w.event & EventTrap)
        return;
      for (unsigned c = 0; c < Count; ++c) {
        Unit v = Unit(s[c][l]);
        __builtin_memcpy(place.host + c * sizeof(Unit), &v, sizeof(Unit));
      }
      setWritten(place.marks, size);
    }
    recountLanes(w, i, before, x.at, mask, size, S, Access::Write);
    if (w.undefined)
      storeUndefined(w, i, x.at, mask, size, S);
    return;
  }
  w.comparesValues = true;
  const bool dense = Count == 1 && sizeof(Unit) >= 4 && mask == allLanes &&
                     contiguous(x, size);
  if (kind == Kind::Global) {
    countGlobal(w, i, x.at, mask, size, Access::Write);
    if (w.block->races)
      raceGlobal(w, i, x.at, mask, size,
                 i.small1 ? Access::Atomic : Access::Write);
  } else {
    u32 at[lanes];
    shortAddresses(x, at);
    countShared(w, i, at, mask, size, Access::Write);
    if (w.block->races)
      raceShared(w, i, at, mask, size,
                 i.small1 ? Access::Atomic : Access::Write);
    if (w.block->checks &&
        !(dense && !anyPending(ground.shadowAt(x.at[0]), size * lanes)))
      for (u32 rest = mask; rest; rest &= rest - 1) {
        unsigned l = __builtin_ctz(rest);
        if (anyPending(ground.shadowAt(x.at[l]), size)) {
          trapMarks(w, i, l, x.at[l], size, {ground.shadowAt(x.at[l])},
                    Access::Write, 1);
          if (w.event & EventTrap)
            return;
        }
      }
  }
  w.comparesValues = false;
  if (w.overlap) {
    char values[lanes * size];
    for (unsigned l = 0; l < lanes; ++l)
      for (unsigned c = 0; c < Count; ++c) {
        Unit v = Unit(s[c][l]);
        __builtin_memcpy(values + l * size + c * sizeof(Unit), &v,
                         sizeof(Unit));
      }
    raceOverlap(w, i, x.at, mask, size, values, ground.host,
                kind == Kind::Shared);
  }
  if (w.event & EventTrap)
    return;
  auto mark = [&](u64 address, unsigned bytes) {
    if (kind == Kind::Shared)
      __builtin_memset(ground.shadowAt(address), shadowWritten, bytes);
    else if (ground.bits)
      setBits(ground.bits, address - ground.begin, bytes);
  };
  if (dense) {
    __builtin_memcpy(hostAt(ground.host, x.at[0]), s[0], sizeof(Unit) * lanes);
    mark(x.at[0], size * lanes);
    if (w.undefined)
      storeUndefined(w, i, x.at, mask, size, S);
    return;
  }
  for (u32 rest = mask; rest; rest &= rest - 1) {
    unsigned l = __builtin_ctz(rest);
    Unit v[Count];
    for (unsigned c = 0; c < Count; ++c)
      v[c] = Unit(s[c][l]);
    __builtin_memcpy(hostAt(ground.host, x.at[l]), v, size);
    mark(x.at[l], size);
  }
  if (w.undefined)
    storeUndefined(w, i, x.at, mask, size, S);
}

template <AddressSpace S, class Unit>
Handler loadCount(unsigned count) {
  if (count == 1)
    return load<S, Unit, 1>;
  if (count == 2)
    return load<S, Unit, 2>;
  if (count == 4)
    return load<S, Unit, 4>;
  if constexpr (sizeof(Unit) == 4)
    if (count == 8)
      return load<S, Unit, 8>;
  return nullptr;
}
template <AddressSpace S, class Unit>
Handler storeCount(unsigned count) {
  if (count == 1)
    return store<S, Unit, 1>;
  if (count == 2)
    return store<S, Unit, 2>;
  if (count == 4)
    return store<S, Unit, 4>;
  if constexpr (sizeof(Unit) == 4)
    if (count == 8)
      return store<S, Unit, 8>;
  return nullptr;
}
template <AddressSpace S>
Handler loadSpace(unsigned unit, unsigned count) {
  return unit == 1   ? loadCount<S, u8>(count)
         : unit == 2 ? loadCount<S, u16>(count)
         : unit == 4 ? loadCount<S, u32>(count)
         : unit == 8 ? loadCount<S, u64>(count)
                     : nullptr;
}
template <AddressSpace S>
Handler storeSpace(unsigned unit, unsigned count) {
  return unit == 1   ? storeCount<S, u8>(count)
         : unit == 2 ? storeCount<S, u16>(count)
         : unit == 4 ? storeCount<S, u32>(count)
         : unit == 8 ? storeCount<S, u64>(count)
                     : nullptr;
}

/// Row addresses of ldmatrix and stmatrix, checked; false when it trapped.
template <unsigned Count>
bool rows(Warp &w, const Instr &i, char **host, u8 **shadow, u32 *at,
          Access access) {
  constexpr u32 mask = Count == 4 ? ~0u : (1u << (8 * Count)) - 1;
  Addresses x;
  gather(w, i, mask, x);
  u64 base = 0;
  if ((x.low & windowMask) == sharedWindow)
    base = sharedWindow;
  bool fast = !(x.any & 15) && x.high - base + 16 <= w.block->sharedBytes;
  for (unsigned l = 0; l < 8 * Count; ++l) {
    if (fast) {
      host[l] = w.block->shared + (x.at[l] - base);
      shadow[l] = w.block->sharedShadow + (x.at[l] - base);
    } else {
      Place place = translate(w, i, l, x.at[l], 16,
                              base ? SpaceGeneric : SpaceShared, access);
      if (!place.host)
        return false;
      host[l] = place.host;
      shadow[l] = place.marks.shadow;
    }
    at[l] = u32(x.at[l]);
    bool bad = access == Access::Read ? !allWritten(shadow[l], 16)
                                      : anyPending(shadow[l], 16);
    if (bad && w.block->checks) {
      trapMarks(w, i, l, x.at[l], 16, {shadow[l]}, access, 1);
      if (w.event & EventTrap)
        return false;
    }
  }
  for (unsigned l = 8 * Count; l < lanes; ++l)
    at[l] = 0;
  countShared(w, i, at, mask, 16, access);
  if (w.block->races)
    raceShared(w, i, at, mask, 16, access, true);
  return !(w.event & EventTrap);
}

template <unsigned Count, bool Transposed>
void loadMatrix(Warp &w, const Instr &i, u32) {
  char *host[lanes];
  u8 *shadow[lanes];
  u32 at[lanes];
  if (!rows<Count>(w, i, host, shadow, at, Access::Read))
    return;
  for (unsigned m = 0; m < Count; ++m) {
    u32 *d = lane<u32>(w, i.list[m]);
    if (!Transposed) {
      for (unsigned r = 0; r < 8; ++r)
        __builtin_memcpy(d + 4 * r, host[8 * m + r], 16);
    } else {
      u16 tile[8][8];
      for (unsigned r = 0; r < 8; ++r)
        __builtin_memcpy(tile[r], host[8 * m + r], 16);
      for (unsigned l = 0; l < lanes; ++l) {
        unsigned row = 2 * (l % 4), column = l / 4;
        d[l] = tile[row][column] | u32(tile[row + 1][column]) << 16;
      }
    }
  }
}

template <unsigned Count, bool Transposed>
void storeMatrix(Warp &w, const Instr &i, u32) {
  char *host[lanes];
  u8 *shadow[lanes];
  u32 at[lanes];
  if (!rows<Count>(w, i, host, shadow, at, Access::Write))
    return;
  for (unsigned m = 0; m < Count; ++m) {
    const u32 *s = lane<u32>(w, i.list[m]);
    u16 tile[8][8];
    for (unsigned l = 0; l < lanes; ++l) {
      u16 low = u16(s[l]), high = u16(s[l] >> 16);
      unsigned row = l / 4, column = 2 * (l % 4);
      if (Transposed) {
        tile[column][row] = low;
        tile[column + 1][row] = high;
      } else {
        tile[row][column] = low;
        tile[row][column + 1] = high;
      }
    }
    for (unsigned r = 0; r < 8; ++r) {
      __builtin_memcpy(host[8 * m + r], tile[r], 16);
      __builtin_memset(shadow[8 * m + r], shadowWritten, 16);
    }
  }
  if (w.undefined)
    storeMatrixUndefined(w, i, shadow);
}

} // namespace

Handler loadHandler(AddressSpace space, unsigned unitBytes, unsigned count) {
  switch (space) {
  case SpaceGlobal:
    return loadSpace<SpaceGlobal>(unitBytes, count);
  case SpaceShared:
    return loadSpace<SpaceShared>(unitBytes, count);
  case SpaceLocal:
    return loadSpace<SpaceLocal>(unitBytes, count);
  case SpaceGeneric:
    return loadSpace<SpaceGeneric>(unitBytes, count);
  case SpaceParam:
    return loadSpace<SpaceParam>(unitBytes, count);
  }
  return nullptr;
}

Handler storeHandler(AddressSpace space, unsigned unitBytes, unsigned count) {
  switch (space) {
  case SpaceGlobal:
    return storeSpace<SpaceGlobal>(unitBytes, count);
  case SpaceShared:
    return storeSpace<SpaceShared>(unitBytes, count);
  case SpaceLocal:
    return storeSpace<SpaceLocal>(unitBytes, count);
  case SpaceGeneric:
    return storeSpace<SpaceGeneric>(unitBytes, count);
  case SpaceParam:
    return nullptr;
  }
  return nullptr;
}

Handler loadMatrixHandler(unsigned count, bool transposed) {
  if (count == 1)
    return transposed ? loadMatrix<1, true> : loadMatrix<1, false>;
  if (count == 2)
    return transposed ? loadMatrix<2, true> : loadMatrix<2, false>;
  if (count == 4)
    return transposed ? loadMatrix<4, true> : loadMatrix<4, false>;
  return nullptr;
}

Handler storeMatrixHandler(unsigned count, bool transposed) {
  if (count == 1)
    return transposed ? storeMatrix<1, true> : storeMatrix<1, false>;
  if (count == 2)
    return transposed ? storeMatrix<2, true> : storeMatrix<2, false>;
  if (count == 4)
    return transposed ? storeMatrix<4, true> : storeMatrix<4, false>;
  return nullptr;
}

} // namespace napkin::executor::NAPKIN_VARIANT
