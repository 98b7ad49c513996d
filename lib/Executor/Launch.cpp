//===- Launch.cpp - Checks of a launch -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Configuration limits, then decode and run.
//
//===----------------------------------------------------------------------===//

#include "Launch.h"
#include "Vector/Backend.h"

#include <fmt/format.h>

using namespace napkin::executor;

#if defined(__x86_64__)
namespace napkin::executor::generic {
extern const Backend table;
}
namespace napkin::executor::avx2 {
extern const Backend table;
}
namespace napkin::executor::avx512 {
extern const Backend table;
}
const Backend &napkin::executor::backend() {
  static const Backend &chosen = [&]() -> const Backend & {
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f") &&
        __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512dq"))
      return avx512::table;
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
      return avx2::table;
    return generic::table;
  }();
  return chosen;
}
#else
namespace napkin::executor::generic {
extern const Backend table;
}
const Backend &napkin::executor::backend() { return generic::table; }
#endif

static llvm::Error failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 what.c_str());
}

llvm::Expected<LaunchResult>
napkin::executor::launch(Device &device, const ptx::Module &module,
                         llvm::StringRef entry, const Arguments &arguments,
                         const LaunchConfig &config, const Options &options) {
  const ptx::Function *function =
      entry.empty() ? module.onlyEntry() : module.findFunction(entry);
  if (!function || !function->isEntry || !function->isDefined) {
    std::string known;
    for (const ptx::Function &f : module.functions)
      if (f.isEntry && f.isDefined)
        known += (known.empty() ? "" : ", ") + f.name.str();
    return failure(fmt::format("{}: error: {}; it has: {}", module.file,
                               entry.empty()
                                   ? "name the kernel"
                                   : fmt::format("no kernel '{}'", entry.str()),
                               known.empty() ? "none" : known));
  }
  auto bad = [&](const std::string &what) {
    return failure(fmt::format("{}:{}: error: kernel '{}': {}", module.file,
                               function->position.line, function->name.str(),
                               what));
  };
  uint64_t threads = 1, clusterSize = 1;
  for (unsigned d = 0; d < 3; ++d) {
    if (!config.grid[d] || !config.block[d] || !config.cluster[d])
      return bad("grid, block and cluster sizes are at least 1");
    if (config.grid[d] % config.cluster[d])
      return bad(fmt::format("the grid {} is not a multiple of the cluster {}",
                             config.grid[d], config.cluster[d]));
    if (config.block[d] > 1024)
      return bad("a block has more than 1024 threads");
    threads *= config.block[d];
    clusterSize *= config.cluster[d];
  }
  if (threads > 1024)
    return bad(
        fmt::format("a block has {} threads, the limit is 1024", threads));
  if (clusterSize > 16)
    return bad("a cluster has more than 16 blocks");
  if ((config.grid[1] | config.grid[2]) > 65535 || config.grid[0] > 0x7fffffffu)
    return bad("the grid exceeds 2^31 - 1 x 65535 x 65535");
  uint64_t limit = 1, required = 1, requiredCluster = 1;
  for (unsigned d = 0; d < 3; ++d) {
    limit *= function->maxThreads[d];
    required *= function->requiredThreads[d];
    requiredCluster *= function->requiredCluster[d];
  }
  if (limit && threads > limit)
    return bad(fmt::format("{} threads exceed .maxntid {}", threads, limit));
  if (required && threads != required)
    return bad(
        fmt::format("{} threads differ from .reqntid {}", threads, required));
  if (requiredCluster && clusterSize != requiredCluster)
    return bad(fmt::format("a cluster of {} differs from .reqnctapercluster {}",
                           clusterSize, requiredCluster));
  Program program;
  if (auto e = decode(program, module, *function, arguments, config, options,
                      device))
    return std::move(e);
  Machine machine(program, device, config, options);
  return machine.run();
}
