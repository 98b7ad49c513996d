//===- Npy.cpp - arrays in NumPy's file format ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The format: 6 magic bytes, two of version, the length of the header (2 bytes
// in version 1, 4 later), a Python dictionary as text, then the elements.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Npy.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Alignment.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <utility>

using namespace napkin::reference;
using llvm::StringRef;

static constexpr llvm::StringLiteral magic("\x93"
                                           "NUMPY");

StringRef napkin::reference::npyType(Element element) {
  switch (element) {
  case Element::F64:
    return "<f8";
  case Element::F32:
  case Element::TF32:
    return "<f4";
  case Element::F16:
    return "<f2";
  case Element::BF16:
    return "<u2";
  case Element::F8E4M3FN:
  case Element::F8E5M2:
    return "|u1";
  case Element::I8:
    return "|i1";
  case Element::I16:
    return "<i2";
  case Element::I32:
    return "<i4";
  case Element::I64:
    return "<i8";
  case Element::I1:
    return "|b1";
  }
  llvm_unreachable("unknown element type");
}

/// Bytes of one element of \p dtype, or 0 when it is not one that we read.
static unsigned dtypeBytes(StringRef dtype) {
  return llvm::StringSwitch<unsigned>(dtype)
      .Cases({"|b1", "|i1", "|u1", "<i1", "<u1"}, 1)
      .Cases({"<f2", "<i2", "<u2"}, 2)
      .Cases({"<f4", "<i4", "<u4"}, 4)
      .Cases({"<f8", "<i8", "<u8"}, 8)
      .Default(0);
}

namespace {

/// Parses the header's dictionary.
class HeaderParser {
public:
  explicit HeaderParser(StringRef text) : rest(text) {}

  /// Parses the whole dictionary; returns what is wrong, or "".
  std::string parse(NpyArray &array) {
    bool fortranOrder = false, hasType = false, hasOrder = false,
         hasShape = false;
    if (!consume("{"))
      return "the header is not a dictionary";
    while (!consume("}")) {
      std::string key;
      if (!parseString(key) || !consume(":"))
        return "the header's dictionary is malformed";
      if (key == "descr") {
        hasType = true;
        if (!parseString(array.dtype))
          return "structured element types are not supported";
      } else if (key == "fortran_order") {
        hasOrder = true;
        if (consume("True"))
          fortranOrder = true;
        else if (!consume("False"))
          return "'fortran_order' is neither True nor False";
      } else if (key == "shape") {
        hasShape = true;
        if (!parseShape(array.shape))
          return "'shape' is not a tuple of sizes";
      } else {
        return "the header has an unknown key '" + key + "'";
      }
      if (!consume(",") && !rest.ltrim().starts_with("}"))
        return "the header's dictionary is malformed";
    }
    if (!rest.trim().empty())
      return "something follows the header's dictionary";
    if (!hasType || !hasOrder || !hasShape)
      return "the header lacks 'descr', 'fortran_order' or 'shape'";
    if (fortranOrder && array.shape.size() > 1)
      return "the array is in Fortran order; store it with "
             "numpy.ascontiguousarray";
    return "";
  }

private:
  bool consume(StringRef token) {
    rest = rest.ltrim();
    return rest.consume_front(token);
  }

  bool parseString(std::string &value) {
    rest = rest.ltrim();
    if (rest.empty() || (rest.front() != '\'' && rest.front() != '"'))
      return false;
    size_t end = rest.find(rest.front(), 1);
    if (end == StringRef::npos)
      return false;
    value = rest.substr(1, end - 1).str();
    rest = rest.drop_front(end + 1);
    return true;
  }

  bool parseShape(std::vector<int64_t> &shape) {
    shape.clear();
    if (!consume("("))
      return false;
    while (!consume(")")) {
      rest = rest.ltrim();
      uint64_t size;
      if (rest.consumeInteger(10, size) ||
          size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return false;
      shape.push_back(static_cast<int64_t>(size));
      if (!consume(",") && !rest.ltrim().starts_with(")"))
        return false;
    }
    return true;
  }

  StringRef rest;
};

} // namespace

static llvm::Error failure(StringRef name, const llvm::Twine &what) {
  return llvm::createStringError(name + ": " + what);
}

/// Bytes of magic, version and length; as many tell where the elements begin.
static constexpr size_t leastPrefix = 12;
/// Far longer than any header that NumPy writes.
static constexpr uint64_t longestHeader = 1 << 20;

/// Where the dictionary of a file of \p fileBytes begins and ends, by its first
/// bytes.
static llvm::Expected<std::pair<uint64_t, uint64_t>>
findHeader(StringRef prefix, uint64_t fileBytes, StringRef name) {
  if (!prefix.starts_with(magic))
    return failure(name,
                   "not a .npy file: it does not begin with '\\x93NUMPY'");
  if (fileBytes < 10)
    return failure(name, "truncated in the header");
  unsigned major = static_cast<unsigned char>(prefix[6]);
  if (major < 1 || major > 3)
    return failure(name, "format version " + llvm::Twine(major) +
                             " is not supported; versions 1 to 3 are");
  uint64_t start = major == 1 ? 10 : 12;
  if (fileBytes < start)
    return failure(name, "truncated in the header");
  uint64_t length = major == 1
                        ? llvm::support::endian::read16le(prefix.data() + 8)
                        : llvm::support::endian::read32le(prefix.data() + 8);
  if (length > fileBytes - start)
    return failure(name, "truncated in the header: it has " +
                             llvm::Twine(fileBytes - start) + " of " +
                             llvm::Twine(length) + " bytes");
  if (length > longestHeader)
    return failure(name, "the header has " + llvm::Twine(length) +
                             " bytes; at most " + llvm::Twine(longestHeader) +
                             " are read");
  return std::make_pair(start, start + length);
}

/// Parses the dictionary \p text of a file with \p dataBytes of elements.
static llvm::Error parseHeader(StringRef text, uint64_t dataBytes,
                               StringRef name, NpyArray &array) {
  std::string problem = HeaderParser(text).parse(array);
  if (!problem.empty())
    return failure(name, problem);
  unsigned width = dtypeBytes(array.dtype);
  if (width == 0)
    return failure(name,
                   "element type '" + array.dtype +
                       "' is not supported; store little-endian floats or "
                       "integers");
  int64_t bytes = width;
  for (int64_t size : array.shape)
    if (llvm::MulOverflow(bytes, size, bytes))
      return failure(name, "the shape is larger than 2^63 bytes");
  if (dataBytes == static_cast<uint64_t>(bytes))
    return llvm::Error::success();
  return failure(
      name,
      (dataBytes < static_cast<uint64_t>(bytes) ? "truncated" : "too long") +
          llvm::Twine(": the shape asks for ") + llvm::Twine(bytes) +
          " bytes of elements, but the file has " + llvm::Twine(dataBytes));
}

llvm::Expected<NpyArray> napkin::reference::parseNpy(StringRef content,
                                                     StringRef name) {
  auto header = findHeader(content, content.size(), name);
  if (!header)
    return header.takeError();
  StringRef data = content.drop_front(header->second);
  NpyArray array;
  if (llvm::Error error =
          parseHeader(content.slice(header->first, header->second), data.size(),
                      name, array))
    return std::move(error);
  array.data.assign(data.begin(), data.end());
  return array;
}

NpyFile::NpyFile(NpyFile &&other)
    : header(std::move(other.header)), elementBytes(other.elementBytes),
      path(std::move(other.path)), file(std::exchange(other.file, -1)) {}

NpyFile::~NpyFile() {
  if (file >= 0)
    llvm::sys::fs::closeFile(file);
}

llvm::Error NpyFile::read(char *to, uint64_t count) {
  while (count) {
    llvm::Expected<size_t> got = llvm::sys::fs::readNativeFile(
        file, llvm::MutableArrayRef<char>(
                  to, std::min<uint64_t>(count, uint64_t(1) << 30)));
    if (!got)
      return llvm::createStringError("cannot read " + path + ": " +
                                     llvm::toString(got.takeError()));
    if (*got == 0)
      return failure(path, "truncated while it was read");
    to += *got;
    count -= *got;
  }
  return llvm::Error::success();
}

llvm::Expected<NpyFile> NpyFile::open(StringRef path) {
  NpyFile npy;
  npy.path = path.str();
  auto cannotRead = [&](std::error_code code) {
    return llvm::createStringError(code, "cannot read " + path + ": " +
                                             code.message());
  };
  if (std::error_code code = llvm::sys::fs::openFileForRead(path, npy.file))
    return cannotRead(code);
  llvm::sys::fs::file_status status;
  if (std::error_code code = llvm::sys::fs::status(npy.file, status))
    return cannotRead(code);
  std::string text(std::min<uint64_t>(leastPrefix, status.getSize()), 0);
  if (llvm::Error error = npy.read(text.data(), text.size()))
    return std::move(error);
  auto bounds = findHeader(text, status.getSize(), path);
  if (!bounds)
    return bounds.takeError();
  auto [start, end] = *bounds;
  // A short header may end inside of what was read.
  const uint64_t had = text.size();
  if (end < had)
    return failure(path, "the header is not a dictionary");
  text.resize(end);
  if (llvm::Error error = npy.read(text.data() + had, end - had))
    return std::move(error);
  npy.elementBytes = status.getSize() - end;
  if (llvm::Error error = parseHeader(StringRef(text).slice(start, end),
                                      npy.elementBytes, path, npy.header))
    return std::move(error);
  return npy;
}

llvm::Expected<NpyArray> napkin::reference::readNpy(StringRef path) {
  llvm::Expected<NpyFile> file = NpyFile::open(path);
  if (!file)
    return file.takeError();
  NpyArray array;
  array.dtype = file->dtype();
  array.shape = file->shape().vec();
  array.data.resize(file->bytes());
  if (llvm::Error error = file->read(array.data.data(), array.data.size()))
    return std::move(error);
  return array;
}

llvm::Error napkin::reference::writeNpy(StringRef path, const NpyArray &array) {
  return writeNpy(path, array, array.data);
}

llvm::Error napkin::reference::writeNpy(StringRef path, const NpyArray &array,
                                        llvm::ArrayRef<char> data) {
  std::string header =
      "{'descr': '" + array.dtype + "', 'fortran_order': False, 'shape': (";
  for (int64_t size : array.shape)
    header += std::to_string(size) + ", ";
  // A tuple of one keeps its comma; others may.
  if (!array.shape.empty())
    header.pop_back();
  header += "), }";
  // Elements begin at a multiple of 64 bytes; the header ends with a newline.
  unsigned start = header.size() + 1 + 10 <= 65535 ? 10 : 12;
  header.append(
      llvm::offsetToAlignment(start + header.size() + 1, llvm::Align(64)), ' ');
  header += '\n';
  llvm::Error error =
      llvm::writeToOutput(path, [&](llvm::raw_ostream &out) -> llvm::Error {
        char length[4];
        llvm::support::endian::write32le(length, header.size());
        out << magic << (start == 10 ? '\x01' : '\x02') << '\0';
        out.write(length, start - 8);
        out << header;
        out.write(data.data(), data.size());
        return llvm::Error::success();
      });
  if (!error)
    return error;
  return llvm::createStringError("cannot write " + path + ": " +
                                 llvm::toString(std::move(error)));
}

llvm::Expected<Tensor> napkin::reference::tensorFromNpy(const NpyArray &array,
                                                        std::vector<Axis> axes,
                                                        Element element,
                                                        StringRef name) {
  auto fail = [&](const llvm::Twine &what) {
    return llvm::createStringError("array '" + name + "': " + what);
  };
  auto text = [](llvm::ArrayRef<int64_t> sizes) {
    std::string result = "(";
    for (int64_t size : sizes)
      result += (result.size() > 1 ? ", " : "") + std::to_string(size);
    return result + ")";
  };
  std::vector<int64_t> wanted;
  for (const Axis &axis : axes)
    wanted.push_back(axis.size);
  if (wanted != array.shape)
    return fail("the file has shape " + text(array.shape) +
                ", but the diagram declares " + text(wanted));
  if (array.dtype == npyType(element))
    return Tensor::fromBytes(std::move(axes), element, array.data);
  // Integers of either sign, and unsigned integers in place of a short float,
  // are taken as bits.
  if (dtypeBytes(array.dtype) == elementBytes(element)) {
    bool isUnsigned = array.dtype[1] == 'u', isSigned = array.dtype[1] == 'i';
    if (isFloat(element) ? isUnsigned && elementBytes(element) <= 2
                         : (isUnsigned || isSigned) && element != Element::I1)
      return Tensor::fromBytes(std::move(axes), element, array.data);
  }
  std::optional<Element> stored;
  for (Element candidate : {Element::F64, Element::F32, Element::F16})
    if (array.dtype == npyType(candidate))
      stored = candidate;
  if (!stored || !isFloat(element))
    return fail("the file holds '" + array.dtype + "', but elements of " +
                elementName(element) + " are stored as '" + npyType(element) +
                "'");
  llvm::Expected<Tensor> tensor =
      Tensor::fromBytes(std::move(axes), *stored, array.data);
  if (!tensor)
    return tensor.takeError();
  tensor->element = element;
  roundTo(element, tensor->floats);
  return tensor;
}

NpyArray napkin::reference::npyFromTensor(const Tensor &tensor) {
  NpyArray array;
  array.dtype = npyType(tensor.element).str();
  for (const Axis &axis : tensor.axes)
    array.shape.push_back(axis.size);
  array.data = tensor.toBytes();
  return array;
}
