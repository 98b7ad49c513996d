//===- Evaluate.h - what one choice of partitions costs ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A candidate says how a region's axes are cut, how many warps a block has and
// how deep its pipeline is. Evaluation checks it against the limits of the
// machine and of the code generator and prices it:
//
//     cycles = launch + Σ_ℓ H_ℓ / bandwidth_ℓ + work on the units,  × waves
//
// a plain sum over levels, as if nothing overlapped. A sum ranks tiles better
// than a maximum: a level that is not the bottleneck still costs something, and
// published figures fit it better (docs/cost-model.md).
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_EVALUATE_H
#define NAPKIN_SCHEDULE_EVALUATE_H

#include "napkin/Cost/Constraint.h"
#include "napkin/Cost/Hardware.h"
#include "napkin/Schedule/Region.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/DenseMap.h"

namespace napkin::schedule {

/// What the code generator can do with a block, beside what the machine and its
/// instructions can.
struct GeneratorLimits {
  /// Smallest chunk of a stream that is tried, beside 1.
  int64_t smallestChunk = 16;
  /// Largest tile of a group axis and largest chunk that are tried.
  int64_t largestTile = 256;
  /// A summed axis of at most this size is not walked inside of a stream.
  int64_t longestWhole = 128;
  /// Most rows or columns of the tile of one warp.
  int64_t largestWarpTile = 64;
  /// Most tiles of an instruction that a warp owns along whole rows. With two,
  /// what is read from shared memory for a column serves twice as many rows.
  int64_t mostRowTiles = 2;
  /// Sums of one product that a thread holds; rows of which one warp would hold
  /// more are shared among warps, which exchange what they fold.
  int64_t sumsPerThread = 208, sharedSumsPerThread = 128;
  /// Values of one array that a thread holds in a kernel without contracts.
  int64_t valuesPerThread = 64;
  /// Dimensions of a tile that are longer than 1.
  unsigned tileDimensions = 2;
  /// Stages that are aimed at; one alone only where shared memory demands it.
  int64_t fewestStages = 2, mostStages = 4;
  /// Registers of a thread that row factors may take which stay from step to
  /// step; with more, the assembler spills.
  double stayingRegisters = 128;
  /// Warps of a block: two for each of the four schedulers.
  int64_t mostWarps = 8;
};

/// One way to cut a region.
struct Candidate {
  /// Extent of each axis of Graph::axes inside a block: the tile of a group
  /// axis, the chunk of the stream, the size of the others. Not padded.
  llvm::SmallVector<int64_t, 8> extent;
  /// The axes cut across blocks, slowest first.
  llvm::SmallVector<unsigned, 4> groups;
  std::optional<unsigned> stream;
  /// The axis that is walked in chunks inside each step of the stream.
  std::optional<unsigned> inner;
  /// Positions of the stream that one block walks, where blocks share it: whole
  /// chunks. Each part ends with its state, and a second kernel merges them.
  std::optional<int64_t> part;
  int64_t warps = 4;
  /// True when the user chose the warps: then they may be more than rows need.
  bool warpsArePinned = false;
  int64_t stages = 1;
  /// Whether each step of the stream reads the row factors that do not move
  /// with it from shared memory again; otherwise they stay in registers.
  bool reread = false;
  /// Whether rows of factors have room behind them in shared memory.
  bool padded = false;
  /// Positions that a tile takes of each axis at once: what instructions and
  /// the warps that share it ask for. Empty until warps are chosen.
  llvm::SmallVector<int64_t, 8> granules;
  /// Shared bytes of the block's program, once it was compiled; until then they
  /// are estimated, never too high.
  std::optional<int64_t> measuredSharedBytes;
  /// The same of the kernel that merges parts; 0 until it was compiled.
  int64_t mergeSharedBytes = 0;
};

/// Cycles of the kernel that merges the states of parts.
struct MergeTimes {
  double launch = 0, global = 0, l2 = 0, waiting = 0;

  double total() const { return launch + global + l2 + waiting; }
};

/// Cycles by level, for the whole grid.
struct Times {
  double launch = 0;  ///< starting the kernel
  double global = 0;  ///< device memory
  double l2 = 0;      ///< L2 to the multiprocessors
  double shared = 0;  ///< into and out of shared memory
  double tensor = 0;  ///< tensor cores
  double scalar = 0;  ///< everything elementwise
  double waiting = 0; ///< barriers, the first chunk of each block, and what
                      ///< of later chunks the pipeline does not hide
  double waves = 1;   ///< factor for a last wave that is not full
  MergeTimes merge;   ///< the kernel that merges the states of parts
  /// What kernels are compared by: the least cycles of any partition of theirs,
  /// idle multiprocessors charged. Unset: those of this partition.
  std::optional<double> compared;

  /// Cycles where whole waves count \p factor times.
  double withWaves(double factor) const {
    return launch + global + merge.total() +
           (l2 + shared + tensor + scalar + waiting) * factor;
  }
  /// The objective, in cycles.
  double total() const { return compared.value_or(withWaves(waves)); }
};

/// What a candidate needs and costs.
struct Evaluation {
  /// The limits it breaks; a legal candidate breaks none.
  std::vector<cost::Violation> violations;
  Times times;
  int64_t blocks = 0;
  /// Parts of the stream that have blocks of their own.
  int64_t parts = 1;
  /// The cycles if every idle multiprocessor is charged: work is divided by
  /// those that have some.
  double honestCycles = 0;
  /// Chunks that one block walks, 1 without a stream, and chunks of the inner
  /// axis in each walk over it.
  int64_t trips = 1, innerTrips = 1;
  /// In bounds, over the whole grid; exact where every block walks as much.
  int64_t readBytes = 0, writtenBytes = 0;
  int64_t sharedBytes = 0;
  /// Registers per thread for tiles in the widest column.
  int64_t registers = 0;
  /// The axis whose positions warps own whole, when reductions or chained
  /// contracts need that.
  std::optional<unsigned> rowAxis;
  /// Rows and columns of warps.
  int64_t warpRows = 1, warpColumns = 1;

  /// Whether violations come with their sentences.
  bool explained = true;

  /// True when no limit is broken.
  bool legal() const { return violations.empty(); }
};

/// Products per cycle of one multiprocessor of \p hardware by \p row.
double productsPerCycle(const cost::Hardware &hardware,
                        const target::MatrixInstruction &row);

/// Cycles that computing \p operation takes in any kernel, at least.
double leastCycles(const Graph &graph, const Operation &operation,
                   const cost::Hardware &hardware);
/// Cycles that any kernel takes, at least, for reading or writing \p value.
double leastCycles(const Graph &graph, unsigned value,
                   const cost::Hardware &hardware);

/// What a block walks of its stream, averaged over the blocks.
struct Walk {
  double trips = 1;
  /// Positions that are read, of all of the axis.
  double fraction = 1;
};
/// The walk of \p candidate's stream; \p verdict says what rows see.
Walk walkOf(const Graph &graph, const Candidate &candidate,
            const StreamVerdict *verdict);

/// The widest moment of one operation (lib/Schedule/Columns.h).
struct Column;

/// Which loops run what (lib/Schedule/Loops.h).
class Loops;

/// How a kernel that merges states of parts is cut (MergeTiles.h): elements of
/// a block, elements that a thread has under way, the most parts in a turn of
/// its loop, and the turns that are under way together where states go through
/// shared memory.
struct MergeShape {
  static constexpr int64_t blockElements = 128, elementsUnderWay = 32,
                           mostSteps = 32, stages = 4;
};

/// Facts of a region that do not depend on the candidate, computed once.
class RegionFacts {
public:
  RegionFacts(const Region &region, const cost::Hardware &hardware,
              const GeneratorLimits &limits);
  ~RegionFacts();

  /// Prices \p candidate. \p verdict is about its stream axis, null without.
  /// Without \p all it stops at the first broken limit and leaves out
  /// sentences.
  Evaluation evaluate(const Candidate &candidate, const StreamVerdict *verdict,
                      bool all) const;
  /// The limit that the number of axes breaks along which tiles are longer than
  /// 1, whatever their sizes; nothing where it breaks none.
  std::optional<cost::Limit> shapeLimit(const Candidate &candidate) const;
  /// The least pipeline depth that hides a chunk's journey behind the work on
  /// the chunks before it, within the generator's range.
  int64_t stagesFor(const Candidate &candidate) const;
  /// Cycles of one chunk of \p candidate's innermost loop in one block: its
  /// journey from global memory, the work done on it, and the waits of one
  /// operation for another inside it.
  struct ChunkCycles {
    double journey = 0, work = 0, chain = 0;
  };
  /// The cycles of one chunk; \p candidate must have a stream axis.
  ChunkCycles chunkCycles(const Candidate &candidate) const;

  const Region &region;
  const cost::Hardware &hardware;
  const GeneratorLimits &limits;
  /// True when there is any contract.
  bool hasContract = false;
  /// True when warps must own whole rows: a reduction, or a contract that reads
  /// what another made.
  bool ownsRows = false;
  /// True when something reduces.
  bool hasReduction = false;
  /// Per axis of the graph: the least that a tile takes of it where it takes
  /// more than one position; 1 where no factor of a contract carries it.
  std::vector<int64_t> leastTile;
  /// The least rows and columns of the tile of a warp, and the least chunk.
  int64_t warpRows = 1, warpColumns = 1, leastChunk = 1;
  /// The instruction of the widest warp tile, or null without contracts.
  const target::MatrixInstruction *instruction = nullptr;

  /// The loops over these axes, memoised.
  const Loops &loopsOf(std::optional<unsigned> stream,
                       std::optional<unsigned> inner) const;

  /// Most tiles of an instruction that a warp owns along whole rows: one where
  /// more than two products take their registers.
  int64_t mostRowTiles() const;
  /// Whether room behind rows of factors in shared memory serves \p candidate:
  /// their copies move 16 bytes at once.
  bool mayPad(const Candidate &candidate) const;
  /// Parts in which lanes keep what the stream sums for a row: as many as lanes
  /// share a row; 1 where no warp owns whole rows of a stream that reduces.
  int64_t partsOfSums(const Candidate &candidate,
                      const Evaluation &result) const;
  /// Padded extent of \p axis under \p candidate.
  int64_t padded(const Candidate &candidate, unsigned axis) const;

  /// True when a warp that owned whole rows could not hold the sums of a
  /// product.
  bool hasWideRows(const Candidate &candidate) const;

private:
  /// Columns of the region with this stream axis or without one, memoised.
  const std::vector<Column> &columnsOf(std::optional<unsigned> stream) const;
  /// Checks the tiles' dimensions and the contracts. Like the checks below, it
  /// returns false and adds to the violations of \p result at a broken limit.
  bool checkShapes(const Candidate &candidate, Evaluation &result,
                   bool all) const;
  /// Checks along which axes tiles are longer than 1.
  bool checkAxes(const Candidate &candidate, Evaluation &result) const;
  /// Checks rows, columns and depth of the contract that is operation \p index.
  bool checkContract(const Candidate &candidate, unsigned index,
                     Evaluation &result) const;
  /// Whether \p value, made in the block without \p rows, is used for nothing
  /// but the columns of products along \p rows: then the warps compute a part
  /// of it each, and it comes to the others through shared memory.
  bool isColumnFactor(unsigned value, unsigned rows) const;
  /// Chooses the axis that warps split among them by whole rows.
  bool chooseRows(const Candidate &candidate, Evaluation &result) const;
  /// Checks the number of warps, chooses their rows and columns and sets the
  /// granules of \p candidate.
  bool chooseWarps(Candidate &candidate, Evaluation &result) const;
  /// Checks that axes are cut into tiles that instructions and warps fill.
  bool checkTiles(const Candidate &candidate, Evaluation &result) const;
  /// Checks the registers per thread of the state and the tiles.
  bool checkRegisters(const Candidate &candidate, const StreamVerdict *verdict,
                      Evaluation &result) const;
  /// Registers of the sums that the walk over the inner axis carries while
  /// operation \p index runs in it.
  double innerState(const Candidate &candidate, const Evaluation &result,
                    unsigned index) const;
  /// Checks that each block writes states of its own.
  bool checkParts(const Candidate &candidate, const StreamVerdict *verdict,
                  Evaluation &result) const;
  /// Cycles of the kernel that merges the states of \p candidate's parts, whose
  /// bytes are \p stateBytes.
  MergeTimes mergeTimes(const StreamVerdict &verdict, const Evaluation &result,
                        double stateBytes) const;
  /// Blocks that one multiprocessor holds at once; their waits overlap.
  int64_t residentBlocks(const Candidate &candidate,
                         const Evaluation &result) const;
  /// Whether what blocks in flight bring in between two readings of the same by
  /// a block, in the next step of an outer loop or in a second loop, fits L2.
  bool keepsInL2(const Candidate &candidate, const Evaluation &result,
                 int64_t resident) const;
  /// Cycles that a block waits, alone on its multiprocessor: barriers, first
  /// chunks, and what of later ones the pipeline does not hide.
  double waiting(const Candidate &candidate, const Evaluation &result,
                 double trips, double chunkBytes) const;
  /// Whether chunks of \p candidate leave nothing over at the end of an axis.
  bool chunksDivide(const Candidate &candidate) const;
  /// Contracts of the region.
  int64_t countProducts() const;
  /// Whether \p input is a factor of a contract.
  bool isFactor(unsigned input) const;
  /// Checks the bytes of shared memory of one block.
  bool checkShared(const Candidate &candidate, Evaluation &result) const;
  /// Fills in the bytes and costs of \p result, once its warps are chosen.
  void price(const Candidate &candidate, const StreamVerdict *verdict,
             Evaluation &result) const;
  /// Elements of the padded tile of \p value.
  double tileElements(const Candidate &candidate, unsigned value) const;
  /// 32-bit registers per thread for the tile of \p value.
  double valuesPerThread(const Candidate &candidate, const Evaluation &result,
                         unsigned value) const;
  /// Elements per thread of a tile over \p axes.
  double valuesPerThread(const Candidate &candidate, const Evaluation &result,
                         llvm::ArrayRef<unsigned> axes) const;
  /// Lines touched for each line's worth of data of \p value, at least 1.
  double lineFactor(const Candidate &candidate, unsigned value) const;

  /// Per value: values of one class have the same axes and width, so the same
  /// tile. One value stands for each.
  std::vector<unsigned> classOf, representatives;
  /// Columns by stream axis, and loops by both axes, -1 for none; filled when
  /// asked for.
  mutable std::map<int64_t, std::vector<Column>> columns;
  /// Answers of shapeLimit by the axes of the region that are longer than 1.
  mutable llvm::DenseMap<uint64_t, std::optional<cost::Limit>> shapeLimits;
  mutable std::map<std::pair<int64_t, int64_t>, std::unique_ptr<Loops>> loops;
};

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_EVALUATE_H
