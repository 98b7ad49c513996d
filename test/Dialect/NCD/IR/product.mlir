// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

!q = !ncd.array<q=128, d=64, bf16>
!k = !ncd.array<x=64, d=64, bf16>

// The left factor has the rows, read again in each step; then the right one has.
// CHECK-LABEL: ncd.diagram @both
// CHECK: ncd.contract %q, %k over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [4, 2], from = [shared, registers]> :
// CHECK: ncd.contract %k, %q over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [1, 1], from = [registers, shared]> :
ncd.diagram @both(%q: !q, %k: !k) {
  %0 = ncd.contract %q, %k over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [4, 2], from = [shared, registers]> : !q, !k -> !ncd.array<q=128, x=64, f32>
  %1 = ncd.contract %k, %q over [d] as <"mma.m16n8k16.bf16", rows = q, columns = x, summed = d, warps = [1, 1], from = [registers, shared]> : !k, !q -> !ncd.array<q=128, x=64, f32>
  ncd.return
}

// A kernel says which axis its warps share.
// CHECK-LABEL: ncd.diagram @team
// CHECK: row_warps = 2 : i32, rows = "q"
ncd.diagram @team(%q: !q, %k: !k) -> !ncd.array<q=128, x=64, f32> {
  %o = ncd.kernel (%q = %q, %k = %k : !q, !k) -> (!ncd.array<q=128, x=64, f32>) attributes {warps = 4 : i32, rows = "q", row_warps = 2 : i32} {
    %0 = ncd.contract %q, %k over [d] : !q, !k -> !ncd.array<q=128, x=64, f32>
    ncd.yield %0 : !ncd.array<q=128, x=64, f32>
  }
  ncd.return %o : !ncd.array<q=128, x=64, f32>
}
