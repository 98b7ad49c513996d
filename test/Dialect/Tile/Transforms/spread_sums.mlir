// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-spread-sums))' %s | FileCheck %s
// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-spread-sums,tile-assign-layouts))' %s | FileCheck %s --check-prefix=LAYOUT

!x = !ncd.array<m=16, k=256, f32>
!t = !tile.tile<m=16, k=32, f32>
!r = !tile.tile<m=16, f32>

// The loop carries the sum in four parts, scales and adds to all of them, and what
// comes behind it gets the whole.
// CHECK-LABEL: tile.kernel @scaled
// CHECK: } : () -> !tile.tile<m=16, k=4, f32>
// CHECK-NEXT: %[[END:[^ :]*]]:2 = tile.loop
// CHECK-SAME: iter_args(%[[SUM:[^ ]*]] = %{{[^ ,]*}}, %{{[^ ]*}} = %{{[^ )]*}}) -> (!tile.tile<m=16, k=4, f32>, !tile.tile<m=16, f32>)
// CHECK: math.exp2
// CHECK: %[[ADDED:[^ ]*]] = tile.reduce
// CHECK-NEXT: bb0
// CHECK-NEXT: arith.addf
// CHECK-NEXT: tile.yield
// CHECK-NEXT: !tile.tile<m=16, k=32, f32> -> !tile.tile<m=16, k=4, f32>
// CHECK: tile.map %[[SUM]], %{{[^ ]*}}, %[[ADDED]] {
// CHECK: (!tile.tile<m=16, k=4, f32>, !tile.tile<m=16, f32>, !tile.tile<m=16, k=4, f32>) -> !tile.tile<m=16, k=4, f32>
// CHECK: %[[WHOLE:.*]] = tile.reduce %[[END]]#0 over "k"
// CHECK: !tile.tile<m=16, k=4, f32> -> !tile.tile<m=16, f32>
// CHECK: tile.map %[[WHOLE]], %[[END]]#1

// The greatest so far, which is no sum, stays as it is.

// LAYOUT-LABEL: tile.kernel @scaled
// LAYOUT: tile.return
tile.kernel @scaled(%x: !x, %o: !ncd.array<m=16, f32>) grid [] warps 1 outputs 1 attributes {parts = 4 : i32} {
  %zeros = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !r
  %least = tile.map {
    %c = arith.constant 0xFF800000 : f32
    tile.yield %c : f32
  } : () -> !r
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c256 = arith.constant 256 : index
  %end:2 = tile.loop %i = %c0 to %c256 step %c32 iter_args(%sum = %zeros, %most = %least) -> (!r, !r) slots 1 {
    %v = tile.view %x [m : 16, k = %i : 32] : !x
    %t = tile.load %v : !tile.view<m=16, k=32, f32> -> !t
    %greatest = tile.reduce %t over "k" {
    ^bb0(%a: f32, %b: f32):
      %c = arith.maximumf %a, %b : f32
      tile.yield %c : f32
    } : !t -> !r
    %next = tile.map %most, %greatest {
    ^bb0(%a: f32, %b: f32):
      %c = arith.maximumf %a, %b : f32
      tile.yield %c : f32
    } : (!r, !r) -> !r
    %factor = tile.map %most, %next {
    ^bb0(%a: f32, %b: f32):
      %c = arith.subf %a, %b : f32
      %d = math.exp2 %c : f32
      tile.yield %d : f32
    } : (!r, !r) -> !r
    %added = tile.reduce %t over "k" {
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tile.yield %c : f32
    } : !t -> !r
    %total = tile.map %sum, %factor, %added {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %d = arith.mulf %a, %b : f32
      %e = arith.addf %d, %c : f32
      tile.yield %e : f32
    } : (!r, !r, !r) -> !r
    tile.next %total, %next : !r, !r
  }
  %out = tile.map %end#0, %end#1 {
  ^bb0(%a: f32, %b: f32):
    %c = arith.divf %a, %b : f32
    tile.yield %c : f32
  } : (!r, !r) -> !r
  %vo = tile.view %o [m : 16] : !ncd.array<m=16, f32>
  tile.store %out, %vo : !r, !tile.view<m=16, f32>
  tile.return
}

// A step that asks more of the sum than to be scaled and added to needs it whole.
// CHECK-LABEL: tile.kernel @asked
// CHECK-NOT: k=4
// CHECK: tile.return
tile.kernel @asked(%x: !x, %o: !ncd.array<m=16, f32>) grid [] warps 1 outputs 1 attributes {parts = 4 : i32} {
  %zeros = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !r
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c256 = arith.constant 256 : index
  %end = tile.loop %i = %c0 to %c256 step %c32 iter_args(%sum = %zeros) -> (!r) slots 1 {
    %v = tile.view %x [m : 16, k = %i : 32] : !x
    %t = tile.load %v : !tile.view<m=16, k=32, f32> -> !t
    %added = tile.reduce %t over "k" {
    ^bb0(%a: f32, %b: f32):
      %c = arith.addf %a, %b : f32
      tile.yield %c : f32
    } : !t -> !r
    %total = tile.map %sum, %added {
    ^bb0(%a: f32, %b: f32):
      %c = arith.mulf %a, %a : f32
      %d = arith.addf %c, %b : f32
      tile.yield %d : f32
    } : (!r, !r) -> !r
    tile.next %total : !r
  }
  %vo = tile.view %o [m : 16] : !ncd.array<m=16, f32>
  tile.store %end, %vo : !r, !tile.view<m=16, f32>
  tile.return
}
