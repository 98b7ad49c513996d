//===- Search.h - the best partition of a region ----------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exhaustive search over the few partitions that hardware allows: powers of two
// for the axes that blocks share, one stream axis or none, and a handful of
// warp counts. What was found keeps its reasons: for every choice, what the
// next larger one would have cost or which limit it breaks.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_SEARCH_H
#define NAPKIN_SCHEDULE_SEARCH_H

#include "napkin/Schedule/Evaluate.h"
#include "napkin/Schedule/Reasons.h"
#include <limits>

namespace napkin::schedule {

/// Decisions that somebody else made.
struct Pins {
  /// Tile per group axis, in elements.
  std::map<std::string, int64_t> group;
  /// Chunk per stream axis.
  std::map<std::string, int64_t> stream;
  /// Names of the pinned stream axes, outermost first; empty for any order.
  std::vector<std::string> streamOrder;
  /// True when no axis may be streamed.
  bool noStream = false;
  /// Positions of a part per streamed axis that blocks share.
  std::map<std::string, int64_t> split;
  /// True when no stream may be split.
  bool noSplit = false;
  std::optional<int64_t> warps, stages;
  /// Forms of a kernel that may be asked for or forbidden.
  struct Forms {
    /// Whether rows of factors have room behind them in shared memory.
    std::optional<bool> padded;
    /// Whether each step reads rows again that registers could keep.
    std::optional<bool> reread;
    /// Whether references are moved only where they must be.
    std::optional<bool> lazy;
    /// Parts in which lanes keep what a stream sums for a row.
    std::optional<int64_t> parts;

    bool empty() const { return !padded && !reread && !lazy && !parts; }
  };
  Forms forms;

  /// True when nobody decided anything.
  bool empty() const {
    return group.empty() && stream.empty() && !noStream && split.empty() &&
           !noSplit && !warps && !stages && forms.empty();
  }
  /// Whether \p inner may be walked inside a stream over \p outer.
  bool mayNest(const std::string &outer, const std::string &inner) const;
  /// All of it in one line: "group q = 128, stream x = 64, warps = 4".
  std::string str() const;
};

/// What the program of one block takes.
struct BlockNeeds {
  /// Bytes of shared memory, to the byte of the launch: buffers, and what
  /// stores and changes of layout pass through it.
  int64_t sharedBytes = 0;
  /// Why the code generator makes no such program; empty where it does.
  std::string refusal = {};
  /// The shared memory of the kernel that merges, where the stream is split.
  int64_t mergeSharedBytes = 0;
};

/// The chosen partition of one kernel.
struct Decision {
  Candidate candidate;
  Evaluation evaluation;
  StreamVerdict verdict;
  /// Parts in which lanes keep what the stream sums for a row.
  int64_t parts = 1;
  /// False where nobody wants references that lag behind.
  bool mayBeLazy = true;
  /// The least cycles, idle multiprocessors charged, of candidates that are not
  /// split, and of all; infinite where there is none.
  double wholeCycles = std::numeric_limits<double>::infinity(),
         leastCycles = std::numeric_limits<double>::infinity();
  std::vector<Choice> choices;
  /// The cheapest partition that the code generator refuses, and its message.
  std::optional<Choice> passedOver;

  /// The same decision for \p graph, where axis i is called names[i]. Whatever
  /// a decision says of axes by number is renamed here.
  Decision renamed(llvm::ArrayRef<unsigned> names, const Graph &graph) const;
};

/// Why a region has no schedule.
struct Refusal {
  /// "axis 'd' of size 4096 does not fit: ...".
  std::string text;
  /// What to change.
  std::string advice;
};

/// Compiles a region as a decision says and measures it. Nothing where the
/// generator does not know the machine.
using BlockOracle =
    std::function<std::optional<BlockNeeds>(const Region &, const Decision &)>;

/// The best decision for \p region, or nullopt with \p refusal filled in. With
/// \p block it is one that was compiled and fits. Reasons are only written when
/// \p explain.
std::optional<Decision>
searchPartition(const Region &region, const cost::Hardware &hardware,
                const GeneratorLimits &limits, const Pins &pins,
                const StreamOracle &oracle, const BlockOracle &block,
                bool explain, Refusal *refusal);

/// Writes the reasons of \p decision, which searchPartition made with the same
/// arguments for \p region or for one that differs only in names.
void explainPartition(const Region &region, const cost::Hardware &hardware,
                      const GeneratorLimits &limits, const Pins &pins,
                      const StreamOracle &oracle, const BlockOracle &block,
                      Decision &decision);

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_SEARCH_H
