// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-assign-layouts,tile-make-rings))' %s | FileCheck %s
// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-assign-layouts,tile-make-rings,tile-expand-loops))' %s | FileCheck %s --check-prefix=STEPS
// RUN: %python %S/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: range(256)" | FileCheck %s --check-prefix=RIGHT
// REQUIRES: napkinc

// One slot for each factor of two products: while one multiplies, the other's factors
// arrive. Those of the second product are filled behind the wait for the first, those
// of the first, for the next trip, behind the wait for the second. Both waits come
// after the last read of what is filled behind them, so no further barrier is needed.
// RIGHT: right
// CHECK-LABEL: tile.kernel @product
// CHECK: tile.loop
// CHECK: %[[A1:.*]] = tile.await %[[R1:[^,]*]],
// CHECK: %[[B1:.*]] = tile.await
// CHECK: %[[F2:.*]] = tile.acquire %[[R2:[^,]*]], %{{[^ ]*}} :
// CHECK: tile.publish %[[F2]], 
// CHECK: tile.mma
// CHECK: tile.release %[[A1]], %[[B1]]
// CHECK: tile.await %[[R2]],
// CHECK: tile.await
// CHECK: %[[F1:.*]] = tile.acquire %[[R1]], %{{.*}} ahead 1
// CHECK: tile.publish %[[F1]], 
// CHECK: tile.mma
// CHECK: tile.next

// STEPS: tile.close_group
// STEPS: scf.for
// STEPS: tile.wait_groups 0
// STEPS-NEXT: tile.barrier
// STEPS: tile.close_group
// STEPS: tile.mma
// STEPS: tile.wait_groups 0
// STEPS-NEXT: tile.barrier
// STEPS: tile.close_group
// STEPS-NOT: tile.barrier
// STEPS: scf.yield
!a = !tile.tile<m=64, k=16, f16>
!b = !tile.tile<k=16, n=64, f16>
!c = !tile.tile<m=64, n=64, f32>
tile.kernel @product(%x: !ncd.array<m=64, k=256, f16>, %y: !ncd.array<k=256, n=64, f16>, %z: !ncd.array<m=64, n=64, f32>)
    grid [m = %m : 64 of 64] warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %c0 = arith.constant 0 : index
  %c16 = arith.constant 16 : index
  %c32 = arith.constant 32 : index
  %c256 = arith.constant 256 : index
  %sum = tile.loop %i = %c0 to %c256 step %c32 iter_args(%acc = %zero) -> (!c) slots 1 {
    %j = arith.addi %i, %c16 : index
    %va1 = tile.view %x [m = %m : 64, k = %i : 16] : !ncd.array<m=64, k=256, f16>
    %vb1 = tile.view %y [k = %i : 16, n : 64] : !ncd.array<k=256, n=64, f16>
    %va2 = tile.view %x [m = %m : 64, k = %j : 16] : !ncd.array<m=64, k=256, f16>
    %vb2 = tile.view %y [k = %j : 16, n : 64] : !ncd.array<k=256, n=64, f16>
    %a1 = tile.load %va1 : !tile.view<m=64, k=16, f16> -> !a
    %b1 = tile.load %vb1 : !tile.view<k=16, n=64, f16> -> !b
    %a2 = tile.load %va2 : !tile.view<m=64, k=16, f16> -> !a
    %b2 = tile.load %vb2 : !tile.view<k=16, n=64, f16> -> !b
    %half = tile.mma %a1, %b1, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    %next = tile.mma %a2, %b2, %half by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %to = tile.view %z [m = %m : 64, n : 64] : !ncd.array<m=64, n=64, f32>
  tile.store %sum, %to : !c, !tile.view<m=64, n=64, f32>
  tile.return
}
