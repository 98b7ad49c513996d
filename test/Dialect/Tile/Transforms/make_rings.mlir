// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-assign-layouts,tile-make-rings))' %s | FileCheck %s --check-prefix=RINGS
// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-assign-layouts,tile-make-rings,tile-expand-loops))' %s | FileCheck %s --check-prefix=STEPS

// A product over k in chunks of 32 through rings of three slots, filled two trips
// ahead. The accumulator's layout is that of mma.m16n8k16 shared by 2 x 2 warps.
// RINGS-LABEL: tile.kernel @product
// RINGS-DAG: %[[A:.*]] = tile.ring : !tile.ring<3 x (m=64, k=32), bf16, #tile.smem<swizzle = 128>>
// RINGS-DAG: %[[B:.*]] = tile.ring : !tile.ring<3 x (k=32, n=64), bf16, #tile.smem<swizzle = 128>>
// RINGS: tile.loop %[[I:.*]] = %c0 to %c256 step %c32 trip %[[T:.*]] = %c0_0 iter_args
// RINGS: %[[SA:.*]] = tile.await %[[A]], %[[T]]
// RINGS: %[[SB:.*]] = tile.await %[[B]], %[[T]]
// RINGS: %[[VA:.*]] = tile.view %{{.*}} [m = %m : 64, k = %[[I]] : 32]
// RINGS: %[[VB:.*]] = tile.view %{{.*}} [k = %[[I]] : 32, n = %n : 64]
// RINGS: %[[FA:.*]] = tile.acquire %[[A]], %[[T]] ahead 2
// RINGS: %[[FB:.*]] = tile.acquire %[[B]], %[[T]] ahead 2
// RINGS: tile.copy %[[VA]] into %[[FA]]
// RINGS: tile.copy %[[VB]] into %[[FB]]
// RINGS: tile.publish %[[FA]], %[[FB]]
// RINGS: tile.read %[[SA]]
// RINGS: tile.read %[[SB]]
// RINGS: tile.mma {{.*}} !tile.tile<m=64, n=64, f32, #tile.layout<register = [1, 512, 8, 16, 1024], lane = [2, 4, 64, 128, 256], warp = [2048, 32]>>
// RINGS: tile.release %[[SA]], %[[SB]]

// Two groups are closed ahead of the loop; one barrier a trip serves both hazards:
// the chunk has arrived for all, and all have left the slot that is filled next.
// STEPS-LABEL: tile.kernel @product
// STEPS-COUNT-2: tile.close_group
// STEPS-NOT: tile.close_group
// STEPS: scf.for
// STEPS: tile.wait_groups 1
// STEPS-NEXT: tile.barrier
// STEPS-NOT: tile.wait_groups
// STEPS: arith.cmpi slt
// STEPS: scf.if
// STEPS: tile.copy
// STEPS: tile.copy
// STEPS: tile.close_group
// STEPS: tile.read
// STEPS: tile.read
// STEPS-NOT: tile.barrier
// STEPS: tile.mma
// STEPS: scf.yield
// STEPS-NOT: tile.wait_groups
tile.kernel @product(%x: !ncd.array<m=64, k=256, bf16>, %y: !ncd.array<k=256, n=64, bf16>, %z: !ncd.array<m=64, n=64, f32>)
    grid [m = %m : 64 of 64, n = %n : 64 of 64] warps 4 outputs 1 {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c256 = arith.constant 256 : index
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<m=64, n=64, f32>
  %sum = tile.loop %i = %c0 to %c256 step %c32 iter_args(%acc = %zero) -> (!tile.tile<m=64, n=64, f32>) slots 3 {
    %va = tile.view %x [m = %m : 64, k = %i : 32] : !ncd.array<m=64, k=256, bf16>
    %vb = tile.view %y [k = %i : 32, n = %n : 64] : !ncd.array<k=256, n=64, bf16>
    %a = tile.load %va : !tile.view<m=64, k=32, bf16> -> !tile.tile<m=64, k=32, bf16>
    %b = tile.load %vb : !tile.view<k=32, n=64, bf16> -> !tile.tile<k=32, n=64, bf16>
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.bf16" warps [2, 2] : !tile.tile<m=64, k=32, bf16>, !tile.tile<k=32, n=64, bf16>, !tile.tile<m=64, n=64, f32>
    tile.next %next : !tile.tile<m=64, n=64, f32>
  }
  %to = tile.view %z [m = %m : 64, n = %n : 64] : !ncd.array<m=64, n=64, f32>
  tile.store %sum, %to : !tile.tile<m=64, n=64, f32>, !tile.view<m=64, n=64, f32>
  tile.return
}
