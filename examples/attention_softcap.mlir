// Attention with capped scores: 30·tanh(score/30) lies between -30 and 30, so
// that the sums of exponentials cannot overflow f32 whatever the input is.
!queries = !ncd.array<h=4, q=512, d=64, bf16>
!keys    = !ncd.array<h=4, x=512, d=64, bf16>
!scores  = !ncd.array<h=4, q=512, x=512, f32>
!weights = !ncd.array<h=4, q=512, x=512, bf16>

ncd.diagram @attention_softcap(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.00416666667 : f32 // 1/8 for the head size, 1/30 for the cap
    %cap = arith.constant 30.0 : f32
    %scaled = arith.mulf %e, %scale : f32
    %bent = math.tanh %scaled : f32
    %r = arith.mulf %bent, %cap : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
