//===- ScalarOps.cpp - arith and math into LLVM and NVVM ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar operations of maps and reductions. Transcendental functions go to the
// GPU's approximations (PTX ISA "Floating point instructions": ex2, lg2, rcp,
// rsqrt, sqrt, sin, cos: at most 2 ulp), never to a device library: the output
// must not depend on what is installed.
//
//===----------------------------------------------------------------------===//

#include "KernelEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace mlir;
using namespace napkin;

Type napkin::scalarType(Type type) {
  if (type.isIndex())
    return IntegerType::get(type.getContext(), 32);
  return type;
}

namespace {

/// Builds the LLVM form of one operation; operands are already LLVM values.
class ScalarBuilder {
public:
  ScalarBuilder(OpBuilder &builder, Operation &op, ArrayRef<Value> operands)
      : builder(builder), op(op), loc(op.getLoc()), operands(operands),
        f32(builder.getF32Type()) {}

  FailureOr<Value> build() {
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      return buildConstant(constant);
    if (FailureOr<Value> value = buildArith(); succeeded(value))
      return value;
    if (FailureOr<Value> value = buildConversion(); succeeded(value))
      return value;
    if (FailureOr<Value> value = buildMath(); succeeded(value))
      return value;
    return op.emitError()
           << "'" << op.getName() << "' on " << op.getResult(0).getType()
           << " has no device instruction here; write it with "
              "add, multiply, divide, exp2, log2, sqrt, rsqrt, "
              "sin, cos, tanh, erf, comparisons and select of f32";
  }

private:
  Type resultType() { return scalarType(op.getResult(0).getType()); }

  template <typename Op, typename... Args>
  Value make(Args &&...args) {
    return Op::create(builder, loc, std::forward<Args>(args)...);
  }

  /// An operation of floats that rounds once, as written: a multiplication
  /// fuses with an addition only where the program says `math.fma`.
  template <typename Op>
  Value makeFloat() {
    return Op::create(builder, loc, resultType(), operands);
  }

  Value call(StringRef name, ValueRange arguments) {
    return KernelEmitter::callIntrinsic(builder, loc, name, f32, arguments);
  }

  Value real(double value) {
    return make<LLVM::ConstantOp>(f32, builder.getF32FloatAttr(value));
  }

  Value multiply(Value a, Value b) { return make<LLVM::FMulOp>(a, b); }

  Value exp2(Value x) { return call("llvm.nvvm.ex2.approx.ftz", {x}); }

  FailureOr<Value> buildConstant(arith::ConstantOp constant) {
    Attribute value = constant.getValue();
    if (constant.getType().isIndex() &&
        !llvm::isInt<32>(cast<IntegerAttr>(value).getInt()))
      return op.emitError()
             << "index constant " << cast<IntegerAttr>(value).getInt()
             << " does not fit in 32 bits, and positions on the "
                "device have 32; cast the index to i64 first";
    if (auto integer = dyn_cast<IntegerAttr>(value))
      return make<LLVM::ConstantOp>(
          resultType(), builder.getIntegerAttr(resultType(), integer.getInt()));
    return make<LLVM::ConstantOp>(resultType(), cast<TypedAttr>(value));
  }

  FailureOr<Value> buildArith() {
    auto binary = [&](auto tag) -> FailureOr<Value> {
      return make<decltype(tag)>(operands[0], operands[1]);
    };
    return TypeSwitch<Operation *, FailureOr<Value>>(&op)
        .Case([&](arith::AddFOp) { return makeFloat<LLVM::FAddOp>(); })
        .Case([&](arith::SubFOp) { return makeFloat<LLVM::FSubOp>(); })
        .Case([&](arith::MulFOp) { return makeFloat<LLVM::FMulOp>(); })
        .Case([&](arith::NegFOp) { return make<LLVM::FNegOp>(operands[0]); })
        .Case([&](arith::DivFOp) -> FailureOr<Value> {
          if (resultType().isF32()) // 2 ulp over the whole range
            return call("llvm.nvvm.div.full", operands);
          return makeFloat<LLVM::FDivOp>();
        })
        .Case([&](arith::MaximumFOp) {
          return make<LLVM::MaximumOp>(operands[0], operands[1]);
        })
        .Case([&](arith::MinimumFOp) {
          return make<LLVM::MinimumOp>(operands[0], operands[1]);
        })
        .Case([&](arith::MaxNumFOp) {
          return make<LLVM::MaxNumOp>(operands[0], operands[1]);
        })
        .Case([&](arith::MinNumFOp) {
          return make<LLVM::MinNumOp>(operands[0], operands[1]);
        })
        .Case([&](arith::CmpFOp compare) {
          return make<LLVM::FCmpOp>(
              builder.getI1Type(),
              static_cast<LLVM::FCmpPredicate>(compare.getPredicate()),
              operands[0], operands[1]);
        })
        .Case([&](arith::CmpIOp compare) {
          return make<LLVM::ICmpOp>(
              builder.getI1Type(),
              static_cast<LLVM::ICmpPredicate>(compare.getPredicate()),
              operands[0], operands[1]);
        })
        .Case([&](arith::SelectOp) {
          return make<LLVM::SelectOp>(operands[0], operands[1], operands[2]);
        })
        .Case([&](arith::AddIOp) { return binary(LLVM::AddOp()); })
        .Case([&](arith::SubIOp) { return binary(LLVM::SubOp()); })
        .Case([&](arith::MulIOp) { return binary(LLVM::MulOp()); })
        .Case([&](arith::DivSIOp) { return binary(LLVM::SDivOp()); })
        .Case([&](arith::DivUIOp) { return binary(LLVM::UDivOp()); })
        .Case([&](arith::RemSIOp) { return binary(LLVM::SRemOp()); })
        .Case([&](arith::RemUIOp) { return binary(LLVM::URemOp()); })
        .Case([&](arith::AndIOp) { return binary(LLVM::AndOp()); })
        .Case([&](arith::OrIOp) { return binary(LLVM::OrOp()); })
        .Case([&](arith::XOrIOp) { return binary(LLVM::XOrOp()); })
        .Case([&](arith::ShLIOp) { return binary(LLVM::ShlOp()); })
        .Case([&](arith::ShRSIOp) { return binary(LLVM::AShrOp()); })
        .Case([&](arith::ShRUIOp) { return binary(LLVM::LShrOp()); })
        .Case([&](arith::MaxSIOp) { return binary(LLVM::SMaxOp()); })
        .Case([&](arith::MinSIOp) { return binary(LLVM::SMinOp()); })
        .Case([&](arith::MaxUIOp) { return binary(LLVM::UMaxOp()); })
        .Case([&](arith::MinUIOp) { return binary(LLVM::UMinOp()); })
        .Default([](Operation *) { return failure(); });
  }

  FailureOr<Value> buildConversion() {
    auto cast = [&](auto tag) -> FailureOr<Value> {
      return make<decltype(tag)>(resultType(), operands[0]);
    };
    auto resize = [&](bool isSigned) -> FailureOr<Value> {
      unsigned from = operands[0].getType().getIntOrFloatBitWidth();
      unsigned to = resultType().getIntOrFloatBitWidth();
      if (from == to)
        return operands[0];
      if (from > to)
        return cast(LLVM::TruncOp());
      return isSigned ? cast(LLVM::SExtOp()) : cast(LLVM::ZExtOp());
    };
    return TypeSwitch<Operation *, FailureOr<Value>>(&op)
        .Case([&](arith::ExtFOp) { return cast(LLVM::FPExtOp()); })
        .Case([&](arith::TruncFOp) { return cast(LLVM::FPTruncOp()); })
        .Case([&](arith::SIToFPOp) { return cast(LLVM::SIToFPOp()); })
        .Case([&](arith::UIToFPOp) { return cast(LLVM::UIToFPOp()); })
        .Case([&](arith::FPToSIOp) { return cast(LLVM::FPToSIOp()); })
        .Case([&](arith::FPToUIOp) { return cast(LLVM::FPToUIOp()); })
        .Case([&](arith::BitcastOp) { return cast(LLVM::BitcastOp()); })
        .Case<arith::IndexCastOp, arith::ExtSIOp>(
            [&](Operation *) { return resize(true); })
        .Case<arith::IndexCastUIOp, arith::ExtUIOp, arith::TruncIOp>(
            [&](Operation *) { return resize(false); })
        .Default([](Operation *) { return failure(); });
  }

  FailureOr<Value> buildMath() {
    if (auto fma = dyn_cast<math::FmaOp>(op))
      return make<LLVM::FMAOp>(operands[0], operands[1], operands[2]);
    if (op.getNumResults() != 1 || !op.getResult(0).getType().isF32())
      return failure();
    constexpr double log2e = 1.4426950408889634, ln2 = 0.6931471805599453;
    return TypeSwitch<Operation *, FailureOr<Value>>(&op)
        .Case([&](math::Exp2Op) { return exp2(operands[0]); })
        .Case([&](math::ExpOp) {
          return exp2(multiply(operands[0], real(log2e)));
        })
        .Case([&](math::Log2Op) {
          return call("llvm.nvvm.lg2.approx.f", operands);
        })
        .Case([&](math::LogOp) {
          return multiply(call("llvm.nvvm.lg2.approx.f", operands), real(ln2));
        })
        .Case([&](math::SqrtOp) {
          return call("llvm.nvvm.sqrt.approx.f", operands);
        })
        .Case([&](math::RsqrtOp) {
          return call("llvm.nvvm.rsqrt.approx.f", operands);
        })
        .Case([&](math::SinOp) {
          return call("llvm.nvvm.sin.approx.f", operands);
        })
        .Case([&](math::CosOp) {
          return call("llvm.nvvm.cos.approx.f", operands);
        })
        .Case([&](math::AbsFOp) { return make<LLVM::FAbsOp>(operands[0]); })
        .Case([&](math::FloorOp) { return make<LLVM::FFloorOp>(operands[0]); })
        .Case([&](math::CeilOp) { return make<LLVM::FCeilOp>(operands[0]); })
        .Case([&](math::RoundEvenOp) {
          return make<LLVM::RoundEvenOp>(operands[0]);
        })
        .Case([&](math::TruncOp) { return make<LLVM::FTruncOp>(operands[0]); })
        .Case([&](math::RoundOp) { return make<LLVM::RoundOp>(operands[0]); })
        .Case([&](math::ErfOp) { return erf(operands[0]); })
        .Case([&](math::PowFOp) { return power(operands[0], operands[1]); })
        .Case([&](math::TanhOp) { return tanh(operands[0]); })
        .Default([](Operation *) { return failure(); });
  }

  /// A power with a constant whole exponent, by squaring; others are refused,
  /// for exp2(y log2 x) loses as many bits as the result's exponent has.
  FailureOr<Value> power(Value base, Value exponent) {
    auto constant = exponent.getDefiningOp<LLVM::ConstantOp>();
    auto value =
        constant ? dyn_cast<FloatAttr>(constant.getValue()) : FloatAttr();
    double whole = value ? value.getValueAsDouble() : 0.5;
    if (whole != std::trunc(whole) || std::abs(whole) > INT32_MAX)
      return failure();
    Value result, square = base;
    for (uint32_t rest = std::abs(whole); rest; rest >>= 1) {
      if (rest & 1)
        result = result ? multiply(result, square) : square;
      if (rest > 1)
        square = multiply(square, square);
    }
    if (!result)
      return real(1.0);
    if (whole < 0)
      result = call("llvm.nvvm.div.full", ValueRange{real(1.0), result});
    return result;
  }

  /// a polynomial in `x`, highest coefficient first.
  Value polynomial(Value x, ArrayRef<double> coefficients) {
    Value sum = real(coefficients.front());
    for (double coefficient : coefficients.drop_front())
      sum = make<LLVM::FMAOp>(sum, x, real(coefficient));
    return sum;
  }

  /// erf x: below 0.93 an odd polynomial, above it 1 - exp(-x p(x)) (minimax
  /// coefficients as in N. Juffa's erff, at most about 1 ulp).
  Value erf(Value x) {
    constexpr double log2e = 1.4426950408889634;
    Value size = make<LLVM::FAbsOp>(x), square = multiply(x, x);
    Value series =
        polynomial(square, {-5.96761703e-4, 4.99119423e-3, -2.67681349e-2,
                            1.12819925e-1, -3.76125336e-1, 1.28379166e-1});
    Value near = make<LLVM::FMAOp>(series, x, x);
    Value tail = polynomial(
        size, {-1.72853470e-5, 3.83197126e-4, -3.88396438e-3, 2.42546219e-2,
               -1.06777877e-1, -6.34846687e-1, -1.28717512e-1});
    Value negated = make<LLVM::FNegOp>(size);
    Value argument = make<LLVM::FMAOp>(tail, size, negated);
    Value far =
        make<LLVM::FSubOp>(real(1.0), exp2(multiply(argument, real(log2e))));
    Value signedFar = make<LLVM::CopySignOp>(far, x);
    Value isFar = make<LLVM::FCmpOp>(
        builder.getI1Type(), LLVM::FCmpPredicate::ogt, size, real(0.927734375));
    return make<LLVM::SelectOp>(isFar, signedFar, near);
  }

  /// tanh x = 1 - 2 / (exp(2x) + 1): exact limits at both ends and an absolute
  /// error of some 1e-7, where the hardware's tanh.approx has 5e-4.
  Value tanh(Value x) {
    constexpr double twoLog2e = 2.8853900817779268;
    Value power = exp2(multiply(x, real(twoLog2e)));
    Value sum = make<LLVM::FAddOp>(power, real(1.0));
    // The sum is at least 1, where the reciprocal has no corner.
    Value reciprocal = call("llvm.nvvm.rcp.approx.ftz.f", {sum});
    Value quotient = multiply(real(2.0), reciprocal);
    Value far = make<LLVM::FSubOp>(real(1.0), quotient);
    // Near 0 the difference cancels: an odd polynomial (Cephes, tanhf.c).
    Value square = multiply(x, x);
    Value series = real(-5.70498872745e-3);
    for (double coefficient : {2.06390887954e-2, -5.37397155531e-2,
                               1.33314422036e-1, -3.33332819422e-1})
      series = make<LLVM::FMAOp>(series, square, real(coefficient));
    Value near = make<LLVM::FMAOp>(multiply(series, square), x, x);
    Value isNear = make<LLVM::FCmpOp>(
        builder.getI1Type(), LLVM::FCmpPredicate::olt, square, real(0.390625));
    return make<LLVM::SelectOp>(isNear, near, far);
  }

  OpBuilder &builder;
  Operation &op;
  Location loc;
  ArrayRef<Value> operands;
  Type f32;
};

} // namespace

FailureOr<Value>
napkin::emitScalarOp(OpBuilder &builder, Operation &op,
                     llvm::function_ref<Value(Value)> operand) {
  SmallVector<Value> operands;
  for (Value value : op.getOperands())
    operands.push_back(operand(value));
  return ScalarBuilder(builder, op, operands).build();
}
