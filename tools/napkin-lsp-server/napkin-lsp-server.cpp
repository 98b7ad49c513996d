//===- napkin-lsp-server.cpp - diagrams in an editor ----------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A language server (LSP) for files of every stage: errors while one types,
// what a name is, where it is defined and used. MLIR's own server, with the
// dialects of Napkin. docs/editors.md says how editors start it.
//===----------------------------------------------------------------------===//

#include "mlir/Tools/mlir-lsp-server/MlirLspRegistryFunction.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"
#include "napkin/Pipelines/Pipelines.h"

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  napkin::pipelines::dialects().appendTo(registry);
  return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry));
}
