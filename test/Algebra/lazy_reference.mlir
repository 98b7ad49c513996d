// RUN: napkin-opt --ncd-decompose --ncd-derive-stream --split-input-file %s | FileCheck %s

// A lazy reference moves only where an element of the chunk passes it by more
// than 8 powers of two: the sums are brought to the new one there, and are not
// corrected elsewhere.

!x = !ncd.array<q=64, x=512, f32>
!v = !ncd.array<x=512, d=32, f32>
!o = !ncd.array<q=64, d=32, f32>

// CHECK-LABEL: ncd.diagram @lazy
ncd.diagram @lazy(%x: !x, %v: !v) -> !o {
  %r = ncd.kernel (%x1 = %x, %v1 = %v : !x, !v) -> (!o)
      attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=64>, lazy} {
    %p = ncd.softmax %x1 over [x] : !x -> !x
    %o = ncd.contract %p, %v1 over [x] : !x, !v -> !o
    ncd.yield %o : !o
  }
  ncd.return %r : !o
}

// CHECK: step
// CHECK-NEXT: ^bb0(%[[M:.*]]: {{.*}}, %[[L:.*]]: {{.*}}, %[[O:.*]]: {{.*}}, %[[X:.*]]: {{.*}}, %[[V:.*]]: !ncd.array<x=512, d=32, f32>):
// 8 / log2(e)
// CHECK-NEXT: %[[BOUND:.*]] = ncd.map %[[M]] {
// CHECK: arith.constant 5.54517
// CHECK-NEXT: arith.addf
// CHECK: %[[PASSES:.*]] = ncd.map %[[X]], %[[BOUND]] {
// CHECK: arith.cmpf ogt
// CHECK: %[[NEW:.*]]:3 = ncd.when %[[PASSES]] : {{.*}} otherwise(%[[M]], %[[L]], %[[O]] :
// CHECK-NEXT: %[[MAX:.*]] = ncd.reduce max %[[X]] over [x]
// CHECK-NEXT: %[[REF:.*]] = ncd.map %[[M]], %[[MAX]]
// CHECK: arith.maximumf
// CHECK: %[[BY:.*]] = ncd.map %[[M]], %[[REF]]
// CHECK: math.exp2
// CHECK: %[[L1:.*]] = ncd.map %[[L]], %[[BY]]
// CHECK: %[[O1:.*]] = ncd.map %[[O]], %[[BY]]
// CHECK: ncd.yield %[[REF]], %[[L1]], %[[O1]]
// CHECK: %[[ROW:.*]] = ncd.map %[[NEW]]#0
// CHECK: %[[E:.*]] = ncd.map %[[X]], %[[ROW]]
// CHECK: %[[S:.*]] = ncd.reduce sum %[[E]] over [x]
// CHECK: ncd.map %[[NEW]]#1, %[[S]]
// CHECK: %[[P:.*]] = ncd.contract %[[E]], %[[V]] over [x]
// CHECK: ncd.map %[[NEW]]#2, %[[P]]
// CHECK: merge

// -----

// Scores that are sums of products start from the reference; the region computes
// them anew.

!q = !ncd.array<q=64, d=16, f32>
!k = !ncd.array<x=512, d=16, f32>
!s = !ncd.array<q=64, x=512, f32>

// CHECK-LABEL: ncd.diagram @scores
ncd.diagram @scores(%q: !q, %k: !k, %v: !k) -> !q {
  %r = ncd.kernel (%q1 = %q, %k1 = %k, %v1 = %v : !q, !k, !k) -> (!q)
      attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=64>, lazy} {
    %s = ncd.contract %q1, %k1 over [d] : !q, !k -> !s
    %p = ncd.softmax %s over [x] : !s -> !s
    %o = ncd.contract %p, %v1 over [x] : !s, !k -> !q
    ncd.yield %o : !q
  }
  ncd.return %r : !q
}

// CHECK: step
// CHECK-NEXT: ^bb0(%[[M:.*]]: {{.*}}, %[[L:.*]]: {{.*}}, %[[O:.*]]: {{.*}}, %[[K:.*]]: {{.*}}, %[[V:.*]]: !ncd.array<x=512, d=16, f32>):
// CHECK: %[[S:.*]] = ncd.contract %[[Q:.*]], %[[K]] over [d]
// CHECK: %[[MINUS:.*]] = ncd.map %[[M]]
// CHECK: arith.negf
// CHECK: %[[D:.*]] = ncd.map %[[MINUS]], %[[S]] {
// CHECK: arith.addf
// CHECK: %[[LIMIT:.*]] = ncd.map %[[M]]
// CHECK: %[[PASSES:.*]] = ncd.map %[[D]], %[[LIMIT]] {
// CHECK: arith.cmpf ogt
// CHECK: %[[NEW:.*]]:4 = ncd.when %[[PASSES]] : {{.*}} otherwise(%[[M]], %[[L]], %[[O]], %[[D]] :
// CHECK: ncd.contract %[[Q]], %[[K]] over [d]
// CHECK: arith.subf
// CHECK: ncd.yield
// CHECK: ncd.map %[[NEW]]#3 {
// CHECK-NOT: arith.subf
// CHECK: math.exp2
// CHECK: merge

// -----

// Where the maximum itself is asked for, it is taken in every step.

!x = !ncd.array<q=64, x=512, f32>
!r = !ncd.array<q=64, f32>

// CHECK-LABEL: ncd.diagram @maximum
// CHECK: ncd.stream
// CHECK-NOT: ncd.when
ncd.diagram @maximum(%x: !x) -> (!r, !r) {
  %m, %l = ncd.kernel (%x1 = %x : !x) -> (!r, !r)
      attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=64>, lazy} {
    %m = ncd.reduce max %x1 over [x] : !x -> !r
    %e = ncd.map %x1, %m {
    ^bb0(%a: f32, %b: f32):
      %d = arith.subf %a, %b : f32
      %v = math.exp %d : f32
      ncd.yield %v : f32
    } : !x, !r -> !x
    %l = ncd.reduce sum %e over [x] : !x -> !r
    ncd.yield %m, %l : !r, !r
  }
  ncd.return %m, %l : !r, !r
}

// -----

// The sum alone depends on the maximum as well: it is exp(-max) times a sum.

!x = !ncd.array<q=64, x=512, f32>
!r = !ncd.array<q=64, f32>

// CHECK-LABEL: ncd.diagram @sum_of_exponentials
// CHECK: ncd.stream
// CHECK-NOT: ncd.when
ncd.diagram @sum_of_exponentials(%x: !x) -> !r {
  %l = ncd.kernel (%x1 = %x : !x) -> (!r)
      attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=64>, lazy} {
    %m = ncd.reduce max %x1 over [x] : !x -> !r
    %e = ncd.map %x1, %m {
    ^bb0(%a: f32, %b: f32):
      %d = arith.subf %a, %b : f32
      %v = math.exp %d : f32
      ncd.yield %v : f32
    } : !x, !r -> !x
    %l = ncd.reduce sum %e over [x] : !x -> !r
    ncd.yield %l : !r
  }
  ncd.return %l : !r
}

// -----

// Differences that are taken from the maximum itself need it where it is.

!x = !ncd.array<q=64, x=512, f32>
!v = !ncd.array<x=512, f32>
!r = !ncd.array<q=64, f32>

// CHECK-LABEL: ncd.diagram @covariance
// CHECK: a4 = sum_x (exp(t)*(w*(t-ref))); gauge exp(-a0); shift a0
// CHECK-NOT: ncd.when
ncd.diagram @covariance(%t: !x, %w: !v) -> !r {
  %r = ncd.kernel (%t1 = %t, %w1 = %w : !x, !v) -> (!r)
      attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=64>, lazy} {
    %p = ncd.softmax %t1 over [x] : !x -> !x
    %a = ncd.map %p, %t1 {
    ^bb0(%u: f32, %v: f32):
      %h = arith.mulf %v, %u : f32
      ncd.yield %h : f32
    } : !x, !x -> !x
    %m = ncd.reduce sum %a over [x] : !x -> !r
    %d = ncd.map %p, %t1, %m, %w1 {
    ^bb0(%u: f32, %v: f32, %n: f32, %z: f32):
      %y = arith.subf %v, %n : f32
      %h = arith.mulf %y, %u : f32
      %g = arith.mulf %h, %z : f32
      ncd.yield %g : f32
    } : !x, !x, !r, !v -> !x
    %o = ncd.reduce sum %d over [x] : !x -> !r
    ncd.yield %o : !r
  }
  ncd.return %r : !r
}
