//===- ScalarEmitter.cpp - Terms in the body of a map -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// See ScalarEmitter.h.
//
//===----------------------------------------------------------------------===//

#include "ScalarEmitter.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>

using namespace mlir;

namespace napkin::algebra {

bool isCondition(Expr e) {
  switch (e->kind) {
  case Kind::Compare:
  case Kind::Not:
    return true;
  case Kind::Min:
  case Kind::Max:
    return llvm::all_of(e->operands, isCondition);
  case Kind::Reduce:
    return e->monoid == Monoid::And || e->monoid == Monoid::Or;
  default:
    return false;
  }
}

Type storageType(Rounding rounding, MLIRContext *context) {
  switch (rounding) {
  case Rounding::BF16:
    return BFloat16Type::get(context);
  case Rounding::F16:
    return Float16Type::get(context);
  case Rounding::TF32:
    return FloatTF32Type::get(context);
  case Rounding::F8E4M3:
    return Float8E4M3FNType::get(context);
  case Rounding::F8E5M2:
    return Float8E5M2Type::get(context);
  case Rounding::Grid:
    return {};
  }
  return {};
}

Value convertScalar(OpBuilder &builder, Location location, Value value,
                    Type type) {
  Type from = value.getType();
  if (from == type)
    return value;
  if (from.isIndex()) {
    // What is computed from positions may pass 32 bits.
    Type integer = isa<IntegerType>(type) ? type : builder.getI64Type();
    return convertScalar(
        builder, location,
        arith::IndexCastOp::create(builder, location, integer, value), type);
  }
  if (type.isIndex() && isa<IntegerType>(from))
    return arith::IndexCastOp::create(builder, location, type, value);
  if (isa<IntegerType>(from) && isa<FloatType>(type)) {
    if (from.isInteger(1))
      return arith::UIToFPOp::create(builder, location, type, value);
    return arith::SIToFPOp::create(builder, location, type, value);
  }
  if (isa<FloatType>(from) && type.isInteger(1)) {
    Value zero = arith::ConstantOp::create(builder, location,
                                           builder.getFloatAttr(from, 0));
    return arith::CmpFOp::create(builder, location, arith::CmpFPredicate::UNE,
                                 value, zero);
  }
  if (isa<FloatType>(from) && type.isIndex())
    return convertScalar(
        builder, location,
        arith::FPToSIOp::create(builder, location, builder.getI64Type(), value),
        type);
  if (isa<FloatType>(from) && isa<FloatType>(type)) {
    unsigned width = from.getIntOrFloatBitWidth();
    unsigned wanted = type.getIntOrFloatBitWidth();
    if (width < wanted)
      return arith::ExtFOp::create(builder, location, type, value);
    if (width > wanted)
      return arith::TruncFOp::create(builder, location, type, value);
    Value wide =
        arith::ExtFOp::create(builder, location, builder.getF32Type(), value);
    return arith::TruncFOp::create(builder, location, type, wide);
  }
  unsigned width = from.getIntOrFloatBitWidth();
  unsigned wanted = type.getIntOrFloatBitWidth();
  if (isa<FloatType>(from))
    return arith::FPToSIOp::create(builder, location, type, value);
  if (width < wanted)
    return arith::ExtSIOp::create(builder, location, type, value);
  return arith::TruncIOp::create(builder, location, type, value);
}

Value inlineCombiner(OpBuilder &builder, Region &region, Value a, Value b) {
  Block &body = region.front();
  IRMapping mapping;
  mapping.map(body.getArgument(0), a);
  mapping.map(body.getArgument(1), b);
  for (Operation &op : body.without_terminator())
    builder.clone(op, mapping);
  return mapping.lookupOrDefault(body.getTerminator()->getOperand(0));
}

bool ScalarEmitter::isIntegral(Expr e) {
  if (Value bound = values.lookup(e))
    return bound.getType().isIndex() ||
           (isa<IntegerType>(bound.getType()) && !bound.getType().isInteger(1));
  switch (e->kind) {
  case Kind::Constant:
    return std::floor(e->value) == e->value && std::fabs(e->value) < 0x1p53;
  case Kind::Index:
    return true;
  case Kind::Call:
    return e->laws.integral;
  case Kind::Add:
  case Kind::Sub:
  case Kind::Mul:
  case Kind::Neg:
  case Kind::Abs:
    return areIntegral(e->operands);
  case Kind::Min:
  case Kind::Max:
    return !isCondition(e) && areIntegral(e->operands);
  case Kind::Select:
    return areIntegral(e->operands.drop_front());
  default:
    return false;
  }
}

/// All integral, and at least one that is not just a constant.
bool ScalarEmitter::areIntegral(ArrayRef<Expr> operands) {
  return llvm::all_of(operands, [&](Expr e) { return isIntegral(e); }) &&
         llvm::any_of(operands, [](Expr e) { return !e->isConstant(); });
}

Value ScalarEmitter::constant(double value) {
  if (Type type = terms.workingType(); isa<IntegerType>(type))
    return arith::ConstantOp::create(
        builder, location, builder.getIntegerAttr(type, int64_t(value)));
  return arith::ConstantOp::create(
      builder, location, builder.getFloatAttr(terms.workingType(), value));
}

Value ScalarEmitter::position(Expr e) {
  if (e->isConstant())
    return arith::ConstantOp::create(builder, location,
                                     builder.getIndexAttr(int64_t(e->value)));
  return emitAs(e, builder.getIndexType());
}

Value ScalarEmitter::condition(Expr e) {
  return emitAs(e, builder.getI1Type());
}

template <typename FloatOp, typename IntOp>
Value ScalarEmitter::arithmetic(Expr e) {
  if (isa<IntegerType>(terms.workingType())) {
    Value a = number(e->operand(0));
    return create<IntOp>({a, number(e->operand(1))});
  }
  if (areIntegral(e->operands))
    return create<IntOp>({position(e->operand(0)), position(e->operand(1))});
  Value a = number(e->operand(0));
  return create<FloatOp>({a, number(e->operand(1))});
}

Value ScalarEmitter::emit(Expr e) {
  Value &value = values[e];
  if (value)
    return value;
  Value made = emitUncached(e);
  values[e] = made;
  return made;
}

Value ScalarEmitter::emitCompare(Expr e) {
  Expr a = e->operand(0), b = e->operand(1);
  if (areIntegral(e->operands)) {
    static constexpr arith::CmpIPredicate predicates[] = {
        arith::CmpIPredicate::slt, arith::CmpIPredicate::sle,
        arith::CmpIPredicate::sgt, arith::CmpIPredicate::sge,
        arith::CmpIPredicate::eq,  arith::CmpIPredicate::ne};
    Value left = position(a);
    return arith::CmpIOp::create(builder, location,
                                 predicates[unsigned(e->comparison)], left,
                                 position(b));
  }
  static constexpr arith::CmpFPredicate predicates[] = {
      arith::CmpFPredicate::OLT, arith::CmpFPredicate::OLE,
      arith::CmpFPredicate::OGT, arith::CmpFPredicate::OGE,
      arith::CmpFPredicate::OEQ, arith::CmpFPredicate::UNE};
  Value left = number(a);
  return arith::CmpFOp::create(
      builder, location, predicates[unsigned(e->comparison)], left, number(b));
}

Value ScalarEmitter::emitCall(Expr e) {
  Operation *callee = terms.callee(e);
  IRMapping mapping;
  for (auto [operand, value] : llvm::zip(e->operands, callee->getOperands())) {
    // A whole number stays one: what divides a position is then known.
    Type type = value.getType();
    bool isWhole = operand->isConstant() && isIntegral(operand) &&
                   (type.isIndex() || isa<IntegerType>(type)) &&
                   !type.isInteger(1);
    Value made =
        isWhole ? arith::ConstantOp::create(
                      builder, location,
                      builder.getIntegerAttr(type, int64_t(operand->value)))
                : emitAs(operand, type);
    mapping.map(value, made);
  }
  return builder.clone(*callee, mapping)->getResult(0);
}

Value ScalarEmitter::emitUncached(Expr e) {
  auto unary = [&](auto op) {
    using OpTy = decltype(op);
    return create<OpTy>(number(e->operand(0)));
  };
  switch (e->kind) {
  case Kind::Constant:
    return constant(e->value);
  case Kind::Index:
    return ncd::IndexOp::create(builder, location, builder.getIndexType(),
                                terms.context.axisName(e->axis));
  case Kind::Add:
    return arithmetic<arith::AddFOp, arith::AddIOp>(e);
  case Kind::Sub:
    return arithmetic<arith::SubFOp, arith::SubIOp>(e);
  case Kind::Mul:
    return arithmetic<arith::MulFOp, arith::MulIOp>(e);
  case Kind::Div: {
    Value a = number(e->operand(0));
    return create<arith::DivFOp>({a, number(e->operand(1))});
  }
  case Kind::Neg:
    if (areIntegral(e->operands)) {
      Value zero =
          arith::ConstantOp::create(builder, location, builder.getIndexAttr(0));
      return create<arith::SubIOp>({zero, position(e->operand(0))});
    }
    return unary(arith::NegFOp());
  case Kind::Fma: {
    Value a = number(e->operand(0)), b = number(e->operand(1));
    return create<math::FmaOp>({a, b, number(e->operand(2))});
  }
  case Kind::Exp:
    return unary(math::ExpOp());
  case Kind::Exp2:
    return unary(math::Exp2Op());
  case Kind::Log:
    return unary(math::LogOp());
  case Kind::Sqrt:
    return unary(math::SqrtOp());
  case Kind::Rsqrt:
    return unary(math::RsqrtOp());
  case Kind::Abs:
    if (areIntegral(e->operands))
      return create<math::AbsIOp>(position(e->operand(0)));
    return unary(math::AbsFOp());
  case Kind::Power: {
    // Whole and half exponents are products of the base or its root, which hold
    // for a negative base too; targets have no instruction for others.
    Value base = number(e->operand(0));
    double exponent = e->value;
    if (exponent != std::floor(exponent)) {
      if (2 * exponent != std::floor(2 * exponent) || std::fabs(exponent) > 32)
        return create<math::PowFOp>({base, constant(exponent)});
      base = create<math::SqrtOp>({base});
      exponent *= 2;
    }
    if (std::fabs(exponent) > 64)
      return create<math::PowFOp>({base, constant(e->value)});
    Value result;
    for (unsigned n = unsigned(std::fabs(exponent)); n; n >>= 1) {
      if (n & 1)
        result = result ? Value(create<arith::MulFOp>({result, base})) : base;
      if (n > 1)
        base = create<arith::MulFOp>({base, base});
    }
    if (!result)
      return constant(1);
    return exponent < 0 ? Value(create<arith::DivFOp>({constant(1), result}))
                        : result;
  }
  case Kind::PowerBy: {
    Value a = number(e->operand(0));
    return create<math::PowFOp>({a, number(e->operand(1))});
  }
  case Kind::Max:
  case Kind::Min: {
    bool largest = e->kind == Kind::Max;
    if (isCondition(e)) {
      Value a = condition(e->operand(0)), b = condition(e->operand(1));
      return largest ? create<arith::OrIOp>({a, b})
                     : create<arith::AndIOp>({a, b});
    }
    return largest ? arithmetic<arith::MaximumFOp, arith::MaxSIOp>(e)
                   : arithmetic<arith::MinimumFOp, arith::MinSIOp>(e);
  }
  case Kind::Compare:
    return emitCompare(e);
  case Kind::Not: {
    Value one =
        arith::ConstantOp::create(builder, location, builder.getBoolAttr(true));
    return create<arith::XOrIOp>({condition(e->operand(0)), one});
  }
  case Kind::Select: {
    Value c = condition(e->operand(0));
    bool integral = areIntegral(e->operands.drop_front());
    Value a = integral ? position(e->operand(1)) : number(e->operand(1));
    Value b = integral ? position(e->operand(2)) : number(e->operand(2));
    return create<arith::SelectOp>({c, a, b});
  }
  case Kind::Guard: {
    Value a = number(e->operand(0));
    Value empty = arith::CmpFOp::create(
        builder, location, arith::CmpFPredicate::OEQ, a, constant(-kInfinity));
    return create<arith::SelectOp>({empty, constant(0), a});
  }
  case Kind::Combine: {
    Value a = number(e->operand(0));
    return inlineCombiner(builder, terms.combiner(e->number), a,
                          number(e->operand(1)));
  }
  case Kind::Round:
    if (Type type = storageType(e->rounding, builder.getContext()))
      return emitAs(e->operand(0), type);
    return unary(math::RoundEvenOp());
  case Kind::Call:
    return emitCall(e);
  case Kind::Size:
  case Kind::Input:
  case Kind::State:
  case Kind::Reference:
  case Kind::Shifted:
  case Kind::Reduce:
    break; // operands of the map, or excluded before emission
  }
  llvm_unreachable("a term that is not a scalar expression");
}

} // namespace napkin::algebra
