//===- Target.cpp - Instruction descriptions per architecture -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Target/Target.h"
#include "llvm/ADT/STLExtras.h"

using namespace napkin;
using namespace napkin::layout;
using namespace napkin::target;

/// mma.sync.m16n8k16 with 16-bit factors (PTX ISA, "Matrix fragments for
/// mma.m16n8k16 with floating point type"). With g = lane / 4, t = lane % 4:
/// a0..a7 at row g (+8), k 2t + {0,1} (+8); b0..b3 at k 2t + {0,1} (+8), column
/// g; c0..c3 at row g (+8), columns 2t + {0,1}.
static MmaInstruction mma16816() {
  const unsigned rows = 0, columns = 0, summed = 1, accumulatorColumns = 1;
  MmaInstruction mma{16, 8, 16, {}, {}, {}};
  mma.a.registers = {{summed, 0}, {rows, 3}, {summed, 3}};
  mma.a.lanes = {{summed, 1}, {summed, 2}, {rows, 0}, {rows, 1}, {rows, 2}};
  mma.b.registers = {{summed, 0}, {summed, 3}};
  mma.b.lanes = {
      {summed, 1}, {summed, 2}, {columns, 0}, {columns, 1}, {columns, 2}};
  mma.accumulator.registers = {{accumulatorColumns, 0}, {rows, 3}};
  mma.accumulator.lanes = {{accumulatorColumns, 1},
                           {accumulatorColumns, 2},
                           {rows, 0},
                           {rows, 1},
                           {rows, 2}};
  return mma;
}

static llvm::ArrayRef<TargetDescription> targets() {
  // Shared memory per block: CUDA programming guide, "Technical specifications
  // per compute capability" (163, 99 and 99 KiB).
  static const TargetDescription table[] = {
      {"sm_80", "+ptx80", 163 * 1024, 255, mma16816()},
      {"sm_86", "+ptx80", 99 * 1024, 255, mma16816()},
      {"sm_89", "+ptx80", 99 * 1024, 255, mma16816()},
  };
  return table;
}

const TargetDescription *target::lookupTarget(llvm::StringRef name) {
  for (const TargetDescription &description : targets())
    if (description.name == name)
      return &description;
  return nullptr;
}

std::string target::knownTargets() {
  std::string names;
  for (const TargetDescription &description : targets())
    names += (names.empty() ? "" : ", ") + description.name.str();
  return names;
}

LinearLayout target::tileLayout(const Fragment &fragment, Operand operand,
                                const TileShape &shape,
                                llvm::ArrayRef<unsigned> axes, WarpGrid warps) {
  LinearLayout layout;
  uint32_t taken = 0;
  auto take = [&](Place place, unsigned axis, unsigned bit) {
    uint32_t unit = bit < shape.bits(axis) ? shape.unit(axis, bit) : 0;
    layout.add(place, unit);
    taken |= unit;
  };
  for (FragmentBit bit : fragment.registers)
    take(Place::Register, axes[bit.axis], bit.bit);
  for (FragmentBit bit : fragment.lanes)
    take(Place::Lane, axes[bit.axis], bit.bit);

  // Warps take the top bits that are free; where there are none they replicate.
  llvm::SmallVector<uint32_t, 5> warpImages;
  auto takeTop = [&](unsigned axis, unsigned count) {
    llvm::SmallVector<uint32_t, 5> images;
    for (unsigned i = 0; i < count; ++i) {
      unsigned fromTop = count - i; // lowest of the top bits first
      uint32_t unit = 0;
      if (shape.bits(axis) >= fromTop) {
        unit = shape.unit(axis, shape.bits(axis) - fromTop);
        if (taken & unit)
          unit = 0;
      }
      taken |= unit;
      images.push_back(unit);
    }
    warpImages.append(images.begin(), images.end());
  };
  bool hasRows = operand != Operand::B, hasColumns = operand != Operand::A;
  if (hasRows)
    takeTop(axes[0], warps.rowBits);
  else
    warpImages.append(warps.rowBits, 0);
  if (hasColumns)
    takeTop(operand == Operand::Accumulator ? axes[1] : axes[0],
            warps.columnBits);
  else
    warpImages.append(warps.columnBits, 0);

  // Registers: for B the columns come first, so that one ldmatrix.x4 serves two
  // column tiles; for A and the accumulator the second axis comes first.
  llvm::SmallVector<unsigned, 2> registerOrder{axes[1], axes[0]};
  if (operand == Operand::B)
    std::swap(registerOrder[0], registerOrder[1]);
  for (unsigned axis : registerOrder)
    for (unsigned bit = 0; bit < shape.bits(axis); ++bit)
      if (!(taken & shape.unit(axis, bit)))
        take(Place::Register, axis, bit);
  for (uint32_t image : warpImages)
    layout.add(Place::Warp, image);
  return layout;
}

/// The bits of a flat coordinate from `first` on, dealt out in this order:
/// vector registers, lanes, warps, registers; `warpsFromTop` gives warps the
/// top bits.
static LinearLayout deal(const TileShape &shape, unsigned vectorBits,
                         unsigned warpBits, bool warpsFromTop) {
  LinearLayout layout;
  unsigned total = shape.totalBits(), next = 0;
  vectorBits = std::min(vectorBits, total);
  for (; next < vectorBits; ++next)
    layout.add(Place::Register, uint32_t(1) << next);
  unsigned lanes = std::min(5u, total - next);
  for (unsigned lane = 0; lane < 5; ++lane)
    layout.add(Place::Lane, lane < lanes ? uint32_t(1) << next++ : 0);
  unsigned warps = std::min(warpBits, total - next);
  unsigned warpStart = warpsFromTop ? total - warps : next;
  for (unsigned bit = next; bit < total; ++bit)
    if (bit < warpStart || bit >= warpStart + warps)
      layout.add(Place::Register, uint32_t(1) << bit);
  for (unsigned warp = 0; warp < warpBits; ++warp)
    layout.add(Place::Warp,
               warp < warps ? uint32_t(1) << (warpStart + warp) : 0);
  return layout;
}

LinearLayout target::blockedLayout(const TileShape &shape, unsigned vector,
                                   unsigned warpBits) {
  unsigned lastBits = shape.rank() ? shape.bits(shape.rank() - 1) : 0;
  return deal(shape, std::min(log2Exact(vector), lastBits), warpBits,
              /*warpsFromTop=*/true);
}

LinearLayout target::copyLayout(const TileShape &shape, unsigned vector,
                                unsigned warpBits) {
  unsigned lastBits = shape.rank() ? shape.bits(shape.rank() - 1) : 0;
  return deal(shape, std::min(log2Exact(vector), lastBits), warpBits,
              /*warpsFromTop=*/false);
}
