//===- Device.h - Global memory of the executor ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Global memory with bounds, and for each byte, in a bit, whether it was ever
// written.
// Device addresses are not host addresses: allocations lie far apart, so that
// an access that leaves its allocation is always noticed.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_EXECUTOR_DEVICE_H
#define NAPKIN_EXECUTOR_DEVICE_H

#include "napkin/Executor/Plain.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace napkin::executor {

/// One allocation.
struct Region : RegionView {
  bool freed = false;
  std::string name;
  /// Frees what calloc gave.
  struct Release {
    void operator()(void *memory) const { std::free(memory); }
  };
  /// The bytes: of the allocation's own, or those that were moved in.
  std::unique_ptr<char[], Release> storage;
  std::vector<char> moved;
  std::unique_ptr<uint64_t[], Release> writtenStorage;
};

/// The device's global memory. Not thread-safe; a launch has it for itself.
class Device {
public:
  /// Allocations get addresses from `firstAddress` on.
  explicit Device(uint64_t firstAddress = 0x7f0000000000ull);
  Device(const Device &) = delete;
  Device &operator=(const Device &) = delete;

  /// `bytes` of memory nobody has written yet, 512-byte aligned. `name` is for
  /// messages. Zero bytes, and more than the limit or the host gives, are
  /// errors.
  llvm::Expected<uint64_t> allocate(uint64_t bytes, llvm::StringRef name = "");
  /// The same for memory that the caller gives, without a copy of it.
  /// `written`: its content counts as written.
  llvm::Expected<uint64_t> moveIn(std::vector<char> content, bool written,
                                  llvm::StringRef name = "");
  /// Frees the allocation that moveIn placed at `address` and gives its memory
  /// back, as it is now.
  llvm::Expected<std::vector<char>> moveOut(uint64_t address);
  /// Makes `bytes` bytes at `host` the device's too, at the same address and
  /// with content that counts as written; they stay the caller's. Overlap with
  /// another allocation is an error.
  llvm::Error lend(void *host, uint64_t bytes, llvm::StringRef name = "");
  /// Ends what lend began: the device forgets the memory.
  llvm::Error takeBack(void *host);
  /// Frees an allocation by its address; later accesses to it trap.
  llvm::Error free(uint64_t address);
  /// What live allocations may take together, in bytes; at first half of
  /// the host's physical memory, because checks take up to two bytes for one.
  void setLimit(uint64_t bytes) { limit = bytes; }
  /// Copies to the device and marks the bytes as written.
  llvm::Error copyToDevice(uint64_t address, const void *source,
                           uint64_t bytes);
  /// How many bytes of a range no one has written, and the first of them.
  struct Unwritten {
    uint64_t count = 0, first = 0;
  };
  Unwritten unwritten(uint64_t address, uint64_t bytes) const;
  /// Copies from the device. `neverWritten`, if given, receives the number of
  /// bytes that no one has written (their content is not meaningful).
  llvm::Error copyFromDevice(void *target, uint64_t address, uint64_t bytes,
                             uint64_t *neverWritten = nullptr) const;
  /// Copies within the device; bytes that no one has written stay so. The
  /// ranges may overlap.
  llvm::Error copyWithin(uint64_t to, uint64_t from, uint64_t bytes);
  /// Sets bytes and marks them as written.
  llvm::Error fill(uint64_t address, uint8_t value, uint64_t bytes);
  /// Makes all of a fresh allocation count as written with zeros, without
  /// touching its pages.
  llvm::Error fillZero(uint64_t address);
  /// The allocation that holds `address`, freed ones included, or null.
  const Region *find(uint64_t address) const;
  Region *find(uint64_t address);
  /// The allocation nearest to `address`, for messages; null if there is none.
  const Region *nearest(uint64_t address) const;
  /// All allocations in the order of addresses.
  llvm::ArrayRef<std::unique_ptr<Region>> regions() const { return list; }

  /// The module-level variable `name` of the modules launched so far, if any
  /// launch placed it. Global variables keep their content between launches.
  std::optional<uint64_t> symbol(llvm::StringRef name) const;
  /// Makes symbol(name) return `address`.
  void setSymbol(llvm::StringRef name, uint64_t address) {
    symbols[name] = address;
  }
  /// Exchanges the variables that symbol() knows for `others`: each module of a
  /// program has its own.
  void exchangeSymbols(llvm::StringMap<uint64_t> &others) {
    std::swap(symbols, others);
  }

private:
  llvm::Error mayTake(uint64_t bytes, llvm::StringRef name) const;
  llvm::Expected<uint64_t> place(std::unique_ptr<Region> region, uint64_t bytes,
                                 llvm::StringRef name);
  Region *range(uint64_t address, uint64_t bytes);
  /// Puts `region` where the order of addresses has it.
  void insert(std::unique_ptr<Region> region);

  std::vector<std::unique_ptr<Region>> list;
  uint64_t nextAddress, limit, allocated = 0;
  llvm::StringMap<uint64_t> symbols;
};

/// Physical memory of the host in bytes; 2^40 where it is not known.
uint64_t hostMemoryBytes();

} // namespace napkin::executor

#endif // NAPKIN_EXECUTOR_DEVICE_H
