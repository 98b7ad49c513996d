//===- NCDInterfaces.cpp - interfaces of ncd operations -------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Definitions generated from NCDInterfaces.td.
//===----------------------------------------------------------------------===//

#include "napkin/Dialect/NCD/IR/NCDInterfaces.h"

#include "napkin/Dialect/NCD/IR/NCDInterfaces.cpp.inc"
