// Attention that also returns the logarithm of each row's sum of exponentials,
// as a backward pass or a later merge of partial results needs it. Both results
// come out of the same stream over the keys.
!queries = !ncd.array<h=4, q=512, d=64, bf16>
!keys    = !ncd.array<h=4, x=512, d=64, bf16>
!rows    = !ncd.array<h=4, q=512, f32>
!scores  = !ncd.array<h=4, q=512, x=512, f32>
!weights = !ncd.array<h=4, q=512, x=512, bf16>

ncd.diagram @attention_logsumexp(%q: !queries, %k: !keys, %v: !keys) -> (!queries, !rows) {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s {
  ^bb0(%e: f32):
    %scale = arith.constant 0.125 : f32
    %r = arith.mulf %e, %scale : f32
    ncd.yield %r : f32
  } : !scores -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %l = ncd.logsumexp %t over [x] : !scores -> !rows
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o, %l : !queries, !rows
}
