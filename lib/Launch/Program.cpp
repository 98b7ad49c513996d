//===- Program.cpp - Loading and launching ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// From a manifest's kernel to the arguments of cuLaunchKernel.
//
//===----------------------------------------------------------------------===//

#include "Program.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SHA256.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::launch;
using Role = executor::ManifestArray::Role;

//===----------------------------------------------------------------------===//
// Loading
//===----------------------------------------------------------------------===//

/// Why code for `target` ("sm_90a") does not run on the device; "" if it does.
static std::string unmetTarget(const DeviceInfo &info, llvm::StringRef target) {
  llvm::StringRef number = target;
  unsigned wanted = 0;
  const unsigned own = info.major * 10 + info.minor;
  number.consume_front("sm_");
  const bool isSpecific = number.ends_with("a") || number.ends_with("f");
  if (number.drop_back(isSpecific).getAsInteger(10, wanted))
    return fmt::format("'{}' is no target", target.str());
  if (wanted > own || (isSpecific && wanted != own))
    return fmt::format(
        "the PTX is for {}{}, and {} is sm_{}; compile with --target=sm_80, "
        "whose PTX the driver compiles for every later GPU",
        target.str(), isSpecific ? " alone" : " and later", info.name, own);
  return "";
}

static llvm::Error checkHash(const executor::Manifest &manifest,
                             llvm::StringRef ptx) {
  if (manifest.ptxHash.empty() ||
      llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(ptx)),
                  /*LowerCase=*/true) == manifest.ptxHash)
    return llvm::Error::success();
  return failure("the PTX is not the one that the manifest was written with "
                 "(ptx_sha256)");
}

Program::Loaded::~Loaded() {
  Session::Current current(*session);
  llvm::consumeError(current.takeError());
  temporaries.clear();
  if (module)
    session->cuda.cuModuleUnload(module);
}

/// CUjit_option: where messages of the driver's compiler go.
static constexpr int optionErrorLog = 5, optionErrorLogBytes = 6;

llvm::Error Program::Loaded::loadModule(llvm::StringRef ptx) {
  // The driver reads up to a zero.
  std::string text = ptx.str(), log(4096, '\0');
  int options[] = {optionErrorLog, optionErrorLogBytes};
  void *values[] = {log.data(), reinterpret_cast<void *>(log.size())};
  Handle loaded = nullptr;
  Result result = session->cuda.cuModuleLoadDataEx(&loaded, text.c_str(), 2,
                                                   options, values);
  std::string said = llvm::StringRef(log.c_str()).trim().str();
  if (auto e = session->check(result, "loading the PTX"))
    return said.empty()
               ? std::move(e)
               : llvm::createStringError(toString(std::move(e)) + "\n" + said);
  module = loaded;
  return llvm::Error::success();
}

/// CUfunction_attribute.
static constexpr int attributeDynamicShared = 8, attributeNonPortable = 14;

llvm::Error Program::Loaded::findKernels() {
  constexpr uint64_t portableCluster = 8;
  for (const executor::ManifestKernel &kernel : manifest.kernels) {
    const uint64_t bytes = kernel.config.dynamicSharedBytes;
    if (bytes > session->info.sharedBytes)
      return failure(fmt::format(
          "kernel '{}' needs {} bytes of shared memory, and {} has {}",
          kernel.entry, bytes, session->info.name, session->info.sharedBytes));
    Handle found = nullptr;
    if (auto e = session->check(session->cuda.cuModuleGetFunction(
                                    &found, module, kernel.entry.c_str()),
                                "finding kernel '" + kernel.entry + "'"))
      return e;
    kernels.push_back(found);
    if (bytes)
      if (auto e = session->check(
              session->cuda.cuFuncSetAttribute(found, attributeDynamicShared,
                                               int(bytes)),
              fmt::format("asking for {} bytes of shared memory for '{}'",
                          bytes, kernel.entry)))
        return e;
    const auto &cluster = kernel.config.cluster;
    if (uint64_t(cluster[0]) * cluster[1] * cluster[2] > portableCluster)
      if (auto e = session->check(
              session->cuda.cuFuncSetAttribute(found, attributeNonPortable, 1),
              "asking for larger clusters"))
        return e;
  }
  return llvm::Error::success();
}

llvm::Expected<Program> Program::load(const Device &device, llvm::StringRef ptx,
                                      executor::Manifest manifest) {
  if (auto e = checkHash(manifest, ptx))
    return std::move(e);
  const auto &session = device.session();
  if (std::string problem = unmetTarget(session->info, manifest.target);
      !manifest.target.empty() && !problem.empty())
    return failure(problem);
  auto loaded = std::make_unique<Loaded>(session);
  Session::Current current(*session);
  if (auto e = current.takeError())
    return std::move(e);
  loaded->manifest = std::move(manifest);
  loaded->temporaries.resize(loaded->manifest.arrays.size());
  if (auto e = loaded->loadModule(ptx))
    return std::move(e);
  if (auto e = loaded->findKernels())
    return std::move(e);
  return Program(std::move(loaded));
}

Program::Program(std::unique_ptr<Loaded> loaded) : loaded(std::move(loaded)) {}
Program::Program(Program &&) = default;
Program &Program::operator=(Program &&) = default;
Program::~Program() = default;

const executor::Manifest &Program::manifest() const { return loaded->manifest; }

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

/// CUtensorMapDataType of an element type, or -1. What is only moved goes by
/// its width.
static int dataTypeOf(llvm::StringRef element) {
  static const std::pair<const char *, int> types[] = {
      {"u8", 0},     {"i8", 0},  {"i1", 0},   {"f8E4M3FN", 0},
      {"f8E5M2", 0}, {"u16", 1}, {"i16", 1},  {"u32", 2},
      {"i32", 3},    {"u64", 4}, {"i64", 5},  {"f16", 6},
      {"f32", 7},    {"f64", 8}, {"bf16", 9}, {"tf32", 11}};
  for (auto [name, type] : types)
    if (element == name)
      return type;
  return -1;
}

/// The 128 bytes of a tensor map, by the driver.
static llvm::Expected<std::vector<char>>
encode(const Session &session, uint64_t address, const std::string &array,
       const executor::TensorMapInfo &info) {
  const std::string what = "encoding a tensor map of '" + array + "'";
  if (!session.cuda.cuTensorMapEncodeTiled)
    return failure(what + ": the CUDA driver has no cuTensorMapEncodeTiled; a "
                          "driver for CUDA 12.0 or later is needed");
  const int type = dataTypeOf(info.element);
  if (type < 0)
    return failure(what + ": no tensor map has elements of " + info.element);
  const unsigned swizzle = info.swizzle == 128  ? 3
                           : info.swizzle == 64 ? 2
                           : info.swizzle == 32 ? 1
                                                : 0;
  constexpr unsigned promotion128Bytes = 2;
  std::vector<uint32_t> steps = info.elementStrides;
  steps.resize(info.sizes.size(), 1);
  alignas(64) char map[128];
  if (auto e = session.check(
          session.cuda.cuTensorMapEncodeTiled(
              map, type, info.sizes.size(), reinterpret_cast<void *>(address),
              info.sizes.data(), info.strides.data(), info.box.data(),
              steps.data(), /*interleave=*/0, swizzle, promotion128Bytes,
              info.nanFill),
          what))
    return std::move(e);
  return std::vector<char>(map, map + sizeof map);
}

/// What a kernel receives for `argument`.
static llvm::Expected<std::vector<char>>
bytesOf(const Session &session, const executor::ManifestArgument &argument,
        const llvm::StringMap<uint64_t> &addresses) {
  const uint64_t address = addresses.lookup(argument.array);
  if (argument.tensorMap)
    return encode(session, address, argument.array, *argument.tensorMap);
  std::vector<char> bytes = argument.bytes;
  if (!argument.array.empty()) {
    bytes.resize(sizeof address);
    std::memcpy(bytes.data(), &address, sizeof address);
  }
  for (const executor::ManifestField &field : argument.fields) {
    auto part = bytesOf(session, field.value, addresses);
    if (!part)
      return part.takeError();
    if (field.offset > bytes.size() ||
        part->size() > bytes.size() - field.offset)
      return failure(fmt::format("a field of {} bytes at {} leaves the struct "
                                 "of {}",
                                 part->size(), field.offset, bytes.size()));
    llvm::copy(*part, bytes.begin() + field.offset);
  }
  return bytes;
}

//===----------------------------------------------------------------------===//
// Launching
//===----------------------------------------------------------------------===//

/// CU_LAUNCH_ATTRIBUTE_CLUSTER_DIMENSION.
static constexpr uint32_t attributeCluster = 4;

llvm::Error Program::Loaded::launchKernel(
    size_t index, const llvm::StringMap<uint64_t> &addresses, Handle stream) {
  const executor::ManifestKernel &kernel = manifest.kernels[index];
  std::vector<std::vector<char>> arguments;
  std::vector<void *> pointers;
  for (const executor::ManifestArgument &argument : kernel.arguments) {
    auto bytes = bytesOf(*session, argument, addresses);
    if (!bytes)
      return bytes.takeError();
    arguments.push_back(std::move(*bytes));
    pointers.push_back(arguments.back().data());
  }
  executor::LaunchConfig config = kernel.config;
  // Zeros mean one, as in the manifest.
  for (auto *sizes : {&config.grid, &config.block, &config.cluster})
    for (uint32_t &size : *sizes)
      size = std::max(1u, size);
  const auto &[x, y, z] = config.block;
  const auto &cluster = config.cluster;
  const std::string what = "launching kernel '" + kernel.entry + "'";
  if (cluster[0] * cluster[1] * cluster[2] == 1)
    return session->check(
        session->cuda.cuLaunchKernel(
            kernels[index], config.grid[0], config.grid[1], config.grid[2], x,
            y, z, config.dynamicSharedBytes, stream, pointers.data(), nullptr),
        what);
  if (!session->cuda.cuLaunchKernelEx)
    return failure(what + " in clusters: the CUDA driver has no "
                          "cuLaunchKernelEx; a driver for CUDA 12.0 or later "
                          "is needed");
  LaunchAttribute attribute = {};
  attribute.id = attributeCluster;
  llvm::copy(cluster, attribute.extent);
  LaunchConfig launched = {{config.grid[0], config.grid[1], config.grid[2]},
                           {x, y, z},
                           uint32_t(config.dynamicSharedBytes),
                           stream,
                           &attribute,
                           1};
  return session->check(
      session->cuda.cuLaunchKernelEx(&launched, kernels[index], pointers.data(),
                                     nullptr),
      what);
}

llvm::Expected<llvm::StringMap<uint64_t>>
Program::Loaded::place(llvm::ArrayRef<uint64_t> addresses) {
  if (addresses.size() != manifest.arrays.size())
    return failure(fmt::format("{} addresses for the {} arrays of the manifest",
                               addresses.size(), manifest.arrays.size()));
  llvm::StringMap<uint64_t> places;
  for (size_t i = 0; i < addresses.size(); ++i) {
    const executor::ManifestArray &array = manifest.arrays[i];
    uint64_t address = addresses[i];
    if (!address && array.role == Role::Temporary) {
      if (!temporaries[i].address())
        if (auto e = temporaries[i].allocate(*session, array.bytes,
                                             "'" + array.name + "'"))
          return std::move(e);
      address = temporaries[i].address();
    }
    if (!address && array.bytes)
      return failure("array '" + array.name + "' has no address");
    if (address % array.alignment)
      return failure(fmt::format("array '{}' is at address {:#x}, which is no "
                                 "multiple of {}",
                                 array.name, address, array.alignment));
    places[array.name] = address;
  }
  return places;
}

llvm::Error Program::launch(llvm::ArrayRef<uint64_t> addresses, void *stream) {
  Session::Current current(*loaded->session);
  if (auto e = current.takeError())
    return e;
  auto places = loaded->place(addresses);
  if (!places)
    return places.takeError();
  for (size_t k = 0; k < loaded->kernels.size(); ++k)
    if (auto e = loaded->launchKernel(k, *places, stream))
      return e;
  return llvm::Error::success();
}
