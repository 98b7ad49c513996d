//===- Atomics.h - Description of atom and red -----------------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What one atomic instruction does to each element.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_MACHINE_ATOMICS_H
#define NAPKIN_LIB_EXECUTOR_MACHINE_ATOMICS_H

#include "napkin/PTX/Type.h"

namespace napkin::executor {

enum class AtomicOp : uint8_t {
  Add,
  Min,
  Max,
  And,
  Or,
  Xor,
  Exchange,
  CompareExchange,
  Increment,
  Decrement
};

struct AtomicForm {
  AtomicOp op;
  ptx::Type type;
  unsigned count, elementBytes;
  bool returns;
  /// 1 strong, 2 acquire, 4 release.
  uint8_t order;
};

/// The new content of a cell that held `old`, for operand `value` (and, for
/// compare-exchange, `value` is compared and `other` stored).
uint64_t atomicApply(AtomicOp op, ptx::Type type, uint64_t old, uint64_t value,
                     uint64_t other);

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_MACHINE_ATOMICS_H
