//===- RaceCell.h - One access against the last ones -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The check of a cell, the same for shared and for global memory.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CHECKS_RACECELL_H
#define NAPKIN_LIB_EXECUTOR_CHECKS_RACECELL_H

#include "Checks/Race.h"
#include "Machine/Launch.h"

#include "llvm/ADT/STLFunctionalExtras.h"

namespace napkin::executor {

/// The key of a strong access to shared memory in RaceState::locations.
inline uint64_t strongKey(const Block &owner, uint64_t address) {
  return uint64_t(1) << 63 | uint64_t(owner.rank) << 32 | address;
}

/// An access that looks at cells.
struct Visit {
  Warp &warp;
  const Instr &instruction;
  /// Of shared memory; null: global.
  Block *owner;
  bool write;
  Order order;
  /// Of the async proxy, else null.
  const AsyncAccess *async;
  /// Lanes that take part, the bytes of each and its address, if overlaps
  /// inside the instruction matter.
  uint32_t mask = 0;
  unsigned bytes = 0;
  llvm::function_ref<uint64_t(unsigned)> addresses = nullptr;

  RaceState &state;
  Knowledge &mine;
  uint32_t me, actor, clock;

  Visit(Warp &warp, const Instr &instruction, Block *owner, bool write,
        Order order, const AsyncAccess *async);
  /// This access to bytes `mask` of a cell.
  AccessEntry entry(uint16_t mask, const LanePattern &lanes) const;
  /// Bytes `mask` of the cell at `address`. False after a trap.
  bool cell(RaceCell &c, CellPool &pool, uint64_t address, uint16_t mask,
            const LanePattern &lanes);
  /// Traps: the write of `lane` to `address` is not ordered after `e`.
  void reportWrite(const AccessEntry &e, uint64_t address, unsigned lane) const;

private:
  /// The entry that lanesOrdered compares with, if it is a read.
  const AccessEntry *currentRead = nullptr;

  uint8_t entryFlags() const {
    return (async ? EntryAsync : 0) |
           (order.strong ? EntryStrong | order.scope * EntryScope : 0) |
           (order.compares ? EntryCompares : 0);
  }
  bool mayMerge(const AccessEntry &e) const;
  bool repeatsRead(RaceCell &c, uint16_t mask, const LanePattern &p) const;
  uint8_t unaware(const AccessEntry &e, uint32_t other, uint64_t address,
                  uint16_t mask, const LanePattern &p, bool fenced) const;
  bool isAware(unsigned lane, const AccessEntry &e, uint32_t other,
               unsigned half, uint64_t address, bool fenced) const;
  bool isBefore(const AccessEntry &e, const LanePattern &p) const;
  Scope distance(const AccessEntry &e, uint32_t cluster, uint32_t warp) const;
  bool bothStrong(const AccessEntry &e) const;
  bool isObserved(const AccessEntry &e, uint64_t address, unsigned lane) const;
  uint8_t firstLane(uint8_t ours, uint64_t address, unsigned two,
                    llvm::function_ref<bool(unsigned)> which) const;
  bool lanesOrdered(const AccessEntry &e, uint64_t address, uint16_t mask,
                    const LanePattern &p) const;
  bool checkWrite(const AccessEntry &e, uint64_t address, uint16_t mask,
                  const LanePattern &p);
  bool checkRead(const AccessEntry &e, uint64_t address, uint16_t mask,
                 const LanePattern &p);
  static uint64_t firstByte(const AccessEntry &e, uint64_t address,
                            uint16_t mask);
  void merge(AccessEntry &e, uint16_t mask, const LanePattern &p,
             bool isRead) const;
  void recordWrite(RaceCell &c, CellPool &pool, uint16_t mask,
                   const LanePattern &p) const;
  void recordRead(RaceCell &c, CellPool &pool, uint16_t mask,
                  const LanePattern &p) const;
  void report(Trap::Kind kind, const AccessEntry &e, uint64_t address,
              bool otherWrites, const char *why, uint32_t otherActor,
              unsigned lane, const std::string &detail = "") const;
};

/// The access of a whole warp that acts as one (tensormap.cp_fenceproxy); its
/// lanes are ordered by it.
void raceWhole(Warp &warp, const Instr &instruction, const Place &place,
               uint64_t address, unsigned bytes, Access access);

/// What a strong access to `owner`'s shared memory (null: global) learns before
/// it, and tells after it.
void strongRead(Warp &warp, uint32_t mask, const Block *owner, uint64_t address,
                const Order &order);
void strongWrite(Warp &warp, unsigned lane, const Block *owner,
                 uint64_t address, const Order &order);

/// Where the address is: "0x40 of shared memory ('tile' + 64)".
std::string describePlace(Warp &warp, const Block *owner, uint64_t address);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CHECKS_RACECELL_H
