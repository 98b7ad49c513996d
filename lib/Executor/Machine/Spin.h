//===- Spin.h - Warps that go round and change nothing ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch never ends when a state comes back: the warps that run stand where
// they stood, the registers that steer them and the memory that they wrote are
// what they were, and nothing from outside is on its way. A loop that counts,
// or that looks at a clock, is not such a state, however long it takes; a lock
// that is never freed, or two blocks that hand it to each other for ever, is.
//
// States are compared between rounds of a host thread over its clusters, after
// some rounds in which no warp ended (Brent's search for a cycle).
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_MACHINE_SPIN_H
#define NAPKIN_LIB_EXECUTOR_MACHINE_SPIN_H

#include "Machine/Machine.h"
#include "Machine/Program.h"

#include "llvm/ADT/DenseMap.h"

#include <vector>

namespace napkin::executor {

/// What the bytes held that were written since it was started.
class WriteJournal {
public:
  bool isActive() const { return active; }
  /// `bytes` at `host` are about to be written.
  void record(const char *host, unsigned bytes);
  void start();
  void stop();
  /// More was written than it keeps.
  bool isFull() const { return full; }
  /// Every byte holds again what it held.
  bool isUnchanged() const;

private:
  bool active = false, full = false;
  llvm::DenseMap<const char *, char> before;
};

/// Watches the clusters of one host thread.
class SpinWatch {
public:
  explicit SpinWatch(const Program &program);
  /// A cluster started or a warp ended: there is progress.
  void reset();
  /// A round over the warps is over. `executed`: what was counted so far, by
  /// PTX instruction. True: an earlier state came back.
  bool roundEnded(const std::vector<Warp *> &warps,
                  const std::vector<InstructionCounters> &executed);
  /// Rounds without an end of a warp, so that turns can be short.
  bool isQuiet() const { return quiet > 2; }
  /// The PTX instructions that the warps went through in the state that came
  /// back.
  const std::vector<bool> &instructions() const { return active; }
  WriteJournal journal;

private:
  /// Where a warp stands.
  using Control = std::vector<uint64_t>;
  struct Anchor {
    std::vector<Control> control;
    /// Of each warp, a hash of each register and the predicates.
    std::vector<std::vector<uint64_t>> registers;
    std::vector<std::vector<uint32_t>> predicates;
    std::vector<InstructionCounters> executed;
  };
  static Control controlOf(const Warp &warp);
  uint64_t hashOf(const Warp &warp, size_t reg) const;
  void setAnchor(const std::vector<Warp *> &warps,
                 const std::vector<InstructionCounters> &executed);
  bool sameControl(const std::vector<Warp *> &warps);
  bool sameRegisters(const std::vector<Warp *> &warps);
  /// What was executed since the anchor; false: something whose effects are not
  /// followed here.
  bool findExecuted(const std::vector<InstructionCounters> &executed);
  void findRelevant();
  void pause();

  const Program &program;
  /// Registers by reference and bytes for the whole warp.
  std::vector<std::pair<uint32_t, uint32_t>> registers;
  llvm::DenseMap<uint32_t, size_t> registerIndices;
  std::vector<bool> active, relevant, relevantPredicates;
  /// What was executed when `relevant` was found: a loop's turns are alike.
  std::vector<bool> analysed;
  Anchor anchor;
  bool watching = false;
  uint64_t quiet = 0, start = 8, elapsed = 0, length = 1;
  /// The warp that differed last, which is likely to differ again.
  size_t suspect = 0;
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_MACHINE_SPIN_H
