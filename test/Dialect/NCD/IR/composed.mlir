// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

// CHECK-LABEL: ncd.diagram @composed
ncd.diagram @composed(%t: !ncd.array<q=8, x=4, f32>, %g: !ncd.array<x=4, bf16>) {
  // CHECK: ncd.softmax %t over [x] : !ncd.array<q=8, x=4, f32> -> !ncd.array<x=4, q=8, bf16>
  %0 = ncd.softmax %t over [x] : !ncd.array<q=8, x=4, f32> -> !ncd.array<x=4, q=8, bf16>
  // CHECK: ncd.logsumexp %t over [q, x] : !ncd.array<q=8, x=4, f32> -> !ncd.array<f32>
  %1 = ncd.logsumexp %t over [q, x] : !ncd.array<q=8, x=4, f32> -> !ncd.array<f32>
  // CHECK: ncd.rms_norm %t over [x] eps 1.250000e-01 : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  %2 = ncd.rms_norm %t over [x] eps 0.125 : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  // CHECK: ncd.rms_norm %t over [x] eps 0.000000e+00 gain(%g : !ncd.array<x=4, bf16>) : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f16>
  %3 = ncd.rms_norm %t over [x] eps 0.0 gain(%g : !ncd.array<x=4, bf16>) : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f16>
  // CHECK: ncd.layer_norm %t over [x] eps 1.000000e-05 : !ncd.array
  %4 = ncd.layer_norm %t over [x] eps 1.0e-5 : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  // CHECK: ncd.layer_norm %t over [x] eps 1.000000e-05 bias(%g : !ncd.array<x=4, bf16>) : !ncd.array
  %5 = ncd.layer_norm %t over [x] eps 1.0e-5 bias(%g : !ncd.array<x=4, bf16>) : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  // CHECK: ncd.layer_norm %t over [x] eps 1.000000e-05 gain(%g : !ncd.array<x=4, bf16>) bias(%g : !ncd.array<x=4, bf16>) : !ncd.array
  %6 = ncd.layer_norm %t over [x] eps 1.0e-5 gain(%g : !ncd.array<x=4, bf16>) bias(%g : !ncd.array<x=4, bf16>) : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  ncd.return
}
