//===- Targets.cpp - Inputs that nobody vouches for ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Targets.h.
//
//===----------------------------------------------------------------------===//

#include "Targets.h"

#include "Arrays.h"

#include "napkin/Executor/Manifest.h"
#include "napkin/PTX/Parser.h"
#include "napkin/Reference/Npy.h"

#include "llvm/ADT/StringExtras.h"

#include <cstring>

using namespace napkin;
using llvm::StringRef;

/// Bytes of all device memory together; what wants more gets an error.
static constexpr uint64_t deviceBytes = 16 << 20;
static constexpr uint64_t bufferBytes = 64 << 10;

/// FNV-1a: the same on every platform.
static uint64_t hashOf(StringRef text) {
  uint64_t hash = 0xcbf29ce484222325ull;
  for (char c : text)
    hash = (hash ^ uint8_t(c)) * 0x100000001b3ull;
  return hash ^ hash >> 29;
}

/// "" if the message has the form "file:[line:[column:]] error: ...".
static std::string checkLocated(llvm::Error error, StringRef file,
                                bool needsLine) {
  std::string text = toString(std::move(error));
  StringRef rest = text;
  bool isLocated = rest.consume_front(file) && rest.consume_front(":");
  StringRef number = rest.take_while(llvm::isDigit);
  if (needsLine && number.empty())
    isLocated = false;
  if (!isLocated || !rest.contains("error: "))
    return "the error is not located: " + text;
  return "";
}

namespace {
/// Memory for a kernel's parameters, made once per kernel.
class Preparation {
public:
  explicit Preparation(uint64_t hash) : hash(hash) {
    zeros.resize(bufferBytes);
    device.setLimit(deviceBytes);
  }

  void add(const ptx::Variable &parameter) {
    uint64_t bytes = parameter.bytes();
    std::vector<char> value(std::min<uint64_t>(bytes, 1 << 16));
    if (bytes == 8) {
      uint64_t address = buffer();
      std::memcpy(value.data(), &address, 8);
    } else if (bytes == 128 && parameter.alignment >= 64) {
      executor::TensorMapInfo info;
      info.sizes = {64, 32};
      info.strides = {128};
      info.box = {64, 8};
      info.swizzle = 128;
      value = cantFail(executor::encodeTensorMap(buffer(), info));
    } else if (bytes == 4 || bytes == 2) {
      uint32_t number = hash % 3 ? 64 : 1;
      std::memcpy(value.data(), &number, bytes);
    }
    arguments.raw(value.data(), value.size());
  }

  executor::Device device;
  executor::Arguments arguments;

private:
  /// A buffer of zeros; after 16 of them the first again.
  uint64_t buffer() {
    if (buffers.size() < 16) {
      buffers.push_back(cantFail(device.allocate(bufferBytes, "buffer")));
      cantFail(device.copyToDevice(buffers.back(), zeros.data(), bufferBytes));
      return buffers.back();
    }
    return buffers[0];
  }
  uint64_t hash;
  std::vector<char> zeros;
  std::vector<uint64_t> buffers;
};
} // namespace

static executor::Options optionsFor(uint64_t hash) {
  executor::Options options;
  options.instructionLimit = 3000;
  options.threads = 1;
  options.seed = hash % 4;
  options.checks = hash >> 8 & 7;
  options.races = hash >> 12 & 7;
  options.completion = executor::Completion((hash >> 16) % 3);
  if ((hash >> 20 & 3) == 0)
    options.numerics = executor::Numerics::Faithful;
  options.tensorCore = executor::TensorCore((hash >> 24) % 3);
  options.countOnly = (hash >> 28 & 15) == 0;
  return options;
}

std::string napkin::fuzz::tryKernel(StringRef text) {
  auto module = ptx::parse(text, "fuzz.ptx");
  if (!module)
    return checkLocated(module.takeError(), "fuzz.ptx", true);
  uint64_t hash = hashOf(text);
  unsigned entries = 0;
  for (const ptx::Function &entry : (*module)->functions) {
    if (!entry.isEntry || !entry.isDefined || ++entries > 4)
      continue;
    Preparation preparation(hash);
    for (const ptx::Variable &parameter : entry.parameters)
      preparation.add(parameter);
    executor::LaunchConfig config;
    static const uint32_t sizes[] = {128, 32, 96, 256, 128, 64, 1, 384};
    config.block[0] = sizes[(hash >> 32) % 8];
    for (auto fixed : {entry.requiredThreads, entry.maxThreads})
      if (fixed[0] && fixed[0] <= 1024 && fixed[1] <= 2 && fixed[2] <= 2)
        config.block = fixed;
    config.grid[0] = hash >> 36 & 1 ? 2 : 1;
    if (hash >> 37 & 1)
      config.cluster[0] = config.grid[0];
    config.dynamicSharedBytes = hash >> 40 & 3 ? 64 << 10 : 0;
    auto result =
        executor::launch(preparation.device, **module, entry.name,
                         preparation.arguments, config, optionsFor(hash));
    if (!result) {
      std::string bad = checkLocated(result.takeError(), "fuzz.ptx", true);
      if (!bad.empty())
        return bad;
      continue;
    }
    for (const executor::Trap &trap : result->traps)
      if (!trap.line || executor::describe(trap, "fuzz.ptx").empty())
        return "a trap without a line: " + trap.message;
    (void)result->counters.json(true);
    (void)result->counters.table();
  }
  return "";
}

/// A kernel that reads its first parameter where it has one.
static const ptx::Module &smallModule() {
  static const std::unique_ptr<ptx::Module> module = cantFail(ptx::parse(
      ".version 8.0\n.target sm_90a\n.address_size 64\n"
      ".visible .entry k(.param .u64 p, .param .u32 n)\n{\n"
      ".reg .b64 %rd<2>; .reg .b32 %r<2>;\n"
      "ld.param.u64 %rd0, [p]; ld.global.b32 %r0, [%rd0]; ret;\n}\n"
      ".visible .entry m(.param .align 64 .b8 map[128])\n{\nret;\n}\n"
      ".visible .entry none()\n{\nret;\n}\n",
      "small.ptx"));
  return *module;
}

/// Runs `manifest` on zeros when its arrays and grids are small.
static std::string runSmall(const executor::Manifest &manifest) {
  executor::HostArrays arrays;
  uint64_t bytes = 0, blocks = 0;
  for (const executor::ManifestArray &array : manifest.arrays) {
    bytes += array.bytes;
    if (array.bytes <= 1 << 20 && bytes <= deviceBytes)
      arrays[array.name].resize(array.bytes);
  }
  for (const executor::ManifestKernel &kernel : manifest.kernels)
    blocks += uint64_t(kernel.config.grid[0]) * kernel.config.grid[1] *
              kernel.config.grid[2];
  if (bytes > deviceBytes || blocks > 1000 || manifest.kernels.size() > 8)
    return "";
  auto result =
      executor::runManifest(smallModule(), manifest, arrays, optionsFor(~0u));
  if (result)
    return "";
  std::string text = toString(result.takeError());
  return StringRef(text).contains("error: ")
             ? ""
             : "the error has no 'error:': " + text;
}

std::string napkin::fuzz::tryManifest(StringRef text) {
  auto manifest = executor::parseManifest(text, "fuzz.json");
  if (!manifest)
    return checkLocated(manifest.takeError(), "fuzz.json", false);
  return runSmall(*manifest);
}

std::string napkin::fuzz::tryNpy(StringRef content) {
  using reference::Element;
  auto array = reference::parseNpy(content, "fuzz.npy");
  if (!array) {
    std::string message = toString(array.takeError());
    return StringRef(message).starts_with("fuzz.npy: ")
               ? ""
               : "the error does not name the file: " + message;
  }
  std::vector<reference::Axis> axes;
  for (int64_t size : array->shape)
    axes.push_back({"a", size});
  for (Element element :
       {Element::F64, Element::F32, Element::TF32, Element::BF16, Element::F16,
        Element::F8E4M3FN, Element::F8E5M2, Element::I8, Element::I32,
        Element::I64, Element::I1}) {
    auto tensor = reference::tensorFromNpy(*array, axes, element, "fuzz");
    if (!tensor) {
      llvm::consumeError(tensor.takeError());
      continue;
    }
    auto back = reference::npyFromTensor(*tensor);
    if (back.shape != array->shape)
      return "the shape changed";
  }
  return "";
}

std::string napkin::fuzz::tryArguments(StringRef text) {
  executor::Manifest manifest;
  manifest.kernels.emplace_back();
  llvm::SmallVector<StringRef, 8> lines;
  text.split(lines, '\n', -1, false);
  for (StringRef line : lines) {
    auto error = line.consume_front("=") ? run::addArray(manifest, line)
                                         : run::addArgument(manifest, line);
    if (!error)
      continue;
    std::string message = toString(std::move(error));
    if (!StringRef(message).starts_with("error: "))
      return "the error has no 'error:': " + message;
    return "";
  }
  return runSmall(manifest);
}
