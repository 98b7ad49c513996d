// RUN: napkin-opt %s --verify-roundtrip --pass-pipeline='builtin.module(tile.kernel(tile-check-protocol))' | FileCheck %s
// RUN: not napkin-opt %s --pass-pipeline='builtin.module(tile.kernel(tile-walk-grid))' 2>&1 | FileCheck --check-prefix=WALK %s
// RUN: sed 's/persistent 132 //' %s > %t.dense.mlir
// RUN: not napkin-opt %t.dense.mlir --pass-pipeline='builtin.module(tile.kernel(tile-expand-loops))' 2>&1 | FileCheck --check-prefix=EXPAND %s

// 9. Attention as warps of sm_90a would do it: one warpgroup loads, two compute in turns, each its half of the rows. A
// step starts the scores of the next keys and the sum of the last ones, and computes exponentials while the sum is
// under way. It prints, its scopes, registers and protocol are verified, and no target of today runs it.

// CHECK: tile.kernel @attention({{.*}}) grid [h = %h : 1 of 16, q = %q : 128 of 4096] persistent 132 warps 12 outputs 1 {
// CHECK: tile.role "load" warps 4 registers 24 {
// CHECK: tile.role "compute" x 2 over "q" warps 4 registers 240 {
// CHECK: tile.release {{.*}} after
// WALK: error: stands in a kernel with a persistent grid, which would begin its trips anew on each tile; run tile-walk-grid before there are rings and roles
// EXPAND: error: {{.*}}'load'

!q = !ncd.array<h=16, q=4096, d=128, bf16>
!k = !ncd.array<h=16, x=4096, d=128, bf16>
!qring = !tile.ring<1 x (q=128, d=128), bf16, #tile.smem<swizzle = 128>>
!qslot = !tile.slot<(q=128, d=128), bf16, #tile.smem<swizzle = 128>>
!ring = !tile.ring<2 x (x=128, d=128), bf16, #tile.smem<swizzle = 128>>
!slot = !tile.slot<(x=128, d=128), bf16, #tile.smem<swizzle = 128>>
!qview = !tile.view<q=128, d=128, bf16>
!kview = !tile.view<x=128, d=128, bf16>
!rows = !tile.tile<q=128, d=128, bf16>
!keys = !tile.tile<x=128, d=128, bf16>
!s = !tile.tile<q=128, x=128, f32>
!p = !tile.tile<q=128, x=128, bf16>
!o = !tile.tile<q=128, d=128, f32>
!m = !tile.tile<q=128, f32>
tile.kernel @attention(%Q: !q, %K: !k, %V: !k, %O: !q) grid [h = %h : 1 of 16, q = %q : 128 of 4096] persistent 132 warps 12 outputs 1 {
  %c0 = arith.constant 0 : index
  %c1 = arith.constant 1 : index
  %c31 = arith.constant 31 : index
  %c128 = arith.constant 128 : index
  %c4096 = arith.constant 4096 : index
  %queries = tile.ring : !qring
  %ks = tile.ring : !ring
  %vs = tile.ring : !ring
  %turn = tile.turn : !tile.turn
  tile.roles {
    tile.role "load" warps 4 registers 24 {
      %vq = tile.view %Q [h = %h : 1, q = %q : 128, d : 128] : !q
      %fq = tile.acquire %queries, %c0 : !qring
      tile.copy %vq into %fq : !qview, !qslot
      tile.publish %fq : !qslot
      %end = tile.loop %x = %c0 to %c4096 step %c128 trip %t = %c0 {
        %vk = tile.view %K [h = %h : 1, x = %x : 128, d : 128] : !k
        %fk = tile.acquire %ks, %t : !ring
        tile.copy %vk into %fk : !kview, !slot
        tile.publish %fk : !slot
        %vv = tile.view %V [h = %h : 1, x = %x : 128, d : 128] : !k
        %fv = tile.acquire %vs, %t : !ring
        tile.copy %vv into %fv : !kview, !slot
        tile.publish %fv : !slot
      }
    }
    tile.role "compute" x 2 over "q" warps 4 registers 240 {
      %none = tile.map {
        %z = arith.constant 0.0 : f32
        tile.yield %z : f32
      } : () -> !s
      %empty = tile.map {
        %z = arith.constant 0.0 : f32
        tile.yield %z : f32
      } : () -> !o
      %sq = tile.await %queries, %c0 : !qring
      %rows = tile.read %sq : !qslot -> !rows
      tile.release %sq : !qslot
      %sk = tile.await %ks, %c0 : !ring
      %k0 = tile.read %sk : !slot -> !keys
      %s0 = tile.mma.start %rows, %k0, %none by "mma.m16n8k16.bf16" : !rows, !keys, !s
      %first = tile.mma.wait %s0 : !tile.pending<!s>
      tile.release %sk : !slot after %s0 : !tile.pending<!s>
      %m0 = tile.reduce %first over "x" {
      ^bb0(%a: f32, %b: f32):
        %c = arith.maximumf %a, %b : f32
        tile.yield %c : f32
      } : !s -> !m
      %e0 = tile.map %first, %m0 {
      ^bb0(%e: f32, %r: f32):
        %d = arith.subf %e, %r : f32
        %f = math.exp2 %d : f32
        tile.yield %f : f32
      } : (!s, !m) -> !s
      %l0 = tile.reduce %e0 over "x" {
      ^bb0(%a: f32, %b: f32):
        %c = arith.addf %a, %b : f32
        tile.yield %c : f32
      } : !s -> !m
      %p0 = tile.map %e0 {
      ^bb0(%e: f32):
        %g = arith.truncf %e : f32 to bf16
        tile.yield %g : bf16
      } : (!s) -> !p
      %ref, %norm, %last, %sum, %end = tile.loop %i = %c0 to %c31 step %c1 trip %t = %c1 iter_args(%old = %m0, %l = %l0, %p = %p0, %o = %empty) -> (!m, !m, !p, !o) {
        %tk = tile.await %ks, %t : !ring
        %before = arith.subi %t, %c1 : index
        %tv = tile.await %vs, %before : !ring
        %kt = tile.read %tk : !slot -> !keys
        %v = tile.read %tv : !slot -> !keys
        tile.turn.take %turn : !tile.turn
        %st = tile.mma.start %rows, %kt, %none by "mma.m16n8k16.bf16" : !rows, !keys, !s
        %ot = tile.mma.start %p, %v, %o by "mma.m16n8k16.bf16" : !p, !keys, !o
        tile.turn.pass %turn : !tile.turn
        %scores = tile.mma.wait %st : !tile.pending<!s>
        tile.release %tk : !slot after %st : !tile.pending<!s>
        %most = tile.reduce %scores over "x" {
        ^bb0(%a: f32, %b: f32):
          %c = arith.maximumf %a, %b : f32
          tile.yield %c : f32
        } : !s -> !m
        %new = tile.map %old, %most {
        ^bb0(%a: f32, %b: f32):
          %c = arith.maximumf %a, %b : f32
          tile.yield %c : f32
        } : (!m, !m) -> !m
        %powers = tile.map %scores, %new {
        ^bb0(%e: f32, %r: f32):
          %d = arith.subf %e, %r : f32
          %f = math.exp2 %d : f32
          tile.yield %f : f32
        } : (!s, !m) -> !s
        %more = tile.reduce %powers over "x" {
        ^bb0(%a: f32, %b: f32):
          %c = arith.addf %a, %b : f32
          tile.yield %c : f32
        } : !s -> !m
        %count = tile.map %l, %old, %new, %more {
        ^bb0(%e: f32, %a: f32, %b: f32, %c: f32):
          %d = arith.subf %a, %b : f32
          %f = math.exp2 %d : f32
          %g = arith.mulf %e, %f : f32
          %k = arith.addf %g, %c : f32
          tile.yield %k : f32
        } : (!m, !m, !m, !m) -> !m
        %next = tile.map %powers {
        ^bb0(%e: f32):
          %g = arith.truncf %e : f32 to bf16
          tile.yield %g : bf16
        } : (!s) -> !p
        %added = tile.mma.wait %ot : !tile.pending<!o>
        tile.release %tv : !slot after %ot : !tile.pending<!o>
        %scaled = tile.map %added, %old, %new {
        ^bb0(%e: f32, %a: f32, %b: f32):
          %d = arith.subf %a, %b : f32
          %f = math.exp2 %d : f32
          %g = arith.mulf %e, %f : f32
          tile.yield %g : f32
        } : (!o, !m, !m) -> !o
        tile.next %new, %count, %next, %scaled : !m, !m, !p, !o
      }
      %tail = arith.subi %end, %c1 : index
      %lv = tile.await %vs, %tail : !ring
      %v = tile.read %lv : !slot -> !keys
      %ol = tile.mma.start %last, %v, %sum by "mma.m16n8k16.bf16" : !p, !keys, !o
      %total = tile.mma.wait %ol : !tile.pending<!o>
      tile.release %lv : !slot after %ol : !tile.pending<!o>
      %round = tile.map %total, %norm {
      ^bb0(%e: f32, %a: f32):
        %d = arith.divf %e, %a : f32
        %g = arith.truncf %d : f32 to bf16
        tile.yield %g : bf16
      } : (!o, !m) -> !rows
      %to = tile.view %O [h = %h : 1, q = %q : 128, d : 128] : !q
      tile.store %round, %to : !rows, !qview
    }
  }
  tile.return
}
