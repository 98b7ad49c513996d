// RUN: napkin-opt %s --split-input-file --verify-diagnostics --tile-lower-to-nvvm

// What a tile program may say and the device code of sm_80 may not.

!tile = !tile.tile<n=128, f32, #tile.layout<register = [], lane = [1, 2, 4, 8, 16], warp = [32, 64]>>
tile.kernel @indexed(%x: !ncd.array<n=200, f32>, %p: !ncd.array<n=200, i32>, %y: !ncd.array<n=200, f32>) grid [n = %n : 128 of 200] warps 4 outputs 1 {
  %from = tile.view %x [n = %n : 128] (n by %p) : !ncd.array<n=200, f32>, !ncd.array<n=200, i32>
  // expected-error @below {{reaching axis 'n' through an index array is not lowered yet}}
  %t = tile.load %from : !tile.view<n=128, f32> -> !tile
  tile.return
}

// -----

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
