//===- PublishedTest.cpp - modelled beside published times ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels that others wrote and measured on an A100, in their own tiles, by the
// one time function. `utils/bench --modelled` prints the table. The only figure
// that was chosen with one of these tables in sight is the overlap of pipes
// (Hardware.h), and it is one number for the machine.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Timing.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace napkin;
using namespace napkin::cost;

namespace {
const target::MatrixInstruction &bf16() {
  return *target::lookupTarget("sm_80")->find("mma.m16n8k16.bf16");
}

/// The A100 at another clock; device memory keeps its own.
Hardware machineAt(double clockMHz, double memoryGBs) {
  Hardware machine = *findHardware("a100_80gb");
  machine.clockMHz = clockMHz;
  for (Level &level : machine.levels)
    if (level.name == "global")
      level.bytesPerCycle = memoryGBs * 1e9 / (clockMHz * 1e6);
  return machine;
}

/// One row of a table.
struct Row {
  std::string table, name, unit;
  double published = 0, modelled = 0;
  /// False where it is only printed, and the name says why.
  bool held = true;
};

/// Elements of a thread of a tile that \p warps share.
double each(double elements, int64_t warps) {
  return elements / (32.0 * warps);
}

//===----------------------------------------------------------------------===//
// FlashAttention-2
//===----------------------------------------------------------------------===//

struct Attention {
  double batch, heads, length, depth;
  bool causal;
};

/// Instructions beside the counted ones in the loops of FlashAttention-2:
/// addresses, predicates, counters (SASS of its forward loop).
constexpr double besides = 60;

/// Its forward kernel: blocks of 128 queries, 4 warps of 32 rows, chunks of 128
/// keys at d = 64 and 64 at d = 128, one ring of K and one of V in half steps
/// (flash_fwd_launch_template.h).
Timing forward(const Hardware &machine, const Attention &at) {
  double rows = 128, keys = at.depth <= 64 ? 128 : 64, warps = 4;
  double tiles = std::ceil(at.length / rows),
         chunks = std::ceil(at.length / keys);
  double steps = 0, longest = 0;
  for (double tile = 0; tile < tiles; ++tile) {
    double seen = at.causal
                      ? std::min(chunks, std::ceil((tile + 1) * rows / keys))
                      : chunks;
    steps += seen / tiles;
    longest = std::max(longest, seen);
  }
  double d = at.depth, own = rows / warps;
  double element = each(rows * keys, warps), result = each(rows * d, warps);
  KernelWork work;
  work.warps = int64_t(warps);
  work.steps = steps;
  work.stepInstructions = besides;
  work.ahead = 1;
  work.blocks = int64_t(at.batch * at.heads * tiles);
  work.resident = 2;
  work.phases = {
      productPhase(machine, bf16(), own, keys, d, 2 * d * (keys + own), steps),
      vectorPhase(machine, {0, element, 0, 0}, 4 * machine.shuffleLatency + 20,
                  steps),
      vectorPhase(machine, {2 * element, element / 2, element, 0},
                  machine.specialLatency, steps),
      vectorPhase(machine, {result, 0, 0, 0}, 0, steps),
      productPhase(machine, bf16(), own, d, keys, 2 * d * keys, steps)};
  if (at.causal) // a comparison and a selection in the chunks of the diagonal
    work.phases.push_back(vectorPhase(machine, {0, 2 * element, 0, 0}, 0,
                                      std::max(1.0, rows / keys)));
  work.streamedBytes = 2 * 2 * keys * d * steps;
  work.residentBytes = 2 * rows * d;
  work.storedBytes = 2 * rows * d;
  work.longest = longest / steps;
  work.longestFirst = true;
  work.deviceBytes = 4 * 2 * at.batch * at.heads * at.length * d;
  return estimate(machine, work);
}

/// Its backward kernel and the two small ones around it: a block keeps 128 keys
/// and walks queries in chunks of 128 (d = 64) or 64, 8 warps in 4 by 2; P and
/// dS go through shared memory, dQ is added in memory.
double backwardCycles(const Hardware &machine, const Attention &at) {
  double keys = 128, rows = at.depth <= 64 ? 128 : 64, warps = 8, d = at.depth;
  double tiles = std::ceil(at.length / keys),
         chunks = std::ceil(at.length / rows);
  double steps = 0, longest = 0;
  for (double tile = 0; tile < tiles; ++tile) {
    double seen = at.causal
                      ? std::max(1.0, chunks - std::floor(tile * keys / rows))
                      : chunks;
    steps += seen / tiles;
    longest = std::max(longest, seen);
  }
  auto product = [&](double r, double c, double k) {
    return productPhase(machine, bf16(), r / 4, c / 2, k,
                        2 * k * (r / 4 + c / 2), steps);
  };
  double element = each(rows * keys, warps);
  auto scores = [&](const Instructions &count) {
    Phase phase = vectorPhase(machine, count, machine.specialLatency, steps);
    phase.sharedBytes = 2 * rows * keys / warps;
    return phase;
  };
  KernelWork work;
  work.warps = int64_t(warps);
  work.steps = steps;
  work.stepInstructions = besides;
  work.barriers = 2;
  work.ahead = 1;
  work.blocks = int64_t(at.batch * at.heads * tiles);
  work.resident = 1;
  work.phases = {
      product(rows, keys, d),
      scores({element, element / 2, element, 30}),
      product(rows, keys, d),
      scores({2 * element, element / 2, 0, 30}),
      product(keys, d, rows),
      product(rows, d, keys),
      vectorPhase(machine, {0, 0, 0, each(rows * d, warps)}, 0, steps),
      product(keys, d, rows)};
  work.streamedBytes = (2 * 2 * rows * d + 4 * rows * d) * steps;
  work.residentBytes = 2 * 2 * keys * d;
  work.storedBytes = 2 * 2 * keys * d;
  work.longest = longest / steps;
  work.longestFirst = true;
  double elements = at.batch * at.heads * at.length * d;
  work.deviceBytes = elements * (4 * 2 + 2 * 2 + 4);
  // dO · O and the clearing of dQ before it, its conversion behind it: 14 bytes
  // an element at the bandwidth of device memory.
  KernelWork around;
  around.blocks = machine.multiprocessors * 8;
  around.deviceBytes = elements * 14;
  return estimate(machine, work).cycles + estimate(machine, around).cycles +
         double(machine.launchCycles);
}

void addFlashAttention2(std::vector<Row> &rows) {
  // Forward and backward, TFLOP/s; hidden size 2048, 16k tokens
  // (assets/flash2_a100_fwd_bwd_benchmark.png of Dao-AILab/flash-attention).
  struct Line {
    double depth;
    bool causal;
    double figures[6];
  };
  const Line lines[] = {{64, false, {132, 153, 162, 171, 175, 176}},
                        {128, false, {151, 173, 187, 196, 201, 203}},
                        {64, true, {88, 119, 140, 156, 165, 171}},
                        {128, true, {99, 133, 155, 173, 182, 189}}};
  const Hardware &machine = *findHardware("a100_80gb");
  for (const Line &line : lines)
    for (int i = 0; i < 6; ++i) {
      double length = 512 << i;
      Attention at{16384 / length, 2048 / line.depth, length, line.depth,
                   line.causal};
      double operations = 4 * 16384 * length * 2048 * (line.causal ? 0.5 : 1);
      double cycles = forward(machine, at).cycles + backwardCycles(machine, at);
      double seconds = cycles / (machine.clockMHz * 1e6);
      rows.push_back({"FlashAttention-2, forward + backward",
                      (line.causal ? "causal d " : "d ") +
                          std::to_string(int(line.depth)) + ", " +
                          std::to_string(int(length)),
                      "TFLOP/s", line.figures[i],
                      3.5 * operations / seconds / 1e12});
    }
  // Triton's regression test, fraction of the peak at 1350 MHz: forward, batch
  // 4, 48 heads of 64, 4096 positions; blocks of 128 by 64 and 4 warps, which
  // the forward kernel above has but for its chunk.
  Hardware slow = machineAt(1350, 2039);
  Attention at{4, 48, 4096, 64, false};
  double peak = 108 * 2048 * 1350e6;
  rows.push_back({"Triton regression, attention forward", "4 x 48 x 4096 x 64",
                  "of peak", 0.39,
                  4 * 4 * 48 * 4096.0 * 4096 * 64 /
                      forward(slow, at).seconds(slow) / peak});
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

struct Tiles {
  double rows, columns, depth, down, across, slots;
};

/// m x k times k x n, f16 or bf16 with results of 2 bytes, blocks in groups of
/// 8 rows as libraries and Triton's tutorials have them.
Timing product(const Hardware &machine, double m, double n, double k,
               const Tiles &tiles) {
  double warps = tiles.down * tiles.across;
  double r = tiles.rows / tiles.down, c = tiles.columns / tiles.across;
  KernelWork work;
  work.warps = int64_t(warps);
  work.steps = std::ceil(k / tiles.depth);
  work.stepInstructions = 32;
  work.ahead = tiles.slots - 1;
  work.phases = {productPhase(machine, bf16(), r, c, tiles.depth,
                              2 * tiles.depth * (r + c), work.steps)};
  work.streamedBytes =
      2 * tiles.depth * (tiles.rows + tiles.columns) * work.steps;
  work.storedBytes = 2 * tiles.rows * tiles.columns;
  double down = std::ceil(m / tiles.rows),
         across = std::ceil(n / tiles.columns);
  work.blocks = int64_t(down * across);
  // Accumulators, fragments of two steps, and what every kernel needs.
  double registers = r * c / 32 + 2 * (r / 16 * 4 + c / 8 * 2) + 31;
  work.resident = residentBlocks(
      machine, work.warps, int64_t(registers),
      int64_t(2 * tiles.slots * tiles.depth * (tiles.rows + tiles.columns)));
  double group = std::min(8.0, down);
  GridStep order[] = {{0, std::ceil(down / group)}, {1, across}, {0, group}};
  GridRead reads[] = {{2 * m * k, 2 * m * k * across, 1},
                      {2 * k * n, 2 * k * n * down, 2}};
  double inFlight = double(machine.multiprocessors * work.resident);
  work.deviceBytes = deviceReads(machine, order, reads, inFlight) + 2 * m * n;
  return estimate(machine, work);
}

/// The best of what an autotuner tries: the configurations of Triton's matmul
/// (python/triton/ops/matmul.py), without those that split k.
double tuned(const Hardware &machine, double m, double n, double k) {
  const Tiles tried[] = {
      {128, 256, 32, 2, 4, 3}, {256, 128, 32, 4, 2, 3}, {256, 64, 32, 4, 1, 4},
      {64, 256, 32, 1, 4, 4},  {128, 128, 32, 2, 2, 4}, {128, 64, 32, 2, 2, 4},
      {64, 128, 32, 2, 2, 4},  {128, 32, 32, 4, 1, 4},  {64, 32, 32, 2, 1, 5},
      {16, 32, 64, 1, 2, 4},   {16, 64, 64, 1, 2, 4},   {32, 32, 64, 1, 2, 4},
      {32, 64, 64, 1, 2, 4}};
  double best = INFINITY;
  for (const Tiles &tiles : tried)
    best = std::min(best, product(machine, m, n, k, tiles).seconds(machine));
  return best;
}

void addProducts(std::vector<Row> &rows) {
  const Hardware &machine = *findHardware("a100_80gb");
  double operations = 2 * 4096.0 * 4096 * 4096;
  // 250 to 260 in reports of cuBLAS and CUTLASS, whose tile this is.
  rows.push_back(
      {"libraries, product", "4096 x 4096 x 4096", "TFLOP/s", 255,
       operations /
           product(machine, 4096, 4096, 4096, {128, 256, 64, 2, 4, 3})
               .seconds(machine) /
           1e12});
  // Fractions of the peak at 1350 MHz
  // (python/test/regression/test_performance.py).
  struct Line {
    double m, n, k, fraction;
    bool held;
  };
  const Line lines[] = {
      {512, 512, 512, .084, true},    {1024, 1024, 1024, .332, true},
      {2048, 2048, 2048, .598, true}, {4096, 4096, 4096, .702, true},
      {8192, 8192, 8192, .829, true}, {16, 1024, 1024, .008, false},
      {16, 4096, 4096, .036, false},  {16, 8192, 8192, .056, false},
      {64, 1024, 1024, .038, false},  {64, 4096, 4096, .143, false},
      {64, 8192, 8192, .232, false},  {1024, 64, 1024, .003, false},
      {4096, 64, 4096, .14, false},   {8192, 64, 8192, .207, false},
      {1000, 200, 700, .027, false},  {994, 136, 402, .015, false},
      {99, 1357, 409, .011, false}};
  Hardware slow = machineAt(1350, 2039);
  double peak = 108 * 2048 * 1350e6;
  for (const Line &line : lines)
    rows.push_back({line.held ? "Triton regression, square product"
                              : "Triton regression, skinny and odd product",
                    std::to_string(int(line.m)) + " x " +
                        std::to_string(int(line.n)) + " x " +
                        std::to_string(int(line.k)),
                    "of peak", line.fraction,
                    2 * line.m * line.n * line.k /
                        tuned(slow, line.m, line.n, line.k) / peak,
                    line.held});
}

//===----------------------------------------------------------------------===//
// Elementwise
//===----------------------------------------------------------------------===//

void addElementwise(std::vector<Row> &rows) {
  // x + y in f16, blocks of 1024: fraction of the bandwidth of an A100 of 40 GB
  // (1,555 GB/s), 3 arrays.
  const std::pair<int, double> lines[] = {{16, .04},  {18, .132}, {20, .353},
                                          {22, .605}, {24, .758}, {26, .85}};
  Hardware machine = machineAt(1350, 1555);
  for (auto [bits, fraction] : lines) {
    double elements = std::exp2(bits);
    KernelWork work;
    work.blocks = int64_t(elements / 1024);
    work.resident = 16;
    work.stepInstructions = 32;
    work.phases = {vectorPhase(machine, {8, 0, 0, 0}, 4, 1)};
    work.streamedBytes = 2 * 2 * 1024;
    work.storedBytes = 2 * 1024;
    work.deviceBytes = 6 * elements;
    rows.push_back(
        {"Triton regression, x + y",
         std::to_string(1 << (bits - 10)) + " K elements", "of peak", fraction,
         6 * elements / estimate(machine, work).seconds(machine) / 1555e9});
  }
}

std::vector<Row> allRows() {
  std::vector<Row> rows;
  addFlashAttention2(rows);
  addProducts(rows);
  addElementwise(rows);
  return rows;
}

/// Mean of |modelled / published - 1|, and Spearman's rank correlation of the
/// figures.
struct Quality {
  double error = 0, bias = 0, rank = 0;
};

Quality qualityOf(llvm::ArrayRef<Row> rows) {
  auto ranksOf = [&](auto figure) {
    std::vector<double> ranks(rows.size());
    for (size_t i = 0; i < rows.size(); ++i)
      for (size_t j = 0; j < rows.size(); ++j)
        ranks[i] += figure(rows[j]) < figure(rows[i])    ? 1
                    : figure(rows[j]) == figure(rows[i]) ? 0.5
                                                         : 0;
    return ranks;
  };
  std::vector<double> a = ranksOf([](const Row &row) { return row.published; });
  std::vector<double> b = ranksOf([](const Row &row) { return row.modelled; });
  Quality quality;
  double n = double(rows.size()), mean = n / 2, cross = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < rows.size(); ++i) {
    double error = rows[i].modelled / rows[i].published - 1;
    quality.error += std::fabs(error) / n;
    quality.bias += error / n;
    cross += (a[i] - mean) * (b[i] - mean);
    aa += (a[i] - mean) * (a[i] - mean);
    bb += (b[i] - mean) * (b[i] - mean);
  }
  quality.rank = cross / std::sqrt(aa * bb);
  return quality;
}
} // namespace

TEST(Published, ErrorsAndRanks) {
  std::vector<Row> rows = allRows();
  std::vector<std::string> tables;
  for (const Row &row : rows)
    if (!llvm::is_contained(tables, row.table))
      tables.push_back(row.table);
  double error = 0;
  unsigned held = 0;
  for (const std::string &table : tables) {
    std::vector<Row> own;
    llvm::copy_if(rows, std::back_inserter(own),
                  [&](const Row &row) { return row.table == table; });
    printf("%s\n", table.c_str());
    for (const Row &row : own) {
      printf("  %-24s %9.3f %9.3f %s %+6.1f %%\n", row.name.c_str(),
             row.published, row.modelled, row.unit.c_str(),
             100 * (row.modelled / row.published - 1));
      if (row.held) {
        error += std::fabs(row.modelled / row.published - 1);
        ++held;
      }
    }
    if (own.size() < 2)
      continue;
    Quality quality = qualityOf(own);
    printf("  %zu rows: mean error %.1f %%, bias %+.1f %%, rank %.2f\n",
           own.size(), 100 * quality.error, 100 * quality.bias, quality.rank);
    EXPECT_GE(quality.rank, 0.8) << table;
  }
  printf("%u rows that are held: mean error %.1f %%\n", held,
         100 * error / held);
  EXPECT_LE(error / held, 0.15);
}
