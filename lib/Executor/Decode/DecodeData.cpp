//===- DecodeData.cpp - Moves, comparisons, conversions --------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// mov (with packing), setp, set, selp, slct, cvt, cvta, isspacep, testp.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Machine/Handlers.h"
#include "Numerics/Formats.h"

#include <fmt/format.h>

using namespace napkin::executor;
using napkin::ptx::isFloat;
using napkin::ptx::isSigned;
using napkin::ptx::typeBits;
using Type = napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

static Type bitsType(unsigned bits) {
  return bits <= 8    ? Type::B8
         : bits == 16 ? Type::B16
         : bits == 32 ? Type::B32
                      : Type::B64;
}

static bool emitMove(Decoder &d, uint32_t to, uint32_t from, unsigned bits) {
  Instr &i = d.emit(backend().integer(AluOp::Mov, bits, false));
  i.d = to;
  i.a = from;
  return !d.failed();
}

bool napkin::executor::decodeMov(Decoder &d) {
  Type type = d.takeType();
  if (type == Type::None)
    return d.fail("the type is missing or unknown");
  if (!d.expectOperands(2))
    return false;
  const auto &to = d.operand(0), &from = d.operand(1);
  if (type == Type::Pred) {
    uint32_t target = d.predicateDestination(to);
    if (from.kind == Kind::Special && from.name == "is_explicit_cluster") {
      Instr &i = d.emit(backend().compare(Compare::Ne, Type::B32, false));
      i.d = target;
      i.a = d.source(from, Type::B32);
      i.b = d.constant(32, 0);
      return !d.failed();
    }
    if (auto value = d.constantOf(from)) {
      Instr &i = d.emit(predicateConstant);
      i.d = target;
      i.offset = *value ? -1 : 0;
      return !d.failed();
    }
    bool negated;
    uint32_t reference = d.predicateSource(from, negated);
    Instr &i = d.emit(predicateOr);
    i.d = target;
    i.a = i.b = reference;
    i.small0 = i.small1 = negated;
    return !d.failed();
  }
  unsigned bits = typeBits(type);
  bool pack = from.kind == Kind::Vector, unpack = to.kind == Kind::Vector;
  if ((pack || unpack) && type != bitsType(bits) && type != Type::B128)
    return d.fail(fmt::format("a vector stands beside bits: .b{}", bits));
  if (from.kind == Kind::Symbol && napkin::ptx::isFloat(type))
    return d.fail("an address is no float");
  if (pack || unpack) {
    const auto &parts = pack ? from.elements : to.elements;
    if (pack && unpack)
      return d.fail("only one side of mov may be a vector");
    if (parts.empty() || bits % parts.size())
      return d.fail("the vector does not divide the type");
    unsigned part = bits / parts.size();
    if (part < 8 || part > 64)
      return d.fail("this packing is not supported");
    llvm::SmallVector<uint32_t, 8> references;
    for (const auto &element : parts) {
      if (unpack && element.kind == Kind::Sink)
        references.push_back(noRegister);
      else
        references.push_back(pack ? d.source(element, bitsType(part))
                                  : d.destination(element, bitsType(part)));
    }
    uint32_t whole = pack ? d.destination(to, type) : d.source(from, type);
    // 128 bits are packed by halves.
    unsigned pieces = bits == 128 ? 2 : 1, each = parts.size() / pieces;
    for (unsigned piece = 0; piece < pieces; ++piece) {
      Instr &i = d.emit(pack ? packRegisters : unpackRegisters);
      i.d = i.a = pieces == 2 ? Decoder::halves(whole)[piece] : whole;
      i.list = d.list(llvm::ArrayRef(references).slice(piece * each, each));
      i.small0 = each;
      i.small1 = part / 8;
      i.e = bits / pieces / 8;
    }
    return !d.failed();
  }
  if (bits == 128) {
    auto target = Decoder::halves(d.destination(to, type)),
         source = Decoder::halves(d.source(from, type));
    return emitMove(d, target[0], source[0], 64) &&
           emitMove(d, target[1], source[1], 64);
  }
  // `mov.u64 %rd, variable` is the address in the variable's own space.
  uint32_t reference = d.source(from, type);
  uint32_t target = d.destination(to, type);
  return !d.failed() && emitMove(d, target, reference, bits < 16 ? 16 : bits);
}

static int takeComparison(Decoder &d) {
  return d.takeOneOf({"eq", "ne", "lt", "le", "gt", "ge", "lo", "ls", "hi",
                      "hs", "equ", "neu", "ltu", "leu", "gtu", "geu", "num",
                      "nan"});
}

/// What setp and set have in common.
struct Comparison {
  Compare compare;
  /// How it combines with operand 3: -1 not, 0 and, 1 or, 2 xor.
  int combine;
  Type type;
  bool ftz;
};

static void emitCompare(Decoder &d, const Comparison &form, Type type,
                        uint32_t a, uint32_t b, uint32_t p, uint32_t q) {
  bool negated = false;
  uint32_t c =
      form.combine >= 0 ? d.predicateSource(d.operand(3), negated) : noRegister;
  Instr &i = d.emit(backend().compare(form.compare, type, form.ftz));
  i.d = p;
  i.e = q;
  i.a = a;
  i.b = b;
  i.c = c;
  i.small0 = form.combine + 1;
  i.small1 = negated;
}

static bool isPacked(Type type) {
  return type == Type::F16x2 || type == Type::BF16x2;
}

/// Packed comparisons give two predicates, one for each half.
static bool emitPackedCompare(Decoder &d, const Comparison &form,
                              std::array<uint32_t, 2> to) {
  Type half = form.type == Type::F16x2 ? Type::F16 : Type::BF16;
  std::array<uint32_t, 2> parts[2];
  for (unsigned side = 0; side < 2; ++side) {
    uint32_t whole = d.source(d.operand(1 + side), form.type);
    parts[side] = {d.temporary(16), d.temporary(16)};
    Instr &i = d.emit(unpackRegisters);
    i.a = whole;
    i.e = 4;
    i.small0 = 2;
    i.small1 = 2;
    i.list = d.list(parts[side]);
  }
  for (unsigned part = 0; part < 2; ++part)
    emitCompare(d, form, half, parts[0][part], parts[1][part], to[part],
                noRegister);
  return !d.failed();
}

static bool takeCompare(Decoder &d, Comparison &form) {
  int compare = takeComparison(d);
  if (compare < 0)
    return d.fail("the comparison is missing or unknown");
  form.compare = Compare(compare);
  form.combine = d.takeOneOf({"and", "or", "xor"});
  form.ftz = d.take("ftz");
  return true;
}

bool napkin::executor::decodeSetp(Decoder &d) {
  Comparison form;
  if (!takeCompare(d, form))
    return false;
  form.type = d.takeType();
  if (form.type == Type::None)
    return d.fail("the type is missing or unknown");
  if (!d.expectOperands(form.combine >= 0 ? 4 : 3))
    return false;
  uint32_t p = d.predicateDestination(d.operand(0));
  int32_t second = d.operand(0).second;
  uint32_t q = second >= 0 ? d.predicateRegister(second) : noRegister;
  if (isPacked(form.type))
    return emitPackedCompare(d, form, {p, q});
  uint32_t a = d.source(d.operand(1), form.type),
           b = d.source(d.operand(2), form.type);
  emitCompare(d, form, form.type, a, b, p, q);
  return !d.failed();
}

/// d = predicate p ? "true" of the type : 0.
static void emitTruth(Decoder &d, Type type, uint32_t to, uint32_t p) {
  Instr &i = d.emit(predicateToValue);
  i.d = to;
  i.a = p;
  i.small0 = std::max(2u, typeBits(type) / 8);
  i.offset = type == Type::F32    ? 0x3f800000
             : type == Type::F16  ? 0x3c00
             : type == Type::BF16 ? 0x3f80
                                  : -1;
}

bool napkin::executor::decodeSet(Decoder &d) {
  Comparison form;
  if (!takeCompare(d, form))
    return false;
  Type to = d.takeType();
  form.type = d.takeType();
  if (to == Type::None || form.type == Type::None)
    return d.fail("set needs a comparison and two types");
  if (!d.expectOperands(form.combine >= 0 ? 4 : 3))
    return false;
  uint32_t p = d.newPredicate(), q = d.newPredicate();
  if (!isPacked(form.type)) {
    uint32_t a = d.source(d.operand(1), form.type),
             b = d.source(d.operand(2), form.type);
    emitCompare(d, form, form.type, a, b, p, noRegister);
    emitTruth(d, to, d.destination(d.operand(0), to), p);
    return !d.failed();
  }
  // The two truths side by side.
  if (!emitPackedCompare(d, form, {p, q}))
    return false;
  Type cell = to == Type::F16x2    ? Type::F16
              : to == Type::BF16x2 ? Type::BF16
                                   : Type::U16;
  if (typeBits(to) != 32 || to == Type::F32)
    return d.fail("a packed set gives a pair, .u32 or .s32");
  uint32_t low = d.temporary(16), high = d.temporary(16);
  emitTruth(d, cell, low, p);
  emitTruth(d, cell, high, q);
  uint32_t target = d.destination(d.operand(0), Type::B32);
  Instr &i = d.emit(packRegisters);
  i.d = target;
  i.list = d.list({low, high});
  i.small0 = i.small1 = 2;
  i.e = 4;
  return !d.failed();
}

bool napkin::executor::decodeSelp(Decoder &d) {
  Type type = d.takeType();
  if (type == Type::None)
    return d.fail("the type is missing or unknown");
  if (!d.expectOperands(4))
    return false;
  uint32_t a = d.source(d.operand(1), type), b = d.source(d.operand(2), type);
  bool negated;
  uint32_t p = d.predicateSource(d.operand(3), negated);
  uint32_t to = d.destination(d.operand(0), type);
  Instr &i = d.emit(backend().select(std::max(16u, typeBits(type))));
  i.d = to;
  i.a = negated ? b : a;
  i.b = negated ? a : b;
  i.c = p;
  return !d.failed();
}

// slct.type.ctype d, a, b, c: c >= 0 ? a : b.
bool napkin::executor::decodeSlct(Decoder &d) {
  bool ftz = d.take("ftz");
  Type type = d.takeType(), control = d.takeType();
  if (type == Type::None || (control != Type::S32 && control != Type::F32))
    return d.fail("slct needs a type and .s32 or .f32");
  if (!d.expectOperands(4))
    return false;
  uint32_t c = d.source(d.operand(3), control), p = d.newPredicate();
  Instr &test = d.emit(backend().compare(Compare::Ge, control, ftz));
  test.d = p;
  test.a = c;
  test.b = d.constant(32, 0);
  uint32_t a = d.source(d.operand(1), type), b = d.source(d.operand(2), type);
  uint32_t to = d.destination(d.operand(0), type);
  Instr &i = d.emit(backend().select(typeBits(type)));
  i.d = to;
  i.a = a;
  i.b = b;
  i.c = p;
  return !d.failed();
}

bool napkin::executor::decodeCvt(Decoder &d) {
  if (d.take("pack"))
    return decodeCvtPack(d);
  int index =
      d.takeOneOf({"rn", "rz", "rm", "rp", "rna", "rni", "rzi", "rmi", "rpi"});
  Rounding rounding = Rounding(index + 1);
  bool ftz = d.take("ftz"), saturate = d.take("sat"), relu = d.take("relu");
  bool finite = d.take("satfinite");
  Type to = d.takeType(), from = d.takeType();
  if (to == Type::None || from == Type::None)
    return d.fail("cvt needs two types");
  bool pairFromTwo = (to == Type::BF16x2 || to == Type::F16x2 ||
                      to == Type::E4M3x2 || to == Type::E5M2x2) &&
                     from == Type::F32;
  if (!d.expectOperands(pairFromTwo ? 3 : 2))
    return false;
  bool integers = !isFloat(to) && !isFloat(from);
  if (integers && !saturate) {
    // Cut or extend: first to the source type's width, then to the target's.
    unsigned fromBits = typeBits(from), toBits = typeBits(to);
    uint32_t a = d.source(d.operand(1), from);
    unsigned own = std::max(16u, fromBits);
    if (fromBits == 8) {
      uint32_t clean = d.temporary(16);
      Instr &i = d.emit(backend().resize(16, 8, isSigned(from)));
      i.d = clean;
      i.a = a;
      a = clean;
    }
    unsigned width = std::max(16u, toBits);
    if (toBits == 8) {
      // Through a 16-bit value whose upper half follows the target's sign.
      uint32_t cut = d.temporary(16);
      if (own != 16) {
        Instr &i = d.emit(backend().resize(16, own, false));
        i.d = cut;
        i.a = a;
        a = cut;
      }
      uint32_t clean = d.destination(d.operand(0), to);
      Instr &i = d.emit(backend().resize(16, 8, isSigned(to)));
      i.d = clean;
      i.a = a;
      return !d.failed();
    }
    uint32_t target = d.destination(d.operand(0), to);
    if (own == width)
      return emitMove(d, target, a, width);
    Instr &i = d.emit(backend().resize(width, own, isSigned(from)));
    i.d = target;
    i.a = a;
    return !d.failed();
  }
  d.info().pipe = Pipe::Convert;
  if (!isFloat(from) && isFloat(to) && index < 0)
    return d.fail("a conversion from integer to float needs a rounding");
  if (isFloat(from) && !isFloat(to) && (index < 5))
    return d.fail(
        "a conversion from float to integer needs .rni, .rzi, .rmi or .rpi");
  if (saturate && finite)
    return d.fail(".sat and .satfinite exclude each other");
  const bool isSmall = llvm::any_of(llvm::ArrayRef{to, from}, [](Type type) {
    return type == Type::E4M3x2 || type == Type::E5M2x2;
  });
  for (size_t k = 0; isSmall && k < d.count(); ++k)
    if (d.operand(k).kind == ptx::Operand::Kind::Register &&
        d.operandBits(d.operand(k)) != typeBits(k ? from : to))
      return d.fail("conversions of 8-bit floats take registers of the very "
                    "width");
  Handler handler =
      backend().convert(to, from, rounding, ftz, saturate || finite, relu);
  uint32_t a = d.source(d.operand(1), from);
  uint32_t b = pairFromTwo ? d.source(d.operand(2), from) : noRegister;
  uint32_t target = d.destination(d.operand(0), to);
  Instr &i = d.emit(handler);
  i.d = target;
  i.a = a;
  i.b = b;
  i.offset = conversionCode(to, from, rounding, ftz, saturate, relu, finite);
  return !d.failed();
}

// cvt.pack.sat.u8.s32.b32 d, a, b, c
bool napkin::executor::decodeCvtPack(Decoder &d) {
  if (!d.take("sat"))
    return d.fail("cvt.pack needs .sat");
  int index = d.takeOneOf({"u2", "s2", "u4", "s4", "u8", "s8", "u16", "s16"});
  unsigned bits = 2u << std::max(0, index) / 2;
  Type from = d.takeType(), rest = d.takeType();
  if (index < 0 || from != Type::S32 ||
      rest != (bits == 16 ? Type::None : Type::B32))
    return d.fail("cvt.pack gives .u16 or .s16 from .s32, or .u2, .s2, .u4, "
                  ".s4, .u8 or .s8 from .s32.b32");
  if (!d.expectOperands(rest == Type::None ? 3 : 4))
    return false;
  uint32_t a = d.source(d.operand(1), from), b = d.source(d.operand(2), from);
  uint32_t c = rest == Type::None ? d.constant(32, 0)
                                  : d.source(d.operand(3), Type::B32);
  uint32_t target = d.destination(d.operand(0), Type::U32);
  Instr &i = d.emit(packSaturated);
  i.d = target;
  i.a = a;
  i.b = b;
  i.c = c;
  i.small0 = bits;
  i.small1 = index & 1;
  return !d.failed();
}

bool napkin::executor::decodeCvta(Decoder &d) {
  bool back = d.take("to");
  int space = d.takeOneOf({"global", "shared", "local", "const", "param",
                           "shared::cta", "shared::cluster", "param::entry"});
  if (space < 0)
    return d.fail("the state space is missing or unknown");
  Type type = d.takeType();
  if (typeBits(type) < 32 || !d.expectOperands(2))
    return d.fail("cvta needs .u32 or .u64");
  uint64_t window = 0;
  if (space == 1 || space == 5 || space == 6)
    window = sharedWindow;
  else if (space == 2)
    window = localWindow;
  else if (space == 4 || space == 7)
    window = paramWindow;
  uint32_t a = d.source(d.operand(1), type),
           to = d.destination(d.operand(0), type);
  if (!window || typeBits(type) == 32)
    return !d.failed() && emitMove(d, to, a, typeBits(type));
  Instr &i =
      d.emit(backend().integer(back ? AluOp::Sub : AluOp::Add, 64, false));
  i.d = to;
  i.a = a;
  i.b = d.constant(64, window);
  return !d.failed();
}

bool napkin::executor::decodeIsspacep(Decoder &d) {
  int space = d.takeOneOf({"global", "shared", "local", "const", "param",
                           "shared::cta", "shared::cluster", "param::entry"});
  if (space < 0 || !d.expectOperands(2))
    return d.fail("the state space is missing or unknown");
  const bool isNarrow = d.operandBits(d.operand(1)) == 32;
  uint32_t a =
      isNarrow ? d.number(d.operand(1)) : d.source(d.operand(1), Type::U64);
  a = isNarrow ? d.resized(a, 32, 64) : a;
  uint32_t p = d.predicateDestination(d.operand(0));
  Instr &i = d.emit(isSpace);
  i.d = p;
  i.a = a;
  i.small0 = space;
  return !d.failed();
}

bool napkin::executor::decodeTestp(Decoder &d) {
  int kind = d.takeOneOf(
      {"finite", "infinite", "number", "notanumber", "normal", "subnormal"});
  Type type = d.takeType();
  if (kind < 0 || (type != Type::F32 && type != Type::F64) ||
      !d.expectOperands(2))
    return d.fail("testp needs a class and .f32 or .f64");
  uint32_t a = d.source(d.operand(1), type);
  uint32_t p = d.predicateDestination(d.operand(0));
  Instr &i = d.emit(testNumber);
  i.d = p;
  i.a = a;
  i.small0 = kind;
  i.small1 = typeBits(type) / 8;
  return !d.failed();
}
