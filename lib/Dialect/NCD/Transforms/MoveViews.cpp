//===- MoveViews.cpp - views move through operations ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Up through what computes their operand, or down below what reads them: lists
// of axes, positions and names in the operations follow.
//
//===----------------------------------------------------------------------===//

#include "ViewPlacer.h"

using namespace mlir;
using namespace napkin::ncd;

//===----------------------------------------------------------------------===//
// Positions and lists of axes inside operations
//===----------------------------------------------------------------------===//

/// Replaces what \p map asks of the position along \p axis.
static void
replacePositions(Operation *op, StringAttr axis,
                 llvm::function_ref<Value(OpBuilder &, Location)> position) {
  auto map = dyn_cast<MapOp>(op);
  if (!map)
    return;
  for (IndexOp index :
       llvm::to_vector(map.getBody().front().getOps<IndexOp>())) {
    if (index.getAxisAttr() != axis)
      continue;
    OpBuilder builder(index);
    Value value = position(builder, index.getLoc());
    index.replaceAllUsesWith(value);
    index.erase();
  }
}

/// The position along axes that are joined, the last one changing fastest.
static Value joinedPosition(OpBuilder &builder, Location loc,
                            ArrayRef<StringAttr> axes,
                            ArrayRef<int64_t> sizes) {
  Value position;
  for (auto [axis, size] : llvm::zip_equal(axes, sizes)) {
    Value own = positionOf(builder, loc, axis);
    if (position) {
      Value count = arith::ConstantIndexOp::create(builder, loc, size);
      position = arith::MulIOp::create(builder, loc, position, count);
      own = arith::AddIOp::create(builder, loc, position, own);
    }
    position = own;
  }
  return position;
}

/// Replaces \p axis in the axes over which \p op sums or reduces.
static void replaceOver(Operation *op, StringAttr axis,
                        ArrayRef<StringAttr> axes) {
  auto over = op->getAttrOfType<ArrayAttr>("over");
  if (!over)
    return;
  SmallVector<Attribute> names;
  for (StringAttr name : over.getAsRange<StringAttr>()) {
    if (name == axis)
      names.append(axes.begin(), axes.end());
    else
      names.push_back(name);
  }
  op->setAttr("over", ArrayAttr::get(op->getContext(), names));
}

Operation *Placer::freeNames(Operation *op, ArrayRef<StringAttr> names,
                             ArrayRef<StringAttr> kept) {
  Names old, fresh;
  llvm::SetVector<StringAttr> own;
  for (Value operand : op->getOperands())
    own.insert(typeOf(operand).getAxes().begin(),
               typeOf(operand).getAxes().end());
  own.insert(typeOf(op->getResult(0)).getAxes().begin(),
             typeOf(op->getResult(0)).getAxes().end());
  for (StringAttr name : names)
    if (own.contains(name) && !llvm::is_contained(kept, name)) {
      old.push_back(name);
      fresh.push_back(freshName(name));
    }
  if (old.empty())
    return op;
  builder.setInsertionPoint(op);
  for (OpOperand &operand : op->getOpOperands())
    operand.set(rename(op->getLoc(), operand.get(), old, fresh));
  for (auto [axis, name] : llvm::zip_equal(old, fresh)) {
    replaceOver(op, axis, name);
    replacePositions(op, axis, [name = name](OpBuilder &b, Location loc) {
      return positionOf(b, loc, name);
    });
  }
  // What reads the result goes on calling its axes as before.
  Value result = op->getResult(0);
  ArrayType type = typeOf(result);
  Names axes(type.getAxes());
  bool carries = false;
  for (auto [axis, name] : llvm::zip_equal(old, fresh))
    if (type.hasAxis(axis)) {
      axes[*type.axisIndex(axis)] = name;
      carries = true;
    }
  if (!carries)
    return op;
  builder.setInsertionPointAfter(op);
  result.setType(
      ArrayType::get(context, axes, type.getSizes(), type.getElementType()));
  Value renamed = rename(op->getLoc(), result, fresh, old);
  result.replaceAllUsesExcept(renamed, renamed.getDefiningOp());
  return op;
}

//===----------------------------------------------------------------------===//
// Up
//===----------------------------------------------------------------------===//

void Placer::pushUp(Operation *view) {
  Operation *op = view->getOperand(0).getDefiningOp();
  Value result = op->getResult(0);
  ArrayType wanted = typeOf(view->getResult(0));
  // Axes that the operation sums, or repeats its operands along, make room for
  // those that the view makes.
  Names made;
  for (StringAttr axis : wanted.getAxes())
    if (!typeOf(result).hasAxis(axis) || isa<RenameOp>(view))
      made.push_back(axis);
  freeNames(op, made, typeOf(result).getAxes());

  builder.setInsertionPoint(op);
  Location loc = view->getLoc();
  // In place: where the result lies in memory stays what it is.
  ArrayType type = typeOf(result);
  auto onOperands = [&](StringAttr axis, auto see) {
    for (OpOperand &operand : op->getOpOperands())
      if (typeOf(operand.get()).hasAxis(axis))
        operand.set(see(operand.get()));
  };
  llvm::TypeSwitch<Operation *>(view)
      .Case([&](SplitOp split) {
        Names into = namesOf(split.getInto());
        SmallVector<int64_t> sizes = sizesOf(wanted, into);
        onOperands(split.getAxisAttr(), [&](Value operand) {
          return this->split(loc, operand, split.getAxisAttr(), into, sizes);
        });
        replacePositions(op, split.getAxisAttr(),
                         [&](OpBuilder &b, Location at) {
                           return joinedPosition(b, at, into, sizes);
                         });
        type = replaceAxis(type, split.getAxisAttr(), into, sizes);
      })
      .Case([&](RenameOp renaming) {
        Names from = namesOf(renaming.getAxes()),
              to = namesOf(renaming.getInto());
        for (OpOperand &operand : op->getOpOperands())
          operand.set(rename(loc, operand.get(), from, to));
        // All at once: names may change places.
        DenseMap<StringAttr, StringAttr> names;
        for (auto [axis, name] : llvm::zip_equal(from, to))
          names[axis] = name;
        if (auto map = dyn_cast<MapOp>(op))
          for (auto index : map.getBody().front().getOps<IndexOp>())
            if (StringAttr name = names.lookup(index.getAxisAttr()))
              index.setAxisAttr(name);
        Names axes(type.getAxes());
        for (StringAttr &axis : axes)
          axis = names.lookup_or(axis, axis);
        type = ArrayType::get(context, axes, type.getSizes(),
                              type.getElementType());
      })
      .Case([&](SliceOp slice) {
        StringAttr axis = slice.getAxisAttr(), into = slice.getIntoAttr();
        onOperands(axis, [&](Value operand) -> Value {
          ArrayType part = typeOf(operand);
          part = into ? replaceAxis(part, axis, into, wanted.sizeOf(into))
                      : part.withoutAxes(axis);
          return SliceOp::create(builder, loc, part, operand, axis,
                                 slice.getFromAttr(), slice.getByAttr(), into);
        });
        replacePositions(op, axis, [&](OpBuilder &b, Location at) -> Value {
          Value from = arith::ConstantIndexOp::create(b, at, slice.getFrom());
          if (!into)
            return from;
          Value by = arith::ConstantIndexOp::create(b, at, slice.getBy());
          Value step =
              arith::MulIOp::create(b, at, positionOf(b, at, into), by);
          return arith::AddIOp::create(b, at, from, step);
        });
        type = into ? replaceAxis(type, axis, into, wanted.sizeOf(into))
                    : type.withoutAxes(axis);
      });
  result.setType(type);
  view->getResult(0).replaceAllUsesWith(result);
  view->erase();
}

//===----------------------------------------------------------------------===//
// Down
//===----------------------------------------------------------------------===//

LogicalResult Placer::pushDown(JoinOp join) {
  // What is returned stands at the border: placeResults.
  while (true) {
    auto users = join->getUsers();
    auto found = llvm::find_if_not(users, llvm::IsaPred<ReturnOp>);
    if (found == users.end())
      break;
    Operation *user = *found;
    if (auto concat = dyn_cast<ConcatOp>(user)) {
      if (failed(stack(concat)))
        return failure();
      continue;
    }
    if (failed(computes(user) ? pushBelow(join, user)
                              : pushBelowView(join, user)))
      return failure();
  }
  if (join->use_empty())
    join.erase();
  return success();
}

LogicalResult Placer::pushBelow(JoinOp join, Operation *user) {
  Names axes = namesOf(join.getAxes());
  StringAttr into = join.getIntoAttr();
  Value input = join.getInput();
  Location loc = join.getLoc();
  // Other wires of these names step aside.
  Names clashes;
  for (StringAttr axis : axes)
    for (Value operand : user->getOperands())
      if (operand != join.getResult() && typeOf(operand).hasAxis(axis) &&
          !llvm::is_contained(clashes, axis))
        clashes.push_back(axis);
  for (StringAttr axis : axes)
    if (typeOf(user->getResult(0)).hasAxis(axis) && axis != into &&
        !llvm::is_contained(clashes, axis))
      clashes.push_back(axis);
  if (!clashes.empty()) {
    Names fresh;
    for (StringAttr axis : clashes)
      fresh.push_back(freshName(axis));
    builder.setInsertionPoint(join);
    input = rename(loc, input, clashes, fresh);
    for (StringAttr &axis : axes)
      for (auto [old, name] : llvm::zip_equal(clashes, fresh))
        if (axis == old)
          axis = name;
  }
  SmallVector<int64_t> sizes = sizesOf(typeOf(input), axes);
  builder.setInsertionPoint(user);
  for (OpOperand &operand : user->getOpOperands()) {
    if (operand.get() == join.getResult())
      operand.set(input);
    else if (typeOf(operand.get()).hasAxis(into))
      operand.set(split(loc, operand.get(), into, axes, sizes));
  }
  replaceOver(user, into, axes);
  replacePositions(user, into, [&](OpBuilder &b, Location at) {
    return joinedPosition(b, at, axes, sizes);
  });
  Value result = user->getResult(0);
  if (!typeOf(result).hasAxis(into))
    return success();
  result.setType(replaceAxis(typeOf(result), into, axes, sizes));
  builder.setInsertionPointAfter(user);
  Value joined = this->join(loc, result, axes, into);
  result.replaceAllUsesExcept(joined, joined.getDefiningOp());
  return success();
}

/// Sizes whose products, of neighbours, give both \p a and \p b; nullopt where
/// a boundary of one cuts the other.
static std::optional<SmallVector<int64_t>> refine(ArrayRef<int64_t> a,
                                                  ArrayRef<int64_t> b) {
  SmallVector<int64_t> left(llvm::reverse(a)), right(llvm::reverse(b)), fine;
  while (!left.empty() && !right.empty()) {
    int64_t &x = left.back(), &y = right.back();
    int64_t outer = std::min(x, y), whole = std::max(x, y);
    // Read from the fastest end both must divide; from the slowest, the larger
    // is the smaller one times what is left of it.
    if (whole % outer)
      return std::nullopt;
    fine.push_back(outer);
    int64_t rest = whole / outer;
    bool leftRest = x > y, rightRest = y > x;
    left.pop_back();
    right.pop_back();
    if (leftRest)
      left.push_back(rest);
    if (rightRest)
      right.push_back(rest);
  }
  // What is left are axes of one position.
  for (int64_t size : llvm::concat<int64_t>(left, right))
    fine.push_back(size);
  return fine;
}

LogicalResult Placer::pushBelowView(JoinOp join, Operation *user) {
  Names axes = namesOf(join.getAxes());
  StringAttr into = join.getIntoAttr();
  ArrayType input = typeOf(join.getInput());
  Location loc = user->getLoc();
  builder.setInsertionPoint(user);
  Value made;
  if (auto outer = dyn_cast<JoinOp>(user)) {
    // Of [h, d] into e, then [e, f] into g: of [h, d, f] into g. An axis that
    // is joined with others keeps its parts beside it otherwise.
    Names outerAxes = namesOf(outer.getAxes()), flat;
    if (llvm::is_contained(outerAxes, into)) {
      for (StringAttr axis : outerAxes) {
        if (axis == into)
          llvm::append_range(flat, axes);
        else
          flat.push_back(axis);
      }
      bool clash = llvm::any_of(axes, [&](StringAttr axis) {
        return typeOf(join).hasAxis(axis) && axis != into;
      });
      if (!clash)
        made = this->join(loc, join.getInput(), flat, outer.getIntoAttr());
    }
  } else if (auto split = dyn_cast<SplitOp>(user)) {
    Names parts = namesOf(split.getInto());
    std::optional<SmallVector<int64_t>> fine =
        split.getAxisAttr() == into
            ? refine(sizesOf(input, axes),
                     sizesOf(typeOf(split.getResult()), parts))
            : std::nullopt;
    if (fine) {
      Names names;
      for (size_t i = 0; i < fine->size(); ++i)
        names.push_back(freshName(into));
      // Each axis of the join into its factors, then the factors of each part.
      auto factorsOf = [&](int64_t size, size_t &next, bool isLast) {
        Names factors;
        for (int64_t product = 1; next < fine->size();) {
          if (product == size && !isLast &&
              !((*fine)[next] == 1 && factors.empty()))
            break;
          product *= (*fine)[next];
          factors.push_back(names[next++]);
        }
        return factors;
      };
      Value value = join.getInput();
      size_t next = 0;
      for (StringAttr axis : axes) {
        size_t first = next;
        Names factors =
            factorsOf(input.sizeOf(axis), next, axis == axes.back());
        if (factors.empty())
          return user->emitError("the parts of axis '")
                 << into.getValue() << "' are not found";
        value = this->split(loc, value, axis, factors,
                            ArrayRef(*fine).slice(first, next - first));
      }
      next = 0;
      for (StringAttr part : parts) {
        Names factors = factorsOf(typeOf(split.getResult()).sizeOf(part), next,
                                  part == parts.back());
        if (factors.empty())
          return user->emitError("the parts of axis '")
                 << part.getValue() << "' are not found";
        value = factors.size() == 1 ? rename(loc, value, factors, {part})
                                    : this->join(loc, value, factors, part);
      }
      made = value;
    }
  } else if (auto renamed = dyn_cast<RenameOp>(user)) {
    Names from = namesOf(renamed.getAxes()), to = namesOf(renamed.getInto());
    Names fresh = axes;
    for (StringAttr &axis : fresh)
      axis = freshName(axis);
    Value value = rename(loc, join.getInput(), axes, fresh);
    StringAttr name = into;
    Names restFrom, restTo;
    for (auto [axis, other] : llvm::zip_equal(from, to)) {
      if (axis == into) {
        name = other;
        continue;
      }
      restFrom.push_back(axis);
      restTo.push_back(other);
    }
    value = rename(loc, value, restFrom, restTo);
    made = this->join(loc, value, fresh, name);
  } else if (auto slice = dyn_cast<SliceOp>(user);
             slice && slice.getAxisAttr() != into &&
             !llvm::is_contained(axes, slice.getIntoAttr())) {
    StringAttr axis = slice.getAxisAttr(), part = slice.getIntoAttr();
    ArrayType type = part ? replaceAxis(input, axis, part,
                                        typeOf(slice.getResult()).sizeOf(part))
                          : input.withoutAxes(axis);
    Value value = SliceOp::create(builder, loc, type, join.getInput(), axis,
                                  slice.getFromAttr(), slice.getByAttr(), part);
    made = this->join(loc, value, axes, into);
  }
  if (made) {
    // In the order that the user's type has.
    made.setType(user->getResult(0).getType());
    user->getResult(0).replaceAllUsesWith(made);
    user->erase();
    return success();
  }
  // Through memory: there the joined axes lie side by side.
  builder.setInsertionPoint(join);
  Names order;
  for (StringAttr axis : typeOf(join).getAxes()) {
    if (axis == into)
      llvm::append_range(order, axes);
    else
      order.push_back(axis);
  }
  Value copied = copy(join.getLoc(), join.getInput(), order);
  ArrayType joined = typeOf(join);
  replaceByView(join, {copied, {0, joined.getPlacement()}});
  return success();
}
