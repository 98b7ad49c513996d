//===- Target.cpp - Instruction descriptions per architecture -------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tables of the targets, and the layouts that follow from fragments.
//
//===----------------------------------------------------------------------===//

#include "napkin/Target/Target.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace napkin;
using namespace napkin::layout;
using namespace napkin::target;

//===----------------------------------------------------------------------===//
// Instructions
//===----------------------------------------------------------------------===//

namespace {
constexpr unsigned first = 0, second = 1, nowhere = FragmentBit::nowhere;

/// Cycles between issues of the rows below on one scheduler, in their order.
struct IssueCycles {
  double bf16, f16, tf32, i8, f8, f64, fmaF32, fmaF64, madI32, madI64;
};
} // namespace

/// A row of mma.sync with 16 or 8 rows: in all of them lane / 4 is the row of A
/// and of the accumulator and the column of B, and lane % 4 walks along k in
/// steps of one register of 4 (f64: 8) bytes; further registers are 8 rows down
/// and then half of k on (PTX ISA, "Matrix fragments for mma.m16n8k8",
/// "m16n8k16", "m16n8k32" and "m8n8k4" of each type).
static MatrixInstruction mma(llvm::StringRef name, llvm::StringRef ptx,
                             unsigned m, unsigned k, Element factor,
                             Element accumulator, double cycles,
                             double latency) {
  // Bits of k inside a register, in the lanes, and above them.
  unsigned inRegister =
      elementBytes(factor) >= 4 ? 0 : log2Exact(4 / elementBytes(factor));
  unsigned above = inRegister + 2;
  Fragment a, b, c;
  for (unsigned bit = 0; bit < inRegister; ++bit) {
    a.registers.push_back({second, bit});
    b.registers.push_back({second, bit});
  }
  if (m == 16)
    a.registers.push_back({first, 3});
  for (unsigned bit = above; (1u << bit) < k; ++bit) {
    a.registers.push_back({second, bit});
    b.registers.push_back({second, bit});
  }
  a.lanes = {{second, inRegister},
             {second, inRegister + 1},
             {first, 0},
             {first, 1},
             {first, 2}};
  b.lanes = a.lanes;
  c.registers = {{second, 0}};
  if (m == 16)
    c.registers.push_back({first, 3});
  c.lanes = {{second, 1}, {second, 2}, {first, 0}, {first, 1}, {first, 2}};
  return {name,
          ptx,
          Scope::Warp,
          m,
          8,
          k,
          factor,
          factor,
          accumulator,
          Source::Registers,
          Source::Registers,
          a,
          b,
          c,
          false,
          cycles,
          latency};
}

/// A scalar row: a lane has 4 x 4 elements, of rows 8 apart and of neighbouring
/// columns, so that it reads B and writes the result 16 bytes at a time; four
/// lanes share a row, eight a column.
static MatrixInstruction scalarRow(llvm::StringRef name, llvm::StringRef ptx,
                                   Element element, double cycles,
                                   double latency) {
  Fragment a, b, c;
  a.registers = {{first, 3}, {first, 4}};
  a.lanes = {{nowhere, 0}, {nowhere, 0}, {first, 0}, {first, 1}, {first, 2}};
  b.registers = {{first, 0}, {first, 1}};
  b.lanes = {{first, 2}, {first, 3}, {nowhere, 0}, {nowhere, 0}, {nowhere, 0}};
  c.registers = {{second, 0}, {second, 1}, {first, 3}, {first, 4}};
  c.lanes = {{second, 2}, {second, 3}, {first, 0}, {first, 1}, {first, 2}};
  return {name,
          ptx,
          Scope::Thread,
          1,
          1,
          1,
          element,
          element,
          element,
          Source::Registers,
          Source::Registers,
          a,
          b,
          c,
          false,
          cycles,
          latency};
}

/// The table of a target; \p f8 is whether it multiplies 8-bit floats.
static std::vector<MatrixInstruction> instructionTable(const IssueCycles &at,
                                                       bool f8) {
  using E = Element;
  std::vector<MatrixInstruction> table = {
      // f16 ahead of bf16: 8-bit floats widen to it more cheaply.
      mma("mma.m16n8k16.f16",
          "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32", 16, 16, E::F16,
          E::F32, at.f16, 33),
      mma("mma.m16n8k16.bf16",
          "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32", 16, 16,
          E::BF16, E::F32, at.bf16, 33),
      mma("mma.m16n8k8.tf32",
          "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32", 16, 8, E::TF32,
          E::F32, at.tf32, 33),
      mma("mma.m16n8k32.i8", "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32",
          16, 32, E::I8, E::I32, at.i8, 33),
  };
  if (f8) {
    table.push_back(mma("mma.m16n8k32.f8E4M3FN",
                        "mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32",
                        16, 32, E::F8E4M3, E::F32, at.f8, 33));
    table.push_back(mma("mma.m16n8k32.f8E5M2",
                        "mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32",
                        16, 32, E::F8E5M2, E::F32, at.f8, 33));
  }
  table.push_back(mma("mma.m8n8k4.f64",
                      "mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64", 8, 4,
                      E::F64, E::F64, at.f64, 33));
  table.push_back(scalarRow("fma.f32", "fma.rn.f32", E::F32, at.fmaF32, 4));
  table.push_back(scalarRow("fma.f64", "fma.rn.f64", E::F64, at.fmaF64, 8));
  table.push_back(scalarRow("mad.i32", "mad.lo.s32", E::I32, at.madI32, 4));
  table.push_back(scalarRow("mad.i64", "mad.lo.s64", E::I64, at.madI64, 16));
  return table;
}

static llvm::ArrayRef<TargetDescription> targets() {
  // Cycles from the peak rates of the white papers of GA100, GA102 and AD102
  // (products per cycle of a multiprocessor: A100 bf16 1024, tf32 512, i8 2048,
  // f64 64; GA102 and AD102 as their consumer boards run them, accumulating in
  // f32), and of the technical brief of Jetson AGX Orin (i8 2048).
  constexpr IssueCycles a100 = {8, 8, 8, 8, 0, 16, 2, 4, 2, 8};
  constexpr IssueCycles ga102 = {32, 32, 32, 16, 0, 512, 1, 64, 2, 8};
  constexpr IssueCycles orin = {8, 8, 8, 8, 0, 512, 1, 64, 2, 8};
  constexpr IssueCycles ad102 = {32, 32, 32, 16, 32, 512, 1, 64, 2, 8};
  // Shared memory per block: CUDA programming guide, "Technical specifications
  // per compute capability" (163, 99, 163 and 99 KiB). mma of 8-bit floats is
  // of PTX ISA 8.4.
  static const TargetDescription table[] = {
      {"sm_80", "+ptx80", 163 * 1024, 255, instructionTable(a100, false)},
      {"sm_86", "+ptx80", 99 * 1024, 255, instructionTable(ga102, false)},
      {"sm_87", "+ptx80", 163 * 1024, 255, instructionTable(orin, false)},
      {"sm_89", "+ptx84", 99 * 1024, 255, instructionTable(ad102, true)},
  };
  return table;
}

const MatrixInstruction *TargetDescription::find(llvm::StringRef name) const {
  auto found = llvm::find_if(instructions, [&](const MatrixInstruction &row) {
    return row.name == name;
  });
  return found == instructions.end() ? nullptr : &*found;
}

const MatrixInstruction *TargetDescription::scalar(Element accumulator) const {
  auto found = llvm::find_if(instructions, [&](const MatrixInstruction &row) {
    return row.scope == Scope::Thread && row.accumulator == accumulator;
  });
  return found == instructions.end() ? nullptr : &*found;
}

const MatrixInstruction *TargetDescription::choose(Element element,
                                                   Element accumulator,
                                                   bool roundToTF32) const {
  if (roundToTF32 && element == Element::F32)
    element = Element::TF32;
  const MatrixInstruction *best = nullptr;
  for (const MatrixInstruction &row : instructions) {
    if (row.accumulator != accumulator || !represents(row.a, element))
      continue;
    if (row.a == element && row.scope != Scope::Thread)
      return &row;
    if (!best || row.productsPerCycle() > best->productsPerCycle())
      best = &row;
  }
  return best;
}

const MatrixInstruction *target::lookupInstruction(llvm::StringRef name) {
  for (const TargetDescription &description : targets())
    if (const MatrixInstruction *row = description.find(name))
      return row;
  return nullptr;
}

std::string TargetDescription::ptxVersion() const {
  llvm::StringRef digits = ptxFeature;
  digits.consume_front("+ptx");
  return digits.drop_back().str() + "." + digits.take_back().str();
}

const TargetDescription *target::lookupTarget(llvm::StringRef name) {
  for (const TargetDescription &description : targets())
    if (description.name == name)
      return &description;
  return nullptr;
}

bool napkin::target::runsCodeOf(llvm::StringRef machine,
                                llvm::StringRef target) {
  if (machine == target)
    return true;
  unsigned own = 0, other = 0;
  return machine.consume_front("sm_") && target.consume_front("sm_") &&
         !machine.consumeInteger(10, own) && !target.getAsInteger(10, other) &&
         other <= own;
}

std::string target::knownTargets() {
  std::string names;
  for (const TargetDescription &description : targets())
    names += (names.empty() ? "" : ", ") + description.name.str();
  return names;
}

int64_t target::tileGranule(int64_t extent, int64_t least, int64_t warps) {
  int64_t granule = least;
  while (granule < least * warps && granule < extent)
    granule *= 2;
  return granule;
}

int64_t target::tileExtent(int64_t extent, int64_t granule) {
  int64_t power = llvm::PowerOf2Ceil(extent);
  if (extent <= 1 || granule <= 1)
    return power;
  if (power <= 16)
    return std::max(power, granule);
  return llvm::alignTo(extent, std::max<int64_t>(granule, 16));
}

bool target::isTileExtent(int64_t extent, int64_t granule) {
  return extent == 1 || (extent % granule == 0 &&
                         (llvm::isPowerOf2_64(extent) || extent % 16 == 0));
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
  auto takeFragment = [&](Place place, llvm::ArrayRef<FragmentBit> bits) {
    for (FragmentBit bit : bits)
      if (bit.axis == FragmentBit::nowhere)
        layout.add(place, 0);
      else
        take(place, axes[bit.axis], bit.bit);
  };
  takeFragment(Place::Register, fragment.registers);
  takeFragment(Place::Lane, fragment.lanes);

  // Warps take the top bits that are free; where there are none they replicate.
  llvm::SmallVector<uint32_t, 5> warpImages;
  auto takeTop = [&](unsigned axis, unsigned count) {
    llvm::SmallVector<uint32_t, 5> images;
    for (unsigned i = 0; i < count; ++i) {
      unsigned fromTop = count - i; // lowest of the top bits first
      uint32_t unit = 0;
      if (shape.coreBits(axis) >= fromTop) {
        unit = shape.unit(axis, shape.coreBits(axis) - fromTop);
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
  // Digits are the registers' alone, behind all others.
  llvm::SmallVector<uint32_t, 32> units, digits;
  for (unsigned bit = 0; bit < shape.totalBits(); ++bit)
    (shape.digits() >> bit & 1 ? digits : units).push_back(uint32_t(1) << bit);
  unsigned total = units.size(), next = 0;
  vectorBits = std::min(vectorBits, total);
  for (; next < vectorBits; ++next)
    layout.add(Place::Register, units[next]);
  unsigned lanes = std::min(5u, total - next);
  for (unsigned lane = 0; lane < 5; ++lane)
    layout.add(Place::Lane, lane < lanes ? units[next++] : 0);
  unsigned warps = std::min(warpBits, total - next);
  unsigned warpStart = warpsFromTop ? total - warps : next;
  for (unsigned bit = next; bit < total; ++bit)
    if (bit < warpStart || bit >= warpStart + warps)
      layout.add(Place::Register, units[bit]);
  for (uint32_t digit : digits)
    layout.add(Place::Register, digit);
  for (unsigned warp = 0; warp < warpBits; ++warp)
    layout.add(Place::Warp, warp < warps ? units[warpStart + warp] : 0);
  return layout;
}

LinearLayout target::blockedLayout(const TileShape &shape, unsigned vector,
                                   unsigned warpBits) {
  unsigned lastBits = shape.rank() ? shape.coreBits(shape.rank() - 1) : 0;
  return deal(shape, std::min(log2Exact(vector), lastBits), warpBits,
              /*warpsFromTop=*/true);
}

int64_t target::roomBehindRow(int64_t rowBytes, unsigned elementBytes) {
  return elementBytes == 2 && rowBytes % 32 == 0 ? 16 : 0;
}

LinearLayout target::paddedCopyLayout(const TileShape &shape, unsigned vector,
                                      unsigned warpBits) {
  unsigned last = shape.rank() - 1, vectorBits = log2Exact(vector);
  llvm::SmallVector<uint32_t, 16> pieces, rows, digits;
  for (unsigned bit = vectorBits; bit < shape.coreBits(last); ++bit)
    pieces.push_back(shape.unit(last, bit));
  for (unsigned bit = shape.bits(last); bit < shape.totalBits(); ++bit)
    (shape.digits() >> bit & 1 ? digits : rows).push_back(uint32_t(1) << bit);
  for (unsigned bit = shape.coreBits(last); bit < shape.bits(last); ++bit)
    digits.push_back(shape.unit(last, bit));
  // Eight lanes on neighbouring pieces of a row or, where a row has no multiple
  // of eight, on one piece of eight rows.
  llvm::SmallVector<uint32_t, 10> threads;
  unsigned wanted = 5 + warpBits, firstRow = 0;
  if (pieces.size() < 3)
    for (; firstRow < std::min<size_t>(3, rows.size()); ++firstRow)
      threads.push_back(rows[firstRow]);
  size_t taken = std::min<size_t>(pieces.size(), wanted - threads.size());
  threads.append(pieces.begin(), pieces.begin() + taken);
  // The others from the top: the rows of one thread are neighbours.
  size_t above =
      std::min<size_t>(rows.size() - firstRow, wanted - threads.size());
  threads.append(rows.end() - above, rows.end());
  threads.resize(wanted, 0);
  LinearLayout layout;
  for (unsigned bit = 0; bit < vectorBits; ++bit)
    layout.add(Place::Register, shape.unit(last, bit));
  for (size_t row = firstRow; row < rows.size() - above; ++row)
    layout.add(Place::Register, rows[row]);
  for (uint32_t unit : llvm::drop_begin(pieces, taken))
    layout.add(Place::Register, unit);
  for (uint32_t digit : digits)
    layout.add(Place::Register, digit);
  for (unsigned bit = 0; bit < wanted; ++bit)
    layout.add(bit < 5 ? Place::Lane : Place::Warp, threads[bit]);
  return layout;
}

LinearLayout target::copyLayout(const TileShape &shape, unsigned vector,
                                unsigned warpBits) {
  unsigned lastBits = shape.rank() ? shape.coreBits(shape.rank() - 1) : 0;
  return deal(shape, std::min(log2Exact(vector), lastBits), warpBits,
              /*warpsFromTop=*/false);
}
