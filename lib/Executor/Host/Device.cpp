//===- Device.cpp - Global memory of the executor --------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Allocations are kept in the order of their addresses, which only grow.
//
//===----------------------------------------------------------------------===//

#include "napkin/Executor/Device.h"

#include <algorithm>
#include <cstring>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#include <fmt/format.h>

using namespace napkin::executor;

static constexpr uint64_t firstAddress = 0x7f0000000000ull, gap = 1 << 16;

static llvm::Error failure(const std::string &what) {
  return llvm::createStringError(llvm::inconvertibleErrorCode(), "%s",
                                 what.c_str());
}

uint64_t napkin::executor::hostMemoryBytes() {
#if defined(__unix__) || defined(__APPLE__)
  long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
  if (pages > 0 && bytes > 0)
    return uint64_t(pages) * uint64_t(bytes);
#endif
  return uint64_t(1) << 40;
}

Device::Device() : nextAddress(firstAddress), limit(hostMemoryBytes() / 2) {}

llvm::Expected<uint64_t> Device::allocate(uint64_t bytes,
                                          llvm::StringRef name) {
  if (!bytes)
    return failure(fmt::format("allocation '{}' of zero bytes", name.str()));
  if (bytes > limit || allocated > limit - bytes)
    return failure(fmt::format("allocation '{}' of {} bytes: {} are taken and "
                               "{} is the limit of this host",
                               name.str(), bytes, allocated, limit));
  auto region = std::make_unique<Region>();
  // calloc-like: the host gives zero pages lazily.
  region->storage.reset(static_cast<char *>(std::calloc(bytes, 1)));
  region->shadowStorage.reset(static_cast<uint8_t *>(std::calloc(bytes, 1)));
  if (!region->storage || !region->shadowStorage)
    return failure(
        fmt::format("the host has no {} bytes for '{}'", bytes, name.str()));
  region->begin = nextAddress;
  region->end = nextAddress + bytes;
  region->data = region->storage.get();
  region->shadow = region->shadowStorage.get();
  region->name = name.str();
  allocated += bytes;
  nextAddress = (region->end + gap + 511) & ~uint64_t(511);
  list.push_back(std::move(region));
  return list.back()->begin;
}

Region *Device::find(uint64_t address) {
  auto after =
      std::upper_bound(list.begin(), list.end(), address,
                       [](uint64_t a, const auto &r) { return a < r->begin; });
  if (after == list.begin())
    return nullptr;
  Region *region = std::prev(after)->get();
  return address < region->end ? region : nullptr;
}

const Region *Device::find(uint64_t address) const {
  return const_cast<Device *>(this)->find(address);
}

const Region *Device::nearest(uint64_t address) const {
  const Region *best = nullptr;
  uint64_t distance = ~uint64_t(0);
  for (const auto &region : list) {
    uint64_t d = address < region->begin  ? region->begin - address
                 : address >= region->end ? address - region->end
                                          : 0;
    if (d < distance) {
      distance = d;
      best = region.get();
    }
  }
  return best;
}

std::optional<uint64_t> Device::symbol(llvm::StringRef name) const {
  auto found = symbols.find(name);
  if (found == symbols.end())
    return std::nullopt;
  return found->second;
}

Region *Device::range(uint64_t address, uint64_t bytes) {
  Region *region = find(address);
  if (!region || region->freed || bytes > region->end - address)
    return nullptr;
  return region;
}

llvm::Error Device::free(uint64_t address) {
  Region *region = find(address);
  if (!region || region->begin != address || region->freed)
    return failure(fmt::format("{:#x} is not a live allocation", address));
  allocated -= region->end - region->begin;
  region->freed = true;
  region->storage.reset();
  region->shadowStorage.reset();
  region->data = nullptr;
  region->shadow = nullptr;
  return llvm::Error::success();
}

llvm::Error Device::copyToDevice(uint64_t address, const void *source,
                                 uint64_t bytes) {
  Region *region = range(address, bytes);
  if (!region)
    return failure(fmt::format(
        "copy of {} bytes to {:#x} leaves the allocation", bytes, address));
  uint64_t offset = address - region->begin;
  std::memcpy(region->data + offset, source, bytes);
  std::memset(region->shadow + offset, 255, bytes);
  if (bytes == region->end - region->begin)
    region->initialized = true;
  return llvm::Error::success();
}

llvm::Error Device::copyFromDevice(void *target, uint64_t address,
                                   uint64_t bytes,
                                   uint64_t *neverWritten) const {
  Region *region = const_cast<Device *>(this)->range(address, bytes);
  if (!region)
    return failure(fmt::format(
        "copy of {} bytes from {:#x} leaves the allocation", bytes, address));
  uint64_t offset = address - region->begin;
  std::memcpy(target, region->data + offset, bytes);
  if (neverWritten)
    *neverWritten =
        std::count(region->shadow + offset, region->shadow + offset + bytes, 0);
  return llvm::Error::success();
}

llvm::Error Device::fillZero(uint64_t address) {
  Region *region = find(address);
  if (!region || region->begin != address || region->freed)
    return failure(fmt::format("{:#x} is not a live allocation", address));
  // calloc gave zeros.
  std::memset(region->shadow, 255, region->end - region->begin);
  region->initialized = true;
  return llvm::Error::success();
}

llvm::Error Device::fill(uint64_t address, uint8_t value, uint64_t bytes) {
  Region *region = range(address, bytes);
  if (!region)
    return failure(fmt::format(
        "fill of {} bytes at {:#x} leaves the allocation", bytes, address));
  uint64_t offset = address - region->begin;
  std::memset(region->data + offset, value, bytes);
  std::memset(region->shadow + offset, 255, bytes);
  if (bytes == region->end - region->begin)
    region->initialized = true;
  return llvm::Error::success();
}
