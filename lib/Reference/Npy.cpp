//===- Npy.cpp - arrays in NumPy's file format ----------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The format: 6 magic bytes, two of version, the length of the header (2 bytes
// in version 1, 4 later), a Python dictionary as text, then the elements.
//===----------------------------------------------------------------------===//

#include "napkin/Reference/Npy.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSwitch.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"

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

llvm::Expected<NpyArray> napkin::reference::parseNpy(StringRef content,
                                                     StringRef name) {
  auto fail = [&](const llvm::Twine &what) {
    return llvm::createStringError(name + ": " + what);
  };
  if (!content.starts_with(magic))
    return fail("not a .npy file: it does not begin with '\\x93NUMPY'");
  if (content.size() < 10)
    return fail("truncated in the header");
  unsigned major = static_cast<unsigned char>(content[6]);
  if (major < 1 || major > 3)
    return fail("format version " + llvm::Twine(major) +
                " is not supported; versions 1 to 3 are");
  size_t start = major == 1 ? 10 : 12;
  if (content.size() < start)
    return fail("truncated in the header");
  uint64_t length = major == 1
                        ? llvm::support::endian::read16le(content.data() + 8)
                        : llvm::support::endian::read32le(content.data() + 8);
  if (length > content.size() - start)
    return fail("truncated in the header: it has " +
                llvm::Twine(content.size() - start) + " of " +
                llvm::Twine(length) + " bytes");
  NpyArray array;
  std::string problem =
      HeaderParser(content.substr(start, length)).parse(array);
  if (!problem.empty())
    return fail(problem);
  unsigned width = dtypeBytes(array.dtype);
  if (width == 0)
    return fail("element type '" + array.dtype +
                "' is not supported; store little-endian floats or integers");
  int64_t bytes = width;
  for (int64_t size : array.shape)
    if (llvm::MulOverflow(bytes, size, bytes))
      return fail("the shape is larger than 2^63 bytes");
  StringRef data = content.drop_front(start + length);
  if (data.size() != static_cast<uint64_t>(bytes))
    return fail((data.size() < static_cast<uint64_t>(bytes) ? "truncated"
                                                            : "too long") +
                llvm::Twine(": the shape asks for ") + llvm::Twine(bytes) +
                " bytes of elements, but the file has " +
                llvm::Twine(data.size()));
  array.data.assign(data.begin(), data.end());
  return array;
}

llvm::Expected<NpyArray> napkin::reference::readNpy(StringRef path) {
  auto buffer = llvm::MemoryBuffer::getFile(path, /*IsText=*/false,
                                            /*RequiresNullTerminator=*/false);
  if (std::error_code code = buffer.getError())
    return llvm::createStringError(code, "cannot read " + path + ": " +
                                             code.message());
  return parseNpy((*buffer)->getBuffer(), path);
}

llvm::Error napkin::reference::writeNpy(StringRef path, const NpyArray &array) {
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
        out.write(array.data.data(), array.data.size());
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
