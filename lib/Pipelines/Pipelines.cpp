//===- Pipelines.cpp - from a diagram to PTX ------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One table of stages. A stage of IR is a list of passes; what surrounds the
// passes (the report, the plan of launches) hangs on the stage that knows it.
//===----------------------------------------------------------------------===//

#include "napkin/Pipelines/Pipelines.h"
#include "CheckDiagrams.h"
#include "DeviceCode.h"
#include "LaunchPlan.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Arith/Transforms/Passes.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "napkin/Algebra/Passes.h"
#include "napkin/Conversion/BlockNeeds.h"
#include "napkin/Conversion/Passes.h"
#include "napkin/Cost/Hardware.h"
#include "napkin/Dialect/NCD/Transforms/Passes.h"
#include "napkin/Dialect/Tile/Transforms/Passes.h"
#include "napkin/Drawing/Drawing.h"
#include "napkin/Pipelines/Source.h"
#include "napkin/Schedule/Passes.h"
#include "napkin/Target/Target.h"
#include "llvm/Support/SourceMgr.h"
#include <chrono>
#include <cmath>

using namespace mlir;
using namespace napkin;
using namespace napkin::pipelines;

//===----------------------------------------------------------------------===//
// The table
//===----------------------------------------------------------------------===//

namespace {

/// A stage with its passes; stages of text have none.
struct StageEntry {
  StageInfo info;
  void (*addPasses)(OpPassManager &, const CompileOptions &);
};

} // namespace

static void addDiagramPasses(OpPassManager &passes, const CompileOptions &) {
  passes.addPass(ncd::createNCDDecomposePass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(ncd::createNCDPlaceViewsPass());
  passes.addPass(createCanonicalizerPass());
  // A mask that every position passes, or none, reads one operand less.
  passes.addPass(arith::createIntRangeOptimizationsPass());
  passes.addPass(createCanonicalizerPass());
  passes.addPass(createCSEPass());
}

static void addSchedulePasses(OpPassManager &passes,
                              const CompileOptions &options) {
  schedule::SchedulePassOptions schedule;
  schedule.target = options.target;
  schedule.hardware = options.hardware;
  for (const std::string &pin : options.pinGroup)
    schedule.pinGroup.push_back(pin);
  for (const std::string &pin : options.pinStream)
    schedule.pinStream.push_back(pin);
  for (const std::string &pin : options.pinSplit)
    schedule.pinSplit.push_back(pin);
  schedule.pinWarps = options.pinWarps;
  schedule.pinStages = options.pinStages;
  for (const std::string &pin : options.pinForms)
    schedule.pinForms.push_back(pin);
  schedule.allowTF32 = options.allowTF32;
  passes.addPass(schedule::createSchedulePass(
      schedule, napkin::blockCompiler(options.allowTF32)));
  algebra::NCDDeriveStreamPassOptions stream;
  stream.inputBound = options.inputBound;
  passes.addPass(algebra::createNCDDeriveStreamPass(stream));
  passes.addPass(algebra::createNCDBoundStreamsPass());
  passes.addPass(schedule::createSplitStreamsPass());
  schedule::ChooseInstructionsPassOptions instructions;
  instructions.target = options.target;
  instructions.allowTF32 = options.allowTF32;
  passes.addPass(schedule::createChooseInstructionsPass(instructions));
}

static void addTilePasses(OpPassManager &passes,
                          const CompileOptions &options) {
  addTileProgramPasses(passes, options.target);
}

static void addDevicePasses(OpPassManager &passes,
                            const CompileOptions &options) {
  passes.nest<tile::KernelOp>().addPass(tile::createTileExpandLoopsPass());
  TileLowerToNVVMPassOptions lower;
  lower.target = options.target;
  passes.addPass(createTileLowerToNVVMPass(lower));
}

/// A picture changes nothing.
static void addNoPasses(OpPassManager &, const CompileOptions &) {}

static const StageEntry table[] = {
    {{Stage::Picture, "svg", "the diagram as it is written, drawn"},
     addNoPasses},
    {{Stage::NCD, "ncd", "the diagram in contract, map and reduce"},
     addDiagramPasses},
    {{Stage::Schedule, "schedule", "kernels with partitions and streams"},
     addSchedulePasses},
    {{Stage::SchedulePicture, "schedule-svg", "kernels and streams, drawn"},
     addNoPasses},
    {{Stage::Tile, "tile", "tile programs with layouts and rings"},
     addTilePasses},
    {{Stage::NVVM, "nvvm", "device code in gpu, llvm and nvvm"},
     addDevicePasses},
    {{Stage::PTX, "ptx", "PTX text"}, nullptr},
    {{Stage::Cubin, "cubin", "machine code; needs ptxas"}, nullptr},
    {{Stage::Manifest, "manifest", "what a launcher needs, as JSON"}, nullptr},
    {{Stage::Page, "html",
      "one page: pictures, bytes, curves, reasons, PTX (with counts beside "
      "--verify)"},
     nullptr},
};

ArrayRef<StageInfo> napkin::pipelines::stages() {
  static const auto infos = [] {
    SmallVector<StageInfo> list;
    for (const StageEntry &entry : table)
      list.push_back(entry.info);
    return list;
  }();
  return infos;
}

std::optional<Stage> napkin::pipelines::parseStage(StringRef name) {
  for (const StageEntry &entry : table)
    if (entry.info.name == name)
      return entry.info.stage;
  return std::nullopt;
}

const DialectRegistry &napkin::pipelines::dialects() {
  static const DialectRegistry *registry = [] {
    auto *made = new DialectRegistry();
    made->insert<ncd::NCDDialect, tile::TileDialect, arith::ArithDialect,
                 math::MathDialect, scf::SCFDialect, gpu::GPUDialect,
                 LLVM::LLVMDialect, NVVM::NVVMDialect>();
    registerBuiltinDialectTranslation(*made);
    registerGPUDialectTranslation(*made);
    registerLLVMDialectTranslation(*made);
    registerNVVMDialectTranslation(*made);
    return made;
  }();
  return *registry;
}

//===----------------------------------------------------------------------===//
// Running it
//===----------------------------------------------------------------------===//

namespace {

/// One compilation under way.
class Compilation {
public:
  Compilation(ModuleOp module, const CompileOptions &given)
      : module(module), options(given), last(Clock::now()) {}

  FailureOr<Compiled> run(Stage stop);

private:
  using Clock = std::chrono::steady_clock;

  FailureOr<const target::TargetDescription *> chooseTarget();
  InFlightDiagnostic emitOptionError(StringRef option);
  LogicalResult runPasses(const StageEntry &entry);
  LogicalResult finishSchedule();
  void addToPage(Stage next);
  LogicalResult emitText(Stage stop, const target::TargetDescription &target);
  void stepDone(StringRef step) {
    Clock::time_point now = Clock::now();
    result.seconds.emplace_back(
        step.str(), std::chrono::duration<double>(now - last).count());
    last = now;
  }

  ModuleOp module;
  /// As given, but with a target.
  CompileOptions options;
  /// Counted before anything is rewritten.
  Products products;
  LaunchPlan plan;
  Compiled result;
  Clock::time_point last;
};

} // namespace

/// An error of an option: the diagram is not to blame, so no place in it.
InFlightDiagnostic Compilation::emitOptionError(StringRef option) {
  return emitError(UnknownLoc::get(module.getContext()))
         << "option '" << option << "': ";
}

/// The target that is named, or the one that the named machine runs.
FailureOr<const target::TargetDescription *> Compilation::chooseTarget() {
  bool isNamed = !options.target.empty();
  if (!isNamed && options.hardware.empty())
    options.target = defaultTarget.str();
  if (!options.hardware.empty()) {
    llvm::Expected<cost::Hardware> machine =
        cost::loadHardware(options.hardware);
    if (!machine)
      return emitOptionError("hardware") << llvm::toString(machine.takeError());
    if (!isNamed)
      options.target = machine->target;
    else if (!target::runsCodeOf(machine->target, options.target))
      return emitOptionError("hardware")
             << "'" << options.hardware << "' runs target '" << machine->target
             << "', not '" << options.target << "'; change one of them";
  }
  if (const auto *target = target::lookupTarget(options.target))
    return target;
  if (isNamed)
    return emitOptionError("target")
           << "unknown target '" << options.target << "'; known are "
           << target::knownTargets();
  InFlightDiagnostic error =
      emitOptionError("hardware")
      << "'" << options.hardware << "' runs target '" << options.target
      << "', for which there is no code yet; there is for "
      << target::knownTargets();
  if (target::runsCodeOf(options.target, defaultTarget))
    error << ", and it runs code of --target=" << defaultTarget;
  return error;
}

LogicalResult Compilation::runPasses(const StageEntry &entry) {
  PassManager passes(module.getContext(), ModuleOp::getOperationName());
  entry.addPasses(passes, options);
  if (failed(passes.run(module)))
    return failure();
  stepDone(entry.info.name);
  return success();
}

LogicalResult Compilation::finishSchedule() {
  FailureOr<LaunchPlan> planned = planLaunches(module);
  if (failed(planned))
    return failure();
  plan = std::move(*planned);
  FailureOr<report::CostReport> report = report::buildCostReport(module);
  if (failed(report))
    return failure();
  result.report = std::move(*report);
  stepDone("plan and report");
  return success();
}

/// Takes what a page shows of the module before \p next.
void Compilation::addToPage(Stage next) {
  if (next == Stage::SchedulePicture)
    result.page.scheduled = drawing::drawSVG(module);
  if (next == Stage::Schedule)
    for (auto [element, count] : products)
      result.page.products += double(count);
  if (next != Stage::Picture)
    return;
  result.page.written = drawing::drawSVG(module);
  for (auto diagram : module.getOps<ncd::DiagramOp>())
    result.page.title +=
        (result.page.title.empty() ? "" : ", ") + diagram.getSymName().str();
}

LogicalResult Compilation::emitText(Stage stop,
                                    const target::TargetDescription &target) {
  if (failed(completeLaunches(module, plan)))
    return failure();
  std::string file = options.ptxFile;
  if (file.empty())
    file = plan.kernels.front().entry + ".ptx";
  for (const PlannedKernel &kernel : plan.kernels)
    if (kernel.transferred)
      result.transfers.push_back(*kernel.transferred);
  ManifestFacts facts;
  facts.target = options.target;
  facts.ptxFile = file;
  facts.ptxVersion = target.ptxVersion();
  facts.maxRegisters = target.maxRegisters;
  facts.inputBound = options.inputBound;
  if (!result.report.kernels.empty()) {
    // A description that cannot be found again gives no times.
    auto machine = cost::loadHardware(options.hardware.empty()
                                          ? result.report.kernels[0].hardware
                                          : options.hardware);
    if (machine)
      facts.estimate = estimate(result.report, products, plan.arrayBytes(),
                                *machine, target, options.allowTF32);
    else
      llvm::consumeError(machine.takeError());
  }
  result.manifest = plan.json(facts);
  if (stop == Stage::Manifest)
    return success();
  FailureOr<std::string> ptx =
      emitPTX(module, target, [&](StringRef step) { stepDone(step); });
  if (failed(ptx))
    return failure();
  result.ptx = std::move(*ptx);
  facts.ptx = result.ptx;
  result.manifest = plan.json(facts);
  if (stop != Stage::Cubin)
    return success();
  llvm::Expected<std::string> cubin = assemble(result.ptx, options.target);
  if (!cubin)
    return module.emitError(llvm::toString(cubin.takeError()));
  result.cubin = std::move(*cubin);
  stepDone("assemble");
  return success();
}

FailureOr<Compiled> Compilation::run(Stage stop) {
  // Messages on the whole module point at the first character of its file.
  if (auto file = dyn_cast<FileLineColLoc>(module.getLoc()))
    module->setLoc(FileLineColLoc::get(file.getFilename(), 1, 1));
  if (!std::isfinite(options.inputBound))
    return emitOptionError("input-bound")
           << "the bound of inputs is not a number";
  FailureOr<const target::TargetDescription *> target = chooseTarget();
  if (failed(target) || failed(checkDiagrams(module)))
    return failure();
  products = countProducts(module);
  for (const StageEntry &entry : table) {
    if (!entry.addPasses) {
      if (failed(emitText(stop, **target)))
        return failure();
      break;
    }
    if (stop == Stage::Page)
      addToPage(entry.info.stage);
    if (entry.info.stage == Stage::Schedule)
      separateResults(module);
    if (failed(runPasses(entry)))
      return failure();
    if (entry.info.stage == Stage::Schedule && failed(finishSchedule()))
      return failure();
    if (entry.info.stage == stop)
      break;
  }
  return std::move(result);
}

FailureOr<Compiled> napkin::pipelines::compile(ModuleOp module,
                                               const CompileOptions &options,
                                               Stage last) {
  return Compilation(module, options).run(last);
}

static void addMessage(const Diagnostic &diagnostic,
                       std::vector<Message> &messages) {
  Message message;
  message.severity = diagnostic.getSeverity();
  message.text = diagnostic.str();
  if (auto place = diagnostic.getLocation()->findInstanceOf<FileLineColLoc>()) {
    message.file = place.getFilename().str();
    message.line = place.getLine();
    message.column = place.getColumn();
  }
  messages.push_back(std::move(message));
}

MessageCollector::MessageCollector(MLIRContext *context,
                                   std::vector<Message> &messages)
    : ScopedDiagnosticHandler(context) {
  setHandler([&messages](Diagnostic &diagnostic) {
    addMessage(diagnostic, messages);
    for (const Diagnostic &note : diagnostic.getNotes())
      addMessage(note, messages);
    return failure();
  });
}

static StringRef severityName(DiagnosticSeverity severity) {
  switch (severity) {
  case DiagnosticSeverity::Error:
    return "error";
  case DiagnosticSeverity::Warning:
    return "warning";
  case DiagnosticSeverity::Remark:
    return "remark";
  case DiagnosticSeverity::Note:
    return "note";
  }
  llvm_unreachable("unknown severity");
}

MessagePrinter::MessagePrinter(llvm::SourceMgr &manager, MLIRContext *context,
                               llvm::raw_ostream &out)
    : SourceMgrDiagnosticHandler(manager, context, out) {
  setHandler([this, &out](Diagnostic &diagnostic) {
    if (!isa<UnknownLoc>(diagnostic.getLocation()))
      return emitDiagnostic(diagnostic);
    out << severityName(diagnostic.getSeverity()) << ": " << diagnostic << "\n";
    for (const Diagnostic &note : diagnostic.getNotes())
      out << "note: " << note << "\n";
  });
}

std::string napkin::pipelines::outputOf(Stage stage, ModuleOp module,
                                        const Compiled &compiled) {
  switch (stage) {
  case Stage::PTX:
    return compiled.ptx;
  case Stage::Cubin:
    return compiled.cubin;
  case Stage::Manifest:
    return compiled.manifest;
  case Stage::Page: {
    page::Content content = compiled.page;
    content.report = compiled.report;
    content.ptx = compiled.ptx;
    return page::render(content);
  }
  case Stage::Picture:
  case Stage::SchedulePicture:
    return drawing::drawSVG(module);
  default:
    break;
  }
  std::string text;
  llvm::raw_string_ostream stream(text);
  module->print(stream);
  return text + "\n";
}

llvm::Expected<Compiled>
napkin::pipelines::compileText(StringRef source, const CompileOptions &options,
                               StringRef name) {
  MLIRContext context(dialects(), MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr manager;
  manager.AddNewSourceBuffer(llvm::MemoryBuffer::getMemBufferCopy(source, name),
                             llvm::SMLoc());
  std::string messages;
  llvm::raw_string_ostream stream(messages);
  MessagePrinter handler(manager, &context, stream);
  OwningOpRef<ModuleOp> module = parseSource(manager, &context);
  if (module) {
    FailureOr<Compiled> compiled = compile(*module, options);
    if (succeeded(compiled))
      return std::move(*compiled);
  }
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 StringRef(messages).rtrim());
}
