// RUN: napkin-opt %s --ncd-cost-report -o /dev/null 2>&1 | FileCheck %s

// Bytes come from the kernel alone, and only what is in bounds is counted:
// 300 rows in tiles of 128 are three groups, 200 columns in tiles of 128 two.

!l = !ncd.array<a=300, b=100, bf16>
!r = !ncd.array<b=100, c=200, bf16>
!o = !ncd.array<a=300, c=200, f32>

// CHECK: kernel uneven
// CHECK: grid a/128 = 3 × c/128 = 2: 6 blocks
// CHECK: H, values a·b·⌈c/g_c⌉ + b·c·⌈a/g_a⌉ + a·c
// CHECK: global bytes 480 000 = 240 000 read + 240 000 written
ncd.diagram @uneven(%l: !l, %r: !r) -> !o {
  %o = ncd.kernel (%x = %l, %y = %r : !l, !r) -> (!o)
      attributes {entry = "uneven", group = #ncd.partition<a=128, c=128>, order = ["a", "c"]} {
    %z = ncd.contract %x, %y over [b] : !l, !r -> !o
    ncd.yield %z : !o
  }
  ncd.return %o : !o
}
