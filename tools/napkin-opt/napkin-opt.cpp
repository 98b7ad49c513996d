//===- napkin-opt.cpp - run passes on the IR of any stage -----------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads IR, runs the passes named on the command line, prints IR. It knows the
// dialects of every stage, from diagrams to device code, and every pass of
// Napkin by its flag. Only the upstream dialects that some stage emits are
// registered: anything else in a file is a mistake worth an error.
//===----------------------------------------------------------------------===//

#include "mlir/Bytecode/BytecodeReader.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "napkin/Algebra/Passes.h"
#include "napkin/Conversion/BlockNeeds.h"
#include "napkin/Conversion/Passes.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"
#include "napkin/Dialect/NCD/Transforms/Passes.h"
#include "napkin/Dialect/Tile/IR/Tile.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"
#include "napkin/Pipelines/Source.h"
#include "napkin/Pipelines/Version.h"
#include "napkin/Report/Passes.h"
#include "napkin/Schedule/Passes.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ToolOutputFile.h"

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
  mlir::registerPass([] {
    return napkin::schedule::createSchedulePass({}, napkin::blockCompiler());
  });
  napkin::schedule::registerChooseInstructionsPass();
  napkin::schedule::registerPrintPlanPass();
  napkin::schedule::registerVerifyPlanPass();
  napkin::schedule::registerSplitStreamsPass();
  napkin::report::registerReportPasses();
  napkin::registerConversionPasses();
  napkin::tile::registerTileTransformsPasses();
  mlir::registerCanonicalizerPass();
  mlir::registerCSEPass();
  mlir::registerSymbolDCEPass();
}

/// Runs the passes on the text of \p input, unless it is nested deeper than the
/// parser can follow.
static mlir::LogicalResult process(const std::string &input,
                                   const std::string &output,
                                   mlir::DialectRegistry &registry,
                                   const mlir::MlirOptMainConfig &config) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> buffer =
      mlir::openInputFile(input, &message);
  if (!buffer) {
    llvm::errs() << message << "\n";
    return mlir::failure();
  }
  std::optional<llvm::SMLoc> deep;
  if (!mlir::isBytecode(buffer->getMemBufferRef()))
    deep = napkin::pipelines::findTooDeep(buffer->getBuffer());
  if (deep) {
    llvm::SourceMgr manager;
    manager.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
    manager.PrintMessage(*deep, llvm::SourceMgr::DK_Error,
                         napkin::pipelines::tooDeepMessage());
    return mlir::failure();
  }
  std::unique_ptr<llvm::ToolOutputFile> file =
      mlir::openOutputFile(output, &message);
  if (!file) {
    llvm::errs() << message << "\n";
    return mlir::failure();
  }
  if (failed(
          mlir::MlirOptMain(file->os(), std::move(buffer), registry, config)))
    return mlir::failure();
  file->keep();
  return mlir::success();
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  mlir::DialectRegistry registry;
  registerDialects(registry);
  registerPasses();
  llvm::cl::SetVersionPrinter(
      [](llvm::raw_ostream &out) { out << NAPKIN_VERSION_TEXT; });
  auto [input, output] = mlir::registerAndParseCLIOptions(
      argc, argv, "Napkin's optimizer driver\n", registry);
  auto config = mlir::MlirOptMainConfig::createFromCLOptions();
  // The lists of dialects and passes need no input.
  if (config.shouldShowDialects() || config.shouldListPasses())
    return mlir::asMainReturnCode(
        mlir::MlirOptMain(argc, argv, input, output, registry));
  return mlir::asMainReturnCode(process(input, output, registry, config));
}
