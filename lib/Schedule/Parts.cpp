//===- Parts.cpp - into how many parts a stream may go ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Parts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

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

Choice napkin::schedule::explainParts(const RegionFacts &facts,
                                      const Pins &pins,
                                      const Decision &decision) {
  const Axis &axis = facts.region.graph.axes[*decision.candidate.stream];
  const Evaluation &evaluation = decision.evaluation;
  Choice choice{ncd::Subject::Split, axis.name, *decision.candidate.part};
  int64_t blocks = evaluation.blocks / evaluation.parts;
  int64_t multiprocessors = facts.hardware.multiprocessors;
  if (pins.split.count(axis.name))
    choice.reasons.push_back({ncd::Cause::Pinned});
  choice.reasons.push_back(
      {ncd::Cause::PartsOfBlocks, {evaluation.parts, blocks, multiprocessors}});
  if (decision.wholeCycles < std::numeric_limits<double>::infinity())
    choice.reasons.push_back(
        {ncd::Cause::WholeTakes,
         {std::llround(100 * decision.wholeCycles / evaluation.honestCycles),
          std::min(blocks, multiprocessors)}});
  choice.reasons.push_back({ncd::Cause::MergeTakes,
                            {std::llround(100 * evaluation.times.merge.total() /
                                          evaluation.honestCycles)}});
  return choice;
}
