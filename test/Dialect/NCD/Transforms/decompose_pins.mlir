// RUN: napkin-opt %s --ncd-decompose | FileCheck %s

// What is pinned of an operation is pinned of all that it is made of.
// CHECK-LABEL: ncd.diagram @pinned
// CHECK-NOT: ncd.softmax
// CHECK-COUNT-5: ncd.pin = {kernel = 1
ncd.diagram @pinned(%x: !ncd.array<a=4, x=8, f32>) -> !ncd.array<a=4, x=8, f32> {
  %p = ncd.softmax %x over [x] {ncd.pin = {kernel = 1}} : !ncd.array<a=4, x=8, f32> -> !ncd.array<a=4, x=8, f32>
  ncd.return %p : !ncd.array<a=4, x=8, f32>
}
