//===- napkin-opt.cpp - run passes on the IR of any stage -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads IR, runs the passes named on the command line, prints IR. It knows the
// dialects of every stage, from diagrams to device code, and every pass of
// Napkin by its flag. Only the upstream dialects that some stage emits are
// registered: anything else in a file is a mistake worth an error.
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "napkin/Algebra/Passes.h"
#include "napkin/Conversion/Passes.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Dialect/NCD/Transforms/Passes.h"
#include "napkin/Dialect/Tile/IR/Tile.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"
#include "napkin/Report/Passes.h"
#include "napkin/Schedule/Passes.h"

/// The dialects of all stages.
static void registerDialects(mlir::DialectRegistry &registry) {
  // Diagram and schedule.
  registry.insert<napkin::ncd::NCDDialect, mlir::arith::ArithDialect,
                  mlir::math::MathDialect>();
  // Tile programs.
  registry.insert<napkin::tile::TileDialect>();
  // Device code.
  registry.insert<mlir::cf::ControlFlowDialect, mlir::gpu::GPUDialect,
                  mlir::LLVM::LLVMDialect, mlir::NVVM::NVVMDialect,
                  mlir::scf::SCFDialect>();
}

/// The passes of all stages, and upstream's clean-up passes.
static void registerPasses() {
  napkin::ncd::registerNCDPasses();
  napkin::algebra::registerAlgebraPasses();
  napkin::schedule::registerSchedulePasses();
  napkin::report::registerReportPasses();
  napkin::registerConversionPasses();
  napkin::tile::registerTileTransformsPasses();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  mlir::registerSymbolDCEPass();
}

int main(int argc, char **argv) {
  mlir::DialectRegistry registry;
  registerDialects(registry);
  registerPasses();
  return mlir::asMainReturnCode(
      mlir::MlirOptMain(argc, argv, "Napkin's optimizer driver\n", registry));
}
