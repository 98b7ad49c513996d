//===- AssignLayouts.cpp - The pass tile-assign-layouts -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Dialect/Tile/IR/Positions.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace napkin;
using namespace napkin::layout;
using namespace napkin::tile;

namespace napkin::tile {
#define GEN_PASS_DEF_TILEASSIGNLAYOUTSPASS
#include "napkin/Dialect/Tile/Transforms/Passes.h.inc"
} // namespace napkin::tile

namespace {

/// The layouts of one kernel while they are being decided.
class Assignment {
public:
  explicit Assignment(KernelOp kernel)
      : kernel(kernel), warpBits(log2Exact(kernel.getWarps())) {}

  void run() {
    kernel.walk([&](MmaOp op) {
      decide(op.getResult(), fragment(op, target::Operand::Accumulator));
    });
    settle();
    kernel.walk([&](MmaOp op) {
      wish(op.getA(), fragment(op, target::Operand::A));
      wish(op.getB(), fragment(op, target::Operand::B));
    });
    settle();
    // What is computed for a change of layout: in pieces that its widest part
    // can be read and written in.
    kernel.walk([&](ConvertOp op) {
      TileType type = op.getInput().getType();
      decide(op.getInput(),
             target::blockedLayout(type.getShape(),
                                   widestAccess / widestElement(op.getInput()),
                                   warpBits));
    });
    settle();
    for (Value value : inOrderOfRank())
      if (!layouts.count(value)) {
        decide(value, defaultLayout(value));
        settle();
      }
    apply();
    reconcile();
  }

private:
  static TileType typeOf(Value value) {
    return cast<TileType>(value.getType());
  }

  /// How warps share the rows and columns of a product.
  target::WarpGrid gridOf(MmaOp op) {
    if (std::optional<ArrayRef<int64_t>> warps = op.getWarps())
      return {log2Exact((*warps)[0]), log2Exact((*warps)[1])};
    TileType type = typeOf(op.getResult());
    unsigned rows = type.getShape().coreBits(*type.axisIndex(op.getRowAxis()));
    unsigned least = log2Exact(op.getMatrixInstruction().rows());
    unsigned rowBits = std::min(warpBits, rows - std::min(rows, least));
    return {rowBits, warpBits - rowBits};
  }

  LinearLayout fragment(MmaOp op, target::Operand operand) {
    StringAttr rows = op.getRowAxis(), columns = op.getColumnAxis(),
               summed = op.getSummedAxis();
    auto layout = [&](Value value, const target::Fragment &fragment,
                      StringAttr first, StringAttr second) {
      TileType type = typeOf(value);
      return target::tileLayout(
          fragment, operand, type.getShape(),
          {*type.axisIndex(first), *type.axisIndex(second)}, gridOf(op));
    };
    const target::MatrixInstruction &row = op.getMatrixInstruction();
    switch (operand) {
    case target::Operand::A:
      return layout(op.getA(), row.aFragment, rows, summed);
    case target::Operand::B:
      return layout(op.getB(), row.bFragment, columns, summed);
    case target::Operand::Accumulator:
      return layout(op.getResult(), row.accumulatorFragment, rows, columns);
    }
    return {};
  }

  void decide(Value value, const LinearLayout &layout) {
    if (layouts.try_emplace(value, layout).second)
      worklist.insert(value);
  }

  /// Decides a value and what it is computed from, as far as that is open; what
  /// is decided already will be converted.
  void wish(Value value, const LinearLayout &layout) {
    if (!layouts.count(value))
      decide(value, layout);
  }

  LinearLayout slice(Value value, TileType smaller) {
    TileType type = typeOf(value);
    return layouts[value].slice(type.getShape(), smaller.getShape(),
                                type.axisMapTo(smaller));
  }

  /// Spreads decisions to neighbours until nothing changes.
  void settle() {
    while (!worklist.empty()) {
      Value value = worklist.pop_back_val();
      if (Operation *op = value.getDefiningOp())
        spreadToOperands(op, value);
      else if (auto argument = dyn_cast<BlockArgument>(value))
        spreadFromArgument(argument);
      for (OpOperand &use : value.getUses())
        spreadToUser(use);
    }
  }

  void spreadFromArgument(BlockArgument argument) {
    auto loop = dyn_cast<LoopOp>(argument.getOwner()->getParentOp());
    if (loop)
      spreadAroundLoop(loop,
                       argument.getArgNumber() - (loop.getTrip() ? 2 : 1));
  }

  void spreadToOperands(Operation *op, Value value) {
    if (auto loop = dyn_cast<LoopOp>(op))
      return spreadAroundLoop(loop, cast<OpResult>(value).getResultNumber());
    if (auto when = dyn_cast<WhenOp>(op))
      return spreadOverWhen(when, cast<OpResult>(value).getResultNumber());
    if (auto mma = dyn_cast<MmaOp>(op))
      return wish(mma.getAccumulator(), layouts[value]);
    if (auto map = dyn_cast<MapOp>(op))
      for (Value input : map.getInputs())
        if (!fixedElsewhere(input))
          wish(input, slice(value, typeOf(input)));
  }

  /// A load that feeds a matrix instruction is read for that first; other users
  /// read it again in their own layout.
  bool fixedElsewhere(Value value) {
    if (!value.getDefiningOp<LoadOp>())
      return false;
    return llvm::any_of(value.getUsers(), [&](Operation *user) {
      auto mma = dyn_cast<MmaOp>(user);
      return mma && mma.getAccumulator() != value;
    });
  }

  void spreadToUser(OpOperand &use) {
    Operation *user = use.getOwner();
    Value value = use.get();
    if (auto map = dyn_cast<MapOp>(user)) {
      // An operand with all axes of the result, in whatever order.
      if (use.getOperandNumber() < map.getInputs().size() &&
          typeOf(value).getRank() == typeOf(map.getResult()).getRank())
        wish(map.getResult(), slice(value, typeOf(map.getResult())));
    } else if (auto reduce = dyn_cast<ReduceOp>(user)) {
      wish(reduce.getResult(), reduce.foldedLayout(layouts[value]));
    } else if (auto loop = dyn_cast<LoopOp>(user)) {
      spreadAroundLoop(loop, use.getOperandNumber() -
                                 loop.getInitial().getBeginOperandIndex());
    } else if (auto next = dyn_cast<NextOp>(user)) {
      if (auto when = dyn_cast<WhenOp>(next->getParentOp()))
        spreadOverWhen(when, use.getOperandNumber());
      else
        spreadAroundLoop(cast<LoopOp>(next->getParentOp()),
                         use.getOperandNumber());
    } else if (auto when = dyn_cast<WhenOp>(user)) {
      if (use.getOperandNumber() > 0)
        spreadOverWhen(when, use.getOperandNumber() - 1);
    }
  }

  /// A tile has one layout, whether it is computed anew or not.
  void spreadOverWhen(WhenOp when, unsigned index) {
    Value same[] = {when.getOtherwise()[index], when.getResult(index),
                    when.getYielded()[index]};
    for (Value source : same)
      if (layouts.count(source)) {
        LinearLayout layout = layouts[source];
        for (Value value : same)
          wish(value, layout);
        return;
      }
  }

  /// A loop carries a value in one layout: the one in which the body makes it.
  void spreadAroundLoop(LoopOp loop, unsigned index) {
    Value carried[] = {loop.getNext().getValues()[index],
                       loop.getCarried()[index], loop.getLast()[index],
                       loop.getInitial()[index]};
    for (Value source : carried)
      if (layouts.count(source)) {
        LinearLayout layout = layouts[source];
        for (Value value : carried)
          wish(value, layout);
        return;
      }
  }

  /// All tiles, those of more axes first, so that slices follow them.
  SmallVector<Value> inOrderOfRank() {
    SmallVector<Value> values;
    auto add = [&](Value value) {
      if (isa<TileType>(value.getType()))
        values.push_back(value);
    };
    kernel.walk<WalkOrder::PreOrder>([&](Operation *op) {
      for (Value value : op->getResults())
        add(value);
      for (Region &region : op->getRegions())
        for (Block &block : region)
          for (Value value : block.getArguments())
            add(value);
    });
    llvm::stable_sort(values, [&](Value a, Value b) {
      return typeOf(a).getRank() > typeOf(b).getRank();
    });
    return values;
  }

  /// Bytes of the widest element among a tile and the tiles of as many axes
  /// that maps make it of.
  static unsigned widestElement(Value value) {
    unsigned bytes = bytesOf(typeOf(value).getElementType());
    if (auto map = value.getDefiningOp<MapOp>())
      for (Value input : map.getInputs())
        if (typeOf(input).getRank() == typeOf(value).getRank())
          bytes = std::max(bytes, widestElement(input));
    return bytes;
  }

  LinearLayout defaultLayout(Value value) {
    TileType type = typeOf(value);
    unsigned vector = widestAccess / bytesOf(type.getElementType());
    if (auto load = value.getDefiningOp<LoadOp>())
      vector = vectorOf(load.getViewOp(), load);
    return target::blockedLayout(type.getShape(), vector, warpBits);
  }

  void apply() {
    for (auto &[value, layout] : layouts)
      value.setType(typeOf(value).withLayout(layout));
  }

  Value convert(OpBuilder &builder, Location loc, Value value,
                const LinearLayout &layout) {
    Type type = typeOf(value).withLayout(layout);
    if (value.getType() == type)
      return value;
    // A load is read once more instead: from shared memory when it is staged.
    return ConvertOp::create(builder, loc, type, value);
  }

  /// Puts conversions where an operand is not where its user wants it.
  void reconcile() {
    SmallVector<Operation *> ops;
    kernel.walk([&](Operation *op) { ops.push_back(op); });
    for (Operation *op : ops) {
      OpBuilder builder(op);
      auto want = [&](OpOperand &operand, const LinearLayout &layout) {
        operand.set(convert(builder, op->getLoc(), operand.get(), layout));
      };
      if (auto mma = dyn_cast<MmaOp>(op)) {
        want(mma.getAMutable(), fragment(mma, target::Operand::A));
        want(mma.getBMutable(), fragment(mma, target::Operand::B));
        want(mma.getAccumulatorMutable(),
             typeOf(mma.getResult()).getLayout().getLayout());
      } else if (auto map = dyn_cast<MapOp>(op)) {
        for (OpOperand &operand : map.getInputsMutable())
          want(operand, slice(map.getResult(), typeOf(operand.get())));
      } else if (auto reduce = dyn_cast<ReduceOp>(op)) {
        LinearLayout result = reduce.foldedLayout(layouts[reduce.getInput()]);
        LinearLayout decided =
            typeOf(reduce.getResult()).getLayout().getLayout();
        if (result != decided) {
          auto old = reduce.getResult();
          Type oldType = old.getType();
          old.setType(typeOf(old).withLayout(result));
          builder.setInsertionPointAfter(op);
          auto back = ConvertOp::create(builder, op->getLoc(), oldType, old);
          old.replaceAllUsesExcept(back, back);
          layouts[old] = result;
        }
      } else if (auto loop = dyn_cast<LoopOp>(op)) {
        for (auto [operand, argument] :
             llvm::zip(loop.getInitialMutable(), loop.getCarried()))
          if (isa<TileType>(argument.getType()))
            want(operand, typeOf(argument).getLayout().getLayout());
      } else if (auto when = dyn_cast<WhenOp>(op)) {
        for (auto [operand, result] :
             llvm::zip(when.getOtherwiseMutable(), when.getResults()))
          want(operand, typeOf(result).getLayout().getLayout());
      } else if (auto next = dyn_cast<NextOp>(op);
                 next && isa<WhenOp>(op->getParentOp())) {
        for (auto [operand, result] : llvm::zip(
                 next.getValuesMutable(), op->getParentOp()->getResults()))
          want(operand, typeOf(result).getLayout().getLayout());
      } else if (auto next = dyn_cast<NextOp>(op)) {
        auto loop = cast<LoopOp>(op->getParentOp());
        for (auto [operand, argument] :
             llvm::zip(next.getValuesMutable(), loop.getCarried()))
          if (isa<TileType>(argument.getType()))
            want(operand, typeOf(argument).getLayout().getLayout());
      } else if (auto store = dyn_cast<StoreOp>(op)) {
        TileType type = typeOf(store.getTile());
        unsigned vector = vectorOf(store.getViewOp(), store);
        unsigned run =
            1u << type.getLayout().getLayout().contiguousRegisterBits();
        if (type.getRank() >= 2 && run < vector)
          want(store.getTileMutable(),
               target::blockedLayout(type.getShape(), vector, warpBits));
      }
    }
  }

  KernelOp kernel;
  unsigned warpBits;
  llvm::MapVector<Value, LinearLayout> layouts;
  llvm::SetVector<Value> worklist;
};

struct TileAssignLayouts
    : public napkin::tile::impl::TileAssignLayoutsPassBase<TileAssignLayouts> {
  using TileAssignLayoutsPassBase::TileAssignLayoutsPassBase;

  void runOnOperation() override {
    const target::TargetDescription *description = target::lookupTarget(target);
    if (!description) {
      getOperation().emitError() << "unknown target '" << target
                                 << "'; known are " << target::knownTargets();
      return signalPassFailure();
    }
    WalkResult known = getOperation().walk([&](MmaOp op) {
      if (description->find(op.getInstruction()))
        return WalkResult::advance();
      op.emitError() << description->name << " has no instruction '"
                     << op.getInstruction() << "'";
      return WalkResult::interrupt();
    });
    if (known.wasInterrupted())
      return signalPassFailure();
    Assignment(getOperation()).run();
  }
};

} // namespace
