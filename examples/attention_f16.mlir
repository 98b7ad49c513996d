// Attention in f16 with heads of 64. The same diagram as attention.mlir: only
// the types differ, and with them the sizes that the schedule chooses.
!queries = !ncd.array<h=4, q=512, d=64, f16>
!keys    = !ncd.array<h=4, x=512, d=64, f16>
!scores  = !ncd.array<h=4, q=512, x=512, f32>
!weights = !ncd.array<h=4, q=512, x=512, f16>

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
