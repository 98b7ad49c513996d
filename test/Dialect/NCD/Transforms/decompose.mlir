// RUN: napkin-opt %s --ncd-decompose | FileCheck %s
// RUN: napkin-opt %s --ncd-decompose --verify-roundtrip --canonicalize --cse > /dev/null

// The guards belong to rows; the last map rounds.
// CHECK-LABEL: ncd.diagram @softmax
// CHECK-NOT: ncd.softmax
// CHECK: %[[M:.*]] = ncd.reduce max %t over [x] : !ncd.array<q=8, x=4, f16> -> !ncd.array<q=8, f32>
// CHECK: %[[G:.*]] = ncd.map %[[M]] {
// CHECK-NEXT: ^bb0(%[[V:.*]]: f32):
// CHECK: %[[LEAST:.*]] = arith.constant 0xFF800000 : f32
// CHECK: %[[EMPTY:.*]] = arith.cmpf oeq, %[[V]], %[[LEAST]]
// CHECK: %[[ZERO:.*]] = arith.constant 0.0
// CHECK: arith.select %[[EMPTY]], %[[ZERO]], %[[V]]
// CHECK: } : !ncd.array<q=8, f32> -> !ncd.array<q=8, f32>
// CHECK: %[[E:.*]] = ncd.map %t, %[[G]] {
// CHECK-NEXT: ^bb0(%[[T:.*]]: f16, %[[S:.*]]: f32):
// CHECK-NEXT: %[[W:.*]] = arith.extf %[[T]] : f16 to f32
// CHECK-NEXT: %[[D:.*]] = arith.subf %[[W]], %[[S]]
// CHECK-NEXT: math.exp %[[D]]
// CHECK: } : !ncd.array<q=8, x=4, f16>, !ncd.array<q=8, f32> -> !ncd.array<q=8, x=4, f32>
// CHECK: %[[L:.*]] = ncd.reduce sum %[[E]] over [x]
// CHECK: %[[N:.*]] = ncd.map %[[L]] {
// CHECK-NEXT: ^bb0(%[[SUM:.*]]: f32):
// CHECK: %[[NONE:.*]] = arith.cmpf oeq, %[[SUM]],
// CHECK: %[[ONE:.*]] = arith.constant 1.0
// CHECK: arith.select %[[NONE]], %[[ONE]], %[[SUM]]
// CHECK: ncd.map %[[E]], %[[N]] {
// CHECK: arith.divf
// CHECK-NEXT: arith.truncf %{{.*}} : f32 to bf16
// CHECK: } : !ncd.array<q=8, x=4, f32>, !ncd.array<q=8, f32> -> !ncd.array<x=4, q=8, bf16>
ncd.diagram @softmax(%t: !ncd.array<q=8, x=4, f16>) -> !ncd.array<x=4, q=8, bf16> {
  %p = ncd.softmax %t over [x] : !ncd.array<q=8, x=4, f16> -> !ncd.array<x=4, q=8, bf16>
  ncd.return %p : !ncd.array<x=4, q=8, bf16>
}

// f64 stays f64.
// CHECK-LABEL: ncd.diagram @logsumexp
// CHECK: %[[M:.*]] = ncd.reduce max %t over [x] : !ncd.array<x=4, f64> -> !ncd.array<f64>
// CHECK: math.exp %{{.*}} : f64
// CHECK: ncd.reduce sum
// CHECK: math.log %{{.*}} : f64
// CHECK-NEXT: arith.addf
// CHECK-NOT: truncf
// CHECK: ncd.return
ncd.diagram @logsumexp(%t: !ncd.array<x=4, f64>) -> !ncd.array<f64> {
  %r = ncd.logsumexp %t over [x] : !ncd.array<x=4, f64> -> !ncd.array<f64>
  ncd.return %r : !ncd.array<f64>
}

// The mean is over all axes of `over`.
// CHECK-LABEL: ncd.diagram @rms_norm
// CHECK: arith.mulf %[[X:.*]], %[[X]]
// CHECK: ncd.reduce sum
// CHECK: arith.constant 3.200000e+01 : f32
// CHECK-NEXT: arith.divf
// CHECK: arith.addf
// CHECK: math.rsqrt
// CHECK: ncd.map %x, %{{.*}}, %g {
// CHECK: arith.mulf
// CHECK: arith.mulf
// CHECK: } : !ncd.array<q=8, x=4, f32>, !ncd.array<f32>, !ncd.array<x=4, bf16> -> !ncd.array<q=8, x=4, f32>
ncd.diagram @rms_norm(%x: !ncd.array<q=8, x=4, f32>, %g: !ncd.array<x=4, bf16>) -> !ncd.array<q=8, x=4, f32> {
  %y = ncd.rms_norm %x over [q, x] eps 1.0e-6 gain(%g : !ncd.array<x=4, bf16>) : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  ncd.return %y : !ncd.array<q=8, x=4, f32>
}

// CHECK-LABEL: ncd.diagram @layer_norm
// CHECK: ncd.reduce sum %x over [x]
// CHECK: %[[MEAN:.*]] = ncd.map
// CHECK: %[[CENTRED:.*]] = ncd.map %x, %[[MEAN]] {
// CHECK: arith.subf
// CHECK: ncd.map %[[CENTRED]] {
// CHECK: ncd.map %[[CENTRED]], %{{.*}}, %b {
// CHECK: arith.mulf
// CHECK-NEXT: arith.addf
ncd.diagram @layer_norm(%x: !ncd.array<q=8, x=4, f32>, %b: !ncd.array<x=4, f32>) -> !ncd.array<q=8, x=4, f32> {
  %y = ncd.layer_norm %x over [x] eps 1.0e-5 bias(%b : !ncd.array<x=4, f32>) : !ncd.array<q=8, x=4, f32> -> !ncd.array<q=8, x=4, f32>
  ncd.return %y : !ncd.array<q=8, x=4, f32>
}
