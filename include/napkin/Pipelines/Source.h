//===- Source.h - reading the text of diagrams ------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR's parser, for people who write diagrams: texts that it could not survive
// are refused, and its errors are said in the words of a diagram.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_PIPELINES_SOURCE_H
#define NAPKIN_PIPELINES_SOURCE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/Support/SourceMgr.h"
#include <optional>
#include <string>

namespace napkin::pipelines {

/// How deep brackets of any kind may nest. The parser calls itself once for
/// each, so that some thousands would end the process.
constexpr unsigned deepestNesting = 256;

/// The first bracket in \p text, outside of strings and comments, that is
/// nested deeper than deepestNesting.
std::optional<llvm::SMLoc> findTooDeep(llvm::StringRef text);

/// What is said of it.
std::string tooDeepMessage();

/// Parses the main buffer of \p manager. Errors go to the context's handlers;
/// null after one.
mlir::OwningOpRef<mlir::ModuleOp> parseSource(const llvm::SourceMgr &manager,
                                              mlir::MLIRContext *context);

} // namespace napkin::pipelines

#endif // NAPKIN_PIPELINES_SOURCE_H
