//===- Mutate.h - Damaged inputs -------------------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Deterministic damage to texts: of bytes, of tokens, of lines; and kernels
// made of single instructions that other kernels hold. Equal seeds give equal
// inputs on every platform.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_TEST_UNIT_FUZZ_MUTATE_H
#define NAPKIN_TEST_UNIT_FUZZ_MUTATE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <random>
#include <string>
#include <vector>

namespace napkin::fuzz {

using Engine = std::mt19937_64;

/// The files of `folder`, in the order of their names.
std::vector<std::string> readFolder(const std::string &folder);

/// `text` after one to four random edits of its bytes, tokens and lines;
/// `dictionary` gives the tokens to insert, `others` the pieces to splice in.
std::string damage(std::string text, Engine &engine,
                   llvm::ArrayRef<std::string> dictionary,
                   llvm::ArrayRef<std::string> others);

/// The distinct tokens of `texts`, and the numbers at which widths end.
std::vector<std::string> tokensOf(llvm::ArrayRef<std::string> texts);

/// Makes kernels of a few instructions each out of all instructions of `texts`,
/// with registers that hold addresses, small numbers and extremes.
class KernelMaker {
public:
  explicit KernelMaker(llvm::ArrayRef<std::string> texts);
  /// A kernel `k` with two pointer parameters.
  std::string make(Engine &engine) const;
  /// Instructions found, by opcode with modifiers.
  std::vector<std::vector<std::string>> instructions;

private:
  void change(std::string &line, Engine &engine) const;

  std::vector<std::string> modifiers, operands;
};

} // namespace napkin::fuzz

#endif // NAPKIN_TEST_UNIT_FUZZ_MUTATE_H
