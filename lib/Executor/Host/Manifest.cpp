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
#include "Numerics/Formats.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/Path.h"

#include <algorithm>
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
  /// An object that has no other keys than `keys`.
  const json::Object *object(const json::Value *value, const std::string &path,
                             std::initializer_list<llvm::StringRef> keys) {
    const json::Object *found = value ? value->getAsObject() : nullptr;
    if (!found) {
      fail(path + " is missing or not an object");
      return nullptr;
    }
    for (const auto &entry : *found) {
      llvm::StringRef key = entry.first;
      if (llvm::is_contained(keys, key))
        continue;
      fail(fmt::format("{} has the unknown key '{}'; known are {}", path,
                       key.take_front(40).str(), llvm::join(keys, ", ")));
      return nullptr;
    }
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
  // Unsigned integers go by the signed ones of their width.
  if (element.consume_front("u"))
    return element == "8"    ? 1
           : element == "16" ? 2
           : element == "32" ? 4
           : element == "64" ? 8
                             : 0;
  if (element == "f64" || element == "i64")
    return 8;
  if (element == "f32" || element == "tf32" || element == "i32")
    return 4;
  if (element == "bf16" || element == "f16" || element == "i16")
    return 2;
  if (element == "f8E4M3FN" || element == "f8E5M2" || element == "i8" ||
      element == "i1")
    return 1;
  return 0;
}

/// The largest array.
constexpr uint64_t maximumBytes = uint64_t(1) << 40;

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

std::optional<ManifestArray::Role> roleOf(llvm::StringRef name) {
  using Role = ManifestArray::Role;
  for (auto [word, role] :
       {std::pair("input", Role::Input), std::pair("output", Role::Output),
        std::pair("inout", Role::InOut),
        std::pair("temporary", Role::Temporary)})
    if (name == word)
      return role;
  return std::nullopt;
}

/// Reads the axes and multiplies `bytes` by their sizes.
bool readAxes(Reader &r, const json::Value &value, const std::string &path,
              ManifestArray &to, uint64_t &bytes) {
  const json::Array *list = r.array(&value, path);
  if (!list)
    return false;
  // Empty axes count as one here: the bound holds for any product.
  uint64_t bound = bytes;
  for (size_t i = 0; i < list->size(); ++i) {
    std::string at = fmt::format("{}[{}]", path, i);
    const json::Object *axis = r.object(&(*list)[i], at, {"name", "size"});
    if (!axis)
      return false;
    uint64_t size = r.number(axis->get("size"), at + ".size", maximumBytes);
    to.axes.push_back({r.string(*axis, "name", at), int64_t(size)});
    if (!r.error.empty())
      return false;
    if (size > maximumBytes / bound)
      return r.fail(at + ".size makes the array larger than 2^40 bytes");
    bound *= std::max<uint64_t>(1, size);
    bytes *= size;
  }
  return true;
}

bool readArray(Reader &r, const json::Value &value, const std::string &path,
               ManifestArray &to) {
  const json::Object *o =
      r.object(&value, path, {"name", "role", "element", "axes", "bytes"});
  if (!o)
    return false;
  to.name = r.string(*o, "name", path);
  to.element = r.string(*o, "element", path);
  std::string word = r.string(*o, "role", path);
  if (!r.error.empty())
    return false;
  if (to.name.empty())
    return r.fail(path + ".name is empty");
  auto role = roleOf(word);
  if (!role)
    return r.fail(fmt::format(
        "{}.role is '{}', expected input, output, inout or temporary", path,
        word));
  to.role = *role;
  uint64_t bytes = bytesOf(to.element);
  if (!bytes)
    return r.fail(fmt::format("{}.element is '{}', which is no element type",
                              path, to.element));
  const json::Value *axes = o->get("axes");
  if (axes && !readAxes(r, *axes, path + ".axes", to, bytes))
    return false;
  to.bytes = r.number(o->get("bytes"), path + ".bytes", maximumBytes, bytes);
  if (r.error.empty() && axes && to.bytes != bytes)
    return r.fail(fmt::format("{}.bytes is {}, its axes and element give {}",
                              path, to.bytes, bytes));
  if (to.bytes % bytesOf(to.element))
    return r.fail(fmt::format("{}.bytes is {}, which is no whole number of {}",
                              path, to.bytes, to.element));
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
  for (size_t i = 0; i < list->size(); ++i)
    to.push_back(T(r.number(
        &(*list)[i], fmt::format("{}.{}[{}]", path, name.str(), i),
        std::min<uint64_t>(maximumBytes, std::numeric_limits<T>::max()))));
  return r.error.empty();
}

bool readTensorMap(Reader &r, const json::Value &value, const std::string &path,
                   ManifestArgument &to) {
  const json::Object *m =
      r.object(&value, path,
               {"array", "element", "sizes", "strides", "box",
                "element_strides", "swizzle", "nan_fill"});
  if (!m)
    return false;
  to.array = r.string(*m, "array", path);
  TensorMapInfo info;
  info.element = r.string(*m, "element", path);
  info.swizzle = r.number(m->get("swizzle"), path + ".swizzle", 128, 0);
  if (const json::Value *nan = m->get("nan_fill")) {
    if (!nan->getAsBoolean())
      return r.fail(path + ".nan_fill is neither true nor false");
    info.nanFill = *nan->getAsBoolean();
  }
  if (!numbers(r, *m, "sizes", path, info.sizes, false) ||
      !numbers(r, *m, "strides", path, info.strides, false) ||
      !numbers(r, *m, "box", path, info.box, false) ||
      !numbers(r, *m, "element_strides", path, info.elementStrides, true))
    return false;
  to.tensorMap = info;
  return r.error.empty();
}

bool readScalar(Reader &r, const json::Object &o, const std::string &path,
                ManifestArgument &to) {
  std::string scalar = r.string(o, "scalar", path);
  if (!r.error.empty())
    return false;
  uint64_t size = bytesOf(scalar), bits = 0;
  const json::Value *v = o.get("value");
  if (!size)
    return r.fail(fmt::format("{}.scalar is '{}', which is no element type",
                              path, scalar));
  if (!v)
    return r.fail(path + ".value is missing");
  if (scalar[0] == 'i' || scalar[0] == 'u') {
    if (auto integer = v->getAsInteger())
      bits = *integer;
    else if (auto large = v->getAsUINT64(); large && size == 8)
      bits = *large;
    else
      return r.fail(path + ".value is not an integer");
    int64_t number = bits;
    if (size < 8 && (number >= int64_t(1) << 8 * size ||
                     number < -(int64_t(1) << (8 * size - 1))))
      return r.fail(fmt::format("{}.value is {}, which does not fit into {}",
                                path, number, scalar));
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
      return r.fail(
          fmt::format("{}.scalar is '{}'; floats are f64, f32, f16 and bf16",
                      path, scalar));
    bits = encodeFloat(*number, type);
  }
  to.scalar.resize(size);
  std::memcpy(to.scalar.data(), &bits, size);
  return true;
}

bool readArgument(Reader &r, const json::Value &value, const std::string &path,
                  ManifestArgument &to) {
  const json::Object *o =
      r.object(&value, path, {"array", "tensor_map", "scalar", "value"});
  if (!o)
    return false;
  bool isArray = o->get("array"), isMap = o->get("tensor_map"),
       isScalar = o->get("scalar");
  if (isArray + isMap + isScalar != 1)
    return r.fail(path + " needs exactly one of array, tensor_map and scalar");
  if (isMap)
    return readTensorMap(r, *o->get("tensor_map"), path + ".tensor_map", to);
  if (isScalar)
    return readScalar(r, *o, path, to);
  to.array = r.string(*o, "array", path);
  return r.error.empty();
}

bool readKernel(Reader &r, const json::Value &value, const std::string &path,
                ManifestKernel &to) {
  const json::Object *o =
      r.object(&value, path,
               {"entry", "grid", "block", "cluster", "dynamic_shared_bytes",
                "max_registers", "arguments", "predicted", "tile_program"});
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
  if (const json::Value *predicted = o->get("predicted")) {
    std::string at = path + ".predicted";
    const json::Object *p =
        r.object(predicted, at, {"global_read_bytes", "global_write_bytes"});
    if (!p)
      return false;
    auto bytes = [&](llvm::StringRef name) -> std::optional<uint64_t> {
      if (!p->get(name))
        return std::nullopt;
      return r.number(p->get(name), at + "." + name.str(), INT64_MAX);
    };
    to.predictedReadBytes = bytes("global_read_bytes");
    to.predictedWriteBytes = bytes("global_write_bytes");
  }
  return r.error.empty();
}

llvm::Error failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 what.c_str());
}

/// The JSON parser recurses: brackets nested deeper than any manifest's are
/// refused before it sees them.
bool isTooDeep(llvm::StringRef text) {
  unsigned depth = 0;
  bool inString = false;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (inString) {
      i += c == '\\';
      inString = c != '"';
    } else if (c == '"') {
      inString = true;
    } else if (c == '[' || c == '{') {
      if (++depth > 32)
        return true;
    } else if ((c == ']' || c == '}') && depth) {
      --depth;
    }
  }
  return false;
}

/// "file:line:column: error: ..." of what LLVM reports as "[line:column,
/// byte=...]: ...".
llvm::Error syntaxError(llvm::StringRef file, llvm::Error error) {
  std::string text = toString(std::move(error));
  llvm::StringRef rest = text;
  if (!rest.consume_front("["))
    return failure(fmt::format("{}: error: {}", file.str(), text));
  llvm::StringRef place = rest.take_until([](char c) { return c == ','; });
  return failure(fmt::format("{}:{}: error: {}", file.str(), place.str(),
                             rest.split("]: ").second.str()));
}

/// A path that stays in its own folder or below.
bool staysBelow(llvm::StringRef path) {
  namespace sys = llvm::sys::path;
  if (sys::is_absolute(path))
    return false;
  return std::none_of(sys::begin(path), sys::end(path),
                      [](llvm::StringRef part) { return part == ".."; });
}

void readManifest(Reader &r, const json::Value &value, Manifest &manifest) {
  const json::Object *o = r.object(
      &value, "the manifest", {"napkin", "target", "ptx", "arrays", "kernels"});
  if (!o)
    return;
  if (r.number(o->get("napkin"), "napkin (the format's version)", 1) != 1) {
    r.fail("the format's version ('napkin') must be 1");
    return;
  }
  manifest.target = r.string(*o, "target", "the manifest", true);
  manifest.ptx = r.string(*o, "ptx", "the manifest", true);
  if (!staysBelow(manifest.ptx)) {
    r.fail(fmt::format("ptx is '{}', which is not in the manifest's folder",
                       manifest.ptx));
    return;
  }
  const json::Array *arrays = r.array(o->get("arrays"), "arrays");
  const json::Array *kernels = r.array(o->get("kernels"), "kernels");
  if (!arrays || !kernels)
    return;
  llvm::StringMap<bool> names;
  for (size_t i = 0; i < arrays->size(); ++i) {
    std::string path = fmt::format("arrays[{}]", i);
    manifest.arrays.emplace_back();
    if (!readArray(r, (*arrays)[i], path, manifest.arrays.back()))
      return;
    const std::string &name = manifest.arrays.back().name;
    if (!names.try_emplace(name, true).second) {
      r.fail(fmt::format("{}.name: two arrays are called '{}'", path, name));
      return;
    }
  }
  for (size_t i = 0; i < kernels->size(); ++i) {
    std::string path = fmt::format("kernels[{}]", i);
    manifest.kernels.emplace_back();
    ManifestKernel &kernel = manifest.kernels.back();
    if (!readKernel(r, (*kernels)[i], path, kernel))
      return;
    for (size_t a = 0; a < kernel.arguments.size(); ++a) {
      const std::string &name = kernel.arguments[a].array;
      bool isScalar = !kernel.arguments[a].scalar.empty();
      if (isScalar || names.count(name))
        continue;
      r.fail(fmt::format("{}.arguments[{}] takes array '{}', which is not "
                         "declared",
                         path, a, name));
      return;
    }
  }
}

} // namespace

llvm::Expected<Manifest> napkin::executor::parseManifest(llvm::StringRef text,
                                                         llvm::StringRef file) {
  if (isTooDeep(text))
    return failure(fmt::format("{}: error: the brackets are nested too deeply",
                               file.str()));
  auto parsed = json::parse(text);
  if (!parsed)
    return syntaxError(file, parsed.takeError());
  Reader r(file);
  Manifest manifest;
  readManifest(r, *parsed, manifest);
  if (!r.error.empty())
    return failure(r.error);
  return std::move(manifest);
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
  at /= bytesOf(array.element);
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
      if (argument.tensorMap) {
        auto map =
            encodeTensorMap(addresses[argument.array], *argument.tensorMap);
        if (!map)
          return failure(fmt::format("error: the tensor map of '{}': {}",
                                     argument.array,
                                     toString(map.takeError())));
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
