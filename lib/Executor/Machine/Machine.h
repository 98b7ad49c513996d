//===- Machine.h - State of a running kernel -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Warps, blocks, decoded instructions. This header is included by the files
// that are compiled once per instruction set of the host (Vector/), so it has
// only plain data and declarations: no inline function that a linker could
// pick from the wrong variant.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_MACHINE_MACHINE_H
#define NAPKIN_LIB_EXECUTOR_MACHINE_MACHINE_H

#include "Machine/Marks.h"
#include "napkin/Executor/Plain.h"

#include <cstddef>
#include <cstdint>

namespace napkin::executor {

struct Warp;
struct Block;
struct Instr;
struct RaceState;
struct RaceCell;
class GlobalRaces;
struct WarpAsync;
class OperandCache;
struct BlockAsync;
struct ClusterState;
class Machine;

constexpr unsigned lanes = 32;
constexpr uint32_t allLanes = 0xffffffffu;

/// Executes one decoded instruction for the lanes of `mask`.
using Handler = void (*)(Warp &warp, const Instr &instruction, uint32_t mask);

/// Windows of the generic address space. The low 32 bits are the address in
/// the space itself.
constexpr uint64_t sharedWindow = 0x7a0000000000ull;
constexpr uint64_t localWindow = 0x7b0000000000ull;
constexpr uint64_t paramWindow = 0x7c0000000000ull;
constexpr uint64_t windowMask = 0xffff00000000ull;
/// A shared::cluster address: (rank + 1) << 24 | offset; rank's own: offset.
constexpr unsigned clusterShift = 24;

/// Register references: a byte offset; the top bit selects the constants.
constexpr uint32_t constantBit = 0x80000000u;
constexpr uint32_t noRegister = 0x7fffffffu;
constexpr uint32_t noGuard = 0xffffffffu;

enum InstrFlags : uint8_t {
  /// First micro-instruction of a PTX instruction: counted.
  Counted = 1,
  /// Runs even when no lane is active.
  AlwaysRun = 2,
  /// All live lanes of the warp must be here together.
  Aligned = 4,
  /// Ends the lanes that run it.
  IsExit = 8,
  /// With Aligned: waits for the other lanes, but may meet them later.
  NotStrict = 16,
  /// Not a wgmma, but touches registers that some wgmma uses.
  TouchesProducts = 32,
  /// Looks at what others write: a loop around it may be waiting for them.
  MayPoll = 64,
  /// Touches registers of which some may be read before they are written.
  TouchesUnwritten = 128
};

/// A decoded instruction.
struct Instr {
  Handler run = nullptr;
  /// Register references; predicates are indices.
  uint32_t d = noRegister, a = noRegister, b = noRegister, c = noRegister;
  uint32_t guard = noGuard;
  uint8_t guardNegated = 0, flags = 0;
  uint8_t small0 = 0, small1 = 0;
  /// A volatile, relaxed or acquiring load: strong, but it writes nothing.
  bool strongRead = false;
  /// Index of the PTX instruction it comes from.
  uint32_t source = 0;
  /// Further numbers whose meaning is the handler's: branch target, predicate.
  uint32_t e = noRegister;
  int64_t offset = 0;
  /// More references (fragments, vectors), and family-specific data.
  const uint32_t *list = nullptr;
  const void *extra = nullptr;
};

/// Reasons to leave the fast loop.
enum Event : uint32_t {
  EventNone = 0,
  EventExit = 1,      ///< lanes ended
  EventWait = 2,      ///< the warp waits; its state says for what
  EventYield = 4,     ///< let others run
  EventTrap = 8,      ///< a trap was recorded: stop the block
  EventReselect = 16, ///< choose another fragment
  EventPoll = 32      ///< a turn of a loop that looks at what others write
};

/// What a warp waits for.
enum class WaitKind : uint8_t {
  None,
  Barrier,
  Mbarrier,
  Cluster,
  RegisterPool,
  Warpgroup,
  Done
};

constexpr unsigned maximumCallDepth = 24;

/// Lanes of a warp that share a program counter.
struct Fragment {
  uint32_t pc = 0, mask = 0;
  /// Lanes it must be joined with before going on; 0: none.
  uint32_t awaits = 0;
  uint32_t depth = 0;
  uint32_t stack[maximumCallDepth];
};

class UndefinedValues;
class WriteJournal;

struct Warp {
  /// Registers, and constants.
  char *base[2];
  uint32_t *predicates;
  const Instr *code;
  /// The running fragment, live lanes, lanes that exist.
  uint32_t pc, active, alive, existing;
  /// The lowest pc of the other fragments: reaching it means joining.
  uint32_t mergePc;
  uint32_t event;
  /// Lanes that the running fragment must be joined with, once it blocks.
  uint32_t awaits;
  uint32_t depth;
  uint32_t stack[maximumCallDepth];
  uint32_t others;
  Fragment *fragments;
  uint32_t carry; ///< condition code, one bit per lane
  /// Per PTX instruction: counters and the region last touched.
  InstructionCounters *counters;
  const RegionView **regions;
  Block *block;
  Machine *machine;
  uint32_t index;
  WaitKind wait;
  uint8_t waitBarrier;
  uint64_t waitAddress, waitPhase;
  uint64_t issued;
  /// What readings of %clock have added to it.
  uint64_t clock;
  /// The last quantum was used up: the next fragment is another one.
  bool rotate;
  /// The turn ended in a loop that polls, or with nanosleep.
  bool polled, slept;
  uint32_t lastPc;
  uint64_t random;
  RaceState *races;
  GlobalRaces *globalRaces;
  WriteJournal *journal;
  WarpAsync *async;
  OperandCache *operands;
  /// What of its registers is undefined; null: nothing.
  UndefinedValues *undefined;
  uint32_t registerCount;
  /// Lanes of the warp: `epoch` advances when some synchronise; what came
  /// before `fullEpoch`, or up to the warp's clock `fullClock`, is ordered for
  /// all, and what lane b did before `laneEpochs[32 a + b]` for lane a (null:
  /// nothing). Lanes `touched` have done something since then.
  uint32_t epoch, fullEpoch, fullClock, touched;
  uint32_t *laneEpochs;
  /// The store that is being checked compares its values afterwards
  /// (raceOverlap), and must: lanes write to one address, or another warp of
  /// the cluster wrote there and nothing orders the two.
  bool comparesValues, overlap;
  /// Lanes that have written each register that may be read unwritten.
  uint32_t *written;
  /// What to finish when the barrier opens.
  const Instr *resume;
  uint32_t resumeMask;
};

struct Block {
  char *shared;
  uint8_t *sharedShadow;
  uint64_t sharedBytes;
  /// Thread-private memory: thread * localBytes.
  char *local;
  uint8_t *localShadow;
  uint64_t localBytes;
  const char *parameters;
  uint64_t parameterBytes;
  uint32_t index[3], rank, clusterSize;
  uint64_t linear;
  Warp *warps;
  uint32_t numWarps, numThreads;
  Block **cluster;
  bool checks, races, faithful, countOnly;
  uint8_t tensorCore;
  RaceState *raceState;
  /// One per 16 bytes of shared memory.
  RaceCell *raceCells;
  BlockAsync *async;
  ClusterState *clusterState;
  Machine *machine;
  /// The block's accesses in the cache model.
  size_t cacheLog;
  bool done;
};

/// Kinds of access for checks and messages.
enum class Access : uint8_t { Read, Write, Atomic };

// Slow paths, defined once (not per variant).

/// The space of a load or store out of bounds after which the launch goes on.
constexpr uint8_t placeNowhere = 4;

/// Where one lane's access lands. `host` is null when it traps (recorded).
struct Place {
  char *host = nullptr;
  Marks marks;
  uint8_t space = 0; // 0 global, 1 shared, 2 local, 3 param, placeNowhere
  Block *owner = nullptr;
};
/// Spaces as instructions name them.
enum AddressSpace : uint8_t {
  SpaceGeneric,
  SpaceGlobal,
  SpaceShared,
  SpaceLocal,
  SpaceParam
};

/// Translates and checks one access of one lane; records the trap if illegal.
Place translate(Warp &warp, const Instr &instruction, unsigned lane,
                uint64_t address, unsigned bytes, AddressSpace space,
                Access access);
/// The region of global memory that holds the address, or null.
const RegionView *findRegion(Warp &warp, uint64_t address);
/// A byte that was accessed is not as its marks should be: records the trap.
void trapMarks(Warp &warp, const Instr &instruction, unsigned lane,
               uint64_t address, unsigned bytes, const Marks &marks,
               Access access, uint8_t space);
/// The instruction runs again when what the warp waits for has come.
void waitAgain(Warp &warp, const Instr &instruction, uint32_t mask,
               WaitKind kind);
/// After a store of `bytes` by each lane: undefined values make the bytes they
/// land in unwritten again, or trap where they leave the block.
void storeUndefined(Warp &warp, const Instr &instruction,
                    const uint64_t *address, uint32_t mask, unsigned bytes,
                    AddressSpace space);
/// The same for stmatrix; the shadow of each row.
void storeMatrixUndefined(Warp &warp, const Instr &instruction,
                          uint8_t *const *shadow);
void trapIllegal(Warp &warp, const Instr &instruction, unsigned lane,
                 const char *message);
/// Counts sectors of a warp's global access; also feeds the caches' model.
void countGlobal(Warp &warp, const Instr &instruction, const uint64_t *address,
                 uint32_t mask, unsigned bytes, Access access);
/// After translate() counted lane by lane: counts the lanes of `mask` as one
/// access, `before` being the counters before it.
void recountLanes(Warp &warp, const Instr &instruction,
                  const InstructionCounters &before, const uint64_t *address,
                  uint32_t mask, unsigned bytes, AddressSpace space,
                  Access access);
/// Counts bytes, wavefronts and conflicts of a shared access.
void countShared(Warp &warp, const Instr &instruction, const uint32_t *address,
                 uint32_t mask, unsigned bytes, Access access);
/// Race checks of one warp's access to its own block's shared memory.
/// `collective`: the data goes to or comes from all lanes (matrices).
void raceShared(Warp &warp, const Instr &instruction, const uint32_t *address,
                uint32_t mask, unsigned bytes, Access access,
                bool collective = false);
/// The access of one lane, wherever it lands.
void racePlace(Warp &warp, const Instr &instruction, unsigned lane,
               uint64_t address, unsigned bytes, const Place &place,
               Access access);
/// A read-modify-write of one lane; `order` as Order::decode takes it.
void raceAtomic(Warp &warp, const Instr &instruction, unsigned lane,
                uint64_t address, unsigned bytes, const Place &place,
                uint8_t order);
/// Before a store with `overlap` changes memory: lanes that write to one
/// address must write the same `values` (lane after lane), and what races with
/// another warp must be there already. `host` is what to add to an address of
/// the block's shared memory or of global memory.
void raceOverlap(Warp &warp, const Instr &instruction, const uint64_t *address,
                 uint32_t mask, unsigned bytes, const char *values,
                 uint64_t host, bool isShared);
void raceGlobal(Warp &warp, const Instr &instruction, const uint64_t *address,
                uint32_t mask, unsigned bytes, Access access);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_MACHINE_MACHINE_H
