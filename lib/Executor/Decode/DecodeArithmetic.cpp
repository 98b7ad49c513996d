//===- DecodeArithmetic.cpp - Arithmetic and logic -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Types, rounding and saturation of the elementwise instructions.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Machine/Handlers.h"

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::isFloat;
using napkin::ptx::isSigned;
using napkin::ptx::typeBits;
using Type = napkin::ptx::Type;

namespace {

/// Rounding, ftz, sat, NaN, ... of a floating instruction.
unsigned takeFloatFlags(Decoder &d) {
  unsigned flags = 0;
  if (d.take("ftz"))
    flags |= FlagFtz;
  if (d.take("sat"))
    flags |= FlagSat;
  if (d.take("NaN"))
    flags |= FlagNaN;
  if (d.take("xorsign")) {
    d.take("abs");
    flags |= FlagXorSign;
  }
  if (d.take("relu"))
    flags |= FlagRelu;
  int rounding = d.takeOneOf({"rn", "rz", "rm", "rp"});
  if (rounding > 0)
    flags |= unsigned(rounding) << FlagRoundShift;
  return flags;
}

/// The flag of an approximate form.
unsigned approximateFlag(const Decoder &d) {
  return d.launchOptions().approximation == Approximation::Exact
             ? 0
             : FlagApproximate;
}

/// The one emission that all floating forms share.
bool emitFloat(Decoder &d, AluOp op, Type type, unsigned flags,
               unsigned sources) {
  if (!d.expectOperands(sources + 1))
    return false;
  uint32_t a = d.source(d.operand(1), type);
  uint32_t b = sources > 1 ? d.source(d.operand(2), type) : noRegister;
  uint32_t c = sources > 2 ? d.source(d.operand(3), type) : noRegister;
  uint32_t to = d.destination(d.operand(0), type);
  Instr &i = d.emit(backend().floating(op, type, flags));
  i.d = to;
  i.a = a;
  i.b = b;
  i.c = c;
  if (flags & FlagApproximate) {
    i.small0 = flags & FlagFtz;
    i.small1 = d.launchOptions().approximation == Approximation::Worst;
  }
  if (flags & FlagRoundMask) {
    i.small0 = (flags & FlagFtz ? 1 : 0) | (flags & FlagSat ? 2 : 0);
    i.small1 = flags >> FlagRoundShift & 3;
  }
  if (type == Type::F64)
    d.info().pipe = Pipe::Double;
  else if (typeBits(type) == 16 || type == Type::F16x2 || type == Type::BF16x2)
    d.info().pipe = Pipe::Half;
  else if (op == AluOp::Add || op == AluOp::Sub || op == AluOp::Mul ||
           op == AluOp::Fma)
    d.info().pipe = Pipe::FMA;
  return !d.failed();
}

/// Whether source `i` says how far or how many, in an integer of its own.
bool isDistance(llvm::StringRef opcode, size_t i) {
  if (opcode == "bmsk")
    return true;
  if (opcode == "shf")
    return i == 2;
  return i && llvm::is_contained({"shl", "shr", "bfe", "szext"}, opcode);
}

bool emitInteger(Decoder &d, AluOp op, Type type, llvm::ArrayRef<Type> sources,
                 Type result) {
  if (!d.expectOperands(sources.size() + 1))
    return false;
  if (result == Type::None || llvm::is_contained(sources, Type::None))
    return d.fail("this type is not supported here");
  uint32_t references[3] = {noRegister, noRegister, noRegister};
  for (size_t i = 0; i < sources.size(); ++i)
    references[i] = isDistance(d.opcode(), i)
                        ? d.number(d.operand(i + 1))
                        : d.source(d.operand(i + 1), sources[i]);
  uint32_t to = d.destination(d.operand(0), result);
  Instr &i = d.emit(backend().integer(op, typeBits(type), isSigned(type)));
  i.d = to;
  i.a = references[0];
  i.b = references[1];
  i.c = references[2];
  return !d.failed();
}

/// d = a op b (op c) on values that are there already.
void emitStep(Decoder &d, AluOp op, unsigned bits, bool isSigned, uint32_t to,
              uint32_t a, uint32_t b, uint32_t c = noRegister) {
  Instr &i = d.emit(backend().integer(op, bits, isSigned));
  i.d = to;
  i.a = a;
  i.b = b;
  i.c = c;
}

bool needType(Decoder &d, Type type) {
  return type != Type::None || d.fail("the type is missing or unknown");
}

Type doubled(Type type) {
  switch (type) {
  case Type::U16:
    return Type::U32;
  case Type::S16:
    return Type::S32;
  case Type::U32:
    return Type::U64;
  case Type::S32:
    return Type::S64;
  default:
    return Type::None;
  }
}

/// add, min, max of packed 16-bit integers.
bool emitPacked16(Decoder &d, AluOp op, Type type, bool relu = false) {
  if (!d.expectOperands(3))
    return false;
  if (relu && !isSigned(type))
    return d.fail(".relu needs .s16x2");
  uint32_t a = d.source(d.operand(1), type), b = d.source(d.operand(2), type);
  uint32_t to = d.destination(d.operand(0), type);
  Instr &i =
      d.emit(op == AluOp::Add   ? packedAdd16
             : op == AluOp::Min ? (isSigned(type) ? packedMinS16 : packedMinU16)
             : op == AluOp::Max ? (isSigned(type) ? packedMaxS16 : packedMaxU16)
                                : nullptr);
  i.d = to;
  i.a = a;
  i.b = b;
  if (relu) {
    Instr &clamp = d.emit(packedMaxS16);
    clamp.d = clamp.a = to;
    clamp.b = d.constant(32, 0);
  }
  return !d.failed();
}

/// szext.u32: the lowest b bits of a, b at most 32 or modulo 32.
bool emitZeroExtend(Decoder &d, bool wrap) {
  if (!d.expectOperands(3))
    return false;
  uint32_t a = d.source(d.operand(1), Type::U32),
           b = d.source(d.operand(2), Type::U32),
           to = d.destination(d.operand(0), Type::U32), width = d.temporary(32);
  emitStep(d, wrap ? AluOp::And : AluOp::Min, 32, false, width, b,
           d.constant(32, wrap ? 31 : 32));
  emitStep(d, AluOp::Bfe, 32, false, to, a, d.constant(32, 0), width);
  return !d.failed();
}

/// fma.oob: where an element of a or b is the NaN that out-of-bounds tensor
/// elements are filled with, the result is +0.
bool emitOutOfBoundsFma(Decoder &d, Type type, unsigned flags) {
  bool pair = type == Type::F16x2 || type == Type::BF16x2;
  if ((!pair && type != Type::F16 && type != Type::BF16) ||
      flags & ~unsigned(FlagRelu))
    return d.fail("fma.oob needs .f16(x2) or .bf16(x2) and no .ftz or .sat");
  if (!d.expectOperands(4))
    return false;
  uint32_t a = d.source(d.operand(1), type), b = d.source(d.operand(2), type),
           c = d.source(d.operand(3), type),
           to = d.destination(d.operand(0), type),
           sum = d.temporary(typeBits(type));
  Instr &i = d.emit(backend().floating(AluOp::Fma, type, flags));
  i.d = sum;
  i.a = a;
  i.b = b;
  i.c = c;
  Instr &clear = d.emit(clearOutOfBounds);
  clear.d = to;
  clear.a = a;
  clear.b = b;
  clear.c = sum;
  clear.small0 = typeBits(type) / 8;
  d.info().pipe = Pipe::Half;
  return !d.failed();
}

} // namespace

// add, sub
bool napkin::executor::decodeAddLike(Decoder &d) {
  if (d.take("cc"))
    return decodeCarry(d);
  bool add = d.opcode() == "add";
  unsigned flags = takeFloatFlags(d);
  Type type = d.takeType();
  if (!needType(d, type))
    return false;
  if (type == Type::S16x2 || type == Type::U16x2)
    return flags ? d.fail("a packed integer operation has no other modifiers")
                 : emitPacked16(d, add ? AluOp::Add : AluOp::Sub, type);
  if (isFloat(type))
    return emitFloat(d, add ? AluOp::Add : AluOp::Sub, type, flags, 2);
  if (flags & ~unsigned(FlagSat))
    return d.fail("an integer operation has no floating-point modifiers");
  AluOp op = add ? AluOp::Add : AluOp::Sub;
  if (flags & FlagSat) {
    if (type != Type::S32)
      return d.fail(".sat needs .s32");
    op = add ? AluOp::AddSat : AluOp::SubSat;
  }
  return emitInteger(d, op, type, {type, type}, type);
}

bool napkin::executor::decodeMul(Decoder &d) {
  if (d.opcode() == "mul24") {
    bool high = d.take("hi");
    if (!high && !d.take("lo"))
      return d.fail("mul24 needs .hi or .lo");
    Type type = d.takeType();
    return emitInteger(d, high ? AluOp::Mul24Hi : AluOp::Mul24Lo, type,
                       {type, type}, type);
  }
  int part = d.takeOneOf({"lo", "hi", "wide"});
  unsigned flags = takeFloatFlags(d);
  Type type = d.takeType();
  if (!needType(d, type))
    return false;
  if (isFloat(type))
    return emitFloat(d, AluOp::Mul, type, flags, 2);
  d.info().pipe = Pipe::FMA;
  if (part < 0 || flags)
    return d.fail(
        "an integer product needs .lo, .hi or .wide and no other modifier");
  if (part == 2)
    return emitInteger(d, AluOp::MulWide, type, {type, type}, doubled(type));
  return emitInteger(d, part ? AluOp::MulHi : AluOp::MulLo, type, {type, type},
                     type);
}

// mad, fma, sad
bool napkin::executor::decodeMad(Decoder &d) {
  if (d.opcode() == "sad") {
    Type type = d.takeType();
    return needType(d, type) &&
           emitInteger(d, AluOp::Sad, type, {type, type, type}, type);
  }
  if (d.take("cc"))
    return decodeCarry(d);
  int part = d.takeOneOf({"lo", "hi", "wide"});
  if (d.opcode() == "mad24") {
    bool saturate = d.take("sat");
    Type type = d.takeType();
    if (part == 2 || part < 0 || (saturate && (!part || type != Type::S32)))
      return d.fail("mad24 needs .hi or .lo; .sat needs .hi.s32");
    if (saturate) {
      if (!d.expectOperands(4))
        return false;
      uint32_t a = d.source(d.operand(1), type),
               b = d.source(d.operand(2), type),
               c = d.source(d.operand(3), type),
               to = d.destination(d.operand(0), type),
               product = d.temporary(32);
      emitStep(d, AluOp::Mul24Hi, 32, true, product, a, b);
      emitStep(d, AluOp::AddSat, 32, true, to, product, c);
      return !d.failed();
    }
    return emitInteger(d, part == 1 ? AluOp::Mad24Hi : AluOp::Mad24Lo, type,
                       {type, type, type}, type);
  }
  bool outOfBounds = d.opcode() == "fma" && d.take("oob");
  unsigned flags = takeFloatFlags(d);
  Type type = d.takeType();
  if (!needType(d, type))
    return false;
  if (outOfBounds)
    return emitOutOfBoundsFma(d, type, flags);
  if (isFloat(type))
    return emitFloat(d, AluOp::Fma, type, flags, 3);
  d.info().pipe = Pipe::FMA;
  if (part < 0 || d.opcode() == "fma")
    return d.fail("an integer mad needs .lo, .hi or .wide");
  if (part == 2)
    return emitInteger(d, AluOp::MadWide, type, {type, type, doubled(type)},
                       doubled(type));
  if (flags & FlagSat) {
    if (part != 1 || type != Type::S32)
      return d.fail(".sat needs .hi.s32");
    return emitInteger(d, AluOp::MadHiSat, type, {type, type, type}, type);
  }
  return emitInteger(d, part ? AluOp::MadHi : AluOp::MadLo, type,
                     {type, type, type}, type);
}

// div, rem
bool napkin::executor::decodeDiv(Decoder &d) {
  bool div = d.opcode() == "div";
  bool full = d.take("full"), approximate = full || d.take("approx");
  unsigned flags = takeFloatFlags(d);
  Type type = d.takeType();
  if (!needType(d, type))
    return false;
  if (isFloat(type) && div) {
    if (approximate)
      flags |= approximateFlag(d);
    AluOp op = full && flags & FlagApproximate ? AluOp::DivFull : AluOp::Div;
    bool ok = emitFloat(d, op, type, flags, 2);
    d.info().pipe = approximate ? Pipe::MUFU : d.info().pipe;
    return ok;
  }
  return emitInteger(d, div ? AluOp::Div : AluOp::Rem, type, {type, type},
                     type);
}

bool napkin::executor::decodeMinMax(Decoder &d) {
  AluOp op = d.opcode() == "min" ? AluOp::Min : AluOp::Max;
  unsigned flags = takeFloatFlags(d);
  Type type = d.takeType();
  if (!needType(d, type))
    return false;
  bool relu = flags & FlagRelu;
  if (type == Type::S16x2 || type == Type::U16x2)
    return flags & ~unsigned(FlagRelu)
               ? d.fail("an integer operation has no floating-point modifiers")
               : emitPacked16(d, op, type, relu);
  if (isFloat(type))
    return emitFloat(d, op, type, flags, 2);
  if (flags & ~unsigned(FlagRelu))
    return d.fail("an integer operation has no floating-point modifiers");
  if (relu) {
    // max(min(a, b), 0): two steps.
    if (type != Type::S32)
      return d.fail(".relu needs .s32");
    if (!d.expectOperands(3))
      return false;
    uint32_t a = d.source(d.operand(1), type), b = d.source(d.operand(2), type);
    uint32_t to = d.destination(d.operand(0), type), middle = d.temporary(32);
    emitStep(d, op, 32, true, middle, a, b);
    emitStep(d, AluOp::Max, 32, true, to, middle, d.constant(32, 0));
    return !d.failed();
  }
  return emitInteger(d, op, type, {type, type}, type);
}

// abs, neg, rcp, sqrt, rsqrt, sin, cos, lg2, ex2, tanh, copysign
bool napkin::executor::decodeUnaryMath(Decoder &d) {
  static const std::pair<const char *, AluOp> names[] = {
      {"abs", AluOp::Abs},   {"neg", AluOp::Neg},          {"rcp", AluOp::Rcp},
      {"sqrt", AluOp::Sqrt}, {"rsqrt", AluOp::Rsqrt},      {"sin", AluOp::Sin},
      {"cos", AluOp::Cos},   {"lg2", AluOp::Lg2},          {"ex2", AluOp::Ex2},
      {"tanh", AluOp::Tanh}, {"copysign", AluOp::Copysign}};
  AluOp op = AluOp::Abs;
  for (auto [name, value] : names)
    if (d.opcode() == name)
      op = value;
  bool approximate = d.take("approx");
  unsigned flags = takeFloatFlags(d);
  Type type = d.takeType();
  if (!needType(d, type))
    return false;
  if (!isFloat(type)) {
    if (op != AluOp::Abs && op != AluOp::Neg)
      return d.fail("this operation needs a floating-point type");
    return emitInteger(d, op, type, {type}, type);
  }
  if (approximate)
    flags |= approximateFlag(d);
  bool ok = emitFloat(d, op, type, flags, op == AluOp::Copysign ? 2 : 1);
  if (op != AluOp::Abs && op != AluOp::Neg && op != AluOp::Copysign &&
      type != Type::F64)
    d.info().pipe = Pipe::MUFU;
  return ok;
}

// and, or, xor, not, cnot, lop3
bool napkin::executor::decodeLogic(Decoder &d) {
  llvm::StringRef name = d.opcode();
  if (name == "lop3") {
    int combine = d.takeOneOf({"or", "and"});
    Type type = d.takeType();
    if (!d.expectOperands(combine < 0 ? 5 : 6) || type != Type::B32)
      return d.fail("lop3 needs .b32");
    auto table = d.constantOf(d.operand(4));
    if (!table || *table < 0 || *table > 255)
      return d.fail("the table of lop3 must be a number from 0 to 255");
    uint32_t a = d.source(d.operand(1), type), b = d.source(d.operand(2), type),
             c = d.source(d.operand(3), type),
             to = d.destination(d.operand(0), type);
    emitStep(d, AluOp::Lop3, 32, false, to, a, b, c);
    d.program.code.back().offset = *table;
    if (combine < 0)
      return !d.failed();
    // The second result: (d != 0) combined with a predicate.
    int32_t second = d.operand(0).second;
    if (second < 0)
      return d.fail("lop3.BoolOp has a predicate as its second result");
    bool negated;
    uint32_t with = d.predicateSource(d.operand(5), negated);
    Instr &test = d.emit(backend().compare(Compare::Ne, Type::B32, false));
    test.d = d.predicateRegister(second);
    test.a = to;
    test.b = d.constant(32, 0);
    test.c = with;
    test.small0 = combine ? 1 : 2;
    test.small1 = negated;
    return !d.failed();
  }
  AluOp op = name == "and"   ? AluOp::And
             : name == "or"  ? AluOp::Or
             : name == "xor" ? AluOp::Xor
             : name == "not" ? AluOp::Not
                             : AluOp::Cnot;
  unsigned sources = op == AluOp::Not || op == AluOp::Cnot ? 1 : 2;
  Type type = d.takeType();
  if (!needType(d, type))
    return false;
  if (type != Type::Pred) {
    if (sources == 1)
      return emitInteger(d, op, type, {type}, type);
    return emitInteger(d, op, type, {type, type}, type);
  }
  if (!d.expectOperands(sources + 1))
    return false;
  auto in = [&](const Decoder::Operand &operand) {
    bool negated = false;
    const uint32_t reference = d.predicateSource(operand, negated);
    return std::make_pair(reference, negated);
  };
  auto [a, negatedA] = in(d.operand(1));
  auto [b, negatedB] =
      sources == 2 ? in(d.operand(2)) : std::make_pair(a, negatedA);
  uint32_t to = d.predicateDestination(d.operand(0));
  Instr &i = d.emit(op == AluOp::And   ? predicateAnd
                    : op == AluOp::Or  ? predicateOr
                    : op == AluOp::Xor ? predicateXor
                                       : predicateNot);
  i.d = to;
  i.a = a;
  i.b = b;
  i.small0 = negatedA;
  i.small1 = negatedB;
  return !d.failed();
}

// shl, shr, shf
bool napkin::executor::decodeShift(Decoder &d) {
  llvm::StringRef name = d.opcode();
  if (name == "shf") {
    int left = d.takeOneOf({"r", "l"}), clamp = d.takeOneOf({"wrap", "clamp"});
    Type type = d.takeType();
    if (left < 0 || clamp < 0 || type != Type::B32)
      return d.fail("shf needs .l or .r, .wrap or .clamp, and .b32");
    AluOp op = left ? (clamp ? AluOp::ShfLClamp : AluOp::ShfLWrap)
                    : (clamp ? AluOp::ShfRClamp : AluOp::ShfRWrap);
    return emitInteger(d, op, type, {type, type, Type::U32}, type);
  }
  Type type = d.takeType();
  if (!needType(d, type))
    return false;
  return emitInteger(d, name == "shl" ? AluOp::Shl : AluOp::Shr, type,
                     {type, Type::U32}, type);
}

// popc, clz, bfind, brev, bfe, bfi, bmsk, szext, prmt, fns, dp4a, dp2a
bool napkin::executor::decodeBits(Decoder &d) {
  llvm::StringRef name = d.opcode();
  if (name == "prmt") {
    static const AluOp modes[] = {AluOp::PrmtF4e, AluOp::PrmtB4e,
                                  AluOp::PrmtRc8, AluOp::PrmtEcl,
                                  AluOp::PrmtEcr, AluOp::PrmtRc16};
    Type type = d.takeType();
    int mode = d.takeOneOf({"f4e", "b4e", "rc8", "ecl", "ecr", "rc16"});
    return needType(d, type) &&
           emitInteger(d, mode < 0 ? AluOp::Prmt : modes[mode], Type::B32,
                       {type, type, type}, type);
  }
  if (name == "fns") {
    Type type = d.takeType();
    return emitInteger(d, AluOp::Fns, type, {Type::B32, Type::B32, Type::S32},
                       Type::B32);
  }
  if (name == "dp4a" || name == "dp2a") {
    bool four = name == "dp4a";
    int high = four ? 0 : d.takeOneOf({"lo", "hi"});
    Type a = d.takeType(), b = d.takeType();
    if ((a != Type::U32 && a != Type::S32) ||
        (b != Type::U32 && b != Type::S32) || high < 0)
      return d.fail(
          "expected two types of .u32 or .s32 (and .lo or .hi for dp2a)");
    int index = (a == Type::U32 ? 2 : 0) + (b == Type::U32 ? 1 : 0);
    AluOp base = four   ? AluOp::Dp4aSS
                 : high ? AluOp::Dp2aHiSS
                        : AluOp::Dp2aLoSS;
    return emitInteger(d, AluOp(int(base) + index), Type::B32,
                       {a, b, Type::U32}, Type::U32);
  }
  bool shiftAmount = d.take("shiftamt");
  int wrap = d.takeOneOf({"clamp", "wrap"});
  Type type = d.takeType();
  if (!needType(d, type))
    return false;
  if (name == "popc")
    return emitInteger(d, AluOp::Popc, type, {type}, Type::U32);
  if (name == "clz")
    return emitInteger(d, AluOp::Clz, type, {type}, Type::U32);
  if (name == "bfind")
    return emitInteger(d, shiftAmount ? AluOp::BfindShift : AluOp::Bfind, type,
                       {type}, Type::U32);
  if (name == "brev")
    return emitInteger(d, AluOp::Brev, type, {type}, type);
  if (name == "bfe" || name == "bfi")
    for (const Decoder::Operand &field : d.operands().drop_front(
             std::min<size_t>(d.count(), name == "bfe" ? 2 : 3)))
      if (auto number = d.constantOf(field);
          number && (*number < 0 || *number > 255))
        return d.fail("position and length are numbers from 0 to 255");
  if (name == "bfe")
    return emitInteger(d, AluOp::Bfe, type, {type, Type::U32, Type::U32}, type);
  if (name == "bmsk" || name == "szext") {
    if (wrap < 0)
      return d.fail("expected .clamp or .wrap");
    if (name == "bmsk")
      return emitInteger(d, AluOp::Bmsk, wrap ? Type::U32 : Type::S32,
                         {Type::U32, Type::U32}, type);
    if (type == Type::U32)
      return emitZeroExtend(d, wrap);
    return emitInteger(d, wrap ? AluOp::SzextWrap : AluOp::SzextClamp, type,
                       {type, Type::U32}, type);
  }
  // bfi
  if (!d.expectOperands(5))
    return false;
  uint32_t a = d.source(d.operand(1), type), b = d.source(d.operand(2), type),
           c = d.number(d.operand(3)), e = d.number(d.operand(4)),
           to = d.destination(d.operand(0), type);
  Instr &i = d.emit(backend().integer(AluOp::Bfi, typeBits(type), false));
  i.d = to;
  i.a = a;
  i.b = b;
  i.c = c;
  i.e = e;
  return !d.failed();
}

// add.cc, addc, sub.cc, subc, mad.cc, madc
bool napkin::executor::decodeCarry(Decoder &d) {
  llvm::StringRef name = d.opcode();
  bool in = name == "addc" || name == "subc" || name == "madc";
  bool out = !in || d.take("cc");
  int part = d.takeOneOf({"lo", "hi"});
  d.take("cc");
  Type type = d.takeType();
  if (typeBits(type) != 32 && typeBits(type) != 64)
    return d.fail("carry arithmetic needs 32 or 64 bits");
  bool mad = name.starts_with("mad");
  if (!d.expectOperands(mad ? 4 : 3))
    return false;
  uint32_t a = d.source(d.operand(1), type), b = d.source(d.operand(2), type);
  uint32_t c = mad ? d.source(d.operand(3), type) : noRegister;
  uint32_t to = d.destination(d.operand(0), type);
  bool wide = typeBits(type) == 64;
  uint32_t product = b;
  if (mad) {
    product = d.temporary(wide ? 64 : 32);
    if (part < 0)
      return d.fail("expected .lo or .hi");
    emitStep(d, part ? AluOp::MulHi : AluOp::MulLo, wide ? 64 : 32,
             isSigned(type), product, a, b);
    a = c;
  }
  Instr &i = d.emit(wide ? carry64 : carry32);
  i.d = to;
  i.a = a;
  i.b = product;
  i.small0 = (in ? 1 : 0) | (out ? 2 : 0) | (name.starts_with("sub") ? 4 : 0);
  return !d.failed();
}
