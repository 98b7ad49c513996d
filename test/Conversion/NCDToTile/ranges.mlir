// RUN: napkin-opt --ncd-bound-streams --ncd-lower-to-tile %s | FileCheck %s

// The ranges of a stream become loops after each other. A condition that a range decides is
// gone from its loop; bounds are clamped to the axis, and rounded where the block begins. 490 keys are
// no multiple of the chunk: whole chunks first, the last range takes the partial one along.

!t = !ncd.array<q=500, x=490, f32>
!r = !ncd.array<q=500, f32>

// CHECK-LABEL: tile.kernel @causal
// CHECK-SAME: [q = %[[Q:.*]] : 16 of 500]
// CHECK: %[[AT:.*]] = arith.divui
// CHECK: %[[CLOSES:.*]] = arith.muli %[[AT]]
// CHECK: %[[FIRST:.*]] = tile.loop %{{.*}} = %c0{{.*}} to %[[CLOSES]] step %c32
// CHECK-NOT: arith.cmpi
// CHECK: tile.next
// CHECK: %[[LAST:.*]] = arith.minsi %{{.*}}, %c490
// CHECK: tile.loop %{{.*}} = %[[CLOSES]] to %[[LAST]] step %c32{{.*}} = %[[FIRST]])
// CHECK: arith.cmpi sle
// CHECK: arith.cmpi slt, %{{.*}}, %c490
// CHECK: tile.next
ncd.diagram @causal(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {entry = "causal", group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
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

// CHECK-LABEL: tile.kernel @window
// The one condition in the first range, none in the second, the other in the third.
// CHECK: tile.loop
// CHECK: arith.cmpi sle
// CHECK-NOT: arith.cmpi
// CHECK: tile.next
// CHECK: tile.loop
// CHECK-NOT: arith.cmpi
// CHECK: tile.next
// CHECK: tile.loop
// CHECK: arith.cmpi sge
// CHECK: arith.cmpi slt, %{{.*}}, %c490
// CHECK: tile.next
ncd.diagram @window(%t: !t) -> !r {
  %k = ncd.kernel (%a = %t : !t) -> (!r) attributes {entry = "window", group = #ncd.partition<q=16>, stream = #ncd.partition<x=32>} {
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
        %w = arith.constant 99 : index
        %back = arith.subi %q, %x : index
        %near = arith.cmpi sle, %back, %w : index
        %causal = arith.cmpi sge, %q, %x : index
        %seen = arith.andi %near, %causal : i1
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
