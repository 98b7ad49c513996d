// RUN: napkin-opt %s | napkin-opt | FileCheck %s
// RUN: sed 's/outputs 1 {/outputs 1 attributes {padded} {/' %s | napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-assign-layouts,tile-make-rings))' | FileCheck %s --check-prefix=RINGS

// Keys and values out of one cache: the values are the first columns of the keys' tile,
// and are read in its slot.

!q = !ncd.array<q=16, c=64, f16>
!cache = !ncd.array<x=64, c=64, f16>
!o = !ncd.array<q=16, v=32, f32>
// CHECK-LABEL: tile.kernel @k
// RINGS-LABEL: tile.kernel @k
tile.kernel @k(%q: !q, %cache: !cache, %o: !o) grid [] warps 1 outputs 1 {
  // CHECK: %[[SEEN:.*]] = tile.array %{{.*}} from 0 : !ncd.array<x=64, c=64, f16> -> !ncd.array<x=32:128, c=64:1, f16>
  %even = tile.array %cache from 0 : !cache -> !ncd.array<x=32:128, c=64:1, f16>
  %vq = tile.view %q [q : 16, c : 64] : !q
  // CHECK: tile.view %[[SEEN]] [x : 32, c : 64]
  %vk = tile.view %even [x : 32, c : 64] : !ncd.array<x=32:128, c=64:1, f16>
  %vo = tile.view %o [q : 16, v : 32] : !o
  // RINGS: tile.ring : !tile.ring<1 x (x=32, c=64), f16, #tile.smem<pad = 16>>
  // RINGS-NOT: tile.part
  %a = tile.load %vq : !tile.view<q=16, c=64, f16> -> !tile.tile<q=16, c=64, f16>
  %b = tile.load %vk : !tile.view<x=32, c=64, f16> -> !tile.tile<x=32, c=64, f16>
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<q=16, x=32, f32>
  // RINGS: tile.read %[[SLOT:.*]] : !tile.slot<(x=32, c=64), f16, #tile.smem<pad = 16>> -> !tile.tile<x=32, c=64, f16,
  // RINGS: tile.mma
  %s = tile.mma %a, %b, %zero by "mma.m16n8k16.f16" : !tile.tile<q=16, c=64, f16>, !tile.tile<x=32, c=64, f16>, !tile.tile<q=16, x=32, f32>
  %p = tile.map %s {
  ^bb0(%e: f32):
    %n = arith.truncf %e : f32 to f16
    tile.yield %n : f16
  } : (!tile.tile<q=16, x=32, f32>) -> !tile.tile<q=16, x=32, f16>
  // CHECK: tile.part %{{.*}} from 32 : !tile.tile<x=32, c=64, f16> -> !tile.tile<x=32, v=32, f16>
  // RINGS: tile.read %[[SLOT]] from 32 : !tile.slot<(x=32, c=64), f16, #tile.smem<pad = 16>> -> !tile.tile<x=32, v=32, f16,
  // RINGS: tile.release {{.*}}%[[SLOT]]
  // RINGS: tile.mma
  %v = tile.part %b from 32 : !tile.tile<x=32, c=64, f16> -> !tile.tile<x=32, v=32, f16>
  %start = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<q=16, v=32, f32>
  %r = tile.mma %p, %v, %start by "mma.m16n8k16.f16" : !tile.tile<q=16, x=32, f16>, !tile.tile<x=32, v=32, f16>, !tile.tile<q=16, v=32, f32>
  tile.store %r, %vo : !tile.tile<q=16, v=32, f32>, !tile.view<q=16, v=32, f32>
  tile.return
}
