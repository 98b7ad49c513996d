//===- Timing.cpp - how long a kernel takes ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pipes, queues, waves, L2 and the clock, in this order.
//
//===----------------------------------------------------------------------===//

#include "napkin/Cost/Timing.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>

using namespace napkin;
using namespace napkin::cost;

/// Schedulers of a multiprocessor, and threads of a warp.
static constexpr double schedulers = 4, lanes = 32;

/// Instructions that are issued for each product and read of factors: addresses
/// and predicates are 15 % beside them (SASS of loops of products).
static constexpr double besideProducts = 1.15;

/// One ldmatrix reads four matrices of 8 rows of 16 bytes.
static constexpr double bytesPerRead = 512;

llvm::StringRef napkin::cost::pipeName(Pipe pipe) {
  static constexpr llvm::StringLiteral names[pipeCount] = {
      "tensor", "shared", "issue", "fma", "integer", "special", "l2", "global"};
  return names[unsigned(pipe)];
}

static double &at(std::array<double, 6> &cycles, Pipe pipe) {
  return cycles[unsigned(pipe)];
}

//===----------------------------------------------------------------------===//
// Pipes
//===----------------------------------------------------------------------===//

Phase napkin::cost::productPhase(const Hardware &hardware,
                                 const target::MatrixInstruction &row,
                                 double rows, double columns, double depth,
                                 double sharedBytes, double rounds) {
  Phase phase;
  phase.product = true;
  phase.sharedBytes = sharedBytes;
  phase.latency = row.latency;
  phase.rounds = rounds;
  double products = rows * columns * depth;
  double cycles =
      products / (hardware.productsOf(row) / schedulers); // of one scheduler
  bool onThreads = row.scope == target::Scope::Thread;
  double count =
      products / (double(row.m) * row.n * row.k) / (onThreads ? lanes : 1);
  double reads = sharedBytes / bytesPerRead;
  at(phase.cycles, onThreads ? Pipe::Fma : Pipe::Tensor) = cycles;
  at(phase.cycles, Pipe::Issue) = besideProducts * (count + reads);
  phase.alone = std::max(cycles, count * (onThreads ? hardware.vectorStall
                                                    : hardware.productStall) +
                                     reads * hardware.readStall);
  return phase;
}

Phase napkin::cost::vectorPhase(const Hardware &hardware,
                                const Instructions &count, double latency,
                                double rounds) {
  Phase phase;
  phase.latency = latency;
  phase.rounds = rounds;
  // A warp's instruction takes a pipe for 32 threads / its rate.
  auto cyclesOf = [&](double instructions, double perCycle) {
    return instructions * lanes * schedulers / perCycle;
  };
  double issued = count.fma + count.integer + count.special;
  at(phase.cycles, Pipe::Fma) =
      cyclesOf(count.fma, double(hardware.fmaPerCycle));
  at(phase.cycles, Pipe::Integer) =
      cyclesOf(count.integer, double(hardware.integerPerCycle));
  at(phase.cycles, Pipe::Special) =
      cyclesOf(count.special, double(hardware.specialPerCycle));
  at(phase.cycles, Pipe::Issue) = issued + count.other;
  phase.alone =
      std::max(*std::max_element(phase.cycles.begin(), phase.cycles.end()),
               hardware.vectorStall * issued + count.other);
  return phase;
}

namespace {
/// The norm of exponent q of non-negative numbers, and its pieces. 1.5, which
/// machines have, is x·√x.
struct Norm {
  explicit Norm(double q) : q(q) {}
  double power(double x) const {
    return x <= 0 ? 0 : q == 1.5 ? x * std::sqrt(x) : std::pow(x, q);
  }
  double root(double x) const {
    return x <= 0 ? 0 : q == 1.5 ? std::cbrt(x * x) : std::pow(x, 1 / q);
  }
  double q;
};
} // namespace

/// What is waited for beside the busier of two: 4, close to a maximum.
static double join(double a, double b) {
  double aa = a * a, bb = b * b;
  return std::sqrt(std::sqrt(aa * aa + bb * bb));
}

//===----------------------------------------------------------------------===//
// Queues
//===----------------------------------------------------------------------===//

/// Cycles for a round of each of \p n customers that ask for \p t and \p v at
/// two stations and spend \p z elsewhere: exact mean value analysis, in between
/// of whole numbers along a line.
static double roundTime(double t, double v, double z, double n) {
  double atT = 0, atV = 0, before = 0, now = 0;
  double whole = std::ceil(std::max(n, 1.0));
  for (double k = 1; k <= whole; ++k) {
    double inT = t * (1 + atT), inV = v * (1 + atV);
    before = now;
    now = z + inT + inV;
    atT = k * inT / now;
    atV = k * inV / now;
  }
  if (n <= 1)
    return now;
  return now - (whole - n) * (now - before);
}

namespace {
/// What one warp asks of its scheduler in a block's life.
struct Station {
  double products = 0, rest = 0, delay = 0;
  double total() const { return products + rest + delay; }
};

/// The blocks of one multiprocessor, side by side.
struct Blocks {
  /// From the first chunk's arrival to the last result, and around it.
  double work = 0, around = 0;
  /// Of the work, were there only the port, and only the latencies.
  double port = 0, waits = 0;
  Station station;
};
} // namespace

static Station stationsOf(const Hardware &hardware, const KernelWork &work,
                          double warps) {
  Norm norm(hardware.overlap);
  Station station;
  double readers = std::min(schedulers, warps);
  for (const Phase &phase : work.phases) {
    double shared =
        phase.sharedBytes / hardware.level("shared").bytesPerCycle * readers;
    double sum = norm.power(shared);
    for (double cycles : phase.cycles)
      sum += norm.power(cycles);
    double service = norm.root(sum);
    (phase.product ? station.products : station.rest) += service * phase.rounds;
    station.delay += (std::max(0.0, std::max(phase.alone, shared) - service) +
                      phase.latency) *
                     phase.rounds;
  }
  station.rest += work.stepInstructions * work.steps;
  station.delay += work.barriers * double(hardware.barrierCycles) * work.steps;
  return station;
}

static Blocks blocksOf(const Hardware &hardware, const KernelWork &work,
                       double resident) {
  const Level &l2 = hardware.level("l2"), &global = hardware.level("global");
  const double port = l2.bytesPerCycle / double(hardware.multiprocessors);
  // A chunk comes from L2 as often as from behind it.
  const double late =
      0.5 * (double(l2.latencyCycles) + double(global.latencyCycles));
  double warps = resident * double(work.warps);
  Blocks blocks;
  blocks.station = stationsOf(hardware, work, warps);
  const Station &station = blocks.station;
  auto rounds = [&](double count) {
    return roundTime(station.products, station.rest, station.delay,
                     std::max(1.0, count * double(work.warps) / schedulers));
  };
  double busy = rounds(resident);
  blocks.port = work.streamedBytes * resident / port;
  blocks.work = join(busy, blocks.port);
  double step = busy / work.steps, arrival = late + blocks.port / work.steps;
  if (work.ahead >= 1) {
    blocks.waits = work.steps * late / work.ahead;
  } else if (work.steps > 1) {
    // A step waits for its own chunk, but for what is refilled under it. Other
    // blocks work meanwhile.
    double exposed = std::max(0.0, arrival - work.ahead * step);
    blocks.waits =
        (resident > 1 ? rounds(1) : busy) + (work.steps - 1) * exposed;
  }
  blocks.work = std::max(blocks.work, blocks.waits);
  double first =
      (work.residentBytes + work.streamedBytes / work.steps) * resident / port;
  blocks.around = double(hardware.blockCycles) + double(global.latencyCycles) +
                  first + 0.25 * station.total() / work.steps +
                  work.storedBytes * resident / port;
  return blocks;
}

//===----------------------------------------------------------------------===//
// Waves
//===----------------------------------------------------------------------===//

/// Cycles of the whole grid, where \p most blocks share a multiprocessor.
static double gridCycles(const Hardware &hardware, const KernelWork &work,
                         double most, const Blocks &full) {
  double blocks = double(work.blocks),
         processors = double(hardware.multiprocessors);
  double slots = processors * most, block = full.work + full.around;
  if (work.longest <= 1) {
    double waves = std::floor(blocks / slots), rest = blocks - waves * slots;
    double cycles = waves * block;
    if (rest > 0) {
      double own = std::min(most, std::ceil(rest / processors));
      Blocks last = own == most ? full : blocksOf(hardware, work, own);
      cycles += last.work + last.around;
    }
    return cycles;
  }
  // As slots fall free: at the end, on average, half of a block is waited for,
  // the shortest ones where they come last.
  double longest = full.work * work.longest + full.around;
  if (blocks <= slots)
    return longest;
  double shared = blocks * block / slots;
  return work.longestFirst ? std::max(shared + 0.25 * block, longest)
                           : shared + 0.5 * longest;
}

Timing napkin::cost::estimate(const Hardware &hardware,
                              const KernelWork &work) {
  const Level &l2 = hardware.level("l2"), &global = hardware.level("global");
  double blocks = double(work.blocks),
         processors = double(hardware.multiprocessors);
  double most = std::min(double(work.resident), std::ceil(blocks / processors));
  Blocks full = blocksOf(hardware, work, most);
  double cycles = gridCycles(hardware, work, most, full);

  Timing timing;
  double warps = double(work.warps) * blocks / processors / schedulers;
  double shared = 0;
  for (const Phase &phase : work.phases) {
    for (auto [pipe, demand] : llvm::enumerate(phase.cycles))
      timing.busy[pipe] += demand * phase.rounds * warps;
    shared += phase.sharedBytes * phase.rounds;
  }
  auto busy = [&](Pipe pipe) -> double & {
    return timing.busy[unsigned(pipe)];
  };
  busy(Pipe::Shared) =
      shared * warps * schedulers / hardware.level("shared").bytesPerCycle;
  busy(Pipe::Issue) += work.stepInstructions * work.steps * warps;
  double blockBytes =
      work.streamedBytes + work.residentBytes + work.storedBytes;
  busy(Pipe::Port) = blockBytes * blocks / l2.bytesPerCycle;
  busy(Pipe::Device) =
      work.deviceBytes / (global.bytesPerCycle * hardware.deviceEfficiency);

  // Power: at a use of u of the tensor cores the clock is that of the anchor
  // times (u0 / u)^(1/3), for power goes with use, clock and the square of the
  // voltage, which goes with the clock.
  timing.clockMHz = hardware.clockMHz;
  if (hardware.anchorMHz > 0 && cycles > 0) {
    double use = busy(Pipe::Tensor) / cycles;
    if (use > 0)
      timing.clockMHz =
          std::min(hardware.clockMHz,
                   hardware.anchorMHz * std::cbrt(hardware.anchorUse / use));
  }
  timing.multiprocessors = cycles * hardware.clockMHz / timing.clockMHz;
  // Few multiprocessors cannot ask for all of the bandwidth.
  double asking = std::min(1.0, hardware.bandwidthShare *
                                    std::min(blocks, processors) / processors);
  timing.device = busy(Pipe::Device) / asking +
                  (work.deviceBytes > 0 ? double(global.latencyCycles) : 0);
  timing.launch =
      double(work.firstLaunch ? hardware.launchCycles : hardware.gapCycles);
  timing.cycles = timing.launch + join(timing.multiprocessors, timing.device);

  // What binds: the longest of what the total was made of.
  auto largest = [&](std::initializer_list<Pipe> pipes) {
    return *std::max_element(pipes.begin(), pipes.end(),
                             [&](Pipe a, Pipe b) { return busy(a) < busy(b); });
  };
  const Station &station = full.station;
  if (timing.launch > std::max(timing.multiprocessors, timing.device))
    timing.binds = "launch";
  else if (timing.device > timing.multiprocessors)
    timing.binds = pipeName(Pipe::Device);
  else if (full.around > full.work ||
           full.waits >= std::max(full.work, full.port) ||
           station.delay > std::max(station.products, station.rest) *
                               std::max(1.0, most * double(work.warps) / 4))
    timing.binds = "latency";
  else if (full.port > 0.9 * full.work)
    timing.binds = pipeName(Pipe::Port);
  else if (station.products > station.rest)
    timing.binds =
        pipeName(largest({Pipe::Tensor, Pipe::Shared, Pipe::Fma, Pipe::Issue}));
  else
    timing.binds = pipeName(largest(
        {Pipe::Fma, Pipe::Integer, Pipe::Special, Pipe::Issue, Pipe::Shared}));
  return timing;
}

double Floor::cycles() const {
  return std::max({tensor, fma, special, device});
}

//===----------------------------------------------------------------------===//
// L2
//===----------------------------------------------------------------------===//

/// The share of \p between bytes that misses a cache of \p capacity on the next
/// walk over them: m = 1 - exp(-m·D/C), 0 where D <= C.
static double missShare(double between, double capacity) {
  double ratio = between / capacity;
  if (ratio <= 1)
    return 0;
  double share = 1;
  for (int i = 0; i < 12; ++i)
    share = 1 - std::exp(-share * ratio);
  return share;
}

double napkin::cost::deviceReads(const Hardware &hardware,
                                 llvm::ArrayRef<GridStep> order,
                                 llvm::ArrayRef<GridRead> reads,
                                 double inFlight) {
  const double capacity = double(hardware.level("l2").capacityBytes);
  double all = 0;
  for (const GridRead &read : reads)
    all += read.bytes;
  // What fits is read once.
  if (all <= capacity)
    return all;
  llvm::SmallVector<double, 8> tiles, covered, together(order.size(), 1);
  for (const GridStep &step : order) {
    if (step.axis >= tiles.size()) {
      tiles.resize(step.axis + 1, 1);
      covered.resize(step.axis + 1, 1);
    }
    tiles[step.axis] *= step.tiles;
  }
  // Blocks in flight fill the fastest steps first: they are one wave.
  double left = std::max(1.0, inFlight);
  for (size_t i = order.size(); i-- > 0;) {
    together[i] = std::max(1.0, std::min(order[i].tiles, std::floor(left)));
    left = together[i] >= order[i].tiles ? left / together[i] : 1;
    covered[order[i].axis] *= together[i];
  }
  auto part = [&](const GridRead &read) {
    double bytes = read.bytes;
    for (unsigned axis = 0; axis < tiles.size(); ++axis)
      if (read.axes >> axis & 1)
        bytes *= std::min(1.0, covered[axis] / tiles[axis]);
    return bytes;
  };
  // From one wave outward: a step over an axis that an array carries brings
  // more of it; over another axis it is read again, but for what L2 kept.
  llvm::SmallVector<double, 8> cost;
  for (const GridRead &read : reads)
    cost.push_back(part(read));
  for (size_t i = order.size(); i-- > 0;) {
    double times = order[i].tiles / together[i];
    if (times <= 1)
      continue;
    double body = 0;
    for (const GridRead &read : reads)
      body += part(read);
    double again = 1 + (std::ceil(times) - 1) * missShare(body, capacity);
    for (auto [read, bytes] : llvm::zip_equal(reads, cost))
      bytes *= read.axes >> order[i].axis & 1 ? times : again;
    covered[order[i].axis] *= times;
  }
  double total = 0;
  for (auto [read, bytes] : llvm::zip_equal(reads, cost))
    total += std::min(bytes, std::max(read.bytes, read.requested));
  return total;
}

int64_t napkin::cost::residentBlocks(const Hardware &hardware, int64_t warps,
                                     int64_t registers, int64_t sharedBytes) {
  int64_t threads = warps * 32;
  // The register file is handed out by 8 for each thread.
  int64_t each = int64_t(llvm::alignTo(
      std::clamp<int64_t>(registers, 1, hardware.registersPerThread), 8));
  int64_t resident =
      std::min({hardware.threadsPerMultiprocessor / threads,
                hardware.registersPerMultiprocessor / (threads * each),
                hardware.blocksPerMultiprocessor});
  if (sharedBytes > 0)
    resident =
        std::min(resident, (hardware.level("shared").capacityBytes +
                            hardware.sharedReservedPerBlock) /
                               (sharedBytes + hardware.sharedReservedPerBlock));
  return std::max<int64_t>(resident, 1);
}
