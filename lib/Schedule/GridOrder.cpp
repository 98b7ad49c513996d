//===- GridOrder.cpp - which blocks run side by side ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts the tiles that one wave of blocks reads, for each order of the grid.
//
//===----------------------------------------------------------------------===//

#include "GridOrder.h"
#include "llvm/Support/MathExtras.h"
#include <set>

using namespace napkin;
using namespace napkin::schedule;

namespace {
/// The grid of one decision.
class Grid {
public:
  Grid(const Region &region, const Decision &decision,
       const cost::Hardware &hardware);

  /// Bytes that all waves read from device memory, when the tiles of axis
  /// number \p grouped of the grid are walked in groups of \p tiles.
  double bytesOf(unsigned grouped, int64_t tiles) const;
  unsigned rank() const { return sizes.size(); }
  int64_t size(unsigned axis) const { return sizes[axis]; }

private:
  /// Where block number \p block stands, in tiles along each axis.
  llvm::SmallVector<int64_t, 4> placeOf(int64_t block, unsigned grouped,
                                        int64_t tiles) const;

  struct Input {
    /// Numbers of the axes of the grid that it carries.
    llvm::SmallVector<unsigned, 4> axes;
    /// Bytes that one block reads of it in all.
    double bytes = 0;
  };
  llvm::SmallVector<int64_t, 4> sizes;
  llvm::SmallVector<Input, 4> inputs;
  int64_t blocks = 1, wave = 1;
};
} // namespace

/// Blocks of \p decision that one multiprocessor holds.
static int64_t residentBlocks(const Decision &decision,
                              const cost::Hardware &hardware) {
  int64_t threads = decision.candidate.warps * 32;
  int64_t registers =
      decision.evaluation.registers + hardware.reservedRegistersPerThread;
  int64_t resident = std::min(hardware.threadsPerMultiprocessor / threads,
                              hardware.registersPerMultiprocessor /
                                  (threads * std::max<int64_t>(registers, 1)));
  if (int64_t bytes = decision.evaluation.sharedBytes)
    resident =
        std::min(resident, hardware.level("shared").capacityBytes / bytes);
  return std::clamp<int64_t>(resident, 1, 16);
}

Grid::Grid(const Region &region, const Decision &decision,
           const cost::Hardware &hardware) {
  const Graph &graph = region.graph;
  const Candidate &candidate = decision.candidate;
  for (unsigned axis : candidate.groups)
    sizes.push_back(
        llvm::divideCeil(graph.axes[axis].size, candidate.extent[axis]));
  for (int64_t size : sizes)
    blocks *= size;
  wave = std::min(blocks, hardware.multiprocessors *
                              residentBlocks(decision, hardware));
  for (unsigned value : region.inputs) {
    Input input;
    input.bytes = double(graph.values[value].bytes());
    for (unsigned axis : graph.values[value].axes) {
      const unsigned *group = llvm::find(candidate.groups, axis);
      bool cut = group != candidate.groups.end();
      input.bytes *=
          double(cut ? candidate.extent[axis] : graph.axes[axis].size);
      if (cut)
        input.axes.push_back(group - candidate.groups.begin());
    }
    inputs.push_back(std::move(input));
  }
}

llvm::SmallVector<int64_t, 4> Grid::placeOf(int64_t block, unsigned grouped,
                                            int64_t tiles) const {
  llvm::SmallVector<int64_t, 4> place(rank());
  int64_t faster = 1;
  for (unsigned axis = grouped + 1; axis < rank(); ++axis)
    faster *= sizes[axis];
  int64_t index = block % (sizes[grouped] * faster);
  int64_t first = index / (tiles * faster) * tiles;
  int64_t count = std::min(sizes[grouped] - first, tiles);
  int64_t rest = index - first * faster;
  place[grouped] = first + rest % count;
  int64_t inner = rest / count;
  for (unsigned axis = rank(); axis-- > grouped + 1;) {
    place[axis] = inner % sizes[axis];
    inner /= sizes[axis];
  }
  int64_t outer = block / (sizes[grouped] * faster);
  for (unsigned axis = grouped; axis-- > 0;) {
    place[axis] = outer % sizes[axis];
    outer /= sizes[axis];
  }
  return place;
}

double Grid::bytesOf(unsigned grouped, int64_t tiles) const {
  double bytes = 0;
  std::vector<std::set<llvm::SmallVector<int64_t, 4>>> seen(inputs.size());
  for (int64_t block = 0; block < wave; ++block) {
    llvm::SmallVector<int64_t, 4> place = placeOf(block, grouped, tiles);
    for (auto [input, places] : llvm::zip_equal(inputs, seen)) {
      llvm::SmallVector<int64_t, 4> part;
      for (unsigned axis : input.axes)
        part.push_back(place[axis]);
      if (places.insert(part).second)
        bytes += input.bytes;
    }
  }
  return bytes * double(blocks) / double(wave);
}

std::optional<Grouping>
napkin::schedule::chooseGrouping(const Region &region, const Decision &decision,
                                 const cost::Hardware &hardware) {
  const Graph &graph = region.graph;
  double once = 0;
  for (unsigned input : region.inputs) {
    double bytes = double(graph.values[input].bytes());
    for (unsigned axis : graph.values[input].axes)
      bytes *= double(graph.axes[axis].size);
    once += bytes;
  }
  Grid grid(region, decision, hardware);
  if (grid.rank() < 2 || once <= double(hardware.level("l2").capacityBytes))
    return std::nullopt;
  Grouping best;
  best.bytes = best.plainBytes = grid.bytesOf(0, 1);
  for (unsigned axis = 0; axis + 1 < grid.rank(); ++axis)
    for (int64_t tiles = 2; tiles <= std::min<int64_t>(32, grid.size(axis));
         tiles *= 2)
      if (double bytes = grid.bytesOf(axis, tiles); bytes < best.bytes) {
        best.axis = decision.candidate.groups[axis];
        best.tiles = tiles;
        best.bytes = bytes;
      }
  if (best.bytes > 0.95 * best.plainBytes)
    return std::nullopt;
  return best;
}
