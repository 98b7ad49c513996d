// RUN: %python %S/../Dialect/Tile/Transforms/Inputs/run_product.py napkinc napkin-run %s "lambda m, n: range(96) if m < 150 else []" | FileCheck %s
// RUN: napkinc %s -o %t.ptx
// RUN: %if ptxas %{ %python %{source}/utils/sass_loops.py --registers-only sm_80 %t.ptx | FileCheck --check-prefix=SPILLS %S/../Examples/Inputs/verified.check %}
// REQUIRES: napkinc

// 8. The tile program of a product whose rows are gathered: token m is row p[m] of x, and tokens from 150 on are past the
// end of their group. Rows go through a ring, looked up by the threads that copy them; few blocks walk the tiles. (What
// a whole grouped product over a ragged axis says as a plan is in test/unit/Schedule/UnloweredPlansTest.cpp.)
// CHECK: right
!a = !tile.tile<m=64, k=32, f16>
!b = !tile.tile<k=32, n=64, f16>
!c = !tile.tile<m=64, n=64, f32>
tile.kernel @product(%x: !ncd.array<m=300, k=96, f16>, %y: !ncd.array<k=96, n=100, f16>, %p: !ncd.array<m=170, i32>, %z: !ncd.array<m=170, n=100, f32>)
    grid [m = %m : 64 of 170, n = %n : 64 of 100] persistent 4 warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c96 = arith.constant 96 : index
  %end = arith.constant 150 : index
  %sum = tile.loop %i = %c0 to %c96 step %c32 iter_args(%acc = %zero) -> (!c) slots 2 {
    %va = tile.view %x [m = %m : 64 below %end, k = %i : 32] (m by %p) : !ncd.array<m=300, k=96, f16>, !ncd.array<m=170, i32>
    %vb = tile.view %y [k = %i : 32, n = %n : 64] : !ncd.array<k=96, n=100, f16>
    %a = tile.load %va : !tile.view<m=64, k=32, f16> -> !a
    %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %to = tile.view %z [m = %m : 64, n = %n : 64] : !ncd.array<m=170, n=100, f32>
  tile.store %sum, %to : !c, !tile.view<m=64, n=64, f32>
  tile.return
}
