// RUN: napkin-opt %s --pass-pipeline='builtin.module(tile.kernel(tile-walk-grid))' | FileCheck %s

// The place of a tile follows from its number as it does from that of a block in a dense grid, the last axis fastest.
// CHECK-LABEL: tile.kernel @walked
// CHECK-SAME: grid [block = %[[BLOCK:.*]] : 1 of 5] warps 4 outputs 1 {
// CHECK-DAG: %[[TILES:.*]] = arith.constant 12 : index
// CHECK-DAG: %[[BLOCKS:.*]] = arith.constant 5 : index
// CHECK: tile.loop %[[TILE:.*]] = %[[BLOCK]] to %[[TILES]] step %[[BLOCKS]] slots 1 {
// CHECK: %[[COLUMN:.*]] = arith.remui %[[TILE]], %{{.*}} : index
// CHECK: %[[N:.*]] = arith.muli %[[COLUMN]], %{{.*}} : index
// CHECK: %[[ROW:.*]] = arith.divui %[[TILE]], %{{.*}} : index
// CHECK: %[[M:.*]] = arith.muli %[[ROW]], %{{.*}} : index
// CHECK: tile.view %{{.*}} [m = %[[M]] : 64, n = %[[N]] : 32]
tile.kernel @walked(%x: !ncd.array<m=200, n=90, f32>, %y: !ncd.array<m=200, n=90, f32>)
    grid [m = %m : 64 of 200, n = %n : 32 of 90] persistent 5 warps 4 outputs 1 {
  %from = tile.view %x [m = %m : 64, n = %n : 32] : !ncd.array<m=200, n=90, f32>
  %to = tile.view %y [m = %m : 64, n = %n : 32] : !ncd.array<m=200, n=90, f32>
  %t = tile.load %from : !tile.view<m=64, n=32, f32> -> !tile.tile<m=64, n=32, f32>
  tile.store %t, %to : !tile.tile<m=64, n=32, f32>, !tile.view<m=64, n=32, f32>
  tile.return
}

// Groups of 3 rows of 4 tiles, the last of one row: within a group its rows change fastest.
// CHECK-LABEL: tile.kernel @grouped
// CHECK: tile.loop
// CHECK: %[[LEFT:.*]] = arith.subi %{{.*}}, %{{.*}} : index
// CHECK: %[[COUNT:.*]] = arith.minsi %{{.*}}, %[[LEFT]] : index
// CHECK: arith.remui %{{.*}}, %[[COUNT]] : index
// CHECK: arith.divui %{{.*}}, %[[COUNT]] : index
tile.kernel @grouped(%y: !ncd.array<m=200, n=90, f32>)
    grid [m = %m : 64 of 200 in groups of 3, n = %n : 32 of 90] persistent 5 warps 4 outputs 1 {
  %t = tile.map {
    %c = arith.constant 1.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<m=64, n=32, f32>
  %to = tile.view %y [m = %m : 64, n = %n : 32] : !ncd.array<m=200, n=90, f32>
  tile.store %t, %to : !tile.tile<m=64, n=32, f32>, !tile.view<m=64, n=32, f32>
  tile.return
}

// As many blocks as tiles: a dense grid.
// CHECK-LABEL: tile.kernel @dense
// CHECK-SAME: grid [n = %{{.*}} : 32 of 90] warps 4
// CHECK-NOT: tile.loop
tile.kernel @dense(%y: !ncd.array<n=90, f32>) grid [n = %n : 32 of 90] persistent 3 warps 4 outputs 1 {
  %t = tile.map {
    %c = arith.constant 1.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<n=32, f32>
  %to = tile.view %y [n = %n : 32] : !ncd.array<n=90, f32>
  tile.store %t, %to : !tile.tile<n=32, f32>, !tile.view<n=32, f32>
  tile.return
}
