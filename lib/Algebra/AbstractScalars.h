//===- AbstractScalars.h - scalar operations on classes ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#ifndef NAPKIN_LIB_ALGEBRA_ABSTRACTSCALARS_H
#define NAPKIN_LIB_ALGEBRA_ABSTRACTSCALARS_H

#include "NeutralStep.h"

namespace napkin::algebra {

Abstract addAbstract(const Abstract &a, const Abstract &b);
Abstract multiplyAbstract(const Abstract &a, const Abstract &b);

/// What is the one or the other.
Abstract joinAbstract(const Abstract &a, const Abstract &b);
/// A sum of floats that are each like \p value.
Abstract sumAbstract(const Abstract &value);

/// The result of the scalar operation \p op, of a map's body, on \p operands.
/// Integers that do not depend on arrays are the caller's.
Abstract scalarAbstract(mlir::Operation *op, llvm::ArrayRef<Abstract> operands);

/// A fold by \p monoid of values that are each like \p value.
Abstract foldAbstract(ncd::ReduceOp op, const Abstract &value);

} // namespace napkin::algebra

#endif // NAPKIN_LIB_ALGEBRA_ABSTRACTSCALARS_H
