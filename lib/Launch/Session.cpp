//===- Session.cpp - The CUDA driver, loaded -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Session.h. What is given back is given back whatever the driver says to
// it: after a kernel's fault every call fails, and the memory goes with the
// context.
//
//===----------------------------------------------------------------------===//

#include "Session.h"

#include <dlfcn.h>
#include <utility>

#include <fmt/format.h>

using namespace napkin::launch;

llvm::Error napkin::launch::failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 ("error: " + what).c_str());
}

/// Where the driver is: by the loader's own search, or where WSL has it.
static const char *const libraries[] = {"libcuda.so.1",
                                        "/usr/lib/wsl/lib/libcuda.so.1"};

llvm::Error Session::load() {
  std::string reason;
  for (const char *name : libraries) {
    if ((library = dlopen(name, RTLD_NOW | RTLD_LOCAL)))
      break;
    const char *text = dlerror();
    if (reason.empty() && text)
      reason = text;
  }
  if (!library)
    return failure(fmt::format(
        "this machine has no CUDA driver ({}); to run on the CPU instead, use "
        "--verify, or name the executor's driver: LD_LIBRARY_PATH=.../lib/"
        "napkin-driver",
        reason));
  path = "libcuda.so.1";
  std::string missing;
  auto find = [&](auto &function, const char *name, bool isOptional) {
    void *found = dlsym(library, name);
    function = reinterpret_cast<std::decay_t<decltype(function)>>(found);
    if (!found && !isOptional)
      missing += (missing.empty() ? "" : ", ") + std::string(name);
  };
#define NAPKIN_FUNCTION(name, parameters) find(cuda.name, #name, false);
#define NAPKIN_OPTIONAL(name, parameters) find(cuda.name, #name, true);
#include "Functions.def"
#undef NAPKIN_FUNCTION
#undef NAPKIN_OPTIONAL
  // Where the loader found it.
  Dl_info where;
  if (cuda.cuInit && dladdr(reinterpret_cast<void *>(cuda.cuInit), &where) &&
      where.dli_fname)
    path = where.dli_fname;
  if (!missing.empty())
    return failure(fmt::format("the CUDA driver {} has no {}; a driver for "
                               "CUDA 11.0 or later is needed",
                               path, missing));
  return llvm::Error::success();
}

/// CUdevice_attribute.
static constexpr int attributeClockKHz = 13, attributeMultiprocessors = 16,
                     attributeCacheBytes = 38, attributeMajor = 75,
                     attributeMinor = 76, attributeSharedBytes = 97;

llvm::Error Session::openDevice(int ordinal) {
  if (auto e = check(cuda.cuInit(0), "starting the CUDA driver"))
    return e;
  int count = 0;
  if (auto e = check(cuda.cuDeviceGetCount(&count), "counting the devices"))
    return e;
  if (ordinal < 0 || ordinal >= count)
    return failure(
        fmt::format("there is no device {}: the CUDA driver {} has {} device{}",
                    ordinal, path, count, count == 1 ? "" : "s"));
  if (auto e = check(cuda.cuDeviceGet(&device, ordinal), "opening the device"))
    return e;
  char name[256] = "";
  int clock = 0, cache = 0, shared = 0;
  size_t memory = 0;
  Result result = cuda.cuDriverGetVersion(&info.driverVersion);
  auto ask = [&](int *to, int attribute) {
    if (!result)
      result = cuda.cuDeviceGetAttribute(to, attribute, device);
  };
  if (!result)
    result = cuda.cuDeviceGetName(name, sizeof name - 1, device);
  if (!result)
    result = cuda.cuDeviceTotalMem_v2(&memory, device);
  ask(&clock, attributeClockKHz);
  ask(&info.multiprocessors, attributeMultiprocessors);
  ask(&cache, attributeCacheBytes);
  ask(&info.major, attributeMajor);
  ask(&info.minor, attributeMinor);
  ask(&shared, attributeSharedBytes);
  if (auto e = check(result, "asking what the device is"))
    return e;
  info.name = name;
  info.clockMHz = clock / 1e3;
  info.memoryBytes = memory;
  info.cacheBytes = cache;
  info.sharedBytes = shared;
  info.isExecutor = cuda.cuNapkinExecutorVersion;
  Handle retained = nullptr;
  if (auto e = check(cuda.cuDevicePrimaryCtxRetain(&retained, device),
                     "opening the device's primary context"))
    return e;
  context = retained;
  return llvm::Error::success();
}

llvm::Expected<std::shared_ptr<Session>> Session::open(int ordinal) {
  std::shared_ptr<Session> session(new Session);
  if (auto e = session->load())
    return std::move(e);
  if (auto e = session->openDevice(ordinal))
    return std::move(e);
  return session;
}

Session::~Session() {
  if (context)
    cuda.cuDevicePrimaryCtxRelease_v2(device);
  // The library stays: drivers have threads and handlers of their own.
}

llvm::Error Session::check(Result result, const std::string &what) const {
  if (!result)
    return llvm::Error::success();
  const char *name = nullptr, *text = nullptr;
  cuda.cuGetErrorName(result, &name);
  cuda.cuGetErrorString(result, &text);
  return failure(fmt::format("{}: the CUDA driver says {}{}", what,
                             name ? name : fmt::format("error {}", result),
                             text ? fmt::format(" ({})", text) : ""));
}

Session::Current::Current(const Session &session)
    : session(session),
      result(session.cuda.cuCtxPushCurrent_v2(session.context)) {}

Session::Current::~Current() {
  Handle popped;
  if (!result)
    session.cuda.cuCtxPopCurrent_v2(&popped);
}

llvm::Error Session::Current::takeError() {
  return session.check(result, "making the device's context current");
}

//===----------------------------------------------------------------------===//
// Memory, streams, events
//===----------------------------------------------------------------------===//

Buffer &Buffer::operator=(Buffer &&other) {
  std::swap(session, other.session);
  std::swap(begin, other.begin);
  return *this;
}

Buffer::~Buffer() {
  if (begin)
    session->cuda.cuMemFree_v2(begin);
}

llvm::Error Buffer::allocate(const Session &from, uint64_t bytes,
                             llvm::StringRef name) {
  session = &from;
  if (!bytes)
    return llvm::Error::success();
  Address address = 0;
  if (auto e = from.check(
          from.cuda.cuMemAlloc_v2(&address, bytes),
          fmt::format("allocating {} bytes for {}", bytes, name.str())))
    return e;
  begin = address;
  return llvm::Error::success();
}

Stream::~Stream() {
  if (handle)
    session.cuda.cuStreamDestroy_v2(handle);
}

llvm::Error Stream::create() {
  // One that waits for the default stream, in which copies may be under way.
  constexpr unsigned blocking = 0;
  Handle created = nullptr;
  if (auto e = session.check(session.cuda.cuStreamCreate(&created, blocking),
                             "making a stream"))
    return e;
  handle = created;
  return llvm::Error::success();
}

llvm::Error Stream::wait() {
  return session.check(session.cuda.cuStreamSynchronize(handle),
                       "waiting for the kernels");
}

Event::~Event() {
  if (handle)
    session->cuda.cuEventDestroy_v2(handle);
}

llvm::Error Event::create() {
  Handle created = nullptr;
  if (auto e = session->check(session->cuda.cuEventCreate(&created, 0),
                              "making an event"))
    return e;
  handle = created;
  return llvm::Error::success();
}

llvm::Error Event::record(const Stream &stream) {
  return session->check(session->cuda.cuEventRecord(handle, stream.handle),
                        "recording an event");
}

//===----------------------------------------------------------------------===//
// Devices
//===----------------------------------------------------------------------===//

llvm::Expected<Device> Device::open(int ordinal) {
  auto session = Session::open(ordinal);
  if (!session)
    return session.takeError();
  return Device(std::move(*session));
}

const DeviceInfo &Device::info() const { return opened->info; }
