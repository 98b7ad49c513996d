//===- PlaceConcats.cpp - arrays one behind the other ---------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Products along what is put together, views of it, and what is left, element
// by element.
//
//===----------------------------------------------------------------------===//

#include "ViewPlacer.h"

using namespace mlir;
using namespace napkin::ncd;

/// The result of \p product before it is rounded.
static ArrayType sumsOf(ContractOp product) {
  return product.getArrayType().withElementType(product.getAccumulatorType());
}

void Placer::multiplyParts(ConcatOp op, ContractOp product) {
  StringAttr whole = op.getIntoAttr();
  Location loc = product.getLoc();
  builder.setInsertionPoint(product);
  SmallVector<Value> sums;
  int64_t from = 0;
  // Parts of one size share a name: what they are made of is then the same.
  DenseMap<int64_t, StringAttr> names;
  for (auto [part, axis] :
       llvm::zip_equal(op.getInputs(), namesOf(op.getAxes()))) {
    int64_t size = typeOf(part).sizeOf(axis);
    StringAttr &own = names[size];
    if (!own)
      own = freshName(whole);
    SmallVector<Value> factors;
    for (Value factor : product.getInputs()) {
      ArrayType type = typeOf(factor);
      if (factor == op.getResult())
        factors.push_back(rename(loc, part, {axis}, {own}));
      else if (type.hasAxis(whole))
        factors.push_back(
            SliceOp::create(builder, loc, replaceAxis(type, whole, own, size),
                            factor, whole, builder.getI64IntegerAttr(from),
                            builder.getI64IntegerAttr(1), own));
      else
        factors.push_back(factor);
    }
    Names over = product.getOverAxes();
    llvm::replace(over, whole, own);
    sums.push_back(
        ContractOp::create(builder, loc, sumsOf(product), factors, over));
    from += size;
  }
  Value sum = MapOp::create(
      builder, loc, product.getArrayType(), sums,
      [&](OpBuilder &b, Location at, ValueRange elements) {
        Value total = elements.front();
        for (Value element : elements.drop_front())
          total = isa<FloatType>(total.getType())
                      ? Value(arith::AddFOp::create(b, at, total, element))
                      : Value(arith::AddIOp::create(b, at, total, element));
        Type stored = product.getArrayType().getElementType();
        if (total.getType() != stored)
          total = arith::TruncFOp::create(b, at, stored, total);
        return total;
      });
  product.getResult().replaceAllUsesWith(sum);
  product.erase();
}

LogicalResult Placer::expandConcat(ConcatOp op) {
  for (Operation *user : llvm::to_vector(op->getUsers())) {
    auto product = dyn_cast<ContractOp>(user);
    if (product && !product.getStart() && product.isOver(op.getIntoAttr()) &&
        llvm::count(product.getInputs(), op.getResult()) == 1)
      multiplyParts(op, product);
  }
  if (!op->use_empty())
    return stack(op);
  op.erase();
  return success();
}

bool Placer::pushAboveConcat(Operation *view, ConcatOp op) {
  StringAttr whole = op.getIntoAttr();
  Names axes = namesOf(op.getAxes());
  Location loc = view->getLoc();
  builder.setInsertionPoint(view);
  // What is seen of another axis is seen of each part.
  auto onParts = [&](StringAttr into, auto see) {
    SmallVector<Value> parts;
    for (auto [part, axis] : llvm::zip_equal(op.getInputs(), axes)) {
      // Names that are made leave that of the part alone.
      StringAttr own = freshName(axis);
      parts.push_back(see(rename(loc, part, {axis}, {own})));
      axis = own;
    }
    SmallVector<Attribute> names(axes.begin(), axes.end());
    return ConcatOp::create(builder, loc, view->getResult(0).getType(), parts,
                            builder.getArrayAttr(names), into)
        .getResult();
  };
  auto find = [&](int64_t position) {
    unsigned number = 0;
    for (auto [part, axis] : llvm::zip_equal(op.getInputs(), axes)) {
      int64_t size = typeOf(part).sizeOf(axis);
      if (position < size)
        break;
      position -= size;
      ++number;
    }
    return std::pair(number, position);
  };
  Value made;
  llvm::TypeSwitch<Operation *>(view)
      .Case([&](RenameOp renaming) {
        Names from = namesOf(renaming.getAxes()),
              to = namesOf(renaming.getInto());
        StringAttr into = whole;
        Names otherFrom, otherTo;
        for (auto [axis, name] : llvm::zip_equal(from, to)) {
          if (axis == whole) {
            into = name;
            continue;
          }
          otherFrom.push_back(axis);
          otherTo.push_back(name);
        }
        made = onParts(into, [&](Value part) {
          return rename(loc, part, otherFrom, otherTo);
        });
      })
      .Case([&](SplitOp split) {
        Names into = namesOf(split.getInto());
        ArrayType type = split.getType();
        if (split.getAxisAttr() != whole)
          made = onParts(whole, [&](Value part) {
            return this->split(loc, part, split.getAxisAttr(), into,
                               sizesOf(type, into));
          });
        else if (into.size() == 1)
          made = onParts(into.front(), [](Value part) { return part; });
      })
      .Case([&](SliceOp slice) {
        ArrayType type = slice.getType();
        StringAttr into = slice.getIntoAttr();
        auto take = [&](Value part, StringAttr axis, int64_t from) -> Value {
          ArrayType seen = typeOf(part);
          seen = into ? replaceAxis(seen, axis, into, type.sizeOf(into))
                      : seen.withoutAxes(axis);
          return SliceOp::create(builder, loc, seen, part, axis,
                                 builder.getI64IntegerAttr(from),
                                 slice.getByAttr(), into);
        };
        auto from = int64_t(slice.getFrom()), by = int64_t(slice.getBy());
        if (slice.getAxisAttr() != whole) {
          made = onParts(whole, [&](Value part) {
            return take(part, slice.getAxisAttr(), from);
          });
          return;
        }
        int64_t last = from + (into ? type.sizeOf(into) - 1 : 0) * by;
        auto [number, first] = find(from);
        if (number == find(last).first) {
          StringAttr own = freshName(axes[number]);
          made =
              take(rename(loc, op.getInputs()[number], {axes[number]}, {own}),
                   own, first);
        }
      });
  if (!made)
    return false;
  // In the order that the view's type has.
  made.setType(view->getResult(0).getType());
  view->getResult(0).replaceAllUsesWith(made);
  view->erase();
  return true;
}

LogicalResult Placer::stack(ConcatOp op) {
  Names axes = namesOf(op.getAxes());
  ArrayType result = op.getType(), first = typeOf(op.getInputs().front());
  int64_t size = first.sizeOf(axes.front()),
          count = int64_t(op.getInputs().size());
  for (auto [input, axis] : llvm::zip_equal(op.getInputs(), axes))
    if (typeOf(input).sizeOf(axis) != size)
      return op.emitError("puts ")
             << size << " positions of axis '" << axes.front().getValue()
             << "' and " << typeOf(input).sizeOf(axis) << " of axis '"
             << axis.getValue()
             << "' one behind the other; parts of different sizes are not "
                "compiled yet: pad the shorter ones, or use them apart";
  // Which part, and where in it.
  builder.setInsertionPoint(op);
  StringAttr part = freshName(op.getIntoAttr()), inner = axes.front();
  SmallVector<Value> parts;
  for (auto [input, axis] : llvm::zip_equal(op.getInputs(), axes))
    parts.push_back(rename(op.getLoc(), input, {axis}, {inner}));
  ArrayType type =
      replaceAxis(result, op.getIntoAttr(), {part, inner}, {count, size});
  Value stacked = MapOp::create(
      builder, op.getLoc(), type, parts,
      [&](OpBuilder &b, Location loc, ValueRange elements) {
        Value position = positionOf(b, loc, part);
        Value chosen = elements.back();
        for (int64_t i = count - 1; i-- > 0;) {
          Value number = arith::ConstantIndexOp::create(b, loc, i);
          Value isThis = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq,
                                               position, number);
          chosen = arith::SelectOp::create(b, loc, isThis, elements[i], chosen);
        }
        return chosen;
      });
  Value joined =
      JoinOp::create(builder, op.getLoc(), result, stacked,
                     builder.getArrayAttr({part, inner}), op.getIntoAttr());
  op.getResult().replaceAllUsesWith(joined);
  op.erase();
  return success();
}
