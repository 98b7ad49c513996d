// Attention whose result is gated: each element by the sigmoid of another array.
!queries = !ncd.array<h=4, q=256, d=64, bf16>
!keys    = !ncd.array<h=4, x=256, d=64, bf16>
!scores  = !ncd.array<h=4, q=256, x=256, f32>
!weights = !ncd.array<h=4, q=256, x=256, bf16>
!sums    = !ncd.array<h=4, q=256, d=64, f32>

ncd.diagram @attention_gated(%q: !queries, %k: !keys, %v: !keys, %g: !queries) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !sums
  %y = ncd.map %o, %g {
  ^bb0(%e: f32, %u: bf16):
    %one = arith.constant 1.0 : f32
    %w = arith.extf %u : bf16 to f32
    %n = arith.negf %w : f32
    %x = math.exp %n : f32
    %d = arith.addf %one, %x : f32
    %z = arith.divf %e, %d : f32
    %r = arith.truncf %z : f32 to bf16
    ncd.yield %r : bf16
  } : !sums, !queries -> !queries
  ncd.return %y : !queries
}
