//===- Arrays.cpp - Arrays named on napkin-run's command line --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Arrays.h.
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"

#include "napkin/Reference/Npy.h"

#include "llvm/ADT/StringExtras.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::run;

static llvm::Error failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 what.c_str());
}

static std::vector<reference::Axis>
axesOf(const executor::ManifestArray &array) {
  std::vector<reference::Axis> axes;
  for (const auto &[name, size] : array.axes)
    axes.push_back({name, size});
  return axes;
}

llvm::Error napkin::run::loadInputs(const executor::Manifest &manifest,
                                    const llvm::StringMap<std::string> &files,
                                    reference::Distribution distribution,
                                    uint64_t seed,
                                    executor::HostArrays &arrays) {
  for (const auto &file : files) {
    bool known = false;
    for (const executor::ManifestArray &array : manifest.arrays)
      known |= array.name == file.first() &&
               array.role == executor::ManifestArray::Role::Input;
    if (!known)
      return failure(fmt::format("error: --in {}: the kernel has no such input",
                                 file.first().str()));
  }
  for (size_t i = 0; i < manifest.arrays.size(); ++i) {
    const executor::ManifestArray &array = manifest.arrays[i];
    if (array.role != executor::ManifestArray::Role::Input)
      continue;
    auto element = reference::parseElement(array.element);
    if (!element)
      return failure(
          fmt::format("error: unknown element type '{}'", array.element));
    auto file = files.find(array.name);
    if (file == files.end()) {
      arrays[array.name] = reference::randomTensor(axesOf(array), *element,
                                                   distribution, seed + i)
                               .toBytes();
      continue;
    }
    auto npy = reference::readNpy(file->second);
    if (!npy)
      return npy.takeError();
    auto tensor =
        reference::tensorFromNpy(*npy, axesOf(array), *element, array.name);
    if (!tensor)
      return tensor.takeError();
    arrays[array.name] = tensor->toBytes();
  }
  return llvm::Error::success();
}

llvm::Error napkin::run::saveOutput(const executor::ManifestArray &array,
                                    const std::vector<char> &bytes,
                                    llvm::StringRef path) {
  reference::NpyArray npy;
  auto element = reference::parseElement(array.element);
  if (!element)
    return failure(
        fmt::format("error: unknown element type '{}'", array.element));
  npy.dtype = reference::npyType(*element).str();
  for (const auto &[name, size] : array.axes)
    npy.shape.push_back(size);
  npy.data = bytes;
  return reference::writeNpy(path, npy);
}

/// "bf16[4,512]" into element and axes.
static llvm::Error parseShape(llvm::StringRef text,
                              executor::ManifestArray &array) {
  auto [element, rest] = text.split('[');
  array.element = element.str();
  auto known = reference::parseElement(element);
  if (!known || !rest.consume_back("]"))
    return failure(
        fmt::format("error: '{}' is not element[size,size]", text.str()));
  uint64_t bytes = reference::elementBytes(*known);
  llvm::SmallVector<llvm::StringRef, 6> sizes;
  rest.split(sizes, ',', -1, false);
  for (llvm::StringRef size : sizes) {
    uint64_t value;
    if (size.trim().getAsInteger(10, value) ||
        value > (uint64_t(1) << 40) / bytes)
      return failure(
          fmt::format("error: bad size '{}' in '{}'", size.str(), text.str()));
    bytes *= value ? value : 1;
    array.axes.push_back(
        {fmt::format("a{}", array.axes.size()), int64_t(value)});
  }
  array.bytes = reference::elementBytes(*known);
  for (auto &[name, size] : array.axes)
    array.bytes *= size;
  return llvm::Error::success();
}

static llvm::Error parseMap(executor::Manifest &manifest,
                            llvm::StringRef text) {
  auto [name, rest] = text.split(':');
  const executor::ManifestArray *array = nullptr;
  for (const executor::ManifestArray &a : manifest.arrays)
    if (a.name == name)
      array = &a;
  if (!array)
    return failure(fmt::format("error: map of unknown array '{}'", name.str()));
  executor::TensorMapInfo info;
  info.element = array->element;
  uint64_t stride =
      reference::elementBytes(*reference::parseElement(array->element));
  for (auto it = array->axes.rbegin(); it != array->axes.rend(); ++it) {
    if (it != array->axes.rbegin())
      info.strides.push_back(stride);
    info.sizes.push_back(it->second);
    stride *= it->second;
  }
  llvm::SmallVector<llvm::StringRef, 4> options;
  rest.split(options, ',', -1, false);
  for (llvm::StringRef option : options) {
    auto [key, value] = option.split('=');
    llvm::SmallVector<llvm::StringRef, 5> parts;
    value.split(parts, 'x');
    for (llvm::StringRef part : parts) {
      uint32_t number;
      if (part.getAsInteger(10, number))
        return failure(fmt::format("error: bad number in '{}'", option.str()));
      if (key == "box")
        info.box.push_back(number);
      else if (key == "step")
        info.elementStrides.push_back(number);
      else if (key == "swizzle")
        info.swizzle = number;
      else
        return failure(
            fmt::format("error: unknown map option '{}'", key.str()));
    }
  }
  executor::ManifestArgument argument;
  argument.array = name.str();
  argument.tensorMap = info;
  manifest.kernels[0].arguments.push_back(argument);
  return llvm::Error::success();
}

llvm::Error napkin::run::addArray(executor::Manifest &manifest,
                                  llvm::StringRef text) {
  size_t before = manifest.kernels[0].arguments.size();
  if (!text.starts_with("in:") && !text.starts_with("out:") &&
      !text.starts_with("tmp:"))
    return failure(fmt::format("error: --array {}: expected in:, out: or tmp:",
                               text.str()));
  if (auto e = addArgument(manifest, text))
    return e;
  manifest.kernels[0].arguments.resize(before);
  return llvm::Error::success();
}

llvm::Error napkin::run::addArgument(executor::Manifest &manifest,
                                     llvm::StringRef text) {
  executor::ManifestArgument argument;
  auto [kind, rest] = text.split(':');
  auto push = [&](const void *data, size_t size) {
    const char *begin = static_cast<const char *>(data);
    argument.scalar.assign(begin, begin + size);
    manifest.kernels[0].arguments.push_back(argument);
    return llvm::Error::success();
  };
  if (kind == "null") {
    uint64_t zero = 0;
    return push(&zero, 8);
  }
  if (kind == "map")
    return parseMap(manifest, rest);
  if (kind == "in" || kind == "out" || kind == "tmp") {
    auto [name, shape] = rest.split(':');
    using Role = executor::ManifestArray::Role;
    bool known = false;
    for (const executor::ManifestArray &a : manifest.arrays)
      known |= a.name == name;
    if (!known) {
      executor::ManifestArray array;
      array.name = name.str();
      array.role = kind == "in"    ? Role::Input
                   : kind == "out" ? Role::Output
                                   : Role::Temporary;
      if (auto e = parseShape(shape, array))
        return e;
      manifest.arrays.push_back(array);
    }
    argument.array = name.str();
    manifest.kernels[0].arguments.push_back(argument);
    return llvm::Error::success();
  }
  auto element = reference::parseElement(kind);
  if (!element)
    return failure(fmt::format(
        "error: --arg {}: expected i32:N, f32:X, null, in:NAME:SHAPE, "
        "out:NAME:SHAPE, tmp:NAME:SHAPE or map:NAME:...",
        text.str()));
  uint64_t bits = 0;
  if (reference::isFloat(*element)) {
    double value;
    if (rest.getAsDouble(value))
      return failure(fmt::format("error: --arg {}: not a number", text.str()));
    bits = reference::encodeFloat(*element, value);
  } else {
    int64_t value;
    if (rest.getAsInteger(0, value))
      return failure(
          fmt::format("error: --arg {}: not an integer", text.str()));
    bits = value;
  }
  return push(&bits, reference::elementBytes(*element));
}
