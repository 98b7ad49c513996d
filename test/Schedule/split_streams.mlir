// RUN: napkin-opt %s --ncd-derive-stream --ncd-split-streams | FileCheck %s
// RUN: napkin-opt %s --ncd-derive-stream --ncd-split-streams --ncd-split-streams | FileCheck %s
// RUN: napkin-opt %s --ncd-derive-stream --ncd-split-streams --ncd-print-plan -o /dev/null | FileCheck %s --check-prefix=PLAN

// A stream in parts is two kernels. The first ends with its states, each with
// the axis of the parts in front; its parts are the slowest axis of the grid.
// The second takes them one by one: its step is the merge of the first, and what
// was behind the stream is behind it still.

!x = !ncd.array<q=8, x=1000, f32>
!r = !ncd.array<q=8, f32>

// CHECK-LABEL: ncd.diagram @logsumexp
// CHECK: [[S:%[0-9]+]]:2 = ncd.kernel (%{{.*}} = %{{.*}} : !ncd.array<q=8, x=1000, f32>) -> (!ncd.array<x_part=6, q=8, f32>, !ncd.array<x_part=6, q=8, f32>)
// CHECK-SAME: entry = "lse"
// CHECK-SAME: group = #ncd.partition<q=2>
// CHECK-SAME: split = #ncd.split<x by 192, parts = x_part>
// CHECK-SAME: stream = #ncd.partition<x=64>
// CHECK: ncd.stream "x" ins({{.*}}) -> (!ncd.array<q=8, f32>, !ncd.array<q=8, f32>) state(!ncd.array<q=8, f32>, !ncd.array<q=8, f32>)
// CHECK: finish {
// CHECK-NEXT: ^bb0([[A:%[a-z0-9]+]]: !ncd.array<q=8, f32>, [[B:%[a-z0-9]+]]: !ncd.array<q=8, f32>):
// CHECK-NEXT: ncd.yield [[A]], [[B]]
// CHECK: ncd.kernel ([[P:%[a-z0-9]+]] = [[S]]#0, [[Q:%[a-z0-9]+]] = [[S]]#1 : !ncd.array<x_part=6, q=8, f32>, !ncd.array<x_part=6, q=8, f32>) -> (!ncd.array<q=8, f32>)
// CHECK-SAME: entry = "lse_merge"
// CHECK-SAME: group = #ncd.partition<q=8>
// CHECK-NOT: split
// CHECK-SAME: stream = #ncd.partition<x_part=6>
// CHECK-SAME: warps = 1
// CHECK: ncd.stream "x_part" single ins([[P]], [[Q]] : {{.*}}) -> ({{.*}}) state(!ncd.array<q=8, f32>, !ncd.array<q=8, f32>)
// CHECK: step {
// CHECK-NEXT: ^bb0({{.*}}: !ncd.array<q=8, f32>, {{.*}}: !ncd.array<q=8, f32>, {{.*}}: !ncd.array<q=8, f32>, {{.*}}: !ncd.array<q=8, f32>):
// CHECK: math.log
// CHECK: arith.negf
// CHECK: ncd.yield

// What lacks the streamed axis is read by each part; states are written by each.
// PLAN: kernel @lse (q=8, x=1000) warps 4
// PLAN-NEXT: split x parts 6 granule 192
// PLAN-NEXT:   grid q by 2 {
// PLAN:          loop x by 64 {
// PLAN:            fill x[q, x] : 32 in registers
// PLAN:          store lse.result0[q] : 32 from registers
// PLAN-NEXT:     store lse.result1[q] : 32 from registers
// PLAN:        then merge the parts
// PLAN: moves 32000 bytes in and 384 out
// PLAN: kernel @lse_merge (x_part=6, q=8) warps 1
// PLAN-NEXT: grid q by 8 {
// PLAN:        loop x_part by 6
// PLAN-NEXT:     step x_part by 1 {
// PLAN: moves 384 bytes in and 32 out
ncd.diagram @logsumexp(%x: !x) -> !r {
  %r = ncd.kernel (%t = %x : !x) -> (!r) attributes {
      group = #ncd.partition<q=2>, order = ["q"], stream = #ncd.partition<x=64>,
      split = #ncd.split<x by 192, parts = x_part>, warps = 4 : i32, entry = "lse"} {
    %m = ncd.reduce max %t over [x] : !x -> !r
    %d = ncd.map %t, %m {
    ^bb0(%a: f32, %b: f32):
      %v = arith.subf %a, %b : f32
      %e = math.exp %v : f32
      ncd.yield %e : f32
    } : !x, !r -> !x
    %s = ncd.reduce sum %d over [x] : !x -> !r
    %l = ncd.map %s, %m {
    ^bb0(%a: f32, %b: f32):
      %v = math.log %a : f32
      %w = arith.addf %v, %b : f32
      ncd.yield %w : f32
    } : !r, !r -> !r
    %n = ncd.map %l {
    ^bb0(%a: f32):
      %v = arith.negf %a : f32
      ncd.yield %v : f32
    } : !r -> !r
    ncd.yield %n : !r
  }
  ncd.return %r : !r
}
