//===- NeutralStep.h - when a step leaves its state alone -------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An abstract evaluation of the `step` of an `ncd.stream`. A float is known by
// the classes that it may be of (minus infinity, a negative number, 0, ...),
// by whether it is exactly 1, and by whether it is what a member of the state
// was. That is enough to see that
//
//     l * exp2(m - m^) + sum_x exp2(select(x <= q, s, -inf) - m^)
//
// is l where no x is at most its q: the select is -inf, exp2 of it is 0, a sum
// of zeros is 0, and with m finite m - m^ is 0, exp2 of it 1.
//
// Members that decide something by comparison are looked at class by class. Of
// one that begins at an infinity, as a running maximum does, the induction that
// is needed is carried out too: as long as it is there, the others are what
// they were at the beginning, or NaN.
//
// What arrays hold at hidden positions counts as finite: a hidden position is
// not read (docs/algebra.md says what that promises).
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_ALGEBRA_NEUTRALSTEP_H
#define NAPKIN_LIB_ALGEBRA_NEUTRALSTEP_H

#include "napkin/Dialect/NCD/IR/IntegerRange.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "llvm/ADT/MapVector.h"

namespace napkin::algebra {

/// What is assumed of the positions of a chunk.
struct PositionAssumption {
  /// Of the streamed axis.
  ncd::IntegerRange streamed = {0, INT64_MAX};
  /// Of it together with other axes.
  llvm::SmallVector<ncd::AxisDistance, 1> distances;
};

/// A scalar, as far as it is known.
struct Abstract {
  /// Classes of floats, as bits.
  enum : uint8_t {
    NaN = 1,
    MinusInf = 2,
    Negative = 4,
    Zero = 8,
    Positive = 16,
    PlusInf = 32,
    Finite = Negative | Zero | Positive,
    Any = 63
  };
  uint8_t classes = Any;
  bool isOne = false;
  /// The member of the state that it is equal to, or -1.
  int member = -1;
  /// Integers: their bounds.
  ncd::IntegerRange range = {INT64_MIN, INT64_MAX};

  static Abstract ofClasses(uint8_t classes) {
    Abstract value;
    value.classes = classes;
    return value;
  }
  /// True when it is of \p allowed classes only.
  bool within(uint8_t allowed) const { return (classes & ~allowed) == 0; }
};

/// Answers questions about one step.
class NeutralStep {
public:
  explicit NeutralStep(ncd::StreamOp stream);

  /// Whether the step gives back the state that it takes, whatever that is,
  /// for every chunk whose positions are as assumed.
  bool holds(const PositionAssumption &assumption) const;

  /// How many conditions on positions in the step are decided under
  /// \p assumption.
  unsigned decided(const PositionAssumption &assumption) const;

private:
  using Values = llvm::DenseMap<mlir::Value, Abstract>;
  using Classes = llvm::DenseMap<mlir::Value, uint8_t>;

  bool holdsIn(const PositionAssumption &assumption,
               llvm::ArrayRef<uint8_t> state) const;
  void findClaims();
  Values initial(llvm::ArrayRef<uint8_t> state, uint8_t data) const;
  void evaluate(Values &values, const PositionAssumption &assumption,
                const Classes &limits) const;
  void evaluateBlock(mlir::Block &block, Values &values,
                     const PositionAssumption &assumption,
                     const Classes &limits) const;
  Abstract result(mlir::Operation *op, Values &values,
                  const PositionAssumption &assumption) const;
  Classes limitsWhere(unsigned member, uint8_t classes) const;
  ncd::IntegerRanges rangesUnder(const PositionAssumption &assumption) const;

  mlir::Value next(unsigned member) const {
    return stream.getStep().front().getTerminator()->getOperand(member);
  }

  mutable ncd::StreamOp stream;
  unsigned members;
  /// Classes of the members at the beginning.
  llvm::SmallVector<uint8_t> begins;
  /// Members that are looked at class by class.
  llvm::SmallVector<unsigned> split;
  /// claims[i][j]: what member j may be as long as member i, which begins at an
  /// infinity, is there.
  llvm::DenseMap<unsigned, llvm::SmallVector<uint8_t>> claims;
};

} // namespace napkin::algebra

#endif // NAPKIN_LIB_ALGEBRA_NEUTRALSTEP_H
