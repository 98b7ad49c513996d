// RUN: napkinc %s --verify | FileCheck %s
// REQUIRES: napkinc

// Results that are arguments, or returned twice, are written each; names that
// PTX cannot spell are changed; two diagrams share one manifest.

// CHECK: kernel a_b
// CHECK: result result0: max error 0,
// CHECK: result result1: max error 0,
// CHECK: result first
// CHECK: result second
// CHECK: verified
ncd.diagram @"a b"(%x: !ncd.array<n=256, f32>) -> (!ncd.array<n=256, f32>, !ncd.array<n=256, f32>) {
  ncd.return %x, %x : !ncd.array<n=256, f32>, !ncd.array<n=256, f32>
}

ncd.diagram @a_b(%x: !ncd.array<n=256, f32>)
    -> (!ncd.array<n=256, f32> {ncd.name = "first"}, !ncd.array<n=256, f32> {ncd.name = "second"}) {
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %r = arith.addf %e, %e : f32
    ncd.yield %r : f32
  } : !ncd.array<n=256, f32> -> !ncd.array<n=256, f32>
  ncd.return %y, %y : !ncd.array<n=256, f32>, !ncd.array<n=256, f32>
}
