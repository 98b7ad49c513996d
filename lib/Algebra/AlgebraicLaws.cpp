//===- AlgebraicLaws.cpp - Laws of arith and math operations ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One table: which term each operation of arith and math denotes. Conversions
// to the type that is computed in denote their operand.
//
//===----------------------------------------------------------------------===//

#include "napkin/Algebra/AlgebraicLaws.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Matchers.h"
#include "napkin/Dialect/NCD/IR/IntegerRange.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "napkin/Algebra/AlgebraicLaws.cpp.inc"

namespace napkin::algebra {

std::optional<Rounding> storageRounding(Type type) {
  return TypeSwitch<Type, std::optional<Rounding>>(type)
      .Case<BFloat16Type>([](Type) { return Rounding::BF16; })
      .Case<Float16Type>([](Type) { return Rounding::F16; })
      .Case<FloatTF32Type>([](Type) { return Rounding::TF32; })
      .Case<Float8E4M3FNType>([](Type) { return Rounding::F8E4M3; })
      .Case<Float8E5M2Type>([](Type) { return Rounding::F8E5M2; })
      .Default([](Type) { return std::nullopt; });
}

/// A Compare of a NaN with anything is false, except NE.
static Expr comparison(ExprContext &context, arith::CmpFPredicate predicate,
                       Expr a, Expr b) {
  using P = arith::CmpFPredicate;
  auto compare = [&](Comparison c) { return context.compare(c, a, b); };
  auto inverse = [&](Expr c) { return context.make(Kind::Not, {c}); };
  auto apart = [&] {
    return context.max(compare(Comparison::LT), compare(Comparison::GT));
  };
  switch (predicate) {
  case P::OLT:
    return compare(Comparison::LT);
  case P::OLE:
    return compare(Comparison::LE);
  case P::OGT:
    return compare(Comparison::GT);
  case P::OGE:
    return compare(Comparison::GE);
  case P::OEQ:
    return compare(Comparison::EQ);
  case P::UNE:
    return compare(Comparison::NE);
  case P::ULT:
    return inverse(compare(Comparison::GE));
  case P::ULE:
    return inverse(compare(Comparison::GT));
  case P::UGT:
    return inverse(compare(Comparison::LE));
  case P::UGE:
    return inverse(compare(Comparison::LT));
  case P::ONE:
    return apart();
  case P::UEQ:
    return inverse(apart());
  default:
    return nullptr; // constants, and tests for NaN
  }
}

/// Positions, and what is built from them without a minus.
static bool isNonNegative(Expr e) {
  switch (e->kind) {
  case Kind::Index:
  case Kind::Size:
    return true;
  case Kind::Constant:
    return e->value >= 0;
  case Kind::Add:
  case Kind::Mul:
  case Kind::Min:
  case Kind::Max:
    return llvm::all_of(e->operands, isNonNegative);
  default:
    return false;
  }
}

static Expr comparison(ExprContext &context, arith::CmpIPredicate predicate,
                       Expr a, Expr b) {
  using P = arith::CmpIPredicate;
  if (isNonNegative(a) && isNonNegative(b))
    switch (predicate) {
    case P::ult:
      predicate = P::slt;
      break;
    case P::ule:
      predicate = P::sle;
      break;
    case P::ugt:
      predicate = P::sgt;
      break;
    case P::uge:
      predicate = P::sge;
      break;
    default:
      break;
    }
  switch (predicate) {
  case P::slt:
    return context.compare(Comparison::LT, a, b);
  case P::sle:
    return context.compare(Comparison::LE, a, b);
  case P::sgt:
    return context.compare(Comparison::GT, a, b);
  case P::sge:
    return context.compare(Comparison::GE, a, b);
  case P::eq:
    return context.compare(Comparison::EQ, a, b);
  case P::ne:
    return context.compare(Comparison::NE, a, b);
  default:
    return nullptr; // unsigned order is not the order of the numbers
  }
}

static Expr constantTerm(ExprContext &context, Attribute value) {
  if (auto number = dyn_cast<FloatAttr>(value))
    return context.constant(number.getValueAsDouble());
  if (auto number = dyn_cast<IntegerAttr>(value)) {
    if (number.getType().isInteger(1))
      return context.constant(number.getValue().isZero() ? 0 : 1);
    return context.constant(double(number.getValue().getSExtValue()));
  }
  return nullptr;
}

/// The table. Null: the operation has no law here.
static Expr tableTerm(Operation *op, ExprContext &context,
                      ArrayRef<Expr> operands) {
  Expr a = operands.empty() ? nullptr : operands[0];
  Expr b = operands.size() > 1 ? operands[1] : nullptr;
  bool condition =
      op->getNumResults() == 1 && op->getResult(0).getType().isInteger(1);
  auto make = [&](Kind kind) {
    return [&context, operands, kind](Operation *) {
      return context.make(kind, operands);
    };
  };
  // A function with one operand that is known by monotony and bounds.
  auto call = [&](CallLaws laws) {
    return [&context, operands, laws](Operation *op) {
      return context.call(op->getName().getStringRef(), operands, laws);
    };
  };
  using Result = Expr;
  return TypeSwitch<Operation *, Result>(op)
      .Case<arith::ConstantOp>([&](arith::ConstantOp c) {
        return constantTerm(context, c.getValue());
      })
      .Case<arith::AddFOp, arith::AddIOp>(make(Kind::Add))
      .Case<arith::SubFOp, arith::SubIOp>(make(Kind::Sub))
      .Case<arith::MulFOp, arith::MulIOp>(make(Kind::Mul))
      .Case<arith::DivFOp>(make(Kind::Div))
      .Case<arith::NegFOp>(make(Kind::Neg))
      // These keep a NaN; maxnumf and minnumf drop it and have no law.
      .Case<arith::MaximumFOp, arith::MaxSIOp>(make(Kind::Max))
      .Case<arith::MinimumFOp, arith::MinSIOp>(make(Kind::Min))
      .Case<math::ExpOp>(make(Kind::Exp))
      .Case<math::Exp2Op>(make(Kind::Exp2))
      .Case<math::LogOp>(make(Kind::Log))
      .Case<math::Log2Op>([&](Operation *) {
        return context.scale(1.4426950408889634, context.make(Kind::Log, {a}));
      })
      .Case<math::SqrtOp>(make(Kind::Sqrt))
      .Case<math::RsqrtOp>(make(Kind::Rsqrt))
      .Case<math::AbsFOp, math::AbsIOp>(make(Kind::Abs))
      .Case<math::FmaOp>([&](Operation *) {
        return context.add(context.mul(a, b), operands[2]);
      })
      .Case<math::PowFOp>([&](Operation *) -> Expr {
        return b->isConstant() ? context.power(a, b->value) : nullptr;
      })
      .Case<math::TanhOp>(call({1, true, -1, 1, false}))
      .Case<math::ErfOp>(call({1, true, -1, 1, false}))
      .Case<math::AtanOp>(call({1, true, -1.6, 1.6, false}))
      .Case<math::ExpM1Op>(call({1, true, -1, kInfinity, false}))
      .Case<math::Log1pOp>(call({1, true, -kInfinity, kInfinity, false}))
      .Case<math::SinhOp, math::AsinhOp>(
          call({1, true, -kInfinity, kInfinity, false}))
      .Case<math::SinOp, math::CosOp>(call({0, false, -1, 1, false}))
      .Case<math::FloorOp, math::CeilOp, math::RoundOp, math::RoundEvenOp,
            math::TruncOp>([&](Operation *) -> Expr {
        // To nearest even is the grid rounding; the others are as monotone.
        if (isa<math::RoundEvenOp>(op))
          return context.round(a, Rounding::Grid);
        return context.call(op->getName().getStringRef(), operands, {1});
      })
      .Case<arith::CmpFOp>([&](arith::CmpFOp c) {
        return comparison(context, c.getPredicate(), a, b);
      })
      .Case<arith::CmpIOp>([&](arith::CmpIOp c) {
        return comparison(context, c.getPredicate(), a, b);
      })
      .Case<arith::SelectOp>(
          [&](Operation *) { return context.select(a, b, operands[2]); })
      // On conditions these are the smaller and the larger of 0 and 1.
      .Case<arith::AndIOp>([&](Operation *) -> Expr {
        return condition ? context.min(a, b) : nullptr;
      })
      .Case<arith::OrIOp>([&](Operation *) -> Expr {
        return condition ? context.max(a, b) : nullptr;
      })
      .Case<arith::XOrIOp>([&](Operation *) -> Expr {
        if (!condition)
          return nullptr;
        if (b->isConstant(1))
          return context.make(Kind::Not, {a});
        return a->isConstant(1) ? context.make(Kind::Not, {b}) : nullptr;
      })
      .Case<arith::ExtFOp, arith::SIToFPOp, arith::UIToFPOp, arith::IndexCastOp,
            arith::IndexCastUIOp, arith::ExtSIOp, arith::ExtUIOp>(
          [&](Operation *) { return a; })
      .Case<arith::TruncFOp>([&](Operation *) -> Expr {
        std::optional<Rounding> rounding =
            storageRounding(op->getResult(0).getType());
        return rounding ? context.round(a, *rounding) : a;
      })
      .Default([](Operation *) -> Expr { return nullptr; });
}

/// Whether \p op reads integers of more than a bit.
static bool takesIntegers(Operation *op) {
  return llvm::any_of(op->getOperandTypes(), [](Type type) {
    return type.isIntOrIndex() && !type.isInteger(1);
  });
}

Expr termOf(Operation *op, ExprContext &context, ArrayRef<Expr> operands) {
  Expr term = nullptr;
  if (auto laws = dyn_cast<AlgebraicLawsOpInterface>(op))
    term = laws.getTerm(context, operands);
  else
    term = tableTerm(op, context, operands);
  // Terms are numbers: integers that may wrap are known by name alone.
  if (term && (!takesIntegers(op) || ncd::rangesOfMaps().isExact(op)))
    return term;
  // Known by name and attributes alone.
  std::string name;
  llvm::raw_string_ostream stream(name);
  stream << op->getName().getStringRef();
  if (!op->getAttrDictionary().empty())
    stream << op->getAttrDictionary();
  CallLaws none;
  Type type = op->getResult(0).getType();
  if (isa<IntegerType>(type))
    stream << type;
  none.integral = !isa<FloatType>(type) && !type.isInteger(1);
  return context.call(name, operands, none);
}

namespace {
template <typename OpTy>
struct Laws : AlgebraicLawsOpInterface::ExternalModel<Laws<OpTy>, OpTy> {
  Expr getTerm(Operation *op, ExprContext &context,
               ArrayRef<Expr> operands) const {
    return tableTerm(op, context, operands);
  }
};

template <typename... Ops>
void attach(MLIRContext *context) {
  (Ops::template attachInterface<Laws<Ops>>(*context), ...);
}
} // namespace

void registerAlgebraicLaws(DialectRegistry &registry) {
  registry.addExtension(+[](MLIRContext *context, arith::ArithDialect *) {
    attach<arith::ConstantOp, arith::AddFOp, arith::AddIOp, arith::SubFOp,
           arith::SubIOp, arith::MulFOp, arith::MulIOp, arith::DivFOp,
           arith::NegFOp, arith::MaximumFOp, arith::MaxSIOp, arith::MinimumFOp,
           arith::MinSIOp, arith::CmpFOp, arith::CmpIOp, arith::SelectOp,
           arith::AndIOp, arith::OrIOp, arith::XOrIOp, arith::ExtFOp,
           arith::SIToFPOp, arith::UIToFPOp, arith::IndexCastOp,
           arith::IndexCastUIOp, arith::ExtSIOp, arith::ExtUIOp,
           arith::TruncFOp>(context);
  });
  registry.addExtension(+[](MLIRContext *context, math::MathDialect *) {
    attach<math::ExpOp, math::Exp2Op, math::LogOp, math::Log2Op, math::SqrtOp,
           math::RsqrtOp, math::AbsFOp, math::AbsIOp, math::FmaOp, math::PowFOp,
           math::TanhOp, math::ErfOp, math::AtanOp, math::ExpM1Op,
           math::Log1pOp, math::SinhOp, math::AsinhOp, math::SinOp, math::CosOp,
           math::FloorOp, math::CeilOp, math::RoundOp, math::RoundEvenOp,
           math::TruncOp>(context);
  });
}

} // namespace napkin::algebra
