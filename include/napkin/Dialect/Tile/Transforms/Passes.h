//===- Passes.h - Passes over tile programs ---------------------*- C++ -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constructors and registration of the passes over tile programs; what each
// does is said in Passes.td.
//
//===----------------------------------------------------------------------===//
#ifndef NAPKIN_DIALECT_TILE_TRANSFORMS_PASSES_H
#define NAPKIN_DIALECT_TILE_TRANSFORMS_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Pass/Pass.h"
#include "napkin/Dialect/Tile/IR/Tile.h"

namespace napkin::tile {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "napkin/Dialect/Tile/Transforms/Passes.h.inc"

} // namespace napkin::tile

#endif // NAPKIN_DIALECT_TILE_TRANSFORMS_PASSES_H
