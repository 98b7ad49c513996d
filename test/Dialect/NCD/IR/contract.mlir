// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

// CHECK-LABEL: ncd.diagram @contract
ncd.diagram @contract(%q: !ncd.array<h=4, q=8, d=16, bf16>, %k: !ncd.array<h=4, x=8, d=16, bf16>,
                      %w: !ncd.array<d=16, bf16>, %i: !ncd.array<d=16, i8>, %f: !ncd.array<d=16, f64>) {
  // h is woven.
  // CHECK: ncd.contract %q, %k over [d] : !ncd.array<h=4, q=8, d=16, bf16>, !ncd.array<h=4, x=8, d=16, bf16> -> !ncd.array<h=4, q=8, x=8, f32>
  %0 = ncd.contract %q, %k over [d] : !ncd.array<h=4, q=8, d=16, bf16>, !ncd.array<h=4, x=8, d=16, bf16> -> !ncd.array<h=4, q=8, x=8, f32>
  // The result's axes come in any order, and the sum may be rounded.
  // CHECK: -> !ncd.array<x=8, h=4, q=8, bf16>
  %1 = ncd.contract %q, %k over [d] : !ncd.array<h=4, q=8, d=16, bf16>, !ncd.array<h=4, x=8, d=16, bf16> -> !ncd.array<x=8, h=4, q=8, bf16>
  // Three operands; over two axes; an outer product; one operand.
  // CHECK: ncd.contract %q, %k, %w over [d] :
  %2 = ncd.contract %q, %k, %w over [d] : !ncd.array<h=4, q=8, d=16, bf16>, !ncd.array<h=4, x=8, d=16, bf16>, !ncd.array<d=16, bf16> -> !ncd.array<h=4, q=8, x=8, f32>
  // CHECK: over [h, d]
  %3 = ncd.contract %q, %k over [h, d] : !ncd.array<h=4, q=8, d=16, bf16>, !ncd.array<h=4, x=8, d=16, bf16> -> !ncd.array<q=8, x=8, f32>
  // CHECK: over []
  %4 = ncd.contract %q, %w over [] : !ncd.array<h=4, q=8, d=16, bf16>, !ncd.array<d=16, bf16> -> !ncd.array<h=4, q=8, d=16, f32>
  // CHECK: ncd.contract %w over []
  %5 = ncd.contract %w over [] : !ncd.array<d=16, bf16> -> !ncd.array<d=16, f32>
  // i8 accumulates in i32, f64 in f64.
  // CHECK: -> !ncd.array<i32>
  %6 = ncd.contract %i, %i over [d] : !ncd.array<d=16, i8>, !ncd.array<d=16, i8> -> !ncd.array<i32>
  // CHECK: -> !ncd.array<f64>
  %7 = ncd.contract %f, %f over [d] : !ncd.array<d=16, f64>, !ncd.array<d=16, f64> -> !ncd.array<f64>
  ncd.return
}

// What the sums start from may lack axes.
// CHECK-LABEL: ncd.diagram @plus
// CHECK: ncd.contract %{{.*}}, %{{.*}} over [d] plus %{{.*}} : !ncd.array<q=16, f32> : !ncd.array<q=16, d=32, bf16>, !ncd.array<x=8, d=32, bf16> -> !ncd.array<q=16, x=8, f32>
ncd.diagram @plus(%q: !ncd.array<q=16, d=32, bf16>, %k: !ncd.array<x=8, d=32, bf16>, %b: !ncd.array<q=16, f32>) -> !ncd.array<q=16, x=8, f32> {
  %s = ncd.contract %q, %k over [d] plus %b : !ncd.array<q=16, f32>
    : !ncd.array<q=16, d=32, bf16>, !ncd.array<x=8, d=32, bf16> -> !ncd.array<q=16, x=8, f32>
  ncd.return %s : !ncd.array<q=16, x=8, f32>
}
