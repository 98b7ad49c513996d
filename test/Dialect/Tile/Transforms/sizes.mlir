// RUN: %python %S/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: range(200)" | FileCheck %s
// RUN: napkinc %s --emit=tile | FileCheck %s --check-prefix=TILE
// RUN: napkinc %s --emit=ptx | FileCheck %s --check-prefix=PTX
// REQUIRES: napkinc

// 96 rows, 80 columns, chunks of 48: no position is computed, copied or kept that the
// tile does not have. Each trip is 96 x 80 x 48 products, 180 of m16n8k16 over 4 warps, 45 a warp.
// CHECK: right
// TILE: tile.ring : !tile.ring<2 x (k=48, n=80), f16, #tile.smem<swizzle = 128>>
// TILE: tile.ring : !tile.ring<2 x (m=96, k=48), f16, #tile.smem<swizzle = 128>>
// PTX-COUNT-45: mma.sync.aligned.m16n8k16
// PTX-NOT: mma.sync
!a = !tile.tile<m=96, k=48, f16>
!b = !tile.tile<k=48, n=80, f16>
!c = !tile.tile<m=96, n=80, f32>
tile.kernel @product(%x: !ncd.array<m=96, k=200, f16>, %y: !ncd.array<k=200, n=80, f16>, %z: !ncd.array<m=96, n=80, f32>)
    grid [m = %m : 96 of 96] warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %c0 = arith.constant 0 : index
  %c48 = arith.constant 48 : index
  %c200 = arith.constant 200 : index
  %sum = tile.loop %i = %c0 to %c200 step %c48 iter_args(%acc = %zero) -> (!c) slots 2 {
    %va = tile.view %x [m = %m : 96, k = %i : 48] : !ncd.array<m=96, k=200, f16>
    %vb = tile.view %y [k = %i : 48, n : 80] : !ncd.array<k=200, n=80, f16>
    %a = tile.load %va : !tile.view<m=96, k=48, f16> -> !a
    %b = tile.load %vb : !tile.view<k=48, n=80, f16> -> !b
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %to = tile.view %z [m = %m : 96, n : 80] : !ncd.array<m=96, n=80, f32>
  tile.store %sum, %to : !c, !tile.view<m=96, n=80, f32>
  tile.return
}
