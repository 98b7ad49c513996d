//===- PlaceViews.cpp - views at the border of a diagram ------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The pass ncd-place-views. Each view moves until it stands where arrays lie in
// memory: splits, renames and slices up through what computes their operand,
// joins down through what reads them. There a view is a first element and
// strides (`ncd.view`).
//
//===----------------------------------------------------------------------===//

#include "ViewPlacer.h"
#include "napkin/Dialect/NCD/Transforms/Passes.h"

namespace napkin::ncd {
#define GEN_PASS_DEF_NCDPLACEVIEWSPASS
#include "napkin/Dialect/NCD/Transforms/Passes.h.inc"
} // namespace napkin::ncd

using namespace mlir;
using namespace napkin::ncd;

StringAttr Placer::freshName(StringAttr axis) {
  for (unsigned i = 2;; ++i) {
    auto name =
        StringAttr::get(context, axis.getValue() + "_" + llvm::Twine(i));
    if (taken.insert(name).second)
      return name;
  }
}

//===----------------------------------------------------------------------===//
// Building views
//===----------------------------------------------------------------------===//

Value Placer::split(Location loc, Value value, StringAttr axis,
                    const Names &into, ArrayRef<int64_t> sizes) {
  ArrayType type = replaceAxis(typeOf(value), axis, into, sizes);
  return SplitOp::create(
      builder, loc, type, value, axis,
      builder.getArrayAttr(SmallVector<Attribute>(into.begin(), into.end())));
}

Value Placer::rename(Location loc, Value value, const Names &from,
                     const Names &to) {
  ArrayType type = typeOf(value);
  Names axes(type.getAxes());
  SmallVector<Attribute> old, fresh;
  for (auto [axis, name] : llvm::zip_equal(from, to)) {
    if (!type.hasAxis(axis) || axis == name)
      continue;
    axes[*type.axisIndex(axis)] = name;
    old.push_back(axis);
    fresh.push_back(name);
  }
  if (old.empty())
    return value;
  return RenameOp::create(
      builder, loc,
      ArrayType::get(context, axes, type.getSizes(), type.getElementType()),
      value, builder.getArrayAttr(old), builder.getArrayAttr(fresh));
}

/// The joined axis stands where the first of \p axes does.
Value Placer::join(Location loc, Value value, const Names &axes,
                   StringAttr into) {
  ArrayType type = typeOf(value);
  int64_t size = 1;
  for (StringAttr axis : axes)
    size *= type.sizeOf(axis);
  Names rest(llvm::drop_begin(axes));
  ArrayType left =
      replaceAxis(type.withoutAxes(rest), axes.front(), into, size);
  return JoinOp::create(
      builder, loc, left, value,
      builder.getArrayAttr(SmallVector<Attribute>(axes.begin(), axes.end())),
      into);
}

Value Placer::copy(Location loc, Value value, ArrayRef<StringAttr> axes) {
  ArrayType type = typeOf(value);
  auto ordered =
      ArrayType::get(context, axes, sizesOf(type, axes), type.getElementType());
  return MapOp::create(
      builder, loc, ordered, value,
      [](OpBuilder &, Location, ValueRange elements) { return elements[0]; });
}

//===----------------------------------------------------------------------===//
// Views of what lies in memory
//===----------------------------------------------------------------------===//

std::optional<Placed> Placer::placementOf(Value value) {
  if (auto view = value.getDefiningOp<ViewOp>())
    return Placed{view.getInput(),
                  {int64_t(view.getFrom()), llvm::to_vector(view.getBy())}};
  if (isa<BlockArgument>(value))
    return Placed{value, {0, typeOf(value).getPlacement()}};
  return std::nullopt;
}

std::optional<Placed> Placer::compose(Operation *view) {
  Value input = view->getOperand(0);
  std::optional<Placed> placed = placementOf(input);
  if (!placed)
    return std::nullopt;
  ArrayType type = typeOf(input), result = typeOf(view->getResult(0));
  llvm::MapVector<StringAttr, int64_t> strides;
  for (auto [axis, stride] :
       llvm::zip_equal(type.getAxes(), placed->placement.by))
    strides[axis] = stride;
  bool fits = true;
  llvm::TypeSwitch<Operation *>(view)
      .Case([&](SplitOp op) {
        int64_t stride = strides[op.getAxisAttr()];
        Names into = namesOf(op.getInto());
        for (StringAttr axis : llvm::reverse(into)) {
          strides[axis] = stride;
          stride *= result.sizeOf(axis);
        }
      })
      .Case([&](JoinOp op) {
        // Without gaps: from the last position of one to the next position of
        // the axis before is one step.
        Names axes = namesOf(op.getAxes());
        std::optional<int64_t> step, next;
        for (StringAttr axis : llvm::reverse(axes)) {
          int64_t size = type.sizeOf(axis), stride = strides[axis];
          if (size == 1)
            continue;
          if (!step)
            step = stride;
          else
            fits &= stride == *next;
          next = stride * size;
        }
        strides[op.getIntoAttr()] = step.value_or(1);
      })
      .Case([&](RenameOp op) {
        auto before = strides;
        for (auto [axis, name] :
             llvm::zip_equal(namesOf(op.getAxes()), namesOf(op.getInto())))
          strides[name] = before[axis];
      })
      .Case([&](SliceOp op) {
        int64_t stride = strides[op.getAxisAttr()];
        placed->placement.from += int64_t(op.getFrom()) * stride;
        if (StringAttr into = op.getIntoAttr())
          strides[into] = int64_t(op.getBy()) * stride;
      });
  if (!fits)
    return std::nullopt;
  placed->placement.by.clear();
  for (StringAttr axis : result.getAxes())
    placed->placement.by.push_back(strides[axis]);
  return placed;
}

void Placer::replaceByView(Operation *view, const Placed &placed) {
  builder.setInsertionPoint(view);
  auto made = ViewOp::create(builder, view->getLoc(),
                             view->getResult(0).getType(), placed.base,
                             builder.getI64IntegerAttr(placed.placement.from),
                             builder.getDenseI64ArrayAttr(placed.placement.by));
  // Who called may still look at it; what nobody uses is erased later.
  view->getResult(0).replaceAllUsesWith(made);
  ++numPlaced;
}

//===----------------------------------------------------------------------===//
// The border
//===----------------------------------------------------------------------===//

/// What is returned is what an operation computes, in the order in which it is
/// to lie; a join of it is the same elements in the same places.
void Placer::placeResults() {
  Operation *terminator = body.getTerminator();
  bool changed = false;
  for (auto [operand, declared] :
       llvm::zip_equal(terminator->getOpOperands(), diagram.getResultTypes())) {
    Value value = operand.get();
    Names order(cast<ArrayType>(declared).getAxes());
    bool isView = value.getDefiningOp<ViewOp>() != nullptr;
    while (auto join = value.getDefiningOp<JoinOp>()) {
      Names wider;
      for (StringAttr axis : order) {
        if (axis == join.getIntoAttr())
          llvm::append_range(wider, namesOf(join.getAxes()));
        else
          wider.push_back(axis);
      }
      order = wider;
      value = join.getInput();
    }
    if (!isView && value.getType() == declared)
      continue;
    // A copy where it lies elsewhere, or in another order for someone else.
    builder.setInsertionPoint(terminator);
    bool inOrder = Names(typeOf(value).getAxes()) == order;
    bool lies = llvm::any_of(value.getUsers(), llvm::IsaPred<ViewOp>);
    bool returned = llvm::count(terminator->getOperands(), value) > 1;
    if (!computes(value.getDefiningOp()) || (!inOrder && (lies || returned)))
      value = copy(terminator->getLoc(), value, order);
    else if (!inOrder)
      value.setType(ArrayType::get(context, order,
                                   sizesOf(typeOf(value), order),
                                   typeOf(value).getElementType()));
    operand.set(value);
    changed |= value.getType() != declared;
  }
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isa<JoinOp>(op) && op.use_empty())
      op.erase();
  if (!changed)
    return;
  diagram->setAttr("ncd.declared", diagram.getFunctionTypeAttr());
  diagram.setFunctionType(FunctionType::get(context, body.getArgumentTypes(),
                                            terminator->getOperandTypes()));
}

/// Arguments with strides are seen as arrays without.
void Placer::placeArguments() {
  for (BlockArgument argument : body.getArguments()) {
    ArrayType type = typeOf(argument);
    if (!type.hasStrides())
      continue;
    SmallVector<OpOperand *> direct;
    for (OpOperand &use : argument.getUses())
      if (!isa<ViewOp>(use.getOwner()))
        direct.push_back(&use);
    if (direct.empty())
      continue;
    builder.setInsertionPointToStart(&body);
    auto view = ViewOp::create(builder, argument.getLoc(),
                               type.withElementType(type.getElementType()),
                               argument, builder.getI64IntegerAttr(0),
                               builder.getDenseI64ArrayAttr(type.getStrides()));
    for (OpOperand *use : direct)
      use->set(view);
    ++numPlaced;
  }
}

/// Axes in the order of memory: the ones that lie closest last.
void Placer::orderViews() {
  for (ViewOp view : body.getOps<ViewOp>()) {
    ArrayType type = view.getType();
    SmallVector<unsigned> order =
        llvm::to_vector(llvm::seq<unsigned>(0, type.getRank()));
    llvm::stable_sort(order, [&](unsigned a, unsigned b) {
      uint64_t x = std::abs(view.getBy()[a]), y = std::abs(view.getBy()[b]);
      // What repeats lies nowhere.
      return (x ? x : UINT64_MAX) > (y ? y : UINT64_MAX);
    });
    Names axes;
    SmallVector<int64_t> sizes, strides;
    for (unsigned index : order) {
      axes.push_back(type.getAxes()[index]);
      sizes.push_back(type.getSizes()[index]);
      strides.push_back(view.getBy()[index]);
    }
    view.getResult().setType(
        ArrayType::get(context, axes, sizes, type.getElementType()));
    view.setBy(strides);
  }
}

LogicalResult Placer::place(Operation *view) {
  Value input = view->getOperand(0);
  if (std::optional<Placed> placed = compose(view)) {
    replaceByView(view, *placed);
    return success();
  }
  if (auto join = dyn_cast<JoinOp>(view))
    return pushDown(join);
  if (auto join = input.getDefiningOp<JoinOp>())
    return pushBelowView(join, view);
  if (auto concat = input.getDefiningOp<ConcatOp>())
    return success(pushAboveConcat(view, concat) || succeeded(stack(concat)));
  Operation *op = input.getDefiningOp();
  if (!computes(op))
    return view->emitError("sees what '")
           << op->getName() << "' gives, which has no place in memory yet; "
           << "put the view into the kernel that reads it";
  bool alone = input.hasOneUse();
  if (!alone && isa<SplitOp>(view)) {
    // The others see the parts as one axis again.
    auto split = cast<SplitOp>(view);
    builder.setInsertionPointAfter(view);
    Names parts = namesOf(split.getInto());
    Value whole =
        join(view->getLoc(), split.getResult(), parts, split.getAxisAttr());
    whole.setType(input.getType());
    input.replaceAllUsesExcept(
        whole, SmallPtrSet<Operation *, 2>{view, whole.getDefiningOp()});
    // Uses stand behind the new operations.
    view->moveAfter(op);
    whole.getDefiningOp()->moveAfter(view);
    alone = true;
  }
  if (alone) {
    pushUp(view);
    return success();
  }
  // Others read the whole: it goes through memory.
  replaceByView(view, {input, {0, typeOf(input).getPlacement()}});
  return success();
}

LogicalResult Placer::run() {
  bool any = llvm::any_of(body.getArguments(), [](BlockArgument argument) {
    return typeOf(argument).hasStrides();
  });
  for (Operation &op : body) {
    any |= isNamedView(&op) || isa<ConcatOp>(op);
    for (Value result : op.getResults())
      if (auto type = dyn_cast<ArrayType>(result.getType()))
        taken.insert(type.getAxes().begin(), type.getAxes().end());
  }
  if (!any)
    return success();
  for (BlockArgument argument : body.getArguments())
    taken.insert(typeOf(argument).getAxes().begin(),
                 typeOf(argument).getAxes().end());
  // Each step moves a view towards a border.
  auto next = [&]() -> Operation * {
    for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
      if ((isNamedView(&op) || isa<ConcatOp>(op)) && op.use_empty())
        op.erase();
    // What is seen of parts first: then nobody else reads the parts.
    for (Operation &op : body)
      if (isNamedView(&op) && !isa<JoinOp>(op) &&
          op.getOperand(0).getDefiningOp<ConcatOp>())
        return &op;
    for (Operation &op : body) {
      if (!isNamedView(&op))
        continue;
      bool returned = isa<JoinOp>(op) &&
                      llvm::all_of(op.getUsers(), llvm::IsaPred<ReturnOp>) &&
                      !compose(&op);
      if (!returned)
        return &op;
    }
    return nullptr;
  };
  while (true) {
    if (Operation *view = next()) {
      if (failed(place(view)))
        return failure();
      continue;
    }
    auto concats = body.getOps<ConcatOp>();
    if (concats.empty())
      break;
    // The last one first: what it is made of is still put together.
    if (failed(expandConcat(llvm::to_vector(concats).back())))
      return failure();
  }
  placeArguments();
  placeResults();
  orderViews();
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(body)))
    if (isa<ViewOp>(op) && op.use_empty())
      op.erase();
  return success();
}

namespace {

struct NCDPlaceViews : napkin::ncd::impl::NCDPlaceViewsPassBase<NCDPlaceViews> {
  void runOnOperation() override {
    WalkResult walk = getOperation()->walk([&](DiagramOp diagram) {
      if (diagram.isExternal())
        return WalkResult::skip();
      Placer placer(diagram);
      if (failed(placer.run()))
        return WalkResult::interrupt();
      numPlaced += placer.numPlaced;
      return WalkResult::skip();
    });
    if (walk.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
