//===- TensorMaps.cpp - cuTensorMapEncodeTiled -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The executor encodes; here the driver's numbers become its words.
//
//===----------------------------------------------------------------------===//

#include "State.h"

#include "napkin/Executor/Manifest.h"

#include <cstring>

using namespace napkin;
using namespace napkin::driver;

/// CUtensorMapDataType in order; null: no such elements here.
static const char *const elementNames[] = {
    "u8",  "u16", "u32",  "i32",   "u64",  "i64",  "f16",
    "f32", "f64", "bf16", nullptr, "tf32", nullptr};
/// CUtensorMapSwizzle in order.
static constexpr uint32_t swizzles[] = {0, 32, 64, 128};

NAPKIN_CUDA cuTensorMapEncodeTiled(void *map, unsigned type, unsigned rank,
                                   void *address, const uint64_t *sizes,
                                   const uint64_t *strides, const uint32_t *box,
                                   const uint32_t *elementStrides,
                                   unsigned interleave, unsigned swizzle,
                                   unsigned, unsigned nanFill) {
  return call(Need::Initialized, [&](State &) {
    if (!map || !sizes || !box || rank < 1 || rank > 5 ||
        (rank > 1 && !strides))
      return CUDA_ERROR_INVALID_VALUE;
    if (type >= std::size(elementNames) || !elementNames[type])
      return refuse(CUDA_ERROR_NOT_SUPPORTED,
                    "tensor maps of this data type are not there: those of f32 "
                    "and tf32 with subnormals as zero, and of fewer than 8 "
                    "bits");
    if (interleave)
      return refuse(CUDA_ERROR_NOT_SUPPORTED,
                    "tensor maps of interleaved layouts are not there");
    if (swizzle >= std::size(swizzles))
      return refuse(CUDA_ERROR_NOT_SUPPORTED,
                    "tensor maps are swizzled by 32, 64 or 128 bytes in atoms "
                    "of 16; other atoms are not there");
    executor::TensorMapInfo info;
    info.element = elementNames[type];
    info.sizes.assign(sizes, sizes + rank);
    if (rank > 1)
      info.strides.assign(strides, strides + rank - 1);
    info.box.assign(box, box + rank);
    if (elementStrides)
      info.elementStrides.assign(elementStrides, elementStrides + rank);
    info.swizzle = swizzles[swizzle];
    info.nanFill = nanFill;
    auto bytes =
        executor::encodeTensorMap(reinterpret_cast<uint64_t>(address), info);
    if (!bytes)
      return refuse(CUDA_ERROR_INVALID_VALUE,
                    "cuTensorMapEncodeTiled: " + toString(bytes.takeError()));
    std::memcpy(map, bytes->data(), bytes->size());
    return CUDA_SUCCESS;
  });
}

NAPKIN_CUDA cuTensorMapReplaceAddress(void *map, void *address) {
  // The address is the first word of the 128 bytes.
  if (!map || reinterpret_cast<uintptr_t>(address) % 16)
    return CUDA_ERROR_INVALID_VALUE;
  std::memcpy(map, &address, sizeof address);
  return CUDA_SUCCESS;
}
