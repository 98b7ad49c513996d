// What a schedule decided is data: it is printed once, as an alias, and read back.
// RUN: napkin-opt %s --verify-roundtrip | FileCheck %s
// RUN: napkin-opt %s --ncd-cost-report -o /dev/null 2>&1 | FileCheck %s --check-prefix=REPORT

// CHECK: #account = #ncd.account<shared_bytes = 1024>
// CHECK: #account1 = #ncd.account<chosen = true, registers = 40, cycles = {global = 900 : i64, launch = 5500 : i64},
// CHECK-SAME: decisions = [#ncd.decision<group "m" = 16, [<granule [16] "rows of mma.m16n8k16.bf16">, <estimated [32, -4096, 102, 0, 0]>]>,
// CHECK-SAME: #ncd.decision<warps = 4, [<pinned>]>, #ncd.decision<reread, []>], merge = #account>
// CHECK: attributes {account = #account1,

// REPORT: a block holds 0 bytes of shared memory; 40 registers of each thread
// REPORT: cycles {{.*}} estimated: launch 5 500, global 900
// REPORT: group m = 16: multiple of 16 (rows of mma.m16n8k16.bf16); m = 32 moves 4096 bytes fewer and is estimated at 1.02 of the cycles
// REPORT: warps = 4: pinned
// REPORT: rows from shared memory: each step reads them again
!t = !ncd.array<m=64, f32>
ncd.diagram @d(%x: !t) -> !t {
  %z = ncd.kernel (%a = %x : !t) -> (!t) attributes {
      account = #ncd.account<chosen = true, registers = 40, cycles = {global = 900 : i64, launch = 5500 : i64},
        decisions = [#ncd.decision<group "m" = 16, [<granule [16] "rows of mma.m16n8k16.bf16">, <estimated [32, -4096, 102, 0, 0]>]>,
                     #ncd.decision<warps = 4, [<pinned>]>, #ncd.decision<reread, []>],
        merge = #ncd.account<shared_bytes = 1024>>,
      group = #ncd.partition<m=16>, order = ["m"], warps = 4 : i32} {
    %s = ncd.map %a {
    ^bb0(%e: f32):
      %n = arith.negf %e : f32
      ncd.yield %n : f32
    } : !t -> !t
    ncd.yield %s : !t
  }
  ncd.return %z : !t
}
