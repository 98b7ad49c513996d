// RUN: napkin-opt %s --split-input-file --verify-diagnostics

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  // expected-error @below {{expects a tile.publish of its slot in the same block}}
  %f = tile.acquire %ring, %c0 : !ring
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  // expected-error @below {{expects one tile.publish of its slot, got two}}
  %f = tile.acquire %ring, %c0 : !ring
  tile.copy %v into %f : !view, !slot
  tile.publish %f : !slot
  tile.publish %f : !slot
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %f = tile.acquire %ring, %c0 : !ring
  tile.copy %v into %f : !view, !slot
  tile.publish %f : !slot
  // expected-error @below {{uses a slot that tile.acquire gives; only tile.copy and tile.publish do}}
  %t = tile.read %f : !slot -> !t
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %f = tile.acquire %ring, %c0 : !ring
  tile.copy %v into %f : !view, !slot
  tile.publish %f : !slot
  // expected-error @below {{uses the slot behind its tile.publish}}
  tile.copy %v into %f : !view, !slot
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %f = tile.acquire %ring, %c0 : !ring
  // expected-error @below {{expects one copy that fills each slot, got 0 into one}}
  tile.publish %f : !slot
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  // expected-error @below {{is 3 trips ahead on a ring of 2 slots; expects 0 to 2}}
  %f = tile.acquire %ring, %c0 ahead 3 : !ring
  tile.copy %v into %f : !view, !slot
  tile.publish %f : !slot
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  // expected-error @below {{runs ahead, which needs a tile.loop around it that counts its trips, and that trip}}
  %f = tile.acquire %ring, %c0 ahead 1 : !ring
  tile.copy %v into %f : !view, !slot
  tile.publish %f : !slot
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    %f = tile.acquire %ring, %n ahead 1 : !ring
    %g = tile.acquire %ring, %n : !ring
    tile.copy %v into %f : !view, !slot
    tile.copy %v into %g : !view, !slot
    // expected-error @below {{publishes slots 1 and 0 trips ahead together}}
    tile.publish %f, %g : !slot, !slot
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  // expected-error @below {{expects a tile.release of its slot in the same block}}
  %s = tile.await %ring, %c0 : !ring
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %s = tile.await %ring, %c0 : !ring
  tile.release %s : !slot
  // expected-error @below {{uses the slot behind its tile.release}}
  %t = tile.read %s : !slot -> !t
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %s = tile.await %ring, %c0 : !ring
  // expected-error @below {{expects the axes, sizes and elements of '!tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>', got '!tile.tile<x=64, f16>'}}
  %t = tile.read %s : !slot -> !tile.tile<x=64, f16>
  tile.release %s : !slot
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %w = tile.view %a [x : 64, d : 32] : !x
  %f = tile.acquire %ring, %c0 : !ring
  // expected-error @below {{expects the axes, sizes and elements of '!tile.view<x=64, d=32, f16>', got '!tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>'}}
  tile.copy %w into %f : !tile.view<x=64, d=32, f16>, !slot
  tile.publish %f : !slot
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %p = tile.pick %ring[%c0] : !ring
  // expected-error @below {{expects slots that tile.await gives in the same block}}
  tile.release %p : !slot
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %p = tile.pick %ring[%c0] : !ring
  // expected-error @below {{expects slots that tile.acquire gives in the same block}}
  tile.publish %p : !slot
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  tile.loop %i = %c0 to %c512 step %c64 {
    // expected-error @below {{stands in the kernel's body itself: a ring lives as long as the kernel}}
    %inner = tile.ring : !ring
  }
  tile.return
}
