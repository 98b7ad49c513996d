// RUN: %python %S/../Dialect/Tile/Transforms/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: range(100)" | FileCheck %s
// REQUIRES: napkinc

// The summed axis may be looked up as well, as the keys of a cache in pages are: position k is row p[k] of y. The last
// chunk is not whole.
// CHECK: right
!a = !tile.tile<m=64, k=32, f16>
!b = !tile.tile<k=32, n=64, f16>
!c = !tile.tile<m=64, n=64, f32>
tile.kernel @product(%x: !ncd.array<m=64, k=100, f16>, %y: !ncd.array<k=500, n=64, f16>, %p: !ncd.array<k=100, i32>, %z: !ncd.array<m=64, n=64, f32>)
    grid [m = %m : 64 of 64] warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c100 = arith.constant 100 : index
  %sum = tile.loop %i = %c0 to %c100 step %c32 iter_args(%acc = %zero) -> (!c) slots 3 {
    %va = tile.view %x [m = %m : 64, k = %i : 32] : !ncd.array<m=64, k=100, f16>
    %vb = tile.view %y [k = %i : 32, n : 64] (k by %p) : !ncd.array<k=500, n=64, f16>, !ncd.array<k=100, i32>
    %a = tile.load %va : !tile.view<m=64, k=32, f16> -> !a
    %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %to = tile.view %z [m = %m : 64, n : 64] : !ncd.array<m=64, n=64, f32>
  tile.store %sum, %to : !c, !tile.view<m=64, n=64, f32>
  tile.return
}
