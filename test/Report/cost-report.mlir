// RUN: napkin-opt %s --ncd-decompose --canonicalize --cse --ncd-schedule --ncd-cost-report -o /dev/null 2>&1 | FileCheck %s
// RUN: napkin-opt %s --ncd-decompose --canonicalize --cse --ncd-schedule --ncd-derive-stream --ncd-cost-report -o /dev/null 2>&1 | FileCheck %s
// RUN: napkin-opt %s --ncd-decompose --canonicalize --cse --ncd-schedule --ncd-cost-report=json -o /dev/null 2>&1 | %python -c "import json, sys; k = json.load(sys.stdin)['kernels'][0]; print(k['global_read_bytes'], k['global_write_bytes'], k['arrays'][1]['repetitions'])" | FileCheck %s --check-prefix=JSON

!q = !ncd.array<h=4, q=512, d=128, bf16>
!k = !ncd.array<h=4, x=512, d=128, bf16>
!s = !ncd.array<h=4, q=512, x=512, f32>
!p = !ncd.array<h=4, q=512, x=512, bf16>

// CHECK: kernel attention on NVIDIA A100 SXM4 80 GB
// CHECK: grid h/1 = 4 × q/256 = 2: 8 blocks of 8 warps
// CHECK: stream x by 32, 16 chunks, 2 stages
// CHECK: H, values 2·h·x·d·q/g_q + 2·h·q·d
// CHECK: global bytes 3 145 728 = 2 621 440 read + 524 288 written
// CHECK: each once 2 097 152
// CHECK: H* = 16·h·x·d²·q/M + 4·h·q·d bytes, β = 1, at g_q = M/(4·d), under 4·g_q·d ≤ M
// CHECK: at this partition's M = 131 072: 3 145 728
// CHECK: unfused
// CHECK: binds
// CHECK: k (h, x, d) 524 288 bytes × 2 = 1 048 576 global, shared, registers
// CHECK: group q = 256: {{.*}}multiple of 16 (rows of mma.m16n8k16.bf16); q = 512 is cut off by
// CHECK: stream x = 32: {{.*}}x = 64 is cut off by registers per thread
// CHECK: 1 kernel, 3 145 728 global bytes: 2 621 440 read, 524 288 written

// JSON: 2621440 524288 2
ncd.diagram @attention(%q: !q {ncd.name = "q"}, %k: !k {ncd.name = "k"}, %v: !k {ncd.name = "v"}) -> !q {
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.088 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !s -> !s
  %p = ncd.softmax %t over [x] : !s -> !p
  %o = ncd.contract %p, %v over [x] : !p, !k -> !q
  ncd.return %o : !q
}
