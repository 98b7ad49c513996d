// RUN: napkin-opt --ncd-decompose --ncd-derive-stream %s | FileCheck %s

// The running maximum is that of the raw scores: the scale sits in the
// exponent. Per element of the chunk there is one difference, one product, one
// exp2 and the rounding that the source declares; everything else is once per
// row. The difference comes first: k*s - k*max would keep a rounding of k*max.

!q = !ncd.array<h=4, q=512, d=128, bf16>
!k = !ncd.array<h=4, x=512, d=128, bf16>
!s = !ncd.array<h=4, q=512, x=512, f32>
!p = !ncd.array<h=4, q=512, x=512, bf16>

// CHECK-LABEL: ncd.diagram @attention
ncd.diagram @attention(%q: !q, %k: !k, %v: !k) -> !q {
  %r = ncd.kernel (%q1 = %q, %k1 = %k, %v1 = %v : !q, !k, !k) -> (!q)
      attributes {group = #ncd.partition<h=1, q=128>, stream = #ncd.partition<x=64>} {
    %s = ncd.contract %q1, %k1 over [d] : !q, !k -> !s
    %t = ncd.map %s {
    ^bb0(%e: f32):
      %scale = arith.constant 0.08838834764 : f32
      %m = arith.mulf %e, %scale : f32
      ncd.yield %m : f32
    } : !s -> !s
    %p = ncd.softmax %t over [x] : !s -> !p
    %o = ncd.contract %p, %v1 over [x] : !p, !k -> !q
    ncd.yield %o : !q
  }
  ncd.return %r : !q
}

// CHECK: ncd.kernel (%[[Q:.*]] = %q, %[[K:.*]] = %k, %[[V:.*]] = %v :
// CHECK-NEXT: %[[O:.*]] = ncd.stream "x" ins(%[[K]], %[[V]] :
// CHECK-SAME: gauges ["a0 = max_x sum_d (q*k)", "a1 = sum_x exp((sum_d (q*k)*0.0883883)); gauge exp(-0.0883883*a0)", "a2 = sum_x (bf16(exp((sum_d (q*k)*0.0883883)))*v); gauge exp(-0.0883883*a0)"]
// CHECK: init
// CHECK: 0xFF800000
// CHECK: step
// CHECK-NEXT: ^bb0(%[[M:.*]]: {{.*}}, %[[L:.*]]: {{.*}}, %[[A:.*]]: {{.*}}, %[[KC:.*]]: {{.*}}, %[[VC:.*]]: !ncd.array<h=4, x=512, d=128, bf16>):
// CHECK-NEXT: %[[S:.*]] = ncd.contract %[[Q]], %[[KC]] over [d]
// CHECK-NEXT: %[[MC:.*]] = ncd.reduce max %[[S]] over [x]
// CHECK-NEXT: %[[MN:.*]] = ncd.map %[[M]], %[[MC]]
// CHECK: arith.maximumf
// CHECK: %[[ROW:.*]] = ncd.map %[[MN]]
// CHECK: arith.constant 0xFF800000
// CHECK: arith.cmpf oeq
// CHECK: arith.select
// CHECK-NEXT: ncd.yield
// CHECK: } : !ncd.array<h=4, q=512, f32> -> !ncd.array<h=4, q=512, f32>
// CHECK-NEXT: %[[E:.*]] = ncd.map %[[S]], %[[ROW]] {
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32, %[[Y:.*]]: f32):
// CHECK-NEXT: %[[D:.*]] = arith.subf %[[X]], %[[Y]] : f32
// CHECK-NEXT: %[[C:.*]] = arith.constant 0.127517
// CHECK-NEXT: %[[F:.*]] = arith.mulf %[[D]], %[[C]] : f32
// CHECK-NEXT: %[[P:.*]] = math.exp2 %[[F]] : f32
// CHECK-NEXT: ncd.yield %[[P]] : f32
// CHECK: %[[LC:.*]] = ncd.reduce sum %[[E]] over [x]
// CHECK-NEXT: %[[COR:.*]] = ncd.map %[[M]], %[[ROW]]
// CHECK: arith.subf
// CHECK-NEXT: arith.constant 0.127517
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: math.exp2
// CHECK: %[[LN:.*]] = ncd.map %[[L]], %[[COR]], %[[LC]]
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
// CHECK: %[[PB:.*]] = ncd.map %[[E]] {
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.truncf
// CHECK-NEXT: ncd.yield
// CHECK: %[[PV:.*]] = ncd.contract %[[PB]], %[[VC]] over [x] {{.*}} -> !ncd.array<h=4, q=512, d=128, f32>
// CHECK-NEXT: %[[AS:.*]] = ncd.map %[[A]], %[[COR]]
// CHECK: arith.mulf
// CHECK: %[[AN:.*]] = ncd.map %[[AS]], %[[PV]]
// CHECK: arith.addf
// CHECK: ncd.yield %[[MN]], %[[LN]], %[[AN]]
// CHECK: merge
// CHECK: arith.maximumf
// CHECK-COUNT-2: math.exp2
// CHECK-NOT: exp
// CHECK: finish
// CHECK-NEXT: ^bb0(%{{.*}}: {{.*}}, %[[FL:.*]]: {{.*}}, %[[FA:.*]]: !ncd.array<h=4, q=512, d=128, f32>):
// CHECK-NEXT: %[[INV:.*]] = ncd.map %[[FL]]
// CHECK: arith.cmpf oeq
// CHECK: arith.select
// CHECK: arith.divf
// CHECK: } : !ncd.array<h=4, q=512, f32> -> !ncd.array<h=4, q=512, f32>
// CHECK-NEXT: %[[R:.*]] = ncd.map %[[FA]], %[[INV]]
// CHECK: arith.mulf
// CHECK-NEXT: arith.truncf
// CHECK: ncd.yield %[[R]]
// CHECK: ncd.yield %[[O]]

// A mask stays a map on the raw scores, before the maximum; the branch that
// was not taken is -inf, whose exponential is exactly 0.

// CHECK-LABEL: ncd.diagram @causal
ncd.diagram @causal(%q: !q, %k: !k, %v: !k) -> !q {
  %r = ncd.kernel (%q1 = %q, %k1 = %k, %v1 = %v : !q, !k, !k) -> (!q)
      attributes {stream = #ncd.partition<x=64>} {
    %s = ncd.contract %q1, %k1 over [d] : !q, !k -> !s
    %t = ncd.map %s {
    ^bb0(%e: f32):
      %scale = arith.constant 0.08838834764 : f32
      %m = arith.mulf %e, %scale : f32
      %i = ncd.index "q" : index
      %j = ncd.index "x" : index
      %seen = arith.cmpi sle, %j, %i : index
      %none = arith.constant 0xFF800000 : f32
      %z = arith.select %seen, %m, %none : f32
      ncd.yield %z : f32
    } : !s -> !s
    %p = ncd.softmax %t over [x] : !s -> !p
    %o = ncd.contract %p, %v1 over [x] : !p, !k -> !q
    ncd.yield %o : !q
  }
  ncd.return %r : !q
}

// CHECK: step
// CHECK: %[[S:.*]] = ncd.contract
// CHECK-NEXT: %[[T:.*]] = ncd.map %[[S]] {
// CHECK-NEXT: ^bb0(%[[X:.*]]: f32):
// CHECK-NEXT: %[[XI:.*]] = ncd.index "x"
// CHECK-NEXT: %[[QI:.*]] = ncd.index "q"
// CHECK-NEXT: %[[SEEN:.*]] = arith.cmpi sle, %[[XI]], %[[QI]] : index
// CHECK-NEXT: %[[NONE:.*]] = arith.constant 0xFF800000
// CHECK-NEXT: arith.select %[[SEEN]], %[[X]], %[[NONE]]
// CHECK: ncd.reduce max %[[T]] over [x]
// CHECK: ncd.map %[[T]], %{{.*}} {
// CHECK: arith.subf
// CHECK-NEXT: arith.constant
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: math.exp2
// CHECK: finish

// A bias joins by one more fma, and the scale of the sum is the source's.

// CHECK-LABEL: ncd.diagram @bias
ncd.diagram @bias(%q: !q, %k: !k, %v: !k, %b: !s) -> !q {
  %r = ncd.kernel (%q1 = %q, %k1 = %k, %v1 = %v, %b1 = %b : !q, !k, !k, !s) -> (!q)
      attributes {stream = #ncd.partition<x=64>} {
    %s = ncd.contract %q1, %k1 over [d] : !q, !k -> !s
    %t = ncd.map %s, %b1 {
    ^bb0(%e: f32, %f: f32):
      %scale = arith.constant 0.08838834764 : f32
      %m = arith.mulf %e, %scale : f32
      %z = arith.addf %m, %f : f32
      ncd.yield %z : f32
    } : !s, !s -> !s
    %p = ncd.softmax %t over [x] : !s -> !p
    %o = ncd.contract %p, %v1 over [x] : !p, !k -> !q
    ncd.yield %o : !q
  }
  ncd.return %r : !q
}

// CHECK: step
// CHECK: %[[S:.*]] = ncd.contract
// CHECK-NEXT: %[[T:.*]] = ncd.map %[[S]], %{{.*}} {
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.constant 0.0883883
// CHECK-NEXT: math.fma
// CHECK-NEXT: ncd.yield
// CHECK: ncd.reduce max %[[T]] over [x]
// CHECK: finish

// Scores that a tanh bounds need no maximum: 30 in the exponent fits in f32.

// CHECK-LABEL: ncd.diagram @softcap
ncd.diagram @softcap(%q: !q, %k: !k, %v: !k) -> !q {
  %r = ncd.kernel (%q1 = %q, %k1 = %k, %v1 = %v : !q, !k, !k) -> (!q)
      attributes {stream = #ncd.partition<x=64>} {
    %s = ncd.contract %q1, %k1 over [d] : !q, !k -> !s
    %t = ncd.map %s {
    ^bb0(%e: f32):
      %scale = arith.constant 0.0029462 : f32
      %cap = arith.constant 30.0 : f32
      %m = arith.mulf %e, %scale : f32
      %u = math.tanh %m : f32
      %z = arith.mulf %u, %cap : f32
      ncd.yield %z : f32
    } : !s -> !s
    %p = ncd.softmax %t over [x] : !s -> !p
    %o = ncd.contract %p, %v1 over [x] : !p, !k -> !q
    ncd.yield %o : !q
  }
  ncd.return %r : !q
}

// CHECK: ncd.stream
// CHECK-SAME: gauges ["a0 = sum_x exp((math.tanh((sum_d (q*k)*0.0029462))*30))", "a1 = sum_x (bf16(exp((math.tanh((sum_d (q*k)*0.0029462))*30)))*v)"]
// CHECK: step
// CHECK-NOT: reduce max
// CHECK: math.tanh
// CHECK-NEXT: arith.constant 43.28
// CHECK-NEXT: arith.mulf
// CHECK-NEXT: math.exp2
// CHECK-NOT: exp2
// CHECK: finish

// Masked behind the exponential: the running maximum is that of the scores that
// are seen, whose exponential is 0 elsewhere, and v stays a factor by itself.

// CHECK-LABEL: ncd.diagram @behind
ncd.diagram @behind(%q: !q, %k: !k, %v: !k) -> !q {
  %r = ncd.kernel (%q1 = %q, %k1 = %k, %v1 = %v : !q, !k, !k) -> (!q)
      attributes {stream = #ncd.partition<x=64>} {
    %s = ncd.contract %q1, %k1 over [d] : !q, !k -> !s
    %m = ncd.reduce max %s over [x] : !s -> !ncd.array<h=4, q=512, f32>
    %e = ncd.map %s, %m {
    ^bb0(%a: f32, %b: f32):
      %i = ncd.index "q" : index
      %j = ncd.index "x" : index
      %d = arith.subf %a, %b : f32
      %w = math.exp %d : f32
      %zero = arith.constant 0.0 : f32
      %seen = arith.cmpi sle, %j, %i : index
      %z = arith.select %seen, %w, %zero : f32
      ncd.yield %z : f32
    } : !s, !ncd.array<h=4, q=512, f32> -> !s
    %l = ncd.reduce sum %e over [x] : !s -> !ncd.array<h=4, q=512, f32>
    %p = ncd.map %e, %l {
    ^bb0(%a: f32, %b: f32):
      %w = arith.divf %a, %b : f32
      %z = arith.truncf %w : f32 to bf16
      ncd.yield %z : bf16
    } : !s, !ncd.array<h=4, q=512, f32> -> !p
    %o = ncd.contract %p, %v1 over [x] : !p, !k -> !q
    ncd.yield %o : !q
  }
  ncd.return %r : !q
}

// CHECK: step
// CHECK-NEXT: ^bb0({{.*}}, %[[KC:.*]]: {{.*}}, %[[VC:.*]]: !ncd.array<h=4, x=512, d=128, bf16>):
// CHECK: ncd.reduce sum
// CHECK: %[[P:.*]] = ncd.map %{{[0-9]+}} {
// CHECK-NEXT: ^bb0
// CHECK-NEXT: arith.truncf
// CHECK: ncd.contract %[[P]], %[[VC]] over [x]
// CHECK: merge
