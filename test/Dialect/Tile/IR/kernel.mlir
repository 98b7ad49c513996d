// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --mlir-print-op-generic | napkin-opt | FileCheck %s

!x = !ncd.array<h=4, x=512, d=128, bf16>
!o = !ncd.array<h=4, x=512, f32>

// The places in the grid are named as the axes are; a view says what a transfer
// touches: where it begins, how much it has, what does not count.
// CHECK-LABEL: tile.kernel @transfers
// CHECK-SAME: (%[[X:.*]]: !ncd.array<h=4, x=512, d=128, bf16>, %[[O:.*]]: !ncd.array<h=4, x=512, f32>)
// CHECK-SAME: grid [h = %h : 1 of 4, x = %x : 128 of 512] warps 4 outputs 1 {
tile.kernel @transfers(%a: !x, %o: !o) grid [h = %h : 1 of 4, x = %i : 128 of 512] warps 4 outputs 1 {
  %zero = arith.constant 0 : index
  %end = arith.constant 500 : index
  // CHECK: %[[V:.*]] = tile.view %[[X]] [h = %h : 1, x = %x : 128 below %{{.*}}, d = %{{.*}} : 64] : !ncd.array<h=4, x=512, d=128, bf16>
  %v = tile.view %a [h = %h : 1, x = %i : 128 below %end, d = %zero : 64] : !x
  // CHECK: tile.load %[[V]] : !tile.view<x=128, d=64, bf16> -> !tile.tile<x=128, d=64, bf16>
  %l = tile.load %v : !tile.view<x=128, d=64, bf16> -> !tile.tile<x=128, d=64, bf16>
  // CHECK: tile.map %{{.*}} at [d = %{{.*}}] {
  %w = tile.map %l at [d = %zero] {
  ^bb0(%e: bf16):
    %f = arith.extf %e : bf16 to f32
    // CHECK: tile.index "d"
    %p = tile.index "d"
    // CHECK: tile.yield %{{.*}} : f32
    tile.yield %f : f32
  } : (!tile.tile<x=128, d=64, bf16>) -> !tile.tile<x=128, d=64, f32>
  // CHECK: tile.reduce %{{.*}} over "d"
  %r = tile.reduce %w over "d" {
  ^bb0(%e: f32, %f: f32):
    %m = arith.maximumf %e, %f : f32
    tile.yield %m : f32
  } : !tile.tile<x=128, d=64, f32> -> !tile.tile<x=128, f32>
  // CHECK: %[[TO:.*]] = tile.view %[[O]] [h = %h : 1, x = %x : 128]
  %to = tile.view %o [h = %h : 1, x = %i : 128] : !o
  // CHECK: tile.store %{{.*}}, %[[TO]] : !tile.tile<x=128, f32>, !tile.view<x=128, f32>
  tile.store %r, %to : !tile.tile<x=128, f32>, !tile.view<x=128, f32>
  // CHECK: tile.return
  tile.return
}

// Positions along x are looked up; truth values are bytes.
// CHECK-LABEL: tile.kernel @indexed
tile.kernel @indexed(%k: !ncd.array<x=4096, d=128, i1>, %pages: !ncd.array<x=512, i32>, %o: !ncd.array<f32>) grid [] warps 1 outputs 1 {
  %zero = arith.constant 0 : index
  // CHECK: tile.view %{{.*}} [x = %{{.*}} : 64, d : 128] (x by %{{.*}}) : !ncd.array<x=4096, d=128, i1>, !ncd.array<x=512, i32>
  %v = tile.view %k [x = %zero : 64, d : 128] (x by %pages) : !ncd.array<x=4096, d=128, i1>, !ncd.array<x=512, i32>
  // CHECK: tile.load %{{.*}} : !tile.view<x=64, d=128, i8>
  %t = tile.load %v : !tile.view<x=64, d=128, i8> -> !tile.tile<x=64, d=128, i8>
  tile.return
}

#accumulator = #tile.layout<register = [1, 64], lane = [2, 4, 8, 16, 32], warp = []>
#rows = #tile.layout<register = [1, 2], lane = [4, 8, 16, 32, 64], warp = []>

// A map without operands; products; a change of layout.
// CHECK-LABEL: tile.kernel @compute
tile.kernel @compute(%a: !ncd.array<m=16, k=16, f16>, %b: !ncd.array<n=8, k=16, f16>, %c: !ncd.array<m=16, n=8, f32>)
    grid [m = %m : 16 of 16] warps 1 outputs 1 {
  %va = tile.view %a [m = %m : 16, k : 16] : !ncd.array<m=16, k=16, f16>
  %vb = tile.view %b [n : 8, k : 16] : !ncd.array<n=8, k=16, f16>
  %vc = tile.view %c [m = %m : 16, n : 8] : !ncd.array<m=16, n=8, f32>
  %ta = tile.load %va : !tile.view<m=16, k=16, f16> -> !tile.tile<m=16, k=16, f16>
  %tb = tile.load %vb : !tile.view<n=8, k=16, f16> -> !tile.tile<n=8, k=16, f16>
  // CHECK: tile.map {
  %start = tile.map {
    %f = arith.constant 0.0 : f32
    tile.yield %f : f32
  } : () -> !tile.tile<m=16, n=8, f32, #accumulator>
  // CHECK: tile.mma %{{.*}}, %{{.*}}, %{{.*}} by "mma.m16n8k16.f16" : !tile.tile<m=16, k=16, f16>, !tile.tile<n=8, k=16, f16>, !tile.tile<m=16, n=8, f32, #tile.layout<register = [1, 64], lane = [2, 4, 8, 16, 32], warp = []>>
  %p = tile.mma %ta, %tb, %start by "mma.m16n8k16.f16" : !tile.tile<m=16, k=16, f16>, !tile.tile<n=8, k=16, f16>, !tile.tile<m=16, n=8, f32, #accumulator>
  // CHECK: tile.convert
  %q = tile.convert %p : !tile.tile<m=16, n=8, f32, #accumulator> -> !tile.tile<m=16, n=8, f32, #rows>
  tile.store %q, %vc : !tile.tile<m=16, n=8, f32, #rows>, !tile.view<m=16, n=8, f32>
  tile.return
}
