//===- Target.h - Instruction descriptions per architecture -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an architecture offers, as data: matrix instructions with the places of
// their operands' elements, copies, limits. The lowering asks; it knows no
// architecture by name.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_TARGET_TARGET_H
#define NAPKIN_TARGET_TARGET_H

#include "napkin/Layout/LinearLayout.h"
#include "llvm/ADT/StringRef.h"

namespace napkin::target {

/// One bit of a fragment's coordinate: bit `bit` of the operand's first (0) or
/// second (1) axis.
struct FragmentBit {
  unsigned axis;
  unsigned bit;
};

/// Where an instruction holds one operand: the coordinate bit that each
/// register bit and lane bit stands for, lowest first. The two axes are (rows,
/// summed) for A, (columns, summed) for B, (rows, columns) for the accumulator.
struct Fragment {
  llvm::SmallVector<FragmentBit, 4> registers;
  llvm::SmallVector<FragmentBit, 5> lanes;
};

/// A warp-wide matrix instruction: D[m,n] = A[m,k] B[k,n] + C[m,n]
/// (PTX ISA, "Warp-level matrix instructions: mma").
struct MmaInstruction {
  /// Sizes in elements.
  unsigned m, n, k;
  Fragment a, b, accumulator;
};

/// An architecture.
struct TargetDescription {
  /// "sm_80".
  llvm::StringRef name;
  /// PTX ISA version that the emitted text asks for, as LLVM's feature:
  /// "+ptx80".
  llvm::StringRef ptxFeature;
  /// Shared memory that one block may use, in bytes.
  int64_t maxSharedBytes;
  /// Registers that one thread may use.
  unsigned maxRegisters;
  /// The instruction for 16-bit float factors and an f32 accumulator.
  MmaInstruction mma16;
};

/// The description of the architecture called `name`, or null.
const TargetDescription *lookupTarget(llvm::StringRef name);

/// "sm_80, sm_86, sm_89": the names that lookupTarget knows.
std::string knownTargets();

/// How the warps of a block share a tile of rows x columns, as powers of two.
struct WarpGrid {
  unsigned rowBits = 0;
  unsigned columnBits = 0;
};

/// Which operand of a matrix instruction.
enum class Operand { A, B, Accumulator };

/// Extends a fragment to a whole tile: `axes[0]`, `axes[1]` are the positions
/// in `shape` of the fragment's two axes. Warps take the highest row bits and
/// column bits; bits that neither the fragment nor the warps take become
/// registers, columns (or summed positions) before rows. An operand without
/// rows or without columns is replicated over the warps that differ there only.
layout::LinearLayout tileLayout(const Fragment &fragment, Operand operand,
                                const layout::TileShape &shape,
                                llvm::ArrayRef<unsigned> axes, WarpGrid warps);

/// A layout for element-wise work and transfers: up to `vector` contiguous
/// elements of the last axis in one thread, then lanes, then warps along the
/// rows, then registers. A row that fits in one warp stays in it.
layout::LinearLayout blockedLayout(const layout::TileShape &shape,
                                   unsigned vector, unsigned warpBits);

/// A layout for copies of rows: vectors along the last axis, consecutive
/// threads take consecutive vectors, then the rest in registers. Threads for
/// which nothing is left replicate.
layout::LinearLayout copyLayout(const layout::TileShape &shape, unsigned vector,
                                unsigned warpBits);

} // namespace napkin::target

#endif // NAPKIN_TARGET_TARGET_H
