// RUN: napkin-opt %s --verify-diagnostics '--pass-pipeline=builtin.module(tile.kernel(tile-assign-layouts{target=sm_80}))'
// RUN: not napkin-opt %s '--pass-pipeline=builtin.module(tile.kernel(tile-assign-layouts{target=sm_20}))' 2>&1 | FileCheck %s
// CHECK: error: unknown target 'sm_20'; known are sm_80

// A program for one machine on another that lacks its instruction.
!a = !ncd.array<m=16, k=32, f8E4M3FN>
!b = !ncd.array<n=16, k=32, f8E4M3FN>
!c = !ncd.array<m=16, n=16, f32>
tile.kernel @k(%x: !a, %y: !b, %z: !c) grid [] warps 1 outputs 1 {
  %va = tile.view %x [m : 16, k : 32] : !a
  %vb = tile.view %y [n : 16, k : 32] : !b
  %vc = tile.view %z [m : 16, n : 16] : !c
  %a = tile.load %va : !tile.view<m=16, k=32, f8E4M3FN> -> !tile.tile<m=16, k=32, f8E4M3FN>
  %b = tile.load %vb : !tile.view<n=16, k=32, f8E4M3FN> -> !tile.tile<n=16, k=32, f8E4M3FN>
  %c = tile.load %vc : !tile.view<m=16, n=16, f32> -> !tile.tile<m=16, n=16, f32>
  // expected-error @below {{sm_80 has no instruction 'mma.m16n8k32.f8E4M3FN'}}
  %r = tile.mma %a, %b, %c by "mma.m16n8k32.f8E4M3FN" : !tile.tile<m=16, k=32, f8E4M3FN>, !tile.tile<n=16, k=32, f8E4M3FN>, !tile.tile<m=16, n=16, f32>
  tile.return
}
