//===- DecodeWgmma.cpp - Operands of warpgroup instructions ----*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// wgmma, setmaxnreg, and the addresses of other blocks of a cluster.
//
//===----------------------------------------------------------------------===//

#include "Async/Wgmma.h"
#include "Decode/DecodeMatrix.h"
#include "Machine/Handlers.h"

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::typeBits;
using Type = napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

bool napkin::executor::decodeWgmma(Decoder &d) {
  bool fence = d.take("fence"), commit = d.take("commit_group"),
       wait = d.take("wait_group"), product = d.take("mma_async"),
       sparse = product && d.take("sp");
  if (!d.take("sync"))
    return d.fail("wgmma needs .sync");
  d.take("aligned"); // said or not
  if (fence || commit || wait) {
    Instr &i = d.emit(fence ? wgmmaFence : commit ? wgmmaCommit : wgmmaWait);
    i.flags |= Aligned;
    if (wait) {
      auto number = d.count() == 1 ? d.constantOf(d.operand(0)) : std::nullopt;
      if (!number || *number < 0)
        return d.fail("wgmma.wait_group needs a number");
      i.offset = *number;
    }
    return !d.failed();
  }
  if (!product)
    return d.fail("expected .fence, .commit_group, .wait_group or .mma_async");
  Wgmma &g = *d.extra<Wgmma>();
  MatrixShape &s = g.shape;
  if (!takeMatrixShape(d, s))
    return false;
  s.sparse = sparse;
  s.saturate = d.take("satfinite");
  if (!isBitOperationInOrder(d))
    return d.fail(".and stands before .popc");
  s.d = takeMatrixType(d);
  s.a = takeMatrixType(d);
  s.b = takeMatrixType(d);
  s.c = s.d;
  bool half = s.a == Type::F16 || s.a == Type::BF16, tf32 = s.a == Type::TF32;
  bool small = s.a == Type::E4M3 || s.a == Type::E5M2,
       isBit = s.a == Type::B1 && !sparse && !s.saturate,
       integer = s.a == Type::S8 || s.a == Type::U8 || isBit;
  if (isBit && (!d.take("and") || !d.take("popc")))
    return d.fail("wgmma of .b1 is .and.popc");
  s.bitsA = typeBits(s.a);
  bool bFits =
      small     ? (s.b == Type::E4M3 || s.b == Type::E5M2)
      : integer ? (isBit ? s.b == Type::B1 : s.b == Type::S8 || s.b == Type::U8)
                : s.a == s.b;
  bool dFits = integer ? s.d == Type::S32
                       : s.d == Type::F32 ||
                             (s.d == Type::F16 && (s.a == Type::F16 || small));
  bool nFits = s.n >= 8 && s.n <= 256 && s.n % 8 == 0 &&
               (!integer || s.n <= 24 || s.n % 16 == 0);
  if (!(half || tf32 || small || integer) || !bFits || !dFits || !nFits ||
      s.m != 64 || s.k * s.bitsA != (sparse ? 512 : 256))
    return d.fail("this shape and these types of wgmma do not exist");
  if (s.saturate && !integer)
    return d.fail(".satfinite needs integers");
  s.elements = 32 / s.bitsA;
  s.registersA = 4;
  s.registersD = s.n / 2 / (s.d == Type::F16 ? 2 : 1);
  // Metadata and its selector come before scale-d.
  const size_t scaleAt = sparse ? 5 : 3;
  if (d.count() <= scaleAt)
    return d.fail("expected D, A, B and scale-d");
  g.aInRegisters = d.operand(1).kind == Kind::Vector;
  size_t expected = scaleAt + (integer ? 1
                               : half  ? (g.aInRegisters ? 4 : 5)
                                       : 3);
  if (!d.expectOperands(expected))
    return false;
  llvm::SmallVector<uint32_t, 140> references;
  if (d.operand(0).kind != Kind::Vector)
    return d.fail("D is a vector of registers");
  if (!takeRegisters(d, d.operand(0), s.registersD, matrixCell(s.d), true,
                     references))
    return false;
  if (g.aInRegisters) {
    if (!takeRegisters(d, d.operand(1), 4, multiplicandCell(s.a), false,
                       references, true))
      return false;
  } else {
    g.descriptorA = d.source(d.operand(1), Type::U64);
  }
  g.descriptorB = d.source(d.operand(2), Type::U64);
  uint32_t predicate = noRegister;
  if (auto scale = d.constantOf(d.operand(scaleAt))) {
    if (*scale != 0 && *scale != 1)
      return d.fail("scale-d is a predicate, 0 or 1");
    g.scale = *scale;
  } else {
    predicate = d.predicateSource(d.operand(scaleAt), g.isScaleNegated);
  }
  if (sparse && (!takeSelector(d, s, d.operand(4)) ||
                 !takeMetadata(d, s, d.operand(3), g.metadata)))
    return false;
  std::optional<int64_t> constants[4];
  for (size_t k = scaleAt + 1; k < d.count(); ++k) {
    auto &constant = constants[k - scaleAt - 1] = d.constantOf(d.operand(k));
    if (!constant)
      return d.fail("the scales and transpositions of wgmma are numbers");
  }
  if (!integer) {
    if (std::abs(*constants[0]) != 1 || std::abs(*constants[1]) != 1)
      return d.fail("imm-scale is 1 or -1");
    g.negateA = *constants[0] == -1;
    g.negateB = *constants[1] == -1;
  }
  // One for A, where it is in memory, and one for B.
  for (unsigned k = 2; half && k < (g.aInRegisters ? 3 : 4); ++k)
    if (*constants[k] != 0 && *constants[k] != 1)
      return d.fail("a transposition is 0 or 1");
  if (half) {
    g.transposeA = !g.aInRegisters && *constants[2];
    g.transposeB = *constants[g.aInRegisters ? 2 : 3];
  }
  // Each of the four warps counts its quarter.
  d.info().macs = uint64_t(s.m) * s.n * s.k / 4 / (sparse ? 2 : 1);
  d.info().macType = napkin::ptx::typeName(s.a).data();
  d.info().isProduct = true;
  for (uint32_t reference : references)
    if (!(reference & constantBit))
      d.program.productRegisters.insert(reference);
  Instr &i = d.emit(wgmmaProduct);
  i.list = d.list(references);
  i.c = predicate;
  i.extra = &g;
  i.flags |= Aligned;
  return !d.failed();
}

bool napkin::executor::decodeSetmaxnreg(Decoder &d) {
  int increase = d.takeOneOf({"dec", "inc"});
  auto number = d.count() == 1 ? d.constantOf(d.operand(0)) : std::nullopt;
  if (increase < 0 || !d.take("sync") || !d.take("aligned") ||
      d.takeType() != Type::U32 || !number)
    return d.fail("setmaxnreg is .inc or .dec .sync.aligned.u32 and a number");
  if (*number < 24 || *number > 256 || *number % 8)
    return d.fail("the register count is a multiple of 8 from 24 to 256");
  if (increase)
    d.program.mostRegisters =
        std::max(d.program.mostRegisters, uint32_t(*number));
  Instr &i = d.emit(setRegisters);
  i.offset = *number;
  i.small0 = increase;
  i.flags |= Aligned;
  return !d.failed();
}

// mapa{.shared::cluster}.type d, a, b
bool napkin::executor::decodeMapa(Decoder &d) {
  bool shared = d.take("shared::cluster");
  Type type = d.takeType();
  if ((typeBits(type) != 32 && typeBits(type) != 64) || !d.expectOperands(3))
    return d.fail("mapa needs .u32 or .u64 and three operands");
  uint32_t a = d.source(d.operand(1), type),
           b = d.source(d.operand(2), Type::U32);
  uint32_t to = d.destination(d.operand(0), type);
  Instr &i = d.emit(mapAddress);
  i.d = to;
  i.a = a;
  i.b = b;
  i.small0 = typeBits(type) / 8;
  i.small1 = !shared;
  return !d.failed();
}

bool napkin::executor::decodeGetctarank(Decoder &d) {
  d.take("shared::cluster");
  Type type = d.takeType();
  if ((typeBits(type) != 32 && typeBits(type) != 64) || !d.expectOperands(2))
    return d.fail("getctarank needs .u32 or .u64 and two operands");
  uint32_t a = d.source(d.operand(1), type),
           to = d.destination(d.operand(0), Type::U32);
  Instr &i = d.emit(blockRankOf);
  i.d = to;
  i.a = a;
  i.small0 = typeBits(type) / 8;
  return !d.failed();
}
