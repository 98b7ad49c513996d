// RUN: napkinc %s --verify | FileCheck %s
// REQUIRES: napkinc

// Elements of one byte, through shared memory.

// CHECK: kernel squares
// CHECK: verified
!a = !ncd.array<q=64, x=512, i8>
!r = !ncd.array<q=64, x=512, i32>
ncd.diagram @squares(%t: !a) -> !r {
  %p = ncd.map %t {
  ^bb0(%u: i8):
    %v = arith.extsi %u : i8 to i32
    %w = arith.muli %v, %v : i32
    ncd.yield %w : i32
  } : !a -> !r
  ncd.return %p : !r
}
