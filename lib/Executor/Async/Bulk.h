//===- Bulk.h - Description of a bulk copy ---------------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Operands of cp.async.bulk in all its forms.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_ASYNC_BULK_H
#define NAPKIN_LIB_EXECUTOR_ASYNC_BULK_H

#include "Machine/Atomics.h"
#include "Machine/Machine.h"

namespace napkin::executor {

/// A register of 4 or 8 bytes plus an offset.
struct BulkOperand {
  uint32_t reference = noRegister;
  uint32_t width = 4;
  int64_t offset = 0;
};

struct BulkForm {
  bool store = false, betweenShared = false;
  /// AtomicOp, or 255.
  uint8_t reduction = 255;
  ptx::Type type = ptx::Type::None;
  unsigned rank = 0;
  /// Tensor map or global address (or the shared source), shared address,
  /// mbarrier, size, multicast mask.
  BulkOperand global, shared, mbarrier, size, multicast;
  uint32_t coordinates[5] = {};
};

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_ASYNC_BULK_H
