//===- Print.cpp - Devices and times as text -------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Launch.h.
//
//===----------------------------------------------------------------------===//

#include "napkin/Launch/Launch.h"

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::launch;

std::string napkin::launch::describe(const DeviceInfo &info) {
  return fmt::format("{}, sm_{}{}, {} multiprocessors at up to {:.0f} MHz, "
                     "driver for CUDA {}.{}",
                     info.name, info.major, info.minor, info.multiprocessors,
                     info.clockMHz, info.driverVersion / 1000,
                     info.driverVersion % 1000 / 10);
}

/// The bytes that the cost model says are moved; 0: it says nothing.
static uint64_t bytesOf(const executor::ManifestKernel &kernel) {
  return kernel.predictedReadBytes.value_or(0) +
         kernel.predictedWriteBytes.value_or(0);
}

static std::string microseconds(double seconds) {
  return fmt::format("{:.2f} us", seconds * 1e6);
}

static std::string bandwidth(uint64_t bytes, double seconds) {
  return bytes ? fmt::format(", {:.1f} GB/s", bytes / seconds / 1e9) : "";
}

std::string napkin::launch::describe(const Times &times,
                                     const executor::Manifest &manifest) {
  uint64_t bytes = 0;
  for (const executor::ManifestKernel &kernel : manifest.kernels)
    bytes += bytesOf(kernel);
  const auto &estimate = manifest.estimate;
  std::string text = fmt::format(
      "time       {} (median; {} to {})", microseconds(times.median),
      microseconds(times.least), microseconds(times.most));
  if (estimate && estimate->multiplyAdds)
    text += fmt::format(", {:.2f} TFLOP/s",
                        2.0 * estimate->multiplyAdds / times.median / 1e12);
  text += bandwidth(bytes, times.median) + "\n";
  if (estimate) {
    const double predicted = estimate->microseconds * 1e-6,
                 roofline = estimate->rooflineMicroseconds * 1e-6;
    text += fmt::format("predicted  {} on {}\n", microseconds(predicted),
                        estimate->hardware);
    text += fmt::format("roofline   {} on {}: {:.0f} % of it are reached\n",
                        microseconds(roofline), estimate->hardware,
                        100 * roofline / times.median);
  }
  if (times.kernels.size() > 1)
    for (size_t k = 0; k < times.kernels.size(); ++k) {
      const executor::ManifestKernel &kernel = manifest.kernels[k];
      text += fmt::format("  {}: {}{}", kernel.entry,
                          microseconds(times.kernels[k]),
                          bandwidth(bytesOf(kernel), times.kernels[k]));
      if (kernel.predictedMicroseconds)
        text += fmt::format("; predicted {}",
                            microseconds(*kernel.predictedMicroseconds * 1e-6));
      text += "\n";
    }
  return text;
}
