//===- Launch.h - Run a manifest on a GPU ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The CUDA driver (libcuda.so.1) is looked for at run time: neither building
// nor linking needs a toolkit, and a machine without a GPU gets an error in
// words.
//
//   auto device = launch::Device::open();
//   auto program = launch::Program::load(*device, ptx, manifest);
//   program->launch({q, k, v, out}, stream);    // addresses of the caller
//
// or, with arrays on the host, launch::run(*device, ptx, manifest, arrays).
//
// Errors are sentences that begin with "error: ". Whatever fails, all that was
// taken of the driver is given back.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LAUNCH_LAUNCH_H
#define NAPKIN_LAUNCH_LAUNCH_H

#include "napkin/Executor/Manifest.h"

#include <memory>

namespace napkin::launch {

/// What the driver says of a device.
struct DeviceInfo {
  std::string name;
  /// 9, 0 for sm_90a.
  int major = 0, minor = 0;
  int multiprocessors = 0;
  /// The highest clock of multiprocessors, in MHz.
  double clockMHz = 0;
  uint64_t memoryBytes = 0, cacheBytes = 0;
  /// Dynamic shared memory that a block may have.
  uint64_t sharedBytes = 0;
  /// 13000 for CUDA 13.0.
  int driverVersion = 0;
  /// The driver is Napkin's executor: what it takes is time of a CPU.
  bool isExecutor = false;
};

class Session;

/// A device, in its primary context, which PyTorch and the CUDA runtime use
/// too. Copies name the same device. Calls from several threads take turns in
/// the driver.
class Device {
public:
  /// Device `ordinal` of the machine. Errors: there is no driver or no device;
  /// the driver lacks a function.
  static llvm::Expected<Device> open(int ordinal = 0);
  const DeviceInfo &info() const;
  const std::shared_ptr<Session> &session() const { return opened; }

private:
  explicit Device(std::shared_ptr<Session> opened)
      : opened(std::move(opened)) {}
  std::shared_ptr<Session> opened;
};

/// The kernels of a manifest, loaded.
class Program {
public:
  /// Compiles `ptx` by the driver and finds every kernel of `manifest`. Errors:
  /// the device is older than the PTX, or lacks shared memory; the driver's own
  /// messages.
  static llvm::Expected<Program> load(const Device &device, llvm::StringRef ptx,
                                      executor::Manifest manifest);
  Program(Program &&);
  Program &operator=(Program &&);
  ~Program();

  const executor::Manifest &manifest() const;
  /// Asks for all kernels, in order, on the CUstream `stream` (null: the
  /// default one), and does not wait for them. `addresses` are those of the
  /// manifest's arrays, in its order; 0 stands for a temporary that the program
  /// keeps itself. So a program with temporaries runs on one stream at a time.
  llvm::Error launch(llvm::ArrayRef<uint64_t> addresses,
                     void *stream = nullptr);

private:
  friend class Timer;
  struct Loaded;
  explicit Program(std::unique_ptr<Loaded> loaded);
  std::unique_ptr<Loaded> loaded;
};

/// How to take times.
struct TimingOptions {
  /// Runs that count; 0: none are made.
  unsigned runs = 20;
  unsigned warmups = 5;
  /// Before each run all of the L2 cache is written with something else;
  /// otherwise it holds what the run before left.
  bool flushesCache = true;
};

/// Seconds by the events of the device.
struct Times {
  double median = 0, least = 0, most = 0;
  /// The median of each kernel alone; their sum is more than that of all, which
  /// overlap at their ends.
  std::vector<double> kernels;
};

/// Moves the inputs of `manifest` to `device`, runs all kernels and moves the
/// results back to `arrays`, then takes times. Outputs are filled with bytes of
/// ones before (NaN in floats), so that what no kernel writes is seen. No
/// times: options.runs is 0.
llvm::Expected<std::optional<Times>> run(const Device &device,
                                         llvm::StringRef ptx,
                                         const executor::Manifest &manifest,
                                         executor::HostArrays &arrays,
                                         const TimingOptions &options = {});

/// "NVIDIA H100 80GB HBM3, sm_90, 132 multiprocessors at up to 1980 MHz, driver
/// for CUDA 13.0".
std::string describe(const DeviceInfo &info);

/// Lines with the time, what it comes to in TFLOP/s and GB/s, and what was
/// predicted; kernel by kernel where there are several.
std::string describe(const Times &times, const executor::Manifest &manifest);

} // namespace napkin::launch

#endif // NAPKIN_LAUNCH_LAUNCH_H
