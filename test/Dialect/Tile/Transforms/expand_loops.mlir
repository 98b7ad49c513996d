// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-expand-loops))' %s | FileCheck %s

!x = !ncd.array<x=512, d=64, f16>
!view = !tile.view<x=64, d=64, f16>
!t = !tile.tile<x=64, d=64, f16>
!one = !tile.ring<1 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!three = !tile.ring<3 x (x=64, d=64), f16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<swizzle = 128>>

// One slot, filled and read in turn: all threads must have left it before it is
// filled again, and it must have arrived before it is read.
// CHECK-LABEL: tile.kernel @in_turn
// CHECK: scf.for
// CHECK-NEXT: tile.barrier
// CHECK: tile.copy
// CHECK-NEXT: tile.close_group
// CHECK-NEXT: tile.wait_groups 0
// CHECK-NEXT: tile.barrier
// CHECK: tile.read
tile.kernel @in_turn(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %ring = tile.ring : !one
  %v = tile.view %a [x : 64, d : 64] : !x
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    %f = tile.acquire %ring, %n : !one
    tile.copy %v into %f : !view, !slot
    tile.publish %f : !slot
    %s = tile.await %ring, %n : !one
    %t = tile.read %s : !slot -> !t
    tile.release %s : !slot
  }
  tile.return
}

// One slot, refilled for the next trip as soon as it has been read. The first fill
// is ahead of the loop; the barrier of the refill orders it behind the reads.
// CHECK-LABEL: tile.kernel @refilled
// CHECK-NOT: tile.barrier
// CHECK: tile.copy
// CHECK: tile.close_group
// CHECK: scf.for
// CHECK-NEXT: tile.wait_groups 0
// CHECK-NEXT: tile.barrier
// CHECK: tile.read
// CHECK: tile.barrier
// CHECK: %[[NEXT:.*]] = arith.addi
// CHECK: %[[EXISTS:.*]] = arith.cmpi slt, %[[NEXT]]
// CHECK: scf.if %[[EXISTS]] {
// CHECK: tile.copy
// CHECK-NEXT: }
// CHECK-NEXT: tile.close_group
tile.kernel @refilled(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %ring = tile.ring : !one
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    %s = tile.await %ring, %n : !one
    %t = tile.read %s : !slot -> !t
    tile.release %s : !slot
    %v = tile.view %a [x = %i : 64, d : 64] : !x
    %f = tile.acquire %ring, %n ahead 1 : !one
    tile.copy %v into %f : !view, !slot
    tile.publish %f : !slot
  }
  tile.return
}

// A bound that is a value: what is ahead of the loop is under the condition that
// there is such a trip, as it is in the loop.
// CHECK-LABEL: tile.kernel @bounded
// CHECK: %[[FIRST:.*]] = arith.cmpi slt, %c64{{.*}}, %x
// CHECK: scf.if %[[FIRST]] {
// CHECK: tile.copy
// CHECK: }
// CHECK-NEXT: tile.close_group
// CHECK: scf.if
// CHECK: tile.close_group
// CHECK: scf.for %{{.*}} = %c64 to %x step %c64
// CHECK: tile.wait_groups 1
tile.kernel @bounded(%a: !x, %o: !x) grid [x = %x : 64 of 512] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %ring = tile.ring : !three
  %end = tile.loop %i = %c64 to %x step %c64 trip %n = %c0 {
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

// A loop in a loop: the count of trips is carried on, so the inner loop's slots
// begin where they stopped, and no barrier is needed ahead of it: the last trip's
// stands behind the release of all slots but the one that is filled last.
// CHECK-LABEL: tile.kernel @nested
// CHECK: scf.for {{.*}} iter_args(%[[COUNT:.*]] = %c0)
// CHECK: arith.remui %[[COUNT]], %c3
// CHECK-NOT: tile.barrier
// CHECK: tile.close_group
// CHECK-NOT: tile.barrier
// CHECK: tile.close_group
// CHECK-NOT: tile.barrier
// CHECK: scf.for
// CHECK-NEXT: tile.wait_groups 1
// CHECK-NEXT: tile.barrier
// CHECK-NOT: tile.barrier
// CHECK: arith.addi %[[COUNT]], %c8
tile.kernel @nested(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c4 = arith.constant 4 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %ring = tile.ring : !three
  %total = tile.loop %j = %c0 to %c4 step %c1 iter_args(%count = %c0) -> (index) {
    %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %count {
      %s = tile.await %ring, %n : !three
      %v = tile.view %a [x = %i : 64, d : 64] : !x
      %f = tile.acquire %ring, %n ahead 2 : !three
      tile.copy %v into %f : !view, !slot
      tile.publish %f : !slot
      %t = tile.read %s : !slot -> !t
      tile.release %s : !slot
    }
    tile.next %end : index
  }
  tile.return
}

// Two rings filled together arrive together: one wait serves both.
// CHECK-LABEL: tile.kernel @together
// CHECK: scf.for
// CHECK: tile.wait_groups 0
// CHECK-NEXT: tile.barrier
// CHECK: tile.pick
// CHECK-NOT: tile.wait_groups
// CHECK: tile.pick
// CHECK: scf.yield
tile.kernel @together(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %first = tile.ring : !three
  %second = tile.ring : !three
  %v = tile.view %a [x : 64, d : 64] : !x
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    %s = tile.await %first, %n : !three
    %r = tile.await %second, %n : !three
    %f = tile.acquire %first, %n ahead 1 : !three
    %g = tile.acquire %second, %n ahead 1 : !three
    tile.copy %v into %f : !view, !slot
    tile.copy %v into %g : !view, !slot
    tile.publish %f, %g : !slot, !slot
    tile.release %s, %r : !slot, !slot
  }
  tile.return
}
