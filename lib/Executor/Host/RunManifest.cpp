//===- RunManifest.cpp - Run what a launch manifest describes --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Arrays to the device, launches in order, outputs back. Reading is in
// Manifest.cpp.
//
//===----------------------------------------------------------------------===//

#include "napkin/Executor/Manifest.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

static llvm::Error failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 what.c_str());
}

/// Inputs and outputs are held here as well as on the device, with a byte of
/// shadow each.
static llvm::Error checkMemory(const Manifest &manifest) {
  uint64_t bytes = 0, host = hostMemoryBytes();
  for (const ManifestArray &array : manifest.arrays) {
    uint64_t copies = array.role == ManifestArray::Role::Temporary ? 1 : 3;
    if (array.bytes > (host - bytes) / copies)
      return failure(fmt::format("error: the arrays take more memory than this "
                                 "host has ({} bytes); '{}' has {}",
                                 host, array.name, array.bytes));
    bytes += copies * array.bytes;
  }
  return llvm::Error::success();
}

/// "[3, 17]": the element of `array` that byte `at` is in.
static std::string elementAt(const ManifestArray &array, uint64_t at) {
  at /= manifestElementBytes(array.element);
  std::string text;
  for (auto axis = array.axes.rbegin(); axis != array.axes.rend(); ++axis) {
    text =
        std::to_string(at % axis->second) + (text.empty() ? "" : ", ") + text;
    at /= axis->second;
  }
  return "[" + (array.axes.empty() ? std::to_string(at) : text) + "]";
}

/// Copies an output to the host; bytes that nobody wrote are an error.
static llvm::Expected<std::vector<char>> fetch(const Device &device,
                                               const ManifestArray &array,
                                               uint64_t address,
                                               const Options &options) {
  std::vector<char> content(array.bytes);
  if (content.empty())
    return std::move(content);
  uint64_t missing = 0;
  if (auto e =
          device.copyFromDevice(content.data(), address, array.bytes, &missing))
    return std::move(e);
  if (!missing || options.sampleBlocks || options.countOnly)
    return std::move(content);
  const uint8_t *shadow = device.find(address)->shadow;
  uint64_t first = std::find(shadow, shadow + array.bytes, 0) - shadow;
  return failure(fmt::format(
      "error: {} of {} bytes of output '{}' were never written; the first is "
      "in "
      "element {}\n  (an array that a kernel need not write wholly is 'inout')",
      missing, array.bytes, array.name, elementAt(array, first)));
}

/// Places the arrays and copies the inputs; `addresses` receives where.
static llvm::Error place(Device &device, const Manifest &manifest,
                         const HostArrays &arrays,
                         llvm::StringMap<uint64_t> &addresses) {
  for (const ManifestArray &array : manifest.arrays) {
    // An empty array still has an address of its own.
    auto address =
        device.allocate(std::max<uint64_t>(array.bytes, 1), array.name);
    if (!address)
      return address.takeError();
    addresses[array.name] = *address;
    if (array.role != ManifestArray::Role::Input &&
        array.role != ManifestArray::Role::InOut)
      continue;
    auto found = arrays.find(array.name);
    if (found == arrays.end())
      return failure(
          fmt::format("error: input '{}' was not given", array.name));
    if (found->second.size() != array.bytes)
      return failure(
          fmt::format("error: input '{}' has {} bytes, the manifest says {}",
                      array.name, found->second.size(), array.bytes));
    if (array.bytes)
      if (auto e =
              device.copyToDevice(*address, found->second.data(), array.bytes))
        return e;
  }
  return llvm::Error::success();
}

/// What the kernel receives for `argument`.
static llvm::Expected<std::vector<char>>
bytesOfArgument(const ManifestArgument &argument,
                const llvm::StringMap<uint64_t> &addresses) {
  uint64_t address = addresses.lookup(argument.array);
  if (argument.tensorMap) {
    auto map = encodeTensorMap(address, *argument.tensorMap);
    if (!map)
      return failure(fmt::format("error: the tensor map of '{}': {}",
                                 argument.array, toString(map.takeError())));
    return map;
  }
  std::vector<char> bytes = argument.bytes;
  if (!argument.array.empty()) {
    bytes.resize(sizeof address);
    std::memcpy(bytes.data(), &address, sizeof address);
  }
  for (const ManifestField &field : argument.fields) {
    auto part = bytesOfArgument(field.value, addresses);
    if (!part)
      return part.takeError();
    if (field.offset > bytes.size() ||
        part->size() > bytes.size() - field.offset)
      return failure(fmt::format("error: a field of {} bytes at {} leaves the "
                                 "struct of {}",
                                 part->size(), field.offset, bytes.size()));
    llvm::copy(*part, bytes.begin() + field.offset);
  }
  return std::move(bytes);
}

llvm::Expected<std::vector<LaunchResult>>
napkin::executor::runManifest(const ptx::Module &module,
                              const Manifest &manifest, HostArrays &arrays,
                              const Options &options) {
  if (auto e = checkMemory(manifest))
    return std::move(e);
  Device device;
  llvm::StringMap<uint64_t> addresses;
  if (auto e = place(device, manifest, arrays, addresses))
    return std::move(e);
  std::vector<LaunchResult> results;
  for (const ManifestKernel &kernel : manifest.kernels) {
    Arguments arguments;
    for (const ManifestArgument &argument : kernel.arguments) {
      auto bytes = bytesOfArgument(argument, addresses);
      if (!bytes)
        return bytes.takeError();
      arguments.raw(bytes->data(), bytes->size());
    }
    auto result =
        launch(device, module, kernel.entry, arguments, kernel.config, options);
    if (!result)
      return result.takeError();
    bool trapped = !result->traps.empty();
    results.push_back(std::move(*result));
    if (trapped)
      return std::move(results);
  }
  for (const ManifestArray &array : manifest.arrays) {
    if (array.role != ManifestArray::Role::Output &&
        array.role != ManifestArray::Role::InOut)
      continue;
    auto content = fetch(device, array, addresses[array.name], options);
    if (!content)
      return content.takeError();
    arrays[array.name] = std::move(*content);
  }
  return std::move(results);
}
