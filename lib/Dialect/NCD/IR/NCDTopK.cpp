//===- NCDTopK.cpp - the largest elements along an axis -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// topk as rounds of a maximum and of the first position that has it. Each round
// sees only what stands behind the last one in the order "value downwards, then
// position upwards", which is total, so that nothing has to be remembered but
// the last pair.
//===----------------------------------------------------------------------===//

#include "OpChecks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include <limits>

using namespace mlir;
using namespace napkin::ncd;

/// Rounds of one search: each is two passes over the axis.
static constexpr int64_t mostRounds = 64;

StringAttr TopKOp::getOverAxis() {
  return cast<StringAttr>(getOver().getValue().front());
}

int64_t TopKOp::getCount() { return getValues().getType().sizeOf(getInto()); }

LogicalResult TopKOp::verify() {
  ArrayType input = getInput().getType();
  ArrayType values = getValues().getType(), indices = getIndices().getType();
  if (failed(verifyOverNames(*this, getOver(), /*nonEmpty=*/true)) ||
      failed(verifyCarries(*this, input, getOver())) ||
      failed(verifySharedSizes(*this)))
    return failure();
  if (getOver().size() != 1)
    return emitOpError("searches one axis, not ")
           << getOver().size() << "; join them first";
  StringAttr axis = getOverAxis();
  if (input.hasAxis(getInto()))
    return emitOpError("the operand carries axis '")
           << getInto() << "' of 'into' already; name a new one";
  if (!values.hasAxis(getInto()))
    return emitOpError("the values do not carry axis '")
           << getInto() << "' of 'into', whose size says how many are found";
  int64_t size = input.sizeOf(axis), count = getCount();
  if (ShapedType::isDynamic(size) || ShapedType::isDynamic(count))
    return emitOpError("needs the sizes of axes '")
           << axis.getValue() << "' and '" << getInto()
           << "', but one is ?; make them static";
  if (count > size)
    return emitOpError("finds ")
           << count << " of the " << size << " positions of axis '"
           << axis.getValue() << "'; make '" << getInto() << "' smaller";
  if (count > mostRounds)
    return emitOpError("finds ") << count << " elements, and at most "
                                 << mostRounds << " are searched for";
  SmallVector<StringAttr> axes(input.withoutAxes(axis).getAxes());
  SmallVector<int64_t> sizes(input.withoutAxes(axis).getSizes());
  axes.push_back(getIntoAttr());
  sizes.push_back(count);
  for (ArrayType result : {values, indices}) {
    auto expected =
        ArrayType::get(getContext(), axes, sizes, result.getElementType());
    if (failed(verifyResultAxes(*this, expected, result, axis)))
      return failure();
  }
  for (auto [array, what] :
       {std::pair(input, "the operand"), std::pair(values, "the values")})
    if (!isa<FloatType>(array.getElementType()))
      return emitOpError() << what << " has element type "
                           << array.getElementType()
                           << "; it must be a float type: convert with ncd.map";
  if (!indices.getElementType().isInteger(32))
    return emitOpError("the positions have element type ")
           << indices.getElementType() << "; it must be i32";
  return success();
}

namespace {

/// Builds the rounds of one search.
class Search {
public:
  Search(OpBuilder &builder, TopKOp op)
      : builder(builder), loc(op.getLoc()), axis(op.getOverAxis()),
        compute(accumulatorType(op.getInput().getType().getElementType())),
        whole(op.getInput().getType().withElementType(compute)),
        rows(whole.withoutAxes(axis)) {
    input =
        MapOp::create(builder, loc, whole, op.getInput(),
                      [&](OpBuilder &inner, Location at, ValueRange v) {
                        Value value = widened(inner, at, v[0]);
                        Value isNaN = arith::CmpFOp::create(
                            inner, at, arith::CmpFPredicate::UNO, value, value);
                        return arith::SelectOp::create(inner, at, isNaN,
                                                       least(inner, at), value)
                            .getResult();
                      });
  }

  /// The next largest element of each row and where it is.
  void round() {
    Value seen = input;
    SmallVector<Value> last;
    if (!values.empty()) {
      last = {values.back(), indices.back()};
      seen = MapOp::create(builder, loc, whole, {input, last[0], last[1]},
                           [&](OpBuilder &inner, Location at, ValueRange v) {
                             return arith::SelectOp::create(
                                        inner, at,
                                        isBehind(inner, at, v[0], v[1], v[2]),
                                        v[0], least(inner, at))
                                 .getResult();
                           });
    }
    Value value = reduce(Monoid::Max, rows, seen);
    SmallVector<Value> operands = {input, value};
    llvm::append_range(operands, last);
    Value candidates = MapOp::create(
        builder, loc, integers(whole), operands,
        [&](OpBuilder &inner, Location at, ValueRange v) {
          Value fits = arith::CmpFOp::create(
              inner, at, arith::CmpFPredicate::OEQ, v[0], v[1]);
          if (v.size() > 2)
            fits = arith::AndIOp::create(inner, at, fits,
                                         isBehind(inner, at, v[0], v[2], v[3]));
          return arith::SelectOp::create(inner, at, fits,
                                         position(inner, at, axis),
                                         greatest(inner, at))
              .getResult();
        });
    values.push_back(value);
    indices.push_back(reduce(Monoid::Min, integers(rows), candidates));
  }

  /// \p parts, one for each position of axis \p into, as an array of \p type.
  Value stack(ArrayRef<Value> parts, StringAttr into, ArrayType type) {
    return MapOp::create(
        builder, loc, type, parts,
        [&](OpBuilder &inner, Location at, ValueRange v) {
          Value which = position(inner, at, into), chosen = v[0];
          for (size_t i = 1; i < v.size(); ++i) {
            Value number = arith::ConstantOp::create(
                inner, at, inner.getI32IntegerAttr(int32_t(i)));
            Value here = arith::CmpIOp::create(
                inner, at, arith::CmpIPredicate::eq, which, number);
            chosen = arith::SelectOp::create(inner, at, here, v[i], chosen);
          }
          return narrowed(inner, at, chosen, type.getElementType());
        });
  }

  SmallVector<Value> values, indices;

private:
  ArrayType integers(ArrayType type) {
    return type.withElementType(builder.getI32Type());
  }

  Value reduce(Monoid monoid, ArrayType type, Value from) {
    return ReduceOp::create(builder, loc, type, monoid, from,
                            ArrayRef<StringAttr>(axis));
  }

  Value least(OpBuilder &inner, Location at) {
    return arith::ConstantOp::create(
        inner, at,
        inner.getFloatAttr(compute, -std::numeric_limits<double>::infinity()));
  }

  static Value greatest(OpBuilder &inner, Location at) {
    return arith::ConstantOp::create(
        inner, at,
        inner.getI32IntegerAttr(std::numeric_limits<int32_t>::max()));
  }

  static Value position(OpBuilder &inner, Location at, StringAttr along) {
    Value index = IndexOp::create(inner, at, inner.getIndexType(), along);
    return arith::IndexCastOp::create(inner, at, inner.getI32Type(), index);
  }

  /// Whether an element \p value at this position is found after one of
  /// \p lastValue at \p lastIndex.
  Value isBehind(OpBuilder &inner, Location at, Value value, Value lastValue,
                 Value lastIndex) {
    Value less = arith::CmpFOp::create(inner, at, arith::CmpFPredicate::OLT,
                                       value, lastValue);
    Value same = arith::CmpFOp::create(inner, at, arith::CmpFPredicate::OEQ,
                                       value, lastValue);
    Value later = arith::CmpIOp::create(inner, at, arith::CmpIPredicate::sgt,
                                        position(inner, at, axis), lastIndex);
    return arith::OrIOp::create(inner, at, less,
                                arith::AndIOp::create(inner, at, same, later));
  }

  Value widened(OpBuilder &inner, Location at, Value value) {
    if (value.getType() == compute)
      return value;
    return arith::ExtFOp::create(inner, at, compute, value);
  }

  static Value narrowed(OpBuilder &inner, Location at, Value value, Type type) {
    if (value.getType() == type)
      return value;
    return value.getType().getIntOrFloatBitWidth() <
                   type.getIntOrFloatBitWidth()
               ? arith::ExtFOp::create(inner, at, type, value).getResult()
               : arith::TruncFOp::create(inner, at, type, value).getResult();
  }

  OpBuilder &builder;
  Location loc;
  StringAttr axis;
  Type compute;
  ArrayType whole, rows;
  Value input;
};

} // namespace

FailureOr<SmallVector<Value>> TopKOp::decompose(OpBuilder &builder) {
  Search search(builder, *this);
  for (int64_t i = 0; i < getCount(); ++i)
    search.round();
  return SmallVector<Value>{
      search.stack(search.values, getIntoAttr(), getValues().getType()),
      search.stack(search.indices, getIntoAttr(), getIndices().getType())};
}
