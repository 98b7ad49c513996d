//===- TypeRules.cpp - Which types an opcode takes -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The manual's lists of types for opcodes whose operands all follow from the
// type. A type that is not listed would otherwise name operands of a width that
// no handler has. Opcodes that are not here check their types themselves.
//
//===----------------------------------------------------------------------===//

#include "Decode/Decoder.h"

#include "llvm/ADT/SmallVector.h"

#include <fmt/format.h>

using namespace napkin::executor;

namespace {
struct TypeRule {
  const char *opcodes, *types;
};
} // namespace

#define INTEGERS "u16 u32 u64 s16 s32 s64 "
#define HALVES "f16 f16x2 bf16 bf16x2 "

static const TypeRule rules[] = {
    {"add sub min max", INTEGERS "u16x2 s16x2 f32 f64 f32x2 " HALVES},
    {"mul", INTEGERS "f32 f64 f32x2 " HALVES},
    {"mad", INTEGERS "f32 f64"},
    {"fma", "f32 f64 f32x2 " HALVES},
    {"mul24 mad24", "u32 s32"},
    {"sad rem", INTEGERS},
    {"div", INTEGERS "f32 f64"},
    {"addc subc madc", "u32 s32 b32 u64 s64 b64"},
    {"abs neg", "s16 s32 s64 f32 f64 " HALVES},
    {"rcp sqrt rsqrt copysign testp", "f32 f64"},
    {"sin cos lg2", "f32"},
    {"ex2 tanh", "f32 " HALVES},
    {"and or xor not", "pred b16 b32 b64"},
    {"cnot shl", "b16 b32 b64"},
    {"shr", "b16 b32 b64 " INTEGERS},
    {"lop3 shf bmsk prmt fns", "b32"},
    {"popc clz brev bfi", "b32 b64"},
    {"bfind bfe", "u32 u64 s32 s64"},
    {"szext dp4a dp2a", "u32 s32"},
    {"mov", "pred b16 b32 b64 b128 " INTEGERS "f32 f64"},
    {"selp slct", "b16 b32 b64 " INTEGERS "f32 f64"},
    {"setp", "b16 b32 b64 " INTEGERS "f32 f64 " HALVES},
    {"cvta", "u32 u64"},
    {"match", "b32 b64"},
};

static bool hasWord(llvm::StringRef words, llvm::StringRef word) {
  llvm::SmallVector<llvm::StringRef, 16> list;
  words.split(list, ' ', -1, false);
  return llvm::is_contained(list, word);
}

bool Decoder::checkTypes() {
  for (const TypeRule &rule : rules) {
    if (!hasWord(rule.opcodes, opcode()))
      continue;
    for (llvm::StringRef modifier : instruction->modifiers)
      if (ptx::typeFromName(modifier) != Type::None &&
          !hasWord(rule.types, modifier))
        return fail(fmt::format("'{}' has no type .{}", opcode().str(),
                                modifier.str()));
    return true;
  }
  return true;
}
