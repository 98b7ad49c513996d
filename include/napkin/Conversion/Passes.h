//===- Passes.h - Conversions between stages --------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constructors and registration of the conversion passes; what each does is
// said in Passes.td.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_CONVERSION_PASSES_H
#define NAPKIN_CONVERSION_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"
#include "napkin/Dialect/Tile/IR/Tile.h"

namespace napkin {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "napkin/Conversion/Passes.h.inc"

} // namespace napkin

#endif // NAPKIN_CONVERSION_PASSES_H
