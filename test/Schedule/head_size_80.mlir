// RUN: napkinc %s --pin-group=q:64 --pin-stream=x:64 --emit=ptx | FileCheck %s --check-prefix=PTX
// RUN: napkinc %s --verify --report | FileCheck %s
// RUN: napkinc %s --verify --pin-stream=x:48 --inputs=shifted | FileCheck %s --check-prefix=CHUNK
// REQUIRES: napkinc

// Heads of 80: no position past 80 is loaded, multiplied or kept. A step of 64 keys by
// 64 rows is 64 x 64 x 80 products twice, 80 instructions of 16 x 8 x 16 in each of 4
// warps (128 if 80 were 128), 40 of them again where the reference moves.
// PTX-COUNT-120: mma.sync.aligned.m16n8k16
// PTX-NOT: mma.sync
// CHECK: products      mma.m16n8k16.bf16
// CHECK: 1 kernel
// CHECK: bank conflicts 0{{$}}
// CHECK: verified
// A chunk that is no power of two.
// CHUNK: verified
!q = !ncd.array<q=192, d=80, bf16>
!k = !ncd.array<x=192, d=80, bf16>
!v = !ncd.array<x=192, e=80, bf16>
!s = !ncd.array<q=192, x=192, f32>
!o = !ncd.array<q=192, e=80, bf16>
ncd.diagram @attention(%q: !q, %k: !k, %v: !v) -> !o {
  %s = ncd.contract %q, %k over [d] : !q, !k -> !s
  %p = ncd.softmax %s over [x] : !s -> !ncd.array<q=192, x=192, bf16>
  %o = ncd.contract %p, %v over [x] : !ncd.array<q=192, x=192, bf16>, !v -> !o
  ncd.return %o : !o
}
