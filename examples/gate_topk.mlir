// A router of experts: scores of each token, their softmax, and the two largest
// with their experts, renormalised.

!tokens  = !ncd.array<t=256, d=512, bf16>
!router  = !ncd.array<e=64, d=512, bf16>
!scores  = !ncd.array<t=256, e=64, f32>
!weights = !ncd.array<t=256, k=2, f32>
!experts = !ncd.array<t=256, k=2, i32>
!total   = !ncd.array<t=256, f32>

ncd.diagram @gate_topk(%x: !tokens, %w: !router) -> (!weights, !experts) {
  %z = ncd.contract %x, %w over [d] : !tokens, !router -> !scores
  %p = ncd.softmax %z over [e] : !scores -> !scores
  %v, %i = ncd.topk %p over [e] into "k" : !scores -> !weights, !experts
  %s = ncd.reduce sum %v over [k] : !weights -> !total
  %n = ncd.map %v, %s {
  ^bb0(%a: f32, %b: f32):
    %r = arith.divf %a, %b : f32
    ncd.yield %r : f32
  } : !weights, !total -> !weights
  ncd.return %n, %i : !weights, !experts
}
