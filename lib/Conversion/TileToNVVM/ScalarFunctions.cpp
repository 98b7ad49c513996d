//===- ScalarFunctions.cpp - functions of math into LLVM and NVVM ---------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The machine on which Functions.h is written, as a builder of IR, and which
// operation is which function. No device library: the output must not depend on
// what is installed.
//===----------------------------------------------------------------------===//

#include "Functions.h"
#include "KernelEmitter.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin;

namespace {

/// Each operation of the machine becomes one of LLVM or NVVM.
class BuildingMachine {
public:
  using Real = Value;
  using Integer = Value;
  using Wide = Value;
  using Condition = Value;

  BuildingMachine(OpBuilder &builder, Location loc)
      : builder(builder), loc(loc), f32(builder.getF32Type()),
        f64(builder.getF64Type()), i1(builder.getI1Type()),
        i32(builder.getI32Type()), i64(builder.getI64Type()) {}

  Value real(double value) {
    return make<LLVM::ConstantOp>(
        f32, builder.getF32FloatAttr(static_cast<float>(value)));
  }
  Value integer(int32_t value) {
    return make<LLVM::ConstantOp>(i32, builder.getI32IntegerAttr(value));
  }
  Value wide(int64_t value) {
    return make<LLVM::ConstantOp>(i64, builder.getI64IntegerAttr(value));
  }

  Value add(Value a, Value b) { return make<LLVM::FAddOp>(a, b); }
  Value subtract(Value a, Value b) { return make<LLVM::FSubOp>(a, b); }
  Value multiply(Value a, Value b) { return make<LLVM::FMulOp>(a, b); }
  Value fma(Value a, Value b, Value c) { return make<LLVM::FMAOp>(a, b, c); }
  Value negate(Value a) { return make<LLVM::FNegOp>(a); }
  Value absolute(Value a) { return make<LLVM::FAbsOp>(a); }
  Value copySign(Value size, Value sign) {
    return make<LLVM::CopySignOp>(size, sign);
  }
  Value least(Value a, Value b) { return make<LLVM::MinimumOp>(a, b); }
  Value largest(Value a, Value b) { return make<LLVM::MaximumOp>(a, b); }

  Value bits(Value a) { return make<LLVM::BitcastOp>(i32, a); }
  Value fromBits(Value a) { return make<LLVM::BitcastOp>(f32, a); }
  Value toReal(Value a) { return make<LLVM::SIToFPOp>(f32, a); }
  Value plus(Value a, Value b) { return make<LLVM::AddOp>(a, b); }
  Value minus(Value a, Value b) { return make<LLVM::SubOp>(a, b); }
  Value bitAnd(Value a, Value b) { return make<LLVM::AndOp>(a, b); }
  Value bitOr(Value a, Value b) { return make<LLVM::OrOp>(a, b); }
  Value bitXor(Value a, Value b) { return make<LLVM::XOrOp>(a, b); }
  Value shiftLeft(Value a, int by) { return shiftLeftBy(a, like(a, by)); }
  Value shiftRight(Value a, int by) {
    return make<LLVM::LShrOp>(a, like(a, by));
  }
  Value shiftLeftBy(Value a, Value by) { return make<LLVM::ShlOp>(a, by); }
  Value widen(Value a) { return make<LLVM::ZExtOp>(i64, a); }
  Value narrow(Value a) { return make<LLVM::TruncOp>(i32, a); }
  Value times(Value a, Value b) { return make<LLVM::MulOp>(a, b); }
  Value scaled(Value a, double by) {
    Value number = make<LLVM::SIToFPOp>(f64, a);
    Value factor = make<LLVM::ConstantOp>(f64, builder.getF64FloatAttr(by));
    return make<LLVM::FPTruncOp>(f32, make<LLVM::FMulOp>(number, factor));
  }

  Value less(Value a, Value b) {
    return compare(LLVM::FCmpPredicate::olt, a, b);
  }
  Value lessOrEqual(Value a, Value b) {
    return compare(LLVM::FCmpPredicate::ole, a, b);
  }
  Value equal(Value a, Value b) {
    return compare(LLVM::FCmpPredicate::oeq, a, b);
  }
  Value isZero(Value a) {
    return make<LLVM::ICmpOp>(i1, LLVM::ICmpPredicate::eq, a, like(a, 0));
  }
  Value both(Value a, Value b) { return make<LLVM::AndOp>(a, b); }
  Value negated(Value a) {
    return make<LLVM::XOrOp>(
        a, make<LLVM::ConstantOp>(i1, builder.getBoolAttr(true)));
  }
  Value select(Value condition, Value a, Value b) {
    return make<LLVM::SelectOp>(condition, a, b);
  }

  Value exp2(Value a) { return call("llvm.nvvm.ex2.approx.ftz", a); }
  Value log2(Value a) { return call("llvm.nvvm.lg2.approx.f", a); }
  Value reciprocal(Value a) { return call("llvm.nvvm.rcp.approx.ftz.f", a); }
  Value squareRoot(Value a) { return call("llvm.nvvm.sqrt.approx.f", a); }
  Value reciprocalRoot(Value a) { return call("llvm.nvvm.rsqrt.approx.f", a); }
  Value divide(Value a, Value b) { return call("llvm.nvvm.div.full", {a, b}); }

  std::pair<Value, Value>
  rarely(Value condition, std::pair<Value, Value> usual,
         llvm::function_ref<std::pair<Value, Value>()> rare) {
    Block *before = builder.getInsertionBlock();
    Region &region = *before->getParent();
    auto append = [&]() {
      region.push_back(new Block());
      return &region.back();
    };
    Block *aside = append(), *after = append();
    after->addArguments({usual.first.getType(), usual.second.getType()},
                        {loc, loc});
    constexpr int32_t often = 1 << 20;
    make<LLVM::CondBrOp>(condition, aside, ValueRange(), after,
                         ValueRange{usual.first, usual.second},
                         std::pair<int32_t, int32_t>(1, often));
    builder.setInsertionPointToStart(aside);
    auto [first, second] = rare();
    make<LLVM::BrOp>(ValueRange{first, second}, after);
    builder.setInsertionPointToStart(after);
    return {after->getArgument(0), after->getArgument(1)};
  }

private:
  template <typename Op, typename... Args>
  Op make(Args &&...args) {
    return Op::create(builder, loc, std::forward<Args>(args)...);
  }
  /// The constant `value` of the type of `a`.
  Value like(Value a, int32_t value) {
    return a.getType() == i64 ? wide(value) : integer(value);
  }
  Value compare(LLVM::FCmpPredicate predicate, Value a, Value b) {
    return make<LLVM::FCmpOp>(i1, predicate, a, b);
  }
  Value call(StringRef name, ValueRange arguments) {
    return KernelEmitter::callIntrinsic(builder, loc, name, f32, arguments);
  }

  OpBuilder &builder;
  Location loc;
  Type f32, f64, i1, i32, i64;
};

} // namespace

/// Whether the region of \p op gives a float of 16 bits.
static bool isOfRegionOf16Bits(Operation &op) {
  Operation *yield = op.getBlock() ? &op.getBlock()->back() : nullptr;
  return yield && yield->getNumOperands() == 1 &&
         isa<Float16Type, BFloat16Type>(yield->getOperand(0).getType());
}

/// The number that \p value is, if it is a constant.
static std::optional<double> constantValue(Value value) {
  auto constant = value.getDefiningOp<LLVM::ConstantOp>();
  auto number =
      constant ? dyn_cast<FloatAttr>(constant.getValue()) : FloatAttr();
  if (!number)
    return std::nullopt;
  return number.getValueAsDouble();
}

Value napkin::emitFunction(OpBuilder &builder, Operation &op,
                           ArrayRef<Value> operands) {
  BuildingMachine machine(builder, op.getLoc());
  Functions<BuildingMachine> functions(machine);
  Value x = operands.front();
  return TypeSwitch<Operation *, Value>(&op)
      .Case([&](arith::DivFOp) {
        if (std::optional<double> divisor = constantValue(operands[1]);
            divisor && functions.isDivisor(*divisor))
          return functions.divideBy(x, *divisor);
        return machine.divide(x, operands[1]);
      })
      .Case([&](math::Exp2Op) { return machine.exp2(x); })
      .Case([&](math::ExpOp) {
        // What the rounding of x log2(e) loses is |x| 2^-24 of the result:
        // nothing beside a rounding to 16 bits.
        if (isOfRegionOf16Bits(op))
          return machine.exp2(
              machine.multiply(x, machine.real(llvm::numbers::log2e)));
        return functions.exp(x);
      })
      .Case([&](math::ExpM1Op) { return functions.expm1(x); })
      .Case([&](math::LogOp) { return functions.log(x); })
      .Case([&](math::Log2Op) { return functions.log2(x); })
      .Case([&](math::Log10Op) { return functions.log10(x); })
      .Case([&](math::Log1pOp) { return functions.log1p(x); })
      .Case([&](math::SqrtOp) { return machine.squareRoot(x); })
      .Case([&](math::RsqrtOp) { return machine.reciprocalRoot(x); })
      .Case([&](math::CbrtOp) { return functions.cbrt(x); })
      .Case([&](math::SinOp) { return functions.sin(x); })
      .Case([&](math::CosOp) { return functions.cos(x); })
      .Case([&](math::TanOp) { return functions.tan(x); })
      .Case([&](math::AsinOp) { return functions.asin(x); })
      .Case([&](math::AcosOp) { return functions.acos(x); })
      .Case([&](math::AtanOp) { return functions.atan(x); })
      .Case([&](math::Atan2Op) { return functions.atan2(x, operands[1]); })
      .Case([&](math::SinhOp) { return functions.sinh(x); })
      .Case([&](math::CoshOp) { return functions.cosh(x); })
      .Case([&](math::AsinhOp) { return functions.asinh(x); })
      .Case([&](math::AcoshOp) { return functions.acosh(x); })
      .Case([&](math::AtanhOp) { return functions.atanh(x); })
      .Case([&](math::TanhOp) { return functions.tanh(x); })
      .Case([&](math::ErfOp) { return functions.erf(x); })
      .Case([&](math::ErfcOp) { return functions.erfc(x); })
      .Default([](Operation *) { return Value(); });
}
