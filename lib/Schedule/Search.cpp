//===- Search.cpp - the best partition of a region --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Enumerates candidates, keeps the cheapest legal one, and explains it.
//
//===----------------------------------------------------------------------===//

#include "Loops.h"
#include "PartitionSearch.h"
#include "Parts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <algorithm>
#include <fmt/format.h>
#include <limits>

using namespace napkin;
using namespace napkin::schedule;

/// Estimates within 1 % of each other are taken to be equal.
static constexpr double tolerance = 1.01;

/// A stream is split where that is faster by this factor, since a second kernel
/// is a second of everything.
static constexpr double splitGain = 1.4;
/// Parts read again what others read, and write their states; so much more may
/// move in all.
static constexpr double splitBytes = 2.25;

/// Among splits, those within 5 % of each other are taken to be equal: most of
/// what they differ in is the merge, of which least is known.
static constexpr double splitTolerance = 1.05;

/// Bytes are exact and cycles are not: a candidate that moves at most half of
/// the bytes is taken though its estimate is up to 5 % longer.
static constexpr double bytesTolerance = 1.05, fewerBytes = 0.5;

/// Candidates that are compiled before a region is given up. Few are: the
/// estimate of shared memory is right for most, and what is larger than one
/// that did not fit is not tried.
static constexpr unsigned mostCompiled = 64;

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

/// Adds tiles that are no powers of two and divide an axis of \p size where the
/// power of two above them does not: they leave nothing over at its end.
static void addDivisors(llvm::SmallVectorImpl<int64_t> &options, int64_t size,
                        int64_t least, int64_t most) {
  int64_t granule = std::max<int64_t>(least, 16);
  for (int64_t tile = 3 * granule; tile <= std::min(most, size);
       tile += granule)
    if (size % tile == 0 && size % int64_t(llvm::PowerOf2Ceil(tile)) &&
        !llvm::is_contained(options, tile))
      options.push_back(tile);
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
  if (facts.leastTile[axis] > 1)
    addDivisors(result, info.size, first, last);
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
  if (facts.hasContract)
    addDivisors(result, info.size, facts.leastChunk, last);
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
  if (facts.hasWideRows(candidate))
    return {4, 8};
  // Whole rows: the tile of the row axis says how many warps there are.
  Options result;
  for (unsigned axis : region.axes) {
    int64_t rows = llvm::PowerOf2Ceil(facts.padded(candidate, axis));
    for (int64_t tiles = 1; tiles <= facts.mostRowTiles(); tiles *= 2) {
      int64_t warps = rows / (facts.warpRows * tiles);
      // More rows a warp, where a warp is left to each of four schedulers.
      if (warps >= (tiles > 1 ? 4 : 1) && !llvm::is_contained(result, warps))
        result.push_back(warps);
    }
  }
  return result;
}

/// Rows without room behind them, then a shallower pipeline, rather than a
/// smaller tile, where shared memory is the limit; what is then not hidden is
/// charged. Rows that are read again rather than kept, where registers are.
Evaluation Search::evaluate(Candidate &candidate, const StreamVerdict *verdict,
                            bool all) const {
  const Pins::Forms &forms = pins.forms;
  candidate.padded = forms.padded.value_or(true) && facts.mayPad(candidate);
  candidate.reread =
      candidate.stream && facts.hasContract && forms.reread.value_or(false);
  Evaluation result = facts.evaluate(candidate, verdict, all);
  if (!result.legal() && candidate.stream && facts.hasContract &&
      !forms.reread &&
      result.violations[0].limit == cost::Limit::RegistersPerThread) {
    candidate.reread = true;
    result = facts.evaluate(candidate, verdict, all);
  }
  if (!result.legal() && candidate.padded && !forms.padded &&
      result.violations[0].limit == cost::Limit::SharedMemoryPerBlock) {
    candidate.padded = false;
    result = facts.evaluate(candidate, verdict, all);
  }
  while (!result.legal() && !pins.stages && candidate.stream &&
         result.violations[0].limit == cost::Limit::SharedMemoryPerBlock &&
         candidate.stages > 1) {
    --candidate.stages;
    result = facts.evaluate(candidate, verdict, all);
  }
  return result;
}

void Search::tryWarps(Candidate candidate, const StreamVerdict *verdict) {
  if (std::optional<cost::Limit> limit = facts.shapeLimit(candidate)) {
    // So it is with any number of warps.
    if (!warpOptions(candidate).empty())
      note(candidate, verdict, *limit);
    return;
  }
  candidate.stages = pins.stages ? *pins.stages : facts.stagesFor(candidate);
  for (int64_t warps : warpOptions(candidate)) {
    candidate.warps = warps;
    candidate.warpsArePinned = pins.warps.has_value();
    Candidate attempt = candidate;
    Evaluation evaluation = evaluate(attempt, verdict, /*all=*/false);
    if (!evaluation.legal()) {
      note(attempt, verdict, evaluation.violations[0].limit);
      continue;
    }
    bool pinned =
        attempt.stream && pins.split.count(graph.axes[*attempt.stream].name);
    if (!pinned)
      found.push_back({attempt, evaluation, verdict});
    if (verdict)
      tryParts(attempt, evaluation.blocks, verdict);
  }
}

void Search::note(const Candidate &candidate, const StreamVerdict *verdict,
                  cost::Limit limit) {
  if (limit < nearestLimit) // later means larger tiles
    return;
  nearestLimit = limit;
  nearest = {candidate, verdict ? *verdict : StreamVerdict()};
}

void Search::tryParts(const Candidate &whole, int64_t blocks,
                      const StreamVerdict *verdict) {
  // What results carry is written chunk by chunk, and loops inside others walk
  // all of their axis.
  bool isCarried = llvm::any_of(region.outputs, [&](unsigned output) {
    return graph.values[output].carries(*whole.stream);
  });
  if (whole.inner || isCarried)
    return;
  for (int64_t part : partOptions(facts, pins, whole, blocks)) {
    Candidate candidate = whole;
    candidate.part = part;
    if (!pins.stages)
      candidate.stages = std::min(candidate.stages, facts.stagesFor(candidate));
    Evaluation evaluation = evaluate(candidate, verdict, /*all=*/false);
    if (evaluation.legal())
      found.push_back({candidate, evaluation, verdict});
    else if (!pins.split.empty())
      note(candidate, verdict, evaluation.violations[0].limit);
  }
}

double Search::leastHonest() const {
  double least = std::numeric_limits<double>::infinity();
  for (const LegalCandidate &legal : found)
    if (!legal.candidate.part)
      least = std::min(least, legal.evaluation.honestCycles);
  return least;
}

std::optional<size_t> Search::pickBest() const {
  std::optional<size_t> whole = pickBest(/*split=*/false),
                        split = pickBest(/*split=*/true);
  if (!whole || !split)
    return whole ? whole : split;
  auto bytes = [&](size_t index) {
    const Evaluation &evaluation = found[index].evaluation;
    return double(evaluation.readBytes + evaluation.writtenBytes);
  };
  bool splits =
      found[*split].evaluation.honestCycles * splitGain < leastHonest() &&
      bytes(*split) <= splitBytes * bytes(*whole);
  // What it is compared with has to be something that can be made.
  bool isMade = !block || found[*whole].candidate.measuredSharedBytes;
  return splits && isMade ? split : whole;
}

/// The cheapest; of those that the model cannot tell apart, the one whose grid
/// fills more of the machine; unless another moves far fewer bytes.
std::optional<size_t> Search::pickBest(bool split) const {
  double least = std::numeric_limits<double>::infinity();
  auto counts = [&](size_t index) {
    return found[index].candidate.part.has_value() == split;
  };
  for (size_t i = 0; i < found.size(); ++i)
    if (counts(i))
      least = std::min(least, found[i].evaluation.times.total());
  std::optional<size_t> best;
  auto fill = [&](size_t index) {
    return std::min(found[index].evaluation.blocks,
                    facts.hardware.multiprocessors);
  };
  auto cycles = [&](size_t index) {
    return found[index].evaluation.times.total();
  };
  for (size_t i = 0; i < found.size(); ++i)
    if (counts(i) &&
        cycles(i) <= least * (split ? splitTolerance : tolerance) &&
        (!best || fill(i) > fill(*best) ||
         (fill(i) == fill(*best) && cycles(i) < cycles(*best))))
      best = i;
  if (!best || split)
    return best;
  auto bytes = [&](size_t index) {
    const Evaluation &evaluation = found[index].evaluation;
    return double(evaluation.readBytes + evaluation.writtenBytes);
  };
  const double most = bytes(*best) * fewerBytes;
  for (size_t i = 0; i < found.size(); ++i)
    if (counts(i) && cycles(i) <= least * bytesTolerance && bytes(i) <= most &&
        bytes(i) < bytes(*best))
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

void Search::writeForms(Decision &decision) const {
  decision.parts = pins.forms.parts.value_or(
      facts.partsOfSums(decision.candidate, decision.evaluation));
  decision.mayBeLazy = pins.forms.lazy.value_or(true);
}

std::optional<BlockNeeds> Search::compile(const LegalCandidate &legal) const {
  Decision decision;
  decision.candidate = legal.candidate;
  decision.evaluation = legal.evaluation;
  writeForms(decision);
  dropWholeGroups(decision, graph, pins);
  return block(region, decision);
}

/// The decision for \p legal.
Decision Search::decide(const LegalCandidate &legal) const {
  Decision decision;
  decision.candidate = legal.candidate;
  decision.evaluation = legal.evaluation;
  writeForms(decision);
  if (legal.verdict)
    decision.verdict = *legal.verdict;
  decision.wholeCycles = decision.leastCycles = leastHonest();
  if (std::optional<size_t> split = pickBest(/*split=*/true))
    decision.leastCycles =
        std::min(decision.leastCycles, found[*split].evaluation.honestCycles);
  return decision;
}

/// Whether \p candidate is at least as large as one that did not fit.
bool Search::exceedsRefused(const Candidate &candidate) const {
  return llvm::any_of(tooLarge, [&](const Candidate &refused) {
    if (candidate.stream != refused.stream ||
        candidate.inner != refused.inner || candidate.warps != refused.warps ||
        candidate.padded < refused.padded || candidate.stages < refused.stages)
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
    if (!needs) // compiled before, or by a generator that nobody can ask
      return decide(best);
    if (!needs->refusal.empty()) {
      if (!passedOver) {
        passedOver = {ncd::Subject::PassedOver};
        for (unsigned axis : best.candidate.groups)
          passedOver->reasons.push_back({ncd::Cause::Tile,
                                         {best.candidate.extent[axis]},
                                         {graph.axes[axis].name}});
        passedOver->reasons.push_back(
            {ncd::Cause::WarpsOf, {best.candidate.warps}});
        passedOver->reasons.push_back(
            {ncd::Cause::Refused, {}, {needs->refusal}});
        unfit = best;
      }
      found.erase(found.begin() + *index);
      continue;
    }
    Candidate measured = best.candidate;
    measured.measuredSharedBytes = needs->sharedBytes;
    measured.mergeSharedBytes = needs->mergeSharedBytes;
    Evaluation evaluation =
        facts.evaluate(measured, best.verdict, /*all=*/false);
    if (evaluation.legal()) {
      best.candidate = measured;
      best.evaluation = evaluation;
      continue;
    }
    nearest = {measured, best.verdict ? *best.verdict : StreamVerdict()};
    nearestLimit = evaluation.violations[0].limit;
    tooLarge.push_back(best.candidate);
    // Rows without room behind them first, then a shallower pipeline, as for
    // the estimate.
    LegalCandidate shallower = best;
    found.erase(found.begin() + *index);
    if (shallower.candidate.padded && !pins.forms.padded)
      shallower.candidate.padded = false;
    else if (pins.stages || !shallower.candidate.stream ||
             shallower.candidate.stages <= 1)
      continue;
    else
      --shallower.candidate.stages;
    shallower.evaluation =
        facts.evaluate(shallower.candidate, shallower.verdict, /*all=*/false);
    if (shallower.evaluation.legal())
      found.push_back(shallower);
  }
  // One operation cannot be cut further: the generator's own message, which
  // knows the place, is the error.
  if (unfit && region.operations.size() == 1)
    return decide(*unfit);
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
    else if (pinned)
      refusedAxes.push_back({ncd::Subject::Resident,
                             info.name,
                             0,
                             {{ncd::Cause::NotInside, {}, {outer, why}}}});
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
  if (longest && nearestLimit >= cost::Limit::ValuesPerThread)
    result.text = fmt::format("axis '{}' of size {} does not fit: {}",
                              longest->name, longest->size, result.text);
  for (const Choice &choice : refusedAxes)
    result.text += "; " + causesOf(choice);
  if (passedOver) {
    Choice tried = *passedOver;
    std::string message = tried.reasons.back().names.front();
    tried.reasons.pop_back();
    result.text += fmt::format("; with {} the code generator says: {}",
                               causesOf(tried), message);
  }
  if (nearestLimit == cost::Limit::InstructionShape)
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
    if ((!pins.stream.empty() || !pins.split.empty()) && !isPinnedStream(axis))
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
      refusedAxes.push_back({ncd::Subject::Resident,
                             graph.axes[axis].name,
                             0,
                             {{ncd::Cause::NotStreamed, {}, {verdict.why}}}});
  }
}

void Search::tryStreams(bool carriedOut) {
  const auto &candidates = carriedOut ? carriedStreams : streams;
  std::vector<llvm::SmallVector<unsigned, 1>> inside;
  for (const auto &[axis, verdict] : candidates)
    inside.push_back(innerAxes(axis));
  // Two pinned axes are meant to be one inside the other where that is
  // possible.
  bool alone =
      pins.stream.empty() ||
      llvm::all_of(inside, [](const auto &axes) { return axes.empty(); });
  for (auto [candidate, inners] : llvm::zip_equal(candidates, inside)) {
    const auto &[axis, verdict] = candidate;
    for (int64_t chunk : streamOptions(axis)) {
      if (fewWarps && chunk >= graph.axes[axis].size)
        continue;
      if (alone)
        tryStream(axis, chunk, &verdict);
      for (unsigned inner : inners)
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
  bool pinned = (!pins.stream.empty() || !pins.split.empty()) &&
                (!streams.empty() || !carriedStreams.empty());
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
  decision->evaluation.times.compared =
      std::min(decision->leastCycles, decision->evaluation.honestCycles);
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
  if (!candidate.granules.empty()) {
    to.granules.assign(graph.axes.size(), 1);
    for (auto [index, name] : llvm::enumerate(names))
      to.granules[name] = candidate.granules[index];
  }
  for (unsigned &axis : to.groups)
    axis = names[axis];
  for (std::optional<unsigned> *axis : {&to.stream, &to.inner})
    if (*axis)
      *axis = names[**axis];
  if (result.evaluation.rowAxis)
    result.evaluation.rowAxis = names[*result.evaluation.rowAxis];
  result.verdict.renameAxes([&](unsigned axis) { return names[axis]; });
  return result;
}
