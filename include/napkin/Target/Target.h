//===- Target.h - Instruction descriptions per architecture -----*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What an architecture offers, as data: matrix instructions (Instruction.h),
// limits, and the layouts that follow from both. Schedule and lowering ask;
// they know no architecture by name.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_TARGET_TARGET_H
#define NAPKIN_TARGET_TARGET_H

#include "napkin/Layout/LinearLayout.h"
#include "napkin/Target/Instruction.h"
#include <vector>

namespace napkin::target {

/// An architecture.
struct TargetDescription {
  /// "sm_80".
  llvm::StringRef name;
  /// PTX ISA version that the emitted text asks for, as LLVM's feature:
  /// "+ptx80".
  llvm::StringRef ptxFeature;
  /// The same as `.version` has it: "8.0".
  std::string ptxVersion() const;
  /// Shared memory that one block may use, in bytes.
  int64_t maxSharedBytes;
  /// Registers that one thread may use.
  unsigned maxRegisters;
  /// What it multiplies matrices with; scalar rows last, one for each type of
  /// accumulator.
  std::vector<MatrixInstruction> instructions;

  /// The row called \p name, or null.
  const MatrixInstruction *find(llvm::StringRef name) const;
  /// The scalar row that accumulates in \p accumulator, or null.
  const MatrixInstruction *scalar(Element accumulator) const;
  /// The row that multiplies factors of \p element and accumulates in
  /// \p accumulator: one for exactly these factors, else the cheapest whose
  /// factors represent all of theirs. With \p roundToTF32, f32 factors may be
  /// rounded to tf32. Null only where there is no scalar row either.
  const MatrixInstruction *choose(Element element, Element accumulator,
                                  bool roundToTF32 = false) const;
};

/// The description of the architecture called `name`, or null.
const TargetDescription *lookupTarget(llvm::StringRef name);

/// The instruction called \p name on any target, or null: what it computes and
/// its fragments are the same on all that have it, its figures are not.
const MatrixInstruction *lookupInstruction(llvm::StringRef name);

/// Whether a machine of architecture \p machine runs PTX of \p target: its own,
/// and that of every earlier one, which the driver translates. Targets with a
/// letter, "sm_90a", run on their own architecture only (PTX ISA, ".target").
bool runsCodeOf(llvm::StringRef machine, llvm::StringRef target);

/// "sm_80, sm_86, sm_89": the names that lookupTarget knows.
std::string knownTargets();

/// Positions of an axis that a tile takes at once where \p warps share its
/// \p extent positions and one warp takes \p least of them: as many warps as
/// find a share have equal ones, the others the same positions again.
int64_t tileGranule(int64_t extent, int64_t least, int64_t warps);

/// What a block's tile takes of an axis of which it needs \p extent positions:
/// 1 of 1; of a row, column or summed axis of a product the next multiple of
/// \p granule; where nothing multiplies along the axis (\p granule 1) the next
/// power of two.
int64_t tileExtent(int64_t extent, int64_t granule);

/// Whether a tile may have exactly \p extent positions of an axis: 1, a power
/// of two or a multiple of 16 (LinearLayout.h says why), divided by \p granule.
bool isTileExtent(int64_t extent, int64_t granule);

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

/// Bytes left free behind each row of \p rowBytes in shared memory, where a
/// kernel leaves room there: 16 for elements of 2 bytes, since 8 rows an odd
/// number of 16 bytes apart lie in different banks. Other elements do not come
/// as matrices of 8 rows; their columns are permuted, and 0 is free.
int64_t roomBehindRow(int64_t rowBytes, unsigned elementBytes);

/// The same for rows with room behind each, where any eight pieces of one row
/// or of eight neighbouring ones lie in different banks: a thread copies
/// neighbouring rows, so that their offsets are small. Requires: `vector`
/// divides the core of the last axis.
layout::LinearLayout paddedCopyLayout(const layout::TileShape &shape,
                                      unsigned vector, unsigned warpBits);

} // namespace napkin::target

#endif // NAPKIN_TARGET_TARGET_H
