// An axis may be pinned as a stream and be cut across the blocks of another kernel: there it is not pinned.
// RUN: napkin-opt %s --ncd-schedule="pin-stream=c:32" | FileCheck %s

// CHECK: #account = #ncd.account<
// CHECK-NOT: group "c" = {{[0-9]+}}, [<pinned>]
// CHECK: #ncd.decision<group "c" = {{[0-9]+}}, [<{{granule|whole}}
// CHECK: #account1 = #ncd.account<
// CHECK-SAME: #ncd.decision<stream "c" = 32, [<pinned>]>
!x = !ncd.array<a=512, b=256, bf16>
!w = !ncd.array<b=256, c=1024, bf16>
!y = !ncd.array<a=512, c=1024, bf16>
!v = !ncd.array<c=1024, d=512, bf16>
!z = !ncd.array<a=512, d=512, bf16>
ncd.diagram @layers(%x: !x, %w: !w, %v: !v) -> !z {
  %y = ncd.contract %x, %w over [b] {ncd.pin = {kernel = 0}} : !x, !w -> !y
  %z = ncd.contract %y, %v over [c] {ncd.pin = {kernel = 1}} : !y, !v -> !z
  ncd.return %z : !z
}
