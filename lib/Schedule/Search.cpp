//===- Search.cpp - the best partition of a region --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Enumerates candidates, keeps the cheapest legal one, and explains it.
//
//===----------------------------------------------------------------------===//

#include "napkin/Schedule/Search.h"
#include "Loops.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <fmt/format.h>
#include <limits>

using namespace napkin;
using namespace napkin::schedule;

/// Estimates within 1 % of each other are taken to be equal.
static constexpr double tolerance = 1.01;

/// Candidates that are compiled before a region is given up. Few are: the
/// estimate of shared memory is right for most, and what is larger than one
/// that did not fit is not tried.
static constexpr unsigned mostCompiled = 64;

namespace {
/// A candidate that breaks no limit.
struct LegalCandidate {
  Candidate candidate;
  Evaluation evaluation;
  /// About its stream axis, null without; lives as long as the search.
  const StreamVerdict *verdict = nullptr;
};

/// The search for one region.
class Search {
public:
  Search(const RegionFacts &facts, const Pins &pins, const StreamOracle &oracle,
         const BlockOracle &block)
      : facts(facts), region(facts.region), graph(facts.region.graph),
        pins(pins), oracle(oracle), block(block) {}

  /// Finds the axes that may be cut and those that may be streamed.
  void prepare();
  /// After prepare().
  std::optional<Decision> run(Refusal *refusal);
  /// After prepare() or run().
  void explain(Decision &decision);

private:
  using Options = llvm::SmallVector<int64_t, 10>;

  Options groupOptions(unsigned axis) const;
  Options streamOptions(unsigned axis) const;
  Options warpOptions(const Candidate &candidate) const;
  /// Finds the stream axes that outputs do not carry, or do.
  void findStreams(bool carriedOut);
  void tryStreams(bool carriedOut);
  /// The axes that may be walked inside a stream over \p stream.
  llvm::SmallVector<unsigned, 1> innerAxes(unsigned stream);
  void tryStream(std::optional<unsigned> stream, int64_t chunk,
                 const StreamVerdict *verdict,
                 std::optional<unsigned> inner = std::nullopt,
                 int64_t innerChunk = 1);
  void tryGroups(Candidate &candidate, unsigned next,
                 const StreamVerdict *verdict);
  void tryWarps(Candidate candidate, const StreamVerdict *verdict);
  Evaluation evaluate(Candidate &candidate, const StreamVerdict *verdict,
                      bool all) const;
  bool isBatch(unsigned axis) const;
  std::optional<size_t> pickBest() const;
  std::optional<Decision> pickCompiled();
  bool exceedsRefused(const Candidate &candidate) const;
  std::optional<BlockNeeds> compile(const LegalCandidate &legal) const;
  Refusal refuse() const;
  std::string explainNeighbour(const Decision &decision, unsigned axis,
                               int64_t extent);

  const RegionFacts &facts;
  const Region &region;
  const Graph &graph;
  const Pins &pins;
  const StreamOracle &oracle;
  const BlockOracle &block;
  llvm::SmallVector<unsigned, 4> groupAxes;
  std::map<unsigned, Options> options;
  /// The axes that may be streamed.
  std::vector<std::pair<unsigned, StreamVerdict>> streams, carriedStreams;
  /// In the order in which they were tried.
  std::vector<LegalCandidate> found;
  /// What was compiled and did not fit.
  std::vector<Candidate> tooLarge;
  /// The first message of the code generator about a candidate.
  std::optional<Reason> passedOver;
  /// The broken limit of the cheapest candidate that failed last in the order
  /// of checks, for the error.
  std::optional<std::pair<Candidate, StreamVerdict>> nearest;
  int nearestRank = -1;
  std::vector<std::string> refusedAxes;
  bool fewWarps = false;
};
} // namespace

/// How far a candidate came before it failed: later checks mean nearer misses.
static int rankOf(llvm::StringRef limit) {
  static const char *order[] = {
      "tile dimensions",        "batch axes",        "instruction shape",
      "rows of warps",          "whole rows",        "tile of a warp",
      "threads per block",      "values per thread", "registers per thread",
      "shared memory per block"};
  for (int i = 0; i < int(std::size(order)); ++i)
    if (limit == order[i])
      return i;
  return 0;
}

/// An axis that both factors of a contract and its product carry.
bool Search::isBatch(unsigned axis) const {
  return llvm::any_of(region.operations, [&](unsigned index) {
    const Operation &operation = graph.operations[index];
    auto carries = [&](unsigned value) {
      return graph.values[value].carries(axis);
    };
    return operation.kind == OperationKind::Contract &&
           llvm::all_of(operation.operands, carries) &&
           llvm::all_of(operation.results, carries);
  });
}

Search::Options Search::groupOptions(unsigned axis) const {
  const Axis &info = graph.axes[axis];
  auto pinned = pins.group.find(info.name);
  if (pinned != pins.group.end())
    return {pinned->second};
  if (info.size == 1 || isBatch(axis))
    return {1};
  Options result = {1};
  int64_t first = std::max<int64_t>(facts.leastTile[axis], 2);
  int64_t last = facts.hasContract ? facts.limits.largestTile : 8192;
  for (int64_t tile = first; tile <= last; tile *= 2) {
    result.push_back(std::min(tile, info.size));
    if (tile >= info.size)
      break;
  }
  // What is not cut where more is written need not be cut where less is.
  if (result.back() != info.size)
    result.push_back(info.size);
  return result;
}

Search::Options Search::streamOptions(unsigned axis) const {
  const Axis &info = graph.axes[axis];
  auto pinned = pins.stream.find(info.name);
  if (pinned != pins.stream.end())
    return {pinned->second};
  Options result;
  // An instruction sums one axis; of several, one may be walked step by step.
  bool sumsSeveral = llvm::any_of(region.operations, [&](unsigned index) {
    const Operation &operation = graph.operations[index];
    return operation.kind == OperationKind::Contract &&
           operation.over.size() > 1 &&
           llvm::is_contained(operation.over, axis);
  });
  // Without contracts a step of one position keeps tiles two-dimensional.
  if (sumsSeveral || !facts.hasContract)
    result.push_back(1);
  int64_t last = facts.hasContract ? facts.limits.largestTile : 8192;
  for (int64_t chunk = facts.leastChunk; chunk <= last; chunk *= 2) {
    result.push_back(std::min(chunk, info.size));
    if (chunk >= info.size)
      break;
  }
  return result;
}

Search::Options Search::warpOptions(const Candidate &candidate) const {
  if (pins.warps)
    return {*pins.warps};
  // Four schedulers want a warp each; fewer only where nothing else works.
  if (!facts.hasContract)
    return fewWarps ? Options{1, 2} : Options{4, 8};
  if (!facts.ownsRows)
    return {1, 2, 4, 8, 16};
  // Whole rows: the tile of the row axis says how many warps there are.
  Options result;
  for (unsigned axis : region.axes) {
    int64_t warps = facts.padded(candidate, axis) / facts.warpRows;
    if (warps >= 1 && !llvm::is_contained(result, warps))
      result.push_back(warps);
  }
  return result;
}

/// A shallower pipeline rather than a smaller tile, where shared memory is the
/// limit; what is then not hidden is charged.
Evaluation Search::evaluate(Candidate &candidate, const StreamVerdict *verdict,
                            bool all) const {
  Evaluation result = facts.evaluate(candidate, verdict, all);
  while (!result.legal() && !pins.stages && candidate.stream &&
         result.violations[0].limit == "shared memory per block" &&
         candidate.stages > facts.limits.fewestStages) {
    --candidate.stages;
    result = facts.evaluate(candidate, verdict, all);
  }
  return result;
}

void Search::tryWarps(Candidate candidate, const StreamVerdict *verdict) {
  candidate.stages = pins.stages ? *pins.stages : facts.stagesFor(candidate);
  for (int64_t warps : warpOptions(candidate)) {
    candidate.warps = warps;
    Candidate attempt = candidate;
    Evaluation evaluation = evaluate(attempt, verdict, /*all=*/false);
    if (!evaluation.legal()) {
      int rank = rankOf(evaluation.violations[0].limit);
      if (rank >= nearestRank) { // later means larger tiles
        nearestRank = rank;
        nearest = {attempt, verdict ? *verdict : StreamVerdict()};
      }
      continue;
    }
    found.push_back({attempt, evaluation, verdict});
  }
}

/// The cheapest; of those that the model cannot tell apart, the one whose grid
/// fills more of the machine.
std::optional<size_t> Search::pickBest() const {
  double least = std::numeric_limits<double>::infinity();
  for (const LegalCandidate &legal : found)
    least = std::min(least, legal.evaluation.times.total());
  std::optional<size_t> best;
  auto fill = [&](size_t index) {
    return std::min(found[index].evaluation.blocks,
                    facts.hardware.multiprocessors);
  };
  auto cycles = [&](size_t index) {
    return found[index].evaluation.times.total();
  };
  for (size_t i = 0; i < found.size(); ++i)
    if (cycles(i) <= least * tolerance &&
        (!best || fill(i) > fill(*best) ||
         (fill(i) == fill(*best) && cycles(i) < cycles(*best))))
      best = i;
  return best;
}

/// An axis taken whole is not cut, unless it is what warps split.
static void dropWholeGroups(Decision &decision, const Graph &graph,
                            const Pins &pins) {
  llvm::erase_if(decision.candidate.groups, [&](unsigned axis) {
    return decision.candidate.extent[axis] == graph.axes[axis].size &&
           decision.evaluation.rowAxis != axis &&
           !pins.group.count(graph.axes[axis].name);
  });
}

std::optional<BlockNeeds> Search::compile(const LegalCandidate &legal) const {
  Decision decision;
  decision.candidate = legal.candidate;
  decision.evaluation = legal.evaluation;
  dropWholeGroups(decision, graph, pins);
  return block(region, decision);
}

/// Whether \p candidate is at least as large as one that did not fit.
bool Search::exceedsRefused(const Candidate &candidate) const {
  return llvm::any_of(tooLarge, [&](const Candidate &refused) {
    if (candidate.stream != refused.stream ||
        candidate.inner != refused.inner || candidate.warps != refused.warps ||
        candidate.stages < refused.stages)
      return false;
    return llvm::all_of(region.axes, [&](unsigned axis) {
      return candidate.extent[axis] >= refused.extent[axis];
    });
  });
}

/// The best candidate whose program was compiled and fits. What a program takes
/// may raise its price, so the search goes on until the best is a compiled one.
std::optional<Decision> Search::pickCompiled() {
  unsigned compiled = 0;
  std::optional<LegalCandidate> unfit;
  while (std::optional<size_t> index = pickBest()) {
    LegalCandidate &best = found[*index];
    bool done = !block || best.candidate.measuredSharedBytes;
    if (!done && exceedsRefused(best.candidate)) {
      found.erase(found.begin() + *index);
      continue;
    }
    std::optional<BlockNeeds> needs;
    if (!done) {
      if (compiled++ == mostCompiled)
        break;
      needs = compile(best);
    }
    if (!needs) { // compiled before, or by a generator that nobody can ask
      Decision decision;
      decision.candidate = best.candidate;
      decision.evaluation = best.evaluation;
      if (best.verdict)
        decision.verdict = *best.verdict;
      return decision;
    }
    if (!needs->refusal.empty()) {
      if (!passedOver) {
        std::string text;
        for (unsigned axis : best.candidate.groups)
          text += fmt::format("{} = {}, ", graph.axes[axis].name,
                              best.candidate.extent[axis]);
        passedOver = {text + fmt::format("warps = {}", best.candidate.warps),
                      needs->refusal};
        unfit = best;
      }
      found.erase(found.begin() + *index);
      continue;
    }
    Candidate measured = best.candidate;
    measured.measuredSharedBytes = needs->sharedBytes;
    Evaluation evaluation =
        facts.evaluate(measured, best.verdict, /*all=*/false);
    if (evaluation.legal()) {
      best.candidate = measured;
      best.evaluation = evaluation;
      continue;
    }
    nearest = {measured, best.verdict ? *best.verdict : StreamVerdict()};
    nearestRank = rankOf(evaluation.violations[0].limit);
    tooLarge.push_back(best.candidate);
    // A shallower pipeline first, as for the estimate.
    LegalCandidate shallower = best;
    found.erase(found.begin() + *index);
    if (pins.stages || !shallower.candidate.stream ||
        shallower.candidate.stages <= facts.limits.fewestStages)
      continue;
    --shallower.candidate.stages;
    shallower.evaluation =
        facts.evaluate(shallower.candidate, shallower.verdict, /*all=*/false);
    if (shallower.evaluation.legal())
      found.push_back(shallower);
  }
  // One operation cannot be cut further: the generator's own message, which
  // knows the place, is the error.
  if (unfit && region.operations.size() == 1) {
    Decision decision;
    decision.candidate = unfit->candidate;
    decision.evaluation = unfit->evaluation;
    if (unfit->verdict)
      decision.verdict = *unfit->verdict;
    return decision;
  }
  return std::nullopt;
}

void Search::tryGroups(Candidate &candidate, unsigned next,
                       const StreamVerdict *verdict) {
  if (next == groupAxes.size())
    return tryWarps(candidate, verdict);
  unsigned axis = groupAxes[next];
  for (int64_t tile : options[axis]) {
    candidate.extent[axis] = tile;
    tryGroups(candidate, next + 1, verdict);
  }
}

llvm::SmallVector<unsigned, 1> Search::innerAxes(unsigned stream) {
  llvm::SmallVector<unsigned, 1> result;
  const std::string &outer = graph.axes[stream].name;
  for (unsigned axis : region.axes) {
    const Axis &info = graph.axes[axis];
    bool pinned = pins.stream.count(info.name);
    bool summed = llvm::any_of(region.operations, [&](unsigned index) {
      const Operation &operation = graph.operations[index];
      return llvm::is_contained(operation.over, axis) &&
             (pinned || operation.kind == OperationKind::Contract);
    });
    if (axis == stream || !summed || !pins.mayNest(outer, info.name) ||
        (!pinned && info.size <= facts.limits.longestWhole))
      continue;
    // Each walk has to have a form of its own.
    const Loops &loops = facts.loopsOf(stream, axis);
    std::string why;
    for (bool insideStream : {true, false}) {
      llvm::SmallVector<unsigned, 2> outputs;
      llvm::SmallVector<unsigned, 8> walk =
          loops.innerWalk(insideStream, outputs);
      if (walk.empty())
        continue;
      StreamVerdict verdict = oracle(walk, outputs, axis);
      if (!verdict.legal && why.empty())
        why = verdict.why;
    }
    if (why.empty())
      result.push_back(axis);
    else
      refusedAxes.push_back(
          fmt::format("inside a stream over '{}' it cannot be walked over "
                      "'{}': {}",
                      outer, info.name, why));
  }
  return result;
}

void Search::tryStream(std::optional<unsigned> stream, int64_t chunk,
                       const StreamVerdict *verdict,
                       std::optional<unsigned> inner, int64_t innerChunk) {
  Candidate candidate;
  for (const Axis &axis : graph.axes)
    candidate.extent.push_back(axis.size);
  candidate.groups = groupAxes;
  candidate.stream = stream;
  if (stream)
    candidate.extent[*stream] = chunk;
  candidate.inner = inner;
  if (inner)
    candidate.extent[*inner] = innerChunk;
  tryGroups(candidate, 0, verdict);
}

Refusal Search::refuse() const {
  Refusal result;
  result.text = "no partition of its axes is legal";
  if (nearest)
    result.text =
        facts
            .evaluate(nearest->first,
                      nearest->first.stream ? &nearest->second : nullptr,
                      /*all=*/true)
            .violations[0]
            .text;
  // Name the axis that had to stay whole and is the longest.
  const Axis *longest = nullptr;
  for (unsigned axis : region.axes)
    if (!llvm::is_contained(groupAxes, axis) &&
        (!longest || graph.axes[axis].size > longest->size))
      longest = &graph.axes[axis];
  if (longest && nearestRank >= rankOf("values per thread"))
    result.text = fmt::format("axis '{}' of size {} does not fit: {}",
                              longest->name, longest->size, result.text);
  for (const std::string &text : refusedAxes)
    result.text += "; " + text;
  if (passedOver)
    result.text += fmt::format("; with {} the code generator says: {}",
                               passedOver->choice, passedOver->text);
  if (nearestRank == rankOf("instruction shape"))
    result.advice =
        "give each factor an axis of its own that is longer than 1, "
        "or write the operation as ncd.map and ncd.reduce";
  else if (pins.empty())
    result.advice = longest ? fmt::format("split axis '{}', or return an "
                                          "intermediate result so that the "
                                          "kernel ends earlier",
                                          longest->name)
                            : "split the diagram";
  else
    result.advice =
        fmt::format("change or drop the pinned decisions ({})", pins.str());
  return result;
}

void Search::findStreams(bool carriedOut) {
  for (unsigned axis : region.streamCandidates(carriedOut)) {
    if (!pins.stream.empty() && !pins.stream.count(graph.axes[axis].name))
      continue;
    // With a second loop the first one ends with what the second one needs.
    llvm::SmallVector<unsigned, 8> operations(region.operations);
    llvm::SmallVector<unsigned, 2> outputs(region.outputs);
    if (carriedOut) {
      outputs.clear();
      operations = facts.loopsOf(axis, std::nullopt).firstPass(outputs);
    }
    StreamVerdict verdict = oracle(operations, outputs, axis);
    if (verdict.legal)
      (carriedOut ? carriedStreams : streams).push_back({axis, verdict});
    else
      refusedAxes.push_back(fmt::format("it cannot be streamed over '{}': {}",
                                        graph.axes[axis].name, verdict.why));
  }
}

void Search::tryStreams(bool carriedOut) {
  for (const auto &[axis, verdict] : carriedOut ? carriedStreams : streams) {
    llvm::SmallVector<unsigned, 1> inside = innerAxes(axis);
    for (int64_t chunk : streamOptions(axis)) {
      if (fewWarps && chunk >= graph.axes[axis].size)
        continue;
      // Two pinned axes are meant to be in one loop where that is possible.
      if (inside.empty() || pins.stream.empty())
        tryStream(axis, chunk, &verdict);
      for (unsigned inner : inside)
        for (int64_t innerChunk : streamOptions(inner))
          tryStream(axis, chunk, &verdict, inner, innerChunk);
    }
  }
}

void Search::prepare() {
  groupAxes = region.groupCandidates();
  for (unsigned axis : groupAxes)
    options[axis] = groupOptions(axis);
  if (!pins.noStream)
    findStreams(/*carriedOut=*/false);
  if (!pins.stream.empty())
    findStreams(/*carriedOut=*/true);
}

std::optional<Decision> Search::run(Refusal *refusal) {
  // (Verdicts stay where they are while candidates are tried.)
  // A pinned stream is kept to. Otherwise everything may stay resident, if that
  // is cheaper; at equal cost it does, since a loop then gains nothing.
  // Resident rows have few warps only where nothing else is legal.
  bool pinned =
      !pins.stream.empty() && (!streams.empty() || !carriedStreams.empty());
  if (!pinned)
    tryStream(std::nullopt, 0, nullptr);
  tryStreams(/*carriedOut=*/false);
  tryStreams(/*carriedOut=*/true);
  fewWarps = true;
  if (!pinned && !facts.hasContract && found.empty())
    tryStream(std::nullopt, 0, nullptr);
  if (!facts.hasContract) {
    tryStreams(/*carriedOut=*/false);
    tryStreams(/*carriedOut=*/true);
  }
  // What fits moves fewer bytes than two loops, which read twice.
  if (found.empty() && pins.stream.empty() && !pins.noStream) {
    fewWarps = false;
    findStreams(/*carriedOut=*/true);
    tryStreams(/*carriedOut=*/true);
  }
  std::optional<Decision> best = pickCompiled();
  if (best)
    best->passedOver = passedOver;
  if (!best && refusal)
    *refusal = refuse();
  return best;
}

//===----------------------------------------------------------------------===//
// Reasons
//===----------------------------------------------------------------------===//

std::string Search::explainNeighbour(const Decision &decision, unsigned axis,
                                     int64_t extent) {
  Candidate candidate = decision.candidate;
  candidate.extent[axis] = extent;
  candidate.measuredSharedBytes.reset();
  const StreamVerdict *verdict =
      decision.candidate.stream ? &decision.verdict : nullptr;
  std::optional<Evaluation> nearestMiss;
  Candidate nearestCandidate;
  for (int64_t warps : warpOptions(candidate)) {
    candidate.warps = warps;
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
  double ratio = nearestMiss->times.total() / decision.evaluation.times.total();
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
  if (candidate.stream) {
    Reason stages{fmt::format("stages = {}", candidate.stages), ""};
    stages.text = pins.stages ? "pinned"
                              : "the fewest that hide a chunk's journey behind "
                                "the work on those before it";
    decision.reasons.push_back(stages);
  }
}

std::optional<Decision> napkin::schedule::searchPartition(
    const Region &region, const cost::Hardware &hardware,
    const GeneratorLimits &limits, const Pins &pins, const StreamOracle &oracle,
    const BlockOracle &block, bool explain, Refusal *refusal) {
  RegionFacts facts(region, hardware, limits);
  Search search(facts, pins, oracle, block);
  search.prepare();
  std::optional<Decision> decision = search.run(refusal);
  if (!decision)
    return decision;
  if (explain)
    search.explain(*decision);
  dropWholeGroups(*decision, region.graph, pins);
  return decision;
}

void napkin::schedule::explainPartition(
    const Region &region, const cost::Hardware &hardware,
    const GeneratorLimits &limits, const Pins &pins, const StreamOracle &oracle,
    const BlockOracle &block, Decision &decision) {
  RegionFacts facts(region, hardware, limits);
  Search search(facts, pins, oracle, block);
  search.prepare();
  // Those taken whole have their reasons too.
  decision.candidate.groups = region.groupCandidates();
  search.explain(decision);
  dropWholeGroups(decision, region.graph, pins);
}

Decision Decision::renamed(llvm::ArrayRef<unsigned> names,
                           const Graph &graph) const {
  Decision result = *this;
  Candidate &to = result.candidate;
  to.extent.clear();
  for (const Axis &axis : graph.axes)
    to.extent.push_back(axis.size);
  for (auto [index, name] : llvm::enumerate(names))
    to.extent[name] = candidate.extent[index];
  for (unsigned &axis : to.groups)
    axis = names[axis];
  for (std::optional<unsigned> *axis : {&to.stream, &to.inner})
    if (*axis)
      *axis = names[**axis];
  if (result.evaluation.rowAxis)
    result.evaluation.rowAxis = names[*result.evaluation.rowAxis];
  for (StreamState &member : result.verdict.state)
    for (unsigned &axis : member.axes)
      axis = names[axis];
  return result;
}
