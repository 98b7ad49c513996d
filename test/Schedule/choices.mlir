// RUN: napkin-opt %s --split-input-file --ncd-decompose --canonicalize --cse --ncd-schedule | FileCheck %s

// Partitions that the cost model finds; nothing but axes is known here.

!q = !ncd.array<h=4, q=512, d=128, bf16>
!k = !ncd.array<h=4, x=512, d=128, bf16>
!s = !ncd.array<h=4, q=512, x=512, f32>
!p = !ncd.array<h=4, q=512, x=512, bf16>

// CHECK-LABEL: ncd.diagram @attention
// CHECK: ncd.kernel
// CHECK-SAME: entry = "attention"
// CHECK-SAME: group = #ncd.partition<h=1, q=256>
// CHECK-SAME: hardware = #ncd.hardware<"a100_80gb">
// CHECK-SAME: order = ["h", "q"]
// CHECK-SAME: reread = array<i32: 0>
// CHECK-SAME: stages = 2 : i32
// CHECK-SAME: stream = #ncd.partition<x=32>
// CHECK-SAME: warps = 8 : i32
// CHECK-NOT: ncd.kernel
ncd.diagram @attention(%q: !q, %k: !k, %v: !k) -> !q {
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.088 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !s -> !s
  %p = ncd.softmax %t over [x] : !s -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  ncd.return %o : !q
}

// -----

// The same with other names, factors exchanged and the scores transposed.
!q = !ncd.array<b=4, rows=512, w=128, f16>
!k = !ncd.array<b=4, keys=512, w=128, f16>
!s = !ncd.array<b=4, keys=512, rows=512, f32>
!p = !ncd.array<b=4, keys=512, rows=512, f16>

// CHECK-LABEL: ncd.diagram @renamed
// CHECK: ncd.kernel
// CHECK-SAME: group = #ncd.partition<b=1, rows=256>
// CHECK-SAME: stream = #ncd.partition<keys=32>
// CHECK-SAME: warps = 8 : i32
// CHECK-NOT: ncd.kernel
ncd.diagram @renamed(%v: !k, %k: !k, %q: !q) -> !q {
  %s = ncd.contract %k, %q over [w] : !k, !q -> !s
  %p = ncd.softmax %s over [keys] : !s -> !p
  %o = ncd.contract %v, %p over [keys] : !k, !p -> !q
  ncd.return %o : !q
}

// -----

!l = !ncd.array<a=2048, b=2048, bf16>
!r = !ncd.array<b=2048, c=2048, bf16>
!o = !ncd.array<a=2048, c=2048, bf16>

// CHECK-LABEL: ncd.diagram @product
// CHECK: ncd.kernel
// CHECK-SAME: group = #ncd.partition<a=128, c=128>
// CHECK-SAME: stages = 3 : i32
// CHECK-SAME: stream = #ncd.partition<b=64>
// CHECK-SAME: warps = 4 : i32
ncd.diagram @product(%l: !l, %r: !r) -> !o {
  %o = ncd.contract %l, %r over [b] : !l, !r -> !o
  ncd.return %o : !o
}

// -----

!l = !ncd.array<a=512, b=64, bf16>
!m = !ncd.array<b=64, c=512, bf16>
!i = !ncd.array<a=512, c=512, bf16>
!r = !ncd.array<c=512, d=64, bf16>
!o = !ncd.array<a=512, d=64, bf16>

// The middle array is never written: c is streamed, and d fits whole.
// CHECK-LABEL: ncd.diagram @chain_that_fits
// CHECK: ncd.kernel
// CHECK-SAME: group = #ncd.partition<a=256>
// CHECK-SAME: stream = #ncd.partition<c=
// CHECK-NOT: ncd.kernel
ncd.diagram @chain_that_fits(%l: !l, %m: !m, %r: !r) -> !o {
  %i = ncd.contract %l, %m over [b] : !l, !m -> !i
  %o = ncd.contract %i, %r over [c] : !i, !r -> !o
  ncd.return %o : !o
}

// -----

!l = !ncd.array<a=2048, b=2048, bf16>
!m = !ncd.array<b=2048, c=2048, bf16>
!i = !ncd.array<a=2048, c=2048, bf16>
!r = !ncd.array<c=2048, d=2048, bf16>
!o = !ncd.array<a=2048, d=2048, bf16>

// CHECK-LABEL: ncd.diagram @chain_that_does_not
// CHECK: %[[I:.*]] = ncd.kernel
// CHECK-SAME: entry = "chain_that_does_not_0"
// CHECK: ncd.kernel ({{.*}} = %[[I]],
// CHECK-SAME: entry = "chain_that_does_not_1"
ncd.diagram @chain_that_does_not(%l: !l, %m: !m, %r: !r) -> !o {
  %i = ncd.contract %l, %m over [b] : !l, !m -> !i
  %o = ncd.contract %i, %r over [c] : !i, !r -> !o
  ncd.return %o : !o
}

// -----

!t = !ncd.array<a=512, x=1024, bf16>

// A softmax that is itself the result carries its axis: rows stay resident.
// CHECK-LABEL: ncd.diagram @rows
// CHECK: ncd.kernel
// CHECK-SAME: group = #ncd.partition<a=4>
// CHECK-SAME: stages = 1 : i32
// CHECK-SAME: stream = #ncd.partition<>
// CHECK-SAME: warps = 4 : i32
// CHECK-NOT: ncd.kernel
ncd.diagram @rows(%t: !t) -> !t {
  %p = ncd.softmax %t over [x] : !t -> !t
  ncd.return %p : !t
}

// -----

!t = !ncd.array<a=512, x=65536, bf16>
!r = !ncd.array<a=512, f32>

// Too long a row to hold: streamed, since the result does not carry x.
// CHECK-LABEL: ncd.diagram @long_rows
// CHECK: ncd.kernel
// CHECK-SAME: stream = #ncd.partition<x=
// CHECK-NOT: ncd.kernel
ncd.diagram @long_rows(%t: !t) -> !r {
  %l = ncd.logsumexp %t over [x] : !t -> !r
  ncd.return %l : !r
}

// -----

!l = !ncd.array<a=256, b=256, bf16>
!r = !ncd.array<b=256, c=256, bf16>
!o = !ncd.array<a=256, c=256, bf16>

// An intermediate that is also returned is written, wherever it is made; an
// operation that nothing needs is dropped.
// CHECK-LABEL: ncd.diagram @two_results
// CHECK-NOT: math.sin
// CHECK: ncd.return
ncd.diagram @two_results(%l: !l, %r: !r) -> (!o, !o) {
  %i = ncd.contract %l, %r over [b] : !l, !r -> !o
  %dead = ncd.map %i {
  ^bb0(%e: bf16):
    %w = arith.extf %e : bf16 to f32
    %s = math.sin %w : f32
    %n = arith.truncf %s : f32 to bf16
    ncd.yield %n : bf16
  } : !o -> !o
  %o = ncd.map %i {
  ^bb0(%e: bf16):
    %n = arith.negf %e : bf16
    ncd.yield %n : bf16
  } : !o -> !o
  ncd.return %i, %o : !o, !o
}

// -----

!x = !ncd.array<s=512, e=512, bf16>
!y = !ncd.array<t=512, e=512, bf16>
!w = !ncd.array<e=512, h=4, d=64, bf16>
!q = !ncd.array<h=4, t=512, d=64, bf16>
!k = !ncd.array<h=4, s=512, d=64, bf16>
!s = !ncd.array<h=4, t=512, s=512, f32>
!p = !ncd.array<h=4, t=512, s=512, bf16>

// Producers of a late operand do not tear a chain apart. What the keys and the
// values are projected from is read once for both; queries are projected by the
// blocks that use them, in a loop ahead of the one over the keys.
// CHECK-LABEL: ncd.diagram @projected
// CHECK: ncd.kernel
// CHECK-SAME: stream = #ncd.partition<e{{[a-z_]*}}=
// CHECK: ncd.contract %{{.*}}, %{{.*}} over [e{{[a-z_]*}}]
// CHECK: ncd.contract %{{.*}}, %{{.*}} over [e{{[a-z_]*}}]
// CHECK: ncd.kernel
// CHECK-SAME: stream = #ncd.partition<e{{[a-z_]*}}={{[0-9]+}}, s=
// CHECK: ncd.contract %{{.*}}, %{{.*}} over [e{{[a-z_]*}}]
// CHECK-NOT: ncd.kernel
ncd.diagram @projected(%x: !x, %y: !y, %wq: !w, %wk: !w, %wv: !w) -> !q {
  %q = ncd.contract %y, %wq over [e] : !y, !w -> !q
  %k = ncd.contract %x, %wk over [e] : !x, !w -> !k
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %p = ncd.softmax %s over [s] : !s -> !p
  %v = ncd.contract %x, %wv over [e] : !x, !w -> !k
  %o = ncd.contract %p, %v over [s] : !p, !k -> !q
  ncd.return %o : !q
}

// -----

!m = !ncd.array<a=777, x=1000, bf16>
!v = !ncd.array<x=1000, bf16>
!r = !ncd.array<a=777, f32>

// A vector has no columns for a tensor core: multiplied and summed one by one.
// CHECK-LABEL: ncd.diagram @matrix_vector
// CHECK: ncd.kernel
// CHECK-NOT: ncd.contract
// CHECK: ncd.map
// CHECK: arith.mulf {{.*}} : f32
// CHECK: ncd.reduce sum {{.*}} over [x]
// CHECK-NOT: ncd.kernel
ncd.diagram @matrix_vector(%m: !m, %v: !v) -> !r {
  %r = ncd.contract %m, %v over [x] : !m, !v -> !r
  ncd.return %r : !r
}
