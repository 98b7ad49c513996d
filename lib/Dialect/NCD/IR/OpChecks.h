//===- OpChecks.h - checks shared by ncd operations -------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What several verifiers have to say in the same words. Each function emits its
// error on the operation, naming the axis and what to change.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DIALECT_NCD_IR_OPCHECKS_H
#define NAPKIN_LIB_DIALECT_NCD_IR_OPCHECKS_H

#include "napkin/Dialect/NCD/IR/NCDOps.h"

namespace napkin::ncd {

/// `x=512` or `x=?` as text.
std::string axisText(llvm::StringRef axis, int64_t size);

/// The names in \p axes, which must hold strings.
llvm::SmallVector<mlir::StringAttr> axisNames(mlir::ArrayAttr axes);

/// Checks that an axis has one size in all operands and results of \p op.
mlir::LogicalResult verifySharedSizes(mlir::Operation *op);

/// Checks that \p over names each axis once and, when \p nonEmpty, at least
/// one.
mlir::LogicalResult verifyOverNames(mlir::Operation *op, mlir::ArrayAttr over,
                                    bool nonEmpty);

/// Checks that \p input, operand 0 of \p op, carries every axis in \p over.
mlir::LogicalResult verifyCarries(mlir::Operation *op, ArrayType input,
                                  mlir::ArrayAttr over);

/// Checks that \p result carries exactly the axes of \p expected, in any order.
/// \p over holds the axes that the operation removes, for the message.
mlir::LogicalResult verifyResultAxes(mlir::Operation *op, ArrayType expected,
                                     ArrayType result,
                                     llvm::ArrayRef<mlir::StringAttr> over);

/// Checks that nothing inside \p op uses a value from outside. \p advice says
/// what to do instead.
mlir::LogicalResult verifyNoCapture(mlir::Operation *op,
                                    llvm::StringRef advice);

/// Checks that the arguments of \p block have types \p expected; \p what names
/// the block in errors.
mlir::LogicalResult verifyBlockArguments(mlir::Operation *op,
                                         mlir::Block &block,
                                         llvm::StringRef what,
                                         mlir::TypeRange expected);

/// Checks that \p body, which was just parsed, ends with an operation that ends
/// it; \p ending says how, for the message at the closing bracket.
mlir::ParseResult requireEnding(mlir::OpAsmParser &parser, mlir::Region &body,
                                llvm::StringRef ending);

/// Checks that \p block ends with `ncd.yield` of values of types \p expected;
/// \p what names the block in errors.
mlir::LogicalResult verifyYield(mlir::Operation *op, mlir::Block &block,
                                llvm::StringRef what, mlir::TypeRange expected);

/// Checks that \p block holds scalar operations without side effects and
/// without regions.
mlir::LogicalResult verifyScalarBody(mlir::Operation *op, mlir::Block &block);

/// First element and strides as they are written.
struct ViewPlace {
  int64_t from;
  llvm::ArrayRef<int64_t> by;
};

/// Checks that \p result, placed so in \p input, lies within it and holds the
/// same elements. \p what begins the errors.
mlir::LogicalResult verifyPlaced(mlir::Operation *op, const std::string &what,
                                 ArrayType input, ArrayType result,
                                 ViewPlace place);

} // namespace napkin::ncd

#endif // NAPKIN_LIB_DIALECT_NCD_IR_OPCHECKS_H
