// RUN: not napkin-opt --tile-lower-to-nvvm %s 2>&1 | FileCheck %s
// RUN: not napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-make-rings))' %s 2>&1 | FileCheck %s

// A tile program is legal without layouts, but it cannot be staged or lowered.
// CHECK: error: 'tile.load' op gives a tile without a layout; run tile-assign-layouts first
tile.kernel @copy(%x: !ncd.array<n=256, f32>, %y: !ncd.array<n=256, f32>)
    grid [n = %n : 128 of 256] warps 4 outputs 1 {
  %from = tile.view %x [n = %n : 128] : !ncd.array<n=256, f32>
  %to = tile.view %y [n = %n : 128] : !ncd.array<n=256, f32>
  %t = tile.load %from : !tile.view<n=128, f32> -> !tile.tile<n=128, f32>
  tile.store %t, %to : !tile.tile<n=128, f32>, !tile.view<n=128, f32>
  tile.return
}
