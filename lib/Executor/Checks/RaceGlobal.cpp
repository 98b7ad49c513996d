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

/// Pages of 4 KiB of device memory; 24 KiB of host memory each.
static constexpr size_t maximumPages = 1 << 15;

RaceCell *GlobalRaces::cell(uint64_t unit) {
  uint64_t key = unit >> 8;
  if (key != lastKey) {
    auto found = pages.find(key);
    if (found == pages.end()) {
      if (pages.size() >= maximumPages) {
        isFull = true;
        return nullptr;
      }
      found = pages.try_emplace(key, std::make_unique<GlobalPage>()).first;
    }
    lastKey = key;
    last = found->second.get();
  }
  return &last->cells[unit & 255];
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
    e.cluster = c.otherCluster;
    e.source = c.otherSource;
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
    auto found = b.pages.find(key);
    if (found == b.pages.end())
      continue;
    for (unsigned k = 0; k < 256; ++k) {
      bool isDone = false;
      eachEntry(entry.second->cells[k], a.pool,
                [&](const AccessEntry &x, bool xWrites) {
                  eachEntry(found->second->cells[k], b.pool,
                            [&](const AccessEntry &y, bool yWrites) {
                              if (isDone || !(x.mask & y.mask) ||
                                  (!xWrites && !yWrites) ||
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
