//===- DecodeWmma.cpp - wmma.load, wmma.store, wmma.mma --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The manual leaves fragments opaque. They are laid out here as the assembler
// lays them out for sm_80 and sm_90 (seen in what it makes of each load): those
// of mma.sync, tile by tile, so that a product is one or two mma. A shape of 8
// rows computes the transposed product. f16 multiplicands have 8 registers
// always, the spare ones being copies.
//
// A load is ordinary loads of words with computed addresses; where the matrix
// lies across the fragment, 8 x 8 tiles of 16-bit elements are transposed after
// the load, smaller elements are loaded one by one.
//
//===----------------------------------------------------------------------===//

#include "Decode/DecodeMatrix.h"
#include "Machine/Handlers.h"

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::typeBits;
using Type = napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

namespace {

enum class Part : uint8_t { A, B, C };

/// A matrix of one wmma and how its registers lie in it. Its `outer` index is
/// the one that lane / 4 counts, `inner` the one along which a register's
/// elements and lane % 4 go.
struct WmmaMatrix {
  Part part;
  unsigned m, n, k;
  Type type;
  /// Of the matrix in memory.
  bool isColumnMajor;

  /// Eight rows: the product is computed transposed.
  bool isTransposed() const { return m == 8 && n == 32; }
  /// Is outer the row index?
  bool outerIsRow() const {
    return part == Part::A || (part == Part::C && !isTransposed());
  }
  /// Elements next to each other in memory are next to each other in inner.
  bool isContiguous() const { return outerIsRow() != isColumnMajor; }
  unsigned rows() const { return part == Part::B ? k : m; }
  unsigned columns() const { return part == Part::A ? k : n; }
  unsigned outer() const { return outerIsRow() ? rows() : columns(); }
  unsigned inner() const { return outerIsRow() ? columns() : rows(); }
  unsigned defaultStride() const { return isColumnMajor ? rows() : columns(); }
  /// Elements of a lane that are together: a register, or a pair of sums.
  unsigned together() const {
    return part == Part::C ? 2 : typeBits(type) >= 32 ? 1 : 32 / typeBits(type);
  }
  unsigned bitsOfRegister() const { return type == Type::F64 ? 64 : 32; }
  /// Registers of one group of elements that are together.
  unsigned registersTogether() const {
    return std::max(1u, together() * typeBits(type) / bitsOfRegister());
  }
  unsigned groups() const { return outer() * inner() / lanes / together(); }
  unsigned registers() const {
    return part != Part::C && type == Type::F16
               ? 8
               : groups() * registersTogether();
  }
  /// Where group `i` of the warp begins.
  void origin(unsigned i, unsigned &x, unsigned &y) const {
    unsigned across = std::max(1u, inner() / (4 * together()));
    if (part == Part::C) {
      bool square = m == 16 && n == 16;
      x = square ? 8 * (i & 1) : 8 * i;
      y = square ? 8 * (i >> 1) : 0;
    } else if (outer() >= 16 && (part == Part::A) != isTransposed()) {
      x = 8 * (i & 1) + i / (2 * across) * 16;
      y = 4 * together() * ((i >> 1) % across);
    } else {
      x = 8 * (i / across);
      y = 4 * together() * (i % across);
    }
  }
};

/// The words of one warp in memory, one address per lane.
struct Words {
  Decoder &d;
  const WmmaMatrix &matrix;
  AddressSpace space;
  Instr base;
  uint32_t stride;
  bool isFirst = true;

  /// A register of addresses of element (x + g, y + step t) of outer and inner,
  /// or with `swapped` of inner and outer.
  uint32_t addresses(unsigned x, unsigned y, unsigned step, bool gContiguous) {
    MatrixAddress *form = d.extra<MatrixAddress>();
    unsigned bits = typeBits(matrix.type);
    *form = {x,
             y,
             gContiguous ? 0u : 1u,
             gContiguous ? step : 0u,
             gContiguous ? 1u : 0u,
             gContiguous ? 0u : step,
             bits,
             matrix.registers() * matrix.bitsOfRegister() / 8};
    uint32_t to = d.temporary(64);
    Instr &i = d.emit(matrixAddress);
    i.d = to;
    i.a = base.a;
    i.small0 = base.small0;
    i.offset = base.offset;
    i.b = stride;
    i.extra = form;
    i.flags |= isFirst ? Aligned : 0;
    isFirst = false;
    return to;
  }
  void access(bool isLoad, uint32_t address, unsigned bytes,
              llvm::ArrayRef<uint32_t> registers) {
    Instr &i = d.emit((isLoad ? backend().load : backend().store)(
        space, bytes, registers.size()));
    i.a = address;
    i.small0 = 8;
    i.list = d.list(registers);
  }
};

/// Moves one group of elements between memory and its registers.
void moveGroup(Words &words, bool isLoad, unsigned group,
               llvm::ArrayRef<uint32_t> registers) {
  const WmmaMatrix &matrix = words.matrix;
  Decoder &d = words.d;
  unsigned x, y, bits = typeBits(matrix.type), together = matrix.together();
  matrix.origin(group, x, y);
  if (matrix.isContiguous() || together * bits < 32) {
    words.access(isLoad, words.addresses(x, y, together, false),
                 matrix.bitsOfRegister() / 8, registers);
  } else if (bits == 16) {
    // The transposed tile; movmatrix turns it.
    uint32_t address = words.addresses(y, x, 2, false);
    uint32_t turned = d.temporary(32);
    auto turn = [&](uint32_t to, uint32_t from) {
      Instr &i = d.emit(moveMatrix);
      i.d = to;
      i.a = from;
    };
    if (!isLoad)
      turn(turned, registers[0]);
    words.access(isLoad, address, 4, {turned});
    if (isLoad)
      turn(registers[0], turned);
  } else if (bits == 8) {
    llvm::SmallVector<uint32_t, 4> bytes;
    for (unsigned j = 0; j < together; ++j) {
      bytes.push_back(d.temporary(16));
      words.access(true, words.addresses(y + j, x, together, true), 1,
                   {bytes.back()});
    }
    Instr &i = d.emit(packRegisters);
    i.d = registers[0];
    i.list = d.list(bytes);
    i.small0 = together;
    i.small1 = 1;
    i.e = 4;
  } else {
    for (unsigned j = 0; j < together; ++j)
      words.access(isLoad, words.addresses(y + j, x, together, true), bits / 8,
                   {registers[j]});
  }
}

/// Which types a matrix of this shape may have.
bool wmmaTypeFits(const WmmaMatrix &w) {
  auto is = [&](unsigned m, unsigned n, unsigned k) {
    return w.m == m && w.n == n && w.k == k;
  };
  auto in = [&](std::initializer_list<Type> types) {
    return llvm::is_contained(types, w.type);
  };
  bool isSum = w.part == Part::C;
  if (is(16, 16, 16) || is(8, 32, 16) || is(32, 8, 16))
    return isSum ? in({Type::F16, Type::F32, Type::S32})
                 : in({Type::F16, Type::BF16, Type::S8, Type::U8});
  if (is(16, 16, 8))
    return isSum ? in({Type::F32}) : in({Type::TF32});
  if (is(8, 8, 4))
    return in({Type::F64});
  if (is(8, 8, 32))
    return isSum ? in({Type::S32}) : in({Type::S4, Type::U4});
  return is(8, 8, 128) && (isSum ? in({Type::S32}) : in({Type::B1}));
}

/// The same types as of mma, but integers are integers.
Type registerCell(const WmmaMatrix &matrix) {
  const Type type = matrix.part == Part::C ? matrixCell(matrix.type)
                                           : multiplicandCell(matrix.type);
  return matrix.part != Part::C && type == Type::B32 ? Type::U32 : type;
}

// wmma.load.{a,b,c}, wmma.store.d
bool decodeMove(Decoder &d, bool isLoad) {
  int part = isLoad ? d.takeOneOf({"a", "b", "c"}) : d.take("d") ? 2 : -1;
  auto columns = takeLayouts(d);
  MatrixShape shape = {};
  if (part < 0 || !d.take("sync") || !d.take("aligned") || columns.size() != 1)
    return d.fail("expected wmma.load.{a,b,c} or wmma.store.d, .sync.aligned "
                  "and a layout");
  if (!takeMatrixShape(d, shape))
    return false;
  int space = d.takeOneOf({"global", "shared", "shared::cta"});
  Type type = takeMatrixType(d);
  WmmaMatrix matrix{Part(part), shape.m, shape.n, shape.k, type, columns[0]};
  if (!wmmaTypeFits(matrix))
    return d.fail("this shape and type of wmma do not exist");
  if (typeBits(type) < 8 && !matrix.isContiguous())
    return d.fail("elements below a byte need .row for A and .col for B");
  if (!d.expectOperands(2, 3))
    return false;
  Instr base;
  if (!d.address(d.operand(isLoad ? 1 : 0), base))
    return false;
  uint32_t stride = d.count() == 3 ? d.source(d.operand(2), Type::U32)
                                   : d.constant(32, matrix.defaultStride());
  llvm::SmallVector<uint32_t, 8> registers;
  if (!takeRegisters(d, d.operand(isLoad ? 0 : 1), matrix.registers(),
                     registerCell(matrix), isLoad, registers))
    return false;
  d.info().pipe = Pipe::LSU;
  Words words{d, matrix,
              space < 0    ? SpaceGeneric
              : space == 0 ? SpaceGlobal
                           : SpaceShared,
              base, stride};
  unsigned together = matrix.registersTogether(),
           used = matrix.groups() * together;
  for (unsigned group = 0; group < matrix.groups(); ++group)
    moveGroup(words, isLoad, group,
              llvm::ArrayRef(registers).slice(group * together, together));
  for (unsigned r = used; r < registers.size(); ++r) {
    Instr &copy = d.emit(backend().integer(AluOp::Mov, 32, false));
    copy.d = registers[r];
    copy.a = registers[r % used];
  }
  return !d.failed();
}

/// The halves of a wide product: m16n8 products over slices of the registers.
bool emitHalves(Decoder &d, const MatrixShape &whole,
                llvm::ArrayRef<uint32_t> to, llvm::ArrayRef<uint32_t> a,
                llvm::ArrayRef<uint32_t> b, llvm::ArrayRef<uint32_t> c) {
  MatrixShape s = whole;
  unsigned count =
      whole.m * whole.n / (whole.m == 8 && whole.n == 8 ? 64 : 128);
  if (count == 2)
    s.m = 16;
  s.n = 8;
  bool isTransposed = whole.m == 8 && whole.n == 32;
  if (isTransposed) {
    std::swap(a, b);
    std::swap(s.a, s.b);
  }
  if (!completeShape(d, s))
    return false;
  // Rows come in pairs of tiles, columns one by one.
  bool splitsA = isTransposed || whole.m == 32;
  for (unsigned half = 0; half < count; ++half) {
    llvm::SmallVector<uint32_t, 24> registers;
    auto append = [&](llvm::ArrayRef<uint32_t> from, unsigned size,
                      bool isSplit) {
      llvm::append_range(registers,
                         from.slice(isSplit ? half * size : 0, size));
    };
    append(to, s.registersD, true);
    append(a, s.registersA, splitsA);
    append(b, s.registersB, !splitsA);
    append(c, s.registersC, true);
    Instr &i = emitProduct(d, s, registers);
    if (half)
      i.flags &= ~Aligned;
  }
  return !d.failed();
}

// wmma.mma{.op.popc}.sync.aligned.row.col.shape...
bool decodeProduct(Decoder &d) {
  MatrixShape s = {};
  if (!isBitOperationInOrder(d))
    return d.fail(".xor and .and stand before .popc");
  s.bitProduct = BitProduct(d.takeOneOf({"xor", "and"}) + 1);
  if (s.bitProduct != BitProduct::None && !d.take("popc"))
    return d.fail(".xor and .and need .popc");
  auto columns = takeLayouts(d);
  if (!d.take("sync") || !d.take("aligned") || columns.size() != 2)
    return d.fail("wmma.mma needs .sync.aligned and two layouts");
  if (!takeMatrixShape(d, s))
    return false;
  s.saturate = d.take("satfinite");
  const int rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  s.rounding = std::max(0, rounding);
  s.d = takeMatrixType(d);
  s.a = takeMatrixType(d);
  s.b = takeMatrixType(d);
  s.c = takeMatrixType(d);
  if (s.b == Type::None) {
    // .dtype.ctype: the multiplicands are f16.
    s.c = s.a;
    s.a = s.b = Type::F16;
  }
  if (s.c == Type::None)
    return d.fail("wmma.mma needs two or four types that are known");
  if (rounding >= 0 && s.a != Type::F64)
    return d.fail("only .f64 takes a rounding");
  if (s.a != s.b)
    return d.fail("A and B are of one type");
  if (typeBits(s.a) < 8 && (columns[0] || !columns[1]))
    return d.fail("elements below a byte need .row.col");
  WmmaMatrix parts[] = {{Part::C, s.m, s.n, s.k, s.d, false},
                        {Part::A, s.m, s.n, s.k, s.a, columns[0]},
                        {Part::B, s.m, s.n, s.k, s.b, columns[1]},
                        {Part::C, s.m, s.n, s.k, s.c, false}};
  if (!d.expectOperands(4))
    return false;
  llvm::SmallVector<uint32_t, 8> registers[4];
  for (unsigned p = 0; p < 4; ++p) {
    if (!wmmaTypeFits(parts[p]))
      return d.fail("this shape and these types of wmma do not exist");
    if (p == 2 && (s.b == Type::TF32 || s.b == Type::B1) &&
        llvm::any_of(d.operand(p).elements, [&](const auto &element) {
          return d.registerType(element) == Type::F16x2;
        }))
      return d.fail("these multiplicands are no halves");
    if (!takeRegisters(d, d.operand(p), parts[p].registers(),
                       registerCell(parts[p]), p == 0, registers[p],
                       p == 1 || p == 2))
      return false;
  }
  return emitHalves(d, s, registers[0], registers[1], registers[2],
                    registers[3]);
}

} // namespace

bool napkin::executor::decodeWmma(Decoder &d) {
  switch (d.takeOneOf({"load", "store", "mma"})) {
  case 0:
    return decodeMove(d, true);
  case 1:
    return decodeMove(d, false);
  case 2:
    return decodeProduct(d);
  default:
    return d.fail("wmma is .load, .store or .mma");
  }
}
