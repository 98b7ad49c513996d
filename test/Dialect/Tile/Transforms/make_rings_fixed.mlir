// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-assign-layouts,tile-make-rings))' %s | FileCheck %s
// RUN: %python %S/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: list(range(32)) * 5" | FileCheck %s --check-prefix=RIGHT
// REQUIRES: napkinc

// What a step loads from where it does not move to is copied once, ahead of the loop,
// and read in each step; what comes behind the loop reads the same slot.
// RIGHT: right
// CHECK-LABEL: tile.kernel @product
// CHECK-COUNT-2: = tile.ring : !tile.ring<1 x
// CHECK-NOT: = tile.ring
// CHECK: tile.copy
// CHECK: tile.copy
// CHECK: %[[A:.*]] = tile.await
// CHECK: %[[B:.*]] = tile.await
// CHECK: tile.loop
// CHECK-NOT: tile.copy
// CHECK-DAG: tile.read %[[A]]
// CHECK-DAG: tile.read %[[B]]
// CHECK: tile.mma
// CHECK: tile.next
// CHECK-NOT: tile.copy
// CHECK-DAG: tile.read %[[A]]
// CHECK-DAG: tile.read %[[B]]
// CHECK: tile.release %[[A]], %[[B]]
// CHECK: tile.mma
// CHECK: tile.store
!a = !tile.tile<m=64, k=32, f16>
!b = !tile.tile<k=32, n=64, f16>
!c = !tile.tile<m=64, n=64, f32>
tile.kernel @product(%x: !ncd.array<m=64, k=32, f16>, %y: !ncd.array<k=32, n=64, f16>, %z: !ncd.array<m=64, n=64, f32>)
    grid [m = %m : 64 of 64] warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %sum = tile.loop %i = %c0 to %c4 step %c1 iter_args(%acc = %zero) -> (!c) {
    %va = tile.view %x [m = %m : 64, k : 32] : !ncd.array<m=64, k=32, f16>
    %vb = tile.view %y [k : 32, n : 64] : !ncd.array<k=32, n=64, f16>
    %a = tile.load %va : !tile.view<m=64, k=32, f16> -> !a
    %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %va = tile.view %x [m = %m : 64, k : 32] : !ncd.array<m=64, k=32, f16>
  %vb = tile.view %y [k : 32, n : 64] : !ncd.array<k=32, n=64, f16>
  %a = tile.load %va : !tile.view<m=64, k=32, f16> -> !a
  %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
  %all = tile.mma %a, %b, %sum by "mma.m16n8k16.f16" : !a, !b, !c
  %to = tile.view %z [m = %m : 64, n : 64] : !ncd.array<m=64, n=64, f32>
  tile.store %all, %to : !c, !tile.view<m=64, n=64, f32>
  tile.return
}
