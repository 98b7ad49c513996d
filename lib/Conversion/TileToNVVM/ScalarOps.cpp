//===- ScalarOps.cpp - arith and math into LLVM and NVVM ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Scalar operations of maps and reductions: those that are one instruction or a
// few. Functions without an exact one are in ScalarFunctions.cpp.
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

Type napkin::scalarType(Type type, bool isWide) {
  if (type.isIndex())
    return IntegerType::get(type.getContext(), isWide ? 64 : 32);
  if (isa<FloatTF32Type>(type))
    return Float32Type::get(type.getContext());
  if (isEmulatedFloat(type))
    return IntegerType::get(type.getContext(), 8);
  return type;
}

namespace {

/// Builds the LLVM form of one operation; operands are already LLVM values.
class ScalarBuilder {
public:
  ScalarBuilder(OpBuilder &builder, Operation &op, ArrayRef<Value> operands,
                bool isWide)
      : builder(builder), op(op), loc(op.getLoc()), operands(operands),
        isWide(isWide), f32(builder.getF32Type()) {}

  FailureOr<Value> build() {
    if (auto constant = dyn_cast<arith::ConstantOp>(op))
      return buildConstant(constant);
    if (isa<arith::ExtFOp, arith::TruncFOp>(op)) {
      Type from = op.getOperand(0).getType(), to = op.getResult(0).getType();
      if (isEmulatedFloat(from) || isEmulatedFloat(to))
        return convertFloat(builder, loc, operands[0], from, to);
    }
    // Everything but a choice computes in a type that the device has.
    for (Type type : llvm::concat<Type>(llvm::to_vector(op.getOperandTypes()),
                                        llvm::to_vector(op.getResultTypes())))
      if (isEmulatedFloat(type) && !isa<arith::SelectOp>(op))
        return op.emitError() << "'" << op.getName() << "' on " << type
                              << " has no device instruction; widen it to f32 "
                                 "first and round the result";
    if (FailureOr<Value> value = buildArith(); succeeded(value))
      return value;
    if (FailureOr<Value> value = buildConversion(); succeeded(value))
      return value;
    if (FailureOr<Value> value = buildMath(); succeeded(value))
      return value;
    return refuse();
  }

private:
  /// What there is instead of an operation without instructions.
  InFlightDiagnostic refuse() {
    Type type = op.getResult(0).getType();
    InFlightDiagnostic message = op.emitError()
                                 << "'" << op.getName() << "' on " << type
                                 << " has no device instruction here; ";
    if (isa<math::PowFOp>(op) && type.isF32())
      return std::move(message)
             << "an exponent has to be a constant and a multiple of 0.5: for "
                "others write exp2(y * log2(x)), whose error grows with the "
                "result's exponent";
    if (type.isF64())
      return std::move(message)
             << "of f64 there are add, multiply, divide, fma, comparisons, "
                "select, abs, copysign, floor, ceil, trunc, round, sqrt and "
                "rsqrt; for others convert to f32 and back";
    if (isa<FloatType>(type) && !type.isF32())
      return std::move(message) << "convert to f32 and back";
    if (!isa<FloatType>(type))
      return std::move(message)
             << "of integers there are add, subtract, multiply, quotients of "
                "every rounding, remainders, and, or, xor, shifts, minima, "
                "maxima, comparisons, select and abs, and of i32 and i64 "
                "ctpop, ctlz and cttz";
    return std::move(message)
           << "write it with add, multiply, divide, fma, comparisons, select, "
              "floor, ceil, trunc, round, sqrt, rsqrt, cbrt, powers with a "
              "constant exponent, exp, exp2, expm1, log, log2, log10, log1p, "
              "sin, cos, tan, asin, acos, atan, atan2, sinh, cosh, tanh, "
              "asinh, acosh, atanh, erf and erfc of f32";
  }

  Type resultType() { return scalarType(op.getResult(0).getType(), isWide); }

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

  FailureOr<Value> buildConstant(arith::ConstantOp constant) {
    Attribute value = constant.getValue();
    if (constant.getType().isIndex() && !isWide &&
        !llvm::isInt<32>(cast<IntegerAttr>(value).getInt()))
      return op.emitError()
             << "index constant " << cast<IntegerAttr>(value).getInt()
             << " does not fit in 32 bits, and positions on the "
                "device have 32; cast the index to i64 first";
    if (auto number = dyn_cast<FloatAttr>(value);
        number && isEmulatedFloat(number.getType())) {
      if (resultType().isF32())
        return real(number.getValueAsDouble());
      return make<LLVM::ConstantOp>(
          resultType(), builder.getIntegerAttr(
                            resultType(), number.getValue().bitcastToAPInt()));
    }
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
          if (resultType().isF32())
            return emitFunction(builder, op, operands);
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
        .Case<arith::FloorDivSIOp, arith::CeilDivSIOp, arith::CeilDivUIOp>(
            [&](Operation *) { return roundedQuotient(); })
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

  /// A quotient that is rounded down, or up: the one that is cut off, corrected
  /// where something was.
  Value roundedQuotient() {
    Value a = operands[0], b = operands[1];
    Value zero = make<LLVM::ConstantOp>(
        resultType(), builder.getIntegerAttr(resultType(), 0));
    bool isSigned = !isa<arith::CeilDivUIOp>(op);
    Value quotient = isSigned ? Value(make<LLVM::SDivOp>(a, b))
                              : Value(make<LLVM::UDivOp>(a, b));
    Value rest = make<LLVM::SubOp>(a, make<LLVM::MulOp>(quotient, b));
    Value corrects = make<LLVM::ICmpOp>(builder.getI1Type(),
                                        LLVM::ICmpPredicate::ne, rest, zero);
    bool isFloor = isa<arith::FloorDivSIOp>(op);
    if (isSigned) {
      // Of unlike signs the cut quotient is above the exact one, else below.
      Value signs = make<LLVM::XOrOp>(rest, b);
      Value matters = make<LLVM::ICmpOp>(builder.getI1Type(),
                                         isFloor ? LLVM::ICmpPredicate::slt
                                                 : LLVM::ICmpPredicate::sge,
                                         signs, zero);
      corrects = make<LLVM::AndOp>(corrects, matters);
    }
    Value one = make<LLVM::ZExtOp>(resultType(), corrects);
    if (isFloor)
      return make<LLVM::SubOp>(quotient, one);
    return make<LLVM::AddOp>(quotient, one);
  }

  /// Counts of bits. An index has 32 or 64 of them, by its range: none here.
  FailureOr<Value> buildBitCount() {
    Type type = op.getResult(0).getType();
    if (!type.isInteger(32) && !type.isInteger(64))
      return failure();
    return TypeSwitch<Operation *, FailureOr<Value>>(&op)
        .Case([&](math::CtPopOp) {
          return make<LLVM::CtPopOp>(resultType(), operands[0]);
        })
        .Case([&](math::CountLeadingZerosOp) {
          return make<LLVM::CountLeadingZerosOp>(resultType(), operands[0],
                                                 /*is_zero_poison=*/false);
        })
        .Case([&](math::CountTrailingZerosOp) {
          return make<LLVM::CountTrailingZerosOp>(resultType(), operands[0],
                                                  /*is_zero_poison=*/false);
        })
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
        .Case([&](arith::SIToFPOp) -> FailureOr<Value> {
          // A conversion from 64 bits is slow; these may hold 32.
          Value number = operands[0];
          if (auto extended = number.getDefiningOp<LLVM::SExtOp>())
            number = extended.getArg();
          return make<LLVM::SIToFPOp>(resultType(), number);
        })
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
    if (op.getNumResults() != 1 || !isa<math::MathDialect>(op.getDialect()))
      return failure();
    if (isa<math::FmaOp>(op))
      return make<LLVM::FMAOp>(operands[0], operands[1], operands[2]);
    if (isa<math::AbsIOp>(op))
      return make<LLVM::AbsOp>(resultType(), operands[0],
                               /*is_int_min_poison=*/false);
    if (FailureOr<Value> value = buildBitCount(); succeeded(value))
      return value;
    if (auto type = dyn_cast<FloatType>(op.getResult(0).getType());
        type && type.getWidth() == 16)
      return buildWidened(type);
    Type type = op.getResult(0).getType();
    if (!type.isF32() && !type.isF64())
      return failure();
    if (FailureOr<Value> value = buildExactMath(); succeeded(value))
      return value;
    if (type.isF64())
      return buildRoot();
    if (Value value = emitFunction(builder, op, operands))
      return value;
    if (isa<math::PowFOp>(op))
      return power(operands[0], operands[1]);
    return failure();
  }

  /// Roots of f64 are instructions that round once; its other functions are
  /// none.
  FailureOr<Value> buildRoot() {
    if (!isa<math::SqrtOp, math::RsqrtOp>(op))
      return failure();
    Value root = make<LLVM::SqrtOp>(operands[0]);
    if (isa<math::SqrtOp>(op))
      return root;
    Value one =
        make<LLVM::ConstantOp>(root.getType(), builder.getF64FloatAttr(1.0));
    return make<LLVM::FDivOp>(one, root);
  }

  /// Functions that are exact, of f32 and f64.
  FailureOr<Value> buildExactMath() {
    return TypeSwitch<Operation *, FailureOr<Value>>(&op)
        .Case([&](math::AbsFOp) { return make<LLVM::FAbsOp>(operands[0]); })
        .Case([&](math::CopySignOp) {
          return make<LLVM::CopySignOp>(operands[0], operands[1]);
        })
        .Case([&](math::FloorOp) { return make<LLVM::FFloorOp>(operands[0]); })
        .Case([&](math::CeilOp) { return make<LLVM::FCeilOp>(operands[0]); })
        .Case([&](math::RoundEvenOp) {
          return make<LLVM::RoundEvenOp>(operands[0]);
        })
        .Case([&](math::TruncOp) { return make<LLVM::FTruncOp>(operands[0]); })
        .Case([&](math::RoundOp) { return make<LLVM::RoundOp>(operands[0]); })
        .Default([](Operation *) { return failure(); });
  }

  /// A function of 16-bit floats is computed in f32 and rounded once.
  FailureOr<Value> buildWidened(FloatType type) {
    SmallVector<Value> wide;
    for (Value value : operands) {
      if (value.getType() != type)
        return failure();
      wide.push_back(make<LLVM::FPExtOp>(f32, value));
    }
    OperationState state(loc, op.getName(), wide, Type(f32), op.getAttrs());
    Operation *widened = Operation::create(state);
    FailureOr<Value> value =
        ScalarBuilder(builder, *widened, wide, isWide).buildMath();
    widened->destroy();
    if (failed(value))
      return failure();
    return make<LLVM::FPTruncOp>(type, *value);
  }

  /// A power with a constant exponent that is a multiple of a half, by
  /// squaring; others are refused, for exp2(y log2 x) loses as many bits as the
  /// result's exponent has.
  FailureOr<Value> power(Value base, Value exponent) {
    if (auto widened = exponent.getDefiningOp<LLVM::FPExtOp>())
      exponent = widened.getArg();
    auto constant = exponent.getDefiningOp<LLVM::ConstantOp>();
    auto value =
        constant ? dyn_cast<FloatAttr>(constant.getValue()) : FloatAttr();
    if (!value)
      return failure();
    double whole = value.getValueAsDouble();
    constexpr double mostHalves = 32;
    if (whole != std::trunc(whole) && std::abs(whole) <= mostHalves) {
      base = call("llvm.nvvm.sqrt.approx.f", base);
      whole *= 2;
    }
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

  OpBuilder &builder;
  Operation &op;
  Location loc;
  ArrayRef<Value> operands;
  bool isWide;
  Type f32;
};

} // namespace

FailureOr<Value> napkin::emitScalarOp(OpBuilder &builder, Operation &op,
                                      llvm::function_ref<Value(Value)> operand,
                                      bool isWide) {
  SmallVector<Value> operands;
  for (Value value : op.getOperands())
    operands.push_back(operand(value));
  return ScalarBuilder(builder, op, operands, isWide).build();
}
