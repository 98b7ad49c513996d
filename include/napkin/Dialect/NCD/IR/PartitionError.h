//===- PartitionError.h - whose mistake a partition is ----------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel that cannot be lowered with its tiles, warps and stages is a mistake
// of whoever chose them. Where a person did, in IR or by a pin, the message is
// theirs to act on; where the compiler did, it is a fault of the compiler.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_NCD_IR_PARTITIONERROR_H
#define NAPKIN_DIALECT_NCD_IR_PARTITIONERROR_H

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Operation.h"

namespace napkin::ncd {

/// Starts an error at \p op about the partition of the kernel around it. It is
/// called an internal error where `ncd-schedule` chose the partition and nobody
/// pinned a part of it.
mlir::InFlightDiagnostic emitPartitionError(mlir::Operation *op);

} // namespace napkin::ncd

#endif // NAPKIN_DIALECT_NCD_IR_PARTITIONERROR_H
