//===- Region.h - operations that may share a kernel ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A diagram, or a part of it, as the schedule looks at it: axes with sizes,
// arrays over axes, and operations of three kinds. Scalar expressions are only
// counted. Nothing here depends on MLIR, so searches can be tested on
// descriptions written by hand.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_SCHEDULE_REGION_H
#define NAPKIN_SCHEDULE_REGION_H

#include "napkin/Cost/KernelModel.h"
#include "napkin/Target/Instruction.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace napkin::schedule {

/// An axis of a diagram.
struct Axis {
  std::string name;
  int64_t size = 1;
};

/// An array of a diagram. Axes are indices into Graph::axes, storage order.
struct ArrayValue {
  std::string name;
  llvm::SmallVector<unsigned, 4> axes;
  /// Bits of one element as stored.
  unsigned bits = 32;
  /// The defining operation, or -1 for an argument of the diagram.
  int definition = -1;
  /// Another array of the same memory whose elements, of the same positions
  /// along all axes but one, are or hold those of this one; -1: none.
  int within = -1;
  /// The axis of `within` that this array lacks, and the one in its place.
  unsigned wholeAxis = 0, partAxis = 0;

  /// True when \p axis is one of the array's axes.
  bool carries(unsigned axis) const { return llvm::is_contained(axes, axis); }
  /// Bytes of one element in memory.
  int64_t bytes() const { return (bits + 7) / 8; }
};

/// What an operation does with axes.
enum class OperationKind {
  Contract, ///< product of its operands, summed over axes
  Map,      ///< element by element
  Reduce,   ///< a monoid over axes
  Fixed     ///< a kernel that someone formed already
};

/// An operation of a diagram. Arrays are indices into Graph::values.
struct Operation {
  OperationKind kind = OperationKind::Map;
  llvm::SmallVector<unsigned, 4> operands;
  llvm::SmallVector<unsigned, 1> results;
  /// Axes that are summed or reduced.
  llvm::SmallVector<unsigned, 2> over;
  /// Scalar operations per element of the result (per element of the operand
  /// for a reduction), and how many of them are exponentials and the like.
  int64_t simple = 0, special = 0;
  /// For a contract: the instruction that multiplies its factors.
  const target::MatrixInstruction *instruction = nullptr;
  /// The kernel it was pinned to, or -1.
  int64_t pinnedKernel = -1;
  /// Operations of the same kind with the same number compute the same from
  /// operands of the same kinds of elements. (With the fields above it is what
  /// KernelPrices compares.)
  unsigned body = 0;
};

/// A diagram: operations in topological order.
struct Graph {
  std::string name;
  std::vector<Axis> axes;
  std::vector<ArrayValue> values;
  std::vector<Operation> operations;
  /// The values that the diagram returns.
  llvm::SmallVector<unsigned, 2> returned;

  /// The axis called \p name.
  std::optional<unsigned> findAxis(llvm::StringRef name) const;
};

/// What one streamed pass carries from chunk to chunk.
struct StreamState {
  /// Axes of the accumulator.
  llvm::SmallVector<unsigned, 4> axes;
  unsigned bits = 32;
  /// True when every chunk multiplies the old value by a correction.
  bool corrected = false;
};

/// Where a row begins or ceases to see a streamed axis: at its own position on
/// another axis plus a number, or at a number; never below or above numbers.
struct WalkLimit {
  std::optional<unsigned> axis;
  int64_t offset = 0;
  std::optional<int64_t> least, most;
  /// By what the position on the other axis is divided.
  int64_t divisor = 1;
};

/// Whether a region can be computed in one pass over an axis.
struct StreamVerdict {
  bool legal = false;
  /// Positions before and from these on leave the state of a row as it is.
  std::optional<WalkLimit> from, to;
  /// The law that is missing, when it is not.
  std::string why;
  llvm::SmallVector<StreamState, 4> state;
  /// Whether the reference of its gauges may lag behind the running maximum.
  bool lazy = false;

  /// Calls \p rename on every axis in the verdict.
  void renameAxes(llvm::function_ref<unsigned(unsigned)> rename);
};

/// Answers for one region and axis; the algebra of streaming forms stands
/// behind it.
using StreamOracle = std::function<StreamVerdict(
    llvm::ArrayRef<unsigned> operations, llvm::ArrayRef<unsigned> outputs,
    unsigned axis)>;

/// A convex set of operations of a graph that would share a kernel.
class Region {
public:
  /// The region of \p operations (topological order) of \p graph. All uses are
  /// counted: a value that anything outside needs is an output.
  Region(const Graph &graph, llvm::ArrayRef<unsigned> operations);
  /// The region that writes \p outputs and nothing else: what it makes beside
  /// them and others need, they compute again.
  Region(const Graph &graph, llvm::ArrayRef<unsigned> operations,
         llvm::ArrayRef<unsigned> outputs);

  const Graph &graph;
  llvm::SmallVector<unsigned, 8> operations;
  /// Values that come from outside, in order of first use.
  llvm::SmallVector<unsigned, 4> inputs;
  /// Values needed outside, in order of definition.
  llvm::SmallVector<unsigned, 2> outputs;
  /// Axes of all values here, in order of first appearance.
  llvm::SmallVector<unsigned, 6> axes;

  /// True when \p value is one of the inputs.
  bool isInput(unsigned value) const {
    return llvm::is_contained(inputs, value);
  }
  /// True when a block whose tiles have \p extent positions along each axis
  /// need not load \p input: another input holds its elements, both are factors
  /// of products and walk along \p stream, and their tiles have all of the axes
  /// in which they differ.
  bool isHeld(unsigned input, llvm::ArrayRef<int64_t> extent,
              std::optional<unsigned> stream) const;
  /// True when some operation here sums or reduces \p axis.
  bool reduces(unsigned axis) const;
  /// True when operations hang together by values that one makes and another
  /// reads, or that several read; a region of strangers gains nothing.
  bool isConnected() const;
  /// Axes that blocks may share out: carried by every output and reduced
  /// nowhere.
  llvm::SmallVector<unsigned, 4> groupCandidates() const;
  /// Axes that a block may walk in chunks: reduced here and carried by some
  /// input, and by no output; or by one, with \p carriedOut, which a second
  /// loop then writes.
  llvm::SmallVector<unsigned, 2> streamCandidates(bool carriedOut) const;
  /// The arrays that cross, as the cost model wants them. \p groups and
  /// \p stream say how axes are partitioned.
  cost::KernelModel model(llvm::ArrayRef<unsigned> groups,
                          std::optional<unsigned> stream) const;
  /// Bytes of every operand read once and every result written once, operation
  /// by operation.
  int64_t unfusedBytes() const;
};

} // namespace napkin::schedule

#endif // NAPKIN_SCHEDULE_REGION_H
