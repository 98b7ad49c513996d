//===- TensorMap.h - The 128 bytes of a tensor map -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The layout that ptxas' lowering of tensormap.replace shows (the first 64
// bytes), and that encoders for the hardware write; a magic in the last 8 tells
// maps made here from stray memory.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_ASYNC_TENSORMAP_H
#define NAPKIN_LIB_EXECUTOR_ASYNC_TENSORMAP_H

#include "Machine/Machine.h"

#include <cstdint>
#include <string>

namespace napkin::executor {

struct TensorMap {
  uint64_t address = 0;
  unsigned rank = 1, elementType = 0, elementBytes = 1;
  /// 0 none, 1: 32, 2: 64, 3: 128 bytes.
  unsigned swizzle = 0, interleave = 0;
  bool nanFill = false;
  uint64_t stride[4] = {};
  uint64_t size[5] = {1, 1, 1, 1, 1};
  uint32_t box[5] = {1, 1, 1, 1, 1}, step[5] = {1, 1, 1, 1, 1};

  /// Whether the bytes were made as a tensor map: here, or by an encoder for
  /// the hardware, which gives the low four bits of the second word the value 2
  /// and may leave the second half of the 128 bytes unwritten.
  static bool isMap(const void *bytes);
  /// Reads the 128 bytes.
  static TensorMap decode(const void *bytes);
  void encode(void *bytes) const;
  /// Why the hardware would refuse it; empty if it would not.
  std::string check() const;
};

/// Fields that tensormap.replace names.
enum class TensorMapField : uint8_t {
  GlobalAddress,
  Rank,
  BoxDim,
  GlobalDim,
  GlobalStride,
  ElementStride,
  ElemType,
  InterleaveLayout,
  SwizzleMode,
  FillMode
};
/// Sets one field in the encoded form; false: the value is out of range.
bool replaceField(void *bytes, TensorMapField field, unsigned index,
                  uint64_t value);

/// Before lane `lane` uses the map at `address`: what made it on the device
/// must be ordered before and fenced. False after a trap.
bool useTensorMap(Warp &warp, const Instr &instruction, unsigned lane,
                  uint64_t address, const Place &place);

/// The address within shared memory after the swizzle of mode 0 to 3.
inline uint32_t swizzled(uint32_t address, unsigned mode) {
  return mode ? address ^ (((address >> 7) & ((1u << mode) - 1)) << 4)
              : address;
}

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_ASYNC_TENSORMAP_H
