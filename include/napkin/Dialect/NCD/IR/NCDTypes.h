//===- NCDTypes.h - arrays with named axes ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ArrayType and the facts about element types that every room below needs:
// which exist, how they are spelt, how many bytes they take, and in which type
// sums of them accumulate.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_NCDTYPES_H
#define NAPKIN_DIALECT_NCD_IR_NCDTYPES_H

#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Types.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include <optional>

#define GET_TYPEDEF_CLASSES
#include "napkin/Dialect/NCD/IR/NCDTypes.h.inc"

namespace napkin::ncd {

/// Whether \p type may be the element type of an array.
bool isElementType(mlir::Type type);

/// The element type spelt \p name (`bf16`, `f8E4M3FN`, ...), or null.
mlir::Type parseElementType(mlir::MLIRContext *context, llvm::StringRef name);

/// How element type \p type is spelt. Requires: isElementType(type).
llvm::StringRef elementTypeName(mlir::Type type);

/// All spellings, for error messages: "f64, f32, ...".
llvm::StringRef elementTypeNames();

/// Bytes that one element takes in memory: tf32 takes 4, i1 takes 1. Requires:
/// isElementType(type).
unsigned elementBytes(mlir::Type type);

/// Type in which sums of \p type accumulate: f64 for f64, f32 for every other
/// float, i32 for i8, and the type itself for i1, i32 and i64.
mlir::Type accumulatorType(mlir::Type type);

/// Whether \p name can be the name of an axis: a letter or `_`, then letters,
/// digits and `_`.
bool isAxisName(llvm::StringRef name);

} // namespace napkin::ncd

#endif // NAPKIN_DIALECT_NCD_IR_NCDTYPES_H
