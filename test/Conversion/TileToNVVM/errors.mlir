// RUN: napkin-opt %s --split-input-file --verify-diagnostics --tile-lower-to-nvvm

// What a tile program may say and the device code of sm_80 may not.

tile.kernel @loop(%x: !ncd.array<n=200, f32>) grid [] warps 4 outputs 1 {
  %c1 = arith.constant 1 : index
  // expected-error @below {{'tile.loop' has no instruction of its own; run tile-expand-loops first}}
  tile.loop %i = %c1 to %c1 step %c1 {
  }
  tile.return
}

// -----

// expected-error @below {{needs 262144 bytes of shared memory a block; sm_80 has 166912: choose smaller tiles or fewer stages}}
tile.kernel @large(%x: !ncd.array<n=200, f32>) grid [] warps 4 outputs 1 {
  %ring = tile.ring : !tile.ring<4 x (m=256, n=64), f32, #tile.smem<swizzle = 128>>
  tile.return
}

// -----

tile.kernel @foreign(%x: !ncd.array<n=200, f32>) grid [] warps 4 outputs 1 {
  // expected-error @below {{'scf.while' cannot stand in a tile program that is lowered to device code}}
  scf.while : () -> () {
    %true = arith.constant true
    scf.condition(%true)
  } do {
    scf.yield
  }
  tile.return
}

// -----

// A guard decides and gives nothing.
tile.kernel @choice(%x: !ncd.array<n=200, f32>) grid [] warps 4 outputs 1 {
  %true = arith.constant true
  // expected-error @below {{expects a guard without results or else}}
  scf.if %true {
  } else {
    tile.barrier
  }
  tile.return
}

// -----

// The device computes in f32 and wider.
!tile = !tile.tile<n=128, f8E4M3FN, #tile.layout<register = [], lane = [1, 2, 4, 8, 16], warp = [32, 64]>>
tile.kernel @narrow(%x: !ncd.array<n=128, f8E4M3FN>, %y: !ncd.array<n=128, f8E4M3FN>) grid [n = %n : 128 of 128] warps 4 outputs 1 {
  %from = tile.view %x [n = %n : 128] : !ncd.array<n=128, f8E4M3FN>
  %to = tile.view %y [n = %n : 128] : !ncd.array<n=128, f8E4M3FN>
  %t = tile.load %from : !tile.view<n=128, f8E4M3FN> -> !tile
  %s = tile.map %t {
  ^bb0(%e: f8E4M3FN):
    // expected-error @below {{'arith.addf' on 'f8E4M3FN' has no device instruction; widen it to f32 first and round the result}}
    %f = arith.addf %e, %e : f8E4M3FN
    tile.yield %f : f8E4M3FN
  } : (!tile) -> !tile
  tile.store %s, %to : !tile, !tile.view<n=128, f8E4M3FN>
  tile.return
}

// -----

// Neighbours in a lane and in a warp: nobody moves them unasked.
!tile = !tile.tile<n=128, f32, #tile.layout<register = [], lane = [1, 2, 4, 8, 16], warp = [32, 64]>>
!other = !tile.tile<n=128, f32, #tile.layout<register = [], lane = [4, 8, 16, 32, 64], warp = [1, 2]>>
tile.kernel @elsewhere(%x: !ncd.array<n=128, f32>, %y: !ncd.array<n=128, f32>) grid [n = %n : 128 of 128] warps 4 outputs 1 {
  %from = tile.view %x [n = %n : 128] : !ncd.array<n=128, f32>
  %t = tile.load %from : !tile.view<n=128, f32> -> !tile
  // expected-error @below {{an operand's layout is not the result's; run tile-assign-layouts}}
  %s = tile.map %t {
  ^bb0(%e: f32):
    tile.yield %e : f32
  } : (!tile) -> !other
  tile.return
}

// -----

!tile = !tile.tile<m=2, n=64, f32, #tile.layout<register = [64], lane = [1, 2, 4, 8, 16], warp = [32, 0]>>
!sums = !tile.tile<m=2, f32, #tile.layout<register = [], lane = [1, 0, 0, 0, 0], warp = [0, 0]>>
tile.kernel @fold(%x: !ncd.array<m=2, n=64, f32>, %y: !ncd.array<m=2, f32>) grid [m = %m : 2 of 2] warps 4 outputs 1 {
  %from = tile.view %x [m = %m : 2, n : 64] : !ncd.array<m=2, n=64, f32>
  %t = tile.load %from : !tile.view<m=2, n=64, f32> -> !tile
  // expected-error @below {{the result's layout is not a slice of the operand's; run tile-assign-layouts}}
  %s = tile.reduce %t over "n" {
  ^bb0(%a: f32, %b: f32):
    %c = arith.addf %a, %b : f32
    tile.yield %c : f32
  } : !tile -> !sums
  tile.return
}

// -----

// Warps that decide for themselves do not wait for each other.
!tile = !tile.tile<n=128, f32, #tile.layout<register = [], lane = [1, 2, 4, 8, 16], warp = [32, 64]>>
!bits = !tile.tile<n=128, i1, #tile.layout<register = [], lane = [1, 2, 4, 8, 16], warp = [32, 64]>>
tile.kernel @vote(%x: !ncd.array<n=128, f32>, %y: !ncd.array<n=128, f32>) grid [n = %n : 128 of 128] warps 4 outputs 1 {
  %from = tile.view %x [n = %n : 128] : !ncd.array<n=128, f32>
  %to = tile.view %y [n = %n : 128] : !ncd.array<n=128, f32>
  %t = tile.load %from : !tile.view<n=128, f32> -> !tile
  %p = tile.map %t {
  ^bb0(%e: f32):
    %zero = arith.constant 0.0 : f32
    %q = arith.cmpf ogt, %e, %zero : f32
    tile.yield %q : i1
  } : (!tile) -> !bits
  // expected-error @below {{what is computed under a condition crosses warps, and each warp decides for itself; give every warp whole rows}}
  %s = tile.when %p : !bits otherwise(%t : !tile) {
    %u = tile.load %from : !tile.view<n=128, f32> -> !tile
    tile.next %u : !tile
  }
  tile.store %s, %to : !tile, !tile.view<n=128, f32>
  tile.return
}

// -----

// A part is read where the tile lies in shared memory.
!whole = !tile.tile<x=16, d=32, f16, #tile.layout<register = [1, 2, 4, 8], lane = [16, 32, 64, 128, 256], warp = []>>
!some = !tile.tile<x=16, v=16, f16, #tile.layout<register = [1, 2, 4], lane = [8, 16, 32, 64, 128], warp = []>>
tile.kernel @part(%x: !ncd.array<x=16, d=32, f16>, %y: !ncd.array<x=16, v=16, f16>) grid [] warps 1 outputs 1 {
  %from = tile.view %x [x : 16, d : 32] : !ncd.array<x=16, d=32, f16>
  %t = tile.load %from : !tile.view<x=16, d=32, f16> -> !whole
  // expected-error @below {{takes a part of what does not lie in shared memory, which is not lowered; run tile-make-rings first}}
  %p = tile.part %t from 0 : !whole -> !some
  tile.return
}

// -----

!some = !tile.tile<x=16, v=16, f16, #tile.layout<register = [1, 2, 4], lane = [8, 16, 32, 64, 128], warp = []>>
!ring = !tile.ring<1 x (x=16, d=64), f16, #tile.smem<swizzle = 128>>
tile.kernel @swizzled(%x: !ncd.array<x=16, d=64, f16>, %y: !ncd.array<x=16, v=16, f16>) grid [] warps 1 outputs 1 {
  %c0 = arith.constant 0 : index
  %ring = tile.ring : !ring
  %s = tile.pick %ring[%c0] : !ring
  // expected-error @below {{positions from 8 of '!tile.slot<(x=16, d=64), f16, #tile.smem<swizzle = 128>>' are no tile that its swizzle keeps together; begin at a multiple of 128 bytes}}
  %p = tile.read %s from 8 : !tile.slot<(x=16, d=64), f16, #tile.smem<swizzle = 128>> -> !some
  tile.return
}
