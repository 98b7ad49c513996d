// attention_f16.mlir with sizes that no tile divides.
!queries = !ncd.array<h=4, q=511, d=64, f16>
!keys    = !ncd.array<h=4, x=777, d=64, f16>
!scores  = !ncd.array<h=4, q=511, x=777, f32>
!weights = !ncd.array<h=4, q=511, x=777, f16>

ncd.diagram @attention_f16(%q: !queries, %k: !keys, %v: !keys) -> !queries {
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
