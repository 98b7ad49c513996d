//===- Accuracy.cpp - how exact scalar functions are ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Reference/Accuracy.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"
#include <cmath>

using namespace mlir;
using namespace napkin::reference;

/// A power with a constant exponent is a product of as many factors, of the
/// base or of its square root.
static std::optional<double> errorOfPower(math::PowFOp power) {
  llvm::APFloat exponent(0.0);
  if (!matchPattern(power.getRhs(), m_ConstantFloat(&exponent)))
    return std::nullopt;
  return 2 + 3 * std::fabs(exponent.convertToDouble());
}

std::optional<double> napkin::reference::documentedError(Operation *op) {
  using Error = std::optional<double>;
  return llvm::TypeSwitch<Operation *, Error>(op)
      .Case([](math::LogOp) { return Error(logarithmError); })
      .Case([](math::RsqrtOp) { return Error(reciprocalRootError); })
      .Case([](math::ExpOp) { return Error(exponentialError); })
      .Case<math::CbrtOp, math::Log1pOp>([](Operation *) { return Error(1); })
      .Case<math::ExpM1Op, math::Log2Op, math::Log10Op, math::SinOp,
            math::CosOp, math::SinhOp, math::CoshOp, math::SqrtOp, math::ErfOp>(
          [](Operation *) { return Error(2); })
      // A quotient is two steps off the correctly rounded one, unless the
      // divisor is known.
      .Case([](arith::DivFOp division) {
        llvm::APFloat divisor(0.0);
        bool isKnown =
            matchPattern(division.getRhs(), m_ConstantFloat(&divisor));
        double size = isKnown ? std::fabs(divisor.convertToDouble()) : 0;
        return size >= 0x1p-64 && size <= 0x1p64 ? Error()
                                                 : Error(quotientError);
      })
      .Case<math::Exp2Op, math::AtanOp>([](Operation *) { return Error(3); })
      .Case<math::AcosOp, math::TanOp, math::TanhOp, math::AsinhOp,
            math::AcoshOp, math::AtanhOp>([](Operation *) { return Error(4); })
      .Case([](math::AsinOp) { return Error(5); })
      .Case<math::Atan2Op, math::ErfcOp>([](Operation *) { return Error(6); })
      .Case<math::PowFOp>(
          [](math::PowFOp power) { return errorOfPower(power); })
      .Default([](Operation *) { return Error(); });
}
