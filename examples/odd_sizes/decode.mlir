// decode.mlir with sizes that no chunk and no part divides.
!queries = !ncd.array<h=3, m=5, d=72, bf16>
!keys    = !ncd.array<h=3, x=1999, d=72, bf16>
!scores  = !ncd.array<h=3, m=5, x=1999, f32>
!weights = !ncd.array<h=3, m=5, x=1999, bf16>

ncd.diagram @decode(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.1178511302 : f32   // 1 / sqrt(72)
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
