//===- Wgmma.h - Description of a warpgroup product ------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The form of one wgmma, its descriptors, and the operands that its four warps
// share.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_ASYNC_WGMMA_H
#define NAPKIN_LIB_EXECUTOR_ASYNC_WGMMA_H

#include "Async/TensorMap.h"
#include "Machine/Launch.h"
#include "Numerics/MatrixProducts.h"

namespace napkin::executor {

/// One wgmma instruction.
struct Wgmma {
  MatrixShape shape;
  bool aInRegisters = false, transposeA = false, transposeB = false;
  bool negateA = false, negateB = false;
  /// A constant scale, or a predicate in Instr::c.
  int scale = -1;
  bool isScaleNegated = false;
  uint32_t descriptorA = noRegister, descriptorB = noRegister,
           metadata = noRegister;
  /// Elements of a row of A in memory.
  unsigned storedK() const { return shape.sparse ? shape.k / 2 : shape.k; }
  /// 16-byte pieces of a row of A and of B along k (or groups of 8 elements).
  unsigned piecesA() const { return storedK() * shape.bitsA / 128; }
  unsigned piecesB() const { return shape.k * shape.bitsA / 128; }
};

/// A matrix descriptor, taken apart.
struct Descriptor {
  uint32_t start, leading, stride, mode;
  explicit Descriptor(uint64_t d)
      : start(uint32_t(d & 0x3fff) << 4),
        leading(uint32_t(d >> 16 & 0x3fff) << 4),
        stride(uint32_t(d >> 32 & 0x3fff) << 4), mode(uint32_t(d >> 62)) {}
  /// 0 none, 1: 32, 2: 64, 3: 128 bytes, as TensorMap counts.
  unsigned swizzle() const { return mode == 0 ? 0 : 4 - mode; }
  /// Address of the 16 bytes that hold element (mn, k): K-major.
  uint32_t chunkK(uint32_t mn, uint32_t kByte) const {
    unsigned s = swizzle();
    uint32_t offset =
        s ? (mn & 7) * (16u << s) + (mn >> 3) * stride + kByte
          : (mn & 7) * 16 + (mn >> 3) * stride + (kByte >> 4) * leading;
    return swizzled(start + offset, s);
  }
  /// MN-major, 16-bit elements: the 8 elements mn .. mn + 7 at k.
  uint32_t chunkMN(uint32_t mn, uint32_t k) const {
    unsigned s = swizzle();
    uint32_t chunk = mn >> 3;
    if (!s)
      return start + chunk * stride + (k & 7) * 16 + (k >> 3) * leading;
    uint32_t per = 1u << s; // chunks in one span
    return swizzled(start + (chunk % per) * 16 + (chunk / per) * leading +
                        (k & 7) * (16u << s) + (k >> 3) * stride,
                    s);
  }
};

/// Visits rows [begin, begin + size) of an operand in pieces of 128 bytes that
/// the hardware reads at once: visit(mn, half, addresses) with the addresses of
/// 8 chunks of 16 bytes. Those are the rows mn .. mn + 7 in piece `half` of k
/// (of two, four for a sparse product's B), or (transposed) the 8 ks of that
/// piece for the same rows. False when a visit is.
template <class F>
bool forEachCore(const Descriptor &d, bool transposed, unsigned begin,
                 unsigned size, unsigned pieces, F &&visit) {
  uint32_t addresses[8];
  for (unsigned mn = begin; mn < begin + size; mn += 8)
    for (unsigned half = 0; half < pieces; ++half) {
      for (unsigned j = 0; j < 8; ++j)
        addresses[j] = transposed ? d.chunkMN(mn, 8 * half + j)
                                  : d.chunkK(mn + j, 16 * half);
      if (!visit(mn, half, addresses))
        return false;
    }
  return true;
}

/// B of the last products, decoded by the first of the four warps that performs
/// one. Each host thread has its own.
class OperandCache {
public:
  struct Entry {
    uint64_t block = ~uint64_t(0), descriptor = 0;
    uint32_t number = 0;
    std::vector<float> values;
    std::vector<int32_t> exponents;
  };
  /// The place of the warpgroup's product `number`; its content belongs to
  /// another product if block, number or descriptor differ.
  Entry &at(unsigned group, uint32_t number) {
    return entries[group % groups][number % depth];
  }

private:
  static constexpr unsigned groups = 8, depth = 16;
  Entry entries[groups][depth];
};

/// A sparse A, or single bits: element by element.
void performSparseWgmma(Warp &warp, PendingWgmma &product);

/// One of eight chunks at shared `addresses` is out of bounds: traps.
bool wgmmaOutside(Warp &warp, const Instr &instruction,
                  const uint32_t *addresses);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_ASYNC_WGMMA_H
