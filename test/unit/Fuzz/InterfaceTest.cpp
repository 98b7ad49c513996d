//===- InterfaceTest.cpp - Any call of the C interface ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Damaged texts, and arguments, configurations, machines and memory ranges as
// they come: every call gives a result or a text that says why not. What C says
// of pointers and lengths is kept.
//
//===----------------------------------------------------------------------===//

#include "Mutate.h"

#include "napkin-c/Executor.h"

#include <gtest/gtest.h>

#include <cstdlib>

using namespace napkin::fuzz;

namespace {

/// Small numbers and those at which something ends.
uint64_t number(Engine &engine) {
  static const uint64_t ends[] = {
      0,    1,    2,       3,          31,         32,         33,   64,
      1024, 1025, 1 << 16, 0xffffffff, 1ull << 32, 1ull << 63, ~0ull};
  return engine() % 3 ? engine() % 5 : ends[engine() % std::size(ends)];
}

/// An error is a text, and none is left where a call succeeds.
void check(bool succeeded, char *error) {
  EXPECT_EQ(succeeded, error == nullptr);
  if (error)
    EXPECT_NE(*error, 0);
  napkinExecutorFree(error);
}

struct Memory {
  NapkinExecutorDevice *device = napkinExecutorDeviceCreate();
  std::vector<uint64_t> addresses;

  ~Memory() { napkinExecutorDeviceDestroy(device); }
  uint64_t any(Engine &engine) const {
    if (addresses.empty() || engine() % 8 == 0)
      return number(engine);
    return addresses[engine() % addresses.size()] + engine() % 3;
  }
};

void useMemory(Memory &memory, Engine &engine) {
  char *error;
  napkinExecutorSetLimit(memory.device, 1 << 20);
  for (unsigned n = 0; n < 6; ++n) {
    const uint64_t bytes = number(engine);
    uint64_t at = napkinExecutorAllocate(memory.device, bytes,
                                         n % 2 ? "x" : nullptr, &error);
    check(at != 0, error);
    if (at)
      memory.addresses.push_back(at);
    std::vector<char> buffer(std::min<uint64_t>(bytes, 2048));
    const uint64_t address = memory.any(engine);
    check(napkinExecutorCopyToDevice(memory.device, address, buffer.data(),
                                     buffer.size(), &error),
          error);
    uint64_t missing;
    check(napkinExecutorCopyFromDevice(memory.device, buffer.data(), address,
                                       buffer.size(), &missing, &error),
          error);
    check(napkinExecutorFill(memory.device, memory.any(engine), 7,
                             number(engine), &error),
          error);
    if (engine() % 8 == 0)
      check(napkinExecutorFreeMemory(memory.device, memory.any(engine), &error),
            error);
  }
}

void useMap(Memory &memory, Engine &engine) {
  static const char *elements[] = {"bf16", "f32", "i8", "", "q", nullptr};
  uint64_t sizes[6], strides[6];
  uint32_t box[6], steps[6];
  for (unsigned k = 0; k < 6; ++k) {
    sizes[k] = number(engine);
    strides[k] = 16 * number(engine);
    box[k] = uint32_t(number(engine));
    steps[k] = uint32_t(number(engine));
  }
  NapkinExecutorTensorMap map = {};
  map.element = elements[engine() % std::size(elements)];
  map.rank = unsigned(engine() % 8);
  map.sizes = sizes;
  map.strides = strides;
  map.box = box;
  map.elementStrides = engine() % 2 ? steps : nullptr;
  map.swizzle = uint32_t(32 * (engine() % 6));
  char target[128], *error;
  check(napkinExecutorEncodeTensorMap(memory.any(engine), &map, target, &error),
        error);
}

void readAll(const NapkinExecutorResult *result) {
  for (size_t k = 0; k <= napkinExecutorNumTraps(result); ++k)
    if (const NapkinExecutorTrap *trap = napkinExecutorTrap(result, k))
      EXPECT_NE(*trap->description, 0);
  for (size_t k = 0; k <= napkinExecutorNumRows(result); ++k)
    if (const NapkinExecutorRow *row = napkinExecutorRow(result, k))
      EXPECT_NE(row->text, nullptr);
  uint64_t read, written;
  napkinExecutorDramBytes(result, &read, &written);
  EXPECT_NE(*napkinExecutorCountersJson(result, true), 0);
  EXPECT_NE(*napkinExecutorCountersJson(result, false), 0);
}

void launchAny(Memory &memory, const NapkinExecutorModule *module,
               const NapkinExecutorKernel &kernel, Engine &engine) {
  std::vector<std::vector<char>> bytes;
  std::vector<NapkinExecutorArgument> arguments;
  const size_t count =
      engine() % 8 ? kernel.numParameters : size_t(engine() % 5);
  for (size_t k = 0; k < count; ++k) {
    uint64_t size = k < kernel.numParameters && engine() % 8
                        ? kernel.parameters[k].bytes
                        : engine() % 20;
    std::vector<char> value(std::min<uint64_t>(size, 4096));
    const uint64_t pointer = memory.any(engine);
    if (!value.empty())
      std::memcpy(value.data(), &pointer, std::min<size_t>(8, value.size()));
    bytes.push_back(std::move(value));
  }
  for (std::vector<char> &value : bytes)
    arguments.push_back({value.data(), value.size()});
  NapkinExecutorLaunchConfig config = {};
  for (unsigned d = 0; d < 3; ++d) {
    config.grid[d] = engine() % 16 ? 1 : uint32_t(number(engine));
    config.block[d] = engine() % 4 ? 1 : uint32_t(engine() % 40);
    config.cluster[d] = engine() % 4 ? 1 : uint32_t(engine() % 3);
  }
  config.dynamicSharedBytes = engine() % 4 ? 0 : number(engine);
  NapkinExecutorOptions options = napkinExecutorDefaultOptions();
  options.checks = engine() % 2;
  options.races = engine() % 2;
  options.completion = NapkinExecutorCompletion(engine() % 3);
  options.numerics = NapkinExecutorNumerics(engine() % 4);
  options.seed = engine() % 3;
  options.threads = 1 + engine() % 2;
  options.sampleBlocks = engine() % 3;
  options.countOnly = engine() % 2;
  options.instructionLimit = 300;
  options.registersPerThread = engine() % 4 ? 0 : uint32_t(number(engine));
  options.cacheModel = engine() % 4 == 0;
  NapkinExecutorHardware hardware = {108, 2048, 32, 65536, 167936, 0, 128, 16};
  for (uint32_t *field :
       {&hardware.multiprocessors, &hardware.threads, &hardware.blocks,
        &hardware.registers, &hardware.lineBytes, &hardware.ways})
    if (engine() % 8 == 0)
      *field = uint32_t(number(engine));
  if (engine() % 4 == 0)
    hardware.cacheBytes = number(engine);
  if (engine() % 2)
    options.hardware = &hardware;
  // A grid of many blocks takes long, whatever the limit of a warp.
  if (uint64_t(config.grid[0]) * config.grid[1] * config.grid[2] > 64)
    options.sampleBlocks = 2;
  char *error;
  NapkinExecutorResult *result = napkinExecutorLaunch(
      memory.device, module, engine() % 8 ? kernel.name : nullptr,
      arguments.data(), arguments.size(), &config, &options, &error);
  check(result != nullptr, error);
  if (result)
    readAll(result);
  napkinExecutorResultDestroy(result);
}

TEST(Interface, AnyCall) {
  auto seeds = readFolder(NAPKIN_PTX_CORPUS);
  for (std::string &text :
       readFolder(std::string(NAPKIN_FUZZ_CORPUS) + "/kernel"))
    seeds.push_back(std::move(text));
  ASSERT_FALSE(seeds.empty());
  auto tokens = tokensOf(seeds);
  const char *seed = getenv("NAPKIN_FUZZ_SEED"),
             *count = getenv("NAPKIN_FUZZ_COUNT");
  Engine engine(seed ? strtoull(seed, nullptr, 0) : 9);
  const unsigned all = count ? unsigned(strtoul(count, nullptr, 0)) : 3000;
  for (unsigned n = 0; n < all && !HasFailure(); ++n) {
    std::string text = seeds[engine() % seeds.size()];
    if (engine() % 2)
      text = damage(text, engine, tokens, seeds);
    char *error;
    NapkinExecutorModule *module = napkinExecutorParse(
        text.data(), text.size(), engine() % 2 ? "x.ptx" : nullptr, &error);
    check(module != nullptr, error);
    if (!module)
      continue;
    EXPECT_NE(napkinExecutorTarget(module), nullptr);
    Memory memory;
    useMemory(memory, engine);
    useMap(memory, engine);
    EXPECT_EQ(napkinExecutorKernel(module, napkinExecutorNumKernels(module)),
              nullptr);
    for (size_t k = 0; k < napkinExecutorNumKernels(module); ++k)
      launchAny(memory, module, *napkinExecutorKernel(module, k), engine);
    napkinExecutorModuleDestroy(module);
    EXPECT_FALSE(HasFailure()) << "input " << n << "\n" << text;
  }
}

} // namespace
