//===- NCDDialect.cpp - the ncd dialect -----------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Registration of everything that the dialect holds.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/NCDDialect.h"
#include "NCDRanges.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "napkin/Dialect/NCD/IR/NCDOps.h"

using namespace mlir;
using namespace napkin::ncd;

#include "napkin/Dialect/NCD/IR/NCDDialect.cpp.inc"

void NCDDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "napkin/Dialect/NCD/IR/NCDOps.cpp.inc"
      >();
  registerTypes();
  registerAttributes();
  attachRanges(getContext());
}
