//===- Machine.cpp - Scheduling of blocks and warps ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Clusters (single blocks, mostly) are dealt to host threads; inside one the
// warps run in turns until they wait. Results do not depend on the number of
// host threads: blocks share nothing but global memory, and a kernel with
// global atomics runs on one.
//
//===----------------------------------------------------------------------===//

#include "Launch.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <thread>

#include <fmt/format.h>

using namespace napkin::executor;

Machine::Machine(Program &program, Device &device, const LaunchConfig &config,
                 const Options &options)
    : program(program), device(device), config(config), options(options) {}

uint32_t Machine::lineOf(uint32_t source) const {
  return source < program.sources.size()
             ? program.sources[source].ptx->position.line
             : 0;
}

void Machine::trap(Warp &w, const Instr &i, unsigned lane, Trap::Kind kind,
                   std::string message, uint64_t address, uint32_t otherSource,
                   std::string other) {
  if (w.event & EventTrap)
    return;
  w.event |= EventTrap;
  const ptx::Instruction &ptx = *program.sources[i.source].ptx;
  Trap t;
  t.kind = kind;
  t.message = std::move(message);
  t.line = ptx.position.line;
  t.text = ptx.text.str();
  if (ptx.position.sourceLine) {
    t.sourceFile = program.module->sourceFiles.lookup(ptx.position.sourceFile);
    t.sourceLine = ptx.position.sourceLine;
  }
  for (unsigned d = 0; d < 3; ++d)
    t.block[d] = w.block->index[d];
  uint32_t thread = w.index * lanes + lane;
  t.thread = {thread % config.block[0],
              thread / config.block[0] % config.block[1],
              thread / config.block[0] / config.block[1]};
  t.address = address;
  if (otherSource != ~0u) {
    t.otherLine = lineOf(otherSource);
    t.other = other.empty() ? program.sources[otherSource].ptx->text.str()
                            : std::move(other);
  } else {
    t.other = std::move(other);
  }
  uint64_t key = w.block->linear / std::max(1u, w.block->clusterSize);
  std::lock_guard<std::mutex> lock(mutex);
  traps.push_back({key, std::move(t)});
  uint64_t before = stopAt.load();
  while (key < before && !stopAt.compare_exchange_weak(before, key))
    ;
}

static uint32_t laneMaskBelow(unsigned l) { return (1u << l) - 1; }

static uint64_t specialValue(Special s, const Block &b, const LaunchConfig &c,
                             const Warp &w, unsigned l, uint64_t sharedBytes,
                             uint64_t dynamicBytes) {
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
  case Special::Nsmid:
    return 1;
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
  b.sharedBytes = sharedBytes;
  b.localBytes = (program.localBytes + 15) & ~uint64_t(15);
  s.shared.assign(sharedBytes + 16, 0);
  s.sharedShadow.assign(sharedBytes + 16, shadowFresh);
  s.local.assign(b.localBytes * warps * lanes, 0);
  s.localShadow.assign(b.localBytes * warps * lanes, shadowFresh);
  uint32_t registerBytes = (program.registerBytes + 63) & ~63u;
  s.registers.assign(uint64_t(registerBytes) * warps + 64, 0);
  s.predicates.assign(uint64_t(program.predicates) * warps + 1, 0);
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
    w.block = &b;
    w.machine = this;
    w.index = x;
    w.async = &s.warpAsync[x];
    w.random =
        (options.seed + 1) * 0x9e3779b97f4a7c15ull + linear * 1000003 + x;
    for (auto [special, reference] : program.specials)
      for (unsigned l = 0; l < lanes; ++l) {
        uint64_t value = specialValue(special, b, config, w, l, sharedBytes,
                                      config.dynamicSharedBytes);
        if (special == Special::Gridid || special == Special::Zero64)
          std::memcpy(w.base[0] + reference + 8 * l, &value, 8);
        else
          std::memcpy(w.base[0] + reference + 4 * l, &value, 4);
      }
  }
  startRaces(s);
}

/// Chooses the next fragment of a warp; traps if none can go on.
void Machine::reselect(Warp &w) {
  // Bring the running fragment into the list.
  if (w.active) {
    Fragment &f = w.fragments[w.others++];
    f.pc = w.pc;
    f.mask = w.active;
    f.awaits = w.awaits;
    f.depth = w.depth;
    std::memcpy(f.stack, w.stack, sizeof(uint32_t) * w.depth);
  }
  w.awaits = 0;
  w.active = 0;
  if (!w.others)
    return;
  auto same = [](const Fragment &a, const Fragment &b) {
    return a.pc == b.pc && a.depth == b.depth &&
           std::equal(a.stack, a.stack + a.depth, b.stack);
  };
  for (uint32_t a = 0; a < w.others; ++a)
    for (uint32_t b = a + 1; b < w.others;) {
      if (!same(w.fragments[a], w.fragments[b])) {
        ++b;
        continue;
      }
      w.fragments[a].mask |= w.fragments[b].mask;
      w.fragments[a].awaits |= w.fragments[b].awaits;
      w.fragments[b] = w.fragments[--w.others];
    }
  uint32_t best = ~0u;
  auto ready = [&](Fragment &f) {
    return !f.awaits || !(f.awaits & w.alive & ~f.mask);
  };
  for (uint32_t f = 0; f < w.others; ++f) {
    Fragment &x = w.fragments[f];
    if (!ready(x))
      continue;
    // Lanes that only leave go first: nobody has to wait for them.
    if (w.code[x.pc].flags & IsExit && w.code[x.pc].guard == noGuard) {
      best = f;
      break;
    }
    bool turn = w.rotate && x.pc != w.lastPc;
    if (best == ~0u ||
        (turn ? w.fragments[best].pc == w.lastPc || x.pc < w.fragments[best].pc
              : x.pc < w.fragments[best].pc && !(w.rotate && x.pc == w.lastPc)))
      best = f;
  }
  if (best == ~0u) {
    Fragment &f = w.fragments[0];
    const Instr &i = w.code[f.pc];
    uint32_t missing = f.awaits & w.alive & ~f.mask;
    uint32_t other = ~0u;
    for (uint32_t x = 1; x < w.others; ++x)
      if (w.fragments[x].mask & missing)
        other = w.code[w.fragments[x].pc].source;
    trap(w, i, __builtin_ctz(f.mask), Trap::Kind::DivergentBarrier,
         fmt::format("lanes {:#010x} wait here for lanes {:#010x} of their "
                     "warp, which wait "
                     "elsewhere",
                     f.mask, missing),
         0, other);
    return;
  }
  Fragment x = w.fragments[best];
  w.fragments[best] = w.fragments[--w.others];
  w.pc = x.pc;
  w.active = x.mask;
  w.depth = x.depth;
  std::memcpy(w.stack, x.stack, sizeof(uint32_t) * x.depth);
  w.mergePc = ~0u;
  if (!w.rotate)
    for (uint32_t f = 0; f < w.others; ++f)
      if (!w.fragments[f].awaits || w.fragments[f].pc != x.pc)
        w.mergePc = std::min(w.mergePc, w.fragments[f].pc);
}

/// All live lanes must execute this instruction together. False: not now.
bool Machine::checkAligned(Warp &w, const Instr &i, uint32_t mask) {
  if (mask == w.alive)
    return true;
  if (w.active == w.alive) {
    trap(w, i, __builtin_ctz(w.alive & ~mask), Trap::Kind::DivergentBarrier,
         fmt::format("lanes {:#010x} of the warp do not take part: the guard "
                     "differs between "
                     "lanes of an .aligned instruction",
                     w.alive & ~mask));
    return false;
  }
  w.awaits = w.alive;
  w.event |= EventReselect;
  return false;
}

void Machine::warpFinished(Warp &w) {
  w.wait = WaitKind::Done;
  warpEnded(w);
  for (unsigned id = 0; id < 16; ++id)
    if (!w.block->async->barriers[id].expected)
      tryOpenBarrier(*w.block, id);
}

void Machine::runWarp(Warp &w, uint64_t quantum) {
  const Instr *code = w.code;
  w.event = 0;
  uint64_t count = 0;
  for (; count < quantum; ++count) {
    if (w.pc >= w.mergePc) {
      reselect(w);
      if (w.event & EventTrap)
        return;
    }
    const Instr &i = code[w.pc];
    uint32_t mask = w.active;
    if (i.guard != noGuard)
      mask &= i.guardNegated ? ~w.predicates[i.guard] : w.predicates[i.guard];
    if ((i.flags & Aligned) && mask && mask != w.alive &&
        !checkAligned(w, i, mask)) {
      if (w.event & EventTrap)
        return;
      w.event = 0;
      reselect(w);
      if (w.event & EventTrap)
        return;
      continue;
    }
    if (i.flags & Counted) {
      InstructionCounters &c = w.counters[i.source];
      c.warps++;
      c.threads += __builtin_popcount(mask);
    }
    if ((i.flags & TouchesProducts) && mask && !touchProducts(w, i))
      return;
    ++w.pc;
    if (mask)
      i.run(w, i, mask);
    if (!w.event)
      continue;
    if (w.event & EventTrap)
      return;
    uint32_t event = w.event;
    w.event = 0;
    if (event & EventExit) {
      if (!w.alive) {
        w.issued += count;
        warpFinished(w);
        return;
      }
      // Lanes that left must not be what an .aligned instruction waits for.
      for (uint32_t f = 0; f < w.others; ++f)
        if (w.fragments[f].awaits &&
            (code[w.fragments[f].pc].flags & Aligned) &&
            !(code[w.fragments[f].pc].flags & NotStrict)) {
          const Instr &at = code[w.fragments[f].pc];
          trap(w, at, __builtin_ctz(w.fragments[f].mask),
               Trap::Kind::DivergentBarrier,
               fmt::format("lanes {:#010x} wait here, but lanes {:#010x} of "
                           "their warp end "
                           "without coming",
                           w.fragments[f].mask, mask),
               0, i.source);
          return;
        }
      reselect(w);
    } else if (event & EventReselect) {
      reselect(w);
    }
    if (w.event & EventTrap)
      return;
    if (event & (EventWait | EventYield)) {
      ++count;
      break;
    }
  }
  w.issued += count;
  if (w.issued > options.instructionLimit) {
    trap(w, code[w.pc], w.active ? __builtin_ctz(w.active) : 0,
         Trap::Kind::Limit,
         fmt::format("the warp has issued more than {} instructions",
                     options.instructionLimit));
    return;
  }
  // After a full quantum another fragment gets a turn: a lane that spins must
  // not keep out the lane it waits for.
  if (count >= quantum && w.others && w.wait == WaitKind::None) {
    w.rotate = !w.rotate;
    w.lastPc = w.pc;
    reselect(w);
  }
}

void Machine::deadlock(llvm::ArrayRef<Block *> blocks) {
  // The wait graph: every warp and what it waits for.
  std::string graph;
  Warp *first = nullptr;
  unsigned shown = 0;
  for (Block *b : blocks)
    for (uint32_t x = 0; x < b->numWarps; ++x) {
      Warp &w = b->warps[x];
      if (w.wait == WaitKind::Done || w.wait == WaitKind::None)
        continue;
      if (!first)
        first = &w;
      if (++shown > 24)
        continue;
      uint32_t source = w.code[w.pc ? w.pc - 1 : 0].source;
      graph += fmt::format("\n    block {} warp {} waits at line {} for {}",
                           b->linear, x, lineOf(source), describeWait(w));
    }
  if (!first)
    return;
  first->event = 0;
  trap(*first, first->code[first->pc ? first->pc - 1 : 0],
       first->active ? __builtin_ctz(first->active) : 0, Trap::Kind::Deadlock,
       "no warp can go on:" + graph);
}

void Machine::runCluster(Worker &worker, uint64_t cluster) {
  uint32_t size = config.cluster[0] * config.cluster[1] * config.cluster[2];
  while (worker.blocks.size() < size)
    worker.blocks.push_back(std::make_unique<BlockStorage>());
  llvm::SmallVector<Block *, 16> blocks;
  uint64_t clusters[3];
  for (unsigned d = 0; d < 3; ++d)
    clusters[d] = config.grid[d] / config.cluster[d];
  uint64_t at[3] = {cluster % clusters[0], cluster / clusters[0] % clusters[1],
                    cluster / clusters[0] / clusters[1]};
  for (uint32_t r = 0; r < size; ++r) {
    BlockStorage &s = *worker.blocks[r];
    uint32_t inside[3] = {r % config.cluster[0],
                          r / config.cluster[0] % config.cluster[1],
                          r / config.cluster[0] / config.cluster[1]};
    for (unsigned d = 0; d < 3; ++d)
      s.block.index[d] = at[d] * config.cluster[d] + inside[d];
    s.block.rank = r;
    s.block.clusterSize = size;
    blocks.push_back(&s.block);
    startBlock(worker, s, cluster * size + r);
    if (cache)
      cache->beginBlock();
  }
  for (Block *b : blocks)
    b->cluster = blocks.data();
  if (blocks[0]->races)
    startClocks(worker.races, blocks);
  startCluster(worker.cluster, blocks);
  std::vector<Warp *> warps;
  for (Block *b : blocks)
    for (uint32_t x = 0; x < b->numWarps; ++x)
      warps.push_back(&b->warps[x]);
  if (options.seed) {
    uint64_t state = options.seed * 0x9e3779b97f4a7c15ull + cluster;
    for (size_t k = warps.size(); k > 1; --k) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      std::swap(warps[k - 1], warps[(state >> 33) % k]);
    }
  }
  uint64_t quantum = options.seed ? 200 + (options.seed * 7919) % 5000 : 20000;
  size_t live = warps.size();
  while (live) {
    bool progress = false;
    for (Warp *w : warps) {
      if (w->wait != WaitKind::None)
        continue;
      runWarp(*w, quantum);
      progress = true;
      if (w->event & EventTrap)
        return;
      if (w->wait == WaitKind::Done) {
        --live;
        Block &b = *w->block;
        b.done = true;
        for (uint32_t x = 0; x < b.numWarps; ++x)
          b.done &= b.warps[x].wait == WaitKind::Done;
        if (b.done && !blockEnded(b))
          return;
      }
    }
    if (!progress && !completePending(blocks)) {
      deadlock(blocks);
      return;
    }
    if (stopAt.load(std::memory_order_relaxed) < cluster)
      return;
  }
  for (Block *b : blocks)
    worker.barriers += b->async->barriersCompleted;
}

void Machine::worker(Worker &worker) {
  while (true) {
    uint64_t next = nextCluster.fetch_add(1);
    if (next >= order.size() || order[next] > stopAt.load())
      return;
    runCluster(worker, order[next]);
    uint64_t size = config.cluster[0] * config.cluster[1] * config.cluster[2];
    std::lock_guard<std::mutex> lock(mutex);
    blocksDone += size;
    if (options.progress)
      options.progress(blocksDone, order.size() * size);
  }
}

llvm::Expected<LaunchResult> Machine::run() {
  auto start = std::chrono::steady_clock::now();
  uint64_t clusters = 1;
  for (unsigned d = 0; d < 3; ++d)
    clusters *= config.grid[d] / config.cluster[d];
  uint64_t size = config.cluster[0] * config.cluster[1] * config.cluster[2];
  uint64_t wanted = options.sampleBlocks
                        ? (options.sampleBlocks + size - 1) / size
                        : clusters;
  wanted = std::min(wanted, clusters);
  for (uint64_t k = 0; k < wanted; ++k)
    order.push_back(k * clusters / wanted);
  sharedBytes = program.staticShared + config.dynamicSharedBytes;
  unsigned threads =
      options.threads ? options.threads : std::thread::hardware_concurrency();
  if (program.hasGlobalAtomics || options.cache.bytes)
    threads = 1;
  if (options.cache.bytes)
    cache = std::make_unique<Cache>(options.cache);
  threads = std::max<uint64_t>(1, std::min<uint64_t>(threads, order.size()));
  std::vector<Worker> pool(threads);
  for (Worker &w : pool) {
    w.counters.resize(program.sources.size());
    w.regions.resize(program.sources.size(), nullptr);
  }
  std::vector<std::thread> running;
  for (unsigned t = 1; t < threads; ++t)
    running.emplace_back([this, &pool, t] { worker(pool[t]); });
  worker(pool[0]);
  for (std::thread &t : running)
    t.join();
  if (traps.empty())
    for (unsigned a = 0; a < threads && traps.empty(); ++a)
      for (unsigned b = a + 1; b < threads && traps.empty(); ++b)
        compareRaces(pool[a].globalRaces, pool[b].globalRaces);
  LaunchResult result;
  std::vector<InstructionCounters> sum(program.sources.size());
  Counters &c = result.counters;
  for (Worker &w : pool) {
    c.barriers += w.barriers;
    for (size_t s = 0; s < sum.size(); ++s)
      sum[s] += w.counters[s];
  }
  c.blocksExecuted = wanted * size;
  c.blocksInGrid = clusters * size;
  summarize(c, sum);
  if (cache)
    cache->finish(c);
  // Only the first cluster that trapped is certain to be the same every time.
  uint64_t earliest = ~uint64_t(0);
  for (auto &[key, t] : traps)
    earliest = std::min(earliest, key);
  for (auto &[key, t] : traps)
    if (key == earliest)
      result.traps.push_back(std::move(t));
  result.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return std::move(result);
}
