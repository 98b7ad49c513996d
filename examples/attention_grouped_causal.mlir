// Causal attention of grouped queries: members of a group and queries are rows
// together, and chunks of keys that no row of a tile sees are not walked.
!queries = !ncd.array<g=2, m=4, q=512, d=128, bf16>
!keys    = !ncd.array<g=2, x=512, d=128, bf16>
!scores  = !ncd.array<g=2, m=4, q=512, x=512, f32>
!weights = !ncd.array<g=2, m=4, q=512, x=512, bf16>

ncd.diagram @attention_grouped_causal(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.08838834764831845 : f32 // 1 / sqrt(128)
    %hidden = arith.constant 0xFF800000 : f32 // minus infinity
    %z = arith.mulf %e, %scale : f32
    %i = ncd.index "q" : index
    %j = ncd.index "x" : index
    %seen = arith.cmpi ule, %j, %i : index
    %r = arith.select %seen, %z, %hidden : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
