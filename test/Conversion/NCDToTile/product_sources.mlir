// RUN: napkin-opt %s --ncd-choose-instructions --ncd-lower-to-tile | FileCheck %s
// RUN: napkinc %s --verify | FileCheck %s --check-prefix=RIGHT
// REQUIRES: napkinc

// Rows that stay in registers are loaded ahead of the loop; those that a step reads
// again are loaded in it, and copied once.
!a = !ncd.array<m=256, k=64, bf16>
!b = !ncd.array<k=64, n=256, bf16>
!c = !ncd.array<m=256, n=256, f32>

// RIGHT: read [[READ:[0-9]+]] [[READ]] [[READ]]
// CHECK-LABEL: tile.kernel @kept
// CHECK: tile.load {{.*}} -> !tile.tile<m=64, k=64, bf16>
// CHECK: tile.loop
// CHECK-NOT: -> !tile.tile<m=64, k=64, bf16>
// CHECK: tile.load {{.*}} -> !tile.tile<k=64, n=32, bf16>
// CHECK: tile.mma
ncd.diagram @kept(%a: !a, %b: !b) -> !ncd.array<m=256, f32> {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!ncd.array<m=256, f32>) attributes {group = #ncd.partition<m=64>, stream = #ncd.partition<n=32>, warps = 4 : i32, entry = "kept"} {
    %s = ncd.stream "n" ins(%b : !b) -> (!ncd.array<m=256, f32>) state(!ncd.array<m=256, f32>) init {
      %z = ncd.map {
        %zero = arith.constant 0.0 : f32
        ncd.yield %zero : f32
      } : -> !ncd.array<m=256, f32>
      ncd.yield %z : !ncd.array<m=256, f32>
    } step {
    ^bb0(%t: !ncd.array<m=256, f32>, %b0: !b):
      %c = ncd.contract %a, %b0 over [k] : !a, !b -> !c
      %r = ncd.reduce sum %c over [n] : !c -> !ncd.array<m=256, f32>
      %u = ncd.map %t, %r {
      ^bb0(%x: f32, %y: f32):
        %v = arith.addf %x, %y : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } merge {
    ^bb0(%x: !ncd.array<m=256, f32>, %y: !ncd.array<m=256, f32>):
      %u = ncd.map %x, %y {
      ^bb0(%l: f32, %r: f32):
        %v = arith.addf %l, %r : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } finish {
    ^bb0(%t: !ncd.array<m=256, f32>):
      ncd.yield %t : !ncd.array<m=256, f32>
    }
    ncd.yield %s : !ncd.array<m=256, f32>
  }
  ncd.return %o : !ncd.array<m=256, f32>
}

// RIGHT: read [[READ:[0-9]+]] [[READ]] [[READ]]
// RIGHT: verified
// CHECK-LABEL: tile.kernel @again
// CHECK-NOT: tile.load
// CHECK: tile.loop
// CHECK: tile.load {{.*}} -> !tile.tile<m=64, k=64, bf16>
// CHECK: tile.load {{.*}} -> !tile.tile<k=64, n=32, bf16>
// CHECK: tile.mma
ncd.diagram @again(%a: !a, %b: !b) -> !ncd.array<m=256, f32> {
  %o = ncd.kernel (%a = %a, %b = %b : !a, !b) -> (!ncd.array<m=256, f32>) attributes {group = #ncd.partition<m=64>, stream = #ncd.partition<n=32>, warps = 4 : i32, entry = "again", reread = array<i32: 0>} {
    %s = ncd.stream "n" ins(%b : !b) -> (!ncd.array<m=256, f32>) state(!ncd.array<m=256, f32>) init {
      %z = ncd.map {
        %zero = arith.constant 0.0 : f32
        ncd.yield %zero : f32
      } : -> !ncd.array<m=256, f32>
      ncd.yield %z : !ncd.array<m=256, f32>
    } step {
    ^bb0(%t: !ncd.array<m=256, f32>, %b0: !b):
      %c = ncd.contract %a, %b0 over [k] : !a, !b -> !c
      %r = ncd.reduce sum %c over [n] : !c -> !ncd.array<m=256, f32>
      %u = ncd.map %t, %r {
      ^bb0(%x: f32, %y: f32):
        %v = arith.addf %x, %y : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } merge {
    ^bb0(%x: !ncd.array<m=256, f32>, %y: !ncd.array<m=256, f32>):
      %u = ncd.map %x, %y {
      ^bb0(%l: f32, %r: f32):
        %v = arith.addf %l, %r : f32
        ncd.yield %v : f32
      } : !ncd.array<m=256, f32>, !ncd.array<m=256, f32> -> !ncd.array<m=256, f32>
      ncd.yield %u : !ncd.array<m=256, f32>
    } finish {
    ^bb0(%t: !ncd.array<m=256, f32>):
      ncd.yield %t : !ncd.array<m=256, f32>
    }
    ncd.yield %s : !ncd.array<m=256, f32>
  }
  ncd.return %o : !ncd.array<m=256, f32>
}
