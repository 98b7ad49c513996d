// RUN: napkin-opt %s --ncd-derive-stream --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --ncd-derive-stream --ncd-choose-instructions --ncd-print-plan -o /dev/null | FileCheck %s --check-prefix=PLAN

!x = !ncd.array<a=128, b=256, bf16>
!w = !ncd.array<c=512, b=256, bf16>
!s = !ncd.array<a=128, c=512, f32>
!r = !ncd.array<a=128, f32>

// The product that a step of c wants whole is summed chunk by chunk inside it, and x is read in every step of c.
// CHECK-LABEL: @largest_score
// CHECK: ncd.stream "c" ins([[W:%.*]] : !ncd.array<c=512, b=256, bf16>)
// CHECK: step {
// CHECK-NEXT: ^bb0({{%.*}}: !ncd.array<a=128, f32>, [[C:%.*]]: !ncd.array<c=512, b=256, bf16>):
// CHECK-NEXT: ncd.stream "b" ins({{%.*}}, [[C]] : {{.*}}) -> (!ncd.array<a=128, c=512, f32>) state(!ncd.array<a=128, c=512, f32>)
// CHECK: ncd.contract {{.*}} over [b]
// CHECK: ncd.reduce max {{.*}} over [c]
// PLAN: kernel @largest_score
// PLAN-NEXT: grid a by 64 {
// PLAN-NEXT:   state state1[a] : 32 in registers
// PLAN-NEXT:   loop c by 64 {
// PLAN-NEXT:     state state2[a, c] : 32 in registers
// PLAN:          loop b by 64 {
// PLAN:            fill x[a, b] : 16 in shared slots 2
// PLAN-NEXT:       fill w[c, b] : 16 in shared slots 2
// PLAN: moves 1048576 bytes in and 512 out
ncd.diagram @largest_score(%x: !x, %w: !w) -> !r {
  %l = ncd.kernel (%p = %x, %q = %w : !x, !w) -> (!r)
      attributes {group = #ncd.partition<a=64>, stream = #ncd.partition<c=64, b=64>, warps = 4 : i32, stages = 2 : i32,
                  rows = "a", row_warps = 4 : i32, entry = "largest_score"} {
    %s = ncd.contract %p, %q over [b] : !x, !w -> !s
    %m = ncd.reduce max %s over [c] : !s -> !r
    ncd.yield %m : !r
  }
  ncd.return %l : !r
}

// What a row needs of b before the loop over c is a loop of its own ahead of it; the scaled factor is made chunk by
// chunk where it is used, not ahead of the loop, where it would be whole.
// CHECK-LABEL: @scaled
// CHECK: ncd.stream "b"
// CHECK: ncd.reduce sum {{.*}} over [b]
// CHECK: ncd.stream "c"
// CHECK: step {
// CHECK: ncd.stream "b"
// CHECK: step {
// CHECK: ncd.map
// CHECK: ncd.contract {{.*}} over [b]
// PLAN: kernel @scaled
// PLAN: loop b by 64 {
// PLAN:   fill x[a, b] : 16 in registers
// PLAN: }
// PLAN: loop c by 64 {
// PLAN:   loop b by 64 {
// PLAN:     fill x.2 of x[a, b] : 16 in registers
// PLAN-NEXT: fill w[c, b] : 16 in shared slots 2
// PLAN: moves 1114112 bytes in and 512 out
ncd.diagram @scaled(%x: !x, %w: !w) -> !r {
  %l = ncd.kernel (%p = %x, %q = %w : !x, !w) -> (!r)
      attributes {group = #ncd.partition<a=64>, stream = #ncd.partition<c=64, b=64>, warps = 4 : i32, stages = 2 : i32,
                  rows = "a", row_warps = 4 : i32, entry = "scaled"} {
    %f = ncd.map %p {
    ^bb0(%e: bf16):
      %g = arith.extf %e : bf16 to f32
      %h = arith.mulf %g, %g : f32
      ncd.yield %h : f32
    } : !x -> !ncd.array<a=128, b=256, f32>
    %t = ncd.reduce sum %f over [b] : !ncd.array<a=128, b=256, f32> -> !r
    %n = ncd.map %p, %t {
    ^bb0(%e: bf16, %u: f32):
      %g = arith.extf %e : bf16 to f32
      %v = math.rsqrt %u : f32
      %h = arith.mulf %g, %v : f32
      %k = math.tanh %h : f32
      %l = arith.truncf %k : f32 to bf16
      ncd.yield %l : bf16
    } : !x, !r -> !x
    %s = ncd.contract %n, %q over [b] : !x, !w -> !s
    %m = ncd.reduce max %s over [c] : !s -> !r
    ncd.yield %m : !r
  }
  ncd.return %l : !r
}
