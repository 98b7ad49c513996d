//===- Launches.cpp - Launches under all checks ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A launch has ended when it returns. What a trap leaves is the launch's own
// error, as under CUDA_LAUNCH_BLOCKING=1, and that of all later calls.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include "llvm/Demangle/Demangle.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::driver;
using executor::Trap;

/// What a GPU would say of `trap`, where it notices at all.
static Result resultOf(const Trap &trap) {
  switch (trap.kind) {
  case Trap::Kind::OutOfBounds:
  case Trap::Kind::Freed:
  case Trap::Kind::ReadOnly:
    return CUDA_ERROR_ILLEGAL_ADDRESS;
  case Trap::Kind::Misaligned:
    return CUDA_ERROR_MISALIGNED_ADDRESS;
  case Trap::Kind::Illegal:
    return CUDA_ERROR_ILLEGAL_INSTRUCTION;
  case Trap::Kind::Deadlock:
  case Trap::Kind::Limit:
    return CUDA_ERROR_LAUNCH_TIMEOUT;
  case Trap::Kind::UserTrap:
    return llvm::StringRef(trap.message).contains("assertion")
               ? CUDA_ERROR_ASSERT
               : CUDA_ERROR_LAUNCH_FAILED;
  default:
    return CUDA_ERROR_LAUNCH_FAILED;
  }
}

Result napkin::driver::readConfig(const State &state,
                                  const LaunchConfigEx &from,
                                  LaunchRequest &to) {
  for (unsigned d = 0; d < 3; ++d) {
    to.config.grid[d] = from.grid[d];
    to.config.block[d] = from.block[d];
    to.config.cluster[d] = 0;
  }
  to.config.dynamicSharedBytes = from.sharedBytes;
  if (from.numAttributes && !from.attributes)
    return CUDA_ERROR_INVALID_VALUE;
  for (unsigned i = 0; i < from.numAttributes; ++i) {
    const LaunchAttribute &attribute = from.attributes[i];
    switch (attribute.id) {
    case attributeCooperative:
      to.isCooperative = attribute.flag != 0;
      break;
    case attributeClusterDimension:
      for (unsigned d = 0; d < 3; ++d)
        to.config.cluster[d] = attribute.extent[d];
      break;
    case attributeProgrammaticEvent:
    case attributeLaunchCompletionEvent:
      if (!state.events.find(attribute.event.event))
        return CUDA_ERROR_INVALID_HANDLE;
      to.events.push_back(attribute.event.event);
      break;
    case attributeDeviceUpdatable:
      return refuse(CUDA_ERROR_NOT_SUPPORTED,
                    "launches that a kernel updates are not there (graphs)");
    default:
      // Hints: order of blocks, priority, carve-out. A launch that may begin
      // before the one in front has ended (6) begins when it has.
      break;
    }
  }
  return CUDA_SUCCESS;
}

/// The bytes of each parameter out of the array of pointers.
static Result readParameters(const ptx::Function &function, void **parameters,
                             executor::Arguments &to) {
  if (!function.parameters.empty() && !parameters)
    return CUDA_ERROR_INVALID_VALUE;
  for (size_t i = 0; i < function.parameters.size(); ++i)
    to.raw(parameters[i], function.parameters[i].bytes());
  return CUDA_SUCCESS;
}

/// The same out of a buffer that `extra` names.
static Result readBuffer(const ptx::Function &function, void **extra,
                         executor::Arguments &to) {
  const char *buffer = nullptr;
  size_t bytes = 0;
  for (; *extra; extra += 2)
    switch (reinterpret_cast<uintptr_t>(*extra)) {
    case 1:
      buffer = static_cast<const char *>(extra[1]);
      break;
    case 2:
      bytes = *static_cast<size_t *>(extra[1]);
      break;
    default:
      return CUDA_ERROR_INVALID_VALUE;
    }
  uint64_t at = 0;
  for (const ptx::Variable &parameter : function.parameters) {
    at = (at + parameter.alignment - 1) / parameter.alignment *
         parameter.alignment;
    if (!buffer || at + parameter.bytes() > bytes)
      return refuse(CUDA_ERROR_INVALID_VALUE,
                    fmt::format("the {} bytes of arguments of '{}' end before "
                                "parameter '{}'",
                                bytes, function.name.str(),
                                parameter.name.str()));
    to.raw(buffer + at, parameter.bytes());
    at += parameter.bytes();
  }
  return CUDA_SUCCESS;
}

/// What of a launch only the driver checks.
static Result checkRequest(const State &state, Kernel &kernel,
                           const LaunchRequest &request) {
  const executor::LaunchConfig &config = request.config;
  const uint64_t threads =
      uint64_t(config.block[0]) * config.block[1] * config.block[2];
  const uint64_t blocks =
      uint64_t(config.grid[0]) * config.grid[1] * config.grid[2];
  if (!threads || !blocks)
    return CUDA_ERROR_INVALID_VALUE;
  if (Result result = inspect(kernel))
    return result;
  constexpr uint64_t withoutAsking = 48 * 1024;
  const uint64_t statically = kernel.needs->staticSharedBytes;
  const std::string name = llvm::demangle(kernel.function->name.str());
  if (config.dynamicSharedBytes &&
      statically + config.dynamicSharedBytes > withoutAsking &&
      config.dynamicSharedBytes > kernel.maxDynamicShared)
    return refuse(
        CUDA_ERROR_INVALID_VALUE,
        fmt::format("kernel '{}' is launched with {} bytes of dynamic shared "
                    "memory, {} in all; above {} the program must ask with "
                    "CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES",
                    name, config.dynamicSharedBytes,
                    statically + config.dynamicSharedBytes, withoutAsking));
  if (state.major < 9 && config.cluster[0] > 1)
    return refuse(CUDA_ERROR_INVALID_CLUSTER_SIZE,
                  fmt::format("kernel '{}' is launched in clusters, which {} "
                              "does not have",
                              name, state.hardware.target));
  if (!request.isCooperative)
    return CUDA_SUCCESS;
  const uint64_t most =
      uint64_t(state.hardware.multiprocessors) *
      residentBlocks(state, kernel, threads, config.dynamicSharedBytes);
  if (blocks > most)
    return refuse(CUDA_ERROR_COOPERATIVE_LAUNCH_TOO_LARGE,
                  fmt::format("kernel '{}' is launched cooperatively with {} "
                              "blocks, and {} holds {} at a time",
                              name, blocks, state.hardware.title, most));
  return CUDA_SUCCESS;
}

static Result run(State &state, Kernel &kernel, const LaunchRequest &request,
                  const executor::Arguments &arguments) {
  Module &module = *kernel.module;
  const std::string mangled = kernel.function->name.str();
  ++state.numLaunches;
  state.device->exchangeSymbols(module.symbols);
  auto launched =
      executor::launch(*state.device, *module.ptx, kernel.function->name,
                       arguments, request.config, state.settings.launch);
  state.device->exchangeSymbols(module.symbols);
  const std::string where = fmt::format(
      "kernel '{}' (launch {})", llvm::demangle(mangled), state.numLaunches);
  if (!launched)
    return refuse(CUDA_ERROR_INVALID_VALUE,
                  where + ": " + toString(launched.takeError()));
  if (!launched->printed.empty()) {
    std::fwrite(launched->printed.data(), 1, launched->printed.size(), stdout);
    std::fflush(stdout);
  }
  state.counters.add(mangled, launched->counters);
  for (const std::string &note : launched->notes)
    say(where + ": note: " + note);
  for (const Trap &trap : launched->traps)
    say(where + ":\n" + executor::describe(trap, module.ptx->file));
  if (!launched->traps.empty())
    state.sticky = resultOf(launched->traps.front());
  return state.sticky;
}

static Result launch(Handle handle, const LaunchConfigEx &given,
                     bool isCooperative, void **parameters, void **extra) {
  return call(Need::Context, [&](State &state) {
    Kernel *kernel = findKernel(state, handle);
    if (!kernel || !isStream(state, given.stream))
      return CUDA_ERROR_INVALID_HANDLE;
    LaunchRequest request;
    request.isCooperative = isCooperative;
    if (Result result = readConfig(state, given, request))
      return result;
    executor::Arguments arguments;
    if (Result result =
            extra ? readBuffer(*kernel->function, extra, arguments)
                  : readParameters(*kernel->function, parameters, arguments))
      return result;
    if (Result result = checkRequest(state, *kernel, request))
      return result;
    Result result = run(state, *kernel, request, arguments);
    for (Handle event : request.events)
      state.events.find(event)->time = std::chrono::steady_clock::now();
    return result;
  });
}

NAPKIN_CUDA cuLaunchKernel(Handle kernel, unsigned gridX, unsigned gridY,
                           unsigned gridZ, unsigned blockX, unsigned blockY,
                           unsigned blockZ, unsigned sharedBytes, Handle stream,
                           void **parameters, void **extra) {
  return launch(kernel,
                {{gridX, gridY, gridZ},
                 {blockX, blockY, blockZ},
                 sharedBytes,
                 stream,
                 nullptr,
                 0},
                false, parameters, extra);
}

NAPKIN_CUDA cuLaunchCooperativeKernel(Handle kernel, unsigned gridX,
                                      unsigned gridY, unsigned gridZ,
                                      unsigned blockX, unsigned blockY,
                                      unsigned blockZ, unsigned sharedBytes,
                                      Handle stream, void **parameters) {
  return launch(kernel,
                {{gridX, gridY, gridZ},
                 {blockX, blockY, blockZ},
                 sharedBytes,
                 stream,
                 nullptr,
                 0},
                true, parameters, nullptr);
}

NAPKIN_CUDA cuLaunchKernelEx(const LaunchConfigEx *config, Handle kernel,
                             void **parameters, void **extra) {
  if (!config)
    return CUDA_ERROR_INVALID_VALUE;
  return launch(kernel, *config, false, parameters, extra);
}
