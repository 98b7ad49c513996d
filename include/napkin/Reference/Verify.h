//===- Verify.h - is a result as exact as its precision allows --*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Judges what a compiled diagram computed. The yardstick is measured and not
// guessed: the same diagram, on the same inputs, evaluated in plain single
// precision with every declared rounding, has some error against exact
// arithmetic. A kernel makes the same roundings in another order and at other
// places (a sum in chunks, a weight rounded before instead of after its row was
// normalised), so its error is of the same size. A single number has an error
// of that size only by chance: where a result has few values, the largest error
// of several evaluations counts, their sums in random orders. It may be
// `factor` times as large, plus one unit in the last place of the result's
// element type for the store, relative to the largest value of the result, and
// the least normal f32, below which results may be flushed to zero.
//
// Three things a yardstick of errors does not cover:
// Functions that GPUs approximate are off by their documented error in the
// plain evaluation (Accuracy.h), so that a chain of them is judged by what its
// links may be off.
// A comparison or a rounding to integers makes a step of the least error. Plain
// single precision decides as exact arithmetic does; elements whose decision is
// within the error of its operand may be on the other side, and no others.
// Where a condition on positions hides what is NaN or infinite, 0 times it may
// be NaN, as IEEE has it, or 0, if it is never read: both are right.
// Where plain single precision is infinite or NaN and exact arithmetic is not,
// nothing can be said of that element; the others are judged.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REFERENCE_VERIFY_H
#define NAPKIN_REFERENCE_VERIFY_H

#include "napkin/Reference/Evaluate.h"
#include <string>
#include <vector>

namespace napkin::reference {

/// The judgement on one result of a diagram.
struct Verification {
  /// Name of the result.
  std::string name;
  /// What was computed, against exact arithmetic, where it can be judged.
  Comparison actual;
  /// Plain single precision, against exact arithmetic, where it is as finite.
  Comparison plain;
  /// Largest absolute error that passes; 0 for integers.
  double bound = 0;
  /// Number of values, and how many of the computed ones are NaN or infinite.
  int64_t values = 0, nans = 0, infinities = 0;
  /// Number of values that plain single precision cannot compute.
  int64_t unjudged = 0;
  /// Number of values that are right on the other side of a near decision.
  int64_t decided = 0;
  /// Where the largest error is, and what stands there, if it is over the
  /// bound: "at q = 3, d = 0 it is nan, and exactly 12.5".
  std::string worst;

  /// Whether any computed value is finite.
  bool isSomewhereFinite() const { return nans + infinities < values; }

  /// Whether the error is within the bound, and there is something that can be
  /// judged by it.
  bool passed() const {
    return actual.maxAbsError <= bound && isSomewhereFinite() &&
           unjudged < values;
  }
};

/// The distance between 1 and the next larger value of the float type
/// \p element.
double unitInLastPlace(Element element);

/// Judges \p outputs, one for each result of \p diagram on \p inputs. Integers
/// must be equal, up to near decisions. Emits an error when the diagram cannot
/// be evaluated or an output has another shape than its result.
mlir::FailureOr<std::vector<Verification>>
verifyResults(ncd::DiagramOp diagram, llvm::ArrayRef<Tensor> inputs,
              llvm::ArrayRef<Tensor> outputs, double factor = 2);

} // namespace napkin::reference

#endif // NAPKIN_REFERENCE_VERIFY_H
