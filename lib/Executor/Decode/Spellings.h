//===- Spellings.h - The forms of each instruction -------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which modifiers and types go together, and from which target and version on.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_DECODE_SPELLINGS_H
#define NAPKIN_LIB_EXECUTOR_DECODE_SPELLINGS_H

#include "napkin/PTX/Module.h"

#include <string>

namespace napkin::executor {

/// Why ptxas would refuse the modifiers and types of `instruction` in this
/// module; "" if it takes them.
std::string checkSpelling(const ptx::Module &module,
                          const ptx::Instruction &instruction);

/// The part of it that is about the module's target and version (Needs.cpp).
std::string checkNeeds(const ptx::Module &module,
                       const ptx::Instruction &instruction);

/// Whether the modifier at `position` stands before it already and is one of
/// those that may be said again: flags, as `sat` or `sync`.
bool isRepetition(llvm::ArrayRef<llvm::StringRef> modifiers, size_t position);

/// "needs .target sm_90 or higher, the text says sm_80", or "" if the module
/// has what is needed.
std::string unmetNeed(const ptx::Module &module, llvm::StringRef target,
                      llvm::StringRef version);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_DECODE_SPELLINGS_H
