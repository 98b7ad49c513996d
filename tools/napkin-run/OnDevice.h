//===- OnDevice.h - napkin-run --device ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The launches of a manifest on a GPU, in place of the executor.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TOOLS_NAPKIN_RUN_ONDEVICE_H
#define NAPKIN_TOOLS_NAPKIN_RUN_ONDEVICE_H

#include "napkin/Launch/Launch.h"
#include "napkin/PTX/Module.h"

namespace napkin::run {

/// The device that `text` ("cuda" or "cuda:1") names. Errors begin with "error:
/// ".
llvm::Expected<launch::Device> openDevice(llvm::StringRef text);

/// Runs `manifest`, whose kernels are in `module`, on `device` and moves
/// results back to `arrays`. Sizes of blocks and clusters that the manifest
/// leaves to the kernel are read from it. Prints the device and, if `timing`
/// asks for runs, times.
llvm::Error runOnDevice(const launch::Device &device, const ptx::Module &module,
                        executor::Manifest manifest,
                        executor::HostArrays &arrays,
                        const launch::TimingOptions &timing);

} // namespace napkin::run

#endif // NAPKIN_TOOLS_NAPKIN_RUN_ONDEVICE_H
