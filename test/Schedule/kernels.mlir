// RUN: napkin-opt %s --split-input-file --ncd-schedule | FileCheck %s

// Which operations share a kernel can be pinned too.

!l = !ncd.array<a=256, b=256, bf16>
!r = !ncd.array<b=256, c=256, bf16>
!o = !ncd.array<a=256, c=256, bf16>

// CHECK-LABEL: ncd.diagram @cut
// CHECK: ncd.kernel
// CHECK: ncd.contract
// CHECK: ncd.kernel
// CHECK: ncd.map
ncd.diagram @cut(%l: !l, %r: !r) -> !o {
  %i = ncd.contract %l, %r over [b] {ncd.pin = {kernel = 0}} : !l, !r -> !o
  %o = ncd.map %i attributes {ncd.pin = {kernel = 1}} {
  ^bb0(%e: bf16):
    %n = arith.negf %e : bf16
    ncd.yield %n : bf16
  } : !o -> !o
  ncd.return %o : !o
}

// -----

!l = !ncd.array<a=256, b=256, bf16>
!r = !ncd.array<b=256, c=256, bf16>
!o = !ncd.array<a=256, c=256, bf16>

// A kernel that somebody formed stays as it is.
// CHECK-LABEL: ncd.diagram @formed
// CHECK: %[[K:.*]] = ncd.kernel
// CHECK-SAME: group = #ncd.partition<a=32, c=16>
// CHECK: ncd.kernel ({{.*}} = %[[K]] :
// CHECK-SAME: entry = "formed"
ncd.diagram @formed(%l: !l, %r: !r) -> !o {
  %i = ncd.kernel (%x = %l, %y = %r : !l, !r) -> (!o)
      attributes {group = #ncd.partition<a=32, c=16>, order = ["a", "c"]} {
    %z = ncd.contract %x, %y over [b] : !l, !r -> !o
    ncd.yield %z : !o
  }
  %o = ncd.map %i {
  ^bb0(%e: bf16):
    %n = arith.negf %e : bf16
    ncd.yield %n : bf16
  } : !o -> !o
  ncd.return %o : !o
}
