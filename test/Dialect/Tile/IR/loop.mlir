// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

!o = !ncd.array<m=64, f32>

// Bounds and step are values; trips may be counted; the results are what is
// carried, then the number of the next trip.
// CHECK-LABEL: tile.kernel @loops
tile.kernel @loops(%o: !o) grid [m = %m : 64 of 64] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c8 = arith.constant 8 : index
  // CHECK: tile.loop %[[I:.*]] = %c0 to %m step %c8 {
  // CHECK-NEXT: }
  tile.loop %i = %c0 to %m step %c8 {
  }
  // CHECK: %[[R:.*]]:2 = tile.loop %[[I:.*]] = %c0 to %m step %c8 trip %[[T:.*]] = %c0 iter_args(%[[S:.*]] = %c8) -> index slots 3 {
  %r:2 = tile.loop %i = %c0 to %m step %c8 trip %t = %c0 iter_args(%s = %c8) -> (index) slots 3 {
    // CHECK: tile.next %[[S]] : index
    tile.next %s : index
  }
  // CHECK: tile.loop %{{.*}} = %c0 to %[[R]]#0 step %c8 trip %{{.*}} = %[[R]]#1 {
  %n = tile.loop %i = %c0 to %r#0 step %c8 trip %t = %r#1 {
  }
  tile.return
}
