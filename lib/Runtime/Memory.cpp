//===- Memory.cpp - Allocation and copies ----------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The driver's functions under the runtime's names. Addresses of the device
// and of the host differ by value, so that one copy serves all kinds.
//
//===----------------------------------------------------------------------===//

#include "Runtime.h"

using namespace napkin::runtime;

static Address addressOf(const void *pointer) {
  return reinterpret_cast<Address>(pointer);
}
static Address *out(void **to) { return reinterpret_cast<Address *>(to); }

//===----------------------------------------------------------------------===//
// Allocation
//===----------------------------------------------------------------------===//

NAPKIN_RUNTIME cudaMalloc(void **to, size_t bytes) {
  return call([&]() -> Error {
    if (!to)
      return errorInvalidValue;
    *to = nullptr;
    // No byte is no error here.
    return bytes ? cuMemAlloc_v2(out(to), bytes) : success;
  });
}
NAPKIN_RUNTIME cudaFree(void *memory) {
  return call([&] { return cuMemFree_v2(addressOf(memory)); });
}
NAPKIN_RUNTIME cudaMallocPitch(void **to, size_t *pitch, size_t width,
                               size_t height) {
  return call(
      [&] { return cuMemAllocPitch_v2(out(to), pitch, width, height, 4); });
}
NAPKIN_RUNTIME cudaMallocManaged(void **to, size_t bytes, unsigned flags) {
  return call([&] { return cuMemAllocManaged(out(to), bytes, flags); });
}
NAPKIN_RUNTIME cudaMallocAsync(void **to, size_t bytes, Handle stream) {
  return call([&]() -> Error {
    if (!to)
      return errorInvalidValue;
    *to = nullptr;
    return bytes ? cuMemAllocAsync(out(to), bytes, stream) : success;
  });
}
NAPKIN_RUNTIME cudaMallocFromPoolAsync(void **to, size_t bytes, Handle pool,
                                       Handle stream) {
  return call(
      [&] { return cuMemAllocFromPoolAsync(out(to), bytes, pool, stream); });
}
NAPKIN_RUNTIME cudaFreeAsync(void *memory, Handle stream) {
  return call([&]() -> Error {
    return memory ? cuMemFreeAsync(addressOf(memory), stream) : success;
  });
}
NAPKIN_RUNTIME cudaHostAlloc(void **to, size_t bytes, unsigned flags) {
  return call([&] { return cuMemHostAlloc(to, bytes, flags); });
}
NAPKIN_RUNTIME cudaMallocHost(void **to, size_t bytes) {
  return cudaHostAlloc(to, bytes, 0);
}
NAPKIN_RUNTIME cudaFreeHost(void *memory) {
  return call(
      [&]() -> Error { return memory ? cuMemFreeHost(memory) : success; });
}
NAPKIN_RUNTIME cudaHostRegister(void *memory, size_t bytes, unsigned flags) {
  return call([&] { return cuMemHostRegister_v2(memory, bytes, flags); });
}
NAPKIN_RUNTIME cudaHostUnregister(void *memory) {
  return call([&] { return cuMemHostUnregister(memory); });
}
NAPKIN_RUNTIME cudaHostGetDevicePointer(void **to, void *memory,
                                        unsigned flags) {
  return call(
      [&] { return cuMemHostGetDevicePointer_v2(out(to), memory, flags); });
}
NAPKIN_RUNTIME cudaHostGetFlags(unsigned *flags, void *memory) {
  return call([&] { return cuMemHostGetFlags(flags, memory); });
}
NAPKIN_RUNTIME cudaMemGetInfo(size_t *available, size_t *all) {
  return call([&] { return cuMemGetInfo_v2(available, all); });
}
NAPKIN_RUNTIME cudaMemPoolSetAttribute(Handle pool, int id, void *value) {
  return call([&] { return cuMemPoolSetAttribute(pool, id, value); });
}
NAPKIN_RUNTIME cudaMemPoolGetAttribute(Handle pool, int id, void *value) {
  return call([&] { return cuMemPoolGetAttribute(pool, id, value); });
}
NAPKIN_RUNTIME cudaMemPoolTrimTo(Handle pool, size_t bytes) {
  return call([&] { return cuMemPoolTrimTo(pool, bytes); });
}

namespace {
/// cudaMemLocation.
struct Location {
  int type, id;
};
/// cudaPointerAttributes.
struct PointerAttributes {
  int type, device;
  void *devicePointer, *hostPointer;
  long reserved[8];
};
} // namespace

// Memory is where it is.
NAPKIN_RUNTIME cudaMemPrefetchAsync(const void *, size_t, Location, unsigned,
                                    Handle) {
  return call([] { return success; });
}
NAPKIN_RUNTIME cudaMemAdvise(const void *, size_t, int, Location) {
  return call([] { return success; });
}

NAPKIN_RUNTIME cudaPointerGetAttributes(PointerAttributes *to,
                                        const void *pointer) {
  // CU_POINTER_ATTRIBUTE_MEMORY_TYPE and _IS_MANAGED; cudaMemoryType.
  constexpr int attributeType = 2, attributeManaged = 8;
  constexpr int kindUnknown = 0, kindHost = 1, kindDevice = 2, kindManaged = 3;
  return call([&] {
    if (!to)
      return errorInvalidValue;
    *to = {};
    int type = 0;
    bool isManaged = false;
    const Address address = addressOf(pointer);
    // Memory that the driver does not know is no error.
    if (cuPointerGetAttribute(&type, attributeType, address)) {
      to->type = kindUnknown;
      to->device = -2;
      to->hostPointer = const_cast<void *>(pointer);
      return success;
    }
    cuPointerGetAttribute(&isManaged, attributeManaged, address);
    to->type = isManaged ? kindManaged : type == 2 ? kindDevice : kindHost;
    to->devicePointer = const_cast<void *>(pointer);
    to->hostPointer =
        to->type == kindDevice ? nullptr : const_cast<void *>(pointer);
    return success;
  });
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// cudaMemcpyKind.
enum Kind { hostToHost, hostToDevice, deviceToHost, deviceToDevice, anyToAny };

static Error copy(void *to, const void *from, size_t bytes, int kind,
                  Handle stream) {
  if (!bytes)
    return success;
  switch (kind) {
  case hostToDevice:
    return cuMemcpyHtoDAsync_v2(addressOf(to), from, bytes, stream);
  case deviceToHost:
    return cuMemcpyDtoHAsync_v2(to, addressOf(from), bytes, stream);
  case deviceToDevice:
    return cuMemcpyDtoDAsync_v2(addressOf(to), addressOf(from), bytes, stream);
  case hostToHost:
  case anyToAny:
    return cuMemcpyAsync(addressOf(to), addressOf(from), bytes, stream);
  }
  constexpr Error errorInvalidMemcpyDirection = 21;
  return errorInvalidMemcpyDirection;
}

NAPKIN_RUNTIME cudaMemcpyAsync(void *to, const void *from, size_t bytes,
                               int kind, Handle stream) {
  return call([&] { return copy(to, from, bytes, kind, stream); });
}
NAPKIN_RUNTIME cudaMemcpy(void *to, const void *from, size_t bytes, int kind) {
  return cudaMemcpyAsync(to, from, bytes, kind, nullptr);
}

NAPKIN_RUNTIME cudaMemcpy2DAsync(void *to, size_t toPitch, const void *from,
                                 size_t fromPitch, size_t width, size_t height,
                                 int kind, Handle stream) {
  return call([&]() -> Error {
    // Row by row: each is a copy of its kind.
    for (size_t y = 0; y < height; ++y)
      if (Error error = copy(static_cast<char *>(to) + y * toPitch,
                             static_cast<const char *>(from) + y * fromPitch,
                             width, kind, stream))
        return error;
    return success;
  });
}
NAPKIN_RUNTIME cudaMemcpy2D(void *to, size_t toPitch, const void *from,
                            size_t fromPitch, size_t width, size_t height,
                            int kind) {
  return cudaMemcpy2DAsync(to, toPitch, from, fromPitch, width, height, kind,
                           nullptr);
}

NAPKIN_RUNTIME cudaMemsetAsync(void *to, int value, size_t bytes,
                               Handle stream) {
  return call([&] {
    return cuMemsetD8Async(addressOf(to), static_cast<unsigned char>(value),
                           bytes, stream);
  });
}
NAPKIN_RUNTIME cudaMemset(void *to, int value, size_t bytes) {
  return cudaMemsetAsync(to, value, bytes, nullptr);
}
NAPKIN_RUNTIME cudaMemset2DAsync(void *to, size_t pitch, int value,
                                 size_t width, size_t height, Handle stream) {
  return call([&] {
    return cuMemsetD2D8Async(addressOf(to), pitch,
                             static_cast<unsigned char>(value), width, height,
                             stream);
  });
}
NAPKIN_RUNTIME cudaMemset2D(void *to, size_t pitch, int value, size_t width,
                            size_t height) {
  return cudaMemset2DAsync(to, pitch, value, width, height, nullptr);
}

namespace {
/// cudaChannelFormatDesc: what arrays and textures, which are not there, have
/// as elements.
struct ChannelFormat {
  int x, y, z, w, kind;
};
} // namespace

extern "C" __attribute__((visibility("default"))) ChannelFormat
cudaCreateChannelDesc(int x, int y, int z, int w, int kind) {
  return {x, y, z, w, kind};
}

//===----------------------------------------------------------------------===//
// Variables
//===----------------------------------------------------------------------===//

NAPKIN_RUNTIME cudaGetSymbolAddress(void **to, const void *symbol) {
  return call([&] {
    size_t bytes;
    return Registry::get().findVariable(symbol, *out(to), bytes);
  });
}
NAPKIN_RUNTIME cudaGetSymbolSize(size_t *bytes, const void *symbol) {
  return call([&] {
    Address address;
    return Registry::get().findVariable(symbol, address, *bytes);
  });
}

/// Runs `body(address + offset)` if the bytes are in the variable.
template <typename Body>
static Error withSymbol(const void *symbol, size_t bytes, size_t offset,
                        Body body) {
  return call([&]() -> Error {
    Address address;
    size_t size;
    if (Error error = Registry::get().findVariable(symbol, address, size))
      return error;
    if (offset > size || bytes > size - offset)
      return errorInvalidValue;
    return body(reinterpret_cast<char *>(address) + offset);
  });
}

NAPKIN_RUNTIME cudaMemcpyToSymbolAsync(const void *symbol, const void *from,
                                       size_t bytes, size_t offset, int kind,
                                       Handle stream) {
  return withSymbol(symbol, bytes, offset, [&](char *to) {
    return copy(to, from, bytes, kind, stream);
  });
}
NAPKIN_RUNTIME cudaMemcpyToSymbol(const void *symbol, const void *from,
                                  size_t bytes, size_t offset, int kind) {
  return cudaMemcpyToSymbolAsync(symbol, from, bytes, offset, kind, nullptr);
}
NAPKIN_RUNTIME cudaMemcpyFromSymbolAsync(void *to, const void *symbol,
                                         size_t bytes, size_t offset, int kind,
                                         Handle stream) {
  return withSymbol(symbol, bytes, offset, [&](const char *from) {
    return copy(to, from, bytes, kind, stream);
  });
}
NAPKIN_RUNTIME cudaMemcpyFromSymbol(void *to, const void *symbol, size_t bytes,
                                    size_t offset, int kind) {
  return cudaMemcpyFromSymbolAsync(to, symbol, bytes, offset, kind, nullptr);
}
