//===- State.h - What the driver knows -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One device, its memory and all objects that a program holds handles of. Work
// is done when it is asked for, in the order of the calls: every stream is in
// order, and every order of streams that results is one that a GPU may choose.
// One lock guards all of it.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_DRIVER_STATE_H
#define NAPKIN_LIB_DRIVER_STATE_H

#include "Api.h"
#include "Report.h"

#include "napkin/Cost/Hardware.h"
#include "napkin/Executor/Executor.h"

#include "llvm/ADT/DenseMap.h"

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

namespace napkin::driver {

struct Module;

/// CUfunction and CUkernel: a kernel of a module.
struct Kernel {
  Module *module = nullptr;
  const ptx::Function *function = nullptr;
  /// What it takes, once it was asked for: see inspect().
  std::optional<executor::KernelNeeds> needs;
  /// What the program set: dynamic shared memory that launches may ask for.
  uint64_t maxDynamicShared = 0;
  bool nonPortableCluster = false;
  int carveout = -1;
};

/// CUmodule and CUlibrary.
struct Module {
  std::unique_ptr<ptx::Module> ptx;
  /// Its variables by name.
  llvm::StringMap<uint64_t> symbols;
  /// In the order of the text.
  std::vector<std::unique_ptr<Kernel>> kernels;
};

/// CUcontext.
struct Context {
  bool isPrimary = false;
  uint32_t flags = 0;
  std::map<int, size_t> limits;
};

/// CUstream.
struct Stream {
  Context *context = nullptr;
  uint32_t flags = 0;
  int priority = 0;
  uint64_t id = 0;
};

/// CUevent.
struct Event {
  uint32_t flags = 0;
  std::optional<std::chrono::steady_clock::time_point> time;
};

/// What a program allocated.
struct Allocation {
  enum class Kind { Device, Managed, Host, Registered };
  Kind kind = Kind::Device;
  uint64_t bytes = 0;
  uint32_t flags = 0;
};

/// CUmemoryPool: all memory is one pool, and this its handle.
struct MemoryPool {
  uint64_t releaseThreshold = 0;
};

/// The objects of one kind, which a program names by their addresses.
template <typename T>
class Handles {
public:
  T *add(std::unique_ptr<T> object) {
    T *handle = object.get();
    objects[handle] = std::move(object);
    return handle;
  }
  /// Null for what is no handle.
  T *find(Handle handle) const {
    auto found = objects.find(handle);
    return found == objects.end() ? nullptr : found->second.get();
  }
  bool erase(Handle handle) { return objects.erase(handle); }

private:
  std::map<void *, std::unique_ptr<T>> objects;
};

/// How to run and what to print; see settings() in Settings.cpp.
struct Settings {
  std::string hardware = "h100";
  executor::Options launch;
  /// Bytes of device memory; 0: what the hardware has.
  uint64_t memory = 0;
  CounterFormat counters = CounterFormat::None;
  /// Where counters and the texts of modules go; empty: standard error,
  /// nowhere.
  std::string countersFile, ptxFolder;
};

/// Reads `text`, "key=value,key=value". The error says which is wrong.
llvm::Error parseSettings(llvm::StringRef text, Settings &settings);

class State {
public:
  /// Made at the first call, never destroyed: programs call from destructors.
  static State &get();

  std::recursive_mutex lock;
  bool isInitialized = false;
  Settings settings;
  cost::Hardware hardware;
  /// 9, 0 for sm_90a.
  int major = 0, minor = 0;
  std::optional<executor::Device> device;
  /// Device addresses: the host cannot read there.
  Address windowBegin = 0, windowEnd = 0;
  uint64_t memoryBytes = 0, memoryTaken = 0;

  Handles<Context> contexts;
  Handles<Stream> streams;
  Handles<Event> events;
  Handles<Module> modules;
  std::map<void *, Kernel *> kernels;
  std::map<Address, Allocation> allocations;
  MemoryPool pool;
  Context *primary = nullptr;
  unsigned primaryReferences = 0;
  uint32_t primaryFlags = 0;
  /// What a trap left: all later calls fail with it, as on a GPU.
  Result sticky = CUDA_SUCCESS;
  KernelCounters counters;
  uint64_t numLaunches = 0, numModules = 0, numAllocations = 0, numStreams = 0;

  /// Reads the settings and makes the device.
  Result initialize();
  /// The contexts that the calling thread has pushed, the current one last.
  static std::vector<Context *> &contextStack();
  Context *current() const {
    return contextStack().empty() ? nullptr : contextStack().back();
  }
  /// The limits of a launch, from the hardware.
  executor::Hardware launchHardware() const;

private:
  State() = default;
};

/// Prints "napkin: ..." on standard error.
void say(const std::string &what);
/// The same, and returns `result`.
Result refuse(Result result, const std::string &what);

/// What a call needs before it.
enum class Need { Nothing, Initialized, Context };

/// The check before a call, with the lock held.
Result check(State &state, Need need);

/// Runs `body(state)` under the lock, if what it needs is there.
template <typename Body>
Result call(Need need, Body body) {
  State &state = State::get();
  std::lock_guard<std::recursive_mutex> guard(state.lock);
  if (Result result = check(state, need))
    return result;
  return body(state);
}

/// Whether `handle` names a stream; null, 1 (legacy) and 2 (per thread) do.
bool isStream(const State &state, Handle handle);

/// Copies between any two places. An end of kind memoryUnified is device memory
/// where its address is.
Result copyBytes(State &state, Address to, int toType, Address from,
                 int fromType, uint64_t bytes);

/// The kernel that a handle means, or null.
Kernel *findKernel(State &state, Handle handle);

/// Fills kernel.needs. A kernel that the executor cannot run is an error, told
/// with its place.
Result inspect(Kernel &kernel);

/// Blocks of `kernel`, whose needs are known, that a multiprocessor holds at a
/// time.
unsigned residentBlocks(const State &state, const Kernel &kernel,
                        uint64_t threads, uint64_t dynamicBytes);

/// Registers of a thread that ptxas may give `kernel` at most: how many it does
/// give is not known here.
unsigned mostRegisters(const State &state, const Kernel &kernel);

/// The arguments of cuLaunchKernelEx as cuOccupancyMaxActiveClusters and the
/// launch itself read them. An attribute that is not there is an error.
struct LaunchRequest {
  executor::LaunchConfig config;
  bool isCooperative = false;
  std::vector<Handle> events;
};
Result readConfig(const State &state, const LaunchConfigEx &from,
                  LaunchRequest &to);

/// Loads a module from what a program passed: PTX, a fat binary or its wrapper,
/// of at most `bytes` bytes. `log`, if given, receives the error.
Result loadModule(State &state, const void *image, uint64_t bytes,
                  Module *&module, std::string *log);
/// Frees the module's variables and forgets it.
void unloadModule(State &state, Module *module);

} // namespace napkin::driver

#endif // NAPKIN_LIB_DRIVER_STATE_H
