//===- RaceGlobal.h - Happens-before in global memory ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each host thread keeps its own table; tables are compared at the end.
//
// A RaceCell has 96 bytes for 16 of memory. Here the cells that one instruction
// of one warp touched share what is the same in all of them, the event; a cell
// keeps its number, the bytes and the lanes: 8 bytes each for the last write
// and the last read, 6 for the last read by another cluster. Of a page those
// kinds exist that occurred in it: most arrays are only read or only written.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CHECKS_RACEGLOBAL_H
#define NAPKIN_LIB_EXECUTOR_CHECKS_RACEGLOBAL_H

#include "Checks/BlockOrder.h"
#include "Checks/Race.h"

#include <array>
#include <optional>

namespace napkin::executor {

struct Visit;

/// Events by number, from 1 on, as long as records name them.
class AccessEvents {
public:
  const AccessEvent &operator[](uint32_t number) const {
    return slot(number).event;
  }
  /// The number of an event, for one more record.
  uint32_t use(const AccessEvent &event);
  /// The same of an event that has a number.
  void use(uint32_t number) { ++slot(number).uses; }
  void drop(uint32_t number);
  uint64_t bytes() const { return chunks.size() * sizeof(Chunk); }

private:
  struct Slot {
    AccessEvent event;
    uint32_t uses = 0;
  };
  using Chunk = std::array<Slot, 4096>;
  Slot &slot(uint32_t number) { return (*chunks[number >> 12])[number & 4095]; }
  const Slot &slot(uint32_t number) const {
    return (*chunks[number >> 12])[number & 4095];
  }

  std::vector<std::unique_ptr<Chunk>> chunks;
  uint32_t count = 1, last = 0;
  std::vector<uint32_t> free;
};

/// The lanes of a cell's bytes by number.
class LanePatterns {
public:
  /// Stands for lanes that are kept elsewhere, when all numbers are taken.
  static constexpr uint16_t none = 0xffff;
  const LanePattern &operator[](uint16_t number) const {
    return patterns[number];
  }
  uint16_t numberOf(const LanePattern &pattern);

private:
  struct Known {
    uint64_t lanes = 0;
    uint16_t number = none;
  };
  std::vector<LanePattern> patterns;
  std::unordered_map<uint64_t, uint16_t> numbers;
  std::array<Known, 512> recent;
};

/// An AccessEntry in short; without bytes there is none.
struct AccessRecord {
  uint32_t event = 0;
  uint16_t mask = 0, lanes = 0;
};

/// The cells of 4 KiB.
struct GlobalPage {
  static constexpr unsigned cells = 256;
  struct Readers {
    std::array<uint32_t, cells> event{};
    std::array<uint16_t, cells> mask{};
  };
  using Records = std::array<AccessRecord, cells>;
  std::unique_ptr<Records> writes, reads;
  /// Reads by another cluster than that of the last read.
  std::unique_ptr<Readers> others;
  /// RaceCell::overflow.
  std::unique_ptr<std::array<uint32_t, cells>> overflows;
};

/// The accesses of one host thread to global memory.
class GlobalRaces {
public:
  /// Checks an access to bytes `mask` of the cell at `address` and keeps it.
  /// False after a trap. Beyond the limit of memory nothing is looked at.
  bool visit(Visit &visit, uint64_t address, uint16_t mask,
             const LanePattern &lanes);
  /// What is known of a 16-byte unit.
  std::optional<RaceCell> find(uint64_t unit) const;
  CellPool pool;
  /// By unit >> 8.
  std::unordered_map<uint64_t, std::unique_ptr<GlobalPage>> pages;
  /// Accesses beyond the limit of memory were not watched.
  bool isFull = false;

private:
  GlobalPage *pageOf(uint64_t key);
  bool isQuick(const Visit &visit, const GlobalPage &page, unsigned k,
               uint16_t mask, const LanePattern &lanes) const;
  RaceCell load(const GlobalPage &page, uint64_t unit) const;
  void store(GlobalPage &page, uint64_t unit, const RaceCell &cell);
  AccessEntry expand(const AccessRecord &record, uint64_t unit,
                     bool writes) const;
  void keep(std::unique_ptr<GlobalPage::Records> &records, uint64_t unit,
            const AccessEntry &entry, bool writes);
  void keepOther(GlobalPage &page, unsigned k, const RaceCell &cell);

  AccessEvents events;
  LanePatterns patterns;
  /// By unit * 2 + whether it writes: lanes without a number.
  std::unordered_map<uint64_t, LanePattern> rareLanes;
  uint64_t lastKey = ~uint64_t(0), pageBytes = 0;
  GlobalPage *last = nullptr;
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CHECKS_RACEGLOBAL_H
