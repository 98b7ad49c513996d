//===- Manifest.cpp - Run what a launch manifest describes -----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A manifest is not trusted: every field is checked, every size bounded.
//
//===----------------------------------------------------------------------===//

#include "napkin/Executor/Manifest.h"
#include "Formats.h"

#include "llvm/Support/JSON.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
namespace json = llvm::json;

namespace {

/// Reads fields and remembers the first error.
class Reader {
public:
  explicit Reader(llvm::StringRef file) : file(file) {}
  std::string error;

  bool fail(const std::string &what) {
    if (error.empty())
      error = fmt::format("{}: error: {}", file.str(), what);
    return false;
  }
  const json::Object *object(const json::Value *value,
                             const std::string &path) {
    const json::Object *found = value ? value->getAsObject() : nullptr;
    if (!found)
      fail(path + " is missing or not an object");
    return found;
  }
  const json::Array *array(const json::Value *value, const std::string &path) {
    const json::Array *found = value ? value->getAsArray() : nullptr;
    if (!found)
      fail(path + " is missing or not an array");
    return found;
  }
  std::string string(const json::Object &from, llvm::StringRef name,
                     const std::string &path, bool optional = false) {
    if (auto value = from.getString(name))
      return value->str();
    if (!optional || from.get(name))
      fail(fmt::format("{}.{} is missing or not a string", path, name.str()));
    return "";
  }
  uint64_t number(const json::Value *value, const std::string &path,
                  uint64_t limit,
                  std::optional<uint64_t> fallback = std::nullopt) {
    if (!value && fallback)
      return *fallback;
    auto found = value ? value->getAsInteger() : std::nullopt;
    if (!found || *found < 0 || uint64_t(*found) > limit) {
      fail(fmt::format("{} is missing or not an integer from 0 to {}", path,
                       limit));
      return 0;
    }
    return *found;
  }

private:
  llvm::StringRef file;
};

uint64_t bytesOf(llvm::StringRef element) {
  if (element == "f64" || element == "i64")
    return 8;
  if (element == "f32" || element == "tf32" || element == "i32")
    return 4;
  if (element == "bf16" || element == "f16")
    return 2;
  if (element == "f8E4M3FN" || element == "f8E5M2" || element == "i8" ||
      element == "i1")
    return 1;
  return 0;
}

bool triple(Reader &r, const json::Object &from, llvm::StringRef name,
            const std::string &path, std::array<uint32_t, 3> &to) {
  const json::Value *value = from.get(name);
  if (!value)
    return true;
  const json::Array *list = r.array(value, path + "." + name.str());
  if (!list)
    return false;
  if (list->empty() || list->size() > 3)
    return r.fail(fmt::format("{}.{} has {} sizes, expected 1 to 3", path,
                              name.str(), list->size()));
  for (size_t d = 0; d < list->size(); ++d)
    to[d] = r.number(&(*list)[d], fmt::format("{}.{}[{}]", path, name.str(), d),
                     0x7fffffff);
  return r.error.empty();
}

bool readArray(Reader &r, const json::Value &value, const std::string &path,
               ManifestArray &to) {
  const json::Object *o = r.object(&value, path);
  if (!o)
    return false;
  to.name = r.string(*o, "name", path);
  to.element = r.string(*o, "element", path);
  std::string role = r.string(*o, "role", path);
  if (!r.error.empty())
    return false;
  if (role == "input")
    to.role = ManifestArray::Role::Input;
  else if (role == "output")
    to.role = ManifestArray::Role::Output;
  else if (role == "temporary")
    to.role = ManifestArray::Role::Temporary;
  else
    return r.fail(fmt::format(
        "{}.role is '{}', expected input, output or temporary", path, role));
  uint64_t bytes = bytesOf(to.element);
  if (!bytes)
    return r.fail(fmt::format("{}.element is '{}', which is no element type",
                              path, to.element));
  if (const json::Value *axes = o->get("axes")) {
    const json::Array *list = r.array(axes, path + ".axes");
    if (!list)
      return false;
    for (const json::Value &axis : *list) {
      const json::Object *a = r.object(&axis, path + ".axes[]");
      if (!a)
        return false;
      uint64_t size =
          r.number(a->get("size"), path + ".axes[].size", uint64_t(1) << 40);
      to.axes.push_back(
          {r.string(*a, "name", path + ".axes[]"), int64_t(size)});
      if (!r.error.empty())
        return false;
      if (size && bytes > (uint64_t(1) << 40) / size)
        return r.fail(path + " is larger than 2^40 bytes");
      bytes *= size;
    }
  }
  to.bytes =
      r.number(o->get("bytes"), path + ".bytes", uint64_t(1) << 40, bytes);
  if (r.error.empty() && o->get("axes") && to.bytes != bytes)
    return r.fail(fmt::format("{}.bytes is {}, its axes and element give {}",
                              path, to.bytes, bytes));
  return r.error.empty();
}

template <class T>
bool numbers(Reader &r, const json::Object &from, llvm::StringRef name,
             const std::string &path, std::vector<T> &to, bool optional) {
  const json::Value *value = from.get(name);
  if (!value && optional)
    return true;
  const json::Array *list = r.array(value, path + "." + name.str());
  if (!list)
    return false;
  for (const json::Value &v : *list)
    to.push_back(
        T(r.number(&v, path + "." + name.str() + "[]", uint64_t(1) << 40)));
  return r.error.empty();
}

bool readArgument(Reader &r, const json::Value &value, const std::string &path,
                  ManifestArgument &to) {
  const json::Object *o = r.object(&value, path);
  if (!o)
    return false;
  if (o->get("array")) {
    to.array = r.string(*o, "array", path);
    return r.error.empty();
  }
  if (const json::Value *map = o->get("tensor_map")) {
    const json::Object *m = r.object(map, path + ".tensor_map");
    if (!m)
      return false;
    to.array = r.string(*m, "array", path + ".tensor_map");
    TensorMapInfo info;
    info.element = r.string(*m, "element", path + ".tensor_map");
    info.swizzle =
        r.number(m->get("swizzle"), path + ".tensor_map.swizzle", 128, 0);
    if (auto nan = m->getBoolean("nan_fill"))
      info.nanFill = *nan;
    if (!numbers(r, *m, "sizes", path + ".tensor_map", info.sizes, false) ||
        !numbers(r, *m, "strides", path + ".tensor_map", info.strides, false) ||
        !numbers(r, *m, "box", path + ".tensor_map", info.box, false) ||
        !numbers(r, *m, "element_strides", path + ".tensor_map",
                 info.elementStrides, true))
      return false;
    to.tensorMap = info;
    return r.error.empty();
  }
  std::string scalar = r.string(*o, "scalar", path);
  if (!r.error.empty())
    return false;
  uint64_t size = bytesOf(scalar);
  const json::Value *v = o->get("value");
  if (!size || !v)
    return r.fail(path + " needs a scalar type and a value");
  uint64_t bits = 0;
  if (scalar[0] == 'i') {
    auto integer = v->getAsInteger();
    if (!integer)
      return r.fail(path + ".value is not an integer");
    bits = *integer;
  } else {
    auto number = v->getAsNumber();
    if (!number)
      return r.fail(path + ".value is not a number");
    using napkin::ptx::Type;
    Type type = scalar == "f64"    ? Type::F64
                : scalar == "f32"  ? Type::F32
                : scalar == "bf16" ? Type::BF16
                : scalar == "f16"  ? Type::F16
                                   : Type::None;
    if (type == Type::None)
      return r.fail(fmt::format("{}: a scalar of type '{}' is not supported",
                                path, scalar));
    bits = encodeFloat(*number, type);
  }
  to.scalar.resize(size);
  std::memcpy(to.scalar.data(), &bits, size);
  return true;
}

bool readKernel(Reader &r, const json::Value &value, const std::string &path,
                ManifestKernel &to) {
  const json::Object *o = r.object(&value, path);
  if (!o)
    return false;
  to.entry = r.string(*o, "entry", path);
  if (!r.error.empty() || !triple(r, *o, "grid", path, to.config.grid) ||
      !triple(r, *o, "block", path, to.config.block) ||
      !triple(r, *o, "cluster", path, to.config.cluster))
    return false;
  to.config.dynamicSharedBytes =
      r.number(o->get("dynamic_shared_bytes"), path + ".dynamic_shared_bytes",
               1 << 20, 0);
  const json::Array *arguments =
      r.array(o->get("arguments"), path + ".arguments");
  if (!arguments)
    return false;
  for (size_t i = 0; i < arguments->size(); ++i) {
    to.arguments.emplace_back();
    if (!readArgument(r, (*arguments)[i],
                      fmt::format("{}.arguments[{}]", path, i),
                      to.arguments.back()))
      return false;
  }
  if (const json::Object *p = o->getObject("predicted")) {
    if (p->get("global_read_bytes"))
      to.predictedReadBytes =
          r.number(p->get("global_read_bytes"), path + ".predicted", INT64_MAX);
    if (p->get("global_write_bytes"))
      to.predictedWriteBytes = r.number(p->get("global_write_bytes"),
                                        path + ".predicted", INT64_MAX);
  }
  return r.error.empty();
}

llvm::Error failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 what.c_str());
}

} // namespace

llvm::Expected<Manifest> napkin::executor::parseManifest(llvm::StringRef text,
                                                         llvm::StringRef file) {
  auto parsed = json::parse(text);
  if (!parsed)
    return failure(
        fmt::format("{}: error: {}", file.str(), toString(parsed.takeError())));
  Reader r(file);
  Manifest manifest;
  auto read = [&] {
    const json::Object *o = r.object(&*parsed, "the manifest");
    if (!o)
      return;
    if (r.number(o->get("napkin"), "napkin (the format's version)", 1) != 1) {
      r.fail("the format's version ('napkin') must be 1");
      return;
    }
    manifest.target = r.string(*o, "target", "the manifest", true);
    manifest.ptx = r.string(*o, "ptx", "the manifest", true);
    const json::Array *arrays = r.array(o->get("arrays"), "arrays");
    const json::Array *kernels = r.array(o->get("kernels"), "kernels");
    if (!arrays || !kernels)
      return;
    llvm::StringMap<bool> names;
    for (size_t i = 0; i < arrays->size(); ++i) {
      manifest.arrays.emplace_back();
      if (!readArray(r, (*arrays)[i], fmt::format("arrays[{}]", i),
                     manifest.arrays.back()))
        return;
      if (!names.try_emplace(manifest.arrays.back().name, true).second) {
        r.fail(fmt::format("two arrays are called '{}'",
                           manifest.arrays.back().name));
        return;
      }
    }
    for (size_t i = 0; i < kernels->size(); ++i) {
      manifest.kernels.emplace_back();
      if (!readKernel(r, (*kernels)[i], fmt::format("kernels[{}]", i),
                      manifest.kernels.back()))
        return;
      for (const ManifestArgument &argument : manifest.kernels.back().arguments)
        if (!argument.array.empty() && !names.count(argument.array)) {
          r.fail(
              fmt::format("kernels[{}] takes array '{}', which is not declared",
                          i, argument.array));
          return;
        }
    }
  };
  read();
  if (!r.error.empty())
    return failure(r.error);
  return std::move(manifest);
}

llvm::Expected<std::vector<LaunchResult>>
napkin::executor::runManifest(const ptx::Module &module,
                              const Manifest &manifest, HostArrays &arrays,
                              const Options &options) {
  Device device;
  llvm::StringMap<uint64_t> addresses;
  for (const ManifestArray &array : manifest.arrays) {
    // An empty array still has an address of its own.
    auto address =
        device.allocate(std::max<uint64_t>(array.bytes, 1), array.name);
    if (!address)
      return address.takeError();
    addresses[array.name] = *address;
    if (array.role != ManifestArray::Role::Input)
      continue;
    auto found = arrays.find(array.name);
    if (found == arrays.end())
      return failure(fmt::format("input '{}' was not given", array.name));
    if (found->second.size() != array.bytes)
      return failure(
          fmt::format("input '{}' has {} bytes, the manifest says {}",
                      array.name, found->second.size(), array.bytes));
    if (array.bytes)
      if (auto e =
              device.copyToDevice(*address, found->second.data(), array.bytes))
        return std::move(e);
  }
  std::vector<LaunchResult> results;
  for (const ManifestKernel &kernel : manifest.kernels) {
    Arguments arguments;
    for (const ManifestArgument &argument : kernel.arguments) {
      if (argument.tensorMap) {
        auto map =
            encodeTensorMap(addresses[argument.array], *argument.tensorMap);
        if (!map)
          return map.takeError();
        arguments.raw(map->data(), map->size());
      } else if (!argument.array.empty()) {
        arguments.pointer(addresses[argument.array]);
      } else {
        arguments.raw(argument.scalar.data(), argument.scalar.size());
      }
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
    if (array.role != ManifestArray::Role::Output)
      continue;
    std::vector<char> content(array.bytes);
    uint64_t missing = 0;
    if (array.bytes)
      if (auto e = device.copyFromDevice(content.data(), addresses[array.name],
                                         array.bytes, &missing))
        return std::move(e);
    if (missing && !options.sampleBlocks && !options.countOnly)
      return failure(
          fmt::format("{} of {} bytes of output '{}' were never written",
                      missing, array.bytes, array.name));
    arrays[array.name] = std::move(content);
  }
  return std::move(results);
}
