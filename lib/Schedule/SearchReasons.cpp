//===- SearchReasons.cpp - why a partition was chosen -----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For every choice, what the next larger and the next smaller one would have
// cost, or which limit it breaks.
//
//===----------------------------------------------------------------------===//

#include "Loops.h"
#include "PartitionSearch.h"
#include "Parts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <cmath>

using namespace napkin;
using namespace napkin::schedule;

std::optional<Reason> Search::explainNeighbour(const Decision &decision,
                                               unsigned axis, int64_t extent) {
  Candidate candidate = decision.candidate;
  candidate.extent[axis] = extent;
  candidate.measuredSharedBytes.reset();
  if (candidate.part && candidate.stream == axis)
    candidate.part = int64_t(llvm::alignTo(*candidate.part, extent));
  const StreamVerdict *verdict =
      decision.candidate.stream ? &decision.verdict : nullptr;
  std::optional<Evaluation> nearestMiss;
  Candidate nearestCandidate;
  for (int64_t warps : warpOptions(candidate)) {
    candidate.warps = warps;
    candidate.warpsArePinned = pins.warps.has_value();
    candidate.stages = pins.stages ? *pins.stages : facts.stagesFor(candidate);
    Evaluation evaluation = evaluate(candidate, verdict, /*all=*/true);
    auto better = [&](const Evaluation &other) {
      if (evaluation.legal() != other.legal())
        return evaluation.legal();
      if (evaluation.legal())
        return evaluation.times.total() < other.times.total();
      return evaluation.violations[0].limit > other.violations[0].limit;
    };
    if (!nearestMiss || better(*nearestMiss)) {
      nearestMiss = evaluation;
      nearestCandidate = candidate;
    }
  }
  if (!nearestMiss)
    return std::nullopt;
  if (nearestMiss->legal() && block) {
    LegalCandidate legal{nearestCandidate, *nearestMiss, verdict};
    if (std::optional<BlockNeeds> needs = compile(legal);
        needs && needs->refusal.empty()) {
      legal.candidate.measuredSharedBytes = needs->sharedBytes;
      nearestMiss = facts.evaluate(legal.candidate, verdict, /*all=*/true);
    }
  }
  if (!nearestMiss->legal()) {
    const cost::Violation &broken = nearestMiss->violations[0];
    return Reason{ncd::Cause::CutOff,
                  {extent},
                  {cost::limitName(broken.limit).str(), broken.text}};
  }
  int64_t chosenBytes =
      decision.evaluation.readBytes + decision.evaluation.writtenBytes;
  int64_t otherBytes = nearestMiss->readBytes + nearestMiss->writtenBytes;
  const Times &chosen = decision.evaluation.times;
  double ratio = nearestMiss->times.total() / chosen.withWaves(chosen.waves);
  bool emptier = nearestMiss->times.waves > chosen.waves * 1.001;
  return Reason{ncd::Cause::Estimated,
                {extent, otherBytes - chosenBytes, std::llround(100 * ratio),
                 emptier ? nearestMiss->blocks : 0,
                 emptier ? decision.evaluation.blocks : 0}};
}

/// What instructions and copies ask of the tile of \p axis.
static cost::GranuleSet granulesOf(const RegionFacts &facts,
                                   const Decision &decision, unsigned axis) {
  const Region &region = facts.region;
  const Graph &graph = region.graph;
  cost::GranuleSet granules;
  for (unsigned index : region.operations) {
    const Operation &operation = graph.operations[index];
    if (operation.kind != OperationKind::Contract)
      continue;
    const target::MatrixInstruction &row = *operation.instruction;
    if (llvm::is_contained(operation.over, axis))
      granules.add(row.depth(), "depth of " + row.name.str());
    else if (decision.evaluation.rowAxis == axis)
      granules.add(row.rows(), "rows of " + row.name.str());
    else if (llvm::any_of(operation.operands, [&](unsigned operand) {
               return graph.values[operand].carries(axis);
             }))
      granules.add(row.columns(), "columns of " + row.name.str());
  }
  for (unsigned input : region.inputs)
    if (!graph.values[input].axes.empty() &&
        graph.values[input].axes.back() == axis && facts.hasContract &&
        graph.values[input].bytes() <= 16)
      granules.add(16 / graph.values[input].bytes(), "copies of 16 bytes");
  return granules;
}

void Search::explainAxis(Decision &decision, unsigned axis,
                         ncd::Subject subject) {
  const Axis &info = graph.axes[axis];
  int64_t extent = decision.candidate.extent[axis];
  Choice choice{subject, info.name, extent};
  // An axis may be pinned as a stream and be cut across blocks here.
  const auto &pinned =
      subject == ncd::Subject::Group ? pins.group : pins.stream;
  if (pinned.count(info.name)) {
    choice.reasons.push_back({ncd::Cause::Pinned});
  } else if (isBatch(axis)) {
    choice.reasons.push_back({ncd::Cause::Batch});
  } else {
    if (info.size == extent)
      choice.reasons.push_back({ncd::Cause::Whole});
    cost::GranuleSet granules = granulesOf(facts, decision, axis);
    for (const cost::Granule &granule : granules.all())
      choice.reasons.push_back(
          {ncd::Cause::Granule, {granule.multiple}, {granule.cause}});
    llvm::SmallVector<int64_t, 2> others;
    if (extent < info.size)
      others.push_back(std::min(extent * 2, info.size));
    if (extent >= 2)
      others.push_back(int64_t(llvm::PowerOf2Ceil(uint64_t(extent))) / 2);
    for (int64_t other : others)
      if (std::optional<Reason> reason =
              explainNeighbour(decision, axis, other))
        choice.reasons.push_back(*reason);
  }
  decision.choices.push_back(choice);
}

/// Why a block of \p decision has as many warps.
static Choice explainWarps(const RegionFacts &facts, const Pins &pins,
                           const Decision &decision) {
  const Evaluation &evaluation = decision.evaluation;
  Choice choice{ncd::Subject::Warps, "", decision.candidate.warps};
  if (pins.warps)
    choice.reasons.push_back({ncd::Cause::Pinned});
  else if (facts.ownsRows && !facts.hasWideRows(decision.candidate))
    choice.reasons.push_back(
        {ncd::Cause::WholeRows,
         {facts.padded(decision.candidate, *evaluation.rowAxis) /
          decision.candidate.warps}});
  else if (facts.hasContract)
    choice.reasons.push_back({ncd::Cause::RowsByColumns,
                              {evaluation.warpRows, evaluation.warpColumns}});
  return choice;
}

void Search::explain(Decision &decision) {
  const Candidate &candidate = decision.candidate;
  for (unsigned axis : candidate.groups)
    explainAxis(decision, axis, ncd::Subject::Group);
  if (candidate.stream)
    explainAxis(decision, *candidate.stream, ncd::Subject::Stream);
  if (candidate.inner)
    explainAxis(decision, *candidate.inner, ncd::Subject::Inside);
  if (candidate.part)
    decision.choices.push_back(explainParts(facts, pins, decision));
  if (candidate.stream &&
      facts.loopsOf(candidate.stream, candidate.inner).hasSecond())
    decision.choices.push_back(
        {ncd::Subject::SecondLoop, graph.axes[*candidate.stream].name});
  llvm::append_range(decision.choices, refusedAxes);
  if (decision.passedOver)
    decision.choices.push_back(*decision.passedOver);
  decision.choices.push_back(explainWarps(facts, pins, decision));
  if (candidate.reread)
    decision.choices.push_back({ncd::Subject::Reread});
  if (candidate.padded)
    decision.choices.push_back({ncd::Subject::Padded});
  if (decision.parts > 1)
    decision.choices.push_back({ncd::Subject::Parts, "", decision.parts});
  if (candidate.stream) {
    ncd::Cause cause = pins.stages             ? ncd::Cause::Pinned
                       : candidate.stages == 1 ? ncd::Cause::HoldsOne
                                               : ncd::Cause::HidesJourney;
    decision.choices.push_back(
        {ncd::Subject::Stages, "", candidate.stages, {{cause}}});
  }
}
