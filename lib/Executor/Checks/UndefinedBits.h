//===- UndefinedBits.h - Which bits of a result are undefined --*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Fields of a word are written one by one into a word that nobody wrote, and
// halves are packed with others that nobody uses. So instructions that move
// bits are followed bit by bit; of all others a result is undefined as a whole.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_CHECKS_UNDEFINEDBITS_H
#define NAPKIN_LIB_EXECUTOR_CHECKS_UNDEFINEDBITS_H

#include "napkin/PTX/Module.h"

#include "llvm/ADT/ArrayRef.h"

namespace napkin::executor {

/// A source in one lane; `value` says nothing about bits that are undefined.
struct LaneBits {
  uint64_t value = 0, undefined = 0;
};

/// Whether the instruction moves bits: its result is one register, and no
/// source is a vector.
bool movesBits(const ptx::Instruction &instruction);
/// The undefined bits of the result of such an instruction, from its sources in
/// their order.
uint64_t undefinedBits(const ptx::Instruction &instruction,
                       llvm::ArrayRef<LaneBits> sources);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_CHECKS_UNDEFINEDBITS_H
