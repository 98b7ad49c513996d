//===- RaceGlobal.cpp - Tables of global memory ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See RaceGlobal.h.
//
//===----------------------------------------------------------------------===//

#include "Checks/RaceGlobal.h"
#include "Checks/RaceCell.h"

#include <fmt/format.h>

using namespace napkin::executor;

/// What a host thread's table may take. A page of 4 KiB takes 2 KiB for each
/// kind of access that occurred in it, and 28 bytes for each instruction that
/// was the last one somewhere.
static constexpr uint64_t maximumBytes = uint64_t(1) << 30;

uint32_t AccessEvents::use(const AccessEvent &event) {
  if (last && slot(last).uses && slot(last).event == event) {
    ++slot(last).uses;
    return last;
  }
  if (free.empty()) {
    if (count >> 12 == chunks.size())
      chunks.push_back(std::make_unique<Chunk>());
    free.push_back(count++);
  }
  last = free.back();
  free.pop_back();
  slot(last) = {event, 1};
  return last;
}

void AccessEvents::drop(uint32_t number) {
  if (!--slot(number).uses)
    free.push_back(number);
}

uint16_t LanePatterns::numberOf(const LanePattern &pattern) {
  uint64_t lanes;
  std::memcpy(&lanes, pattern.lane, 8);
  Known &known = recent[lanes * 0x9e3779b97f4a7c15ull >> 55];
  if (known.lanes == lanes && known.number != none)
    return known.number;
  auto found = numbers.find(lanes);
  if (found == numbers.end()) {
    if (patterns.size() == none)
      return none;
    found = numbers.try_emplace(lanes, uint16_t(patterns.size())).first;
    patterns.push_back(pattern);
  }
  known = {lanes, found->second};
  return found->second;
}

GlobalPage *GlobalRaces::pageOf(uint64_t key) {
  if (key == lastKey)
    return last;
  auto found = pages.find(key);
  if (found == pages.end()) {
    const uint64_t poolBytes = pool.overflows.size() * sizeof(CellOverflow);
    if (pageBytes + events.bytes() + poolBytes >= maximumBytes) {
      isFull = true;
      return nullptr;
    }
    found = pages.try_emplace(key, std::make_unique<GlobalPage>()).first;
    pageBytes += sizeof(GlobalPage);
  }
  lastKey = key;
  return last = found->second.get();
}

/// Whether nothing stands in the cell that an access must be compared with, or
/// only its own last read, so that keeping it is all there is to do.
bool GlobalRaces::isQuick(const Visit &v, const GlobalPage &page, unsigned k,
                          uint16_t mask, const LanePattern &lanes) const {
  if (page.overflows && (*page.overflows)[k])
    return false;
  const AccessRecord none;
  const AccessRecord &write = page.writes ? (*page.writes)[k] : none,
                     &read = page.reads ? (*page.reads)[k] : none;
  if (v.write)
    return !write.mask && !read.mask && !(page.others && page.others->mask[k]);
  if (!read.mask)
    return !(write.mask & mask);
  // The same bytes were read by the same actor and lanes, and not written
  // since: what was in order then is so now.
  if (read.mask != mask || read.lanes == LanePatterns::none ||
      !(patterns[read.lanes] == lanes.lane))
    return false;
  const AccessEvent &before = events[read.event];
  const AccessEntry now = v.entry(mask, lanes);
  return before.actor == now.actor && before.cluster == now.cluster &&
         before.flags == now.flags && before.warps == now.warps;
}

AccessEntry GlobalRaces::expand(const AccessRecord &record, uint64_t unit,
                                bool writes) const {
  AccessEntry e;
  if (!record.mask)
    return e;
  static_cast<AccessEvent &>(e) = events[record.event];
  e.mask = record.mask;
  const LanePattern &lanes = record.lanes == LanePatterns::none
                                 ? rareLanes.at(unit << 1 | writes)
                                 : patterns[record.lanes];
  std::memcpy(e.lane, lanes.lane, 8);
  return e;
}

void GlobalRaces::keep(std::unique_ptr<GlobalPage::Records> &records,
                       uint64_t unit, const AccessEntry &entry, bool writes) {
  const unsigned k = unit & (GlobalPage::cells - 1);
  if (!entry.mask) {
    if (records && (*records)[k].mask) {
      events.drop((*records)[k].event);
      (*records)[k] = AccessRecord();
    }
    return;
  }
  if (!records) {
    records = std::make_unique<GlobalPage::Records>();
    pageBytes += sizeof(GlobalPage::Records);
  }
  AccessRecord &record = (*records)[k];
  const AccessEvent &event = entry;
  if (!record.mask || !(events[record.event] == event)) {
    const uint32_t number = events.use(event);
    if (record.mask)
      events.drop(record.event);
    record.event = number;
  }
  record.mask = entry.mask;
  LanePattern lanes;
  std::memcpy(lanes.lane, entry.lane, 8);
  record.lanes = patterns.numberOf(lanes);
  if (record.lanes == LanePatterns::none)
    rareLanes[unit << 1 | writes] = lanes;
}

/// Before the read is kept, from which the other cluster's usually comes.
void GlobalRaces::keepOther(GlobalPage &page, unsigned k,
                            const RaceCell &cell) {
  if (!page.others) {
    if (!cell.otherMask)
      return;
    page.others = std::make_unique<GlobalPage::Readers>();
    pageBytes += sizeof(GlobalPage::Readers);
  }
  uint32_t &event = page.others->event[k];
  uint16_t &mask = page.others->mask[k];
  if (cell.otherMask && !(mask && events[event] == cell.other)) {
    uint32_t number =
        page.reads && (*page.reads)[k].mask ? (*page.reads)[k].event : 0;
    if (number && events[number] == cell.other)
      events.use(number);
    else
      number = events.use(cell.other);
    if (mask)
      events.drop(event);
    event = number;
  } else if (!cell.otherMask && mask) {
    events.drop(event);
  }
  mask = cell.otherMask;
}

RaceCell GlobalRaces::load(const GlobalPage &page, uint64_t unit) const {
  const unsigned k = unit & (GlobalPage::cells - 1);
  RaceCell cell;
  if (page.writes)
    cell.write = expand((*page.writes)[k], unit, true);
  if (page.reads)
    cell.read = expand((*page.reads)[k], unit, false);
  if (page.others && page.others->mask[k]) {
    cell.other = events[page.others->event[k]];
    cell.otherMask = page.others->mask[k];
  }
  if (page.overflows)
    cell.overflow = (*page.overflows)[k];
  return cell;
}

void GlobalRaces::store(GlobalPage &page, uint64_t unit, const RaceCell &cell) {
  const unsigned k = unit & (GlobalPage::cells - 1);
  keepOther(page, k, cell);
  keep(page.writes, unit, cell.write, true);
  keep(page.reads, unit, cell.read, false);
  if (!page.overflows) {
    if (!cell.overflow)
      return;
    page.overflows =
        std::make_unique<std::array<uint32_t, GlobalPage::cells>>();
    pageBytes += sizeof *page.overflows;
  }
  (*page.overflows)[k] = cell.overflow;
}

bool GlobalRaces::visit(Visit &v, uint64_t address, uint16_t mask,
                        const LanePattern &lanes) {
  const uint64_t unit = address >> 4;
  GlobalPage *page = pageOf(unit >> 8);
  if (!page)
    return true;
  if (isQuick(v, *page, unit & (GlobalPage::cells - 1), mask, lanes)) {
    keep(v.write ? page->writes : page->reads, unit, v.entry(mask, lanes),
         v.write);
    return true;
  }
  RaceCell cell = load(*page, unit);
  const bool goesOn = v.cell(cell, pool, address, mask, lanes);
  store(*page, unit, cell);
  return goesOn;
}

std::optional<RaceCell> GlobalRaces::find(uint64_t unit) const {
  auto found = pages.find(unit >> 8);
  if (found == pages.end())
    return std::nullopt;
  return load(*found->second, unit);
}

namespace {

/// Calls `visit` with every entry that writes, then with every one that reads.
template <class F>
void eachEntry(const RaceCell &c, CellPool &pool, F visit) {
  if (c.write.mask)
    visit(c.write, true);
  if (c.read.mask)
    visit(c.read, false);
  if (c.otherMask) {
    AccessEntry e;
    static_cast<AccessEvent &>(e) = c.other;
    e.mask = c.otherMask;
    visit(e, false);
  }
  if (const CellOverflow *o = pool.of(c)) {
    for (const AccessEntry &e : o->writes)
      visit(e, true);
    for (const AccessEntry &e : o->reads)
      visit(e, false);
  }
}

} // namespace

/// Compares the tables of two workers. Kernels with strong accesses run on one,
/// so nothing orders what two workers did.
void Machine::compareRaces(GlobalRaces &a, GlobalRaces &b) {
  const uint64_t size = clusterSize();
  auto report = [&](const AccessEntry &x, const AccessEntry &y,
                    uint64_t address) {
    Trap t;
    t.kind = Trap::Kind::Race;
    t.address = address + __builtin_ctz(uint32_t(x.mask & y.mask));
    const Region *region = device.find(t.address);
    uint64_t linear = (x.cluster - 1) * size;
    t.message = fmt::format(
        "a write at {:#x}{} and an access by {} {} are not ordered", t.address,
        region ? fmt::format(" ('{}' + {})", region->name,
                             t.address - region->begin)
               : "",
        size == 1 ? "block" : "cluster", y.cluster - 1);
    fillPlace(t, x.source, y.source);
    t.block = {uint32_t(linear % config.grid[0]),
               uint32_t(linear / config.grid[0] % config.grid[1]),
               uint32_t(linear / config.grid[0] / config.grid[1])};
    traps.push_back({x.cluster - 1, std::move(t)});
  };
  for (auto &entry : a.pages) {
    const uint64_t key = entry.first;
    if (!b.pages.count(key))
      continue;
    for (unsigned k = 0; k < GlobalPage::cells; ++k) {
      bool isDone = false;
      const RaceCell ours = *a.find(key << 8 | k),
                     theirs = *b.find(key << 8 | k);
      eachEntry(ours, a.pool, [&](const AccessEntry &x, bool xWrites) {
        eachEntry(theirs, b.pool, [&](const AccessEntry &y, bool yWrites) {
          if (isDone || !(x.mask & y.mask) || (!xWrites && !yWrites) ||
              x.cluster == y.cluster)
            return;
          isDone = true;
          uint64_t address = (key << 8 | k) << 4;
          if (xWrites)
            report(x, y, address);
          else
            report(y, x, address);
        });
      });
      if (isDone)
        return;
    }
  }
}
