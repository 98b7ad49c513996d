// Multi-query attention: all heads share one head of keys and values, which just
// lack the axis.
!queries = !ncd.array<h=4, q=256, d=64, bf16>
!keys    = !ncd.array<x=256, d=64, bf16>
!scores  = !ncd.array<h=4, q=256, x=256, f32>
!weights = !ncd.array<h=4, q=256, x=256, bf16>

ncd.diagram @attention_multi_query(%q: !queries, %k: !keys, %v: !keys) -> !queries {
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
