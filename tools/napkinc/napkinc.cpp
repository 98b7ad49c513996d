//===- napkinc.cpp - compile diagrams -------------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Options, files in and out, reports. Exit status: 0 fine, 1 an error, 2 the
// verification found a difference.
//===----------------------------------------------------------------------===//

#include "Exploring.h"
#include "Output.h"
#include "Progress.h"
#include "mlir/IR/AsmState.h"
#include "mlir/Support/FileUtilities.h"
#include "napkin/Cost/Hardware.h"
#include "napkin/Pipelines/Pipelines.h"
#include "napkin/Pipelines/Source.h"
#include "napkin/Pipelines/Verify.h"
#include "napkin/Pipelines/Version.h"
#include "napkin/Target/Target.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include <fmt/format.h>

using namespace mlir;
using namespace napkin;
using pipelines::Stage;
namespace cl = llvm::cl;

static cl::OptionCategory category("napkinc options");
static cl::opt<std::string>
    input(cl::Positional, cl::desc("<diagram.mlir>, - for standard input"),
          cl::Required, cl::cat(category));
static cl::opt<std::string>
    output("o", cl::desc("file to write; PTX gets its manifest beside it"),
           cl::value_desc("file"), cl::cat(category));
static cl::opt<std::string>
    targetName("target",
               cl::desc("architecture (that of --hardware, else sm_80)"),
               cl::value_desc("name"), cl::cat(category));
static cl::opt<std::string>
    hardware("hardware",
             cl::desc("machine whose costs count (that of --target): a name or "
                      "a .json file"),
             cl::value_desc("name|file"), cl::cat(category));
static cl::opt<Stage> emit("emit", cl::desc("what to write:"),
                           cl::init(Stage::PTX), cl::cat(category));
static cl::opt<std::string> reportForm(
    "report", cl::desc("print what the kernels move, as text or json"),
    cl::ValueOptional, cl::value_desc("text|json"), cl::cat(category));
static cl::opt<bool>
    verifies("verify",
             cl::desc("execute the PTX on this CPU; compare results and bytes"),
             cl::cat(category));
static cl::opt<std::string>
    runsOn("run",
           cl::desc("run the PTX on a GPU, by the CUDA driver of this machine; "
                    "compare results, take times: cuda, or cuda:1 for another "
                    "device than the first"),
           cl::value_desc("cuda"), cl::cat(category));
static cl::opt<std::string> dataFolder(
    "save-data",
    cl::desc("with --verify or --run: write inputs, exact results and what "
             "they may be off to files in this folder"),
    cl::value_desc("folder"), cl::cat(category));
static cl::opt<unsigned>
    runs("runs",
         cl::desc("runs of --run that are timed, 0 for none (20; 0 where the "
                  "driver is Napkin's executor)"),
         cl::init(launch::TimingOptions().runs), cl::cat(category));
static cl::opt<bool>
    warmCache("warm-l2",
              cl::desc("times of --run with what the run before left in the L2 "
                       "cache (default: it is flushed before each)"),
              cl::cat(category));
static cl::opt<uint64_t> seed("seed",
                              cl::desc("seed of the inputs of --verify"),
                              cl::init(1), cl::cat(category));
static cl::opt<std::string>
    inputs("inputs",
           cl::desc("inputs of --verify: normal, uniform, outliers, shifted, "
                    "masked or extreme"),
           cl::init("normal"), cl::cat(category));
static cl::opt<std::string>
    approximation("approx",
                  cl::desc("errors of .approx forms in --verify: exact, "
                           "typical, worst (all that the PTX manual allows)"),
                  cl::init("exact"), cl::cat(category));
static cl::list<std::string> pinGroup("pin-group",
                                      cl::desc("tiles of group axes"),
                                      cl::value_desc("axis:size"),
                                      cl::CommaSeparated, cl::cat(category));
static cl::list<std::string>
    pinStream("pin-stream", cl::desc("chunk of the streamed axis, or none"),
              cl::value_desc("axis:size"), cl::CommaSeparated,
              cl::cat(category));
static cl::list<std::string> pinSplit(
    "pin-split", cl::desc("positions of a part of the streamed axis, or none"),
    cl::value_desc("axis:size"), cl::CommaSeparated, cl::cat(category));
static cl::opt<int64_t> pinWarps("pin-warps", cl::desc("warps of a block"),
                                 cl::init(0), cl::cat(category));
static cl::opt<int64_t> pinStages("pin-stages",
                                  cl::desc("buffers of the pipeline"),
                                  cl::init(0), cl::cat(category));
static cl::list<std::string>
    pinForms("pin-forms",
             cl::desc("forms of kernels: padded, reread, lazy (true or false), "
                      "parts (a number)"),
             cl::value_desc("form:value"), cl::CommaSeparated,
             cl::cat(category));
static cl::opt<bool>
    allowTF32("allow-tf32",
              cl::desc("round factors of f32 products to tf32, for tensor "
                       "cores"),
              cl::cat(category));
static cl::opt<double> inputBound("input-bound",
                                  cl::desc("B in |input| <= 2^B"), cl::init(32),
                                  cl::cat(category));
static cl::list<std::string>
    whatIf("what-if",
           cl::desc("compare with the schedule under another size, machine, "
                    "type or level: q=4096, smem=128K, dtype(k)=i8, "
                    "level(s)=global"),
           cl::value_desc("name=value"), cl::cat(category));
static cl::opt<std::string>
    sweep("sweep",
          cl::desc("a table over sizes of an axis or numbers of the machine: "
                   "q=512:65536, smem=32K,64K,128K"),
          cl::value_desc("name=range"), cl::cat(category));
static cl::opt<bool> csv("csv", cl::desc("--sweep as CSV"), cl::cat(category));
static cl::opt<bool> plot("plot", cl::desc("--sweep as a curve, in SVG"),
                          cl::cat(category));
static cl::opt<bool> timing("timing", cl::desc("print seconds by step"),
                            cl::cat(category));

/// Whether results are compared with the reference.
static bool judges() { return verifies || runsOn.getNumOccurrences(); }

/// Prints \p what and gives the exit status of an error.
static int fail(const llvm::Twine &what) {
  llvm::errs() << what << "\n";
  return 1;
}

/// What the command line says, checked.
struct Request {
  pipelines::CompileOptions compile;
  pipelines::VerifyOptions verify;
  Stage stage = Stage::PTX;
  /// The last stage that has to be run for all that is asked for.
  Stage last = Stage::PTX;
  bool reportText = false, reportJSON = false;
  /// What is compared instead of being compiled.
  driver::ExploreRequest explore;
  /// Empty: write nothing.
  std::string path, manifestPath;
  /// Which device --run means.
  int device = 0;

  /// Where the report goes: to standard output, unless something else is
  /// written there.
  llvm::raw_ostream &reportStream() const {
    return path == "-" ? llvm::errs() : llvm::outs();
  }
  /// Where the verification goes: JSON and what is compiled stay alone.
  llvm::raw_ostream &verifyStream() const {
    return path == "-" || reportJSON ? llvm::errs() : llvm::outs();
  }
};

/// Reads the values of --emit from the table of stages.
static void addStages() {
  for (const pipelines::StageInfo &info : pipelines::stages())
    emit.getParser().addLiteralOption(info.name, info.stage, info.description);
}

/// The end of --help: what --target and --hardware know.
static std::string listOfMachines() {
  std::string text = "\nTargets: " + target::knownTargets() + ".\nHardware: ";
  for (llvm::StringRef name : cost::hardwareNames()) {
    const cost::Hardware &machine = *cost::findHardware(name);
    text += fmt::format("\n  {:<12}{}, runs {}", machine.name, machine.title,
                        machine.target);
    if (!target::lookupTarget(machine.target))
      text += target::runsCodeOf(machine.target, pipelines::defaultTarget)
                  ? " (no code of its own yet, but that of sm_80)"
                  : " (no code for it yet)";
  }
  return text + "\nor a file of your own: docs/adding-a-target.md.\n";
}

/// Whether a file that is read would be written. Returns the message of an
/// error.
static std::string checkInputsStay(const Request &request) {
  for (const std::string &written : {request.path, request.manifestPath})
    for (const std::string &read : {input.getValue(), hardware.getValue()})
      if (!written.empty() && written != "-" && read != "-" &&
          driver::isRegularPath(written) && driver::isSameFile(written, read))
        return fmt::format("{}: error: would be written over '{}', which is "
                           "read; name another file with -o",
                           written, read);
  return "";
}

/// Decides which files are written. Returns the message of an error.
static std::string chooseFiles(Request &request) {
  request.path = output;
  if (output.getNumOccurrences() && output.empty())
    return "error: -o names no file";
  bool asked = judges() || reportForm.getNumOccurrences() || timing;
  if (request.explore.isAsked() && (asked || emit.getNumOccurrences()))
    return "error: --what-if and --sweep print their own tables: leave out "
           "--emit, --report, --verify, --run and --timing";
  if (request.path.empty() && (emit.getNumOccurrences() || !asked))
    request.path = "-";
  if (request.stage == Stage::Cubin && request.path == "-" && output.empty())
    return "error: a cubin is no text: name a file with -o";
  llvm::StringRef file = llvm::sys::path::filename(request.path);
  if (request.stage != Stage::PTX || request.path.empty() ||
      request.explore.isAsked() || !driver::isRegularPath(request.path))
    return checkInputsStay(request);
  llvm::SmallString<128> beside(request.path);
  llvm::sys::path::replace_extension(beside, "json");
  if (beside == request.path)
    return fmt::format("{}: error: the manifest would have the same name; call "
                       "the PTX otherwise",
                       request.path);
  request.compile.ptxFile = file.str();
  request.manifestPath = beside.str().str();
  return checkInputsStay(request);
}

/// Checks --run. Returns the message of an error.
static std::string readRun(Request &request) {
  llvm::StringRef text = runsOn;
  const bool isKnown = text.consume_front("cuda");
  if (runsOn.getNumOccurrences() &&
      (!isKnown || (!text.empty() && (!text.consume_front(":") ||
                                      text.getAsInteger(10, request.device)))))
    return "error: --run is cuda or cuda:NUMBER, not '" + runsOn + "'";
  if (!dataFolder.empty() && !judges())
    return "error: --save-data belongs to --verify or --run";
  request.verify.dataFolder = dataFolder;
  request.verify.timing.runs = runs;
  request.verify.timing.flushesCache = !warmCache;
  return "";
}

/// Checks the options. Returns the message of an error.
static std::string readOptions(Request &request) {
  request.stage = emit;
  if (sweep.empty() && (csv || plot))
    return "error: --csv and --plot are forms of --sweep";
  request.explore = {{whatIf.begin(), whatIf.end()}, sweep, csv, plot};
  request.compile.target = targetName;
  request.compile.hardware = hardware;
  request.compile.pinGroup.assign(pinGroup.begin(), pinGroup.end());
  request.compile.pinStream.assign(pinStream.begin(), pinStream.end());
  request.compile.pinSplit.assign(pinSplit.begin(), pinSplit.end());
  // 0 is how the options say that nothing is pinned.
  if (pinWarps.getNumOccurrences() && pinWarps == 0)
    return "error: --pin-warps is a number of warps, not 0";
  if (pinStages.getNumOccurrences() && pinStages == 0)
    return "error: --pin-stages is a number of buffers, not 0";
  request.compile.pinWarps = pinWarps;
  request.compile.pinStages = pinStages;
  request.compile.pinForms.assign(pinForms.begin(), pinForms.end());
  request.compile.inputBound = inputBound;
  request.compile.allowTF32 = allowTF32;
  request.verify.roundToTF32 = allowTF32;
  if (reportForm.getNumOccurrences()) {
    request.reportJSON = reportForm == "json";
    request.reportText = reportForm == "text" || reportForm.empty();
    if (!request.reportText && !request.reportJSON)
      return "error: --report is text or json, not '" + reportForm + "'";
  }
  std::optional<reference::Distribution> distribution =
      reference::parseDistribution(inputs);
  if (!distribution)
    return "error: --inputs is " + reference::distributionNames() + ", not '" +
           inputs + "'";
  request.verify.distribution = *distribution;
  request.verify.seed = seed;
  std::optional<executor::Approximation> approximate =
      executor::parseApproximation(approximation);
  if (!approximate)
    return "error: --approx is exact, typical or worst, not '" + approximation +
           "'";
  request.verify.approximation = *approximate;
  request.verify.progress = tools::progressBar();
  if (std::string error = readRun(request); !error.empty())
    return error;
  request.last = request.stage;
  if (judges() && request.last == Stage::Manifest)
    request.last = Stage::PTX;
  if (request.stage < Stage::PTX && judges())
    return fmt::format("error: --{} needs the whole way: leave out --emit, or "
                       "emit ptx",
                       verifies ? "verify" : "run");
  if (request.stage < Stage::Schedule && reportForm.getNumOccurrences())
    return "error: --report needs a schedule: emit a later stage";
  return chooseFiles(request);
}

static void printReports(const Request &request,
                         const pipelines::Compiled &compiled) {
  if (request.reportText)
    compiled.report.print(request.reportStream());
  if (request.reportJSON)
    compiled.report.printJSON(request.reportStream());
  // Both streams may be one file.
  request.reportStream().flush();
  if (timing)
    for (const auto &[step, seconds] : compiled.seconds)
      llvm::errs() << fmt::format("{:>9.1f} ms  {}\n", seconds * 1e3, step);
}

/// Verifies on this CPU, or on \p device, and keeps for a page what was counted
/// and printed.
static FailureOr<bool> verifyCompiled(const Request &request, ModuleOp source,
                                      pipelines::Compiled &compiled,
                                      const launch::Device *device = nullptr) {
  pipelines::VerifyOptions options = request.verify;
  options.device = device;
  if (device && device->info().isExecutor && !runs.getNumOccurrences()) {
    request.verifyStream() << "not timed: the driver is Napkin's executor, "
                              "whose times are a CPU's (--runs=N)\n";
    options.timing.runs = 0;
  }
  if (request.stage == Stage::Page)
    options.counted = [&](llvm::StringRef, const executor::Counters &counters) {
      for (const executor::Counters::Row &row : counters.rows) {
        page::LineCounts &line = compiled.page.lines[row.line];
        const executor::InstructionCounters &counted = row.counters;
        line.issues += counted.warps;
        line.globalBytes += counted.globalReadBytes + counted.globalWriteBytes;
        line.globalSectors +=
            counted.globalReadSectors + counted.globalWriteSectors;
        line.sharedWavefronts += counted.sharedWavefronts;
        line.conflicts += counted.sharedConflicts;
      }
    };
  std::string verification;
  llvm::raw_string_ostream text(verification);
  FailureOr<bool> passed = pipelines::verify(source, compiled, options, text);
  request.verifyStream() << verification;
  compiled.page.verification += verification;
  return passed;
}

static int exploreFile(const Request &request, const llvm::SourceMgr &manager) {
  llvm::Expected<std::string> text =
      driver::explore(manager, request.compile, request.explore);
  if (!text)
    return fail(llvm::toString(text.takeError()));
  if (llvm::Error error = driver::writeFiles({{request.path, *text}}))
    return fail(llvm::toString(std::move(error)));
  return 0;
}

static int compileFile(const Request &request) {
  std::string message;
  // What cannot run is said before anything is compiled.
  std::optional<launch::Device> device;
  if (runsOn.getNumOccurrences()) {
    auto opened = launch::Device::open(request.device);
    if (!opened)
      return fail(llvm::toString(opened.takeError()));
    device = *opened;
  }
  std::unique_ptr<llvm::MemoryBuffer> buffer = openInputFile(input, &message);
  if (!buffer)
    return fail(input + ": error: " + message);
  MLIRContext context(pipelines::dialects(), MLIRContext::Threading::DISABLED);
  context.printOpOnDiagnostic(false);
  llvm::SourceMgr manager;
  manager.AddNewSourceBuffer(std::move(buffer), llvm::SMLoc());
  if (request.explore.isAsked())
    return exploreFile(request, manager);
  pipelines::MessagePrinter handler(manager, &context);
  OwningOpRef<ModuleOp> module = pipelines::parseSource(manager, &context);
  if (!module)
    return 1;
  // Messages on the whole module point at the first character of its file.
  if (auto file = dyn_cast<FileLineColLoc>(module->getLoc()))
    (*module)->setLoc(FileLineColLoc::get(file.getFilename(), 1, 1));
  OwningOpRef<ModuleOp> source;
  if (judges())
    source = module->clone();
  FailureOr<pipelines::Compiled> compiled =
      pipelines::compile(*module, request.compile, request.last);
  if (failed(compiled))
    return 1;
  printReports(request, *compiled);
  int status = 0;
  // On this CPU, on the device, or on both in turn.
  llvm::SmallVector<const launch::Device *, 2> places;
  if (verifies)
    places.push_back(nullptr);
  if (device)
    places.push_back(&*device);
  for (const launch::Device *place : places) {
    FailureOr<bool> passed = verifyCompiled(request, *source, *compiled, place);
    if (failed(passed))
      return 1;
    status = std::max(status, *passed ? 0 : 2);
  }
  std::vector<driver::OutputFile> files;
  if (!request.path.empty())
    files.push_back(
        {request.path, pipelines::outputOf(request.stage, *module, *compiled)});
  if (!request.manifestPath.empty())
    files.push_back({request.manifestPath, compiled->manifest});
  if (llvm::Error error = driver::writeFiles(files))
    return fail(llvm::toString(std::move(error)));
  return status;
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  addStages();
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &out) { out << NAPKIN_VERSION_TEXT; });
  const std::string machines = listOfMachines();
  cl::extrahelp machinesHelp(machines);
  cl::ParseCommandLineOptions(argc, argv, "Compiles diagrams to PTX\n");
  Request request;
  std::string error = readOptions(request);
  if (!error.empty())
    return fail(error);
  return compileFile(request);
}
