//===- Arrays.cpp - Arrays named on napkin-run's command line --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See Arrays.h. Comparing is in Expect.cpp.
//
//===----------------------------------------------------------------------===//

#include "Arrays.h"
#include "ArraysImplementation.h"

#include "napkin/Reference/Npy.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::run;
using Role = executor::ManifestArray::Role;

llvm::Error napkin::run::failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 ("error: " + what).c_str());
}

std::vector<reference::Axis>
napkin::run::axesOf(const executor::ManifestArray &array) {
  std::vector<reference::Axis> axes;
  for (const auto &[name, size] : array.axes)
    axes.push_back({name, size});
  return axes;
}

std::optional<reference::Element> napkin::run::elementOf(llvm::StringRef name) {
  static const std::pair<const char *, reference::Element> others[] = {
      {"u8", reference::Element::I8},
      {"s8", reference::Element::I8},
      {"u16", reference::Element::I16},
      {"s16", reference::Element::I16},
      {"u32", reference::Element::I32},
      {"s32", reference::Element::I32},
      {"u64", reference::Element::I64},
      {"s64", reference::Element::I64},
      {"e4m3", reference::Element::F8E4M3FN},
      {"e5m2", reference::Element::F8E5M2}};
  for (auto [other, element] : others)
    if (name == other)
      return element;
  return reference::parseElement(name);
}

llvm::Expected<reference::NpyFile>
napkin::run::openArray(llvm::StringRef path, llvm::StringRef name) {
  // A device or a pipe has no end, or cannot be mapped.
  llvm::sys::fs::file_status status;
  if (!llvm::sys::fs::status(path, status) &&
      status.type() != llvm::sys::fs::file_type::regular_file)
    return failure(fmt::format("array '{}': '{}' is not a regular file; an "
                               "array of zeros is --in {}=zeros",
                               name.str(), path.str(), name.str()));
  auto npy = reference::NpyFile::open(path);
  if (!npy)
    return failure(
        fmt::format("array '{}': {}", name.str(), toString(npy.takeError())));
  return npy;
}

llvm::Expected<reference::Tensor>
napkin::run::readPiece(reference::NpyFile &file, uint64_t &left,
                       reference::Element element, llvm::StringRef name) {
  reference::NpyArray piece;
  piece.dtype = file.dtype();
  const uint64_t width = file.dtype()[2] - '0';
  piece.data.resize(std::min(left, pieceSize * width));
  left -= piece.data.size();
  if (auto e = file.read(piece.data.data(), piece.data.size()))
    return failure(
        fmt::format("array '{}': {}", name.str(), toString(std::move(e))));
  const int64_t count = piece.data.size() / width;
  piece.shape = {count};
  auto tensor = reference::tensorFromNpy(piece, {{"i", count}}, element, name);
  if (!tensor)
    return failure(toString(tensor.takeError()));
  return tensor;
}

llvm::Error napkin::run::checkShape(const reference::NpyFile &file,
                                    const executor::ManifestArray &array,
                                    reference::Element element) {
  std::vector<int64_t> sizes;
  for (const auto &[name, size] : array.axes)
    sizes.push_back(size);
  if (file.shape() == llvm::ArrayRef(sizes))
    return llvm::Error::success();
  // Whose message is the same without the elements.
  return failure(
      toString(reference::tensorFromNpy({file.dtype(), file.shape().vec(), {}},
                                        axesOf(array), element, array.name)
                   .takeError()));
}

llvm::Error napkin::run::splitFiles(llvm::ArrayRef<std::string> texts,
                                    llvm::StringRef option, Files &files) {
  for (const std::string &text : texts) {
    auto [name, path] = llvm::StringRef(text).split('=');
    if (name.empty() || path.empty())
      return failure(
          fmt::format("--{} {}: expected NAME=FILE.npy", option.str(), text));
    if (!files.try_emplace(name, path.str()).second)
      return failure(
          fmt::format("--{} names '{}' twice", option.str(), name.str()));
  }
  return llvm::Error::success();
}

static bool isInput(const executor::ManifestArray &array) {
  return array.role == Role::Input || array.role == Role::InOut;
}

/// The elements of a file as the device has them.
static llvm::Expected<std::vector<char>>
contentOfFile(const executor::ManifestArray &array, reference::NpyFile &npy,
              reference::Element element) {
  std::vector<char> content;
  // Those that are stored so need no other form.
  if (npy.dtype() == reference::npyType(element) &&
      element != reference::Element::I1 &&
      element != reference::Element::TF32) {
    content.resize(npy.bytes());
    if (auto e = npy.read(content.data(), content.size()))
      return failure(
          fmt::format("array '{}': {}", array.name, toString(std::move(e))));
    return std::move(content);
  }
  content.reserve(array.denseBytes());
  // The first piece says also of an empty file whether its type fits.
  uint64_t left = npy.bytes();
  do {
    auto piece = readPiece(npy, left, element, array.name);
    if (!piece)
      return piece.takeError();
    llvm::append_range(content, piece->toBytes());
  } while (left);
  return std::move(content);
}

/// One input, from its file or made up.
static llvm::Expected<std::vector<char>>
contentOf(const executor::ManifestArray &array, llvm::StringRef path,
          reference::Distribution distribution, uint64_t seed) {
  auto element = elementOf(array.element);
  if (!element)
    return failure(fmt::format("unknown element type '{}'", array.element));
  if (path == "zeros")
    return std::vector<char>(array.denseBytes());
  if (!path.empty()) {
    auto npy = openArray(path, array.name);
    if (!npy)
      return npy.takeError();
    if (auto e = checkShape(*npy, array, *element))
      return std::move(e);
    return contentOfFile(array, *npy, *element);
  }
  if (array.axes.empty() && array.bytes != reference::elementBytes(*element))
    return failure(fmt::format(
        "array '{}' has {} bytes and no axes: give it a file (--in {}=...)",
        array.name, array.bytes, array.name));
  if (array.bytes > executor::hostMemoryBytes() / 2)
    return failure(fmt::format(
        "array '{}' of {} bytes is too big to be made up; give --in {}=...",
        array.name, array.bytes, array.name));
  std::vector<char> content =
      reference::randomBytes(axesOf(array), *element, distribution, seed);
  reference::repeatElements(content, reference::elementBytes(*element),
                            axesOf(array), array.strides);
  return std::move(content);
}

llvm::Error napkin::run::loadInputs(const executor::Manifest &manifest,
                                    const Files &files,
                                    reference::Distribution distribution,
                                    uint64_t seed,
                                    executor::HostArrays &arrays) {
  for (const auto &file : files) {
    std::string known;
    bool isKnown = false;
    for (const executor::ManifestArray &array : manifest.arrays) {
      if (!isInput(array))
        continue;
      isKnown |= array.name == file.first();
      known += (known.empty() ? "" : ", ") + array.name;
    }
    if (!isKnown)
      return failure(fmt::format("--in {}: there is no such input; there are: "
                                 "{}",
                                 file.first().str(),
                                 known.empty() ? "none" : known));
  }
  for (size_t i = 0; i < manifest.arrays.size(); ++i) {
    const executor::ManifestArray &array = manifest.arrays[i];
    if (!isInput(array))
      continue;
    auto content =
        contentOf(array, files.lookup(array.name), distribution, seed + i);
    if (!content)
      return content.takeError();
    arrays[array.name] = std::move(*content);
  }
  return llvm::Error::success();
}

llvm::Expected<const executor::ManifestArray *>
napkin::run::findOutput(const executor::Manifest &manifest,
                        llvm::StringRef name, llvm::StringRef option) {
  std::string known;
  for (const executor::ManifestArray &array : manifest.arrays) {
    if (array.role != Role::Output && array.role != Role::InOut)
      continue;
    if (array.name == name)
      return &array;
    known += (known.empty() ? "" : ", ") + array.name;
  }
  return failure(fmt::format("--{} {}: there is no such output; there are: {}",
                             option.str(), name.str(),
                             known.empty() ? "none" : known));
}

llvm::Error napkin::run::saveOutput(const executor::ManifestArray &array,
                                    const std::vector<char> &bytes,
                                    llvm::StringRef path) {
  reference::NpyArray npy;
  auto element = elementOf(array.element);
  if (!element)
    return failure(fmt::format("unknown element type '{}'", array.element));
  npy.dtype = reference::npyType(*element).str();
  if (array.element[0] == 'u')
    npy.dtype[1] = 'u';
  for (const auto &[name, size] : array.axes)
    npy.shape.push_back(size);
  // A manifest may give bytes alone.
  if (array.axes.empty() && bytes.size() != reference::elementBytes(*element))
    npy.shape.push_back(bytes.size() / reference::elementBytes(*element));
  if (auto e = reference::writeNpy(path, npy, bytes))
    return failure(toString(std::move(e)));
  return llvm::Error::success();
}

/// The element type that a file's dtype stands for.
static std::string elementOfDtype(llvm::StringRef dtype) {
  if (dtype == "|b1")
    return "i1";
  std::string name = dtype[1] == 'f' ? "f" : dtype[1] == 'u' ? "u" : "i";
  return name + std::to_string(8 * (dtype[2] - '0'));
}

/// Sets the bytes of an array by its axes; false when that is beyond 2^40.
static bool setBytes(executor::ManifestArray &array) {
  // Empty axes count as one here: the bound holds for any product.
  uint64_t bytes = reference::elementBytes(*elementOf(array.element)),
           bound = bytes;
  for (const auto &[name, size] : array.axes) {
    if (uint64_t(size) > (uint64_t(1) << 40) / bound)
      return false;
    bound *= std::max<uint64_t>(1, size);
    bytes *= size;
  }
  array.bytes = bytes;
  return true;
}

/// Element and axes from the text "bf16[4,512]"; what it lacks is taken from
/// the array's file.
static llvm::Error parseShape(llvm::StringRef text, const Files &files,
                              executor::ManifestArray &array) {
  auto bad = [&](const std::string &what) {
    return failure(fmt::format("array '{}': {}", array.name, what));
  };
  auto [element, sizes] = text.split('[');
  array.element = element.str();
  if (!element.empty() && !elementOf(element))
    return bad(fmt::format("'{}' is no element type; they are f64, f32, tf32, "
                           "f16, bf16, e4m3, e5m2, i8 to i64, u8 to u64, i1",
                           element.str()));
  if (!text.contains('[')) {
    auto file = files.find(array.name);
    if (file == files.end() || file->second == "zeros")
      return bad(fmt::format("give element and sizes ({}:bf16[4,64]) or a file "
                             "(--in {}=FILE.npy)",
                             array.name, array.name));
    auto npy = openArray(file->second, array.name);
    if (!npy)
      return npy.takeError();
    if (element.empty())
      array.element = elementOfDtype(npy->dtype());
    for (int64_t size : npy->shape())
      array.axes.push_back({fmt::format("a{}", array.axes.size()), size});
  } else {
    if (element.empty() || !sizes.consume_back("]"))
      return bad(fmt::format("'{}' is not ELEMENT[SIZE,SIZE]", text.str()));
    llvm::SmallVector<llvm::StringRef, 6> parts;
    sizes.split(parts, ',', -1, false);
    for (llvm::StringRef part : parts) {
      uint64_t size;
      if (part.trim().getAsInteger(10, size) || size > uint64_t(1) << 40)
        return bad(
            fmt::format("bad size '{}' in '{}'", part.str(), text.str()));
      array.axes.push_back(
          {fmt::format("a{}", array.axes.size()), int64_t(size)});
    }
  }
  if (!setBytes(array))
    return bad("it is larger than 2^40 bytes");
  return llvm::Error::success();
}

static llvm::Error parseMap(const executor::Manifest &manifest,
                            llvm::StringRef text,
                            executor::ManifestArgument &argument) {
  auto [name, rest] = text.split(':');
  const executor::ManifestArray *array = nullptr;
  for (const executor::ManifestArray &a : manifest.arrays)
    if (a.name == name)
      array = &a;
  if (!array)
    return failure(fmt::format("map of unknown array '{}'", name.str()));
  executor::TensorMapInfo info;
  info.element = array->element;
  uint64_t stride = reference::elementBytes(*elementOf(array->element));
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
        return failure(fmt::format("bad number in '{}'", option.str()));
      if (key == "box")
        info.box.push_back(number);
      else if (key == "step")
        info.elementStrides.push_back(number);
      else if (key == "swizzle")
        info.swizzle = number;
      else
        return failure(fmt::format("unknown map option '{}'", key.str()));
    }
  }
  argument.array = name.str();
  argument.tensorMap = info;
  return llvm::Error::success();
}

static std::optional<Role> roleOf(llvm::StringRef word) {
  for (auto [name, role] :
       {std::pair("in", Role::Input), std::pair("out", Role::Output),
        std::pair("inout", Role::InOut), std::pair("tmp", Role::Temporary)})
    if (word == name)
      return role;
  return std::nullopt;
}

/// Declares the array of "NAME[:SHAPE]" unless an array has that name: then
/// SHAPE must be left out, or the same, and so must the role.
static llvm::Error declare(executor::Manifest &manifest, Role role,
                           llvm::StringRef name, llvm::StringRef shape,
                           const Files &files) {
  executor::ManifestArray array;
  array.name = name.str();
  array.role = role;
  if (name.empty())
    return failure("an array needs a name: in:NAME:bf16[4,64]");
  const executor::ManifestArray *known = nullptr;
  for (const executor::ManifestArray &a : manifest.arrays)
    if (a.name == name)
      known = &a;
  if (known && shape.empty() && known->role == role)
    return llvm::Error::success();
  if (auto e = parseShape(shape, files, array))
    return e;
  if (!known) {
    manifest.arrays.push_back(std::move(array));
    return llvm::Error::success();
  }
  if (known->role != role || known->element != array.element ||
      known->axes != array.axes)
    return failure(
        fmt::format("array '{}' is declared twice, differently", name.str()));
  return llvm::Error::success();
}

llvm::Error napkin::run::addArray(executor::Manifest &manifest,
                                  llvm::StringRef text, const Files &files) {
  auto [kind, rest] = text.split(':');
  auto role = roleOf(kind);
  if (!role)
    return failure(fmt::format("--array {}: expected in:, out:, inout: or tmp:",
                               text.str()));
  auto [name, shape] = rest.split(':');
  return declare(manifest, *role, name, shape, files);
}

/// The bytes of "i32:5", "f32:0.5", ... without the type.
static llvm::Expected<std::vector<char>> parseScalar(reference::Element element,
                                                     bool isUnsigned,
                                                     llvm::StringRef value) {
  uint64_t bits = 0;
  unsigned width = reference::elementBytes(element);
  if (reference::isFloat(element)) {
    double number;
    if (value.getAsDouble(number))
      return failure(fmt::format("'{}' is not a number", value.str()));
    bits = reference::encodeFloat(element, number);
  } else {
    int64_t number;
    // Both the signed and the unsigned range of the width are accepted.
    if (value.getAsInteger(0, number)) {
      if (width < 8 || value.getAsInteger(0, bits))
        return failure(fmt::format("'{}' is not an integer", value.str()));
    } else {
      bits = number;
      if (width < 8 && (number >= int64_t(1) << 8 * width ||
                        number < -(int64_t(1) << (8 * width - 1))))
        return failure(
            fmt::format("{} does not fit into {} bytes", number, width));
    }
    if (isUnsigned && value.starts_with("-"))
      return failure(fmt::format("'{}' is negative", value.str()));
  }
  std::vector<char> bytes(width);
  std::memcpy(bytes.data(), &bits, width);
  return bytes;
}

/// The bytes of a struct: "64" zeros, "0x0a0b0c", or the content of a file.
static llvm::Expected<std::vector<char>> parseBytes(llvm::StringRef text) {
  constexpr uint64_t limit = 32764; // of PTX's parameters
  std::string content;
  uint64_t size;
  if (text.consume_front("0x")) {
    if (text.size() % 2 || !llvm::tryGetFromHex(text, content))
      return failure(fmt::format(
          "'0x{}' is not an even number of hexadecimal digits", text.str()));
  } else if (!text.getAsInteger(10, size)) {
    content.resize(std::min(size, limit + 1));
  } else if (!llvm::sys::fs::is_regular_file(text)) {
    return failure(fmt::format("there is no file '{}' (a number is a size, "
                               "0x... are bytes, else it is a file)",
                               text.str()));
  } else {
    auto file = llvm::MemoryBuffer::getFile(text, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
    if (!file)
      return failure(fmt::format("cannot read '{}': {}", text.str(),
                                 file.getError().message()));
    content = (*file)->getBuffer().str();
  }
  if (content.empty() || content.size() > limit)
    return failure(fmt::format("a struct has 1 to {} bytes", limit));
  return std::vector<char>(content.begin(), content.end());
}

static llvm::Error parseArgument(executor::Manifest &manifest,
                                 llvm::StringRef text, const Files &files,
                                 executor::ManifestArgument &argument);

/// "64;0=in:q:bf16[4,64];8=i32:5": bytes, then fields at offsets.
static llvm::Error parseStruct(executor::Manifest &manifest,
                               llvm::StringRef text, const Files &files,
                               executor::ManifestArgument &argument) {
  llvm::SmallVector<llvm::StringRef, 8> parts;
  text.split(parts, ';', -1, false);
  auto bytes = parseBytes(parts.empty() ? "" : parts[0].trim());
  if (!bytes)
    return bytes.takeError();
  argument.bytes = std::move(*bytes);
  for (llvm::StringRef part : llvm::drop_begin(parts)) {
    auto [offset, value] = part.trim().split('=');
    executor::ManifestField field;
    if (offset.getAsInteger(0, field.offset) || value.starts_with("bytes:"))
      return failure(fmt::format(
          "'{}' is not OFFSET=ARGUMENT (a scalar, an array or a map)",
          part.str()));
    if (auto e = parseArgument(manifest, value, files, field.value))
      return e;
    uint64_t size = field.value.tensorMap        ? 128
                    : !field.value.array.empty() ? 8
                                                 : field.value.bytes.size();
    if (field.offset > argument.bytes.size() ||
        size > argument.bytes.size() - field.offset)
      return failure(fmt::format("field '{}' of {} bytes leaves the struct of "
                                 "{}",
                                 part.str(), size, argument.bytes.size()));
    argument.fields.push_back(std::move(field));
  }
  return llvm::Error::success();
}

static llvm::Error parseArgument(executor::Manifest &manifest,
                                 llvm::StringRef text, const Files &files,
                                 executor::ManifestArgument &argument) {
  auto [kind, rest] = text.split(':');
  if (kind == "map")
    return parseMap(manifest, rest, argument);
  if (kind == "bytes")
    return parseStruct(manifest, rest, files, argument);
  if (auto role = roleOf(kind)) {
    auto [name, shape] = rest.split(':');
    if (auto e = declare(manifest, *role, name, shape, files))
      return e;
    argument.array = name.str();
  } else if (kind == "null") {
    argument.bytes.resize(8);
  } else if (auto element = elementOf(kind)) {
    auto bytes = parseScalar(*element, kind[0] == 'u', rest);
    if (!bytes)
      return bytes.takeError();
    argument.bytes = std::move(*bytes);
  } else {
    return failure("expected i32:N, f32:X (or another type), null, "
                   "in:NAME:SHAPE, out:..., inout:..., tmp:..., "
                   "map:NAME:OPTIONS or bytes:SIZE;OFFSET=ARGUMENT");
  }
  return llvm::Error::success();
}

llvm::Error napkin::run::addArgument(executor::Manifest &manifest,
                                     llvm::StringRef text, const Files &files) {
  executor::ManifestArgument argument;
  if (auto e = parseArgument(manifest, text, files, argument)) {
    std::string why = toString(std::move(e));
    llvm::StringRef rest = why;
    rest.consume_front("error: ");
    // What is wrong with an array or a map names it already.
    if (rest.starts_with("array '") || text.starts_with("map:"))
      return failure(rest.str());
    return failure(fmt::format("--arg {}: {}", text.str(), rest.str()));
  }
  manifest.kernels[0].arguments.push_back(std::move(argument));
  return llvm::Error::success();
}
