//===- Timing.h - how long a kernel takes -----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function from what a kernel does to how long it takes, for whoever
// chooses, compares or reports. It knows no operation and no plan: only warps
// that ask pipes for cycles, blocks of them that load and store, and a grid.
// Every figure of a machine is in its description (Hardware.h).
//
// # The law
//
// *A warp.* What it does is a list of phases. A phase asks each pipe of its
// scheduler for some cycles. In one in-order warp, pipes overlap in part:
//
//     service = (Σ demand^q)^(1/q),   q between 1 (none) and ∞ (all of it)
//
// A warp alone takes longer, since it waits for its own results; what is left
// is a delay Z in which others may work.
//
// *A block.* The warps of one scheduler queue at two stations, products (T) and
// everything else (V). With n warps, mean value analysis gives the time of a
// round, R_s = D_s·(1 + Q_s(n-1)), X = n / (Z + ΣR): one warp takes T + V + Z,
// many take n·max(T, V), between them it bends. Bytes from L2 share a port:
// joined by a norm of 4, so that of two equal plans the one wins that moves
// less. Loads that are under way for `ahead` steps take at least
// latency / ahead a step.
//
// *A grid.* Whole waves at full occupancy, and the rest at its own: work is
// divided by the multiprocessors that have some. Blocks of different length are
// handed out as slots fall free.
//
// *A machine.* Device memory works beside all of this; what it is asked for
// depends on what L2 keeps along the order of the grid (deviceReads). The clock
// falls with the use of the tensor cores where power is what limits it.
//
// # A worked instance
//
// A product, 128 by 256 by 64 a step, 8 warps of 64 by 64 each, on the A100. In
// one step a warp issues 4·8·4 = 128 instructions of 8 cycles: tensor 1024. It
// reads 64·64 + 64·64 values of 2 bytes = 16 KiB, at 128 bytes a cycle shared
// among 4 schedulers: shared 512. It issues 128 and 32 reads, and 15 % beside
// them: issue 184. With q = 1.5 it is served in
//
//     (1024^1.5 + 512^1.5 + 184^1.5)^(2/3) = 1290
//
// cycles: 79 % of the tensor core's rate. Two warps of a scheduler keep it busy
// but for barriers: about 2,650 cycles for a step of the block, in which the
// port brings 48 KiB in 1,037. 64 steps and a fixed part are 175,000 cycles,
// 512 blocks on 108 multiprocessors five of them. (TimingTest has these
// figures.)
//
// # What it cannot say
//
// Bank conflicts (layouts avoid them), the instruction cache, arbitration
// inside of a pipe, operand-dependent power. Two stations stand for six pipes.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_COST_TIMING_H
#define NAPKIN_COST_TIMING_H

#include "napkin/Cost/Hardware.h"
#include "napkin/Target/Instruction.h"
#include "llvm/ADT/ArrayRef.h"
#include <array>

namespace napkin::cost {

/// What a scheduler issues to, and what is asked beyond it.
enum class Pipe { Tensor, Shared, Issue, Fma, Integer, Special, Port, Device };
constexpr unsigned pipeCount = 8;
/// "tensor", "shared", "issue", "fma", "integer", "special", "l2", "global".
llvm::StringRef pipeName(Pipe pipe);

/// What a warp does in one go.
struct Phase {
  /// Whether it queues with the products or with everything else.
  bool product = false;
  /// Cycles of its scheduler's pipes, Tensor to Special. Shared is left out: a
  /// multiprocessor's share of it depends on who else reads.
  std::array<double, 6> cycles = {};
  /// Bytes from and into shared memory.
  double sharedBytes = 0;
  /// Cycles that the warp takes for it alone, and until what depends on it can
  /// start.
  double alone = 0, latency = 0;
  /// How often a block's warp does it.
  double rounds = 1;
};

/// Instructions of a warp on the pipes beside the tensor core; elements of a
/// thread times instructions for each.
struct Instructions {
  double fma = 0, integer = 0, special = 0, other = 0;
};

/// A warp's product of \p rows by \p columns over \p depth by \p row, whose
/// factors are \p sharedBytes read from shared memory. On scalar rows the
/// products are shared out among the threads of the warp.
Phase productPhase(const Hardware &hardware,
                   const target::MatrixInstruction &row, double rows,
                   double columns, double depth, double sharedBytes,
                   double rounds);
/// Elementwise work of a warp; \p latency is that of the last result.
Phase vectorPhase(const Hardware &hardware, const Instructions &count,
                  double latency, double rounds);

/// A kernel as the clock sees it. Bytes are those of one block, whole lines.
struct KernelWork {
  /// What one warp does; all do the same.
  llvm::SmallVector<Phase, 8> phases;
  int64_t warps = 4;
  /// Steps of the loop that brings in what the phases use; 1 without a loop.
  double steps = 1;
  /// Instructions of a step beside the phases: counters, addresses, waits.
  double stepInstructions = 0;
  /// Barriers of one step.
  double barriers = 1;
  /// Steps that loads run ahead: slots - 1 of a ring; 0.5 where one slot is
  /// refilled while another is used; 0 where a step waits for its own.
  double ahead = 0;
  /// What all steps bring in, what is there before the first, and what is
  /// written at the end.
  double streamedBytes = 0, residentBytes = 0, storedBytes = 0;
  int64_t blocks = 1;
  /// Blocks that a multiprocessor has room for.
  int64_t resident = 1;
  /// The work of the longest block, of the mean; and whether blocks are handed
  /// out by falling length.
  double longest = 1;
  bool longestFirst = false;
  /// What the whole grid reads from and writes to device memory.
  double deviceBytes = 0;
  /// False for a kernel that starts behind another one of the same launch list:
  /// only the gap between the two is charged.
  bool firstLaunch = true;
};

/// How long a kernel takes.
struct Timing {
  /// All of it, in cycles of the machine's highest clock.
  double cycles = 0;
  /// Of these: the launch; and what the multiprocessors and device memory take,
  /// side by side.
  double launch = 0, multiprocessors = 0, device = 0;
  /// Cycles that each pipe is busy, on average over the machine.
  std::array<double, pipeCount> busy = {};
  /// What a faster one of would help most: the busiest pipe of the busiest
  /// station, or what is waited for ("latency", "launch").
  llvm::StringRef binds;
  /// The clock that power leaves, in MHz.
  double clockMHz = 0;

  double seconds(const Hardware &hardware) const {
    return cycles / (hardware.clockMHz * 1e6);
  }
};

/// The time of \p work on \p hardware.
Timing estimate(const Hardware &hardware, const KernelWork &work);

/// The least cycles of any kernel that does so much: every pipe of every
/// multiprocessor busy, nothing padded, repeated or waited for.
struct Floor {
  double tensor = 0, fma = 0, special = 0, device = 0;

  Floor &operator+=(const Floor &other) {
    tensor += other.tensor;
    fma += other.fma;
    special += other.special;
    device += other.device;
    return *this;
  }
  /// Cycles beside the launch.
  double cycles() const;
};

/// One step of the order in which blocks are handed out, slowest first: an axis
/// of the grid and the tiles that are walked. An axis that is walked in groups
/// has two steps.
struct GridStep {
  unsigned axis = 0;
  double tiles = 1;
};

/// An array that blocks read.
struct GridRead {
  /// All of it that any block reads, and what all blocks together ask for.
  double bytes = 0, requested = 0;
  /// Bit i is set where it carries axis i of the grid.
  unsigned axes = 0;
};

/// Bytes that \p reads ask of device memory when blocks go by \p order, of
/// which \p inFlight run at once. Blocks in flight share what they read; an
/// array that is read again finds of it what L2 kept, which depends on how much
/// came in between: of D bytes over a cache of C with random replacement the
/// share m misses that solves m = 1 - exp(-m·D/C).
double deviceReads(const Hardware &hardware, llvm::ArrayRef<GridStep> order,
                   llvm::ArrayRef<GridRead> reads, double inFlight);

/// Blocks that a multiprocessor holds at once.
int64_t residentBlocks(const Hardware &hardware, int64_t warps,
                       int64_t registers, int64_t sharedBytes);

} // namespace napkin::cost

#endif // NAPKIN_COST_TIMING_H
