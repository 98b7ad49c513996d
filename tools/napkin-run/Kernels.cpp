//===- Kernels.cpp - Which kernel of a file, and how large -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Kernels.h.
//
//===----------------------------------------------------------------------===//

#include "Kernels.h"

#include "llvm/Demangle/Demangle.h"

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::run;

static std::vector<const ptx::Function *> kernelsOf(const ptx::Module &module) {
  std::vector<const ptx::Function *> found;
  for (const ptx::Function &function : module.functions)
    if (function.isEntry && function.isDefined)
      found.push_back(&function);
  return found;
}

/// "name" or, where the name is mangled, "name: signature".
static std::string shown(const ptx::Function &kernel) {
  std::string name = kernel.name.str(), signature = llvm::demangle(name);
  return signature == name ? name : name + ": " + signature;
}

llvm::Expected<const ptx::Function *>
napkin::run::findKernel(const ptx::Module &module, llvm::StringRef name) {
  std::vector<const ptx::Function *> all = kernelsOf(module), fit;
  for (const ptx::Function *kernel : all) {
    if (kernel->name == name)
      return kernel;
    if (kernel->name.contains(name) ||
        llvm::StringRef(llvm::demangle(kernel->name)).contains(name))
      fit.push_back(kernel);
  }
  if (fit.size() == 1)
    return fit[0];
  std::string what =
      all.empty()    ? "there is no kernel in it"
      : name.empty() ? "it has several kernels; choose one with --entry"
      : fit.empty()
          ? fmt::format("no kernel's name has '{}' in it", name.str())
          : fmt::format("'{}' is part of several kernels' names", name.str());
  for (const ptx::Function *kernel : fit.empty() ? all : fit)
    what += "\n  " + shown(*kernel);
  return llvm::createStringError(
      llvm::inconvertibleErrorCode(), "%s",
      fmt::format("{}: error: {}", module.file, what).c_str());
}

static std::string sizes(const std::array<uint32_t, 3> &extent) {
  return fmt::format("{} x {} x {}", extent[0], extent[1], extent[2]);
}

llvm::StringRef napkin::run::dynamicShared(const ptx::Module &module) {
  for (const ptx::Variable &variable : module.variables)
    if (variable.space == ptx::Space::Shared &&
        (variable.isExtern || !variable.elements))
      return variable.name;
  return "";
}

std::string napkin::run::listKernels(const ptx::Module &module) {
  std::string text;
  for (const ptx::Function *kernel : kernelsOf(module)) {
    text += shown(*kernel) + "\n";
    for (const ptx::Variable &parameter : kernel->parameters)
      text +=
          fmt::format("  {} .{}{}, {} bytes\n", parameter.name.str(),
                      typeName(parameter.type).str(),
                      parameter.isPointer ? " pointer" : "", parameter.bytes());
    if (kernel->requiredThreads[0])
      text += "  threads per block: " + sizes(kernel->requiredThreads) + "\n";
    else if (kernel->maxThreads[0])
      text +=
          "  threads per block: at most " + sizes(kernel->maxThreads) + "\n";
    if (kernel->requiredCluster[0])
      text += "  blocks per cluster: " + sizes(kernel->requiredCluster) + "\n";
  }
  if (llvm::StringRef name = dynamicShared(module); !name.empty())
    text += fmt::format("dynamic shared memory: {}\n", name.str());
  return text;
}
