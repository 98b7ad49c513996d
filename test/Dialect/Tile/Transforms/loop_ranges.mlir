// RUN: %python %S/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: range(m // 64 * 64 + 64)" | FileCheck %s
// RUN: napkin-opt %s --pass-pipeline='builtin.module(tile.kernel(tile-assign-layouts,tile-make-rings))' | FileCheck --check-prefix=RINGS %s
// REQUIRES: napkinc

// Ranges after each other whose bounds depend on the block: the first has no trip in block 0, the
// last none anywhere. All go through the same rings, on which trips are counted on.
// CHECK: right
// RINGS-COUNT-2: tile.ring :
// RINGS-NOT: tile.ring :
// RINGS: %[[FIRST:.*]]:2 = tile.loop {{.*}} trip
// RINGS: %[[SECOND:.*]]:2 = tile.loop {{.*}} trip %{{.*}} = %[[FIRST]]#1 iter_args(%{{.*}} = %[[FIRST]]#0)
// RINGS: tile.loop {{.*}} trip %{{.*}} = %[[SECOND]]#1 iter_args(%{{.*}} = %[[SECOND]]#0)
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
  %c64 = arith.constant 64 : index
  %end = arith.addi %m, %c64 : index
  %first = tile.loop %i = %c0 to %m step %c32 iter_args(%acc = %zero) -> (!c) slots 3 {
    %va = tile.view %x [m = %m : 64, k = %i : 32] : !ncd.array<m=192, k=256, f16>
    %vb = tile.view %y [k = %i : 32, n : 64] : !ncd.array<k=256, n=64, f16>
    %a = tile.load %va : !tile.view<m=64, k=32, f16> -> !a
    %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %second = tile.loop %i = %m to %end step %c32 iter_args(%acc = %first) -> (!c) slots 3 {
    %va = tile.view %x [m = %m : 64, k = %i : 32] : !ncd.array<m=192, k=256, f16>
    %vb = tile.view %y [k = %i : 32, n : 64] : !ncd.array<k=256, n=64, f16>
    %a = tile.load %va : !tile.view<m=64, k=32, f16> -> !a
    %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %third = tile.loop %i = %end to %m step %c32 iter_args(%acc = %second) -> (!c) slots 3 {
    %va = tile.view %x [m = %m : 64, k = %i : 32] : !ncd.array<m=192, k=256, f16>
    %vb = tile.view %y [k = %i : 32, n : 64] : !ncd.array<k=256, n=64, f16>
    %a = tile.load %va : !tile.view<m=64, k=32, f16> -> !a
    %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %to = tile.view %z [m = %m : 64, n : 64] : !ncd.array<m=192, n=64, f32>
  tile.store %third, %to : !c, !tile.view<m=64, n=64, f32>
  tile.return
}
