//===- Program.cpp - napkin-run --program ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Everything goes by the environment, which the program's own children get too.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <cstdlib>
#include <cstring>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

using namespace napkin;

std::string napkin::run::driverFolder(const std::string &tool) {
  static int here;
  std::string own = llvm::sys::fs::getMainExecutable(tool.c_str(), &here);
  llvm::SmallString<256> folder(llvm::sys::path::parent_path(own));
  llvm::sys::path::append(folder, "..", "lib", "napkin-driver");
  llvm::sys::path::remove_dots(folder, /*remove_dot_dot=*/true);
  return llvm::sys::fs::exists(folder + "/libcuda.so.1") ? folder.str().str()
                                                         : "";
}

/// Puts `value` before what the variable `name` has.
static void prepend(const char *name, const std::string &value,
                    char separator) {
  const char *old = std::getenv(name);
  std::string all = value;
  if (old && *old)
    all += (all.empty() ? "" : std::string(1, separator)) + old;
  setenv(name, all.c_str(), /*overwrite=*/1);
}

llvm::Error napkin::run::startProgram(const std::string &folder,
                                      const std::string &settings,
                                      llvm::ArrayRef<char *> command) {
  prepend("LD_LIBRARY_PATH", folder, ':');
  prepend("NAPKIN_DRIVER", settings, ',');
  // Before the program's own constructors, which register its kernels.
  const std::string runtime = folder + "/libcudart.so.13";
  if (llvm::sys::fs::exists(runtime))
    prepend("LD_PRELOAD", runtime, ':');
  // Triton asks ldconfig where the driver is, and has its PTX assembled: here
  // the text is what the driver wants.
  setenv("TRITON_LIBCUDA_PATH", folder.c_str(), 1);
  const std::string assembler = folder + "/ptxas";
  if (llvm::sys::fs::exists(assembler)) {
    setenv("TRITON_PTXAS_PATH", assembler.c_str(), 1);
    setenv("TRITON_PTXAS_BLACKWELL_PATH", assembler.c_str(), 1);
  }
  // What Triton keeps of real GPUs stays apart.
  if (!std::getenv("TRITON_CACHE_DIR")) {
    llvm::SmallString<128> cache;
    if (llvm::sys::path::cache_directory(cache)) {
      llvm::sys::path::append(cache, "napkin", "triton");
      setenv("TRITON_CACHE_DIR", cache.c_str(), 1);
    }
  }
  std::vector<char *> arguments(command.begin(), command.end());
  arguments.push_back(nullptr);
  execvp(arguments[0], arguments.data());
  return llvm::createStringError(fmt::format(
      "error: cannot start '{}': {}", arguments[0], std::strerror(errno)));
}
