//===- ViewPlacer.h - moves the views of one diagram ------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the pass ncd-place-views is made of: PlaceViews.cpp has its steps and
// the border, MoveViews.cpp what views do at operations, PlaceConcats.cpp what
// is put together.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DIALECT_NCD_TRANSFORMS_VIEWPLACER_H
#define NAPKIN_LIB_DIALECT_NCD_TRANSFORMS_VIEWPLACER_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Dialect/NCD/IR/Views.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

namespace napkin::ncd {

using Names = llvm::SmallVector<mlir::StringAttr>;

/// Where an array lies.
struct Placed {
  mlir::Value base; ///< an argument, or what an operation computes
  Placement placement;
};

/// Moves the views of one diagram.
class Placer {
public:
  explicit Placer(DiagramOp diagram)
      : diagram(diagram), context(diagram.getContext()),
        body(diagram.getBody().front()), builder(context) {}

  mlir::LogicalResult run();
  int64_t numPlaced = 0;

private:
  /// Writes what reads \p op without it.
  mlir::LogicalResult expandConcat(ConcatOp op);
  /// A product summed along what is put together is the sum of the products of
  /// the parts.
  void multiplyParts(ConcatOp op, ContractOp product);
  /// Computes what is put together, element by element.
  mlir::LogicalResult stack(ConcatOp op);
  /// Moves \p view above the concatenation that it sees, if that has a form for
  /// it.
  bool pushAboveConcat(mlir::Operation *view, ConcatOp op);
  mlir::LogicalResult place(mlir::Operation *view);
  /// Where \p view lies, if its operand lies somewhere and its elements then
  /// are some strides apart.
  std::optional<Placed> compose(mlir::Operation *view);
  std::optional<Placed> placementOf(mlir::Value value);
  void replaceByView(mlir::Operation *view, const Placed &placed);

  /// Moves \p view above the operation that computes its operand.
  void pushUp(mlir::Operation *view);
  /// Moves \p join below what uses it.
  mlir::LogicalResult pushDown(JoinOp join);
  mlir::LogicalResult pushBelow(JoinOp join, mlir::Operation *user);
  /// Joins of joins, splits of joins, and so on.
  mlir::LogicalResult pushBelowView(JoinOp join, mlir::Operation *user);
  /// Copies \p value into memory with its axes in the order of \p axes.
  mlir::Value copy(mlir::Location loc, mlir::Value value,
                   llvm::ArrayRef<mlir::StringAttr> axes);

  mlir::Value split(mlir::Location loc, mlir::Value value,
                    mlir::StringAttr axis, const Names &into,
                    llvm::ArrayRef<int64_t> sizes);
  mlir::Value join(mlir::Location loc, mlir::Value value, const Names &axes,
                   mlir::StringAttr into);
  mlir::Value rename(mlir::Location loc, mlir::Value value, const Names &from,
                     const Names &to);

  /// Gives each axis of \p names that \p op names on its own account, for
  /// another wire, a new name there. Returns what takes the place of \p op.
  mlir::Operation *freeNames(mlir::Operation *op,
                             llvm::ArrayRef<mlir::StringAttr> names,
                             llvm::ArrayRef<mlir::StringAttr> kept);
  mlir::StringAttr freshName(mlir::StringAttr axis);

  void placeResults();
  void placeArguments();
  void orderViews();

  DiagramOp diagram;
  mlir::MLIRContext *context;
  mlir::Block &body;
  mlir::OpBuilder builder;
  llvm::DenseSet<mlir::StringAttr> taken;
};

inline ArrayType typeOf(mlir::Value value) {
  return mlir::cast<ArrayType>(value.getType());
}

/// Views that name axes.
inline bool isNamedView(mlir::Operation *op) {
  return mlir::isa<SplitOp, JoinOp, RenameOp, SliceOp>(op);
}

inline bool computes(mlir::Operation *op) {
  return mlir::isa_and_nonnull<ContractOp, MapOp, ReduceOp>(op);
}

inline Names namesOf(mlir::ArrayAttr axes) {
  return llvm::to_vector(axes.getAsRange<mlir::StringAttr>());
}

/// \p type with \p axis replaced by \p axes of \p sizes in its place.
inline ArrayType replaceAxis(ArrayType type, mlir::StringAttr axis,
                             llvm::ArrayRef<mlir::StringAttr> axes,
                             llvm::ArrayRef<int64_t> sizes) {
  Names names;
  llvm::SmallVector<int64_t> extents;
  for (auto [name, size] : llvm::zip_equal(type.getAxes(), type.getSizes())) {
    if (name != axis) {
      names.push_back(name);
      extents.push_back(size);
      continue;
    }
    llvm::append_range(names, axes);
    llvm::append_range(extents, sizes);
  }
  return ArrayType::get(type.getContext(), names, extents,
                        type.getElementType());
}

inline llvm::SmallVector<int64_t>
sizesOf(ArrayType type, llvm::ArrayRef<mlir::StringAttr> axes) {
  return llvm::map_to_vector(
      axes, [&](mlir::StringAttr axis) { return type.sizeOf(axis); });
}

/// The position along \p axis, in the body of a map.
inline mlir::Value positionOf(mlir::OpBuilder &builder, mlir::Location loc,
                              mlir::StringAttr axis) {
  return IndexOp::create(builder, loc, builder.getIndexType(), axis);
}

} // namespace napkin::ncd

#endif // NAPKIN_LIB_DIALECT_NCD_TRANSFORMS_VIEWPLACER_H
