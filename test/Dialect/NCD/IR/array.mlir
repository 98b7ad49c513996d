// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

// Every element type, no axis, an unknown size, and names that are keywords.
// CHECK-LABEL: ncd.diagram @elements
// CHECK-SAME: !ncd.array<f64>
// CHECK-SAME: !ncd.array<a=1, f32>
// CHECK-SAME: !ncd.array<a=1, tf32>
// CHECK-SAME: !ncd.array<a=1, b_2=9223372036854775, bf16>
// CHECK-SAME: !ncd.array<f32=3, i1=2, f16>
// CHECK-SAME: !ncd.array<u=?, f8E4M3FN>
// CHECK-SAME: !ncd.array<u=?, max=4, f8E5M2>
// CHECK-SAME: !ncd.array<i8>
// CHECK-SAME: !ncd.array<i32>
// CHECK-SAME: !ncd.array<i64>
// CHECK-SAME: !ncd.array<i1>
ncd.diagram @elements(
    %a: !ncd.array<f64>, %b: !ncd.array<a=1, f32>, %c: !ncd.array<a=1, tf32>,
    %d: !ncd.array<a=1, b_2=9223372036854775, bf16>, %e: !ncd.array<f32=3, i1=2, f16>,
    %f: !ncd.array<u=?, f8E4M3FN>, %g: !ncd.array<u=?, max=4, f8E5M2>,
    %h: !ncd.array<i8>, %i: !ncd.array<i32>, %j: !ncd.array<i64>, %k: !ncd.array<i1>) {
  ncd.return
}

// Ragged axes: below one that the array carries, and below one that it does not.
// CHECK-LABEL: ncd.diagram @ragged
// CHECK-SAME: !ncd.array<e=8, r:e, k=64, bf16>, !ncd.array<r:e, i32>
ncd.diagram @ragged() attributes {test.types = [!ncd.array<e=8, r:e, k=64, bf16>, !ncd.array<r:e, i32>]} {
  ncd.return
}
