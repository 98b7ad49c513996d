// RUN: napkin-opt %s --ncd-bound-streams --ncd-print-plan -o /dev/null | FileCheck %s

// The ranges of a stream are loops after each other; the bytes are those of what is walked: 4 tiles of 16 rows read
// 1, 1, 2 and 2 chunks of 32 positions.

!t = !ncd.array<q=64, x=512, f32>
!r = !ncd.array<q=64, f32>

// CHECK: kernel @kernel (q=64, x=512) warps 4
// CHECK-NEXT: grid q by 16 {
// CHECK-NEXT:   state state1[q] : 32 in registers
// CHECK-NEXT:   loop x by 32 to floor(first(q) + 1, 32) {
// CHECK:          fill t[q, x] : 32 in registers
// CHECK:        }
// CHECK-NEXT:   loop x by 32 from floor(first(q) + 1, 32) to last(q) + 1 {
// CHECK:          fill t.2 of t[q, x] : 32 in registers
// CHECK:        }
// CHECK: moves 12288 bytes in and 256 out
ncd.diagram @causal(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
    %s = ncd.stream "x" ins(%a : !t) -> (!r) state(!r)
    init {
      %m = ncd.map {
        %c = arith.constant 0.0 : f32
        ncd.yield %c : f32
      } : -> !r
      ncd.yield %m : !r
    } step {
    ^bb0(%state: !r, %chunk: !t):
      %m = ncd.map %chunk {
      ^bb0(%e: f32):
        %x = ncd.index "x" : index
        %q = ncd.index "q" : index
        %none = arith.constant 0.0 : f32
        %seen = arith.cmpi sle, %x, %q : index
        %y = arith.select %seen, %e, %none : f32
        ncd.yield %y : f32
      } : !t -> !t
      %p = ncd.reduce sum %m over [x] : !t -> !r
      %n = ncd.map %state, %p {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } merge {
    ^bb0(%left: !r, %right: !r):
      %n = ncd.map %left, %right {
      ^bb0(%f: f32, %g: f32):
        %h = arith.addf %f, %g : f32
        ncd.yield %h : f32
      } : !r, !r -> !r
      ncd.yield %n : !r
    } finish {
    ^bb0(%state: !r):
      ncd.yield %state : !r
    }
    ncd.yield %s : !r
  }
  ncd.return %k : !r
}
