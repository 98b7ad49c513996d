// Attention with heads of 256: more than registers and shared memory hold of
// keys and values at once.
!queries = !ncd.array<h=2, q=512, d=256, bf16>
!keys    = !ncd.array<h=2, x=512, d=256, bf16>
!scores  = !ncd.array<h=2, q=512, x=512, f32>
!weights = !ncd.array<h=2, q=512, x=512, bf16>

ncd.diagram @attention_wide(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.0625 : f32 // 1 / sqrt(256)
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
