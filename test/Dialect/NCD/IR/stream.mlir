// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

!s = !ncd.array<q=8, f32>
!t = !ncd.array<q=8, x=64, f32>

// The sum of t * w over x: t comes in chunks, w is used from outside.
// CHECK-LABEL: ncd.diagram @sum
// CHECK: ncd.stream "x" ins(%t : !ncd.array<q=8, x=64, f32>) -> (!ncd.array<q=8, f32>) state(!ncd.array<q=8, f32>) gauges [{kind = "none"}]
// CHECK-NEXT: init {
// CHECK: } step {
// CHECK-NEXT: ^bb0(%[[S:.*]]: !ncd.array<q=8, f32>, %[[C:.*]]: !ncd.array<q=8, x=64, f32>):
// CHECK-NEXT: ncd.reduce sum %[[C]] over [x]
// CHECK: ncd.map %[[S]], %{{.*}}, %w
// CHECK: } merge {
// CHECK-NEXT: ^bb0(%{{.*}}: !ncd.array<q=8, f32>, %{{.*}}: !ncd.array<q=8, f32>):
// CHECK: } finish {
// CHECK-NEXT: ^bb0(%[[F:.*]]: !ncd.array<q=8, f32>):
// CHECK-NEXT: ncd.yield %[[F]]
ncd.diagram @sum(%t: !t, %w: !s) -> !s {
  %r = ncd.stream "x" ins(%t : !t) -> (!s) state(!s) gauges [{kind = "none"}]
  init {
    %zero = ncd.map {
      %c = arith.constant 0.0 : f32
      ncd.yield %c : f32
    } : -> !s
    ncd.yield %zero : !s
  } step {
  ^bb0(%state: !s, %chunk: !t):
    %p = ncd.reduce sum %chunk over [x] : !t -> !s
    %n = ncd.map %state, %p, %w {
    ^bb0(%a: f32, %b: f32, %c: f32):
      %m = arith.mulf %b, %c : f32
      %v = arith.addf %a, %m : f32
      ncd.yield %v : f32
    } : !s, !s, !s -> !s
    ncd.yield %n : !s
  } merge {
  ^bb0(%left: !s, %right: !s):
    %n = ncd.map %left, %right {
    ^bb0(%a: f32, %b: f32):
      %v = arith.addf %a, %b : f32
      ncd.yield %v : f32
    } : !s, !s -> !s
    ncd.yield %n : !s
  } finish {
  ^bb0(%state: !s):
    ncd.yield %state : !s
  }
  ncd.return %r : !s
}

// Nothing comes in, nothing is kept, nothing goes out.
// CHECK-LABEL: ncd.diagram @nothing
// CHECK: ncd.stream "x" ins() -> () state(){{$}}
ncd.diagram @nothing() {
  ncd.stream "x" ins() -> () state() init {
    ncd.yield
  } step {
    ncd.yield
  } merge {
    ncd.yield
  } finish {
    ncd.yield
  }
  ncd.return
}
