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

!u = !ncd.array<q=64, f32>
!v = !ncd.array<q=64, x=512, f32>

// What is walked, in a kernel whose blocks have tiles of q.
// CHECK-LABEL: ncd.diagram @bounds
// CHECK: ncd.stream "x" from floor(first(q) - 255, 32) to [floor(first(q) + 1, 32), min(max(last(q) + 1, 100), 400)] ins(
ncd.diagram @bounds(%t: !v) -> !u {
  %r = ncd.kernel (%a = %t : !v) -> (!u) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" from floor(first(q) - 255, 32) to [floor(first(q)+1, 32), min(max(last(q) + 1, 100), 400)] ins(%a : !v) -> (!u) state(!u)
    init {
      %zero = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !u
      ncd.yield %zero : !u
    } step {
    ^bb0(%state: !u, %chunk: !v):
      ncd.yield %state : !u
    } merge {
    ^bb0(%left: !u, %right: !u):
      ncd.yield %left : !u
    } finish {
    ^bb0(%state: !u):
      ncd.yield %state : !u
    }
    ncd.yield %s : !u
  }
  ncd.return %r : !u
}

// CHECK-LABEL: ncd.diagram @bound_attributes
// CHECK-SAME: #ncd.bound<512>, #ncd.bound<-3>, #ncd.bound<last(q)>, #ncd.bound<first(q) + 1>
// CHECK-SAME: #ncd.bound<floor(first(q) - 255, 64)>, #ncd.bound<max(floor(last(q) + 9, 4), 8)>, #ncd.bound<min(100, 20)>, #ncd.bound<floor(last(q_m / 4) - 3, 8)>
ncd.diagram @bound_attributes() attributes {test.bounds = [#ncd.bound<512>, #ncd.bound<-3>, #ncd.bound<last(q)>, #ncd.bound<first(q) + 1>,
    #ncd.bound<floor(first(q) - 255, 64)>, #ncd.bound<max(floor(last(q) + 9, 4), 8)>, #ncd.bound<min(100, 20)>, #ncd.bound<floor(last(q_m / 4) - 3, 8)>]} {
  ncd.return
}
