//===- TermEmitter.cpp - Terms written as ncd operations --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Arrays: which terms become operations of their own, and of which kind. The
// bodies of maps are written by ScalarEmitter.cpp.
//
//===----------------------------------------------------------------------===//

#include "TermEmitter.h"

#include "ScalarEmitter.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/IRMapping.h"
#include "napkin/Algebra/NormalForm.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace napkin::algebra {

static bool isElementwise(Expr e) {
  switch (e->kind) {
  case Kind::State:
  case Kind::Input:
  case Kind::Reduce:
    return false;
  case Kind::Combine: // by region
  default:
    return true;
  }
}

bool TermEmitter::readsArrays(Expr e) {
  return anyNode(e, [](Expr n) { return !isElementwise(n); });
}

AxisSet TermEmitter::axesOf(ncd::ArrayType type) {
  AxisSet axes = 0;
  for (StringAttr name : type.getAxes())
    axes |= axisBit(terms.context.axis(name.getValue()));
  return axes;
}

SmallVector<StringAttr> TermEmitter::axisNames(AxisSet axes) {
  auto type = terms.arrayType(axes, terms.workingType());
  return SmallVector<StringAttr>(type.getAxes());
}

Type TermEmitter::elementType(Expr e) {
  if (isCondition(e))
    return IntegerType::get(location.getContext(), 1);
  if (e->kind == Kind::Round)
    if (Type type = storageType(e->rounding, location.getContext()))
      return type;
  return terms.workingType();
}

Value TermEmitter::lookup(Expr e, EmissionScope &scope) {
  for (EmissionScope *s = &scope; s; s = s->outer)
    if (Value value = s->values.lookup(e))
      return value;
  return {};
}

/// Written in the source as a value that can be computed again here.
bool TermEmitter::computedElsewhere(Expr e, EmissionScope &scope) {
  return lookup(e, scope) || terms.writtenAs(e);
}

void TermEmitter::countUses(Expr root, EmissionScope &scope) {
  if (scope.uses[root]++ > 0 || computedElsewhere(root, scope))
    return;
  // Twice in one product is one use: x * x reads x once.
  for (auto [i, operand] : llvm::enumerate(root->operands))
    if (!llvm::is_contained(root->operands.take_front(i), operand))
      countUses(operand, scope);
}

Value TermEmitter::copyOf(Value value, EmissionScope &scope) {
  for (EmissionScope *s = &scope; s; s = s->outer)
    if (Value copy = s->copies.lookup(value))
      return copy;
  if (!terms.isInside(value))
    return value;
  Expr term = terms.termOf(value);
  auto type = cast<ncd::ArrayType>(value.getType());
  if (scope.outer && terms.isHoisted(term) &&
      !(axesOf(type) & (axisBit(terms.axis) | terms.innerAxes)))
    return copyOf(value, *scope.outer);
  if (!terms.isRepeatable(value))
    return scope.copies[value] = emitAs(term, type, scope);
  Operation *op = value.getDefiningOp();
  IRMapping mapping;
  for (Value operand : op->getOperands())
    mapping.map(operand, copyOf(operand, scope));
  Value copy = scope.builder.clone(*op, mapping)->getResult(0);
  scope.copies[value] = copy;
  if (terms.writtenAs(term) == value)
    scope.values[term] = copy;
  return copy;
}

Value TermEmitter::emit(Expr e, EmissionScope &scope) {
  if (Value value = lookup(e, scope))
    return value;
  if (scope.outer && terms.isHoisted(e))
    return emit(e, *scope.outer);
  Value value;
  if (Value source = terms.writtenAs(e))
    value = copyOf(source, scope);
  else if (e->kind == Kind::Input)
    value = copyOf(terms.inputs.lookup(e), scope);
  else if (e->kind == Kind::Reduce)
    value = emitReduce(e, scope);
  else
    value = emitMap(e, scope);
  scope.values[e] = value;
  return value;
}

Value TermEmitter::emitAs(Expr e, ncd::ArrayType type, EmissionScope &scope) {
  if (isElementwise(e) && !lookup(e, scope) && !terms.writtenAs(e) &&
      !(scope.outer && terms.isHoisted(e)))
    return scope.values[e] = emitMap(e, scope, type);
  return converted(emit(e, scope), type, scope);
}

Value TermEmitter::fill(double value, ncd::ArrayType type,
                        EmissionScope &scope) {
  return ncd::MapOp::create(
      scope.builder, location, type, ValueRange(),
      [&](OpBuilder &builder, Location loc, ValueRange) -> Value {
        Type element = type.getElementType();
        TypedAttr constant =
            isa<FloatType>(element)
                ? TypedAttr(builder.getFloatAttr(element, value))
                : TypedAttr(builder.getIntegerAttr(element, int64_t(value)));
        return arith::ConstantOp::create(builder, loc, constant);
      });
}

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

/// Whether `e`, below `root` in one map, is an operand of that map instead.
bool TermEmitter::isCut(Expr e, Expr root, EmissionScope &scope) {
  if (!isElementwise(e))
    return true;
  if (!readsArrays(e))
    return false; // positions and constants are cheaper than an operand
  if (computedElsewhere(e, scope))
    return true;
  if (isCondition(e))
    return false; // cheaper than an array of bits
  if (scope.outer && terms.isHoisted(e))
    return true;
  // Once per row, not once per element.
  if (e->axes != root->axes)
    return true;
  return scope.uses.lookup(e) > 1;
}

void TermEmitter::collectLeaves(Expr e, Expr root, EmissionScope &scope,
                                SetVector<Expr> &leaves) {
  for (Expr operand : e->operands) {
    if (isCut(operand, root, scope))
      leaves.insert(operand);
    else
      collectLeaves(operand, root, scope, leaves);
  }
}

Value TermEmitter::emitMap(Expr e, EmissionScope &scope, ncd::ArrayType type) {
  SetVector<Expr> leaves;
  // An accumulator's old value is scaled by a map of its own, so that it can
  // be the initial value of the contract that it is added to.
  if (e->kind == Kind::Add)
    for (unsigned i : {0, 1})
      if (e->operand(1 - i)->kind == Kind::Reduce) {
        Value sum = emit(e->operand(1 - i), scope);
        if (isa_and_nonnull<ncd::ContractOp>(sum.getDefiningOp()) &&
            readsArrays(e->operand(i)))
          leaves.insert(e->operand(i));
      }
  if (leaves.empty())
    collectLeaves(e, e, scope, leaves);
  else
    leaves.insert(e->operand(leaves[0] == e->operand(0) ? 1 : 0));
  SmallVector<Value> operands;
  for (Expr leaf : leaves)
    operands.push_back(emit(leaf, scope));
  if (!type) {
    Type element = elementType(e);
    // A result of the loop may carry axes that its value does not vary along.
    AxisSet axes = e->axes;
    for (Value operand : operands)
      axes |= axesOf(cast<ncd::ArrayType>(operand.getType()));
    type = terms.arrayType(axes, element);
    // Store like the largest operand, so that no element changes its place.
    for (Value operand : operands)
      if (auto array = cast<ncd::ArrayType>(operand.getType());
          axesOf(array) == axes) {
        type = array.withElementType(element);
        break;
      }
  }
  return ncd::MapOp::create(
      scope.builder, location, type, operands,
      [&](OpBuilder &builder, Location loc, ValueRange arguments) {
        ScalarEmitter scalars(builder, loc, terms);
        for (auto [leaf, argument] : llvm::zip(leaves.getArrayRef(), arguments))
          scalars.bind(leaf, argument);
        return scalars.emitAs(e, type.getElementType());
      });
}

Value TermEmitter::converted(Value value, ncd::ArrayType type,
                             EmissionScope &scope) {
  if (value.getType() == type)
    return value;
  return ncd::MapOp::create(
      scope.builder, location, type, value,
      [&](OpBuilder &builder, Location loc, ValueRange arguments) {
        return convertScalar(builder, loc, arguments[0], type.getElementType());
      });
}

/// Repeats a value along axes that it lacks.
Value TermEmitter::withAxes(Value value, AxisSet axes, EmissionScope &scope) {
  auto type = cast<ncd::ArrayType>(value.getType());
  AxisSet all = axesOf(type) | axes;
  if (all == axesOf(type))
    return value;
  return converted(value, terms.arrayType(all, type.getElementType()), scope);
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

static std::optional<ncd::Monoid> named(Monoid monoid) {
  switch (monoid) {
  case Monoid::Sum:
    return ncd::Monoid::Sum;
  case Monoid::Prod:
    return ncd::Monoid::Prod;
  case Monoid::Max:
    return ncd::Monoid::Max;
  case Monoid::Min:
    return ncd::Monoid::Min;
  case Monoid::And:
    return ncd::Monoid::And;
  case Monoid::Or:
    return ncd::Monoid::Or;
  default:
    return std::nullopt;
  }
}

/// A chunk's elements combined by the region that the source gives.
Value TermEmitter::reduceByRegion(Expr e, EmissionScope &scope) {
  Value value = withAxes(emit(e->operand(0), scope), axisBit(e->axis), scope);
  SmallVector<StringAttr> names = axisNames(axisBit(e->axis));
  auto type = cast<ncd::ArrayType>(value.getType()).withoutAxes(names);
  Region &region = terms.combiner(e->number);
  return ncd::ReduceOp::create(
      scope.builder, location, type.withElementType(terms.workingType()), value,
      names, scope.builder.getFloatAttr(terms.workingType(), e->value),
      [&](OpBuilder &builder, Location, Value a, Value b) {
        return inlineCombiner(builder, region, a, b);
      });
}

Value TermEmitter::reduceValue(Value value, Monoid monoid, AxisSet over,
                               EmissionScope &scope) {
  value = withAxes(value, over, scope);
  if (isa<IntegerType>(terms.workingType()))
    value = converted(value,
                      cast<ncd::ArrayType>(value.getType())
                          .withElementType(terms.workingType()),
                      scope);
  SmallVector<StringAttr> names = axisNames(over);
  auto type = cast<ncd::ArrayType>(value.getType()).withoutAxes(names);
  if (isa<FloatType>(type.getElementType()))
    type = type.withElementType(terms.workingType());
  return ncd::ReduceOp::create(scope.builder, location, type, *named(monoid),
                               value, names);
}

void TermEmitter::flattenProduct(Expr e, EmissionScope &scope,
                                 SmallVectorImpl<Expr> &factors) {
  if (e->kind != Kind::Mul || computedElsewhere(e, scope) ||
      scope.uses.lookup(e) > 1) {
    factors.push_back(e);
    return;
  }
  flattenProduct(e->operand(0), scope, factors);
  flattenProduct(e->operand(1), scope, factors);
}

Value TermEmitter::emitReduce(Expr e, EmissionScope &scope) {
  if (e->monoid == Monoid::Other)
    return reduceByRegion(e, scope);
  AxisSet over = axisBit(e->axis);
  Expr body = e->operand(0);
  while (body->kind == Kind::Reduce && body->monoid == e->monoid &&
         !computedElsewhere(body, scope) && scope.uses.lookup(body) <= 1) {
    over |= axisBit(body->axis);
    body = body->operand(0);
  }
  if (body->isConstant())
    return reduceValue(
        fill(body->value, terms.arrayType(over, terms.workingType()), scope),
        e->monoid, over, scope);
  if (e->monoid != Monoid::Sum)
    return reduceValue(emit(body, scope), e->monoid, over, scope);
  SmallVector<Expr, 4> factors;
  flattenProduct(body, scope, factors);
  return emitSumOfProduct(factors, over, scope);
}

/// A contract, if at least two factors have axes of their own; a map and a
/// reduction else.
Value TermEmitter::emitSumOfProduct(ArrayRef<Expr> factors, AxisSet over,
                                    EmissionScope &scope) {
  // A factor whose axes another one has is multiplied into that one, rather
  // into a computed one than into an array that could be used as it lies.
  SmallVector<Expr, 4> groups;
  for (bool inputs : {false, true})
    llvm::copy_if(factors, std::back_inserter(groups), [&](Expr factor) {
      return (factor->kind == Kind::Input) == inputs;
    });
  for (bool changed = true; changed;) {
    changed = false;
    for (unsigned i = 0; i < groups.size() && !changed; ++i)
      for (unsigned j = 0; j < groups.size() && !changed; ++j) {
        Expr a = groups[i], b = groups[j];
        if (i == j || (a->axes | b->axes) != b->axes)
          continue;
        groups[j] = i < j ? terms.context.mul(a, b) : terms.context.mul(b, a);
        groups.erase(groups.begin() + i);
        changed = true;
      }
  }
  SmallVector<Value, 4> values;
  for (Expr group : groups)
    values.push_back(emit(group, scope));
  if (values.size() == 1)
    return reduceValue(values[0], Monoid::Sum, over, scope);
  // An axis that one factor alone carries is summed there.
  AxisSet shared = 0, seen = 0;
  for (Value value : values) {
    AxisSet axes = axesOf(cast<ncd::ArrayType>(value.getType()));
    shared |= seen & axes;
    seen |= axes;
  }
  if (AxisSet missing = over & ~seen)
    values[0] = withAxes(values[0], missing, scope);
  for (Value &value : values) {
    AxisSet own =
        axesOf(cast<ncd::ArrayType>(value.getType())) & over & ~shared;
    if (own)
      value = reduceValue(value, Monoid::Sum, own, scope);
  }
  AxisSet result = seen & ~over;
  over &= shared;
  // One element type: the widest.
  Type element;
  for (Value value : values) {
    Type type = cast<ncd::ArrayType>(value.getType()).getElementType();
    if (!element || (type != element && element.getIntOrFloatBitWidth() <=
                                            type.getIntOrFloatBitWidth()))
      element = !element || element.getIntOrFloatBitWidth() !=
                                type.getIntOrFloatBitWidth()
                    ? type
                    : terms.workingType();
  }
  for (Value &value : values)
    value = converted(
        value, cast<ncd::ArrayType>(value.getType()).withElementType(element),
        scope);
  return ncd::ContractOp::create(scope.builder, location,
                                 terms.arrayType(result, terms.workingType()),
                                 values, axisNames(over));
}

} // namespace napkin::algebra
