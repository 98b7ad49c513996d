//===- ChooseInstructions.cpp - which instruction multiplies --------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass ncd-choose-instructions: writes on every contract of a kernel what
// the schedule has counted on. It runs behind ncd-derive-stream, which writes
// contracts anew.
//
//===----------------------------------------------------------------------===//

#include "ContractShape.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "napkin/Schedule/Passes.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Support/MathExtras.h"

namespace napkin::schedule {
#define GEN_PASS_DEF_CHOOSEINSTRUCTIONSPASS
#include "napkin/Schedule/Passes.h.inc"
} // namespace napkin::schedule

using namespace mlir;
using namespace napkin;
using namespace napkin::schedule;

namespace {
/// How the warps of a kernel share the rows of its products.
struct Team {
  StringAttr rows;
  int64_t rowWarps = 1;
};

/// What a product wants to know of one kernel.
class Chooser {
public:
  Chooser(ncd::KernelOp kernel, const target::TargetDescription &target,
          bool allowTF32)
      : kernel(kernel), target(target), allowTF32(allowTF32) {}

  void run();

private:
  int64_t extentOf(StringAttr axis, int64_t size) {
    return kernel.partOf(axis, size);
  }
  int64_t extentOf(StringAttr axis) {
    return extentOf(axis, kernel.getAxisSize(axis).value_or(1));
  }
  const target::MatrixInstruction *rowOf(ncd::ContractOp contract);
  Team teamOf();
  Team defaultTeam();
  bool wantsWholeRows(StringAttr rows);
  StringAttr freeAxis(ncd::ContractOp contract, unsigned factor);
  ncd::Source sourceOf(ncd::ContractOp contract, unsigned factor, bool isRow);
  ncd::ProductAttr productOf(ncd::ContractOp contract, const Team &team,
                             const target::MatrixInstruction &row);

  ncd::KernelOp kernel;
  const target::TargetDescription &target;
  bool allowTF32;
};
} // namespace

const target::MatrixInstruction *Chooser::rowOf(ncd::ContractOp contract) {
  auto extent = [&](StringAttr axis, int64_t size) {
    return extentOf(axis, size);
  };
  if (!shapeOf(contract, extent).isMatrix())
    return nullptr;
  return instructionOf(contract, target, allowTF32);
}

/// The axis that factor number \p factor has alone, the only one that is longer
/// than 1 in a block.
StringAttr Chooser::freeAxis(ncd::ContractOp contract, unsigned factor) {
  auto own = cast<ncd::ArrayType>(contract.getInputs()[factor].getType());
  auto other = cast<ncd::ArrayType>(contract.getInputs()[1 - factor].getType());
  for (auto [axis, size] : llvm::zip_equal(own.getAxes(), own.getSizes()))
    if (!other.hasAxis(axis) && extentOf(axis, size) > 1)
      return axis;
  return {};
}

/// Folds that keep rows, and factors that are computed, want whole rows in a
/// warp, so that nothing is computed by several or exchanged between them.
bool Chooser::wantsWholeRows(StringAttr rows) {
  bool whole = false;
  kernel.getBody().walk([&](mlir::Operation *op) {
    if (auto contract = dyn_cast<ncd::ContractOp>(op))
      for (Value factor : contract.getInputs())
        whole |= factor.getDefiningOp() != nullptr;
    if (auto reduce = dyn_cast<ncd::ReduceOp>(op))
      whole |= reduce.getArrayType().hasAxis(rows) ||
               reduce.getInput().getDefiningOp() != nullptr;
  });
  return whole;
}

Team Chooser::defaultTeam() {
  // The axis cut across blocks that most products keep, the first of equals.
  llvm::MapVector<StringAttr, unsigned> kept;
  const target::MatrixInstruction *widest = nullptr;
  int64_t columns = 0;
  StringAttr first;
  SmallVector<std::pair<ncd::ContractOp, const target::MatrixInstruction *>>
      all;
  kernel.getBody().walk([&](ncd::ContractOp contract) {
    const target::MatrixInstruction *row = rowOf(contract);
    if (!row)
      return;
    all.push_back({contract, row});
    if (!first)
      first = freeAxis(contract, 0);
    for (unsigned factor : {0u, 1u})
      if (StringAttr axis = freeAxis(contract, factor); kernel.groupSize(axis))
        ++kept[axis];
  });
  Team team;
  team.rows = first;
  for (auto &[axis, count] : kept)
    if (!kept.contains(team.rows) || count > kept[team.rows])
      team.rows = axis;
  if (!team.rows)
    return team;
  for (auto [contract, row] : all) {
    StringAttr left = freeAxis(contract, 0), right = freeAxis(contract, 1);
    int64_t wide = extentOf(left == team.rows ? right : left);
    if (!widest || wide > columns) {
      widest = row;
      columns = wide;
    }
  }
  int64_t warps = kernel.getWarps().value_or(4);
  int64_t rows = llvm::PowerOf2Ceil(extentOf(team.rows));
  columns = llvm::PowerOf2Ceil(columns);
  int64_t mostRows = std::max<int64_t>(1, rows / widest->rows());
  int64_t mostColumns = std::max<int64_t>(1, columns / widest->columns());
  team.rowWarps = std::min(warps, mostRows);
  if (wantsWholeRows(team.rows))
    return team;
  int64_t best = INT64_MAX;
  for (int64_t down = 1; down <= warps; down *= 2) {
    int64_t across = warps / down;
    // Warps beyond what there is to share come last.
    int64_t excess = std::max<int64_t>(1, down / mostRows) *
                     std::max<int64_t>(1, across / mostColumns);
    int64_t share = std::max<int64_t>(1, rows / down) +
                    std::max<int64_t>(1, columns / across) +
                    ((excess - 1) << 20);
    if (share < best) {
      best = share;
      team.rowWarps = down;
    }
  }
  return team;
}

Team Chooser::teamOf() {
  if (StringAttr rows = kernel.getRowsAttr())
    return {rows, int64_t(kernel.getRowWarps().value_or(
                      kernel.getWarps().value_or(4)))};
  return defaultTeam();
}

ncd::Source Chooser::sourceOf(ncd::ContractOp contract, unsigned factor,
                              bool isRow) {
  auto argument = dyn_cast<BlockArgument>(contract.getInputs()[factor]);
  // Warps compute the rows that they own; columns they would all compute.
  if (!argument)
    return isRow ? ncd::Source::Registers : ncd::Source::Shared;
  bool inLoop = contract->getParentOfType<ncd::StreamOp>() != nullptr;
  bool stays = isRow && inLoop && argument.getOwner()->getParentOp() == kernel;
  if (std::optional<ArrayRef<int32_t>> again = kernel.getReread())
    stays &= !llvm::is_contained(*again, int32_t(argument.getArgNumber()));
  return stays ? ncd::Source::Registers : ncd::Source::Shared;
}

ncd::ProductAttr Chooser::productOf(ncd::ContractOp contract, const Team &team,
                                    const target::MatrixInstruction &row) {
  StringAttr left = freeAxis(contract, 0), right = freeAxis(contract, 1);
  unsigned rowFactor = right == team.rows ? 1 : 0;
  StringAttr summed;
  for (StringAttr axis : contract.getOverAxes())
    if (!summed || extentOf(axis) > 1)
      summed = axis;
  int64_t warps = kernel.getWarps().value_or(4);
  return ncd::ProductAttr::get(
      contract.getContext(), StringAttr::get(contract.getContext(), row.name),
      rowFactor ? right : left, rowFactor ? left : right, summed, team.rowWarps,
      warps / team.rowWarps, sourceOf(contract, rowFactor, /*isRow=*/true),
      sourceOf(contract, 1 - rowFactor, /*isRow=*/false));
}

void Chooser::run() {
  Team team = teamOf();
  kernel.getBody().walk([&](ncd::ContractOp contract) {
    if (contract.getProductAttr())
      return;
    if (const target::MatrixInstruction *row = rowOf(contract))
      contract.setProductAttr(productOf(contract, team, *row));
  });
}

/// Whether a map is the sum of its two operands, one of them with all of its
/// axes; the other may be repeated along some.
static bool isPlainSum(ncd::MapOp map) {
  Block &body = map.getBody().front();
  if (map.getInputs().size() != 2 || !llvm::hasNItems(body, 2))
    return false;
  mlir::Operation &add = body.front();
  return isa<arith::AddFOp, arith::AddIOp>(add) &&
         body.getTerminator()->getOperand(0) == add.getResult(0) &&
         add.getOperand(0) != add.getOperand(1) &&
         llvm::all_of(add.getOperands(), llvm::IsaPred<BlockArgument>);
}

/// Number of the operand of \p sum that is a product which may start from the
/// other one; nullopt where none is.
static std::optional<unsigned> startingProduct(ncd::MapOp sum) {
  if (!isPlainSum(sum))
    return std::nullopt;
  for (unsigned i : {0u, 1u}) {
    auto product = sum.getInputs()[i].getDefiningOp<ncd::ContractOp>();
    Value start = sum.getInputs()[1 - i];
    if (!product || product->getBlock() != sum->getBlock() ||
        !product.getResult().hasOneUse() || product.getStart() ||
        product.getArrayType() != sum.getArrayType() ||
        product.getAccumulatorType() != sum.getArrayType().getElementType() ||
        cast<ncd::ArrayType>(start.getType()).getElementType() !=
            product.getAccumulatorType())
      continue;
    // Of two products that are added, the first starts from nothing.
    auto other = start.getDefiningOp<ncd::ContractOp>();
    if (other && other->getBlock() == product->getBlock() &&
        product->isBeforeInBlock(other))
      continue;
    return i;
  }
  return std::nullopt;
}

/// Makes sums with a product that nothing else uses the start of that product.
static void joinSums(ncd::KernelOp kernel) {
  SmallVector<ncd::MapOp> maps;
  kernel.getBody().walk([&](ncd::MapOp map) { maps.push_back(map); });
  for (ncd::MapOp sum : maps) {
    std::optional<unsigned> index = startingProduct(sum);
    if (!index)
      continue;
    auto product = sum.getInputs()[*index].getDefiningOp<ncd::ContractOp>();
    OpBuilder builder(sum);
    auto joined = ncd::ContractOp::create(
        builder, product.getLoc(), product.getArrayType(), product.getInputs(),
        sum.getInputs()[1 - *index], product.getOverAttr(),
        product.getProductAttr());
    joined->setDiscardableAttrs(product->getDiscardableAttrDictionary());
    sum.getResult().replaceAllUsesWith(joined.getResult());
    sum.erase();
    product.erase();
  }
}

namespace {
struct ChooseInstructions
    : schedule::impl::ChooseInstructionsPassBase<ChooseInstructions> {
  using ChooseInstructionsPassBase::ChooseInstructionsPassBase;

  void runOnOperation() override {
    const target::TargetDescription *description = target::lookupTarget(target);
    if (!description) {
      getOperation()->emitError() << "unknown target '" << target
                                  << "'; known are " << target::knownTargets();
      return signalPassFailure();
    }
    getOperation()->walk([&](ncd::KernelOp kernel) {
      Chooser(kernel, *description, allowTF32).run();
      joinSums(kernel);
    });
  }
};
} // namespace
