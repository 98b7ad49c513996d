// One new token: eight query heads share the keys and values of one head. Four
// blocks would read them while the rest of the machine waits, so the keys come
// in parts: each block ends with the state of its part (a maximum, a sum and the
// weighted values so far), and a second kernel merges them. Nothing here says so;
// see docs/cost-model.md.
!queries = !ncd.array<h=4, m=8, d=64, bf16>
!keys    = !ncd.array<h=4, x=2048, d=64, bf16>
!scores  = !ncd.array<h=4, m=8, x=2048, f32>
!weights = !ncd.array<h=4, m=8, x=2048, bf16>

ncd.diagram @decode(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
