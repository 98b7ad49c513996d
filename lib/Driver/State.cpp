//===- State.cpp - What the driver knows -----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Initialisation, the checks before every call, and what happens at exit.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include "napkin/Executor/HardwareDescription.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cstdlib>
#include <sys/mman.h>

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::driver;

State &State::get() {
  static State *state = new State;
  return *state;
}

std::vector<Context *> &State::contextStack() {
  static thread_local std::vector<Context *> stack;
  return stack;
}

void napkin::driver::say(const std::string &what) {
  // What the program printed so far comes before it.
  std::fflush(stdout);
  llvm::errs() << "napkin: " << what << (what.back() == '\n' ? "" : "\n");
}

Result napkin::driver::refuse(Result result, const std::string &what) {
  say(what);
  return result;
}

Result napkin::driver::check(State &state, Need need) {
  if (need == Need::Nothing)
    return CUDA_SUCCESS;
  if (!state.isInitialized)
    return CUDA_ERROR_NOT_INITIALIZED;
  if (need == Need::Context && !state.current())
    return CUDA_ERROR_INVALID_CONTEXT;
  if (need == Need::Context && state.sticky)
    return state.sticky;
  return CUDA_SUCCESS;
}

static void printCounters() {
  State &state = State::get();
  std::lock_guard<std::recursive_mutex> guard(state.lock);
  if (state.counters.empty())
    return;
  std::string text = state.settings.counters == CounterFormat::Json
                         ? state.counters.json()
                         : state.counters.table();
  if (state.settings.countersFile.empty()) {
    std::fflush(stdout);
    llvm::errs() << text;
    return;
  }
  std::error_code error;
  llvm::raw_fd_ostream out(state.settings.countersFile, error);
  if (error)
    return say(fmt::format("cannot write '{}': {}", state.settings.countersFile,
                           error.message()));
  out << text;
}

/// Addresses for device memory which no host memory has and no host access can
/// read, so that either kind of pointer is known by its value.
static void reserveWindow(State &state) {
  constexpr Address wanted = Address(1) << 45;
  for (uint64_t bytes = Address(1) << 44; bytes >= Address(1) << 36;
       bytes >>= 1) {
    void *at = mmap(reinterpret_cast<void *>(wanted), bytes, PROT_NONE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
      continue;
    state.windowBegin = reinterpret_cast<Address>(at);
    state.windowEnd = state.windowBegin + bytes;
    return;
  }
  // Under a limit of the address space: nothing lies there all the same.
  state.windowBegin = wanted;
  state.windowEnd = wanted + (Address(1) << 44);
}

/// 9, 0 of "sm_90a".
static void readCapability(State &state) {
  llvm::StringRef target = state.hardware.target;
  target.consume_front("sm_");
  target = target.take_while([](char c) { return c >= '0' && c <= '9'; });
  unsigned number = 0;
  target.getAsInteger(10, number);
  state.major = number / 10;
  state.minor = number % 10;
}

Result State::initialize() {
  if (isInitialized)
    return CUDA_SUCCESS;
  const char *text = std::getenv("NAPKIN_DRIVER");
  if (llvm::Error error = parseSettings(text ? text : "", settings))
    return refuse(CUDA_ERROR_INVALID_VALUE,
                  "NAPKIN_DRIVER: " + toString(std::move(error)));
  auto found = cost::loadHardware(settings.hardware);
  if (!found)
    return refuse(CUDA_ERROR_NO_DEVICE,
                  "NAPKIN_DRIVER: " + toString(found.takeError()));
  hardware = *found;
  readCapability(*this);
  auto limits = executor::findHardware(settings.hardware, "");
  if (!limits)
    return refuse(CUDA_ERROR_NO_DEVICE, toString(limits.takeError()));
  settings.launch.hardware = **limits;
  memoryBytes = settings.memory ? settings.memory
                                : hardware.level("global").capacityBytes;
  reserveWindow(*this);
  device.emplace(windowBegin);
  device->setLimit(std::min(memoryBytes, executor::hostMemoryBytes() / 2));
  if (settings.counters != CounterFormat::None)
    std::atexit(printCounters);
  isInitialized = true;
  return CUDA_SUCCESS;
}

executor::Hardware State::launchHardware() const {
  return *settings.launch.hardware;
}

bool napkin::driver::isStream(const State &state, Handle handle) {
  return reinterpret_cast<uintptr_t>(handle) <= 2 || state.streams.find(handle);
}
