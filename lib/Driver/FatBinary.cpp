//===- FatBinary.cpp - The PTX in what nvcc embeds -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Offsets as nvcc 13.0 writes them, read from its outputs under each
// --compress-mode.
//
//===----------------------------------------------------------------------===//

#include "FatBinary.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Compression.h"
#include "llvm/Support/Endian.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::driver;
using llvm::support::endian::read16le;
using llvm::support::endian::read32le;
using llvm::support::endian::read64le;

/// First words: of the structure in .nvFatBinSegment, of what it points to, of
/// ELF.
static constexpr uint32_t wrapperMagic = 0x466243b1, fatMagic = 0xba55ed50,
                          elfMagic = 0x464c457f;
static constexpr uint64_t flagLz4 = 0x2000, flagZstd = 0x8000;
/// No PTX is as large.
static constexpr uint64_t largestText = uint64_t(1) << 30;

namespace {
/// An entry of a fat binary.
struct Entry {
  explicit Entry(const char *at)
      : isPtx(read16le(at) == 1), headerBytes(read32le(at + 4)),
        bytes(read64le(at + 8)), compressedBytes(read32le(at + 16)),
        capability(read32le(at + 28)), flags(read64le(at + 40)),
        expandedBytes(read64le(at + 56)), payload(at + headerBytes) {}
  static constexpr uint64_t leastHeader = 64;

  bool isPtx;
  uint32_t headerBytes;
  uint64_t bytes;
  uint32_t compressedBytes, capability;
  uint64_t flags, expandedBytes;
  const char *payload;
};
} // namespace

static llvm::Error failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 what.c_str());
}

/// Text without the zeros behind it.
static std::string trimmed(llvm::StringRef text) {
  return text.take_until([](char c) { return !c; }).str();
}

static llvm::Expected<std::string> textOf(const Entry &entry) {
  if (!(entry.flags & (flagLz4 | flagZstd)))
    return trimmed({entry.payload, size_t(entry.bytes)});
  if (entry.compressedBytes > entry.bytes || entry.expandedBytes > largestText)
    return failure("a fat binary with sizes that do not fit");
  llvm::StringRef from(entry.payload, entry.compressedBytes);
  if (entry.flags & flagLz4) {
    std::string text;
    if (!expandLz4(from, entry.expandedBytes, text))
      return failure("a fat binary's PTX does not expand (LZ4)");
    return trimmed(text);
  }
  if (!llvm::compression::zstd::isAvailable())
    return failure("the PTX is compressed by zstd, which LLVM was built "
                   "without; use nvcc --compress-mode=speed");
  llvm::SmallVector<uint8_t> text;
  if (auto error = llvm::compression::zstd::decompress(
          llvm::ArrayRef(from.bytes_begin(), from.size()), text,
          entry.expandedBytes))
    return failure("a fat binary's PTX does not expand: " +
                   toString(std::move(error)));
  return trimmed({reinterpret_cast<const char *>(text.data()), text.size()});
}

/// Whether PTX names an architecture whose code runs on that one alone.
static bool isArchitectureSpecific(llvm::StringRef text) {
  size_t at = text.find(".target");
  if (at == llvm::StringRef::npos)
    return false;
  llvm::StringRef word = text.substr(at + 7).ltrim().take_while(
      [](char c) { return isalnum(c) || c == '_'; });
  return word.ends_with("a") || word.ends_with("f");
}

static llvm::Expected<Image> readFat(const char *fat, uint64_t bytes,
                                     unsigned capability) {
  constexpr uint64_t leastBytes = 16;
  if (bytes < leastBytes || read64le(fat + 8) > bytes - leastBytes)
    return failure("a fat binary that is cut off");
  const char *at = fat + read16le(fat + 6), *end = at + read64le(fat + 8);
  Image image;
  unsigned best = 0;
  std::string others;
  while (at + Entry::leastHeader <= end) {
    Entry entry(at);
    const uint64_t room = end - at;
    if (entry.headerBytes < Entry::leastHeader || entry.headerBytes > room ||
        entry.bytes > room - entry.headerBytes)
      return failure("a fat binary with an entry that leaves it");
    at = entry.payload + entry.bytes;
    others +=
        fmt::format("{}{} for sm_{}", others.empty() ? "" : ", ",
                    entry.isPtx ? "PTX" : "machine code", entry.capability);
    if (!entry.isPtx || entry.capability > capability ||
        entry.capability < best)
      continue;
    auto text = textOf(entry);
    if (!text)
      return text.takeError();
    if (isArchitectureSpecific(*text) && entry.capability != capability)
      continue;
    best = entry.capability;
    image.ptx = std::move(*text);
  }
  image.nothingFits = image.ptx.empty();
  if (image.nothingFits)
    image.ptx = others.empty() ? "nothing" : others;
  return image;
}

llvm::Expected<Image> napkin::driver::readImage(const void *image,
                                                uint64_t bytes,
                                                unsigned capability) {
  const char *at = static_cast<const char *>(image);
  // A text may be shorter than a word.
  const uint32_t magic = at[0] && at[1] && at[2] ? read32le(at) : 0;
  if (magic == wrapperMagic) {
    const char *inner;
    std::memcpy(&inner, at + 8, sizeof inner);
    if (!inner || read32le(inner) != fatMagic)
      return failure("the wrapper of a fat binary holds none");
    return readFat(inner, ~uint64_t(0), capability);
  }
  if (magic == fatMagic)
    return readFat(at, bytes, capability);
  Image result;
  if (magic == elfMagic) {
    result.ptx = "machine code (a cubin)";
    result.nothingFits = true;
    return result;
  }
  result.ptx = at;
  return result;
}

bool napkin::driver::expandLz4(llvm::StringRef from, size_t bytes,
                               std::string &to) {
  to.reserve(bytes);
  size_t at = 0;
  auto length = [&](size_t start) {
    // 15 goes on in bytes until one is below 255.
    for (uint8_t next = 255; start >= 15 && next == 255; start += next) {
      if (at == from.size())
        return ~size_t(0);
      next = uint8_t(from[at++]);
      if (start > largestText)
        return ~size_t(0);
    }
    return start;
  };
  while (at < from.size()) {
    const uint8_t token = from[at++];
    const size_t literals = length(token >> 4);
    if (literals > from.size() - at || literals > bytes - to.size())
      return false;
    to.append(from.data() + at, literals);
    at += literals;
    if (at == from.size())
      break;
    if (from.size() - at < 2)
      return false;
    const size_t offset = read16le(from.data() + at);
    at += 2;
    size_t matched = length(token & 15);
    if (matched > bytes || !offset || offset > to.size())
      return false;
    matched += 4;
    if (matched > bytes - to.size())
      return false;
    // The ranges may overlap: byte by byte.
    for (size_t i = 0; i < matched; ++i)
      to.push_back(to[to.size() - offset]);
  }
  return to.size() == bytes;
}
