// RUN: %python %S/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: [*range(160)] * 3" | FileCheck %s
// REQUIRES: napkinc

// One slot each, refilled one trip ahead, in a loop that is entered again and again: what runs ahead of the
// inner loop waits until all threads have left the slots.
// CHECK: right
!a = !tile.tile<m=64, k=32, f16>
!b = !tile.tile<k=32, n=64, f16>
!c = !tile.tile<m=64, n=64, f32>
tile.kernel @product(%x: !ncd.array<m=64, k=256, f16>, %y: !ncd.array<k=256, n=64, f16>, %z: !ncd.array<m=64, n=64, f32>)
    grid [m = %m : 64 of 64] warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c3 = arith.constant 3 : index
  %c32 = arith.constant 32 : index
  %c160 = arith.constant 160 : index
  %ra = tile.ring : !tile.ring<1 x (m=64, k=32), f16, #tile.smem<swizzle = 128>>
  %rb = tile.ring : !tile.ring<1 x (k=32, n=64), f16, #tile.smem<swizzle = 128>>
  %total:2 = tile.loop %j = %c0 to %c3 step %c1 iter_args(%outer = %zero, %count = %c0) -> (!c, index) {
    %inner, %end = tile.loop %i = %c0 to %c160 step %c32 trip %t = %count iter_args(%acc = %outer) -> (!c) {
      %va = tile.view %x [m = %m : 64, k = %i : 32] : !ncd.array<m=64, k=256, f16>
      %vb = tile.view %y [k = %i : 32, n : 64] : !ncd.array<k=256, n=64, f16>
      %sa = tile.await %ra, %t : !tile.ring<1 x (m=64, k=32), f16, #tile.smem<swizzle = 128>>
      %sb = tile.await %rb, %t : !tile.ring<1 x (k=32, n=64), f16, #tile.smem<swizzle = 128>>
      %a = tile.read %sa : !tile.slot<(m=64, k=32), f16, #tile.smem<swizzle = 128>> -> !a
      %b = tile.read %sb : !tile.slot<(k=32, n=64), f16, #tile.smem<swizzle = 128>> -> !b
      %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
      tile.release %sa, %sb : !tile.slot<(m=64, k=32), f16, #tile.smem<swizzle = 128>>, !tile.slot<(k=32, n=64), f16, #tile.smem<swizzle = 128>>
      %fa = tile.acquire %ra, %t ahead 1 : !tile.ring<1 x (m=64, k=32), f16, #tile.smem<swizzle = 128>>
      %fb = tile.acquire %rb, %t ahead 1 : !tile.ring<1 x (k=32, n=64), f16, #tile.smem<swizzle = 128>>
      tile.copy %va into %fa : !tile.view<m=64, k=32, f16>, !tile.slot<(m=64, k=32), f16, #tile.smem<swizzle = 128>>
      tile.copy %vb into %fb : !tile.view<k=32, n=64, f16>, !tile.slot<(k=32, n=64), f16, #tile.smem<swizzle = 128>>
      tile.publish %fa, %fb : !tile.slot<(m=64, k=32), f16, #tile.smem<swizzle = 128>>, !tile.slot<(k=32, n=64), f16, #tile.smem<swizzle = 128>>
      tile.next %next : !c
    }
    tile.next %inner, %end : !c, index
  }
  %to = tile.view %z [m = %m : 64, n : 64] : !ncd.array<m=64, n=64, f32>
  tile.store %total#0, %to : !c, !tile.view<m=64, n=64, f32>
  tile.return
}
