//===- Session.h - The CUDA driver, loaded ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The functions of the driver, a device's context, and objects that give back
// what they hold.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_LAUNCH_SESSION_H
#define NAPKIN_LIB_LAUNCH_SESSION_H

#include "napkin/Launch/Launch.h"

#include <cstddef>
#include <cstdint>
#include <utility>

namespace napkin::launch {

/// CUresult, CUdeviceptr, and every kind of handle.
using Result = int;
using Address = uint64_t;
using Handle = void *;

/// CUlaunchAttribute with the size of a cluster.
struct LaunchAttribute {
  uint32_t id, padding;
  union {
    char bytes[64];
    uint32_t extent[3];
  };
};

/// CUlaunchConfig.
struct LaunchConfig {
  uint32_t grid[3], block[3], sharedBytes;
  Handle stream;
  LaunchAttribute *attributes;
  uint32_t numAttributes;
};

/// What is used of the driver, by the names of the library.
struct Functions {
#define NAPKIN_FUNCTION(name, parameters) Result(*name) parameters = nullptr;
#define NAPKIN_OPTIONAL(name, parameters) Result(*name) parameters = nullptr;
#include "Functions.def"
#undef NAPKIN_FUNCTION
#undef NAPKIN_OPTIONAL
};

/// An error in the words that every function here uses.
llvm::Error failure(const std::string &what);

/// The driver's functions, and the primary context of one device.
class Session {
public:
  static llvm::Expected<std::shared_ptr<Session>> open(int ordinal);
  ~Session();
  Session(const Session &) = delete;

  /// The driver's functions: cuda.cuMemAlloc_v2(...).
  Functions cuda;
  DeviceInfo info;

  /// An error that names `what` was tried, unless `result` is success.
  llvm::Error check(Result result, const std::string &what) const;

  /// Makes the context current for as long as it lives.
  class Current {
  public:
    explicit Current(const Session &session);
    ~Current();
    Current(const Current &) = delete;
    /// Why it could not be made current.
    llvm::Error takeError();

  private:
    const Session &session;
    Result result;
  };

private:
  Session() = default;
  llvm::Error load();
  llvm::Error openDevice(int ordinal);

  void *library = nullptr;
  std::string path;
  int device = 0;
  Handle context = nullptr;
};

/// Device memory.
class Buffer {
public:
  Buffer() = default;
  Buffer(Buffer &&other) { *this = std::move(other); }
  Buffer &operator=(Buffer &&other);
  ~Buffer();
  /// Takes `bytes` bytes (none: no memory) for what is called `name`.
  llvm::Error allocate(const Session &session, uint64_t bytes,
                       llvm::StringRef name);
  Address address() const { return begin; }

private:
  const Session *session = nullptr;
  Address begin = 0;
};

/// A stream of its own.
class Stream {
public:
  explicit Stream(const Session &session) : session(session) {}
  ~Stream();
  Stream(const Stream &) = delete;
  llvm::Error create();
  /// Waits for all that was asked for; the errors of kernels come here.
  llvm::Error wait();
  Handle handle = nullptr;

private:
  const Session &session;
};

/// An event that has a time.
class Event {
public:
  explicit Event(const Session &session) : session(&session) {}
  Event(Event &&other)
      : handle(std::exchange(other.handle, nullptr)), session(other.session) {}
  ~Event();
  llvm::Error create();
  llvm::Error record(const Stream &stream);
  Handle handle = nullptr;

private:
  const Session *session;
};

} // namespace napkin::launch

#endif // NAPKIN_LIB_LAUNCH_SESSION_H
