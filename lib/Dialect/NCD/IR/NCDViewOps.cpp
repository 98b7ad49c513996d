//===- NCDViewOps.cpp - axes seen in another way --------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks and folds of the operations in NCDViewOps.td.
//===----------------------------------------------------------------------===//

#include "OpChecks.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Dialect/NCD/IR/Views.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace napkin::ncd;

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

static ArrayType typeOf(Value value) {
  return cast<ArrayType>(value.getType());
}

/// Checks that \p input carries \p axes, each named once.
static LogicalResult verifyTaken(Operation *op, StringRef what, ArrayType input,
                                 ArrayRef<StringAttr> axes) {
  for (auto [index, axis] : llvm::enumerate(axes)) {
    if (llvm::is_contained(axes.take_front(index), axis))
      return op->emitOpError("names axis '")
             << axis.getValue() << "' twice; name it once";
    if (!input.hasAxis(axis))
      return op->emitOpError()
             << what << " does not carry axis '" << axis.getValue() << "'";
    if (ShapedType::isDynamic(input.sizeOf(axis)))
      return op->emitOpError("needs the size of axis '")
             << axis.getValue() << "', but it is ?; make it static";
  }
  return success();
}

/// Checks that \p names are identifiers that differ from each other and from
/// the axes of \p input that are not \p taken.
static LogicalResult verifyNew(Operation *op, ArrayType input,
                               ArrayRef<StringAttr> taken,
                               ArrayRef<StringAttr> names) {
  for (auto [index, name] : llvm::enumerate(names)) {
    if (!isAxisName(name))
      return op->emitOpError("makes an axis named \"")
             << name.getValue()
             << "\"; a name is a letter or '_', then letters, digits and '_'";
    if (llvm::is_contained(names.take_front(index), name))
      return op->emitOpError("makes axis '")
             << name.getValue() << "' twice; name the second one otherwise";
    if (input.hasAxis(name) && !llvm::is_contained(taken, name))
      return op->emitOpError("makes axis '")
             << name.getValue()
             << "', which the operand carries already; name it otherwise";
  }
  return success();
}

/// Checks that \p result carries the axes of \p input without \p taken, and
/// \p made with their sizes, and holds the same elements.
static LogicalResult verifySeen(Operation *op, ArrayType input,
                                ArrayRef<StringAttr> taken,
                                ArrayRef<std::pair<StringAttr, int64_t>> made,
                                ArrayType result) {
  ArrayType rest = input.withoutAxes(taken);
  SmallVector<StringAttr> axes(rest.getAxes());
  SmallVector<int64_t> sizes(rest.getSizes());
  for (auto [axis, size] : made) {
    axes.push_back(axis);
    sizes.push_back(size);
  }
  for (auto [axis, size] : llvm::zip_equal(axes, sizes)) {
    if (!result.hasAxis(axis))
      return op->emitOpError("the result lacks axis '")
             << axis.getValue() << "'; add " << axisText(axis, size)
             << " to its type";
    if (result.sizeOf(axis) != size)
      return op->emitOpError("axis '")
             << axis.getValue() << "' of the result has "
             << axisText(axis, result.sizeOf(axis)) << " where there are "
             << axisText(axis, size);
  }
  for (StringAttr axis : result.getAxes())
    if (!llvm::is_contained(axes, axis))
      return op->emitOpError("the result carries axis '")
             << axis.getValue()
             << "', which this makes of no axis; drop it from its type";
  if (result.getElementType() != input.getElementType())
    return op->emitOpError("the result holds ")
           << result.getElementType() << " and the operand "
           << input.getElementType() << "; convert with ncd.map";
  return success();
}

/// Checks that the axes \p parts of \p array, which are known, multiply to axis
/// \p whole of \p size.
static LogicalResult verifyMultiplies(Operation *op, ArrayType array,
                                      ArrayRef<StringAttr> parts,
                                      StringAttr whole, int64_t size) {
  int64_t product = 1;
  std::string text;
  for (StringAttr axis : parts) {
    int64_t part = array.sizeOf(axis);
    if (ShapedType::isDynamic(part))
      return op->emitOpError("needs the size of axis '")
             << axis.getValue() << "', but it is ?; make it static";
    text += (text.empty() ? "" : " x ") + axisText(axis, part);
    if (llvm::MulOverflow(product, part, product))
      product = -1;
  }
  if (product == size)
    return success();
  return op->emitOpError("axis ")
         << axisText(whole, size) << " is not " << text
         << "; the sizes of the parts multiply to that of the whole";
}

LogicalResult SplitOp::verify() {
  ArrayType input = typeOf(getInput()), result = typeOf(getResult());
  SmallVector<StringAttr> into = axisNames(getInto());
  if (into.empty())
    return emitOpError("splits axis '")
           << getAxis() << "' into none; name what it is made of, as in "
           << "'into [g, m]'";
  if (failed(verifyTaken(*this, "the operand", input, getAxisAttr())) ||
      failed(verifyNew(*this, input, getAxisAttr(), into)))
    return failure();
  SmallVector<std::pair<StringAttr, int64_t>> made;
  for (StringAttr axis : into) {
    if (!result.hasAxis(axis))
      return emitOpError("the result lacks axis '")
             << axis.getValue() << "'; add it with its size to its type";
    made.push_back({axis, result.sizeOf(axis)});
  }
  if (failed(verifyMultiplies(*this, result, into, getAxisAttr(),
                              input.sizeOf(getAxis()))))
    return failure();
  return verifySeen(*this, input, getAxisAttr(), made, result);
}

LogicalResult JoinOp::verify() {
  ArrayType input = typeOf(getInput()), result = typeOf(getResult());
  SmallVector<StringAttr> axes = axisNames(getAxes());
  if (axes.empty())
    return emitOpError("joins no axis; name at least one, as in '[g, m]'");
  if (failed(verifyTaken(*this, "the operand", input, axes)) ||
      failed(verifyNew(*this, input, axes, getIntoAttr())))
    return failure();
  if (!result.hasAxis(getInto()))
    return emitOpError("the result lacks axis '")
           << getInto() << "'; add it with its size to its type";
  int64_t size = result.sizeOf(getInto());
  if (failed(verifyMultiplies(*this, input, axes, getIntoAttr(), size)))
    return failure();
  return verifySeen(*this, input, axes, {{getIntoAttr(), size}}, result);
}

LogicalResult RenameOp::verify() {
  ArrayType input = typeOf(getInput());
  SmallVector<StringAttr> axes = axisNames(getAxes()),
                          into = axisNames(getInto());
  if (axes.size() != into.size())
    return emitOpError("names ") << axes.size() << " axes and " << into.size()
                                 << " new names; give one for each";
  SmallVector<std::pair<StringAttr, int64_t>> made;
  for (auto [index, axis] : llvm::enumerate(axes)) {
    if (llvm::is_contained(ArrayRef(axes).take_front(index), axis))
      return emitOpError("names axis '")
             << axis.getValue() << "' twice; name it once";
    if (!input.hasAxis(axis))
      return emitOpError("the operand does not carry axis '")
             << axis.getValue() << "'";
    made.push_back({into[index], input.sizeOf(axis)});
  }
  if (failed(verifyNew(*this, input, axes, into)))
    return failure();
  return verifySeen(*this, input, axes, made, typeOf(getResult()));
}

LogicalResult SliceOp::verify() {
  ArrayType input = typeOf(getInput()), result = typeOf(getResult());
  if (failed(verifyTaken(*this, "the operand", input, getAxisAttr())))
    return failure();
  SmallVector<std::pair<StringAttr, int64_t>> made;
  int64_t count = 1;
  if (StringAttr into = getIntoAttr()) {
    if (failed(verifyNew(*this, input, getAxisAttr(), into)))
      return failure();
    if (!result.hasAxis(into))
      return emitOpError("the result lacks axis '")
             << into.getValue() << "'; add it with its size to its type";
    count = result.sizeOf(into);
    if (ShapedType::isDynamic(count))
      return emitOpError("needs the size of axis '")
             << into.getValue() << "', but it is ?; make it static";
    made.push_back({into, count});
  }
  int64_t by = getByAttr().getInt(), from = getFromAttr().getInt(),
          size = input.sizeOf(getAxis());
  if (by == 0)
    return emitOpError("takes one position of axis '")
           << getAxis() << "' again and again: 'by' is 0";
  __int128 last = from + __int128(count - 1) * by;
  if (from < 0 || from >= size || last < 0 || last >= size)
    return emitOpError("takes positions ")
           << from << " to " << int64_t(last) << " of axis "
           << axisText(getAxis(), size) << ", whose positions are 0 to "
           << size - 1;
  return verifySeen(*this, input, getAxisAttr(), made, result);
}

LogicalResult ConcatOp::verify() {
  SmallVector<StringAttr> axes = axisNames(getAxes());
  if (getInputs().empty())
    return emitOpError("has no operand; give it the arrays to put together");
  if (axes.size() != getInputs().size())
    return emitOpError("has ")
           << getInputs().size() << " operands and names " << axes.size()
           << " axes; name one of each operand";
  ArrayType result = typeOf(getResult()), first = typeOf(getInputs().front());
  int64_t total = 0;
  std::string text;
  for (auto [index, input, axis] : llvm::enumerate(getInputs(), axes)) {
    ArrayType array = typeOf(input);
    std::string what = "operand " + std::to_string(index);
    if (failed(verifyTaken(*this, what, array, axis)) ||
        failed(verifyNew(*this, array, axis, getIntoAttr())))
      return failure();
    ArrayType rest = array.withoutAxes(axis),
              wanted = first.withoutAxes(axes.front());
    bool same = rest.getElementType() == wanted.getElementType() &&
                rest.getRank() == wanted.getRank() &&
                llvm::all_of(wanted.getAxes(), [&](StringAttr other) {
                  return rest.hasAxis(other) &&
                         rest.sizeOf(other) == wanted.sizeOf(other);
                });
    if (!same)
      return emitOpError("operand ")
             << index << " has, beside axis '" << axis.getValue() << "', "
             << rest << ", and operand 0 " << wanted
             << "; they have the same other axes and elements";
    text += (index ? " + " : "") + axisText(axis, array.sizeOf(axis));
    if (llvm::AddOverflow(total, array.sizeOf(axis), total))
      return emitOpError("puts together more than 2^63 positions");
  }
  if (!result.hasAxis(getInto()))
    return emitOpError("the result lacks axis '")
           << getInto() << "'; add " << axisText(getInto(), total)
           << " to its type";
  if (result.sizeOf(getInto()) != total)
    return emitOpError("axis ")
           << axisText(getInto(), result.sizeOf(getInto())) << " is not "
           << text << "; the sizes add up to it";
  return verifySeen(*this, first, axes.front(), {{getIntoAttr(), total}},
                    result);
}

LogicalResult ViewOp::verify() {
  ArrayType input = typeOf(getInput()), result = typeOf(getResult());
  if (result.hasStrides())
    return emitOpError("gives ")
           << result << "; what is seen has axes and no strides";
  return verifyPlaced(*this, "", input, result,
                      {getFromAttr().getInt(), getBy()});
}

LogicalResult napkin::ncd::verifyPlaced(Operation *op, const std::string &what,
                                        ArrayType input, ArrayType result,
                                        ViewPlace place) {
  if (!input.hasStaticSizes() || !result.hasStaticSizes())
    return op->emitOpError() << what << "sees " << input << " as " << result
                             << "; a view needs static sizes";
  if (result.getElementType() != input.getElementType())
    return op->emitOpError()
           << what << "the result holds " << result.getElementType()
           << " and the operand " << input.getElementType()
           << "; convert with ncd.map";
  if (place.by.size() != result.getRank())
    return op->emitOpError()
           << what << "gives " << place.by.size() << " strides to the "
           << result.getRank() << " axes of " << result;
  Placement placement{place.from, llvm::to_vector(place.by)};
  std::optional<StringRef> axis =
      axisOutside(result, placement, input.getSpan());
  if (!axis)
    return success();
  if (axis->empty())
    return op->emitOpError()
           << what << "begins at element " << place.from << " of the "
           << input.getSpan() << " of " << input;
  return op->emitOpError() << what << "reaches out of the " << input.getSpan()
                           << " elements of " << input << " along axis '"
                           << *axis << "'";
}

//===----------------------------------------------------------------------===//
// Folds
//===----------------------------------------------------------------------===//

OpFoldResult RenameOp::fold(FoldAdaptor) {
  return getInto() == getAxes() && getInput().getType() == getType()
             ? OpFoldResult(getInput())
             : OpFoldResult();
}

OpFoldResult SplitOp::fold(FoldAdaptor) {
  // A split of what was joined of the same parts.
  if (auto join = getInput().getDefiningOp<JoinOp>())
    if (join.getIntoAttr() == getAxisAttr() && join.getAxes() == getInto() &&
        join.getInput().getType() == getType())
      return join.getInput();
  return {};
}

OpFoldResult JoinOp::fold(FoldAdaptor) {
  if (auto split = getInput().getDefiningOp<SplitOp>())
    if (split.getAxisAttr() == getIntoAttr() && split.getInto() == getAxes() &&
        split.getInput().getType() == getType())
      return split.getInput();
  return {};
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  return getFrom() == 0 && getBy() == 1 && getIntoAttr() == getAxisAttr() &&
                 getInput().getType() == getType()
             ? OpFoldResult(getInput())
             : OpFoldResult();
}

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return getInputs().size() == 1 &&
                 cast<StringAttr>(getAxes()[0]) == getIntoAttr() &&
                 getInputs().front().getType() == getType()
             ? OpFoldResult(getInputs().front())
             : OpFoldResult();
}
