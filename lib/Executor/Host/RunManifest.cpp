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
#include "llvm/ADT/STLFunctionalExtras.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

static llvm::Error failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 what.c_str());
}

/// Arrays are held once, and the checks may take twice as much beside them.
static llvm::Error checkMemory(const Manifest &manifest,
                               const Options &options) {
  uint64_t bytes = 0, host = hostMemoryBytes(), times = options.checks ? 3 : 1;
  for (const ManifestArray &array : manifest.arrays) {
    if (array.bytes > (host - bytes) / times)
      return failure(fmt::format("error: the arrays take more memory than this "
                                 "host has ({} bytes); '{}' has {}",
                                 host, array.name, array.bytes));
    bytes += times * array.bytes;
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

/// Bytes of an output that nobody wrote are an error.
static llvm::Error checkWritten(const Device &device,
                                const ManifestArray &array, uint64_t address,
                                const Options &options) {
  if (!array.bytes || options.sampleBlocks || options.countOnly)
    return llvm::Error::success();
  const Device::Unwritten missing = device.unwritten(address, array.bytes);
  if (!missing.count)
    return llvm::Error::success();
  return failure(fmt::format(
      "error: {} of {} bytes of output '{}' were never written; the first is "
      "in "
      "element {}\n  (an array that a kernel need not write wholly is 'inout')",
      missing.count, array.bytes, array.name, elementAt(array, missing.first)));
}

static bool isGiven(const ManifestArray &array) {
  return array.role == ManifestArray::Role::Input ||
         array.role == ManifestArray::Role::InOut;
}

namespace {
/// The arrays while they are on the device: moved there, and back at the end.
class Placement {
public:
  Placement(Device &device, const Manifest &manifest, HostArrays &arrays)
      : device(device), manifest(manifest), arrays(arrays) {}
  ~Placement();

  /// Moves the inputs to the device and makes room for the others.
  llvm::Error place();
  const llvm::StringMap<uint64_t> &addresses() const { return places; }

private:
  llvm::Expected<uint64_t> placeOne(const ManifestArray &array);

  Device &device;
  const Manifest &manifest;
  HostArrays &arrays;
  llvm::StringMap<uint64_t> places;
};
} // namespace

/// Calls \p visit with where each run of neighbouring elements begins among the
/// dense bytes and on the device, and with its length, all in bytes.
static llvm::Error forEachRun(
    const ManifestArray &array,
    llvm::function_ref<llvm::Error(uint64_t, uint64_t, uint64_t)> visit) {
  uint64_t elementBytes = manifestElementBytes(array.element), run = 1;
  // The fastest axes that lie densely move together.
  size_t rank = array.axes.size();
  for (; rank > 0 && array.strides[rank - 1] == int64_t(run); --rank)
    run *= array.axes[rank - 1].second;
  std::vector<int64_t> position(rank, 0);
  uint64_t dense = array.denseBytes(), place = 0;
  for (uint64_t from = 0; from < dense; from += run * elementBytes) {
    if (auto e = visit(from, place * elementBytes, run * elementBytes))
      return e;
    for (size_t axis = rank; axis-- > 0;) {
      place += array.strides[axis];
      if (++position[axis] < array.axes[axis].second)
        break;
      place -= array.strides[axis] * array.axes[axis].second;
      position[axis] = 0;
    }
  }
  return llvm::Error::success();
}

/// Writes the elements of \p array where they lie; what lies between them stays
/// unwritten, so a kernel that reads it is stopped. An error where positions
/// that share an element do not agree on it.
static llvm::Error spread(Device &device, const ManifestArray &array,
                          const std::vector<char> &content, uint64_t address) {
  return forEachRun(
      array, [&](uint64_t from, uint64_t to, uint64_t bytes) -> llvm::Error {
        if (device.unwritten(address + to, bytes).count == bytes)
          return device.copyToDevice(address + to, content.data() + from,
                                     bytes);
        std::vector<char> there(bytes);
        if (auto e = device.copyFromDevice(there.data(), address + to, bytes))
          return e;
        if (std::equal(there.begin(), there.end(), content.begin() + from))
          return llvm::Error::success();
        return failure(fmt::format(
            "error: positions of input '{}' that are one element in memory "
            "have different values; its strides repeat it",
            array.name));
      });
}

llvm::Expected<uint64_t> Placement::placeOne(const ManifestArray &array) {
  if (isGiven(array)) {
    auto found = arrays.find(array.name);
    if (found == arrays.end())
      return failure(
          fmt::format("error: input '{}' was not given", array.name));
    if (found->second.size() != array.denseBytes())
      return failure(
          fmt::format("error: input '{}' has {} bytes, the manifest says {}",
                      array.name, found->second.size(), array.denseBytes()));
    if (array.bytes && !array.strides.empty()) {
      auto address = device.allocate(array.bytes, array.name);
      if (!address)
        return address.takeError();
      if (auto e = spread(device, array, found->second, *address))
        return std::move(e);
      return *address;
    }
    if (array.bytes)
      return device.moveIn(std::move(found->second), true, array.name);
  }
  // An empty array still has an address of its own.
  if (array.role == ManifestArray::Role::Temporary || !array.bytes)
    return device.allocate(std::max<uint64_t>(array.bytes, 1), array.name);
  return device.moveIn(std::vector<char>(array.bytes), false, array.name);
}

llvm::Error Placement::place() {
  for (const ManifestArray &array : manifest.arrays) {
    auto address = placeOne(array);
    if (!address)
      return address.takeError();
    places[array.name] = *address;
  }
  return llvm::Error::success();
}

Placement::~Placement() {
  for (const ManifestArray &array : manifest.arrays) {
    auto found = places.find(array.name);
    // What was spread is still with the host.
    if (found == places.end() || array.role == ManifestArray::Role::Temporary ||
        !array.strides.empty())
      continue;
    std::vector<char> &content = arrays[array.name];
    content.clear();
    if (array.bytes)
      content = cantFail(device.moveOut(found->second));
  }
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
  if (auto e = checkMemory(manifest, options))
    return std::move(e);
  Device device;
  Placement placement(device, manifest, arrays);
  if (auto e = placement.place())
    return std::move(e);
  const llvm::StringMap<uint64_t> &addresses = placement.addresses();
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
  for (const ManifestArray &array : manifest.arrays)
    if (array.role == ManifestArray::Role::Output)
      if (auto e = checkWritten(device, array, addresses.lookup(array.name),
                                options))
        return std::move(e);
  return std::move(results);
}
