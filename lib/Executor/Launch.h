//===- Launch.h - One launch in progress -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The machine: scheduling of blocks over host threads and of warps inside a
// block, traps, and the state of asynchronous work.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_LAUNCH_H
#define NAPKIN_LIB_EXECUTOR_LAUNCH_H

#include "Program.h"
#include "Race.h"

#include <atomic>
#include <mutex>

namespace napkin::executor {

/// One of a block's 16 barriers.
struct BarrierState {
  uint32_t arrived = 0;  ///< warps
  uint32_t expected = 0; ///< warps; 0: all that live
  uint32_t waiting = 0;  ///< mask of warps
  uint32_t participants = 0;
  uint32_t count = 0; ///< for red
  bool all = true, any = false;
  uint32_t source = 0;
  SyncClock sync;
};

/// One cp.async of a warp that has not been waited for.
struct PendingCopy {
  uint32_t mask = 0, source = 0;
  uint8_t bytes = 0;
  bool done = false; ///< data already moved (earliest completion)
  uint32_t target[lanes];
  const char *from[lanes];
  uint8_t fromBytes[lanes];
  uint32_t group[lanes];
};

struct WarpAsync {
  std::vector<PendingCopy> copies;
  /// Groups committed by each lane.
  uint32_t groups[lanes] = {};
};

struct BlockAsync {
  BarrierState barriers[16];
  uint64_t barriersCompleted = 0;
};

/// The storage of one block that runs.
struct BlockStorage {
  Block block;
  BlockAsync async;
  std::vector<Warp> warps;
  std::vector<WarpAsync> warpAsync;
  std::vector<Fragment> fragments;
  std::vector<char> shared, local, registers;
  std::vector<uint8_t> sharedShadow, localShadow;
  std::vector<uint32_t> predicates;
  std::vector<RaceCell> cells;
};

/// What each host thread owns.
struct Worker {
  std::vector<InstructionCounters> counters;
  std::vector<const RegionView *> regions;
  std::vector<std::unique_ptr<BlockStorage>> blocks;
  uint64_t barriers = 0;
  RaceState races;
};

class Machine {
public:
  Machine(Program &program, Device &device, const LaunchConfig &config, const Options &options);
  llvm::Expected<LaunchResult> run();

  /// Records a trap and stops the warp's block.
  void trap(Warp &warp, const Instr &instruction, unsigned lane, Trap::Kind kind,
            std::string message, uint64_t address = 0, uint32_t otherSource = ~0u,
            std::string other = "");
  uint32_t lineOf(uint32_t source) const;
  /// Feeds the L2 model.
  void cacheAccess(Warp &warp, const uint64_t *sectors, unsigned count, Access access);

  Program &program;
  Device &device;
  const LaunchConfig &config;
  const Options &options;

private:
  void runCluster(Worker &worker, uint64_t cluster);
  void startBlock(Worker &worker, BlockStorage &storage, uint64_t linear);
  void runWarp(Warp &warp, uint64_t quantum);
  bool checkAligned(Warp &warp, const Instr &instruction, uint32_t mask);
  void reselect(Warp &warp);
  void deadlock(llvm::ArrayRef<Block *> blocks);
  void summarize(Counters &counters, llvm::ArrayRef<InstructionCounters> sum);
  void warpFinished(Warp &warp);
  void worker(Worker &worker);

  std::mutex mutex;
  std::vector<std::pair<uint64_t, Trap>> traps;
  std::atomic<uint64_t> nextCluster{0}, stopAt{~uint64_t(0)};
  std::vector<uint64_t> order; ///< clusters to run
  uint64_t blocksDone = 0, sharedBytes = 0;
  std::vector<Worker *> workers;
};

/// Hooks of the race detector, of mbarriers and of bulk copies.
void startRaces(BlockStorage &storage);
void startClocks(RaceState &state, llvm::ArrayRef<Block *> blocks);
void startCluster(llvm::ArrayRef<Block *> blocks);
void warpEnded(Warp &warp);
/// All warps of the block are done; false when that trapped.
bool blockEnded(Block &block);
/// Nobody can run: completes asynchronous work; false when there is none.
bool completePending(llvm::ArrayRef<Block *> blocks);
/// "barrier 0 (3 of 8 warps)".
std::string describeWait(Warp &warp);

/// Opens a barrier if all have come. Called on arrival and when a warp ends.
/// Hooks of the race detector: a warp arrives, all go on.
void barrierArrived(Warp &warp, BarrierState &state);
void barrierOpened(Block &block, BarrierState &state);
void tryOpenBarrier(Block &block, unsigned id);
/// Completes cp.async copies of the lanes in `mask` up to (excluding) `limit`
/// groups; limit per lane.
/// The copy that writes to shared `address` of the warp's block, ~0u: none.
uint32_t pendingSource(Warp &warp, uint64_t address);
void completeCopies(Warp &warp, uint32_t mask, const uint32_t *limit);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_LAUNCH_H
