// The gradients of attention in one diagram, from what the forward pass leaves:
// the normaliser of each row, and the sum of each row's products of result and
// gradient. Weights and their gradients have an element for each query and key:
// they are computed by whoever needs them, and never written.
!queries = !ncd.array<h=2, q=1000, d=64, bf16>
!keys    = !ncd.array<h=2, x=900, d=64, bf16>
!row     = !ncd.array<h=2, q=1000, f32>
!scores  = !ncd.array<h=2, q=1000, x=900, f32>
!weights = !ncd.array<h=2, q=1000, x=900, bf16>

ncd.diagram @attention_backward(%q: !queries, %k: !keys, %v: !keys, %gradient: !queries, %normaliser: !row, %share: !row) -> (!queries, !keys, !keys) {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %p = ncd.map %s, %normaliser {
  ^bb0(%e: f32, %l: f32):
    %scale = arith.constant 0.125 : f32
    %z = arith.mulf %e, %scale : f32
    %less = arith.subf %z, %l : f32
    %weight = math.exp %less : f32
    %round = arith.truncf %weight : f32 to bf16
    ncd.yield %round : bf16
  } : !scores, !row -> !weights
  %dp = ncd.contract %gradient, %v over [d] : !queries, !keys -> !scores
  %ds = ncd.map %p, %dp, %share {
  ^bb0(%w: bf16, %e: f32, %f: f32):
    %scale = arith.constant 0.125 : f32
    %weight = arith.extf %w : bf16 to f32
    %less = arith.subf %e, %f : f32
    %z = arith.mulf %weight, %less : f32
    %r = arith.mulf %z, %scale : f32
    %round = arith.truncf %r : f32 to bf16
    ncd.yield %round : bf16
  } : !weights, !scores, !row -> !weights
  %dq = ncd.contract %ds, %k over [x] : !weights, !keys -> !queries
  %dk = ncd.contract %ds, %q over [q] : !weights, !queries -> !keys
  %dv = ncd.contract %p, %gradient over [q] : !weights, !queries -> !keys
  ncd.return %dq, %dk, %dv : !queries, !keys, !keys
}
