//===- SpreadSums.cpp - The pass tile-spread-sums -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Follows what loops carry from the zeros that it begins with to where the
// loops end. Where it only is scaled and added to on its way, it may be carried
// in parts.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/Matchers.h"
#include "napkin/Dialect/Tile/IR/Tile.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::tile;

namespace napkin::tile {
#define GEN_PASS_DEF_TILESPREADSUMSPASS
#include "napkin/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace napkin::tile

namespace {

/// Whether \p value is a tile of zeros.
bool isZeros(Value value) {
  auto map = value.getDefiningOp<MapOp>();
  if (!map || !map.getInputs().empty())
    return false;
  Value element = map.getBody().front().getTerminator()->getOperand(0);
  return matchPattern(element, m_AnyZeroFloat()) ||
         matchPattern(element, m_Zero());
}

/// Whether \p fold sums.
bool isSum(ReduceOp fold) {
  Block &body = fold.getBody().front();
  Operation &combine = body.front();
  return llvm::hasNItems(body, 2) &&
         isa<arith::AddFOp, arith::AddIOp>(combine) &&
         combine.getOperand(0) != combine.getOperand(1) &&
         llvm::all_of(combine.getOperands(), llvm::IsaPred<BlockArgument>) &&
         body.getTerminator()->getOperand(0) == combine.getResult(0);
}

/// What becomes of one sum: its values on the way, the folds that are added to
/// it, and the uses behind the loops that need it whole.
class Sum {
public:
  explicit Sum(int64_t parts) : parts(parts) {}

  /// Follows the sum that \p loop begins with number \p index of its values.
  /// False where it has to stay as it is.
  bool follow(LoopOp loop, unsigned index);
  /// Carries it in parts.
  void spread();
  /// Whether \p value is on the way.
  bool contains(Value value) const { return values.contains(value); }

private:
  /// A place where a loop or a condition takes the sum, and what it yields.
  struct Round {
    OpOperand *from, *back;
  };

  bool add(Value value);
  bool followUse(OpOperand &use);
  bool followLoop(LoopOp loop, unsigned index);
  bool followWhen(WhenOp when, unsigned index);
  /// Whether \p map is linear in its operands that are parts of the sum; folds
  /// among its operands become parts of it.
  bool isLinear(MapOp map);
  bool mayFold(Value value);
  TileType typeInParts(TileType type);

  int64_t parts;
  TileType type;
  StringAttr axis;
  llvm::SetVector<Value> values;
  llvm::SetVector<Operation *> folds;
  SmallVector<Round> rounds;
  SmallVector<MapOp> open; ///< maps that have operands yet to be reached
  SmallVector<OpOperand *> ends;
};

} // namespace

bool Sum::add(Value value) {
  if (!type)
    type = cast<TileType>(value.getType());
  if (value.getType() != type)
    return false;
  values.insert(value);
  return true;
}

bool Sum::followLoop(LoopOp loop, unsigned index) {
  if (contains(loop.getCarried()[index]))
    return true;
  rounds.push_back({&loop.getInitialMutable()[index],
                    &loop.getNext().getValuesMutable()[index]});
  return add(loop.getCarried()[index]) && add(loop.getLast()[index]);
}

bool Sum::followWhen(WhenOp when, unsigned index) {
  if (contains(when.getResult(index)))
    return true;
  auto next = cast<NextOp>(when.getBody().front().getTerminator());
  rounds.push_back(
      {&when.getOtherwiseMutable()[index], &next.getValuesMutable()[index]});
  return add(when.getResult(index));
}

bool Sum::mayFold(Value value) {
  auto fold = value.getDefiningOp<ReduceOp>();
  if (!fold || !isSum(fold) || !value.hasOneUse() || value.getType() != type)
    return false;
  TileType input = fold.getInput().getType();
  int64_t size = input.getSizes()[*input.axisIndex(fold.getAxis())];
  return size > parts && size % parts == 0 &&
         (!axis || axis == fold.getAxisAttr());
}

bool Sum::isLinear(MapOp map) {
  if (map.getResult().getType() != type)
    return false;
  Block &body = map.getBody().front();
  llvm::DenseSet<Value> linear;
  SmallVector<ReduceOp> folded;
  for (auto [input, argument] :
       llvm::zip_equal(map.getInputs(), body.getArguments())) {
    if (contains(input)) {
      linear.insert(argument);
    } else if (mayFold(input)) {
      linear.insert(argument);
      folded.push_back(input.getDefiningOp<ReduceOp>());
    }
  }
  for (Operation &op : body.without_terminator()) {
    unsigned count = llvm::count_if(op.getOperands(), [&](Value operand) {
      return linear.contains(operand);
    });
    if (!count)
      continue;
    bool good = false;
    if (isa<arith::AddFOp, arith::AddIOp, arith::SubFOp, arith::SubIOp>(op))
      good = count == 2;
    else if (isa<arith::MulFOp, arith::MulIOp>(op))
      good = count == 1;
    else if (isa<arith::DivFOp>(op))
      good = count == 1 && linear.contains(op.getOperand(0));
    else
      good = isa<arith::NegFOp>(op);
    if (!good)
      return false;
    linear.insert(op.getResult(0));
  }
  if (!linear.contains(body.getTerminator()->getOperand(0)))
    return false;
  // Two folds have to be of one axis.
  for (ReduceOp fold : folded) {
    if (axis && axis != fold.getAxisAttr())
      return false;
    axis = fold.getAxisAttr();
  }
  for (ReduceOp fold : folded)
    folds.insert(fold);
  return true;
}

bool Sum::followUse(OpOperand &use) {
  Operation *user = use.getOwner();
  bool isBehind = isa<KernelOp>(user->getParentOp());
  if (auto loop = dyn_cast<LoopOp>(user)) {
    unsigned first = loop.getInitial().getBeginOperandIndex();
    return use.getOperandNumber() >= first &&
           followLoop(loop, use.getOperandNumber() - first);
  }
  if (auto when = dyn_cast<WhenOp>(user))
    return use.getOperandNumber() > 0 &&
           followWhen(when, use.getOperandNumber() - 1);
  if (auto next = dyn_cast<NextOp>(user)) {
    if (auto loop = dyn_cast<LoopOp>(next->getParentOp()))
      return followLoop(loop, use.getOperandNumber());
    return followWhen(cast<WhenOp>(next->getParentOp()),
                      use.getOperandNumber());
  }
  if (auto map = dyn_cast<MapOp>(user)) {
    // Behind the loops only what is added to it there goes on in parts.
    bool goesOn = !isBehind || llvm::any_of(map.getInputs(), [&](Value input) {
      return mayFold(input);
    });
    if (goesOn && isLinear(map))
      return add(map.getResult());
    if (!isBehind) {
      open.push_back(map);
      return true;
    }
  }
  if (isBehind)
    ends.push_back(&use);
  return isBehind;
}

bool Sum::follow(LoopOp loop, unsigned index) {
  auto carried = dyn_cast<TileType>(loop.getCarried()[index].getType());
  if (!carried || !followLoop(loop, index))
    return false;
  for (unsigned i = 0; i < values.size(); ++i)
    for (OpOperand &use : values[i].getUses())
      if (!followUse(use))
        return false;
  for (MapOp map : open) {
    if (contains(map.getResult()))
      continue;
    if (!isLinear(map) || !add(map.getResult()))
      return false;
    for (OpOperand &use : map.getResult().getUses())
      if (!followUse(use))
        return false;
  }
  if (folds.empty())
    return false;
  // What other operands the maps have must not have the axis of the parts.
  for (Value value : values)
    if (auto map = value.getDefiningOp<MapOp>())
      for (Value input : map.getInputs())
        if (cast<TileType>(input.getType()).axisIndex(axis))
          return false;
  return llvm::all_of(rounds, [&](const Round &round) {
    return (contains(round.from->get()) || isZeros(round.from->get())) &&
           contains(round.back->get());
  });
}

TileType Sum::typeInParts(TileType whole) {
  SmallVector<StringAttr> axes(whole.getAxes());
  SmallVector<int64_t> sizes(whole.getSizes());
  axes.push_back(axis);
  sizes.push_back(parts);
  return TileType::get(whole.getContext(), axes, sizes, whole.getElementType(),
                       LayoutAttr());
}

void Sum::spread() {
  TileType inParts = typeInParts(type);
  for (const Round &round : rounds) {
    if (contains(round.from->get()))
      continue;
    OpBuilder builder(round.from->getOwner());
    Operation *zeros = builder.clone(*round.from->get().getDefiningOp());
    zeros->getResult(0).setType(inParts);
    round.from->set(zeros->getResult(0));
  }
  for (Value value : values)
    value.setType(inParts);
  for (Operation *fold : folds)
    fold->getResult(0).setType(inParts);
  auto sum = cast<ReduceOp>(folds.front());
  for (OpOperand *end : ends) {
    OpBuilder builder(end->getOwner());
    auto whole =
        ReduceOp::create(builder, sum.getLoc(), type, end->get(), axis);
    IRMapping mapping;
    sum.getBody().cloneInto(&whole.getBody(), mapping);
    end->set(whole.getResult());
  }
}

namespace {
struct TileSpreadSums
    : public napkin::tile::impl::TileSpreadSumsPassBase<TileSpreadSums> {
  void runOnOperation() override {
    KernelOp kernel = getOperation();
    std::optional<uint32_t> parts = kernel.getParts();
    if (!parts || *parts < 2)
      return markAllAnalysesPreserved();
    kernel.walk([&](LoopOp loop) {
      for (auto [index, initial] : llvm::enumerate(loop.getInitial())) {
        Sum sum(*parts);
        if (isZeros(initial) && sum.follow(loop, index))
          sum.spread();
      }
    });
  }
};
} // namespace
