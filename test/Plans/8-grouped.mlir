// RUN: %python %S/Inputs/run_grouped.py napkinc napkin-run %s 70 0 129 1 | FileCheck %s
// RUN: napkinc %s -o %t.ptx
// RUN: %if ptxas %{ %python %{source}/utils/sass_loops.py --registers-only sm_80 %t.ptx | FileCheck --check-prefix=SPILLS %S/../Examples/Inputs/verified.check %}
// REQUIRES: napkinc

// 8. A grouped product: tokens are sorted by their expert, and each expert has weights of its own. Blocks take tiles of
// tokens from a list: the expert, the first token, and the first one that is another expert's. Rows of x are gathered;
// an expert may have no token, or one. Few blocks walk the list.
// CHECK: right
!a = !tile.tile<t=64, k=32, f16>
!b = !tile.tile<k=32, n=64, f16>
!c = !tile.tile<t=64, n=64, f32>
!index = !ncd.array<tile=6, i32>
tile.kernel @grouped(%x: !ncd.array<t=90, k=80, f16>, %w: !ncd.array<e=4, k=80, n=72, f16>, %rows: !ncd.array<t=200, i32>,
    %expert: !ncd.array<tile=6, i32>, %first: !index, %behind: !index, %y: !ncd.array<t=200, n=72, f32>)
    grid [tile = %tile : 1 of 6, n = %n : 64 of 72] persistent 5 warps 4 outputs 1 {
  %zero = tile.map {
    %c = arith.constant 0.0 : f32
    tile.yield %c : f32
  } : () -> !c
  %c0 = arith.constant 0 : index
  %c32 = arith.constant 32 : index
  %c80 = arith.constant 80 : index
  %e = tile.entry %expert[%tile] : !index
  %t = tile.entry %first[%tile] : !index
  %end = tile.entry %behind[%tile] : !index
  %sum = tile.loop %i = %c0 to %c80 step %c32 iter_args(%acc = %zero) -> (!c) slots 3 {
    %va = tile.view %x [t = %t : 64 below %end, k = %i : 32] (t by %rows) : !ncd.array<t=90, k=80, f16>, !ncd.array<t=200, i32>
    %vb = tile.view %w [e = %e : 1, k = %i : 32, n = %n : 64] : !ncd.array<e=4, k=80, n=72, f16>
    %a = tile.load %va : !tile.view<t=64, k=32, f16> -> !a
    %b = tile.load %vb : !tile.view<k=32, n=64, f16> -> !b
    %next = tile.mma %a, %b, %acc by "mma.m16n8k16.f16" : !a, !b, !c
    tile.next %next : !c
  }
  %to = tile.view %y [t = %t : 64 below %end, n = %n : 64] : !ncd.array<t=200, n=72, f32>
  tile.store %sum, %to : !c, !tile.view<t=64, n=64, f32>
  tile.return
}
