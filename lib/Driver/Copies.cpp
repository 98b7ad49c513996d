//===- Copies.cpp - Copying and filling ------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every form comes down to rows of bytes between two places. Forms in a stream
// do the same at once.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include <cstring>

#include <fmt/format.h>

using namespace napkin;
using namespace napkin::driver;

/// Whether an end of kind `type` is device memory.
static bool isDevice(const State &state, Address address, int type) {
  if (type != memoryUnified)
    return type == memoryDevice;
  if (address >= state.windowBegin && address < state.windowEnd)
    return true;
  const executor::Region *region = state.device->find(address);
  return region && !region->freed;
}

static Result outside(uint64_t bytes, const char *way, Address address) {
  return refuse(CUDA_ERROR_INVALID_VALUE,
                fmt::format("a copy of {} bytes {} {:#x} leaves every "
                            "allocation",
                            bytes, way, address));
}

Result napkin::driver::copyBytes(State &state, Address to, int toType,
                                 Address from, int fromType, uint64_t bytes) {
  if (!bytes)
    return CUDA_SUCCESS;
  if (!to || !from)
    return CUDA_ERROR_INVALID_VALUE;
  const bool toDevice = isDevice(state, to, toType),
             fromDevice = isDevice(state, from, fromType);
  executor::Device &device = *state.device;
  auto done = [&](llvm::Error error, const char *way, Address at) {
    const bool failed = bool(error);
    consumeError(std::move(error));
    return failed ? outside(bytes, way, at) : CUDA_SUCCESS;
  };
  if (toDevice && fromDevice) {
    const executor::Region *source = device.find(from);
    bool known = source && !source->freed && bytes <= source->end - from;
    return done(device.copyWithin(to, from, bytes), known ? "to" : "from",
                known ? to : from);
  }
  if (toDevice)
    return done(
        device.copyToDevice(to, reinterpret_cast<const void *>(from), bytes),
        "to", to);
  if (fromDevice)
    return done(
        device.copyFromDevice(reinterpret_cast<void *>(to), from, bytes),
        "from", from);
  std::memmove(reinterpret_cast<void *>(to),
               reinterpret_cast<const void *>(from), bytes);
  return CUDA_SUCCESS;
}

static Result copy(Address to, int toType, Address from, int fromType,
                   uint64_t bytes, Handle stream = nullptr) {
  return call(Need::Context, [&](State &state) {
    if (!isStream(state, stream))
      return CUDA_ERROR_INVALID_HANDLE;
    return copyBytes(state, to, toType, from, fromType, bytes);
  });
}

static Address hostAddress(const void *memory) {
  return reinterpret_cast<Address>(memory);
}

NAPKIN_CUDA cuMemcpy(Address to, Address from, size_t bytes) {
  return copy(to, memoryUnified, from, memoryUnified, bytes);
}
NAPKIN_CUDA cuMemcpyAsync(Address to, Address from, size_t bytes,
                          Handle stream) {
  return copy(to, memoryUnified, from, memoryUnified, bytes, stream);
}
NAPKIN_CUDA cuMemcpyHtoD_v2(Address to, const void *from, size_t bytes) {
  return copy(to, memoryDevice, hostAddress(from), memoryHost, bytes);
}
NAPKIN_CUDA cuMemcpyHtoDAsync_v2(Address to, const void *from, size_t bytes,
                                 Handle stream) {
  return copy(to, memoryDevice, hostAddress(from), memoryHost, bytes, stream);
}
NAPKIN_CUDA cuMemcpyDtoH_v2(void *to, Address from, size_t bytes) {
  return copy(hostAddress(to), memoryHost, from, memoryDevice, bytes);
}
NAPKIN_CUDA cuMemcpyDtoHAsync_v2(void *to, Address from, size_t bytes,
                                 Handle stream) {
  return copy(hostAddress(to), memoryHost, from, memoryDevice, bytes, stream);
}
NAPKIN_CUDA cuMemcpyDtoD_v2(Address to, Address from, size_t bytes) {
  return copy(to, memoryDevice, from, memoryDevice, bytes);
}
NAPKIN_CUDA cuMemcpyDtoDAsync_v2(Address to, Address from, size_t bytes,
                                 Handle stream) {
  return copy(to, memoryDevice, from, memoryDevice, bytes, stream);
}
NAPKIN_CUDA cuMemcpyPeer(Address to, Handle, Address from, Handle,
                         size_t bytes) {
  return copy(to, memoryDevice, from, memoryDevice, bytes);
}
NAPKIN_CUDA cuMemcpyPeerAsync(Address to, Handle, Address from, Handle,
                              size_t bytes, Handle stream) {
  return copy(to, memoryDevice, from, memoryDevice, bytes, stream);
}

//===----------------------------------------------------------------------===//
// Two and three dimensions
//===----------------------------------------------------------------------===//

/// Where an end begins, and what is missing if it is an array.
template <typename End>
static Result startOf(const End &end, uint64_t plane, Address &start) {
  if (end.type == memoryArray)
    return refuse(CUDA_ERROR_NOT_SUPPORTED,
                  "copies from and to arrays (textures) are not there");
  start = end.type == memoryHost ? hostAddress(end.host) : end.device;
  start += plane + end.y * end.pitch + end.x;
  return CUDA_SUCCESS;
}

static Result copyRows(State &state, Address to, int toType, size_t toPitch,
                       Address from, int fromType, size_t fromPitch,
                       size_t width, size_t height) {
  if (height > 1 && (toPitch < width || fromPitch < width))
    return CUDA_ERROR_INVALID_VALUE;
  for (size_t row = 0; row < height; ++row)
    if (Result result = copyBytes(state, to + row * toPitch, toType,
                                  from + row * fromPitch, fromType, width))
      return result;
  return CUDA_SUCCESS;
}

static Result copy2D(const Copy2D *what, Handle stream = nullptr) {
  return call(Need::Context, [&](State &state) {
    if (!what)
      return CUDA_ERROR_INVALID_VALUE;
    if (!isStream(state, stream))
      return CUDA_ERROR_INVALID_HANDLE;
    Address to, from;
    if (Result result = startOf(what->to, 0, to))
      return result;
    if (Result result = startOf(what->from, 0, from))
      return result;
    return copyRows(state, to, what->to.type, what->to.pitch, from,
                    what->from.type, what->from.pitch, what->width,
                    what->height);
  });
}

NAPKIN_CUDA cuMemcpy2D_v2(const Copy2D *what) { return copy2D(what); }
NAPKIN_CUDA cuMemcpy2DUnaligned_v2(const Copy2D *what) { return copy2D(what); }
NAPKIN_CUDA cuMemcpy2DAsync_v2(const Copy2D *what, Handle stream) {
  return copy2D(what, stream);
}

static Result copy3D(const Copy3D *what, Handle stream = nullptr) {
  return call(Need::Context, [&](State &state) {
    if (!what)
      return CUDA_ERROR_INVALID_VALUE;
    if (!isStream(state, stream))
      return CUDA_ERROR_INVALID_HANDLE;
    for (size_t z = 0; z < what->depth; ++z) {
      auto plane = [&](const Copy3D::End &end) {
        return (end.z + z) * end.height * end.pitch;
      };
      Address to, from;
      if (Result result = startOf(what->to, plane(what->to), to))
        return result;
      if (Result result = startOf(what->from, plane(what->from), from))
        return result;
      if (Result result = copyRows(state, to, what->to.type, what->to.pitch,
                                   from, what->from.type, what->from.pitch,
                                   what->width, what->height))
        return result;
    }
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuMemcpy3D_v2(const Copy3D *what) { return copy3D(what); }
NAPKIN_CUDA cuMemcpy3DAsync_v2(const Copy3D *what, Handle stream) {
  return copy3D(what, stream);
}
NAPKIN_CUDA cuMemcpy3DPeer(const Copy3D *what) { return copy3D(what); }
NAPKIN_CUDA cuMemcpy3DPeerAsync(const Copy3D *what, Handle stream) {
  return copy3D(what, stream);
}

//===----------------------------------------------------------------------===//
// Filling
//===----------------------------------------------------------------------===//

/// `height` rows of `count` elements, each the `size` low bytes of `value`.
static Result fill(Address to, size_t pitch, unsigned value, unsigned size,
                   size_t count, size_t height, Handle stream = nullptr) {
  return call(Need::Context, [&](State &state) {
    if (!isStream(state, stream))
      return CUDA_ERROR_INVALID_HANDLE;
    if (to % size || (height > 1 && pitch < count * size))
      return CUDA_ERROR_INVALID_VALUE;
    if (!count)
      return CUDA_SUCCESS;
    std::vector<char> row(count * size);
    for (size_t i = 0; i < count; ++i)
      std::memcpy(row.data() + i * size, &value, size);
    for (size_t y = 0; y < height; ++y)
      if (Result result =
              copyBytes(state, to + y * pitch, memoryDevice,
                        hostAddress(row.data()), memoryHost, row.size()))
        return result;
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuMemsetD8_v2(Address to, unsigned char value, size_t count) {
  return fill(to, 0, value, 1, count, 1);
}
NAPKIN_CUDA cuMemsetD16_v2(Address to, unsigned short value, size_t count) {
  return fill(to, 0, value, 2, count, 1);
}
NAPKIN_CUDA cuMemsetD32_v2(Address to, unsigned value, size_t count) {
  return fill(to, 0, value, 4, count, 1);
}
NAPKIN_CUDA cuMemsetD8Async(Address to, unsigned char value, size_t count,
                            Handle stream) {
  return fill(to, 0, value, 1, count, 1, stream);
}
NAPKIN_CUDA cuMemsetD16Async(Address to, unsigned short value, size_t count,
                             Handle stream) {
  return fill(to, 0, value, 2, count, 1, stream);
}
NAPKIN_CUDA cuMemsetD32Async(Address to, unsigned value, size_t count,
                             Handle stream) {
  return fill(to, 0, value, 4, count, 1, stream);
}
NAPKIN_CUDA cuMemsetD2D8_v2(Address to, size_t pitch, unsigned char value,
                            size_t width, size_t height) {
  return fill(to, pitch, value, 1, width, height);
}
NAPKIN_CUDA cuMemsetD2D16_v2(Address to, size_t pitch, unsigned short value,
                             size_t width, size_t height) {
  return fill(to, pitch, value, 2, width, height);
}
NAPKIN_CUDA cuMemsetD2D32_v2(Address to, size_t pitch, unsigned value,
                             size_t width, size_t height) {
  return fill(to, pitch, value, 4, width, height);
}
NAPKIN_CUDA cuMemsetD2D8Async(Address to, size_t pitch, unsigned char value,
                              size_t width, size_t height, Handle stream) {
  return fill(to, pitch, value, 1, width, height, stream);
}
NAPKIN_CUDA cuMemsetD2D16Async(Address to, size_t pitch, unsigned short value,
                               size_t width, size_t height, Handle stream) {
  return fill(to, pitch, value, 2, width, height, stream);
}
NAPKIN_CUDA cuMemsetD2D32Async(Address to, size_t pitch, unsigned value,
                               size_t width, size_t height, Handle stream) {
  return fill(to, pitch, value, 4, width, height, stream);
}
