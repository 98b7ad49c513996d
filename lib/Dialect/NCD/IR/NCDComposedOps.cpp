//===- NCDComposedOps.cpp - ops defined by a decomposition ----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks and decompositions of softmax, logsumexp, rms_norm and layer_norm.
// Row-sized guards are maps of their own, so that no element pays for them.
//===----------------------------------------------------------------------===//

#include "OpChecks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace napkin::ncd;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

static LogicalResult verifyFloat(Operation *op, ArrayType array,
                                 StringRef what) {
  if (isa<FloatType>(array.getElementType()))
    return success();
  return op->emitOpError() << what << " has element type "
                           << array.getElementType()
                           << "; it must be a float type: convert with ncd.map";
}

/// Checks what all composed operations share; \p keepsAxes says whether the
/// result carries the axes in \p over.
static LogicalResult verifyComposed(Operation *op, ArrayType input,
                                    ArrayAttr over, ArrayType result,
                                    bool keepsAxes) {
  SmallVector<StringAttr> removed;
  if (!keepsAxes)
    removed = axisNames(over);
  if (failed(verifyOverNames(op, over, /*nonEmpty=*/true)) ||
      failed(verifyCarries(op, input, over)) || failed(verifySharedSizes(op)) ||
      failed(
          verifyResultAxes(op, input.withoutAxes(removed), result, removed)) ||
      failed(verifyFloat(op, input, "the operand")))
    return failure();
  return verifyFloat(op, result, "the result");
}

/// Checks what rms_norm and layer_norm share.
static LogicalResult verifyNorm(Operation *op, ArrayType input, ArrayAttr over,
                                const llvm::APFloat &eps, ArrayType result,
                                ArrayRef<std::pair<Value, StringRef>> factors) {
  for (auto [value, what] : factors) {
    if (!value)
      continue;
    auto array = cast<ArrayType>(value.getType());
    for (StringAttr axis : array.getAxes())
      if (!input.hasAxis(axis))
        return op->emitOpError() << what << " carries axis '" << axis.getValue()
                                 << "', which the operand does not; drop it "
                                    "from the "
                                 << what;
    if (failed(verifyFloat(op, array, what)))
      return failure();
  }
  if (failed(verifyComposed(op, input, over, result, /*keepsAxes=*/true)))
    return failure();
  if (!eps.isFinite() || (eps.isNegative() && !eps.isZero()))
    return op->emitOpError("eps is ")
           << eps.convertToDouble() << "; it must be finite and not negative";
  for (StringAttr axis : axisNames(over))
    if (ShapedType::isDynamic(input.sizeOf(axis)))
      return op->emitOpError("needs the size of axis '")
             << axis.getValue()
             << "' for the mean, but it is ?; make it static";
  return success();
}

LogicalResult SoftmaxOp::verify() {
  return verifyComposed(*this, getInput().getType(), getOver(), getArrayType(),
                        /*keepsAxes=*/true);
}

LogicalResult LogSumExpOp::verify() {
  return verifyComposed(*this, getInput().getType(), getOver(), getArrayType(),
                        /*keepsAxes=*/false);
}

LogicalResult RMSNormOp::verify() {
  return verifyNorm(*this, getInput().getType(), getOver(), getEps(),
                    getArrayType(), {{getGain(), "gain"}});
}

LogicalResult LayerNormOp::verify() {
  return verifyNorm(*this, getInput().getType(), getOver(), getEps(),
                    getArrayType(), {{getGain(), "gain"}, {getBias(), "bias"}});
}

SmallVector<StringAttr> SoftmaxOp::getOverAxes() {
  return axisNames(getOver());
}
SmallVector<StringAttr> LogSumExpOp::getOverAxes() {
  return axisNames(getOver());
}
SmallVector<StringAttr> RMSNormOp::getOverAxes() {
  return axisNames(getOver());
}
SmallVector<StringAttr> LayerNormOp::getOverAxes() {
  return axisNames(getOver());
}

//===----------------------------------------------------------------------===//
// Decompositions
//===----------------------------------------------------------------------===//

namespace {

/// Builds maps and reductions whose intermediate values have one float type.
class Composer {
public:
  Composer(OpBuilder &builder, Operation *op, ArrayType input,
           ArrayRef<StringAttr> over)
      : builder(builder), location(op->getLoc()), over(over),
        compute(accumulatorType(input.getElementType())),
        whole(input.withElementType(compute)), rows(whole.withoutAxes(over)) {}

  /// Scalar arithmetic in the body of a map.
  struct Scalars {
    OpBuilder &builder;
    Location location;
    FloatType type;

    Value constant(double value) {
      return arith::ConstantOp::create(builder, location,
                                       builder.getFloatAttr(type, value));
    }
    template <typename Op>
    Value apply(ValueRange operands) {
      return Op::create(builder, location, operands).getResult();
    }
    /// `select(value == special, otherwise, value)`; a NaN stays.
    Value replace(double special, double otherwise, Value value) {
      Value same =
          arith::CmpFOp::create(builder, location, arith::CmpFPredicate::OEQ,
                                value, constant(special));
      return arith::SelectOp::create(builder, location, same,
                                     constant(otherwise), value);
    }
  };
  using Body = function_ref<Value(Scalars &, ValueRange)>;

  /// A map into \p type: operands arrive in the compute type, and the value of
  /// \p body is rounded to the element type of \p type.
  Value map(ArrayType type, ValueRange inputs, Body body) {
    auto wrapped = [&](OpBuilder &inner, Location loc, ValueRange arguments) {
      Scalars scalars{inner, loc, cast<FloatType>(compute)};
      SmallVector<Value> values;
      for (Value argument : arguments)
        values.push_back(convert(inner, loc, argument, compute));
      return convert(inner, loc, body(scalars, values), type.getElementType());
    };
    return MapOp::create(builder, location, type, inputs, wrapped);
  }

  /// The row values of \p input combined by \p monoid.
  Value reduce(Monoid monoid, Value input) {
    return ReduceOp::create(builder, location, rows, monoid, input, over);
  }

  /// `select(max == -inf, 0, max)` of each row of \p input.
  Value guardedMax(Value input) {
    return map(rows, reduce(Monoid::Max, input), [](Scalars &s, ValueRange v) {
      return s.replace(-std::numeric_limits<double>::infinity(), 0.0, v[0]);
    });
  }

  /// `exp(input - shift)`.
  Value shiftedExp(Value input, Value shift) {
    return map(whole, {input, shift}, [](Scalars &s, ValueRange v) {
      return s.apply<math::ExpOp>(s.apply<arith::SubFOp>({v[0], v[1]}));
    });
  }

  /// `rsqrt(sum(input * input) / n + eps)`.
  Value inverseDeviation(Value input, double eps) {
    Value squares = map(whole, input, [](Scalars &s, ValueRange v) {
      return s.apply<arith::MulFOp>({v[0], v[0]});
    });
    return map(
        rows, reduce(Monoid::Sum, squares), [&](Scalars &s, ValueRange v) {
          Value mean = s.apply<arith::DivFOp>({v[0], s.constant(count())});
          return s.apply<math::RsqrtOp>(
              s.apply<arith::AddFOp>({mean, s.constant(eps)}));
        });
  }

  /// Number of positions of `over`. Requires: static sizes.
  double count() const {
    double product = 1;
    for (StringAttr axis : over)
      product *= whole.sizeOf(axis);
    return product;
  }

  ArrayType getWhole() const { return whole; }
  ArrayType getRows() const { return rows; }

private:
  static Value convert(OpBuilder &builder, Location loc, Value value,
                       Type type) {
    Type from = value.getType();
    if (from == type)
      return value;
    unsigned fromWidth = from.getIntOrFloatBitWidth();
    unsigned toWidth = type.getIntOrFloatBitWidth();
    if (fromWidth < toWidth)
      return arith::ExtFOp::create(builder, loc, type, value);
    if (fromWidth > toWidth)
      return arith::TruncFOp::create(builder, loc, type, value);
    // Two formats of one width meet through f32.
    Value wide =
        arith::ExtFOp::create(builder, loc, builder.getF32Type(), value);
    return arith::TruncFOp::create(builder, loc, type, wide);
  }

  OpBuilder &builder;
  Location location;
  ArrayRef<StringAttr> over;
  Type compute;
  ArrayType whole, rows;
};

} // namespace

FailureOr<SmallVector<Value>> SoftmaxOp::decompose(OpBuilder &builder) {
  SmallVector<StringAttr> over = getOverAxes();
  Composer compose(builder, *this, getInput().getType(), over);
  Value shift = compose.guardedMax(getInput());
  Value weights = compose.shiftedExp(getInput(), shift);
  Value total =
      compose.map(compose.getRows(), compose.reduce(Monoid::Sum, weights),
                  [](Composer::Scalars &s, ValueRange v) {
                    return s.replace(0.0, 1.0, v[0]);
                  });
  return SmallVector<Value>{compose.map(
      getArrayType(), {weights, total}, [](Composer::Scalars &s, ValueRange v) {
        return s.apply<arith::DivFOp>({v[0], v[1]});
      })};
}

FailureOr<SmallVector<Value>> LogSumExpOp::decompose(OpBuilder &builder) {
  SmallVector<StringAttr> over = getOverAxes();
  Composer compose(builder, *this, getInput().getType(), over);
  Value shift = compose.guardedMax(getInput());
  Value total =
      compose.reduce(Monoid::Sum, compose.shiftedExp(getInput(), shift));
  // An empty row has shift 0 and total 0, whose logarithm is -inf.
  return SmallVector<Value>{compose.map(
      getArrayType(), {shift, total}, [](Composer::Scalars &s, ValueRange v) {
        return s.apply<arith::AddFOp>({v[0], s.apply<math::LogOp>(v[1])});
      })};
}

FailureOr<SmallVector<Value>> RMSNormOp::decompose(OpBuilder &builder) {
  SmallVector<StringAttr> over = getOverAxes();
  Composer compose(builder, *this, getInput().getType(), over);
  SmallVector<Value> factors{
      getInput(),
      compose.inverseDeviation(getInput(), getEps().convertToDouble())};
  if (getGain())
    factors.push_back(getGain());
  return SmallVector<Value>{compose.map(
      getArrayType(), factors, [](Composer::Scalars &s, ValueRange v) {
        Value y = s.apply<arith::MulFOp>({v[0], v[1]});
        return v.size() > 2 ? s.apply<arith::MulFOp>({y, v[2]}) : y;
      })};
}

FailureOr<SmallVector<Value>> LayerNormOp::decompose(OpBuilder &builder) {
  SmallVector<StringAttr> over = getOverAxes();
  Composer compose(builder, *this, getInput().getType(), over);
  Value mean = compose.map(
      compose.getRows(), compose.reduce(Monoid::Sum, getInput()),
      [&](Composer::Scalars &s, ValueRange v) {
        return s.apply<arith::DivFOp>({v[0], s.constant(compose.count())});
      });
  Value centred = compose.map(compose.getWhole(), {getInput(), mean},
                              [](Composer::Scalars &s, ValueRange v) {
                                return s.apply<arith::SubFOp>({v[0], v[1]});
                              });
  SmallVector<Value> factors{
      centred, compose.inverseDeviation(centred, getEps().convertToDouble())};
  if (getGain())
    factors.push_back(getGain());
  if (getBias())
    factors.push_back(getBias());
  bool hasGain = static_cast<bool>(getGain());
  bool hasBias = static_cast<bool>(getBias());
  return SmallVector<Value>{compose.map(
      getArrayType(), factors, [&](Composer::Scalars &s, ValueRange v) {
        Value y = s.apply<arith::MulFOp>({v[0], v[1]});
        if (hasGain)
          y = s.apply<arith::MulFOp>({y, v[2]});
        return hasBias ? s.apply<arith::AddFOp>({y, v.back()}) : y;
      })};
}
