// attention_bias.mlir with sizes that no tile divides.
!queries = !ncd.array<h=4, q=511, d=128, bf16>
!keys    = !ncd.array<h=4, x=777, d=128, bf16>
!bias    = !ncd.array<q=511, x=777, bf16>
!scores  = !ncd.array<h=4, q=511, x=777, f32>
!weights = !ncd.array<h=4, q=511, x=777, bf16>

ncd.diagram @attention_bias(%q: !queries, %k: !keys, %v: !keys, %b: !bias) -> !queries {
  %s = ncd.contract %q, %k over [d] : !queries, !keys -> !scores
  %t = ncd.map %s, %b {
  ^bb0(%e: f32, %add: bf16):
    %scale = arith.constant 0.0883883461 : f32
    %scaled = arith.mulf %e, %scale : f32
    %wide = arith.extf %add : bf16 to f32
    %r = arith.addf %scaled, %wide : f32
    ncd.yield %r : f32
  } : !scores, !bias -> !scores
  %p = ncd.softmax %t over [x] : !scores -> !weights
  %o = ncd.contract %p, %v over [x] : !weights, !keys -> !queries
  ncd.return %o : !queries
}
