//===- Registers.h - A warp's registers, seen by handlers ------*- C++ -*-===//
//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// For the files that are compiled once; those of Vector/ have their own.
//
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_LIB_EXECUTOR_MACHINE_REGISTERS_H
#define NAPKIN_LIB_EXECUTOR_MACHINE_REGISTERS_H

#include "Machine/Machine.h"

namespace napkin::executor {

/// The 32 values of a register.
template <class T>
T *lane(Warp &w, uint32_t reference) {
  return reinterpret_cast<T *>(w.base[reference >> 31] +
                               (reference & ~constantBit));
}

/// A predicate, one bit per lane.
inline uint32_t predicate(Warp &w, uint32_t index, bool negated) {
  uint32_t p = w.predicates[index];
  return negated ? ~p : p;
}

inline void setPredicate(Warp &w, uint32_t index, uint32_t mask,
                         uint32_t value) {
  if (index != noRegister)
    w.predicates[index] = (w.predicates[index] & ~mask) | (value & mask);
}

} // namespace napkin::executor

#endif // NAPKIN_LIB_EXECUTOR_MACHINE_REGISTERS_H
