//===- HardwareChanges.h - a machine with other numbers ---------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// "a100_80gb[smem=128K, multiprocessors=54]" is a machine that exists but for
// two numbers. The text in brackets changes the description before it is read,
// so that whatever a description can say can be asked for.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_COST_HARDWARECHANGES_H
#define NAPKIN_LIB_COST_HARDWARECHANGES_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

namespace napkin::cost {

/// The parts of "name[changes]"; `changes` is empty where there are no
/// brackets.
struct ChangedName {
  llvm::StringRef base, changes;
};
ChangedName splitChanges(llvm::StringRef name);

/// Changes \p description by \p changes, "field=value, ...". A field is
/// named as in the file, "threads.per_block", a level's by the name of the
/// level, "shared.capacity_bytes", or by one of the short names of
/// docs/exploring.md. Errors name the field and what there is.
llvm::Error changeDescription(llvm::json::Object &description,
                              llvm::StringRef changes);

/// Completes the description \p derived, of which \p base, a whole one, has
/// what it does not say itself: members by their keys, levels by their names.
/// Whether the base stands for its target is not taken over.
llvm::json::Object completeDescription(llvm::json::Object base,
                                       const llvm::json::Object &derived);

} // namespace napkin::cost

#endif // NAPKIN_LIB_COST_HARDWARECHANGES_H
