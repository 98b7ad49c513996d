//===- HardwareDescription.h - Machines by their names ---------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What a launch needs to know of a machine, out of the descriptions that the
// cost model has (napkin/Cost/Hardware.h).
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_EXECUTOR_HARDWAREDESCRIPTION_H
#define NAPKIN_EXECUTOR_HARDWAREDESCRIPTION_H

#include "napkin/Executor/Occupancy.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <optional>

namespace napkin::executor {

/// The machine called `name`, or described by the file `name` if that ends with
/// ".json". An empty name means the machine that stands for PTX's `target`
/// ("sm_90a"), if there is one. The error lists the names that are known.
llvm::Expected<std::optional<Hardware>> findHardware(llvm::StringRef name,
                                                     llvm::StringRef target);

} // namespace napkin::executor

#endif // NAPKIN_EXECUTOR_HARDWAREDESCRIPTION_H
