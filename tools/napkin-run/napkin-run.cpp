//===- napkin-run.cpp - Run PTX on the CPU ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Options, arrays in and out, reports. Exit status: 0 fine, 1 an error before
// the launch, 2 a trap, 3 counted bytes differ from the manifest's prediction.
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"

#include "napkin/Cost/Hardware.h"
#include "napkin/Executor/Manifest.h"
#include "napkin/PTX/Parser.h"
#include "napkin/Reference/Npy.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
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
    inputs("in", cl::desc("input array: NAME=FILE.npy"), cl::cat(category));
static cl::list<std::string>
    outputs("out", cl::desc("output array: NAME=FILE.npy"), cl::cat(category));
static cl::opt<std::string> entry("entry",
                                  cl::desc("kernel, if the file has several"),
                                  cl::cat(category));
static cl::opt<std::string> grid("grid", cl::desc("blocks: X or X,Y,Z"),
                                 cl::init("1"), cl::cat(category));
static cl::opt<std::string> block("block",
                                  cl::desc("threads per block: X or X,Y,Z"),
                                  cl::init("1"), cl::cat(category));
static cl::opt<std::string> cluster("cluster", cl::desc("blocks per cluster"),
                                    cl::init("1"), cl::cat(category));
static cl::opt<uint64_t> shared("shared",
                                cl::desc("dynamic shared memory in bytes"),
                                cl::init(0), cl::cat(category));
static cl::list<std::string> arguments(
    "arg",
    cl::desc(
        "kernel argument: i32:5, f32:0.5, null, in:q:bf16[4,64], out:o:f32[4], "
        "tmp:t:i32[8], map:q:box=64x128,swizzle=128"),
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
    "random", cl::desc("inputs that are not given: normal, uniform, outliers"),
    cl::init("normal"), cl::cat(category));
static cl::opt<uint64_t> seed("seed", cl::desc("seed of random inputs"),
                              cl::init(1), cl::cat(category));
static cl::opt<std::string>
    completion("completion",
               cl::desc("asynchronous copies end: latest, earliest, random"),
               cl::init("latest"), cl::cat(category));
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
static cl::opt<bool> list("list-instructions",
                          cl::desc("print what is supported and stop"),
                          cl::cat(category));
static cl::opt<bool>
    markdown("markdown", cl::desc("with --list-instructions: a Markdown table"),
             cl::cat(category));

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
    if (parts[i].trim().getAsInteger(10, to[i]))
      return false;
  return true;
}

static bool parseOptions(executor::Options &options) {
  using executor::Completion;
  options.checks = !noChecks;
  options.races = !noRaces;
  options.sampleBlocks = sampleBlocks;
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
  options.registersPerThread = registers;
  options.cacheModel = cache;
  return true;
}

/// The machine that stands for a target; "sm_90" and "sm_90a" are one.
static const cost::Hardware *hardwareOf(llvm::StringRef target) {
  target.consume_back("a");
  if (const cost::Hardware *found = cost::defaultHardware(target))
    return found;
  return cost::defaultHardware((target + "a").str());
}

/// The machine of --hardware, else the one for the PTX's target; none if that
/// is unknown and nothing asks for it.
static llvm::Error chooseHardware(llvm::StringRef target,
                                  executor::Options &options) {
  llvm::Expected<cost::Hardware> chosen = cost::Hardware();
  if (llvm::StringRef(hardware).ends_with(".json")) {
    auto buffer = llvm::MemoryBuffer::getFile(hardware);
    if (!buffer)
      return llvm::createStringError(
          hardware + ": error: cannot read: " + buffer.getError().message());
    chosen = cost::Hardware::parse((*buffer)->getBuffer());
    if (!chosen)
      return chosen.takeError();
  } else if (const cost::Hardware *found = hardware.empty()
                                               ? hardwareOf(target)
                                               : cost::findHardware(hardware)) {
    *chosen = *found;
  } else if (hardware.empty() && !cache) {
    return llvm::Error::success();
  } else {
    std::string known = llvm::join(cost::hardwareNames(), ", ");
    return llvm::createStringError(
        "error: no hardware description " +
        (hardware.empty() ? "for target '" + target + "'"
                          : "'" + hardware + "'") +
        "; known to --hardware are " + known + ", or give a .json file");
  }
  executor::Hardware &to = options.hardware.emplace();
  to.name = chosen->name;
  to.multiprocessors = chosen->multiprocessors;
  to.threads = chosen->threadsPerMultiprocessor;
  to.blocks = chosen->blocksPerMultiprocessor;
  to.registers = chosen->registersPerMultiprocessor;
  to.sharedBytes = chosen->level("shared").capacityBytes;
  to.cacheBytes = chosen->level("l2").capacityBytes;
  to.lineBytes = chosen->level("l2").preferredBytes;
  return llvm::Error::success();
}

/// A bar with the time that is left, on a terminal only.
static void showProgress(uint64_t done, uint64_t all) {
  static const auto start = std::chrono::steady_clock::now();
  static double last = 0;
  double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start)
          .count();
  if (seconds - last < 0.2 && done != all)
    return;
  last = seconds;
  if (seconds < 0.5)
    return;
  unsigned filled = 40 * done / all;
  std::string bar = std::string(filled, '#') + std::string(40 - filled, '.');
  fmt::print(stderr, "\r[{}] {}/{} blocks, {:.0f} s left ", bar, done, all,
             seconds * (all - done) / done);
  if (done == all)
    fmt::print(stderr, "\r{:80}\r", "");
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

static bool splitFiles(const cl::list<std::string> &options,
                       llvm::StringMap<std::string> &files) {
  for (const std::string &option : options) {
    auto [name, path] = llvm::StringRef(option).split('=');
    if (name.empty() || path.empty()) {
      fail(fmt::format("error: '{}' is not NAME=FILE.npy", option));
      return false;
    }
    files[name] = path.str();
  }
  return true;
}

int main(int argc, char **argv) {
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(
      argc, argv, "Executes PTX on the CPU, checks it and counts bytes\n");
  if (list) {
    llvm::outs() << executor::listInstructions(markdown);
    return 0;
  }
  executor::Manifest manifest;
  if (!manifestPath.empty()) {
    auto buffer = llvm::MemoryBuffer::getFile(manifestPath);
    if (!buffer)
      return fail(fmt::format("{}: error: cannot read: {}",
                              manifestPath.getValue(),
                              buffer.getError().message()));
    auto parsed = executor::parseManifest((*buffer)->getBuffer(), manifestPath);
    if (!parsed)
      return fail(toString(parsed.takeError()));
    manifest = std::move(*parsed);
    if (!arguments.empty())
      return fail("error: --arg and --manifest exclude each other");
  } else {
    manifest.kernels.emplace_back();
    executor::ManifestKernel &kernel = manifest.kernels[0];
    kernel.entry = entry;
    kernel.config.dynamicSharedBytes = shared;
    if (!parseTriple(grid, kernel.config.grid) ||
        !parseTriple(block, kernel.config.block) ||
        !parseTriple(cluster, kernel.config.cluster))
      return fail("error: --grid, --block and --cluster are X, X,Y or X,Y,Z");
    for (const std::string &array : declared)
      if (auto e = run::addArray(manifest, array))
        return fail(toString(std::move(e)));
    for (const std::string &argument : arguments)
      if (auto e = run::addArgument(manifest, argument))
        return fail(toString(std::move(e)));
  }
  std::string path = input;
  if (path.empty() && !manifest.ptx.empty()) {
    llvm::SmallString<128> beside(llvm::sys::path::parent_path(manifestPath));
    llvm::sys::path::append(beside, manifest.ptx);
    path = beside.str().str();
  }
  if (path.empty())
    return fail("error: no PTX file given (napkin-run --help)");
  auto module = ptx::parseFile(path);
  if (!module)
    return fail(toString(module.takeError()));
  executor::Options options;
  if (!parseOptions(options))
    return 1;
  if (auto e = chooseHardware((*module)->target, options))
    return fail(toString(std::move(e)));
  if (llvm::sys::Process::StandardErrIsDisplayed())
    options.progress = showProgress;
  auto kind = reference::parseDistribution(distribution);
  if (!kind)
    return fail("error: --random is normal, uniform or outliers");
  llvm::StringMap<std::string> inputFiles, outputFiles;
  if (!splitFiles(inputs, inputFiles) || !splitFiles(outputs, outputFiles))
    return 1;
  executor::HostArrays arrays;
  if (auto e = run::loadInputs(manifest, inputFiles, *kind, seed, arrays))
    return fail(toString(std::move(e)));
  executor::HostArrays first;
  std::vector<executor::LaunchResult> results;
  for (unsigned n = 0; n < std::max(1u, unsigned(schedules)); ++n) {
    executor::HostArrays now;
    for (const auto &array : arrays)
      now[array.first()] = array.second;
    executor::Options own = options;
    own.seed = n;
    if (n)
      own.completion = n % 3 == 1   ? executor::Completion::Earliest
                       : n % 3 == 2 ? executor::Completion::Random
                                    : executor::Completion::Latest;
    auto ran = executor::runManifest(**module, manifest, now, own);
    if (!ran)
      return fail(toString(ran.takeError()));
    for (const executor::LaunchResult &result : *ran)
      if (!result.traps.empty()) {
        for (const executor::Trap &trap : result.traps)
          llvm::errs() << executor::describe(trap, (*module)->file);
        if (n)
          llvm::errs() << fmt::format("note: under schedule {} of {}\n", n + 1,
                                      schedules.getValue());
        return 2;
      }
    if (n == 0) {
      first = std::move(now);
      results = std::move(*ran);
      continue;
    }
    for (const executor::ManifestArray &array : manifest.arrays)
      if (array.role == executor::ManifestArray::Role::Output &&
          now[array.name] != first[array.name])
        llvm::errs() << fmt::format(
            "note: output '{}' differs under schedule {}: its order of "
            "operations is not determined\n",
            array.name, n + 1);
  }
  for (const auto &file : outputFiles) {
    const executor::ManifestArray *array = nullptr;
    for (const executor::ManifestArray &a : manifest.arrays)
      if (a.name == file.first() &&
          a.role == executor::ManifestArray::Role::Output)
        array = &a;
    if (!array)
      return fail(fmt::format("error: --out {}: the kernel has no such output",
                              file.first().str()));
    if (auto e = run::saveOutput(*array, first[array->name], file.second))
      return fail(toString(std::move(e)));
  }
  int status = 0;
  for (size_t k = 0; k < results.size(); ++k) {
    const executor::ManifestKernel &kernel = manifest.kernels[k];
    const executor::Counters &c = results[k].counters;
    if (annotate)
      printAnnotated(**module, c);
    if (counters == "table") {
      fmt::print("kernel {} ({:.3f} s, {:.1f} M thread instructions/s)\n{}",
                 kernel.entry.empty() ? (*module)->onlyEntry()->name.str()
                                      : kernel.entry,
                 results[k].seconds, c.total.threads / results[k].seconds / 1e6,
                 c.table());
    } else if (counters == "json") {
      fmt::print("{}", c.json());
    } else if (counters != "none") {
      std::error_code error;
      llvm::raw_fd_ostream out(counters, error,
                               k ? llvm::sys::fs::OF_Append
                                 : llvm::sys::fs::OF_None);
      if (error)
        return fail(fmt::format("{}: error: cannot write: {}",
                                counters.getValue(), error.message()));
      out << c.json(true);
    }
    auto compare = [&](const char *what, std::optional<uint64_t> predicted,
                       uint64_t counted) {
      if (!predicted || *predicted == counted)
        return;
      llvm::errs() << fmt::format(
          "error: kernel '{}': global {} bytes: predicted {}, counted {}\n",
          kernel.entry, what, *predicted, counted);
      status = 3;
    };
    compare("read", kernel.predictedReadBytes, c.total.globalReadBytes);
    compare("write", kernel.predictedWriteBytes, c.total.globalWriteBytes);
  }
  return status;
}
