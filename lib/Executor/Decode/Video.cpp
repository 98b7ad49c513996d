//===- Video.cpp - Video instructions --------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// vadd and its kin on one part of a register, on pairs of halves, on four
// bytes. Elements become 64-bit integers, one function does the operation,
// another the second operation or the merge.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"
#include "Machine/Handlers.h"
#include "Machine/Registers.h"

#include <algorithm>

using namespace napkin::executor;
using napkin::ptx::isSigned;
using Type = napkin::ptx::Type;

namespace {

enum class VideoOp : uint8_t {
  Add,
  Sub,
  AbsDiff,
  Min,
  Max,
  Average,
  ShiftLeft,
  ShiftRight,
  Set,
  Mad
};
enum class Second : uint8_t { None, Add, Min, Max };

struct VideoForm {
  VideoOp op;
  /// Elements: 1, 2 or 4.
  unsigned ways = 1;
  bool signedD = false, signedA = false, signedB = false;
  bool saturate = false, clamp = false;
  Compare compare = Compare::Eq;
  Second second = Second::None;
  /// Which of the parts of {b, a} each element comes from, in units of `width`
  /// bits.
  unsigned widthA = 32, widthB = 32, selectA[4] = {}, selectB[4] = {};
  /// Elements that are written; for a merge into c, where and how wide.
  unsigned mask = 1, widthD = 32, placeD = 0;
  bool hasC = false;
  // vmad.
  bool plusOne = false, minusProduct = false, minusC = false;
  unsigned scale = 0;
};

int64_t element(uint64_t pair, unsigned index, unsigned width, bool isSigned) {
  uint64_t up = pair >> (index * width) << (64 - width);
  return isSigned ? int64_t(up) >> (64 - width) : int64_t(up >> (64 - width));
}

int64_t saturated(__int128 value, bool isSigned, unsigned width) {
  __int128 high = ((__int128)1 << (isSigned ? width - 1 : width)) - 1,
           low = isSigned ? -high - 1 : 0;
  return int64_t(value < low ? low : value > high ? high : value);
}

__int128 operate(const VideoForm &f, int64_t a, int64_t b) {
  switch (f.op) {
  case VideoOp::Add:
    return a + b;
  case VideoOp::Sub:
    return a - b;
  case VideoOp::AbsDiff:
    return a > b ? a - b : b - a;
  case VideoOp::Min:
    return std::min(a, b);
  case VideoOp::Max:
    return std::max(a, b);
  case VideoOp::Average:
    return (a + b + (a + b >= 0)) >> 1;
  case VideoOp::ShiftLeft:
  case VideoOp::ShiftRight:
    b = f.clamp ? std::min<int64_t>(b, 32) : b & 31;
    return f.op == VideoOp::ShiftLeft ? (__int128)a * ((__int128)1 << b)
                                      : (__int128)(a >> b);
  case VideoOp::Set:
    switch (f.compare) {
    case Compare::Eq:
      return a == b;
    case Compare::Ne:
      return a != b;
    case Compare::Lt:
      return a < b;
    case Compare::Le:
      return a <= b;
    case Compare::Gt:
      return a > b;
    default:
      return a >= b;
    }
  case VideoOp::Mad:
    break;
  }
  return 0;
}

uint32_t multiplyAdd(const VideoForm &f, int64_t a, int64_t b, uint32_t c) {
  bool isSignedResult = f.signedA || f.signedB || f.minusProduct || f.minusC;
  __int128 sum = (__int128)a * b;
  if (f.minusProduct)
    sum = -sum;
  __int128 addend = isSignedResult ? (__int128)int32_t(c) : (__int128)c;
  sum += f.minusC ? -addend : addend;
  sum = (sum + f.plusOne) >> f.scale;
  return uint32_t(f.saturate ? saturated(sum, isSignedResult, 32)
                             : int64_t(sum));
}

uint32_t scalar(const VideoForm &f, uint32_t a, uint32_t b, uint32_t c) {
  int64_t x = element(a, f.selectA[0], f.widthA, f.signedA),
          y = element(b, f.selectB[0], f.widthB, f.signedB);
  if (f.op == VideoOp::Mad)
    return multiplyAdd(f, x, y, c);
  __int128 wide = operate(f, x, y);
  int64_t value =
      f.saturate ? saturated(wide, f.signedD, f.widthD) : int64_t(wide);
  int64_t third = f.signedD ? int64_t(int32_t(c)) : int64_t(c);
  if (f.widthD < 32) {
    uint32_t mask = ((1u << f.widthD) - 1) << (f.placeD * f.widthD);
    return (uint32_t(value) << (f.placeD * f.widthD) & mask) | (c & ~mask);
  }
  return uint32_t(f.second == Second::Add   ? value + third
                  : f.second == Second::Min ? std::min(value, third)
                  : f.second == Second::Max ? std::max(value, third)
                                            : value);
}

uint32_t packed(const VideoForm &f, uint32_t a, uint32_t b, uint32_t c) {
  unsigned width = 32 / f.ways;
  uint32_t lane = width == 16 ? 0xffff : 0xff,
           result = f.second != Second::None ? c : 0;
  uint64_t both = uint64_t(b) << 32 | a;
  for (unsigned i = 0; i < f.ways; ++i) {
    __int128 wide = operate(f, element(both, f.selectA[i], width, f.signedA),
                            element(both, f.selectB[i], width, f.signedB));
    int64_t value =
        f.saturate ? saturated(wide, f.signedD, width) : int64_t(wide);
    bool isOn = f.mask >> i & 1;
    if (f.second != Second::None)
      result += isOn ? uint32_t(value) : 0;
    else
      result |= isOn ? (uint32_t(value) & lane) << (i * width)
                     : c & lane << (i * width);
  }
  return result;
}

/// "b2" or "h1": one part of a register.
bool scalarPart(llvm::StringRef part, unsigned &width, unsigned &index) {
  if (part.empty())
    return true;
  bool byte = part.consume_front("b");
  if (!byte && !part.consume_front("h"))
    return false;
  width = byte ? 8 : 16;
  return !part.getAsInteger(10, index) && index < 32 / width;
}

/// "b3210" or "h10": a digit per element, the highest first.
bool packedParts(llvm::StringRef part, unsigned ways, unsigned first,
                 unsigned (&select)[4]) {
  for (unsigned i = 0; i < ways; ++i)
    select[i] = first + i;
  if (part.empty())
    return true;
  if (!part.consume_front(ways == 2 ? "h" : "b") || part.size() != ways)
    return false;
  for (unsigned i = 0; i < ways; ++i) {
    select[i] = unsigned(part[ways - 1 - i] - '0');
    if (select[i] >= 2 * ways)
      return false;
  }
  return true;
}

/// "b31" or "h0": the elements that are written.
bool packedMask(llvm::StringRef part, unsigned ways, unsigned &mask) {
  mask = (1u << ways) - 1;
  if (part.empty())
    return true;
  if (!part.consume_front(ways == 2 ? "h" : "b") || part.empty())
    return false;
  mask = 0;
  for (char digit : part) {
    if (digit < '0' || unsigned(digit - '0') >= ways)
      return false;
    mask |= 1u << (digit - '0');
  }
  return true;
}

bool takeOperation(Decoder &d, VideoForm &f) {
  static const std::pair<const char *, VideoOp> names[] = {
      {"vadd", VideoOp::Add},         {"vsub", VideoOp::Sub},
      {"vabsdiff", VideoOp::AbsDiff}, {"vmin", VideoOp::Min},
      {"vmax", VideoOp::Max},         {"vavrg", VideoOp::Average},
      {"vshl", VideoOp::ShiftLeft},   {"vshr", VideoOp::ShiftRight},
      {"vset", VideoOp::Set},         {"vmad", VideoOp::Mad}};
  llvm::StringRef name = d.opcode();
  f.ways = name.consume_back("2") ? 2 : name.consume_back("4") ? 4 : 1;
  for (auto [known, op] : names)
    if (name == known)
      f.op = op;
  f.saturate = d.take("sat");
  if (f.op == VideoOp::Set) {
    int compare = d.takeOneOf({"eq", "ne", "lt", "le", "gt", "ge"});
    if (compare < 0)
      return d.fail("the comparison is missing or unknown");
    f.compare = Compare(compare);
  }
  if (f.op == VideoOp::ShiftLeft || f.op == VideoOp::ShiftRight) {
    int mode = d.takeOneOf({"wrap", "clamp"});
    if (mode < 0)
      return d.fail("expected .clamp or .wrap");
    f.clamp = mode;
  }
  if (f.op == VideoOp::Mad) {
    f.plusOne = d.take("po");
    f.scale = d.take("shr7") ? 7 : d.take("shr15") ? 15 : 0;
  } else {
    f.second = Second(d.takeOneOf({"add", "min", "max"}) + 1);
  }
  if (f.ways > 1 && f.second > Second::Add)
    return d.fail("the second operation of a SIMD instruction is .add");
  if (f.saturate && f.op == VideoOp::Set)
    return d.fail("a comparison does not saturate");
  if (f.saturate && f.ways > 1 && f.second != Second::None)
    return d.fail(".sat and .add exclude each other");
  Type types[3] = {Type::U32, Type::None, Type::None};
  for (unsigned i = f.op == VideoOp::Set ? 1 : 0; i < 3; ++i) {
    types[i] = d.takeType();
    if (types[i] != Type::U32 && types[i] != Type::S32)
      return d.fail("video instructions take .u32 and .s32");
  }
  if ((f.op == VideoOp::ShiftLeft || f.op == VideoOp::ShiftRight) &&
      types[2] != Type::U32)
    return d.fail("what is shifted by is .u32");
  f.signedD = isSigned(types[0]);
  f.signedA = isSigned(types[1]);
  f.signedB = isSigned(types[2]);
  return true;
}

bool takeParts(Decoder &d, VideoForm &f) {
  llvm::StringRef to = d.operand(0).part, a = d.operand(1).part,
                  b = d.operand(2).part;
  if (f.ways > 1)
    return packedMask(to, f.ways, f.mask) &&
           packedParts(a, f.ways, 0, f.selectA) &&
           packedParts(b, f.ways, f.ways, f.selectB);
  return scalarPart(to, f.widthD, f.placeD) &&
         scalarPart(a, f.widthA, f.selectA[0]) &&
         scalarPart(b, f.widthB, f.selectB[0]);
}

} // namespace

void napkin::executor::videoOperation(Warp &w, const Instr &i, uint32_t mask) {
  const VideoForm &f = *static_cast<const VideoForm *>(i.extra);
  const uint32_t *a = lane<uint32_t>(w, i.a), *b = lane<uint32_t>(w, i.b),
                 *c = lane<uint32_t>(w, i.c);
  uint32_t *d = lane<uint32_t>(w, i.d);
  for (unsigned l = 0; l < lanes; ++l)
    if ((mask >> l) & 1)
      d[l] = f.ways == 1 ? scalar(f, a[l], b[l], c[l])
                         : packed(f, a[l], b[l], c[l]);
}

bool napkin::executor::decodeVideo(Decoder &d) {
  VideoForm &f = *d.extra<VideoForm>();
  if (!takeOperation(d, f) || !d.expectOperands(3, 4))
    return false;
  if (!takeParts(d, f))
    return d.fail("a part of a register is malformed");
  f.hasC = d.count() == 4;
  if (f.hasC != (f.ways > 1 || f.op == VideoOp::Mad || f.widthD < 32 ||
                 f.second != Second::None))
    return d.fail("a third operand goes with a second operation or a merge");
  if (f.widthD < 32 && f.second != Second::None)
    return d.fail("a second operation and a merge exclude each other");
  // The parts are known now: the operands are whole registers.
  Decoder::Operand whole[4];
  for (unsigned k = 0; k < d.count(); ++k) {
    whole[k] = d.operand(k);
    whole[k].part = "";
    bool minus = whole[k].minus;
    whole[k].minus = false;
    if (minus && (f.op != VideoOp::Mad || f.plusOne))
      return d.fail("only vmad without .po takes negated operands");
    if (f.ways > 1 && whole[k].kind != ptx::Operand::Kind::Register)
      return d.fail("SIMD instructions take registers");
    if (k == 3)
      f.minusC = minus;
    else
      f.minusProduct ^= minus;
  }
  if (f.minusProduct && f.minusC)
    return d.fail("the product and c may not both be negated");
  uint32_t a = d.source(whole[1], Type::U32), b = d.source(whole[2], Type::U32),
           c = f.hasC ? d.source(whole[3], Type::U32) : d.constant(32, 0),
           to = d.destination(whole[0], Type::U32);
  Instr &i = d.emit(videoOperation);
  i.d = to;
  i.a = a;
  i.b = b;
  i.c = c;
  i.extra = &f;
  return !d.failed();
}
