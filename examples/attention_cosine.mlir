// Attention of unit vectors: queries and keys are divided by their lengths on
// their way to the product.
!queries = !ncd.array<h=2, q=512, d=128, bf16>
!keys    = !ncd.array<h=2, x=512, d=128, bf16>
!scores  = !ncd.array<h=2, q=512, x=512, f32>
!weights = !ncd.array<h=2, q=512, x=512, bf16>

ncd.diagram @attention_cosine(%q: !queries, %k: !keys, %v: !keys) -> !queries {
  %unit_q = ncd.rms_norm %q over [d] eps 1.0e-06 : !queries -> !queries
  %unit_k = ncd.rms_norm %k over [d] eps 1.0e-06 : !keys -> !keys
  %s = ncd.contract %unit_q, %unit_k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.0078125 : f32 // 1 / 128, as lengths are sqrt(128)
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
