//===- KernelList.h - a diagram as a list of kernels ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The state of the fusion search and the moves that change it.
//
// A unit may be computed by several kernels, and is written by at most one. A
// list of kernels is legal when each reads only what is an argument or written
// by another, all results are written, and no circle of kernels reads what the
// next one writes.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_SCHEDULE_KERNELLIST_H
#define NAPKIN_LIB_SCHEDULE_KERNELLIST_H

#include "FusionGraph.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace napkin::schedule {

/// Kernels that give way to others.
struct Proposal {
  /// Cycles that are saved.
  double gain = 0;
  Set removed;
  llvm::SmallVector<KernelSet, 2> made;
};

/// Kernels, and who writes and reads what.
class KernelList {
public:
  explicit KernelList(FusionCosts &costs);

  /// Adds a kernel; returns its number. After the last, call renumber().
  unsigned add(KernelSet kernel);
  /// Notes in which order kernels may run.
  void renumber();
  double cycles() const;
  bool has(unsigned kernel) const {
    return kernel < kernels.size() && kernels[kernel];
  }
  const KernelSet &at(unsigned kernel) const { return *kernels[kernel]; }
  /// The numbers of all kernels.
  Set all() const;
  /// The kernel that writes \p unit, or -1.
  int writerOf(unsigned unit) const { return writer[unit]; }
  /// The kernels that read \p unit.
  const Set &readersOf(unsigned unit) const { return readers[unit]; }
  /// Kernels that \p kernel shares an array with: a few for each array.
  Set neighbours(unsigned kernel) const;

  /// What happens when the kernels \p removed give way to kernels that compute
  /// \p sets: writers are found, what nobody needs is computed and written no
  /// more. Nothing where some array has no writer, or where no more than
  /// \p atLeast cycles are saved.
  std::optional<Proposal>
  propose(const Set &removed, llvm::SmallVector<Set, 3> sets, double atLeast);
  /// The same for kernels that are known: what others then write for nobody is
  /// written no more.
  std::optional<Proposal> complete(const Set &removed,
                                   llvm::SmallVector<KernelSet, 2> made,
                                   double atLeast);
  /// True when the kernels may run one after another once \p made have
  /// replaced \p removed.
  bool isAcyclic(const Set &removed, llvm::ArrayRef<KernelSet> made) const;
  /// Replaces kernels; returns the numbers of those made.
  Set apply(const Set &removed, llvm::ArrayRef<KernelSet> made);
  /// Kernels in an order in which they may run; empty where there is a circle.
  llvm::SmallVector<unsigned, 0> order() const;
  /// What \p kernels write and others, or the diagram, need.
  Set neededOutside(const Set &kernels) const;

private:
  void remove(unsigned kernel);
  std::optional<llvm::SmallVector<KernelSet, 2>>
  findWriters(const Set &removed, llvm::SmallVector<Set, 3> sets) const;
  void dropUnread(Proposal &proposal, const Set &fewerReads) const;
  bool keepsPins(llvm::ArrayRef<KernelSet> made) const;

public:
  FusionCosts &costs;
  const FusionGraph &graph;

private:
  std::vector<std::optional<KernelSet>> kernels;
  std::vector<int> writer;
  std::vector<Set> readers;
  /// By argument of the diagram.
  std::map<unsigned, Set> argumentReaders;
  /// Where each kernel stands in order().
  std::vector<unsigned> position;
};

/// What local moves do with a list of kernels.
namespace moves {
enum Kind : unsigned {
  Join = 1,   ///< two kernels become one
  Inline = 2, ///< what is read is computed again, here or in all readers
  Push = 4,   ///< one unit changes sides
  Cut = 8,    ///< one array is computed by a kernel of its own
  Split = 16, ///< results get kernels of their own
  Share = 32, ///< what two kernels compute is written once
  All = 63
};
/// Calls \p visit with the kernels that every move of \p kernel removes and
/// what those compute that it makes.
void forEach(
    const KernelList &list, unsigned kernel, unsigned kinds,
    llvm::function_ref<void(const Set &, llvm::SmallVector<Set, 3>)> visit);
/// The best legal move of \p kernel that saves more than a cycle.
std::optional<Proposal> best(KernelList &list, unsigned kernel, unsigned kinds);
} // namespace moves

/// The best move of a kernel as long as one saves cycles; from \p start, and
/// around every kernel that is made.
void descend(KernelList &list, Set start);
/// Cuts what two neighbours compute in any other two, where that is better.
void recutNeighbours(KernelList &list);

/// Each unit a kernel, and those pinned together one.
KernelList groupAlone(FusionCosts &costs);
/// The cheapest runs of a few depth-first orders.
KernelList groupRuns(FusionCosts &costs);
/// From single units, the most gainful joins first.
KernelList groupByGain(FusionCosts &costs);

/// Replaces neighbouring kernels by the best ones for the same units, found by
/// trying all. \p remembered holds answers of windows that look alike.
class Windows {
public:
  explicit Windows(FusionCosts &costs) : costs(costs) {}
  void improve(KernelList &list);

private:
  struct Question;
  /// Computed and written units of kernels; bits are places in the window.
  using Masks = llvm::SmallVector<std::pair<unsigned, unsigned>, 3>;
  struct Answer {
    /// Of the kernels, or, where there are none, what nothing is below.
    double cycles = 0;
    Masks kernels;
  };
  std::optional<Set> improveAt(KernelList &list, unsigned kernel);
  std::optional<Set> tryWindow(KernelList &list, const Set &removed);
  const Answer &answer(const Question &question);
  Answer solve(const Question &question);

  FusionCosts &costs;
  std::map<std::vector<int64_t>, Answer> remembered;
};

} // namespace napkin::schedule

#endif // NAPKIN_LIB_SCHEDULE_KERNELLIST_H
