// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

!x = !ncd.array<h=4, x=512, d=128, bf16>
!o = !ncd.array<h=4, x=512, f32>

// CHECK-LABEL: tile.kernel @transfers
// CHECK-SAME: (%[[X:.*]]: !ncd.array<h=4, x=512, d=128, bf16>, %[[O:.*]]: !ncd.array<h=4, x=512, f32>)
// CHECK-SAME: group #ncd.partition<h=1, x=128> order ["h", "x"] warps 4 stages 2 outputs 1 {
tile.kernel @transfers(%x: !x, %o: !o)
    group #ncd.partition<h=1, x=128> order ["h", "x"] warps 4 stages 2 outputs 1 {
  %zero = arith.constant 0 : index
  // CHECK: %[[RING:[a-z0-9_]+]] = tile.alloc : !tile.buffer<2 x (x=128, d=64), bf16>
  %ring = tile.alloc : !tile.buffer<2 x (x=128, d=64), bf16>
  // CHECK: tile.copy %[[X]] at ["d" = %[[D:[a-z0-9_]+]]] into %[[RING]][%[[D]]] : !ncd.array<h=4, x=512, d=128, bf16>, !tile.buffer<2 x (x=128, d=64), bf16>
  tile.copy %x at ["d" = %zero] into %ring[%zero] : !x, !tile.buffer<2 x (x=128, d=64), bf16>
  // CHECK-NEXT: tile.commit
  tile.commit
  // CHECK-NEXT: tile.wait 0
  tile.wait 0
  // CHECK-NEXT: tile.barrier
  tile.barrier
  // CHECK: tile.read %[[RING]][%[[D]]] : !tile.buffer<2 x (x=128, d=64), bf16> -> !tile.tile<x=128, d=64, bf16>
  %t = tile.read %ring[%zero] : !tile.buffer<2 x (x=128, d=64), bf16> -> !tile.tile<x=128, d=64, bf16>
  // CHECK: tile.load %[[X]] at ["d" = %[[D]]] : !ncd.array<h=4, x=512, d=128, bf16> -> !tile.tile<x=128, d=64, bf16>
  %l = tile.load %x at ["d" = %zero] : !x -> !tile.tile<x=128, d=64, bf16>
  // CHECK: tile.map %{{.*}}, %{{.*}} {
  %w = tile.map %t, %l at [] {
  ^bb0(%a: bf16, %b: bf16):
    %af = arith.extf %a : bf16 to f32
    %bf = arith.extf %b : bf16 to f32
    // CHECK: tile.index "d"
    %i = tile.index "d"
    %s = arith.addf %af, %bf : f32
    // CHECK: tile.yield %{{.*}} : f32
    tile.yield %s : f32
  } : (!tile.tile<x=128, d=64, bf16>, !tile.tile<x=128, d=64, bf16>) -> !tile.tile<x=128, d=64, f32>
  // CHECK: tile.reduce %{{.*}} over "d"
  %r = tile.reduce %w over "d" {
  ^bb0(%a: f32, %b: f32):
    %m = arith.maximumf %a, %b : f32
    tile.yield %m : f32
  } : !tile.tile<x=128, d=64, f32> -> !tile.tile<x=128, f32>
  // CHECK: tile.store %{{.*}}, %[[O]]{{ *}} : !tile.tile<x=128, f32>, !ncd.array<h=4, x=512, f32>
  tile.store %r, %o : !tile.tile<x=128, f32>, !o
  // CHECK: tile.return
  tile.return
}

#accumulator = #tile.layout<register = [1, 64], lane = [2, 4, 8, 16, 32], warp = []>
#rows = #tile.layout<register = [1, 2], lane = [4, 8, 16, 32, 64], warp = []>

// A map without operands, one with a position; products; a change of layout.
// CHECK-LABEL: tile.kernel @compute
tile.kernel @compute(%a: !ncd.array<m=16, k=16, f16>, %b: !ncd.array<n=8, k=16, f16>, %c: !ncd.array<m=16, n=8, f32>)
    group #ncd.partition<m=16> order ["m"] warps 1 outputs 1 {
  %zero = arith.constant 0 : index
  %ta = tile.load %a : !ncd.array<m=16, k=16, f16> -> !tile.tile<m=16, k=16, f16>
  %tb = tile.load %b : !ncd.array<n=8, k=16, f16> -> !tile.tile<n=8, k=16, f16>
  // CHECK: tile.map at ["n" = %{{.*}}] {
  %start = tile.map at ["n" = %zero] {
    %f = arith.constant 0.0 : f32
    tile.yield %f : f32
  } : () -> !tile.tile<m=16, n=8, f32, #accumulator>
  // CHECK: tile.mma %{{.*}}, %{{.*}}, %{{.*}} : !tile.tile<m=16, k=16, f16>, !tile.tile<n=8, k=16, f16>, !tile.tile<m=16, n=8, f32, #tile.layout<register = [1, 64], lane = [2, 4, 8, 16, 32], warp = []>>
  %p = tile.mma %ta, %tb, %start : !tile.tile<m=16, k=16, f16>, !tile.tile<n=8, k=16, f16>, !tile.tile<m=16, n=8, f32, #accumulator>
  // CHECK: tile.convert
  %q = tile.convert %p : !tile.tile<m=16, n=8, f32, #accumulator> -> !tile.tile<m=16, n=8, f32, #rows>
  tile.store %q, %c : !tile.tile<m=16, n=8, f32, #rows>, !ncd.array<m=16, n=8, f32>
  tile.return
}
