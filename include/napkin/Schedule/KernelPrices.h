//===- KernelPrices.h - what any kernel of a diagram costs ------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel computes some operations and writes some of their results. The
// search for its best partition is expensive, so it is made once for all
// kernels that look alike: the same operations over axes of the same sizes,
// whatever the axes are called and wherever in the diagram they stand.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_KERNELPRICES_H
#define NAPKIN_SCHEDULE_KERNELPRICES_H

#include "napkin/Schedule/Search.h"
#include <unordered_map>

namespace napkin::schedule {

/// The operations and results of one kernel as a graph of their own, in which
/// axes, values and operations are numbered in the order in which they appear.
struct LocalGraph {
  Graph graph;
  /// Where each stands in the diagram's graph.
  llvm::SmallVector<unsigned, 8> axes, values, operations;
};

/// Prices of the kernels of one graph. Operations are lists in an order in
/// which producers come before their readers; outputs are values.
class KernelPrices {
public:
  /// All arguments are kept by reference and must outlive the prices.
  KernelPrices(const Graph &graph, const cost::Hardware &hardware,
               const GeneratorLimits &limits, const Pins &pins,
               const StreamOracle &oracle, const BlockOracle &block);
  ~KernelPrices();

  /// What is known of all kernels that look alike.
  struct Price {
    /// In the numbers of the first one's LocalGraph; unset where refused.
    std::optional<Decision> decision;
    /// False for operations that share no value: nobody gains by one launch.
    bool connected = true;
    /// True when the decision was compiled by the block oracle.
    bool confirmed = false;
    /// Cycles, or infinity where there is no decision.
    double cycles() const;
  };

  /// The price of computing \p operations and writing \p outputs. The
  /// reference stays valid.
  const Price &price(llvm::ArrayRef<unsigned> operations,
                     llvm::ArrayRef<unsigned> outputs);
  /// Cycles of a kernel in a plan: its price, infinite where it is refused, and
  /// tooLarge for every array that isTooLarge.
  double cost(llvm::ArrayRef<unsigned> operations,
              llvm::ArrayRef<unsigned> outputs);
  /// True when a kernel that writes \p value takes more memory for it than all
  /// arguments and results of the diagram take together, and the diagram does
  /// not return it.
  bool isTooLarge(unsigned value) const;
  /// So many cycles that such an array is only written where there is no other
  /// plan.
  static constexpr double tooLarge = 1e9;
  /// Compiles the best partitions until the best is a compiled one. Returns
  /// false where the price changed by it.
  bool confirm(llvm::ArrayRef<unsigned> operations,
               llvm::ArrayRef<unsigned> outputs);
  /// The decision in the numbers of the graph, with reasons in its names.
  /// There must be one.
  Decision decision(llvm::ArrayRef<unsigned> operations,
                    llvm::ArrayRef<unsigned> outputs);
  /// Why there is none, in the names of the graph.
  Refusal refusal(llvm::ArrayRef<unsigned> operations,
                  llvm::ArrayRef<unsigned> outputs);
  /// What \p operations look like: equal for kernels that differ only in names
  /// and places.
  std::vector<int64_t> keyOf(llvm::ArrayRef<unsigned> operations,
                             llvm::ArrayRef<unsigned> outputs) const;
  /// Searches for partitions so far.
  unsigned searches() const { return searchCount; }

private:
  struct Hash {
    size_t operator()(const std::vector<int64_t> &key) const;
  };
  LocalGraph extract(llvm::ArrayRef<unsigned> operations,
                     llvm::ArrayRef<unsigned> outputs) const;
  Price &lookUp(llvm::ArrayRef<unsigned> operations,
                llvm::ArrayRef<unsigned> outputs);
  StreamOracle oracleFor(const LocalGraph &local) const;
  BlockOracle blockFor(const LocalGraph &local,
                       llvm::ArrayRef<unsigned> operations,
                       llvm::ArrayRef<unsigned> outputs) const;

  const Graph &graph;
  const cost::Hardware &hardware;
  const GeneratorLimits &limits;
  const Pins &pins;
  const StreamOracle &oracle;
  const BlockOracle &block;
  std::unordered_map<std::vector<int64_t>, Price, Hash> known;
  unsigned searchCount = 0;
  /// Bytes of all arguments and results.
  double borderBytes = 0;
  /// Numbers of axes and values while a key is made, and when they were given.
  mutable std::vector<unsigned> axisNumber, axisStamp, valueNumber, valueStamp;
  mutable unsigned stamp = 0;
};

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_KERNELPRICES_H
