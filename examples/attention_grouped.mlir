// Grouped-query attention: the query heads are pairs (kv head g, member m), and
// keys and values carry only g. Nothing else is different from attention.mlir.
!queries = !ncd.array<g=2, m=4, q=256, d=64, bf16>
!keys    = !ncd.array<g=2, x=512, d=64, bf16>
!scores  = !ncd.array<g=2, m=4, q=256, x=512, f32>
!weights = !ncd.array<g=2, m=4, q=256, x=512, bf16>

ncd.diagram @attention_grouped(%q: !queries, %k: !keys, %v: !keys) -> !queries {
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
