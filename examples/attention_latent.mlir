// Attention whose queries and keys are wider than its values: 192 and 128.
!queries = !ncd.array<h=2, q=512, d=192, bf16>
!keys    = !ncd.array<h=2, x=512, d=192, bf16>
!values  = !ncd.array<h=2, x=512, e=128, bf16>
!scores  = !ncd.array<h=2, q=512, x=512, f32>
!weights = !ncd.array<h=2, q=512, x=512, bf16>
!result  = !ncd.array<h=2, q=512, e=128, bf16>

ncd.diagram @attention_latent(%q: !queries, %k: !keys, %v: !values) -> !result {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.07216878364870322 : f32 // 1 / sqrt(192)
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !values -> !result
  ncd.return %o : !result
}
