// Queries and keys are normalised, each row by its root mean square with a gain,
// before they meet.
!queries = !ncd.array<h=4, q=256, d=64, bf16>
!keys    = !ncd.array<h=4, x=256, d=64, bf16>
!scores  = !ncd.array<h=4, q=256, x=256, f32>
!weights = !ncd.array<h=4, q=256, x=256, bf16>
!gain    = !ncd.array<d=64, bf16>

ncd.diagram @attention_qk_norm(%q: !queries, %k: !keys, %v: !keys, %gq: !gain, %gk: !gain) -> !queries {
  %qn = ncd.rms_norm %q over [d] eps 1.0e-6 gain(%gq : !gain) : !queries -> !queries
  %kn = ncd.rms_norm %k over [d] eps 1.0e-6 gain(%gk : !gain) : !keys -> !keys
  %s = ncd.contract %qn, %kn over [d] : !queries, !keys -> !scores
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
