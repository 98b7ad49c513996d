//===- Registry.cpp - Kernels and variables of nvcc's objects --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Objects that nvcc made register what they hold before main() begins; the
// driver sees none of it until it is used.
//
//===----------------------------------------------------------------------===//

#include "Runtime.h"

#include <cstdio>
#include <dlfcn.h>

using namespace napkin::runtime;

Registry &Registry::get() {
  static Registry *registry = new Registry;
  return *registry;
}

/// The driver beside this library, or the one that the loader finds.
static void *openDriver() {
  Dl_info where;
  if (dladdr(reinterpret_cast<void *>(&openDriver), &where)) {
    std::string path = where.dli_fname;
    path = path.substr(0, path.rfind('/') + 1) + "libcuda.so.1";
    if (void *driver = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL))
      return driver;
  }
  return dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
}

void *napkin::runtime::findDriverFunction(const char *name) {
  static void *driver = openDriver();
  return driver ? dlsym(driver, name) : nullptr;
}

static thread_local Error lastError = success;

Error napkin::runtime::note(Error error) {
  if (error)
    lastError = error;
  return error;
}

Error napkin::runtime::ensure() {
  static std::mutex lock;
  std::lock_guard<std::mutex> guard(lock);
  static Handle primary = nullptr;
  if (!primary) {
    if (Error error = cuInit(0))
      return error;
    if (Error error = cuDevicePrimaryCtxRetain(&primary, 0))
      return error;
  }
  Handle current = nullptr;
  if (!cuCtxGetCurrent(&current) && current)
    return success;
  return cuCtxSetCurrent(primary);
}

Error Registry::load(Binary &binary) {
  return binary.module ? success
                       : cuModuleLoadData(&binary.module, binary.image);
}

Error Registry::findKernel(const void *entry, Handle &function) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  auto found = kernels.find(entry);
  if (found == kernels.end()) {
    // cudaGetKernel() gave the driver's own handle.
    function = const_cast<void *>(entry);
    const char *name;
    return cuFuncGetName(&name, function) ? errorInvalidDeviceFunction
                                          : success;
  }
  Symbol &symbol = found->second;
  if (Error error = load(*symbol.binary))
    return error;
  if (!symbol.function)
    if (cuModuleGetFunction(&symbol.function, symbol.binary->module,
                            symbol.name.c_str()))
      return errorInvalidDeviceFunction;
  function = symbol.function;
  return success;
}

Error Registry::findVariable(const void *symbol, Address &address,
                             size_t &bytes) {
  std::lock_guard<std::recursive_mutex> guard(lock);
  auto found = variables.find(symbol);
  if (found == variables.end())
    return errorInvalidSymbol;
  if (Error error = load(*found->second.binary))
    return error;
  return cuModuleGetGlobal_v2(&address, &bytes, found->second.binary->module,
                              found->second.name.c_str())
             ? errorInvalidSymbol
             : success;
}

//===----------------------------------------------------------------------===//
// What nvcc's objects call
//===----------------------------------------------------------------------===//

#define NAPKIN_EXPORT extern "C" __attribute__((visibility("default")))

NAPKIN_EXPORT void **__cudaRegisterFatBinary(void *image) {
  auto *binary = new Binary;
  binary->image = image;
  return reinterpret_cast<void **>(binary);
}

NAPKIN_EXPORT void __cudaRegisterFatBinaryEnd(void **) {}

NAPKIN_EXPORT void __cudaUnregisterFatBinary(void **handle) {
  // At the end of the process: the driver may have gone already. What was
  // registered stays, as objects may still launch from destructors.
  (void)handle;
}

NAPKIN_EXPORT char __cudaInitModule(void **) { return 1; }

NAPKIN_EXPORT void __cudaRegisterFunction(void **handle, const char *stub,
                                          char *, const char *name, int, void *,
                                          void *, void *, void *, int *) {
  Registry &registry = Registry::get();
  std::lock_guard<std::recursive_mutex> guard(registry.lock);
  registry.kernels[stub] = {reinterpret_cast<Binary *>(handle), name, nullptr};
}

NAPKIN_EXPORT void __cudaRegisterVar(void **handle, char *variable, char *,
                                     const char *name, int, size_t, int, int) {
  Registry &registry = Registry::get();
  std::lock_guard<std::recursive_mutex> guard(registry.lock);
  registry.variables[variable] = {reinterpret_cast<Binary *>(handle), name,
                                  nullptr};
}

NAPKIN_EXPORT void __cudaRegisterManagedVar(void **, void **, char *,
                                            const char *name, int, size_t, int,
                                            int) {
  std::fprintf(stderr,
               "napkin: the managed variable '%s' is not there for the host: "
               "variables with __managed__ are not in the executor's runtime\n",
               name);
}

NAPKIN_EXPORT void __cudaRegisterHostVar(void **, const char *, char *,
                                         size_t) {}
NAPKIN_EXPORT void __cudaRegisterUnifiedTable(void **, void *) {}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

NAPKIN_RUNTIME cudaGetLastError() {
  Error error = lastError;
  lastError = success;
  return error;
}

NAPKIN_RUNTIME cudaPeekAtLastError() { return lastError; }

namespace {
struct ErrorInfo {
  Error value;
  const char *name;
  /// Null: as the driver has it.
  const char *text;
};
} // namespace

static const ErrorInfo errors[] = {
    {0, "cudaSuccess", "no error"},
    {1, "cudaErrorInvalidValue", nullptr},
    {2, "cudaErrorMemoryAllocation", nullptr},
    {3, "cudaErrorInitializationError", nullptr},
    {9, "cudaErrorInvalidConfiguration", "invalid configuration argument"},
    {13, "cudaErrorInvalidSymbol", "invalid device symbol"},
    {52, "cudaErrorMissingConfiguration",
     "__global__ function call is not configured"},
    {98, "cudaErrorInvalidDeviceFunction", "invalid device function"},
    {100, "cudaErrorNoDevice", nullptr},
    {101, "cudaErrorInvalidDevice", nullptr},
    {200, "cudaErrorInvalidKernelImage", nullptr},
    {201, "cudaErrorDeviceUninitialized", nullptr},
    {209, "cudaErrorNoKernelImageForDevice", nullptr},
    {218, "cudaErrorInvalidPtx", nullptr},
    {400, "cudaErrorInvalidResourceHandle", nullptr},
    {500, "cudaErrorSymbolNotFound", nullptr},
    {600, "cudaErrorNotReady", nullptr},
    {700, "cudaErrorIllegalAddress", nullptr},
    {701, "cudaErrorLaunchOutOfResources", nullptr},
    {702, "cudaErrorLaunchTimeout", nullptr},
    {710, "cudaErrorAssert", nullptr},
    {712, "cudaErrorHostMemoryAlreadyRegistered", nullptr},
    {713, "cudaErrorHostMemoryNotRegistered", nullptr},
    {715, "cudaErrorIllegalInstruction", nullptr},
    {716, "cudaErrorMisalignedAddress", nullptr},
    {719, "cudaErrorLaunchFailure", nullptr},
    {720, "cudaErrorCooperativeLaunchTooLarge", nullptr},
    {801, "cudaErrorNotSupported", nullptr},
    {999, "cudaErrorUnknown", nullptr}};

NAPKIN_EXPORT const char *cudaGetErrorName(Error error) {
  for (const ErrorInfo &info : errors)
    if (info.value == error)
      return info.name;
  return "unrecognized error code";
}

NAPKIN_EXPORT const char *cudaGetErrorString(Error error) {
  for (const ErrorInfo &info : errors)
    if (info.value == error && info.text)
      return info.text;
  const char *text = nullptr;
  cuGetErrorString(error, &text);
  return text ? text : "unrecognized error code";
}
