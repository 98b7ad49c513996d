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
#include <fmt/format.h>

using namespace napkin;
using namespace napkin::schedule;

std::string Search::explainNeighbour(const Decision &decision, unsigned axis,
                                     int64_t extent) {
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
      return rankOf(evaluation.violations[0].limit) >
             rankOf(other.violations[0].limit);
    };
    if (!nearestMiss || better(*nearestMiss)) {
      nearestMiss = evaluation;
      nearestCandidate = candidate;
    }
  }
  if (!nearestMiss)
    return "";
  std::string name = fmt::format("{} = {}", graph.axes[axis].name, extent);
  if (nearestMiss->legal() && block) {
    LegalCandidate legal{nearestCandidate, *nearestMiss, verdict};
    if (std::optional<BlockNeeds> needs = compile(legal);
        needs && needs->refusal.empty()) {
      legal.candidate.measuredSharedBytes = needs->sharedBytes;
      nearestMiss = facts.evaluate(legal.candidate, verdict, /*all=*/true);
    }
  }
  if (!nearestMiss->legal())
    return fmt::format("{} is cut off by {}: {}", name,
                       nearestMiss->violations[0].limit.str(),
                       nearestMiss->violations[0].text);
  int64_t chosenBytes =
      decision.evaluation.readBytes + decision.evaluation.writtenBytes;
  int64_t otherBytes = nearestMiss->readBytes + nearestMiss->writtenBytes;
  const Times &chosen = decision.evaluation.times;
  double ratio = nearestMiss->times.total() / chosen.withWaves(chosen.waves);
  std::string bytes =
      otherBytes == chosenBytes
          ? "moves as many bytes"
          : fmt::format("moves {} bytes {}", std::abs(otherBytes - chosenBytes),
                        otherBytes > chosenBytes ? "more" : "fewer");
  std::string waves =
      nearestMiss->times.waves > decision.evaluation.times.waves * 1.001
          ? fmt::format(" ({} blocks fill the machine worse than {})",
                        nearestMiss->blocks, decision.evaluation.blocks)
          : "";
  return fmt::format("{} {} and is estimated at {:.2f} of the cycles{}", name,
                     bytes, ratio, waves);
}

void Search::explain(Decision &decision) {
  const Candidate &candidate = decision.candidate;
  auto explainAxis = [&](unsigned axis, const char *role) {
    const Axis &info = graph.axes[axis];
    int64_t extent = candidate.extent[axis];
    Reason reason;
    reason.choice = fmt::format("{} {} = {}", role, info.name, extent);
    bool pinned = pins.group.count(info.name) || pins.stream.count(info.name);
    std::string text = pinned ? "pinned" : "";
    if (!pinned && isBatch(axis)) {
      text =
          "both factors of a contract and its product carry it: one position "
          "per block, nothing is shared across it";
    } else if (info.size == extent && !pinned) {
      text = "the whole axis";
    }
    cost::GranuleSet granules;
    for (unsigned index : region.operations) {
      const Operation &operation = graph.operations[index];
      if (operation.kind != OperationKind::Contract || isBatch(axis))
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
    auto append = [&](const std::string &more) {
      if (!more.empty())
        text += (text.empty() ? "" : "; ") + more;
    };
    if (!pinned && !isBatch(axis)) {
      append(granules.str());
      if (extent < info.size)
        append(
            explainNeighbour(decision, axis, std::min(extent * 2, info.size)));
      if (extent >= 2)
        append(explainNeighbour(
            decision, axis, int64_t(llvm::PowerOf2Ceil(uint64_t(extent))) / 2));
    }
    reason.text = text;
    decision.reasons.push_back(reason);
  };
  for (unsigned axis : candidate.groups)
    explainAxis(axis, "group");
  if (candidate.stream)
    explainAxis(*candidate.stream, "stream");
  if (candidate.inner)
    explainAxis(*candidate.inner, "inside it");
  if (candidate.part)
    decision.reasons.push_back(explainParts(facts, pins, decision));
  if (candidate.stream &&
      facts.loopsOf(candidate.stream, candidate.inner).hasSecond())
    decision.reasons.push_back(
        {"a second loop",
         fmt::format("results carry '{}' and need what the first loop ends "
                     "with, and all of '{}' does not stay in the block",
                     graph.axes[*candidate.stream].name,
                     graph.axes[*candidate.stream].name)});
  for (const std::string &text : refusedAxes)
    decision.reasons.push_back({"resident", text});
  if (decision.passedOver)
    decision.reasons.push_back(
        {"passed over",
         fmt::format("{}, which the code generator refuses: {}",
                     decision.passedOver->choice, decision.passedOver->text)});
  Reason warps{fmt::format("warps = {}", candidate.warps), ""};
  if (pins.warps)
    warps.text = "pinned";
  else if (facts.ownsRows)
    warps.text = fmt::format(
        "{} rows each, whole, so that nothing crosses warps", facts.warpRows);
  else if (facts.hasContract)
    warps.text = fmt::format("{} × {} warps", decision.evaluation.warpRows,
                             decision.evaluation.warpColumns);
  decision.reasons.push_back(warps);
  if (candidate.reread)
    decision.reasons.push_back(
        {"rows from shared memory",
         "each step reads them again, registers do not hold them beside the "
         "rest"});
  if (candidate.stream) {
    Reason stages{fmt::format("stages = {}", candidate.stages), ""};
    stages.text = pins.stages ? "pinned"
                  : candidate.stages == 1
                      ? "shared memory holds no second; one operation's chunk "
                        "arrives during another's work"
                      : "the fewest that hide a chunk's journey behind the "
                        "work on those before it";
    decision.reasons.push_back(stages);
  }
}
