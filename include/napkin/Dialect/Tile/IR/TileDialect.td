//===- TileDialect.td - the tile dialect and its base classes -*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The dialect itself and one base class for each kind of definition.
// Names follow one convention throughout:
//
//   Ops:        def Tile_LoadOp : Tile_Op<"load">             -> LoadOp
//   Types:      def Tile_TileType : Tile_Type<"Tile", "tile">  -> TileType
//   Attributes: def Tile_LayoutAttr : Tile_Attr<"Layout", "layout"> -> LayoutAttr
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_TILE_IR_TILEDIALECT_TD
#define NAPKIN_DIALECT_TILE_IR_TILEDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let summary = "Tile programs: what one block does, with buffers and layouts";
  let description = [{
    A tile program is what one block of threads executes: tiles of arrays that
    move between global memory, shared memory and registers, loops
    (`tile.loop`), and operations on whole tiles. Global arrays keep their
    `!ncd.array` types. Where a block stands in the grid is a value, an argument
    of the kernel; which part of an array a transfer touches is said by one
    `tile.view`, for loads, copies and stores alike.

    A tile program is legal before its layouts are known: `tile-assign-layouts`
    says where in the block each element lives, `tile-make-rings` takes loads
    through rings of slots in shared memory, and `tile-expand-loops` derives from
    the verbs of the rings what must be waited for, and where.

    Three groups of operations:

    * *programs*: `kernel`, `view`, `load`, `store`, `loop`, `mma`, `map`, `reduce`,
      `convert`; what a lowering writes first.
    * *rings, pending products and roles*: `ring`, `acquire`, `copy`, `publish`,
      `await`, `read`, `release`, `mma.start`, `mma.wait`, `roles`, `role`, `turn`;
      they say who may touch which slot on which trip, and nothing of barriers.
    * *steps*: `slot`, `close_group`, `wait_groups`, `barrier`; what
      `tile-expand-loops` leaves for the device. Nobody writes them by hand.
  }];
  let cppNamespace = "::napkin::tile";
  let dependentDialects = ["::napkin::ncd::NCDDialect"];
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let extraClassDeclaration = [{
    /// Registers the types of the dialect; called by initialize().
    void registerTypes();
  }];
}

/// An operation of the dialect.
class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tile_Dialect, mnemonic, traits>;

/// A type of the dialect.
class Tile_Type<string name, string typeMnemonic>
    : TypeDef<Tile_Dialect, name> {
  let mnemonic = typeMnemonic;
}

/// An attribute of the dialect.
class Tile_Attr<string name, string attrMnemonic>
    : AttrDef<Tile_Dialect, name> {
  let mnemonic = attrMnemonic;
}

/// An operand or attribute of an operation, with its documentation.
class Tile_Arg<Constraint constraint, string doc> : Arg<constraint, doc>;

/// A result of an operation, with its documentation.
class Tile_Res<Constraint constraint, string doc> : Res<constraint, doc>;

/// A parameter of a type or attribute, with its documentation.
class Tile_Param<string cppType, string doc> : AttrOrTypeParameter<cppType, doc>;

/// A list parameter of a type or attribute, with its documentation.
class Tile_ListParam<string elementType, string doc>
    : ArrayRefParameter<elementType, doc>;

#endif // NAPKIN_DIALECT_TILE_IR_TILEDIALECT_TD
