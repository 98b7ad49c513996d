//===- Modules.cpp - Modules, libraries and their kernels ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A library is a module, and a kernel a function: handles serve as either.
//
//===----------------------------------------------------------------------===//

#include "FatBinary.h"
#include "State.h"

#include "napkin/PTX/Parser.h"

#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::driver;

/// What of the device `target` ("sm_100a") asks more than it has; "" if none.
static std::string unmetTarget(const State &state, llvm::StringRef target) {
  unsigned wanted = 0, own = state.major * 10 + state.minor;
  llvm::StringRef number = target;
  number.consume_front("sm_");
  bool isSpecific = number.ends_with("a") || number.ends_with("f");
  number.drop_back(isSpecific).getAsInteger(10, wanted);
  if (wanted > own || (isSpecific && wanted != own))
    return fmt::format("the PTX is for {}, and the device is {} ({}); choose "
                       "another with NAPKIN_DRIVER=hardware=NAME",
                       target.str(), state.hardware.target,
                       state.hardware.name);
  return "";
}

/// Writes the text where traps' lines can be looked up.
static void dump(const State &state, const ptx::Module &module) {
  if (state.settings.ptxFolder.empty())
    return;
  std::string path = state.settings.ptxFolder + "/" + module.file;
  std::error_code error;
  llvm::raw_fd_ostream out(path, error);
  if (error)
    return say(fmt::format("cannot write '{}': {}", path, error.message()));
  out << *module.text;
}

static Result load(State &state, const void *image, uint64_t bytes,
                   Module *&module, std::string &problem) {
  auto read = readImage(image, bytes, state.major * 10 + state.minor);
  if (!read) {
    problem = toString(read.takeError());
    return CUDA_ERROR_INVALID_IMAGE;
  }
  if (read->nothingFits) {
    problem = fmt::format(
        "the program holds {}, and the executor runs PTX that {} can run; "
        "build with nvcc -arch=sm_XX or -gencode arch=...,code=compute_XX",
        read->ptx, state.hardware.target);
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  }
  auto parsed =
      ptx::parse(read->ptx, fmt::format("module{}.ptx", ++state.numModules));
  if (!parsed) {
    problem = toString(parsed.takeError());
    return CUDA_ERROR_INVALID_PTX;
  }
  dump(state, **parsed);
  if (problem = unmetTarget(state, (*parsed)->target); !problem.empty())
    return CUDA_ERROR_NO_BINARY_FOR_GPU;
  auto made = std::make_unique<Module>();
  state.device->exchangeSymbols(made->symbols);
  auto failed = executor::loadVariables(*state.device, **parsed);
  state.device->exchangeSymbols(made->symbols);
  if (failed) {
    problem = toString(std::move(failed));
    return CUDA_ERROR_INVALID_PTX;
  }
  made->ptx = std::move(*parsed);
  for (const ptx::Function &function : made->ptx->functions)
    if (function.isEntry && function.isDefined) {
      auto kernel = std::make_unique<Kernel>();
      kernel->module = made.get();
      kernel->function = &function;
      state.kernels[kernel.get()] = kernel.get();
      made->kernels.push_back(std::move(kernel));
    }
  module = state.modules.add(std::move(made));
  return CUDA_SUCCESS;
}

Result napkin::driver::loadModule(State &state, const void *image,
                                  uint64_t bytes, Module *&module,
                                  std::string *log) {
  if (!image)
    return CUDA_ERROR_INVALID_VALUE;
  std::string problem;
  Result result = load(state, image, bytes, module, problem);
  if (result)
    say(problem);
  if (log)
    *log = problem;
  return result;
}

void napkin::driver::unloadModule(State &state, Module *module) {
  for (auto &symbol : module->symbols)
    consumeError(state.device->free(symbol.second));
  for (auto &kernel : module->kernels)
    state.kernels.erase(kernel.get());
  state.modules.erase(module);
}

Kernel *napkin::driver::findKernel(State &state, Handle handle) {
  auto found = state.kernels.find(handle);
  return found == state.kernels.end() ? nullptr : found->second;
}

Result napkin::driver::inspect(Kernel &kernel) {
  if (kernel.needs)
    return CUDA_SUCCESS;
  auto needs = executor::inspect(*kernel.module->ptx, kernel.function->name);
  if (!needs)
    return refuse(CUDA_ERROR_INVALID_PTX, toString(needs.takeError()));
  kernel.needs = *needs;
  return CUDA_SUCCESS;
}

static Kernel *kernelCalled(Module &module, llvm::StringRef name) {
  for (auto &kernel : module.kernels)
    if (kernel->function->name == name)
      return kernel.get();
  return nullptr;
}

namespace {
/// The options of a just-in-time compilation that are answered.
struct LogBuffer {
  char *text = nullptr;
  size_t bytes = 0;
};
} // namespace

/// CU_JIT_ERROR_LOG_BUFFER and its size.
static constexpr int optionErrorLog = 5, optionErrorLogBytes = 6;

static LogBuffer errorLog(unsigned count, const int *options, void **values) {
  LogBuffer log;
  for (unsigned i = 0; options && values && i < count; ++i) {
    if (options[i] == optionErrorLog)
      log.text = static_cast<char *>(values[i]);
    if (options[i] == optionErrorLogBytes)
      log.bytes = uint32_t(reinterpret_cast<uintptr_t>(values[i]));
  }
  return log;
}

static Result loadInto(Handle *to, const void *image, uint64_t bytes,
                       LogBuffer buffer, Need need) {
  return call(need, [&](State &state) {
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    Module *module = nullptr;
    std::string log;
    Result result = loadModule(state, image, bytes, module, &log);
    if (buffer.text && buffer.bytes) {
      std::strncpy(buffer.text, log.c_str(), buffer.bytes - 1);
      buffer.text[buffer.bytes - 1] = 0;
    }
    if (!result)
      *to = module;
    return result;
  });
}

static Result loadFile(Handle *to, const char *path, LogBuffer buffer,
                       Need need) {
  if (!path)
    return CUDA_ERROR_INVALID_VALUE;
  auto read = llvm::MemoryBuffer::getFile(path);
  if (!read)
    return CUDA_ERROR_FILE_NOT_FOUND;
  return loadInto(to, (*read)->getBufferStart(), (*read)->getBufferSize(),
                  buffer, need);
}

//===----------------------------------------------------------------------===//
// Modules
//===----------------------------------------------------------------------===//

static constexpr uint64_t unknownSize = ~uint64_t(0);

NAPKIN_CUDA cuModuleLoadData(Handle *to, const void *image) {
  return loadInto(to, image, unknownSize, {}, Need::Context);
}
NAPKIN_CUDA cuModuleLoadFatBinary(Handle *to, const void *image) {
  return loadInto(to, image, unknownSize, {}, Need::Context);
}
NAPKIN_CUDA cuModuleLoadDataEx(Handle *to, const void *image, unsigned count,
                               int *options, void **values) {
  return loadInto(to, image, unknownSize, errorLog(count, options, values),
                  Need::Context);
}
NAPKIN_CUDA cuModuleLoad(Handle *to, const char *path) {
  return loadFile(to, path, {}, Need::Context);
}

static Result unload(Handle handle) {
  return call(Need::Nothing, [&](State &state) {
    Module *module = state.modules.find(handle);
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    unloadModule(state, module);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuModuleUnload(Handle module) { return unload(module); }

NAPKIN_CUDA cuModuleGetLoadingMode(int *mode) {
  if (!mode)
    return CUDA_ERROR_INVALID_VALUE;
  *mode = 1; // eager: all of a module is read at once
  return CUDA_SUCCESS;
}

static Result getKernel(Handle *to, Handle handle, const char *name,
                        Need need) {
  return call(need, [&](State &state) {
    Module *module = state.modules.find(handle);
    if (!to || !name)
      return CUDA_ERROR_INVALID_VALUE;
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    Kernel *kernel = kernelCalled(*module, name);
    if (!kernel)
      return CUDA_ERROR_NOT_FOUND;
    *to = kernel;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuModuleGetFunction(Handle *to, Handle module, const char *name) {
  return getKernel(to, module, name, Need::Context);
}

static Result getVariable(Address *to, size_t *bytes, Handle handle,
                          const char *name) {
  return call(Need::Initialized, [&](State &state) {
    Module *module = state.modules.find(handle);
    if (!name || (!to && !bytes))
      return CUDA_ERROR_INVALID_VALUE;
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    auto found = module->symbols.find(name);
    if (found == module->symbols.end())
      return CUDA_ERROR_NOT_FOUND;
    const executor::Region *region = state.device->find(found->second);
    if (to)
      *to = found->second;
    if (bytes)
      *bytes = region->end - region->begin;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuModuleGetGlobal_v2(Address *to, size_t *bytes, Handle module,
                                 const char *name) {
  return getVariable(to, bytes, module, name);
}

static Result countKernels(unsigned *count, Handle handle) {
  return call(Need::Initialized, [&](State &state) {
    Module *module = state.modules.find(handle);
    if (!count)
      return CUDA_ERROR_INVALID_VALUE;
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    *count = module->kernels.size();
    return CUDA_SUCCESS;
  });
}

static Result listKernels(Handle *to, unsigned count, Handle handle) {
  return call(Need::Initialized, [&](State &state) {
    Module *module = state.modules.find(handle);
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    if (!module)
      return CUDA_ERROR_INVALID_HANDLE;
    for (size_t i = 0; i < std::min<size_t>(count, module->kernels.size()); ++i)
      to[i] = module->kernels[i].get();
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuModuleGetFunctionCount(unsigned *count, Handle module) {
  return countKernels(count, module);
}
NAPKIN_CUDA cuModuleEnumerateFunctions(Handle *to, unsigned count,
                                       Handle module) {
  return listKernels(to, count, module);
}

//===----------------------------------------------------------------------===//
// Libraries, which need no context
//===----------------------------------------------------------------------===//

NAPKIN_CUDA cuLibraryLoadData(Handle *to, const void *image, int *options,
                              void **values, unsigned count, int *, void **,
                              unsigned) {
  return loadInto(to, image, unknownSize, errorLog(count, options, values),
                  Need::Initialized);
}
NAPKIN_CUDA cuLibraryLoadFromFile(Handle *to, const char *path, int *options,
                                  void **values, unsigned count, int *, void **,
                                  unsigned) {
  return loadFile(to, path, errorLog(count, options, values),
                  Need::Initialized);
}
NAPKIN_CUDA cuLibraryUnload(Handle library) { return unload(library); }
NAPKIN_CUDA cuLibraryGetKernel(Handle *to, Handle library, const char *name) {
  return getKernel(to, library, name, Need::Initialized);
}
NAPKIN_CUDA cuLibraryGetModule(Handle *to, Handle library) {
  return call(Need::Context, [&](State &state) {
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    *to = library;
    return state.modules.find(library) ? CUDA_SUCCESS
                                       : CUDA_ERROR_INVALID_HANDLE;
  });
}
NAPKIN_CUDA cuLibraryGetGlobal(Address *to, size_t *bytes, Handle library,
                               const char *name) {
  return getVariable(to, bytes, library, name);
}
NAPKIN_CUDA cuLibraryGetManaged(Address *to, size_t *bytes, Handle library,
                                const char *name) {
  return getVariable(to, bytes, library, name);
}
NAPKIN_CUDA cuLibraryGetKernelCount(unsigned *count, Handle library) {
  return countKernels(count, library);
}
NAPKIN_CUDA cuLibraryEnumerateKernels(Handle *to, unsigned count,
                                      Handle library) {
  return listKernels(to, count, library);
}

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// Gives `to` what `get` says of the kernel.
template <typename T, typename Get>
static Result kernelProperty(T *to, Handle handle, Get get) {
  return call(Need::Initialized, [&](State &state) {
    Kernel *kernel = findKernel(state, handle);
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    *to = get(*kernel);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuKernelGetFunction(Handle *to, Handle kernel) {
  return kernelProperty(to, kernel, [](Kernel &k) { return Handle(&k); });
}
NAPKIN_CUDA cuKernelGetLibrary(Handle *to, Handle kernel) {
  return kernelProperty(to, kernel, [](Kernel &k) { return Handle(k.module); });
}
NAPKIN_CUDA cuFuncGetModule(Handle *to, Handle kernel) {
  return kernelProperty(to, kernel, [](Kernel &k) { return Handle(k.module); });
}

/// Names end with a zero, which the text of a module does not have.
static const char *nameOf(Kernel &kernel) {
  auto &strings = kernel.module->ptx->strings;
  for (auto &string : strings)
    if (*string == kernel.function->name)
      return string->c_str();
  strings.push_back(std::make_unique<std::string>(kernel.function->name.str()));
  return strings.back()->c_str();
}
NAPKIN_CUDA cuKernelGetName(const char **to, Handle kernel) {
  return kernelProperty(to, kernel, nameOf);
}
NAPKIN_CUDA cuFuncGetName(const char **to, Handle kernel) {
  return kernelProperty(to, kernel, nameOf);
}

static Result parameterInfo(Handle handle, size_t index, size_t *offset,
                            size_t *bytes) {
  return call(Need::Initialized, [&](State &state) {
    Kernel *kernel = findKernel(state, handle);
    if (!offset)
      return CUDA_ERROR_INVALID_VALUE;
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    const auto &parameters = kernel->function->parameters;
    if (index >= parameters.size())
      return CUDA_ERROR_INVALID_VALUE;
    uint64_t at = 0;
    for (size_t i = 0; i <= index; ++i) {
      const uint64_t unit = parameters[i].alignment;
      at = (at + unit - 1) / unit * unit;
      *offset = at;
      at += parameters[i].bytes();
    }
    if (bytes)
      *bytes = parameters[index].bytes();
    return CUDA_SUCCESS;
  });
}
NAPKIN_CUDA cuFuncGetParamInfo(Handle kernel, size_t index, size_t *offset,
                               size_t *bytes) {
  return parameterInfo(kernel, index, offset, bytes);
}
NAPKIN_CUDA cuKernelGetParamInfo(Handle kernel, size_t index, size_t *offset,
                                 size_t *bytes) {
  return parameterInfo(kernel, index, offset, bytes);
}

static int versionNumber(llvm::StringRef text) {
  // "8.0" is 80, "sm_90a" is 90.
  int number = 0;
  for (char c : text)
    if (c >= '0' && c <= '9')
      number = number * 10 + (c - '0');
  return number;
}

static Result kernelAttribute(int *to, int id, Handle handle) {
  return call(Need::Initialized, [&](State &state) {
    Kernel *kernel = findKernel(state, handle);
    if (!to)
      return CUDA_ERROR_INVALID_VALUE;
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    if (Result result = inspect(*kernel))
      return result;
    const ptx::Function &function = *kernel->function;
    const auto &cluster = function.requiredCluster;
    uint64_t threads = 1;
    for (uint32_t size : function.requiredThreads[0] ? function.requiredThreads
                                                     : function.maxThreads)
      threads *= size;
    switch (id) {
    case functionMaxThreads:
      *to = threads ? threads : state.hardware.threadsPerBlock;
      return CUDA_SUCCESS;
    case functionSharedBytes:
      *to = kernel->needs->staticSharedBytes;
      return CUDA_SUCCESS;
    case functionConstBytes:
      *to = 0;
      for (const ptx::Variable &variable : kernel->module->ptx->variables)
        if (variable.space == ptx::Space::Const)
          *to += variable.bytes();
      return CUDA_SUCCESS;
    case functionLocalBytes:
      *to = kernel->needs->localBytes;
      return CUDA_SUCCESS;
    case functionRegisters:
      *to = mostRegisters(state, *kernel);
      return CUDA_SUCCESS;
    case functionPtxVersion:
      *to = versionNumber(kernel->module->ptx->target);
      return CUDA_SUCCESS;
    case functionBinaryVersion:
      *to = state.major * 10 + state.minor;
      return CUDA_SUCCESS;
    case functionCacheMode:
    case functionClusterScheduling:
      *to = 0;
      return CUDA_SUCCESS;
    case functionMaxDynamicShared:
      *to = kernel->maxDynamicShared;
      return CUDA_SUCCESS;
    case functionCarveout:
      *to = kernel->carveout;
      return CUDA_SUCCESS;
    case functionClusterMustBeSet:
      *to = cluster[0] != 0;
      return CUDA_SUCCESS;
    case functionClusterWidth:
    case functionClusterHeight:
    case functionClusterDepth:
      *to = cluster[id - functionClusterWidth];
      return CUDA_SUCCESS;
    case functionNonPortableCluster:
      *to = kernel->nonPortableCluster;
      return CUDA_SUCCESS;
    }
    return CUDA_ERROR_INVALID_VALUE;
  });
}

static Result setKernelAttribute(Handle handle, int id, int value) {
  return call(Need::Initialized, [&](State &state) {
    Kernel *kernel = findKernel(state, handle);
    if (!kernel)
      return CUDA_ERROR_INVALID_HANDLE;
    switch (id) {
    case functionMaxDynamicShared: {
      if (Result result = inspect(*kernel))
        return result;
      const int64_t most = state.hardware.level("shared").capacityBytes -
                           int64_t(kernel->needs->staticSharedBytes);
      if (value < 0 || value > most)
        return CUDA_ERROR_INVALID_VALUE;
      kernel->maxDynamicShared = value;
      return CUDA_SUCCESS;
    }
    case functionCarveout:
      kernel->carveout = value;
      return value < -1 || value > 100 ? CUDA_ERROR_INVALID_VALUE
                                       : CUDA_SUCCESS;
    case functionNonPortableCluster:
      kernel->nonPortableCluster = value;
      return CUDA_SUCCESS;
    case functionClusterScheduling:
      return CUDA_SUCCESS;
    }
    return CUDA_ERROR_INVALID_VALUE;
  });
}

NAPKIN_CUDA cuFuncGetAttribute(int *to, int id, Handle kernel) {
  return kernelAttribute(to, id, kernel);
}
NAPKIN_CUDA cuKernelGetAttribute(int *to, int id, Handle kernel, int) {
  return kernelAttribute(to, id, kernel);
}
NAPKIN_CUDA cuFuncSetAttribute(Handle kernel, int id, int value) {
  return setKernelAttribute(kernel, id, value);
}
NAPKIN_CUDA cuKernelSetAttribute(int id, int value, Handle kernel, int) {
  return setKernelAttribute(kernel, id, value);
}

// Hints, and what is done already.
static Result isKernel(Handle handle) {
  return call(Need::Initialized, [&](State &state) {
    return findKernel(state, handle) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_HANDLE;
  });
}
NAPKIN_CUDA cuFuncSetCacheConfig(Handle kernel, int) {
  return isKernel(kernel);
}
NAPKIN_CUDA cuKernelSetCacheConfig(Handle kernel, int, int) {
  return isKernel(kernel);
}
NAPKIN_CUDA cuFuncSetSharedMemConfig(Handle kernel, int) {
  return isKernel(kernel);
}
NAPKIN_CUDA cuFuncLoad(Handle kernel) { return isKernel(kernel); }
NAPKIN_CUDA cuFuncIsLoaded(int *loaded, Handle kernel) {
  if (!loaded)
    return CUDA_ERROR_INVALID_VALUE;
  *loaded = 1;
  return isKernel(kernel);
}
