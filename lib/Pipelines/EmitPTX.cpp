//===- EmitPTX.cpp - from device functions to PTX -------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Napkin's own lowering has already chosen instructions and unrolled by
// construction, so LLVM is asked for little: common subexpressions, invariant
// code, dead code, and its code generator. No device library is linked: nothing
// that is installed changes the text.
//===----------------------------------------------------------------------===//

#include "DeviceCode.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/DCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include <mutex>

using namespace mlir;
using namespace napkin;

/// What LLVM needs once per process.
static void initializeOnce() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
    // Addresses of shared memory in 32 bits: half the registers, and LLVM has
    // no other switch for it.
    auto &options = llvm::cl::getRegisteredOptions();
    auto found = options.find("nvptx-short-ptr");
    if (found != options.end() && !found->second->getNumOccurrences())
      found->second->addOccurrence(0, "nvptx-short-ptr", "true");
  });
}

static std::unique_ptr<llvm::TargetMachine>
createMachine(const target::TargetDescription &target, std::string &error) {
  initializeOnce();
  llvm::Triple triple("nvptx64-nvidia-cuda");
  const llvm::Target *backend =
      llvm::TargetRegistry::lookupTarget(triple, error);
  if (!backend)
    return nullptr;
  llvm::TargetOptions options;
  // Only operations marked `contract` fuse.
  options.AllowFPOpFusion = llvm::FPOpFusion::Standard;
  return std::unique_ptr<llvm::TargetMachine>(backend->createTargetMachine(
      triple, target.name, target.ptxFeature, options, std::nullopt,
      std::nullopt, llvm::CodeGenOptLevel::Aggressive));
}

static void optimize(llvm::Module &module, llvm::TargetMachine &machine) {
  llvm::LoopAnalysisManager loops;
  llvm::FunctionAnalysisManager functions;
  llvm::CGSCCAnalysisManager components;
  llvm::ModuleAnalysisManager modules;
  llvm::PassBuilder builder(&machine);
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);
  llvm::FunctionPassManager passes;
  passes.addPass(llvm::EarlyCSEPass());
  passes.addPass(llvm::SimplifyCFGPass());
  passes.addPass(llvm::createFunctionToLoopPassAdaptor(
      llvm::LICMPass(llvm::LICMOptions()), /*UseMemorySSA=*/true));
  passes.addPass(llvm::DCEPass());
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      passes.run(function, functions);
}

FailureOr<std::string>
napkin::pipelines::emitPTX(ModuleOp module,
                           const target::TargetDescription &target,
                           const StepDone &done) {
  SmallVector<gpu::GPUModuleOp> devices(module.getOps<gpu::GPUModuleOp>());
  if (devices.size() != 1)
    return module.emitError("expects one gpu.module of device code, has ")
           << devices.size();
  std::string error;
  std::unique_ptr<llvm::TargetMachine> machine = createMachine(target, error);
  // Not tested: a build of LLVM without the back end for PTX.
  if (!machine)
    return module.emitError("this LLVM cannot emit PTX: ") << error;
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> device = translateModuleToLLVMIR(
      devices[0], context, "napkin", /*disableVerification=*/true);
  // Not tested: device code that MLIR verified and cannot translate.
  if (!device)
    return module.emitError("device code cannot be translated to LLVM IR");
  device->setTargetTriple(machine->getTargetTriple());
  device->setDataLayout(machine->createDataLayout());
  done("translate to LLVM IR");
  optimize(*device, *machine);
  done("optimise LLVM IR");
  llvm::SmallString<0> text;
  llvm::raw_svector_ostream stream(text);
  llvm::legacy::PassManager passes;
  // Not tested: a back end for PTX that prints no text.
  if (machine->addPassesToEmitFile(passes, stream, nullptr,
                                   llvm::CodeGenFileType::AssemblyFile))
    return module.emitError("this LLVM cannot emit PTX as text");
  passes.run(*device);
  done("generate PTX");
  return text.str().str();
}
