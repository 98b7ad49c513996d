// RUN: napkin-opt --ncd-lower-to-tile %s | FileCheck %s

// 40 positions in chunks of 16: two whole chunks in the loop, the last one
// behind it, with what is computed past the end replaced by the fold's identity.
// CHECK-LABEL: tile.kernel @sums
// The place in the grid is an argument; every transfer goes through a view.
// CHECK-SAME: grid [a = %[[A:.*]] : 32 of 32] warps 4 outputs 1
// CHECK: tile.loop %[[K:.*]] = %c0 to %c32 step %c16 {{.*}} slots 2
// CHECK:   tile.view %{{.*}} [a = %[[A]] : 32, k = %[[K]] : 16]
// CHECK:   tile.load
// CHECK-NOT: tile.index
// CHECK:   tile.next
// CHECK: tile.view %{{.*}} [a = %[[A]] : 32, k = %c32{{.*}} : 16]
// CHECK: tile.load
// CHECK: tile.map %{{.*}} at [k = %c32{{.*}}]
// CHECK:   tile.index "k"
// CHECK:   arith.cmpi slt, {{.*}}, %c40
// CHECK:   arith.select
// CHECK: tile.reduce {{.*}} over "k"
!x = !ncd.array<a=32, k=40, f32>
!s = !ncd.array<a=32, f32>
ncd.diagram @sums(%x: !x) -> !s {
  %r = ncd.kernel (%i = %x : !x) -> (!s) attributes {group = #ncd.partition<a=32>, stream = #ncd.partition<k=16>, order = ["a"], warps = 4 : i32, stages = 2 : i32} {
    %t = ncd.stream "k" ins(%i : !x) -> (!s) state(!s)
    init {
      %z = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !s
      ncd.yield %z : !s
    } step {
    ^bb0(%old: !s, %c: !x):
      %p = ncd.reduce sum %c over [k] : !x -> !s
      %n = ncd.map %old, %p {
      ^bb0(%u: f32, %v: f32):
        %w = arith.addf %u, %v : f32
        ncd.yield %w : f32
      } : !s, !s -> !s
      ncd.yield %n : !s
    } merge {
    ^bb0(%u0: !s, %v0: !s):
      %n = ncd.map %u0, %v0 {
      ^bb0(%u: f32, %v: f32):
        %w = arith.addf %u, %v : f32
        ncd.yield %w : f32
      } : !s, !s -> !s
      ncd.yield %n : !s
    } finish {
    ^bb0(%f: !s):
      ncd.yield %f : !s
    }
    ncd.yield %t : !s
  }
  ncd.return %r : !s
}
