// RUN: %python %S/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: range(m // 64 * 128, 256 - m // 64 * 64)" | FileCheck %s
// REQUIRES: napkinc

// Bounds that depend on the block: from 32 times its number to the end of its own rows,
// so the first of the three blocks has trips where the third has fewer; one has none.
// CHECK: right
!a = !tile.tile<m=64, k=32, f16>
!b = !tile.tile<k=32, n=64, f16>
!c = !tile.tile<m=64, n=64, f32>
tile.kernel @product(%x: !ncd.array<m=192, k=256, f16>, %y: !ncd.array<k=256, n=64, f16>, %z: !ncd.array<m=192, n=64, f32>)
    grid [m = %m : 64 of 192] warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c96 = arith.constant 96 : index
  %c128 = arith.constant 128 : index
  %low = arith.addi %m, %m : index
  %high = arith.constant 256 : index
  %last = arith.subi %high, %m : index
  %sum = tile.loop %i = %low to %last step %c32 iter_args(%acc = %zero) -> (!c) slots 3 {
    %va = tile.view %x [m = %m : 64, k = %i : 32] : !ncd.array<m=192, k=256, f16>
    %vb = tile.view %y [k = %i : 32, n : 64] : !ncd.array<k=256, n=64, f16>
    %a = tile.load %va : !tile.view<m=64, k=32, f16> -> !a
    %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %to = tile.view %z [m = %m : 64, n : 64] : !ncd.array<m=192, n=64, f32>
  tile.store %sum, %to : !c, !tile.view<m=64, n=64, f32>
  tile.return
}
