// RUN: %python %S/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: range(256)" | FileCheck %s
// REQUIRES: napkinc

// A product that the loop carries: it is waited for on the next trip. Where products are synchronous
// it is done at once.
// CHECK: right
!a = !tile.tile<m=64, k=32, f16>
!b = !tile.tile<k=32, n=64, f16>
!c = !tile.tile<m=64, n=64, f32>
tile.kernel @product(%x: !ncd.array<m=64, k=256, f16>, %y: !ncd.array<k=256, n=64, f16>, %z: !ncd.array<m=64, n=64, f32>)
    grid [m = %m : 64 of 64] warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c224 = arith.constant 224 : index
  %c256 = arith.constant 256 : index
  %va0 = tile.view %x [m = %m : 64, k : 32] : !ncd.array<m=64, k=256, f16>
  %vb0 = tile.view %y [k : 32, n : 64] : !ncd.array<k=256, n=64, f16>
  %a0 = tile.load %va0 : !tile.view<m=64, k=32, f16> -> !a
  %b0 = tile.load %vb0 : !tile.view<k=32, n=64, f16> -> !b
  %first = tile.mma.start %a0, %b0, %zero by "mma.m16n8k16.f16" : !a, !b, !c
  %last = tile.loop %i = %c32 to %c256 step %c32 iter_args(%p = %first) -> (!tile.pending<!c>) slots 2 {
    %va = tile.view %x [m = %m : 64, k = %i : 32] : !ncd.array<m=64, k=256, f16>
    %vb = tile.view %y [k = %i : 32, n : 64] : !ncd.array<k=256, n=64, f16>
    %a = tile.load %va : !tile.view<m=64, k=32, f16> -> !a
    %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
    %acc = tile.mma.wait %p : !tile.pending<!c>
    %next = tile.mma.start %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !tile.pending<!c>
  }
  %sum = tile.mma.wait %last : !tile.pending<!c>
  %to = tile.view %z [m = %m : 64, n : 64] : !ncd.array<m=64, n=64, f32>
  tile.store %sum, %to : !c, !tile.view<m=64, n=64, f32>
  tile.return
}
