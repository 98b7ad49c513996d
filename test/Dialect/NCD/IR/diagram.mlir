// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

// The names of arguments are kept: users name arrays by them.
// CHECK-LABEL: ncd.diagram @names(
// CHECK-SAME: %query: !ncd.array<q=2, f32>, %key: !ncd.array<x=3, f32>)
// CHECK-SAME: -> !ncd.array<q=2, f32> {
// CHECK-NEXT: ncd.return %query : !ncd.array<q=2, f32>
ncd.diagram @names(%query: !ncd.array<q=2, f32>, %key: !ncd.array<x=3, f32>)
    -> !ncd.array<q=2, f32> {
  ncd.return %query : !ncd.array<q=2, f32>
}

// Names can be given to arguments and results as attributes.
// CHECK-LABEL: ncd.diagram @attributes(
// CHECK-SAME: %{{.*}}: !ncd.array<f32> {ncd.name = "first value"}
// CHECK-SAME: -> (!ncd.array<f32> {ncd.name = "o"})
// CHECK-SAME: attributes {napkin.note = "kept"}
ncd.diagram @attributes(%arg0: !ncd.array<f32> {ncd.name = "first value"})
    -> (!ncd.array<f32> {ncd.name = "o"}) attributes {napkin.note = "kept"} {
  ncd.return %arg0 : !ncd.array<f32>
}

// CHECK-LABEL: ncd.diagram private @several(
// CHECK-SAME: -> (!ncd.array<f32>, !ncd.array<i32>) {
ncd.diagram private @several(%a: !ncd.array<f32>, %b: !ncd.array<i32>)
    -> (!ncd.array<f32>, !ncd.array<i32>) {
  ncd.return %a, %b : !ncd.array<f32>, !ncd.array<i32>
}

// CHECK-LABEL: ncd.diagram @empty() {
// CHECK-NEXT: ncd.return
ncd.diagram @empty() {
  ncd.return
}
