//===- Evaluate.h - the reference interpreter -------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Evaluates a diagram on the CPU. This is the oracle of every test: it computes
// each operation by its definition in double precision, rounds a result to the
// element type that the diagram declares for it, and shares no code with the
// compiler below the dialect. Integers are exact.
//
// Operations of the schedule stage are evaluated too: a kernel by its body, a
// stream by its four regions under any split of the axis and any tree of
// merges, which is how streaming forms are checked.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REFERENCE_EVALUATE_H
#define NAPKIN_REFERENCE_EVALUATE_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Reference/Tensor.h"
#include <optional>
#include <vector>

namespace napkin::reference {

/// The arithmetic inside operations.
enum class Arithmetic {
  /// Scalar operations on f32 and f64, and all accumulation, in double.
  Double,
  /// Scalar operations on f32 round each result to f32; sums of floats
  /// narrower than f64 accumulate in f32, one after the other. What a plain
  /// implementation in single precision computes.
  Single,
};

/// Which arrays round their elements to the declared type.
enum class Storage {
  /// All of them.
  Declared,
  /// Those of types narrower than f32; arrays of f32 stay double.
  NarrowOnly,
  /// None, and no `arith.truncf` either: the diagram in exact arithmetic, up to
  /// double's rounding.
  Exact,
};

class Decisions;

/// How to evaluate.
struct EvaluationOptions {
  Arithmetic arithmetic = Arithmetic::Double;
  Storage storage = Storage::Declared;
  /// Positions per step of a stream; 0 is the whole axis in one step.
  int64_t streamChunk = 0;
  /// When set, streams split their axis at random (empty chunks included) into
  /// parts of random chunks, and merge the parts' states by a random tree (the
  /// empty state included). Overrides streamChunk.
  std::optional<uint64_t> streamSeed;
  /// When set, contract and reduce go through the positions of the axes that
  /// they sum over in a random order. Exact arithmetic gives the same; rounded
  /// sums differ as those of another implementation do.
  std::optional<uint64_t> orderSeed;
  /// Under Arithmetic::Single, each result of a function that targets
  /// approximate is off by this times its documented error (documentedError),
  /// up or down at random by the orderSeed.
  double functionErrors = 0;
  /// Where set, told of every operation that jumps (lib/Reference/Decisions.h);
  /// may change what it decides.
  Decisions *decisions = nullptr;
  /// What a mask takes away stays away, whatever lies there: 0 times anything
  /// is 0, and -inf plus anything is -inf. A kernel that does not read hidden
  /// positions computes so; by IEEE a NaN or infinity there gives NaN.
  bool hiddenStaysHidden = false;
  /// A sum of f32 is NaN where the magnitudes of its terms sum to more than
  /// 2^-8 of what f32 holds: another order of them, or the unit in which a
  /// kernel keeps them, may overflow though this one does not.
  bool mayOverflowIsNaN = false;
  /// Arrays of more elements than this are refused.
  int64_t maxElements = int64_t(1) << 28;
};

/// The element type \p type as reference arrays have it. Requires:
/// ncd::isElementType(type).
Element elementOf(mlir::Type type);

/// The axes of \p type with their sizes. Requires: static sizes.
std::vector<Axis> axesOf(ncd::ArrayType type);

/// Evaluates \p diagram on \p inputs, one for each argument, with the axes of
/// the argument's type in the same order. Axes of size `?` take the size that
/// the inputs have. Emits an error, on the diagram or the operation at fault,
/// when an input does not fit or an operation cannot be evaluated.
mlir::FailureOr<std::vector<Tensor>>
evaluateDiagram(ncd::DiagramOp diagram, llvm::ArrayRef<Tensor> inputs,
                const EvaluationOptions &options = {});

} // namespace napkin::reference

#endif // NAPKIN_REFERENCE_EVALUATE_H
