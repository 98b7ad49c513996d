//===- Grid.cpp - Scheduling of the blocks of a launch ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Clusters (single blocks, mostly) are dealt to host threads; inside one the
// warps run in turns until they wait. Results do not depend on the number of
// host threads: blocks share nothing but global memory, and a kernel whose
// blocks may notice each other there runs on one. In such a kernel a cluster
// that has used up its turn steps back and others go on, so that blocks may
// wait for each other as far as the hardware could hold them together.
//
//===----------------------------------------------------------------------===//

#include "Async/Wgmma.h"
#include "Checks/RaceCell.h"
#include "Machine/Registers.h"

#include <algorithm>
#include <chrono>
#include <thread>

#include <fmt/format.h>

using namespace napkin::executor;

/// Warp instructions that a cluster issues before others get their turn.
static constexpr uint64_t turnInstructions = uint64_t(1) << 18;
/// The same once nobody has ended for some rounds.
static constexpr uint64_t quietTurnInstructions = turnInstructions / 64;
/// Rounds in which each warp polls or sleeps, and some poll, after which they
/// wait for others.
static constexpr unsigned restlessRounds = 4;
/// Storage that clusters in progress may take together, in bytes.
static constexpr uint64_t residentBytes = uint64_t(1) << 30;

void Machine::startRun(Worker &worker, ClusterRun &run) {
  const uint64_t cluster = run.cluster;
  uint32_t size = clusterSize();
  while (run.blocks.size() < size)
    run.blocks.push_back(std::make_unique<BlockStorage>());
  uint64_t clusters[3];
  for (unsigned d = 0; d < 3; ++d)
    clusters[d] = config.grid[d] / config.cluster[d];
  uint64_t at[3] = {cluster % clusters[0], cluster / clusters[0] % clusters[1],
                    cluster / clusters[0] / clusters[1]};
  run.members.clear();
  run.warps.clear();
  for (uint32_t r = 0; r < size; ++r) {
    BlockStorage &s = *run.blocks[r];
    uint32_t inside[3] = {r % config.cluster[0],
                          r / config.cluster[0] % config.cluster[1],
                          r / config.cluster[0] / config.cluster[1]};
    for (unsigned d = 0; d < 3; ++d)
      s.block.index[d] = at[d] * config.cluster[d] + inside[d];
    s.block.rank = r;
    s.block.clusterSize = size;
    run.members.push_back(&s.block);
    startBlock(worker, s, cluster * size + r);
    if (cache)
      s.block.cacheLog = cache->beginBlock();
  }
  for (Block *b : run.members) {
    b->cluster = run.members.data();
    for (uint32_t x = 0; x < b->numWarps; ++x)
      run.warps.push_back(&b->warps[x]);
  }
  run.live = run.warps.size();
  if (run.members[0]->races)
    startClocks(run.races, uint32_t(cluster) + 1, run.members);
  startCluster(run.state, run.members);
  if (!options.seed)
    return;
  uint64_t state = options.seed * 0x9e3779b97f4a7c15ull + cluster;
  for (size_t k = run.warps.size(); k > 1; --k) {
    state = state * 6364136223846793005ull + 1442695040888963407ull;
    std::swap(run.warps[k - 1], run.warps[(state >> 33) % k]);
  }
}

/// The last warp of a block checks what the block leaves behind; false after a
/// trap.
bool Machine::warpEnds(ClusterRun &run, Warp &w) {
  --run.live;
  Block &b = *w.block;
  b.done = true;
  for (uint32_t x = 0; x < b.numWarps; ++x)
    b.done &= b.warps[x].wait == WaitKind::Done;
  if (b.done && cache)
    cache->endBlock();
  return !b.done || blockEnded(b);
}

Machine::RunState Machine::advance(Worker &worker, ClusterRun &run) {
  uint64_t quantum = options.seed ? 200 + (options.seed * 7919) % 5000 : 20000;
  const uint64_t turn =
      worker.spins->isQuiet() ? quietTurnInstructions : turnInstructions;
  run.issued = 0;
  unsigned restless = 0;
  while (run.live) {
    // Whether some warp did more than look at what others write, or than to
    // look or sleep.
    bool progress = false, runs = false, polls = false, works = false;
    for (Warp *w : run.warps) {
      if (w->wait != WaitKind::None)
        continue;
      uint64_t before = w->issued;
      runWarp(*w, quantum);
      run.issued += w->issued - before;
      runs = true;
      progress |= !w->polled || w->wait != WaitKind::None;
      polls |= w->polled;
      works |= (!w->polled && !w->slept) || w->wait != WaitKind::None;
      if (w->event & EventTrap)
        return RunState::Stopped;
      if (w->wait == WaitKind::Done && !warpEnds(run, *w))
        return RunState::Stopped;
    }
    if (stopAt.load(std::memory_order_relaxed) < run.cluster)
      return RunState::Stopped;
    restless = works ? 0 : restless + (polls || restless);
    if (restless > restlessRounds)
      progress = false;
    if (!progress && !completePending(run.members)) {
      if (runs)
        return RunState::Suspended;
      deadlock(run.members);
      return RunState::Stopped;
    }
    if (run.issued > turn)
      return RunState::Suspended;
  }
  for (Block *b : run.members)
    worker.barriers += b->async->barriersCompleted;
  return RunState::Finished;
}

void Machine::clusterFinished() {
  std::lock_guard<std::mutex> lock(mutex);
  blocksDone += clusterSize();
  if (options.progress)
    options.progress(blocksDone, wanted * clusterSize());
}

/// The places in memory that the loops of a warp look at.
std::string Machine::polledPlaces(Warp &w, const std::vector<bool> &executed) {
  std::string text;
  const unsigned l = w.active ? __builtin_ctz(w.active) : 0;
  for (const Instr &i : program.code) {
    llvm::StringRef opcode = program.sources[i.source].ptx->opcode;
    if (!executed[i.source] || i.list == nullptr || i.a == noRegister ||
        (opcode != "ld" && opcode != "atom"))
      continue;
    uint64_t address = i.offset + (i.small0 == 8 ? lane<uint64_t>(w, i.a)[l]
                                                 : lane<uint32_t>(w, i.a)[l]);
    bool isGlobal = device.find(address) != nullptr;
    if (!isGlobal && address >= w.block->sharedBytes)
      continue;
    text += fmt::format("{} {} at line {}", text.empty() ? ", looks at" : ",",
                        describePlace(w, isGlobal ? nullptr : w.block, address),
                        lineOf(i.source));
    if (text.size() > 200)
      break;
  }
  return text;
}

/// Every resident cluster goes round in a state that came back.
void Machine::spinning(Worker &worker, llvm::ArrayRef<Warp *> warps) {
  std::string graph;
  unsigned shown = 0, running = 0;
  Warp *first = nullptr;
  for (Warp *w : warps) {
    running += w->wait == WaitKind::None;
    if (!first || (first->wait != WaitKind::None && w->wait == WaitKind::None))
      first = w;
    if (++shown > 16)
      continue;
    const Instr &at = w->code[w->pc];
    graph += fmt::format(
        "\n    block {} warp {} {} at line {}{}", w->block->linear, w->index,
        w->wait == WaitKind::None ? "is" : "waits",
        lineOf(w->wait == WaitKind::None || !w->pc ? at.source
                                                   : w->code[w->pc - 1].source),
        w->wait == WaitKind::None
            ? polledPlaces(*w, worker.spins->instructions())
            : fmt::format(" for {}", describeWait(*w)));
  }
  if (shown > 16)
    graph += fmt::format("\n    and {} more", shown - 16);
  uint64_t waiting = wanted - std::min<uint64_t>(nextCluster, wanted);
  first->event = 0;
  trap(*first, first->code[first->pc],
       first->active ? __builtin_ctz(first->active) : 0, Trap::Kind::Deadlock,
       fmt::format("no warp can go on: {} in a loop in which nothing changes "
                   "any more, neither memory nor what steers the loop{}:{}",
                   running == 1 ? "one is" : fmt::format("{} are", running),
                   waiting ? fmt::format("; {} blocks found no room to start",
                                         waiting * clusterSize())
                           : "",
                   graph));
}

/// After a round over the resident clusters: true if none can ever end.
bool Machine::keepsSpinning(Worker &worker) {
  std::vector<Warp *> warps;
  for (const auto &run : worker.resident)
    for (Warp *w : run->warps)
      if (w->wait != WaitKind::Done)
        warps.push_back(w);
  if (!worker.spins->roundEnded(warps, worker.counters))
    return false;
  // A copy that has not arrived yet may be what they wait for.
  bool arrives = false;
  for (const auto &run : worker.resident)
    arrives |= completePending(run->members);
  if (arrives) {
    worker.spins->reset();
    return false;
  }
  spinning(worker, warps);
  return true;
}

uint64_t Machine::concurrentBlocks() const {
  return options.hardware ? uint64_t(options.hardware->multiprocessors) *
                                occupancy.blocksPerMultiprocessor
                          : 0;
}

uint64_t Machine::residentLimit() const {
  if (!program.mayWaitForBlocks)
    return 1;
  if (uint64_t blocks = concurrentBlocks())
    return std::max<uint64_t>(1, blocks / clusterSize());
  uint64_t threads =
      uint64_t(config.block[0]) * config.block[1] * config.block[2];
  uint64_t bytes = clusterSize() *
                   (2 * sharedBytes + threads / lanes * program.registerBytes +
                    2 * threads * program.localBytes + 4096);
  return std::clamp<uint64_t>(residentBytes / bytes, 256, 4096);
}

/// The cluster that is run `k`-th: the first and the last, and evenly between,
/// so that edges are among them. A grid has up to 2^63 clusters: the product is
/// taken apart, and nothing is stored per cluster.
uint64_t Machine::chosen(uint64_t k) const {
  if (wanted < 2)
    return 0;
  uint64_t step = (clusters - 1) / (wanted - 1),
           rest = (clusters - 1) % (wanted - 1);
  return k * step + k * rest / (wanted - 1);
}

/// Room and a number for one more cluster; null if there is none.
ClusterRun *Machine::nextRun(Worker &worker,
                             std::vector<std::unique_ptr<ClusterRun>> &spare,
                             uint64_t limit) {
  if (worker.resident.size() >= limit)
    return nullptr;
  uint64_t next = nextCluster.fetch_add(1);
  if (next >= wanted || chosen(next) > stopAt.load())
    return nullptr;
  if (spare.empty())
    spare.push_back(std::make_unique<ClusterRun>());
  worker.resident.push_back(std::move(spare.back()));
  spare.pop_back();
  worker.resident.back()->cluster = chosen(next);
  return worker.resident.back().get();
}

void Machine::worker(Worker &worker) {
  std::vector<std::unique_ptr<ClusterRun>> spare;
  const uint64_t limit = residentLimit();
  size_t turn = 0, live = 0;
  while (true) {
    if (ClusterRun *next = nextRun(worker, spare, limit)) {
      turn = worker.resident.size() - 1;
      startRun(worker, *next);
      worker.spins->reset();
    } else if (worker.resident.empty()) {
      return;
    } else if (++turn >= worker.resident.size()) {
      turn = 0;
      size_t before = live;
      live = 0;
      for (const auto &run : worker.resident)
        live += run->live;
      if (live != before)
        worker.spins->reset();
      else if (keepsSpinning(worker))
        return;
    }
    RunState state = advance(worker, *worker.resident[turn]);
    if (state == RunState::Suspended)
      continue;
    if (state == RunState::Finished)
      clusterFinished();
    else if (program.mayWaitForBlocks)
      return;
    spare.push_back(std::move(worker.resident[turn]));
    worker.resident.erase(worker.resident.begin() + turn);
    // The next in turn has moved up.
    --turn;
  }
}

/// Computes what a block takes; an error if the hardware cannot hold one.
llvm::Error Machine::fit() {
  sharedBytes = program.staticShared + config.dynamicSharedBytes;
  const ptx::Function &entry = *program.entry;
  uint32_t registers = options.registersPerThread ? options.registersPerThread
                                                  : entry.maxRegisters;
  Hardware none;
  occupancy =
      executor::occupancy(options.hardware.value_or(none),
                          config.block[0] * config.block[1] * config.block[2],
                          registers, sharedBytes);
  auto error = [&](const std::string &what) {
    return llvm::createStringError(
        llvm::inconvertibleErrorCode(), "%s",
        fmt::format("{}:{}: error: kernel '{}': {}", program.module->file,
                    entry.position.line, entry.name.str(), what)
            .c_str());
  };
  if (!options.hardware)
    return options.cacheModel
               ? error("the model of the L2 cache needs a hardware description")
               : llvm::Error::success();
  if (sharedBytes > options.hardware->sharedBytes)
    return error(fmt::format("{} bytes of shared memory exceed the {} bytes "
                             "that a block may have on {}",
                             sharedBytes, options.hardware->sharedBytes,
                             options.hardware->name));
  if (!occupancy.blocksPerMultiprocessor)
    return error(fmt::format("not one block fits into a multiprocessor of {}: "
                             "the limit is its {}",
                             options.hardware->name, occupancy.limit));
  return llvm::Error::success();
}

llvm::Expected<LaunchResult> Machine::run() {
  auto start = std::chrono::steady_clock::now();
  clusters = 1;
  for (unsigned d = 0; d < 3; ++d)
    clusters *= config.grid[d] / config.cluster[d];
  const uint64_t size = clusterSize();
  wanted = clusters;
  if (options.sampleBlocks && options.sampleBlocks / size < clusters)
    wanted = (options.sampleBlocks + size - 1) / size;
  if (llvm::Error error = fit())
    return std::move(error);
  unsigned threads =
      options.threads ? options.threads : std::thread::hardware_concurrency();
  if (program.hasGlobalAtomics || program.mayWaitForBlocks ||
      options.cacheModel)
    threads = 1;
  if (options.cacheModel) {
    for (SourceInfo &source : program.sources)
      source.inL1 = mayStayInL1(*source.ptx);
    cache =
        std::make_unique<Cache>(*options.hardware, concurrentBlocks(), size,
                                firstLevelBytes(*options.hardware, occupancy));
  }
  threads = std::max<uint64_t>(1, std::min<uint64_t>(threads, wanted));
  std::vector<Worker> pool(threads);
  for (Worker &w : pool) {
    w.counters.resize(program.sources.size());
    w.regions.resize(program.sources.size(), nullptr);
    w.operands = std::make_unique<OperandCache>();
    w.spins = std::make_unique<SpinWatch>(program);
  }
  if (options.progress)
    options.progress(0, wanted * size);
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
  for (const Worker &w : pool)
    if (w.globalRaces.isFull && result.notes.empty())
      result.notes.push_back(
          "data races in global memory were only looked for in what each host "
          "thread touched first: its table has a GiB");
  collectTraps(result);
  std::stable_sort(
      printed.begin(), printed.end(),
      [](const auto &a, const auto &b) { return a.first < b.first; });
  for (const auto &[block, text] : printed)
    result.printed += text;
  result.seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  return std::move(result);
}
