// RUN: split-file %s %t
// RUN: napkin-opt %t/sum.mlir --ncd-derive-stream --ncd-split-streams --ncd-lower-to-tile --canonicalize | FileCheck %s
// RUN: not napkin-opt %t/sum.mlir --ncd-derive-stream --ncd-lower-to-tile 2>&1 | FileCheck %s --check-prefix=EARLY
// EARLY: the states of the parts of axis 'x' are not merged; run ncd-split-streams first

// Parts are the slowest axis of the grid. Each walks its own positions: whole
// chunks, and the last part what is left. Its state goes to its own place.

// CHECK-LABEL: tile.kernel @sum(
// CHECK-SAME: grid [x_part = %[[P:.*]] : 1 of 4, q = %[[Q:.*]] : 2 of 8]
// CHECK-DAG: %[[BY:.*]] = arith.constant 256 : index
// CHECK-DAG: %[[WHOLE:.*]] = arith.constant 960 : index
// CHECK-DAG: %[[SIZE:.*]] = arith.constant 1000 : index
// CHECK-DAG: %[[CHUNK:.*]] = arith.constant 64 : index
// CHECK: %[[FROM:.*]] = arith.muli %[[P]], %[[BY]]
// CHECK: %[[END:.*]] = arith.addi %[[FROM]], %[[BY]]
// CHECK: %[[TO:.*]] = arith.minsi %[[END]], %[[WHOLE]]
// CHECK: tile.loop %{{.*}} = %[[FROM]] to %[[TO]] step %[[CHUNK]]
// CHECK: %[[LAST:.*]] = arith.minsi %[[END]], %[[SIZE]]
// CHECK: tile.loop %{{.*}} = %[[WHOLE]] to %[[LAST]] step %[[CHUNK]]
// CHECK: tile.view %{{.*}} [x_part = %[[P]] : 1, q = %[[Q]] : 2]
// CHECK: tile.store

// One turn takes all four parts, from neighbouring places.
// CHECK-LABEL: tile.kernel @sum_merge(
// CHECK-SAME: grid [q = %[[Q:.*]] : 8 of 8]
// CHECK: tile.loop %[[AT:.*]] = %{{.*}} to %{{.*}} step %{{.*}} iter_args
// CHECK: tile.view %{{.*}} [x_part = %[[AT]] : 1, q = %[[Q]] : 8]
// CHECK-NEXT: tile.load
// CHECK-COUNT-3: tile.load
// CHECK: tile.next

//--- sum.mlir
!x = !ncd.array<q=8, x=1000, f32>
!r = !ncd.array<q=8, f32>
ncd.diagram @d(%x: !x) -> !r {
  %r = ncd.kernel (%t = %x : !x) -> (!r) attributes {
      group = #ncd.partition<q=2>, order = ["q"], stream = #ncd.partition<x=64>,
      split = #ncd.split<x by 256, parts = x_part>, warps = 4 : i32, entry = "sum"} {
    %s = ncd.reduce sum %t over [x] : !x -> !r
    ncd.yield %s : !r
  }
  ncd.return %r : !r
}
