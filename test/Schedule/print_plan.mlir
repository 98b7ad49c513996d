// RUN: napkin-opt %s --ncd-schedule --ncd-derive-stream --ncd-choose-instructions --ncd-print-plan --verify-diagnostics -o /dev/null | FileCheck %s
// RUN: napkin-opt %s --ncd-print-plan -o /dev/null | count 0

// A plan is read off the kernel's attributes and its stream: the group axes are
// the grid, the state lives outside the loop, what carries the streamed axis is
// filled in it. Sizes that no tile divides are counted as they are.

// CHECK: kernel @product (m=1000, k=600, n=500) warps [[W:[0-9]+]]
// CHECK-NEXT: grid [[AXIS:m|n]] by
// CHECK-NEXT:   grid {{m|n}} by
// CHECK-NEXT:     state state1[m, n] : 32 in registers
// CHECK-NEXT:     loop k by [[CHUNK:[0-9]+]] {
// CHECK:            fill a[m, k] : 16 in shared slots
// CHECK-NEXT:       fill b[k, n] : 16 in shared slots
// CHECK-NEXT:       product1[m, n] = contract a, b plus state1 rows m columns n summed k "mma.m16n8k16.bf16"
// CHECK-NEXT:     }
// CHECK-NEXT:     store result0[m, n] : 32 from registers
// CHECK: moves {{[0-9]+}} bytes in and 2000000 out
ncd.diagram @product(%a: !ncd.array<m=1000, k=600, bf16>, %b: !ncd.array<k=600, n=500, bf16>)
    -> !ncd.array<m=1000, n=500, f32> {
  %c = ncd.contract %a, %b over [k] : !ncd.array<m=1000, k=600, bf16>, !ncd.array<k=600, n=500, bf16>
    -> !ncd.array<m=1000, n=500, f32>
  ncd.return %c : !ncd.array<m=1000, n=500, f32>
}

// Nothing is multiplied: what is read goes to registers, once.
// CHECK: kernel @twice (n=777) warps
// CHECK-NEXT: grid n by
// CHECK-NEXT:   fill x[n] : 32 in registers
// CHECK-NEXT:   map1[n] = x
// CHECK-NEXT:   store result0[n] : 32 from registers
// CHECK-NEXT: }
// CHECK-NEXT: moves 3108 bytes in and 3108 out
ncd.diagram @twice(%x: !ncd.array<n=777, f32>) -> !ncd.array<n=777, f32> {
  %y = ncd.map %x {
  ^bb0(%e: f32):
    %r = arith.addf %e, %e : f32
    ncd.yield %r : f32
  } : !ncd.array<n=777, f32> -> !ncd.array<n=777, f32>
  ncd.return %y : !ncd.array<n=777, f32>
}
