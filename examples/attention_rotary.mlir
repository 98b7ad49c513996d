// Attention with rotary positions: the halves of each row are turned together, by
// angles that grow with its position. Halves are slices; what is turned is put one
// behind the other again. One table of angles serves queries and keys.
!table    = !ncd.array<n=384, p=32, f32>
!s_table  = !ncd.array<s=384, p=32, f32>
!x_table  = !ncd.array<x=384, p=32, f32>
!queries  = !ncd.array<h=4, s=384, d=64, bf16>
!keys     = !ncd.array<h=4, x=384, d=64, bf16>
!query_half = !ncd.array<h=4, s=384, p=32, bf16>
!key_half   = !ncd.array<h=4, x=384, p=32, bf16>
!scores   = !ncd.array<h=4, s=384, x=384, f32>
!weights  = !ncd.array<h=4, s=384, x=384, bf16>

ncd.diagram @attention_rotary(%q: !queries, %k: !keys, %v: !keys, %cos: !table, %sin: !table) -> !queries {
  %scos = ncd.rename %cos [n] into [s] : !table -> !s_table
  %ssin = ncd.rename %sin [n] into [s] : !table -> !s_table
  %xcos = ncd.rename %cos [n] into [x] : !table -> !x_table
  %xsin = ncd.rename %sin [n] into [x] : !table -> !x_table
  %q0 = ncd.slice %q "d" from 0 into "p" : !queries -> !query_half
  %q1 = ncd.slice %q "d" from 32 into "p" : !queries -> !query_half
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
  %qr = ncd.concat %qa, %qb [p, p] into "d" : !query_half, !query_half -> !queries
  %k0 = ncd.slice %k "d" from 0 into "p" : !keys -> !key_half
  %k1 = ncd.slice %k "d" from 32 into "p" : !keys -> !key_half
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
  %kr = ncd.concat %ka, %kb [p, p] into "d" : !key_half, !key_half -> !keys
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
