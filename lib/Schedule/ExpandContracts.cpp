//===- ExpandContracts.cpp - contracts without an instruction ---*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Writes contracts as map and reduce where tensor cores cannot help.
//
//===----------------------------------------------------------------------===//

#include "ExpandContracts.h"
#include "ContractShape.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>

using namespace mlir;
using namespace napkin;

/// Longer axes that a block can sum in one contract: one by the instruction,
/// and one walked step by step.
static constexpr unsigned mostSummed = 2;

/// True when a matrix product is in \p contract, with no more summed axes than
/// a block can sum.
static bool hasMatrix(ncd::ContractOp contract) {
  schedule::ContractShape shape = schedule::shapeOf(
      contract, [](StringAttr, int64_t size) { return size; });
  return shape.hasMatrix() && shape.summed <= mostSummed;
}

/// \p value as \p type, which is at least as wide.
static Value widen(OpBuilder &builder, Location location, Value value,
                   Type type) {
  if (value.getType() == type)
    return value;
  if (isa<FloatType>(type))
    return arith::ExtFOp::create(builder, location, type, value);
  return arith::ExtSIOp::create(builder, location, type, value);
}

/// \p value as \p type, which is at most as wide.
static Value narrow(OpBuilder &builder, Location location, Value value,
                    Type type) {
  if (value.getType() == type)
    return value;
  return arith::TruncFOp::create(builder, location, type, value);
}

static void expand(ncd::ContractOp contract) {
  OpBuilder builder(contract);
  Location location = contract.getLoc();
  ncd::ArrayType resultType = contract.getArrayType();
  Type accumulator = contract.getAccumulatorType();
  SmallVector<StringAttr> over = contract.getOverAxes();
  SmallVector<StringAttr> axes(resultType.getAxes());
  SmallVector<int64_t> sizes(resultType.getSizes());
  for (StringAttr axis : over)
    for (Value input : contract.getInputs()) {
      auto type = cast<ncd::ArrayType>(input.getType());
      if (!type.hasAxis(axis) || llvm::is_contained(axes, axis))
        continue;
      axes.push_back(axis);
      sizes.push_back(type.sizeOf(axis));
    }
  // Without a sum the rounding to the result is the map's own.
  Type element = over.empty() ? resultType.getElementType() : accumulator;
  auto products =
      ncd::ArrayType::get(builder.getContext(), axes, sizes, element);
  Value value = ncd::MapOp::create(
      builder, location, products, contract.getInputs(),
      [&](OpBuilder &body, Location at, ValueRange elements) {
        Value product = widen(body, at, elements.front(), accumulator);
        for (Value factor : elements.drop_front()) {
          Value wide = widen(body, at, factor, accumulator);
          product = isa<FloatType>(accumulator)
                        ? Value(arith::MulFOp::create(body, at, product, wide))
                        : Value(arith::MulIOp::create(body, at, product, wide));
        }
        return narrow(body, at, product, element);
      });
  if (!over.empty())
    value = ncd::ReduceOp::create(builder, location, resultType,
                                  ncd::Monoid::Sum, value, over);
  if (Attribute pin = contract->getAttr("ncd.pin"))
    for (Operation *op = value.getDefiningOp(); op;
         op = op->getNumOperands() && isa<ncd::ReduceOp>(op)
                  ? op->getOperand(0).getDefiningOp()
                  : nullptr)
      op->setAttr("ncd.pin", pin);
  contract.getResult().replaceAllUsesWith(value);
  contract.erase();
}

namespace {
/// Takes a contract of many factors apart, two factors at a time.
class Pairing {
public:
  explicit Pairing(ncd::ContractOp contract)
      : contract(contract), builder(contract),
        factors(contract.getInputs().begin(), contract.getInputs().end()) {}

  void run() {
    while (factors.size() > 2)
      join(cheapest());
    finish();
  }

private:
  static ncd::ArrayType typeOf(Value value) {
    return cast<ncd::ArrayType>(value.getType());
  }
  using Pair = std::pair<unsigned, unsigned>;

  /// Summed axes that no other factor carries: they can be summed now.
  SmallVector<StringAttr> summedBy(Pair pair) {
    SmallVector<StringAttr> result;
    for (StringAttr axis : contract.getOverAxes()) {
      bool here = false, elsewhere = false;
      for (auto [index, factor] : llvm::enumerate(factors)) {
        bool inPair = index == pair.first || index == pair.second;
        (inPair ? here : elsewhere) |= typeOf(factor).hasAxis(axis);
      }
      if (here && !elsewhere)
        result.push_back(axis);
    }
    return result;
  }

  /// All axes of a pair but \p without, with their sizes.
  ncd::ArrayType unite(Pair pair, ArrayRef<StringAttr> without, Type element) {
    SmallVector<StringAttr> axes;
    SmallVector<int64_t> sizes;
    for (unsigned index : {pair.first, pair.second}) {
      ncd::ArrayType type = typeOf(factors[index]);
      for (auto [axis, size] : llvm::zip_equal(type.getAxes(), type.getSizes()))
        if (!llvm::is_contained(axes, axis) &&
            !llvm::is_contained(without, axis)) {
          axes.push_back(axis);
          sizes.push_back(size);
        }
    }
    return ncd::ArrayType::get(builder.getContext(), axes, sizes, element);
  }

  /// The pair whose product is the smallest array.
  Pair cheapest() {
    Pair best{0, 1};
    double least = std::numeric_limits<double>::infinity();
    for (unsigned i = 0; i < factors.size(); ++i)
      for (unsigned j = i + 1; j < factors.size(); ++j) {
        double elements = 1;
        Type element = typeOf(factors[i]).getElementType();
        for (int64_t size : unite({i, j}, summedBy({i, j}), element).getSizes())
          elements *= double(size);
        if (elements < least) {
          least = elements;
          best = {i, j};
        }
      }
    return best;
  }

  /// The factors of a pair with one element type: the accumulator's, once one
  /// of them is a product.
  SmallVector<Value> alike(Value a, Value b) {
    SmallVector<Value> pair{a, b};
    if (typeOf(a).getElementType() == typeOf(b).getElementType())
      return pair;
    Type accumulator = contract.getAccumulatorType();
    for (Value &value : pair)
      if (typeOf(value).getElementType() != accumulator)
        value = ncd::MapOp::create(
            builder, contract.getLoc(),
            typeOf(value).withElementType(accumulator), value,
            [&](OpBuilder &body, Location at, ValueRange elements) {
              return widen(body, at, elements.front(), accumulator);
            });
    return pair;
  }

  void join(Pair pair) {
    SmallVector<StringAttr> over = summedBy(pair);
    ncd::ArrayType type = unite(pair, over, contract.getAccumulatorType());
    Value product =
        multiply(factors[pair.first], factors[pair.second], type, over);
    factors.erase(factors.begin() + pair.second);
    factors[pair.first] = product;
  }

  /// One product of two; an axis of one factor alone is summed by itself.
  Value multiply(Value a, Value b, ncd::ArrayType type,
                 ArrayRef<StringAttr> over) {
    SmallVector<Value> pair = alike(a, b);
    SmallVector<StringAttr> shared;
    for (StringAttr axis : over) {
      bool inBoth = true;
      for (Value &value : pair)
        inBoth &= typeOf(value).hasAxis(axis);
      if (inBoth) {
        shared.push_back(axis);
        continue;
      }
      for (Value &value : pair)
        if (typeOf(value).hasAxis(axis))
          value = ncd::ReduceOp::create(builder, contract.getLoc(),
                                        typeOf(value).withoutAxes(axis),
                                        ncd::Monoid::Sum, value, axis);
    }
    return ncd::ContractOp::create(builder, contract.getLoc(), type, pair,
                                   shared);
  }

  void finish() {
    Value product = multiply(factors[0], factors[1], contract.getArrayType(),
                             summedBy({0, 1}));
    for (Operation *op = contract->getPrevNode();
         op && contract->hasAttr("ncd.pin") &&
         op->getLoc() == contract.getLoc();
         op = op->getPrevNode())
      op->setAttr("ncd.pin", contract->getAttr("ncd.pin"));
    contract.getResult().replaceAllUsesWith(product);
    contract.erase();
  }

  ncd::ContractOp contract;
  OpBuilder builder;
  SmallVector<Value> factors;
};
} // namespace

void napkin::schedule::expandContracts(ncd::DiagramOp diagram) {
  auto contracts = [&] {
    return llvm::to_vector(diagram.getBody().front().getOps<ncd::ContractOp>());
  };
  for (ncd::ContractOp contract : contracts())
    if (contract.getInputs().size() > 2)
      Pairing(contract).run();
  for (ncd::ContractOp contract : contracts())
    if (!hasMatrix(contract))
      expand(contract);
}

void napkin::schedule::expandStarts(ncd::DiagramOp diagram) {
  SmallVector<ncd::ContractOp> contracts(
      diagram.getBody().front().getOps<ncd::ContractOp>());
  for (ncd::ContractOp contract : contracts) {
    if (!contract.getStart())
      continue;
    OpBuilder builder(contract);
    Location location = contract.getLoc();
    ncd::ArrayType type = contract.getArrayType();
    Type sum = contract.getAccumulatorType();
    Value product =
        ncd::ContractOp::create(builder, location, type.withElementType(sum),
                                contract.getInputs(), contract.getOverAxes());
    auto map = ncd::MapOp::create(
        builder, location, type, {contract.getStart(), product},
        [&](OpBuilder &b, Location loc, ValueRange terms) -> Value {
          if (isa<IntegerType>(sum))
            return arith::AddIOp::create(b, loc, terms[0], terms[1]);
          Value total = arith::AddFOp::create(b, loc, terms[0], terms[1]);
          unsigned width = type.getElementType().getIntOrFloatBitWidth();
          if (width < sum.getIntOrFloatBitWidth())
            return arith::TruncFOp::create(b, loc, type.getElementType(),
                                           total);
          if (width > sum.getIntOrFloatBitWidth())
            return arith::ExtFOp::create(b, loc, type.getElementType(), total);
          return total;
        });
    for (mlir::Operation *part : {product.getDefiningOp(), map.getOperation()})
      if (Attribute pin = contract->getAttr("ncd.pin"))
        part->setAttr("ncd.pin", pin);
    contract.getResult().replaceAllUsesWith(map.getResult());
    contract.erase();
  }
}

/// Reduces the first axis of \p reduce by an operation of its own.
static ncd::ReduceOp splitFirst(ncd::ReduceOp reduce) {
  OpBuilder builder(reduce);
  ncd::ArrayType input = reduce.getInputType();
  SmallVector<StringAttr> over = reduce.getOverAxes();
  StringAttr first;
  SmallVector<StringAttr> axes;
  SmallVector<int64_t> sizes;
  for (auto [axis, size] : llvm::zip_equal(input.getAxes(), input.getSizes())) {
    if (!first && llvm::is_contained(over, axis)) {
      first = axis;
      continue;
    }
    axes.push_back(axis);
    sizes.push_back(size);
  }
  auto partial = ncd::ArrayType::get(builder.getContext(), axes, sizes,
                                     reduce.getAccumulatorType());
  auto inner =
      ncd::ReduceOp::create(builder, reduce.getLoc(), partial,
                            *reduce.getMonoid(), reduce.getInput(), {first});
  llvm::erase(over, first);
  auto outer =
      ncd::ReduceOp::create(builder, reduce.getLoc(), reduce.getArrayType(),
                            *reduce.getMonoid(), inner.getResult(), over);
  for (ncd::ReduceOp part : {inner, outer})
    if (Attribute pin = reduce->getAttr("ncd.pin"))
      part->setAttr("ncd.pin", pin);
  reduce.getResult().replaceAllUsesWith(outer.getResult());
  reduce.erase();
  return outer;
}

void napkin::schedule::splitReductions(ncd::DiagramOp diagram,
                                       unsigned dimensions) {
  SmallVector<ncd::ReduceOp> reductions(
      diagram.getBody().front().getOps<ncd::ReduceOp>());
  for (ncd::ReduceOp reduce : reductions)
    while (reduce.getMonoid() && reduce.getOverAxes().size() > dimensions)
      reduce = splitFirst(reduce);
}
