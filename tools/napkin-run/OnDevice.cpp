//===- OnDevice.cpp - napkin-run --device ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See OnDevice.h.
//
//===----------------------------------------------------------------------===//

#include "OnDevice.h"
#include "Arrays.h"
#include "ArraysImplementation.h"

#include "llvm/Support/raw_ostream.h"

using namespace napkin;

llvm::Expected<launch::Device> napkin::run::openDevice(llvm::StringRef text) {
  llvm::StringRef rest = text;
  int ordinal = 0;
  if (!rest.consume_front("cuda") ||
      (!rest.empty() &&
       (!rest.consume_front(":") || rest.getAsInteger(10, ordinal))))
    return failure("--device is cuda or cuda:NUMBER, not '" + text.str() + "'");
  return launch::Device::open(ordinal);
}

/// What stands in the kernel where the manifest has zeros.
static void fillConfig(const ptx::Module &module,
                       executor::ManifestKernel &kernel) {
  for (const ptx::Function &function : module.functions) {
    if (function.name != kernel.entry)
      continue;
    if (!kernel.config.block[0] && function.requiredThreads[0])
      kernel.config.block = function.requiredThreads;
    if (!kernel.config.cluster[0] && function.requiredCluster[0])
      kernel.config.cluster = function.requiredCluster;
  }
}

llvm::Error napkin::run::runOnDevice(const launch::Device &device,
                                     const ptx::Module &module,
                                     executor::Manifest manifest,
                                     executor::HostArrays &arrays,
                                     const launch::TimingOptions &timing) {
  manifest.target = module.target;
  // Who names another PTX has it run.
  manifest.ptxHash.clear();
  for (executor::ManifestKernel &kernel : manifest.kernels)
    fillConfig(module, kernel);
  llvm::outs() << "device     " << launch::describe(device.info()) << "\n";
  auto times = launch::run(device, *module.text, manifest, arrays, timing);
  if (!times)
    return times.takeError();
  if (*times)
    llvm::outs() << launch::describe(**times, manifest);
  return llvm::Error::success();
}
