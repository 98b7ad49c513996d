//===- TensorMap.cpp - The 128 bytes of a tensor map -----------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Encoding, decoding, the driver's checks, and tensormap.replace.
//
//===----------------------------------------------------------------------===//

#include "Async/TensorMap.h"
#include "napkin/Executor/Manifest.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin::executor;

static const char magic[8] = {'n', 'a', 'p', 'k', 'i', 'n', 'T', 'M'};

template <class T>
static T get(const void *bytes, unsigned offset) {
  T value;
  std::memcpy(&value, static_cast<const char *>(bytes) + offset, sizeof(T));
  return value;
}
template <class T>
static void put(void *bytes, unsigned offset, T value) {
  std::memcpy(static_cast<char *>(bytes) + offset, &value, sizeof(T));
}
static void putBits(void *bytes, unsigned offset, unsigned low, unsigned width,
                    uint32_t value) {
  uint32_t word = get<uint32_t>(bytes, offset), mask = ((1u << width) - 1)
                                                       << low;
  put(bytes, offset, (word & ~mask) | ((value << low) & mask));
}

static unsigned bytesOfType(unsigned type) {
  static const unsigned sizes[] = {1, 2, 4, 4, 8, 8, 2, 4, 4, 8, 2};
  return type < 11 ? sizes[type] : 0;
}

bool TensorMap::isMap(const void *b) {
  return !std::memcmp(static_cast<const char *>(b) + 120, magic, 8) ||
         (get<uint32_t>(b, 8) & 15) == 2;
}

TensorMap TensorMap::decode(const void *b) {
  TensorMap m;
  m.address = get<uint64_t>(b, 0);
  uint32_t word = get<uint32_t>(b, 8);
  m.rank = ((word >> 4) & 7) + 1;
  m.elementType = (word >> 7) & 15;
  m.elementBytes = bytesOfType(m.elementType);
  m.interleave = (word >> 11) & 3;
  m.swizzle = (word >> 13) & 3;
  m.nanFill = (word >> 15) & 1;
  uint32_t high = get<uint32_t>(b, 0x1c), steps = get<uint32_t>(b, 0x34);
  for (unsigned d = 0; d < 4; ++d)
    m.stride[d] = (uint64_t(get<uint32_t>(b, 0x0c + 4 * d)) |
                   uint64_t((high >> (4 * d)) & 15) << 32)
                  << 4;
  for (unsigned d = 0; d < 5; ++d) {
    m.size[d] = uint64_t(get<uint32_t>(b, 0x20 + 4 * d)) + 1;
    m.step[d] = ((steps >> (3 * d)) & 7) + 1;
    m.box[d] = d ? get<uint8_t>(b, 0x38 + d - 1) + 1u : (steps >> 24) + 1;
  }
  return m;
}

void TensorMap::encode(void *b) const {
  std::memset(b, 0, 128);
  put(b, 0, address);
  put(b, 8,
      uint32_t((rank - 1) << 4 | elementType << 7 | interleave << 11 |
               swizzle << 13 | uint32_t(nanFill) << 15));
  uint32_t high = 0, steps = (box[0] - 1) << 24;
  for (unsigned d = 0; d < 4; ++d) {
    put(b, 0x0c + 4 * d, uint32_t(stride[d] >> 4));
    high |= uint32_t((stride[d] >> 36) & 15) << (4 * d);
  }
  for (unsigned d = 0; d < 5; ++d) {
    put(b, 0x20 + 4 * d, uint32_t(size[d] - 1));
    steps |= (step[d] - 1) << (3 * d);
    if (d)
      put(b, 0x38 + d - 1, uint8_t(box[d] - 1));
  }
  put(b, 0x1c, high);
  put(b, 0x34, steps);
  std::memcpy(static_cast<char *>(b) + 120, magic, 8);
}

std::string TensorMap::check() const {
  if (rank > 5)
    return fmt::format("its rank is {}", rank);
  if (!elementBytes)
    return fmt::format("its element type {} is unknown", elementType);
  if (interleave)
    return "interleaved layouts are not supported";
  if (address & 15)
    return fmt::format("its global address {:#x} is not a multiple of 16",
                       address);
  for (unsigned d = 0; d + 1 < rank; ++d)
    if (stride[d] & 15)
      return fmt::format("its stride {} is {}, not a multiple of 16", d,
                         stride[d]);
  uint64_t inner = uint64_t(box[0]) * elementBytes;
  if (inner & 15)
    return fmt::format("its inner box has {} bytes, not a multiple of 16",
                       inner);
  if (swizzle && inner > 16u << swizzle)
    return fmt::format("its inner box has {} bytes, more than the swizzle's {}",
                       inner, 16 << swizzle);
  return "";
}

bool napkin::executor::replaceField(void *b, TensorMapField field,
                                    unsigned index, uint64_t value) {
  switch (field) {
  case TensorMapField::GlobalAddress:
    put(b, 0, value);
    return true;
  case TensorMapField::Rank:
    putBits(b, 8, 4, 3, value);
    return value < 5;
  case TensorMapField::ElemType:
    putBits(b, 8, 7, 4, value);
    return value < 11;
  case TensorMapField::InterleaveLayout:
    putBits(b, 8, 11, 2, value);
    return value < 3;
  case TensorMapField::SwizzleMode:
    putBits(b, 8, 13, 2, value);
    return value < 4;
  case TensorMapField::FillMode:
    putBits(b, 8, 15, 1, value);
    return value < 2;
  case TensorMapField::GlobalDim:
    put(b, 0x20 + 4 * index, uint32_t(value - 1));
    return index < 5;
  case TensorMapField::GlobalStride:
    put(b, 0x0c + 4 * index, uint32_t(value >> 4));
    putBits(b, 0x1c, 4 * index, 4, uint32_t(value >> 36));
    return index < 4 && !(value & 15);
  case TensorMapField::ElementStride:
    putBits(b, 0x34, 3 * index, 3, uint32_t(value - 1));
    return index < 5 && value >= 1 && value <= 8;
  case TensorMapField::BoxDim:
    if (index == 0)
      putBits(b, 0x34, 24, 8, uint32_t(value - 1));
    else
      put(b, 0x38 + index - 1, uint8_t(value - 1));
    return index < 5 && value >= 1 && value <= 256;
  }
  return false;
}

llvm::Expected<std::vector<char>>
napkin::executor::encodeTensorMap(uint64_t address, const TensorMapInfo &info) {
  auto fail = [](const std::string &what) {
    return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                   "tensor map: %s", what.c_str());
  };
  static const std::pair<const char *, unsigned> types[] = {
      {"i8", 0},  {"u8", 0},       {"u16", 1},    {"u32", 2}, {"u64", 4},
      {"i1", 0},  {"f8E4M3FN", 0}, {"f8E5M2", 0}, {"i32", 3}, {"i64", 5},
      {"f16", 6}, {"f32", 7},      {"tf32", 7},   {"f64", 9}, {"bf16", 10}};
  TensorMap m;
  bool known = false;
  for (auto [name, code] : types)
    if (info.element == name) {
      m.elementType = code;
      known = true;
    }
  if (!known)
    return fail(fmt::format("unknown element type '{}'", info.element));
  m.elementBytes = bytesOfType(m.elementType);
  m.address = address;
  m.rank = info.sizes.size();
  if (m.rank < 1 || m.rank > 5)
    return fail(fmt::format("{} dimensions, expected 1 to 5", m.rank));
  if (info.box.size() != m.rank || info.strides.size() + 1 != m.rank ||
      (!info.elementStrides.empty() && info.elementStrides.size() != m.rank))
    return fail(fmt::format("{} sizes need {} boxes and {} strides", m.rank,
                            m.rank, m.rank - 1));
  for (unsigned d = 0; d < m.rank; ++d) {
    if (!info.sizes[d] || info.sizes[d] > uint64_t(1) << 32)
      return fail(
          fmt::format("size {} is {}, expected 1 to 2^32", d, info.sizes[d]));
    if (!info.box[d] || info.box[d] > 256)
      return fail(
          fmt::format("box {} is {}, expected 1 to 256", d, info.box[d]));
    m.size[d] = info.sizes[d];
    m.box[d] = info.box[d];
    if (!info.elementStrides.empty()) {
      if (!info.elementStrides[d] || info.elementStrides[d] > 8)
        return fail(fmt::format("element stride {} is not in 1 to 8",
                                info.elementStrides[d]));
      m.step[d] = info.elementStrides[d];
    }
    if (d + 1 < m.rank) {
      if (info.strides[d] >= uint64_t(1) << 40)
        return fail(fmt::format("stride {} is {}, the limit is 2^40", d,
                                info.strides[d]));
      m.stride[d] = info.strides[d];
    }
  }
  m.swizzle = info.swizzle == 128  ? 3
              : info.swizzle == 64 ? 2
              : info.swizzle == 32 ? 1
                                   : 0;
  if (info.swizzle && !m.swizzle)
    return fail(
        fmt::format("swizzle {} is not 0, 32, 64 or 128", info.swizzle));
  m.nanFill = info.nanFill;
  if (std::string why = m.check(); !why.empty())
    return fail(why);
  std::vector<char> bytes(128);
  m.encode(bytes.data());
  return bytes;
}
