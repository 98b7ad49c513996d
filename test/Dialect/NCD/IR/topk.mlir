// RUN: napkin-opt %s | napkin-opt | FileCheck %s
// RUN: napkin-opt %s --ncd-decompose | FileCheck %s --check-prefix=ROUNDS

// CHECK-LABEL: ncd.diagram @two
// CHECK: ncd.topk %x over [e] into "k" : !ncd.array<t=8, e=16, f16> -> !ncd.array<k=2, t=8, f32>, !ncd.array<t=8, k=2, i32>
// ROUNDS-LABEL: ncd.diagram @two
// A NaN counts as -inf.
// ROUNDS: arith.cmpf uno
// ROUNDS: ncd.reduce max {{.*}} over [e]
// ROUNDS: ncd.reduce min {{.*}} over [e]
// The second round looks at what stands behind the first.
// ROUNDS: arith.cmpf olt
// ROUNDS: arith.cmpi sgt
// ROUNDS: ncd.reduce max {{.*}} over [e]
// ROUNDS: ncd.reduce min {{.*}} over [e]
// ROUNDS-NOT: ncd.reduce
ncd.diagram @two(%x: !ncd.array<t=8, e=16, f16>) -> (!ncd.array<k=2, t=8, f32>, !ncd.array<t=8, k=2, i32>) {
  %v, %i = ncd.topk %x over [e] into "k" : !ncd.array<t=8, e=16, f16> -> !ncd.array<k=2, t=8, f32>, !ncd.array<t=8, k=2, i32>
  ncd.return %v, %i : !ncd.array<k=2, t=8, f32>, !ncd.array<t=8, k=2, i32>
}
