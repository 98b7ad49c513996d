//===- Parts.cpp - into how many parts a stream may go ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Parts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <fmt/format.h>

using namespace napkin;
using namespace napkin::schedule;

llvm::SmallVector<int64_t, 4>
napkin::schedule::partOptions(const RegionFacts &facts, const Pins &pins,
                              const Candidate &candidate, int64_t blocks) {
  const Axis &axis = facts.region.graph.axes[*candidate.stream];
  int64_t chunk = candidate.extent[*candidate.stream];
  auto pinned = pins.split.find(axis.name);
  if (pinned != pins.split.end())
    return pinned->second % chunk
               ? llvm::SmallVector<int64_t, 4>()
               : llvm::SmallVector<int64_t, 4>{pinned->second};
  llvm::SmallVector<int64_t, 4> result;
  if (pins.noSplit || !pins.split.empty() ||
      blocks >= facts.hardware.multiprocessors)
    return result;
  int64_t trips = llvm::divideCeil(axis.size, chunk);
  for (int64_t fill : {1, 2, 4}) {
    int64_t parts = facts.hardware.multiprocessors * fill / blocks;
    if (parts < 2)
      continue;
    int64_t part = int64_t(llvm::divideCeil(trips, parts)) * chunk;
    if (part < axis.size && !llvm::is_contained(result, part))
      result.push_back(part);
  }
  return result;
}

Reason napkin::schedule::explainParts(const RegionFacts &facts,
                                      const Pins &pins,
                                      const Decision &decision) {
  const Axis &axis = facts.region.graph.axes[*decision.candidate.stream];
  const Evaluation &evaluation = decision.evaluation;
  Reason reason{
      fmt::format("split {} = {}", axis.name, *decision.candidate.part), ""};
  int64_t blocks = evaluation.blocks / evaluation.parts;
  int64_t multiprocessors = facts.hardware.multiprocessors;
  if (pins.split.count(axis.name))
    reason.text = "pinned; ";
  reason.text += fmt::format(
      "{} parts of {} block{} each for {} multiprocessors", evaluation.parts,
      blocks, blocks == 1 ? "" : "s", multiprocessors);
  if (decision.wholeCycles < std::numeric_limits<double>::infinity())
    reason.text +=
        fmt::format("; whole it takes {:.2f} × as long, with {} of them busy",
                    decision.wholeCycles / evaluation.honestCycles,
                    std::min(blocks, multiprocessors));
  reason.text += fmt::format("; the merge takes {:.0f} % of the time",
                             100 * evaluation.times.merge.total() /
                                 evaluation.honestCycles);
  return reason;
}
