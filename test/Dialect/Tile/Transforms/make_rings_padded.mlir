// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-assign-layouts,tile-make-rings))' %s | FileCheck %s

// Rows with 16 bytes behind each: all addresses of a thread are one register and an
// immediate.
// CHECK: tile.ring : !tile.ring<1 x (q=64, d=64), f16, #tile.smem<pad = 16>>
tile.kernel @k(%q: !ncd.array<q=64, d=64, f16>, %k: !ncd.array<x=64, d=64, f16>, %o: !ncd.array<q=64, x=64, f32>)
    grid [] warps 4 outputs 1 attributes {padded} {
  %vq = tile.view %q [q : 64, d : 64] : !ncd.array<q=64, d=64, f16>
  %vk = tile.view %k [x : 64, d : 64] : !ncd.array<x=64, d=64, f16>
  %vo = tile.view %o [q : 64, x : 64] : !ncd.array<q=64, x=64, f32>
  %a = tile.load %vq : !tile.view<q=64, d=64, f16> -> !tile.tile<q=64, d=64, f16>
  %b = tile.load %vk : !tile.view<x=64, d=64, f16> -> !tile.tile<x=64, d=64, f16>
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<q=64, x=64, f32>
  %s = tile.mma %a, %b, %zero by "mma.m16n8k16.f16" : !tile.tile<q=64, d=64, f16>, !tile.tile<x=64, d=64, f16>, !tile.tile<q=64, x=64, f32>
  tile.store %s, %vo : !tile.tile<q=64, x=64, f32>, !tile.view<q=64, x=64, f32>
  tile.return
}
