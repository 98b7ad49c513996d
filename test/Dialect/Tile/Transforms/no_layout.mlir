// RUN: not napkin-opt --tile-lower-to-nvvm %s 2>&1 | FileCheck %s
// RUN: not napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-pipeline))' %s 2>&1 | FileCheck %s

// A tile program is legal without layouts, but it cannot be staged or lowered.
// CHECK: error: 'tile.load' op gives a tile without a layout; run tile-assign-layouts first
tile.kernel @copy(%x: !ncd.array<n=256, f32>, %y: !ncd.array<n=256, f32>)
    group #ncd.partition<n=128> order ["n"] warps 4 outputs 1 {
  %t = tile.load %x : !ncd.array<n=256, f32> -> !tile.tile<n=128, f32>
  tile.store %t, %y : !tile.tile<n=128, f32>, !ncd.array<n=256, f32>
  tile.return
}
