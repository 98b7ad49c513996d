//===- Executor.cpp - Run PTX on the CPU, from C ---------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Thin wrappers; errors become strings.
//
//===----------------------------------------------------------------------===//

#include "napkin-c/Executor.h"
#include "napkin/Executor/HardwareDescription.h"
#include "napkin/Executor/Manifest.h"
#include "napkin/PTX/Parser.h"

#include <cstring>

using namespace napkin;

struct NapkinExecutorModule {
  std::unique_ptr<ptx::Module> module;
  /// The C view; texts that `module` holds are not terminated, so copied.
  std::vector<NapkinExecutorKernel> kernels;
  std::vector<std::vector<NapkinExecutorParameter>> parameters;
  std::vector<std::unique_ptr<std::string>> strings;
};
struct NapkinExecutorDevice {
  executor::Device device;
};
struct NapkinExecutorResult {
  executor::LaunchResult result;
  std::vector<std::string> descriptions;
  std::vector<NapkinExecutorTrap> traps;
  std::vector<NapkinExecutorRow> rows;
  std::string summary, perLine;
};

static char *copyText(const std::string &text) {
  char *copy = static_cast<char *>(std::malloc(text.size() + 1));
  if (copy)
    std::memcpy(copy, text.c_str(), text.size() + 1);
  return copy;
}

/// Hands the error to the caller; true if there was none.
static bool succeeded(llvm::Error error, char **to) {
  if (to)
    *to = nullptr;
  if (!error)
    return true;
  std::string text = toString(std::move(error));
  if (to)
    *to = copyText(text);
  return false;
}

static llvm::StringRef textOf(const char *text) { return text ? text : ""; }

static void copyExtent(const std::array<uint32_t, 3> &from, uint32_t *to) {
  std::copy(from.begin(), from.end(), to);
}

void napkinExecutorFree(char *text) { std::free(text); }

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

static NapkinExecutorModule *
makeModule(llvm::Expected<std::unique_ptr<ptx::Module>> parsed, char **error) {
  if (!succeeded(parsed.takeError(), error))
    return nullptr;
  auto made = std::make_unique<NapkinExecutorModule>();
  made->module = std::move(*parsed);
  auto keep = [&](llvm::StringRef text) {
    made->strings.push_back(std::make_unique<std::string>(text));
    return made->strings.back()->c_str();
  };
  for (const ptx::Function &function : made->module->functions) {
    if (!function.isEntry || !function.isDefined)
      continue;
    std::vector<NapkinExecutorParameter> &list =
        made->parameters.emplace_back();
    for (const ptx::Variable &parameter : function.parameters)
      list.push_back({keep(parameter.name), keep(typeName(parameter.type)),
                      parameter.bytes(), parameter.alignment});
    NapkinExecutorKernel kernel = {};
    kernel.name = keep(function.name);
    // The list's elements stay where they are when the outer vector grows.
    kernel.parameters = list.data();
    kernel.numParameters = list.size();
    copyExtent(function.maxThreads, kernel.maxThreads);
    copyExtent(function.requiredThreads, kernel.requiredThreads);
    copyExtent(function.requiredCluster, kernel.requiredCluster);
    made->kernels.push_back(kernel);
  }
  return made.release();
}

NapkinExecutorModule *napkinExecutorParse(const char *text, size_t length,
                                          const char *name, char **error) {
  return makeModule(ptx::parse({text, length}, textOf(name)), error);
}

NapkinExecutorModule *napkinExecutorParseFile(const char *path, char **error) {
  return makeModule(ptx::parseFile(textOf(path)), error);
}

void napkinExecutorModuleDestroy(NapkinExecutorModule *module) {
  delete module;
}
const char *napkinExecutorTarget(const NapkinExecutorModule *module) {
  return module->module->target.c_str();
}
size_t napkinExecutorNumKernels(const NapkinExecutorModule *module) {
  return module->kernels.size();
}
const NapkinExecutorKernel *
napkinExecutorKernel(const NapkinExecutorModule *module, size_t index) {
  return index < module->kernels.size() ? &module->kernels[index] : nullptr;
}

//===----------------------------------------------------------------------===//
// Device memory
//===----------------------------------------------------------------------===//

NapkinExecutorDevice *napkinExecutorDeviceCreate(void) {
  return new NapkinExecutorDevice;
}
void napkinExecutorDeviceDestroy(NapkinExecutorDevice *device) {
  delete device;
}
void napkinExecutorSetLimit(NapkinExecutorDevice *device, uint64_t bytes) {
  device->device.setLimit(bytes);
}

uint64_t napkinExecutorAllocate(NapkinExecutorDevice *device, uint64_t bytes,
                                const char *name, char **error) {
  auto address = device->device.allocate(bytes, textOf(name));
  return succeeded(address.takeError(), error) ? *address : 0;
}

bool napkinExecutorFreeMemory(NapkinExecutorDevice *device, uint64_t address,
                              char **error) {
  return succeeded(device->device.free(address), error);
}

bool napkinExecutorCopyToDevice(NapkinExecutorDevice *device, uint64_t address,
                                const void *source, uint64_t bytes,
                                char **error) {
  return succeeded(device->device.copyToDevice(address, source, bytes), error);
}

bool napkinExecutorFill(NapkinExecutorDevice *device, uint64_t address,
                        uint8_t value, uint64_t bytes, char **error) {
  return succeeded(device->device.fill(address, value, bytes), error);
}

bool napkinExecutorCopyFromDevice(NapkinExecutorDevice *device, void *target,
                                  uint64_t address, uint64_t bytes,
                                  uint64_t *neverWritten, char **error) {
  return succeeded(
      device->device.copyFromDevice(target, address, bytes, neverWritten),
      error);
}

uint64_t napkinExecutorSymbol(const NapkinExecutorDevice *device,
                              const char *name) {
  return device->device.symbol(textOf(name)).value_or(0);
}

bool napkinExecutorEncodeTensorMap(uint64_t address,
                                   const NapkinExecutorTensorMap *map,
                                   void *target, char **error) {
  executor::TensorMapInfo info;
  // More than five are refused by number, not read.
  unsigned rank = std::min(map->rank, 6u), given = rank > 5 ? 0 : rank;
  info.element = textOf(map->element).str();
  info.sizes.assign(map->sizes, map->sizes + given);
  info.sizes.resize(rank);
  info.strides.assign(map->strides, map->strides + std::max(given, 1u) - 1);
  info.box.assign(map->box, map->box + given);
  if (map->elementStrides)
    info.elementStrides.assign(map->elementStrides,
                               map->elementStrides + given);
  info.swizzle = map->swizzle;
  info.nanFill = map->nanFill;
  auto bytes = executor::encodeTensorMap(address, info);
  if (!succeeded(bytes.takeError(), error))
    return false;
  std::memcpy(target, bytes->data(), bytes->size());
  return true;
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

bool napkinExecutorFindHardware(const char *name,
                                NapkinExecutorHardware *hardware,
                                char **error) {
  auto found = executor::findHardware(textOf(name), "");
  if (!succeeded(found.takeError(), error))
    return false;
  if (!*found)
    return succeeded(llvm::createStringError("error: name the hardware"),
                     error);
  const executor::Hardware &from = **found;
  *hardware = {from.multiprocessors, from.threads,     from.blocks,
               from.registers,       from.sharedBytes, from.cacheBytes,
               from.lineBytes,       from.ways};
  return true;
}

NapkinExecutorOptions napkinExecutorDefaultOptions(void) {
  executor::Options defaults;
  NapkinExecutorOptions options = {};
  options.checks = defaults.checks;
  options.races = defaults.races;
  options.instructionLimit = defaults.instructionLimit;
  return options;
}

static executor::Options convert(const NapkinExecutorOptions &from) {
  executor::Options to;
  to.checks = from.checks;
  to.races = from.races;
  to.completion = from.completion == NAPKIN_EXECUTOR_EARLIEST
                      ? executor::Completion::Earliest
                  : from.completion == NAPKIN_EXECUTOR_RANDOM
                      ? executor::Completion::Random
                      : executor::Completion::Latest;
  to.seed = from.seed;
  if (from.numerics != NAPKIN_EXECUTOR_FAST) {
    to.numerics = executor::Numerics::Faithful;
    to.tensorCore =
        from.numerics == NAPKIN_EXECUTOR_A100  ? executor::TensorCore::A100
        : from.numerics == NAPKIN_EXECUTOR_ADA ? executor::TensorCore::Ada
                                               : executor::TensorCore::H100;
  }
  to.threads = from.threads;
  to.sampleBlocks = from.sampleBlocks;
  to.countOnly = from.countOnly;
  to.instructionLimit = from.instructionLimit;
  if (const NapkinExecutorHardware *given = from.hardware) {
    executor::Hardware &hardware = to.hardware.emplace();
    hardware.name = "the hardware given";
    hardware.multiprocessors = given->multiprocessors;
    hardware.threads = given->threads;
    hardware.blocks = given->blocks;
    hardware.registers = given->registers;
    hardware.sharedBytes = given->sharedBytes;
    hardware.cacheBytes = given->cacheBytes;
    hardware.lineBytes = given->lineBytes;
    hardware.ways = given->ways;
  }
  to.registersPerThread = from.registersPerThread;
  to.cacheModel = from.cacheModel;
  if (from.progress)
    to.progress = [report = from.progress, user = from.progressUser](
                      uint64_t done, uint64_t all) { report(done, all, user); };
  return to;
}

static NapkinExecutorCounters
convert(const executor::InstructionCounters &from) {
  return {from.warps,
          from.threads,
          from.globalReadBytes,
          from.globalWriteBytes,
          from.globalReadSectors,
          from.globalWriteSectors,
          from.sharedReadBytes,
          from.sharedWriteBytes,
          from.sharedWavefronts,
          from.sharedConflicts,
          from.localReadBytes,
          from.localWriteBytes,
          from.tensorMacs,
          from.atomics,
          from.constantReadBytes,
          from.remoteReadBytes,
          from.remoteWriteBytes,
          from.multicastBytes};
}

/// The C view of a trap; its texts live in `trap` and `description`.
static NapkinExecutorTrap convert(const executor::Trap &trap,
                                  const std::string &description) {
  NapkinExecutorTrap to = {};
  // The names are literals.
  to.kind = executor::trapName(trap.kind).data();
  to.message = trap.message.c_str();
  to.text = trap.text.c_str();
  to.line = trap.line;
  to.sourceFile = trap.sourceFile.c_str();
  to.sourceLine = trap.sourceLine;
  copyExtent(trap.block, to.block);
  copyExtent(trap.thread, to.thread);
  to.address = trap.address;
  to.other = trap.other.c_str();
  to.otherLine = trap.otherLine;
  to.description = description.c_str();
  return to;
}

NapkinExecutorResult *napkinExecutorLaunch(
    NapkinExecutorDevice *device, const NapkinExecutorModule *module,
    const char *entry, const NapkinExecutorArgument *arguments,
    size_t numArguments, const NapkinExecutorLaunchConfig *config,
    const NapkinExecutorOptions *options, char **error) {
  executor::Arguments list;
  for (size_t i = 0; i < numArguments; ++i)
    list.raw(arguments[i].bytes, arguments[i].size);
  executor::LaunchConfig own;
  for (unsigned d = 0; d < 3; ++d) {
    own.grid[d] = config->grid[d];
    own.block[d] = config->block[d];
    own.cluster[d] = config->cluster[d];
  }
  own.dynamicSharedBytes = config->dynamicSharedBytes;
  auto launched =
      executor::launch(device->device, *module->module, textOf(entry), list,
                       own, options ? convert(*options) : executor::Options());
  if (!succeeded(launched.takeError(), error))
    return nullptr;
  auto made = std::make_unique<NapkinExecutorResult>();
  made->result = std::move(*launched);
  for (const executor::Trap &trap : made->result.traps)
    made->descriptions.push_back(
        executor::describe(trap, module->module->file));
  for (size_t i = 0; i < made->descriptions.size(); ++i)
    made->traps.push_back(
        convert(made->result.traps[i], made->descriptions[i]));
  for (const executor::Counters::Row &row : made->result.counters.rows)
    made->rows.push_back({row.line, row.text.c_str(), convert(row.counters)});
  made->summary = made->result.counters.json();
  made->perLine = made->result.counters.json(true);
  return made.release();
}

void napkinExecutorResultDestroy(NapkinExecutorResult *result) {
  delete result;
}

//===----------------------------------------------------------------------===//
// What a launch did
//===----------------------------------------------------------------------===//

size_t napkinExecutorNumTraps(const NapkinExecutorResult *result) {
  return result->traps.size();
}
const NapkinExecutorTrap *napkinExecutorTrap(const NapkinExecutorResult *result,
                                             size_t index) {
  return index < result->traps.size() ? &result->traps[index] : nullptr;
}
NapkinExecutorCounters
napkinExecutorTotals(const NapkinExecutorResult *result) {
  return convert(result->result.counters.total);
}
void napkinExecutorDramBytes(const NapkinExecutorResult *result, uint64_t *read,
                             uint64_t *written) {
  *read = result->result.counters.dramReadBytes;
  *written = result->result.counters.dramWriteBytes;
}
uint32_t napkinExecutorProductsNeededBy(const NapkinExecutorResult *result) {
  return result->result.productsNeededBy;
}

uint64_t napkinExecutorBlocksExecuted(const NapkinExecutorResult *result) {
  return result->result.counters.blocksExecuted;
}
double napkinExecutorSeconds(const NapkinExecutorResult *result) {
  return result->result.seconds;
}
size_t napkinExecutorNumRows(const NapkinExecutorResult *result) {
  return result->rows.size();
}
const NapkinExecutorRow *napkinExecutorRow(const NapkinExecutorResult *result,
                                           size_t index) {
  return index < result->rows.size() ? &result->rows[index] : nullptr;
}
const char *napkinExecutorCountersJson(const NapkinExecutorResult *result,
                                       bool perLine) {
  return perLine ? result->perLine.c_str() : result->summary.c_str();
}
