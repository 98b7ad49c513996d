// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

// CHECK-LABEL: ncd.diagram @reduce
ncd.diagram @reduce(%t: !ncd.array<q=8, x=4, bf16>, %b: !ncd.array<x=4, i1>, %i: !ncd.array<x=4, i8>) {
  // CHECK: ncd.reduce sum %t over [x] : !ncd.array<q=8, x=4, bf16> -> !ncd.array<q=8, f32>
  %0 = ncd.reduce sum %t over [x] : !ncd.array<q=8, x=4, bf16> -> !ncd.array<q=8, f32>
  // CHECK: ncd.reduce prod %t over [q, x] : !ncd.array<q=8, x=4, bf16> -> !ncd.array<bf16>
  %1 = ncd.reduce prod %t over [q, x] : !ncd.array<q=8, x=4, bf16> -> !ncd.array<bf16>
  // CHECK: ncd.reduce max
  %2 = ncd.reduce max %t over [x] : !ncd.array<q=8, x=4, bf16> -> !ncd.array<q=8, bf16>
  // CHECK: ncd.reduce min
  %3 = ncd.reduce min %i over [x] : !ncd.array<x=4, i8> -> !ncd.array<i8>
  // CHECK: ncd.reduce and
  %4 = ncd.reduce and %b over [x] : !ncd.array<x=4, i1> -> !ncd.array<i1>
  // CHECK: ncd.reduce or
  %5 = ncd.reduce or %b over [x] : !ncd.array<x=4, i1> -> !ncd.array<i1>
  // i8 sums in i32.
  // CHECK: ncd.reduce sum %i over [x] : !ncd.array<x=4, i8> -> !ncd.array<i32>
  %6 = ncd.reduce sum %i over [x] : !ncd.array<x=4, i8> -> !ncd.array<i32>
  // The largest magnitude, by a region.
  // CHECK: ncd.reduce %t over [x] identity(0.000000e+00 : f32) {
  // CHECK-NEXT: ^bb0(%{{.*}}: f32, %{{.*}}: f32):
  // CHECK: ncd.yield %{{.*}} : f32
  // CHECK-NEXT: } : !ncd.array<q=8, x=4, bf16> -> !ncd.array<q=8, f32>
  %7 = ncd.reduce %t over [x] identity(0.0 : f32) {
  ^bb0(%l: f32, %r: f32):
    %a = math.absf %l : f32
    %b0 = math.absf %r : f32
    %m = arith.maximumf %a, %b0 : f32
    ncd.yield %m : f32
  } : !ncd.array<q=8, x=4, bf16> -> !ncd.array<q=8, f32>
  ncd.return
}
