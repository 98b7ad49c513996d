// RUN: napkin-opt %s --split-input-file --ncd-decompose --ncd-schedule | FileCheck %s

// Several kernels may compute the same operation.

!rows = !ncd.array<a=4, x=131072, bf16>

// Rows that no block holds are read twice: once for the maximum and the sum,
// once more for the result. The exponentials are computed in both, and never
// written. There are few rows, so that the second kernel has blocks of its own
// for parts of them; of many rows one kernel would do both.
// CHECK-LABEL: ncd.diagram @long_rows
// CHECK: %[[S:.*]]:2 = ncd.kernel (%{{.*}} = %t : {{.*}}) -> (!ncd.array<a=4, f32>, !ncd.array<a=4, f32>)
// CHECK-SAME: stream = #ncd.partition<x=
// CHECK: math.exp
// CHECK: ncd.yield
// CHECK: ncd.kernel (%{{.*}} = %t, %{{.*}} = %[[S]]#{{.}}, %{{.*}} = %[[S]]#{{.}} :
// CHECK: math.exp
// CHECK-NOT: ncd.kernel
ncd.diagram @long_rows(%t: !rows) -> !rows {
  %p = ncd.softmax %t over [x] : !rows -> !rows
  ncd.return %p : !rows
}

// -----

!x = !ncd.array<m=2048, k=1024, bf16>
!w = !ncd.array<k=1024, n=1024, bf16>
!v = !ncd.array<k=1024, p=256, bf16>
!y = !ncd.array<m=2048, n=1024, bf16>
!z = !ncd.array<m=2048, p=256, bf16>

// A pin on an operation keeps it in one kernel, where it would be in two.
// CHECK-LABEL: ncd.diagram @pinned
// CHECK-COUNT-1: math.absf
// CHECK-NOT: math.absf
ncd.diagram @pinned(%x: !x, %w: !w, %v: !v) -> (!y, !z) {
  %a = ncd.map %x attributes {ncd.pin = {kernel = 0}} {
  ^bb0(%e: bf16):
    %n = math.absf %e : bf16
    ncd.yield %n : bf16
  } : !x -> !x
  %y = ncd.contract %a, %w over [k] : !x, !w -> !y
  %z = ncd.contract %a, %v over [k] : !x, !v -> !z
  ncd.return %y, %z : !y, !z
}

// -----

!x = !ncd.array<m=2048, k=1024, bf16>
!w = !ncd.array<k=1024, n=1024, bf16>
!v = !ncd.array<k=1024, p=256, bf16>
!y = !ncd.array<m=2048, n=1024, bf16>
!z = !ncd.array<m=2048, p=256, bf16>

// CHECK-LABEL: ncd.diagram @free
// CHECK-COUNT-2: math.absf
ncd.diagram @free(%x: !x, %w: !w, %v: !v) -> (!y, !z) {
  %a = ncd.map %x {
  ^bb0(%e: bf16):
    %n = math.absf %e : bf16
    ncd.yield %n : bf16
  } : !x -> !x
  %y = ncd.contract %a, %w over [k] : !x, !w -> !y
  %z = ncd.contract %a, %v over [k] : !x, !v -> !z
  ncd.return %y, %z : !y, !z
}
