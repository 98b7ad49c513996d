//===- Launch.cpp - Checks of a launch -------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Configuration limits, then decode and run.
//
//===----------------------------------------------------------------------===//

#include "Machine/Launch.h"
#include "Vector/Backend.h"

#include <fmt/format.h>

using namespace napkin::executor;
namespace ptx = napkin::ptx;

#if defined(__x86_64__) && !defined(NAPKIN_GENERIC_ONLY)
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

/// The kernel to launch, or an error that names those there are.
static llvm::Expected<const ptx::Function *>
findEntry(const ptx::Module &module, llvm::StringRef entry) {
  const ptx::Function *function =
      entry.empty() ? module.onlyEntry() : module.findFunction(entry);
  if (function && function->isEntry && function->isDefined)
    return function;
  std::string known;
  uint32_t line = 1;
  for (const ptx::Function &f : module.functions)
    if (f.isEntry && f.isDefined) {
      known += (known.empty() ? "" : ", ") + f.name.str();
      line = f.position.line;
    }
  return failure(fmt::format("{}:{}: error: {}; it has: {}", module.file, line,
                             entry.empty()
                                 ? "name the kernel"
                                 : fmt::format("no kernel '{}'", entry.str()),
                             known.empty() ? "none" : known));
}

static std::string extent(const std::array<uint32_t, 3> &sizes) {
  return fmt::format("{},{},{}", sizes[0], sizes[1], sizes[2]);
}

/// Sets the sizes that are zero to what the kernel says, else to one.
static LaunchConfig resolved(const LaunchConfig &config,
                             const ptx::Function &kernel) {
  LaunchConfig result = config;
  auto fill = [](std::array<uint32_t, 3> &sizes,
                 const std::array<uint32_t, 3> &required) {
    if (sizes[0] | sizes[1] | sizes[2])
      return;
    for (unsigned d = 0; d < 3; ++d)
      sizes[d] = std::max(1u, required[d]);
  };
  fill(result.block, kernel.requiredThreads);
  fill(result.cluster, kernel.requiredCluster);
  return result;
}

/// What the launch bounds of `kernel` or the hardware forbid; "" if nothing.
static std::string checkSizes(const LaunchConfig &config,
                              const ptx::Function &kernel) {
  uint64_t threads = 1, clusterSize = 1, limit = 1;
  for (unsigned d = 0; d < 3; ++d) {
    if (!config.grid[d] || !config.block[d] || !config.cluster[d])
      return "grid, block and cluster sizes are at least 1";
    if (config.grid[d] % config.cluster[d])
      return fmt::format("the grid {} is not a multiple of the cluster {}",
                         extent(config.grid), extent(config.cluster));
    if (config.block[d] > (d == 2 ? 64 : 1024))
      return fmt::format("a block of {} threads exceeds 1024,1024,64",
                         extent(config.block));
    threads *= config.block[d];
    clusterSize *= config.cluster[d];
    limit *= kernel.maxThreads[d];
    if (limit > 1024)
      limit = 1024;
  }
  if (threads > 1024)
    return fmt::format("a block of {} has {} threads, the limit is 1024",
                       extent(config.block), threads);
  if (clusterSize > 16)
    return fmt::format("a cluster of {} blocks; the limit is 16", clusterSize);
  if ((config.grid[1] | config.grid[2]) > 65535 || config.grid[0] > 0x7fffffffu)
    return "the grid exceeds 2^31 - 1 x 65535 x 65535";
  if (limit && threads > limit)
    return fmt::format("a block of {} has {} threads, more than .maxntid {} "
                       "(__launch_bounds__) lets it have",
                       extent(config.block), threads,
                       extent(kernel.maxThreads));
  if (kernel.requiredThreads[0] && config.block != kernel.requiredThreads)
    return fmt::format("a block of {} threads differs from .reqntid {}",
                       extent(config.block), extent(kernel.requiredThreads));
  if (kernel.requiredCluster[0] && config.cluster != kernel.requiredCluster)
    return fmt::format("a cluster of {} differs from .reqnctapercluster {}",
                       extent(config.cluster), extent(kernel.requiredCluster));
  if (kernel.maxClusterRank && clusterSize > kernel.maxClusterRank)
    return fmt::format("a cluster of {} blocks exceeds .maxclusterrank {}",
                       clusterSize, kernel.maxClusterRank);
  return "";
}

/// What no machine has, so that models of one would take any memory; "" if it
/// is one.
static std::string checkMachine(const Options &options) {
  if (!options.hardware)
    return "";
  const Hardware &h = *options.hardware;
  struct Limit {
    const char *what;
    uint64_t value, most;
  };
  const Limit limits[] = {
      {"multiprocessors", h.multiprocessors, 1024},
      {"blocks of a multiprocessor", h.blocks, 1024},
      {"bytes of shared memory", h.sharedBytes, uint64_t(1) << 30},
      {"bytes of the first cache", h.firstLevelBytes, uint64_t(1) << 20},
      {"bytes of the second cache", h.cacheBytes, uint64_t(1) << 30},
      {"ways of it", h.ways, 1024}};
  for (const Limit &limit : limits)
    if (limit.value > limit.most)
      return fmt::format("{} {}, and at most {} are modelled", limit.value,
                         limit.what, limit.most);
  return "";
}

llvm::Expected<LaunchResult>
napkin::executor::launch(Device &device, const ptx::Module &module,
                         llvm::StringRef entry, const Arguments &arguments,
                         const LaunchConfig &given, const Options &options) {
  auto function = findEntry(module, entry);
  if (!function)
    return function.takeError();
  LaunchConfig config = resolved(given, **function);
  if (std::string bad = checkSizes(config, **function); !bad.empty())
    return failure(fmt::format("{}:{}: error: kernel '{}': {}", module.file,
                               (*function)->position.line,
                               (*function)->name.str(), bad));
  if (std::string bad = checkMachine(options); !bad.empty())
    return failure(fmt::format("error: hardware '{}' has {}",
                               options.hardware->name, bad));
  Program program;
  if (auto e = decode(program, module, **function, arguments, config, options,
                      device))
    return std::move(e);
  Options own = options;
  uint32_t neededBy =
      options.countOnly ? productDependence(module, **function) : 0;
  own.countOnly = options.countOnly && !neededBy;
  Machine machine(program, device, config, own);
  auto result = machine.run();
  if (result)
    result->productsNeededBy = neededBy;
  return result;
}

llvm::Expected<KernelNeeds> napkin::executor::inspect(const ptx::Module &module,
                                                      llvm::StringRef entry) {
  auto function = findEntry(module, entry);
  if (!function)
    return function.takeError();
  Arguments arguments;
  for (const ptx::Variable &parameter : (*function)->parameters)
    arguments.values.emplace_back(parameter.bytes());
  Device scratch;
  Program program;
  if (auto e =
          decode(program, module, **function, arguments,
                 resolved({{1, 1, 1}, {}, {}}, **function), Options(), scratch))
    return std::move(e);
  return KernelNeeds{program.staticShared, program.localBytes};
}
