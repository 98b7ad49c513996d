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
#include "napkin/Executor/Executor.h"
#include "napkin/PTX/Parser.h"

#include <cstring>

using namespace napkin;

struct NapkinExecutorModule {
  std::unique_ptr<ptx::Module> module;
};
struct NapkinExecutorDevice {
  executor::Device device;
};
struct NapkinExecutorResult {
  executor::LaunchResult result;
  std::vector<std::string> names, texts;
  std::string counters;
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

void napkinExecutorFree(char *text) { std::free(text); }

NapkinExecutorOptions napkinExecutorDefaultOptions(void) {
  executor::Options options;
  return {options.checks,  options.races,           0, options.seed, 0,
          options.threads, options.instructionLimit};
}

NapkinExecutorModule *napkinExecutorParse(const char *text, size_t length,
                                          const char *name, char **error) {
  auto module = ptx::parse({text, length}, name);
  if (!succeeded(module.takeError(), error))
    return nullptr;
  return new NapkinExecutorModule{std::move(*module)};
}

void napkinExecutorModuleDestroy(NapkinExecutorModule *module) {
  delete module;
}

NapkinExecutorDevice *napkinExecutorDeviceCreate(void) {
  return new NapkinExecutorDevice;
}
void napkinExecutorDeviceDestroy(NapkinExecutorDevice *device) {
  delete device;
}

uint64_t napkinExecutorAllocate(NapkinExecutorDevice *device, uint64_t bytes,
                                const char *name, char **error) {
  auto address = device->device.allocate(bytes, name ? name : "");
  return succeeded(address.takeError(), error) ? *address : 0;
}

bool napkinExecutorCopyToDevice(NapkinExecutorDevice *device, uint64_t address,
                                const void *source, uint64_t bytes,
                                char **error) {
  return succeeded(device->device.copyToDevice(address, source, bytes), error);
}

bool napkinExecutorCopyFromDevice(NapkinExecutorDevice *device, void *target,
                                  uint64_t address, uint64_t bytes,
                                  uint64_t *neverWritten, char **error) {
  return succeeded(
      device->device.copyFromDevice(target, address, bytes, neverWritten),
      error);
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
    own.cluster[d] = config->cluster[d] ? config->cluster[d] : 1;
  }
  own.dynamicSharedBytes = config->dynamicSharedBytes;
  executor::Options how;
  if (options) {
    how.checks = options->checks;
    how.races = options->races;
    how.completion = options->completion == 1   ? executor::Completion::Earliest
                     : options->completion == 2 ? executor::Completion::Random
                                                : executor::Completion::Latest;
    how.seed = options->seed;
    if (options->numerics) {
      how.numerics = executor::Numerics::Faithful;
      how.tensorCore = options->numerics == 1   ? executor::TensorCore::A100
                       : options->numerics == 2 ? executor::TensorCore::Ada
                                                : executor::TensorCore::H100;
    }
    how.threads = options->threads;
    how.instructionLimit = options->instructionLimit;
  }
  auto result = executor::launch(device->device, *module->module,
                                 entry ? entry : "", list, own, how);
  if (!succeeded(result.takeError(), error))
    return nullptr;
  auto *made = new NapkinExecutorResult;
  made->result = std::move(*result);
  for (const executor::Trap &trap : made->result.traps) {
    made->names.push_back(executor::trapName(trap.kind).str());
    made->texts.push_back(executor::describe(trap, module->module->file));
  }
  made->counters = made->result.counters.json();
  return made;
}

void napkinExecutorResultDestroy(NapkinExecutorResult *result) {
  delete result;
}
size_t napkinExecutorNumTraps(const NapkinExecutorResult *result) {
  return result->names.size();
}
const char *napkinExecutorTrapName(const NapkinExecutorResult *result,
                                   size_t index) {
  return result->names[index].c_str();
}
const char *napkinExecutorTrapText(const NapkinExecutorResult *result,
                                   size_t index) {
  return result->texts[index].c_str();
}
const char *napkinExecutorCounters(const NapkinExecutorResult *result) {
  return result->counters.c_str();
}
uint64_t napkinExecutorGlobalReadBytes(const NapkinExecutorResult *result) {
  return result->result.counters.total.globalReadBytes;
}
uint64_t napkinExecutorGlobalWriteBytes(const NapkinExecutorResult *result) {
  return result->result.counters.total.globalWriteBytes;
}
