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
#include "Machine/Marks.h"

#include "llvm/ADT/bit.h"

#include <algorithm>
#include <cstring>

#if defined(__unix__) || defined(__APPLE__)
#include <unistd.h>
#endif

#include <fmt/format.h>

using namespace napkin::executor;

static constexpr uint64_t gap = 1 << 16;

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

Device::Device(uint64_t firstAddress)
    : nextAddress(firstAddress), limit(hostMemoryBytes() / 2) {}

llvm::Error Device::mayTake(uint64_t bytes, llvm::StringRef name) const {
  if (!bytes)
    return failure(fmt::format("allocation '{}' of zero bytes", name.str()));
  if (bytes > limit || allocated > limit - bytes)
    return failure(fmt::format("allocation '{}' of {} bytes: {} are taken and "
                               "{} is the limit of this host",
                               name.str(), bytes, allocated, limit));
  return llvm::Error::success();
}

/// A bit for each of `bytes`, none set; the host gives zero pages lazily.
static uint64_t *makeBits(uint64_t bytes) {
  return static_cast<uint64_t *>(std::calloc(bytes / 64 + 1, 8));
}

llvm::Expected<uint64_t> Device::place(std::unique_ptr<Region> region,
                                       uint64_t bytes, llvm::StringRef name) {
  if (!region->data)
    return failure(
        fmt::format("the host has no {} bytes for '{}'", bytes, name.str()));
  region->begin = nextAddress;
  region->end = nextAddress + bytes;
  region->written = region->writtenStorage.get();
  region->name = name.str();
  allocated += bytes;
  nextAddress = (region->end + gap + 511) & ~uint64_t(511);
  const uint64_t begin = region->begin;
  insert(std::move(region));
  return begin;
}

void Device::insert(std::unique_ptr<Region> region) {
  auto after =
      std::upper_bound(list.begin(), list.end(), region->begin,
                       [](uint64_t a, const auto &r) { return a < r->begin; });
  list.insert(after, std::move(region));
}

llvm::Expected<uint64_t> Device::allocate(uint64_t bytes,
                                          llvm::StringRef name) {
  if (auto e = mayTake(bytes, name))
    return std::move(e);
  auto region = std::make_unique<Region>();
  region->writtenStorage.reset(makeBits(bytes));
  if (region->writtenStorage)
    region->storage.reset(static_cast<char *>(std::calloc(bytes, 1)));
  region->data = region->storage.get();
  return place(std::move(region), bytes, name);
}

llvm::Expected<uint64_t> Device::moveIn(std::vector<char> content, bool written,
                                        llvm::StringRef name) {
  const uint64_t bytes = content.size();
  if (auto e = mayTake(bytes, name))
    return std::move(e);
  auto region = std::make_unique<Region>();
  region->moved = std::move(content);
  region->data = region->moved.data();
  if (!written) {
    region->writtenStorage.reset(makeBits(bytes));
    if (!region->writtenStorage)
      region->data = nullptr;
  }
  return place(std::move(region), bytes, name);
}

llvm::Expected<std::vector<char>> Device::moveOut(uint64_t address) {
  Region *region = find(address);
  if (!region || region->begin != address || region->moved.empty())
    return failure(
        fmt::format("{:#x} is no live allocation of moved memory", address));
  std::vector<char> content = std::move(region->moved);
  if (auto e = free(address))
    return std::move(e);
  return std::move(content);
}

llvm::Error Device::lend(void *host, uint64_t bytes, llvm::StringRef name) {
  const uint64_t begin = reinterpret_cast<uint64_t>(host);
  if (!bytes || begin + bytes < begin)
    return failure(fmt::format("'{}' has no bytes", name.str()));
  for (const auto &region : list)
    if (!region->freed && region->begin < begin + bytes && begin < region->end)
      return failure(
          fmt::format("'{}' overlaps '{}'", name.str(), region->name));
  auto region = std::make_unique<Region>();
  region->begin = begin;
  region->end = begin + bytes;
  region->data = static_cast<char *>(host);
  region->name = name.str();
  insert(std::move(region));
  return llvm::Error::success();
}

llvm::Error Device::takeBack(void *host) {
  auto found = std::find_if(list.begin(), list.end(), [&](const auto &region) {
    return region->data == host &&
           region->begin == reinterpret_cast<uint64_t>(host);
  });
  if (found == list.end())
    return failure(fmt::format("no memory at {} was lent", fmt::ptr(host)));
  list.erase(found);
  return llvm::Error::success();
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
  region->moved = std::vector<char>();
  region->writtenStorage.reset();
  region->data = nullptr;
  region->written = nullptr;
  return llvm::Error::success();
}

/// Bytes [offset, offset + bytes) are written from now on.
static void markWritten(Region &region, uint64_t offset, uint64_t bytes) {
  if (bytes < region.end - region.begin)
    return setWritten({nullptr, region.written, offset}, bytes);
  region.writtenStorage.reset();
  region.written = nullptr;
}

llvm::Error Device::copyToDevice(uint64_t address, const void *source,
                                 uint64_t bytes) {
  Region *region = range(address, bytes);
  if (!region)
    return failure(fmt::format(
        "copy of {} bytes to {:#x} leaves the allocation", bytes, address));
  if (!bytes)
    return llvm::Error::success(); // `source` may be null then
  uint64_t offset = address - region->begin;
  std::memcpy(region->data + offset, source, bytes);
  markWritten(*region, offset, bytes);
  return llvm::Error::success();
}

Device::Unwritten Device::unwritten(uint64_t address, uint64_t bytes) const {
  const Region *region = const_cast<Device *>(this)->range(address, bytes);
  Unwritten found;
  if (!region || !region->written)
    return found;
  const uint64_t first = address - region->begin, end = first + bytes;
  for (uint64_t at = first, next; at < end; at = next) {
    const uint64_t mask = maskOfWord(at, end - at, next);
    const uint64_t missing = mask & ~region->written[at >> 6];
    if (!missing)
      continue;
    if (!found.count)
      found.first = (at & ~uint64_t(63)) + llvm::countr_zero(missing) - first;
    found.count += llvm::popcount(missing);
  }
  return found;
}

llvm::Error Device::copyFromDevice(void *target, uint64_t address,
                                   uint64_t bytes,
                                   uint64_t *neverWritten) const {
  Region *region = const_cast<Device *>(this)->range(address, bytes);
  if (!region)
    return failure(fmt::format(
        "copy of {} bytes from {:#x} leaves the allocation", bytes, address));
  if (bytes) // else `target` may be null
    std::memcpy(target, region->data + (address - region->begin), bytes);
  if (neverWritten)
    *neverWritten = unwritten(address, bytes).count;
  return llvm::Error::success();
}

llvm::Error Device::copyWithin(uint64_t to, uint64_t from, uint64_t bytes) {
  Region *target = range(to, bytes), *source = range(from, bytes);
  if (!target || !source)
    return failure(fmt::format("copy of {} bytes from {:#x} to {:#x} leaves "
                               "the allocation",
                               bytes, from, to));
  const uint64_t first = from - source->begin, at = to - target->begin;
  std::memmove(target->data + at, source->data + first, bytes);
  if (!source->written || !unwritten(from, bytes).count) {
    markWritten(*target, at, bytes);
    return llvm::Error::success();
  }
  if (!target->written) {
    const uint64_t all = target->end - target->begin;
    target->writtenStorage.reset(makeBits(all));
    target->written = target->writtenStorage.get();
    if (!target->written)
      return failure(fmt::format("the host has no {} bytes", all / 8));
    setBits(target->written, 0, all);
  }
  std::vector<bool> marks(bytes);
  for (uint64_t i = 0; i < bytes; ++i)
    marks[i] = source->written[(first + i) >> 6] >> ((first + i) & 63) & 1;
  for (uint64_t i = 0; i < bytes; ++i) {
    const uint64_t bit = uint64_t(1) << ((at + i) & 63);
    uint64_t &word = target->written[(at + i) >> 6];
    word = marks[i] ? word | bit : word & ~bit;
  }
  return llvm::Error::success();
}

llvm::Error Device::fillZero(uint64_t address) {
  Region *region = find(address);
  if (!region || region->begin != address || region->freed)
    return failure(fmt::format("{:#x} is not a live allocation", address));
  // calloc gave zeros.
  markWritten(*region, 0, region->end - region->begin);
  return llvm::Error::success();
}

llvm::Error Device::fill(uint64_t address, uint8_t value, uint64_t bytes) {
  Region *region = range(address, bytes);
  if (!region)
    return failure(fmt::format(
        "fill of {} bytes at {:#x} leaves the allocation", bytes, address));
  uint64_t offset = address - region->begin;
  std::memset(region->data + offset, value, bytes);
  markWritten(*region, offset, bytes);
  return llvm::Error::success();
}
