// Each kind of operation has its box, and each fate of an axis its mark.
// RUN: napkinc %s --emit=svg | FileCheck %s
// RUN: napkinc %s --emit=schedule-svg | FileCheck %s --check-prefix=SCHEDULE

// CHECK: <title>shapes</title>
// CHECK: >%x: bf16</text>
// CHECK: >a 64</text>
// The summed axis is a cup.
// CHECK: class="op contract"
// CHECK: >contract b</text>
// CHECK: class="strand cup global"
// A map bears its formula, cut; the whole of it is what a reader sees who
// points at the box.
// CHECK: <title>#c ≤ #a ? exp(a - b) / (1 + a · a) : -∞</title>
// CHECK-NEXT: >#c ≤ #a ? exp(a - b) / (1 + a · a) :…</text>
// CHECK: class="op softmax"
// What is walked and kept bears a square, what is reduced ends in a dot.
// CHECK: class="square global"
// CHECK: >max over c</text>
// CHECK: class="dot global"
// What is new begins in a ring.
// CHECK: >repeat</text>
// CHECK: class="ring global"
// CHECK: >arrays alive</text>
// CHECK: >bytes moved</text>

// SCHEDULE: >global</text>
// SCHEDULE: class="kernel"
// SCHEDULE: >kernel shapes{{.*}}: blocks a/{{[0-9]+}} = {{[0-9]+}}

ncd.diagram @shapes(%x: !ncd.array<a=64, b=32, bf16>, %y: !ncd.array<b=32, c=48, bf16>,
                    %t: !ncd.array<a=64, f32>)
    -> (!ncd.array<a=64, f32>, !ncd.array<a=64, c=48, f32>) {
  %s = ncd.contract %x, %y over [b]
    : !ncd.array<a=64, b=32, bf16>, !ncd.array<b=32, c=48, bf16> -> !ncd.array<a=64, c=48, f32>
  %u = ncd.map %s, %t {
  ^bb0(%e: f32, %r: f32):
    %c = ncd.index "c" : index
    %a = ncd.index "a" : index
    %seen = arith.cmpi ule, %c, %a : index
    %none = arith.constant 0xFF800000 : f32
    %one = arith.constant 1.0 : f32
    %d = arith.subf %e, %r : f32
    %p = math.exp %d : f32
    %q = arith.mulf %e, %e : f32
    %n = arith.addf %one, %q : f32
    %v = arith.divf %p, %n : f32
    %w = arith.select %seen, %v, %none : f32
    ncd.yield %w : f32
  } : !ncd.array<a=64, c=48, f32>, !ncd.array<a=64, f32> -> !ncd.array<a=64, c=48, f32>
  %p = ncd.softmax %u over [c] : !ncd.array<a=64, c=48, f32> -> !ncd.array<a=64, c=48, f32>
  %m = ncd.reduce max %p over [c] : !ncd.array<a=64, c=48, f32> -> !ncd.array<a=64, f32>
  %w = ncd.map %m {
  ^bb0(%e: f32):
    ncd.yield %e : f32
  } : !ncd.array<a=64, f32> -> !ncd.array<a=64, c=48, f32>
  ncd.return %m, %w : !ncd.array<a=64, f32>, !ncd.array<a=64, c=48, f32>
}
