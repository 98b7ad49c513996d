// RUN: %python %S/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: range(64)" | FileCheck %s
// REQUIRES: napkinc

// Maps, folds along an axis of 48 and rows kept for them: what is added to each row
// and taken away again is the row's own largest sum.
// CHECK: right
!a = !tile.tile<m=64, k=64, f16>
!b = !tile.tile<k=64, n=48, f16>
!c = !tile.tile<m=64, n=48, f32>
!rows = !tile.tile<m=64, f32>
tile.kernel @product(%x: !ncd.array<m=64, k=64, f16>, %y: !ncd.array<k=64, n=48, f16>, %z: !ncd.array<m=64, n=48, f32>)
    grid [m = %m : 64 of 64] warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %va = tile.view %x [m = %m : 64, k : 64] : !ncd.array<m=64, k=64, f16>
  %vb = tile.view %y [k : 64, n : 48] : !ncd.array<k=64, n=48, f16>
  %a = tile.load %va : !tile.view<m=64, k=64, f16> -> !a
  %b = tile.load %vb : !tile.view<k=64, n=48, f16> -> !b
  %s = tile.mma %a, %b, %zero by "mma.m16n8k16.f16" : !a, !b, !c
  %most = tile.reduce %s over "n" {
  ^bb0(%e: f32, %f: f32):
    %r = arith.maximumf %e, %f : f32
    tile.yield %r : f32
  } : !c -> !rows
  %more = tile.map %s, %most {
  ^bb0(%e: f32, %f: f32):
    %r = arith.addf %e, %f : f32
    tile.yield %r : f32
  } : (!c, !rows) -> !c
  %again = tile.reduce %more over "n" {
  ^bb0(%e: f32, %f: f32):
    %r = arith.maximumf %e, %f : f32
    tile.yield %r : f32
  } : !c -> !rows
  %less = tile.map %more, %again {
  ^bb0(%e: f32, %f: f32):
    %half = arith.constant 0.5 : f32
    %g = arith.mulf %f, %half : f32
    %r = arith.subf %e, %g : f32
    tile.yield %r : f32
  } : (!c, !rows) -> !c
  %to = tile.view %z [m = %m : 64, n : 48] : !ncd.array<m=64, n=48, f32>
  tile.store %less, %to : !c, !tile.view<m=64, n=48, f32>
  tile.return
}
