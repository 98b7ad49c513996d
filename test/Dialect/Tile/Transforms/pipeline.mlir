// RUN: napkin-opt --pass-pipeline='builtin.module(tile.kernel(tile-assign-layouts,tile-pipeline))' %s | FileCheck %s

// A product over k in chunks of 32, three stages: two chunks are under way
// before the loop, one barrier an iteration, and the accumulator's layout is
// that of mma.m16n8k16 shared by 2 x 2 warps.
// CHECK-LABEL: tile.kernel @product
// CHECK-DAG: %[[A:.*]] = tile.alloc : !tile.buffer<3 x (m=64, k=32), bf16>
// CHECK-DAG: %[[B:.*]] = tile.alloc : !tile.buffer<3 x (k=32, n=64), bf16>
// CHECK-COUNT-2: tile.commit
// CHECK: scf.for
// CHECK: tile.wait 1
// CHECK-NEXT: tile.barrier
// CHECK: scf.if
// CHECK: tile.copy
// CHECK: tile.copy
// CHECK: tile.commit
// CHECK: tile.read
// CHECK: tile.read
// CHECK-NOT: tile.barrier
// CHECK: tile.mma {{.*}} !tile.tile<m=64, n=64, f32, #tile.layout<register = [1, 512, 8, 16, 1024], lane = [2, 4, 64, 128, 256], warp = [2048, 32]>>
// CHECK: scf.yield
tile.kernel @product(%x: !ncd.array<m=64, k=256, bf16>, %y: !ncd.array<k=256, n=64, bf16>, %z: !ncd.array<m=64, n=64, f32>)
    group #ncd.partition<m=64, n=64> order ["m", "n"] warps 4 stages 3 outputs 1 {
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c256 = arith.constant 256 : index
  %zero = tile.map at [] {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !tile.tile<m=64, n=64, f32>
  %sum = scf.for %i = %c0 to %c256 step %c32 iter_args(%acc = %zero) -> (!tile.tile<m=64, n=64, f32>) {
    %a = tile.load %x at ["k" = %i] inside : !ncd.array<m=64, k=256, bf16> -> !tile.tile<m=64, k=32, bf16>
    %b = tile.load %y at ["k" = %i] inside : !ncd.array<k=256, n=64, bf16> -> !tile.tile<k=32, n=64, bf16>
    %next = tile.mma %a, %b, %acc : !tile.tile<m=64, k=32, bf16>, !tile.tile<k=32, n=64, bf16>, !tile.tile<m=64, n=64, f32>
    scf.yield %next : !tile.tile<m=64, n=64, f32>
  }
  tile.store %sum, %z : !tile.tile<m=64, n=64, f32>, !ncd.array<m=64, n=64, f32>
  tile.return
}
