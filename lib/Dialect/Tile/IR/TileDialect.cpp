//===- TileDialect.cpp - The tile dialect ---------------------------------===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "napkin/Dialect/Tile/IR/Tile.h"

using namespace mlir;
using namespace napkin::tile;

#include "napkin/Dialect/Tile/IR/TileDialect.cpp.inc"

void TileDialect::initialize() {
  registerTypes();
  addOperations<
#define GET_OP_LIST
#include "napkin/Dialect/Tile/IR/TileOps.cpp.inc"
      >();
}
