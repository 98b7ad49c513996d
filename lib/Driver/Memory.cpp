//===- Memory.cpp - Allocation in all its forms ----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Device memory is the executor's: bounds and bytes that nobody wrote are
// known. Managed and host memory is lent to it, at the host's own addresses,
// and counts as written.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

using namespace napkin::driver;
using Kind = Allocation::Kind;

static Result allocate(State &state, Address *to, uint64_t bytes) {
  if (!to || !bytes)
    return CUDA_ERROR_INVALID_VALUE;
  if (bytes > state.memoryBytes - state.memoryTaken)
    return CUDA_ERROR_OUT_OF_MEMORY;
  auto address = state.device->allocate(
      bytes, fmt::format("allocation {}", state.numAllocations + 1));
  if (!address)
    // A real board may have what this host has not: say why.
    return refuse(CUDA_ERROR_OUT_OF_MEMORY, toString(address.takeError()));
  ++state.numAllocations;
  state.memoryTaken += bytes;
  state.allocations[*address] = {Kind::Device, bytes, 0};
  *to = *address;
  return CUDA_SUCCESS;
}

/// Host memory, zeroed, that the device has too.
static Result allocateHost(State &state, void **to, uint64_t bytes, Kind kind,
                           uint32_t flags) {
  if (!to || !bytes)
    return CUDA_ERROR_INVALID_VALUE;
  void *memory = nullptr;
  if (posix_memalign(&memory, 4096, bytes))
    return CUDA_ERROR_OUT_OF_MEMORY;
  std::memset(memory, 0, bytes);
  const char *what = kind == Kind::Managed ? "managed" : "host";
  if (auto error = state.device->lend(
          memory, bytes,
          fmt::format("{} allocation {}", what, ++state.numAllocations))) {
    std::free(memory);
    return refuse(CUDA_ERROR_OUT_OF_MEMORY, toString(std::move(error)));
  }
  state.allocations[reinterpret_cast<Address>(memory)] = {kind, bytes, flags};
  *to = memory;
  return CUDA_SUCCESS;
}

/// Frees memory of any kind but what was registered.
static Result release(State &state, Address address) {
  auto found = state.allocations.find(address);
  if (found == state.allocations.end() ||
      found->second.kind == Kind::Registered)
    return CUDA_ERROR_INVALID_VALUE;
  if (found->second.kind == Kind::Device) {
    state.memoryTaken -= found->second.bytes;
    cantFail(state.device->free(address));
  } else {
    void *memory = reinterpret_cast<void *>(address);
    cantFail(state.device->takeBack(memory));
    std::free(memory);
  }
  state.allocations.erase(found);
  return CUDA_SUCCESS;
}

//===----------------------------------------------------------------------===//
// Device and managed memory
//===----------------------------------------------------------------------===//

NAPKIN_CUDA cuMemAlloc_v2(Address *to, size_t bytes) {
  return call(Need::Context,
              [&](State &state) { return allocate(state, to, bytes); });
}

NAPKIN_CUDA cuMemAllocPitch_v2(Address *to, size_t *pitch, size_t width,
                               size_t height, unsigned elementBytes) {
  constexpr size_t unit = 512;
  return call(Need::Context, [&](State &state) {
    if (!pitch || !width || !height ||
        (elementBytes != 4 && elementBytes != 8 && elementBytes != 16))
      return CUDA_ERROR_INVALID_VALUE;
    *pitch = (width + unit - 1) / unit * unit;
    return allocate(state, to, *pitch * height);
  });
}

NAPKIN_CUDA cuMemAllocManaged(Address *to, size_t bytes, unsigned flags) {
  return call(Need::Context, [&](State &state) {
    return allocateHost(state, reinterpret_cast<void **>(to), bytes,
                        Kind::Managed, flags);
  });
}

NAPKIN_CUDA cuMemFree_v2(Address address) {
  return call(Need::Context, [&](State &state) {
    return address ? release(state, address) : CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuMemGetInfo_v2(size_t *available, size_t *all) {
  return call(Need::Context, [&](State &state) {
    if (available)
      *available = state.memoryBytes - state.memoryTaken;
    if (all)
      *all = state.memoryBytes;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuMemGetAddressRange_v2(Address *begin, size_t *bytes,
                                    Address address) {
  return call(Need::Context, [&](State &state) {
    auto after = state.allocations.upper_bound(address);
    if (after == state.allocations.begin())
      return CUDA_ERROR_NOT_FOUND;
    auto &[first, allocation] = *std::prev(after);
    if (address >= first + allocation.bytes)
      return CUDA_ERROR_NOT_FOUND;
    if (begin)
      *begin = first;
    if (bytes)
      *bytes = allocation.bytes;
    return CUDA_SUCCESS;
  });
}

//===----------------------------------------------------------------------===//
// In the order of a stream, and pools
//===----------------------------------------------------------------------===//

NAPKIN_CUDA cuMemAllocAsync(Address *to, size_t bytes, Handle stream) {
  return call(Need::Context, [&](State &state) {
    if (!isStream(state, stream))
      return CUDA_ERROR_INVALID_HANDLE;
    return allocate(state, to, bytes);
  });
}

NAPKIN_CUDA cuMemAllocFromPoolAsync(Address *to, size_t bytes, Handle pool,
                                    Handle stream) {
  if (pool != &State::get().pool)
    return CUDA_ERROR_INVALID_VALUE;
  return cuMemAllocAsync(to, bytes, stream);
}

NAPKIN_CUDA cuMemFreeAsync(Address address, Handle stream) {
  return call(Need::Context, [&](State &state) {
    if (!isStream(state, stream))
      return CUDA_ERROR_INVALID_HANDLE;
    return release(state, address);
  });
}

NAPKIN_CUDA cuMemPoolTrimTo(Handle pool, size_t) {
  return pool == &State::get().pool ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

/// CU_MEMPOOL_ATTR_RELEASE_THRESHOLD; the others are counts or switches.
static constexpr int poolReleaseThreshold = 4;

NAPKIN_CUDA cuMemPoolSetAttribute(Handle pool, int attribute, void *value) {
  return call(Need::Initialized, [&](State &state) {
    if (pool != &state.pool || !value)
      return CUDA_ERROR_INVALID_VALUE;
    if (attribute == poolReleaseThreshold)
      std::memcpy(&state.pool.releaseThreshold, value, 8);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuMemPoolGetAttribute(Handle pool, int attribute, void *value) {
  return call(Need::Initialized, [&](State &state) {
    if (pool != &state.pool || !value || attribute < 1 || attribute > 8)
      return CUDA_ERROR_INVALID_VALUE;
    if (attribute <= 3) { // reuse policies, each on
      int on = 1;
      std::memcpy(value, &on, sizeof on);
      return CUDA_SUCCESS;
    }
    const uint64_t number = attribute == poolReleaseThreshold
                                ? state.pool.releaseThreshold
                                : state.memoryTaken;
    std::memcpy(value, &number, sizeof number);
    return CUDA_SUCCESS;
  });
}

//===----------------------------------------------------------------------===//
// Host memory
//===----------------------------------------------------------------------===//

NAPKIN_CUDA cuMemHostAlloc(void **to, size_t bytes, unsigned flags) {
  return call(Need::Context, [&](State &state) {
    return allocateHost(state, to, bytes, Kind::Host, flags);
  });
}
NAPKIN_CUDA cuMemAllocHost_v2(void **to, size_t bytes) {
  return cuMemHostAlloc(to, bytes, 0);
}

NAPKIN_CUDA cuMemFreeHost(void *memory) {
  return call(Need::Context, [&](State &state) {
    auto found = state.allocations.find(reinterpret_cast<Address>(memory));
    if (found == state.allocations.end() || found->second.kind != Kind::Host)
      return CUDA_ERROR_INVALID_VALUE;
    return release(state, found->first);
  });
}

NAPKIN_CUDA cuMemHostRegister_v2(void *memory, size_t bytes, unsigned flags) {
  return call(Need::Context, [&](State &state) {
    if (!memory || !bytes)
      return CUDA_ERROR_INVALID_VALUE;
    if (auto error = state.device->lend(
            memory, bytes,
            fmt::format("registered memory {}", state.numAllocations + 1))) {
      consumeError(std::move(error));
      return CUDA_ERROR_HOST_MEMORY_ALREADY_REGISTERED;
    }
    ++state.numAllocations;
    state.allocations[reinterpret_cast<Address>(memory)] = {Kind::Registered,
                                                            bytes, flags};
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuMemHostUnregister(void *memory) {
  return call(Need::Context, [&](State &state) {
    auto found = state.allocations.find(reinterpret_cast<Address>(memory));
    if (found == state.allocations.end() ||
        found->second.kind != Kind::Registered)
      return CUDA_ERROR_HOST_MEMORY_NOT_REGISTERED;
    cantFail(state.device->takeBack(memory));
    state.allocations.erase(found);
    return CUDA_SUCCESS;
  });
}

/// The allocation that holds `address`, or null.
static const std::pair<const Address, Allocation> *holder(const State &state,
                                                          Address address) {
  auto after = state.allocations.upper_bound(address);
  if (after == state.allocations.begin())
    return nullptr;
  const auto &entry = *std::prev(after);
  return address < entry.first + entry.second.bytes ? &entry : nullptr;
}

NAPKIN_CUDA cuMemHostGetDevicePointer_v2(Address *to, void *memory, unsigned) {
  return call(Need::Context, [&](State &state) {
    const auto *found = holder(state, reinterpret_cast<Address>(memory));
    if (!to || !found || found->second.kind == Kind::Device)
      return CUDA_ERROR_INVALID_VALUE;
    *to = reinterpret_cast<Address>(memory);
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuMemHostGetFlags(unsigned *flags, void *memory) {
  return call(Need::Context, [&](State &state) {
    const auto *found = holder(state, reinterpret_cast<Address>(memory));
    if (!flags || !found || found->second.kind != Kind::Host)
      return CUDA_ERROR_INVALID_VALUE;
    *flags = found->second.flags;
    return CUDA_SUCCESS;
  });
}

// Managed memory is where it is.
static Result isAllocated(Address address) {
  return call(Need::Context, [&](State &state) {
    return holder(state, address) ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
  });
}
NAPKIN_CUDA cuMemPrefetchAsync(Address address, size_t, int, Handle) {
  return isAllocated(address);
}
NAPKIN_CUDA cuMemPrefetchAsync_v2(Address address, size_t, uint64_t, unsigned,
                                  Handle) {
  return isAllocated(address);
}
NAPKIN_CUDA cuMemAdvise(Address address, size_t, int, int) {
  return isAllocated(address);
}
NAPKIN_CUDA cuMemAdvise_v2(Address address, size_t, int, uint64_t) {
  return isAllocated(address);
}

//===----------------------------------------------------------------------===//
// Pointers
//===----------------------------------------------------------------------===//

template <typename T>
static Result give(void *to, T value) {
  std::memcpy(to, &value, sizeof value);
  return CUDA_SUCCESS;
}

/// CUpointer_attribute `id` of `address`.
static Result pointerAttribute(State &state, void *to, int id,
                               Address address) {
  const auto *found = holder(state, address);
  if (!found)
    return CUDA_ERROR_INVALID_VALUE;
  const auto &[begin, allocation] = *found;
  const bool isDevice = allocation.kind == Kind::Device,
             isManaged = allocation.kind == Kind::Managed;
  switch (id) {
  case 1: // CONTEXT
    return give(to, Handle(state.current()));
  case 2: // MEMORY_TYPE
    return give(to, isDevice || isManaged ? memoryDevice : memoryHost);
  case 3: // DEVICE_POINTER
    return give(to, address);
  case 4: // HOST_POINTER
    return isDevice ? CUDA_ERROR_INVALID_VALUE : give(to, address);
  case 6: // SYNC_MEMOPS
    return give(to, 1);
  case 7: // BUFFER_ID
    return give(to, uint64_t(begin));
  case 8: // IS_MANAGED
    return give(to, isManaged);
  case 9: // DEVICE_ORDINAL
    return give(to, 0);
  case 11: // RANGE_START_ADDR
    return give(to, begin);
  case 12: // RANGE_SIZE
    return give(to, allocation.bytes);
  case 13: // MAPPED
    return give(to, true);
  case 16: // ACCESS_FLAGS
    return give(to, uint64_t(3));
  case 17: // MEMPOOL_HANDLE
    return give(to, Handle(nullptr));
  }
  return CUDA_ERROR_NOT_SUPPORTED;
}

NAPKIN_CUDA cuPointerGetAttribute(void *to, int id, Address address) {
  return call(Need::Context, [&](State &state) {
    return to ? pointerAttribute(state, to, id, address)
              : CUDA_ERROR_INVALID_VALUE;
  });
}

NAPKIN_CUDA cuPointerGetAttributes(unsigned count, const int *ids, void **to,
                                   Address address) {
  return call(Need::Context, [&](State &state) {
    if (!ids || !to)
      return CUDA_ERROR_INVALID_VALUE;
    // Of other pointers the answers are null, and no error.
    for (unsigned i = 0; i < count; ++i)
      if (pointerAttribute(state, to[i], ids[i], address))
        switch (ids[i]) {
        case 2:
        case 9:
          give(to[i], ids[i] == 9 ? -2 : 0);
          break;
        case 8:
        case 13:
          give(to[i], false);
          break;
        default:
          give(to[i], uint64_t(0));
        }
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuPointerSetAttribute(const void *, int, Address address) {
  return isAllocated(address);
}
