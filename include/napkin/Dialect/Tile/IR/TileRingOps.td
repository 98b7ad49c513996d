//===- TileRingOps.td - rings, roles and steps ------------*- tablegen -*-===//
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Who may touch which slot of shared memory on which trip, products under way,
// warps with tasks of their own; and the steps that the device is left with.
//===----------------------------------------------------------------------===//

#ifndef NAPKIN_DIALECT_TILE_IR_TILERINGOPS_TD
#define NAPKIN_DIALECT_TILE_IR_TILERINGOPS_TD

include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "napkin/Dialect/Tile/IR/TileTypes.td"

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

def Tile_RingOp : Tile_Op<"ring"> {
  let summary = "Reserve a ring of slots in shared memory";
  let description = [{
    Gives a ring for the whole life of the kernel; its slots are empty.

    Preconditions: stands in the kernel's body itself, not in a loop or a role.

    Errors: a ring elsewhere.

    Example:

    ```mlir
    %ring = tile.ring : !tile.ring<2 x (x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    ```
  }];
  let results = (outs Tile_Res<Tile_RingType, "the ring">:$ring);
  let assemblyFormat = "attr-dict `:` qualified(type($ring))";
  let hasVerifier = 1;
}

def Tile_AcquireOp : Tile_Op<"acquire", [InferTypeOpAdaptor]> {
  let summary = "Take the slot of a trip, to fill it";
  let description = [{
    Gives slot `trip` mod n of a ring of n slots once trip - n has been released.
    `ahead 2` in a loop: it is done, with the copies into the slot and their
    `tile.publish`, two trips earlier: on each trip for the trip after the next, ahead
    of the loop for the first two, and not at all past the last trip. The order of the
    text is the order within a trip.

    Preconditions: exactly one `tile.publish` of the slot follows in the same block;
    only `tile.copy` and `tile.publish` use it. `ahead` is at most the number of slots and needs
    a loop that counts its trips, and the loop's trip.

    Errors: another use, no publish or two, an `ahead` without its loop.

    Example:

    ```mlir
    %s = tile.acquire %ring, %t ahead 1 : !tile.ring<2 x (x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    tile.copy %v into %s : !tile.view<x=64, d=128, bf16>, !tile.slot<(x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    tile.publish %s : !tile.slot<(x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_RingType, "the ring">:$ring,
    Tile_Arg<Index, "number of the trip">:$trip,
    Tile_Arg<DefaultValuedAttr<I32Attr, "0">, "trips that it is done earlier">:$ahead);
  let results = (outs Tile_Res<Tile_SlotType, "the slot, to be filled">:$slot);
  let assemblyFormat = "$ring `,` $trip (`ahead` $ahead^)? attr-dict `:` qualified(type($ring))";
  let hasVerifier = 1;
}

def Tile_CopyOp : Tile_Op<"copy"> {
  let summary = "Start copying from global memory into a slot";
  let description = [{
    Starts an asynchronous copy of what a view shows into a slot; positions that do
    not count become zero. Nobody may read it before an await of the slot's trip.

    Preconditions: the view is made by `tile.view` and has the slot's axes, sizes and
    elements; the slot comes from `tile.acquire` and has not been published.

    Errors: another shape, with both types; a slot that is not to be filled.

    Example:

    ```mlir
    tile.copy %v into %s : !tile.view<x=64, d=128, bf16>, !tile.slot<(x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_ViewType, "what to copy">:$view,
    Tile_Arg<Tile_SlotType, "where to">:$slot);
  let assemblyFormat = "$view `into` $slot attr-dict `:` qualified(type($view)) `,` qualified(type($slot))";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The operation that made the view.
    ViewOp getViewOp();
  }];
}

def Tile_PublishOp : Tile_Op<"publish"> {
  let summary = "Say that all copies into slots have been started";
  let description = [{
    Hands slots over to those that await their trips. Slots that are published
    together arrive together (on sm_80, one group of copies).

    Preconditions: the slots come from acquires of the same block with the same
    `ahead`, and each has been filled by one copy.

    Errors: a slot that was not acquired here, that is not filled, or other trips.

    Example:

    ```mlir
    tile.publish %k, %v : !slot, !slot
    ```
  }];
  let arguments = (ins Tile_Arg<Variadic<Tile_SlotType>, "filled slots">:$slots);
  let assemblyFormat = "$slots attr-dict `:` qualified(type($slots))";
  let hasVerifier = 1;
}

def Tile_AwaitOp : Tile_Op<"await", [InferTypeOpAdaptor]> {
  let summary = "Wait for the slot of a trip, to read it";
  let description = [{
    Gives slot `trip` mod n once what was copied into it for this trip has arrived for
    all threads.

    Preconditions: exactly one `tile.release` of the slot follows in the same block.

    Errors: no release or two.

    Example:

    ```mlir
    %s = tile.await %ring, %t : !tile.ring<2 x (x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_RingType, "the ring">:$ring,
    Tile_Arg<Index, "number of the trip">:$trip);
  let results = (outs Tile_Res<Tile_SlotType, "the slot, to be read">:$slot);
  let assemblyFormat = "$ring `,` $trip attr-dict `:` qualified(type($ring))";
  let hasVerifier = 1;
}

def Tile_ReadOp : Tile_Op<"read"> {
  let summary = "Read a tile from a slot";
  let description = [{
    Reads a slot into registers, in the result's layout. With `from`, the tile has
    another axis in the place of one of the slot's, whose position i is the slot's
    `from + i`.

    Preconditions: the tile has the slot's axes, sizes and elements, but for the one
    axis with `from`, whose positions lie in the slot; the slot comes
    from `tile.await` and has not been released.

    Errors: another shape, with both types; a slot that is not to be read.

    Example:

    ```mlir
    %t = tile.read %s : !tile.slot<(x=64, d=128), bf16, #tile.smem<swizzle = 128>> -> !tile.tile<x=64, d=128, bf16>
    %v = tile.read %s from 0 : !tile.slot<(x=64, d=128), bf16, #tile.smem<pad = 16>> -> !tile.tile<x=64, v=64, bf16>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_SlotType, "the slot">:$slot,
    Tile_Arg<OptionalAttr<I64Attr>, "first position along the axis of which it is a part">:$from);
  let results = (outs Tile_Res<Tile_TileType, "the tile">:$tile);
  let assemblyFormat = "$slot (`from` $from^)? attr-dict `:` qualified(type($slot)) `->` qualified(type($tile))";
  let skipDefaultBuilders = 1;
  let builders = [OpBuilder<(ins "::mlir::Type":$tile, "::mlir::Value":$slot,
                                 CArg<"::mlir::IntegerAttr", "{}">:$from)>];
  let hasVerifier = 1;
}

def Tile_ReleaseOp : Tile_Op<"release", [AttrSizedOperandSegments]> {
  let summary = "Give slots back, to be filled again";
  let description = [{
    Says that this block's reads of the slots are over. `after %p`: only when the
    products %p, which may still read them, have been waited for.

    Preconditions: the slots come from awaits of the same block; a product in `after`
    is one that `tile.mma.start` gave.

    Errors: a slot that was not awaited here.

    Example:

    ```mlir
    tile.release %s : !tile.slot<(x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Variadic<Tile_SlotType>, "slots that were read">:$slots,
    Tile_Arg<Variadic<Tile_PendingType>, "products that read them">:$after);
  let assemblyFormat = [{
    $slots `:` qualified(type($slots)) (`after` $after^ `:` qualified(type($after)))? attr-dict
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Products under way
//===----------------------------------------------------------------------===//

def Tile_MmaStartOp : Tile_Op<"mma.start", [InferTypeOpAdaptor]> {
  let summary = "Start a product";
  let description = [{
    What `tile.mma` computes, without waiting for it. Nothing may read, copy or select
    what it gives; `tile.mma.wait` makes a tile of it. Where products are synchronous
    (sm_80) start and wait are one product.

    Preconditions: those of `tile.mma`; exactly one `tile.mma.wait` follows, perhaps on
    the next trip of a loop that carries the product.

    Errors: a product that is never waited for or twice (`tile-expand-loops`).

    Example:

    ```mlir
    %p = tile.mma.start %q, %k, %zero by "mma.m16n8k16.bf16" : !tile.tile<q=64, d=64, bf16>, !tile.tile<x=64, d=64, bf16>, !tile.tile<q=64, x=64, f32>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_TileType, "factor that carries the rows">:$a,
    Tile_Arg<Tile_TileType, "factor that carries the columns">:$b,
    Tile_Arg<Tile_TileType, "what the products are added to">:$accumulator,
    Tile_Arg<StrAttr, "name of the instruction">:$instruction,
    Tile_Arg<OptionalAttr<DenseI64ArrayAttr>, "warps along rows and columns">:$warps);
  let results = (outs Tile_Res<Tile_PendingType, "the product under way">:$pending);
  let assemblyFormat = [{
    $a `,` $b `,` $accumulator `by` $instruction (`warps` $warps^)? attr-dict `:` qualified(type($a)) `,` qualified(type($b)) `,` qualified(type($accumulator))
  }];
  let hasVerifier = 1;
}

def Tile_MmaWaitOp : Tile_Op<"mma.wait", [InferTypeOpAdaptor]> {
  let summary = "Wait for a product";
  let description = [{
    Gives the tile of a product once it is done. Products finish in the order in which
    they were started; how many later ones may still be under way is derived.

    Example:

    ```mlir
    %s = tile.mma.wait %p : !tile.pending<!tile.tile<q=64, x=64, f32>>
    ```
  }];
  let arguments = (ins Tile_Arg<Tile_PendingType, "the product under way">:$pending);
  let results = (outs Tile_Res<Tile_TileType, "the sum">:$tile);
  let assemblyFormat = "$pending attr-dict `:` qualified(type($pending))";
}

//===----------------------------------------------------------------------===//
// Roles
//===----------------------------------------------------------------------===//

def Tile_RolesOp : Tile_Op<"roles", [HasParent<"KernelOp">, NoTerminator, SingleBlock]> {
  let summary = "Let the warps of a block do different things";
  let description = [{
    The warps are dealt to the roles in the order of the text. Rings, arrays and
    positions are the whole block's; a tile belongs to the warps that made it and may
    not be used in a role if it was made outside of it.

    Preconditions: the body holds `tile.role` only; names differ; the roles take all
    warps of the kernel, and at most 65,536 registers together.

    Errors: the sum of warps or registers, with its addends; a tile of another scope.
    Lowering: refused by name on targets without roles (sm_80 to sm_89); the form for
    sm_90a is not there yet.

    Example:

    ```mlir
    tile.roles {
      tile.role "load" warps 4 registers 24 { ... }
      tile.role "compute" x 2 over "q" warps 4 registers 240 { ... }
    }
    ```
  }];
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict";
  let hasRegionVerifier = 1;
}

def Tile_RoleOp : Tile_Op<"role", [HasParent<"RolesOp">, NoTerminator, SingleBlock]> {
  let summary = "Say what some warps of a block do";
  let description = [{
    `x 2 over "q"`: two instances, each with `warps` warps of its own, which share the
    positions along axis q among them. `registers` is what each thread may have; it is
    set for whole warpgroups of 4 warps.

    Preconditions: at least one instance; `warps` is a multiple of 4; registers are a
    multiple of 8 from 24 to 256; several instances say over which axis.

    Errors: the number that breaks a precondition.

    Example:

    ```mlir
    tile.role "compute" x 2 over "q" warps 4 registers 240 { ... }
    ```
  }];
  let arguments = (ins
    Tile_Arg<StrAttr, "name of the role">:$role,
    Tile_Arg<DefaultValuedAttr<I32Attr, "1">, "instances">:$instances,
    Tile_Arg<OptionalAttr<StrAttr>, "axis that the instances share">:$over,
    Tile_Arg<I32Attr, "warps of an instance">:$warps,
    Tile_Arg<I32Attr, "registers of a thread">:$registers);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $role (`x` $instances^)? (`over` $over^)? `warps` $warps `registers` $registers $body attr-dict
  }];
  let hasVerifier = 1;
}

def Tile_TurnOp : Tile_Op<"turn"> {
  let summary = "Let the instances of a role take turns";
  let description = [{
    The instances of one role pass a turn around, the first instance begins: between
    `tile.turn.take` and `tile.turn.pass` only one of them is at work.

    Preconditions: stands outside of the roles.

    Example:

    ```mlir
    %turn = tile.turn : !tile.turn
    ```
  }];
  let results = (outs Tile_Res<Tile_TurnType, "the turn">:$turn);
  let assemblyFormat = "attr-dict `:` qualified(type($turn))";
}

def Tile_TurnTakeOp : Tile_Op<"turn.take"> {
  let summary = "Wait for this instance's turn";
  let description = [{
    Preconditions: in a role of several instances; exactly one `tile.turn.pass` of the same turn
    follows in the same block before the next take.

    Errors: outside of such a role, no pass.

    Example:

    ```mlir
    tile.turn.take %turn : !tile.turn
    ```
  }];
  let arguments = (ins Tile_Arg<Tile_TurnType, "the turn">:$turn);
  let assemblyFormat = "$turn attr-dict `:` qualified(type($turn))";
  let hasVerifier = 1;
}

def Tile_TurnPassOp : Tile_Op<"turn.pass"> {
  let summary = "Pass the turn to the next instance";
  let description = [{
    Preconditions: a `tile.turn.take` of the same turn stands before it in the same block.

    Errors: no take.

    Example:

    ```mlir
    tile.turn.pass %turn : !tile.turn
    ```
  }];
  let arguments = (ins Tile_Arg<Tile_TurnType, "the turn">:$turn);
  let assemblyFormat = "$turn attr-dict `:` qualified(type($turn))";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Steps: what tile-expand-loops leaves
//===----------------------------------------------------------------------===//

def Tile_PickOp : Tile_Op<"pick", [Pure, InferTypeOpAdaptor]> {
  let summary = "Pick a slot of a ring by its number";
  let description = [{
    A step: what is left of `tile.acquire` and `tile.await`.

    Example:

    ```mlir
    %s = tile.pick %ring[%i] : !tile.ring<2 x (x=64, d=128), bf16, #tile.smem<swizzle = 128>>
    ```
  }];
  let arguments = (ins
    Tile_Arg<Tile_RingType, "the ring">:$ring,
    Tile_Arg<Index, "number of the slot">:$number);
  let results = (outs Tile_Res<Tile_SlotType, "the slot">:$slot);
  let assemblyFormat = "$ring `[` $number `]` attr-dict `:` qualified(type($ring))";
}

def Tile_CloseGroupOp : Tile_Op<"close_group"> {
  let summary = "Close a group of copies";
  let description = [{
    A step: every copy since the last one forms one group (PTX ISA,
    "cp.async.commit_group"); what is left of `tile.publish`.

    Example:

    ```mlir
    tile.close_group
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Tile_WaitGroupsOp : Tile_Op<"wait_groups"> {
  let summary = "Wait for groups of copies";
  let description = [{
    A step: waits until at most `pending` of this thread's groups are still under way
    (PTX ISA, "cp.async.wait_group"). Other threads see the data after a
    `tile.barrier`.

    Example:

    ```mlir
    tile.wait_groups 1
    ```
  }];
  let arguments = (ins Tile_Arg<I32Attr, "groups that may be unfinished">:$pending);
  let assemblyFormat = "$pending attr-dict";
}

def Tile_BarrierOp : Tile_Op<"barrier"> {
  let summary = "Wait for all threads of the block";
  let description = [{
    A step: orders the shared-memory accesses of all threads before it and after it.

    Example:

    ```mlir
    tile.barrier
    ```
  }];
  let assemblyFormat = "attr-dict";
}

#endif // NAPKIN_DIALECT_TILE_IR_TILERINGOPS_TD
