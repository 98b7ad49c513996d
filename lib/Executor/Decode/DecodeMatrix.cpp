//===- DecodeMatrix.cpp - Operands of matrix instructions ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ldmatrix, stmatrix, movmatrix, and mma in all its shapes.
//
//===----------------------------------------------------------------------===//

#include "Decode/DecodeMatrix.h"
#include "Machine/Handlers.h"

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::isSigned;
using napkin::ptx::typeBits;
using Type = napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

Type napkin::executor::matrixCell(Type type) {
  return type == Type::F64 || type == Type::F32 ? type
         : type == Type::F16                    ? Type::F16x2
                                                : Type::B32;
}

Type napkin::executor::multiplicandCell(Type type) {
  return type == Type::F64 || type == Type::TF32 ? type
         : type == Type::F16                     ? Type::F16x2
         : type == Type::BF16                    ? Type::BF16x2
                                                 : Type::B32;
}

bool napkin::executor::isBitOperationInOrder(const Decoder &d) {
  for (llvm::StringRef modifier : d.instruction->modifiers) {
    if (modifier == "xor" || modifier == "and")
      return true;
    if (modifier == "popc")
      return false;
  }
  return true;
}

bool napkin::executor::takeRegisters(Decoder &d,
                                     const Decoder::Operand &operand,
                                     unsigned count, Type type, bool isTarget,
                                     llvm::SmallVectorImpl<uint32_t> &to,
                                     bool isMultiplicand) {
  llvm::ArrayRef<Decoder::Operand> elements = operand;
  if (operand.kind == Kind::Vector)
    elements = operand.elements;
  if (elements.size() != count)
    return d.fail(
        fmt::format("expected {} registers, found {}", count, elements.size()));
  const bool hasRegister = llvm::any_of(elements, [](const auto &element) {
    return element.kind == Kind::Register;
  });
  // Literals beside registers are bits.
  const bool takesLiterals = hasRegister && type != Type::F64 &&
                             (d.opcode() != "wmma" || type == Type::F16x2);
  for (const auto &element : elements)
    if (isMultiplicand && !takesLiterals && element.kind != Kind::Register)
      return d.fail("the multiplicands of a product are in registers");
  for (const auto &element : elements)
    to.push_back(isTarget ? d.destination(element, type)
                 : (isMultiplicand || (hasRegister && type == Type::F16x2)) &&
                         element.kind != Kind::Register
                     ? d.source(element, Type::B32)
                     : d.source(element, type));
  return !d.failed();
}

Type napkin::executor::takeMatrixType(Decoder &d) {
  for (llvm::StringRef name : {"s4", "u4", "b1"})
    if (d.peek() == name && d.take(name))
      return ptx::matrixTypeFromName(name);
  return d.takeType();
}

llvm::SmallVector<bool, 2> napkin::executor::takeLayouts(Decoder &d) {
  llvm::SmallVector<bool, 2> columns;
  for (llvm::StringRef modifier : d.info().ptx->modifiers)
    if (modifier == "row" || modifier == "col") {
      columns.push_back(modifier == "col");
      d.take(modifier);
    }
  return columns;
}

// ldmatrix, stmatrix
static bool decodeMatrixMove(Decoder &d, bool isLoad) {
  bool transposed = d.take("trans");
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8"))
    return d.fail(fmt::format("{} needs .sync.aligned and .m8n8 (other shapes "
                              "need sm_100)",
                              d.opcode().str()));
  unsigned count = d.take("x1") ? 1 : d.take("x2") ? 2 : d.take("x4") ? 4 : 0;
  d.takeOneOf({"shared", "shared::cta"});
  if (!count || d.takeType() != Type::B16 || !d.expectOperands(2))
    return d.fail(
        fmt::format("{} needs .x1, .x2 or .x4 and .b16", d.opcode().str()));
  Instr at;
  llvm::SmallVector<uint32_t, 4> references;
  if (!d.address(d.operand(isLoad ? 1 : 0), at) ||
      !takeRegisters(d, d.operand(isLoad ? 0 : 1), count, Type::B32, isLoad,
                     references))
    return false;
  Instr &i = d.emit(isLoad ? backend().loadMatrix(count, transposed)
                           : backend().storeMatrix(count, transposed));
  i.a = at.a;
  i.offset = at.offset;
  i.small0 = at.small0;
  i.flags |= Aligned;
  i.list = d.list(references);
  return !d.failed();
}

bool napkin::executor::decodeLdmatrix(Decoder &d) {
  return decodeMatrixMove(d, true);
}

bool napkin::executor::decodeStmatrix(Decoder &d) {
  return decodeMatrixMove(d, false);
}

bool napkin::executor::decodeMovmatrix(Decoder &d) {
  if (!d.take("sync") || !d.take("aligned") || !d.take("m8n8") ||
      !d.take("trans") || d.takeType() != Type::B16 || !d.expectOperands(2))
    return d.fail("movmatrix is .sync.aligned.m8n8.trans.b16 d, a");
  uint32_t a = d.source(d.operand(1), Type::B32),
           to = d.destination(d.operand(0), Type::B32);
  Instr &i = d.emit(moveMatrix);
  i.d = to;
  i.a = a;
  i.flags |= Aligned;
  return !d.failed();
}

bool napkin::executor::takeMatrixShape(Decoder &d, MatrixShape &s) {
  llvm::StringRef rest = d.takePrefix("m");
  if (!rest.consume_front("m") || rest.consumeInteger(10, s.m) ||
      !rest.consume_front("n") || rest.consumeInteger(10, s.n) ||
      !rest.consume_front("k") || rest.consumeInteger(10, s.k) || !rest.empty())
    return d.fail("the shape of the product is missing or malformed");
  return true;
}

/// Shapes by the kind of the multiplicands; n is 8.
static bool shapeExists(const MatrixShape &s) {
  struct Rule {
    unsigned m, k;
    bool sparse;
  };
  auto any = [&](std::initializer_list<Rule> rules) {
    return llvm::any_of(rules, [&](const Rule &r) {
      return r.m == s.m && r.k == s.k && r.sparse == s.sparse;
    });
  };
  if (s.n != 8)
    return false;
  switch (s.a) {
  case Type::F16:
    if (!s.sparse && s.m == 8 && s.k == 4)
      return true;
    [[fallthrough]];
  case Type::BF16:
    return any(
        {{16, 8, false}, {16, 16, false}, {16, 16, true}, {16, 32, true}});
  case Type::TF32:
    return any({{16, 4, false}, {16, 8, false}, {16, 8, true}, {16, 16, true}});
  case Type::U8:
  case Type::S8:
    return any({{8, 16, false},
                {16, 16, false},
                {16, 32, false},
                {16, 32, true},
                {16, 64, true}});
  case Type::E4M3:
  case Type::E5M2:
    return any({{16, 16, false}, {16, 32, false}, {16, 64, true}});
  case Type::U4:
  case Type::S4:
    return any({{8, 32, false},
                {16, 32, false},
                {16, 64, false},
                {16, 64, true},
                {16, 128, true}});
  case Type::B1:
    return any({{8, 128, false}, {16, 128, false}, {16, 256, false}});
  case Type::F64:
    return any(
        {{8, 4, false}, {16, 4, false}, {16, 8, false}, {16, 16, false}});
  default:
    return false;
  }
}

/// Which types of B, C and D go with A.
static bool typesFit(const MatrixShape &s) {
  auto in = [](Type type, std::initializer_list<Type> types) {
    return llvm::is_contained(types, type);
  };
  switch (s.a) {
  case Type::F64:
    return s.b == Type::F64 && s.c == Type::F64 && s.d == Type::F64;
  case Type::U8:
  case Type::S8:
    return in(s.b, {Type::U8, Type::S8}) && s.c == Type::S32 &&
           s.d == Type::S32;
  case Type::U4:
  case Type::S4:
    return in(s.b, {Type::U4, Type::S4}) && s.c == Type::S32 &&
           s.d == Type::S32;
  case Type::B1:
    return s.b == Type::B1 && s.c == Type::S32 && s.d == Type::S32;
  case Type::E4M3:
  case Type::E5M2:
    return in(s.b, {Type::E4M3, Type::E5M2}) && s.c == s.d &&
           in(s.d, {Type::F32, Type::F16});
  case Type::F16:
    return s.b == Type::F16 && in(s.c, {Type::F32, Type::F16}) &&
           in(s.d, {Type::F32, Type::F16});
  default:
    return s.a == s.b && s.c == Type::F32 && s.d == Type::F32;
  }
}

static bool isQuadProduct(const MatrixShape &s) {
  return s.a == Type::F16 && s.m == 8;
}

bool napkin::executor::completeShape(Decoder &d, MatrixShape &s) {
  if (!shapeExists(s) || !typesFit(s))
    return d.fail("this shape and these types of mma do not exist");
  if ((s.bitProduct != BitProduct::None) != (s.a == Type::B1))
    return d.fail(".b1, and only that, needs .xor.popc or .and.popc");
  if (s.saturate && s.d != Type::S32)
    return d.fail(".satfinite needs integers");
  s.bitsA = typeBits(s.a);
  s.signedA = isSigned(s.a);
  s.signedB = isSigned(s.b);
  s.elements = s.a == Type::F64 ? 1 : 32 / s.bitsA;
  unsigned half = s.sparse ? 2 : 1;
  s.registersA = s.m * s.k / half / lanes / s.elements;
  s.registersB = 8 * s.k / lanes / s.elements;
  s.registersD = s.m * 8 / lanes / (s.d == Type::F16 ? 2 : 1);
  s.registersC = s.m * 8 / lanes / (s.c == Type::F16 ? 2 : 1);
  if (isQuadProduct(s)) {
    // Four products at once, each by eight lanes.
    s.registersA = s.registersB = 2;
    s.registersD = s.d == Type::F16 ? 4 : 8;
    s.registersC = s.c == Type::F16 ? 4 : 8;
  }
  return true;
}

Instr &napkin::executor::emitProduct(Decoder &d, const MatrixShape &s,
                                     llvm::ArrayRef<uint32_t> registers) {
  d.info().macs += uint64_t(s.m) * s.n * s.k / (s.sparse ? 2 : 1) *
                   (isQuadProduct(s) ? 4 : 1);
  d.info().macType = ptx::typeName(s.a).data();
  Instr &i = d.emit(isQuadProduct(s) ? quadProduct
                    : s.sparse || s.bitsA < 8 || s.rounding
                        ? matrixProduct
                        : backend().mma(s.m, s.n, s.k, s.d, s.a, s.b, s.c));
  i.list = d.list(registers);
  MatrixShape *copy = d.extra<MatrixShape>();
  *copy = s;
  i.extra = copy;
  i.flags |= Aligned;
  return i;
}

bool napkin::executor::takeSelector(Decoder &d, MatrixShape &s,
                                    const Decoder::Operand &operand) {
  auto selector = d.constantOf(operand);
  unsigned givers = s.k / (4 * SparseRow(s.bitsA).chunk);
  if (!selector || *selector < 0 || uint64_t(*selector) >= 4 / givers)
    return d.fail(fmt::format(
        "the sparsity selector must be a number below {} here", 4 / givers));
  s.metadataLane = *selector * givers;
  return true;
}

bool napkin::executor::takeMetadata(Decoder &d, const MatrixShape &s,
                                    const Decoder::Operand &operand,
                                    uint32_t &reference) {
  if (operand.kind == Kind::Integer)
    return d.fail("the metadata of a sparse product is in a register");
  const bool isSmall = s.a == Type::E4M3 || s.a == Type::E5M2;
  reference = d.source(operand, isSmall ? Type::U32 : Type::B32);
  return !d.failed();
}

bool napkin::executor::decodeMma(Decoder &d) {
  MatrixShape s = {};
  s.orderedMetadata = d.take("sp::ordered_metadata");
  s.sparse = s.orderedMetadata || d.take("sp");
  if (!d.take("sync") || !d.take("aligned"))
    return d.fail("mma needs .sync.aligned");
  if (d.take("block_scale"))
    return d.fail("products with block scales need sm_100");
  if (!takeMatrixShape(d, s))
    return false;
  auto columns = takeLayouts(d);
  if (columns.size() != 2)
    return d.fail("mma needs the layouts of A and B");
  s.saturate = d.take("satfinite");
  d.take("kind::f8f6f4");
  const int rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  s.rounding = std::max(0, rounding);
  if (!isBitOperationInOrder(d))
    return d.fail(".xor and .and stand before .popc");
  s.bitProduct = BitProduct(d.takeOneOf({"xor", "and"}) + 1);
  if (s.bitProduct != BitProduct::None && !d.take("popc"))
    return d.fail(".xor and .and need .popc");
  s.d = takeMatrixType(d);
  s.a = takeMatrixType(d);
  s.b = takeMatrixType(d);
  s.c = takeMatrixType(d);
  if (s.c == Type::None)
    return d.fail("mma needs four types that are known");
  if (!completeShape(d, s))
    return false;
  s.columnsA = columns[0];
  s.rowsB = !columns[1];
  if ((s.columnsA || s.rowsB) && !isQuadProduct(s))
    return d.fail("this shape needs .row.col");
  if (rounding >= 0 && s.a != Type::F64)
    return d.fail("only .f64 takes a rounding");
  if (!d.expectOperands(s.sparse ? 6 : 4) ||
      (s.sparse && !takeSelector(d, s, d.operand(5))))
    return false;
  // ptxas adds halves to products of 8-bit floats by an addition of its own.
  for (size_t k : {0, 3})
    if ((s.a == Type::E4M3 || s.a == Type::E5M2) && s.d == Type::F16)
      for (const Decoder::Operand &element : d.operand(k).elements)
        if (element.kind != Kind::Register ||
            !llvm::is_contained({Type::B32, Type::F16x2},
                                d.registerType(element)))
          return d.fail("the halves of D and C are in registers of .b32 or "
                        ".f16x2");
  llvm::SmallVector<uint32_t, 32> registers;
  const Type multiplicand = multiplicandCell(s.a);
  if (!takeRegisters(d, d.operand(0), s.registersD, matrixCell(s.d), true,
                     registers) ||
      !takeRegisters(d, d.operand(1), s.registersA, multiplicand, false,
                     registers, true) ||
      !takeRegisters(d, d.operand(2), s.registersB, multiplicand, false,
                     registers, true) ||
      !takeRegisters(d, d.operand(3), s.registersC, matrixCell(s.c), false,
                     registers))
    return false;
  if (s.sparse && !takeMetadata(d, s, d.operand(4), registers.emplace_back()))
    return false;
  emitProduct(d, s, registers);
  return !d.failed();
}
