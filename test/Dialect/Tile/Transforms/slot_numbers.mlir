// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-expand-loops))' %s | FileCheck %s

// Of two slots the loop carries one number: what is filled is the other slot. Of three,
// what is filled two trips ahead is where the trip before was read.

!x = !ncd.array<x=512, d=64, bf16>
!view = !tile.view<x=64, d=64, bf16>
!two = !tile.ring<2 x (x=64, d=64), bf16, #tile.smem<pad = 16>>
!three = !tile.ring<3 x (x=64, d=64), bf16, #tile.smem<pad = 16>>
!slot = !tile.slot<(x=64, d=64), bf16, #tile.smem<pad = 16>>
!t = !tile.tile<x=64, d=64, bf16>

// CHECK-LABEL: tile.kernel @two
// CHECK: scf.for {{.*}} iter_args(%[[NUMBER:[^ ,]*]] = %{{[^ ,]*}}) -> (index)
// CHECK: tile.pick %{{[^[]*}}[%[[NUMBER]]]
// CHECK: %[[OTHER:.*]] = arith.subi %c1{{[^ ,]*}}, %[[NUMBER]]
// CHECK: tile.pick %{{[^[]*}}[%[[OTHER]]]
// CHECK: scf.yield
tile.kernel @two(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %ring = tile.ring : !two
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    %s = tile.await %ring, %n : !two
    %v = tile.view %a [x = %i : 64, d : 64] : !x
    %f = tile.acquire %ring, %n ahead 1 : !two
    tile.copy %v into %f : !view, !slot
    tile.publish %f : !slot
    %t = tile.read %s : !slot -> !t
    tile.release %s : !slot
  }
  tile.return
}

// CHECK-LABEL: tile.kernel @three
// CHECK: scf.for {{.*}} iter_args(%[[NUMBER:[^ ,]*]] = %{{[^ ,]*}}, %[[AHEAD:[^ ,]*]] = %{{[^ ,]*}}) -> (index, index)
// CHECK: tile.pick %{{[^[]*}}[%[[NUMBER]]]
// CHECK: tile.pick %{{[^[]*}}[%[[AHEAD]]]
// CHECK: %[[NEXT:.*]] = arith.select
// CHECK: scf.yield %[[NEXT]], %[[NUMBER]]
tile.kernel @three(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %ring = tile.ring : !three
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    %s = tile.await %ring, %n : !three
    %v = tile.view %a [x = %i : 64, d : 64] : !x
    %f = tile.acquire %ring, %n ahead 2 : !three
    tile.copy %v into %f : !view, !slot
    tile.publish %f : !slot
    %t = tile.read %s : !slot -> !t
    tile.release %s : !slot
  }
  tile.return
}
