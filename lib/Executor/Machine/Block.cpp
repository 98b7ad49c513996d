//===- Block.cpp - The state a block starts with ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Storage of a block and its warps, and their special registers.
//
//===----------------------------------------------------------------------===//

#include "Machine/Launch.h"

#include <cstring>

using namespace napkin::executor;

static uint32_t laneMaskBelow(unsigned l) { return (1u << l) - 1; }

static uint64_t specialValue(Special s, const Block &b, const LaunchConfig &c,
                             const Warp &w, unsigned l, uint64_t sharedBytes,
                             uint64_t dynamicBytes, uint32_t processors) {
  uint32_t thread = w.index * lanes + l;
  switch (s) {
  case Special::TidX:
    return thread % c.block[0];
  case Special::TidY:
    return thread / c.block[0] % c.block[1];
  case Special::TidZ:
    return thread / c.block[0] / c.block[1];
  case Special::NtidX:
    return c.block[0];
  case Special::NtidY:
    return c.block[1];
  case Special::NtidZ:
    return c.block[2];
  case Special::CtaidX:
    return b.index[0];
  case Special::CtaidY:
    return b.index[1];
  case Special::CtaidZ:
    return b.index[2];
  case Special::NctaidX:
    return c.grid[0];
  case Special::NctaidY:
    return c.grid[1];
  case Special::NctaidZ:
    return c.grid[2];
  case Special::Laneid:
    return l;
  case Special::Warpid:
    return w.index;
  case Special::Nwarpid:
    return b.numWarps;
  case Special::Smid:
    return b.linear / b.clusterSize % processors;
  case Special::Nsmid:
    return processors;
  case Special::LanemaskEq:
    return 1u << l;
  case Special::LanemaskLt:
    return laneMaskBelow(l);
  case Special::LanemaskLe:
    return laneMaskBelow(l) | 1u << l;
  case Special::LanemaskGe:
    return ~laneMaskBelow(l);
  case Special::LanemaskGt:
    return ~(laneMaskBelow(l) | 1u << l);
  case Special::ClusteridX:
    return b.index[0] / c.cluster[0];
  case Special::ClusteridY:
    return b.index[1] / c.cluster[1];
  case Special::ClusteridZ:
    return b.index[2] / c.cluster[2];
  case Special::NclusteridX:
    return c.grid[0] / c.cluster[0];
  case Special::NclusteridY:
    return c.grid[1] / c.cluster[1];
  case Special::NclusteridZ:
    return c.grid[2] / c.cluster[2];
  case Special::ClusterCtaidX:
    return b.index[0] % c.cluster[0];
  case Special::ClusterCtaidY:
    return b.index[1] % c.cluster[1];
  case Special::ClusterCtaidZ:
    return b.index[2] % c.cluster[2];
  case Special::ClusterNctaidX:
    return c.cluster[0];
  case Special::ClusterNctaidY:
    return c.cluster[1];
  case Special::ClusterNctaidZ:
    return c.cluster[2];
  case Special::ClusterCtarank:
    return b.rank;
  case Special::ClusterNctarank:
    return b.clusterSize;
  case Special::IsExplicitCluster:
    return b.clusterSize > 1;
  case Special::DynamicSmemSize:
    return dynamicBytes;
  case Special::TotalSmemSize:
  case Special::AggrSmemSize:
    return sharedBytes;
  default:
    return 0;
  }
}

void Machine::startBlock(Worker &worker, BlockStorage &s, uint64_t linear) {
  Block &b = s.block;
  uint32_t threads = config.block[0] * config.block[1] * config.block[2];
  uint32_t warps = (threads + lanes - 1) / lanes;
  uint32_t multiprocessors =
      options.hardware ? options.hardware->multiprocessors : 1;
  b.sharedBytes = sharedBytes;
  b.localBytes = (program.localBytes + 15) & ~uint64_t(15);
  s.shared.assign(sharedBytes + 16, 0);
  s.sharedShadow.assign(sharedBytes + 16, shadowFresh);
  std::fill_n(s.sharedShadow.begin(), program.reservedShared, shadowWritten);
  s.local.assign(b.localBytes * warps * lanes, 0);
  s.localShadow.assign(b.localBytes * warps * lanes, shadowFresh);
  uint32_t registerBytes = (program.registerBytes + 63) & ~63u;
  s.registers.assign(uint64_t(registerBytes) * warps + 64, 0);
  s.predicates.assign(uint64_t(program.predicates) * warps + 1, 0);
  const size_t followed = program.followedRegisters;
  s.written.assign(followed * warps, 0);
  s.fragments.resize(warps * lanes);
  s.warps.assign(warps, Warp());
  s.warpAsync.assign(warps, WarpAsync());
  s.async = BlockAsync();
  b.shared = s.shared.data();
  b.sharedShadow = s.sharedShadow.data();
  b.local = s.local.data();
  b.localShadow = s.localShadow.data();
  b.parameters = program.parameters.data();
  b.parameterBytes = program.parameters.size();
  b.warps = s.warps.data();
  b.numWarps = warps;
  b.numThreads = threads;
  b.linear = linear;
  b.checks = options.checks;
  b.races = options.checks && options.races;
  b.faithful = options.numerics == Numerics::Faithful;
  b.countOnly = options.countOnly;
  b.tensorCore = uint8_t(options.tensorCore);
  b.async = &s.async;
  b.machine = this;
  b.done = false;
  char *registers = s.registers.data();
  registers += (64 - reinterpret_cast<uintptr_t>(registers) % 64) % 64;
  for (uint32_t x = 0; x < warps; ++x) {
    Warp &w = s.warps[x];
    w.base[0] = registers + uint64_t(registerBytes) * x;
    w.base[1] = program.constants.data();
    w.written = s.written.data() + followed * x;
    w.predicates = s.predicates.data() + uint64_t(program.predicates) * x;
    w.code = program.code.data();
    uint32_t left = threads - x * lanes;
    w.existing = w.alive = w.active =
        left >= lanes ? allLanes : (1u << left) - 1;
    w.mergePc = ~0u;
    w.fragments = s.fragments.data() + x * lanes;
    w.counters = worker.counters.data();
    w.regions = worker.regions.data();
    w.globalRaces = b.races ? &worker.globalRaces : nullptr;
    w.operands = worker.operands.get();
    w.journal = &worker.spins->journal;
    w.block = &b;
    w.machine = this;
    w.index = x;
    w.async = &s.warpAsync[x];
    w.random =
        (options.seed + 1) * 0x9e3779b97f4a7c15ull + linear * 1000003 + x;
    for (auto [special, reference] : program.specials)
      for (unsigned l = 0; l < lanes; ++l) {
        uint64_t value =
            specialValue(special, b, config, w, l, sharedBytes,
                         config.dynamicSharedBytes, multiprocessors);
        if (special == Special::Gridid || special == Special::Zero64)
          std::memcpy(w.base[0] + reference + 8 * l, &value, 8);
        else
          std::memcpy(w.base[0] + reference + 4 * l, &value, 4);
      }
  }
  startRaces(s);
}
