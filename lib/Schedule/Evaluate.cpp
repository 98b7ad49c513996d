//===- Evaluate.cpp - what one choice of partitions costs -------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes and cycles of a candidate, level by level, over the whole grid.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Evaluate.h"
#include "Loops.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>

using namespace napkin;
using namespace napkin::schedule;

/// Lines touched for each line's worth of data: a run shorter than a line still
/// asks for one.
double RegionFacts::lineFactor(const Candidate &candidate,
                               unsigned value) const {
  const ArrayValue &array = region.graph.values[value];
  double run = double(array.bytes());
  for (unsigned axis : llvm::reverse(array.axes)) {
    run *= double(candidate.extent[axis]);
    if (candidate.extent[axis] < region.graph.axes[axis].size)
      break;
  }
  double line = double(hardware.level("l2").preferredBytes);
  return std::ceil(run / line) * line / run;
}

/// Instructions that a warp issues per chunk beside the work on it.
static constexpr double loopInstructions = 32;

double
napkin::schedule::productsPerCycle(const cost::Hardware &hardware,
                                   const target::MatrixInstruction &row) {
  auto known = hardware.productsPerCycle.find(row.name.str());
  return known == hardware.productsPerCycle.end() ? row.productsPerCycle()
                                                  : known->second;
}

static double elementsOf(const Graph &graph, unsigned value) {
  double elements = 1;
  for (unsigned axis : graph.values[value].axes)
    elements *= double(graph.axes[axis].size);
  return elements;
}

// Both are what price() charges a kernel that repeats nothing, pads nothing and
// fills the machine: its terms are added, so theirs may be too.

double napkin::schedule::leastCycles(const Graph &graph,
                                     const Operation &operation,
                                     const cost::Hardware &hardware) {
  double multiprocessors = double(hardware.multiprocessors);
  if (operation.kind == OperationKind::Contract) {
    double products = elementsOf(graph, operation.results[0]);
    for (unsigned axis : operation.over)
      products *= double(graph.axes[axis].size);
    return products / productsPerCycle(hardware, *operation.instruction) /
           multiprocessors;
  }
  unsigned shape = operation.kind == OperationKind::Reduce
                       ? operation.operands[0]
                       : operation.results[0];
  return elementsOf(graph, shape) / multiprocessors *
         (double(operation.simple) / double(hardware.fmaPerCycle) +
          double(operation.special) / double(hardware.specialPerCycle));
}

double napkin::schedule::leastCycles(const Graph &graph, unsigned value,
                                     const cost::Hardware &hardware) {
  double bytes = elementsOf(graph, value) * double(graph.values[value].bytes());
  return bytes / hardware.level("global").bytesPerCycle +
         bytes / hardware.level("l2").bytesPerCycle;
}

/// Cycles until the first result of one operation can be used: a dependent
/// instruction, two shuffles and a maximum, a handful of dependent
/// instructions.
static double latencyOf(const Operation &operation) {
  switch (operation.kind) {
  case OperationKind::Contract:
    return operation.instruction->latency;
  case OperationKind::Reduce:
    return 60;
  case OperationKind::Map:
    return 4.0 * double(operation.simple) + 20.0 * double(operation.special);
  case OperationKind::Fixed:
    break;
  }
  return 0;
}

RegionFacts::ChunkCycles
RegionFacts::chunkCycles(const Candidate &candidate) const {
  const Graph &graph = region.graph;
  ChunkCycles result;
  double chunkBytes = 0, work = 0;
  unsigned innermost = candidate.inner.value_or(*candidate.stream);
  for (unsigned input : region.inputs)
    if (graph.values[input].carries(innermost) &&
        !region.isHeld(input, candidate.extent, candidate.stream))
      chunkBytes +=
          tileElements(candidate, input) * double(graph.values[input].bytes());
  for (unsigned index : region.operations) {
    const Operation &operation = graph.operations[index];
    auto streamed = [&](unsigned value) {
      return graph.values[value].carries(innermost);
    };
    if (!llvm::any_of(operation.operands, streamed) &&
        !llvm::any_of(operation.results, streamed))
      continue;
    if (llvm::any_of(operation.operands, [&](unsigned operand) {
          return !region.isInput(operand);
        }))
      result.chain += latencyOf(operation);
    if (operation.kind == OperationKind::Contract) {
      double products = tileElements(candidate, operation.results[0]);
      for (unsigned axis : operation.over)
        products *= double(padded(candidate, axis));
      work += products / productsPerCycle(hardware, *operation.instruction);
    } else {
      double elements = tileElements(candidate, operation.results[0]);
      work += elements *
              (double(operation.simple) / double(hardware.fmaPerCycle) +
               double(operation.special) / double(hardware.specialPerCycle));
    }
  }
  double perMultiprocessor =
      hardware.level("l2").bytesPerCycle / double(hardware.multiprocessors);
  result.journey = double(hardware.level("global").latencyCycles) +
                   chunkBytes / perMultiprocessor;
  result.work = std::max(work, 1.0);
  return result;
}

int64_t RegionFacts::stagesFor(const Candidate &candidate) const {
  const Graph &graph = region.graph;
  // Without contracts chunks go straight to registers; nothing is in flight.
  if (!candidate.stream || !hasContract)
    return 1;
  ChunkCycles chunk = chunkCycles(candidate);
  double ahead = std::ceil(chunk.journey / chunk.work);
  int64_t stages = std::clamp(1 + int64_t(std::min(ahead, 100.0)),
                              limits.fewestStages, limits.mostStages);
  unsigned innermost = candidate.inner.value_or(*candidate.stream);
  int64_t trips =
      llvm::divideCeil(candidate.part.value_or(graph.axes[innermost].size),
                       candidate.extent[innermost]);
  return std::max(std::min(stages, trips), limits.fewestStages);
}

int64_t RegionFacts::residentBlocks(const Candidate &candidate,
                                    const Evaluation &result) const {
  int64_t threads = candidate.warps * 32;
  int64_t registers = (result.registers + hardware.reservedRegistersPerThread);
  int64_t resident = std::min(hardware.threadsPerMultiprocessor / threads,
                              hardware.registersPerMultiprocessor /
                                  (threads * std::max<int64_t>(registers, 1)));
  if (result.sharedBytes > 0)
    resident = std::min(resident, hardware.level("shared").capacityBytes /
                                      result.sharedBytes);
  // No more than the grid provides.
  resident = std::min(resident, int64_t(llvm::divideCeil(
                                    result.blocks, hardware.multiprocessors)));
  return std::clamp<int64_t>(resident, 1, 16);
}

bool RegionFacts::keepsInL2(const Candidate &candidate,
                            const Evaluation &result, int64_t resident) const {
  const Graph &graph = region.graph;
  bool second = loopsOf(candidate.stream, candidate.inner).hasSecond();
  if (!second && !candidate.inner)
    return true;
  double inFlight = std::min(double(result.blocks),
                             double(hardware.multiprocessors * resident));
  double between = 0;
  auto add = [&](unsigned value) {
    double bytes = double(graph.values[value].bytes()), tiles = 1;
    for (unsigned axis : graph.values[value].axes) {
      double size = double(graph.axes[axis].size);
      bool whole =
          axis == candidate.inner || (second && axis == candidate.stream);
      bytes *= whole ? size : double(candidate.extent[axis]);
      if (llvm::is_contained(candidate.groups, axis))
        tiles *= std::ceil(size / double(candidate.extent[axis]));
    }
    between += bytes * std::min(tiles, inFlight);
  };
  llvm::for_each(region.inputs, add);
  if (second)
    llvm::for_each(region.outputs, add);
  return between <= double(hardware.level("l2").capacityBytes);
}

double RegionFacts::waiting(const Candidate &candidate,
                            const Evaluation &result, double trips,
                            double chunkBytes) const {
  double perMultiprocessor =
      hardware.level("l2").bytesPerCycle / double(hardware.multiprocessors);
  double first = double(hardware.level("global").latencyCycles) +
                 chunkBytes / perMultiprocessor;
  if (!candidate.stream)
    return first + double(hardware.barrierCycles);
  const Graph &graph = region.graph;
  // Four schedulers; the warps of one take turns, and each has the loop's own
  // instructions (counters, addresses, waits) to issue.
  double turns = std::max(1.0, double(candidate.warps) / 4.0);
  // What warps that share rows fold, and the weights that they make, pass
  // through shared memory: two waits of all for each.
  double exchanges = 0;
  if (hasWideRows(candidate))
    for (unsigned index : region.operations)
      exchanges += graph.operations[index].kind != OperationKind::Map;
  auto step = [&](double chain) {
    return (1 + 2 * exchanges) * double(hardware.barrierCycles) +
           chain / turns + loopInstructions * turns;
  };
  ChunkCycles chunk = chunkCycles(candidate);
  // With one slot, one product's factors arrive during another's work.
  const Loops &inLoops = loopsOf(candidate.stream, candidate.inner);
  unsigned products = llvm::count_if(region.operations, [&](unsigned index) {
    const Operation &operation = graph.operations[index];
    return operation.kind == OperationKind::Contract &&
           llvm::any_of(operation.operands, [&](unsigned operand) {
             return inLoops.moves(graph.values[operand]);
           });
  });
  double ahead = candidate.stages > 1 ? double(candidate.stages - 1)
                 : products > 1       ? 0.5
                                      : 0;
  double exposed = std::max(0.0, chunk.journey - ahead * chunk.work);
  if (!candidate.inner)
    return first + std::max(0.0, trips - 1) * exposed +
           trips * step(chunk.chain);
  // Each walk inside begins with a first chunk of its own, and the rest of the
  // outer step follows it.
  const Loops &loops = loopsOf(candidate.stream, candidate.inner);
  double walks = 0, chain = 0;
  for (auto [position, index] : llvm::enumerate(region.operations)) {
    const Operation &operation = graph.operations[index];
    if (loops.inInner(position) &&
        llvm::is_contained(operation.over, *candidate.inner))
      walks = std::max(walks, loops.inStream(position) ? trips : 1);
    if (loops.inStream(position) && !loops.inInner(position))
      chain += latencyOf(operation);
  }
  double innerTrips = double(result.innerTrips);
  return walks * (first + (innerTrips - 1) * exposed +
                  innerTrips * step(chunk.chain)) +
         trips * step(chain);
}

Walk napkin::schedule::walkOf(const Graph &graph, const Candidate &candidate,
                              const StreamVerdict *verdict) {
  Walk walk;
  if (!candidate.stream)
    return walk;
  int64_t size = graph.axes[*candidate.stream].size,
          chunk = candidate.extent[*candidate.stream];
  walk.trips = double(llvm::divideCeil(size, chunk));
  if (candidate.part)
    walk.trips = double(llvm::divideCeil(*candidate.part, chunk));
  // A part walks all of its positions.
  if (candidate.part || !verdict || (!verdict->from && !verdict->to))
    return walk;
  // Where both ends are relative to axes, they are nearly always the same one.
  std::optional<unsigned> axis;
  for (const std::optional<WalkLimit> &limit : {verdict->from, verdict->to})
    if (limit && limit->axis)
      axis = limit->axis;
  int64_t rows = axis ? graph.axes[*axis].size : 1,
          tile = axis ? candidate.extent[*axis] : 1;
  int64_t tiles = llvm::divideCeil(rows, tile), trips = 0, positions = 0;
  auto valueOf = [&](const WalkLimit &limit, int64_t row) {
    int64_t value = (limit.axis ? row / limit.divisor : 0) + limit.offset;
    value = std::max(value, limit.least.value_or(value));
    value = std::min(value, limit.most.value_or(value));
    return std::clamp<int64_t>(value, 0, size);
  };
  for (int64_t first = 0; first < rows; first += tile) {
    int64_t begin = verdict->from ? valueOf(*verdict->from, first) : 0;
    begin = begin / chunk * chunk;
    int64_t last = std::min(first + tile, rows) - 1;
    int64_t end = verdict->to ? valueOf(*verdict->to, last) : size;
    if (begin >= end)
      continue;
    int64_t walked = llvm::divideCeil(end - begin, chunk);
    trips += walked;
    positions += std::min(begin + walked * chunk, size) - begin;
  }
  walk.trips = double(trips) / double(tiles);
  walk.fraction = double(positions) / double(tiles) / double(size);
  return walk;
}

MergeTimes RegionFacts::mergeTimes(const StreamVerdict &verdict,
                                   const Evaluation &result,
                                   double stateBytes) const {
  // A turn brings in several parts at once.
  double widest = 1, perThread = 0;
  for (const StreamState &member : verdict.state) {
    double elements = 1;
    for (unsigned axis : member.axes)
      elements *= double(region.graph.axes[axis].size);
    widest = std::max(widest, elements);
    perThread += std::max(
        1.0, std::min(elements, double(MergeShape::blockElements)) / 32.0);
  }
  double steps =
      std::clamp(std::floor(double(MergeShape::elementsUnderWay) / perThread),
                 1.0, double(MergeShape::mostSteps));
  double turns = std::ceil(double(result.parts) / steps);
  double blocks = std::ceil(widest / double(MergeShape::blockElements));
  double rounds = std::ceil(blocks / double(hardware.multiprocessors *
                                            hardware.blocksPerMultiprocessor));
  double bytes =
      stateBytes * double(result.parts) + double(result.writtenBytes);
  MergeTimes times;
  times.launch = double(hardware.launchCycles);
  times.global = bytes / hardware.level("global").bytesPerCycle;
  times.l2 = bytes / hardware.level("l2").bytesPerCycle;
  // Turns that are under way together wait once; then their steps follow each
  // other, a dependent instruction or two for each member.
  times.waiting = rounds * (double(hardware.level("global").latencyCycles) *
                                std::ceil(turns / double(MergeShape::stages)) +
                            turns * (double(hardware.barrierCycles) +
                                     6 * steps * double(verdict.state.size())));
  return times;
}

void RegionFacts::price(const Candidate &candidate,
                        const StreamVerdict *verdict,
                        Evaluation &result) const {
  const Graph &graph = region.graph;
  const double multiprocessors = double(hardware.multiprocessors);
  const Walk walk = walkOf(graph, candidate, verdict);
  const double blocks = double(result.blocks), trips = walk.trips;
  const double innerTrips = double(result.innerTrips);
  const Loops &loops = loopsOf(candidate.stream, candidate.inner);
  auto moves = [&](unsigned value) { return loops.moves(graph.values[value]); };
  auto arrayBytes = [&](unsigned value) {
    double bytes = double(graph.values[value].bytes());
    for (unsigned axis : graph.values[value].axes)
      bytes *= double(graph.axes[axis].size);
    return bytes;
  };

  // Global memory: the rule of KernelModel, in numbers. What a block reads
  // again it may find in L2.
  const int64_t resident = residentBlocks(candidate, result);
  bool staysInL2 = keepsInL2(candidate, result, resident);
  double reads = 0, writes = 0, compulsory = 0, lines = 0, fetched = 0;
  for (auto [position, input] : llvm::enumerate(region.inputs)) {
    if (region.isHeld(input, candidate.extent, candidate.stream))
      continue;
    double repetitions = 1, fills = loops.reads(position, trips);
    for (unsigned axis : candidate.groups)
      if (!graph.values[input].carries(axis))
        repetitions *= double(
            llvm::divideCeil(graph.axes[axis].size, candidate.extent[axis]));
    if (!candidate.stream || !graph.values[input].carries(*candidate.stream))
      repetitions *= double(result.parts);
    double bytes = arrayBytes(input);
    compulsory += bytes;
    if (candidate.stream && graph.values[input].carries(*candidate.stream))
      bytes *= walk.fraction;
    fetched += bytes * repetitions * (staysInL2 ? 1 : fills);
    repetitions *= fills;
    reads += bytes * repetitions;
    lines += bytes * repetitions * lineFactor(candidate, input);
  }
  for (unsigned output : region.outputs) {
    writes += arrayBytes(output);
    if (result.parts == 1)
      lines += arrayBytes(output) * lineFactor(candidate, output);
  }
  result.readBytes = int64_t(reads);
  result.writtenBytes = int64_t(writes);
  if (result.parts > 1 && verdict) {
    // Each part writes its state; what the results take, the merge writes.
    double stateBytes = 0;
    for (const StreamState &member : verdict->state) {
      double bytes = double(member.bits) / 8;
      for (unsigned axis : member.axes)
        bytes *= double(graph.axes[axis].size);
      stateBytes += bytes;
    }
    result.times.merge = mergeTimes(*verdict, result, stateBytes);
    writes = stateBytes * double(result.parts);
    lines += writes;
    result.readBytes += int64_t(writes);
    result.writtenBytes += int64_t(writes);
  }
  compulsory += writes;
  const cost::Level &l2 = hardware.level("l2");
  bool reuseHitsL2 = compulsory <= double(l2.capacityBytes);
  Times &times = result.times;
  times.launch = double(hardware.launchCycles);
  times.global = (reuseHitsL2 ? compulsory : fetched + writes) /
                 hardware.level("global").bytesPerCycle;
  times.l2 = lines / l2.bytesPerCycle;

  double sharedBytes = 0, chunkBytes = 0, tensor = 0, scalar = 0;
  for (auto [position, input] : llvm::enumerate(region.inputs)) {
    if (region.isHeld(input, candidate.extent, candidate.stream))
      continue;
    const ArrayValue &array = graph.values[input];
    double bytes = tileElements(candidate, input) * double(array.bytes());
    if (!candidate.stream || moves(input))
      chunkBytes += bytes;
    double fills = loops.reads(position, trips);
    if (candidate.stream && array.carries(*candidate.stream))
      fills *= trips;
    if (candidate.inner && array.carries(*candidate.inner))
      fills *= innerTrips;
    if (hasContract)
      sharedBytes += bytes * fills;
  }
  for (auto [position, index] : llvm::enumerate(region.operations)) {
    const Operation &operation = graph.operations[index];
    double rounds = loops.rounds(position, trips, innerTrips);
    if (operation.kind == OperationKind::Contract) {
      double extent = tileElements(candidate, operation.results[0]);
      for (unsigned axis : operation.over)
        extent *= double(padded(candidate, axis));
      const target::MatrixInstruction &row = *operation.instruction;
      bool onThreads = row.scope == target::Scope::Thread;
      (onThreads ? scalar : tensor) +=
          extent * rounds / productsPerCycle(hardware, row);
      for (unsigned operand : operation.operands) {
        if (!region.isInput(operand))
          continue;
        // Every warp reads the rows or the columns that it multiplies.
        bool rows = graph.values[operand].carries(*result.rowAxis);
        // Lanes that share an element each read it.
        const target::Fragment &fragment = rows ? row.aFragment : row.bFragment;
        double copies =
            double(1u << (5 - fragment.laneBits(0) - fragment.laneBits(1)));
        double bytes = copies * tileElements(candidate, operand) *
                       double(graph.values[operand].bytes());
        sharedBytes +=
            bytes * double(rows ? result.warpColumns : result.warpRows) *
            (rows && !moves(operand) && !candidate.reread ? 1 : rounds);
      }
      continue;
    }
    unsigned shape = operation.kind == OperationKind::Reduce
                         ? operation.operands[0]
                         : operation.results[0];
    double elements = tileElements(candidate, shape);
    scalar += elements * rounds *
              (double(operation.simple) / double(hardware.fmaPerCycle) +
               double(operation.special) / double(hardware.specialPerCycle));
  }
  if (verdict)
    for (const StreamState &member : verdict->state) {
      if (!member.corrected)
        continue;
      double elements = 1;
      for (unsigned axis : member.axes)
        elements *= double(padded(candidate, axis));
      scalar += elements * trips / double(hardware.fmaPerCycle);
    }
  // Fewer than four warps leave schedulers idle.
  double schedulers = std::min(4.0, double(candidate.warps * resident)) / 4.0;
  times.shared = sharedBytes * blocks / multiprocessors /
                 hardware.level("shared").bytesPerCycle;
  times.tensor = tensor * blocks / multiprocessors;
  times.scalar = scalar * blocks / multiprocessors / schedulers;
  times.waiting = blocks / multiprocessors / double(resident) *
                  waiting(candidate, result, trips, chunkBytes);

  // Whole waves. A kernel that reuses data keeps its bytes even where its grid
  // does not fill the machine; one that reuses nothing has only the grid to
  // choose, so idle multiprocessors are charged to it; so is one that is split,
  // which has no other reason to be.
  double full = std::ceil(blocks / multiprocessors) * multiprocessors / blocks;
  times.waves =
      hasContract && !candidate.part && blocks <= multiprocessors ? 1 : full;
  result.honestCycles = times.withWaves(full);
}
