//===- AxisSyntax.h - how axes are written ----------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The notation shared by types, attributes and operations of the dialect:
// `name=size` for an axis with its size, `[a, b]` for a list of names, and
// `floor(first(q) + 1, 64)` for a bound.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DIALECT_NCD_IR_AXISSYNTAX_H
#define NAPKIN_LIB_DIALECT_NCD_IR_AXISSYNTAX_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/OpImplementation.h"
#include "napkin/Dialect/NCD/IR/NCDAttrs.h"

namespace napkin::ncd {

/// Parses the size after `name=`: an integer, or `?` where \p dynamic allows.
/// The integer may be out of the range that the verifier accepts.
mlir::ParseResult parseAxisSize(mlir::AsmParser &parser, int64_t &size,
                                bool dynamic);

/// Prints `a=4, b=?, r:a`; \p parents, if any, are those of ragged axes.
void printAxes(mlir::AsmPrinter &printer, llvm::ArrayRef<mlir::StringAttr> axes,
               llvm::ArrayRef<int64_t> sizes,
               llvm::ArrayRef<mlir::StringAttr> parents = {});

/// Checks names and sizes of \p axes: identifiers, each once, sizes positive
/// (or `?` where \p dynamic allows). \p what names the thing in errors.
mlir::LogicalResult
verifyAxes(llvm::function_ref<mlir::InFlightDiagnostic()> emitError,
           llvm::StringRef what, llvm::ArrayRef<mlir::StringAttr> axes,
           llvm::ArrayRef<int64_t> sizes, bool dynamic);

/// Parses `[a, b]` into an array of strings.
mlir::ParseResult parseAxisList(mlir::OpAsmParser &parser,
                                mlir::ArrayAttr &axes);

/// Prints `[a, b]`.
void printAxisList(mlir::OpAsmPrinter &printer, mlir::Operation *op,
                   mlir::ArrayAttr axes);

/// Parses a bound as `floor(first(q) + 1, 64)`; null after an error.
BoundAttr parseBound(mlir::AsmParser &parser);

/// Prints the same.
void printBound(mlir::AsmPrinter &printer, BoundAttr bound);

/// Parses `from 0 by [576, 1] within 1`; null after an error.
ViewAttr parseView(mlir::AsmParser &parser);

/// Prints the same.
void printView(mlir::AsmPrinter &printer, ViewAttr view);

} // namespace napkin::ncd

#endif // NAPKIN_LIB_DIALECT_NCD_IR_AXISSYNTAX_H
