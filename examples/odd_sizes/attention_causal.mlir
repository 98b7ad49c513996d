// attention_causal.mlir with sizes that no tile divides.
!queries = !ncd.array<h=4, q=511, d=128, bf16>
!keys    = !ncd.array<h=4, x=777, d=128, bf16>
!scores  = !ncd.array<h=4, q=511, x=777, f32>
!weights = !ncd.array<h=4, q=511, x=777, bf16>

ncd.diagram @attention_causal(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.0883883461 : f32
    %hidden = arith.constant 0xFF800000 : f32 // minus infinity
    %query = ncd.index "q" : index
    %key = ncd.index "x" : index
    %seen = arith.cmpi ule, %key, %query : index
    %scaled = arith.mulf %e, %scale : f32
    %r = arith.select %seen, %scaled, %hidden : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
