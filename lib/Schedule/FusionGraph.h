//===- FusionGraph.h - a diagram as the fusion search sees it ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Units that no kernel takes apart, and what kernels made of them read, write
// and cost.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_FUSIONGRAPH_H
#define NAPKIN_LIB_SCHEDULE_FUSIONGRAPH_H

#include "napkin/Schedule/KernelPrices.h"
#include "llvm/ADT/DenseSet.h"

namespace napkin::schedule {

/// Sorted numbers of units (or kernels) without repetitions.
using Set = llvm::SmallVector<unsigned, 12>;

Set unite(const Set &a, const Set &b);
Set minus(const Set &a, const Set &b);
Set minus(const Set &a, unsigned element);
bool contains(const Set &set, unsigned element);

/// Which of an operation's producers are placed first.
enum class Visit { ShallowFirst, AsWritten, DeepFirst };

/// An operation, or maps over the same axes of which each but the last has one
/// reader, the next: a cut between those never pays.
struct Unit {
  /// In the order in which they run; the last makes what others read.
  llvm::SmallVector<unsigned, 2> operations;
  Set producers, users;
  /// Arguments of the diagram that it reads.
  llvm::SmallVector<unsigned, 4> arguments;
  /// A kernel that somebody formed.
  bool fixed = false;
  /// The diagram returns what it makes.
  bool returned = false;
  /// The kernel that it is pinned to, or -1.
  int64_t pinned = -1;
  /// Cycles at least: for its work, and for its results to cross a border.
  double work = 0, traffic = 0;
};

/// Units in topological order; what nothing needs is left out.
class FusionGraph {
public:
  /// Operations in \p apart are units of their own.
  FusionGraph(const Graph &graph, const cost::Hardware &hardware,
              const llvm::DenseSet<unsigned> &apart);

  const Graph &graph;
  const cost::Hardware &hardware;
  std::vector<Unit> units;

  /// The units of \p within that \p roots need.
  Set close(const Set &within, const Set &roots) const;
  /// Units outside of \p computes that it reads.
  Set reads(const Set &computes) const;
  /// Units in the order of a depth-first walk from the results.
  llvm::SmallVector<unsigned, 0> order(Visit visit) const;
  llvm::SmallVector<unsigned, 16> operationsOf(const Set &units) const;
  /// The values that \p units hand on.
  llvm::SmallVector<unsigned, 4> outputsOf(const Set &units) const;

private:
  void addUnits(llvm::ArrayRef<unsigned> order,
                const llvm::DenseSet<unsigned> &apart);
  void linkUnits();

  /// Unit by operation, -1 for what nothing needs.
  std::vector<int> unitOf;
  mutable std::vector<unsigned> mark;
  mutable unsigned stamp = 0;
};

/// A kernel: the units that it computes and those of them that it writes.
struct KernelSet {
  Set computes, writes;
};

/// What kernels of units cost.
class FusionCosts {
public:
  FusionCosts(const FusionGraph &units, KernelPrices &prices);

  /// Cycles of a kernel that is refused, per unit: such kernels are left first.
  static constexpr double refused = 1e11;

  /// Cycles of \p kernel.
  double cost(const KernelSet &kernel);
  /// What cost() is not below; asks nobody.
  double least(const KernelSet &kernel) const;
  /// True when pins, or kernels formed by somebody, forbid every kernel that
  /// computes at least \p computes.
  bool isForbidden(const Set &computes) const;
  /// True when what \p unit makes is too large to be written.
  bool isTooLarge(unsigned unit) const;
  /// Forgets costs, as prices have changed.
  void forget() { known.clear(); }

  const FusionGraph &graph;
  KernelPrices &prices;

private:
  double search(const KernelSet &kernel);

  struct Hash {
    size_t operator()(const std::vector<unsigned> &key) const;
  };
  std::unordered_map<std::vector<unsigned>, double, Hash> known;
  /// How many units each pinned kernel has.
  std::map<int64_t, unsigned> pinnedUnits;
};

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_FUSIONGRAPH_H
