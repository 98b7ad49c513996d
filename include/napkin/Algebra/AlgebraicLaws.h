//===- AlgebraicLaws.h - What a scalar operation obeys ----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The interface AlgebraicLawsOpInterface, and its models for operations of the
// arith and math dialects.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_ALGEBRA_ALGEBRAICLAWS_H
#define NAPKIN_ALGEBRA_ALGEBRAICLAWS_H

#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/OpDefinition.h"
#include "napkin/Algebra/Expr.h"
#include <optional>

#include "napkin/Algebra/AlgebraicLaws.h.inc"

namespace napkin::algebra {

/// Attaches the interface to the operations of arith and math that have laws.
void registerAlgebraicLaws(mlir::DialectRegistry &registry);

/// The term of a scalar operation with one result: by the interface, by the
/// table for arith and math where the interface was not attached, or a call
/// without laws.
Expr termOf(mlir::Operation *op, ExprContext &context,
            llvm::ArrayRef<Expr> operands);

/// The rounding that storing in a float type is; none for f32 and f64, in which
/// terms are computed, and for types that are not floats.
std::optional<Rounding> storageRounding(mlir::Type type);

} // namespace napkin::algebra

#endif // NAPKIN_ALGEBRA_ALGEBRAICLAWS_H
