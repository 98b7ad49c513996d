// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

// CHECK-LABEL: ncd.diagram @map
ncd.diagram @map(%s: !ncd.array<q=8, x=8, f32>, %b: !ncd.array<x=8, bf16>) {
  // A causal mask with a bias per key, transposed.
  // CHECK: ncd.map %s, %b {
  // CHECK-NEXT: ^bb0(%[[E:.*]]: f32, %[[B:.*]]: bf16):
  // CHECK: ncd.index "x" : index
  // CHECK: ncd.yield %{{.*}} : f32
  // CHECK-NEXT: } : !ncd.array<q=8, x=8, f32>, !ncd.array<x=8, bf16> -> !ncd.array<x=8, q=8, f32>
  %t = ncd.map %s, %b {
  ^bb0(%e: f32, %bias: bf16):
    %x = ncd.index "x" : index
    %q = ncd.index "q" : index
    %seen = arith.cmpi sle, %x, %q : index
    %none = arith.constant 0xFF800000 : f32
    %wide = arith.extf %bias : bf16 to f32
    %sum = arith.addf %e, %wide : f32
    %r = arith.select %seen, %sum, %none : f32
    ncd.yield %r : f32
  } : !ncd.array<q=8, x=8, f32>, !ncd.array<x=8, bf16> -> !ncd.array<x=8, q=8, f32>
  // Without operands a map fills.
  // CHECK: ncd.map {
  // CHECK-NEXT: arith.constant
  // CHECK: } : -> !ncd.array<q=8, f16>
  %f = ncd.map {
    %c = arith.constant 1.0 : f16
    ncd.yield %c : f16
  } : -> !ncd.array<q=8, f16>
  ncd.return
}
