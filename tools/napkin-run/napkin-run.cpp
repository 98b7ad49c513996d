//===- napkin-run.cpp - Run PTX on the CPU ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Options, arrays in and out, reports. The exit status is told by --help.
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "Kernels.h"
#include "OnDevice.h"
#include "Program.h"
#include "Progress.h"

#include "napkin/Executor/HardwareDescription.h"
#include "napkin/Executor/Manifest.h"
#include "napkin/PTX/Parser.h"
#include "napkin/Pipelines/Version.h"
#include "napkin/Reference/Npy.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>

#include <fmt/format.h>

using namespace napkin;
namespace cl = llvm::cl;

static cl::OptionCategory category("napkin-run options");
static cl::opt<std::string> input(cl::Positional, cl::desc("<kernel.ptx>"),
                                  cl::cat(category));
static cl::opt<std::string>
    manifestPath("manifest", cl::desc("JSON manifest of arrays and launches"),
                 cl::cat(category));
static cl::list<std::string>
    inputs("in", cl::desc("input array: NAME=FILE.npy, or NAME=zeros"),
           cl::cat(category));
static cl::list<std::string>
    outputs("out", cl::desc("write an output array: NAME=FILE.npy"),
            cl::cat(category));
static cl::list<std::string> expected(
    "expect",
    cl::desc("compare an output array with NAME=FILE.npy, as numpy.allclose"),
    cl::cat(category));
static cl::opt<double>
    relativeTolerance("rtol", cl::desc("relative tolerance of --expect (1e-5)"),
                      cl::init(1e-5), cl::cat(category));
static cl::opt<double>
    absoluteTolerance("atol", cl::desc("absolute tolerance of --expect (1e-8)"),
                      cl::init(1e-8), cl::cat(category));
static cl::opt<std::string>
    entry("entry",
          cl::desc("kernel, if the file has several: its name or a part of it"),
          cl::cat(category));
static cl::opt<bool> kernelList("list-kernels",
                                cl::desc("print the file's kernels and stop"),
                                cl::cat(category));
static cl::opt<std::string> grid("grid", cl::desc("blocks: X or X,Y,Z (1)"),
                                 cl::init("1"), cl::cat(category));
static cl::opt<std::string>
    block("block", cl::desc("threads per block: X or X,Y,Z (.reqntid, else 1)"),
          cl::cat(category));
static cl::opt<std::string>
    cluster("cluster",
            cl::desc("blocks per cluster (.reqnctapercluster, else 1)"),
            cl::cat(category));
static cl::opt<uint64_t> shared("shared",
                                cl::desc("dynamic shared memory in bytes"),
                                cl::init(0), cl::cat(category));
static cl::list<std::string> arguments(
    "arg",
    cl::desc(
        "kernel argument: i32:5, f32:0.5, null, in:q:bf16[4,64], out:o:f32[4], "
        "inout:c:i32[2], tmp:t:i32[8], map:q:box=64x128,swizzle=128, "
        "'bytes:64;0=in:q:f32[4];8=i32:5' (a struct: SIZE, 0xHEX or FILE, then "
        "fields by offset); the shape may be left out where --in names a file"),
    cl::cat(category));
static cl::list<std::string>
    declared("array",
             cl::desc("array that only tensor maps name: in:q:bf16[4,64]"),
             cl::cat(category));
static cl::opt<std::string>
    counters("counters",
             cl::desc("print counters: table, json, or a file name"),
             cl::init("table"), cl::cat(category));
static cl::opt<bool>
    annotate("annotate", cl::desc("print the PTX with counts beside each line"),
             cl::cat(category));
static cl::opt<std::string> distribution(
    "random",
    cl::desc("inputs that are not given: normal, uniform, outliers, shifted or "
             "extreme"),
    cl::init("normal"), cl::cat(category));
static cl::opt<uint64_t> seed("seed", cl::desc("seed of random inputs"),
                              cl::init(1), cl::cat(category));
static cl::opt<std::string>
    completion("completion",
               cl::desc("asynchronous copies end: latest, earliest, random"),
               cl::init("latest"), cl::cat(category));
static cl::opt<std::string>
    approximation("approx",
                  cl::desc("errors of .approx and .full forms: exact, typical, "
                           "worst (all that the PTX manual allows)"),
                  cl::init("exact"), cl::cat(category));
static cl::opt<unsigned>
    schedules("schedules",
              cl::desc("repeat under this many orders of warps and "
                       "completion; outputs must not differ"),
              cl::init(1), cl::cat(category));
static cl::opt<std::string>
    numerics("numerics",
             cl::desc("tensor cores: fast, a100, ada, h100 (bit-exact)"),
             cl::init("fast"), cl::cat(category));
static cl::opt<bool> noChecks("no-checks",
                              cl::desc("bounds and alignment only"),
                              cl::cat(category));
static cl::opt<bool> noRaces("no-races", cl::desc("do not look for data races"),
                             cl::cat(category));
static cl::opt<unsigned> maxTraps(
    "max-traps",
    cl::desc("go on after races and accesses out of bounds until there are "
             "this many traps (1)"),
    cl::init(1), cl::cat(category));
static cl::opt<uint64_t>
    sampleBlocks("sample-blocks",
                 cl::desc("execute only this many blocks and scale"),
                 cl::init(0), cl::cat(category));
static cl::opt<bool>
    countOnly("count-only",
              cl::desc("skip tensor-core arithmetic: outputs are wrong"),
              cl::cat(category));
static cl::opt<unsigned> threads("jobs", cl::desc("host threads (0: all)"),
                                 cl::init(0), cl::cat(category));
static cl::opt<std::string>
    hardware("hardware",
             cl::desc("machine for occupancy and --l2: a name or a .json file "
                      "(default: by the PTX's .target)"),
             cl::cat(category));
static cl::opt<unsigned>
    registers("registers",
              cl::desc("registers per thread as ptxas -v says, for occupancy"),
              cl::init(0), cl::cat(category));
static cl::opt<bool>
    cache("l2", cl::desc("DRAM bytes by a model of the machine's L2 cache"),
          cl::cat(category));
static cl::opt<uint64_t> limit("instruction-limit",
                               cl::desc("instructions per warp before a trap"),
                               cl::init(uint64_t(1) << 32), cl::cat(category));
static cl::opt<std::string>
    onDevice("device",
             cl::desc("run on a GPU instead, by the CUDA driver of this "
                      "machine, and take times: cuda, or cuda:1"),
             cl::value_desc("cuda"), cl::cat(category));
static cl::opt<unsigned>
    runs("runs",
         cl::desc("runs of --device that are timed, 0 for none (20; 0 where "
                  "the driver is Napkin's executor)"),
         cl::init(launch::TimingOptions().runs), cl::cat(category));
static cl::opt<bool> warmCache(
    "warm-l2",
    cl::desc("times of --device with what the run before left in the L2 cache"),
    cl::cat(category));
static cl::opt<bool> isProgram(
    "program",
    cl::desc("run a program whose CUDA driver is the executor: --program "
             "[options] -- ./a.out ARGUMENTS"),
    cl::cat(category));
static cl::opt<bool> list("list-instructions",
                          cl::desc("print what is supported and stop"),
                          cl::cat(category));
static cl::opt<bool>
    markdown("markdown", cl::desc("with --list-instructions: a Markdown table"),
             cl::cat(category));

static cl::extrahelp notes(R"text(
Exit status:
  0  every launch ran to its end
  1  an error: nothing was launched, an output was not written wholly, a file
  2  a trap: the kernel does something wrong
  3  an output differs from --expect, or counted bytes from the manifest's

Example: a kernel over numpy arrays, in five lines of a script.
  nvcc -ptx -arch=sm_80 scale.cu -o scale.ptx
  python3 -c "import numpy as n; x = n.arange(500, dtype='f'); n.save('x', x)"
  python3 -c "import numpy as n; n.save('y', 2 * n.load('x.npy'))"
  napkin-run scale.ptx --grid 4 --block 128 --in x=x.npy --expect y=y.npy \
    --arg in:x --arg out:y:f32[500] --arg f32:2 --arg i32:500

Arrays of bf16, e4m3 and e5m2 are files of unsigned integers of their width.
)text");

static int fail(const std::string &what) {
  llvm::errs() << what << "\n";
  return 1;
}

static bool parseTriple(llvm::StringRef text, std::array<uint32_t, 3> &to) {
  llvm::SmallVector<llvm::StringRef, 3> parts;
  text.split(parts, ',');
  if (parts.empty() || parts.size() > 3)
    return false;
  to = {1, 1, 1};
  for (size_t i = 0; i < parts.size(); ++i)
    if (parts[i].trim().getAsInteger(10, to[i]) || !to[i])
      return false;
  return true;
}

static bool parseOptions(executor::Options &options) {
  using executor::Completion;
  options.checks = !noChecks;
  options.races = !noRaces;
  options.sampleBlocks = sampleBlocks;
  options.maxTraps = std::max(1u, unsigned(maxTraps));
  options.countOnly = countOnly;
  options.threads = threads;
  options.instructionLimit = limit;
  if (completion == "latest")
    options.completion = Completion::Latest;
  else if (completion == "earliest")
    options.completion = Completion::Earliest;
  else if (completion == "random")
    options.completion = Completion::Random;
  else
    return fail("error: --completion is latest, earliest or random"), false;
  if (numerics != "fast") {
    options.numerics = executor::Numerics::Faithful;
    if (numerics == "a100")
      options.tensorCore = executor::TensorCore::A100;
    else if (numerics == "ada")
      options.tensorCore = executor::TensorCore::Ada;
    else if (numerics == "h100")
      options.tensorCore = executor::TensorCore::H100;
    else
      return fail("error: --numerics is fast, a100, ada or h100"), false;
  }
  std::optional<executor::Approximation> parsed =
      executor::parseApproximation(approximation);
  if (!parsed)
    return fail("error: --approx is exact, typical or worst"), false;
  options.approximation = *parsed;
  options.registersPerThread = registers;
  options.cacheModel = cache;
  return true;
}

/// The machine of --hardware, else the one for the PTX's target; none if that
/// is unknown and nothing asks for it.
static llvm::Error chooseHardware(llvm::StringRef target,
                                  executor::Options &options) {
  auto found = executor::findHardware(hardware, target);
  if (!found)
    return found.takeError();
  if (!*found && cache)
    return llvm::createStringError("error: --l2 needs --hardware: none is "
                                   "known for target '" +
                                   target + "'");
  options.hardware = std::move(*found);
  return llvm::Error::success();
}

/// The PTX with executed counts, bytes and conflicts beside each line.
static void printAnnotated(const ptx::Module &module,
                           const executor::Counters &counters) {
  std::map<uint32_t, executor::InstructionCounters> lines;
  for (const executor::Counters::Row &row : counters.rows)
    lines[row.line] += row.counters;
  fmt::print("{:>12} {:>12} {:>12} {:>9}\n", "issued", "global B", "shared B",
             "conflicts");
  llvm::StringRef rest = *module.text;
  for (uint32_t line = 1; !rest.empty(); ++line) {
    llvm::StringRef text;
    std::tie(text, rest) = rest.split('\n');
    auto found = lines.find(line);
    if (found == lines.end()) {
      fmt::print("{:>48} | {}\n", "", text.str());
      continue;
    }
    const executor::InstructionCounters &c = found->second;
    auto number = [](uint64_t value) {
      return value ? std::to_string(value) : std::string();
    };
    fmt::print("{:>12} {:>12} {:>12} {:>9} | {}\n", c.warps,
               number(c.globalReadBytes + c.globalWriteBytes),
               number(c.sharedReadBytes + c.sharedWriteBytes),
               number(c.sharedConflicts), text.str());
  }
}

/// What the command line says in place of a manifest.
static llvm::Error readCommandLine(const run::Files &files,
                                   executor::Manifest &manifest) {
  manifest.kernels.emplace_back();
  executor::LaunchConfig &config = manifest.kernels[0].config;
  config.dynamicSharedBytes = shared;
  // Zeros: as the kernel says.
  config.block = config.cluster = {0, 0, 0};
  auto parse = [](const cl::opt<std::string> &option,
                  std::array<uint32_t, 3> &to) -> llvm::Error {
    if (option.empty() || parseTriple(option, to))
      return llvm::Error::success();
    return llvm::createStringError("error: --" + option.ArgStr + " " +
                                   option.getValue() +
                                   ": expected X, X,Y or X,Y,Z, from 1 up");
  };
  if (auto e = parse(grid, config.grid))
    return e;
  if (auto e = parse(block, config.block))
    return e;
  if (auto e = parse(cluster, config.cluster))
    return e;
  for (const std::string &array : declared)
    if (auto e = run::addArray(manifest, array, files))
      return e;
  for (const std::string &argument : arguments)
    if (auto e = run::addArgument(manifest, argument, files))
      return e;
  return llvm::Error::success();
}

static llvm::Error readManifest(executor::Manifest &manifest) {
  // Lists overload operator&.
  const cl::Option *others[] = {std::addressof<cl::Option>(arguments),
                                std::addressof<cl::Option>(declared),
                                &grid,
                                &block,
                                &cluster,
                                &shared,
                                &entry};
  for (const cl::Option *option : others)
    if (option->getNumOccurrences())
      return llvm::createStringError("error: --" + option->ArgStr +
                                     " and --manifest exclude each other");
  auto buffer = llvm::MemoryBuffer::getFile(manifestPath);
  if (!buffer)
    return llvm::createStringError(
        manifestPath + ": error: cannot read: " + buffer.getError().message());
  auto parsed = executor::parseManifest((*buffer)->getBuffer(), manifestPath);
  if (!parsed)
    return parsed.takeError();
  manifest = std::move(*parsed);
  for (const std::string &note : manifest.notes)
    llvm::errs() << "note: " << note << "\n";
  return llvm::Error::success();
}

/// The PTX file: named, or beside the manifest.
static std::string modulePath(const executor::Manifest &manifest) {
  if (!input.empty() || manifest.ptx.empty())
    return input;
  llvm::SmallString<128> beside(llvm::sys::path::parent_path(manifestPath));
  llvm::sys::path::append(beside, manifest.ptx);
  return beside.str().str();
}

static void printTraps(const ptx::Module &module,
                       const executor::Manifest &manifest,
                       const executor::LaunchResult &result, size_t kernel) {
  bool isOutside = false;
  for (const executor::Trap &trap : result.traps) {
    llvm::errs() << executor::describe(trap, module.file);
    isOutside |= trap.kind == executor::Trap::Kind::OutOfBounds;
  }
  llvm::StringRef name = run::dynamicShared(module);
  if (isOutside && !name.empty() &&
      !manifest.kernels[kernel].config.dynamicSharedBytes)
    llvm::errs() << "note: the launch has no dynamic shared memory for '"
                 << name << "' (--shared)\n";
}

namespace {
/// What the first of the schedules computed and counted.
struct Outcome {
  executor::HostArrays arrays;
  std::vector<executor::LaunchResult> results;
};
} // namespace

/// Runs the launches under every schedule; the status is 2 after a trap.
static int runSchedules(const ptx::Module &module,
                        const executor::Manifest &manifest,
                        executor::HostArrays arrays,
                        const executor::Options &options, Outcome &outcome) {
  using executor::Completion;
  for (unsigned n = 0; n < std::max(1u, unsigned(schedules)); ++n) {
    // The last schedule takes the inputs themselves.
    executor::HostArrays now;
    if (n + 1 < schedules)
      now = arrays;
    else
      now = std::move(arrays);
    executor::Options own = options;
    own.seed = n;
    if (n)
      own.completion = n % 3 == 1   ? Completion::Earliest
                       : n % 3 == 2 ? Completion::Random
                                    : Completion::Latest;
    auto ran = executor::runManifest(module, manifest, now, own);
    if (!ran)
      return fail(toString(ran.takeError()));
    for (size_t k = 0; k < ran->size(); ++k) {
      for (const std::string &note : (*ran)[k].notes)
        if (!n)
          llvm::errs() << "note: " << note << "\n";
      if (n == 0)
        llvm::outs() << (*ran)[k].printed;
      if ((*ran)[k].traps.empty())
        continue;
      printTraps(module, manifest, (*ran)[k], k);
      if (n)
        llvm::errs() << fmt::format("note: under schedule {} of {}\n", n + 1,
                                    schedules.getValue());
      return 2;
    }
    if (n == 0) {
      outcome.arrays = std::move(now);
      outcome.results = std::move(*ran);
      continue;
    }
    for (const executor::ManifestArray &array : manifest.arrays)
      if (array.role != executor::ManifestArray::Role::Input &&
          now[array.name] != outcome.arrays[array.name])
        llvm::errs() << fmt::format(
            "note: output '{}' differs under schedule {}: its order of "
            "operations is not determined\n",
            array.name, n + 1);
  }
  return 0;
}

/// With --sample-blocks outputs are only partly written.
static void notePartialOutputs(const executor::Manifest &manifest,
                               const Outcome &outcome) {
  for (size_t k = 0; k < outcome.results.size(); ++k) {
    const executor::Counters &c = outcome.results[k].counters;
    if (c.blocksExecuted < c.blocksInGrid)
      llvm::errs() << fmt::format(
          "note: kernel '{}': {} of {} blocks ran (--sample-blocks): outputs "
          "hold what these wrote, and zeros\n",
          manifest.kernels[k].entry, c.blocksExecuted, c.blocksInGrid);
  }
}

/// Refuses options that mean something to the executor alone.
static llvm::Error checkDeviceOptions() {
  const cl::Option *others[] = {
      &counters,  &annotate, &completion, &approximation, &schedules,
      &numerics,  &noChecks, &noRaces,    &maxTraps,      &sampleBlocks,
      &countOnly, &hardware, &registers,  &cache,         &limit};
  for (const cl::Option *option : others)
    if (option->getNumOccurrences())
      return llvm::createStringError("error: --" + option->ArgStr +
                                     " is of the executor: a GPU (--device) "
                                     "has nothing of the kind");
  return llvm::Error::success();
}

/// In place of runSchedules(): all launches on the device.
static llvm::Error runOnDevice(const launch::Device &device,
                               const ptx::Module &module,
                               const executor::Manifest &manifest,
                               executor::HostArrays arrays, Outcome &outcome) {
  launch::TimingOptions timing;
  timing.runs = runs;
  timing.flushesCache = !warmCache;
  if (device.info().isExecutor && !runs.getNumOccurrences()) {
    llvm::outs() << "not timed: the driver is Napkin's executor, whose times "
                    "are a CPU's (--runs=N)\n";
    timing.runs = 0;
  }
  outcome.arrays = std::move(arrays);
  return run::runOnDevice(device, module, manifest, outcome.arrays, timing);
}

/// Writes and compares outputs; the status is 3 when one differs.
static int checkOutputs(const executor::Manifest &manifest,
                        const run::Files &outputFiles,
                        const run::Files &expectedFiles, Outcome &outcome) {
  for (const auto &file : outputFiles) {
    auto array = cantFail(run::findOutput(manifest, file.first(), "out"));
    if (auto e =
            run::saveOutput(*array, outcome.arrays[array->name], file.second))
      return fail(toString(std::move(e)));
  }
  int status = 0;
  for (const auto &file : expectedFiles) {
    auto array = cantFail(run::findOutput(manifest, file.first(), "expect"));
    auto difference =
        run::compareOutput(*array, outcome.arrays[array->name], file.second,
                           relativeTolerance, absoluteTolerance);
    if (!difference)
      return fail(toString(difference.takeError()));
    if (difference->empty())
      continue;
    fail("error: " + *difference);
    status = 3;
  }
  return status;
}

/// Prints or writes the counters of one launch.
static llvm::Error printCounters(const executor::ManifestKernel &kernel,
                                 const executor::LaunchResult &result,
                                 bool isFirst) {
  const executor::Counters &c = result.counters;
  if (counters == "table") {
    fmt::print("kernel {} ({:.3f} s, {:.1f} M thread instructions/s)\n{}",
               kernel.entry, result.seconds,
               c.total.threads / result.seconds / 1e6, c.table());
  } else if (counters == "json") {
    fmt::print("{}", c.json());
  } else if (counters != "none") {
    std::error_code error;
    llvm::raw_fd_ostream out(counters, error,
                             isFirst ? llvm::sys::fs::OF_None
                                     : llvm::sys::fs::OF_Append);
    if (error)
      return llvm::createStringError(
          counters + ": error: cannot write: " + error.message());
    out << c.json(true);
  }
  return llvm::Error::success();
}

/// Counted against predicted bytes; false where they differ.
static bool checkPrediction(const executor::ManifestKernel &kernel,
                            const executor::Counters &c) {
  bool same = true;
  auto compare = [&](const char *what, std::optional<uint64_t> predicted,
                     uint64_t counted) {
    if (!predicted || *predicted == counted)
      return;
    fail(fmt::format(
        "error: kernel '{}': global {} bytes: predicted {}, counted {}",
        kernel.entry, what, *predicted, counted));
    same = false;
  };
  compare("read", kernel.predictedReadBytes, c.total.globalReadBytes);
  compare("write", kernel.predictedWriteBytes, c.total.globalWriteBytes);
  return same;
}

/// What the options say to the driver of --program.
static std::string driverSettings() {
  std::string text = "counters=" + counters;
  auto add = [&](const cl::Option &option, const char *key,
                 const std::string &value) {
    if (option.getNumOccurrences())
      text += fmt::format(",{}={}", key, value);
  };
  add(hardware, "hardware", hardware);
  add(noChecks, "checks", noChecks ? "off" : "on");
  add(noRaces, "races", noRaces ? "off" : "on");
  add(completion, "completion", completion);
  add(seed, "seed", std::to_string(seed));
  add(numerics, "numerics", numerics);
  add(approximation, "approx", approximation);
  add(threads, "jobs", std::to_string(threads));
  add(maxTraps, "traps", std::to_string(std::max(1u, unsigned(maxTraps))));
  add(limit, "limit", std::to_string(limit));
  return text;
}

/// Starts the program of --program. The exit status is its own, and comes from
/// here only if it cannot be started.
static int startProgram(const char *tool, llvm::ArrayRef<char *> command) {
  if (command.empty())
    return fail("error: --program: name the program behind --");
  std::string folder = run::driverFolder(tool);
  if (folder.empty())
    return fail("error: --program: there is no lib/napkin-driver/libcuda.so.1 "
                "beside napkin-run");
  return fail(toString(run::startProgram(folder, driverSettings(), command)));
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::SetVersionPrinter(
      [](llvm::raw_ostream &out) { out << NAPKIN_VERSION_TEXT; });
  // What stands behind -- is the program's.
  llvm::ArrayRef<char *> words(argv, argc), command;
  auto end = llvm::find_if(
      words, [](const char *word) { return llvm::StringRef(word) == "--"; });
  if (end != words.end())
    command = words.drop_front(end - words.begin() + 1);
  cl::ParseCommandLineOptions(
      end - words.begin(), argv,
      "Executes PTX on the CPU, checks it and counts bytes\n");
  if (isProgram)
    return startProgram(argv[0], command);
  if (list) {
    llvm::outs() << executor::listInstructions(markdown);
    return 0;
  }
  run::Files inputFiles, outputFiles, expectedFiles;
  for (auto [option, texts, files] :
       {std::tuple("in", &inputs, &inputFiles),
        std::tuple("out", &outputs, &outputFiles),
        std::tuple("expect", &expected, &expectedFiles)})
    if (auto e = run::splitFiles(*texts, option, *files))
      return fail(toString(std::move(e)));
  std::optional<launch::Device> device;
  if (onDevice.getNumOccurrences()) {
    if (auto e = checkDeviceOptions())
      return fail(toString(std::move(e)));
    auto opened = run::openDevice(onDevice);
    if (!opened)
      return fail(toString(opened.takeError()));
    device = *opened;
  }
  executor::Manifest manifest;
  if (auto e = manifestPath.empty() ? readCommandLine(inputFiles, manifest)
                                    : readManifest(manifest))
    return fail(toString(std::move(e)));
  std::string path = modulePath(manifest);
  if (path.empty())
    return fail("error: no PTX file given (napkin-run --help)");
  auto module = ptx::parseFile(path);
  if (!module)
    return fail(toString(module.takeError()));
  // Who names a file has it run, whatever the manifest was written with.
  if (input.empty())
    if (auto e = executor::checkPtx(manifest, **module))
      return fail(toString(std::move(e)));
  if (kernelList) {
    llvm::outs() << run::listKernels(**module);
    return 0;
  }
  if (manifestPath.empty()) {
    auto kernel = run::findKernel(**module, entry);
    if (!kernel)
      return fail(toString(kernel.takeError()));
    manifest.kernels[0].entry = (*kernel)->name.str();
  }
  executor::Options options;
  if (!parseOptions(options))
    return 1;
  if (auto e = chooseHardware((*module)->target, options))
    return fail(toString(std::move(e)));
  options.progress = tools::progressBar();
  auto kind = reference::parseDistribution(distribution);
  if (!kind)
    return fail("error: --random is normal, uniform, outliers, shifted or "
                "extreme");
  if (*kind == reference::Distribution::Masked)
    return fail("error: --random=masked: a manifest does not say which arrays "
                "are masks; give them with --in NAME=FILE.npy");
  executor::HostArrays arrays;
  if (auto e = run::loadInputs(manifest, inputFiles, *kind, seed, arrays))
    return fail(toString(std::move(e)));
  if (sampleBlocks && !expectedFiles.empty())
    return fail("error: --expect and --sample-blocks exclude each other: the "
                "blocks that do not run leave their outputs unwritten");
  // A misspelt name is told before a long run.
  for (auto [option, files] :
       {std::pair("out", &outputFiles), std::pair("expect", &expectedFiles)})
    for (const auto &file : *files)
      if (auto array = run::findOutput(manifest, file.first(), option); !array)
        return fail(toString(array.takeError()));
  Outcome outcome;
  if (device) {
    if (auto e = runOnDevice(*device, **module, manifest, std::move(arrays),
                             outcome))
      return fail(toString(std::move(e)));
    return checkOutputs(manifest, outputFiles, expectedFiles, outcome);
  }
  if (int status =
          runSchedules(**module, manifest, std::move(arrays), options, outcome))
    return status;
  if (!outputFiles.empty())
    notePartialOutputs(manifest, outcome);
  int status = checkOutputs(manifest, outputFiles, expectedFiles, outcome);
  if (status == 1)
    return status;
  for (size_t k = 0; k < outcome.results.size(); ++k) {
    const executor::ManifestKernel &kernel = manifest.kernels[k];
    if (uint32_t line = outcome.results[k].productsNeededBy)
      llvm::errs() << fmt::format("{}:{}: note: this may depend on tensor-core "
                                  "results, so --count-only "
                                  "computes them\n",
                                  (*module)->file, line);
    if (annotate)
      printAnnotated(**module, outcome.results[k].counters);
    if (auto e = printCounters(kernel, outcome.results[k], k == 0))
      return fail(toString(std::move(e)));
    if (!checkPrediction(kernel, outcome.results[k].counters))
      status = 3;
  }
  return status;
}
