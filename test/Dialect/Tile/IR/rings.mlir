// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s
// RUN: napkin-opt %s --pass-pipeline='builtin.module(tile.kernel(tile-check-protocol))' -o /dev/null

!x = !ncd.array<x=512, d=64, f16>
!ring = !tile.ring<2 x (x=64, d=64), f16, #tile.smem<pad = 16>>
!slot = !tile.slot<(x=64, d=64), f16, #tile.smem<pad = 16>>
!t = !tile.tile<x=64, d=64, f16>

// CHECK-LABEL: tile.kernel @ring
tile.kernel @ring(%a: !x, %o: !x) grid [] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  // CHECK: %[[RING:.*]] = tile.ring : !tile.ring<2 x (x=64, d=64), f16, #tile.smem<pad = 16>>
  %ring = tile.ring : !ring
  %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
    %v = tile.view %a [x = %i : 64, d : 64] : !x
    // CHECK: %[[F:.*]] = tile.acquire %[[RING]], %[[N:.*]] ahead 1 : !tile.ring<
    %f = tile.acquire %ring, %n ahead 1 : !ring
    // CHECK: tile.copy %{{.*}} into %[[F]] : !tile.view<x=64, d=64, f16>, !tile.slot<(x=64, d=64), f16, #tile.smem<pad = 16>>
    tile.copy %v into %f : !tile.view<x=64, d=64, f16>, !slot
    // CHECK: tile.publish %[[F]] : !tile.slot<
    tile.publish %f : !slot
    // CHECK: %[[S:.*]] = tile.await %[[RING]], %[[N]] : !tile.ring<
    %s = tile.await %ring, %n : !ring
    // CHECK: tile.read %[[S]] : !tile.slot<{{.*}}> -> !tile.tile<x=64, d=64, f16>
    %t = tile.read %s : !slot -> !t
    // CHECK: tile.release %[[S]] : !tile.slot<
    tile.release %s : !slot
    %to = tile.view %o [x = %i : 64, d : 64] : !x
    tile.store %t, %to : !t, !tile.view<x=64, d=64, f16>
  }
  // What the steps look like: this is what tile-expand-loops leaves.
  // CHECK: tile.pick %[[RING]][%c0] : !tile.ring<
  %p = tile.pick %ring[%c0] : !ring
  // CHECK: tile.close_group
  tile.close_group
  // CHECK: tile.wait_groups 1
  tile.wait_groups 1
  // CHECK: tile.barrier
  tile.barrier
  tile.return
}

!q = !tile.tile<q=64, d=64, f16>
!sums = !tile.tile<q=64, x=64, f32>

// One role loads, two instances of another compute: a product is started, its
// factor's slot given back when it has been waited for.
// CHECK-LABEL: tile.kernel @roles
tile.kernel @roles(%k: !x, %o: !x) grid [] warps 12 outputs 1 {
  %c0 = arith.constant 0 : index
  %c64 = arith.constant 64 : index
  %c512 = arith.constant 512 : index
  %ring = tile.ring : !ring
  // CHECK: %[[TURN:.*]] = tile.turn : !tile.turn
  %turn = tile.turn : !tile.turn
  // CHECK: tile.roles {
  tile.roles {
    // CHECK: tile.role "load" warps 4 registers 24 {
    tile.role "load" warps 4 registers 24 {
      %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
        %v = tile.view %k [x = %i : 64, d : 64] : !x
        %f = tile.acquire %ring, %n : !ring
        tile.copy %v into %f : !tile.view<x=64, d=64, f16>, !slot
        tile.publish %f : !slot
      }
    }
    // CHECK: tile.role "compute" x 2 over "q" warps 4 registers 240 {
    tile.role "compute" x 2 over "q" warps 4 registers 240 {
      %q = tile.map {
        %c = arith.constant 1.0 : f16
        tile.yield %c : f16
      } : () -> !q
      %zero = tile.map {
        %c = arith.constant 0.0 : f32
        tile.yield %c : f32
      } : () -> !sums
      %end = tile.loop %i = %c0 to %c512 step %c64 trip %n = %c0 {
        %s = tile.await %ring, %n : !ring
        %b = tile.read %s : !slot -> !t
        // CHECK: tile.turn.take %[[TURN]] : !tile.turn
        tile.turn.take %turn : !tile.turn
        // CHECK: %[[P:.*]] = tile.mma.start %{{.*}}, %{{.*}}, %{{.*}} by "mma.m16n8k16.f16" : !tile.tile<q=64, d=64, f16>, !tile.tile<x=64, d=64, f16>, !tile.tile<q=64, x=64, f32>
        %p = tile.mma.start %q, %b, %zero by "mma.m16n8k16.f16" : !q, !t, !sums
        // CHECK: tile.turn.pass %[[TURN]] : !tile.turn
        tile.turn.pass %turn : !tile.turn
        // CHECK: tile.mma.wait %[[P]] : !tile.pending<!tile.tile<q=64, x=64, f32>>
        %r = tile.mma.wait %p : !tile.pending<!sums>
        // CHECK: tile.release %{{.*}} : !tile.slot<{{.*}}> after %[[P]] : !tile.pending<
        tile.release %s : !slot after %p : !tile.pending<!sums>
      }
    }
  }
  tile.return
}
