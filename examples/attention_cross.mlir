// Cross-attention: the keys are those of another sequence, of another length, and
// values have a width of their own.
!queries = !ncd.array<h=4, q=200, d=64, bf16>
!keys    = !ncd.array<h=4, x=333, d=64, bf16>
!values  = !ncd.array<h=4, x=333, v=96, bf16>
!scores  = !ncd.array<h=4, q=200, x=333, f32>
!weights = !ncd.array<h=4, q=200, x=333, bf16>
!result  = !ncd.array<h=4, q=200, v=96, bf16>

ncd.diagram @attention_cross(%q: !queries, %k: !keys, %v: !values) -> !result {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !values -> !result
  ncd.return %o : !result
}
