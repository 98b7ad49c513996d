//===- EntryPoints.cpp - Functions by their names --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// cuGetProcAddress knows a function by its name without a version and picks the
// version that the program was compiled for. The table that it looks into is
// the library's own list of symbols.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include <dlfcn.h>

#include <fmt/format.h>

using namespace napkin::driver;

namespace {
/// A version of a function that only later programs mean.
struct LaterVersion {
  const char *name;
  int since;
};
} // namespace

/// The version in which each came, where another form with the same name is
/// here too; all other forms with a number are those of CUDA 4 and before.
static const LaterVersion laterVersions[] = {
    {"cuCtxCreate_v3", 11040},
    {"cuCtxCreate_v4", 12050},
    {"cuMemPrefetchAsync_v2", 12020},
    {"cuMemAdvise_v2", 12020},
    {"cuEventElapsedTime_v2", 12080},
    {"cuDeviceGetUuid_v2", 11040},
    {"cuGetProcAddress_v2", 12000},
    {"cuStreamGetCaptureInfo_v2", 11030},
    {"cuStreamGetCaptureInfo_v3", 12030},
    {"cuStreamGetCtx_v2", 12050},
    {"cuCtxGetDevice_v2", 13000},
    {"cuCtxSynchronize_v2", 13000}};

static int since(const std::string &name) {
  for (const LaterVersion &later : laterVersions)
    if (name == later.name)
      return later.since;
  return 0;
}

/// This library among those that the program has loaded.
static void *self() {
  static void *library = [] {
    Dl_info info;
    return dladdr(reinterpret_cast<void *>(&self), &info)
               ? dlopen(info.dli_fname, RTLD_NOW | RTLD_NOLOAD)
               : nullptr;
  }();
  return library;
}

/// The latest form of `name` up to `version`, or null.
static void *findFunction(const std::string &name, int version) {
  constexpr int latestForm = 4;
  for (int form = latestForm; form >= 1; --form) {
    std::string symbol = form == 1 ? name : fmt::format("{}_v{}", name, form);
    if (since(symbol) > version)
      continue;
    if (void *found = self() ? dlsym(self(), symbol.c_str()) : nullptr)
      return found;
  }
  return nullptr;
}

/// CUdriverProcAddressQueryResult.
enum ProcAddressStatus { statusFound = 0, statusNotFound = 1 };

NAPKIN_CUDA cuGetProcAddress_v2(const char *name, void **to, int version,
                                uint64_t, int *status) {
  if (!name || !to)
    return CUDA_ERROR_INVALID_VALUE;
  *to = findFunction(name, version);
  if (status)
    *status = *to ? statusFound : statusNotFound;
  return *to ? CUDA_SUCCESS : CUDA_ERROR_NOT_FOUND;
}

NAPKIN_CUDA cuGetProcAddress(const char *name, void **to, int version,
                             uint64_t flags) {
  return cuGetProcAddress_v2(name, to, version, flags, nullptr);
}

/// NVIDIA's own libraries ask for tables of private functions here. NVIDIA's
/// runtime (libcudart) goes on only if the driver proves to be NVIDIA's; this
/// is another driver and does not pretend to be.
NAPKIN_CUDA cuGetExportTable(const void **table, const void *) {
  static std::once_flag once;
  std::call_once(once, [] {
    say("this program asks for private tables of NVIDIA's driver, as NVIDIA's "
        "CUDA runtime does; the executor's driver has none");
  });
  if (table)
    *table = nullptr;
  return CUDA_ERROR_NOT_SUPPORTED;
}
