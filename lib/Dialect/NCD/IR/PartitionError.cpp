//===- PartitionError.cpp - whose mistake a partition is --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads who decided from the kernel, at whatever level it is written.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/PartitionError.h"
#include "napkin/Dialect/NCD/IR/NCDAttrs.h"

using namespace mlir;

InFlightDiagnostic napkin::ncd::emitPartitionError(Operation *op) {
  bool isOurs = false;
  for (Operation *parent = op; parent; parent = parent->getParentOp()) {
    // No schedule chooses a persistent grid: somebody wrote it.
    auto account = parent->getAttrOfType<AccountAttr>("account");
    bool isWritten = parent->hasAttr("persistent");
    isOurs |= (account && account.getChosen() && !isWritten) ||
              parent->hasAttr("chosen");
  }
  InFlightDiagnostic error = op->emitError();
  if (isOurs)
    error << "internal error: the partition that the compiler chose cannot be "
             "lowered: ";
  return error;
}
