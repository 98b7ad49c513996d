// RUN: napkin-opt %s | napkin-opt | FileCheck %s
// RUN: napkin-opt --mlir-print-op-generic %s | napkin-opt | FileCheck %s

// CHECK-LABEL: ncd.diagram @when
// CHECK: %[[R:.*]] = ncd.when %{{.*}} : !ncd.array<q=8, x=64, i1> otherwise(%{{.*}} : !ncd.array<q=8, f32>) {
// CHECK-NEXT: %[[M:.*]] = ncd.reduce max
// CHECK-NEXT: ncd.yield %[[M]] : !ncd.array<q=8, f32>
ncd.diagram @when(%c: !ncd.array<q=8, x=64, i1>, %u: !ncd.array<q=8, x=64, f32>, %old: !ncd.array<q=8, f32>) -> !ncd.array<q=8, f32> {
  %r = ncd.when %c : !ncd.array<q=8, x=64, i1> otherwise(%old : !ncd.array<q=8, f32>) {
    %m = ncd.reduce max %u over [x] : !ncd.array<q=8, x=64, f32> -> !ncd.array<q=8, f32>
    ncd.yield %m : !ncd.array<q=8, f32>
  }
  ncd.return %r : !ncd.array<q=8, f32>
}
