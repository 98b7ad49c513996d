// Attention with rotary positions: neighbours along d are turned as pairs. The
// first ones and the second ones are slices of every other position; what is
// turned goes side by side again. One table of angles serves queries and keys.
!table    = !ncd.array<n=384, p=32, f32>
!s_table  = !ncd.array<s=384, p=32, f32>
!x_table  = !ncd.array<x=384, p=32, f32>
!queries  = !ncd.array<h=4, s=384, d=64, bf16>
!keys     = !ncd.array<h=4, x=384, d=64, bf16>
!query_half = !ncd.array<h=4, s=384, p=32, bf16>
!key_half   = !ncd.array<h=4, x=384, p=32, bf16>
!query_half_one = !ncd.array<h=4, s=384, p=32, u=1, bf16>
!query_half_two = !ncd.array<h=4, s=384, p=32, two=2, bf16>
!key_half_one = !ncd.array<h=4, x=384, p=32, u=1, bf16>
!key_half_two = !ncd.array<h=4, x=384, p=32, two=2, bf16>
!scores   = !ncd.array<h=4, s=384, x=384, f32>
!weights  = !ncd.array<h=4, s=384, x=384, bf16>

ncd.diagram @attention_rotary_pairs(%q: !queries, %k: !keys, %v: !keys, %cos: !table, %sin: !table) -> !queries {
  %scos = ncd.rename %cos [n] into [s] : !table -> !s_table
  %ssin = ncd.rename %sin [n] into [s] : !table -> !s_table
  %xcos = ncd.rename %cos [n] into [x] : !table -> !x_table
  %xsin = ncd.rename %sin [n] into [x] : !table -> !x_table
  %q0 = ncd.slice %q "d" from 0 by 2 into "p" : !queries -> !query_half
  %q1 = ncd.slice %q "d" from 1 by 2 into "p" : !queries -> !query_half
  %qa = ncd.map %q0, %q1, %scos, %ssin {
  ^bb0(%a: bf16, %b: bf16, %c: f32, %s: f32):
    %u = arith.extf %a : bf16 to f32
    %v = arith.extf %b : bf16 to f32
    %m = arith.mulf %u, %c : f32
    %n = arith.mulf %v, %s : f32
    %w = arith.subf %m, %n : f32
    %r = arith.truncf %w : f32 to bf16
    ncd.yield %r : bf16
  } : !query_half, !query_half, !s_table, !s_table -> !query_half
  %qb = ncd.map %q0, %q1, %scos, %ssin {
  ^bb0(%a: bf16, %b: bf16, %c: f32, %s: f32):
    %u = arith.extf %a : bf16 to f32
    %v = arith.extf %b : bf16 to f32
    %m = arith.mulf %v, %c : f32
    %n = arith.mulf %u, %s : f32
    %w = arith.addf %m, %n : f32
    %r = arith.truncf %w : f32 to bf16
    ncd.yield %r : bf16
  } : !query_half, !query_half, !s_table, !s_table -> !query_half
  %qa1 = ncd.split %qa "p" into [p, u] : !query_half -> !query_half_one
  %qb1 = ncd.split %qb "p" into [p, u] : !query_half -> !query_half_one
  %qab = ncd.concat %qa1, %qb1 [u, u] into "two" : !query_half_one, !query_half_one -> !query_half_two
  %qr = ncd.join %qab [p, two] into "d" : !query_half_two -> !queries
  %k0 = ncd.slice %k "d" from 0 by 2 into "p" : !keys -> !key_half
  %k1 = ncd.slice %k "d" from 1 by 2 into "p" : !keys -> !key_half
  %ka = ncd.map %k0, %k1, %xcos, %xsin {
  ^bb0(%a: bf16, %b: bf16, %c: f32, %s: f32):
    %u = arith.extf %a : bf16 to f32
    %v = arith.extf %b : bf16 to f32
    %m = arith.mulf %u, %c : f32
    %n = arith.mulf %v, %s : f32
    %w = arith.subf %m, %n : f32
    %r = arith.truncf %w : f32 to bf16
    ncd.yield %r : bf16
  } : !key_half, !key_half, !x_table, !x_table -> !key_half
  %kb = ncd.map %k0, %k1, %xcos, %xsin {
  ^bb0(%a: bf16, %b: bf16, %c: f32, %s: f32):
    %u = arith.extf %a : bf16 to f32
    %v = arith.extf %b : bf16 to f32
    %m = arith.mulf %v, %c : f32
    %n = arith.mulf %u, %s : f32
    %w = arith.addf %m, %n : f32
    %r = arith.truncf %w : f32 to bf16
    ncd.yield %r : bf16
  } : !key_half, !key_half, !x_table, !x_table -> !key_half
  %ka1 = ncd.split %ka "p" into [p, u] : !key_half -> !key_half_one
  %kb1 = ncd.split %kb "p" into [p, u] : !key_half -> !key_half_one
  %kab = ncd.concat %ka1, %kb1 [u, u] into "two" : !key_half_one, !key_half_one -> !key_half_two
  %kr = ncd.join %kab [p, two] into "d" : !key_half_two -> !keys
  %scores = ncd.contract %qr, %kr over [d] : !queries, !keys -> !scores
  %t = ncd.map %scores {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
