// RUN: napkin-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(tile.kernel(tile-check-protocol))'

// What takes several trips, or several roles, to see.

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
  // expected-error @below {{acquires trip 1 of its ring where trip 0 is next; each trip is taken once, in order}}
  %f = tile.acquire %ring, %c1 : !ring
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
  %f = tile.acquire %ring, %c0 : !ring
  tile.copy %v into %f : !view, !slot
  tile.publish %f : !slot
  // expected-error @below {{awaits trip 1 of its ring where trip 0 is next; each trip is taken once, in order}}
  %s = tile.await %ring, %c1 : !ring
  %t = tile.read %s : !slot -> !t
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
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    // expected-error @below {{waits for ever: trip 0 is not published before}}
    %s = tile.await %ring, %n : !ring
    %t = tile.read %s : !slot -> !t
    tile.release %s : !slot
    %f = tile.acquire %ring, %n : !ring
    tile.copy %v into %f : !view, !slot
    tile.publish %f : !slot
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
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    // expected-error @below {{waits for ever: trip 2 takes the slot of trip 0, which is not released before}}
    %f = tile.acquire %ring, %n : !ring
    tile.copy %v into %f : !view, !slot
    tile.publish %f : !slot
  }
  %end2 = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    %s = tile.await %ring, %n : !ring
    %t = tile.read %s : !slot -> !t
    tile.release %s : !slot
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
  // expected-error @below {{this ring is filled on 1 trips and read on none; expects the same trips}}
  %f = tile.acquire %ring, %c0 : !ring
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
    %r = arith.divui %n, %c1 : index
    // expected-error @below {{the number of the trip does not follow from the trips of loops}}
    %f = tile.acquire %ring, %r : !ring
    tile.copy %v into %f : !view, !slot
    tile.publish %f : !slot
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
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    %even = arith.cmpi eq, %n, %c0 : index
    scf.if %even {
      // expected-error @below {{stands under a condition; the trips of a ring must not depend on it}}
    %f = tile.acquire %ring, %c0 : !ring
    tile.copy %v into %f : !view, !slot
    tile.publish %f : !slot
    %s = tile.await %ring, %c0 : !ring
    %t = tile.read %s : !slot -> !t
    tile.release %s : !slot
    }
  }
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 8 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  tile.roles {
    tile.role "load" warps 4 registers 24 {
      %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
      %f = tile.acquire %ring, %n : !ring
        tile.copy %v into %f : !view, !slot
        tile.publish %f : !slot
      }
    }
    tile.role "compute" warps 4 registers 240 {
      %end = tile.loop %i = %c64 to %c512 step %c64 trip %n = %c0 {
                // expected-error @below {{this ring is filled on 8 trips and read on 7; expects the same trips}}
        %s = tile.await %ring, %n : !ring
        %t = tile.read %s : !slot -> !t
        tile.release %s : !slot
      }
    }
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
  %t = tile.load %v : !view -> !t
  %q = tile.map {
    %c = arith.constant 1.0 : f16
    tile.yield %c : f16
  } : () -> !tile.tile<q=64, d=64, f16>
  %z = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<q=64, x=64, f32>
  // expected-error @below {{this product is never waited for; expects one tile.mma.wait}}
  %p = tile.mma.start %q, %t, %z by "mma.m16n8k16.f16" : !tile.tile<q=64, d=64, f16>, !t, !tile.tile<q=64, x=64, f32>
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
  %t = tile.load %v : !view -> !t
  %q = tile.map {
    %c = arith.constant 1.0 : f16
    tile.yield %c : f16
  } : () -> !tile.tile<q=64, d=64, f16>
  %z = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<q=64, x=64, f32>
  %p = tile.mma.start %q, %t, %z by "mma.m16n8k16.f16" : !tile.tile<q=64, d=64, f16>, !t, !tile.tile<q=64, x=64, f32>
  %r = tile.mma.wait %p : !tile.pending<!tile.tile<q=64, x=64, f32>>
  // expected-error @below {{waits for a product that has been waited for already}}
  %r2 = tile.mma.wait %p : !tile.pending<!tile.tile<q=64, x=64, f32>>
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
  %s = tile.await %ring, %c0 : !ring
  %t = tile.read %s : !slot -> !t
  %q = tile.map {
    %c = arith.constant 1.0 : f16
    tile.yield %c : f16
  } : () -> !tile.tile<q=64, d=64, f16>
  %z = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<q=64, x=64, f32>
  %p = tile.mma.start %q, %t, %z by "mma.m16n8k16.f16" : !tile.tile<q=64, d=64, f16>, !t, !tile.tile<q=64, x=64, f32>
  // expected-error @below {{gives a slot back that a product may still read: no tile.mma.wait stands before it}}
  tile.release %s : !slot after %p : !tile.pending<!tile.tile<q=64, x=64, f32>>
  %r = tile.mma.wait %p : !tile.pending<!tile.tile<q=64, x=64, f32>>
  tile.return
}

// -----

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
tile.kernel @k(%a: !x, %o: !x) grid [] warps 8 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %v = tile.view %a [x : 64, d : 64] : !x
  %ring = tile.ring : !ring
  %other = tile.ring : !ring
  tile.roles {
    tile.role "first" warps 4 registers 24 {
      // expected-error @below {{waits for ever: trip 0 is not published before}}
      %s = tile.await %other, %c0 : !ring
      tile.release %s : !slot
      %f = tile.acquire %ring, %c0 : !ring
      tile.copy %v into %f : !view, !slot
      tile.publish %f : !slot
    }
    tile.role "second" warps 4 registers 24 {
      // expected-note @below {{while another role waits here, on trip 0}}
      %s = tile.await %ring, %c0 : !ring
      tile.release %s : !slot
      %f = tile.acquire %other, %c0 : !ring
      tile.copy %v into %f : !view, !slot
      tile.publish %f : !slot
    }
  }
  tile.return
}
