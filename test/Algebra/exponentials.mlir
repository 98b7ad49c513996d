// RUN: napkin-opt --ncd-decompose --ncd-derive-stream %s | FileCheck %s

// Exponentials without a gauge: exact where a result shows it, exp2 of a product
// where all results are rounded to 16 bits.

!x = !ncd.array<q=64, x=512, f32>
!r = !ncd.array<q=64, f32>
!n = !ncd.array<q=64, bf16>

// CHECK-LABEL: ncd.diagram @wide
ncd.diagram @wide(%x: !x) -> !r {
  %r = ncd.kernel (%x1 = %x : !x) -> (!r)
      attributes {stream = #ncd.partition<x=64>} {
    %s = ncd.map %x1 {
    ^bb0(%u: f32):
      %cap = arith.constant 20.0 : f32
      %t = math.tanh %u : f32
      %v = arith.mulf %t, %cap : f32
      ncd.yield %v : f32
    } : !x -> !x
    %l = ncd.logsumexp %s over [x] : !x -> !r
    ncd.yield %l : !r
  }
  ncd.return %r : !r
}

// CHECK: step
// CHECK-NOT: math.exp2
// CHECK: math.exp %
// CHECK-NOT: math.exp2
// CHECK: merge

// CHECK-LABEL: ncd.diagram @narrow
ncd.diagram @narrow(%x: !x) -> !n {
  %r = ncd.kernel (%x1 = %x : !x) -> (!n)
      attributes {stream = #ncd.partition<x=64>} {
    %s = ncd.map %x1 {
    ^bb0(%u: f32):
      %cap = arith.constant 20.0 : f32
      %t = math.tanh %u : f32
      %v = arith.mulf %t, %cap : f32
      ncd.yield %v : f32
    } : !x -> !x
    %l = ncd.logsumexp %s over [x] : !x -> !r
    %o = ncd.map %l {
    ^bb0(%u: f32):
      %v = arith.truncf %u : f32 to bf16
      ncd.yield %v : bf16
    } : !r -> !n
    ncd.yield %o : !n
  }
  ncd.return %r : !n
}

// CHECK: step
// CHECK-NOT: math.exp %
// CHECK: math.exp2 %
// CHECK-NOT: math.exp %
// CHECK: merge

// What is left of a gauge at the end is no share of anything: exact.

// CHECK-LABEL: ncd.diagram @factor
ncd.diagram @factor(%x: !x) -> !r {
  %r = ncd.kernel (%x1 = %x : !x) -> (!r)
      attributes {stream = #ncd.partition<x=64>} {
    %m = ncd.reduce max %x1 over [x] : !x -> !r
    %e = ncd.map %x1, %m {
    ^bb0(%u: f32, %v: f32):
      %w = arith.subf %v, %u : f32
      %p = math.exp %w : f32
      ncd.yield %p : f32
    } : !x, !r -> !x
    %s = ncd.reduce sum %e over [x] : !x -> !r
    ncd.yield %s : !r
  }
  ncd.return %r : !r
}

// CHECK: finish
// CHECK-NOT: math.exp2
// CHECK: math.exp %
