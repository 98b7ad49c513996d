//===- Clocks.h - What a warp knows of the others --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Vector clocks of the memory model (PTX manual, chapter 8). A component
// belongs to an actor: something whose accesses are ordered among themselves.
// That is a warp, the products of a warp's wgmma, the bulk stores of a thread,
// or an mbarrier, whose phases complete the copies that signal it. The lanes of
// a warp are threads of their own: what one of them releases is what it did and
// what it had learnt. Usually a warp has synchronised before, so that its clock
// says it all; else the epochs of its lanes do.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CHECKS_CLOCKS_H
#define NAPKIN_LIB_EXECUTOR_CHECKS_CLOCKS_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace napkin::executor {

/// How far a fence or a strong access reaches; also how far two warps are
/// apart.
enum Scope : uint8_t { ScopeBlock, ScopeCluster, ScopeDevice };

/// The lane that accessed two bytes: 0 to 31, or one of these.
constexpr uint8_t laneOfTwo = 0x20; ///< of two bytes, by two lanes
constexpr uint8_t laneOfAll = 0x40; ///< an instruction of the whole warp
constexpr uint8_t laneMany = 0x80;  ///< two lanes or more
constexpr uint8_t laneNone = 0xff;  ///< any: all of them are alike, or unknown

/// What an actor did at a time. The epoch and the lane are those of a warp.
struct ActorEvent {
  uint32_t actor = 0, clock = 0, epoch = 0;
  uint8_t lane = laneNone;
};

/// One number per actor; what is not there is 0.
class ClockVector {
public:
  uint32_t operator[](size_t actor) const {
    return actor < numbers.size() ? numbers[actor] : 0;
  }
  bool empty() const { return numbers.empty(); }
  void clear() { numbers.clear(); }
  void set(size_t actor, uint32_t clock);
  void raise(size_t actor, uint32_t clock) {
    if ((*this)[actor] < clock)
      set(actor, clock);
  }
  void join(const ClockVector &other);

private:
  std::vector<uint32_t> numbers;
};

/// Up to where of each actor something holds.
struct Extent {
  /// All that the actor did until then.
  ClockVector clocks;
  /// Of a warp whose lanes had not synchronised: what each of them did before
  /// that epoch, and what all of them did (epochOf).
  ClockVector epochs;
  bool empty() const { return clocks.empty() && epochs.empty(); }
  void join(const Extent &other) {
    clocks.join(other.clocks);
    if (!other.epochs.empty())
      epochs.join(other.epochs);
  }
  bool covers(const ActorEvent &event) const {
    return clocks[event.actor] >= event.clock ||
           (!epochs.empty() && coversLane(event));
  }

private:
  bool coversLane(const ActorEvent &event) const;
};
/// The index in Extent::epochs of a warp's lane; 32: of all its lanes.
inline size_t epochOf(uint32_t warp, unsigned lane) {
  return size_t(warp) * 33 + lane;
}

/// What an Extent says.
enum Row : uint8_t {
  /// Happened before.
  Known,
  /// Visible to the async proxy (fence.proxy.async), by space.
  ProxyShared,
  ProxyGlobal,
  /// Initialisations of mbarriers that fence.mbarrier_init released.
  Initialized,
  /// Tensor maps that fence.proxy.tensormap released.
  ReleasedMaps,
  /// Covered by a releasing fence of at least the scope that is added.
  Released
};
struct Rows {
  Extent at[Released + ScopeDevice + 1];
  Extent &operator[](unsigned row) { return at[row]; }
  const Extent &operator[](unsigned row) const { return at[row]; }
  bool empty() const { return at[Known].empty() && at[Initialized].empty(); }
  void join(const Rows &other);
};

/// Releases [begin, end) of a location of global memory, by other clusters.
struct ForeignReleases {
  uint32_t location, begin, end;
};

/// What a warp knows, and what a synchronisation carries from those who release
/// to those who acquire.
struct Knowledge {
  Rows rows;
  /// Seen by relaxed reads: becomes known by a fence of this scope.
  Rows observed[2];
  /// The same for other clusters.
  std::vector<ForeignReleases> pending;
  void join(const Knowledge &other);
  void clear() { *this = Knowledge(); }
};

/// The semantics of an access that is not weak.
struct Order {
  bool strong = false, acquire = false, release = false;
  /// A read-modify-write continues a chain of releases; a store begins one.
  bool reads = false, writes = false;
  /// Writes only what it has compared (atom.cas).
  bool compares = false;
  Scope scope = ScopeDevice;
  /// As decoded instructions hold it: 1 strong, 2 acquire, 4 release, scope in
  /// bits 3 and 4, bit 5 compares; 0: weak.
  static constexpr uint8_t comparesBit = 32;
  static Order decode(uint8_t bits) {
    Order order;
    order.strong = bits & 1;
    order.acquire = bits & 2;
    order.release = bits & 4;
    order.scope = Scope(bits >> 3 & 3);
    order.compares = bits & comparesBit;
    return order;
  }
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CHECKS_CLOCKS_H
