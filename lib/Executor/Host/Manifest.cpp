//===- Manifest.cpp - Read what a launch manifest says ---------*- C++ -*-===//
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
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;
namespace json = llvm::json;

uint64_t napkin::executor::manifestElementBytes(llvm::StringRef element) {
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

uint64_t ManifestArray::denseBytes() const {
  if (strides.empty())
    return bytes;
  uint64_t dense = manifestElementBytes(element);
  for (const auto &[name, size] : axes)
    dense *= size;
  return dense;
}

namespace {

/// Reads fields and remembers the first error.
class Reader {
public:
  explicit Reader(llvm::StringRef file) : file(file) {}
  std::string error;
  std::vector<std::string> notes;

  bool fail(const std::string &what) {
    if (error.empty())
      error = fmt::format("{}: error: {}", file.str(), what);
    return false;
  }
  /// An object. Other keys than `keys` are passed over with a note: a later
  /// writer may say more, and raises the format's version where that matters.
  const json::Object *object(const json::Value *value, const std::string &path,
                             std::initializer_list<llvm::StringRef> keys) {
    const json::Object *found = value ? value->getAsObject() : nullptr;
    if (!found) {
      fail(path + " is missing or not an object");
      return nullptr;
    }
    constexpr size_t limit = 16;
    for (const auto &entry : *found) {
      llvm::StringRef key = entry.first;
      if (!llvm::is_contained(keys, key) && notes.size() < limit)
        notes.push_back(fmt::format(
            "{}: {} has the unknown key '{}', which is ignored; known are {}",
            file.str(), path, key.take_front(40).str(),
            llvm::join(keys, ", ")));
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
  /// A number that is not negative.
  double positive(const json::Object &from, llvm::StringRef name,
                  const std::string &path) {
    const json::Value *value = from.get(name);
    auto found = value ? value->getAsNumber() : std::nullopt;
    if (!found || !(*found >= 0))
      fail(fmt::format("{}.{} is missing or not a number from 0 up", path,
                       name.str()));
    return found.value_or(0);
  }

private:
  llvm::StringRef file;
};

/// Arrays are placed at multiples of it.
constexpr uint64_t deviceAlignment = 512;

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

/// Reads the strides and sets `bytes` to what lies between the first element
/// and the last one.
bool readStrides(Reader &r, const json::Value &value, const std::string &path,
                 ManifestArray &to, uint64_t &bytes) {
  const json::Array *list = r.array(&value, path);
  if (!list)
    return false;
  if (list->size() != to.axes.size())
    return r.fail(fmt::format("{} has {} numbers for {} axes", path,
                              list->size(), to.axes.size()));
  if (to.role != ManifestArray::Role::Input)
    return r.fail(path + " is given to an array that is no input");
  uint64_t elementBytes = manifestElementBytes(to.element), span = elementBytes;
  for (size_t i = 0; i < list->size(); ++i) {
    uint64_t stride =
        r.number(&(*list)[i], fmt::format("{}[{}]", path, i), maximumBytes);
    to.strides.push_back(int64_t(stride));
    uint64_t steps = uint64_t(std::max<int64_t>(to.axes[i].second, 1) - 1);
    if (!r.error.empty())
      return false;
    if (stride && steps > (maximumBytes - span) / elementBytes / stride)
      return r.fail(path + " make the array larger than 2^40 bytes");
    span += steps * stride * elementBytes;
  }
  if (bytes) // else no element
    bytes = span;
  return true;
}

bool readArray(Reader &r, const json::Value &value, const std::string &path,
               ManifestArray &to) {
  const json::Object *o =
      r.object(&value, path,
               {"name", "role", "element", "axes", "strides", "bytes",
                "encoding", "alignment"});
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
  uint64_t bytes = manifestElementBytes(to.element);
  if (!bytes)
    return r.fail(fmt::format("{}.element is '{}', which is no element type",
                              path, to.element));
  const json::Value *axes = o->get("axes");
  if (axes && !readAxes(r, *axes, path + ".axes", to, bytes))
    return false;
  if (const json::Value *strides = o->get("strides");
      strides && !readStrides(r, *strides, path + ".strides", to, bytes))
    return false;
  to.bytes = r.number(o->get("bytes"), path + ".bytes", maximumBytes, bytes);
  if (r.error.empty() && axes && to.bytes != bytes)
    return r.fail(fmt::format("{}.bytes is {}, its axes and element give {}",
                              path, to.bytes, bytes));
  r.string(*o, "encoding", path, true);
  to.alignment =
      r.number(o->get("alignment"), path + ".alignment", deviceAlignment, 1);
  if (r.error.empty() && !llvm::isPowerOf2_64(to.alignment))
    return r.fail(fmt::format("{}.alignment is {}, which is no power of two",
                              path, to.alignment));
  if (to.bytes % manifestElementBytes(to.element))
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

/// Bytes of what `argument` passes.
uint64_t sizeOf(const ManifestArgument &argument) {
  return argument.tensorMap        ? 128
         : !argument.array.empty() ? 8
                                   : argument.bytes.size();
}

bool readScalar(Reader &r, const json::Object &o, const std::string &path,
                ManifestArgument &to) {
  std::string scalar = r.string(o, "scalar", path);
  if (!r.error.empty())
    return false;
  uint64_t size = manifestElementBytes(scalar), bits = 0;
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
  to.bytes.resize(size);
  std::memcpy(to.bytes.data(), &bits, size);
  return true;
}

/// A struct that is passed by value.
constexpr uint64_t maximumStruct = 32764; // the limit of PTX's parameters

/// The bytes that hexadecimal `text` spells, in the order of memory.
std::optional<std::vector<char>> bytesOfHex(llvm::StringRef text) {
  std::string bytes;
  if (text.size() % 2 || !llvm::tryGetFromHex(text, bytes))
    return std::nullopt;
  return std::vector<char>(bytes.begin(), bytes.end());
}

bool readArgument(Reader &r, const json::Value &value, const std::string &path,
                  ManifestArgument &to, bool isField);

bool readStruct(Reader &r, const json::Value &value, const std::string &path,
                ManifestArgument &to) {
  const json::Object *o = r.object(&value, path, {"size", "hex", "fields"});
  if (!o)
    return false;
  const json::Value *hex = o->get("hex");
  if (hex) {
    auto bytes = bytesOfHex(r.string(*o, "hex", path));
    if (!bytes)
      return r.fail(path + ".hex is not an even number of hexadecimal digits");
    to.bytes = std::move(*bytes);
  }
  uint64_t size =
      r.number(o->get("size"), path + ".size", maximumStruct,
               hex ? std::optional<uint64_t>(to.bytes.size()) : std::nullopt);
  if (!r.error.empty())
    return false;
  if (!size || size < to.bytes.size() || size > maximumStruct)
    return r.fail(fmt::format("{}.size is {}; it must hold what .hex gives, 1 "
                              "to {} bytes",
                              path, size, maximumStruct));
  to.bytes.resize(size);
  const json::Value *fields = o->get("fields");
  if (!fields)
    return true;
  const json::Array *list = r.array(fields, path + ".fields");
  for (size_t i = 0; list && i < list->size(); ++i) {
    to.fields.emplace_back();
    if (!readArgument(r, (*list)[i], fmt::format("{}.fields[{}]", path, i),
                      to.fields.back().value, true))
      return false;
    ManifestField &field = to.fields.back();
    field.offset = r.number((*list)[i].getAsObject()->get("offset"),
                            fmt::format("{}.fields[{}].offset", path, i), size);
    if (!r.error.empty())
      return false;
    if (sizeOf(field.value) > size - field.offset)
      return r.fail(fmt::format("{}.fields[{}] of {} bytes leaves the struct "
                                "of {}",
                                path, i, sizeOf(field.value), size));
  }
  return list;
}

bool readArgument(Reader &r, const json::Value &value, const std::string &path,
                  ManifestArgument &to, bool isField) {
  const json::Object *o =
      isField ? r.object(&value, path,
                         {"offset", "array", "tensor_map", "scalar", "value"})
              : r.object(&value, path,
                         {"array", "tensor_map", "scalar", "value", "struct"});
  if (!o)
    return false;
  const json::Value *isStruct = isField ? nullptr : o->get("struct");
  bool isArray = o->get("array"), isMap = o->get("tensor_map"),
       isScalar = o->get("scalar");
  if (isArray + isMap + isScalar + bool(isStruct) != 1)
    return r.fail(path + " needs exactly one of array, tensor_map, scalar" +
                  (isField ? "" : " and struct"));
  if (isStruct)
    return readStruct(r, *isStruct, path + ".struct", to);
  if (isMap)
    return readTensorMap(r, *o->get("tensor_map"), path + ".tensor_map", to);
  if (isScalar)
    return readScalar(r, *o, path, to);
  to.array = r.string(*o, "array", path);
  return r.error.empty();
}

bool readKernel(Reader &r, const json::Value &value, const std::string &path,
                ManifestKernel &to) {
  const json::Object *o = r.object(
      &value, path,
      {"entry", "grid", "block", "cluster", "dynamic_shared_bytes",
       "max_registers", "arguments", "predicted", "tile_program", "diagram"});
  if (!o)
    return false;
  to.entry = r.string(*o, "entry", path);
  to.diagram = r.string(*o, "diagram", path, true);
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
                      to.arguments.back(), false))
      return false;
  }
  if (const json::Value *predicted = o->get("predicted")) {
    std::string at = path + ".predicted";
    const json::Object *p =
        r.object(predicted, at,
                 {"global_read_bytes", "global_write_bytes", "microseconds"});
    if (!p)
      return false;
    if (p->get("microseconds"))
      to.predictedMicroseconds = r.positive(*p, "microseconds", at);
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

void readEstimate(Reader &r, const json::Value &value, ManifestEstimate &to) {
  const std::string path = "estimate";
  const json::Object *o = r.object(
      &value, path,
      {"hardware", "microseconds", "roofline_microseconds", "multiply_adds"});
  if (!o)
    return;
  to.hardware = r.string(*o, "hardware", path);
  to.microseconds = r.positive(*o, "microseconds", path);
  to.rooflineMicroseconds = r.positive(*o, "roofline_microseconds", path);
  to.multiplyAdds =
      r.number(o->get("multiply_adds"), path + ".multiply_adds", INT64_MAX);
}

void readManifest(Reader &r, const json::Value &value, Manifest &manifest) {
  const json::Object *o =
      r.object(&value, "the manifest",
               {"napkin", "target", "ptx", "ptx_version", "ptx_sha256",
                "assumptions", "estimate", "arrays", "kernels"});
  if (!o)
    return;
  uint64_t version =
      r.number(o->get("napkin"), "napkin (the format's version)", UINT32_MAX);
  if (!r.error.empty())
    return;
  if (version < 1 || version > 2) {
    r.fail(fmt::format("the format's version ('napkin') is {}, this reader "
                       "knows versions 1 and 2",
                       version));
    return;
  }
  manifest.ptxVersion = r.string(*o, "ptx_version", "the manifest", true);
  manifest.ptxHash = r.string(*o, "ptx_sha256", "the manifest", true);
  if (const json::Value *assumptions = o->get("assumptions")) {
    const json::Object *a =
        r.object(assumptions, "assumptions", {"input_bound_log2"});
    if (const json::Value *bound = a ? a->get("input_bound_log2") : nullptr) {
      manifest.inputBoundLog2 = bound->getAsNumber();
      if (!manifest.inputBoundLog2)
        r.fail("assumptions.input_bound_log2 is not a number");
    }
  }
  if (const json::Value *estimate = o->get("estimate"))
    readEstimate(r, *estimate, manifest.estimate.emplace());
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
    if (!manifest.arrays.back().strides.empty() && version < 2) {
      r.fail(fmt::format("{}.strides needs version 2 of the format, the "
                         "manifest has version {}",
                         path, version));
      return;
    }
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
    auto isKnown = [&](const ManifestArgument &argument) {
      return !argument.bytes.empty() || names.count(argument.array);
    };
    for (size_t a = 0; a < kernel.arguments.size(); ++a) {
      const ManifestArgument *unknown = nullptr;
      if (!isKnown(kernel.arguments[a]))
        unknown = &kernel.arguments[a];
      for (const ManifestField &field : kernel.arguments[a].fields)
        if (!isKnown(field.value))
          unknown = &field.value;
      if (!unknown)
        continue;
      r.fail(fmt::format("{}.arguments[{}] takes array '{}', which is not "
                         "declared",
                         path, a, unknown->array));
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
  manifest.notes = std::move(r.notes);
  return std::move(manifest);
}

llvm::Error napkin::executor::checkPtx(const Manifest &manifest,
                                       const ptx::Module &module) {
  std::string hash =
      llvm::toHex(llvm::SHA256::hash(llvm::arrayRefFromStringRef(*module.text)),
                  /*LowerCase=*/true);
  if (manifest.ptxHash.empty() || manifest.ptxHash == hash)
    return llvm::Error::success();
  return failure(fmt::format(
      "{}: error: this is not the PTX that the manifest was written with: its "
      "SHA-256 is {}, the manifest says {}",
      module.file, hash, manifest.ptxHash));
}
