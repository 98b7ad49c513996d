//===- PartitionSearch.h - the search for one region ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What Search.h answers with, while it is being found: candidates in the order
// in which they are tried, what was refused, and the reasons for the report.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_PARTITIONSEARCH_H
#define NAPKIN_LIB_SCHEDULE_PARTITIONSEARCH_H

#include "napkin/Schedule/Search.h"

namespace napkin::schedule {

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
  /// Tries \p whole, whose grid has \p blocks, in parts.
  void tryParts(const Candidate &whole, int64_t blocks,
                const StreamVerdict *verdict);
  /// Keeps what broke \p limit, for the error, where nothing came further.
  void note(const Candidate &candidate, const StreamVerdict *verdict,
            cost::Limit limit);
  bool isPinnedStream(unsigned axis) const {
    const std::string &name = graph.axes[axis].name;
    return pins.stream.count(name) || pins.split.count(name);
  }
  Evaluation evaluate(Candidate &candidate, const StreamVerdict *verdict,
                      bool all) const;
  bool isBatch(unsigned axis) const;
  std::optional<size_t> pickBest() const;
  std::optional<size_t> pickBest(bool split) const;
  /// The least cycles of what is not split, idle multiprocessors charged.
  double leastHonest() const;
  Decision decide(const LegalCandidate &legal) const;
  /// Sets the forms of \p decision that cost nothing to choose.
  void writeForms(Decision &decision) const;
  std::optional<Decision> pickCompiled();
  bool exceedsRefused(const Candidate &candidate) const;
  std::optional<BlockNeeds> compile(const LegalCandidate &legal) const;
  Refusal refuse() const;
  /// What the choice of an axis costs with \p extent positions of it instead;
  /// nothing where no number of warps can be tried.
  std::optional<Reason> explainNeighbour(const Decision &decision,
                                         unsigned axis, int64_t extent);
  /// Adds the choice of \p axis, as \p subject, with its causes.
  void explainAxis(Decision &decision, unsigned axis, ncd::Subject subject);

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
  std::optional<Choice> passedOver;
  /// The broken limit of the cheapest candidate that failed last in the order
  /// of checks, for the error.
  std::optional<std::pair<Candidate, StreamVerdict>> nearest;
  std::optional<cost::Limit> nearestLimit;
  /// The axes that were asked for and that the algebra refuses.
  std::vector<Choice> refusedAxes;
  bool fewWarps = false;
};

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_PARTITIONSEARCH_H
