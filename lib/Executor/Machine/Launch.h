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

#ifndef NAPKIN_LIB_EXECUTOR_MACHINE_LAUNCH_H
#define NAPKIN_LIB_EXECUTOR_MACHINE_LAUNCH_H

#include "Checks/RaceGlobal.h"
#include "Host/Cache.h"
#include "Machine/Program.h"
#include "Machine/Spin.h"

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

/// A warp's share of a wgmma that is under way.
struct PendingWgmma {
  const Instr *instruction = nullptr;
  uint64_t descriptorA = 0, descriptorB = 0;
  bool scale = true;
  /// Number among the warp's products, from 1.
  uint32_t number = 0;
  bool committed = false, done = false;
  uint32_t group = 0;
  /// Of a sparse A: which elements are stored.
  std::vector<uint32_t> metadata;
};

struct WarpAsync {
  std::vector<uint32_t> laneEpochs;
  std::shared_ptr<UndefinedValues> undefined;
  std::vector<PendingCopy> copies;
  /// Groups committed by each lane, of cp.async and of bulk stores.
  uint32_t groups[lanes] = {}, bulkGroups[lanes] = {};
  /// Bulk stores that are not known to be done, and their groups.
  struct Store {
    uint32_t lane, group, reads, writes, clock;
  };
  std::vector<Store> stores;
  /// cp.async.mbarrier.arrive that wait for this warp's copies.
  struct Arrival {
    uint32_t mask, source;
    uint32_t mbarrier[lanes];
  };
  std::vector<Arrival> arrivals;
  std::vector<PendingWgmma> products;
  uint32_t productGroups = 0, productCount = 0;
  /// Instructions of the warpgroup executed so far.
  uint64_t groupPosition = 0;
  /// Accumulators and A registers of wgmma: touched since the last fence, and
  /// in use by products under way.
  std::vector<bool> touched;
  std::vector<uint16_t> inUse;
  uint64_t clusterPhase = 0;
  bool clusterArrived = false;
  uint32_t registersPerThread = 0;
};

/// An mbarrier object; its bits are not in shared memory.
struct Mbarrier {
  uint32_t expected = 0, pending = 0;
  int64_t transactions = 0;
  /// Completed phases.
  uint64_t phase = 0;
  /// What arrivals of this phase release, and what the last phase released.
  SyncClock arriving, completed;
  /// Orders the copies that signal the object, by phase; ~0u: none yet.
  uint32_t actor = ~0u;
  uint32_t source = 0, lastSource = 0;
  /// Phases that some wait has seen complete.
  uint64_t observed = 0;
  /// Warps that arrive here: where and in which phase they last did.
  struct Arriver {
    const Warp *warp;
    uint32_t source;
    uint64_t phase;
  };
  std::vector<Arriver> arrivers;
  /// Bulk copies that signalled a completed phase no one has waited for yet:
  /// their targets stay marked until a wait.
  std::vector<std::pair<uint32_t, uint32_t>> arrived, unobserved;
};

/// A bulk copy that is under way.
struct BulkCopy {
  uint64_t id = 0;
  Block *block = nullptr; ///< of the issuer
  uint32_t warp = 0, lane = 0, source = 0;
  /// Bulk group of the issuing lane, for stores.
  uint32_t group = 0;
  bool isStore = false, sourceRead = false;
  /// Rows to move: host addresses are fixed at issue.
  struct Row {
    const char *from;
    char *to;
    Marks marks;
    uint32_t bytes;
  };
  std::vector<Row> rows;
  /// Reductions: the operation and type, else 255.
  uint8_t reduction = 255;
  ptx::Type type = ptx::Type::None;
  /// Whom to tell: block, mbarrier and bytes.
  struct Signal {
    Block *block;
    uint32_t mbarrier, bytes;
    /// Shared range that becomes readable.
    uint32_t target, targetBytes;
  };
  std::vector<Signal> signals;
};

/// What the four warps of a warpgroup must do alike, in order: wgmma
/// instructions and setmaxnreg.
struct WarpgroupLog {
  struct Entry {
    uint32_t source;
    uint64_t operands[3];
  };
  uint64_t begin = 0;
  std::vector<Entry> entries;
};

struct BlockAsync {
  WarpgroupLog warpgroups[8];
  BarrierState barriers[16];
  uint64_t barriersCompleted = 0;
  std::unordered_map<uint32_t, Mbarrier> mbarriers;
  /// Registers per thread that setmaxnreg.dec gave back, in warps.
  int64_t registerPool = 0;
};

/// What the blocks of a cluster share.
struct ClusterState {
  std::vector<BulkCopy> copies;
  uint64_t nextCopy = 0;
  /// barrier.cluster: warps that arrived in the current phase.
  uint32_t arrived = 0;
  uint64_t phase = 0;
  SyncClock arriving, completed;
  /// Changes whenever something happens that a waiting warp could notice.
  uint64_t progress = 0, lastProgress = 0;
  uint32_t idleRounds = 0;
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
  std::vector<uint32_t> predicates, written;
  std::vector<RaceCell> cells;
};

/// A cluster in progress. Its storage is used again for the next one.
struct ClusterRun {
  uint64_t cluster = 0;
  std::vector<std::unique_ptr<BlockStorage>> blocks;
  llvm::SmallVector<Block *, 16> members;
  /// In the order of their turns; `live` of them have not ended.
  std::vector<Warp *> warps;
  size_t live = 0;
  /// Warp instructions of the last turn.
  uint64_t issued = 0;
  RaceState races;
  ClusterState state;
};

/// What each host thread owns.
struct Worker {
  std::vector<InstructionCounters> counters;
  std::vector<const RegionView *> regions;
  /// Clusters that have begun: one, or many where blocks wait for each other.
  std::vector<std::unique_ptr<ClusterRun>> resident;
  uint64_t barriers = 0;
  GlobalRaces globalRaces;
  std::unique_ptr<OperandCache> operands;
  std::unique_ptr<SpinWatch> spins;
};

class Machine {
public:
  Machine(Program &program, Device &device, const LaunchConfig &config,
          const Options &options);
  llvm::Expected<LaunchResult> run();

  /// Text that `block` printed.
  void print(const Block &block, llvm::StringRef text);
  /// Records a trap and stops the warp's block, unless more traps are wanted
  /// and this one changes nothing of what follows (`mayGoOn`, and all races).
  void trap(Warp &warp, const Instr &instruction, unsigned lane,
            Trap::Kind kind, std::string message, uint64_t address = 0,
            uint32_t otherSource = ~0u, std::string other = "",
            bool mayGoOn = false);
  /// Ends the warp's cluster, and with it the launch, without a trap of its
  /// own.
  void stop(Warp &warp);
  uint32_t lineOf(uint32_t source) const;
  /// Feeds the model of the caches.
  void cacheAccess(Warp &warp, const Instr &instruction,
                   const uint64_t *sectors, unsigned count, Access access);

  Program &program;
  Device &device;
  const LaunchConfig &config;
  const Options &options;
  BlockOrder blockOrder;

private:
  /// How a cluster's turn ended: all its warps are done, its turn is used up,
  /// or a trap stopped it.
  enum class RunState : uint8_t { Finished, Suspended, Stopped };
  uint64_t clusterSize() const {
    return uint64_t(config.cluster[0]) * config.cluster[1] * config.cluster[2];
  }
  /// Blocks that the hardware runs at a time; 0: unknown.
  uint64_t concurrentBlocks() const;
  llvm::Error fit();
  /// Clusters that one host thread may have begun at a time.
  uint64_t residentLimit() const;
  ClusterRun *nextRun(Worker &worker,
                      std::vector<std::unique_ptr<ClusterRun>> &spare,
                      uint64_t limit);
  void startRun(Worker &worker, ClusterRun &run);
  RunState advance(Worker &worker, ClusterRun &run);
  /// The last warp of a block checks what the block leaves behind; false after
  /// a trap.
  bool warpEnds(ClusterRun &run, Warp &warp);
  uint64_t chosen(uint64_t k) const;
  void clusterFinished();
  bool keepsSpinning(Worker &worker);
  void spinning(Worker &worker, llvm::ArrayRef<Warp *> warps);
  /// "reads 'flag' + 0 at line 12" for each place that the warp looks at.
  std::string polledPlaces(Warp &warp, const std::vector<bool> &executed);
  void startBlock(Worker &worker, BlockStorage &storage, uint64_t linear);
  void runWarp(Warp &warp, uint64_t quantum);
  bool checkAligned(Warp &warp, const Instr &instruction, uint32_t mask);
  void reselect(Warp &warp);
  void deadlock(llvm::ArrayRef<Block *> blocks);
  void summarize(Counters &counters, llvm::ArrayRef<InstructionCounters> sum);
  void warpFinished(Warp &warp);
  void worker(Worker &worker);
  void compareRaces(GlobalRaces &a, GlobalRaces &b);
  void fillPlace(Trap &trap, uint32_t source, uint32_t otherSource) const;
  bool recordTrap(uint64_t cluster, Trap trap, bool mayGoOn);
  /// Clusters after this one need not run.
  void stopAfter(uint64_t cluster);
  void collectTraps(LaunchResult &result);

  std::unique_ptr<Cache> cache;
  std::mutex mutex;
  std::vector<std::pair<uint64_t, Trap>> traps;
  /// What blocks printed, and how many bytes in all.
  std::vector<std::pair<uint64_t, std::string>> printed;
  size_t printedBytes = 0;
  std::atomic<uint64_t> nextCluster{0}, stopAt{~uint64_t(0)};
  /// Clusters in the grid, and how many of them are to run.
  uint64_t clusters = 0, wanted = 0;
  uint64_t blocksDone = 0, sharedBytes = 0;
  Occupancy occupancy;
  std::vector<Worker *> workers;
};

/// Hooks of the race detector, of mbarriers and of bulk copies.
void startRaces(BlockStorage &storage);
void startClocks(RaceState &state, uint32_t cluster,
                 llvm::ArrayRef<Block *> blocks);
void startCluster(ClusterState &state, llvm::ArrayRef<Block *> blocks);
void warpEnded(Warp &warp);
/// All warps of the block are done; false when that trapped.
bool blockEnded(Block &block);
/// Nobody can run: completes asynchronous work; false when there is none.
bool completePending(llvm::ArrayRef<Block *> blocks);
/// An mbarrier changed: warps that wait for it look again.
void wakeWaiters(Block &owner, uint32_t address);
/// Arrivals and transactions; false after a trap. `warp` may be null; its lanes
/// `releasing` release what they know.
bool arriveMbarrier(Warp *warp, const Instr *instruction, unsigned lane,
                    Block &owner, uint32_t address, uint32_t count, bool drop,
                    uint32_t releasing, uint32_t source);
bool transactMbarrier(Warp *warp, const Instr *instruction, unsigned lane,
                      Block &owner, uint32_t address, int64_t bytes);
/// An access that signals the mbarrier when it is done: it belongs to the
/// current phase.
AsyncAccess signalAccess(Warp &warp, Block &owner, Mbarrier &mbarrier,
                         uint32_t address, unsigned lane);
/// The block and the offset that a shared address names; null after a trap.
Block *sharedOwner(Warp &warp, const Instr &instruction, unsigned lane,
                   uint64_t address, uint32_t &offset);
/// cp.async.mbarrier.arrive: the copies are done, so the arrivals happen.
void finishArrivals(Warp &warp);
void performCopy(BulkCopy &copy);
/// The byte of global memory at `host` once the bulk stores under way are done;
/// null: a reduction is to change it.
const char *finalByte(const ClusterState &cluster, const char *host);
void finishCopy(ClusterState &cluster, size_t index);
/// An instruction touches registers that some wgmma uses; false after a trap.
bool touchProducts(Warp &warp, const Instr &instruction);
/// Before an instruction that touches registers which may be read before they
/// are written: marks those that it does read so.
void touchUnwritten(Warp &warp, const Instr &instruction, uint32_t mask);
void performWgmma(Warp &warp, PendingWgmma &product);
/// What the warp waits for, and who would have to come.
std::string describeWait(Warp &warp);

/// The warp executes an instruction that its warpgroup must execute alike, with
/// the same operands; false after a trap. At the block's end all must have.
bool logWarpgroup(Warp &warp, const Instr &instruction,
                  const std::array<uint64_t, 3> &operands);
bool checkWarpgroups(Block &block);
/// Warps of the warpgroup that wait for each other look again.
void wakeWarpgroup(Warp &warp);

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

#endif // NAPKIN_LIB_EXECUTOR_MACHINE_LAUNCH_H
