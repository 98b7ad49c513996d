// Causal attention of new queries behind 56 keys of a cache: the last query sees
// the last key.
!queries = !ncd.array<h=4, q=200, d=64, bf16>
!keys    = !ncd.array<h=4, x=256, d=64, bf16>
!scores  = !ncd.array<h=4, q=200, x=256, f32>
!weights = !ncd.array<h=4, q=200, x=256, bf16>

ncd.diagram @attention_continued(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %hidden = arith.constant 0xFF800000 : f32
    %iq = ncd.index "q" : index
    %ix = ncd.index "x" : index
    %cached = arith.constant 56 : index
    %own = arith.addi %iq, %cached : index
    %seen = arith.cmpi ule, %ix, %own : index
    %z = arith.mulf %e, %scale : f32
    %r = arith.select %seen, %z, %hidden : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
