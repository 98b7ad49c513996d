// RUN: napkinc %s --target=sm_89 | FileCheck %s
// REQUIRES: napkinc

// The instruction that each element type comes to; factors whose summed axis is
// contiguous are read by ldmatrix, of 8, 16 and 32 bits alike.

// CHECK-LABEL: .entry bf16(
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32
ncd.diagram @bf16(%a: !ncd.array<m=64, k=64, bf16>, %b: !ncd.array<n=64, k=64, bf16>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, bf16>, !ncd.array<n=64, k=64, bf16> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// CHECK-LABEL: .entry f16(
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32
ncd.diagram @f16(%a: !ncd.array<m=64, k=64, f16>, %b: !ncd.array<n=64, k=64, f16>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, f16>, !ncd.array<n=64, k=64, f16> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// CHECK-LABEL: .entry tf32(
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32
ncd.diagram @tf32(%a: !ncd.array<m=64, k=64, tf32>, %b: !ncd.array<n=64, k=64, tf32>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, tf32>, !ncd.array<n=64, k=64, tf32> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// CHECK-LABEL: .entry i8(
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32
ncd.diagram @i8(%a: !ncd.array<m=64, k=64, i8>, %b: !ncd.array<n=64, k=64, i8>) -> !ncd.array<m=64, n=64, i32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, i8>, !ncd.array<n=64, k=64, i8> -> !ncd.array<m=64, n=64, i32>
  ncd.return %c : !ncd.array<m=64, n=64, i32>
}

// CHECK-LABEL: .entry e4m3(
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: mma.sync.aligned.m16n8k32.row.col.f32.e4m3.e4m3.f32
ncd.diagram @e4m3(%a: !ncd.array<m=64, k=64, f8E4M3FN>, %b: !ncd.array<n=64, k=64, f8E4M3FN>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, f8E4M3FN>, !ncd.array<n=64, k=64, f8E4M3FN> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// CHECK-LABEL: .entry e5m2(
// CHECK: ldmatrix.sync.aligned.m8n8.x4.shared.b16
// CHECK: mma.sync.aligned.m16n8k32.row.col.f32.e5m2.e5m2.f32
ncd.diagram @e5m2(%a: !ncd.array<m=64, k=64, f8E5M2>, %b: !ncd.array<n=64, k=64, f8E5M2>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, f8E5M2>, !ncd.array<n=64, k=64, f8E5M2> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// CHECK-LABEL: .entry f64(
// CHECK: mma.sync.aligned.m8n8k4.row.col.f64.f64.f64.f64
ncd.diagram @f64(%a: !ncd.array<m=64, k=64, f64>, %b: !ncd.array<n=64, k=64, f64>) -> !ncd.array<m=64, n=64, f64> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, f64>, !ncd.array<n=64, k=64, f64> -> !ncd.array<m=64, n=64, f64>
  ncd.return %c : !ncd.array<m=64, n=64, f64>
}

// CHECK-LABEL: .entry f32(
// CHECK: fma.rn.f32
ncd.diagram @f32(%a: !ncd.array<m=64, k=64, f32>, %b: !ncd.array<n=64, k=64, f32>) -> !ncd.array<m=64, n=64, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, f32>, !ncd.array<n=64, k=64, f32> -> !ncd.array<m=64, n=64, f32>
  ncd.return %c : !ncd.array<m=64, n=64, f32>
}

// CHECK-LABEL: .entry i32(
// CHECK: mad.lo.s32
ncd.diagram @i32(%a: !ncd.array<m=64, k=64, i32>, %b: !ncd.array<n=64, k=64, i32>) -> !ncd.array<m=64, n=64, i32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=64, k=64, i32>, !ncd.array<n=64, k=64, i32> -> !ncd.array<m=64, n=64, i32>
  ncd.return %c : !ncd.array<m=64, n=64, i32>
}
