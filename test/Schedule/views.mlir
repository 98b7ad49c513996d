// RUN: napkin-opt %s --ncd-place-views --canonicalize --cse --ncd-schedule --split-input-file | FileCheck %s
// RUN: napkin-opt %s --ncd-place-views --canonicalize --cse --ncd-schedule --ncd-derive-stream --ncd-split-streams --split-input-file | FileCheck %s --check-prefix=SPLIT

// Kernels take the arrays that they see.
// CHECK-LABEL: ncd.diagram @seen
// CHECK-NOT: ncd.view
// CHECK: ncd.kernel (%{{.*}} = %x as !ncd.array<k=8, f32> from 3 by [4] : !ncd.array<k=8, m=4, f32>)
ncd.diagram @seen(%x: !ncd.array<k=8, m=4, f32>) -> !ncd.array<k=8, f32> {
  %c = ncd.slice %x "m" from 3 : !ncd.array<k=8, m=4, f32> -> !ncd.array<k=8, f32>
  %y = ncd.map %c {
  ^bb0(%e: f32):
    %r = arith.negf %e : f32
    ncd.yield %r : f32
  } : !ncd.array<k=8, f32> -> !ncd.array<k=8, f32>
  ncd.return %y : !ncd.array<k=8, f32>
}

// -----

// Axes that are summed together are one where they lie together, and two elsewhere.
// CHECK-LABEL: ncd.diagram @together
// CHECK: as !ncd.array<r=5, a_b=12, f32> from 0 by [12, 1]
ncd.diagram @together(%x: !ncd.array<r=5, e=12, f32>) -> !ncd.array<r=5, f32> {
  %c = ncd.split %x "e" into [a, b] : !ncd.array<r=5, e=12, f32> -> !ncd.array<r=5, a=3, b=4, f32>
  %y = ncd.reduce sum %c over [a, b] : !ncd.array<r=5, a=3, b=4, f32> -> !ncd.array<r=5, f32>
  ncd.return %y : !ncd.array<r=5, f32>
}

// -----

// CHECK-LABEL: ncd.diagram @apart
// CHECK: as !ncd.array<r=5, a=3, b=3, f32> from 0 by [12, 4, 1]
ncd.diagram @apart(%x: !ncd.array<r=5, a=3, c=4, f32>) -> !ncd.array<r=5, f32> {
  %c = ncd.slice %x "c" from 0 into "b" : !ncd.array<r=5, a=3, c=4, f32> -> !ncd.array<r=5, a=3, b=3, f32>
  %y = ncd.reduce sum %c over [a, b] : !ncd.array<r=5, a=3, b=3, f32> -> !ncd.array<r=5, f32>
  ncd.return %y : !ncd.array<r=5, f32>
}

// -----

// A view of what another kernel writes waits for it.
// CHECK-LABEL: ncd.diagram @between
// CHECK: %[[M:.*]] = ncd.kernel (%{{.*}} = %x :
// CHECK: ncd.kernel ({{.*}}%[[M]] as !ncd.array<t=8, e=12, f32> from 0 by [12, 1]
ncd.diagram @between(%x: !ncd.array<s=8, e=12, f32>) -> (!ncd.array<s=8, t=8, f32>, !ncd.array<s=8, e=12, f32>) {
  %m = ncd.map %x {
  ^bb0(%u: f32):
    %r = math.exp %u : f32
    ncd.yield %r : f32
  } : !ncd.array<s=8, e=12, f32> -> !ncd.array<s=8, e=12, f32>
  %t = ncd.rename %m [s] into [t] : !ncd.array<s=8, e=12, f32> -> !ncd.array<t=8, e=12, f32>
  %c = ncd.contract %m, %t over [e]
    : !ncd.array<s=8, e=12, f32>, !ncd.array<t=8, e=12, f32> -> !ncd.array<s=8, t=8, f32>
  ncd.return %c, %m : !ncd.array<s=8, t=8, f32>, !ncd.array<s=8, e=12, f32>
}

// -----

// One cache: the values are read within the keys, in each of the parts of the keys, and the
// merge has no use for them.
// CHECK-LABEL: ncd.diagram @cache
// CHECK: as !ncd.array<x=4096, c=96, bf16> from 0 by [96, 1]
// CHECK-SAME: as !ncd.array<x=4096, v=64, bf16> from 0 by [96, 1] within 1
// SPLIT-LABEL: ncd.diagram @cache
// SPLIT: as !ncd.array<x=4096, v=64, bf16> from 0 by [96, 1] within 1
// SPLIT: ncd.kernel (
// SPLIT-NOT: as !ncd.array
// SPLIT: return
!q = !ncd.array<h=16, c=96, bf16>
!cache = !ncd.array<x=4096, c=96, bf16>
!v = !ncd.array<x=4096, v=64, bf16>
!s = !ncd.array<h=16, x=4096, f32>
!p = !ncd.array<h=16, x=4096, bf16>
!o = !ncd.array<h=16, v=64, bf16>
ncd.diagram @cache(%q: !q, %cache: !cache) -> !o {
  %s = ncd.contract %q, %cache over [c] : !q, !cache -> !s
  %m = ncd.reduce max %s over [x] : !s -> !ncd.array<h=16, f32>
  %e = ncd.map %s, %m {
  ^bb0(%a: f32, %b: f32):
    %d = arith.subf %a, %b : f32
    %r = math.exp %d : f32
    ncd.yield %r : f32
  } : !s, !ncd.array<h=16, f32> -> !s
  %l = ncd.reduce sum %e over [x] : !s -> !ncd.array<h=16, f32>
  %p = ncd.map %e, %l {
  ^bb0(%a: f32, %b: f32):
    %d = arith.divf %a, %b : f32
    %r = arith.truncf %d : f32 to bf16
    ncd.yield %r : bf16
  } : !s, !ncd.array<h=16, f32> -> !p
  %v = ncd.slice %cache "c" from 0 into "v" : !cache -> !v
  %o = ncd.contract %p, %v over [x] : !p, !v -> !o
  ncd.return %o : !o
}
