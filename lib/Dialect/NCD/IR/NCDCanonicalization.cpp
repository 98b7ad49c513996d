//===- NCDCanonicalization.cpp - canonical forms of ncd operations --------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Folds and patterns that make equal computations look equal. None of them
// changes where a value is rounded.
//===----------------------------------------------------------------------===//

#include "OpChecks.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/PatternMatch.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace napkin::ncd;

//===----------------------------------------------------------------------===//
// MapOp
//===----------------------------------------------------------------------===//

/// A map that yields an operand's element as it is, without transposing or
/// repeating, is that operand.
OpFoldResult MapOp::fold(FoldAdaptor) {
  auto argument = dyn_cast<BlockArgument>(getYielded());
  if (!argument || argument.getOwner() != &getBody().front())
    return {};
  Value input = getInputs()[argument.getArgNumber()];
  return input.getType() == getResult().getType() ? OpFoldResult(input)
                                                  : OpFoldResult();
}

namespace {

/// Drops operands that the region does not read, and the second of two equal
/// operands.
struct SimplifyMapOperands : OpRewritePattern<MapOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(MapOp map,
                                PatternRewriter &rewriter) const override {
    Block &block = map.getBody().front();
    SmallVector<Value> kept;
    llvm::BitVector dropped(block.getNumArguments());
    SmallVector<unsigned> keptIndex;
    for (auto [index, input] : llvm::enumerate(map.getInputs())) {
      BlockArgument argument = block.getArgument(index);
      auto *same = llvm::find(kept, input);
      if (same != kept.end()) {
        BlockArgument first =
            block.getArgument(keptIndex[std::distance(kept.begin(), same)]);
        rewriter.replaceAllUsesWith(argument, first);
        dropped.set(index);
      } else if (argument.use_empty()) {
        dropped.set(index);
      } else {
        kept.push_back(input);
        keptIndex.push_back(index);
      }
    }
    if (dropped.none())
      return failure();
    rewriter.modifyOpInPlace(map, [&] {
      block.eraseArguments(dropped);
      map.getInputsMutable().assign(kept);
    });
    return success();
  }
};

} // namespace

void MapOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                        MLIRContext *context) {
  patterns.add<SimplifyMapOperands>(context);
}

//===----------------------------------------------------------------------===//
// ContractOp
//===----------------------------------------------------------------------===//

namespace {

/// A contract of one operand sums nothing: it is the operand, or a map that
/// reorders its axes or converts its elements.
struct ContractOfOne : OpRewritePattern<ContractOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ContractOp contract,
                                PatternRewriter &rewriter) const override {
    if (contract.getInputs().size() != 1 || contract.getStart())
      return failure();
    Value input = contract.getInputs().front();
    ArrayType result = contract.getArrayType();
    if (input.getType() == result) {
      rewriter.replaceOp(contract, input);
      return success();
    }
    Type accumulator = contract.getAccumulatorType();
    rewriter.replaceOpWithNewOp<MapOp>(
        contract, result, input,
        [&](OpBuilder &builder, Location loc, ValueRange arguments) {
          Value value = arguments.front();
          if (value.getType() == result.getElementType())
            return value;
          if (isa<IntegerType>(accumulator)) {
            return arith::ExtSIOp::create(builder, loc, accumulator, value)
                .getResult();
          }
          if (value.getType() != accumulator)
            value = arith::ExtFOp::create(builder, loc, accumulator, value);
          unsigned width = accumulator.getIntOrFloatBitWidth();
          unsigned wanted = result.getElementType().getIntOrFloatBitWidth();
          if (wanted < width)
            value = arith::TruncFOp::create(builder, loc,
                                            result.getElementType(), value);
          else if (wanted > width)
            value = arith::ExtFOp::create(builder, loc, result.getElementType(),
                                          value);
          return value;
        });
    return success();
  }
};

} // namespace

void ContractOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                             MLIRContext *context) {
  patterns.add<ContractOfOne>(context);
}

//===----------------------------------------------------------------------===//
// ReduceOp
//===----------------------------------------------------------------------===//

/// The named monoid whose combination \p op is, if any.
static std::optional<Monoid> monoidOf(Operation *op) {
  return llvm::TypeSwitch<Operation *, std::optional<Monoid>>(op)
      .Case<arith::AddFOp, arith::AddIOp>([](auto) { return Monoid::Sum; })
      .Case<arith::MulFOp, arith::MulIOp>([](auto) { return Monoid::Prod; })
      .Case<arith::MaximumFOp, arith::MaxSIOp>([](auto) { return Monoid::Max; })
      .Case<arith::MinimumFOp, arith::MinSIOp>([](auto) { return Monoid::Min; })
      .Case<arith::AndIOp>([](auto) { return Monoid::And; })
      .Case<arith::OrIOp>([](auto) { return Monoid::Or; })
      .Default([](Operation *) { return std::nullopt; });
}

namespace {

/// A region that is one operation of a monoid known by name, with its identity,
/// becomes that name.
struct NameMonoid : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(ReduceOp reduce,
                                PatternRewriter &rewriter) const override {
    if (reduce.getMonoid())
      return failure();
    Block &block = reduce.getCombiner().front();
    if (!llvm::hasNItems(block, 2))
      return failure();
    Operation &op = block.front();
    std::optional<Monoid> monoid = monoidOf(&op);
    if (!monoid || block.back().getOperand(0) != op.getResult(0))
      return failure();
    SmallVector<Value> arguments(block.getArguments());
    if (!std::is_permutation(arguments.begin(), arguments.end(),
                             op.operand_begin(), op.operand_end()))
      return failure();
    Type type = reduce.getAccumulatorType();
    Type element = reduce.getInputType().getElementType();
    bool grows = *monoid == Monoid::Sum || *monoid == Monoid::Prod;
    bool bitwise = *monoid == Monoid::And || *monoid == Monoid::Or;
    // The named reduction must be legal and combine in the same type.
    if ((!grows && isa<IntegerType>(element) && element != type) ||
        (!bitwise && element.isInteger(1)))
      return failure();
    if (reduce.getIdentityAttr() != identityOf(*monoid, type))
      return failure();
    rewriter.replaceOpWithNewOp<ReduceOp>(reduce, reduce.getArrayType(),
                                          *monoid, reduce.getInput(),
                                          reduce.getOverAxes());
    return success();
  }
};

} // namespace

void ReduceOp::getCanonicalizationPatterns(RewritePatternSet &patterns,
                                           MLIRContext *context) {
  patterns.add<NameMonoid>(context);
}
