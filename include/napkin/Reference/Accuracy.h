//===- Accuracy.h - how exact scalar functions are --------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is promised of each function that has no exact instruction: the compiler
// keeps it (test/unit/Pipelines/FunctionTest.cpp measures), a verification
// allows it.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_REFERENCE_ACCURACY_H
#define NAPKIN_REFERENCE_ACCURACY_H

#include "mlir/IR/Operation.h"
#include <optional>

namespace napkin::reference {

/// The largest error of \p op on f32 in units in the last place of its result,
/// on a GPU whose approximations are as bad as the PTX manual allows; nullopt
/// for an operation that rounds once, or that no target compiles. Results below
/// the least normal f32 may be flushed to zero.
std::optional<double> documentedError(mlir::Operation *op);

/// The same of `math.exp`, `math.log`, `math.rsqrt` and `arith.divf`, which
/// softmax and its kin are made of.
constexpr double exponentialError = 5, logarithmError = 1,
                 reciprocalRootError = 3, quotientError = 3;

} // namespace napkin::reference

#endif // NAPKIN_REFERENCE_ACCURACY_H
