//===- NCDTypes.td - arrays with named axes ---------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one type of the dialect: an array is a bundle of named axes and the type
// of its elements.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDTYPES_TD
#define NAPKIN_DIALECT_NCD_IR_NCDTYPES_TD

include "napkin/Dialect/NCD/IR/NCDDialect.td"

def NCD_ArrayType : NCD_Type<"Array", "array"> {
  let summary = "array whose axes have names";
  let description = [{
    `!ncd.array<h=4, q=512, d=128, bf16>` has three axes, h, q and d, of 4, 512
    and 128 positions, and elements of type bf16. The order of the axes is the
    order of storage, row major: the last axis is contiguous. No axis, as in
    `!ncd.array<f32>`, is a single value.

    Two arrays of one diagram that carry the same axis name carry the same axis,
    and so the same size. A size is a positive number or `?` (known at launch).

    `r:e`, as in `!ncd.array<e=8, r:e, k=64, bf16>`, is a ragged axis: how many
    positions it has depends on the position along its parent e. The type says no
    more; arrays cross the border of a diagram dense, and nothing makes an array
    with a ragged axis yet.

    `m=100:128` says where an argument of a diagram lies: positions of m are 128
    elements apart in memory, as in rows that are padded. An axis of which nothing
    is said is as far apart as the axis behind it is long; 0 repeats. Only
    arguments and what kernels read have such strides: what is computed has no
    place yet, and its type lists axes alone.

    Element types: f64 f32 tf32 bf16 f16 f8E4M3FN f8E5M2 i8 i32 i64 i1.

    Preconditions: axis names are identifiers and differ from each other; sizes
    are positive; the parent of a ragged axis is another one, and if the array
    carries it it stands before and is not ragged itself; the array's extent in
    memory fits in 63 bits; strides need static sizes.

    Example:

    ```mlir
    !keys = !ncd.array<h=4, x=512, d=128, bf16>
    !sum = !ncd.array<f32>
    !tokens = !ncd.array<e=8, r:e, k=64, bf16>
    !padded = !ncd.array<m=100:64, k=60, bf16>
    ```
  }];
  let parameters = (ins
    NCD_ListParam<"::mlir::StringAttr", "names of the axes, outermost first">:$axes,
    NCD_ListParam<"int64_t", "sizes of the axes in elements, ShapedType::kDynamic for `?` and for a ragged axis">:$sizes,
    NCD_Param<"::mlir::Type", "type of the elements as stored">:$elementType,
    NCD_ListParam<"::mlir::StringAttr", "parents of ragged axes, null for the others; nothing where no axis is ragged">:$parents,
    NCD_ListParam<"int64_t", "elements between positions of each axis; none: row major and dense">:$strides);
  let builders = [
    TypeBuilder<(ins "::llvm::ArrayRef<::mlir::StringAttr>":$axes,
                     "::llvm::ArrayRef<int64_t>":$sizes,
                     "::mlir::Type":$elementType,
                     CArg<"::llvm::ArrayRef<::mlir::StringAttr>", "{}">:$parents), [{
      return $_get($_ctxt, axes, sizes, elementType, parents, ::llvm::ArrayRef<int64_t>());
    }]>,
    TypeBuilder<(ins "::llvm::ArrayRef<::mlir::StringAttr>":$axes,
                     "::llvm::ArrayRef<int64_t>":$sizes,
                     "::mlir::Type":$elementType,
                     "::llvm::ArrayRef<int64_t>":$strides), [{
      return $_get($_ctxt, axes, sizes, elementType, ::llvm::ArrayRef<::mlir::StringAttr>(), strides);
    }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Number of axes.
    unsigned getRank() const { return getAxes().size(); }

    /// Position of the axis called \p axis, or nullopt when it is not carried.
    std::optional<unsigned> axisIndex(::llvm::StringRef axis) const;

    /// Whether the array carries the axis called \p axis.
    bool hasAxis(::llvm::StringRef axis) const {
      return axisIndex(axis).has_value();
    }

    /// Size of the axis called \p axis in elements (ShapedType::kDynamic for
    /// `?`). Requires: hasAxis(axis).
    int64_t sizeOf(::llvm::StringRef axis) const;

    /// The axis on whose position the size of axis number \p axis depends, where
    /// it is ragged; null otherwise.
    ::mlir::StringAttr getParent(unsigned axis) const {
      return getParents().empty() ? ::mlir::StringAttr() : getParents()[axis];
    }

    /// Whether no axis is `?` or ragged.
    bool hasStaticSizes() const;

    /// Number of elements, or nullopt when an axis is `?`.
    std::optional<int64_t> getNumElements() const;

    /// Bytes that one element takes in memory; i1 takes one byte.
    unsigned getElementBytes() const;

    /// Bytes of the whole array, or nullopt when an axis is `?`.
    std::optional<int64_t> getNumBytes() const;

    /// Whether it lies in memory in another way than dense and row major.
    bool hasStrides() const { return !getStrides().empty(); }

    /// Elements in memory from one position of each axis to the next. Requires:
    /// hasStaticSizes().
    ::llvm::SmallVector<int64_t> getPlacement() const;

    /// Elements in memory from the first to behind the last one. Requires:
    /// hasStaticSizes().
    int64_t getSpan() const;

    /// The array with elements \p strides apart along its axes; without strides
    /// where that is how they lie anyway. Requires: hasStaticSizes().
    ArrayType withStrides(::llvm::ArrayRef<int64_t> strides) const;

    /// The same axes with another element type, without strides.
    ArrayType withElementType(::mlir::Type elementType) const;

    /// The array without the axes in \p dropped and without strides; the order of
    /// the rest is kept.
    ArrayType withoutAxes(::llvm::ArrayRef<::mlir::StringAttr> dropped) const;
  }];
}

#endif // NAPKIN_DIALECT_NCD_IR_NCDTYPES_TD
