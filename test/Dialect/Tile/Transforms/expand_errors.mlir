// RUN: napkin-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(tile.kernel(tile-expand-loops))'

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
  tile.roles {
    // expected-error @below {{role 'load': warps with tasks of their own are not lowered yet; they need sm_90a, and its lowering is missing}}
    tile.role "load" warps 4 registers 24 {
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
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    // expected-error @below {{a copy that runs ahead of its loop depends on 'math.absi', which is not known before its trip}}
    %j = math.absi %i : index
    %w = tile.view %a [x = %j : 64, d : 64] : !x
    %f = tile.acquire %ring, %n ahead 1 : !ring
    tile.copy %w into %f : !view, !slot
    tile.publish %f : !slot
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
  // expected-error @below {{a copy that runs ahead of its loop depends on a value that the loop carries, which is not known before its trip}}
  %r:2 = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 iter_args(%j = %c0) -> (index) {
    %w = tile.view %a [x = %j : 64, d : 64] : !x
    %f = tile.acquire %ring, %n ahead 1 : !ring
    tile.copy %w into %f : !view, !slot
    tile.publish %f : !slot
    %s = tile.await %ring, %n : !ring
    %t = tile.read %s : !slot -> !t
    tile.release %s : !slot
    tile.next %i : index
  }
  tile.return
}
