//===- UndefinedBits.cpp - Which bits of a result are undefined *- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// See UndefinedBits.h.
//
//===----------------------------------------------------------------------===//

#include "Checks/UndefinedBits.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace napkin::executor;
using napkin::ptx::Instruction;
using napkin::ptx::Type;
using Kind = napkin::ptx::Operand::Kind;

/// Bits of the type that the modifier names; 0: it names none.
static unsigned widthOf(llvm::StringRef modifier) {
  const Type type = napkin::ptx::typeFromName(modifier);
  return type == Type::None   ? 0
         : type == Type::Pred ? 1
                              : napkin::ptx::typeBits(type);
}
static bool isSignedType(llvm::StringRef modifier) {
  return modifier.starts_with("s");
}
static uint64_t ones(uint64_t count) {
  return count >= 64 ? ~uint64_t(0) : llvm::maskTrailingOnes<uint64_t>(count);
}
/// A sign that is undefined makes all bits before it so.
static uint64_t extended(uint64_t undefined, unsigned width, bool isSigned) {
  undefined &= ones(width);
  return isSigned && width && (undefined >> (width - 1) & 1)
             ? undefined | ~ones(width)
             : undefined;
}

bool napkin::executor::movesBits(const Instruction &i) {
  for (const auto &operand : i.operands)
    if (operand.kind == Kind::Vector || !operand.part.empty())
      return false;
  auto takes = [&](size_t sources, size_t modifiers) {
    return i.operands.size() == sources + 1 &&
           i.modifiers.size() == modifiers &&
           llvm::is_contained({1u, 8u, 16u, 32u, 64u},
                              widthOf(i.modifiers.back()));
  };
  if (i.opcode == "mov" || i.opcode == "not")
    return takes(1, 1);
  if (llvm::is_contained({"and", "or", "xor", "shl", "shr"}, i.opcode))
    return takes(2, 1);
  if (i.opcode == "bfe" || i.opcode == "prmt")
    return takes(3, 1);
  if (i.opcode == "bfi" || i.opcode == "lop3")
    return takes(4, 1);
  return i.opcode == "cvt" && takes(1, 2) && widthOf(i.modifiers[0]) &&
         llvm::all_of(i.modifiers, [](llvm::StringRef modifier) {
           return !napkin::ptx::isFloat(napkin::ptx::typeFromName(modifier));
         });
}

static uint64_t shifted(const Instruction &i, llvm::ArrayRef<LaneBits> s,
                        unsigned width) {
  if (s[1].undefined & ones(32))
    return ones(width);
  const uint64_t by = std::min<uint64_t>(s[1].value & ones(32), width);
  if (i.opcode == "shl")
    return by >= 64 ? 0 : s[0].undefined << by & ones(width);
  const uint64_t all =
      extended(s[0].undefined, width, isSignedType(i.modifiers[0]));
  const bool fills = all >> 63 && isSignedType(i.modifiers[0]);
  return (by >= 64 ? (fills ? ~uint64_t(0) : 0)
                   : all >> by | (fills ? ~(~uint64_t(0) >> by) : 0)) &
         ones(width);
}

static uint64_t extracted(const Instruction &i, llvm::ArrayRef<LaneBits> s,
                          unsigned width) {
  if ((s[1].undefined | s[2].undefined) & 255)
    return ones(width);
  const uint64_t at = s[1].value & 255, count = s[2].value & 255;
  const bool isSigned = isSignedType(i.modifiers[0]);
  const uint64_t sign = std::min<uint64_t>(at + count, width) - 1;
  uint64_t result =
      at >= width ? 0 : (s[0].undefined & ones(width)) >> at & ones(count);
  if (isSigned && count && (s[0].undefined >> sign & 1))
    result |= ~ones(count);
  return result & ones(width);
}

static uint64_t inserted(llvm::ArrayRef<LaneBits> s, unsigned width) {
  if ((s[2].undefined | s[3].undefined) & 255)
    return ones(width);
  const uint64_t at = s[2].value & 255;
  const uint64_t field = at >= width ? 0 : ones(s[3].value & 255) << at;
  const uint64_t moved = at >= width ? 0 : s[0].undefined << at;
  return ((s[1].undefined & ~field) | (moved & field)) & ones(width);
}

static uint64_t permuted(llvm::ArrayRef<LaneBits> s) {
  if (s[2].undefined & 0xffff)
    return ones(32);
  const uint64_t bytes = (s[0].undefined & ones(32)) | s[1].undefined << 32;
  uint64_t result = 0;
  for (unsigned k = 0; k < 4; ++k) {
    const unsigned digit = s[2].value >> 4 * k & 15;
    uint64_t byte = bytes >> 8 * (digit & 7) & 255;
    if (digit & 8) // its sign, eight times
      byte = byte & 128 ? 255 : 0;
    result |= byte << 8 * k;
  }
  return result;
}

/// A bit is defined if the table says the same for all that its sources may be.
static uint64_t tabulated(llvm::ArrayRef<LaneBits> s) {
  uint64_t result = 0;
  for (unsigned bit = 0; bit < 32; ++bit) {
    bool seen[2] = {false, false};
    for (unsigned row = 0; row < 8; ++row) {
      bool isPossible = true;
      for (unsigned k = 0; k < 3; ++k)
        isPossible &= (s[k].undefined >> bit & 1) ||
                      (s[k].value >> bit & 1) == (row >> (2 - k) & 1);
      if (isPossible)
        seen[s[3].value >> row & 1] = true;
    }
    result |= uint64_t(seen[0] && seen[1]) << bit;
  }
  return result;
}

uint64_t napkin::executor::undefinedBits(const Instruction &i,
                                         llvm::ArrayRef<LaneBits> s) {
  const llvm::StringRef op = i.opcode;
  const unsigned width = widthOf(i.modifiers.back());
  const uint64_t all = ones(width);
  if (op == "mov" || op == "not")
    return s[0].undefined & all;
  if (op == "xor")
    return (s[0].undefined | s[1].undefined) & all;
  if (op == "and" || op == "or") {
    // What decides alone: 0 or 1.
    const uint64_t flip = op == "or" ? ~uint64_t(0) : 0;
    auto decides = [&](const LaneBits &x) {
      return ~x.undefined & ~(x.value ^ flip);
    };
    return (s[0].undefined | s[1].undefined) & ~decides(s[0]) & ~decides(s[1]) &
           all;
  }
  if (op == "shl" || op == "shr")
    return shifted(i, s, width);
  if (op == "bfe")
    return extracted(i, s, width);
  if (op == "bfi")
    return inserted(s, width);
  if (op == "prmt")
    return permuted(s);
  if (op == "lop3")
    return tabulated(s);
  const uint64_t read =
      extended(s[0].undefined, width, isSignedType(i.modifiers[1]));
  return extended(read, widthOf(i.modifiers[0]), isSignedType(i.modifiers[0]));
}
