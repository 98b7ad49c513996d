//===- Errors.cpp - Names of errors, initialisation ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// cuInit and what may be called before it.
//
//===----------------------------------------------------------------------===//

#include "State.h"

using namespace napkin::driver;

namespace {
struct ResultInfo {
  Result value;
  const char *name, *text;
};
} // namespace

static const ResultInfo results[] = {
#define NAPKIN_RESULT(name, value, text) {name, #name, text},
#include "Results.def"
#undef NAPKIN_RESULT
};

static const ResultInfo *findResult(Result value) {
  for (const ResultInfo &info : results)
    if (info.value == value)
      return &info;
  return nullptr;
}

NAPKIN_CUDA cuGetErrorName(Result error, const char **name) {
  const ResultInfo *info = findResult(error);
  if (!name)
    return CUDA_ERROR_INVALID_VALUE;
  *name = info ? info->name : nullptr;
  return info ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

NAPKIN_CUDA cuGetErrorString(Result error, const char **text) {
  const ResultInfo *info = findResult(error);
  if (!text)
    return CUDA_ERROR_INVALID_VALUE;
  *text = info ? info->text : nullptr;
  return info ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

NAPKIN_CUDA cuInit(unsigned flags) {
  if (flags)
    return CUDA_ERROR_INVALID_VALUE;
  return call(Need::Nothing, [](State &state) { return state.initialize(); });
}

/// The version of the interface that this is.
static constexpr int driverVersion = 13000;

NAPKIN_CUDA cuDriverGetVersion(int *version) {
  if (!version)
    return CUDA_ERROR_INVALID_VALUE;
  *version = driverVersion;
  return CUDA_SUCCESS;
}

/// By this a launcher knows that times here are not a GPU's.
NAPKIN_CUDA cuNapkinExecutorVersion() { return CUDA_SUCCESS; }
