//===- PartitionError.cpp - whose mistake a partition is --------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads who decided from the notes that `ncd-schedule` leaves with a kernel.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/PartitionError.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/Location.h"

using namespace mlir;

InFlightDiagnostic napkin::ncd::emitPartitionError(Operation *op) {
  bool isOurs = false;
  for (Operation *parent = op; parent; parent = parent->getParentOp())
    if (auto notes = dyn_cast<FusedLocWith<DictionaryAttr>>(parent->getLoc()))
      isOurs |= notes.getMetadata().contains("why") &&
                !notes.getMetadata().contains("pinned");
  InFlightDiagnostic error = op->emitError();
  if (isOurs)
    error << "internal error: the partition that the compiler chose cannot be "
             "lowered: ";
  return error;
}
